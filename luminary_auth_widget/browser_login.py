"""The parent's side of a browser login: the child process, its link, the paste-back, the end."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

from . import env_file, servers, token_store, words
from .credentials import Secret, interrupted_outside
from .errors import (
    AttemptCancelled,
    AuthError,
    CallbackUnusable,
    LoginDenied,
    LoginNotFinished,
    LoginTimedOut,
    PortsTaken,
    SDKUnusable,
    ServerTrouble,
    StoreUnusable,
    as_one_line,
)
from .files import OwnFolder, alone_in
from .late import http_client, requests
from .locks import Hold
from .records import SETTINGS

# The child answers on loopback; the exchange of the code happens after the answer.
_PASTE_SECONDS = 5
# What may stand in a query as it is (RFC 3986), and what is escaped already.
_OF_QUERIES = "%!$&'()*+,/:;=?@[]"
_END_SECONDS = 3
_FOLDER_PREFIX = ".login-"
# Where there are no locks: a login lives for minutes; an older folder was left when parent and child were killed.
_STALE_SECONDS = 3600


class Link(NamedTuple):
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


class Events(NamedTuple):
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
            self._own = _folder_inside(credentials_folder)
            self._folder = self._own.path
            self._process = _started(self._own)
        except OSError as error:
            raise SDKUnusable(
                words.LOGIN_NOT_STARTED.format(why=error.strerror or type(error).__name__),
                next_step=words.WITH_A_KEY_NEXT,
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
        order = {
            "environment": environment,
            "target": target or "",
            "only": "settings" if only_settings else "",
            # The child, a program of its own, imports none of ours.
            "to_strangers": words.LOGIN_TO_STRANGERS,
        }
        with suppress(OSError, ValueError):  # the child has ended; _follow says so, and may have closed the pipe
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
            raise CallbackUnusable(problem, next_step=words.PASTE_NEXT)
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
            events.failed(AttemptCancelled(words.CANCELLED))
            return
        self._ended.set()
        # The session is in `outcome` by now: a program that ends at once leaves none behind.
        self._own.remove()
        outcome()
        self._clean_up()

    def _outcome(self, events: Events, output: Iterable[str]) -> Callable[[], None]:
        settings: dict[str, str] = {}
        for fact in filter(None, map(_parsed, output)):
            match fact:
                case {"event": "ready", "settings": dict(given)}:
                    settings = {name: value for name in SETTINGS if isinstance(value := given.get(name), str)}
                case {"event": "link", "link": str(url)} if link := _link(url):
                    self._link = link
                    events.linked(link)
                case {"event": "landed"}:
                    events.landed()
                case {"event": "stranger"}:
                    events.stranger()
                case {"event": "done"}:
                    return self._finish(events, settings)
                case {"event": "failed"}:
                    return _failing(events, fact, self._link)
        return _failing(events, {"reason": "sdk", "detail": words.LOGIN_WITHOUT_A_WORD}, None)

    def _finish(self, events: Events, settings: dict[str, str]) -> Callable[[], None]:
        if self._only_settings:
            return lambda: events.finished(settings, Secret(""))
        with suppress(StoreUnusable):
            if session := token_store.session_in(self._folder / token_store.TOKEN_FILE):
                return lambda: events.finished(settings, session.token)
        return _failing(events, {"reason": "answer"}, self._link)

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
        self._own.remove()


def clear_abandoned_logins(credentials_folder: Path) -> None:
    """Clear away the folders of logins whose parent and child were killed at once. Never fails."""
    with suppress(OSError):
        if any(credentials_folder.glob(f"{_FOLDER_PREFIX}*")):
            with alone_in(credentials_folder) as hold:
                _clear(credentials_folder, hold)
    with suppress(OSError):
        # Others' folders may have that name there.
        OwnFolder.clear_abandoned(_FOLDER_PREFIX, Path(tempfile.gettempdir()), unmarked_after=None)


def _folder_inside(credentials_folder: Path) -> OwnFolder:
    with suppress(OSError):
        credentials_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_in(credentials_folder) as hold:
            _clear(credentials_folder, hold)
            return OwnFolder(_FOLDER_PREFIX, credentials_folder.absolute())
    return OwnFolder(_FOLDER_PREFIX, Path(tempfile.gettempdir()))


def _clear(credentials_folder: Path, hold: Hold) -> None:
    # Folders are made and marked by those who are alone here: an unmarked one is nobody's any more.
    unmarked_after = _STALE_SECONDS if hold in {Hold.BUSY, Hold.IMPOSSIBLE} else 0
    OwnFolder.clear_abandoned(_FOLDER_PREFIX, credentials_folder, unmarked_after=unmarked_after)


def _started(own: OwnFolder) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - our own script, no argument
            [sys.executable, "-u", str(Path(__file__).with_name("login_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(own.path),
            # An interrupt of the kernel is not meant for the login.
            start_new_session=True,
        )
    except BaseException:  # an interrupt as well
        own.remove()
        raise


def _environment(folder: Path) -> dict[str, str]:
    """Return the child's environment: as this process's SDK has read it, its own credentials folder, and no key."""
    return {
        **env_file.environment_of_the_sdk(),
        "LC_CREDENTIALS_DIR": str(folder),
        "LC_API_KEY": "",
        # As a script, the SDK would look for a `.env` beside itself and upward, where nobody meant one.
        "PYTHON_DOTENV_DISABLED": "1",
    }


def _parsed(line: str) -> dict[str, Any] | None:
    with suppress(ValueError, RecursionError):
        fact = json.loads(line)
        return fact if isinstance(fact, dict) else None
    return None


@interrupted_outside
def _bring(query: Secret, port: int | None) -> None:
    """Open the callback's address, as a browser does.

    Not by requests: at debug level urllib3 logs every address, and here the code is in it. http.client logs nothing,
    and knows no proxies.
    """
    connection = http_client.HTTPConnection("127.0.0.1", port, timeout=_PASTE_SECONDS)
    # What counts is what the child says then.
    with closing(connection), suppress(OSError, http_client.HTTPException):
        escaped = quote(query.reveal(), safe=_OF_QUERIES, errors="replace")
        # A connection that stays open would hold the child up.
        connection.request("GET", f"/callback?{escaped}", headers={"Connection": "close"})
        connection.getresponse().read()


def _link(url: str) -> Link | None:
    """Return the link if a browser can open it and be brought back by it."""
    with suppress(ValueError):  # no port, or no address at all
        link = Link(url)
        if url.isascii() and url.isprintable() and urlsplit(url).scheme == "https" and link.port and link.state:
            return link
    return None


def _read_callback(address: Secret, link: Link | None) -> tuple[Secret, str]:  # noqa: PLR0911 - a table
    """Return the query to hand to the child, or what is wrong with the address."""
    nothing = Secret("")
    # Mail programs and terminals break long addresses over lines, and people copy the quotes along.
    text = "".join(address.reveal().split()).strip("\"'`<>“”")
    if not text:
        return nothing, words.PASTE_NOTHING
    if link is None:
        return nothing, words.PASTE_UNASKED
    before, mark, after = text.partition("?")
    if mark and before not in _ends_of(link):
        expected = f"http://127.0.0.1:{link.port}/callback?"
        return nothing, words.PASTE_ANOTHER_PAGE.format(begin=expected)
    query = (after if mark else before).partition("#")[0]
    fields = parse_qs(query, keep_blank_values=True)
    states, answers = fields.get("state", []), [*fields.get("code", []), *fields.get("error", [])]
    if not any(states) or not any(answers):
        return nothing, words.PASTE_PART_MISSING
    if states != [link.state]:
        shortened = link.state.startswith(states[-1])
        return nothing, words.PASTE_END_MISSING if shortened else words.PASTE_ANOTHER_LOGIN
    if len(answers) > 1:
        return nothing, words.PASTE_SEVERAL_ANSWERS
    if not (query.isascii() and query.isprintable()):
        return nothing, words.PASTE_ODD_CHARACTER
    return Secret(query), ""


def _ends_of(link: Link) -> set[str]:
    """Return what may stand before the query: browsers hide the scheme, people leave out more."""
    hosts = {f"{host}:{link.port}/callback" for host in ("127.0.0.1", "localhost", "[::1]")}
    return {"", "/callback", *hosts, *(f"http://{host}" for host in hosts)}


def _failing(events: Events, fact: dict[str, Any], link: Link | None) -> Callable[[], None]:
    error = _error(fact, link)
    return lambda: events.failed(error)


def _error(fact: dict[str, Any], link: Link | None) -> AuthError:  # noqa: PLR0911, PLR0912 - a table
    host = (urlsplit(link.url).hostname if link else None) or words.LOGIN_SERVER
    detail = as_one_line(str(fact.get("detail", "")))
    match fact.get("reason"):
        case "denied":
            return LoginDenied(words.LOGIN_DENIED.format(why=detail.rstrip(": ")), next_step=words.LOGIN_TRY_AGAIN)
        case "timeout":
            return LoginTimedOut(words.LOGIN_TIMED_OUT, next_step=words.LOGIN_TRY_AGAIN)
        case "ports":
            return PortsTaken(words.PORTS_TAKEN, next_step=words.PORTS_TAKEN_NEXT)
        case "certificate" | "date" as reason:
            return servers.untrusted(host, by_clock=reason == "date")
        case "ca_file":
            return servers.no_ca_file()
        case "name":
            return servers.nameless(host)
        case "clock":
            return servers.ended_already(host)
        case "no_loopback":
            return LoginNotFinished(words.NO_LOOPBACK, next_step=words.WITH_A_KEY_NEXT)
        case "slow":
            return servers.silent(host)
        case "unreachable":
            return servers.unreachable(host)
        case "server" if fact.get("status") == requests.codes.too_many_requests:
            return servers.trouble(host, fact["status"], str(fact.get("retry_after", "")))
        case "server":
            return ServerTrouble(
                words.LOGIN_SERVER_FAILED.format(host=host, status=fact.get("status")), next_step=words.LOGIN_TRY_AGAIN
            )
        case "answer":
            return servers.senseless(host)
        case _:
            return SDKUnusable(words.LOGIN_FAILED.format(why=detail), next_step=words.LOGIN_TRY_AGAIN)
