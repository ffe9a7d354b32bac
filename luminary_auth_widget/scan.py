"""Searching notebooks and other files for the credentials that are known on this machine."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from . import env_file, sources, token_store, words
from .credentials import Secret
from .errors import AuthError
from .files import friendly
from .sources import Source, SourceKind

# Read piece by piece: a notebook may hold gigabytes of output.
_PIECE_BYTES = 1 << 20
# The longest key, 8 KiB, in base64 and escaped.
_OVERLAP_BYTES = 1 << 16
# Only a smaller notebook is taken apart in memory, to tell which cell it is.
_LARGEST_PARSED_BYTES = 64 << 20
# A shorter text stands in many files by chance.
_SHORTEST = 8
_CELL_PARTS = {
    "source": words.SCAN_SOURCE,
    "outputs": words.SCAN_OUTPUT,
    "metadata": words.SCAN_METADATA,
    "attachments": words.SCAN_ATTACHMENT,
}


@dataclass(frozen=True)
class Known:
    """A credential to search for.

    Attributes
    ----------
    secret : Secret
    label : str
        What it is, for people: the fingerprint and where it comes from.
    """

    secret: Secret
    label: str

    def is_in(self, piece: Piece) -> bool:
        """Whether a piece of a file holds it, in any of its forms."""
        return any(form in view for view in piece.views for form in _forms(self.secret))


@dataclass(frozen=True)
class Piece:
    """A part of a file, and how it reads with each encoding taken off."""

    raw: bytes

    @cached_property
    def views(self) -> tuple[bytes, ...]:
        """As it is; without JSON's escapes; without those of URLs; and in one line, as base64 is meant."""
        plain = _ESCAPE.sub(_unescaped, self.raw) if b"\\" in self.raw else self.raw
        unquoted = unquote_to_bytes(plain) if b"%" in plain else plain
        return tuple({self.raw, plain, unquoted, _LINE_BREAK.sub(b"", self.raw)})


# In JSON; in JSON within JSON, as in widget state, the backslashes double.
_ESCAPE = re.compile(rb'\\+(?:u00([0-7][0-9a-fA-F])|(["/\\]))')
# Notebooks keep a long text as a list of lines. Beginning with a set of characters, a search is five times as fast.
_LINE_BREAK = re.compile(rb'[\\\r\n](?:(?<=\\)\\*[rn](?:",\s*")?|(?<=[\r\n]))')


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else match[2]


def _forms(secret: Secret) -> Iterator[bytes]:
    """Yield the bytes of a secret: plain, and in base64 wherever in the encoded text it begins."""
    plain = secret.reveal().encode()
    yield plain
    for offset in range(3):
        # The characters at both ends depend on what stands beside it.
        first, end = -(-8 * offset // 6), 8 * (offset + len(plain)) // 6
        yield (encoded := base64.b64encode(bytes(offset) + plain)[first:end])
        yield encoded.translate(bytes.maketrans(b"+/", b"-_"))


@dataclass(frozen=True)
class Found:
    """One place that holds a credential; its text is what to print."""

    path: Path
    place: str
    known: Known

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.place}: {self.known.label}"


