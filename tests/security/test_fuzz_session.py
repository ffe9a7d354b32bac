"""Whatever a page sends, and whatever happens in whatever order: the session is in one of its states, as promised.

In a process of its own: the SDK reads its environment once, when it is imported.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# With one input after the other; the largest run takes hours.
_ROOT = Path(__file__).parents[2]


def _run(module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", f"tests.security.{module}"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-20_000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize("module", ["page_messages", "session_machine"])
def test_nothing_that_is_sent_or_happens_brings_a_traceback_a_hang_or_a_state_that_is_none(module):
    assert "Traceback" not in _run(module)
