"""The sandbox that kernels share, and pointing a kernel at it."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..credentials import Secret
from ..files import friendly, make_private_folder
from . import process
from .demo import ACCOUNTS
from .handle import Sandbox
from .state import SandboxError, shared_folder

# Two hours: longer than a lunch break, shorter than a night.
_IDLE_LIMIT_SECONDS = 2 * 60 * 60
# A kernel that waits for another one's start waits longer than a start may take.
_LOCK_TIMEOUT_SECONDS = 60


def use() -> Sandbox:
    """Point this kernel at the sandbox of this machine, starting it where none runs; say what changed.

    Has to come before `import luminarycloud`, which reads its environment once. Calling it again joins the same one.

    Returns
    -------
    Sandbox

    Raises
    ------
    SandboxError
        If luminarycloud was imported already and talks to something else, or the sandbox does not start.
    """
    folder = shared_folder().resolve()
    make_private_folder(folder)
    with _one_at_a_time(folder):
        sandbox = process.find_running(folder)
        _refuse_if_the_sdk_is_bound_elsewhere(sandbox)
        sandbox = sandbox or process.start_detached(folder, _IDLE_LIMIT_SECONDS)
    taken_out = os.environ.get("LC_API_KEY", "")
    os.environ.update(sandbox.environ)
    for sentence in _what_changed(sandbox, taken_out):
        print(sentence)
    return sandbox


def accounts_sentence() -> str:
    """Return the demo accounts as one line; their passwords are no secrets."""
    return "Demo accounts: " + ", ".join(f"{account.email} (password {account.password})" for account in ACCOUNTS) + "."


def _what_changed(sandbox: Sandbox, taken_out: str) -> Iterator[str]:
    # Without the https address: JupyterLab would make it a link, and a browser does not trust the sandbox's CA.
    yield "This kernel now talks to the sandbox on this machine, not to Luminary Cloud."
    yield "Nothing real belongs there: enter no password or key of yours."
    if taken_out:
        fingerprint = Secret(taken_out).fingerprint
        yield f"Your LC_API_KEY ({fingerprint}) was taken out of this kernel's environment and is not sent anywhere."
    dotenv = _dotenv_that_the_sdk_would_find()
    if dotenv:
        place = "beside this notebook" if dotenv.parent == Path.cwd() else f"above this notebook ({friendly(dotenv)})"
        yield f"There is a .env {place}; its LC_ variables are not read unless you press Load."
    # A path alone is nothing that a person could open.
    through_hub = "Get a key ↗ in the widget opens them, through jupyter-server-proxy"
    yield f"Its pages: {sandbox.browser_url if '://' in sandbox.browser_url else through_hub}"
    yield "Demo accounts:"
    # A line each: a cell's output breaks long lines inside of passwords.
    yield from (f"  {account.email} (password {account.password})" for account in ACCOUNTS)


def _dotenv_that_the_sdk_would_find() -> Path | None:
    here = Path.cwd()
    return next((folder / ".env" for folder in (here, *here.parents) if (folder / ".env").is_file()), None)


def _refuse_if_the_sdk_is_bound_elsewhere(sandbox: Sandbox | None) -> None:
    # The SDK reads its environment at import, once: a kernel that has imported it cannot be pointed elsewhere any more.
    config = sys.modules.get("luminarycloud._config")
    if config is None:
        return
    domain = getattr(config, "LC_DOMAIN", None)
    if sandbox is None or domain != sandbox.environ["LC_DOMAIN"]:
        raise SandboxError(
            f"luminarycloud is already imported in this kernel, and talks to {domain}.",
            next_step="Restart the kernel, and run sandbox.use() first.",
        )


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    # SQLite's own lock works on every system, and a kernel that is killed lets go of it.
    with closing(sqlite3.connect(folder / "start.lock", timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield
