"""The only contact with luminarycloud: load it, build a client, make it the default.

Every foreign error becomes one of ours. What is touched of the SDK, and nothing else of it, is held by tests/contract.
"""

from __future__ import annotations

import contextvars
import importlib
import importlib.metadata
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from . import env_file, token_store, words
from .credentials import Secret, interrupted_outside
from .errors import AuthError, NotSignedIn, SDKUnusable, StorageFailed
from .files import make_private_folder
from .late import requests
from .locks import Hold
from .records import credentials_folder

if TYPE_CHECKING:
    from types import ModuleType

    from luminarycloud import Client


_SANDBOX_PAGES = "LUMINARY_SANDBOX_PAGES"


def is_loaded() -> bool:
    """Whether luminarycloud has been imported in this process."""
    return "luminarycloud" in sys.modules


def is_ready() -> bool:
    """Whether luminarycloud has been imported to its end: what it is asked for then waits for no other thread."""
    # Importlib's own mark, for which it has no public name.
    return is_loaded() and not getattr(sys.modules["luminarycloud"].__spec__, "_initializing", False)


# It reads and parses a file; every message to a page names the version.
_installed = cache(importlib.metadata.version)


def version() -> str:
    """Return the installed version of the SDK, or "" where there is none; imports nothing."""
    try:
        return _installed("luminarycloud")
    except importlib.metadata.PackageNotFoundError:
        return ""


def load() -> ModuleType:
    """Import luminarycloud, once and late (it takes most of a second), and keep its noise out of the cells.

    Raises
    ------
    SDKUnusable
        With the reason: not installed, an unusable credentials folder, a `.env` that it cannot read.
    """
    _silence()
    try:
        if is_loaded():
            return importlib.import_module("luminarycloud")
        with suppress(StorageFailed):  # the import says so, too
            # The import makes the folder of the token store, which others could then look into.
            make_private_folder(credentials_folder())
        with _without_an_endless_env_file(), env_file.noting_copied_key():
            return importlib.import_module("luminarycloud")
    except Exception as error:  # noqa: BLE001 - whatever an import of theirs raises becomes a sentence
        failure = _import_failure(error)
    raise failure


@contextmanager
def _without_an_endless_env_file() -> Iterator[None]:
    """Keep the import from a `.env` that would hold it up or fill the memory: it reads the whole nearest one."""
    name = "PYTHON_DOTENV_DISABLED"
    if name in os.environ or not env_file.is_endless(next(iter(env_file.find()), None)):
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        os.environ.pop(name, None)


def once_loaded(callback: Callable[[], object]) -> None:
    """Call `callback` as soon as anything in this process has imported luminarycloud, before its next line runs."""

    def call(_module: ModuleType) -> None:
        with suppress(AuthError):  # not into somebody's import
            callback()

    import wrapt  # noqa: PLC0415 - a widget is on the page before anything needs it

    wrapt.register_post_import_hook(call, "luminarycloud")


class Deployment(NamedTuple):
    """Which Luminary Cloud is meant. What is None is the SDK's own default, or its `LC_*` variable.

    Attributes
    ----------
    environment : str
        "standard" or "itar", as the SDK's `use_…_environment()`.
    target : str or None
        The API server, host or host:port.
    auth_domain, client_id, audience : str or None
        The identity server and what it knows the SDK by; all public.
    """

    environment: str = "standard"
    target: str | None = None
    auth_domain: str | None = None
    client_id: str | None = None
    audience: str | None = None

    @property
    def address(self) -> str:
        """The API server's address."""
        return self.target or default_target()

    @property
    def host(self) -> str:
        """The API server's host, for people."""
        return host_of(self.address)

    def _client(self, **credentials: Any) -> Client:
        auth = {"domain": self.auth_domain, "client_id": self.client_id, "audience": self.audience}
        try:
            return load().Client(target=self.address, **credentials, **{k: v for k, v in auth.items() if v})
        except AuthError:
            raise
        except OSError as error:
            problem = _import_failure(error)
        except Exception as error:  # noqa: BLE001 - see load
            problem = _changed(words.SDK_CLIENT_NOT_BUILT.format(error=type(error).__name__))
        raise problem

    @interrupted_outside
    def client_for_key(self, key: Secret) -> Client:
        """Build a client that signs its calls with `key`: two threads and a descriptor each, so one a sign-in."""
        return self._client(api_key=key.reveal())

    @interrupted_outside
    def client_for_session(self, token: Secret | None = None) -> Client:
        """Build a client for the browser session in the SDK's store, or for a refresh token that lies elsewhere.

        It never opens a browser: without a session its calls fail at once.
        """
        return self._client(api_key=None, noninteractive=True, **({"refresh_token": token.reveal()} if token else {}))


