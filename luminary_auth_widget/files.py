"""Writing small files whole or not at all, readable by their owner alone."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from .errors import StorageFailed
from .locks import Claim, Hold, exclusively

_WORKSHOP_PREFIX, _LOCK_NAME = ".luminary-auth-", ".luminary-auth.lock"
# Writers need milliseconds. After this, one that hangs is not waited for: a file is whole without a lock, too.
_TURN_LIMIT = timedelta(seconds=5)
# Where there are no locks: what is older was left behind by a writer that was killed.
_STALE_SECONDS = 60


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[Path]:
    """Give a draft to write; put it in the place of `path` in one step when the block ends well.

    The draft lies in a folder of its own (0700) beside the target, under the target's name, so that whatever keeps git
    from the target keeps it from the draft. Writers take turns, so that none loses what another has just written.

    Parameters
    ----------
    path : Path
        A link is followed: its target is replaced.
    mode : int
        The permissions of the finished file.

    Yields
    ------
    Path
        The draft, already holding what `path` holds now.

    Raises
    ------
    StorageFailed
        If the folder cannot be written to.
    """
    target = Path(os.path.realpath(path))
    with alone_in(target.parent):
        try:
            workshop = Path(tempfile.mkdtemp(prefix=_WORKSHOP_PREFIX, dir=target.parent))
        except OSError as error:
            raise _storage_failed(target, error) from None
        try:
            draft = workshop / target.name
            draft.touch(mode=0o600)
            if target.exists():
                draft.write_bytes(target.read_bytes())
            yield draft
            draft.chmod(mode)
            with draft.open("rb") as finished:
                os.fsync(finished.fileno())
            draft.replace(target)
        except OSError as error:
            raise _storage_failed(target, error) from None
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[Hold]:
    """Keep all others that write in `folder` by these functions from doing so meanwhile, threads and processes.

    Around a reading and the writing that follows from it, so that nothing is lost between both. What writers that were
    killed have left behind is cleared away first. Not kept where the folder or its file system knows no locks.
    """
    folder = Path(os.path.realpath(folder))
    with exclusively(folder / _LOCK_NAME, _TURN_LIMIT) as hold:
        if hold is not Hold.ALREADY:
            _clear_workshops(folder, older_than=0 if hold is Hold.HELD else _STALE_SECONDS)
        yield hold


def clear_what_was_left(folder: Path) -> None:
    """Clear away what writers that were killed have left in `folder`; write nothing there otherwise. Never fails."""
    with suppress(OSError):
        if os.path.lexists(folder / _LOCK_NAME) or any(folder.glob(f"{_WORKSHOP_PREFIX}*")):
            with alone_in(folder):
                pass


class OwnFolder:
    """A temporary folder (0700) for something that lasts; once this process was killed, the next one clears it away.

    Attributes
    ----------
    path : Path

    Raises
    ------
    OSError
    """

    def __init__(self, prefix: str, inside: Path) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
        self._claim = Claim(self.path)

    def remove(self) -> None:
        """Remove the folder and what is in it; a second call does nothing."""
        self._claim.end()
        shutil.rmtree(self.path, ignore_errors=True)

    @staticmethod
    def clear_abandoned(prefix: str, inside: Path, *, unmarked_after: float | None) -> None:
        """Clear away the folders of killed processes; those that nothing tells of after as many seconds, or never."""
        for left in inside.glob(f"{prefix}*"):
            over = Claim.is_over(left)
            if over or (over is None and unmarked_after is not None and _is_older(left, unmarked_after)):
                shutil.rmtree(left, ignore_errors=True)


def make_private_folder(folder: Path) -> None:
    """Create `folder` with 0700 where it is missing; leave one that exists as it is."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _storage_failed(folder, error) from None


def absolute(path: Path) -> Path:
    """Return `path` from the root on, without following links: the name that the person knows."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def friendly(path: Path) -> str:
    """Return `path` as people write it: from the working directory where it is near, else from the home folder."""
    with suppress(ValueError, OSError):
        relative = os.path.relpath(path)
        if relative.count("..") <= 2:  # noqa: PLR2004 - further up, the whole path is easier to read
            return relative if relative.startswith("..") else f"./{relative}"
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def _clear_workshops(folder: Path, *, older_than: float) -> None:
    with suppress(OSError):
        for left in folder.glob(f"{_WORKSHOP_PREFIX}*"):
            if _is_older(left, older_than):
                shutil.rmtree(left, ignore_errors=True)


def _is_older(path: Path, seconds: float) -> bool:
    with suppress(OSError):
        return seconds <= 0 or time.time() - path.lstat().st_mtime > seconds
    return False


def _storage_failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"{friendly(path)} could not be written: {error.strerror or type(error).__name__}.",
        next_step="Make the folder writable for you, or choose another place.",
    )
