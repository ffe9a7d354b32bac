"""Certificates that live as long as the process: their private keys are never kept on disk."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import trustme


@dataclass(frozen=True)
class Certificate:
    """A server's certificate with its key, for Python's ssl and for gRPC."""

    context: ssl.SSLContext
    private_key_pem: bytes
    chain_pem: bytes


class Authority:
    """A certificate authority for this machine's loopback names."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="Luminary sandbox, this machine only", path_length=0)

    @property
    def certificate_pem(self) -> bytes:
        """What a client has to trust."""
        return self._ca.cert_pem.bytes()

    def issue(self) -> Certificate:
        """Return a new certificate for localhost, 127.0.0.1 and ::1."""
        leaf = self._ca.issue_cert("localhost", "127.0.0.1", "::1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Browsers get what is first. gRPC offers h2 alone, and does not go on without it.
        context.set_alpn_protocols(["http/1.1", "h2"])
        # Python loads keys from files only: this one exists (0600) for the length of the call.
        leaf.configure_cert(context)
        return Certificate(
            context=context,
            private_key_pem=leaf.private_key_pem.bytes(),
            chain_pem=b"".join(blob.bytes() for blob in leaf.cert_chain_pems),
        )
