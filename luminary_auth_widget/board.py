"""What the session shows: the status, the attempt beside it, notices; and who is told when it changes. Thread-safe."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from . import words
from .errors import AttemptCancelled, AuthError, CredentialRefused, CredentialUnusable, ServerUnreachable
from .notices import Notice
from .status import Attempt, AttemptPhase, AuthStatus, Method, StoppedCell

_logger = logging.getLogger(__name__)


class Board:
    """The state machine of attempts, beside the status that they do not touch.

    Every attempt has a number; what comes from an older one than the newest is too late, and changes nothing.

    Attributes
    ----------
    lock : RLock
        Held around every change; hold it to change several things at once.
    status : AuthStatus
    checking : bool
        Whether the server is being asked about the credential in use.
    stopped_cell : StoppedCell or None
        The cell that has failed last for want of a sign-in.
    failure : AuthError or None
        The last error that was shown, as an attempt's or beside one; it may be off the screen again.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.status = AuthStatus()
        self.checking = False
        self.stopped_cell: StoppedCell | None = None
        self.failure: AuthError | None = None
        self._number = 0
        self._notices: dict[str, Notice] = {}
        self._listeners: list[Callable[[AuthStatus], None]] = []

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person should know beside the state, oldest first."""
        return tuple(self._notices.values())

    def listen(self, callback: Callable[[AuthStatus], None]) -> Callable[[], None]:
        """Call `callback` with the status after every change, on the thread that made it; return what ends that."""
        self._listeners.append(callback)

        def unsubscribe() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return unsubscribe

    def publish(self) -> AuthStatus:
        """Tell the listeners, and return the status."""
        status = self.status
        for listener in tuple(self._listeners):
            try:
                listener(status)
            except Exception:
                # Somebody's callback; the sign-in that it hears of goes on.
                _logger.exception(words.LISTENER_FAILED)
        return status

    def begin(self, method: Method, phase: AttemptPhase) -> int:
        """Show a new attempt, which makes every earlier one too late; return its number."""
        with self.lock:
            self._number += 1
            number = self._number
            self._notices.pop("failed", None)
            self.status = self.status._replace(attempt=Attempt(method, phase))
        self.publish()
        return number

    def is_current(self, number: int) -> bool:
        """Whether the attempt is still the newest."""
        return number == self._number

    def require_current(self, number: int) -> None:
        """Raise AttemptCancelled unless the attempt is still the newest."""
        if not self.is_current(number):
            raise AttemptCancelled(words.CANCELLED)

    def advance(self, number: int, **changes: Any) -> None:
        """Change what is shown of the attempt, if it is still the newest."""
        with self.lock:
            if not self.is_current(number) or self.status.attempt is None:
                return
            self.status = self.status._replace(attempt=self.status.attempt._replace(**changes))
        self.publish()

    def fail(self, error: AuthError, number: int | None = None, *, can_retry: bool = False) -> None:
        """Let the attempt fail with `error`, if it is still the newest; one that never began fails as well.

        One under way goes on beside what never began.
        """
        if isinstance(error, AttemptCancelled):
            return
        with self.lock:
            self.failure = error
            if number is not None and not self.is_current(number):
                return
            if number is None and self.status.attempt is not None and self.status.attempt.running:
                self.note(Notice("failed", str(error)))
            else:
                self.status = self.status._replace(attempt=self._failed(error, can_retry=can_retry))
        self.publish()

    def _failed(self, error: AuthError, *, can_retry: bool) -> Attempt:
        method = self.status.attempt.method if self.status.attempt else Method.API_KEY
        refused = isinstance(error, CredentialRefused) and method is Method.API_KEY
        return Attempt(
            method,
            AttemptPhase.FAILED,
            message=words.KEY_REFUSED_BECAUSE.format(why=error.message) if refused else error.message,
            next_step=error.next_step,
            can_retry=can_retry and isinstance(error, ServerUnreachable | CredentialUnusable),
        )

    def end_attempt(self) -> None:
        """Take the attempt off the screen; whatever it still brings is too late."""
        with self.lock:
            self._number += 1
            self.status = self.status._replace(attempt=None)

    def note(self, *notices: Notice) -> None:
        """Show notices; one takes the place of an earlier one of its id."""
        with self.lock:
            self._notices.update({notice.id: notice for notice in notices})

    def drop(self, *ids: str) -> None:
        """Take notices off the screen."""
        with self.lock:
            for notice_id in ids:
                self._notices.pop(notice_id, None)

    def clear_notices(self) -> None:
        """Take all notices off the screen."""
        with self.lock:
            self._notices.clear()
