"""Plays the person, and the calendar, in notebooks that run to their end by themselves.

The log-in goes through the sandbox's own pages, as a person's does; what a person has done already is left alone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from .. import records, token_store
from ..errors import LoginNotFinished
from ..status import AuthStatus, Method, SignInState
from .demo import ADA
from .handle import Sandbox
from .state import CERTIFICATE_FILE, SandboxError

if TYPE_CHECKING:
    from ..session import AuthSession

_PAGE_LIMIT_SECONDS = 10
# From the browser's return to the session it is a second or two.
_LIMIT_SECONDS = 60
_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def sign_in(cloud: Sandbox, session: AuthSession, *, remote: bool = False) -> AuthStatus:
    """Do as Ada what a person does to sign in with the browser; nothing where somebody has done it.

    A sign-in under way is finished, else one is begun.

    Parameters
    ----------
    cloud : Sandbox
    session : AuthSession
    remote : bool
        Act as if the kernel ran on another machine: the browser ends on a page that cannot connect, and its address is
        pasted.

    Raises
    ------
    AuthError
    """
    status = _wait_while(session, lambda status: status.state is SignInState.CHECKING)
    if status.state is SignInState.SIGNED_IN and status.method is Method.BROWSER:
        return status
    landed = _log_in(cloud, _link(session), follow=not remote)
    if remote:
        session.paste_callback(landed.headers["Location"])
    status = _wait_while(session, lambda status: status.attempt is not None and status.attempt.running)
    if status.attempt is not None:
        raise LoginNotFinished(status.attempt.message, next_step=status.attempt.next_step)
    return status


def let_pass(cloud: Sandbox, session: AuthSession, time: timedelta) -> AuthStatus:
    """Let time pass over a browser session, and ask the server about it.

    The sandbox's clock is moved forward; the note of the sign-in is dated back, since the countdown goes by this
    machine's clock, which stays.

    Raises
    ------
    AuthError
    """
    stored = token_store.find()
    noted = records.session(stored.token) if stored else None
    if noted is None:
        raise SandboxError("No browser session is stored here.", next_step="Sign in with the browser first.")
    records.note_session(noted._replace(signed_in_at=noted.signed_in_at - time))
    session.use_source("stored_session")
    cloud.advance(time)
    return session.check()


def _link(session: AuthSession) -> str:
    attempt = session.status.attempt
    if attempt is None or attempt.link is None:
        attempt = session.sign_in_with_browser().attempt
    if attempt is None or attempt.link is None:
        raise LoginNotFinished("This sign-in was cancelled.", next_step="Run this cell again.")
    return attempt.link


def _log_in(cloud: Sandbox, link: str, *, follow: bool) -> requests.Response:
    """Open the link and log in; return the page on which the browser ends, or the redirect that leads to it."""
    # A person's link may lead through a proxy, which is not there for the kernel.
    address = f"{cloud.url}/authorize?{urlsplit(link).query}"
    with requests.Session() as browser:
        browser.trust_env = False
        browser.verify = str(cloud.folder / CERTIFICATE_FILE)
        try:
            page = browser.get(address, timeout=_PAGE_LIMIT_SECONDS)
            token = _FORM_TOKEN.search(page.text)
            form = {"csrf_token": token[1] if token else "", "email": ADA.email, "password": ADA.password}
            # The form's protection wants to see where it was sent from.
            return browser.post(
                address, form, headers={"Referer": address}, allow_redirects=follow, timeout=_PAGE_LIMIT_SECONDS
            )
        except requests.RequestException:
            raise SandboxError(
                "The sandbox's log-in page does not answer.", next_step="Restart the kernel, and begin at the top."
            ) from None


def _wait_while(session: AuthSession, holds: Callable[[AuthStatus], bool]) -> AuthStatus:
    changed = threading.Event()
    unsubscribe = session.on_change(lambda _status: changed.set())
    try:
        while holds(session.status):
            if not changed.wait(_LIMIT_SECONDS):
                raise LoginNotFinished("Nothing came of this sign-in in time.", next_step="Try again.")
            changed.clear()
    finally:
        unsubscribe()
    return session.status
