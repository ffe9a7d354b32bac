"""`.env` files: finding, reading, and keeping a key in one. The format is python-dotenv's."""

from __future__ import annotations

import io
import logging
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from . import words
from .credentials import Secret, interrupted_outside
from .errors import EnvFileUnusable, StorageFailed
from .files import (
    LARGEST_BYTES,
    NotReadable,
    absolute,
    alone_in,
    friendly,
    others_may_read,
    read_small,
    real,
    replacing,
)
from .late import dotenv
from .locks import Hold

# It warns of each line that it cannot read, and without a handler logging prints that into whichever cell runs.
logging.getLogger("dotenv").addHandler(logging.NullHandler())

KEY_NAME, SERVER_NAME = "LC_API_KEY", "LC_DOMAIN"
_GIT_SECONDS = 2
# The key that `load_into_environment` has put into this process's environment, and the SDK's settings.
_put_there: list[Secret] = []
_settings_put_there: set[str] = set()
# Digests of the keys that an import of the SDK has copied there from a `.env`.
_copied: set[str] = set()
# Of a line whose `=` was forgotten, the name holds the key.
_SETTING = rf"(?!{KEY_NAME})LC_[A-Z][A-Z_]*"
# python-dotenv (1.2) looks through a run of blanks once for each of them, and for the end of a `${` once for each: of
# a million, for hours.
_MOST_BLANKS, _MOST_REFERENCES = 1000, 1000
_BLANKS = r"[^\S\r\n]+"
# What python-dotenv takes for a part of an assignment: the lines and blanks before it, `export`, the end of its line.
_AROUND = r"(?s)(?P<lines>\s*[\r\n])?(?P<before>\s*(?:export\s+)?).*?(?P<end>(?:\r\n|[\r\n])?)"


class EnvFile(NamedTuple):
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
    """Return the `.env` files from `start` (the working directory) upward, nearest first.

    FIFOs among them, as python-dotenv (1.2) has it.
    """
    try:
        start = absolute(start or Path.cwd())
    except FileNotFoundError:  # the working directory was removed
        return []
    candidates = (folder / ".env" for folder in (start, *start.parents))
    return [path for path in candidates if stat.S_IFMT(_mode(path)) in {stat.S_IFREG, stat.S_IFIFO}]


def is_endless(path: Path | None) -> bool:
    """Whether reading the whole file might not end, or fill the memory."""
    return path is not None and (stat.S_ISFIFO(_mode(path)) or path.stat().st_size > LARGEST_BYTES)


def _mode(path: Path) -> int:
    # 0 as well where a folder on the way may not be read.
    with suppress(OSError, ValueError):
        return path.stat().st_mode
    return 0


def read(path: Path) -> EnvFile:
    """Read the `LC_*` names of a `.env` file, and the key.

    Raises
    ------
    EnvFileUnusable
        If it is missing, a directory, no regular file, unreadable, too large, or not UTF-8.
    """
    values = _values(path)
    key = values.get(KEY_NAME)
    settings = tuple(sorted(name for name in values if re.fullmatch(_SETTING, name)))
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
        raise EnvFileUnusable(words.ENV_NO_KEY.format(path=friendly(path)), next_step=words.ENV_KEY_NEXT)
    if not key.reveal().strip():
        raise EnvFileUnusable(words.ENV_KEY_EMPTY.format(path=friendly(path)), next_step=words.ENV_KEY_NEXT)
    return key


def server_of_key(path: Path) -> str | None:
    """Return the API server that a `.env` file names for its key, host or host:port; what is set already goes before.

    Raises
    ------
    EnvFileUnusable
    """
    return None if SERVER_NAME in os.environ else _values(path).get(SERVER_NAME) or None


def load_into_environment(path: Path) -> None:
    """Do what `dotenv.load_dotenv` does: set the file's variables in this process, never overriding what is set.

    What no environment can hold is left out: a NUL, a name with "=" in it.
    """
    for name, value in _values(path).items():
        if value is not None and name not in os.environ:
            with suppress(ValueError):
                os.environ[name] = value
                if name == KEY_NAME:
                    _put_there.append(Secret(value))
                elif re.fullmatch(_SETTING, name):
                    _settings_put_there.add(name)


def environment_of_the_sdk() -> dict[str, str]:
    """Return this process's environment without the settings that were put there after the SDK had read its own."""
    return {name: value for name, value in os.environ.items() if name not in _settings_put_there}


