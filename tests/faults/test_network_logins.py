"""What can happen on the way while a browser sign-in fetches its token: a sentence each, and the next one works."""

from __future__ import annotations

import queue
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from luminary_auth_widget.browser_login import BrowserLogin, Events
from luminary_auth_widget.errors import AuthError
from tests.kernel.driver import end_of_login

from .conftest import Desk
from .line import Tricks, connect
from .test_network import CHECK, FAULTS, LEFT, LIST, ONE_DAY, make


def _fails_after(desk: Desk, fault: str, tricks: Tricks) -> dict[str, str]:
    """Sign in up to the fault; return what the widget says of it."""
    address = end_of_login(desk.cloud, desk.kernel.begin_login(desk.model))
    desk.fail(make(fault, tricks))
    desk.kernel.paste(desk.model, address)
    desk.kernel.wait_for(desk.model, attempt="failed")
    attempt: dict[str, str] = desk.kernel.status(desk.model)["attempt"]
    return attempt


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_the_token_is_fetched_is_told_and_the_next_sign_in_works(
    a_desk: Desk, some_tricks: Tricks, fault: str
) -> None:
    attempt = _fails_after(a_desk, fault, some_tricks)
    told = f"{attempt['message']} {attempt['next_step']}"
    assert told.startswith("localhost ")
    # What failed with a number is told as the child's, in other words than a check's.
    number = re.search(r"\(HTTP \d+\)\.", FAULTS[fault])
    assert (number[0] if number else FAULTS[fault]) in told
    if fault == "too many requests":
        assert told == "localhost asks to slow down (HTTP 429). Try again in 2 minutes; nothing was changed."
    a_desk.heal()
    assert a_desk.kernel.sign_in(a_desk.model, a_desk.cloud)["state"] == "signed_in"


def test_a_clock_a_day_ahead_of_the_servers_is_named_when_a_sign_in_fails_by_it(a_desk: Desk) -> None:
    a_desk.cloud.advance(-ONE_DAY)
    address = end_of_login(a_desk.cloud, a_desk.kernel.begin_login(a_desk.model))
    a_desk.kernel.paste(a_desk.model, address)
    a_desk.kernel.wait_for(a_desk.model, attempt="failed")
    attempt = a_desk.kernel.status(a_desk.model)["attempt"]
    assert "has ended already, by this machine's clock." in attempt["message"]
    a_desk.cloud.advance(ONE_DAY)
    assert a_desk.kernel.sign_in(a_desk.model, a_desk.cloud)["state"] == "signed_in"


def test_a_clock_a_day_behind_the_servers_hinders_no_sign_in_and_the_countdown_is_by_it(a_desk: Desk) -> None:
    # The tokens that come were issued in this clock's tomorrow.
    a_desk.cloud.advance(ONE_DAY)
    assert a_desk.kernel.sign_in(a_desk.model, a_desk.cloud)["expiry"] == "recorded"
    assert a_desk.printed(LIST) == "3 projects"
    assert a_desk.printed(LEFT) == "True"
    assert a_desk.printed(CHECK).startswith("signed_in")


def test_a_name_without_an_address_and_a_ca_file_that_is_not_there_are_told(a_desk: Desk) -> None:
    for changes, sentence in {
        "REQUESTS_CA_BUNDLE='/no/ca.pem'": "REQUESTS_CA_BUNDLE names a CA file that is not there.",
        "LC_AUTH_DOMAIN='nowhere.invalid'": "nowhere.invalid could not be found: its name has no address here (DNS).",
    }.items():
        a_desk.printed(f"os.environ.update({changes})")
        # The child inherits the change; where the person logs in, the sandbox's pages are not affected.
        link = a_desk.kernel.begin_login(a_desk.model)
        page = link.replace("https://nowhere.invalid", a_desk.cloud.url)
        a_desk.kernel.paste(a_desk.model, end_of_login(a_desk.cloud, page))
        a_desk.kernel.wait_for(a_desk.model, attempt="failed")
        assert a_desk.kernel.status(a_desk.model)["attempt"]["message"] == sentence
        a_desk.restore_the_environment()
    assert a_desk.kernel.sign_in(a_desk.model, a_desk.cloud)["state"] == "signed_in"


# -- what is for loopback alone ----------------------------------------------------------------------------------------


class Proxy:
    """A proxy as companies have them: it knows CONNECT, and notes where to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            request = client.recv(65536).decode("latin-1").split()
            self.asked.append(" ".join(request[:2]))
            if request[0] != "CONNECT":
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
                return
            port = int(request[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as beyond:
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                connect(client, beyond)


@pytest.fixture
def a_proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


NAMES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy")


def test_through_a_proxy_one_signs_in_and_what_is_for_loopback_does_not_go_there(
    a_desk: Desk, a_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_desk.printed(
        "os.environ.pop('NO_PROXY'); os.environ.pop('no_proxy')\n"
        f"os.environ.update(dict.fromkeys({NAMES}, {a_proxy.url!r}))"
    )
    link = a_desk.kernel.begin_login(a_desk.model)
    a_desk.kernel.paste(a_desk.model, end_of_login(a_desk.cloud, link))
    a_desk.kernel.wait_for(a_desk.model, state="signed_in", attempt="")
    # The sandbox's strings are pulled on loopback.
    for name in NAMES:
        monkeypatch.setenv(name, a_proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    a_desk.cloud.clear_faults()
    a_desk.restore_the_environment()
    assert set(a_proxy.asked) == {f"CONNECT localhost:{line.port}" for line in (a_desk.api, a_desk.auth)}


def test_the_address_is_pasted_back_by_whatever_name_loopback_has(a_desk: Desk) -> None:
    for name in ("localhost", "[::1]"):
        address = end_of_login(a_desk.cloud, a_desk.kernel.begin_login(a_desk.model))
        a_desk.kernel.paste(a_desk.model, address.replace("127.0.0.1", name))
        a_desk.kernel.wait_for(a_desk.model, state="signed_in", attempt="")


def test_a_machine_without_127_0_0_1_is_told_that_a_browser_cannot_come_back(
    a_bound_environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As such a machine answers: only root could take the address away for the length of a test.
    without = (
        "import errno, os, socket\n"
        "class Socket(socket.socket):\n"
        "    def bind(self, address):\n"
        "        if address[0] == '127.0.0.1':\n"
        "            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))\n"
        "        return super().bind(address)\n"
        "socket.socket = Socket\n"
    )
    (tmp_path / "sitecustomize.py").write_text(without)
    for name, value in {**a_bound_environ, "PYTHONPATH": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    failures: queue.SimpleQueue[AuthError] = queue.SimpleQueue()

    def ignore(*_facts: object) -> None:
        pass

    login = BrowserLogin(tmp_path / "credentials")
    events = Events(linked=ignore, landed=ignore, stranger=ignore, finished=ignore, failed=failures.put)
    login.begin(events, environment="standard", target=None)
    assert "no address 127.0.0.1" in failures.get(timeout=60).message
    login.cancel()
