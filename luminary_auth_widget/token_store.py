"""The SDK's own token store, `tokens2`: read, replaced in one step, kept private; and the documented file."""

from __future__ import annotations

import json
import os
import stat
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from . import words
from .credentials import Secret
from .errors import StoreUnusable
from .files import (
    NotReadable,
    alone_in,
    friendly,
    make_private_folder,
    others_may_read,
    parsed,
    read_small,
    replacing,
    without_waiting,
)
from .locks import Hold, exclusively
from .records import credentials_folder

# The SDK's name for it (unchanged since 0.9.0); guarded by tests/contract/test_browser_session.py.
TOKEN_FILE = "tokens2"  # noqa: S105 - a file's name
_FIELD = "refresh_token"
# Four renewals that wait for a server in vain: the SDK's own limit for its request is 5 s (0.28.1).
_RENEWAL_LOCK, _RENEWAL_LIMIT = ".luminary-renewal.lock", timedelta(seconds=20)
# The year 3000: a lifetime can be added to it.
_LATEST_SECONDS = 32_503_680_000


class StoredSession(NamedTuple):
    """A browser session that lies on this machine.

    Attributes
    ----------
    token : Secret
        The refresh token.
    path : Path
    written_at : datetime
        When the file was written, in UTC.
    documented : bool
        Whether it lies in `~/.luminarycloud/config`, which the SDK itself does not read.
    """

    token: Secret
    path: Path
    written_at: datetime
    documented: bool = False


class Saved(NamedTuple):
    """What `save` did beside saving."""

    path: Path
    tightened: bool = False
    # Where a store went that could not be read.
    moved_aside: Path | None = None


def token_path() -> Path:
    """Return the path of the SDK's store; it need not exist."""
    return credentials_folder() / TOKEN_FILE


def documented_path() -> Path:
    """Return the path that the product's documentation names."""
    return Path.home() / ".luminarycloud" / "config"


def find() -> StoredSession | None:
    """Return the session that the SDK would use, else one in the documented file, else None.

    Raises
    ------
    StoreUnusable
        If the SDK's store cannot be read: its calls fail, too.
    """
    if session := session_in(token_path()):
        return session
    with suppress(StoreUnusable, OSError):  # that file is not the SDK's; it may hold anything
        path = documented_path()
        if session := session_in(path):
            return StoredSession(session.token, path, session.written_at, documented=True)
    return None


def stamp() -> tuple[int, int, int] | None:
    """Return what changes with every write to the store (inode, time in ns, size), or None where there is none."""
    # Opened, not only looked at: a network file system asks its server anew when a file is opened.
    with suppress(OSError), open(token_path(), "rb", opener=without_waiting) as store:
        seen = os.fstat(store.fileno())
        return seen.st_ino, seen.st_mtime_ns, seen.st_size
    return None


def save(token: Secret) -> Saved:
    """Put `token` into the store, in one step, readable by its owner alone; what else stands in it is kept.

    Raises
    ------
    StorageFailed
    """
    path = token_path()
    make_private_folder(path.parent)
    with alone_in(path.parent):
        content, aside, loose = _content_to_keep(path)
        with replacing(path) as draft:
            draft.write_text(json.dumps({**content, _FIELD: token.reveal()}), encoding="utf-8")
    return Saved(path, tightened=loose, moved_aside=aside)


def renew(old: Secret, new: Secret) -> bool:
    """Put `new` in the place of `old`, if that is what is found; return whether it was.

    Another session that somebody has signed in to meanwhile is left alone, and one that was signed out of stays so.

    Raises
    ------
    StorageFailed, StoreUnusable
    """
    with alone_in(credentials_folder()):
        found = find()
        if found is None or found.token != old:
            return False
        save(new)
        return True


def remove(token: Secret) -> None:
    """Take `token` out of the store; what else stands in it is kept. Another token is left alone.

    Raises
    ------
    StorageFailed
    """
    path = token_path()
    with suppress(StoreUnusable), alone_in(path.parent):
        content = _load(path)
        if content.get(_FIELD) != token.reveal():
            return
        del content[_FIELD]
        with replacing(path) as draft:
            draft.write_text(json.dumps(content), encoding="utf-8")


def in_turn() -> AbstractContextManager[Hold]:
    """Let one process at a time renew the stored session; see `sdk.share_renewals`."""
    return exclusively(token_path().absolute().with_name(_RENEWAL_LOCK), _RENEWAL_LIMIT)


def tighten() -> bool:
    """Make a store that others may read private; return whether it was not."""
    with suppress(OSError):
        path = token_path()
        if others_may_read(path):
            path.chmod(0o600)
            return True
    return False


def session_in(path: Path) -> StoredSession | None:
    """Return the session in a file of the store's format; None where there is no token that could be one.

    Raises
    ------
    StoreUnusable
    """
    content = _load(path)
    token = content.get(_FIELD)
    if not isinstance(token, str) or not token or not token.isprintable():
        return None
    return StoredSession(Secret(token), path, _written_at(path))


def _written_at(path: Path) -> datetime:
    # File systems keep times that no calendar has.
    seconds = min(max(path.stat().st_mtime, 0), _LATEST_SECONDS)
    return datetime.fromtimestamp(seconds, timezone.utc)


def _load(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`; empty where the SDK, too, sees nobody signed in."""
    # Raised here, where no local holds what was read: `%xmode Verbose` prints the locals of every frame it passes.
    content, problem = _examined(path)
    if problem:
        raise StoreUnusable(problem, next_step=words.STORE_DAMAGED_NEXT)
    return content


def _examined(path: Path) -> tuple[dict[str, Any], str]:
    """Return the JSON object in `path`, or an empty one and what is wrong with the file."""
    try:
        text = read_small(path).decode()
        content = parsed(text) if text else {}
    except FileNotFoundError:
        return {}, ""
    except NotReadable:
        return {}, words.STORE_NOT_THE_SDKS.format(path=friendly(path))
    except OSError as error:
        return {}, words.STORE_UNREADABLE.format(path=friendly(path), why=error.strerror or type(error).__name__)
    except (ValueError, RecursionError):
        return {}, words.STORE_IS_DAMAGED.format(path=friendly(path))
    if isinstance(content, (dict, list)):
        return content if isinstance(content, dict) else {}, ""
    return {}, words.STORE_HOLDS_ELSE.format(path=friendly(path))


def _content_to_keep(path: Path) -> tuple[dict[str, Any], Path | None, bool]:
    """Return what else stands in the store, where a damaged one was moved to, and whether others could read it."""
    try:
        content = _load(path)
    except StoreUnusable:
        aside = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S-%f}")
        with suppress(OSError):
            path.replace(aside)
            # A link's end is not ours to change: it may be a device.
            if stat.S_ISREG(aside.lstat().st_mode):
                aside.chmod(0o600)
        return {}, aside, False
    return content, None, path.exists() and others_may_read(path)
