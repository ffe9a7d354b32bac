"""Waiting until somebody has signed in: which way works in this kernel, with a limit, and ended by an interrupt."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from . import kernel, words
from .errors import AuthError, NotSignedIn, NotVerified
from .status import AuthStatus, SignInState

if TYPE_CHECKING:
    from luminarycloud import Client

    from .session import AuthSession

# A click on ipykernel 6 is handled by the waiting cell itself, as soon as it looks.
_LOOK_EVERY = timedelta(milliseconds=50)
# A page draws the widget and says so within a second or two.
_PAGE_SPEAKS_WITHIN = timedelta(seconds=6)
_RUNS_ON_BELOW_AWAIT = (7, 4)
# A server that could not be asked is asked again: nobody has to click for that.
_ASK_EVERY = timedelta(seconds=15)


class Interrupted(KeyboardInterrupt):
    """The person has interrupted the wait."""

    def _render_traceback_(self) -> list[str]:
        return [words.WAIT_INTERRUPTED]


def advice() -> str:
    """Return which way of waiting gets a click in this kernel; empty where nobody clicks."""
    if not kernel.version():
        return ""
    ways = [
        way for way, refusal in (("session.wait()", _refusal(True)), ("await session", _refusal(False))) if not refusal
    ]
    return words.WAIT_OR.join(ways) or words.WAIT_NO_WAY


def block(session: AuthSession, limit: timedelta) -> Client:
    """Return the client once somebody has signed in; see `AuthSession.wait`."""
    try:
        return _block(session, limit)
    except KeyboardInterrupt:
        raise Interrupted from None


def _block(session: AuthSession, limit: timedelta) -> Client:
    patience = _prepare(session, limit, blocking=True)
    changed = threading.Event()
    unsubscribe = session.on_change(lambda _status: changed.set())
    try:
        with _looking_at_the_page() as look:
            while (client := _signed_in(session)) is None:
                patience.check()
                look()
                changed.wait(_LOOK_EVERY.total_seconds())
                changed.clear()
    finally:
        unsubscribe()
    return client


async def until_signed_in(session: AuthSession, limit: timedelta) -> Client:
    """Return the client once somebody has signed in; see `AuthSession.__await__`."""
    patience = _prepare(session, limit, blocking=False)
    import asyncio  # noqa: PLC0415 - whoever awaits has it; for all others it would take a tenth of our import

    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def tell(_status: AuthStatus) -> None:
        loop.call_soon_threadsafe(changed.set)

    unsubscribe = session.on_change(tell)
    try:
        while (client := _signed_in(session)) is None:
            patience.check()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(changed.wait(), 1)
            changed.clear()
    finally:
        unsubscribe()
    return client


def _prepare(session: AuthSession, limit: timedelta, *, blocking: bool) -> _Patience:
    """Show where to click; raise where no click would ever come, and another way gets it."""
    if not isinstance(limit, timedelta):
        raise AuthError(words.WAIT_NO_TIME_SPAN, next_step=words.WAIT_NO_TIME_SPAN_NEXT)
    if _signed_in(session) is None:
        kernel.show(session)
        refusal = _refusal(blocking)
        under_way = session.status.attempt is not None and session.status.attempt.running
        if refusal not in {"", words.WAIT_BETWEEN_CELLS} and not under_way:
            raise NotSignedIn(words.WAIT_UNHEARD, next_step=refusal)
    # What is to be said if the page turns out to be one whose clicks do not come through.
    return _Patience(session, limit, _refusal(blocking, interrupts=False))


def _refusal(blocking: bool, interrupts: bool | None = None) -> str:
    """Return what to do instead where a click does not reach a cell that waits; empty where it does, or may.

    Measured on ipykernel 6.31, 7.0, 7.2 and 7.4: 6 has neither subshells nor a loop that runs on below an `await`, but
    lets a cell look at the messages itself; 7 has subshells, and from 7.4 on such a loop.
    """
    version = kernel.version()
    if version < (7,):
        return "" if blocking else words.WAIT_INSTEAD_OF_AWAIT
    if interrupts is None:
        interrupts = kernel.page.interrupts_cells is not False
    if interrupts or (version >= _RUNS_ON_BELOW_AWAIT and not blocking):
        return ""
    return words.WAIT_INSTEAD_OF_WAIT if version >= _RUNS_ON_BELOW_AWAIT else words.WAIT_BETWEEN_CELLS


class _Patience:
    """The limit of a wait, and what is done on the way to it."""

    def __init__(self, session: AuthSession, limit: timedelta, hint: str) -> None:
        self._session, self._limit, self._hint, self._began = session, limit, hint, time.monotonic()
        self._asks_at = timedelta(0)

    def check(self) -> None:
        """Raise when the time is up; say what to do if the page is not heard while this cell runs."""
        passed = timedelta(seconds=time.monotonic() - self._began)
        status = self._session.status
        unverified = status.state is SignInState.UNVERIFIED
        if passed >= self._limit:
            if unverified:
                raise NotVerified(status.message, next_step=status.next_step)
            raise NotSignedIn(
                words.WAIT_OVER.format(minutes=self._limit.total_seconds() / 60), next_step=words.WAIT_OVER_NEXT
            )
        if self._hint and passed >= _PAGE_SPEAKS_WITHIN and not kernel.page.interrupts_cells:
            print(self._hint)
            self._hint = ""
        if unverified and passed >= self._asks_at and not self._session.checking:
            self._asks_at = passed + _ASK_EVERY
            self._session.in_background(self._session.check)


def _signed_in(session: AuthSession) -> Client | None:
    return session.client if session.status.state is SignInState.SIGNED_IN else None


@contextlib.contextmanager
def _looking_at_the_page() -> Iterator[Callable[[], object]]:
    """Let the cell that waits handle the page's messages, on kernels that cannot meanwhile."""
    version = kernel.version()
    if not (0,) < version < (7,):
        yield lambda: None
        return
    from jupyter_ui_poll import ui_events  # noqa: PLC0415 - of use on ipykernel 6 alone

    with ui_events() as look:
        yield lambda: look(10)
