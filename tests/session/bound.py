"""A process that is bound to the sandbox, and runs pieces of code: those of each test with a session of its own.

The SDK is bound when it is imported, for good; so this is no pytest process. It reads a line of JSON, and answers one.
"""

from __future__ import annotations

import contextvars
import io
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from typing import Any

from luminary_auth_widget import errors, kernel, sdk, servers, session, sources, status, token_store, watcher
from luminary_auth_widget.session import AuthSession

_SETTLE_SECONDS = 30


class Place:
    """What the pieces of code of one test share."""

    _session: AuthSession

    def __init__(self) -> None:
        self._environ, self._executable = dict(os.environ), sys.executable
        # Before the first test as before the last.
        sdk.load()
        # Of these a test may put something of its own in place.
        self._modules = [(module, dict(vars(module))) for module in (kernel, servers, sources, token_store)]
        self._watched: list[watcher.StoreWatcher] = []

        def note(one: watcher.StoreWatcher) -> None:
            self._watched.append(one)

        # Looks at the store every two seconds; here, when the test says so.
        watcher.StoreWatcher.start = note  # type: ignore[method-assign, assignment]
        self.reset()

    def reset(self) -> dict[str, Any]:
        """Forget the last test."""
        with suppress(AttributeError):  # there is none yet
            self._session.cancel()
        _settle()
        os.environ.clear()
        os.environ.update(self._environ)
        sys.executable = self._executable
        for module, names in self._modules:
            vars(module).update(names)
        self._watched.clear()
        self._context = contextvars.Context()
        self._session = session.AuthSession()
        self._heard: list[list[Any]] = []
        self._session.on_change(self._hear)
        values = {name: thing for module in (errors, status) for name, thing in vars(module).items()}
        ours = {
            "session": self._session,
            "look": self._look,
            "projects": _projects,
            "settle": _settle,
            "until": _until,
            "ended": _ended,
        }
        self._names: dict[str, Any] = {**values, **ours, "attended": _attended}
        return {}

    def run(self, code: str, names: dict[str, Any], settle: bool) -> dict[str, Any]:
        """Run a piece of code, wait for what it has begun in the background, and tell all that can be seen."""
        printed, raised = io.StringIO(), None
        self._heard.clear()
        self._names.update(names)
        with redirect_stdout(printed):
            try:
                self._context.run(exec, compile(code, "<the test>", "exec"), self._names)
            except errors.AuthError as error:
                raised = [type(error).__name__, error.message, error.next_step]
        if settle:
            _settle()
        return {**_seen(self._session), "printed": printed.getvalue(), "raised": raised, "heard": self._heard}

    def _hear(self, told: status.AuthStatus) -> None:
        phase = told.attempt.phase.value if told.attempt else ""
        self._heard.append([told.state.value, phase, self._session.checking])

    def _look(self) -> None:
        """Look at the store, as the thread does that `start` begins."""
        for one in self._watched:
            one._changed()


def _attended() -> None:
    """Let somebody be there to click."""
    kernel.attended = lambda: True


def _settle() -> None:
    for thread in threading.enumerate():
        if thread.name == "luminary-auth":
            thread.join(_SETTLE_SECONDS)


def _ended() -> None:
    """Wait for the end of the login under way."""
    for thread in threading.enumerate():
        if thread.name == "luminary-auth-login":
            thread.join(_SETTLE_SECONDS)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "It never came true."
        time.sleep(0.005)  # between two looks at another thread


def _projects() -> list[str] | str:
    """Return the account's projects, as the SDK's default client lists them here; or how that failed."""
    import grpc  # noqa: PLC0415 - comes with the SDK
    import luminarycloud  # noqa: PLC0415 - bound by now

    try:
        return sorted(project.name for project in luminarycloud.iterate_projects())
    except grpc.RpcError as error:
        return str(error.code().name)


def _seen(one: AuthSession) -> dict[str, Any]:
    now, attempt = one.status, one.status.attempt
    client: str | None = None
    if one.client is not None:
        import luminarycloud  # noqa: PLC0415 - bound by now

        client = "default" if one.client is luminarycloud.get_default_client() else "another"
    return {
        **{name: _plain(value) for name, value in now._asdict().items()},
        "attempt": attempt and {name: _plain(value) for name, value in attempt._asdict().items()},
        "client": client,
        "in_use": one.in_use.id if one.in_use else None,
        "checking": one.checking,
        "notices": [[notice.id, notice.text, [list(action) for action in notice.actions]] for notice in one.notices],
        "shown": repr(one),
    }


def _plain(value: Any) -> Any:
    return getattr(value, "value", None) or (value.isoformat() if hasattr(value, "isoformat") else value)


def main() -> None:
    """Serve until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    place = Place()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = place.run(**asked) if asked else place.reset()
        except BaseException:  # noqa: BLE001 - the test fails with it
            answer = {"broken": traceback.format_exc()}
        with suppress(BrokenPipeError):
            answers.write(json.dumps(answer) + "\n")
    os._exit(0)


if __name__ == "__main__":
    main()
