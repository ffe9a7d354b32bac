"""The real command: run to its end through pipes, or in a terminal, with a person at it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import psutil

# The installed command, as people run it.
COMMAND = str(Path(sys.executable).with_name("luminary-auth"))
LIMIT_SECONDS = 60
# subprocess makes no controlling terminal, and without one Ctrl-C is only a character.
_WITH_TERMINAL = (
    # A run in the background, as CI's may be, hands down that Ctrl-C is ignored.
    "import fcntl, os, signal, sys, termios; signal.signal(signal.SIGINT, signal.SIG_DFL);"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def run(
    *arguments: str, environ: dict[str, str], cwd: Path, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command with no terminal; `given` is piped into it."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environ,
        cwd=cwd,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_SECONDS,
        check=False,
    )


class Terminal:
    """The command in a terminal of its own; `wait_for` what it says, `type` into it, press `ctrl_c`."""

    def __init__(self, *arguments: str, environ: dict[str, str], cwd: Path) -> None:
        self.text = ""
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WITH_TERMINAL, COMMAND, *arguments],
            env={"TERM": "xterm", **environ},
            cwd=cwd,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        # Kept open: its settings are looked at when the command has ended.
        self.device = theirs

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self.device)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the command has said what matches `pattern`."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not (match := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, f"It never said {pattern!r}: {self.text}"
            assert self._read(deadline) or self.process.poll() is None, f"It ended without {pattern!r}: {self.text}"
        return match

    def wait_for_link(self) -> str:
        return self.wait_for(r"(http\S+/authorize\S+)\s")[1]

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def ctrl_c(self) -> None:
        os.write(self._ours, b"\x03")

    def end(self) -> int:
        """Wait for the command's end; return its exit code."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"It did not end: {self.text}"
            self._read(time.monotonic() + 0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def command_lines(self) -> str:
        """Return what everybody on the machine can see of the command and its children."""
        process = psutil.Process(self.process.pid)
        return "\n".join(" ".join(one.cmdline()) for one in [process, *process.children(recursive=True)])

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def _read(self, deadline: float) -> bool:
        """Take in what has been said by the deadline, at most half a second from now; return whether there was any."""
        ready, _, _ = select.select([self._ours], [], [], max(0, min(0.5, deadline - time.monotonic())))
        if ready:
            self.text += os.read(self._ours, 65536).decode("utf-8", "replace")
        return bool(ready)
