"""What the browser session needs of luminarycloud: each of these fails when an SDK upgrade changes it."""

from __future__ import annotations

import functools
import http.server
import json
import queue
import socket
import ssl
import stat
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import trustme

import luminary_auth_widget
from luminary_auth_widget import sandbox, words
from luminary_auth_widget.browser_login import BrowserLogin, Events, Link
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import (
    AttemptCancelled,
    LoginDenied,
    LoginTimedOut,
    PortsTaken,
    SDKUnusable,
    ServerTrouble,
)
from luminary_auth_widget.sandbox.identity import CALLBACK_ORIGINS
from tests.kernel.driver import PORTS, contents, deliver, end_of_login, port_is_free
from tests.sandbox.helpers import Browser, eventually

# What a script prints of the session in the store: the class of our error, or "good".
CHECK = (
    "from luminary_auth_widget import errors, sdk, servers\n"
    "def check(client):\n"
    "    try: servers.check_session(client, sdk.default_target())\n"
    "    except errors.AuthError as error: return type(error).__name__\n"
    "    return 'good'\n"
    "client = sdk.Deployment().client_for_session()\n"
)


@pytest.fixture
def a_stored_session(a_sandbox, a_bound_environ):
    """A session in the SDK's store, as another program has signed in to it; its refresh token."""
    with Browser(a_sandbox) as browser:
        token = browser.sign_in()["refresh_token"]
    store = Path(a_bound_environ["LC_CREDENTIALS_DIR"]) / "tokens2"
    store.parent.mkdir(mode=0o700)
    store.write_text(json.dumps({"refresh_token": token}))
    return token


# -- what we touch of its authentication client ------------------------------------------------------------------------


def test_the_authentication_client_tells_its_servers_and_its_token(a_script, a_sandbox, a_stored_session):
    printed = a_script(
        "from luminary_auth_widget import sdk\n"
        "client = sdk.Deployment().client_for_session()\n"
        "print(sdk.auth_domain(client), sdk.client_id(client), client._auth0_client.audience)\n"
        "print(client.apiserver_domain)\n"
        "print(sdk.refresh_token(client)); client.get_token(); print(sdk.refresh_token(client).reveal())"
    )
    environ = a_sandbox.environ
    told = [environ[name] for name in ("LC_AUTH_DOMAIN", "LC_AUTH_CLIENT_ID", "LC_AUTH_SERVICE_ID")]
    assert printed == f"{' '.join(told)}\nlocalhost\nNone\n{a_stored_session}\n"


def test_an_access_token_that_is_forgotten_is_renewed_and_a_refresh_token_that_is_given_is_used(
    a_script, a_stored_session
):
    printed = a_script(
        "import os\nfrom luminary_auth_widget import sdk\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "client = sdk.Deployment().client_for_session()\n"
        "auth = client._auth0_client; client.get_token(); calls = []\n"
        "renew = auth.silently_renew_access_token\n"
        "auth.silently_renew_access_token = lambda: (calls.append(auth.refresh_token), renew())[1]\n"
        "client.get_token(); print(len(calls))\n"
        "sdk.forget_access_token(client); sdk.use_refresh_token(client, Secret(auth.refresh_token))\n"
        "client.get_token()\n"
        "print(calls == [os.environ['TOKEN']])",
        TOKEN=a_stored_session,
    )
    assert printed == "0\nTrue\n"


def test_an_access_token_is_renewed_before_its_end_and_stays_where_that_fails(a_script, a_stored_session):
    printed = a_script(
        "from luminary_auth_widget import sdk\n"
        "client = sdk.Deployment().client_for_session()\n"
        "first = client.get_token(); sdk.renew_access_token(client); second = client.get_token()\n"
        "client._auth0_client.refresh_token = 'void'\n"
        "try: sdk.renew_access_token(client)\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(first != second, client.get_token() == second)"
    )
    assert printed == "HTTPError\nTrue True\n"


def test_an_access_token_that_has_ended_by_this_machines_clock_is_known(a_script, a_stored_session):
    printed = a_script(
        "from luminary_auth_widget import sdk\n"
        "client = sdk.Deployment().client_for_session(); print(sdk.access_token_has_ended(client))\n"
        "client.get_token(); print(sdk.access_token_has_ended(client))\n"
        "client._auth0_client._access_token_exp = 1; print(sdk.access_token_has_ended(client))"
    )
    assert printed == "False\nFalse\nTrue\n"


