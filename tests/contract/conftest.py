"""Python processes with the real SDK in them."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def a_script(a_bound_environ, tmp_path):
    """Run Python code in a process of its own that is bound to the sandbox, and return what it printed."""

    def run(code: str, **extra: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", code],
            env={**a_bound_environ, **extra},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
