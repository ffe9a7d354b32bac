"""Programs of other people, of which these tests need the real ones, and processes that end with the test."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from tests.browser.lab import LIMIT_SECONDS
from tests.matrix import environments

_END_SECONDS = 20


def install_proxy() -> Path:
    """Install the proxy of JupyterHub, and with it of Binder, from npm; return its command."""
    return environments.from_npm("configurable-http-proxy", "configurable-http-proxy") / ".bin/configurable-http-proxy"


def clean_environ(**own: str) -> dict[str, str]:
    """Return the environment of a machine on which nobody has signed in or runs Jupyter."""
    ours = ("LC_", "LUMINARY_", "JUPYTER", "JPY_", "XDG_")
    return (
        {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        | {"PATH": environments.PATH}
        | own
    )


@contextlib.contextmanager
def running(command: list[str], *, answers_at: str, cwd: Path, environ: dict[str, str], log: Path) -> Iterator[None]:
    """Run a server; it answers at that address when this begins, and is gone when this ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait_until_up(process, answers_at, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)  # a server has no other sign of being up
    raise AssertionError(f"{url} does not answer:\n{log.read_text(errors='replace')}")
