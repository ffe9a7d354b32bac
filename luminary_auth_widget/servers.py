"""Asking the servers: is this credential good, whose is it, end it. Each wait has a limit, each failure a sentence.

No retries here: the SDK's own interceptors would sleep between attempts past any limit.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from . import sdk, words
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
    as_one_line,
)
from .late import requests

if TYPE_CHECKING:
    from luminarycloud import Client

# A server that answers needs some hundredths of a second; a person waits five seconds without wondering.
CHECK_LIMIT = timedelta(seconds=5)
_LIST_PROJECTS = "/luminary.proto.api.v0.luminarycloud.project.ProjectService/ListProjects"
# ListProjectsRequest(page_size=1), serialized: field 1, varint, 1.
_ONE_PROJECT = b"\x08\x01"
# What the identity server answers once a refresh token is dead: Auth0 with 403, RFC 6749 with 400.
_DEAD_TOKEN_STATUSES = {400, 401, 403}
# An e-mail address has 254 characters at most (RFC 5321, 4.5.3.1).
_LONGEST_NAME = 254
# Nobody asks for more; whoever does makes no sense.
_LONGEST_WAIT_SECONDS = 86400


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
    if not _accepts(address, ("x-api-key", key)):
        raise KeyRefused(words.KEY_REFUSED, next_step=words.NEW_KEY_NEXT)


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
    if _accepts(address, ("authorization", Secret(f"Bearer {token.reveal()}"))):
        return token
    # The access token ended before its time; a renewal decides.
    sdk.forget_access_token(client)
    token = access_token(client)
    if _accepts(address, ("authorization", Secret(f"Bearer {token.reveal()}"))):
        return token
    raise SessionExpired(words.SESSION_NO_LONGER_ACCEPTED, next_step=words.SIGN_IN_AGAIN_NEXT)


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
    except (OSError, ValueError, RecursionError):  # requests' own errors are OSErrors
        return ""
    named = [facts.get(name) for name in ("email", "name")] if isinstance(facts, dict) else []
    return next((as_one_line(name, _LONGEST_NAME) for name in named if isinstance(name, str) and name.strip()), "")


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
            problem = trouble(sdk.host_of(auth_domain), answer.status_code, answer.headers.get("Retry-After", ""))
    except OSError as error:  # requests' own errors are OSErrors
        problem = _connection_problem(error, sdk.host_of(auth_domain))
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
    problem: AuthError
    try:
        if renew:
            sdk.renew_access_token(client)
        if token := client.get_token():
            return Secret(token)
        # The SDK's own check of the time, between a renewal and its return.
        problem = ended_already(sdk.host_of(sdk.auth_domain(client)))
    except Exception as error:  # noqa: BLE001 - whatever of theirs it is, it becomes a sentence
        problem = _token_problem(error, client)
    # Outside the handler: their frames, which hold tokens, do not travel with our error.
    raise problem


def _token_problem(error: Exception, client: Client) -> AuthError:
    """Return our error for what `get_token` raised.

    A client that may not open a browser raises InteractiveAuthException; its context tells why it wanted to.
    """
    host = sdk.host_of(sdk.auth_domain(client))
    cause = error.__context__ if type(error).__name__ == "InteractiveAuthException" else error
    if isinstance(cause, requests.HTTPError):
        return _refused_renewal(cause, host)
    if isinstance(cause, requests.JSONDecodeError):
        return senseless(host)
    if isinstance(cause, requests.RequestException) or _is_about_ca_file(cause):
        return _connection_problem(cause, host)
    # A client that holds a token has read no store: another type is then the server's.
    reading = isinstance(cause, TypeError) and sdk.refresh_token(client) is None
    if reading or isinstance(cause, json.JSONDecodeError | UnicodeDecodeError | OSError):
        return StoreUnusable(words.STORE_DAMAGED, next_step=words.STORE_DAMAGED_NEXT)
    if type(cause).__name__ == "InteractiveAuthException":
        return NotSignedIn(words.NO_SESSION, next_step=words.NO_SESSION_NEXT)
    return ended_already(host) if sdk.access_token_has_ended(client) else senseless(host)


def _refused_renewal(error: requests.HTTPError, host: str) -> AuthError:
    status = error.response.status_code
    try:
        reason = error.response.json().get("error")
    except (ValueError, AttributeError):
        reason = None
    # A proxy's own 403 is no word of the identity server: only `invalid_grant` ends a session.
    if status in _DEAD_TOKEN_STATUSES and reason == "invalid_grant":
        return SessionExpired(words.SESSION_OVER, next_step=words.SIGN_IN_AGAIN_NEXT)
    return trouble(host, status, error.response.headers.get("Retry-After", ""))


def _connection_problem(error: BaseException | None, host: str) -> AuthError:
    if _is_about_ca_file(error):
        return no_ca_file()
    if isinstance(error, requests.TooManyRedirects):
        return senseless(host)
    return _unheard(host, str(error), _REQUESTS) or (
        silent(host) if isinstance(error, requests.Timeout) else unreachable(host)
    )


def _is_about_ca_file(error: BaseException | None) -> bool:
    """Whether requests (2.34) did not even begin: a plain OSError says so."""
    return type(error) is OSError and "TLS CA certificate bundle" in str(error)


def _unheard(host: str, details: str, variables: tuple[str, ...]) -> AuthError | None:
    """Return the error for what failed before the server was heard, told by the words of OpenSSL, requests and gRPC."""
    if "CERTIFICATE_VERIFY_FAILED" in details or "Hostname Verification" in details:
        return untrusted(host, variables, by_clock=bool(re.search(_BY_CLOCK, details)))
    if re.search(_NO_ADDRESS, details):
        return nameless(host)
    # Something that does not speak TLS.
    return senseless(host) if "WRONG_VERSION_NUMBER" in details else None


_BY_CLOCK = "certificate (has expired|is not yet valid)"
_NO_ADDRESS = "Failed to resolve|errors resolving|(DNS|Name) resolution failed|name resolution"
# What requests and gRPC read: the CA file, the proxies.
_REQUESTS = ("REQUESTS_CA_BUNDLE", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_GRPC = ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "grpc_proxy", "https_proxy", "http_proxy")


def untrusted(host: str, variables: tuple[str, ...] = _REQUESTS, *, by_clock: bool = False) -> CertificateInvalid:
    """Return the error for a certificate that nobody here trusts, or not at this hour of this machine's clock."""
    if by_clock:
        return CertificateInvalid(
            words.CERTIFICATE_BY_CLOCK.format(host=host), next_step=words.CLOCK_NEXT.format(now=_now())
        )
    return CertificateInvalid(
        words.CERTIFICATE_UNTRUSTED.format(host=host),
        next_step=words.CERTIFICATE_UNTRUSTED_NEXT.format(variable=variables[0]),
    )


