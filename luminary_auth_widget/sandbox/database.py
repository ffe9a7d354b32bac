"""The SQLite file below the store: its tables, what a new one holds, and how threads share it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

from werkzeug.security import generate_password_hash

from . import demo

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    email TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sessions_ended_at REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at REAL NOT NULL,
    storage_bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    project_id TEXT NOT NULL REFERENCES projects,
    email TEXT NOT NULL REFERENCES accounts,
    PRIMARY KEY (project_id, email));
CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL REFERENCES accounts,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    last_four TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    last_used_at REAL,
    revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS authorization_codes (
    digest TEXT PRIMARY KEY,
    expires_at REAL NOT NULL,
    request TEXT NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL REFERENCES accounts,
    scope TEXT NOT NULL,
    expires_at REAL NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    digest TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions,
    used_up INTEGER NOT NULL DEFAULT 0);
"""
# A server that is just ending lets go of the file in milliseconds; one that runs, never.
_LOCK_TIMEOUT_SECONDS = 2
# Public passwords need no expensive hash, and a sandbox has to start quickly.
_PASSWORD_METHOD = "scrypt:1024:8:1"  # noqa: S105 - a method, not a password


class Database:
    """One connection, used by one thread at a time; every statement is a transaction.

    Parameters
    ----------
    path : Path
        Created with the demo accounts and projects where it is missing.

    Raises
    ------
    sqlite3.OperationalError
        If another process has it open.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_SECONDS, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # Held by one process for its life. No WAL: its shared memory does not work in home folders on a network.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # A kill loses nothing; a power cut may lose the last change.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        with self._connection:
            self._connection.executescript(_SCHEMA)
            _fill(self._connection)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def all(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Run a statement; return its rows, read to their end, without which nothing is committed."""
        with self._lock, self._connection:
            return [dict(row) for row in self._connection.execute(statement, values)]

    def one(self, statement: str, *values: Any) -> dict[str, Any] | None:
        """Run a statement; return its first row."""
        rows = self.all(statement, *values)
        return rows[0] if rows else None

    def write(self, statement: str, *values: Any) -> int:
        """Run a statement; return how many rows it changed."""
        with self._lock, self._connection:
            return self._connection.execute(statement, values).rowcount


def _fill(connection: sqlite3.Connection) -> None:
    for account in demo.ACCOUNTS:
        if not connection.execute("SELECT 1 FROM accounts WHERE email = ?", (account.email,)).fetchone():
            hashed = generate_password_hash(account.password, _PASSWORD_METHOD)
            row = (account.email, account.name, hashed)
            connection.execute("INSERT INTO accounts (email, name, password_hash) VALUES (?, ?, ?)", row)
    for project in demo.PROJECTS:
        about = (project.id, project.name, project.description, project.created_at.timestamp(), project.storage_bytes)
        connection.execute("INSERT OR IGNORE INTO projects VALUES (?, ?, ?, ?, ?)", about)
        members = [(project.id, email) for email in project.members]
        connection.executemany("INSERT OR IGNORE INTO members VALUES (?, ?)", members)
