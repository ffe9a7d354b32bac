"""A running sandbox as seen from another process: its addresses, its environment, and its strings to pull."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from . import trust
from .state import RunningSandbox, SandboxError

# Longer than any command takes, far shorter than a person's patience.
_CONTROL_TIMEOUT_SECONDS = 10
_STOP_LIMIT_SECONDS = 5
# The client and the service that the sandbox's identity service knows.
CLIENT_ID = "luminary-sandbox-sdk"
AUDIENCE = "https://apis.sandbox.invalid"
# A page can neither set this header without asking first, nor gets an answer when it asks.
CONTROL_HEADER = "X-Luminary-Sandbox"


@dataclass(frozen=True)
class ApiKey:
    """An API key as its creator sees it, once."""

    id: str
    name: str
    expires_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True)
class RecordedRequest:
    """Something that reached the sandbox's API or token endpoint.

    Attributes
    ----------
    method : str
        "ListProjects" or "POST /oauth/token".
    credential : str
        "api key", "access token", "refresh token", "authorization code" or "none".
    last_four : str
        The credential's last four characters.
    outcome : str
        A gRPC status name or an HTTP status code.
    """

    method: str
    credential: str
    last_four: str
    outcome: str


@dataclass(frozen=True)
class KeyListing:
    """An API key as its owner's list shows it."""

    id: str
    email: str
    name: str
    last_four: str
    active: bool
    expires_at: datetime


@dataclass(frozen=True)
class SandboxStatus:
    """How a sandbox stands.

    Attributes
    ----------
    clock_ahead : timedelta
        How far its clock was moved.
    faults : dict
        Those that are on, each with its seconds, which mean something for "slow" alone.
    keys : tuple of KeyListing
        Every account's API keys, newest first.
    """

    clock_ahead: timedelta
    faults: dict[str, float]
    keys: tuple[KeyListing, ...]


