"""Signing in from a terminal: the link and its countdown, the pasted address, the hidden key."""

from __future__ import annotations

import getpass
import os
import queue
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from . import report, words
from .credentials import Secret
from .errors import CallbackUnusable, KeyRefused, NotSignedIn
from .session import AuthSession
from .status import Attempt, AttemptPhase, AuthStatus, SignInState

# Between two countdowns.
_TICK_SECONDS = 1
# The child is given three seconds to end (browser_login).
_SEE_OFF_SECONDS = 5
# A pasted address is some hundred characters; what is longer is something else.
_LONGEST_LINE = 65536
# They would take the terminal over.
_TEXT_BROWSERS = {"www-browser", "links", "elinks", "lynx", "w3m"}


def sign_in_with_key(session: AuthSession, *, environment: str | None, env: Path | None) -> None:
    """Ask for an API key, or read it from a pipe; check it, and keep it in a `.env` file.

    Raises
    ------
    AuthError
    """
    key = _given_key()
    session.begin(environment=environment)
    try:
        # Kept, because this process ends: a sign-in in memory would be of no use to anybody.
        session.use_secret(key, remember=env or True)
    except KeyRefused as error:
        raise KeyRefused(
            words.KEY_REFUSED_BECAUSE.format(why=error.message), next_step=words.NEW_KEY_AT_TERMINAL_NEXT
        ) from None


def sign_in_with_browser(session: AuthSession, *, environment: str | None, open_browser: bool) -> None:
    """Show the link, and wait for the browser or for its address, until the SDK gives up (5 minutes).

    Raises
    ------
    AuthError
    """
    if not _attended():
        raise NotSignedIn(words.TERMINAL_NEEDED, next_step=words.TERMINAL_NEEDED_NEXT)
    events: queue.SimpleQueue[AuthStatus | Secret] = queue.SimpleQueue()
    wait = _Wait(session, events)
    session.on_change(events.put)
    try:
        with _terminated_like_interrupted(), _hidden_lines(events.put):
            wait.draw(words.TERMINAL_STARTING)
            _begin(session, environment)
            wait.draw("")
            _introduce(session.status, open_browser=open_browser)
            wait.until_decided()
    finally:
        wait.draw("")
        attempt = session.status.attempt
        session.cancel()
        _see_the_login_off()
    if session.status.state not in {SignInState.SIGNED_IN, SignInState.UNVERIFIED}:
        failed = attempt and attempt.phase is AttemptPhase.FAILED and attempt
        if failed:
            raise NotSignedIn(failed.message, next_step=failed.next_step)
        raise NotSignedIn(words.TERMINAL_NOT_SIGNED_IN)


def _attended() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _given_key() -> Secret:
    if _attended():
        return Secret(getpass.getpass(words.TERMINAL_ASK_FOR_KEY))
    # What is no UTF-8 becomes a character that no key has.
    return Secret(sys.stdin.buffer.read(_LONGEST_LINE).decode("utf-8", "replace").strip() if sys.stdin else "")


def _begin(session: AuthSession, environment: str | None) -> None:
    """Load the SDK here while the child loads its own: half the wait for the link."""
    with ThreadPoolExecutor(max_workers=2) as beside:
        loading = beside.submit(session.begin, environment=environment)
        if environment == "itar":
            loading.result()  # its settings come first
        # Not on this thread: an interrupt while the child is made would leave its folder to nobody.
        signing_in = beside.submit(session.sign_in_with_browser)
        try:
            signing_in.result()
        except KeyboardInterrupt:
            session.cancel()
            raise
        finally:
            # An SDK that cannot be loaded is the better reason.
            loading.result()


def _introduce(status: AuthStatus, *, open_browser: bool) -> None:
    link = status.attempt.link if status.attempt else None
    if not link:
        return
    if link.startswith("/"):  # the sandbox on a hub that does not tell its name
        print(words.TERMINAL_OPEN_ON_HUB)
    elif open_browser and _open(link):
        print(words.TERMINAL_OPENED)
    else:
        print(words.TERMINAL_OPEN)
    print(f"\n{link}\n")
    print(words.TERMINAL_PASTE, flush=True)


