"""What the parent makes of a login's child: its order, its lines, its end; with a child that a test directs."""

from __future__ import annotations

import json
import queue
import socket
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from luminary_auth_widget import browser_login, words
from luminary_auth_widget.browser_login import BrowserLogin, Events, Link
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import (
    AttemptCancelled,
    CallbackUnusable,
    LoginDenied,
    SDKUnusable,
    ServerTrouble,
)
from tests.login_child import stand_in
from tests.sandbox.helpers import eventually

LINK = "https://login.example.com/authorize?state=STATE-abc&redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback"
LIMIT_SECONDS = 20


class Heard:
    """What a login has told, in order: (name, what came with it)."""

    def __init__(self):
        self.told: queue.Queue[Any] = queue.Queue()
        names = ("linked", "landed", "stranger", "finished", "failed")
        self.events = Events(**{name: self._hear(name) for name in names})

    def _hear(self, name):
        return lambda *facts: self.told.put((name, *facts))

    def next(self):
        return self.told.get(timeout=LIMIT_SECONDS)


@pytest.fixture
def a_store(tmp_path):
    return tmp_path / "credentials"


@pytest.fixture
def a_login(tmp_path, a_store, monkeypatch):
    """Start a login whose child runs a script; return it, and what it tells. Nothing of it is left afterwards."""
    monkeypatch.chdir(tmp_path)
    logins = []

    def start(script, **begin):
        monkeypatch.setattr("sys.executable", stand_in(tmp_path, script))
        login, heard = BrowserLogin(a_store), Heard()
        logins.append(login)
        if begin.pop("begins", True):
            login.begin(heard.events, **{"environment": "standard", "target": None, **begin})
        return login, heard

    yield start
    for login in logins:
        login.cancel()
    assert not a_store.exists() or list(a_store.glob(".login-*")) == []


def _noted(tmp_path):
    assert eventually((tmp_path / "noted.json").exists, LIMIT_SECONDS)
    assert eventually(lambda: (tmp_path / "noted.json").read_text() != "", LIMIT_SECONDS)
    return json.loads((tmp_path / "noted.json").read_text())


# -- how it is started -------------------------------------------------------------------------------------------------


def test_the_child_is_our_script_unbuffered_in_a_session_of_its_own_and_with_no_ear_for_its_complaints(
    a_login, tmp_path
):
    script = (
        "note(argv=sys.argv[1:], own=os.getsid(0) == os.getpid(), null=os.path.samefile('/dev/stderr', os.devnull))"
    )
    a_login(script)
    worker = str(Path(browser_login.__file__).with_name("login_worker.py"))
    assert _noted(tmp_path) == {"argv": ["-u", worker], "own": True, "null": True}