@dataclass
class Result:
    """What a search has come to.

    Attributes
    ----------
    found : list of Found
    problems : list of str
        What could not be searched, or searched for.
    files : int
        How many were searched.
    known : list of Known
        What was searched for.
    """

    found: list[Found] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    files: int = 0
    known: list[Known] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything could be searched, for something: a search for nothing proves nothing."""
        return bool(self.known) and not self.problems

    def summary(self) -> str:
        """Return what was done, and what to do now."""
        if not self.known:
            return words.SCAN_NOTHING_KNOWN
        files, credentials = _files_counted(self.files), ", ".join(one.label for one in self.known)
        if not self.found:
            return words.SCAN_NOTHING_FOUND.format(files=files, credentials=credentials)
        places, holding = _places_counted(len(self.found)), _files_counted(len({one.path for one in self.found}))
        return words.SCAN_FOUND.format(places=places, holding=holding, files=files, credentials=credentials)


def search(paths: Iterable[Path]) -> Result:
    """Search files, and every notebook below folders, for each credential known here or beside any of them."""
    result = Result()
    files = list(dict.fromkeys(_files(paths, result.problems)))
    result.known = _known(dict.fromkeys(path.absolute().parent for path in files), result.problems)
    for path in files:
        try:
            result.found += _search_file(path, result.known)
            result.files += 1
        except OSError as error:
            why = error.strerror or type(error).__name__
            result.problems.append(words.SCAN_UNREADABLE.format(path=shown(path), why=why))
    return result


def shown(path: Path) -> str:
    """Return a path for a terminal, on which the characters of a name must not act."""
    return "".join(character if character.isprintable() else "?" for character in str(path))


def _files(paths: Iterable[Path], problems: list[str]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        problems.append(words.SCAN_UNREADABLE.format(path=shown(Path(error.filename)), why=error.strerror))

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path, onerror=unreadable):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".ipynb"))


def _known(folders: Iterable[Path], problems: list[str]) -> list[Known]:
    """Return what is known on this machine, and by the `.env` files of `folders` and upward."""
    survey = sources.survey()
    found = [*survey.sources, *_documented()]
    looked_into = set(env_file.find())
    for path in dict.fromkeys(path for folder in folders for path in env_file.find(folder)):
        if path in looked_into:
            continue
        try:
            found += [sources.named_env_file(path)] if env_file.read(path).key else []
        except AuthError as error:
            problems.append(words.SCAN_KEY_UNREADABLE.format(path=friendly(path), why=error.message))
    known: dict[Secret, Known] = {}
    for source in found:
        blocked = source.kind is SourceKind.ENVIRONMENT and survey.environment_blocks
        if source.secret is None:
            problems += [] if blocked else [words.SCAN_NOT_SEARCHED.format(why=source.problem)]
        elif len(source.secret.reveal()) < _SHORTEST:
            problems.append(words.SCAN_TOO_SHORT.format(source=source.label))
        else:
            known.setdefault(source.secret, Known(source.secret, _label(source)))
    return sorted(known.values(), key=lambda one: one.label)


def _label(source: Source) -> str:
    return (
        f"{source.label} {source.fingerprint}"
        if source.session
        else words.SCAN_KEY.format(fingerprint=source.fingerprint, source=source.label)
    )


def _documented() -> Iterator[Source]:
    """Yield the session in the file that the documentation names; it counts here even where the SDK has its own."""
    path = token_store.documented_path()
    with suppress(OSError, ValueError, KeyError, TypeError):
        if path.stat().st_size <= _PIECE_BYTES:
            token = Secret(str(json.loads(path.read_text(encoding="utf-8"))["refresh_token"]))
            written = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
            yield sources.stored_session(token_store.StoredSession(token, path, written, documented=True))


def _search_file(path: Path, known: Iterable[Known]) -> list[Found]:
    # Not opened unless it is a file: a pipe or a device might never end.
    seen = path.stat()
    if not stat.S_ISREG(seen.st_mode):
        raise OSError(0, words.SCAN_NOT_REGULAR)
    with path.open("rb") as stream:
        held = _held(stream, known)
    if not held:
        return []
    parsed = path.suffix == ".ipynb" and seen.st_size <= _LARGEST_PARSED_BYTES
    parts = list(_parts(path)) if parsed else []
    return [
        Found(path, place, one)
        for one in held
        for place in [place for place, piece in parts if one.is_in(piece)] or [words.SCAN_IN_FILE]
    ]


def _held(stream: BinaryIO, known: Iterable[Known]) -> list[Known]:
    """Return which of the credentials a file holds."""
    left, tail, held = list(known), b"", []
    while left and (read := stream.read(_PIECE_BYTES)):
        piece = Piece(tail + read)
        held += [one for one in left if one.is_in(piece)]
        left = [one for one in left if one not in held]
        tail = piece.raw[-_OVERLAP_BYTES:]
    return held


def _parts(path: Path) -> Iterator[tuple[str, Piece]]:
    """Yield the parts of a notebook, named as people find them; nothing of a file that is no notebook."""
    notebook: Any = None
    with suppress(ValueError, RecursionError):
        notebook = json.loads(path.read_bytes())
    if not isinstance(notebook, dict):
        return
    cells = notebook.pop("cells", None)
    for number, cell in enumerate(cells if isinstance(cells, list) else [], 1):
        for name, content in cell.items() if isinstance(cell, dict) else [("", cell)]:
            yield f"{_cell(number, cell)}, {_CELL_PARTS.get(name, words.SCAN_ELSEWHERE)}", _piece(content)
    metadata = notebook.get("metadata")
    if isinstance(metadata, dict):
        yield words.SCAN_WIDGET_STATE, _piece(metadata.pop("widgets", None))
    yield words.SCAN_NOTEBOOK_METADATA, _piece(notebook)


def _cell(number: int, cell: Any) -> str:
    count = cell.get("execution_count") if isinstance(cell, dict) else None
    if isinstance(count, int):
        return words.SCAN_CELL_RUN.format(number=number, count=count)
    return words.SCAN_CELL.format(number=number)


def _piece(content: Any) -> Piece:
    return Piece(json.dumps(content).encode())


def _files_counted(number: int) -> str:
    return words.SCAN_FILE if number == 1 else words.SCAN_FILES.format(count=number)


def _places_counted(number: int) -> str:
    return words.SCAN_PLACE if number == 1 else words.SCAN_PLACES.format(count=number)
