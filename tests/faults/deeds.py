"""What one of many kernels does, at the same time as the others; run in the kernels."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import luminarycloud as lc
import requests

from luminary_auth_widget import AuthSession, sdk, token_store
from luminary_auth_widget.errors import AuthError, NotSignedIn
from tests.kernel.driver import LIMIT_SECONDS, deliver, end_of_login
from tests.sandbox.helpers import ADA, GRACE, eventually


def together() -> None:
    """Wait for the others: until the test makes the file."""
    assert eventually(Path("go").exists, within=LIMIT_SECONDS)


def sign_in(session: AuthSession, account: tuple[str, str] = ADA) -> None:
    """Do all of a browser sign-in: the click, the log-in page, the way back, the end."""
    attempt = session.sign_in_with_browser().attempt
    assert attempt is not None
    with suppress(requests.ConnectionError):  # on a slow machine the child's end cuts the browser off
        deliver(end_of_login(_cloud(), str(attempt.link), account))
    assert eventually(lambda: not (session.status.attempt and session.status.attempt.running), within=LIMIT_SECONDS)
    assert session.status.attempt is None, session.status.attempt


def renew(times: int) -> None:
    """Let the SDK renew by itself, as after the end of each access token."""
    for _ in range(times):
        sdk.forget_access_token(lc.get_default_client())
        lc.get_default_client().get_token()


def act(session: AuthSession, key: str, seed: int, deeds: int) -> list[str]:
    """Do this and that; return what was refused, by which sentence."""
    chance, refused = random.Random(seed), []
    together()
    for _ in range(deeds):
        try:
            _deed(session, key, chance)()
        except AuthError as error:
            refused.append(f"{type(error).__name__}: {error}")
    return refused


def standing(session: AuthSession) -> dict[str, Any]:
    """Return where this kernel says that it stands when it is asked again, and whether that is true."""
    _finish()
    session._others.look()
    _finish()
    with suppress(NotSignedIn):
        session.check()
    status = session.status
    return {
        "state": status.state.value,
        "works": _works(),
        "method": status.method.value if status.method else "",
        "attempt": status.attempt is not None and status.attempt.running,
        "expiry": status.expiry.value,
        "threads": [thread.name for thread in _ours()],
    }


def is_stored(session: AuthSession) -> bool:
    """Return whether what this kernel uses is what is stored, once nobody renews it any more."""
    session._others.look()
    stored, used = token_store.find(), session.in_use
    return bool(stored and used and stored.token == used.secret)


def _deed(session: AuthSession, key: str, chance: random.Random) -> Callable[[], object]:
    account = chance.choice([ADA, GRACE])
    deeds: list[Callable[[], object]] = [
        *[partial(sign_in, session, account)] * 2,
        session.check,
        partial(_renew_and_check, session),
        partial(session.use_key, key),
        partial(session.use_source, "stored_session"),
        partial(session.sign_out, everywhere=False),
        partial(session.sign_out, everywhere=True),
    ]
    return chance.choice(deeds)


def _renew_and_check(session: AuthSession) -> None:
    if session.client is not None and session.in_use and session.in_use.session:
        sdk.forget_access_token(session.client)
    session.check()


def _works() -> bool:
    try:
        return bool(list(lc.iterate_projects()))
    except Exception:  # noqa: BLE001 - whatever it is, it does not work
        return False


def _ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("luminary-auth")]


def _finish() -> None:
    """Wait for what runs in the background, the watcher of the store aside."""
    for thread in _ours():
        if thread.name != "luminary-auth-watcher":
            assert eventually(lambda: thread.ident is not None)  # noqa: B023 - one that is being started
            thread.join(LIMIT_SECONDS)


def _cloud() -> Any:
    """Return what a browser needs to know of the sandbox that this kernel is bound to."""
    environ = os.environ
    folder = Path(environ["REQUESTS_CA_BUNDLE"]).parent
    return SimpleNamespace(
        url=f"https://{environ['LC_AUTH_DOMAIN']}", page_url=environ["LUMINARY_SANDBOX_PAGES"], folder=folder
    )
