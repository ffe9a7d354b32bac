"""Whatever a page sends, in whatever order: no traceback, no hang, no changed file, no state that is none.

In a process of its own: the SDK reads its environment once, when it is imported.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_no_message_of_a_page_brings_a_traceback_a_hang_a_changed_file_or_a_state_that_is_none():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.security.page_messages"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-20_000:]
    assert "Traceback" not in done.stderr
