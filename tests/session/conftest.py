"""A process that is bound to the sandbox, in which each test finds a session that nothing has happened to yet."""

from __future__ import annotations

import json
import selectors
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import bound_environ
from tests.login_child import stand_in
from tests.sandbox.helpers import ADA, Browser

LIMIT_SECONDS = 90


class Told(SimpleNamespace):
    """What can be seen of the session after a piece of code: its status, and `client`, `notices`, `raised`, …"""

    @property
    def notice(self) -> dict[str, str]:
        return {id_: text for id_, text, _actions in self.notices}

    def moment(self, name: str) -> datetime:
        return datetime.fromisoformat(getattr(self, name))


class Place:
    """The process, its working directory (`folder`) and the SDK's folder (`credentials`)."""

    def __init__(self, environ: dict[str, str], root: Path) -> None:
        self.folder, self.credentials = root / "notebooks", Path(environ["LC_CREDENTIALS_DIR"])
        self._environ = environ
        self.start()

    def start(self) -> None:
        self._empty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.session.bound"],
            env={**self._environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()

    def renew(self) -> None:
        """Forget the last test: an empty folder, no credentials, a new session."""
        self._empty()
        self._ask()

    def run(self, code: str = "", *, settle: bool = True, **names: Any) -> Told:
        """Run code in which `session` is the session; return what can be seen then."""
        return Told(**self._ask(code=code, names=names, settle=settle))

    def store(self, token: str) -> None:
        """Store a session as another program does that has signed in."""
        (self.credentials / "tokens2").write_text(json.dumps({"refresh_token": token}))
        (self.credentials / "tokens2").chmod(0o600)

    def stored(self) -> str | None:
        """Return the refresh token in the SDK's store."""
        store = self.credentials / "tokens2"
        return json.loads(store.read_text()).get("refresh_token") if store.exists() else None

    def noted(self) -> Any:
        """Return what our own file holds."""
        file = self.credentials / "luminary-auth-widget.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def _empty(self) -> None:
        for folder in (self.folder, self.credentials):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in folder.iterdir():
                # The last test's login may be taking away its own folder.
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)

    def _ask(self, **what: Any) -> dict[str, Any]:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout.fileno(), selectors.EVENT_READ)
            assert selector.select(LIMIT_SECONDS), "The process has gone silent."
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "broken" not in answer, answer["broken"]
        return answer


@pytest.fixture(scope="session")
def a_bound_process(a_running_sandbox, tmp_path_factory):
    root = tmp_path_factory.mktemp("bound")
    place = Place(bound_environ(a_running_sandbox, root), root)
    yield place
    place.stop()


@pytest.fixture
def a_place(a_bound_process, a_sandbox):
    a_bound_process.renew()
    return a_bound_process


@pytest.fixture
def a_token(a_sandbox):
    """The refresh token of a session that Ada has signed in to."""
    return sign_in(a_sandbox)


def sign_in(cloud, account=ADA):
    with Browser(cloud) as browser:
        return browser.sign_in(account)["refresh_token"]


@pytest.fixture
def a_login(a_place, tmp_path):
    """Let the session's logins be played by a script (see tests/login_child.py)."""

    def play(script):
        a_place.run("import sys; sys.executable = program", program=stand_in(tmp_path, script))
        return a_place

    return play