def _open(link: str) -> bool:
    """Open `link` where a browser of this machine's own desktop can; return whether that was tried."""
    ssh = any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))
    desktop = sys.platform in {"win32", "darwin"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    # BROWSER may name a helper that reaches the person's own machine, as in Codespaces.
    if not (os.environ.get("BROWSER") or (desktop and not ssh)):
        return False
    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        if Path(getattr(browser, "name", "")).name in _TEXT_BROWSERS:
            return False
        # Some browsers keep the caller waiting for seconds. The link is no secret: it may be an argument.
        threading.Thread(target=browser.open, args=[link], daemon=True).start()
        return True
    return False


class _Wait:
    """The wait for the browser, drawn on one line."""

    def __init__(self, session: AuthSession, events: queue.SimpleQueue[AuthStatus | Secret]) -> None:
        self._session, self._events = session, events
        self._told = self._drawn = ""

    def until_decided(self) -> None:
        """Return once the sign-in has ended, one way or the other; somebody's on the same store counts."""
        while (now := self._session.status).state is SignInState.CHECKING or (now.attempt and now.attempt.running):
            self.draw(_waiting(now.attempt))
            if now.attempt:
                self._remark(now.attempt.message, now.attempt.next_step)
            with suppress(queue.Empty):
                event = self._events.get(timeout=_TICK_SECONDS)
                if isinstance(event, Secret) and event.reveal().strip():
                    self._paste(event)

    def draw(self, text: str) -> None:
        """Put `text` in the place of the line; with "", remove it. A file or pipe gets no countdown."""
        if sys.stdout.isatty() and text != self._drawn:
            # Noted first: an interrupt while it is printed must not leave it standing.
            blank, self._drawn = " " * len(self._drawn), text
            print(f"\r{blank}\r{text}", end="", flush=True)

    def _paste(self, address: Secret) -> None:
        self.draw(words.TERMINAL_PASTED)
        try:
            self._session.paste_secret_callback(address)
        except CallbackUnusable as error:
            self._told = ""  # said again, if it is wrong again
            self._remark(error.message, error.next_step)

    def _remark(self, message: str, next_step: str) -> None:
        """Say what was wrong, once; the wait goes on."""
        if message and message != self._told:
            self.draw("")
            print(report.painted(message, report.YELLOW), next_step, sep="\n", flush=True)
            self._told = message


def _waiting(attempt: Attempt | None) -> str:
    if attempt is None or attempt.phase is not AttemptPhase.WAITING_FOR_BROWSER or attempt.ends_at is None:
        return words.TERMINAL_FINISHING
    left = max(0, round((attempt.ends_at - datetime.now(timezone.utc)).total_seconds()))
    return words.TERMINAL_WAITING.format(minutes=left // 60, seconds=left % 60)


def _see_the_login_off() -> None:
    """Let the login's thread clear away the child's folder, which holds the session, and the browser get its page.

    A kernel lives on; this process would take the thread with it. Guarded by tests/cli/test_login.py.
    """
    for thread in threading.enumerate():
        if thread.name == "luminary-auth-login":
            thread.join(_SEE_OFF_SECONDS)


@contextmanager
def _hidden_lines(take: Callable[[Secret], None]) -> Iterator[None]:
    """Hand over each line that is typed or pasted, unseen.

    Unseen although an authorization code works once, and only with this login's verifier: terminals keep what they have
    shown, in scroll-back and in logs; and an echo would tear the countdown apart.
    """

    def read() -> None:
        # Not by sys.stdin: a daemon thread that holds its lock breaks the interpreter's end.
        with suppress(OSError):
            while line := os.read(sys.stdin.fileno(), _LONGEST_LINE):
                take(Secret(line.decode("utf-8", "replace")))

    with _no_echo():
        threading.Thread(target=read, name="luminary-auth-stdin", daemon=True).start()
        yield


@contextmanager
def _no_echo() -> Iterator[None]:
    try:
        import termios  # noqa: PLC0415 - Windows has none, and shows what is pasted
    except ImportError:
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    hidden = [*before]
    hidden[3] &= ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(terminal, termios.TCSADRAIN, hidden)
    try:
        yield
    finally:
        # What was pasted and not read yet must not reach the shell as a command.
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let a polite kill end the login as Ctrl-C does: with the echo switched on again, and the child gone."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