def host_of(domain: str) -> str:
    """Return the host in host or host:port, for people: an IPv6 address without its brackets."""
    return urlsplit(f"//{domain}").hostname or domain


def default_target() -> str:
    """Return the API server's address, host or host:port, as the loaded SDK has it."""
    return _default_target_of(load().Client)


@cache
def _default_target_of(client: type) -> str:
    return str(inspect.signature(client).parameters["target"].default)


def web_address() -> str | None:
    """Return the address of the web application, or None where the SDK knows none."""
    if in_sandbox():
        # A browser does not trust the CA of its https pages.
        return f"{os.environ[_SANDBOX_PAGES]}/"
    domain = base_client().primary_domain
    return f"https://{domain}/" if domain else None


def in_sandbox() -> bool:
    """Whether this process is bound to a sandbox, which alone sets that variable."""
    return bool(os.environ.get(_SANDBOX_PAGES))


def base_client() -> Client:
    """Return the client that the SDK built at import: what every thread and new context sees as the default."""
    return contextvars.Context().run(load().get_default_client)


def default_client() -> Client:
    """Return what the code that runs here gets as the default."""
    return load().get_default_client()


def make_default(client: Client) -> None:
    """Make `client` the default of the code that runs here, and of nothing else."""
    load().set_default_client(client)


def adopt(signed_in: Client) -> Client:
    """Make the import-time client act as `signed_in`, in every thread and context, and return it.

    The SDK (0.28.1) keeps its default in a ContextVar, which a widget message, an async cell and a worker thread do not
    share with the next cell; all of them share the default's default. Calls in flight complete with the old identity.
    Guarded by tests/contract/test_sdk.py.

    Raises
    ------
    SDKUnusable
        This version of the SDK has no client that everything shares.
    """
    base = base_client()
    # The stack of `with client:` blocks belongs to the object that was entered.
    base.__dict__.update({name: value for name, value in vars(signed_in).items() if name != "_context_tokens"})
    if base.project is not signed_in.project or base_client() is not base:
        raise _changed(words.SDK_CLIENT_NOT_REPLACED)
    return base


def rotates() -> bool:
    """Whether each renewal gives a new refresh token: the SDK's own rule (0.28.1)."""
    return os.environ.get("LC_REFRESH_ROTATION", "").upper() == "TRUE"


def signed_out_client(deployment: Deployment) -> Client:
    """Build a client that neither opens a browser nor uses a stored session: its calls fail at once, and say why.

    Its store is replaced by one that, in the SDK's words, does nothing: after "this kernel only" the session
    is still there for others. The error that it raises instead of opening a browser says what to do; gRPC puts that
    into the details of its own. Its type stays: the SDK tries every other one again for minutes.
    """
    client = deployment.client_for_session()
    _keep_from_the_store(client)
    refuse = client._auth0_client.user_login

    def refuse_and_say_what_to_do() -> None:
        try:
            refuse()
        except Exception as error:  # noqa: BLE001 - their class, named nowhere in public
            refusal = type(error)(str(nobody()))
        raise refusal

    client._auth0_client.user_login = refuse_and_say_what_to_do
    return client


def nobody() -> NotSignedIn:
    """Return the error of code that needs a sign-in where there is none."""
    return NotSignedIn(words.NOBODY, next_step=words.NOBODY_NEXT)


def auth_domain(client: Client) -> str:
    """Return the identity server's host, host or host:port.

    A touch on the SDK's private `_auth0_client` (0.28.1), as the functions below: no public name tells. Guarded by
    tests/contract/test_browser_session.py.
    """
    return str(client._auth0_client.domain)


def client_id(client: Client) -> str:
    """Return the OAuth client id by which the identity server knows the SDK; it is public."""
    return str(client._auth0_client.client_id)


def refresh_token(client: Client) -> Secret | None:
    """Return the refresh token that the client has used last: with rotation on, the newest of its session."""
    token = client._auth0_client.refresh_token
    return Secret(token) if token else None


