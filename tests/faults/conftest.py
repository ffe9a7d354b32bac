"""A kernel whose two ways to the sandbox, to the API and to the identity service, can be cut and bent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel
from tests.kernel.test_sign_in import LOGIN
from tests.sandbox.helpers import Browser

from .line import Fault, Line, Tricks, trusting


@dataclass
class Desk:
    """A kernel that is bound to a sandbox by two lines; `model` is its widget, `environ` leads past the lines."""

    cloud: Sandbox
    kernel: Kernel
    model: str
    api: Line
    auth: Line
    credentials: Path
    environ: dict[str, str]

    def heal(self) -> None:
        for line in (self.api, self.auth):
            line.fail(None)

    def fail(self, fault: Fault | None) -> None:
        """Let both lines meet the fault; None refuses connections."""
        for line in (self.api, self.auth):
            line.fail(fault) if fault else line.refuse()

    def printed(self, code: str) -> str:
        """Run a cell that is to end well; return what it printed."""
        ran = self.kernel.run(code)
        assert not ran.error, ran.traceback
        return ran.text.strip()

    def restore_the_environment(self) -> None:
        """Give the kernel the variables back that it began with."""
        self.printed("os.environ.clear(); os.environ.update(before)")

    def use(self, credential: str) -> None:
        """Have the kernel be signed in by a key or a stored session, unless it is."""
        method = {"key": "Method.API_KEY", "stored session": "Method.BROWSER"}[credential]
        if self.printed("print(session.status.state.value, session.status.method)") != f"signed_in {method}":
            self.use_a_key() if credential == "key" else self.use_a_session()

    def use_a_key(self) -> None:
        key = self.cloud.create_api_key("ada@example.com", name="desk")
        self.printed(f"session.use_key({key.secret!r});")

    def use_a_session(self) -> None:
        with Browser(self.cloud) as browser:
            token = browser.sign_in()["refresh_token"]
        self.credentials.mkdir(mode=0o700, exist_ok=True)
        (self.credentials / "tokens2").write_text(json.dumps({"refresh_token": token}))
        self.printed("session.use_source('stored_session');")


@pytest.fixture(scope="session")
def some_tricks() -> Tricks:
    return Tricks()


@pytest.fixture(scope="module")
def a_running_desk(tmp_path_factory: pytest.TempPathFactory, some_tricks: Tricks) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with sandbox.start() as cloud:
        environ = bound_environ(cloud, folder)
        api, auth = (Line(int(environ[name].rpartition(":")[2])) for name in ("LC_DOMAIN", "LC_AUTH_DOMAIN"))
        lines = {"LC_DOMAIN": f"localhost:{api.port}", "LC_AUTH_DOMAIN": f"localhost:{auth.port}"}
        kernel = Kernel(folder, {**environ, **trusting(environ, some_tricks, folder), **lines})
        (model,) = kernel.run(LOGIN).models
        kernel.run("import os; before = dict(os.environ)")
        yield Desk(cloud, kernel, model, api, auth, folder / "credentials", environ)
        kernel.close()
        for line in (api, auth):
            line.refuse()


@pytest.fixture
def a_desk(a_running_desk: Desk) -> Iterator[Desk]:
    """Its lines are healthy, and its clock is the sandbox's."""
    yield a_running_desk
    a_running_desk.heal()
    a_running_desk.restore_the_environment()
    a_running_desk.cloud.advance(-a_running_desk.cloud.status.clock_ahead)
