"""Writing small files whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from . import words
from .errors import StorageFailed, as_one_line
from .locks import Claim, Hold, exclusively

_WORKSHOP_PREFIX, _LOCK_NAME = ".luminary-auth-", ".luminary-auth.lock"
# Writers need milliseconds. After this, one that hangs is not waited for: a file is whole without a lock, too.
_TURN_LIMIT = timedelta(seconds=5)
# Where there are no locks: what is older was left behind by a writer that was killed.
_STALE_SECONDS = 60


# Our files are some hundred bytes, a `.env` some lines: what is larger is something else, and would fill the memory.
LARGEST_BYTES = 1_000_000
# Ours have four, the SDK's one.
_MOST_LEVELS = 20
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# The end of a longer path tells more than its beginning.
_LONGEST_SHOWN_PATH = 200


class NotReadable(OSError):
    """What lies there is no small, regular file; `strerror` says what it is instead."""


def read_small(path: Path) -> bytes:
    """Return what a small, regular file holds.

    Whatever else lies there is refused before it can block or fill the memory: FIFOs and devices, what is larger than
    it says, and what is made up while it is read, as in /proc.

    Raises
    ------
    OSError
    """
    try:
        seen = path.stat()
    except ValueError:  # a zero byte, half a character
        raise NotReadable(errno.EINVAL, words.FILE_NO_PATH) from None
    if stat.S_ISDIR(seen.st_mode):
        raise NotReadable(errno.EISDIR, words.FILE_DIRECTORY)
    if not stat.S_ISREG(seen.st_mode):
        raise NotReadable(errno.EINVAL, words.FILE_NOT_REGULAR)
    if seen.st_size > LARGEST_BYTES:
        raise NotReadable(errno.EFBIG, words.FILE_TOO_LARGE)
    with open(path, "rb", opener=without_waiting) as file:
        content = file.read(LARGEST_BYTES + 1) or b""
    if len(content) > LARGEST_BYTES:
        raise NotReadable(errno.EFBIG, words.FILE_TOO_LARGE)
    if content and not seen.st_size:
        raise NotReadable(errno.EINVAL, words.FILE_NOT_REGULAR)
    return content


def parsed(content: str) -> Any:
    """Return what a small JSON file says.

    Raises
    ------
    ValueError, RecursionError
        It is no JSON; or nested so deeply that it could be read, and not written again.
    """
    value = json.loads(content)
    if _is_deeper(value, _MOST_LEVELS):
        raise ValueError("nested too deeply")
    return value


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def without_waiting(path: str, flags: int) -> int:
    """Open a file for `open`; a FIFO that may stand in its place is not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, anew: bool = False) -> Iterator[Path]:
    """Give a draft to write; put it in the place of `path` in one step when the block ends well.

    The draft lies in a folder of its own (0700) beside the target, under the target's name, so that whatever keeps git
    from the target keeps it from the draft. Writers take turns, so that none loses what another has just written.

    Parameters
    ----------
    path : Path
        A link is followed: its target is replaced.
    mode : int
        The permissions of the finished file.
    anew : bool
        Begin with an empty draft, and replace whatever lies there, be it a link or a FIFO: for files of ours alone.

    Yields
    ------
    Path
        The draft, already holding what `path` holds now.

    Raises
    ------
    StorageFailed
        If the folder cannot be written to, or what lies there is no small, regular file.
    """
    target = real(path.parent) / path.name if anew else real(path)
    with alone_in(target.parent):
        before = b"" if anew else _content_before(target)
        try:
            workshop = Path(tempfile.mkdtemp(prefix=_WORKSHOP_PREFIX, dir=target.parent))
        except OSError as error:
            raise _storage_failed(target, error) from None
        try:
            draft = workshop / target.name
            draft.touch(mode=0o600)
            draft.write_bytes(before)
            yield draft
            # For writing: Windows has it no other way.
            with draft.open("r+b") as finished:
                os.fsync(finished.fileno())
            draft.chmod(mode)
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


def real(path: Path) -> Path:
    """Return where `path` leads, links followed.

    Raises
    ------
    StorageFailed
        If no file can have that name.
    """
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # a NUL in it, or half a character
        raise StorageFailed(
            words.FILE_NAME_IMPOSSIBLE.format(path=friendly(path)), next_step=words.FILE_ELSEWHERE_NEXT
        ) from None


def make_private_folder(folder: Path) -> None:
    """Create `folder` with 0700 where it is missing; leave one that exists as it is."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _storage_failed(folder, error) from None


def open_to_others(folder: Path) -> Path | None:
    """Return the folder, this one or one above it, where other users could put something in the place of what is ours.

    That is one that anybody may write to, unless only owners may remove there (as in /tmp), or one that is another
    user's. Root may do so anywhere, and is not meant.
    """
    if os.name != "posix":
        return None
    us, place = os.geteuid(), Path(os.path.realpath(folder))
    for above in (place, *place.parents):
        with suppress(OSError):
            seen = above.stat()
            anybody = seen.st_mode & stat.S_IWOTH and not seen.st_mode & stat.S_ISVTX
            # To root in a container, the home folder of the person outside is another's.
            if anybody or (us and seen.st_uid not in {0, us}):
                return above
    return None


def others_may_read(path: Path) -> bool:
    """Whether a file's mode lets other users read it."""
    mode = path.stat().st_mode
    # Windows keeps no such bits: a file there has the rights of its folder, the person's own. What is no file may be a
    # device, at the end of a link.
    return os.name == "posix" and stat.S_ISREG(mode) and bool(stat.S_IMODE(mode) & 0o077)


def is_there(path: Path) -> bool:
    """Whether `path` leads to something; unlike `Path.exists`, False where a folder on the way may not be read."""
    return os.path.exists(path)  # noqa: PTH110


def absolute(path: Path) -> Path:
    """Return `path` from the root on, without following links: the name that the person knows."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve follows links


def friendly(path: Path) -> str:
    """Return `path` as people write it: from the working directory where it is near, else from the home folder."""
    written = _as_written(path)
    if len(written) > _LONGEST_SHOWN_PATH:
        written = f"…{written[-_LONGEST_SHOWN_PATH:]}"
    return as_one_line(written)


def _as_written(path: Path) -> str:
    with suppress(ValueError, OSError):
        relative = os.path.relpath(path)
        if relative.count("..") <= 2:  # noqa: PLR2004 - further up, the whole path is easier to read
            return relative if relative.startswith("..") else f"./{relative}"
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def _content_before(target: Path) -> bytes:
    """Return what stands in the file that will be replaced; nothing where there is none."""
    try:
        return read_small(target)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _storage_failed(target, error) from None


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
    if error.errno in _FULL:
        next_step = words.FILE_DISK_FULL_NEXT
    elif isinstance(error, NotReadable):
        next_step = words.FILE_ELSEWHERE_NEXT
    else:
        next_step = words.FILE_NOT_WRITTEN_NEXT
    return StorageFailed(
        words.FILE_NOT_WRITTEN.format(path=friendly(path), why=error.strerror or type(error).__name__),
        next_step=next_step,
    )