def test_a_client_with_an_access_token_alone_lists_projects_and_calls_the_server_it_was_given(
    a_script, a_stored_session, a_sandbox
):
    printed = a_script(
        "from luminary_auth_widget import sdk\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "token = sdk.Deployment().client_for_session().get_token()\n"
        "client = sdk.client_with_access_token(sdk.Deployment(), Secret(token))\n"
        "import luminarycloud as lc\n"
        "with client: print(len(list(lc.iterate_projects())), sdk.refresh_token(client), sdk.address(client))"
    )
    assert printed == f"3 None {a_sandbox.environ['LC_DOMAIN']}\n"


def test_a_signed_out_client_neither_reads_nor_writes_the_store(a_script, a_stored_session, a_bound_environ):
    folder = Path(a_bound_environ["LC_CREDENTIALS_DIR"])
    before = contents(folder)
    printed = a_script(
        "from luminary_auth_widget import sdk\n"
        "client = sdk.signed_out_client(sdk.Deployment())\n"
        "client._auth0_client.credentials_store.save('refresh_token', 'x')\n"
        "print(client._auth0_client.credentials_store.recall('refresh_token'))\n"
        "try: client.get_token()\n"
        "except Exception as error: print(type(error).__name__, type(error.__context__).__name__)"
    )
    assert printed == "None\nInteractiveAuthException InteractiveAuthException\n"
    assert contents(folder) == before


@pytest.fixture
def a_rotating_sandbox():
    with sandbox.start(refresh_rotation=True) as cloud:
        yield cloud


def test_where_refresh_tokens_rotate_each_renewal_takes_its_turn_and_is_kept_by_us_in_the_place_of_the_sdks_writing(
    a_script, a_rotating_sandbox, a_bound_environ
):
    with Browser(a_rotating_sandbox) as browser:
        token = browser.sign_in()["refresh_token"]
    printed = a_script(
        "import os, threading\nfrom datetime import timedelta\n"
        "from luminary_auth_widget import sdk, token_store\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "first, told = Secret(os.environ['TOKEN']), []\n"
        "client = sdk.Deployment().client_for_session(first)\n"
        "catch_up = lambda: told.append(client._auth0_client._token_lock.locked())\n"
        "keep = lambda *tokens: told.append(tokens)\n"
        "sdk.share_renewals(client, catch_up=catch_up, keep=keep)\n"
        "client.get_token()\n"
        "print(told == [True, (first, sdk.refresh_token(client))], first != sdk.refresh_token(client))\n"
        "print(os.path.exists(token_store.token_path()))\n"
        # Somebody else's turn, for longer than anybody waits.
        "token_store._RENEWAL_LIMIT = timedelta(0)\n"
        "def fail():\n"
        "    sdk.forget_access_token(client)\n"
        "    try: client.get_token()\n"
        "    except Exception as error: print(type(error).__name__, len(told))\n"
        "with token_store.in_turn():\n"
        "    other = threading.Thread(target=fail); other.start(); other.join()\n"
        "print(len(client.get_token()) > 100)",
        **a_rotating_sandbox.environ,
        TOKEN=token,
    )
    assert printed == "True True\nFalse\nTimeout 2\nTrue\n"


# -- its token store ---------------------------------------------------------------------------------------------------


def test_the_store_is_the_file_that_we_name_and_the_sdk_reads_what_we_wrote(a_script, a_stored_session):
    printed = a_script(
        "import os\nfrom luminary_auth_widget import sdk, token_store\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "os.remove(token_store.token_path()); token_store.save(Secret(os.environ['TOKEN']))\n"
        "store = sdk.Deployment().client_for_session()._auth0_client.credentials_store\n"
        "print(store._path == str(token_store.token_path()), store.recall('refresh_token') == os.environ['TOKEN'])\n"
        "import luminarycloud as lc; print(len(lc.get_default_client().get_token()) > 100)",
        TOKEN=a_stored_session,
    )
    assert printed == "True True\nTrue\n"


