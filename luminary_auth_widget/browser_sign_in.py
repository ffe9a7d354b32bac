"""A sign-in with the browser, from the click to the session: the attempt on the board, the child process behind it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from . import records, words
from .board import Board
from .browser_login import BrowserLogin, Events, Link
from .credentials import Secret
from .errors import AuthError, CallbackUnusable, SDKUnusable, ServerUnreachable
from .sdk import Deployment
from .status import AttemptPhase, Method

# The SDK's own limit for the browser to come back (0.28.1).
_LOGIN_LIMIT = timedelta(minutes=5)
# From click to link it is the import of the SDK in a child: about a second, on a busy machine some.
_LINK_LIMIT_SECONDS = 30
# A child that was started because the pointer came near, and was not needed.
_WARM_SECONDS = 60


class BrowserSignIn:
    """At most one login under way, and at most one child that waits for it.

    Parameters
    ----------
    board : Board
    finished : callable
        With the attempt's number, the deployment and the refresh token, once the child has brought a session; on a
        thread of the login's own. What it raises fails the attempt.
    """

    def __init__(self, board: Board, finished: Callable[[int, Deployment, Secret], None]) -> None:
        self._board, self._finished = board, finished
        self._login: BrowserLogin | None = None
        self._link: Link | None = None
        self._warm: BrowserLogin | None = None
        self._number = 0

    def warm(self) -> None:
        """Let a child begin to import the SDK, because the person is about to click."""
        with self._board.lock, suppress(SDKUnusable):  # the click will say so
            if self._login is None and self._warm_child() is None:
                self._warm = BrowserLogin(records.credentials_folder())
                timer = threading.Timer(_WARM_SECONDS, self._cool, [self._warm])
                timer.daemon = True
                timer.start()

    def start(self, deployment: Deployment) -> None:
        """Begin an attempt, and return once the link is shown.

        Raises
        ------
        AuthError
            If it fails before there is a link; AttemptCancelled if it is ended by then.
        """
        number = self._board.begin(Method.BROWSER, AttemptPhase.STARTING)
        settled, failures = threading.Event(), list[AuthError]()
        try:
            login = self._take_child(number)
        except SDKUnusable as error:
            self._board.fail(error, number)
            raise

        def fail(error: AuthError) -> None:
            failures.append(error)
            self._let_go(login)
            self._board.fail(error, number)
            settled.set()

        def show(link: Link) -> None:
            self._show(number, link)
            settled.set()

        def finish(settings: dict[str, str], token: Secret) -> None:
            self._finish(number, login, _completed(deployment, settings), token)
            settled.set()  # where no link was needed

        events = Events(
            linked=show,
            landed=lambda: self._board.advance(number, **_FINISHING),
            stranger=lambda: self._board.advance(number, **_STRANGER),
            finished=finish,
            failed=fail,
        )
        login.begin(events, environment=deployment.environment, target=deployment.target)
        if not settled.wait(_LINK_LIMIT_SECONDS):
            fail(ServerUnreachable(words.LINK_LATE, next_step=words.TRY_AGAIN))
            login.cancel()
        if failures:
            raise failures[0]

    def paste(self, address: Secret) -> None:
        """Bring the login the address on which a browser elsewhere has ended.

        Raises
        ------
        CallbackUnusable
            It does not belong to this login, which goes on.
        """
        login = self._login
        if login is None:
            raise CallbackUnusable(words.PASTE_UNASKED, next_step=words.PASTE_UNASKED_NEXT)
        login.paste(address)

    def use_another_account(self, on: bool) -> None:
        """Make the link ask for an account even where the log-in page remembers this browser."""
        link, attempt = self._link, self._board.status.attempt
        if link and attempt and attempt.link:
            url = link.for_another_account() if on else link.url
            self._board.advance(self._number, link=_for_a_browser(url))

    def remark(self, error: AuthError) -> None:
        """Show what was wrong with a pasted address beside the login, which goes on."""
        if self._login is not None:
            self._board.failure = error
            self._board.advance(self._number, message=error.message, next_step=error.next_step)

    def end(self) -> None:
        """End the login under way, if there is one; its port is free when this returns."""
        with self._board.lock:
            login, self._login, self._link = self._login, None, None
        if login is not None:
            login.cancel()

    def _take_child(self, number: int) -> BrowserLogin:
        with self._board.lock:
            # Cancelled or overtaken by another click meanwhile; and what that one has started ends here.
            self._board.require_current(number)
            self.end()
            self._number = number
            self._login = self._warm_child() or BrowserLogin(records.credentials_folder())
            self._warm = None
            return self._login

    def _warm_child(self) -> BrowserLogin | None:
        """Return the child that waits for a click; one that has ended by itself is cleared away."""
        if self._warm is not None and not self._warm.alive:
            self._warm.cancel()
            self._warm = None
        return self._warm

    def _let_go(self, login: BrowserLogin) -> None:
        with self._board.lock:
            if self._login is login:
                self._login = self._link = None

    def _cool(self, child: BrowserLogin) -> None:
        with self._board.lock:
            unused = self._warm is child
            if unused:
                self._warm = None
        if unused:
            child.cancel()

    def _show(self, number: int, link: Link) -> None:
        with self._board.lock:
            if self._board.is_current(number):
                self._link = link
        ends_at = datetime.now(timezone.utc) + _LOGIN_LIMIT
        waiting = AttemptPhase.WAITING_FOR_BROWSER
        self._board.advance(number, phase=waiting, link=_for_a_browser(link.url), ends_at=ends_at)

    def _finish(self, number: int, login: BrowserLogin, deployment: Deployment, token: Secret) -> None:
        self._board.advance(number, **_FINISHING)
        try:
            self._finished(number, deployment, token)
        except AuthError as error:
            self._board.fail(error, number)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not leave the widget waiting
            kind = type(error).__name__
            self._board.fail(AuthError(words.UNEXPECTED.format(error=kind), next_step=words.TRY_AGAIN), number)
        finally:
            self._let_go(login)


# The link is void from here on.
_FINISHING: dict[str, Any] = {
    "phase": AttemptPhase.FINISHING, "link": None, "ends_at": None, "message": "", "next_step": "",
}  # fmt: skip
_STRANGER: dict[str, Any] = {
    "message": words.STRANGER,
    "next_step": words.STRANGER_NEXT,
}


def sdk_settings(environment: str) -> Deployment:
    """Return the servers that the SDK uses for `environment`, asked of the SDK in a child without credentials.

    Here its clients may hold a key already, and then know of no identity server.

    Raises
    ------
    SDKUnusable
    """
    answered, settings = threading.Event(), dict[str, str]()

    def take(found: dict[str, str], _token: Secret) -> None:
        settings.update(found)
        answered.set()

    def ignore(*_facts: object) -> None:
        pass

    child = BrowserLogin(records.credentials_folder())
    events = Events(linked=ignore, landed=ignore, stranger=ignore, finished=take, failed=lambda _error: answered.set())
    child.begin(events, environment=environment, target=None, only_settings=True)
    answered.wait(_LINK_LIMIT_SECONDS)
    child.cancel()
    if not settings:
        raise SDKUnusable(words.SDK_ENVIRONMENT.format(environment=environment), next_step=words.SDK_ENVIRONMENT_NEXT)
    return Deployment(environment, **settings)


def _completed(deployment: Deployment, settings: dict[str, str]) -> Deployment:
    return Deployment(deployment.environment, **settings) if settings else deployment


def _for_a_browser(url: str) -> str:
    """Return `url` as a person's browser can open it: the sandbox's https pages have a CA that browsers do not know."""
    pages = os.environ.get("LUMINARY_SANDBOX_PAGES", "")
    parts, local = urlsplit(url), urlsplit(pages)
    if not pages or parts.netloc != os.environ.get("LC_AUTH_DOMAIN"):
        return url
    return urlunsplit((local.scheme, local.netloc, local.path.rstrip("/") + parts.path, parts.query, ""))
