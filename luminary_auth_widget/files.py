"""Writing small files whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import StorageFailed, as_one_line

_WORKSHOP_PREFIX = ".luminary-auth-"
# A writer needs milliseconds; what is older was left behind by a process that was killed.
_STALE_SECONDS = 60


# Our files are some hundred bytes, a `.env` some lines: what is larger is something else, and would fill the memory.
LARGEST_BYTES = 1_000_000
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
        raise NotReadable(errno.EINVAL, "no path of a file") from None
    if stat.S_ISDIR(seen.st_mode):
        raise NotReadable(errno.EISDIR, "a directory, not a file")
    if not stat.S_ISREG(seen.st_mode):
        raise NotReadable(errno.EINVAL, "no regular file")
    if seen.st_size > LARGEST_BYTES:
        raise NotReadable(errno.EFBIG, "far too large")
    with open(path, "rb", opener=_without_waiting) as file:
        content = file.read(LARGEST_BYTES + 1) or b""
    if len(content) > LARGEST_BYTES:
        raise NotReadable(errno.EFBIG, "far too large")
    if content and not seen.st_size:
        raise NotReadable(errno.EINVAL, "no regular file")
    return content


def _without_waiting(path: str, flags: int) -> int:
    # Should a FIFO have come there since: opening one waits for a writer.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, anew: bool = False) -> Iterator[Path]:
    """Give a draft to write; put it in the place of `path` in one step when the block ends well.

    The draft lies in a folder of its own (0700) beside the target, under the target's name, so that whatever keeps git
    from the target keeps it from the draft. Drafts of writers that were killed are cleared away.

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
    target = Path(os.path.realpath(path.parent), path.name) if anew else Path(os.path.realpath(path))
    before = b"" if anew else _content_before(target)
    try:
        _clear_stale_workshops(target.parent)
        workshop = Path(tempfile.mkdtemp(prefix=_WORKSHOP_PREFIX, dir=target.parent))
    except OSError as error:
        raise _storage_failed(target, error) from None
    try:
        draft = workshop / target.name
        draft.touch(mode=0o600)
        draft.write_bytes(before)
        yield draft
        draft.chmod(mode)
        with draft.open("rb") as finished:
            os.fsync(finished.fileno())
        draft.replace(target)
    except OSError as error:
        raise _storage_failed(target, error) from None
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


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


def _clear_stale_workshops(folder: Path) -> None:
    for left in folder.glob(f"{_WORKSHOP_PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _storage_failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"{friendly(path)} could not be written: {error.strerror or type(error).__name__}.",
        next_step="Make the folder writable for you, or choose another place.",
    )
