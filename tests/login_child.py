"""Stands in for login_worker.py where a test is about what the parent makes of its child: says what it is told to say.

The real child takes seconds, and is tested in tests/contract and tests/kernel.
"""

from __future__ import annotations

import sys
from pathlib import Path

_BEGINNING = """
import json, os, sys, time
folder = os.environ["LC_CREDENTIALS_DIR"]
def say(event, **facts): print(json.dumps({"event": event, **facts}), flush=True)
def keep(text): open(os.path.join(folder, "tokens2"), "w").write(text)
def note(**facts): open("noted.json", "w").write(json.dumps(facts))
def wait(): sys.stdin.read()
order = json.loads(sys.stdin.readline() or "null")
"""


def stand_in(folder: Path, script: str) -> str:
    """Return the path of a program that takes the place of `sys.executable`, and runs `script` instead of the login.

    It knows `order` (what the parent has sent), `folder` (where its token belongs), and the functions `say` (a line for
    the parent), `keep` (a text as its token store), `note` (facts for the test, in noted.json where it runs) and `wait`
    (until the parent ends it).
    """
    program = folder / "python-that-plays-a-login"
    # Without site-packages it starts in some hundredths of a second.
    program.write_text(f"#!{sys.executable} -IS\n{_BEGINNING}{script}\n")
    program.chmod(0o700)
    return str(program)
