"""What a terminal is told of the sign-in: in words, and as JSON. Loads no SDK, asks no server."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TextIO

from . import env_file, in_use, sdk, sources, words
from .environments import refusal
from .errors import AuthError
from .files import friendly
from .sdk import Deployment
from .session import AuthSession
from .sources import Source, SourceKind, Survey
from .status import AuthStatus, Expiry, Method, SignInState

GREEN, YELLOW, RED = "32", "33", "31"
_COLOURS = {
    SignInState.SIGNED_IN: GREEN,
    SignInState.CHECKING: YELLOW,
    SignInState.UNVERIFIED: YELLOW,
}
_STORED = "stored_session"
# The widget's next steps name its buttons.
_NEXT_STEPS = {
    SignInState.EXPIRED: words.REPORT_LOGIN_NEXT,
    SignInState.REJECTED: words.NEW_KEY_AT_TERMINAL_NEXT,
}


@dataclass(frozen=True)
class Finding:
    """What the SDK takes in a notebook here, what it takes in a script, and what it leaves.

    Attributes
    ----------
    status : AuthStatus
        Of the notebook's credential; CHECKING stands for "the server was not asked".
    credential : Source or None
        The notebook's.
    in_scripts : Source or None
        A plain script's.
    survey : Survey
    """

    status: AuthStatus
    credential: Source | None
    in_scripts: Source | None
    survey: Survey

    def judged(self, status: AuthStatus) -> Finding:
        """Return it with the server's word."""
        if status.state is SignInState.SIGNED_OUT:
            return replace(self, status=status._replace(next_step=self.status.next_step))
        return replace(self, status=status._replace(next_step=_NEXT_STEPS.get(status.state, status.next_step)))

    def in_words(self) -> str:
        """Return the status line, and below it what else matters, the next step last."""
        return "\n".join([painted(self._line(), _COLOURS.get(self.status.state, RED)), *self._more()])

    def as_json(self) -> str:
        """Return the same for programs; the keys are documented in the command's help."""
        status = self.status
        state = "not_asked" if status.state is SignInState.CHECKING else status.state.value
        by_browser = status.method is Method.BROWSER
        facts = {
            "state": state,
            "method": status.method.value if status.method else None,
            "source": status.source,
            "fingerprint": status.fingerprint,
            "identity": status.identity,
            "environment": status.environment,
            "endpoint": status.endpoint,
            "sandbox": sdk.in_sandbox(),
            "signed_in_at": _iso(status.signed_in_at) if by_browser else None,
            "expires_at": _iso(status.expires_at),
            "expiry": status.expiry.value,
            "checked_at": _iso(status.checked_at),
            "message": status.message,
            "next_step": status.next_step,
            "in_scripts": _facts(self.in_scripts) if self.in_scripts and self.in_scripts.secret else None,
            "not_used": [_facts(source) for source in self._not_used()],
        }
        return json.dumps(facts, indent=2)

    def _line(self) -> str:
        if self.status.state is not SignInState.CHECKING:
            return repr(self.status)
        fingerprint, source = self.status.fingerprint, self.status.source
        if self.status.method is Method.BROWSER:
            return words.REPORT_SESSION_FOUND.format(fingerprint=fingerprint, source=source)
        return words.REPORT_KEY_FOUND.format(fingerprint=fingerprint, source=source)

    def _more(self) -> list[str]:
        status = self.status
        lines = [
            words.REPORT_SANDBOX if sdk.in_sandbox() else "",
            words.REPORT_ITAR if status.environment == "itar" and self.credential else "",
            status.message,
            _end(status) if self.credential else "",
            self._about_scripts(),
            *map(self._about_unused, self._not_used()),
            status.next_step,
        ]
        return [line for line in lines if line]

    def _about_scripts(self) -> str:
        script, credential = self.in_scripts, self.credential
        if _secret(script) == _secret(credential):
            return ""
        taken = words.REPORT_SCRIPTS_TAKE_NOTHING
        if script and script.secret:
            taken = words.REPORT_SCRIPTS_TAKE.format(credential=_described(script))
        if credential and credential.kind is SourceKind.ENV_FILE:
            how = words.REPORT_SCRIPTS_NEXT.format(file=credential.label)
            return f"{taken} {how}"
        return taken

    def _not_used(self) -> list[Source]:
        used = {_secret(self.credential), _secret(self.in_scripts)}
        return [
            source
            for source in self.survey.sources
            # What is wrong with the first one stands as the message.
            if (source.problem != self.status.message if source.problem else source.secret not in used)
        ]

    def _about_unused(self, source: Source) -> str:
        if self.survey.environment_blocks and source.kind is SourceKind.ENV_FILE:
            return words.REPORT_NOT_USED_BLOCKED.format(credential=_described(source))
        return words.REPORT_NOT_USED.format(credential=_described(source))


def find() -> Finding:
    """Look at all places; from here on, this process stands where the SDK stands in a notebook here."""
    in_scripts = _script_source(sources.survey())
    read_env_as_a_notebook_does()
    survey = sources.survey()
    source = survey.automatic
    if source is None or source.secret is None:
        problem, next_step = (source.problem, source.next_step) if source else ("", words.REPORT_LOGIN_NEXT)
        return Finding(AuthStatus(message=problem, next_step=next_step), None, in_scripts, survey)
    return Finding(_unasked(source), source, in_scripts, survey)


