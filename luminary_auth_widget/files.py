"""Writing small files whole or not at all, readable by their owner alone."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import StorageFailed

_WORKSHOP_PREFIX = ".luminary-auth-"
# A writer needs milliseconds; what is older was left behind by a process that was killed.
_STALE_SECONDS = 60


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[Path]:
    """Give a draft to write; put it in the place of `path` in one step when the block ends well.

    The draft lies in a folder of its own (0700) beside the target, under the target's name, so that whatever keeps git
    from the target keeps it from the draft. Drafts of writers that were killed are cleared away.

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
    try:
        target = Path(os.path.realpath(path))
    except ValueError:  # a NUL in it, or half a character
        raise StorageFailed(
            f"{friendly(path)} is no name that a file can have.", next_step="Choose another place."
        ) from None
    try:
        _clear_stale_workshops(target.parent)
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
    # A name that is no text cannot be sent to a page, nor printed.
    return _as_people_write_it(path).encode("utf-8", "replace").decode()


def _as_people_write_it(path: Path) -> str:
    with suppress(ValueError, OSError):
        relative = os.path.relpath(path)
        if relative.count("..") <= 2:  # noqa: PLR2004 - further up, the whole path is easier to read
            return relative if relative.startswith("..") else f"./{relative}"
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


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
