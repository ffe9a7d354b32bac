"""A process with the real SDK in it, as a kernel has it, bound to a sandbox of its own."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comm
from comm.base_comm import BaseComm
from jupyter_client.session import json_packer

from luminary_auth_widget import presentation, sandbox, sdk, watcher
from luminary_auth_widget.session import AuthSession
from luminary_auth_widget.status import AttemptPhase, Expiry, SignInState
from luminary_auth_widget.widget import AuthWidget

from .stand_in_worker import StandIn, line, stand_in

# Never waited for: what is asked of a server is answered within milliseconds here.
_LIMIT_SECONDS = 120
LINK = "https://login.example.com/authorize?state=STATE&redirect_uri=http%3A%2F%2F127.0.0.1%3A9876%2Fcallback"


class RecordingComm(BaseComm):
    """What the page would be sent, packed as ipykernel packs it."""

    sent: list[str] = []  # noqa: RUF012 - one page

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **_others):  # noqa: ARG002 - comm's
        self.sent.append(json_packer({"type": msg_type, "data": data}).decode())


@dataclass
class Bound:
    """The sandbox, the child of logins, the folders, and the one session with its widget."""

    cloud: sandbox.Sandbox
    worker: StandIn
    home: Path
    notebooks: Path
    credentials: Path
    session: AuthSession
    widget: AuthWidget

    def settle(self) -> None:
        """Wait until nothing is done in the background any more."""
        for thread in threading.enumerate():
            if thread.name == "luminary-auth":
                thread.join(_LIMIT_SECONDS)
                assert not thread.is_alive(), "It hangs."

    def say_hello(self) -> dict[str, Any]:
        """Return what a page that says hello is told."""
        RecordingComm.sent.clear()
        self.widget._receive(self.widget, {"kind": "hello"}, [])
        told = [message for message in RecordingComm.sent if '"kind": "status"' in message]
        assert told
        return presentation.message(self.session) | {"told": "".join(told)}

    def holds_what_is_promised(self, secrets: tuple[str, ...]) -> None:
        """Assert what holds in each state, whatever has led to it."""
        session, status = self.session, self.session.status
        usable = status.state in {SignInState.SIGNED_IN, SignInState.UNVERIFIED}
        assert isinstance(status.state, SignInState)
        assert (session.client is not None) == usable
        assert (session.in_use is None) == (status.state is SignInState.SIGNED_OUT)
        assert bool(status.fingerprint) == (session.in_use is not None)
        if usable:
            assert session.client is sdk.base_client()
        assert (status.expires_at is None) == (status.expiry is Expiry.UNKNOWN)
        attempt = status.attempt
        if attempt is not None:
            assert (attempt.link is not None) == (attempt.phase is AttemptPhase.WAITING_FOR_BROWSER)
            assert attempt.phase is not AttemptPhase.FAILED or (attempt.message and attempt.next_step)
        traits = presentation.traits(session)
        shown = {name: getattr(self.widget, name) for name in traits}
        assert {**shown, "kernel_now": 0} == {**traits, "kernel_now": 0}
        told = self.say_hello()["told"] + repr(status) + repr(session) + repr(session.notices) + repr(traits)
        assert "unexpected" not in told, told
        assert not [secret for secret in secrets if secret in told]


@contextmanager
def bound() -> Iterator[Bound]:
    """Bind this process, and leave nothing of it behind."""
    with tempfile.TemporaryDirectory() as name, sandbox.start() as cloud, stand_in(Path(name)) as worker:
        home, notebooks, credentials = (Path(name, part) for part in ("home", "notebooks", "credentials"))
        for folder in (home, notebooks, notebooks / "other", credentials):
            folder.mkdir(mode=0o700)
        os.environ.update(cloud.environ, HOME=str(home), LC_CREDENTIALS_DIR=str(credentials))
        del os.environ["LC_API_KEY"]
        os.environ.pop("JPY_SESSION_NAME", None)
        os.chdir(notebooks)
        comm.create_comm = RecordingComm
        # What other kernels do is looked at when a test says so, and not in between.
        watcher._SECONDS = 3600
        worker.says(line(event="link", link=LINK), stays=True)
        session = AuthSession()
        session.begin()
        widget = AuthWidget(session)
        yield Bound(cloud, worker, home, notebooks, credentials, session, widget)
        session.cancel()
        os.chdir("/")
