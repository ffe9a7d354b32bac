"""The child of a browser login: runs the SDK's own login, reports JSON lines. Started by browser_login.py, as a script.

It reads one JSON line from its parent, which starts the login, and ends when its parent does (end of file). Its import
of the SDK may begin before that line. Nothing here knows OAuth: the SDK's `get_token()` makes the link, listens, and
fetches the token.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import re
import shutil
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

# The browser's answer is written within milliseconds; this is for a machine under load.
_ANSWER_LIMIT_SECONDS = 1
# Two logins that start in the same instant choose the same port; the SDK's next try sees the winner's.
_PORT_TRIES = 4
# A date in HTTP has 29 characters.
_LONGEST_DATE = 40
# Held by somebody else, or kept by the system for itself (Windows).
_PORT_REFUSED = {errno.EADDRINUSE, errno.EACCES}


class Login:
    """One login: what the parent said, what the SDK made of it, and what came back from the browser."""

    def __init__(self) -> None:
        # Only our lines may reach the pipe; whatever the SDK prints goes where its log goes.
        self._lines = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
        os.dup2(2, 1)
        self._writing = threading.Lock()
        self._orders: queue.Queue[dict[str, str]] = queue.Queue()
        self._state = self._to_strangers = ""
        self.landed = False
        self._answered = threading.Event()

    def report(self, event: str, **facts: object) -> None:
        """Send the parent one line."""
        with self._writing:
            self._lines.write(json.dumps({"event": event, **facts}) + "\n")

    def run(self) -> None:
        """Import the SDK, wait for the parent's word, log in."""
        threading.Thread(target=self._obey, daemon=True).start()
        webbrowser.register("luminary-auth", None, _Capture(self), preferred=True)
        _serve_through(self)
        import luminarycloud as lc  # noqa: PLC0415 - takes most of a second, and must find the two lines above done

        order = self._orders.get()
        self._to_strangers = order.get("to_strangers", "")
        if order.get("environment") == "itar":
            lc.use_itar_environment()
            client = lc.get_default_client()
        else:
            client = lc.Client(api_key=None, **({"target": order["target"]} if order.get("target") else {}))
        self.report("ready", settings=_settings_of(client) if order.get("environment") == "itar" else {})
        if order.get("only") != "settings":
            _get_token(client)
        self.report("done")

    def show(self, link: str) -> None:
        """Report the authorize URL, and know its state."""
        self._state = parse_qs(urlsplit(link).query).get("state", [""])[0]
        self.report("link", link=link)

    def guard(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """Let the SDK's callback see only what belongs to this login.

        Any page can make a browser request `/callback?error=x`, which would end the login.
        """

        def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            query = parse_qs(environ.get("QUERY_STRING", ""))
            if environ.get("PATH_INFO") != "/callback":
                return app(environ, start_response)
            is_answer = "code" in query or "error" in query
            if not is_answer or not self._state or query.get("state") != [self._state]:
                self.report("stranger")
                start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
                return [self._to_strangers.encode()]
            if "error" in query and "error_description" not in query:
                # The SDK takes the description for granted.
                environ["QUERY_STRING"] += "&error_description="
            self.landed = True
            self.report("landed")
            return _Answer(app(environ, start_response), self._answered)

        return guarded

    def see_the_browser_off(self) -> None:
        """Return when the browser has its answer; the end of this process would cut it off."""
        if self.landed:
            self._answered.wait(_ANSWER_LIMIT_SECONDS)

    def _obey(self) -> None:
        for line in sys.stdin:
            self._orders.put(json.loads(line))
        # The parent is gone: free the port at once, and leave no folder behind.
        folder = Path(os.environ["LC_CREDENTIALS_DIR"])
        if folder.name.startswith(".login-"):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(3)


class _Capture(webbrowser.BaseBrowser):
    """The browser that the SDK opens: it hands the link to the parent."""

    def __init__(self, login: Login) -> None:
        super().__init__("luminary-auth")
        self._login = login

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002 - webbrowser's signature
        self._login.show(url)
        return True


class _Answer:
    """A response that tells when it has been handed over."""

    def __init__(self, body: Iterable[bytes], handed_over: threading.Event) -> None:
        self._body, self._handed_over = body, handed_over

    def __iter__(self) -> Any:
        return iter(self._body)

    def close(self) -> None:
        if close := getattr(self._body, "close", None):
            close()
        threading.Timer(0.05, self._handed_over.set).start()  # it still has to leave waitress's buffer


class _Listener:
    """The SDK's callback server, which `close` does not wait for: a browser keeps its connection alive for seconds.

    The SDK (0.28.1) closes the server and joins the thread that runs `run`, for at most 5 s, before it asks for the
    token. Guarded by tests/contract/test_browser_session.py.
    """

    def __init__(self, server: Any) -> None:
        self._server, self._closing = server, threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._server.run, daemon=True).start()
        self._closing.wait()

    def close(self) -> None:
        self._closing.set()


