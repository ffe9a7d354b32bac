"""Following the sign-ins and sign-outs of other kernels, terminals and scripts on the same token store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from . import sdk, sources, token_store
from .in_use import InUse, SessionInUse
from .sources import Source
from .token_store import StoredSession
from .watcher import StoreWatcher

if TYPE_CHECKING:
    from luminarycloud import Client


class Follower(NamedTuple):
    """What following needs of a session.

    Attributes
    ----------
    now : callable
        Returns the credential in use and its client.
    follow : callable
        Uses a stored session that another process has signed in to, if what was in use still is.
    renew : callable
        Puts a credential in the place of another, if that is still in use: this kernel has renewed it.
    leave : callable
        Signs out here, because another process has, if what was in use still is.
    """

    now: Callable[[], tuple[InUse | None, Client | None]]
    follow: Callable[[Source, InUse | None], object]
    renew: Callable[[InUse, InUse], object]
    leave: Callable[[InUse | None], object]


class OtherKernels:
    """Compares the token store with what this kernel uses, after each write to it.

    A kernel that uses a key of its own does not follow.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._watcher = StoreWatcher(self.look)
        self._left: SessionInUse | None = None

    def start(self) -> None:
        """Look at the store from now on."""
        self._watcher.start()

    def leave(self, credential: InUse | None) -> None:
        """Do not follow this session again: this kernel was signed out of it, while it goes on elsewhere."""
        self._left = credential if isinstance(credential, SessionInUse) else None

    def look(self) -> None:
        """Follow what another process has done. Never raises: a look that fails is followed by the next."""
        credential, client = self._follower.now()
        if credential is not None and not isinstance(credential, SessionInUse):
            return
        with suppress(Exception):
            stored = token_store.find()
            if stored is None or stored.documented:
                # The documented file is not the store that is looked at.
                if credential is not None and not credential.documented:
                    self._follower.leave(credential)
                return
            if credential is not None and client is not None:
                self._keep_up(credential, client)
            elif self._left is None or not _is_same(self._left, stored):
                self._follower.follow(sources.stored_session(stored), credential)

    def _keep_up(self, credential: SessionInUse, client: Client) -> None:
        """Follow a new session; of the session in use, take the newest token, whoever has renewed it."""
        with sdk.between_renewals(client):
            # Read anew: what was read before a renewal of this kernel's own is older than what the client holds.
            stored, now = token_store.find(), credential.renewed(client)
            if stored is not None and now.secret != stored.token and now.continues_as(stored.token):
                now = now.taking_over(stored, client)
        if stored is None or now.secret == stored.token:
            self._follower.renew(credential, now)
        else:
            self._follower.follow(sources.stored_session(stored), credential)


def _is_same(session: SessionInUse, stored: StoredSession) -> bool:
    return session.secret == stored.token or session.continues_as(stored.token)
