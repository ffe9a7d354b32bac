"""The sandbox's own process: puts its parts together, serves, and ends cleanly."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import AuthError
from .api import Api
from .control import commands, create_control
from .identity import Identity
from .listener import Listener
from .state import CERTIFICATE_FILE, STORE_FILE, Fault, RunningSandbox, SandboxError
from .store import Store
from .tls import Authority, Certificate
from .tokens import AccessTokens
from .web import create_app
from .world import World

# Control stays on IPv4 whatever the host: both its ends are ours.
_CONTROL_HOST = "127.0.0.1"


def serve(
    folder: Path,
    *,
    ready: Callable[[RunningSandbox], None],
    host: str = "127.0.0.1",
    refresh_rotation: bool = False,
    idle_limit_seconds: float | None = None,
    while_stdin_is_open: bool = False,
) -> None:
    """Serve until asked to stop, by a signal, by control, by silence, or by the end of the parent.

    Parameters
    ----------
    folder : Path
        Where the store, the CA certificate and the state file go.
    ready : function
        Called once everything answers.
    host : str
        A loopback address.
    refresh_rotation : bool
        Whether each renewal gives a new refresh token.
    idle_limit_seconds : float, optional
        End after this long without a request.
    while_stdin_is_open : bool
        End when standard input does, which the parent's end brings about.

    Raises
    ------
    SandboxError
        If the host is not loopback, or another process has the store open.
    """
    # Whatever is written from here on is for this user alone.
    os.umask(0o077)
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    if while_stdin_is_open:
        threading.Thread(target=_stop_at_end_of_input, args=(stopping,), daemon=True).start()

    store = _open_store(folder)
    world = World(store)
    cloud = _Cloud(folder, host, store, world, refresh_rotation=refresh_rotation)
    cloud.open()
    control = Listener(_CONTROL_HOST)
    control_token = secrets.token_urlsafe(32)
    control.serve(create_control(control_token, commands(store, world, faults_changed=cloud.open, stop=stopping.set)))
    state = RunningSandbox(
        url=cloud.url,
        page_url=cloud.page_url,
        api_domain=cloud.api_domain,
        control_port=control.port,
        control_token=control_token,
        pid=os.getpid(),
        refresh_rotation=refresh_rotation,
    )
    state.write(folder)
    try:
        ready(state)
        _wait(stopping, world, idle_limit_seconds)
    finally:
        RunningSandbox.forget(folder)
        # Whoever is being slow would hold up the end.
        world.clear_faults()
        cloud.close()
        control.close()
        store.close()


class _Cloud:
    """What is there for others: web application, identity service and API, as open as the faults let them be."""

    def __init__(self, folder: Path, host: str, store: Store, world: World, *, refresh_rotation: bool) -> None:
        self._world = world
        trusted, foreign = Authority(), Authority()
        self._good, self._bad = trusted.issue(), foreign.issue()
        (folder / CERTIFICATE_FILE).write_bytes(trusted.certificate_pem)
        (folder / "credentials").mkdir(exist_ok=True)
        self._web = Listener(host, tls=lambda: self._certificate().context, cuts=self._cuts)
        self._pages = Listener(host, cuts=self._cuts)
        self.url = f"https://localhost:{self._web.port}"
        self.page_url = f"http://localhost:{self._pages.port}"
        tokens = AccessTokens(store, world, f"{self.url}/")
        self._app = create_app(world, Identity(store, world, tokens, rotate=refresh_rotation))
        self._api = Api(host, store, world, tokens)
        self._opening = threading.Lock()

    @property
    def api_domain(self) -> str:
        """Host and port of the API, once it was open."""
        return f"localhost:{self._api.port}"

    def open(self) -> None:
        """Serve as the faults of this moment say; to be called after each change of them."""
        with self._opening:
            refuses = self._world.has(Fault.REFUSE)
            for listener in (self._web, self._pages):
                listener.close() if refuses else listener.serve(self._app)
            if refuses:
                self._api.stop()
            elif self._cuts():
                self._api.cut(self._certificate())
            else:
                self._api.serve(self._certificate())

    def close(self) -> None:
        """End at once."""
        self._api.stop()
        self._web.close()
        self._pages.close()

    def _cuts(self) -> bool:
        return self._world.has(Fault.DROP)

    def _certificate(self) -> Certificate:
        return self._bad if self._world.has(Fault.BAD_CERTIFICATE) else self._good


def _stop_at_end_of_input(stopping: threading.Event) -> None:
    # Past Python's own buffer, whose lock a thread that reads would still hold when the process ends: a fatal error.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stopping.set()


def _wait(stopping: threading.Event, world: World, idle_limit_seconds: float | None) -> None:
    if idle_limit_seconds is None:
        stopping.wait()
        return
    while (left := world.last_active + idle_limit_seconds - time.monotonic()) > 0:
        if stopping.wait(left):
            return


def _open_store(folder: Path) -> Store:
    try:
        return Store(folder / STORE_FILE)
    except sqlite3.DatabaseError as error:
        locked = isinstance(error, sqlite3.OperationalError)
        what_to_do = "Is a sandbox running there already?" if locked else "Remove it: a new one has the demo accounts."
        raise SandboxError(f"{folder / STORE_FILE} cannot be opened: {error}.", next_step=what_to_do) from None


def _main() -> int:
    """Serve for `process.launch`: one line on standard output says that everything answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--refresh-rotation", action="store_true")
    parser.add_argument("--idle-limit", type=float, dest="idle_limit_seconds")
    parser.add_argument("--while-stdin-is-open", action="store_true")
    try:
        serve(**vars(parser.parse_args()), ready=lambda _: print("ready", flush=True))
    except AuthError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
