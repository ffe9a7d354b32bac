"""The workers of a Dask cluster, signed in as this kernel is, those that come later too. Needs the extra `dask`.

>>> from luminary_auth_widget.dask import sign_in_workers
>>> workers = sign_in_workers(client)  # client: dask.distributed.Client
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import ipaddress
import logging
import os
import threading
import time
import uuid
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import sdk, servers, words
from .credentials import Secret
from .errors import AuthError, CredentialRefused, CredentialUnusable
from .sdk import Deployment
from .session import AuthSession, current_session
from .status import Method, SignInState

try:
    import distributed
    import jwt
except ModuleNotFoundError as error:
    _missing = error.name
    raise ModuleNotFoundError(words.DASK_MISSING.format(library=_missing), name=_missing) from None

if TYPE_CHECKING:
    from luminarycloud import Client

__all__ = ["SignedInWorkers", "UnencryptedCluster", "sign_in_workers"]

_logger = logging.getLogger(__name__)

_PLUGIN = "luminary-auth"
# A worker imports the SDK: a second on a machine of its own, more where several share one.
_CLUSTER_LIMIT = timedelta(seconds=60)
_LIMIT_AT_EXIT = timedelta(seconds=5)
# How much of an access token's time passes before it is renewed: of 24 hours, 6 are left for a server that is away.
_RENEW_AFTER = 0.75
# A clock that stood still while the machine slept is noticed within this time; a failure is tried again after it.
_LOOK_EVERY = timedelta(seconds=30)


class UnencryptedCluster(UserWarning):
    """What workers are given travels between machines as plain text."""


def sign_in_workers(client: distributed.Client, session: AuthSession | None = None) -> SignedInWorkers:
    """Sign the workers of a cluster in as this kernel is: those that are there, and those that come later.

    Each gets the API key in use, or the access token of the browser session; the refresh token stays in the kernel.
    They follow: another sign-in, a renewal and a sign-out reach them within moments. luminary-auth-widget has to be
    installed where they run. A cluster is signed in by one kernel at a time; the last call wins.

    Parameters
    ----------
    client : distributed.Client
        One made without `asynchronous=True`.
    session : AuthSession, optional
        The kernel's one, unless given.

    Returns
    -------
    SignedInWorkers
        Also a context manager. Closing it signs the workers out, as does the end of this kernel.

    Raises
    ------
    NotSignedIn, NotVerified
        See `AuthSession.require`.
    AuthError
        The workers could not be signed in; those that were are signed out again.

    Warns
    -----
    UnencryptedCluster
    """
    if client.asynchronous:
        raise CredentialUnusable(words.DASK_ASYNCHRONOUS, next_step=words.DASK_ASYNCHRONOUS_NEXT)
    session = session or current_session()
    session.require()
    _warn_if_readable(client)
    return SignedInWorkers(client, session)


class SignedInWorkers:
    """The workers of one cluster, which follow this kernel until `close()`; `sign_in_workers` makes one."""

    def __init__(self, client: distributed.Client, session: AuthSession) -> None:
        self._dask, self._session = client, session
        # Not the cluster's one name for it: whoever signs it in next can tell that it is not theirs.
        self._place = f"{_PLUGIN}-{uuid.uuid4().hex}"
        self._talking = threading.RLock()
        self._woken, self._closed = threading.Event(), False
        self._renewal = _Renewal()
        self._given: _Ticket | None = None
        self._begin()
        self._unsubscribe = session.on_change(lambda _status: self._woken.set())
        atexit.register(self._end, _LIMIT_AT_EXIT)
        threading.Thread(target=self._follow, name="luminary-auth-dask", daemon=True).start()

    def close(self) -> None:
        """Sign the workers out and stop following; a second call does nothing."""
        self._end(_CLUSTER_LIMIT)

    def __enter__(self) -> SignedInWorkers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        standing = words.DASK_WORKERS_LEFT if self._closed else words.DASK_WORKERS
        return standing.format(address=_address(self._dask))

    def _begin(self) -> None:
        self._given = self._ticket()
        problem: AuthError | None = None
        try:
            self._ask(self._take_over)
        except Exception as error:  # noqa: BLE001 - whatever of theirs it is, it becomes a sentence
            problem = error if isinstance(error, AuthError) else _failed(error)
            with suppress(Exception):
                self._ask(self._leave)
        if problem:
            raise problem

    def _follow(self) -> None:
        while not self._closed and self._dask.status not in {"closing", "closed"}:
            self._woken.wait(self._renewal.pause())
            self._woken.clear()
            with self._talking:
                if not self._closed:
                    self._keep_up()

    def _keep_up(self) -> None:
        """Let the workers have what the kernel has now. Never raises: what fails is tried again."""
        try:
            # A credential that is being asked about is good or bad in a moment.
            if self._session.status.state is SignInState.CHECKING or (ticket := self._ticket()) == self._given:
                return
            if not self._ask(self._still_ours):
                self._closed = True
                _logger.warning(words.DASK_TAKEN_OVER)
                return
            self._ask(functools.partial(self._hand_out, ticket))
            self._given = ticket
        except CredentialRefused:
            with suppress(AuthError):
                self._session.check()  # whose answer everybody hears, this thread too
        except Exception as error:  # noqa: BLE001 - the cluster or a server is away
            self._renewal.put_off()
            _logger.warning(words.DASK_NOT_TOLD.format(error=type(error).__name__))

    def _end(self, limit: timedelta) -> None:
        atexit.unregister(self._end)
        self._unsubscribe()
        # The follower may be waiting for a cluster that does not answer.
        alone = self._talking.acquire(timeout=limit.total_seconds())
        try:
            if self._closed:
                return
            self._closed = True
            self._woken.set()
            if alone:
                with suppress(Exception):  # a cluster that is gone has nobody to sign out
                    self._ask(self._leave, limit)
        finally:
            if alone:
                self._talking.release()

    def _ticket(self) -> _Ticket | None:
        client, source = self._session.client, self._session.in_use
        if client is None or source is None:
            return None
        if source.key is not None:
            return _Ticket(Method.API_KEY, sdk.address(client), source.key.secret)
        return _Ticket(Method.BROWSER, sdk.address(client), self._renewal.token(client))

    # -- on the event loop of the Dask client ------------------------------------------------------------------------

    def _ask(self, intent: Any, limit: timedelta = _CLUSTER_LIMIT) -> Any:
        return self._dask.sync(intent, callback_timeout=limit.total_seconds())

    async def _take_over(self) -> None:
        for place in await self._dask.list_datasets():
            if str(place).startswith(f"{_PLUGIN}-"):
                await self._dask.unpublish_dataset(place)
        await self._hand_out(self._given)

    async def _still_ours(self) -> bool:
        return self._place in await self._dask.list_datasets()

    async def _hand_out(self, ticket: _Ticket | None) -> None:
        await self._dask.publish_dataset(ticket, name=self._place, override=True)
        await self._dask.register_plugin(_SignIn(self._place), name=_PLUGIN)

    async def _leave(self) -> None:
        if not await self._still_ours():
            return
        try:
            await self._hand_out(None)
        finally:
            await self._dask.unpublish_dataset(self._place)
            await self._dask.unregister_worker_plugin(_PLUGIN)


@dataclass(frozen=True)
class _Ticket:
    """What one worker needs: the address of the API server, and the key or the access token that it accepts."""

    method: Method
    address: str
    secret: Secret

    def __reduce__(self) -> tuple[Any, ...]:
        # The one way out of this process: as the data of a published dataset, which Dask logs and shows nowhere.
        return _ticket, (self.method.value, self.address, self.secret.reveal())

    def client(self) -> Client:
        """Build the client; it holds nothing that could renew the session, and looks for nothing on its machine."""
        deployment = Deployment(target=self.address)
        if self.method is Method.API_KEY:
            return deployment.client_for_key(self.secret)
        return sdk.client_with_access_token(deployment, self.secret)


def _ticket(method: str, address: str, secret: str) -> _Ticket:
    return _Ticket(Method(method), address, Secret(secret))


class _SignIn(distributed.WorkerPlugin):
    """Fetches a ticket from the scheduler, in the worker.

    It holds none itself: at debug level, scheduler and workers write the bytes of every plugin into their logs.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._kernel = _this_process()

    async def setup(self, worker: distributed.Worker) -> None:
        if self._kernel == _this_process():
            return  # a cluster of threads, in the kernel itself
        ticket = await self._fetch(worker)
        # Not on the event loop: the SDK's import takes a second, in which the worker would seem dead.
        await asyncio.to_thread(_act_as, ticket)

    async def _fetch(self, worker: distributed.Worker) -> _Ticket | None:
        scheduler = distributed.Client(
            worker.scheduler.address, asynchronous=True, set_as_default=False, security=worker.security
        )
        async with scheduler as client:
            ticket: _Ticket | None = await client.get_dataset(self._place, default=None)
            return ticket


