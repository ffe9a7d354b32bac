"""A loopback of its own for each worker of a test run, where the machine allows that: Linux, as root.

A browser login comes back to one of four ports of the whole machine; with these, each worker has all four.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import struct
import subprocess

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8913, 0x8914, 0x8916, 0x1
# An address that others could reach, if there were any: one of those for documentation.
_ADDRESS = "192.0.2.1"


def can_be_had() -> bool:
    """Return whether this machine gives a process a network of its own."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "--net", "true"], check=False).returncode == 0


def have() -> None:
    """Let this thread, and all that it starts from now on, be alone on a new loopback, without any other network."""
    import fcntl  # noqa: PLC0415 - Windows has none

    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack_from("16sh", fcntl.ioctl(control, _SIOCGIFFLAGS, asked))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
        also = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(_ADDRESS))
        fcntl.ioctl(control, _SIOCSIFADDR, also)
