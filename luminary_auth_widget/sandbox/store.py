"""What the sandbox remembers: accounts, projects, keys, sessions. Every secret is kept as a hash.

Times are seconds since 1970, UTC, by the sandbox's clock.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.security import check_password_hash

from .database import Database

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Account:
    """Somebody who can log in."""

    email: str
    name: str
    sessions_ended_at: float


@dataclass(frozen=True)
class Project:
    """A project as its members see it."""

    id: str
    name: str
    description: str
    created_at: float
    storage_bytes: int


@dataclass(frozen=True)
class KeyRecord:
    """An API key as the list shows it."""

    id: str
    email: str
    name: str
    last_four: str
    created_at: float
    expires_at: float
    last_used_at: float | None
    revoked: bool

    def active(self, now: float) -> bool:
        """Return whether it opens anything."""
        return not self.revoked and now < self.expires_at


@dataclass(frozen=True)
class Session:
    """A sign-in of the SDK: from the log-in until its absolute end."""

    id: str
    email: str
    scope: str
    expires_at: float
    ended: bool

    def alive(self, now: float) -> bool:
        """Return whether its tokens are good."""
        return not self.ended and now < self.expires_at


class Store:
    """What the sandbox remembers, in the terms of those who ask.

    Parameters
    ----------
    path : Path
        Created with the demo accounts where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self.close = self._database.close

    def setting(self, name: str) -> str | None:
        """Return a setting."""
        row = self._database.one("SELECT value FROM settings WHERE name = ?", name)
        return row["value"] if row else None

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        self._database.write("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    def account(self, email: str) -> Account | None:
        """Return an account."""
        row = self._database.one("SELECT email, name, sessions_ended_at FROM accounts WHERE email = ?", email)
        return Account(**row) if row else None

    def log_in(self, email: str, password: str) -> Account | None:
        """Return the account if the password is right."""
        row = self._database.one("SELECT password_hash FROM accounts WHERE email = ?", email)
        return self.account(email) if row and check_password_hash(row["password_hash"], password) else None

    def projects_of(self, email: str) -> list[Project]:
        """Return what an account may see, newest first."""
        rows = self._database.all(
            "SELECT projects.* FROM projects JOIN members ON project_id = id WHERE email = ? "
            "ORDER BY created_at DESC, id",
            email,
        )
        return [Project(**row) for row in rows]

    def create_api_key(self, email: str, name: str, now: float, lifetime_seconds: float) -> tuple[KeyRecord, str]:
        """Create a key; its secret is returned here and never again."""
        secret = new_secret("lc_sandbox_")
        key = KeyRecord(
            secrets.token_hex(8), email, name, secret[-4:], now, now + lifetime_seconds, None, revoked=False
        )
        self._database.write(
            "INSERT INTO api_keys (id, email, name, digest, last_four, created_at, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(key.id, key.email, key.name, digest(secret), key.last_four, key.created_at, key.expires_at),
        )
        return key, secret

    def api_keys_of(self, email: str) -> list[KeyRecord]:
        """Return an account's keys, newest first."""
        return [
            _key(row)
            for row in self._database.all(
                "SELECT * FROM api_keys WHERE email = ? ORDER BY created_at DESC, rowid DESC", email
            )
        ]

    def api_key(self, key_id: str) -> KeyRecord | None:
        """Return a key by its id."""
        row = self._database.one("SELECT * FROM api_keys WHERE id = ?", key_id)
        return _key(row) if row else None

    def use_api_key(self, secret: str, now: float) -> KeyRecord | None:
        """Return the active key that `secret` is, noting that it was used."""
        row = self._database.one("SELECT * FROM api_keys WHERE digest = ?", digest(secret))
        if row is None or not _key(row).active(now):
            return None
        self._database.write("UPDATE api_keys SET last_used_at = ? WHERE id = ?", now, row["id"])
        return _key(row)

    def revoke_api_key(self, key_id: str) -> bool:
        """Make a key inactive; return whether there is one."""
        return self._database.write("UPDATE api_keys SET revoked = 1 WHERE id = ?", key_id) > 0

    def delete_api_key(self, key_id: str) -> bool:
        """Remove a key; return whether there was one."""
        return self._database.write("DELETE FROM api_keys WHERE id = ?", key_id) > 0

    def save_code(self, code: str, expires_at: float, request: dict[str, str]) -> None:
        """Keep an authorization code with what it was asked for with, and the id of the session that it will open."""
        self._database.write(
            "INSERT INTO authorization_codes (digest, expires_at, request) VALUES (?, ?, ?)",
            *(digest(code), expires_at, json.dumps(request)),
        )

    def take_code(self, code: str, now: float) -> dict[str, str] | None:
        """Return what a code was asked for with, once; a second use ends what the first has opened."""
        row = self._database.one(
            "UPDATE authorization_codes SET uses = uses + 1 WHERE digest = ? RETURNING *", digest(code)
        )
        request = dict(json.loads(row["request"])) if row else {}
        if row and row["uses"] > 1:
            # Two hold what one should (RFC 6749, section 4.1.2).
            self.end_session(request["session_id"])
            return None
        return request if row and now < row["expires_at"] else None

    def open_session(self, session_id: str, email: str, scope: str, expires_at: float) -> Session:
        """Start a session."""
        session = Session(session_id, email, scope, expires_at, ended=False)
        self._database.write("INSERT INTO sessions VALUES (?, ?, ?, ?, 0)", session.id, email, scope, expires_at)
        return session

    def session(self, session_id: str) -> Session | None:
        """Return a session."""
        row = self._database.one("SELECT * FROM sessions WHERE id = ?", session_id)
        return Session(**{**row, "ended": bool(row["ended"])}) if row else None

    def end_session(self, session_id: str) -> None:
        """End a session, with all its tokens."""
        self._database.write("UPDATE sessions SET ended = 1 WHERE id = ?", session_id)

    def end_sessions(self, email: str, now: float) -> bool:
        """End an account's sessions, those of browsers as well; return whether there is such an account."""
        self._database.write("UPDATE sessions SET ended = 1 WHERE email = ?", email)
        return self._database.write("UPDATE accounts SET sessions_ended_at = ? WHERE email = ?", now, email) > 0

    def save_refresh_token(self, token: str, session_id: str) -> None:
        """Keep a refresh token of a session."""
        self._database.write("INSERT INTO refresh_tokens VALUES (?, ?, 0)", digest(token), session_id)

    def refresh_token_session(self, token: str) -> tuple[Session | None, bool]:
        """Return a refresh token's session, and whether that token was exchanged for another before."""
        row = self._database.one("SELECT session_id, used_up FROM refresh_tokens WHERE digest = ?", digest(token))
        return (self.session(row["session_id"]), bool(row["used_up"])) if row else (None, False)

    def use_up_refresh_token(self, token: str) -> None:
        """Note that a refresh token was exchanged for another."""
        self._database.write("UPDATE refresh_tokens SET used_up = 1 WHERE digest = ?", digest(token))


def digest(secret: str) -> str:
    """Return what is stored instead of a secret, which is long and random: nobody finds it by trying."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(prefix: str) -> str:
    """Return a new secret of 238 random bits; letters and digits only, so that its last four read as a fingerprint."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(40))


def _key(row: dict[str, Any]) -> KeyRecord:
    shown = {name: value for name, value in row.items() if name != "digest"}
    return KeyRecord(**{**shown, "revoked": bool(row["revoked"])})