def no_ca_file() -> CertificateInvalid:
    """Return the error for a CA file that is named and is not there."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    variable = next((name for name in names if os.environ.get(name)), names[0])
    return CertificateInvalid(words.NO_CA_FILE.format(variable=variable), next_step=words.NO_CA_FILE_NEXT)


def silent(host: str) -> ServerTimeout:
    """Return the error for a server that does not answer in time."""
    return ServerTimeout(
        words.SERVER_SILENT.format(host=host, seconds=CHECK_LIMIT.total_seconds()), next_step=words.CONNECTION_NEXT
    )


def nameless(host: str) -> ServerUnreachable:
    """Return the error for a server whose name stands for no address here."""
    return ServerUnreachable(words.SERVER_NAMELESS.format(host=host), next_step=words.CONNECTION_NEXT)


def unreachable(host: str, variables: tuple[str, ...] = _REQUESTS) -> ServerUnreachable:
    """Return the error for a server that cannot be connected to.

    It names the variable that sends the request elsewhere, never its value: proxies carry passwords.
    """
    past_proxies = requests.utils.should_bypass_proxies(f"https://{host}/", None)
    proxy = next((name for name in variables[1:] if os.environ.get(name) and not past_proxies), "")
    message = words.SERVER_UNREACHABLE.format(host=host)
    if proxy:
        message = words.SERVER_UNREACHABLE_BY_PROXY.format(host=host, variable=proxy)
    return ServerUnreachable(message, next_step=words.CONNECTION_NEXT)


def senseless(host: str) -> ServerTrouble:
    """Return the error for an answer that is none of the server's: something on the way may have given it."""
    return ServerTrouble(words.SERVER_SENSELESS.format(host=host), next_step=words.PORTAL_NEXT)


