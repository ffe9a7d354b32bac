"""The only contact with luminarycloud: load it, build a client, make it the default, ask the server about a key.

Every foreign error becomes one of ours. What is touched of the SDK, and nothing else of it, is held by tests/contract.
"""

from __future__ import annotations

import contextvars
import importlib
import importlib.metadata
import inspect
import logging
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from .credentials import Secret
from .errors import (
    AuthError,
    CertificateInvalid,
    KeyRefused,
    SDKUnusable,
    ServerTimeout,
    ServerTrouble,
    ServerUnreachable,
)

if TYPE_CHECKING:
    from types import ModuleType

    from luminarycloud import Client

# A server that answers needs some hundredths of a second; a person waits five seconds without wondering.
CHECK_LIMIT = timedelta(seconds=5)
_LIST_PROJECTS = "/luminary.proto.api.v0.luminarycloud.project.ProjectService/ListProjects"
# ListProjectsRequest(page_size=1), serialized: field 1, varint, 1.
_ONE_PROJECT = b"\x08\x01"
_HOW_TO_GET_A_KEY = "Create a new one under My Account → Profile → API Keys, then paste it here."


def is_loaded() -> bool:
    """Whether luminarycloud has been imported in this process."""
    return "luminarycloud" in sys.modules


def version() -> str:
    """Return the installed version of the SDK, or "" where there is none; imports nothing."""
    try:
        return importlib.metadata.version("luminarycloud")
    except importlib.metadata.PackageNotFoundError:
        return ""


def load() -> ModuleType:
    """Import luminarycloud, once and late (it takes most of a second), and keep its noise out of the cells.

    Raises
    ------
    SDKUnusable
        With the reason: not installed, an unusable credentials folder, a `.env` that it cannot read.
    """
    _silence()
    try:
        return importlib.import_module("luminarycloud")
    except Exception as error:  # noqa: BLE001 - whatever an import of theirs raises becomes a sentence
        failure = _import_failure(error)
    raise failure


def target() -> str:
    """Return the API server's address, host or host:port, as the loaded SDK has it."""
    return str(inspect.signature(load().Client).parameters["target"].default)


def web_address() -> str | None:
    """Return the address of the web application, or None where the SDK knows none."""
    # Set by the sandbox alone: a browser does not trust the CA of its https pages.
    if pages := os.environ.get("LUMINARY_SANDBOX_PAGES"):
        return f"{pages}/"
    domain = base_client().primary_domain
    return f"https://{domain}/" if domain else None


def base_client() -> Client:
    """Return the client that the SDK built at import: what every thread and new context sees as the default."""
    return contextvars.Context().run(load().get_default_client)


def client_for_key(key: Secret) -> Client:
    """Build a client that signs its calls with `key`: two threads and a descriptor, so one a sign-in, none a check."""
    try:
        return load().Client(api_key=key.reveal())
    except AuthError:
        raise
    except Exception as error:  # noqa: BLE001 - see load
        kind = type(error).__name__
    raise _changed(f"its Client could not be built ({kind})")


def signed_out_client() -> Client:
    """Build a client that never opens a browser nor waits for one: its calls fail at once."""
    try:
        return load().Client(api_key=None, noninteractive=True)
    except AuthError:
        raise
    except Exception as error:  # noqa: BLE001 - see load
        kind = type(error).__name__
    raise _changed(f"its Client could not be built ({kind})")


def adopt(signed_in: Client) -> Client:
    """Make the import-time client act as `signed_in`, in every thread and context, and return it.

    The SDK (0.28.1) keeps its default in a ContextVar, which a widget message, an async cell and a worker thread do not
    share with the next cell; all of them share the default's default. Calls in flight complete with the old identity.
    Guarded by tests/contract/test_sdk.py.
    """
    base = base_client()
    # The stack of `with client:` blocks belongs to the object that was entered.
    base.__dict__.update({name: value for name, value in vars(signed_in).items() if name != "_context_tokens"})
    if base.project is not signed_in.project:
        raise _changed("its default client could not be replaced")
    load().set_default_client(base)
    return base