def _act_as(ticket: _Ticket | None) -> None:
    sdk.adopt(ticket.client() if ticket else sdk.signed_out_client(Deployment()))


class _Renewal:
    """Renews the access token before it ends, by this machine's clock."""

    def __init__(self) -> None:
        self._seen: Secret | None = None
        self._due = float("inf")

    def token(self, client: Client) -> Secret:
        """Return the access token, renewed if it is time."""
        token = servers.access_token(client, renew=time.time() >= self._due)
        if token != self._seen:
            self._seen, now = token, time.time()
            self._due = now + _RENEW_AFTER * max(0, _ends_at(token) - now)
        return token

    def pause(self) -> float:
        """Return for how many seconds nothing has to be done."""
        return max(1, min(self._due - time.time(), _LOOK_EVERY.total_seconds()))

    def put_off(self) -> None:
        """Try again later what has failed now."""
        self._due = max(self._due, time.time() + _LOOK_EVERY.total_seconds())


def _ends_at(token: Secret) -> float:
    return float(jwt.decode(token.reveal(), options={"verify_signature": False})["exp"])


_PROCESS = uuid.uuid4().hex


def _this_process() -> str:
    return f"{_PROCESS}-{os.getpid()}"  # a fork has the first part in common


def _warn_if_readable(client: distributed.Client) -> None:
    addresses = [_address(client), *client.scheduler_info()["workers"]]
    if open_to_others := next((address for address in addresses if not _is_private(address)), ""):
        warnings.warn(
            words.DASK_UNENCRYPTED.format(address=open_to_others),
            UnencryptedCluster,
            stacklevel=3,
        )


def _address(client: distributed.Client) -> str:
    return str(client.scheduler.address) if client.scheduler else ""


def _is_private(address: str) -> bool:
    """Whether nobody on the network can read what goes to the address."""
    parts = urlsplit(address)
    if parts.scheme in {"tls", "wss", "inproc"} or parts.hostname == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    return False


def _failed(error: Exception) -> AuthError:
    return AuthError(words.DASK_FAILED.format(error=type(error).__name__), next_step=words.DASK_FAILED_NEXT)
