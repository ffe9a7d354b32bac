"""AuthSession: the kernel's one sign-in, as a state machine. It knows no widget and no IPython."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import env_file, in_use, kernel, records, requiring, sdk, servers, sources, token_store, waiting, words, workers
from .board import Board
from .browser_login import clear_abandoned_logins
from .browser_sign_in import BrowserSignIn
from .credentials import Secret, clean_key
from .default_client import DefaultClient
from .environments import Environments, refusal
from .errors import (
    AttemptCancelled,
    AuthError,
    CallbackUnusable,
    CredentialRefused,
    CredentialUnusable,
    NotSignedIn,
    SDKUnusable,
    ServerUnreachable,
    SessionExpired,
    StorageFailed,
)
from .files import absolute, clear_what_was_left
from .in_use import InUse, SessionInUse
from .notices import Notice, about_keeping, about_use_of
from .other_kernels import Follower, OtherKernels
from .remembering import Remembering
from .sdk import Deployment
from .sources import Source, SourceKind, Survey
from .status import Attempt, AttemptPhase, AuthStatus, Expiry, Method, SignInState, StoppedCell

if TYPE_CHECKING:
    from luminarycloud import Client


class Wish(NamedTuple):
    """A sign-in that was asked for, and what to do once the server has accepted it."""

    credential: InUse
    remember_in: Path | None = None
    expires_at: datetime | None = None


class AuthSession:
    """Signs this kernel in, and knows how it stands. Thread-safe; `current_session()` returns the kernel's one.

    State and attempt are two things: a sign-in under way, failed or cancelled changes neither the client nor the state.

    Attributes
    ----------
    default_client : DefaultClient
        What the user's code gets as the SDK's default.
    """

    def __init__(self) -> None:
        self.default_client = DefaultClient()
        self._board = Board()
        self._browser = BrowserSignIn(self._board, self._use_new_session)
        self._environments = Environments()
        self._client: Client | None = None
        # The same before it was made the default: unlike that, it is never turned into another one.
        self._built: Client | None = None
        self._signed_out_of: Deployment | None = None
        self._in_use: InUse | None = None
        # The deployment that was chosen, or followed, when that came into use.
        self._used_at: Deployment | None = None
        # Counts what was in use: the answer about an earlier one comes too late.
        self._use = 0
        self._begun = False
        # Signed out by somebody, here or elsewhere, and not in again.
        self._left = False
        self._retry: Wish | None = None
        self._remembering = Remembering(self._board, self._move)
        self._others = OtherKernels(
            Follower(
                now=lambda: (self._in_use, self._built),
                follow=self._follow_session,
                renew=self._take_renewal,
                leave=self._leave_with_the_others,
            )
        )

    @property
    def status(self) -> AuthStatus:
        """The snapshot of this moment."""
        return self._board.status

    @property
    def client(self) -> Client | None:
        """The SDK's default client while `signed_in` or `unverified`; else None."""
        usable = self.status.state in {SignInState.SIGNED_IN, SignInState.UNVERIFIED}
        return self._client if usable else None

    @property
    def in_use(self) -> Source | None:
        """Where the credential in use comes from."""
        return self._in_use.source if self._in_use else None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person should know beside the state, oldest first."""
        return self._board.notices

    @property
    def checking(self) -> bool:
        """Whether the server is being asked about the credential in use."""
        return self._board.checking

    @property
    def stopped_cell(self) -> StoppedCell | None:
        """The cell that has failed last for want of a sign-in, until it runs again."""
        return self._board.stopped_cell

    def note_stopped_cell(self, cell: StoppedCell | None) -> None:
        """Offer to run `cell` again once somebody has signed in; None takes the offer back."""
        self._board.stopped_cell = cell
        self._board.publish()

    def on_change(self, callback: Callable[[AuthStatus], None]) -> Callable[[], None]:
        """Call `callback` with the new status after every change, on the thread that made it; return what ends that."""
        return self._board.listen(callback)

    # -- beginning ---------------------------------------------------------------------------------------------------

    def start(self, *, environment: str | None = None, target: str | None = None) -> None:
        """Use what the SDK would use by itself, and ask the server about it in the background.

        With nothing to sign in with, a client is installed that never waits for a browser. A credential in use is asked
        about again. Returns as soon as the next line of code may call the SDK.

        Parameters
        ----------
        environment : str, optional
            "standard" or "itar", as the SDK's `use_…_environment()`.
        target : str, optional
            The API server of a private deployment, host or host:port.

        Raises
        ------
        CredentialUnusable, SDKUnusable
            There is no such environment, or no usable SDK.
        """
        if environment is None and target is None and not sdk.is_loaded() and not kernel.draws_widgets():
            found = sources.survey()
            if found.automatic is None:
                # The answer needs no SDK, whose import takes most of a second. Should the run go on and import it, it
                # must not wait for a browser.
                sdk.once_loaded(self._use_what_is_there)
                self._say_why_not(AuthStatus(), *_why_not(found, self._environments.deployment))
                return
        self.begin(environment=environment, target=target)
        if self._in_use is None or self._used_at != self._environments.deployment or self._is_outdated(self._in_use):
            self._use_what_is_there()
        else:
            self.in_background(self.check)

    def start_unless_left(self) -> None:
        """As `start`, unless something is in use that may do. Whoever has signed out stays so."""
        credential = self._in_use
        if self._is_outdated(credential) if credential else not self._left:
            self.start()

    def _is_outdated(self, credential: InUse) -> bool:
        """Whether the server has refused what is in use, and the SDK would now find another in the same place.

        Another place may be another account's.
        """
        if self.status.state not in {SignInState.REJECTED, SignInState.EXPIRED}:
            return False
        found = sources.survey().automatic
        return found is not None and found.id == credential.source.id and found.secret not in {None, credential.secret}

    def start_with_the_sdk(self) -> None:
        """As `start`, as soon as something has imported the SDK, unless somebody signs in before."""
        sdk.once_loaded(lambda: None if self._begun else self.start())

    def look_into_failure(self) -> None:
        """After a call that failed for want of a sign-in: ask about what is in use; begin, if nobody has.

        Whoever has signed out stays so.
        """
        if self._in_use is not None:
            self.check()
        elif not self._use:
            self.start()

    def begin(self, *, environment: str | None = None, target: str | None = None) -> None:
        """Load the SDK, choose the deployment, follow other kernels from now on; as `start`, but use nothing yet.

        Raises
        ------
        CredentialUnusable, SDKUnusable
            Where nothing was in use, the status says so, too.
        """
        self._begun = True
        self.in_background(_clear_what_was_left)
        try:
            sdk.load()
            self._others.start()
            if environment is not None or target is not None:
                self._environments.choose(environment, target)
        except AuthError as error:
            self._board.failure = error
            if self._in_use is None:
                self._keep_from_asking()
                self._say_why_not(self._blank(), error.message, error.next_step)
            raise
        except KeyboardInterrupt:
            if self._in_use is None:
                self._say_why_not(self._blank(), words.IMPORT_INTERRUPTED, words.IMPORT_INTERRUPTED_NEXT)
            raise

    def use_environment(self, environment: str) -> AuthStatus:
        """Change to another environment: sign in there with what belongs to it, or be signed out.

        Raises
        ------
        CredentialUnusable, SDKUnusable
        """
        self.cancel()
        self._environments.choose(environment, None)
        self._use_what_is_there()
        return self.status

    def show_finding(self) -> None:
        """Say what `start` is about to use, before the SDK is loaded."""
        source = sources.survey().automatic
        if self._in_use is None and source is not None and source.secret is not None:
            self._board.status = AuthStatus(SignInState.CHECKING, **_facts_of(source))
            self._board.publish()

    def note_interrupt(self) -> None:
        """Say that nothing came into use of what was found: nobody asks about it any more."""
        if self._in_use is None and self.status.state is SignInState.CHECKING:
            self._keep_from_asking()
            self._say_why_not(self._blank(), words.SIGN_IN_INTERRUPTED, words.IMPORT_INTERRUPTED_NEXT)

    def _use_what_is_there(self) -> None:
        use, found = self._use, sources.survey()
        source = found.automatic
        if source is not None and source.secret is not None and self._environments.allow(source):
            self._use_unchecked(self._using(source), use)
            return
        with self._board.lock:
            if use != self._use:
                return  # somebody was quicker, by a click
            self._install_signed_out_client()
            self._in_use = None
            self._say_why_not(self._blank(), *_why_not(found, self._environments.deployment))

    def _say_why_not(self, blank: AuthStatus, message: str, next_step: str) -> None:
        with self._board.lock:
            self._board.status = blank._replace(attempt=self.status.attempt, message=message, next_step=next_step)
        self._board.publish()

    # -- signing in with a key ---------------------------------------------------------------------------------------

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
        label = words.SOURCE_CELL if isinstance(key, str) and kernel.stands_in_cell(key) else words.SOURCE_PASTED
        # The plain text leaves this frame before anything can raise: verbose tracebacks print locals.
        pasted, key = Secret(key if isinstance(key, str) else ""), ""
        return self.use_secret(pasted, label=label, remember=remember, expires_on=expires_on)

    def use_secret(
        self,
        pasted: Secret,
        *,
        label: str = words.SOURCE_PASTED,
        remember: bool | str | Path | None = None,
        expires_on: date | datetime | None = None,
    ) -> AuthStatus:
        """Sign in with an API key that is a `Secret` already; as `use_key`."""
        with self._reporting():
            source = sources.given(clean_key(pasted), label)
            wish = Wish(self._using(source), _place(remember))
        # A key is shown once: with a wrong end it can be tried again, without one.
        with self._reporting(wish=wish):
            wish = wish._replace(expires_at=_moment(expires_on))
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
            source = sources.named_env_file(Path(path) if path is not None else env_file.place_to_remember())
        return self._sign_in(Wish(self._using(source)))

    def use_source(self, source_id: str) -> AuthStatus:
        """Sign in with one of the sources that *Details* lists.

        Raises
        ------
        CredentialUnusable, CredentialRefused, ServerUnreachable, AttemptCancelled, SDKUnusable
        """
        with self._reporting():
            source = sources.survey().find(source_id)
            if source is None:
                raise CredentialUnusable(words.SOURCE_GONE, next_step=words.SOURCE_GONE_NEXT)
            if source.secret is None:
                raise CredentialUnusable(source.problem, next_step=source.next_step)
            if not self._environments.allow(source):
                raise refusal(source, self._environments.deployment)
        return self._sign_in(Wish(self._using(source)))

    def retry(self) -> AuthStatus:
        """Try the attempt that failed for want of an answer once more, with the same credential."""
        wish = self._retry
        with self._reporting():
            if wish is None:
                raise CredentialUnusable(words.NOTHING_TO_RETRY, next_step=words.NOTHING_TO_RETRY_NEXT)
        return self._sign_in(wish)

    # -- signing in with the browser ---------------------------------------------------------------------------------

    def warm(self) -> None:
        """Let a child begin to import the SDK, because the person is about to sign in with the browser."""
        self._browser.warm()

    def sign_in_with_browser(self) -> AuthStatus:
        """Start the SDK's own login in a child process; return once the link exists. What was in use stays in use.

        Raises
        ------
        PortsTaken, ServerUnreachable, SDKUnusable
        """
        self._browser.end()
        self._browser.start(self._environments.deployment)
        return self.status

    def use_another_account(self, on: bool = True) -> AuthStatus:
        """Make the link ask for an account even where the log-in page remembers this browser (`prompt=login`)."""
        self._browser.use_another_account(on)
        return self._board.publish()

    def paste_callback(self, address: str) -> AuthStatus:
        """Bring back the address on which a browser on another machine has ended: whole, or its query.

        Raises
        ------
        CallbackUnusable
            It does not belong to the sign-in under way, which goes on.
        """
        # As in use_key: no local of a frame that can raise holds the text.
        pasted, address = Secret(address if isinstance(address, str) else ""), ""
        return self.paste_secret_callback(pasted)

    def paste_secret_callback(self, address: Secret) -> AuthStatus:
        """As `paste_callback`, with an address that is a `Secret` already."""
        try:
            self._browser.paste(address)
        except CallbackUnusable as error:
            self._browser.remark(error)
            raise
        return self.status

    def _use_new_session(self, number: int, deployment: Deployment, token: Secret) -> None:
        """Put the session that a login has brought into use, and into the SDK's store."""
        new = in_use.for_new_session(token, deployment)
        client, verdict, whose = new.build_apart(), None, ""
        # With rotation on, this renews: nobody may follow a session that is not in use yet, and may still be cancelled.
        with sdk.storing_nothing(client):
            try:
                whose = new.ask(client)
            except ServerUnreachable as error:
                # The identity server has said yes; the other one cannot be reached yet.
                verdict = error
        new = new.renewed(client)
        with self._board.lock:
            self._board.require_current(number)
            was, replaced = self.status.identity, _stored_environment()
            kept = in_use.keep(new)
            new.share_renewals(client)
            self._install(client, chosen=True)
            self._put_in_use(new, SignInState.SIGNED_IN, identity=whose)
            if verdict is not None:
                self._board.status = self._judged(verdict)
            self._board.note(
                *about_keeping(kept, was=was, now=whose, replaced=replaced, environment=deployment.environment)
            )
        self._board.publish()

    # -- what is in use ----------------------------------------------------------------------------------------------

    def cancel(self) -> AuthStatus:
        """Take back the sign-in under way, or take a failed one off the screen; what is in use stays in use."""
        self._retry = None
        self._board.end_attempt()
        self._browser.end()
        return self._board.publish()

    def check(self) -> AuthStatus:
        """Ask the server about the credential in use (at most 5 s a server); the answer is the new state.

        Raises
        ------
        NotSignedIn
            If none is in use.
        """
        with self._board.lock:
            credential, client, use = self._in_use, self._built, self._use
        if credential is None or client is None:
            raise NotSignedIn(words.NOTHING_TO_CHECK, next_step=words.NOTHING_TO_CHECK_NEXT)
        if self.status.state is not SignInState.CHECKING:
            self._board.drop("removed")  # read by now
        self._board.checking = True
        self._board.publish()
        verdict: AuthError | None = AuthError(words.CHECK_INTERRUPTED, next_step=words.CHECK_INTERRUPTED_NEXT)
        whose, answered = "", False
        try:
            whose = credential.verify(client)
            verdict, answered = None, True
        except AuthError as error:
            verdict, answered = error, True
        finally:
            with self._board.lock:
                self._board.checking = False
                # No answer is no verdict; but nobody asks any more.
                current = self._in_use if use == self._use else None
                if current is not None and (answered or self.status.state is SignInState.CHECKING):
                    # Not what was asked about: the same key may have moved to a file meanwhile.
                    self._in_use = current.renewed(client)
                    self._board.status = self._judged(verdict, whose)
                    if self._in_use.method is Method.BROWSER:
                        ends, expiry = self._in_use.expiry()
                        self._board.status = self._board.status._replace(expires_at=ends, expiry=expiry)
            self._board.publish()
        return self.status

    def check_at_the_end(self) -> None:
        """Ask about a credential whose time is up, if nobody has since: what a page asked then may have been lost."""
        ends, asked = self.status.expires_at, self.status.checked_at
        if self._in_use and not self.checking and ends and ends <= _now() and (asked is None or asked < ends):
            self.in_background(self.check)

    def sign_out(self, *, everywhere: bool = True) -> AuthStatus:
        """Stop using the credential in this kernel; the SDK's calls then fail at once instead of opening a browser.

        Parameters
        ----------
        everywhere : bool
            Also end a browser session at the server and take it out of the store, so that other kernels follow. An API
            key goes on existing either way: revoke it in the web application.
        """
        with self._board.lock:
            credential, client, use = self._in_use, self._built, self._use
            self._board.end_attempt()
            env_file.take_out_of_environment()
        self._browser.end()
        told = words.SIGNED_OUT
        if isinstance(credential, SessionInUse):
            told = self._end_session(credential, client) if everywhere else words.SIGNED_OUT_HERE
        elif credential is not None:
            told = words.SIGNED_OUT_OF_KEY
        again = sources.survey().automatic
        # A file that is not ours to change may still hold the session that is over.
        over = credential.secret if credential and told == words.SIGNED_OUT_EVERYWHERE else None
        restart = _used_again(again) if again and again.secret not in {None, over} else ""
        with self._board.lock:
            self._others.leave(credential)
            if use != self._use and self._in_use is not None:
                # While the server was told, somebody has signed in with something else: that stays.
                self._board.note(Notice("signed_out", told))
            else:
                self._install_signed_out_client()
                self._board.clear_notices()
                self._in_use = self._retry = None
                self._left = True
                self._remembering.begin_anew()
                under_way = self._attempt_under_way
                self._board.status = self._blank()._replace(attempt=under_way, message=told, next_step=restart)
        return self._board.publish()

    def _end_session(self, credential: SessionInUse, client: Client | None) -> str:
        told = words.SIGNED_OUT_EVERYWHERE
        with credential.newest(client) as newest:
            try:
                if client is not None:
                    servers.revoke(newest, sdk.auth_domain(client), sdk.client_id(client))
            except AuthError as error:
                untold = words.SIGNED_OUT_UNTOLD.format(why=error.message)
                where = words.SIGNED_OUT if credential.documented else words.SIGNED_OUT_ON_THIS_MACHINE
                told = f"{where} {untold}"
            try:
                for token in (credential.secret, newest):
                    token_store.remove(token)
                records.forget_session(credential.secret, newest)
            except StorageFailed as error:
                told = f"{told} {words.SIGNED_OUT_STILL_STORED.format(why=error)}"
        return told

    def _follow_session(self, source: Source, before: InUse | None) -> None:
        with self._board.lock:
            if self._in_use is not before:
                return
            use = self._use
        if self._environments.allow(source):
            self._use_unchecked(self._using(source), use)

    def _take_renewal(self, before: InUse, now: InUse) -> None:
        with self._board.lock:
            if self._in_use is before:
                self._in_use = now

    def _leave_with_the_others(self, before: InUse | None) -> None:
        with self._board.lock:
            if self._in_use is not before:
                return
            self._install_signed_out_client()
            self._in_use = None
            self._left = True
            self._board.clear_notices()
            told = words.SIGNED_OUT_ELSEWHERE
            self._board.status = self._blank()._replace(attempt=self._attempt_under_way, message=told)
        self._board.publish()

    # -- asking for the client ---------------------------------------------------------------------------------------

    def wait(self, timeout: timedelta = timedelta(minutes=5)) -> Client:
        """Return the client once somebody has signed in: here, in another kernel or in a terminal.

        The widget is shown below the cell that waits. An interrupt ends the wait. On kernels where a click does not
        reach a cell that waits in this way, says at once that `await session` is the way.

        Raises
        ------
        NotSignedIn
            When the time is up; at once where nobody is there to click (nbconvert, papermill, scripts).
        """
        return waiting.block(self, timeout) if kernel.attended() else self.require()

    def __await__(self) -> Generator[Any, None, Client]:
        """Wait as `wait` does, for 5 minutes, while other tasks run on."""
        return self._until_signed_in().__await__()

    async def _until_signed_in(self) -> Client:
        if not kernel.attended():
            return self.require()
        return await waiting.until_signed_in(self, timedelta(minutes=5))

    def require(self, at_least: timedelta = timedelta(0)) -> Client:
        """Return the client if the server accepts it and it lasts; for runs that nobody watches.

        Uses what is there if nothing is in use yet, and waits for a check under way (at most 5 s a server). An end that
        nobody knows passes, with a warning where a time was asked for.

        Parameters
        ----------
        at_least : timedelta, optional
            How long the sign-in must last from now on.

        Raises
        ------
        NotSignedIn
            With the variable to set.
        NotVerified
            The server could not be asked.
        ExpiresTooSoon
        """
        return requiring.require(self, at_least)

    def environ(self) -> dict[str, str]:
        """Return the variables that sign a process on this machine in as this kernel is, once added to its own.

        A key travels in them; a browser session does not: the process finds it in the SDK's store, as plain scripts do.
        For process pools, see `luminary_auth_widget.workers.sign_in_worker`.

        Raises
        ------
        NotSignedIn
        StorageFailed
            The session lives in this kernel only.
        """
        usable = self.client is not None or self.status.state is SignInState.CHECKING
        return workers.environ_for(self._in_use if usable else None)

    # -- what is done with a key that is in use ----------------------------------------------------------------------

    def remember(self, path: str | Path | None = None) -> AuthStatus:
        """Write the API key in use into a `.env` file, the nearest or else a new one: 0600, every other line kept.

        Raises
        ------
        NotSignedIn, EnvFileUnusable, StorageFailed
        """
        self._remembering.remember(self._key_in_use(), path)
        return self._board.publish()

    def forget(self, path: str | Path | None = None) -> AuthStatus:
        """Take the API key in use out of the `.env` file again; it stays in use in this kernel.

        A key whose place it took there comes back, as long as the key in use is the one that took it.

        Raises
        ------
        NotSignedIn, EnvFileUnusable, StorageFailed
        """
        self._remembering.forget(self._key_in_use(), path)
        return self._board.publish()

    def keep_from_git(self, path: str | Path | None = None) -> AuthStatus:
        """Add the `.env` file to the `.gitignore` of its folder.

        Raises
        ------
        StorageFailed
        """
        self._remembering.keep_from_git(path)
        return self._board.publish()

    def dismiss(self, notice_id: str) -> AuthStatus:
        """Take a notice off the screen."""
        self._board.drop(notice_id)
        return self._board.publish()

    def in_background(self, intent: Callable[[], object]) -> threading.Thread:
        """Run an intent on a thread of its own; what it raises stands in the status already."""

        def run() -> None:
            try:
                intent()
            except AttemptCancelled:
                pass  # by the person, who knows
            except AuthError as error:
                if error is not self._board.failure:
                    self._board.note(Notice("failed", str(error)))
                    self._board.publish()
            except Exception as error:  # noqa: BLE001 - a bug of ours must not leave the widget waiting
                kind = type(error).__name__
                self._board.fail(AuthError(words.UNEXPECTED.format(error=kind), next_step=words.TRY_AGAIN))

        thread = threading.Thread(target=run, name="luminary-auth", daemon=True)
        thread.start()
        return thread

    def _key_in_use(self) -> Secret:
        if self._in_use is None or self._in_use.method is not Method.API_KEY:
            raise NotSignedIn(words.NO_KEY_IN_USE, next_step=words.NO_KEY_IN_USE_NEXT)
        return self._in_use.secret

    # -- the machine itself ------------------------------------------------------------------------------------------

    def _sign_in(self, wish: Wish) -> AuthStatus:
        """Ask the server about the wish's credential; put it in use if it says yes, else fail as an attempt."""
        self._browser.end()
        self._retry = None
        number = self._board.begin(wish.credential.method, AttemptPhase.CHECKING)
        with self._reporting(number, wish):
            sdk.load()
            client, whose = wish.credential.open()
            with self._board.lock:
                self._board.require_current(number)
                self._install(client, chosen=True)
                credential = wish.credential.renewed(client)
                self._put_in_use(credential, SignInState.SIGNED_IN, identity=whose, expires_at=wish.expires_at)
        self._board.publish()
        source = wish.credential.source
        if source.kind is SourceKind.ENV_FILE and source.path:
            env_file.load_into_environment(source.path)
        if wish.remember_in is not None:
            self._remembering.remember(wish.credential.secret, wish.remember_in)
        return self._board.publish()

    def _use_unchecked(self, credential: InUse, use: int) -> None:
        """Use a credential that was found, unless another one has come into use since `use` was read."""
        client = credential.build()
        with self._board.lock:
            if use != self._use:
                return
            self._install(client, chosen=False)
            self._put_in_use(credential, SignInState.CHECKING, attempt=self._attempt_under_way)
            if credential.method is Method.BROWSER and token_store.tighten():
                self._board.note(Notice("tightened", words.SESSION_TIGHTENED))
        self._board.publish()
        self.in_background(self.check)

    def _put_in_use(
        self,
        credential: InUse,
        state: SignInState,
        *,
        identity: str = "",
        expires_at: datetime | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        self._in_use, self._used_at, self._retry = credential, self._environments.deployment, None
        self._others.start()
        self._left = False
        self._remembering.begin_anew()
        env_file.take_out_of_environment()
        self._use += 1
        self._board.clear_notices()
        if expires_at is not None:
            self._keep_expiry(credential.secret, expires_at)
        ends, expiry = (expires_at, Expiry.NOTED) if expires_at else credential.expiry()
        now = _now()
        self._board.status = self._blank()._replace(
            state=state,
            attempt=attempt,
            **_facts_of(credential.source),
            identity=identity,
            signed_in_at=credential.signed_in_at if credential.method is Method.BROWSER else now,
            expires_at=ends,
            expiry=expiry,
            checked_at=now if state is SignInState.SIGNED_IN else None,
        )
        self._board.note(*about_use_of(credential.source))

    def _judged(self, verdict: AuthError | None, whose: str = "") -> AuthStatus:
        """Return the status with the servers' word on the credential in use."""
        status = self.status._replace(message="", next_step="", checked_at=_now())
        if verdict is None:
            if status.expiry is Expiry.NOTED and status.expires_at and status.expires_at <= _now():
                # The noted date was wrong, or the key was prolonged: the server's word counts.
                status = status._replace(expires_at=None, expiry=Expiry.UNKNOWN)
            return status._replace(state=SignInState.SIGNED_IN, identity=whose or status.identity)
        state = SignInState.UNVERIFIED
        if status.method is Method.BROWSER and isinstance(verdict, SessionExpired | NotSignedIn):
            state = SignInState.EXPIRED
        elif status.method is Method.API_KEY and isinstance(verdict, CredentialRefused | CredentialUnusable):
            state = SignInState.REJECTED
        return status._replace(state=state, message=verdict.message, next_step=verdict.next_step)

    def _keep_expiry(self, secret: Secret, expires_at: datetime) -> None:
        try:
            records.note_expiry(secret, expires_at)
        except StorageFailed as error:
            self._board.note(Notice("expiry", words.END_NOT_KEPT.format(why=error)))

    def _move(self, source: Source) -> None:
        """Let the key in use be the one that now stands at `source`: the same key, found there after a restart."""
        with self._board.lock:
            if self._in_use is not None and self._in_use.secret == source.secret:
                self._in_use = in_use.for_source(source, self._in_use.deployment)
                self._board.status = self.status._replace(**_facts_of(source))

    def _using(self, source: Source) -> InUse:
        return in_use.for_source(source, self._environments.deployment_for(source))

    def _install(self, client: Client, *, chosen: bool) -> None:
        self._client, self._built = self.default_client.install(client, chosen=chosen), client

    def _install_signed_out_client(self) -> None:
        # Each client costs two threads: the one that is installed will do.
        if self._client is None and self._signed_out_of == self._environments.deployment:
            return
        self._signed_out_of = self._environments.deployment
        self.default_client.install(sdk.signed_out_client(self._environments.deployment), chosen=False)
        self._client = self._built = None
        self._use += 1

    def _keep_from_asking(self) -> None:
        """Where nobody has signed in since `begin`, let the SDK's calls fail at once instead of opening a browser.

        While a cell imports the SDK, its import sees to that: it may wait for the lock that is held here.
        """
        with self._board.lock, suppress(SDKUnusable):
            if self._begun and not self._use and sdk.is_ready():
                self._install_signed_out_client()

    @property
    def _attempt_under_way(self) -> Attempt | None:
        """The attempt beside the state, which goes on whatever other kernels do."""
        attempt = self.status.attempt
        return attempt if attempt is not None and attempt.running else None

    def _blank(self) -> AuthStatus:
        deployment = self._in_use.deployment if self._in_use else self._environments.deployment
        # Without an SDK, or before it is imported, nobody knows the host.
        return AuthStatus(environment=deployment.environment, endpoint=deployment.host if sdk.is_loaded() else "")

    @contextmanager
    def _reporting(self, number: int | None = None, wish: Wish | None = None) -> Iterator[None]:
        """Show what the block raises as a failed attempt, too; a wish that nobody has answered can be tried again."""
        try:
            yield
        except AuthError as error:
            can_retry = wish is not None and (number is None or isinstance(error, ServerUnreachable))
            if can_retry and (number is None or self._board.is_current(number)):
                self._retry = wish
            self._board.fail(error, number, can_retry=can_retry)
            self._keep_from_asking()
            raise
        except KeyboardInterrupt:
            # Whoever waited for the answer does so no longer.
            if number is not None and self._board.is_current(number):
                self._board.end_attempt()
                self._board.publish()
            raise

    def __repr__(self) -> str:
        return repr(self.status)


_current: list[AuthSession] = []
_creating = threading.Lock()


def current_session() -> AuthSession:
    """Return the one session of this kernel; make it at the first call."""
    with _creating:
        if not _current:
            _current.append(AuthSession())
        return _current[0]


def _clear_what_was_left() -> None:
    """Clear away what kernels that were killed have left where this one may write."""
    with suppress(OSError, RuntimeError):  # no working directory, no home
        clear_what_was_left(records.credentials_folder())
        clear_abandoned_logins(records.credentials_folder())
        clear_what_was_left(env_file.place_to_remember().parent)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _facts_of(source: Source) -> dict[str, Any]:
    method = Method.API_KEY if source.session is None else Method.BROWSER
    return {"method": method, "source": source.label, "fingerprint": source.fingerprint}


def _used_again(source: Source) -> str:
    if source.session:
        return words.SESSION_USED_AGAIN
    return words.KEY_USED_AGAIN.format(source=source.label)


def _why_not(found: Survey, deployment: Deployment) -> tuple[str, str]:
    """Return why nothing of what was found is used, and what to do: empty where nothing was found."""
    source = found.automatic
    if source is not None and source.secret is not None:
        foreign = refusal(source, deployment)
        return foreign.message, foreign.next_step
    reason = source or (found.find("environment") if found.environment_blocks else None)
    return (reason.problem, reason.next_step) if reason else ("", "")


def _stored_environment() -> str | None:
    """Return the environment of the session that a new one will take the place of, where there is one."""
    with suppress(AuthError):
        if session := token_store.find():
            return in_use.environment_of(sources.stored_session(session)) or "standard"
    return None


def _place(remember: bool | str | Path | None) -> Path | None:
    if remember is True:
        return env_file.place_to_remember()
    return absolute(Path(remember)) if remember else None


def _moment(expires_on: date | datetime | None) -> datetime | None:
    """Return the moment that the person named, in UTC: a bare date means the end of that day, here."""
    if expires_on is None:
        return None
    moment = expires_on if isinstance(expires_on, datetime) else datetime.combine(expires_on, time.max)
    try:
        moment = moment.astimezone(timezone.utc)
    except (OverflowError, ValueError):  # the calendar ends there, seen from here
        raise CredentialUnusable(words.END_BEYOND_CALENDAR, next_step=words.END_BEYOND_CALENDAR_NEXT) from None
    if moment <= _now():
        raise CredentialUnusable(words.END_PAST, next_step=words.END_PAST_NEXT)
    return moment
