"""Starting the sandbox's process, and seeing it end."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from ..files import make_private_folder
from .handle import Sandbox
from .state import INSTALL, LOG_FILE, STORE_FILE, RunningSandbox, SandboxError

# It takes about 1 s on an idle machine.
_START_LIMIT_SECONDS = 30
_STOP_LIMIT_SECONDS = 2
_TEMPORARY_PREFIX = "luminary-sandbox-"


def start(folder: Path | str | None = None, *, refresh_rotation: bool = False) -> Sandbox:
    """Start a sandbox of one's own, which ends with this process at the latest.

    Parameters
    ----------
    folder : Path or str, optional
        Where it keeps its files; by default a temporary folder that is removed at the end.
    refresh_rotation : bool
        Whether each renewal gives a new refresh token and ends the old one's life.

    Returns
    -------
    Sandbox
        To be used in a `with` statement, or to be stopped.

    Raises
    ------
    SandboxError
        If it does not start, or another sandbox runs in `folder` already.
    """
    if folder is None:
        _clear_left_behind()
    home = Path(tempfile.mkdtemp(prefix=_TEMPORARY_PREFIX) if folder is None else folder).resolve()
    make_private_folder(home)
    if find_running(home):
        raise SandboxError(f"A sandbox runs in {home} already.", next_step="Stop it, or choose another folder.")

    def clean_up() -> None:
        _end(process)
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)

    try:
        process = launch(
            home, ["--while-stdin-is-open", *["--refresh-rotation"] * refresh_rotation], stdin=subprocess.PIPE
        )
    except SandboxError:
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)
        raise
    return Sandbox(_written(home), home, clean_up=clean_up)


def start_detached(folder: Path, idle_limit_seconds: int) -> Sandbox:
    """Start a sandbox that outlives this process, until nobody has asked it anything for `idle_limit_seconds`."""
    process = launch(folder, ["--idle-limit", str(idle_limit_seconds)], stdin=subprocess.DEVNULL)
    # It is left behind on purpose; without this, Popen warns that it still runs.
    process.returncode = 0
    return Sandbox(_written(folder), folder)


def find_running(folder: Path) -> Sandbox | None:
    """Return the sandbox that runs in `folder`; a state file that was left behind by one that ended counts as none."""
    running = RunningSandbox.read(folder)
    sandbox = Sandbox(running, folder) if running else None
    return sandbox if sandbox and sandbox.answers() else None


def launch(folder: Path, options: list[str], *, stdin: int) -> subprocess.Popen[str]:
    """Run the server, and return once it serves.

    Raises
    ------
    SandboxError
        If it ends, or says nothing within 30 s.
    """
    log = folder / LOG_FILE
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own module, arguments as a list
            [sys.executable, "-m", "luminary_auth_widget.sandbox.server", str(folder), *options],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_server_environment(),
            # `-m` puts the working directory first on the path, where a notebook's folder may hold a flask.py.
            cwd=folder,
            # Interrupting a kernel signals its whole process group.
            start_new_session=True,
        )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    give_up = threading.Timer(_START_LIMIT_SECONDS, process.kill)
    give_up.start()
    try:
        with process.stdout as output:
            serves = output.readline().strip() == "ready"
    finally:
        give_up.cancel()
    if serves:
        return process
    _end(process)
    last_words = log.read_text(encoding="utf-8", errors="replace").strip().rsplit("\n", 1)[-1]
    next_step = INSTALL if last_words.startswith("ModuleNotFoundError") else f"See {log}."
    raise SandboxError(f"The sandbox did not start: {last_words or 'it said nothing'}.", next_step=next_step)


def _server_environment() -> dict[str, str]:
    # A process that may run for days has no business with a real API key, nor gRPC's core with the log.
    without_ours = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return without_ours | {"GRPC_VERBOSITY": "NONE"}


def _clear_left_behind() -> None:
    """Remove the temporary folders of sandboxes whose starter was killed before it could."""
    for left in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY_PREFIX}*"):
        with suppress(OSError):
            started = time.time() - left.lstat().st_mtime > _START_LIMIT_SECONDS
            if started and not _has_its_store_open(left):
                shutil.rmtree(left, ignore_errors=True)


def _has_its_store_open(folder: Path) -> bool:
    # A server holds the store's lock for life, and a killed one lets go of it: no process id can tell as much.
    store = folder / STORE_FILE
    if not store.exists():
        return False
    try:
        with closing(sqlite3.connect(store, timeout=0, isolation_level=None)) as probe:
            probe.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return True
    return False


def _written(folder: Path) -> RunningSandbox:
    running = RunningSandbox.read(folder)
    if running is None:
        raise SandboxError("The sandbox ended as soon as it had started.", next_step=f"See {folder / LOG_FILE}.")
    return running


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_STOP_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
