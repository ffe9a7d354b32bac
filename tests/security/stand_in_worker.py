"""A real child process in the place of the login's: it says what a test wants it to say."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Started as Python is, with `-u login_worker.py`; a shell starts in a millisecond.
_PROGRAM = """#!/bin/sh
read order
[ -e "$STAND_IN/store" ] && cp "$STAND_IN/store" "$LC_CREDENTIALS_DIR/tokens2"
cat "$STAND_IN/says"
[ -e "$STAND_IN/stays" ] && exec cat "$STAND_IN/more"
exit 0
"""


class StandIn:
    """What the next child says, what it stores, and whether it waits for more to say then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.credentials = folder.parent / "credentials"

    def says(self, output: bytes, *, store: bytes | None = None, stays: bool = False) -> None:
        (self._folder / "says").write_bytes(output)
        for name, content in (("store", store), ("stays", b"" if stays else None)):
            path = self._folder / name
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)

    def says_more(self, output: bytes) -> None:
        """Let the child that waits say the rest, and end."""
        (self._folder / "more").write_bytes(output)


@contextmanager
def stand_in(folder: Path) -> Iterator[StandIn]:
    """Start the stand-in wherever a login's child is started."""
    ours = folder / "stand-in"
    ours.mkdir()
    program = ours / "python"
    program.write_text(_PROGRAM)
    program.chmod(0o700)
    os.mkfifo(ours / "more")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.executable", str(program))
        patch.setenv("STAND_IN", str(ours))
        worker = StandIn(ours)
        worker.says(b"")
        yield worker


def line(**fact: object) -> bytes:
    """Return a line as the login's child writes it."""
    return json.dumps(fact).encode() + b"\n"