def test_the_sdk_keeps_our_mode_and_the_other_contents_when_it_rewrites_the_store(
    a_script, a_stored_session, a_bound_environ
):
    printed = a_script(
        "import os\nfrom luminary_auth_widget import sdk, token_store\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "store = sdk.Deployment().client_for_session()._auth0_client.credentials_store\n"
        "store.save('other', 1); token_store.save(Secret(os.environ['TOKEN']))\n"
        "store.save('refresh_token', 'renewed')\n"
        "print(sorted(store._get_store().items()), token_store.find().token.reveal())",
        TOKEN=a_stored_session,
    )
    assert printed == "[('other', 1), ('refresh_token', 'renewed')] renewed\n"
    assert stat.S_IMODE((Path(a_bound_environ["LC_CREDENTIALS_DIR"]) / "tokens2").stat().st_mode) == 0o600


def test_every_content_of_the_store_that_the_sdk_cannot_use_is_classified(a_script, a_bound_environ):
    printed = a_script(
        f"{CHECK}"
        "from luminary_auth_widget import token_store\n"
        "path = token_store.token_path()\n"
        r"for content in (None, b'{', b'null', b'3', b'\xff\xfe', b'[1]', b'', b'{}'):" + "\n"
        "    if content is not None: path.write_bytes(content)\n"
        "    print(content, check(client))\n"
        "path.unlink(); path.mkdir(); print('folder', check(client))"
    )
    assert printed.splitlines() == [
        "None NotSignedIn",
        "b'{' StoreUnusable",
        "b'null' StoreUnusable",
        "b'3' StoreUnusable",
        r"b'\xff\xfe' StoreUnusable",
        "b'[1]' NotSignedIn",
        "b'' NotSignedIn",
        "b'{}' NotSignedIn",
        "folder StoreUnusable",
    ]


# -- what its calls raise ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("", "good"),
        ("error", "ServerTrouble"),
        ("refuse", "ServerUnreachable"),
        ("bad_certificate", "CertificateInvalid"),
        ("slow", "ServerTimeout"),
    ],
)
def test_a_session_that_nobody_could_be_asked_about_is_never_taken_for_over(
    a_script, a_sandbox, a_stored_session, fault, verdict
):
    if fault:
        a_sandbox.fault(fault, **({"seconds": 30} if fault == "slow" else {}))
    assert a_script(f"{CHECK}print(check(client))") == f"{verdict}\n"


def test_only_the_identity_servers_word_ends_a_session(a_script, a_sandbox, a_stored_session):
    with Browser(a_sandbox) as browser:
        assert browser.session.post(
            f"{a_sandbox.url}/oauth/revoke", json={"client_id": "luminary-sandbox-sdk", "token": a_stored_session}
        ).ok
    assert a_script(f"{CHECK}print(check(client))") == "SessionExpired\n"


# -- its login ---------------------------------------------------------------------------------------------------------


class Heard:
    """What a login tells, one thing after the other."""

    def __init__(self):
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        names = ("linked", "landed", "stranger", "finished", "failed")
        self.events = Events(**{name: functools.partial(self._tell, name) for name in names})

    def _tell(self, name, *facts):
        self._told.put((name, *facts))

    def next(self):
        return self._told.get(timeout=30)


@pytest.fixture
def a_folder(tmp_path):
    return tmp_path / "credentials"


@pytest.fixture
def begin(a_sandbox, a_bound_environ, a_folder, monkeypatch):
    """Begin a login in a child of this process; return it, what it tells, and its link."""
    for name, value in a_bound_environ.items():
        monkeypatch.setenv(name, value)
    logins = []

    def begin(**options):
        login, heard = BrowserLogin(a_folder), Heard()
        logins.append(login)
        login.begin(heard.events, **{"environment": "standard", "target": None, **options})
        first = heard.next()
        return login, heard, first[1] if first[0] == "linked" else first

    yield begin
    for login in logins:
        login.cancel()


def _back(link: Link, **fields: str) -> str:
    return f"http://127.0.0.1:{link.port}/callback?{urlencode({'state': link.state, **fields})}"


def test_it_is_the_sdks_own_login_nothing_of_ours_speaks_oauth():
    package = Path(luminary_auth_widget.__file__).parent
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix in {".py", ".js"}]
    ours = [path for path in files if "sandbox" not in path.relative_to(package).parts]
    assert len(ours) > 20
    assert [path for path in ours if any(w in path.read_text() for w in ("code_verifier", "grant_type"))] == []


def test_no_setting_of_the_sdks_environments_stands_in_our_source():
    package = Path(luminary_auth_widget.__file__).parent
    ours = [path for path in package.glob("*.py") if "auth0.com" in path.read_text() or "apis-itar" in path.read_text()]
    assert ours == []