@contextmanager
def noting_copied_key() -> Iterator[None]:
    """Take note of the key that the block, an import of the SDK, copies from a `.env` into the environment."""
    is_set = KEY_NAME in os.environ
    yield
    if not is_set and (copy := os.environ.get(KEY_NAME)):
        _copied.add(Secret(copy).digest)


def key_is_copied() -> bool:
    """Whether this process's environment has its key from what a `.env` held when the SDK was imported."""
    return Secret(os.environ.get(KEY_NAME, "")).digest in _copied


def take_out_of_environment() -> None:
    """Take the key that `load_into_environment` has put into this process's environment out of it again."""
    while _put_there:
        replace_in_environment(_put_there.pop(), None)


def replace_in_environment(old: Secret, new: Secret | None) -> None:
    """Where this process's environment holds `old`, copied there from a `.env`, let it hold `new`; None: no key."""
    if os.environ.get(KEY_NAME) == old.reveal():
        del os.environ[KEY_NAME]
        if new is not None:
            os.environ[KEY_NAME] = new.reveal()


def _values(path: Path) -> dict[str, str | None]:
    # Unlike dotenv_values, and like the load_dotenv of the SDK, in whose ${…} the environment comes first.
    return dotenv.main.DotEnv(None, stream=io.StringIO(_text_of(path)), override=False).dict()


def place_to_remember() -> Path:
    """Return the file that "remember" writes to: the nearest `.env`, else a new one in the working directory.

    A new file nearer than the existing one would hide all that stands in the existing one.
    """
    if found := find():
        return found[0]
    try:
        return Path.cwd() / ".env"
    except FileNotFoundError:  # the working directory was removed
        return Path.home() / ".env"


class Replaced(NamedTuple):
    """A key whose place another one has taken, and how it stood there: of the rest of the file nothing is kept.

    Attributes
    ----------
    key : Secret
    text : Secret
        What stood there, from `start` characters after the file's beginning to `end` before its end.
    start, end : int
    since : str
        A digest of the file as the other key has left it.
    """

    key: Secret
    text: Secret
    start: int
    end: int
    since: str


class Remembered(NamedTuple):
    """What `remember` did to the file: made it, put a key into another one's place, made it private; or nothing."""

    path: Path
    created: bool
    replaced: Replaced | None
    tightened: bool
    was_there: bool = False


def remember(path: Path, key: Secret) -> Remembered:
    """Write LC_API_KEY into `path`, in one step and readable by its owner alone; every other line stays as it is.

    Raises
    ------
    EnvFileUnusable
        If the file exists and cannot be read as a `.env` file.
    StorageFailed
        If it cannot be written, or python-dotenv would not read the same key back.
    """
    with _alone_beside(path):
        created = not os.path.lexists(path)
        old, before = (None, Secret("")) if created else (read(path).key, _whole(path))
        loose = not created and others_may_read(path)
        with replacing(path) as draft:
            if old != key:
                _set_key(draft, key)
            # A quote that is left open may take a line of the key's for a part of something else, and keep it there.
            if read(draft).key != key or _lines_of_key(_whole(draft)) != max(1, _lines_of_key(before)):
                raise StorageFailed(
                    words.ENV_NOT_GIVEN_BACK.format(path=friendly(path)), next_step=words.ENV_NOT_GIVEN_BACK_NEXT
                )
            replaced = _taken(old, before, _whole(draft)) if old not in {None, key} else None
    return Remembered(path, created=created, replaced=replaced, tightened=loose, was_there=old == key)


def bring_back(path: Path, before: Replaced, key: Secret) -> bool:
    """Put an earlier key back into the place that `key` took: byte for byte, unless the file has changed since.

    Returns
    -------
    bool
        Whether `key` still stood there.

    Raises
    ------
    EnvFileUnusable, StorageFailed
    """
    with _alone_beside(path):
        if read(path).key != key:
            return False
        with replacing(path) as draft:
            now = _whole(draft)
            if now.digest == before.since:
                text = now.reveal()
                text = text[: before.start] + before.text.reveal() + text[len(text) - before.end :]
                draft.write_bytes(text.encode())
            else:
                _set_key(draft, before.key)
    return True


