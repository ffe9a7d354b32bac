"""A sandbox, a browser on it, and Python processes beside it: all of them real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from luminary_auth_widget import sandbox

from .helpers import Browser

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def shared_by_tests() -> Iterator[sandbox.Sandbox]:
    with sandbox.start() as cloud:
        yield cloud


@pytest.fixture
def a_sandbox(shared_by_tests: sandbox.Sandbox) -> Iterator[sandbox.Sandbox]:
    """One that other tests use as well: its time is not moved, its faults are cleared."""
    yield shared_by_tests
    shared_by_tests.clear_faults()


@pytest.fixture(scope="session")
def a_sandbox_whose_time_moves() -> Iterator[sandbox.Sandbox]:
    """One whose time tests move; each counts from where it finds it."""
    with sandbox.start() as cloud:
        yield cloud


@pytest.fixture
def a_key(a_sandbox: sandbox.Sandbox) -> sandbox.ApiKey:
    return a_sandbox.create_api_key("ada@example.com", name="laptop", lifetime=timedelta(days=7))


@pytest.fixture
def a_browser(a_sandbox: sandbox.Sandbox) -> Iterator[Browser]:
    with Browser(a_sandbox) as browser:
        yield browser


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Run code in a process of its own, in an empty folder, as a kernel would: `.env` is looked for there."""

    def run(code: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | (environ or {}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where `sandbox.use()` finds no sandbox yet; one that it starts there is stopped."""
    folder = tmp_path / "shared"
    monkeypatch.setenv("LUMINARY_SANDBOX_DIR", str(folder))
    yield folder
    sandbox.main(["--stop"])