def test_the_ports_that_we_name_are_the_sdks(a_script):
    printed = a_script("from luminarycloud._config import ALLOWED_CALLBACK_PORTS as ports; print(*ports)")
    assert printed == "10001 9876 22223 5000\n"
    assert tuple(map(int, printed.split())) == PORTS
    assert tuple(f"http://127.0.0.1:{port}" for port in PORTS) == CALLBACK_ORIGINS


def test_the_callback_server_listens_on_loopback_only_and_the_port_is_free_when_cancel_returns(begin, a_folder):
    login, heard, link = begin()
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", link.port))  # refused, were it listening on every address
    assert not port_is_free(link.port)
    login.cancel()
    assert port_is_free(link.port)
    name, error = heard.next()
    assert (name, type(error)) == ("failed", AttemptCancelled)
    assert list(a_folder.iterdir()) == []


def test_a_port_that_is_held_on_another_loopback_address_does_no_harm(begin):
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", PORTS[0]))
        elsewhere.listen()
        assert begin()[2].port == PORTS[0]


def test_logins_that_begin_in_the_same_instant_all_get_a_port_of_their_own(begin, a_folder):
    logins = [(BrowserLogin(a_folder), Heard()) for _ in PORTS]
    for login, heard in logins:
        login.begin(heard.events, environment="standard", target=None)
    links = [heard.next() for _, heard in logins]
    assert {name for name, *_ in links} == {"linked"}
    assert {link.port for _, link in links} == set(PORTS)
    fifth = begin()[2]
    assert fifth[0] == "failed"
    assert isinstance(fifth[1], PortsTaken)
    for login, _ in logins:
        login.cancel()


def test_a_login_ends_with_a_token_and_writes_nothing_into_the_real_folder(begin, a_sandbox, a_folder):
    login, heard, link = begin()
    address = end_of_login(a_sandbox, link.url)
    assert deliver(address).status_code == 200
    assert heard.next() == ("landed",)
    name, settings, token = heard.next()
    assert (name, settings) == ("finished", {})
    with Browser(a_sandbox) as browser:
        assert browser.renew(token.reveal()).ok
    assert eventually(lambda: list(a_folder.iterdir()) == [])
    assert not login.alive