def forget(path: Path, key: Secret) -> bool:
    """Take the LC_API_KEY line out of `path` if it holds `key`; remove the file if nothing else is left in it.

    Returns
    -------
    bool
        Whether the line was there.
    """
    with _alone_beside(path):
        if read(path).key != key:
            return False
        with replacing(path) as draft:
            _set_key(draft, None)
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
    if ignore.is_symlink():
        raise StorageFailed(
            words.GITIGNORE_LINK.format(path=friendly(ignore)),
            next_step=words.GITIGNORE_LINK_NEXT.format(name=path.name),
        )
    mode = stat.S_IMODE(ignore.stat().st_mode) if ignore.exists() else 0o644
    with replacing(ignore, mode=mode) as draft:
        # As bytes: its encoding and its ends of lines are the person's.
        content = draft.read_bytes()
        gap = b"" if not content or content.endswith(b"\n") else b"\n"
        draft.write_bytes(b"%s%s%s\n" % (content, gap, os.fsencode(path.name)))
    return ignore


@interrupted_outside
def _set_key(draft: Path, key: Secret | None) -> None:
    """Put `key` where a key stands in the file, else at its end; None takes it out. All else stays, to the byte."""
    text = draft.read_bytes().decode()
    # python-dotenv drops them all.
    plain = text.lstrip("\ufeff")
    draft.write_bytes((text[: len(text) - len(plain)] + _with_key(plain, key)).encode())


def _with_key(text: str, key: Secret | None) -> str:
    # By python-dotenv's parser: its own set_key (1.2) drops blank lines and `export`, and ends all lines alike.
    assignment = key and f"{KEY_NAME}={_quoted(key)}"
    newline = "\r\n" if "\r\n" in text else "\n"
    lines, found, ended = "", False, True
    for binding in dotenv.parser.parse_stream(io.StringIO(text, newline="")):
        line = binding.original.string
        ended = line.endswith(("\n", "\r"))
        if binding.key == KEY_NAME and (around := re.fullmatch(_AROUND, line)):
            found, before = True, around["lines"] or ""
            line = before + (around["before"] + assignment + around["end"] if assignment else "")
        lines += line
    if assignment and not found:
        # A file whose last line has no end gets another such line: so it is known what to take out again.
        lines += assignment + newline if ended else newline + assignment
    elif found and not assignment and not ended:
        lines = lines.removesuffix(newline)
    return lines


def _lines_of_key(text: Secret) -> int:
    return sum(
        binding.key == KEY_NAME for binding in dotenv.parser.parse_stream(io.StringIO(text.reveal().lstrip("\ufeff")))
    )


def _quoted(key: Secret) -> str:
    return "'" + key.reveal().replace("\\", "\\\\").replace("'", "\\'") + "'"


def _taken(key: Secret, before: Secret, after: Secret) -> Replaced:
    old, new = before.reveal(), after.reveal()
    start = len(os.path.commonprefix([old, new]))  # noqa: RUF071 - by character is what is wanted
    end = len(os.path.commonprefix([old[start:][::-1], new[start:][::-1]]))  # noqa: RUF071
    return Replaced(key, Secret(old[start : len(old) - end]), start, end, after.digest)


def _alone_beside(path: Path) -> AbstractContextManager[Hold]:
    return alone_in(real(path).parent)


def _whole(path: Path) -> Secret:
    """Return the text with its line ends, and the mark before it."""
    return Secret(path.read_bytes().decode())


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
    """Return the file's text, as an editor shows it; every failure becomes a sentence."""
    # Raised here, where no local holds the text: `%xmode Verbose` prints the locals of every frame it passes.
    text, problem = _examined(path)
    if problem:
        pipe = stat.S_ISFIFO(_mode(path))
        raise EnvFileUnusable(problem, next_step=words.ENV_PIPE_NEXT if pipe else words.ENV_NEXT)
    return text


def _examined(path: Path) -> tuple[str, str]:
    """Return the file's text, or nothing and what is wrong with it."""
    try:
        # utf-8-sig: Windows editors put a mark before the first name, and end lines in their own way.
        text = io.TextIOWrapper(io.BytesIO(read_small(path)), encoding="utf-8-sig").read()
    except FileNotFoundError:
        return "", words.ENV_MISSING.format(path=friendly(path))
    except NotReadable as error:
        return "", words.ENV_IS.format(path=friendly(path), what=error.strerror)
    except UnicodeDecodeError:
        return "", words.ENV_NOT_UTF8.format(path=friendly(path))
    except OSError as error:
        return "", words.ENV_UNREADABLE.format(path=friendly(path), why=error.strerror or type(error).__name__)
    blanks = max(map(len, re.findall(_BLANKS, text)), default=0)
    if blanks > _MOST_BLANKS or text.count("${") > _MOST_REFERENCES:
        return "", words.ENV_ENDLESS.format(path=friendly(path))
    return text, ""
