"""Every error of this package, each with what to do next.

AuthError
├── CredentialUnusable      what was given cannot be a credential; nothing was sent
│   ├── KeyMalformed
│   ├── EnvFileUnusable
│   ├── StoreUnusable
│   └── CallbackUnusable
├── CredentialRefused       the server said no
│   ├── KeyRefused
│   ├── SessionExpired
│   └── LoginDenied
├── ServerUnreachable       nobody said no: the server, its name or its certificate failed
│   ├── CertificateInvalid
│   ├── ServerTimeout
│   └── ServerTrouble
├── NotSignedIn
│   ├── NotVerified
│   └── ExpiresTooSoon
├── LoginNotFinished
│   ├── AttemptCancelled
│   ├── LoginTimedOut
│   └── PortsTaken
├── StorageFailed           a file that was asked for could not be written
└── SDKUnusable             luminarycloud is missing, cannot be imported, or has changed
"""

from __future__ import annotations

import unicodedata

# What acts instead of being read: control characters (a terminal obeys them), halves of characters (no message holds
# them), line ends of other kinds.
_ACTING = {"Cc", "Cs", "Zl", "Zp"}
# What turns the order of the text around it (Unicode, annex 9).
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# A path may stand in it; nobody reads more.
_LONGEST_SENTENCE = 1000


def as_one_line(text: str, at_most: int = 300) -> str:
    """Return a text of somebody else's as it can be shown anywhere: one line, not long, and nothing that acts in it."""
    clipped = text if len(text) <= at_most else f"{text[: at_most - 1]}…"
    harmless = (c if unicodedata.category(c) not in _ACTING and c not in _TURNING else "\ufffd" for c in clipped)
    return "".join(harmless)


class AuthError(Exception):
    """Something about signing in went wrong, and this is how to go on.

    Parameters
    ----------
    message : str
        What happened, as one sentence. Never holds a secret.
    next_step : str
        What the person can do now, as one sentence; empty when the message says it all.
    """

    def __init__(self, message: str, *, next_step: str = "") -> None:
        # Paths, and the servers' own words, may stand in it.
        self.message = as_one_line(message, _LONGEST_SENTENCE)
        self.next_step = as_one_line(next_step, _LONGEST_SENTENCE)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()

    def _render_traceback_(self) -> list[str]:
        """Show the sentence in a cell instead of our frames (IPython's protocol); the frames stay on the exception."""
        return [f"{type(self).__name__}: {self.message}", *([self.next_step] if self.next_step else [])]


class CredentialUnusable(AuthError):
    """What was given cannot be a credential; nothing was sent."""


class KeyMalformed(CredentialUnusable):
    """The text is no API key."""


class EnvFileUnusable(CredentialUnusable):
    """The `.env` file is missing, cannot be read, or holds no key."""


class StoreUnusable(CredentialUnusable):
    """The SDK's token store is damaged or cannot be read."""


class CallbackUnusable(CredentialUnusable):
    """The pasted address does not belong to the sign-in under way."""


class CredentialRefused(AuthError):
    """The server said no to a credential."""


class KeyRefused(CredentialRefused):
    """The API key was revoked, deleted, has expired, or never existed."""


class SessionExpired(CredentialRefused):
    """The browser session is over."""


class LoginDenied(CredentialRefused):
    """The log-in page said no."""


class ServerUnreachable(AuthError):
    """No answer that decides anything came back: the credential may well be good."""


class CertificateInvalid(ServerUnreachable):
    """The server showed a certificate that this machine does not trust."""


class ServerTimeout(ServerUnreachable):
    """The server did not answer within the limit."""


class ServerTrouble(ServerUnreachable):
    """The server answered with a failure of its own."""


class NotSignedIn(AuthError):
    """A client was asked for, and nobody is signed in."""


class NotVerified(NotSignedIn):
    """A credential is in use, but the server could not be asked about it."""


class ExpiresTooSoon(NotSignedIn):
    """The sign-in ends before the work would."""


class LoginNotFinished(AuthError):
    """A sign-in ended before it had an answer."""


class AttemptCancelled(LoginNotFinished):
    """The person took the sign-in back."""


class LoginTimedOut(LoginNotFinished):
    """Nobody came back from the log-in page in time."""


class PortsTaken(LoginNotFinished):
    """No port is free for the browser to come back to."""


class StorageFailed(AuthError):
    """A file that the person asked for could not be written."""


class SDKUnusable(AuthError):
    """luminarycloud is missing, cannot be imported, or has changed under us."""
