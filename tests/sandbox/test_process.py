"""The sandbox as a process: whom it serves, how it ends, what it leaves."""

from __future__ import annotations

import http.server
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import requests

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox, SandboxError, process
from luminary_auth_widget.sandbox.listener import Listener

from .conftest import RunPython
from .helpers import ADA, Browser, callback_fields, eventually, pid_of, status_of


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stopping_leaves_neither_process_nor_folder() -> None:
    cloud = sandbox.start()
    pid = pid_of(cloud)
    cloud.stop()
    assert not runs(pid)
    assert not cloud.folder.exists()
    assert not cloud.answers()
    cloud.stop()


def test_it_ends_by_itself_when_asked_even_while_it_is_slow(tmp_path: Path) -> None:
    with sandbox.start(tmp_path) as cloud:
        cloud.fault("slow", seconds=60)
        with Browser(cloud) as browser, pytest.raises(requests.Timeout):
            browser.session.post(f"{browser.url}/oauth/token", json={}, timeout=0.2)
    assert not (tmp_path / "sandbox.json").exists(), "one that has to be killed leaves it"


def test_it_ends_with_the_process_that_started_it(run_python: RunPython, tmp_path: Path) -> None:
    code = "import os; from luminary_auth_widget import sandbox; sandbox.start('home'); os.kill(os.getpid(), 9)"
    assert run_python(code).returncode == -9
    assert eventually(lambda: not (tmp_path / "home" / "sandbox.json").exists())


def test_keys_and_moved_time_survive_a_kill(tmp_path: Path) -> None:
    with sandbox.start(tmp_path) as cloud:
        key = cloud.create_api_key("ada@example.com", lifetime=timedelta(days=7))
        cloud.advance(timedelta(days=6))
        os.kill(pid_of(cloud), 9)
    assert tmp_path.exists(), "a folder that was given is kept"
    with sandbox.start(tmp_path) as cloud:
        assert status_of(cloud, key=key.secret) == "OK"
        cloud.advance(timedelta(days=1))
        assert status_of(cloud, key=key.secret) == "UNAUTHENTICATED"


def test_whatever_was_confirmed_is_there_after_a_kill_in_the_midst_of_writing(tmp_path: Path) -> None:
    confirmed: list[str] = []

    def create_keys(cloud: Sandbox) -> None:
        with suppress(SandboxError):
            while True:
                confirmed.append(cloud.create_api_key("ada@example.com").id)

    with ThreadPoolExecutor(4) as writers, sandbox.start(tmp_path) as cloud:
        for _ in range(4):
            writers.submit(create_keys, cloud)
        assert eventually(lambda: len(confirmed) > 40)
        os.kill(pid_of(cloud), 9)
    with sandbox.start(tmp_path) as cloud:
        assert {key.id for key in cloud.status.keys} >= set(confirmed)
    with closing(sqlite3.connect(tmp_path / "sandbox.sqlite")) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_store_that_is_none_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sandbox.sqlite").write_text("my novel, chapter one, and so on, for longer than a header takes " * 20)
    with pytest.raises(SandboxError, match=r"sandbox\.sqlite cannot be opened: file is not a database\. Remove it"):
        sandbox.start(tmp_path)
    assert (tmp_path / "sandbox.sqlite").read_text().startswith("my novel")


def test_two_starts_at_once_fall_on_ports_of_their_own() -> None:
    with ThreadPoolExecutor(2) as starters:
        first, second = starters.map(lambda _: sandbox.start(), range(2))
    with first, second:
        ports = [set(re.findall(r":(\d+)", (cloud.folder / "sandbox.json").read_text())) for cloud in (first, second)]
        assert len(ports[0]) == 3
        assert not ports[0] & ports[1]
        assert first.answers()
        assert second.answers()


def test_of_two_starts_at_once_in_one_folder_one_serves_and_one_says_so(tmp_path: Path) -> None:
    def start(_: int) -> Sandbox | SandboxError:
        try:
            return sandbox.start(tmp_path)
        except SandboxError as refusal:
            return refusal

    with ThreadPoolExecutor(2) as starters:
        outcomes = sorted(starters.map(start, range(2)), key=lambda outcome: isinstance(outcome, SandboxError))
    cloud, refusal = outcomes
    assert isinstance(cloud, Sandbox)
    with cloud:
        assert "running there already?" in str(refusal)
        assert cloud.answers()


@pytest.fixture
def a_temporary_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_temporary_folder_that_nobody_could_remove_is_cleared_away_by_the_next_start(a_temporary_place: Path) -> None:
    # Its starter was killed as well: nobody is left who would remove it.
    with sandbox.start(a_temporary_place / "luminary-sandbox-killed") as killed:
        os.kill(pid_of(killed), 9)
    with sandbox.start(a_temporary_place / "luminary-sandbox-running") as running:
        for folder in (killed.folder, running.folder):
            os.utime(folder, (0, 0))
        with sandbox.start() as third:
            assert third.folder.parent == a_temporary_place
            assert not killed.folder.exists()
            assert running.folder.exists()
            assert running.answers()


def test_a_state_file_whose_process_id_and_port_belong_to_others_now_is_noticed(tmp_path: Path) -> None:
    with sandbox.start(tmp_path) as cloud:
        state = json.loads((cloud.folder / "sandbox.json").read_text())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        stale = state | {"pid": os.getpid(), "control_port": stranger.server_port}
        (tmp_path / "sandbox.json").write_text(json.dumps(stale))
        assert process.find_running(tmp_path) is None
        with sandbox.start(tmp_path) as cloud:
            assert process.find_running(tmp_path)
        stranger.shutdown()


