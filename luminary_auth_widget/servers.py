"""Asking the servers: is this credential good, whose is it, end it. Each wait has a limit, each failure a sentence.

No retries here: the SDK's own interceptors would sleep between attempts past any limit.
"""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from . import sdk
from .credentials import Secret, interrupted_outside
from .errors import (
    AuthError,
    CertificateInvalid,
    KeyRefused,
    NotSignedIn,
    ServerTimeout,
    ServerTrouble,
    ServerUnreachable,
    SessionExpired,
    StoreUnusable,
)

if TYPE_CHECKING:
    from luminarycloud import Client

# A server that answers needs some hundredths of a second; a person waits five seconds without wondering.
CHECK_LIMIT = timedelta(seconds=5)
_LIST_PROJECTS = "/luminary.proto.api.v0.luminarycloud.project.ProjectService/ListProjects"
# ListProjectsRequest(page_size=1), serialized: field 1, varint, 1.
_ONE_PROJECT = b"\x08\x01"
# What the identity server answers once a refresh token is dead: Auth0 with 403, RFC 6749 with 400.
_DEAD_TOKEN_STATUSES = {400, 401, 403}
_TRY_AGAIN = "Check the connection, then try again."
_HOW_TO_SIGN_IN_AGAIN = "Sign in with the browser again."
_HOW_TO_GET_A_KEY = "Create a new one under My Account → Profile → API Keys, then paste it here."


@interrupted_outside
def check_key(key: Secret, address: str) -> None:
    """Ask the server at `address` whether it accepts `key`; return if it does.

    One plain call without the SDK's interceptors, which would sleep between attempts past any limit.

    Raises
    ------
    KeyRefused
        The server said no.
    CertificateInvalid, ServerTimeout, ServerTrouble, ServerUnreachable
        The server did not decide.
    """
    answer = _ask(address, ("x-api-key", key))
    if answer == _Answer.REFUSED:
        raise KeyRefused("It was revoked, deleted or has expired.", next_step=_HOW_TO_GET_A_KEY)
    _raise_unless_accepted(answer, address)


@interrupted_outside
def check_session(client: Client, address: str) -> Secret:
    """Renew the access token if it needs to be, ask the server whether it accepts it, and return it.

    Raises
    ------
    NotSignedIn
        Nothing is stored.
    SessionExpired
        The identity server said that the session is over. Only its word counts.
    CertificateInvalid, ServerTimeout, ServerTrouble, ServerUnreachable, StoreUnusable
        Nobody decided.
    """
    token = access_token(client)
    answer = _ask(address, ("authorization", Secret(f"Bearer {token.reveal()}")))
    if answer == _Answer.REFUSED:
        # The access token ended before its time; a renewal decides.
        sdk.forget_access_token(client)
        token = access_token(client)
        answer = _ask(address, ("authorization", Secret(f"Bearer {token.reveal()}")))
    if answer == _Answer.REFUSED:
        raise SessionExpired("The server no longer accepts this session.", next_step=_HOW_TO_SIGN_IN_AGAIN)
    _raise_unless_accepted(answer, address)
    return token


@interrupted_outside
def identity(token: Secret, auth_domain: str) -> str:
    """Return the e-mail address or name that an access token stands for, or "" where the server does not tell.

    `GET /userinfo` (OpenID Connect Core, 5.3). Never fails: a name is an ornament.
    """
    try:
        answer = requests.get(
            f"https://{auth_domain}/userinfo",
            # As a callable: an entry in ~/.netrc would take the place of a header.
            auth=_bearer(token),
            timeout=CHECK_LIMIT.total_seconds(),
            allow_redirects=False,
        )
        facts = answer.json() if answer.ok else {}
    except (requests.RequestException, ValueError):
        return ""
    return next((str(facts[name]) for name in ("email", "name") if isinstance(facts, dict) and facts.get(name)), "")


def _bearer(token: Secret) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        return request

    return sign


@interrupted_outside
def revoke(token: Secret, auth_domain: str, client_id: str) -> None:
    """End a browser session at the identity server (RFC 7009).

    Raises
    ------
    CertificateInvalid, ServerTimeout, ServerTrouble, ServerUnreachable
        The session may live on.
    """
    problem: AuthError | None = None
    try:
        answer = requests.post(
            f"https://{auth_domain}/oauth/revoke",
            json={"client_id": client_id, "token": token.reveal()},
            timeout=CHECK_LIMIT.total_seconds(),
            allow_redirects=False,
        )
        if not answer.ok:
            problem = _http_trouble(_host(auth_domain), answer.status_code)
    except requests.RequestException as error:
        problem = _connection_problem(error, _host(auth_domain))
    if problem:
        raise problem


@interrupted_outside
def access_token(client: Client, *, renew: bool = False) -> Secret:
    """Return an access token, renewed where it must be; at most 5 s, the SDK's own limit for that request.

    Parameters
    ----------
    client : Client
    renew : bool
        Renew one that would still be good; it stays in use where that fails.

    Raises
    ------
    NotSignedIn, SessionExpired, CertificateInvalid, ServerTimeout, ServerTrouble, ServerUnreachable, StoreUnusable
    """
    try:
        if renew:
            sdk.renew_access_token(client)
        return Secret(client.get_token())
    except Exception as error:  # noqa: BLE001 - whatever of theirs it is, it becomes a sentence
        problem = _token_problem(error, client)
    # Outside the handler: their frames, which hold tokens, do not travel with our error.
    raise problem


