"""Our sidecar beside the SDK's token store: what the SDK's files do not say. Atomic, 0600, no secret in it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from .credentials import Secret
from .files import alone_in, make_private_folder, parsed, read_small, replacing

_FILE_NAME = "luminary-auth-widget.json"
# What makes a client talk to another deployment than the SDK's default; names as in sdk.Deployment.
SETTINGS = ("target", "auth_domain", "client_id", "audience")
# A host with or without its port, an id, an address: one word of printable ASCII.
_SETTING = r"[!-~]+"
_ENVIRONMENT_NAMES = {"standard", "itar"}
_NO_YEAR = 9999
_EXPIRIES, _ENVIRONMENTS, _SESSION = "noted_key_expiries", "key_environments", "session"


class SessionRecord(NamedTuple):
    """What was noted at a browser sign-in.

    Attributes
    ----------
    token : str
        The refresh token's digest, to know whether the note belongs to what is stored.
    signed_in_at : datetime
        In UTC; renewals do not change it.
    environment : str
        "standard" or "itar".
    settings : dict of str
        The deployment's target, auth_domain, client_id and audience, where they are not the SDK's defaults.
    """

    token: str
    signed_in_at: datetime
    environment: str
    settings: dict[str, str]


def credentials_folder() -> Path:
    """Return the folder of the SDK's token store, by the SDK's own rule (0.28.1); it need not exist.

    Guarded by tests/contract/test_sdk.py.
    """
    if chosen := os.environ.get("LC_CREDENTIALS_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home())) / "Roaming" / "luminarycloud"
    return Path("~/.config/luminarycloud").expanduser()


def noted_expiry(key: Secret) -> datetime | None:
    """Return when `key` ends by the person's word, in UTC; None where nothing was noted."""
    return _moment(_section(_read(), _EXPIRIES).get(key.digest))


def note_expiry(key: Secret, expires_at: datetime | None) -> None:
    """Keep the person's word on when `key` ends; None takes it back.

    Raises
    ------
    StorageFailed
    """
    _note(_EXPIRIES, key.digest, expires_at.isoformat() if expires_at else None)


def key_environment(key: Secret) -> str | None:
    """Return the environment whose server has accepted `key`; None where that is not known."""
    return _environment(_section(_read(), _ENVIRONMENTS).get(key.digest))


def note_key_environment(key: Secret, environment: str) -> None:
    """Keep which environment's server has accepted `key`.

    Raises
    ------
    StorageFailed
    """
    if key_environment(key) != environment:
        _note(_ENVIRONMENTS, key.digest, environment)


def session(token: Secret) -> SessionRecord | None:
    """Return what was noted at the sign-in that `token` comes from; None where that is not known."""
    noted = _section(_read(), _SESSION)
    signed_in_at, environment = _moment(noted.get("signed_in_at")), _environment(noted.get("environment", "standard"))
    if noted.get("token") != token.digest or signed_in_at is None or environment is None:
        return None
    settings = _section(noted, "settings")
    known = {name: settings[name] for name in SETTINGS if name in settings}
    if not all(isinstance(value, str) and re.fullmatch(_SETTING, value) for value in known.values()):
        return None  # half of them would lead to another place than all
    return SessionRecord(token.digest, signed_in_at, environment, known)


def last_environment() -> str | None:
    """Return the environment of the browser session that was noted last, whatever its token is now."""
    return _environment(_section(_read(), _SESSION).get("environment"))


def note_session(record: SessionRecord) -> None:
    """Keep what is known of the stored browser session.

    Raises
    ------
    StorageFailed
    """
    with _changing() as content:
        content[_SESSION] = {**record._asdict(), "signed_in_at": record.signed_in_at.isoformat()}


def forget_session(*tokens: Secret) -> None:
    """Forget what is known of the session of one of `tokens`; what was noted of another is left alone.

    Raises
    ------
    StorageFailed
    """
    with _changing() as content:
        if _section(content, _SESSION).get("token") in {token.digest for token in tokens}:
            del content[_SESSION]


def _note(section: str, name: str, value: str | None) -> None:
    with _changing() as content:
        noted = _section(content, section)
        noted.pop(name, None)
        content[section] = {**noted, name: value} if value is not None else noted


@contextmanager
def _changing() -> Iterator[dict[str, Any]]:
    """Give what is noted, to be changed; no other kernel notes anything meanwhile."""
    folder = credentials_folder()
    make_private_folder(folder)
    with alone_in(folder):
        content = _read()
        yield content
        with replacing(folder / _FILE_NAME, anew=True) as draft:
            draft.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _read() -> dict[str, Any]:
    # A sidecar that is missing or spoilt costs a countdown, never a sign-in.
    with suppress(OSError, ValueError, RecursionError):
        content = parsed(read_small(credentials_folder() / _FILE_NAME).decode())
        return content if isinstance(content, dict) else {}
    return {}


def _section(content: dict[str, Any], name: str) -> dict[str, Any]:
    section = content.get(name)
    return dict(section) if isinstance(section, dict) else {}


def _moment(text: object) -> datetime | None:
    with suppress(TypeError, ValueError, OverflowError):
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # a foreign type is what suppress is for
        # To what lies at the end of all calendars no lifetime can be added.
        return moment.astimezone(timezone.utc) if moment.tzinfo and moment.year < _NO_YEAR else None
    return None


def _environment(noted: object) -> str | None:
    return noted if isinstance(noted, str) and noted in _ENVIRONMENT_NAMES else None
