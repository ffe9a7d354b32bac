"""What is known about the sign-in, as values: no secret, no I/O, nothing of ours imported."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import NamedTuple

from . import words


class SignInState(enum.Enum):
    """Where the credential in use stands; the values are what widget.js receives."""

    # Nothing found, or signed out.
    SIGNED_OUT = "signed_out"
    # A credential was found and is in use; the server is being asked for the first time.
    CHECKING = "checking"
    # The server said yes.
    SIGNED_IN = "signed_in"
    # In use, but the server could not be reached.
    UNVERIFIED = "unverified"
    # The server said that the browser session is over.
    EXPIRED = "expired"
    # The server refused the API key: revoked, deleted, expired or unknown.
    REJECTED = "rejected"


class AttemptPhase(enum.Enum):
    """How far a sign-in under way has come."""

    STARTING = "starting"
    # A link is shown; nothing has reached the callback yet.
    WAITING_FOR_BROWSER = "waiting_for_browser"
    FINISHING = "finishing"
    # The server is being asked about the new credential.
    CHECKING = "checking"
    # Over, without effect on the credential in use; message and next step say why.
    FAILED = "failed"


class Method(enum.Enum):
    """How one signs in."""

    API_KEY = "api_key"
    BROWSER = "browser"


class Expiry(enum.Enum):
    """Where the end of the sign-in is known from."""

    # Our own sign-in noted the moment.
    RECORDED = "recorded"
    # Estimated from the token store's age.
    ABOUT = "about"
    # The person's word, for an API key.
    NOTED = "noted"
    UNKNOWN = "unknown"


class Attempt(NamedTuple):
    """A sign-in under way, or the one that failed last.

    Attributes
    ----------
    method : Method
    phase : AttemptPhase
    link : str or None
        The authorize URL, while the browser is awaited.
    ends_at : datetime or None
        When it is given up, in UTC.
    message, next_step : str
        What is happening or what went wrong, and what to do now.
    can_retry : bool
        Whether the same credential can be tried again without being typed again.
    """

    method: Method
    phase: AttemptPhase
    link: str | None = None
    ends_at: datetime | None = None
    message: str = ""
    next_step: str = ""
    can_retry: bool = False

    @property
    def running(self) -> bool:
        """Whether it is still going on."""
        return self.phase is not AttemptPhase.FAILED


class StoppedCell(NamedTuple):
    """A cell that has failed for want of a sign-in.

    Attributes
    ----------
    id : str
        The notebook's id of it; empty where the front end sends none.
    execution_count : int or None
        As people see it.
    """

    id: str
    execution_count: int | None


class AuthStatus(NamedTuple):
    """A snapshot of the sign-in. Holds no secret, ever.

    Attributes
    ----------
    state : SignInState
        About the credential in use.
    attempt : Attempt or None
        A sign-in under way beside it.
    method : Method or None
        How the credential in use came about.
    source : str
        Where it was found, for people: "environment", ".env", "pasted".
    environment : str
        "standard" or "itar".
    identity : str
        Name or e-mail; empty for an API key, which has none to show.
    fingerprint : str
        "…" and the credential's last four characters; empty when signed out.
    endpoint : str
        Host of the API server; empty until the SDK is loaded.
    signed_in_at, expires_at, checked_at : datetime or None
        Aware, in UTC.
    expiry : Expiry
        Where `expires_at` is known from.
    message, next_step : str
        Why it stands so, and what to do now.
    """

    state: SignInState = SignInState.SIGNED_OUT
    attempt: Attempt | None = None
    method: Method | None = None
    source: str = ""
    environment: str = "standard"
    identity: str = ""
    fingerprint: str = ""
    endpoint: str = ""
    signed_in_at: datetime | None = None
    expires_at: datetime | None = None
    expiry: Expiry = Expiry.UNKNOWN
    checked_at: datetime | None = None
    message: str = ""
    next_step: str = ""

    @property
    def title(self) -> str:
        """The state in a few words, for the top of the widget."""
        match self.state:
            case SignInState.SIGNED_IN:
                return self.identity or (words.STATE_KEY if self.method is Method.API_KEY else words.STATE_SIGNED_IN)
            case SignInState.UNVERIFIED:
                return words.STATE_UNVERIFIED
            case SignInState.CHECKING:
                return words.STATE_CHECKING
            case SignInState.EXPIRED:
                return self.identity or words.STATE_EXPIRED
            case SignInState.REJECTED:
                return words.STATE_REJECTED
            case _:
                return words.STATE_SIGNED_OUT

    def __repr__(self) -> str:
        """One stable line: notebooks keep it as the widget's plain text."""
        if not self.fingerprint:
            return words.LINE.format(title=self.title)
        return words.LINE_OF.format(title=self.title, fingerprint=self.fingerprint, source=self.source)
