"""The two kinds of credential that a kernel can use, behind one small interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple, Protocol

from . import records, sdk, servers, sources, token_store, words
from .credentials import Secret
from .errors import CredentialUnusable, SessionExpired, StorageFailed, StoreUnusable
from .files import alone_in
from .sdk import Deployment
from .sources import Source
from .status import Expiry, Method
from .token_store import StoredSession

if TYPE_CHECKING:
    from luminarycloud import Client

# How long a browser session lasts from sign-in, renewals included: the product's documentation.
SESSION_LIFETIME = timedelta(days=30)


class InUse(Protocol):
    """A credential, where it came from, and for which Luminary Cloud it is."""

    @property
    def source(self) -> Source:
        """Where it was found."""

    @property
    def deployment(self) -> Deployment:
        """Which Luminary Cloud accepts it."""

    @property
    def method(self) -> Method:
        """How one signed in with it."""

    @property
    def secret(self) -> Secret:
        """The key or the refresh token."""

    @property
    def signed_in_at(self) -> datetime | None:
        """When the session was signed in to, in UTC, where that was noted."""

    def build(self) -> Client:
        """Return a client that uses it, unchecked."""

    def verify(self, client: Client) -> str:
        """Ask the servers (each at most 5 s) and return whose it is, or ""; raise AuthError if it is not accepted."""

    def open(self) -> tuple[Client, str]:
        """Return a client that the servers accept, and whose it is."""

    def expiry(self) -> tuple[datetime | None, Expiry]:
        """Return when it ends, in UTC, and where that is known from."""

    def renewed(self, client: Client) -> InUse:
        """Return it as it is after the client has renewed what it renews."""


class KeyInUse(NamedTuple):
    """An API key."""

    source: Source
    deployment: Deployment

    @property
    def method(self) -> Method:
        """A key."""
        return Method.API_KEY

    @property
    def signed_in_at(self) -> datetime | None:
        """None: a key was made elsewhere."""
        return None

    @property
    def secret(self) -> Secret:
        """The key; a source without one says why."""
        if self.source.key is None:
            raise CredentialUnusable(self.source.problem, next_step=self.source.next_step)
        return self.source.key.secret

    def build(self) -> Client:
        """Return a client that signs its calls with the key."""
        return self.deployment.client_for_key(self.secret)

    def verify(self, client: Client | None = None) -> str:  # noqa: ARG002 - a key is checked without one
        """Ask the API server; never the one of another environment than the key was accepted by."""
        accepted_by = records.key_environment(self.secret)
        if accepted_by not in {None, self.deployment.environment}:
            raise CredentialUnusable(
                words.FOREIGN_KEY_GIVEN.format(environment=environment_name(str(accepted_by))),
                next_step=words.FOREIGN_KEY_GIVEN_NEXT,
            )
        servers.check_key(self.secret, self.deployment.address)
        with suppress(StorageFailed):  # then the next kernel asks again
            records.note_key_environment(self.secret, self.deployment.environment)
        return ""

    def open(self) -> tuple[Client, str]:
        """Check first: a client costs threads, and a refused key needs none."""
        whose = self.verify()
        return self.build(), whose

    def expiry(self) -> tuple[datetime | None, Expiry]:
        """Return the end by the person's word; one that has passed says nothing against the server's yes."""
        noted = records.noted_expiry(self.secret)
        return (noted, Expiry.NOTED) if noted and noted > datetime.now(timezone.utc) else (None, Expiry.UNKNOWN)

    def renewed(self, client: Client) -> KeyInUse:  # noqa: ARG002 - a key is never renewed
        """Return the same."""
        return self


class SessionInUse(NamedTuple):
    """A browser session; through every renewal it is known by the time of its sign-in, where that was noted."""

    source: Source
    deployment: Deployment
    signed_in_at: datetime | None = None

    @property
    def documented(self) -> bool:
        """Whether it lies in the file that the documentation names, and not in the SDK's store."""
        return self.source.session is not None and self.source.session.documented

    @property
    def method(self) -> Method:
        """The browser."""
        return Method.BROWSER

    @property
    def secret(self) -> Secret:
        """The refresh token; a source without one says why."""
        if self.source.session is None:
            raise CredentialUnusable(self.source.problem, next_step=self.source.next_step)
        return self.source.session.token

    def build(self) -> Client:
        """Return a client that renews its access token by the refresh token, in turn with other processes."""
        client = self.build_apart()
        self.share_renewals(client)
        return client

    def build_apart(self) -> Client:
        """Return a client for a session that is not stored yet: no other process has to do with it."""
        return self.deployment.client_for_session(self.secret)

    def share_renewals(self, client: Client) -> None:
        """Let the client renew in turn with other processes from now on: the session is stored."""
        sdk.share_renewals(client, catch_up=lambda: self._catch_up(client), keep=self._keep_renewed)

    def verify(self, client: Client) -> str:
        """Renew the access token where it must be, and ask both servers."""
        try:
            return self.ask(client)
        except SessionExpired:
            # A program that takes no turns, the SDK by itself, may have renewed it meanwhile.
            with sdk.between_renewals(client):
                renewed_elsewhere = self._catch_up(client, with_any=True)
            if not renewed_elsewhere:
                raise
            return self.ask(client)

    def ask(self, client: Client) -> str:
        """As `verify`, by what the client holds."""
        token = servers.check_session(client, self.deployment.address)
        return servers.identity(token, sdk.auth_domain(client))

    def open(self) -> tuple[Client, str]:
        """Build the client that renews, and have it checked."""
        client = self.build()
        return client, self.verify(client)

    def expiry(self) -> tuple[datetime | None, Expiry]:
        """Return the end from our own note of the sign-in, else about from the store's age."""
        if self.signed_in_at is not None:
            return self.signed_in_at + SESSION_LIFETIME, Expiry.RECORDED
        # With rotation on, every renewal rewrites the store: its age says nothing about the sign-in.
        if self.source.session is None or sdk.rotates():
            return None, Expiry.UNKNOWN
        return self.source.session.written_at + SESSION_LIFETIME, Expiry.ABOUT

    def renewed(self, client: Client) -> SessionInUse:
        """Return it with the refresh token that a renewal has put in the place of the old one, if it has."""
        newest = sdk.refresh_token(client)
        if newest is None or newest == self.secret or self.source.session is None:
            return self
        return self._with(self.source.session._replace(token=newest))

    def continues_as(self, token: Secret) -> bool:
        """Whether `token` belongs to the same session: another process has renewed it, with rotation on."""
        record = records.session(token)
        # A widget notes a new session before it stores it: with rotation on, an unknown token is a renewed one.
        return record.signed_in_at == self.signed_in_at if record else sdk.rotates()

    def taking_over(self, stored: StoredSession, client: Client) -> SessionInUse:
        """Return it with the token that another process has renewed it to; the client goes on with that."""
        sdk.use_refresh_token(client, stored.token)
        return self._with(stored)

    @contextmanager
    def newest(self, client: Client | None) -> Iterator[Secret]:
        """Give the session's newest refresh token, and keep this process and others from renewing it meanwhile."""
        if client is None:
            yield self.secret
            return
        with sdk.between_renewals(client), token_store.in_turn():
            self._catch_up(client)
            yield sdk.refresh_token(client) or self.secret

    def note(self) -> None:
        """Note what the SDK's files do not say.

        Raises
        ------
        StorageFailed
        """
        if self.signed_in_at is not None:
            deployment = self.deployment
            settings = {name: value for name in records.SETTINGS if (value := getattr(deployment, name)) is not None}
            digest, environment = self.secret.digest, deployment.environment
            records.note_session(records.SessionRecord(digest, self.signed_in_at, environment, settings))

    def _with(self, session: StoredSession) -> SessionInUse:
        record = records.session(session.token)
        signed_in_at = record.signed_in_at if record else self.signed_in_at
        now = self._replace(source=self.source._replace(session=session), signed_in_at=signed_in_at)
        with suppress(StorageFailed, StoreUnusable), alone_in(records.credentials_folder()):
            # Only while it is the one that is stored: a newer session's note is not for us to replace.
            stored = token_store.find()
            if stored is not None and stored.token == session.token and records.session(session.token) is None:
                now.note()
        return now

    def _keep_renewed(self, old: Secret, new: Secret) -> None:
        """Store and note what a renewal has brought; the session goes on without, where that fails."""
        with suppress(StorageFailed, StoreUnusable), alone_in(records.credentials_folder()):
            if self.source.session is not None and token_store.renew(old, new):
                self._with(self.source.session._replace(token=new))

    def _catch_up(self, client: Client, *, with_any: bool = False) -> bool:
        """Let the client use the token in the store, where that is this session's newest, or whichever it is.

        For between renewals; else a token read before one on another thread would be put in the place of the newer one.
        """
        stored = self._stored_token()
        if stored is None or stored == (sdk.refresh_token(client) or self.secret):
            return False
        if not (with_any or self.continues_as(stored)):
            return False
        sdk.use_refresh_token(client, stored)
        return True

    def _stored_token(self) -> Secret | None:
        """Return the token in the store, unless it may belong to another environment: it is not sent there."""
        with suppress(StoreUnusable):
            session = token_store.find()
            if session is None or session.documented:
                return None
            known = environment_of(sources.stored_session(session)) or "standard"
            return session.token if known == self.deployment.environment else None
        return None


