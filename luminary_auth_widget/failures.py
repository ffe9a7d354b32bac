"""Telling whether some code has failed for want of a sign-in."""

from __future__ import annotations

from collections.abc import Iterator

from .errors import CredentialRefused, NotSignedIn

# By name: the SDK (0.28.1) makes some of them outside its public modules. Guarded by tests/contract/test_failures.py.
_OF_THE_SDK = {"AuthenticationError", "InteractiveAuthException", "InteractiveAuthTimeout", "NoAvailablePortsException"}
# What the SDK raises below gRPC reaches the caller as the text of a failed call.
_IN_DETAILS = "InteractiveAuth"
_FAILED_BELOW_GRPC = {"UNAVAILABLE", "INTERNAL", "UNKNOWN"}
_UNAUTHORIZED = 401


def wants_sign_in(error: BaseException | None) -> bool:
    """Whether `error`, or what it was raised from, says that nobody is signed in or that the sign-in is over."""
    return any(_says_so(each) for each in _with_causes(error))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, what has led to it, and the members of groups, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def _says_so(error: BaseException) -> bool:
    if isinstance(error, NotSignedIn | CredentialRefused):
        return True
    kind = type(error)
    if kind.__module__.partition(".")[0] == "luminarycloud" and (
        kind.__name__ in _OF_THE_SDK or _http_status(error) == _UNAUTHORIZED
    ):
        return True
    code, details = _grpc_status(error)
    return code == "UNAUTHENTICATED" or (code in _FAILED_BELOW_GRPC and _IN_DETAILS in details)


def _http_status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _grpc_status(error: BaseException) -> tuple[str, str]:
    """Return the name of a gRPC error's code and its details; empty for any other error."""
    if not any(kind.__name__ == "RpcError" and kind.__module__ == "grpc" for kind in type(error).__mro__):
        return "", ""
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    return (getattr(code(), "name", "") if callable(code) else ""), str(details() if callable(details) else "")
