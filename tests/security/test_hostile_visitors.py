"""Strangers at the port of a login, a page that sends what no page of ours does, and where anything listens at all."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest
import requests

from luminary_auth_widget.sandbox import Sandbox
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel, deliver, end_of_login
from tests.kernel.test_sign_in import LOGIN
from tests.sandbox.helpers import pid_of

CANARY = "canary-4711"
Seat = tuple[Kernel, str]


@pytest.fixture(scope="module")
def a_seat(a_running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    """A kernel and its widget."""
    folder = tmp_path_factory.mktemp("seat")
    kernel = Kernel(folder, bound_environ(a_running_sandbox, folder))
    (model,) = kernel.run(LOGIN).models
    yield kernel, model
    kernel.close()


def listening(process: psutil.Process) -> set[str]:
    """Return the addresses at which a process and its children can be reached."""
    found = set()
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            found |= {c.laddr.ip for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    return found


def is_loopback(ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    # As gRPC binds 127.0.0.1; before Python 3.13, that is no loopback address.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def test_nothing_listens_but_on_loopback_while_a_login_waits(a_seat: Seat, a_sandbox: Sandbox) -> None:
    kernel, model = a_seat
    kernel.begin_login(model)
    (child,) = kernel.children()
    assert listening(child) == {"127.0.0.1"}
    everywhere = listening(psutil.Process(kernel.manager.provisioner.pid)) | listening(
        psutil.Process(pid_of(a_sandbox))
    )
    assert [ip for ip in everywhere if not is_loopback(ip)] == []
    kernel.click(model, "cancel")
    kernel.wait_for(model, attempt="")
    with socket.create_server(("0.0.0.0", 0)):
        assert [ip for ip in listening(psutil.Process()) if not is_loopback(ip)] == ["0.0.0.0"]


def test_a_crowd_of_strangers_at_the_port_ends_no_login(a_seat: Seat, a_sandbox: Sandbox) -> None:
    kernel, model = a_seat
    address = end_of_login(a_sandbox, kernel.begin_login(model))
    callback, _, query = address.partition("?")
    state = query.partition("state=")[2]
    origin = callback.removesuffix("/callback")
    with requests.Session() as stranger:
        stranger.trust_env = False
        answers = [
            stranger.get(f"{callback}?code=mine&state=guessed", timeout=5),
            stranger.get(f"{callback}?error=access_denied&error_description={'x' * 4000}", timeout=5),
            stranger.get(f"{callback}?code=a&state=guessed&state={state}", timeout=5),
            stranger.get(f"{callback}?code=a&state={state[:-1]}", timeout=5),
            stranger.get(f"{callback}?code=%00&state=%00", timeout=5),
            stranger.post(callback, data={"error": "x"}, timeout=5),
            stranger.get(f"{callback}?code=a", headers={"Host": "evil.example"}, timeout=5),
        ]
        assert [answer.status_code for answer in answers] == [400] * len(answers)
        for path in ("/", "/callback/", "/favicon.ico", "/../callback?code=a", "//callback?code=a"):
            assert stranger.get(f"{origin}{path}", timeout=5).status_code >= 400
    port = int(origin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as silent, socket.create_connection(("127.0.0.1", port)) as loud:
        loud.sendall(b"\x16\x03\x01" + b"\0" * 2000)
        assert deliver(address).status_code == 200
        kernel.wait_for(model, state="signed_in", attempt="")
        silent.close()


def test_what_no_page_of_ours_sends_changes_nothing_and_shows_nothing(a_seat: Seat) -> None:
    kernel, model = a_seat
    (kernel.folder / "private").write_text(f"OTHER={CANARY}\n")
    state = kernel.wait_for(model, attempt="")["state"]
    already = len(kernel.messages)
    bent: list[dict[str, Any]] = [
        {"kind": "load_env", "path": "private"},
        {"kind": "load_env", "path": ["/etc/passwd"]},
        {"kind": "load_env", "path": "\0"},
        {"kind": "load_env"},
        {"kind": "use_source", "id": f"env_file:{kernel.folder / 'private'}"},
        {"kind": "use_source", "id": {"__proto__": 1}},
        {"kind": "paste_callback"},
        {"kind": "retry"},
    ]
    for content in bent:
        kernel.click(model, **content)
        kernel.has_handled_the_click()
        kernel.run("import threading; [t.join() for t in threading.enumerate() if t.name == 'luminary-auth']")
        attempt = kernel.status(model)["attempt"]
        assert attempt is None or attempt["phase"] == "failed"
        kernel.click(model, "dismiss")
        kernel.wait_for(model, attempt="", state=state)
    unknown: list[dict[str, Any]] = [
        {"kind": "__init__"},
        {"kind": "dismiss", "id": "<b>"},
        {"kind": ["check"]},
        {"kind": "sign_out_everywhere"},
        {"kind": None},
    ]
    for content in unknown:
        kernel.click(model, **content)
        kernel.has_handled_the_click()
    told = json.dumps(kernel.messages[already:], default=str)
    assert CANARY not in told
    assert "root:" not in told
    assert "unexpected" not in told
    assert "Traceback" not in told
    assert kernel.wait_for(model, attempt="")["state"] == state
