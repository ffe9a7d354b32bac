"""After a browser sign-in the next line works, here and in plain scripts, and the person knows how long it lasts."""

import json
import os
import socketserver
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import ClassVar

import pytest

from luminary_auth_widget import records, sandbox
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.records import SessionRecord
from tests.conftest import bound_environ
from tests.sandbox.helpers import GRACE, Browser

from .driver import Kernel, contents, deliver, end_of_login
from .test_sign_in import LIST, LOGIN

MONTH = timedelta(days=30)


@pytest.fixture
def a_store(a_bound_environ, tmp_path):
    """The path of the SDK's token store, in a folder that is there."""
    (tmp_path / "credentials").mkdir(mode=0o700)
    return tmp_path / "credentials" / "tokens2"


@pytest.fixture
def a_refresh_token(a_sandbox):
    with Browser(a_sandbox) as browser:
        return browser.sign_in()["refresh_token"]


@pytest.fixture
def a_sandbox_of_its_own():
    """One that rotates refresh tokens, and whose time may be moved."""
    with sandbox.start(refresh_rotation=True) as cloud:
        yield cloud


@contextmanager
def _kernel(folder, environ):
    kernel = Kernel(folder, environ)
    try:
        yield kernel
    finally:
        kernel.close()


def _script(code, environ, folder):
    """Return what a plain script prints that knows nothing of us."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout or done.stderr


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def _stored(path, **content):
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def _notices(kernel, model):
    return " ".join(notice["text"] for notice in kernel.status(model)["notices"])


def _alive(cloud, token):
    with Browser(cloud) as browser:
        return browser.renew(token).ok


def _milliseconds(moment):
    return round(moment.timestamp() * 1000)


def test_signed_in_while_a_cell_runs_the_next_cell_and_every_plain_script_list_the_projects(
    a_kernel, a_folder, a_sandbox, a_bound_environ, adas_projects
):
    (model,) = a_kernel.run(LOGIN).models
    subshell = a_kernel.create_subshell()
    a_kernel.click(model, "hello", subshell=subshell)
    # A cell that keeps the kernel until the file is there.
    # It looks again and again: a running cell shares nothing with the test but files.
    running = a_kernel.client.execute("import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)")
    a_kernel.has_begun(running)
    before = datetime.now(timezone.utc)
    a_kernel.click(model, "sign_in_with_browser", subshell=subshell)
    address = end_of_login(a_sandbox, a_kernel.wait_for_link())
    a_kernel.click(model, "paste_callback", subshell=subshell, buffers=(f'"{address}"\n'.encode(),))
    traits = a_kernel.wait_for(model, state="signed_in", attempt="", expiry="recorded")
    after = datetime.now(timezone.utc)
    (a_folder / "go").touch()
    assert a_kernel.run(LIST).text == adas_projects
    assert _milliseconds(before + MONTH) <= traits["expires_at"] <= _milliseconds(after + MONTH)
    status = a_kernel.status(model)
    assert (status["title"], status["subtitle"]) == ("ada@example.com", "signed in by browser")

    credentials = a_folder.parent / "credentials"
    assert {path.name: _mode(path) for path in credentials.iterdir()} == {
        "tokens2": 0o600,
        "luminary-auth-widget.json": 0o600,
    }
    assert _mode(credentials) == 0o700
    token = json.loads((credentials / "tokens2").read_text())["refresh_token"]
    assert token not in (credentials / "luminary-auth-widget.json").read_text()
    assert _script(LIST, a_bound_environ, a_folder) == adas_projects


def test_a_stored_session_is_used_without_a_click_and_tightened_and_each_way_out_does_what_it_says(
    a_folder, a_sandbox, a_store, a_bound_environ, a_refresh_token, adas_projects
):
    _stored(a_store, refresh_token=a_refresh_token, other=[1])
    a_store.chmod(0o644)
    os.utime(a_store, (1_700_000_000, 1_700_000_000))
    with _kernel(a_folder, a_bound_environ) as kernel:
        ran = kernel.run(f"{LOGIN}\n{LIST}")
        assert ran.text == adas_projects
        (model,) = ran.models
        kernel.wait_for(model, state="signed_in", expiry="about", expires_at=1000 * 1_700_000_000 + 30 * 86_400_000)
        assert "readable by you alone" in _notices(kernel, model)
        assert _mode(a_store) == 0o600

        # Early, and as somebody else.
        kernel.sign_in(model, a_sandbox, GRACE)
        kernel.wait_for(model, expiry="recorded")
        assert "was ada@example.com, now grace@example.com" in _notices(kernel, model)
        stored = json.loads(a_store.read_text())
        assert (stored["other"], stored["refresh_token"] == a_refresh_token) == ([1], False)

        before = contents(a_store.parent)
        kernel.click(model, "sign_out", everywhere=False)
        kernel.wait_for(model, state="signed_out")
        assert "InteractiveAuthException" in kernel.run(LIST).error
        assert contents(a_store.parent) == before
        assert _alive(a_sandbox, stored["refresh_token"])
        assert "goes on elsewhere" in kernel.status(model)["message"]

        kernel.click(model, "use_source", id="stored_session")
        kernel.wait_for(model, state="signed_in", expiry="recorded")
        kernel.click(model, "sign_out", everywhere=True)
        kernel.wait_for(model, state="signed_out")
        assert "InteractiveAuthException" in kernel.run(LIST).error
        assert json.loads(a_store.read_text()) == {"other": [1]}
        assert not _alive(a_sandbox, stored["refresh_token"])
        assert _alive(a_sandbox, a_refresh_token)


def test_a_damaged_store_is_moved_aside_by_a_sign_in_and_offline_a_sign_out_says_that_the_server_was_not_told(
    a_folder, a_sandbox, a_store, a_bound_environ
):
    a_store.write_text("{")
    with _kernel(a_folder, a_bound_environ) as kernel:
        (model,) = kernel.run(LOGIN).models
        status = kernel.status(model)
        assert "is damaged" in status["message"]
        assert "moved aside" in status["next_step"]
        kernel.sign_in(model, a_sandbox)
        assert "damaged" in _notices(kernel, model)
        assert [path.read_text() for path in a_store.parent.glob("tokens2.damaged-*")] == ["{"]
        token = json.loads(a_store.read_text())["refresh_token"]
        a_sandbox.fault("refuse")
        kernel.click(model, "sign_out", everywhere=True)
        kernel.wait_for(model, state="signed_out")
        assert "The server was not told: localhost could not be reached" in kernel.status(model)["message"]
        assert json.loads(a_store.read_text()) == {}
        a_sandbox.clear_faults()
        assert _alive(a_sandbox, token)


def test_where_the_store_cannot_be_written_the_session_works_in_this_kernel_and_says_that_it_is_not_kept(
    a_kernel, a_folder, a_sandbox, adas_projects
):
    (model,) = a_kernel.run(LOGIN).models
    address = end_of_login(a_sandbox, a_kernel.begin_login(model))
    # No mode keeps root from writing; this limit does.
    a_kernel.run("from resource import *; _, hard = getrlimit(RLIMIT_FSIZE); setrlimit(RLIMIT_FSIZE, (0, hard))")
    deliver(address)
    a_kernel.wait_for(model, state="signed_in", attempt="")
    a_kernel.run("setrlimit(RLIMIT_FSIZE, (hard, hard))")
    assert "this kernel only, and is not kept" in _notices(a_kernel, model)
    assert a_kernel.run(LIST).text == adas_projects
    assert a_kernel.run("print(session.check().state.value)").text == "signed_in\n"
    assert not (a_folder.parent / "credentials" / "tokens2").exists()


def test_the_documented_file_is_used_when_there_is_nothing_else(
    a_folder, a_sandbox, a_store, a_bound_environ, a_refresh_token, adas_projects, tmp_path
):
    documented = tmp_path / "home" / ".luminarycloud" / "config"
    documented.parent.mkdir()
    documented.write_text("[default]\nregion = nowhere")
    with _kernel(a_folder, a_bound_environ) as kernel:
        (model,) = kernel.run(LOGIN).models
        kernel.wait_for(model, state="signed_out")
        assert "config" in json.dumps(kernel.status(model)["facts"])
        _stored(documented, refresh_token=a_refresh_token)
        kernel.click(model, "use_source", id="stored_session")
        kernel.wait_for(model, state="signed_in")
        assert kernel.run(LIST).text == adas_projects
        assert "config" in kernel.status(model)["subtitle"]
        assert not a_store.exists()


def test_renewals_keep_the_end_and_only_the_servers_word_makes_it_expired(a_folder, tmp_path, a_sandbox_of_its_own):
    cloud, environ = a_sandbox_of_its_own, bound_environ(a_sandbox_of_its_own, tmp_path)
    store = tmp_path / "credentials" / "tokens2"
    store.parent.mkdir(mode=0o700)
    with Browser(cloud) as browser:
        _stored(store, refresh_token=browser.sign_in()["refresh_token"])
    with _kernel(a_folder, environ) as kernel:
        (model,) = kernel.run(LOGIN).models
        # Each renewal rewrites the store: its age tells nothing.
        kernel.wait_for(model, state="signed_in", expiry="unknown", expires_at=None)

        end = kernel.sign_in(model, cloud)["expires_at"]
        first = json.loads(store.read_text())["refresh_token"]
        cloud.advance(timedelta(hours=25))
        assert kernel.run("print(session.check().state.value)").text == "signed_in\n"
        assert kernel.wait_for(model, state="signed_in", expiry="recorded")["expires_at"] == end
        assert (json.loads(store.read_text())["refresh_token"] == first, _mode(store)) == (False, 0o600)

        cloud.advance(timedelta(days=31))
        for fault in ("error", "refuse"):
            cloud.fault(fault)
            assert kernel.run("print(session.check().state.value)").text == "unverified\n"
            cloud.clear_faults()
        kernel.click(model, "check")
        kernel.wait_for(model, state="expired")
        assert kernel.status(model)["next_step"] == "Sign in with the browser again."
        assert kernel.run("print(session.client)").text == "None\n"
        kernel.sign_in(model, cloud)


# -- environments ------------------------------------------------------------------------------------------------------


@pytest.fixture
def a_proxy():
    """All that leaves this machine: it notes who was to be connected to, and says no."""

    class Proxy(socketserver.ThreadingTCPServer):
        daemon_threads = True
        asked: ClassVar[list[str]] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            Proxy.asked.append(self.rfile.readline().decode().split()[1].partition(":")[0])
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    server = Proxy(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def an_outside_environ(tmp_path, a_proxy, monkeypatch):
    """The environment of a kernel that is bound to no sandbox: whatever it sends ends at the proxy."""
    (tmp_path / "home").mkdir()
    (tmp_path / "credentials").mkdir(mode=0o700)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "JPY_", "LUMINARY_")) and not name.lower().endswith("_proxy")
    }
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    return {
        **inherited,
        "https_proxy": f"http://127.0.0.1:{a_proxy.server_address[1]}",
        "HOME": str(tmp_path / "home"),
        "LC_CREDENTIALS_DIR": str(tmp_path / "credentials"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }


ITAR = LOGIN.replace("login()", "login(environment='itar')")
STANDARD = LOGIN.replace("login()", "login(environment='standard')")


def test_the_itar_environment_is_the_sdks_and_gets_no_key_of_the_standard_one(a_folder, an_outside_environ, a_proxy):
    key = Secret("lc-accepted-by-the-standard-environment")
    records.note_key_environment(key, "standard")
    (a_folder / ".env").write_text(f"LC_API_KEY={key.reveal()}\n")
    with _kernel(a_folder, an_outside_environ) as kernel:
        (model,) = kernel.run(ITAR).models
        kernel.wait_for(model, state="signed_out")
        status = kernel.status(model)
        assert "itar" in status["endpoint"]
        assert "belongs to the Standard environment; it was not sent" in status["message"]
        kernel.click(model, "use_key", remember=False, lasts="", buffers=(key.reveal().encode(),))
        kernel.wait_for(model, attempt="failed")
        assert "belongs to the Standard environment" in kernel.status(model)["attempt"]["message"]
        link = kernel.begin_login(model)
        assert link.startswith("https://luminarycloud-itar-")
        assert "audience=https%3A%2F%2Fapi-itar-" in link
        assert a_proxy.asked == []


def test_a_session_of_the_itar_environment_is_never_sent_to_the_standard_one(a_folder, an_outside_environ, a_proxy):
    token = Secret("refresh-token-of-itar-0123456789")
    folder = a_folder.parent / "credentials"
    _stored(folder / "tokens2", refresh_token=token.reveal())
    settings = {"target": "apis-itar.example.com", "auth_domain": "login-itar.example.com", "client_id": "itar"}
    records.note_session(SessionRecord(token.digest, datetime.now(timezone.utc), "itar", settings))
    with _kernel(a_folder, an_outside_environ) as kernel:
        # Without a choice, the stored session's environment is followed.
        (model,) = kernel.run(LOGIN).models
        kernel.wait_for(model, state="unverified", expiry="recorded")
        status = kernel.status(model)
        assert status["message"] == "login-itar.example.com could not be reached (through the proxy in https_proxy)."
        assert status["endpoint"] == "apis-itar.example.com"
        assert set(a_proxy.asked) == {"login-itar.example.com"}
        already = len(a_proxy.asked)
        (model,) = kernel.run(STANDARD).models
        kernel.wait_for(model, state="signed_out")
        assert "belongs to the ITAR environment; it was not sent" in kernel.status(model)["message"]
        assert (
            "InteractiveAuthException"
            in kernel.run("session.status; lc = __import__('luminarycloud')\nlc.get_default_client().get_token()").error
        )
        assert len(a_proxy.asked) == already
