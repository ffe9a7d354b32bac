"""A program that writes our files again and again until it is killed: one fork for each line on stdin.

The line names what to write: "env", "store" or "sidecar".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import cycle
from pathlib import Path

from luminary_auth_widget import env_file, records, token_store
from luminary_auth_widget.credentials import Secret

# What is written in turn: the file is always the one or the other.
SECRETS = (Secret("made-up-secret-0000-aaaa"), Secret("made-up-secret-1111-bbbb"))
MOMENTS = (datetime(2031, 1, 1, tzinfo=timezone.utc), datetime(2032, 2, 2, tzinfo=timezone.utc))
ENV_FILE = Path(".env")


def write(kind: str, turn: int) -> None:
    """Do what a kernel does that remembers a key, stores a session, or notes the end of a key."""
    writers: dict[str, Callable[[], object]] = {
        "env": lambda: env_file.remember(ENV_FILE, SECRETS[turn]),
        "store": lambda: token_store.save(SECRETS[turn]),
        "sidecar": lambda: records.note_expiry(SECRETS[0], MOMENTS[turn]),
    }
    writers[kind]()


def main() -> None:
    """Fork writers, one after the other; say each one's number, and when it is gone."""
    for kind in sys.stdin:
        writer = os.fork()
        if not writer:
            for turn in cycle((0, 1)):
                write(kind.strip(), turn)
        print(writer, flush=True)
        os.waitpid(writer, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
