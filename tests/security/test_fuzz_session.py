"""A session to which everything happens in any order; in a process of its own, since the SDK is bound for good."""

import subprocess
import sys
from pathlib import Path

from .fuzzing import CASES

ROOT = Path(__file__).parents[2]


def test_whatever_happens_to_a_session_in_whatever_order_what_is_promised_of_it_holds():
    command = [sys.executable, "-W", "error", "-m", "tests.security.session_machine"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=max(600, CASES), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'rejected'" in done.stdout