def check_key(key: Secret, limit: timedelta = CHECK_LIMIT) -> None:
    """Ask the server whether it accepts `key`; return if it does.

    One plain call without the SDK's interceptors, which would sleep between attempts past any limit.

    Raises
    ------
    KeyRefused
        The server said no.
    CertificateInvalid, ServerTimeout, ServerTrouble, ServerUnreachable
        The server did not decide.
    """
    address = target()
    code, details = _ask(address, key, limit)
    if problem := _problem(address.partition(":")[0], code, details, limit):
        raise problem


def _ask(address: str, key: Secret, limit: timedelta) -> tuple[str, str]:
    """Return the status of one ListProjects call: its code's name, "OK" for success, and the details."""
    import grpc  # noqa: PLC0415 - comes with the SDK, and loads as late

    # A pool of its own: a shared connection would remember an earlier failure and its waiting time.
    channel = grpc.secure_channel(
        address, grpc.ssl_channel_credentials(), options=[("grpc.use_local_subchannel_pool", 1)]
    )
    try:
        call = channel.unary_unary(_LIST_PROJECTS, request_serializer=bytes, response_deserializer=bytes)
        call(_ONE_PROJECT, timeout=limit.total_seconds(), metadata=(("x-api-key", key.reveal()),))
    except grpc.RpcError as error:
        return error.code().name, error.details() or ""
    finally:
        channel.close()
    return "OK", ""


def _problem(host: str, code: str, details: str, limit: timedelta) -> AuthError | None:
    # Signed in, and not allowed to list: the key is good.
    if code in {"OK", "PERMISSION_DENIED"}:
        return None
    if code == "UNAUTHENTICATED":
        return KeyRefused("It was revoked, deleted or has expired.", next_step=_HOW_TO_GET_A_KEY)
    if code == "DEADLINE_EXCEEDED":
        return ServerTimeout(
            f"{host} did not answer within {limit.total_seconds():.0f} s.",
            next_step="Check the connection, then try again.",
        )
    if code == "UNAVAILABLE" and ("CERTIFICATE" in details.upper() or "handshake" in details):
        return CertificateInvalid(
            f"{host} showed a certificate that this machine does not trust.",
            next_step="Behind a company proxy, name its CA file in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH, "
            "then restart the kernel.",
        )
    if code == "UNAVAILABLE":
        proxies = [name for name in ("grpc_proxy", "https_proxy", "http_proxy") if os.environ.get(name)]
        through = f" (through the proxy in {proxies[0]})" if proxies else ""
        return ServerUnreachable(
            f"{host} could not be reached{through}.", next_step="Check the connection, then try again."
        )
    return ServerTrouble(
        f"{host} answered with a failure of its own ({code}).", next_step="Try again in a minute; nothing was changed."
    )


def _silence() -> None:
    """Keep handled errors from reaching cells: the SDK logs them with tracebacks, gRPC's core prints to stderr."""
    for name in ("luminarycloud", "opentelemetry"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def _import_failure(error: Exception) -> SDKUnusable:
    if isinstance(error, ModuleNotFoundError) and error.name == "luminarycloud":
        return SDKUnusable(
            "The Luminary Cloud SDK is not installed in this kernel.", next_step="Run: %pip install luminarycloud"
        )
    if isinstance(error, UnicodeDecodeError):
        return SDKUnusable(
            "The SDK could not be loaded: the nearest .env file is not UTF-8 text.",
            next_step="Save that file as UTF-8, then run the cell again.",
        )
    if isinstance(error, OSError):
        return SDKUnusable(
            f"The SDK could not be loaded: {error.strerror or type(error).__name__}: {error.filename or ''}.",
            next_step="Make this path usable for you, or set LC_CREDENTIALS_DIR to a folder that is.",
        )
    return SDKUnusable(
        f"The SDK could not be loaded ({type(error).__name__}).",
        next_step="Run `import luminarycloud` in a cell to see why.",
    )


def _changed(what: str) -> SDKUnusable:
    return SDKUnusable(
        f"luminarycloud {version()} does not work as expected: {what}.",
        next_step="Update luminary-auth-widget, or install an earlier luminarycloud.",
    )
