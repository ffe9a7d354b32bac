"""The parent's side of a browser login: the child process, its link, the paste-back, the end."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlencode, urlsplit, urlunsplit

from . import servers
from .credentials import Secret, interrupted_outside
from .errors import (
    AttemptCancelled,
    AuthError,
    CallbackUnusable,
    LoginDenied,
    LoginTimedOut,
    PortsTaken,
    SDKUnusable,
    ServerTrouble,
)
from .token_store import TOKEN_FILE

# The child answers on loopback; the exchange of the code happens after the answer.
_PASTE_SECONDS = 5
# What may stand in a query as it is (RFC 3986), and what is escaped already.
_OF_QUERIES = "%!$&'()*+,/:;=?@[]"
_END_SECONDS = 3
# A login lives for minutes; an older folder was left behind when parent and child were killed at once.
_FOLDER_PREFIX, _STALE_SECONDS = ".login-", 3600
_TRY_AGAIN = "Try again; what was signed in before still is."


@dataclass(frozen=True)
class Link:
    """The authorize URL that the SDK made, and what it tells.

    Attributes
    ----------
    url : str
        Holds no secret: the PKCE verifier stays in the child. Void when the login ends.
    """

    url: str

    def for_another_account(self) -> str:
        """Return the link that makes the log-in page ask again, even where it remembers this browser."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(query=f"{parts.query}&{urlencode({'prompt': 'login'})}"))

    @property
    def state(self) -> str:
        """What the browser must bring back."""
        return self._asked("state")

    @property
    def port(self) -> int | None:
        """The loopback port that the browser is sent to."""
        return urlsplit(self._asked("redirect_uri")).port

    def _asked(self, name: str) -> str:
        return parse_qs(urlsplit(self.url).query).get(name, [""])[0]


@dataclass(frozen=True)
class Events:
    """What a login tells whoever started it; called on a thread of the login's own.

    Attributes
    ----------
    linked : callable
        With the Link, once it exists.
    landed : callable
        When the browser has come back.
    stranger : callable
        When something came to the port that does not belong to this login.
    finished : callable
        With the settings of the environment (empty for the SDK's defaults) and the refresh token.
    failed : callable
        With the AuthError; AttemptCancelled after `cancel`.
    """

    linked: Callable[[Link], None]
    landed: Callable[[], None]
    stranger: Callable[[], None]
    finished: Callable[[dict[str, str], Secret], None]
    failed: Callable[[AuthError], None]


class BrowserLogin:
    """One run of the SDK's login in a child process, with a credentials folder of its own.

    The child starts to import the SDK at once, and to log in when `begin` is called. A cancelled or failed login leaves
    the session in the real folder as it was.

    Parameters
    ----------
    credentials_folder : Path
        The SDK's. The child's folder is made inside where that can be written to.

    Raises
    ------
    SDKUnusable
        No process or no folder can be made.
    """

    def __init__(self, credentials_folder: Path) -> None:
        self._events: Events | None = None
        self._link: Link | None = None
        self._only_settings = False
        self._ended = threading.Event()
        try:
            self._folder = _folder_inside(credentials_folder)
            self._process = _started(self._folder)
        except OSError as error:
            raise SDKUnusable(
                f"A process for the log-in could not be started: {error.strerror or type(error).__name__}.",
                next_step="Sign in with an API key.",
            ) from None

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._process.poll() is None and not self._ended.is_set()

    def begin(self, events: Events, *, environment: str, target: str | None, only_settings: bool = False) -> None:
        """Let the child log in, and report to `events` from now on; or only tell the settings of the environment."""
        self._events = events
        self._only_settings = only_settings
        threading.Thread(target=self._follow, name="luminary-auth-login", daemon=True).start()
        order = {"environment": environment, "target": target or "", "only": "settings" if only_settings else ""}
        with suppress(OSError):  # the child has ended; _follow says so
            self._process.stdin.write(json.dumps(order) + "\n")  # type: ignore[union-attr]  # stdin is a pipe
            self._process.stdin.flush()  # type: ignore[union-attr]  # the same

    def paste(self, address: Secret) -> None:
        """Bring the child the address on which a browser elsewhere has ended.

        Raises
        ------
        CallbackUnusable
            If it does not belong to this login: nothing was sent, and the login goes on.
        """
        query, problem = _read_callback(address, self._link)
        if problem:
            raise CallbackUnusable(
                problem, next_step="Copy the whole address of the page on which the browser ended, after signing in."
            )
        _bring(query, self._link.port if self._link else None)

    def cancel(self) -> None:
        """End the child: the port is free when this returns, and nothing was changed."""
        self._ended.set()
        self._process.kill()
        self._clean_up()

    def _follow(self) -> None:
        """Read the child's lines to the end; whatever happens, end with `finished` or `failed`."""
        events, output = self._events, self._process.stdout
        assert events is not None  # noqa: S101 - begin has set it
        assert output is not None  # noqa: S101 - a pipe was asked for
        with output:
            outcome = self._outcome(events, output)
        if self._ended.is_set():
            events.failed(AttemptCancelled("This sign-in was cancelled."))
            return
        self._ended.set()
        # The session is in `outcome` by now: a program that ends at once leaves none behind.
        shutil.rmtree(self._folder, ignore_errors=True)
        outcome()
        self._clean_up()

    def _outcome(self, events: Events, output: Iterable[str]) -> Callable[[], None]:
        settings: dict[str, str] = {}
        for fact in filter(None, map(_parsed, output)):
            match fact:
                case {"event": "ready", "settings": dict(given)}:
                    settings = given
                case {"event": "link", "link": str(url)}:
                    self._link = Link(url)
                    events.linked(self._link)
                case {"event": "landed"}:
                    events.landed()
                case {"event": "stranger"}:
                    events.stranger()
                case {"event": "done"}:
                    return self._finish(events, settings)
                case {"event": "failed"}:
                    return _failing(events, fact, self._link)
        return _failing(events, {"reason": "sdk", "detail": "it ended without a word"}, None)

    def _finish(self, events: Events, settings: dict[str, str]) -> Callable[[], None]:
        if self._only_settings:
            return lambda: events.finished(settings, Secret(""))
        try:
            token = json.loads((self._folder / TOKEN_FILE).read_text(encoding="utf-8"))["refresh_token"]
        except (OSError, ValueError, KeyError, TypeError):
            return _failing(events, {"reason": "answer"}, self._link)
        secret = Secret(str(token))
        return lambda: events.finished(settings, secret)

    def _clean_up(self) -> None:
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Whoever reads the output closes it.
        for pipe in (self._process.stdin, None if self._events else self._process.stdout):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _folder_inside(credentials_folder: Path) -> Path:
    with suppress(OSError):
        credentials_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_stale_folders(credentials_folder)
        return Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=credentials_folder.absolute()))
    return Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))


