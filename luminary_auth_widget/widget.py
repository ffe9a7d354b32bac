"""AuthWidget: the session's traits and messages. It draws nothing and decides nothing."""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from . import kernel, presentation, words
from .credentials import Secret
from .errors import CredentialUnusable
from .plain import Plain
from .session import AuthSession, current_session

_STATIC = Path(__file__).parent / "static"
# Seconds of silence after which a page is told what there is to show without having asked.
_SILENCES = (1, 2, 4, 8)
# https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md
_VIEW, _VIEW_VERSION = "application/vnd.jupyter.widget-view+json", {"version_major": 2, "version_minor": 0}


class AuthWidget(anywidget.AnyWidget):
    """One view model of the kernel's session, for cells and for layouts of your own.

    Intents come as custom messages `{kind, …}`; a key comes as a binary buffer, which no trait, log or echo keeps.

    Parameters
    ----------
    session : AuthSession, optional
        The kernel's one session when left out.

    Attributes
    ----------
    greeted : threading.Event
        Set once a page has drawn it, and was heard.
    """

    _esm = _STATIC / "widget.js"
    _css = _STATIC / "widget.css"

    protocol = traitlets.Int(presentation.PROTOCOL).tag(sync=True)
    state = traitlets.Unicode().tag(sync=True)
    attempt = traitlets.Unicode().tag(sync=True)
    stopped_cell = traitlets.Unicode().tag(sync=True)
    offers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    expiry = traitlets.Unicode().tag(sync=True)
    expires_at = traitlets.Int(None, allow_none=True).tag(sync=True)
    signed_in_at = traitlets.Int(None, allow_none=True).tag(sync=True)
    checked_at = traitlets.Int(None, allow_none=True).tag(sync=True)
    attempt_ends_at = traitlets.Int(None, allow_none=True).tag(sync=True)
    kernel_now = traitlets.Int(0).tag(sync=True)

    def __init__(self, session: AuthSession | None = None) -> None:
        self._session = session or current_session()
        self._publishing = threading.RLock()
        self.greeted = threading.Event()
        # Status changes on threads, where ipykernel 7.0 knows of no request, and sends nothing without one.
        self._request = contextvars.copy_context()
        super().__init__(**presentation.traits(self._session))
        _listen_on_every_shell(self)
        _spare_figures(self)
        self.on_msg(self._receive)
        self._unsubscribe = self._session.on_change(lambda _status: self._request.copy().run(self._publish))
        threading.Thread(target=self._request.copy().run, args=(self._tell_until_greeted,), daemon=True).start()

    def close(self) -> None:
        """Stop following the session, and take the views off the page."""
        self._unsubscribe()
        super().close()

    def _publish(self) -> None:
        with self._publishing:
            with self.hold_sync():
                for name, value in presentation.traits(self._session).items():
                    setattr(self, name, value)
            # At once: what there is to tell takes a look at files.
            _listen_on_every_shell(self)
            self._tell()

    def _tell(self) -> None:
        # What comes before anything was asked is no answer to what a page waits for.
        unasked = not self.greeted.is_set()
        self.send(_sendable({**presentation.message(self._session), "unasked": unasked}))
        _listen_on_every_shell(self)

    def _tell_until_greeted(self) -> None:
        """Tell a page what there is to show though its hello does not come: it may wait for the running cell.

        ipykernel 6 hears nothing while a cell runs. With 7 JupyterLab speaks by a subshell, for which it asks as it
        draws: on a kernel that is far away the hello is said before there is one.
        """
        for seconds in _SILENCES:
            if self.greeted.wait(seconds) or self.comm is None:
                return
            with self._publishing:
                self._tell()

    def _receive(self, _widget: object, content: object, buffers: list[memoryview]) -> None:
        """Hand an intent to the session; never block the shell, never raise: a traceback would print what it holds."""
        if not isinstance(content, dict):
            return
        kernel.page.has_spoken()
        self.greeted.set()
        if content.get("kind") == "hello":
            # What is said last is what holds: no older word may follow a newer one from another thread.
            with self._publishing:
                self._tell()
            self._session.check_at_the_end()
            return
        intent = self._intent(content, buffers)
        if intent is not None:
            self._session.in_background(intent)

    def _intent(self, content: dict[str, Any], buffers: list[memoryview]) -> Callable[[], object] | None:
        """Return what the page asks for, or None for what no page of ours sends."""
        session, kind, name = self._session, content.get("kind"), content.get("id")
        if kind == "use_key":
            pasted = _secret_in(buffers)
            return lambda: self._use_key(pasted, content)
        if kind == "paste_callback":
            address = _secret_in(buffers)
            return lambda: session.paste_secret_callback(address)
        if kind == "dismiss" and isinstance(name, str):
            return lambda: session.dismiss(name)
        intents: dict[object, Callable[[], object]] = {
            "load_env": lambda: session.load_env(str(content.get("path", ""))),
            "use_source": lambda: session.use_source(str(name)),
            "sign_out": lambda: session.sign_out(everywhere=content.get("everywhere") is True),
            "sign_in_with_browser": session.sign_in_with_browser,
            "use_another_account": lambda: session.use_another_account(content.get("on") is True),
            "use_environment": lambda: session.use_environment(str(content.get("environment"))),
            "warm": session.warm,
            "check": session.check,
            "cancel": session.cancel,
            "dismiss": session.cancel,
            "retry": session.retry,
            "move_to_env": session.remember,
            "forget": session.forget,
            "keep_from_git": session.keep_from_git,
            "dismiss_rescue": lambda: session.note_stopped_cell(None),
        }
        return intents.get(kind) if isinstance(kind, str) else None

    def _use_key(self, pasted: Secret, content: dict[str, Any]) -> None:
        self._session.use_secret(
            pasted, remember=content.get("remember") is True, expires_on=_end_of_life(content.get("lasts"))
        )

    # What ipywidgets 7 shows in this way says `repr(self)`, which names the person, and is saved with the notebook.
    _ipython_display_ = None

    def _repr_mimebundle_(self, **choice: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the view, and words for pages that draw none. They are saved with the notebook."""
        in_ipywidgets_8 = getattr(super(), "_repr_mimebundle_", None)
        bundle = in_ipywidgets_8(**choice) if in_ipywidgets_8 else {_VIEW: {**_VIEW_VERSION, "model_id": self.model_id}}
        # anywidget 0.9.0 has no metadata beside it.
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, **Plain(self._session).bundle()}, metadata

    def __repr__(self) -> str:
        return repr(self._session)


def _listen_on_every_shell(widget: AuthWidget) -> None:
    """Have clicks handled while a cell runs, where the kernel can.

    ipykernel 7.4 notes on the comm which shell has published last, and routes the page's messages there: after
    a cell, or a thread that it started, that is the shell on which the next cell runs. Without the note, messages go
    where the page sends them: to a subshell. Guarded by tests/browser/test_lab_browser_sign_in.py.
    """
    if widget.comm is not None:
        widget.comm.__dict__.pop("_reply_subshell_id", None)


def _spare_figures(widget: AuthWidget) -> None:
    """Have messages of the page handled without IPython's `pre_execute` and `post_execute`.

    comm 0.2 fires both around each message. Where a message is handled while a cell runs (ipykernel 7.0 to 7.3),
    matplotlib's inline backend takes the second for the end of the cell, and closes the figure that is being drawn.
    Guarded by tests/browser/test_sidebar.py.
    """
    comm = widget.comm
    if comm is not None:
        comm.handle_msg = lambda message: comm._msg_callback and comm._msg_callback(message)


def _sendable(message: dict[str, Any]) -> dict[str, Any]:
    """Return `message` without halves of characters, as files' names and servers' words may have: none can be sent."""
    whole: dict[str, Any] = json.loads(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace"))
    return whole


def _secret_in(buffers: list[memoryview]) -> Secret:
    """Return the one text that came as a buffer; what is no UTF-8 becomes a character that no key has."""
    return Secret(bytes(buffers[0]).decode("utf-8", "replace") if buffers else "")


def _end_of_life(lasts: object) -> date | datetime | None:
    """Return the end of a key's life as the page's choice names it: a period, a date, or nothing."""
    if not isinstance(lasts, str) or not lasts:
        return None
    if lasts in presentation.LIFETIMES:
        return datetime.now(timezone.utc) + presentation.LIFETIMES[lasts]
    with suppress(ValueError):
        return date.fromisoformat(lasts)
    raise CredentialUnusable(words.NO_DATE, next_step=words.NO_DATE_NEXT)
