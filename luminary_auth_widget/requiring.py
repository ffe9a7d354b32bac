"""A client or an error, at once: for runs that nobody watches."""

from __future__ import annotations

import threading
import time
import warnings
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from . import sdk, words
from .errors import AuthError, ExpiresTooSoon, NotSignedIn, NotVerified
from .servers import CHECK_LIMIT
from .status import AuthStatus, Method, SignInState

if TYPE_CHECKING:
    from luminarycloud import Client

    from .session import AuthSession

# For a token, for the projects, for the name.
_ASKED_OF_A_SESSION = 3


def require(session: AuthSession, at_least: timedelta) -> Client:
    """See `AuthSession.require`."""
    if not isinstance(at_least, timedelta) or at_least < timedelta(0):
        raise AuthError(words.REQUIRE_NO_TIME_SPAN, next_step=words.REQUIRE_NO_TIME_SPAN_NEXT)
    session.start_unless_left()
    limit = CHECK_LIMIT * (_ASKED_OF_A_SESSION if session.status.method is Method.BROWSER else 1)
    _let_a_check_end(session, limit)
    status, client = session.status, session.client
    if _is_asking(session) or status.state is SignInState.UNVERIFIED:
        raise NotVerified(
            status.message or words.REQUIRE_UNVERIFIED.format(seconds=limit.total_seconds()),
            next_step=status.next_step or words.REQUIRE_UNVERIFIED_NEXT,
        )
    if client is None:
        nobody = sdk.nobody()
        raise NotSignedIn(_why(status) or nobody.message, next_step=nobody.next_step)
    _require_time(status, at_least)
    return client


def _is_asking(session: AuthSession) -> bool:
    return session.checking or session.status.state is SignInState.CHECKING


def _let_a_check_end(session: AuthSession, limit: timedelta) -> None:
    """Wait for the answer to a check under way, no longer than a check takes."""
    changed, until = threading.Event(), time.monotonic() + limit.total_seconds()
    unsubscribe = session.on_change(lambda _status: changed.set())
    try:
        while _is_asking(session) and (left := until - time.monotonic()) > 0:
            changed.wait(left)
            changed.clear()
    finally:
        unsubscribe()


def _why(status: AuthStatus) -> str:
    if status.state is SignInState.REJECTED:
        return words.REQUIRE_REFUSED.format(fingerprint=status.fingerprint, source=status.source, why=status.message)
    return status.message


def _require_time(status: AuthStatus, at_least: timedelta) -> None:
    if not at_least:
        return
    if status.expires_at is None:
        warnings.warn(words.REQUIRE_END_UNKNOWN.format(span=_span(at_least)), stacklevel=4)
        return
    left = status.expires_at - datetime.now(timezone.utc)
    if left < at_least:
        raise ExpiresTooSoon(
            words.REQUIRE_TOO_SOON.format(
                end=status.expires_at, left=_span(left), missing=_span(at_least - left), span=_span(at_least)
            ),
            next_step=words.REQUIRE_TOO_SOON_NEXT,
        )


def _span(time: timedelta) -> str:
    """Return a time span for people, to the minute."""
    minutes = max(0, round(time.total_seconds() / 60))
    parts = (
        (minutes // 1440, words.SPAN_DAYS),
        (minutes // 60 % 24, words.SPAN_HOURS),
        (minutes % 60, words.SPAN_MINUTES),
    )
    return " ".join(part.format(count=count) for count, part in parts if count) or words.SPAN_NONE