def test_the_child_has_this_environment_but_a_folder_of_its_own_no_key_and_no_env_file(a_login, tmp_path, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", "lc-a-key-that-stays-here-0001")
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("SOMETHING_ELSE", "as it was")
    a_login("note(**os.environ)")
    environ = _noted(tmp_path)
    assert (environ["LC_API_KEY"], environ["PYTHON_DOTENV_DISABLED"], environ["SOMETHING_ELSE"]) == (
        "",
        "1",
        "as it was",
    )
    assert Path(environ["LC_CREDENTIALS_DIR"]).parent == tmp_path / "credentials"


def test_the_childs_folder_is_private_absolute_and_inside_a_credentials_folder_that_is_made_private(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.executable", stand_in(tmp_path, "note(folder=folder)"))
    login, heard = BrowserLogin(Path("made", "credentials")), Heard()
    login.begin(heard.events, environment="standard", target=None)
    folder = Path(_noted(tmp_path)["folder"])
    login.cancel()
    assert folder.parent == tmp_path / "made" / "credentials"
    assert folder.name.startswith(".login-")
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert not folder.exists()


def test_where_the_credentials_folder_cannot_be_written_to_the_childs_folder_lies_with_the_temporary_files(
    tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("sys.executable", stand_in(tmp_path, "wait()"))
    login = BrowserLogin(tmp_path / "file" / "credentials")
    (folder,) = (tmp_path / "temporary").iterdir()
    assert folder.name.startswith(".login-")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    login.cancel()
    assert not folder.exists()


def test_a_child_that_the_system_refuses_is_said_with_the_systems_word_and_another_way_to_sign_in(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(SDKUnusable) as refusal:
        BrowserLogin(tmp_path / "credentials")
    assert refusal.value.message == "A process for the log-in could not be started: No such file or directory."
    assert refusal.value.next_step == "Sign in with an API key."


def test_a_failure_without_the_systems_word_is_named_by_its_kind(tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise BlockingIOError

    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(SDKUnusable, match="could not be started: BlockingIOError"):
        BrowserLogin(tmp_path / "credentials")
    assert list((tmp_path / "credentials").iterdir()) == []


# -- what is said to it, and what it says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "order"),
    [
        ({}, {"environment": "standard", "target": "", "only": ""}),
        ({"environment": "itar"}, {"environment": "itar", "target": "", "only": ""}),
        ({"target": "own.example.com:8443"}, {"environment": "standard", "target": "own.example.com:8443", "only": ""}),
        ({"only_settings": True}, {"environment": "standard", "target": "", "only": "settings"}),
    ],
)
def test_the_child_is_told_in_one_line_where_to_sign_in_and_whether_to(a_login, tmp_path, begin, order):
    a_login("note(order=order)", **begin)
    assert _noted(tmp_path) == {"order": {**order, "to_strangers": words.LOGIN_TO_STRANGERS}}


def test_every_event_of_a_login_is_told_in_its_order_and_noise_between_them_is_passed_over(a_login, a_store):
    script = (
        "say('ready', settings={'target': 'own.example.com'})\n"
        f"say('link', link={LINK.format(port=9876)!r})\n"
        "print('a warning of somebody'); print('[1, 2]'); print('null'); print(); print('{\"event\": \"unknown\"}')\n"
        "say('ready', settings='no settings'); say('link', link=3); say('link')\n"
        "say('stranger'); say('landed'); keep('{\"refresh_token\": \"a-refresh-token\"}'); say('done'); say('landed')\n"
    )
    _login, heard = a_login(script)
    told = [heard.next() for _ in range(4)]
    link = Link(LINK.format(port=9876))
    finished = ("finished", {"target": "own.example.com"}, Secret("a-refresh-token"))
    assert told == [("linked", link), ("stranger",), ("landed",), finished]
    assert heard.told.empty()


def test_when_the_session_is_told_the_childs_folder_is_gone_and_soon_the_child_and_its_thread_are(a_login, a_store):
    left: queue.Queue[Any] = queue.Queue()
    login, heard = a_login("keep('{\"refresh_token\": \"a-token\"}'); say('done')", begins=False)
    child = login._process
    events = heard.events._replace(finished=lambda *_: left.put((list(a_store.iterdir()), login.alive)))
    login.begin(events, environment="standard", target=None)
    assert left.get(timeout=LIMIT_SECONDS) == ([], False)
    assert eventually(lambda: _login_threads() == [], LIMIT_SECONDS)
    assert child.returncode == 0
    assert child.stdin.closed
    assert child.stdout.closed


def test_settings_alone_are_told_without_a_token_and_without_a_look_for_one(a_login):
    _login, heard = a_login("say('ready', settings={'audience': 'a'}); say('done')", only_settings=True)
    assert heard.next() == ("finished", {"audience": "a"}, Secret(""))


@pytest.mark.parametrize("store", [None, "", "{", "[]", "3", "{}", '{"token": "x"}', '"refresh_token"'], ids=str)
def test_a_child_that_is_done_without_a_token_has_got_an_answer_that_makes_no_sense(a_login, store):
    kept = "" if store is None else f"keep({store!r})"
    _login, heard = a_login(f"say('link', link={LINK.format(port=1)!r}); {kept}\nsay('done')")
    assert heard.next()[0] == "linked"
    name, error = heard.next()
    assert (name, type(error)) == ("failed", ServerTrouble)
    assert str(error) == (
        "login.example.com gave an answer that makes no sense."
        " If this network asks for a log-in of its own, open any web page to see it; then try again."
    )


def test_a_login_that_failed_is_told_with_the_reason_and_the_server_and_leaves_nothing(a_login, a_store):
    said = "say('failed', reason='denied', detail='access_denied: no such person')"
    login, heard = a_login(f"say('link', link={LINK.format(port=1)!r}); {said}; say('landed'); wait()")
    assert heard.next()[0] == "linked"
    name, error = heard.next()
    assert (name, type(error)) == ("failed", LoginDenied)
    assert error.message == "The log-in page said no (access_denied: no such person)."
    assert list(a_store.iterdir()) == []
    assert not login.alive


def test_a_trouble_of_the_server_is_told_with_its_name_from_the_link_and_its_number(a_login):
    said = "say('failed', reason='server', status=503)"
    _login, heard = a_login(f"say('link', link={LINK.format(port=1)!r}); {said}")
    heard.next()
    assert heard.next()[1].message == "login.example.com answered with a failure (HTTP 503)."


def test_before_there_is_a_link_the_server_has_no_name(a_login):
    _login, heard = a_login("say('failed', reason='answer')")
    assert heard.next()[1].message == "The log-in server gave an answer that makes no sense."


@pytest.mark.parametrize(
    "script", ["", "os._exit(1)", "say('link', link='https://login.example.com/?x=1'); os._exit(9)"]
)
def test_a_child_that_ends_without_a_word_is_a_failure_of_the_sdks_login(a_login, script):
    _login, heard = a_login(script)
    told = heard.next()
    name, error = heard.next() if told[0] == "linked" else told
    assert (name, type(error)) == ("failed", SDKUnusable)
    assert error.message == "The SDK's login failed (it ended without a word)."
    assert error.next_step == "Try again; what was signed in before still is."


def test_a_child_that_has_ended_before_it_is_told_to_begin_fails_the_login_and_raises_nothing(a_login):
    login, heard = a_login("", begins=False)
    login._process.kill()
    assert eventually(lambda: not login.alive, LIMIT_SECONDS)
    login.begin(heard.events, environment="standard", target=None)
    assert "ended without a word" in heard.next()[1].message


def test_a_pipe_that_is_closed_before_the_child_is_told_to_begin_fails_the_login_and_raises_nothing(a_login):
    login, heard = a_login("", begins=False)
    login._process.stdin.close()
    login.begin(heard.events, environment="standard", target=None)
    assert "ended without a word" in heard.next()[1].message


def test_a_child_is_alive_until_it_ends_or_is_ended(a_login):
    login, _heard = a_login("wait()")
    assert login.alive
    login.cancel()
    assert not login.alive


def test_a_child_that_says_that_it_is_done_and_then_lingers_is_ended(a_login, monkeypatch):
    monkeypatch.setattr(browser_login, "_END_SECONDS", 0.05)
    login, heard = a_login("keep('{\"refresh_token\": \"a-token\"}'); say('done')\nwhile True: time.sleep(1)")
    assert heard.next()[0] == "finished"
    assert eventually(lambda: _login_threads() == [], LIMIT_SECONDS)
    assert login._process.returncode == -9


# -- cancelling --------------------------------------------------------------------------------------------------------


def test_a_cancelled_login_ends_its_child_and_says_so_once(a_login, a_store):
    login, heard = a_login(f"say('link', link={LINK.format(port=1)!r}); wait()")
    heard.next()
    login.cancel()
    assert not psutil.pid_exists(login._process.pid)
    assert list(a_store.iterdir()) == []
    name, error = heard.next()
    assert (name, type(error), error.message) == ("failed", AttemptCancelled, "This sign-in was cancelled.")
    login.cancel()
    assert heard.told.empty()


def test_a_child_that_was_never_told_to_begin_is_ended_with_both_its_pipes(a_login, a_store):
    login, _heard = a_login("", begins=False)
    process = login._process
    login.cancel()
    assert (process.stdin.closed, process.stdout.closed, process.returncode) == (True, True, -9)
    assert list(a_store.iterdir()) == []


# -- paste-back --------------------------------------------------------------------------------------------------------


@pytest.fixture
def a_port(monkeypatch):
    """A listener on loopback, as the child's; what came to it, after an answer that sends elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        came: queue.Queue[str] = queue.Queue()

        def answer():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    came.put(connection.recv(65536).decode())
                    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)


def test_a_pasted_address_reaches_the_childs_port_once_past_every_proxy_on_a_connection_that_is_closed(
    a_login, a_port, monkeypatch
):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    port, came = a_port
    login, heard = a_login(f"say('link', link={LINK.format(port=port)!r}); wait()")
    heard.next()
    login.paste(Secret(f"http://localhost:{port}/callback?code=CODE-1&state=STATE-abc"))
    request = came.get(timeout=LIMIT_SECONDS)
    head, *headers = request.lower().splitlines()
    assert head == "get /callback?code=code-1&state=state-abc http/1.1"
    assert f"host: 127.0.0.1:{port}" in headers
    assert "connection: close" in headers
    assert came.empty()


def test_a_pasted_address_that_is_another_logins_reaches_nobody_and_says_what_to_copy(a_login, a_port):
    port, came = a_port
    login, heard = a_login(f"say('link', link={LINK.format(port=port)!r}); wait()")
    heard.next()
    with pytest.raises(CallbackUnusable) as refusal:
        login.paste(Secret("code=CODE-1&state=another"))
    assert refusal.value.message == "This address belongs to another sign-in, or an earlier one."
    assert refusal.value.next_step == (
        "Copy the whole address of the page on which the browser ended, after signing in."
    )
    assert came.empty()
    assert login.alive


def test_a_port_that_nobody_listens_on_any_more_is_no_error_since_the_childs_word_counts(a_login):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    login, heard = a_login(f"say('link', link={LINK.format(port=port)!r}); wait()")
    heard.next()
    login.paste(Secret("code=CODE-1&state=STATE-abc"))
    assert login.alive


def test_a_port_that_does_not_answer_holds_the_paste_up_no_longer_than_its_limit(a_login, monkeypatch):
    monkeypatch.setattr(browser_login, "_PASTE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        login, heard = a_login(f"say('link', link={LINK.format(port=server.getsockname()[1])!r}); wait()")
        heard.next()
        login.paste(Secret("code=CODE-1&state=STATE-abc"))
    assert login.alive


def _login_threads():
    return [thread.name for thread in threading.enumerate() if thread.name == "luminary-auth-login"]