def test_a_stranger_is_turned_away_with_plain_text_and_the_login_goes_on(begin, a_sandbox):
    login, heard, link = begin()
    port = f"http://127.0.0.1:{link.port}/callback"
    ours = f"state={link.state}"
    for query in ("", "error=<b>x</b>", "code=1", "code=1&state=another", ours, f"code=&{ours}"):
        answer = deliver(f"{port}?{query}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert answer.text == words.LOGIN_TO_STRANGERS
        assert heard.next() == ("stranger",)
    login.paste(Secret(end_of_login(a_sandbox, link.url)))
    assert [heard.next()[0], heard.next()[0]] == ["landed", "finished"]


@pytest.mark.parametrize("fields", [{"error_description": "<b>not</b> today"}, {"error_description": ""}, {}])
def test_a_no_of_the_log_in_page_is_told_in_its_words_with_or_without_a_description(begin, fields):
    _, heard, link = begin()
    deliver(_back(link, error="access_denied", **fields))
    assert heard.next() == ("landed",)
    _, error = heard.next()
    assert isinstance(error, LoginDenied)
    said = f"access_denied: {fields['error_description']}" if fields.get("error_description") else "access_denied"
    assert error.message == f"The log-in page said no ({said})."


def test_when_nobody_comes_back_in_the_sdks_own_time_the_login_says_so(begin, tmp_path, monkeypatch):
    # The SDK waits for minutes in a queue: here, they pass at once.
    patience = (
        "import queue; get = queue.Queue.get\n"
        "def shortened(self, block=True, timeout=None): return get(self, block, timeout and min(timeout, 0.1))\n"
        "queue.Queue.get = shortened\n"
    )
    (tmp_path / "sitecustomize.py").write_text(patience)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    _, heard, link = begin()
    _, error = heard.next()
    assert isinstance(error, LoginTimedOut)
    assert eventually(lambda: port_is_free(link.port))


def test_a_child_that_ends_without_a_word_is_an_error_with_a_next_step(begin, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    _, _, (name, error) = begin()
    assert (name, type(error)) == ("failed", SDKUnusable)
    assert error.next_step


# The SDK writes the token that it has got: half of it, then the child is killed.
KILLED_WHILE_WRITING = """
import json, os
def dump(_content, file):
    file.write('{"refresh_tok')
    file.flush()
    os.kill(os.getpid(), 9)
json.dump = dump
"""


@pytest.mark.parametrize("moment", ["starting", "linked", "landed", "writing its token"])
def test_a_child_that_is_killed_at_whatever_moment_is_an_error_and_leaves_no_port_and_no_folder(
    begin, a_sandbox, a_folder, tmp_path, monkeypatch, moment, request
):
    if moment == "writing its token":
        (tmp_path / "sitecustomize.py").write_text(KILLED_WHILE_WRITING)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    login, heard = BrowserLogin(a_folder), Heard()
    request.addfinalizer(login.cancel)
    login.begin(heard.events, environment="standard", target=None)
    reached, facts = "starting", list[Any]()
    while reached != "failed":
        if reached == moment:
            login._process.kill()
        elif reached == "linked":
            address = end_of_login(a_sandbox, facts[0].url)
            if moment == "landed":
                a_sandbox.fault("slow", seconds=30)
            deliver(address)
        reached, *facts = heard.next()
    assert isinstance(facts[0], SDKUnusable)
    assert "ended without a word" in facts[0].message
    assert facts[0].next_step
    assert eventually(lambda: all(map(port_is_free, PORTS)))
    assert eventually(lambda: list(a_folder.iterdir()) == [])


def test_an_sdk_that_cannot_be_imported_in_the_child_is_an_error_with_a_next_step(begin, tmp_path, monkeypatch):
    (tmp_path / "luminarycloud.py").write_text("raise OSError(28, 'No space left on device')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    _, _, (name, error) = begin()
    assert (name, type(error)) == ("failed", SDKUnusable)


ANSWERS = {
    "no JSON": b"<html>",
    "null": b"null",
    "no refresh token": json.dumps({"access_token": jwt.encode({"exp": 2**31}, "k" * 32)}).encode(),
    "no JWT": b'{"access_token": "x", "refresh_token": "y"}',
    "no access token": b'{"access_token": null, "refresh_token": "y"}',
}


@pytest.fixture
def a_server_of_nonsense(tmp_path):
    """An identity server with a certificate that is trusted, and answers that are not what they should be."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    class Server(http.server.HTTPServer):
        answer = b""
        environ: dict[str, str]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(server.answer)

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.environ = {
        "LC_AUTH_DOMAIN": f"localhost:{server.server_port}",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
    }
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_the_token_endpoint_that_makes_no_sense_is_said(
    begin, a_server_of_nonsense, a_folder, monkeypatch, answer
):
    for name, value in a_server_of_nonsense.environ.items():
        monkeypatch.setenv(name, value)
    a_server_of_nonsense.answer = ANSWERS[answer]
    _, heard, link = begin()
    deliver(_back(link, code="a-code"))
    assert heard.next() == ("landed",)
    _, error = heard.next()
    assert isinstance(error, ServerTrouble)
    assert "makes no sense" in error.message
    assert eventually(lambda: list(a_folder.iterdir()) == [])


def test_where_the_folder_cannot_be_written_to_the_login_has_one_elsewhere(begin, a_sandbox, a_folder):
    a_folder.touch()
    login, heard, link = begin()
    login.paste(Secret(end_of_login(a_sandbox, link.url)))
    assert [heard.next()[0], heard.next()[0]] == ["landed", "finished"]
    assert a_folder.read_bytes() == b""


def test_folders_that_killed_logins_left_behind_are_cleared_away_by_the_next_and_none_that_is_in_use(begin, a_folder):
    login, _, _ = begin()
    (used,) = a_folder.iterdir()
    left = a_folder / ".login-of-a-killed-process"
    left.mkdir()
    begin()
    assert login.alive
    assert used.exists()
    assert not left.exists()


def test_the_settings_of_the_itar_environment_are_the_sdks_and_ask_for_no_network(begin, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    _, _, (name, settings, token) = begin(environment="itar", only_settings=True)
    assert (name, token.reveal()) == ("finished", "")
    assert set(settings) == {"target", "auth_domain", "client_id", "audience"}
    assert all("itar" in settings[name] for name in ("target", "auth_domain", "audience"))
