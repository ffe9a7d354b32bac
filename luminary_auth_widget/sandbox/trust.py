"""The certificates that a kernel on the sandbox trusts: what it trusted before, and the sandbox's own."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import certifi

from ..files import replacing
from .state import CERTIFICATE_FILE

# requests, Python's ssl, gRPC and curl each look at one of their own.
VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "CURL_CA_BUNDLE")
# What stands below this line in such a file was added by us, and is not what the machine trusts.
_OWN = b"\n# The sandbox on this machine:\n"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def write_bundle(folder: Path, environ: Mapping[str, str]) -> Path:
    """Write the CA file for a kernel whose environment is `environ`, and return its path.

    It is a union: whatever verified in that kernel before still does. It is named after what was trusted before, so
    that kernels which trust different things share one sandbox; a later sandbox's CA takes the place of an ended one's.
    """
    before = dict.fromkeys(
        certificate for text in _trusted_before(environ) for certificate in _CERTIFICATE.findall(text)
    )
    trusted = b"\n".join(before)
    content = trusted + _OWN + (folder / CERTIFICATE_FILE).read_bytes()
    path = folder / f"trust-{hashlib.sha256(trusted).hexdigest()[:16]}.pem"
    if not path.exists() or path.read_bytes() != content:
        with replacing(path) as draft:
            draft.write_bytes(content)
    return path


def _trusted_before(environ: Mapping[str, str]) -> Iterator[bytes]:
    named = {variable: Path(environ[variable]) for variable in VARIABLES if environ.get(variable)}
    usable = {variable: path for variable, path in named.items() if _readable(path)}
    yield from (_read(path) for path in usable.values())
    # Whoever names no file of its own falls back on a default, which a variable that is now set would hide.
    if not {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & usable.keys():
        yield Path(certifi.where()).read_bytes()
    system = Path(ssl.get_default_verify_paths().openssl_cafile)
    if "SSL_CERT_FILE" not in usable and _readable(system):
        yield _read(system)


def _readable(path: Path) -> bool:
    try:
        return bool(_CERTIFICATE.search(_read(path)))
    except OSError:
        return False


def _read(path: Path) -> bytes:
    # requests accepts a folder of certificates as well.
    files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
    return b"\n".join(file.read_bytes().partition(_OWN)[0] for file in files)
