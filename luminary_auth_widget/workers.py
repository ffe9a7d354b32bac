"""What a process on this machine needs to be signed in as this kernel is: its variables, and its first call.

>>> subprocess.run([...], env={**os.environ, **session.environ()})
>>> ProcessPoolExecutor(4, **pool_options(session.environ()))
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import in_use, sdk, sources, token_store, words
from .credentials import Secret
from .env_file import KEY_NAME
from .errors import NotSignedIn, StorageFailed, StoreUnusable
from .files import absolute
from .in_use import InUse, SessionInUse
from .records import credentials_folder
from .sdk import Deployment

if TYPE_CHECKING:
    from luminarycloud import Client

# Which deployment is meant, as the SDK reads it; names on the left as in sdk.Deployment.
_SETTINGS = {
    "target": "LC_DOMAIN",
    "auth_domain": "LC_AUTH_DOMAIN",
    "client_id": "LC_AUTH_CLIENT_ID",
    "audience": "LC_AUTH_SERVICE_ID",
}


class Environ(dict[str, str]):
    """Variables of the environment; the key among them is shown by its last four characters."""

    def __repr__(self) -> str:
        key = self.get(KEY_NAME, "")
        return repr({**self, KEY_NAME: Secret(key).fingerprint} if key else dict(self))


def environ_for(credential: InUse | None) -> Environ:
    """Return what makes a plain `import luminarycloud` use `credential`; see `AuthSession.environ`."""
    if credential is None:
        raise sdk.nobody()
    deployment = credential.deployment
    settings = {variable: getattr(deployment, name) for name, variable in _SETTINGS.items()}
    known = {variable: value for variable, value in settings.items() if value} | {"LC_DOMAIN": deployment.address}
    if isinstance(credential, SessionInUse):
        _require_shared(credential)
        # Set but empty: neither the environment nor a `.env` can put a key in the session's place.
        return Environ(known, LC_API_KEY="", LC_CREDENTIALS_DIR=str(absolute(credentials_folder())))
    return Environ(known, LC_API_KEY=credential.secret.reveal())


def _require_shared(session: SessionInUse) -> None:
    stored = token_store.find()
    found = stored is not None and not stored.documented
    if not (found and stored and (stored.token == session.secret or session.continues_as(stored.token))):
        raise StorageFailed(words.WORKER_UNSHARED, next_step=words.WORKER_UNSHARED_NEXT)


def pool_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what makes the workers of a `ProcessPoolExecutor` be signed in, as keyword arguments for it.

    They are started anew ("spawn"). Forks, on Linux the default before Python 3.14, hang: neither gRPC nor the SDK's
    tracing survives one (measured: grpcio 1.85, OpenTelemetry's hook waits for a lock before any code of ours runs).

    Parameters
    ----------
    environ : mapping of str
        What `session.environ()` has returned.
    """
    import multiprocessing  # noqa: PLC0415 - pools alone need it

    spawn = multiprocessing.get_context("spawn")
    return {"mp_context": spawn, "initializer": sign_in_worker, "initargs": (environ,)}


def sign_in_worker(environ: Mapping[str, str]) -> None:
    """Sign this worker process in: the initializer of a pool, with `session.environ()` as its argument; see above.

    Unlike a plain import of the SDK, it never opens a browser: once a session has ended, calls fail at once.

    Parameters
    ----------
    environ : mapping of str
        What `session.environ()` returned in the kernel.

    Raises
    ------
    NotSignedIn, SDKUnusable
    """
    if not isinstance(environ, Mapping) or KEY_NAME not in environ:
        raise NotSignedIn(words.WORKER_UNTOLD, next_step=words.WORKER_UNTOLD_NEXT)
    os.environ.update(environ)
    key = Secret(environ[KEY_NAME])
    settings: dict[str, Any] = {name: environ.get(variable) for name, variable in _SETTINGS.items()}
    deployment = Deployment(**settings)
    sdk.adopt(deployment.client_for_key(key) if key.reveal() else _client_for_session(deployment))


def _client_for_session(deployment: Deployment) -> Client:
    """Return a client that renews in turn with the kernel and the other workers."""
    with suppress(StoreUnusable):  # its calls say so
        if stored := token_store.find():
            return in_use.for_source(sources.stored_session(stored), deployment).build()
    return deployment.client_for_session()
