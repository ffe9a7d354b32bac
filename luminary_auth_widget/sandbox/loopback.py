"""The one rule about addresses: this machine, and nobody else."""

from __future__ import annotations

import ipaddress

from .state import SandboxError


def require_loopback(host: str) -> None:
    """Refuse to serve anybody but this machine.

    Raises
    ------
    SandboxError
        If `host` is not a loopback address.
    """
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise SandboxError(
            f"The sandbox serves this machine only, and does not bind {host}.",
            next_step="Its accounts and passwords are public: leave --host at 127.0.0.1.",
        )
