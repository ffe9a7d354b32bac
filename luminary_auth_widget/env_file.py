"""`.env` files: finding, reading, and keeping a key in one. The format is python-dotenv's."""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import dotenv

from .credentials import Secret, interrupted_outside
from .errors import EnvFileUnusable, StorageFailed
from .files import absolute, friendly, replacing

KEY_NAME = "LC_API_KEY"
# A `.env` is some lines; what is larger is something else, and would be read into memory.
_LARGEST_BYTES = 1_000_000
_GIT_SECONDS = 2
_ASSIGNMENT = re.compile(rf"^(?P<blank>(?:[ \t]*\n)*)(?P<export>export[ \t]+)?{KEY_NAME}\b", re.MULTILINE)
_HOW_TO_FILL = f"Put a line {KEY_NAME}=… with your key into it."


@dataclass(frozen=True)
class EnvFile:
    """What matters to us in one `.env` file.

    Attributes
    ----------
    path : Path
    key : Secret or None
        The value of LC_API_KEY as it stands there; None where the name is missing, empty where the value is.
    settings : tuple of str
        The names of the other `LC_*` variables. Nothing else is kept of the file.
    """

    path: Path
    key: Secret | None
    settings: tuple[str, ...] = ()


def find(start: Path | None = None) -> list[Path]:
    """Return the `.env` files from `start` (the working directory) upward, nearest first."""
    start = absolute(start or Path.cwd())
    candidates = (folder / ".env" for folder in (start, *start.parents))
    # os.path.isfile, unlike Path.is_file, is False where a folder on the way may not be read.
    return [path for path in candidates if os.path.isfile(path)]  # noqa: PTH113


def read(path: Path) -> EnvFile:
    """Read the `LC_*` names of a `.env` file, and the key.

    Raises
    ------
    EnvFileUnusable
        If it is missing, a directory, no regular file, unreadable, too large, or not UTF-8.
    """
    values = dotenv.dotenv_values(stream=io.StringIO(_text_of(path)))
    key = values.get(KEY_NAME)
    settings = tuple(sorted(name for name in values if name.startswith("LC_") and name != KEY_NAME))
    return EnvFile(path, Secret(key or "") if KEY_NAME in values else None, settings)


def require_key(path: Path) -> Secret:
    """Return the key of a `.env` file.

    Raises
    ------
    EnvFileUnusable
        As `read`, or if there is no LC_API_KEY in it, or an empty one.
    """
    key = read(path).key
    if key is None:
        raise EnvFileUnusable(f"There is no {KEY_NAME} in {friendly(path)}.", next_step=_HOW_TO_FILL)
    if not key.reveal().strip():
        raise EnvFileUnusable(f"{KEY_NAME} in {friendly(path)} is empty.", next_step=_HOW_TO_FILL)
    return key


def load_into_environment(path: Path) -> None:
    """Do what `dotenv.load_dotenv` does: set the file's variables in this process, never overriding what is set."""
    dotenv.load_dotenv(stream=io.StringIO(_text_of(path)))


def place_to_remember() -> Path:
    """Return the file that "remember" writes to: the nearest `.env`, else a new one in the working directory.

    A new file nearer than the existing one would hide all that stands in the existing one.
    """
    return next(iter(find()), Path.cwd() / ".env")


@dataclass(frozen=True)
class Remembered:
    """What `remember` did to the file: made it, took a key's place in it, made it private."""

    path: Path
    created: bool
    replaced: bool
    tightened: bool


def remember(path: Path, key: Secret) -> Remembered:
    """Write LC_API_KEY into `path`, in one step and readable by its owner alone; every other line stays as it is.

    Raises
    ------
    EnvFileUnusable
        If the file exists and cannot be read as a `.env` file.
    StorageFailed
        If it cannot be written, or python-dotenv would not read the same key back.
    """
    created = not os.path.lexists(path)
    before = EnvFile(path, None) if created else read(path)
    loose = not created and bool(path.stat().st_mode & 0o077)
    with replacing(path) as draft:
        _set_key(draft, key)
        if read(draft).key != key:
            raise StorageFailed(
                "The key holds characters that a .env file cannot keep.",
                next_step=f"Set {KEY_NAME} in the environment instead.",
            )
    return Remembered(path, created=created, replaced=before.key is not None, tightened=loose)


def forget(path: Path, key: Secret) -> bool:
    """Take the LC_API_KEY line out of `path` if it holds `key`; remove the file if nothing else is left in it.

    Returns
    -------
    bool
        Whether the line was there.
    """
    if read(path).key != key:
        return False
    with replacing(path) as draft:
        dotenv.unset_key(draft, KEY_NAME)
    if not _text_of(path).strip():
        path.unlink()
    return True


def git_standing(path: Path) -> str:
    """Return how git sees `path`: "tracked", "unprotected" (would be added), or "" (ignored, no repository, no git)."""
    if _git(path, "ls-files", "--error-unmatch") == 0:
        return "tracked"
    return "unprotected" if _git(path, "check-ignore", "-q") == 1 else ""


def add_to_gitignore(path: Path) -> Path:
    """Add the file's name to the `.gitignore` of its folder, and return that file's path."""
    ignore = path.with_name(".gitignore")
    mode = stat.S_IMODE(ignore.stat().st_mode) if ignore.exists() else 0o644
    with replacing(ignore, mode=mode) as draft:
        text = draft.read_text(encoding="utf-8")
        gap = "" if not text or text.endswith("\n") else "\n"
        draft.write_text(f"{text}{gap}{path.name}\n", encoding="utf-8")
    return ignore


@interrupted_outside
def _set_key(draft: Path, key: Secret) -> None:
    # python-dotenv (1.2) takes blank lines before an assignment, and `export`, for a part of it, and drops them.
    before = _ASSIGNMENT.search(draft.read_text(encoding="utf-8"))
    dotenv.set_key(draft, KEY_NAME, key.reveal(), export=bool(before and before["export"]))
    if before and before["blank"]:
        text = draft.read_text(encoding="utf-8")
        draft.write_text(_ASSIGNMENT.sub(lambda now: before["blank"] + now[0], text, count=1), encoding="utf-8")


def _git(path: Path, *command: str) -> int:
    try:
        return subprocess.run(  # noqa: S603 - fixed words and a path after "--"
            ["git", "-C", str(path.parent), *command, "--", path.name],  # noqa: S607 - the person's own git
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 128


def _text_of(path: Path) -> str:
    """Return the file's text; every failure becomes a sentence. A FIFO or device is refused before it can block."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            problem = "is a directory, not a file"
        elif not stat.S_ISREG(mode):
            problem = "is no regular file"
        elif path.stat().st_size > _LARGEST_BYTES:
            problem = "is far too large for a .env file"
        else:
            # utf-8-sig: Windows editors put a mark before the first name.
            return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problem = "does not exist"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
    raise EnvFileUnusable(
        f"{friendly(path)} {problem}.", next_step="Check the path, or paste the key into the field instead."
    )