def for_source(source: Source, deployment: Deployment) -> InUse:
    """Return what using `source` means."""
    if source.session is None:
        return KeyInUse(source, deployment)
    record = records.session(source.session.token)
    if record is not None and record.environment == deployment.environment:
        deployment = Deployment(record.environment, **record.settings)
    return SessionInUse(source, deployment, record.signed_in_at if record else None)


def for_new_session(token: Secret, deployment: Deployment) -> SessionInUse:
    """Return what using a browser session means that has just been signed in to."""
    now = datetime.now(timezone.utc)
    session = StoredSession(token, token_store.token_path(), now)
    return SessionInUse(sources.stored_session(session), deployment, signed_in_at=now)


def keep(session: SessionInUse) -> token_store.Saved | StorageFailed:
    """Put a new browser session into the SDK's store, and note when and for which environment it was signed in to.

    Returns
    -------
    Saved or StorageFailed
        The latter where it lives in this kernel only.
    """
    with alone_in(records.credentials_folder()):
        # The note first: whoever finds the token knows by then which servers it may be sent to.
        with suppress(StorageFailed):  # then the end is known from the store's age
            session.note()
        try:
            return token_store.save(session.secret)
        except StorageFailed as error:
            return error


def environment_of(source: Source) -> str | None:
    """Return the environment that a credential is known to belong to, or None."""
    if source.session is not None:
        record = records.session(source.session.token)
        if record is None and sdk.rotates():
            # A renewed token that nobody has noted yet: it comes from the session noted last.
            return records.last_environment()
        return record.environment if record else None
    return records.key_environment(source.key.secret) if source.key else None


def environment_name(environment: str) -> str:
    """Return an environment as people write it."""
    return {"itar": "ITAR"}.get(environment, words.STANDARD)