def _token_problem(error: Exception, client: Client) -> AuthError:
    """Return our error for what `get_token` raised.

    A client that may not open a browser raises InteractiveAuthException; its context tells why it wanted to.
    """
    host = _host(sdk.auth_domain(client))
    cause = error.__context__ if type(error).__name__ == "InteractiveAuthException" else error
    if isinstance(cause, requests.HTTPError):
        return _refused_renewal(cause, host)
    if isinstance(cause, requests.JSONDecodeError):
        return _nonsense(host)
    if isinstance(cause, requests.RequestException):
        return _connection_problem(cause, host)
    # A client that holds a token has read no store: another type is then the server's.
    reading = isinstance(cause, TypeError) and sdk.refresh_token(client) is None
    if reading or isinstance(cause, json.JSONDecodeError | UnicodeDecodeError | OSError):
        return StoreUnusable(
            "The SDK's token store is damaged or cannot be read.",
            next_step="Sign in with the browser: the file is then moved aside, and a new one written.",
        )
    if type(cause).__name__ == "InteractiveAuthException":
        return NotSignedIn("No browser session is stored here.", next_step="Sign in with the browser.")
    return _nonsense(host)


def _refused_renewal(error: requests.HTTPError, host: str) -> AuthError:
    status = error.response.status_code
    try:
        reason = error.response.json().get("error")
    except (ValueError, AttributeError):
        reason = None
    # A proxy's own 403 is no word of the identity server: only `invalid_grant` ends a session.
    if status in _DEAD_TOKEN_STATUSES and reason == "invalid_grant":
        return SessionExpired("The server said that the session is over.", next_step=_HOW_TO_SIGN_IN_AGAIN)
    return _http_trouble(host, status)


def _http_trouble(host: str, status: int) -> ServerTrouble:
    slow_down = status == requests.codes.too_many_requests
    what = "asks to slow down" if slow_down else "answered with a failure of its own"
    return ServerTrouble(f"{host} {what} (HTTP {status}).", next_step="Try again in a minute; nothing was changed.")


def _connection_problem(error: requests.RequestException, host: str) -> AuthError:
    # A connection that is cut in the handshake is an SSLError as well.
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
        return untrusted(host)
    return silent(host) if isinstance(error, requests.Timeout) else unreachable(host)


# What requests and gRPC read: the CA file, the proxies.
_REQUESTS = ("REQUESTS_CA_BUNDLE", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_GRPC = ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "grpc_proxy", "https_proxy", "http_proxy")


def untrusted(host: str, variables: tuple[str, ...] = _REQUESTS) -> CertificateInvalid:
    """Return the error for a certificate that nobody here trusts."""
    return CertificateInvalid(
        f"{host} showed a certificate that this machine does not trust.",
        next_step=f"Behind a company proxy, name its CA file in {variables[0]}, then restart the kernel.",
    )


def silent(host: str) -> ServerTimeout:
    """Return the error for a server that does not answer in time."""
    return ServerTimeout(f"{host} did not answer within {CHECK_LIMIT.total_seconds():.0f} s.", next_step=_TRY_AGAIN)


def unreachable(host: str, variables: tuple[str, ...] = _REQUESTS) -> ServerUnreachable:
    """Return the error for a server that cannot be connected to.

    It names the variable that sends the request elsewhere, never its value: proxies carry passwords.
    """
    proxy = next((variable for variable in variables[1:] if os.environ.get(variable)), "")
    through = f" (through the proxy in {proxy})" if proxy else ""
    return ServerUnreachable(f"{host} could not be reached{through}.", next_step=_TRY_AGAIN)


def _nonsense(host: str) -> ServerTrouble:
    return ServerTrouble(f"{host} gave an answer that makes no sense.", next_step=_TRY_AGAIN)


def _host(domain: str) -> str:
    return domain.partition(":")[0]


class _Answer(enum.Enum):
    """What came of one call to the API server."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    BAD_CERTIFICATE = "bad certificate"
    UNREACHABLE = "unreachable"
    TROUBLE = "trouble"


def _ask(address: str, credential: tuple[str, Secret]) -> _Answer:
    """Make one ListProjects call with the credential in the metadata named, and say what came of it."""
    import grpc  # noqa: PLC0415 - comes with the SDK, and loads as late

    # A pool of its own: a shared connection would remember an earlier failure and its waiting time.
    channel = grpc.secure_channel(
        address, grpc.ssl_channel_credentials(), options=[("grpc.use_local_subchannel_pool", 1)]
    )
    name, secret = credential
    try:
        call = channel.unary_unary(_LIST_PROJECTS, request_serializer=bytes, response_deserializer=bytes)
        call(_ONE_PROJECT, timeout=CHECK_LIMIT.total_seconds(), metadata=((name, secret.reveal()),))
    except grpc.RpcError as error:
        return _answer(error.code().name, error.details() or "")
    finally:
        channel.close()
    return _Answer.ACCEPTED


def _answer(code: str, details: str) -> _Answer:
    if code == "UNAVAILABLE" and ("CERTIFICATE" in details.upper() or "handshake" in details):
        return _Answer.BAD_CERTIFICATE
    return {
        # Signed in, and not allowed to list: the credential is good.
        "PERMISSION_DENIED": _Answer.ACCEPTED,
        "UNAUTHENTICATED": _Answer.REFUSED,
        "DEADLINE_EXCEEDED": _Answer.TIMED_OUT,
        "UNAVAILABLE": _Answer.UNREACHABLE,
    }.get(code, _Answer.TROUBLE)


def _raise_unless_accepted(answer: _Answer, address: str) -> None:
    host = _host(address)
    match answer:
        case _Answer.TIMED_OUT:
            raise silent(host)
        case _Answer.BAD_CERTIFICATE:
            raise untrusted(host, _GRPC)
        case _Answer.UNREACHABLE:
            raise unreachable(host, _GRPC)
        case _Answer.TROUBLE:
            raise ServerTrouble(
                f"{host} answered with a failure of its own.", next_step="Try again in a minute; nothing was changed."
            )