def _clear_stale_folders(credentials_folder: Path) -> None:
    for left in credentials_folder.glob(f"{_FOLDER_PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _started(folder: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - our own script, no argument
            [sys.executable, "-u", str(Path(__file__).with_name("login_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=_environment(folder),
            # An interrupt of the kernel is not meant for the login.
            start_new_session=True,
        )
    except BaseException:  # an interrupt as well
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _environment(folder: Path) -> dict[str, str]:
    """Return the child's environment: this process's, its own credentials folder, and no key."""
    return {
        **os.environ,
        "LC_CREDENTIALS_DIR": str(folder),
        "LC_API_KEY": "",
        # As a script, the SDK would look for a `.env` beside itself and upward, where nobody meant one.
        "PYTHON_DOTENV_DISABLED": "1",
    }


def _parsed(line: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        fact = json.loads(line)
        return fact if isinstance(fact, dict) else None
    return None


@interrupted_outside
def _bring(query: Secret, port: int | None) -> None:
    """Open the callback's address, as a browser does.

    Not by requests: at debug level urllib3 logs every address, and here the code is in it. http.client logs nothing,
    and knows no proxies.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PASTE_SECONDS)
    # What counts is what the child says then.
    with closing(connection), suppress(OSError, http.client.HTTPException):
        escaped = quote(query.reveal(), safe=_OF_QUERIES, errors="replace")
        # A connection that stays open would hold the child up.
        connection.request("GET", f"/callback?{escaped}", headers={"Connection": "close"})
        connection.getresponse().read()


def _read_callback(address: Secret, link: Link | None) -> tuple[Secret, str]:
    """Return the query to hand to the child, or what is wrong with the address."""
    nothing = Secret("")
    # Mail programs and terminals break long addresses over lines, and people copy the quotes along.
    text = "".join(address.reveal().split()).strip("\"'`<>“”")
    if not text:
        return nothing, "No address was pasted."
    if link is None:
        return nothing, "No sign-in is waiting for an address."
    parts = _split(text if "?" in text else f"?{text}")
    if parts is None or (parts.netloc and (parts.hostname, parts.port, parts.path) not in _ends_of(link)):
        expected = f"http://127.0.0.1:{link.port}/callback?"
        return nothing, f"This is not the address that the browser ends on: that begins with {expected}"
    query = parse_qs(parts.query)
    if "state" not in query or not ("code" in query or "error" in query):
        return nothing, "A part of the address is missing: it holds code=… and state=…."
    if query["state"] != [link.state]:
        shortened = link.state.startswith(query["state"][-1])
        other = "This address belongs to another sign-in, or an earlier one."
        return nothing, "The end of the address is missing." if shortened else other
    return Secret(parts.query), ""


def _split(text: str) -> SplitResult | None:
    # The error would carry the address into a traceback.
    with suppress(ValueError):
        parts = urlsplit(text)
        _ = parts.port  # looked at here, because a wrong one raises only when asked for
        return parts
    return None


def _ends_of(link: Link) -> set[tuple[str | None, int | None, str]]:
    return {(host, link.port, "/callback") for host in ("127.0.0.1", "localhost")}


def _failing(events: Events, fact: dict[str, Any], link: Link | None) -> Callable[[], None]:
    error = _error(fact, link)
    return lambda: events.failed(error)


def _error(fact: dict[str, Any], link: Link | None) -> AuthError:  # noqa: PLR0911 - a table
    host = (urlsplit(link.url).hostname if link else None) or "The log-in server"
    detail = fact.get("detail", "")
    match fact.get("reason"):
        case "denied":
            return LoginDenied(f"The log-in page said no ({detail.rstrip(': ')}).", next_step=_TRY_AGAIN)
        case "timeout":
            return LoginTimedOut("Nobody came back from the log-in page within 5 minutes.", next_step=_TRY_AGAIN)
        case "ports":
            return PortsTaken(
                "All four ports that a login may come back to (10001, 9876, 22223, 5000) are taken on this machine.",
                next_step="Sign-ins under way here, other people's among them, let go of theirs within 5 minutes. Try"
                " again then, or sign in with an API key.",
            )
        case "certificate":
            return servers.untrusted(host)
        case "slow":
            return servers.silent(host)
        case "unreachable":
            return servers.unreachable(host)
        case "server":
            return ServerTrouble(f"{host} answered with a failure (HTTP {fact.get('status')}).", next_step=_TRY_AGAIN)
        case "answer":
            return ServerTrouble(f"{host} gave an answer that makes no sense.", next_step=_TRY_AGAIN)
        case _:
            return SDKUnusable(f"The SDK's login failed ({detail}).", next_step=_TRY_AGAIN)
