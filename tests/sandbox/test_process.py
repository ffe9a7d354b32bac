"""The sandbox as a process: whom it serves, how it ends, what it leaves."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox, SandboxError
from luminary_auth_widget.sandbox.listener import Listener

from .conftest import RunPython
from .helpers import Browser, eventually, pid_of, status_of


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stopping_is_quick_and_leaves_neither_process_nor_folder() -> None:
    cloud = sandbox.start()
    pid = pid_of(cloud)
    began = time.monotonic()
    cloud.stop()
    assert time.monotonic() - began < 1
    assert not runs(pid)
    assert not cloud.folder.exists()
    assert not cloud.answers()
    cloud.stop()


def test_it_stops_quickly_even_while_it_is_slow() -> None:
    with sandbox.start() as cloud:
        cloud.fault("slow", seconds=60)
        with Browser(cloud) as browser, pytest.raises(requests.Timeout):
            browser.session.post(f"{browser.url}/oauth/token", json={}, timeout=0.2)
        began = time.monotonic()
        cloud.stop()
        assert time.monotonic() - began < 1


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


def test_every_port_is_on_loopback(a_sandbox: Sandbox) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
        except OSError:
            pytest.fail("This machine has no address but loopback: give it one to run this test.")
        own_address = probe.getsockname()[0]
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
