"""AuthSession: the kernel's one sign-in, as a state machine. It knows no widget and no IPython."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import env_file, records, sdk, sources
from .credentials import Secret, clean_key
from .errors import (
    AttemptCancelled,
    AuthError,
    CredentialRefused,
    CredentialUnusable,
    NotSignedIn,
    ServerUnreachable,
    StorageFailed,
)
from .files import friendly
from .notices import Notice, about_remembering, about_use_of
from .sources import Source, SourceKind
from .status import Attempt, AttemptPhase, AuthStatus, Expiry, Method, SignInState

if TYPE_CHECKING:
    from luminarycloud import Client


@dataclass(frozen=True)
class Wish:
    """A sign-in that was asked for: the source, and what to do once the server has accepted it."""

    source: Source
    remember_in: Path | None = None
    expires_at: datetime | None = None

    @property
    def secret(self) -> Secret:
        """The key; a source without one says why."""
        if self.source.key is None:
            raise CredentialUnusable(self.source.problem, next_step=self.source.next_step)
        return self.source.key.secret


class AuthSession:
    """Signs this kernel in, and knows how it stands. Thread-safe; `current_session()` returns the kernel's one.

    State and attempt are two things: a sign-in under way, failed or cancelled changes neither the client nor the state.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._status = AuthStatus()
        self._client: Client | None = None
        self._in_use: Source | None = None
        self._attempts = 0
        self._retry: Wish | None = None
        self._notices: dict[str, Notice] = {}
        self._checking = False
        self._listeners: list[Callable[[AuthStatus], None]] = []

    @property
    def status(self) -> AuthStatus:
        """The snapshot of this moment."""
        return self._status

    @property
    def client(self) -> Client | None:
        """The SDK's default client while `signed_in` or `unverified`; else None."""
        usable = self._status.state in {SignInState.SIGNED_IN, SignInState.UNVERIFIED}
        return self._client if usable else None

    @property
    def in_use(self) -> Source | None:
        """Where the credential in use comes from."""
        return self._in_use

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person should know beside the state, oldest first."""
        return tuple(self._notices.values())

    @property
    def checking(self) -> bool:
        """Whether the server is being asked about the credential in use."""
        return self._checking

    def on_change(self, callback: Callable[[AuthStatus], None]) -> Callable[[], None]:
        """Call `callback` with the new status after every change, on the thread that made it; return what ends that."""
        self._listeners.append(callback)

        def unsubscribe() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return unsubscribe

    # -- intents ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Use what the SDK would use by itself, and ask the server about it in the background.

        With nothing to sign in with, a client is installed that never waits for a browser. A credential in use is asked
        about again. Returns as soon as the next line of code may call the SDK.

        Raises
        ------
        SDKUnusable
        """
        if self._in_use is not None:
            self.in_background(self.check)
            return
        found = sources.survey()
        source = found.automatic
        if source is not None and source.key is not None:
            self._use_unchecked(source)
            return
        self._install_signed_out_client()
        blocked = found.find("environment") if found.environment_blocks else None
        reason = source or blocked
        with self._lock:
            self._status = replace(
                AuthStatus(endpoint=self._status.endpoint),
                message=reason.problem if reason else "",
                next_step=reason.next_step if reason else "",
            )
        self._changed()

    def show_finding(self) -> None:
        """Say what `start` is about to use, before the SDK is loaded."""
        source = sources.survey().automatic
        if self._in_use is None and source is not None and source.key is not None:
            self._set(AuthStatus(SignInState.CHECKING, **_facts_of(source)))

    def use_key(
        self, key: str, *, remember: bool | str | Path | None = None, expires_on: date | datetime | None = None
    ) -> AuthStatus:
        """Sign in with an API key; return when the server has answered (at most 5 s).

        Parameters
        ----------
        key : str
            White space, quotes, braces, `LC_API_KEY=`, `export` and `Bearer` around it are removed.
        remember : bool, str or Path, optional
            Once accepted, write it into the nearest `.env` (or a new one), or into the file named.
        expires_on : date or datetime, optional
            When the key ends, by your word: the end of that day, or that moment (naive: local time).

        Raises
        ------
        KeyMalformed, KeyRefused, ServerUnreachable, AttemptCancelled, StorageFailed, SDKUnusable
            The credential in use before stays in use.
        """
        # The plain text leaves this frame before anything can raise: verbose tracebacks print locals.
        pasted, key = Secret(key if isinstance(key, str) else ""), ""
        return self.use_secret(pasted, remember=remember, expires_on=expires_on)

    def use_secret(
        self,
        pasted: Secret,
        *,
        label: str = "pasted",
        remember: bool | str | Path | None = None,
        expires_on: date | datetime | None = None,
    ) -> AuthStatus:
        """Sign in with an API key that is a `Secret` already; as `use_key`."""
        with self._reporting():
            cleaned = clean_key(pasted)
            wish = Wish(sources.given(cleaned, label), _place(remember), _moment(expires_on))
        return self._sign_in(wish)

    def load_env(self, path: str | Path | None = None) -> AuthStatus:
        """Sign in with the key of a `.env` file, and set the file's variables as `load_dotenv` does, overriding none.

        Parameters
        ----------
        path : str or Path, optional
            The nearest `.env` from the working directory upward when left out.

        Raises
        ------
        EnvFileUnusable, KeyMalformed, KeyRefused, ServerUnreachable, AttemptCancelled, SDKUnusable
        """
        with self._reporting():
            wish = Wish(sources.named_env_file(Path(path) if path is not None else env_file.place_to_remember()))
        return self._sign_in(wish)

    def use_source(self, source_id: str) -> AuthStatus:
        """Sign in with one of the sources that *Details* lists.

        Raises
        ------
        CredentialUnusable, KeyRefused, ServerUnreachable, AttemptCancelled, SDKUnusable
        """
        source = sources.survey().find(source_id)
        with self._reporting():
            if source is None:
                raise CredentialUnusable("That credential is no longer there.", next_step="Look at Details again.")
            wish = Wish(source)
            wish.secret  # noqa: B018 - raises where the source cannot be used
        return self._sign_in(wish)

    def retry(self) -> AuthStatus:
        """Try the attempt that failed for want of an answer once more, with the same credential."""
        wish = self._retry
        with self._reporting():
            if wish is None:
                raise CredentialUnusable("There is nothing to try again.", next_step="Give the key once more.")
        return self._sign_in(wish)

    def cancel(self) -> AuthStatus:
        """Take back the sign-in under way, or take a failed one off the screen; what is in use stays in use."""
        with self._lock:
            self._attempts += 1
            self._retry = None
        return self._set(replace(self._status, attempt=None))

    def check(self) -> AuthStatus:
        """Ask the server about the credential in use (at most 5 s); the answer is the new state.

        Raises
        ------
        NotSignedIn
            If none is in use.
        """
        source = self._in_use
        if source is None or source.key is None:
            raise NotSignedIn("Nothing is in use that could be checked.", next_step="Sign in first.")
        with self._lock:
            self._checking = True
        self._changed()
        verdict: AuthError | None = None
        try:
            sdk.check_key(source.key.secret)
        except AuthError as error:
            verdict = error
        finally:
            with self._lock:
                self._checking = False
                if self._in_use is source:
                    self._status = self._judged(self._status, verdict)
            self._changed()
        return self._status

    def sign_out(self, *, everywhere: bool = True) -> AuthStatus:  # noqa: ARG002 - an API key ends only in the web application
        """Stop using the credential in this kernel; the SDK's calls then fail at once instead of opening a browser.

        An API key goes on existing: revoke it in the web application. `everywhere` matters for browser sessions.
        """
        self._install_signed_out_client()
        again = sources.survey().automatic
        with self._lock:
            self._attempts += 1
            self._in_use = self._retry = None
            self._notices.clear()
            self._status = AuthStatus(
                endpoint=self._status.endpoint,
                message="Signed out of this kernel; the key itself stays valid until it is revoked.",
                next_step=f"After a kernel restart, the key in {again.label} is used again." if again else "",
            )
        return self._changed()

    # -- what is done with a key that is in use ----------------------------------------------------------------------

    def remember(self, path: str | Path | None = None) -> AuthStatus:
        """Write the API key in use into a `.env` file, the nearest or else a new one: 0600, every other line kept.

        Raises
        ------
        NotSignedIn, EnvFileUnusable, StorageFailed
        """
        if self._in_use is None or self._in_use.key is None:
            raise NotSignedIn("No API key is in use that could be remembered.", next_step="Sign in with a key first.")
        self._remember(self._in_use.key.secret, Path(path) if path is not None else env_file.place_to_remember())
        return self._changed()

    def forget(self, path: str | Path | None = None) -> AuthStatus:
        """Take the line with the API key in use out of the `.env` file again; it stays in use in this kernel.

        Raises
        ------
        NotSignedIn, EnvFileUnusable, StorageFailed
        """
        if self._in_use is None or self._in_use.key is None:
            raise NotSignedIn("No API key is in use that could be forgotten.", next_step="Sign in with a key first.")
        place = Path(path) if path is not None else env_file.place_to_remember()
        gone = env_file.forget(place, self._in_use.key.secret)
        said = f"The key was taken out of {friendly(place)}." if gone else f"{friendly(place)} does not hold this key."
        self._note(Notice("remembered", said))
        self._notices.pop("git", None)
        return self._changed()

    def keep_from_git(self, path: str | Path | None = None) -> AuthStatus:
        """Add the `.env` file to the `.gitignore` of its folder.

        Raises
        ------
        StorageFailed
        """
        place = Path(path) if path is not None else env_file.place_to_remember()
        ignore = env_file.add_to_gitignore(place)
        self._note(Notice("git", f"{friendly(ignore)} now keeps {place.name} out of git."))
        return self._changed()

    def dismiss(self, notice_id: str) -> AuthStatus:
        """Take a notice off the screen."""
        self._notices.pop(notice_id, None)
        return self._changed()

    def in_background(self, intent: Callable[[], object]) -> threading.Thread:
        """Run an intent on a thread of its own; what it raises stands in the status already."""

        def run() -> None:
            try:
                intent()
            except (StorageFailed, NotSignedIn, CredentialUnusable) as error:
                if self._status.attempt is None:
                    self._note(Notice("failed", str(error)))
                    self._changed()
            except AuthError:
                pass  # _reporting has made it the attempt
            except Exception as error:  # noqa: BLE001 - a bug of ours must not leave the widget waiting
                self._fail(
                    AuthError(f"Something unexpected happened ({type(error).__name__}).", next_step="Try again.")
                )

        thread = threading.Thread(target=run, name="luminary-auth", daemon=True)
        thread.start()
        return thread

    # -- the machine itself --------------------------------------------------------------------------------------------

    def _sign_in(self, wish: Wish) -> AuthStatus:
        """Ask the server about the wish's key; put it in use if the server says yes, else fail as an attempt."""
        number = self._begin_attempt()
        with self._reporting(number, wish):
            sdk.load()
            sdk.check_key(wish.secret)
            with self._lock:
                if number != self._attempts:
                    raise AttemptCancelled("This sign-in was cancelled.")
                self._client = sdk.adopt(sdk.client_for_key(wish.secret))
                self._put_in_use(wish.source, SignInState.SIGNED_IN, expires_at=wish.expires_at)
        self._changed()
        if wish.source.kind is SourceKind.ENV_FILE and wish.source.path:
            env_file.load_into_environment(wish.source.path)
        if wish.remember_in is not None:
            self._remember(wish.secret, wish.remember_in)
        return self._changed()

    def _use_unchecked(self, source: Source) -> None:
        client = sdk.adopt(sdk.client_for_key(Wish(source).secret))
        with self._lock:
            self._client = client
            self._put_in_use(source, SignInState.CHECKING)
        self._changed()
        self.in_background(self.check)

    def _put_in_use(self, source: Source, state: SignInState, *, expires_at: datetime | None = None) -> None:
        secret = Wish(source).secret
        self._in_use, self._retry = source, None
        self._notices.clear()
        if expires_at is not None:
            self._keep_expiry(secret, expires_at)
        now = _now()
        noted = expires_at or records.noted_expiry(secret)
        # A noted date that has passed says nothing against the server's yes.
        expires_at = noted if noted and noted > now else None
        self._status = AuthStatus(
            state,
            **_facts_of(source),
            endpoint=sdk.target().partition(":")[0],
            signed_in_at=now,
            expires_at=expires_at,
            expiry=Expiry.NOTED if expires_at else Expiry.UNKNOWN,
            checked_at=now if state is SignInState.SIGNED_IN else None,
        )
        self._note(*about_use_of(source))

    def _judged(self, status: AuthStatus, verdict: AuthError | None) -> AuthStatus:
        status = replace(status, message="", next_step="", checked_at=_now())
        if verdict is None:
            if status.expires_at and status.expires_at <= _now():
                # The noted date was wrong, or the key was prolonged: the server's word counts.
                status = replace(status, expires_at=None, expiry=Expiry.UNKNOWN)
            return replace(status, state=SignInState.SIGNED_IN)
        refused = isinstance(verdict, CredentialRefused)
        return replace(
            status,
            state=SignInState.REJECTED if refused else SignInState.UNVERIFIED,
            message=verdict.message,
            next_step=verdict.next_step,
        )

    def _keep_expiry(self, secret: Secret, expires_at: datetime) -> None:
        try:
            records.note_expiry(secret, expires_at)
        except StorageFailed as error:
            self._note(Notice("expiry", f"The key's end is known in this kernel only. {error}"))

    def _remember(self, secret: Secret, place: Path) -> None:
        try:
            done = env_file.remember(place, secret)
        except AuthError as error:
            self._note(Notice("remembered", f"Signed in, but the key was not remembered. {error}"))
            self._changed()
            raise
        with self._lock:
            self._notices.pop("in_notebook", None)
            self._notices.pop("again", None)
        self._note(*about_remembering(done))

    def _install_signed_out_client(self) -> None:
        sdk.adopt(sdk.signed_out_client())
        with self._lock:
            self._client = None
            self._status = replace(self._status, endpoint=sdk.target().partition(":")[0])

    def _begin_attempt(self) -> int:
        with self._lock:
            self._attempts += 1
            number = self._attempts
            self._retry = None
            self._notices.pop("failed", None)
            attempt = Attempt(Method.API_KEY, AttemptPhase.CHECKING, ends_at=_now() + sdk.CHECK_LIMIT)
            self._status = replace(self._status, attempt=attempt)
        self._changed()
        return number

    @contextmanager
    def _reporting(self, number: int | None = None, wish: Wish | None = None) -> Iterator[None]:
        """Show what the block raises as a failed attempt, too."""
        try:
            yield
        except AuthError as error:
            self._fail(error, number, wish)
            raise

    def _fail(self, error: AuthError, number: int | None = None, wish: Wish | None = None) -> None:
        """Let the attempt fail with `error`, unless another one has begun since."""
        with self._lock:
            if isinstance(error, AttemptCancelled) or (number is not None and number != self._attempts):
                return
            unanswered = isinstance(error, ServerUnreachable)
            self._retry = wish if unanswered else None
            refused = "The server refused this key. " if isinstance(error, CredentialRefused) else ""
            attempt = Attempt(
                Method.API_KEY,
                AttemptPhase.FAILED,
                message=refused + error.message,
                next_step=error.next_step,
                can_retry=unanswered and wish is not None,
            )
            self._status = replace(self._status, attempt=attempt)
        self._changed()

    def _note(self, *notices: Notice) -> None:
        with self._lock:
            self._notices.update({notice.id: notice for notice in notices})

    def _set(self, status: AuthStatus) -> AuthStatus:
        with self._lock:
            self._status = status
        return self._changed()

    def _changed(self) -> AuthStatus:
        status = self._status
        for listener in tuple(self._listeners):
            listener(status)
        return status

    def __repr__(self) -> str:
        return repr(self._status)


_current: list[AuthSession] = []
_creating = threading.Lock()


def current_session() -> AuthSession:
    """Return the one session of this kernel; make it at the first call."""
    with _creating:
        if not _current:
            _current.append(AuthSession())
        return _current[0]


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _facts_of(source: Source) -> dict[str, Any]:
    return {"method": Method.API_KEY, "source": source.label, "fingerprint": source.fingerprint}


def _place(remember: bool | str | Path | None) -> Path | None:
    if remember is True:
        return env_file.place_to_remember()
    return Path(remember) if remember else None


def _moment(expires_on: date | datetime | None) -> datetime | None:
    """Return the moment that the person named, in UTC: a bare date means the end of that day, here."""
    if expires_on is None:
        return None
    moment = expires_on if isinstance(expires_on, datetime) else datetime.combine(expires_on, time.max)
    moment = moment.astimezone(timezone.utc)
    if moment <= _now():
        raise CredentialUnusable("The key's end lies in the past.", next_step="Choose a later date, or leave it open.")
    return moment