class Sandbox:
    """A running sandbox.

    Not made directly: `start()` and `use()` return one.

    Attributes
    ----------
    folder : Path
        Where it keeps its files.
    """

    def __init__(self, running: RunningSandbox, folder: Path, *, clean_up: Callable[[], None] | None = None) -> None:
        self._running = running
        self._clean_up = clean_up
        self.folder = folder

    def __repr__(self) -> str:
        return f"<Sandbox {self.url}>"

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The web application and the identity service, over TLS: "https://localhost:PORT"."""
        return self._running.url

    @property
    def page_url(self) -> str:
        """The same pages over plain http: a person's browser does not know the sandbox's CA."""
        return self._running.page_url

    @property
    def browser_url(self) -> str:
        """The same pages where a person's browser reaches them: on a hub, and so on Binder, through its proxy.

        A path alone where the hub does not tell its name: whoever looks at a page of it knows (`webAddress` in
        widget.js).
        """
        server = os.environ.get("JUPYTERHUB_PUBLIC_URL") or os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
        # The folder of jupyter-server-proxy, which the binder extra installs.
        return f"{server.rstrip('/')}/proxy/{urlsplit(self.page_url).port}" if server else self.page_url

    @property
    def environ(self) -> dict[str, str]:
        """The variables that point the SDK at this sandbox, when set before it is imported.

        They build on this process's own environment: its CA files and its proxy exceptions go on holding.
        """
        domain = self.url.removeprefix("https://")
        bundle = str(trust.write_bundle(self.folder, os.environ))
        return {
            # Every variable that the SDK reads is set, because importing it loads a `.env`, which never overrides what
            # is set. The key is empty instead of missing for that reason: empty counts as set there, and as "no key" in
            # the SDK.
            "LC_API_KEY": "",
            "LC_DOMAIN": self._running.api_domain,
            "LC_PRIMARY_DOMAIN": domain,
            "LC_AUTH_DOMAIN": domain,
            "LC_AUTH_CLIENT_ID": CLIENT_ID,
            "LC_AUTH_SERVICE_ID": AUDIENCE,
            "LC_CREDENTIALS_DIR": str(self.folder / "credentials"),
            "LC_DATALAKE_S3_ENDPOINT_OVERRIDE": "",
            "LC_REFRESH_ROTATION": "TRUE" if self._running.refresh_rotation else "FALSE",
            **dict.fromkeys(trust.VARIABLES, bundle),
            # Where a person's browser finds the pages without a warning about the CA; the widget links there.
            "LUMINARY_SANDBOX_PAGES": self.browser_url,
            **_past_proxies(),
            # gRPC's core otherwise prints TLS lines into cells.
            "GRPC_VERBOSITY": os.environ.get("GRPC_VERBOSITY") or "NONE",
        }

    @property
    def requests(self) -> list[RecordedRequest]:
        """What reached the API and the token endpoint, oldest first."""
        return [RecordedRequest(**recorded) for recorded in self._ask("requests")]

    @property
    def status(self) -> SandboxStatus:
        """How far its clock was moved, which faults are on, which keys there are."""
        answer = self._ask("status")
        return SandboxStatus(
            clock_ahead=timedelta(seconds=answer["clock_ahead_seconds"]),
            faults=answer["faults"],
            keys=tuple(KeyListing(expires_at=_moment(key.pop("expires_at")), **key) for key in answer["keys"]),
        )

    def create_api_key(self, email: str, name: str = "sandbox key", lifetime: timedelta = timedelta(days=90)) -> ApiKey:
        """Create an API key for a demo account (90 days: the default that the documentation gives)."""
        answer = self._ask("create_api_key", email=email, name=name, lifetime_seconds=lifetime.total_seconds())
        return ApiKey(expires_at=_moment(answer.pop("expires_at")), **answer)

    def revoke_api_key(self, key_id: str) -> None:
        """Make a key inactive; it stays in its owner's list."""
        self._ask("revoke_api_key", key_id=key_id)

    def delete_api_key(self, key_id: str) -> None:
        """Remove a key."""
        self._ask("delete_api_key", key_id=key_id)

    def end_sessions(self, email: str) -> None:
        """End every session of an account, those of browsers and those of kernels."""
        self._ask("end_sessions", email=email)

    def advance(self, by: timedelta) -> None:
        """Move the sandbox's clock, by which keys, sessions, codes and tokens expire; a restart leaves it moved."""
        self._ask("advance", seconds=by.total_seconds())

    def fault(self, name: str, **options: float) -> None:
        """Switch a fault on: "slow" (seconds=3), "error", "refuse", "drop" or "bad_certificate".

        "slow" and "error" are answers of the API and the token endpoint; the others hold for every page as well.
        """
        self._ask("fault", name=name, **options)

    def clear_faults(self) -> None:
        """Switch every fault off."""
        self._ask("clear_faults")

    def answers(self) -> bool:
        """Return whether the sandbox is still there."""
        try:
            self._ask("status")
        except SandboxError:
            return False
        return True

    def stop(self) -> None:
        """End the sandbox. Stopping one that has ended already is fine."""
        with suppress(SandboxError):
            self._ask("stop")
        if self._clean_up is not None:
            self._clean_up()
            return
        deadline = time.monotonic() + _STOP_LIMIT_SECONDS
        while self.answers() and time.monotonic() < deadline:
            time.sleep(0.02)  # its end has no other sign: it is no child of ours

    def _ask(self, command: str, **arguments: Any) -> Any:
        # http.client knows no proxies: nothing in the environment can send the token elsewhere.
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._running.control_port, timeout=_CONTROL_TIMEOUT_SECONDS
        )
        headers = {
            "Authorization": f"Bearer {self._running.control_token}",
            "Content-Type": "application/json",
            CONTROL_HEADER: "control",
        }
        try:
            connection.request("POST", f"/{command}", json.dumps(arguments), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            raise SandboxError(
                "The sandbox does not answer.", next_step="Start it again; see its sandbox.log."
            ) from None
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SandboxError(answer.get("error", f"The sandbox answered {response.status}."))
        return answer["answer"]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def _past_proxies() -> dict[str, str]:
    # gRPC obeys https_proxy even for localhost. Programs read one spelling or the other, gRPC a third before both.
    set_by_now = [os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy", "no_grpc_proxy")]
    hosts = [host.strip() for host in ",".join(set_by_now).split(",") if host.strip()]
    exceptions = ",".join(dict.fromkeys([*hosts, "localhost", "127.0.0.1", "::1"]))
    names = ["NO_PROXY", "no_proxy"] + ["no_grpc_proxy"] * ("no_grpc_proxy" in os.environ)
    return dict.fromkeys(names, exceptions)