def use_refresh_token(client: Client, token: Secret) -> None:
    """Make the client's next renewal use `token`: another kernel has renewed the same session, with rotation on."""
    client._auth0_client.refresh_token = token.reveal()


def share_renewals(client: Client, *, catch_up: Callable[[], object], keep: Callable[[Secret, Secret], object]) -> None:
    """Let the client renew in turn with other processes, where a renewal makes the refresh token before it void.

    The SDK (0.28.1) knows of no others. Two that renew in one instant use the same token, which ends the session; and
    its store is empty for a moment whenever it writes, and stays so if it is killed then.

    Parameters
    ----------
    client : Client
    catch_up : callable
        Called before each renewal: gives the client the newest token of its session.
    keep : callable
        Called with the token that was renewed and the new one, in the place of the SDK's writing.
    """
    auth = client._auth0_client
    renew = auth.silently_renew_access_token
    if not auth.refresh_rotation:
        return

    def renew_in_turn() -> str:
        with token_store.in_turn() as hold:
            if hold is Hold.BUSY:
                # By a renewal that waits for the server.
                raise requests.Timeout
            catch_up()
            used = auth.refresh_token
            auth._save_refresh_token = lambda: keep(Secret(used), Secret(auth.refresh_token))
            return str(renew())

    auth.silently_renew_access_token = renew_in_turn


@contextmanager
def storing_nothing(client: Client) -> Iterator[None]:
    """Keep what the client renews meanwhile out of the SDK's store, from where other kernels would take it."""
    store = _keep_from_the_store(client)
    try:
        yield
    finally:
        client._auth0_client.credentials_store = store


def _keep_from_the_store(client: Client) -> Any:
    """Give the client a store that keeps nothing, as the SDK has it for no folder; return the one before it."""
    auth = client._auth0_client
    store, auth.credentials_store = auth.credentials_store, type(auth.credentials_store)("", None)
    return store


@contextmanager
def between_renewals(client: Client) -> Iterator[None]:
    """Keep the client from renewing meanwhile: what it holds and what its store holds are then of one time."""
    with client._auth0_client._token_lock:
        yield


def forget_access_token(client: Client) -> None:
    """Make the client's next call renew the access token, also where this one should still be good."""
    client._auth0_client.access_token = None


def access_token_has_ended(client: Client) -> bool:
    """Whether the client holds an access token that has ended by this machine's clock."""
    return client._auth0_client._access_token is not None and client._auth0_client.is_token_expired()


def renew_access_token(client: Client) -> None:
    """Renew the access token before its end; where that fails, the one at hand stays in use."""
    auth = client._auth0_client
    with auth._token_lock:
        auth.silently_renew_access_token()


def client_with_access_token(deployment: Deployment, token: Secret) -> Client:
    """Build a client that has an access token and nothing to renew it with: once that ends, its calls fail at once."""
    client = signed_out_client(deployment)
    client._auth0_client.access_token = token.reveal()
    return client


def address(client: Client) -> str:
    """Return the API server that the client calls, host or host:port: a touch on its private `_target`."""
    return str(client._target)


def _silence() -> None:
    """Keep handled errors from reaching cells: the SDK logs them with tracebacks, gRPC's core prints to stderr."""
    for name in ("luminarycloud", "opentelemetry"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def _import_failure(error: Exception) -> SDKUnusable:
    if isinstance(error, ModuleNotFoundError) and error.name == "luminarycloud":
        return SDKUnusable(words.SDK_MISSING, next_step=words.SDK_MISSING_NEXT)
    if isinstance(error, UnicodeDecodeError):
        return SDKUnusable(words.SDK_ENV_FILE, next_step=words.SDK_ENV_FILE_NEXT)
    if isinstance(error, OSError):
        return SDKUnusable(
            words.SDK_FOLDER.format(why=error.strerror or type(error).__name__, path=error.filename or ""),
            next_step=words.SDK_FOLDER_NEXT,
        )
    return SDKUnusable(words.SDK_IMPORT.format(error=type(error).__name__), next_step=words.SDK_IMPORT_NEXT)


def _changed(what: str) -> SDKUnusable:
    return SDKUnusable(words.SDK_CHANGED.format(version=version(), what=what), next_step=words.SDK_CHANGED_NEXT)
