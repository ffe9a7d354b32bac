"""Being the only one, among threads and processes, on every machine that shares the folder; never for ever."""

from __future__ import annotations

import enum
import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

# Between two tries for a lock: writers need milliseconds, renewals some tenths of a second.
_PAUSE_SECONDS = 0.02
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_of_this_thread = threading.local()


class Hold(enum.Enum):
    """What came of asking for a lock."""

    HELD = "held"
    # By this very thread, further out; what could not be had there is not waited for again.
    ALREADY = "already"
    # Somebody else has had it for longer than the limit.
    BUSY = "busy"
    # The folder cannot be written to, or its file system knows no locks.
    IMPOSSIBLE = "impossible"


@contextmanager
def exclusively(lock: Path, limit: timedelta) -> Iterator[Hold]:
    """Be the only one that holds `lock`, if that can be had within the limit.

    The system lets go of what a killed process holds. The file is there for as long as it is held; not so on Windows,
    where a file that is in use cannot be removed.

    Parameters
    ----------
    lock : Path
        The file to lock, in a folder that exists; it holds nothing.
    limit : timedelta

    Yields
    ------
    Hold
    """
    mine: dict[Path, Hold] = _of_this_thread.__dict__.setdefault("locks", {})
    if lock in mine:
        yield Hold.ALREADY if mine[lock] is Hold.HELD else mine[lock]
        return
    taken = _take(lock, limit)
    mine[lock] = taken if isinstance(taken, Hold) else Hold.HELD
    try:
        yield mine[lock]
    finally:
        del mine[lock]
        if not isinstance(taken, Hold):
            if sys.platform != "win32":
                with suppress(OSError):
                    lock.unlink()  # while it is held: whoever waits opens it anew each time
            os.close(taken)


class Claim:
    """Says that a folder is in use, until `end` or the end of this process, however that comes.

    Parameters
    ----------
    folder : Path
        A new one, of this process alone.
    """

    _NAME = "in-use"

    def __init__(self, folder: Path) -> None:
        self._descriptor, self._ending = -1, threading.Lock()
        with suppress(OSError):  # then its age alone tells
            # Locked before it has its name: nobody finds it free. Windows renames no open file.
            named = folder / self._NAME
            made = named if sys.platform == "win32" else folder / f"{self._NAME}-soon"
            self._descriptor = os.open(made, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
            _lock_at_once(self._descriptor)
            if made != named:
                made.rename(named)

    def end(self) -> None:
        """Let go of the folder; once, whichever threads ask for it."""
        with self._ending:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @classmethod
    def is_over(cls, folder: Path) -> bool | None:
        """Whether nobody uses `folder` any more; None where nothing tells."""
        try:
            descriptor = os.open(folder / cls._NAME, _FLAGS)
        except OSError:
            return None
        try:
            _lock_at_once(descriptor)
        except OSError as error:
            return False if error.errno in _BUSY else None
        finally:
            os.close(descriptor)
        return True


def _take(lock: Path, limit: timedelta) -> int | Hold:
    """Return the descriptor that holds the lock, or why there is none."""
    deadline = time.monotonic() + limit.total_seconds()
    while True:
        try:
            descriptor = os.open(lock, _FLAGS | os.O_CREAT, 0o600)
        except OSError:
            return Hold.IMPOSSIBLE
        try:
            _lock_at_once(descriptor)
            if _is_at(lock, descriptor):
                return descriptor
        except OSError as error:
            if error.errno not in _BUSY:
                os.close(descriptor)
                return Hold.IMPOSSIBLE
        except BaseException:  # an interrupt
            os.close(descriptor)
            raise
        os.close(descriptor)
        if time.monotonic() >= deadline:
            return Hold.BUSY
        time.sleep(_PAUSE_SECONDS)  # a lock that others hold has no other sign of being free


def _is_at(lock: Path, descriptor: int) -> bool:
    """Whether the file that is locked is still the one of that name: whoever held it before has removed it."""
    try:
        # Opened, not only looked at: a network file system asks its server anew then.
        now = os.open(lock, _FLAGS)
    except OSError:
        return False
    try:
        return os.path.samestat(os.fstat(now), os.fstat(descriptor))
    finally:
        os.close(now)


def _lock_at_once(descriptor: int) -> None:
    """Lock the file or raise OSError; the lock ends with the descriptor."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - there is none elsewhere

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - there is none on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