def ended_already(host: str) -> ServerTrouble:
    """Return the error for an access token that is new and has ended: one of two clocks is wrong."""
    return ServerTrouble(words.ENDED_ALREADY.format(host=host), next_step=words.CLOCK_NEXT.format(now=_now()))


def trouble(host: str, status: int | None = None, retry_after: str = "") -> ServerTrouble:
    """Return the error for a server that fails by itself, or wants to be left alone for a while."""
    if status == requests.codes.too_many_requests:
        message = words.SERVER_SLOW_DOWN.format(host=host, status=status)
    elif status:
        message = words.SERVER_FAILED_HTTP.format(host=host, status=status)
    else:
        message = words.SERVER_FAILED.format(host=host)
    return ServerTrouble(message, next_step=words.SERVER_FAILED_NEXT.format(time=_wait(retry_after)))


def _wait(retry_after: str) -> str:
    """Return how long a Retry-After header asks to wait (RFC 9110, 10.2.3: seconds, or a date); a minute without."""
    seconds = 60.0
    with suppress(ValueError, TypeError, OverflowError):
        if retry_after.isascii() and retry_after.isdecimal():
            seconds = float(retry_after)
        else:
            date = parsedate_to_datetime(retry_after)
            seconds = (date.replace(tzinfo=date.tzinfo or timezone.utc) - _now()).total_seconds()
    for size, span in ((3600, words.SERVER_FAILED_HOURS), (60, words.SERVER_FAILED_MINUTES)):
        if seconds > size:
            return span.format(count=math.ceil(min(seconds, _LONGEST_WAIT_SECONDS) / size))
    return words.SERVER_FAILED_MINUTE


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _accepts(address: str, credential: tuple[str, Secret]) -> bool:
    """Make one ListProjects call with the credential in the metadata named, and return whether the server accepts it.

    Raises
    ------
    CertificateInvalid, ServerTimeout, ServerTrouble, ServerUnreachable
        The server did not decide.
    """
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
        code, details = error.code().name, error.details() or ""
        said = dict((*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())))
    else:
        return True
    finally:
        channel.close()
    if code == "UNAUTHENTICATED":
        return False
    http_status = re.search(_HTTP_STATUS, details)
    if code == "PERMISSION_DENIED" and not http_status:
        return True  # signed in, and not allowed to list: the credential is good
    host, retry_after = sdk.host_of(address), said.get("retry-after", "")
    raise _undecided(host, code, details, int(http_status[1]) if http_status else None, retry_after)


# gRPC's words for an answer in plain HTTP, which a proxy gives as well: its own 403 accepts no key. The headers beside
# it, Retry-After among them, are not passed on (grpcio 1.85); those of an answer in gRPC are.
_HTTP_STATUS = r"http2 header with status: (\d{3})"


def _undecided(host: str, code: str, details: str, http_status: int | None, retry_after: str) -> AuthError:
    if http_status is not None:
        redirected = requests.codes.multiple_choices <= http_status < requests.codes.bad_request
        return senseless(host) if redirected else trouble(host, http_status)
    match code:
        case "DEADLINE_EXCEEDED":
            return silent(host)
        case "RESOURCE_EXHAUSTED":
            return trouble(host, requests.codes.too_many_requests, retry_after)
        case "UNAVAILABLE":
            problem = _unheard(host, details, _GRPC)
            return problem or (untrusted(host, _GRPC) if "handshake failed" in details else unreachable(host, _GRPC))
        case "UNKNOWN" if "Stream removed" in details:
            return senseless(host)  # an answer that is no gRPC
    return trouble(host)