def _serve_through(login: Login) -> None:
    """Have the SDK's callback server listen on loopback only, answer through `login`, and close at once."""
    import waitress  # noqa: PLC0415 - a dependency of the SDK

    create_server = waitress.create_server

    def create(app: Callable[..., Iterable[bytes]], host: str, port: int) -> _Listener:  # noqa: ARG001 - the SDK says 0.0.0.0
        return _Listener(create_server(login.guard(app), host="127.0.0.1", port=port))

    waitress.create_server = create


def _settings_of(client: Any) -> dict[str, str]:
    """Return what makes another client talk to the same servers; all of it public. As in sdk.auth_domain, 0.28.1."""
    auth = client._auth0_client
    return {
        "target": client.apiserver_domain,
        "auth_domain": auth.domain,
        "client_id": auth.client_id,
        "audience": auth.audience,
    }


def _get_token(client: Any) -> None:
    for tries_left in reversed(range(_PORT_TRIES)):
        try:
            client.get_token()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not tries_left:
                raise
        except AssertionError:
            if client._auth0_client._access_token is None or not client._auth0_client.is_token_expired():
                raise
            raise _EndedAlready from None
        else:
            return


# What failed before the server was heard, by the words of OpenSSL and requests; as in servers.py.
_UNHEARD = (
    ("date", re.compile("certificate (has expired|is not yet valid)")),
    ("certificate", re.compile("CERTIFICATE_VERIFY_FAILED")),
    ("ca_file", re.compile("TLS CA certificate bundle")),
    ("name", re.compile("Failed to resolve|[Nn]ame resolution")),
    ("answer", re.compile("WRONG_VERSION_NUMBER")),
)


class _EndedAlready(Exception):
    """The access token is new, and has ended by this machine's clock."""


def _failure(error: BaseException, *, landed: bool) -> dict[str, object]:  # noqa: PLR0911 - a table
    """Return what the parent needs to say what went wrong: names and numbers, no text that could hold a secret."""
    import requests  # noqa: PLC0415 - loaded with the SDK

    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, requests.HTTPError):
        wait = error.response.headers.get("Retry-After", "")
        return {"reason": "server", "status": error.response.status_code, "retry_after": wait[:_LONGEST_DATE]}
    if isinstance(error, requests.Timeout):
        return {"reason": "slow"}
    if isinstance(error, requests.TooManyRedirects):
        return {"reason": "answer"}
    if isinstance(error, _EndedAlready):
        return {"reason": "clock"}
    if heard_nothing := next((reason for reason, words in _UNHEARD if words.search(str(error))), ""):
        return {"reason": heard_nothing}
    if landed and (isinstance(error, (ValueError, KeyError, TypeError, AssertionError)) or "PyJWTError" in names):
        # No JSON, another JSON, no token in it, one that is no JWT or has ended already.
        return {"reason": "answer"}
    if isinstance(error, requests.RequestException):
        return {"reason": "unreachable"}
    if "InteractiveAuthTimeout" in names:
        return {"reason": "timeout"}
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return {"reason": "no_loopback"}
    if "NoAvailablePortsException" in names or (isinstance(error, OSError) and error.errno in _PORT_REFUSED):
        return {"reason": "ports"}
    if "AuthException" in names:
        # "error: description", as the log-in page gave it; "Invalid response" where a token was missing.
        text = str(error.args[-1])[:300]
        return {"reason": "answer"} if text == "Invalid response" else {"reason": "denied", "detail": text}
    return {"reason": "sdk", "detail": type(error).__name__}


def main() -> None:
    """Run one login and end the process, without the exit handlers that would wait for the network."""
    ours = Path(__file__).parent
    # As a script, our folder comes first on the path, and its module names would hide others'.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").absolute() != ours]
    login = Login()
    try:
        login.run()
    except BaseException as error:  # noqa: BLE001 - the parent turns it into a sentence
        login.report("failed", **_failure(error, landed=login.landed))
    login.see_the_browser_off()
    os._exit(0)


if __name__ == "__main__":
    main()
