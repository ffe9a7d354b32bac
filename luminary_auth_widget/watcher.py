"""Noticing that another process has signed in or out: the token store is looked at every two seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from . import token_store

# Kernels follow each other within 5 s. Looked at instead of being told: inotify does not reach network home folders.
_SECONDS = 2


class StoreWatcher:
    """Calls `changed`, on a thread of its own, after each write to the SDK's token store.

    Parameters
    ----------
    changed : callable
        Must not raise.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._seen = token_store.stamp()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def start(self) -> None:
        """Begin to look; a second call does nothing."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="luminary-auth-watcher", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        # An event that is never set: a wait that a daemon thread can end in.
        pause = threading.Event()
        while not pause.wait(_SECONDS):
            seen = token_store.stamp()
            # An empty file is the SDK in the middle of writing: it looks as if somebody had signed out.
            if seen != self._seen and not _is_empty(seen):
                self._seen = seen
                self._changed()


def _is_empty(stamp: tuple[int, int, int] | None) -> bool:
    return stamp is not None and not stamp[2]
