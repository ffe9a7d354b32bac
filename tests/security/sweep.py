"""Searching all that was written for secrets, in whatever form. It knows nothing of the product that it judges."""

from __future__ import annotations

import base64
import ctypes
import html
import json
import os
import re
import select
import stat
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import psutil

# Whatever escapes a text, in JSON, URLs, HTML or Python's own way, leaves letters and digits alone: a run of them is
# looked at window by window. A part of 17 characters is found, in letters and digits, in base64 and in hexadecimal.
_WINDOW, _STRIDE = 12, 6
_RUN = re.compile(rb"[A-Za-z0-9_+/-]{%d,}" % _WINDOW)
# A secret and the place where it stands: its label and name, never the text itself.
Place = tuple[str, bytes]


@dataclass(frozen=True, order=True)
class Hit:
    """One secret in one place, and how it is written there."""

    secret: str
    place: str
    form: str


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _base64(data: bytes) -> Iterator[str]:
    """Yield base64 wherever in the encoded text the secret begins; the characters at both ends depend on the rest."""
    for offset in range(3):
        first, end = -(-8 * offset // 6), 8 * (offset + len(data)) // 6
        yield base64.b64encode(bytes(offset) + data)[first:end].decode()


def _urls(text: str) -> Iterator[str]:
    """Yield what stands in URLs and in forms, with large and small hexadecimal digits."""
    for written in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield written
        yield re.sub("%..", lambda escape: escape[0].lower(), written)


# In the order in which a place is said to hold a secret: letters and digits alone are plain in each of the first.
FORMS: dict[str, Callable[[str], Iterable[str]]] = {
    "plain": lambda text: [text],
    "JSON": lambda text: [_json(text), _json(text).replace("/", "\\/")],
    "JSON in JSON": lambda text: [_json(_json(text))],
    "URL": _urls,
    "HTML": lambda text: [html.escape(text), html.escape(text, quote=False)],
    "Python": lambda text: [repr(text)[1:-1], repr(text.encode())[2:-1]],
    "base64": lambda text: _base64(text.encode()),
    "base64 for URLs": lambda text: (one.translate(str.maketrans("+/", "-_")) for one in _base64(text.encode())),
    "hexadecimal": lambda text: [text.encode().hex(), text.encode().hex().upper()],
    "UTF-16": lambda text: [text.encode("utf-16-le").decode("latin-1"), text.encode("utf-16-be").decode("latin-1")],
}
_OTHER_FORM = "in part, or escaped otherwise"
_WINDOWED = ("plain", "base64", "base64 for URLs", "hexadecimal")


class Sweep:
    """A search for secrets, given by their labels."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)
        self._windows: dict[bytes, str] = {}
        for label, text in self._secrets.items():
            for form in _WINDOWED:
                for written in FORMS[form](text):
                    for run in _RUN.findall(written.encode()):
                        self._windows |= {run[at : at + _WINDOW]: label for at in range(len(run) - _WINDOW + 1)}
        for label, text in self._secrets.items():
            assert self._held(text.encode()), f"{label} is too short to be told from other text"

    def search(self, places: Iterable[Place]) -> list[Hit]:
        """Return every secret in every place, in order; the name of a place is searched as well."""
        hits: set[Hit] = set()
        for name, data in places:
            labels = self._held(data) | self._held(name.encode())
            hits |= {Hit(label, name, self._form(label, data)) for label in labels}
        return sorted(hits)

    def _held(self, data: bytes) -> set[str]:
        # Without NULs, UTF-16 is as plain as UTF-8.
        views = (data, data.replace(b"\0", b"")) if b"\0" in data else (data,)
        found: set[str] = set()
        for view in views:
            for run in _RUN.findall(view):
                for at in range(0, len(run) - _WINDOW + 1, _STRIDE):
                    if label := self._windows.get(run[at : at + _WINDOW]):
                        found.add(label)
        return found

    def _form(self, label: str, data: bytes) -> str:
        text = self._secrets[label]
        for form, write in FORMS.items():
            if any(written.encode("latin-1") in data for written in write(text)):
                return form
        return _OTHER_FORM


def files_below(folder: Path) -> Iterator[Place]:
    """Yield every file below `folder`, by its name from there on."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield name, str(path.readlink()).encode()
        elif path.is_file():
            yield name, path.read_bytes()
        else:
            yield name, b""


def processes_below(pid: int, *, itself: bool = True) -> Iterator[Place]:
    """Yield what everybody sees of a process and its children, and the environments that they were given."""
    process = psutil.Process(pid)
    for one in [process] * itself + process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            arguments = one.cmdline()
            script = next((Path(word).name for word in arguments[1:] if not word.startswith("-")), one.name())
            yield f"arguments of {script}", "\0".join(arguments).encode()
            yield f"environment of {script}", "\0".join(f"{n}={v}" for n, v in one.environ().items()).encode()


_CREATED, _MOVED_TO, _IS_FOLDER = 0x100, 0x80, 0x40000000
_EVENT = struct.Struct("iIII")


class Keeper:
    """Holds every file that comes to be below a folder, so that what is deleted can be searched as well.

    By inotify(7): a library that gathers events first comes too late for a file that lives for some milliseconds.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[tuple[Path, int]] = []
        self._folders: dict[int, Path] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._events = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._events >= 0, os.strerror(ctypes.get_errno())
        self._end_read, self._end_written = os.pipe()
        self._watch(folder)
        # Whoever fails before `close` fails, and does not hang.
        self._thread = threading.Thread(target=self._follow, name="keeper", daemon=True)
        self._thread.start()

    def holds(self, path: Path) -> bool:
        """Return whether a file of that name has been seen."""
        return any(held == path for held, _ in list(self._held))

    def close(self) -> list[Place]:
        """End the watch; return every file that is no longer where it was, with what it held last."""
        os.close(self._end_written)
        self._thread.join()
        gone = []
        for path, descriptor in self._held:
            with os.fdopen(descriptor, "rb") as file:
                if not (path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))):
                    gone.append((f"{path.relative_to(self._folder).as_posix()} (gone)", file.read()))
        for descriptor in (self._events, self._end_read):
            os.close(descriptor)
        return gone

    def _watch(self, folder: Path) -> None:
        number = self._libc.inotify_add_watch(self._events, os.fsencode(folder), _CREATED | _MOVED_TO)
        if number < 0:
            return  # gone again
        self._folders[number] = folder
        with suppress(OSError):
            for path in folder.iterdir():
                self._take_note_of(path, is_folder=path.is_dir() and not path.is_symlink())

    def _take_note_of(self, path: Path, *, is_folder: bool) -> None:
        self._watch(path) if is_folder else self._hold(path)

    def _hold(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return  # gone again, or a socket
        held = [os.fstat(other) for _, other in self._held]
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode) and not any(os.path.samestat(state, other) for other in held):
            self._held.append((path, descriptor))
        else:
            os.close(descriptor)

    def _follow(self) -> None:
        while True:
            ready, _, _ = select.select([self._events, self._end_read], [], [])
            if self._events in ready:
                self._take(os.read(self._events, 1 << 16))
            else:
                return

    def _take(self, events: bytes) -> None:
        while events:
            number, mask, _cookie, length = _EVENT.unpack_from(events)
            name = events[_EVENT.size : _EVENT.size + length].rstrip(b"\0")
            events = events[_EVENT.size + length :]
            if folder := self._folders.get(number):
                self._take_note_of(folder / os.fsdecode(name), is_folder=bool(mask & _IS_FOLDER))
