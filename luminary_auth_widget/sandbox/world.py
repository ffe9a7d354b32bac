"""What all parts of the sandbox share besides its store: its clock, its faults, and what reached it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from .handle import RecordedRequest
from .state import Fault
from .store import Store

# Enough for any test; bounded, because a shared sandbox runs for days.
_REQUESTS_KEPT = 1000
_CLOCK_SETTING = "clock_offset_seconds"


class World:
    """The sandbox's clock, faults, and record of requests.

    Parameters
    ----------
    store : Store
        Keeps how far the clock was moved, so that keys stay as old as they are over a restart.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = float(store.setting(_CLOCK_SETTING) or 0)
        self._faults: dict[Fault, float] = {}
        self._changed = threading.Condition()
        self._requests: deque[RecordedRequest] = deque(maxlen=_REQUESTS_KEPT)
        self.last_active = time.monotonic()

    @property
    def clock_ahead_seconds(self) -> float:
        """How far the clock was moved."""
        return self._offset

    @property
    def faults(self) -> dict[str, float]:
        """The faults that are on, with the seconds that were given."""
        return {fault.value: seconds for fault, seconds in self._faults.items()}

    def now(self) -> float:
        """Return the sandbox's time, in seconds since 1970, UTC."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time."""
        self._offset += seconds
        self._store.set_setting(_CLOCK_SETTING, str(self._offset))

    def touch(self) -> None:
        """Note that somebody is there."""
        self.last_active = time.monotonic()

    def has(self, fault: Fault) -> bool:
        """Return whether a fault is on."""
        return fault in self._faults

    def set_fault(self, fault: Fault, seconds: float) -> None:
        """Switch a fault on; `seconds` is for SLOW."""
        with self._changed:
            self._faults[fault] = seconds

    def clear_faults(self) -> None:
        """Switch every fault off; whoever is being slow goes on at once."""
        with self._changed:
            self._faults.clear()
            self._changed.notify_all()

    def be_slow(self) -> None:
        """Wait as long as the fault says, or until it is cleared."""
        if self.has(Fault.SLOW):
            with self._changed:
                self._changed.wait_for(lambda: not self.has(Fault.SLOW), timeout=self._faults.get(Fault.SLOW, 0))

    @contextmanager
    def recorded(self, method: str, credential: str, secret: str) -> Iterator[list[str]]:
        """Record a request with what the block appends as its outcome, and the last four characters of `secret`."""
        self.touch()
        outcome: list[str] = []
        try:
            yield outcome
        finally:
            self._requests.append(
                RecordedRequest(method, credential, secret[-4:], outcome[-1] if outcome else "failed")
            )

    def requests(self) -> list[dict[str, str]]:
        """Return what was recorded, oldest first."""
        return [asdict(request) for request in list(self._requests)]
