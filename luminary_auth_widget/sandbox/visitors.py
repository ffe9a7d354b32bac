"""Who is at the browser: log-in, and the cookie session by which the log-in page remembers."""

from __future__ import annotations

import secrets

from flask import abort, redirect, request, session

from .identity import SESSION_SECONDS
from .store import Account, Store
from .world import World


class Visitors:
    """Tells accounts by browsers' cookies.

    Parameters
    ----------
    store, world
    """

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world
        # A signed cookie is good until it expires; a copy of one outlives the log-out unless somebody remembers.
        self._logged_out: set[str] = set()

    def current(self) -> Account | None:
        """Return who is logged in in the browser that asks."""
        account = self._store.account(session.get("email", ""))
        if account is None or session["id"] in self._logged_out:
            return None
        started: float = session["at"]
        ended = started <= account.sessions_ended_at or self._world.now() >= started + SESSION_SECONDS
        return None if ended else account

    def required(self) -> Account:
        """Return who is logged in; send whoever is not to the log-in page."""
        return self.current() or abort(redirect("login"))

    def log_in(self) -> Account | None:
        """Log in with the form that was sent; None if its password is wrong."""
        email, password = request.form.get("email", "").strip().lower(), request.form.get("password", "")
        account = self._store.log_in(email, password)
        if account:
            # A new session: what somebody planted in the old one is gone, and the old one is over.
            self.log_out()
            session.update(id=secrets.token_urlsafe(16), email=account.email, at=self._world.now())
        return account

    def log_out(self) -> None:
        """Forget the browser."""
        if "id" in session:
            self._logged_out.add(session["id"])
        session.clear()
