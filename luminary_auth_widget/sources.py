"""Where credentials lie on this machine, and which of them the SDK would take by itself."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import NamedTuple

from . import env_file, token_store, words
from .credentials import CleanedKey, Secret, clean_key
from .errors import AuthError
from .files import absolute, friendly
from .token_store import StoredSession

_STORED = "stored_session"


class SourceKind(enum.Enum):
    """What kind of place a credential comes from."""

    ENVIRONMENT = "environment"
    ENV_FILE = "env_file"
    # A browser session in the SDK's token store, or in the file that the documentation names.
    STORED_SESSION = "stored_session"
    # Given by the person in this kernel: pasted into the widget, or as an argument.
    GIVEN = "given"


class Source(NamedTuple):
    """One place with a credential in it, or with the reason why it cannot be used.

    Attributes
    ----------
    id : str
        Names the place for `AuthSession.use_source`; stable while the place stays.
    kind : SourceKind
    label : str
        The place for people: "environment", "./.env".
    path : Path or None
        The file, where it is one.
    key : CleanedKey or None
    session : StoredSession or None
        One of both, or None where `problem` says why.
    problem, next_step : str
    """

    id: str
    kind: SourceKind
    label: str
    path: Path | None = None
    key: CleanedKey | None = None
    session: StoredSession | None = None
    problem: str = ""
    next_step: str = ""

    @property
    def secret(self) -> Secret | None:
        """The key or the refresh token."""
        if self.key:
            return self.key.secret
        return self.session.token if self.session else None

    @property
    def fingerprint(self) -> str:
        """The credential's last four characters, or nothing."""
        return self.secret.fingerprint if self.secret else ""


class Survey(NamedTuple):
    """All that was found, strongest first, and what follows from it.

    Attributes
    ----------
    sources : tuple of Source
    env_files : tuple of EnvFile
        Every readable `.env` from the working directory upward, nearest first.
    environment_blocks : bool
        LC_API_KEY is set but empty: the SDK then reads no key from `.env` either, since python-dotenv never overrides.
    """

    sources: tuple[Source, ...]
    env_files: tuple[env_file.EnvFile, ...]
    environment_blocks: bool

    @property
    def automatic(self) -> Source | None:
        """The source that the SDK takes by itself in a new kernel: environment, nearest `.env`, stored session."""
        stored = self.find(_STORED)
        if self.environment_blocks:
            return stored
        if environment := self.find("environment"):
            return self._copied_from_nearest(environment) or environment
        return self.nearest_env_source or stored

    @property
    def nearest_env_source(self) -> Source | None:
        """The nearest `.env`, if it names a key; a further one is never read by the SDK on its own."""
        source = next((s for s in self.sources if s.kind is SourceKind.ENV_FILE), None)
        nearest = next(iter(env_file.find()), None)
        return source if source and source.path == nearest else None

    def find(self, source_id: str) -> Source | None:
        """Return the source of that id."""
        return next((s for s in self.sources if s.id == source_id), None)

    def _copied_from_nearest(self, environment: Source) -> Source | None:
        # The SDK's import copies `.env` into the environment: a key that stands in both came from the file, and one
        # that came from there is what the file holds by now.
        nearest = self.nearest_env_source
        if nearest is None or nearest.key is None or environment.key is None:
            return None
        same = nearest.key.secret == environment.key.secret
        return nearest if same or env_file.key_is_copied() else None


def survey() -> Survey:
    """Look at the environment, every `.env` from the working directory upward, and the token store; change nothing.

    A kernel that has left the notebook's folder is offered the files there as well.
    """
    value = os.environ.get(env_file.KEY_NAME)
    blocked = value is not None and not value.strip()
    # The sandbox empties the variable itself, to keep a real key away: nothing to tell the person about.
    silent = value is None or (blocked and "LUMINARY_SANDBOX_PAGES" in os.environ)
    sources = [] if silent else [_from_environment(Secret(value or ""))]
    readable = []
    for path in _env_paths():
        place = _place(path)
        try:
            found = env_file.read(path)
        except AuthError as error:
            sources.append(place._replace(problem=error.message, next_step=error.next_step))
            continue
        readable.append(found)
        if found.key is not None:
            sources.append(_holding(place, found.key))
    return Survey((*sources, *_stored()), tuple(readable), environment_blocks=blocked)


def named_env_file(path: Path) -> Source:
    """Return the source for a `.env` file that the person named.

    Raises
    ------
    EnvFileUnusable, KeyMalformed
    """
    return _place(path)._replace(key=clean_key(env_file.require_key(path)))


def given(key: CleanedKey, label: str) -> Source:
    """Return the source for a key that the person gave in this kernel."""
    return Source("given", SourceKind.GIVEN, label, key=key)


def stored_session(session: StoredSession) -> Source:
    """Return the source for a browser session that is stored."""
    label = words.SOURCE_SESSION_AT.format(path=friendly(session.path)) if session.documented else words.SOURCE_SESSION
    return Source(_STORED, SourceKind.STORED_SESSION, label, session.path, session=session)


def _stored() -> list[Source]:
    try:
        session = token_store.find()
    except AuthError as error:
        place = Source(_STORED, SourceKind.STORED_SESSION, words.SOURCE_SESSION, token_store.token_path())
        return [place._replace(problem=error.message, next_step=error.next_step)]
    return [stored_session(session)] if session else []


def _env_paths() -> list[Path]:
    # Jupyter names the notebook in this variable.
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    beside_notebook = env_file.find(notebook.parent) if notebook.is_absolute() else []
    return list(dict.fromkeys([*env_file.find(), *beside_notebook]))


def _from_environment(value: Secret) -> Source:
    place = Source("environment", SourceKind.ENVIRONMENT, words.SOURCE_ENVIRONMENT)
    if value.reveal().strip():
        return _holding(place, value)
    return place._replace(problem=words.KEY_EMPTY, next_step=words.KEY_EMPTY_NEXT)


def _place(path: Path) -> Source:
    path = absolute(path)
    return Source(f"env_file:{path}", SourceKind.ENV_FILE, friendly(path), path)


def _holding(place: Source, value: Secret) -> Source:
    try:
        return place._replace(key=clean_key(value))
    except AuthError as error:
        problem = words.KEY_UNUSABLE.format(source=place.label, why=error.message)
        return place._replace(problem=problem, next_step=error.next_step)