def test_two_cannot_have_one_folder(a_sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match=r"runs in .* already"):
        sandbox.start(a_sandbox.folder)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com"])
def test_it_binds_loopback_only(host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sandbox.main(["--folder", str(tmp_path), "--host", host]) == 1
    assert f"does not bind {host}" in capsys.readouterr().err
    with pytest.raises(SandboxError, match="this machine only"):
        Listener(host)


def test_a_missing_library_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "flask.py").write_text("raise ModuleNotFoundError(\"No module named 'flask'\")")
    monkeypatch.setenv("PYTHONPATH", str(broken), prepend=os.pathsep)
    with pytest.raises(SandboxError, match=r"No module named 'flask'.*luminary-auth-widget\[sandbox\]"):
        sandbox.start()


def test_no_secret_is_logged_even_where_everything_is(tmp_path: Path) -> None:
    verbose = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
logging.debug("Everything is logged.")
from luminary_auth_widget import sandbox
sys.exit(sandbox.main(["--folder", sys.argv[1]]))
"""
    loud = os.environ | {"GRPC_VERBOSITY": "DEBUG", "GRPC_TRACE": "all"}
    command = [sys.executable, "-c", verbose, str(tmp_path)]
    with subprocess.Popen(command, env=loud, stdout=-1, stderr=subprocess.PIPE, text=True) as server:
        assert eventually(lambda: process.find_running(tmp_path) is not None, within=30)
        cloud = process.find_running(tmp_path)
        assert cloud
        with Browser(cloud) as browser:
            page, verifier = browser.authorize()
            code = callback_fields(browser.send(page, email=ADA[0], password=ADA[1]))["code"]
            tokens = browser.exchange(code, verifier).json()
            browser.exchange(code, verifier)
            tokens_again = browser.sign_in()
            renewed = browser.renew(tokens_again["refresh_token"]).json()
            browser.revoke(token=tokens_again["refresh_token"])
            secrets = [code, verifier, *browser.session.cookies.get_dict().values(), ADA[1]]
        key = cloud.create_api_key("ada@example.com").secret
        assert status_of(cloud, key=key) == "OK"
        status_of(cloud, token=renewed["access_token"])
        cloud.stop()
        printed, logged = server.communicate(timeout=10)
    assert "Everything is logged." in logged
    secrets += [
        key,
        *(given[name] for given in (tokens, tokens_again) for name in ("access_token", "refresh_token", "id_token")),
        renewed["access_token"],
    ]
    assert [secret for secret in secrets if secret in logged] == []
    assert key not in printed


def test_every_port_is_on_loopback(a_sandbox: Sandbox) -> None:
    has = [one.address for card in psutil.net_if_addrs().values() for one in card if one.family == socket.AF_INET]
    own_address = next((address for address in has if not address.startswith("127.")), None)
    if own_address is None:
        pytest.fail("This machine has no address but loopback: give it one to run this test.")
    state = json.loads((a_sandbox.folder / "sandbox.json").read_text())
    ports = [state[name].rsplit(":", 1)[1] for name in ("url", "page_url", "api_domain")] + [state["control_port"]]
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((own_address, int(port)), timeout=2)


def test_a_silent_connection_holds_up_nobody(a_sandbox: Sandbox, a_browser: Browser) -> None:
    port = int(a_sandbox.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)):
        assert a_browser.get("login").elapsed.total_seconds() < 2


def test_control_is_for_those_who_know_the_token_and_are_no_page(a_sandbox: Sandbox) -> None:
    state = json.loads((a_sandbox.folder / "sandbox.json").read_text())
    address = f"http://127.0.0.1:{state['control_port']}/status"
    good = {"Authorization": f"Bearer {state['control_token']}", "X-Luminary-Sandbox": "control"}
    assert requests.post(address, json={}, headers=good, timeout=5).status_code == 200
    for bad in (
        {**good, "Authorization": "Bearer guess"},
        {**good, "Authorization": "Bearer ü"},
        {"Authorization": good["Authorization"]},
        {**good, "Origin": "http://localhost:8888"},
    ):
        assert requests.post(address, json={}, headers=bad, timeout=5).status_code == 403
    rebound = {**good, "Host": "evil.example"}
    assert requests.post(address, json={}, headers=rebound, timeout=5).status_code == 400


def test_its_files_are_its_owners_alone(a_sandbox: Sandbox) -> None:
    assert a_sandbox.folder.stat().st_mode & 0o777 == 0o700
    secretive = [a_sandbox.folder / name for name in ("sandbox.json", "sandbox.sqlite", "credentials")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in secretive)


def test_its_certificate_names_loopback(a_sandbox: Sandbox) -> None:
    context = ssl.create_default_context(cafile=a_sandbox.environ["SSL_CERT_FILE"])
    port = int(a_sandbox.url.rsplit(":", 1)[1])
    for name in ("localhost", "127.0.0.1", "::1"):
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname=name):
            pass


def test_the_command_prints_what_a_shell_needs_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "luminary_auth_widget.sandbox",
            "--folder",
            str(tmp_path),
            "--print-environ",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout
        assert command.stderr
        lines = []
        for line in command.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        command.send_signal(2)
        assert command.wait(5) == 0
        assert command.stderr.read() == ""
    assert all(line.startswith(("#", "export ")) for line in lines)
    assert "export LC_API_KEY=''\n" in lines
    assert any("ada@example.com" in line for line in lines)
