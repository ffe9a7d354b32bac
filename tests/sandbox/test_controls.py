"""What each of the sandbox's controls does to the SDK and to the widget, in a real kernel; all by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import ApiKey, Sandbox
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel

from .helpers import Browser

BEGIN = """
import luminarycloud as lc
from luminary_auth_widget import login
session = login(show=False)
"""
CHECK = "status = session.check(); print(status.state.value, status.message)"
LIST = "print(len(list(lc.iterate_projects())), 'projects')"
# How the widget names each fault, and whether the SDK's call goes on once it is over.
FAULTS = {
    "slow": ("did not answer within 5 s.", True),
    "error": ("answered with a failure of its own", False),
    "refuse": ("could not be reached", True),
    "drop": ("could not be reached", True),
    "bad_certificate": ("showed a certificate that this machine does not trust.", True),
}


@dataclass
class Desk:
    """A sandbox whose strings are pulled, and a kernel that is bound to it."""

    cloud: Sandbox
    kernel: Kernel
    credentials: Path

    def control(self, *words: str) -> None:
        assert sandbox.main(["--folder", str(self.cloud.folder), *words]) == 0

    def checked(self) -> str:
        return self.kernel.run(CHECK).text.strip()

    def listed(self) -> str:
        """Return what the SDK's own call gives or raises."""
        ran = self.kernel.run(LIST)
        return ran.error or ran.text.strip()

    def answer_to(self, call: str) -> str:
        """Return what a cell that was sent without waiting has printed, or its traceback, once it has ended."""
        self.kernel.run("pass")
        answers = [m["content"] for m in self.kernel.messages if m["parent_header"].get("msg_id") == call]
        return "".join(answer.get("text") or "\n".join(answer.get("traceback", [])) for answer in answers)

    def use(self, key: ApiKey) -> None:
        ran = self.kernel.run(f"session.use_key({key.secret!r})")
        assert not ran.error

    def use_a_browser_session(self) -> None:
        with Browser(self.cloud) as browser:
            token = browser.sign_in()["refresh_token"]
        self.credentials.mkdir(mode=0o700, exist_ok=True)
        (self.credentials / "tokens2").write_text(json.dumps({"refresh_token": token}))
        assert not self.kernel.run("session.use_source('stored_session')").error


@pytest.fixture(scope="module")
def a_running_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with sandbox.start() as cloud:
        kernel = Kernel(folder, bound_environ(cloud, folder))
        assert not kernel.run(BEGIN).error
        yield Desk(cloud, kernel, folder / "credentials")
        kernel.close()


@pytest.fixture
def a_desk(a_running_desk: Desk) -> Iterator[Desk]:
    """One whose time was moved by other tests; its faults are off."""
    yield a_running_desk
    a_running_desk.cloud.clear_faults()


@pytest.fixture
def a_desk_with_a_key(a_desk: Desk) -> tuple[Desk, ApiKey]:
    key = a_desk.cloud.create_api_key("ada@example.com", name="desk", lifetime=timedelta(days=7))
    a_desk.use(key)
    return a_desk, key


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_the_widget_and_waited_out_or_raised_by_the_sdk(
    a_desk_with_a_key: tuple[Desk, ApiKey], fault: str
) -> None:
    desk, _ = a_desk_with_a_key
    sentence, waits = FAULTS[fault]
    desk.control("fault", fault, "--seconds", "60")
    said = desk.checked()
    assert said.startswith("unverified")
    assert sentence in said
    call = desk.kernel.client.execute(LIST)
    desk.kernel.has_begun(call)
    if not waits:
        assert "INTERNAL" in desk.answer_to(call)
    desk.control("clear")
    if waits:
        assert desk.answer_to(call) == "3 projects\n"
    assert desk.checked() == "signed_in"


def test_trouble_never_ends_a_browser_session(a_desk: Desk) -> None:
    a_desk.use_a_browser_session()
    for fault in FAULTS.keys() - {"slow"}:
        a_desk.control("fault", fault)
        said = a_desk.checked()
        assert said.startswith("unverified"), fault
        assert FAULTS[fault][0] in said
        a_desk.control("clear")
    assert a_desk.checked() == "signed_in"


def test_a_key_whose_time_has_come_is_refused(a_desk_with_a_key: tuple[Desk, ApiKey]) -> None:
    desk, _ = a_desk_with_a_key
    desk.control("advance", "6d")
    assert desk.checked() == "signed_in"
    desk.control("advance", "1d")
    assert desk.checked().startswith("rejected It was revoked, deleted or has expired.")
    assert "AuthenticationError" in desk.listed()


def test_a_key_that_is_revoked_is_refused(a_desk_with_a_key: tuple[Desk, ApiKey]) -> None:
    desk, key = a_desk_with_a_key
    desk.control("revoke", key.id)
    assert desk.checked().startswith("rejected It was revoked, deleted or has expired.")
    assert "AuthenticationError" in desk.listed()


def test_a_browser_session_is_good_for_thirty_days_and_then_expired(a_desk: Desk) -> None:
    a_desk.use_a_browser_session()
    a_desk.control("advance", "29d")
    assert a_desk.checked() == "signed_in"
    assert a_desk.listed() == "3 projects"
    a_desk.control("advance", "24h")
    assert a_desk.checked() == "expired The server said that the session is over."
    assert "InteractiveAuthException" in a_desk.listed()


def test_sessions_that_are_ended_are_over_at_once(a_desk: Desk) -> None:
    a_desk.use_a_browser_session()
    a_desk.control("end-sessions", "ada@example.com")
    assert a_desk.checked() == "expired The server said that the session is over."
    assert "InteractiveAuthException" in a_desk.listed()


def test_status_tells_the_clock_the_faults_and_the_keys(a_desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    before = a_desk.cloud.status.clock_ahead
    key = a_desk.cloud.create_api_key("grace@example.com", name="wing", lifetime=timedelta(days=7))
    a_desk.control("advance", "12h")
    a_desk.control("fault", "slow", "--seconds", "2.5")
    a_desk.control("advance", "--", "-12h")
    capsys.readouterr()
    a_desk.control("status")
    told = capsys.readouterr().out
    assert a_desk.cloud.status.clock_ahead == before
    assert "Faults: slow (2.5 s)" in told
    (line,) = (line for line in told.splitlines() if key.id in line)
    assert f"…{key.secret[-4:]}  grace@example.com  wing  active until {key.expires_at:%Y-%m-%d}" in line
    assert key.secret not in told
    a_desk.control("revoke", key.id)
    a_desk.control("status")
    assert "wing  inactive" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["revoke", "4711"], "The sandbox has no API key 4711."),
        (["end-sessions", "nobody@example.com"], "The sandbox has no account nobody@example.com."),
    ],
)
def test_what_is_not_there_is_told(
    a_desk: Desk, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.main([*words, "--folder", str(a_desk.cloud.folder)]) == 1
    assert capsys.readouterr().err.strip() == sentence


def test_a_command_without_a_sandbox_says_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sandbox.main(["advance", "29d", "--folder", str(tmp_path)]) == 1
    assert "No sandbox runs here. Start one: luminary-auth sandbox" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert sandbox.main(["status", "--folder", str(tmp_path / "file" / "below")]) == 1
    assert "could not be written: Not a directory." in capsys.readouterr().err


@pytest.mark.parametrize("words", [["advance", "29 years"], ["fault", "flood"], ["revoke"], ["dance"]])
def test_what_is_no_command_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        sandbox.main(words)
    assert "usage: luminary-auth sandbox" in capsys.readouterr().err
