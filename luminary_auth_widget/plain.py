"""The session where no widget draws: a status line and the next step, as plain text and as HTML."""

from __future__ import annotations

from typing import Any

from . import sdk, words
from .late import html
from .session import AuthSession
from .status import SignInState

_WORDS = {
    SignInState.SIGNED_OUT: words.PLAIN_SIGNED_OUT,
    SignInState.CHECKING: words.PLAIN_CHECKING,
    SignInState.SIGNED_IN: words.PLAIN_SIGNED_IN,
    SignInState.UNVERIFIED: words.PLAIN_UNVERIFIED,
    SignInState.EXPIRED: words.PLAIN_EXPIRED,
    SignInState.REJECTED: words.PLAIN_REJECTED,
}


class Plain:
    """What notebooks keep of the widget: no name, no fingerprint, no path."""

    def __init__(self, session: AuthSession) -> None:
        status = session.status
        usable = status.state in {SignInState.SIGNED_IN, SignInState.CHECKING, SignInState.UNVERIFIED}
        self._line = words.PLAIN_LINE.format(state=_WORDS[status.state])
        self._next_step = "" if usable else sdk.nobody().next_step

    def bundle(self) -> dict[str, str]:
        """Return both forms, by their media types."""
        paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in (self._line, self._next_step) if text)
        return {"text/plain": repr(self), "text/html": paragraphs}

    def _repr_mimebundle_(self, **_choice: Any) -> dict[str, str]:
        return self.bundle()

    def __repr__(self) -> str:
        return f"{self._line} {self._next_step}".strip()