def read_env_as_a_notebook_does() -> None:
    """Read the nearest `.env` into the environment, as the SDK's import does in a kernel.

    In a program of its own, like this one, the SDK looks for a `.env` from its own folder upward instead: that is kept
    from it here.
    """
    given = env_file.KEY_NAME in os.environ
    for path in env_file.find()[:1]:
        with suppress(AuthError):  # the survey says what is wrong with it
            env_file.load_into_environment(path)
    if not given:
        # The survey finds it where it stands, also after it was replaced there.
        os.environ.pop(env_file.KEY_NAME, None)
    os.environ["PYTHON_DOTENV_DISABLED"] = "1"


def after_sign_in(session: AuthSession) -> str:
    """Return what to say once a terminal has signed in: the status, and whether it is what the SDK takes here."""
    status = session.status
    lines = [painted(repr(status), _COLOURS.get(status.state, RED)), status.message, _end(status)]
    # What the next kernel takes is said below, in a terminal's words.
    lines += [notice.text for notice in session.notices if notice.id != "again"]
    survey, used = sources.survey(), session.in_use
    first = survey.automatic
    if survey.environment_blocks and status.method is Method.API_KEY:
        lines.append(words.REPORT_BLOCKED)
        lines.append(words.REPORT_BLOCKED_NEXT)
    elif first and used and first.secret != used.secret:
        lines.append(words.REPORT_ANOTHER_FIRST.format(credential=_described(first)))
        lines.append(words.REPORT_ANOTHER_FIRST_NEXT)
    return "\n".join(line for line in lines if line)


def complain(message: str, next_step: str = "") -> None:
    """Say on standard error what is wrong, and on a line of its own what to do."""
    print(painted(message, RED, sys.stderr), *([next_step] if next_step else []), sep="\n", file=sys.stderr)


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return `text` in colour, where the terminal shows it and nobody has set NO_COLOR (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not (stream or sys.stdout).isatty()
    return text if plain else f"\033[{colour}m{text}\033[0m"


def place(source: Source) -> str:
    """Return where a key was found, inside a sentence."""
    return words.REPORT_THE_ENVIRONMENT if source.kind is SourceKind.ENVIRONMENT else source.label


def time_left(ends_at: datetime) -> str:
    """Return the time until `ends_at` in its two largest units: "29 days 4 h", "3 h 10 min"."""
    minutes = max(0, round((ends_at - datetime.now(timezone.utc)).total_seconds() / 60))
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return words.LEFT_DAY.format(hours=hours) if days == 1 else words.LEFT_DAYS.format(days=days, hours=hours)
    if hours:
        return words.LEFT_HOURS.format(hours=hours, minutes=minutes % 60)
    return words.LEFT_MINUTES.format(minutes=minutes)


def _unasked(source: Source) -> AuthStatus:
    environment = in_use.environment_of(source) or "standard"
    credential = in_use.for_source(source, Deployment(environment))
    ends, expiry = credential.expiry()
    # A kernel that was not told otherwise is in the standard environment, or follows the session.
    foreign = refusal(source) if source.key and environment != "standard" else None
    return AuthStatus(
        SignInState.CHECKING,
        method=credential.method,
        source=source.label,
        environment=environment,
        fingerprint=source.fingerprint,
        signed_in_at=credential.signed_in_at,
        expires_at=ends,
        expiry=expiry,
        message=foreign.message if foreign else "",
        next_step=foreign.next_step if foreign else words.REPORT_CHECK_NEXT,
    )


def _script_source(survey: Survey) -> Source | None:
    """Return what a plain script takes: as in a notebook, but with the `.env` from the SDK's own folder upward.

    That is python-dotenv's rule (1.2): it looks from the file that calls load_dotenv(). A project that holds its own
    virtual environment is above that folder.
    """
    stored = survey.find(_STORED)
    if survey.environment_blocks:
        return stored
    if environment := survey.find("environment"):
        return environment
    found = importlib.util.find_spec("luminarycloud")
    for path in env_file.find(Path(found.origin).parent)[:1] if found and found.origin else []:
        with suppress(AuthError):
            return sources.named_env_file(path)
    return stored


_ENDS = {
    Expiry.ABOUT: (words.ENDED_ABOUT, words.UNTIL_ABOUT),
    Expiry.NOTED: (words.ENDED_NOTED, words.UNTIL_NOTED),
}


def _end(status: AuthStatus) -> str:
    if status.expires_at is None:
        return words.REPORT_NO_END if status.state is not SignInState.SIGNED_OUT else ""
    local = status.expires_at.astimezone()
    ended, until = _ENDS.get(status.expiry, (words.ENDED, words.UNTIL))
    if status.expires_at <= datetime.now(timezone.utc):
        return ended.format(moment=local)
    return until.format(moment=local, left=time_left(status.expires_at))


def _described(source: Source) -> str:
    if source.secret is None:
        return source.problem.rstrip(".")
    if source.session is None:
        return words.REPORT_KEY.format(fingerprint=source.fingerprint, place=place(source))
    if source.session.documented:
        return words.REPORT_SESSION_AT.format(fingerprint=source.fingerprint, path=friendly(source.session.path))
    return words.REPORT_SESSION.format(fingerprint=source.fingerprint)


def _facts(source: Source) -> dict[str, Any]:
    method = Method.API_KEY if source.kind is not SourceKind.STORED_SESSION else Method.BROWSER
    return {
        "method": method.value,
        "source": source.label,
        "fingerprint": source.fingerprint,
        "problem": source.problem,
    }


def _secret(source: Source | None) -> Any:
    return source.secret if source else None


def _iso(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
