"""A client or an error, at once: for runs that nobody watches."""

from __future__ import annotations

import threading
import time
import warnings
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from . import sdk
from .errors import AuthError, ExpiresTooSoon, NotSignedIn, NotVerified
from .servers import CHECK_LIMIT
from .status import AuthStatus, SignInState

if TYPE_CHECKING:
    from luminarycloud import Client

    from .session import AuthSession


def require(session: AuthSession, at_least: timedelta) -> Client:
    """See `AuthSession.require`."""
    if not isinstance(at_least, timedelta) or at_least < timedelta(0):
        raise AuthError("`at_least` is no time span.", next_step="Give one: timedelta(hours=8), for example.")
    if session.in_use is None:
        session.start()
    _let_a_check_end(session)
    status, client = session.status, session.client
    if _is_asking(session) or status.state is SignInState.UNVERIFIED:
        raise NotVerified(
            status.message or f"The server did not answer within {CHECK_LIMIT.total_seconds():.0f} s.",
            next_step=status.next_step or "Check the connection, then start again.",
        )
    if client is None:
        nobody = sdk.nobody()
        raise NotSignedIn(_why(status) or nobody.message, next_step=nobody.next_step)
    _require_time(status, at_least)
    return client


def _is_asking(session: AuthSession) -> bool:
    return session.checking or session.status.state is SignInState.CHECKING


def _let_a_check_end(session: AuthSession) -> None:
    """Wait for the answer to a check under way, no longer than a check takes."""
    changed, until = threading.Event(), time.monotonic() + CHECK_LIMIT.total_seconds()
    unsubscribe = session.on_change(lambda _status: changed.set())
    try:
        while _is_asking(session) and (left := until - time.monotonic()) > 0:
            changed.wait(left)
            changed.clear()
    finally:
        unsubscribe()


def _why(status: AuthStatus) -> str:
    if status.state is SignInState.REJECTED:
        return f"The server refused the key {status.fingerprint} from {status.source}. {status.message}"
    return status.message


def _require_time(status: AuthStatus, at_least: timedelta) -> None:
    if not at_least:
        return
    if status.expires_at is None:
        warnings.warn(
            f"Nobody knows whether this sign-in lasts for {_span(at_least)}: its end is unknown.", stacklevel=4
        )
        return
    left = status.expires_at - datetime.now(timezone.utc)
    if left < at_least:
        raise ExpiresTooSoon(
            f"The sign-in ends on {status.expires_at:%d %b %Y, %H:%M} UTC, in {_span(left)}:"
            f" {_span(at_least - left)} too soon for work of {_span(at_least)}.",
            next_step="Sign in with the browser again, or set LC_API_KEY to a key that lasts longer, and start again.",
        )


def _span(time: timedelta) -> str:
    """Return a time span for people, to the minute."""
    minutes = max(0, round(time.total_seconds() / 60))
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"
