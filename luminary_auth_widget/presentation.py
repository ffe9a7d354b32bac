"""What the page shows of a session: every decision of the widget that is not drawing. Pure reading."""

from __future__ import annotations

import platform
import time
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any

from . import env_file, kernel, sdk, sources, token_store, waiting
from .files import friendly
from .in_use import SESSION_LIFETIME, environment_name
from .session import AuthSession
from .sources import Source, SourceKind, Survey
from .status import Attempt, AuthStatus, Expiry, Method, SignInState

# Raised whenever widget.js and this module must change together.
PROTOCOL = 1

# The page's phase of the same name begins here (widget.js).
_URGENT = timedelta(hours=24)
_NEEDS_SIGN_IN = {SignInState.SIGNED_OUT, SignInState.EXPIRED, SignInState.REJECTED}

# What the page offers for a key's lifetime, counted short rather than long. A new key lasts three months unless changed
# (the product's documentation).
LIFETIMES = {
    "P7D": timedelta(days=7),
    "P1M": timedelta(days=30),
    "P3M": timedelta(days=90),
    "P6M": timedelta(days=180),
    "P1Y": timedelta(days=365),
}


def traits(session: AuthSession) -> dict[str, Any]:
    """Return the synced traits. They are saved with notebooks, so they hold only what may be committed."""
    status = session.status
    attempt = status.attempt
    return {
        "protocol": PROTOCOL,
        "state": status.state.value,
        "attempt": attempt.phase.value if attempt else "",
        "stopped_cell": _stopped_cell(session),
        "offers": offers(status),
        "expiry": status.expiry.value,
        "expires_at": _milliseconds(status.expires_at),
        "signed_in_at": _milliseconds(status.signed_in_at),
        "checked_at": _milliseconds(status.checked_at),
        "attempt_ends_at": _milliseconds(attempt.ends_at) if attempt else None,
        "kernel_now": _kernel_now(),
    }


def message(session: AuthSession) -> dict[str, Any]:
    """Return the custom message to views that said hello: all there is to show. No secret; never saved."""
    status, survey = session.status, sources.survey()
    rows = [_source_row(source, session, survey) for source in _listed(session, survey)]
    facts = _facts(session, survey)
    return {
        "kind": "status",
        "now": _kernel_now(),
        **{name: value for name, value in traits(session).items() if name not in _OF_TRAITS_ALONE},
        "endpoint": "sandbox on this machine" if sdk.in_sandbox() else status.endpoint,
        "title": status.title,
        "subtitle": _subtitle(status),
        "message": status.message,
        "next_step": status.next_step,
        # A bar needs a whole: the session's 30 days. How long a key has lived nobody told.
        "lifetime": round(SESSION_LIFETIME.total_seconds() * 1000) if status.method is Method.BROWSER else None,
        "sign_out_choice": status.method is Method.BROWSER,
        "attempt": _attempt(status.attempt),
        "busy": session.checking,
        "key_page": sdk.web_address() if sdk.is_loaded() else None,
        "primary": _primary(status, survey),
        "env_file": _env_row(session, survey),
        "remember": {"label": f"Remember in {friendly(env_file.place_to_remember())}"},
        "sources": rows,
        "environments": _environments(status),
        "rescue": _rescue(session),
        "facts": facts,
        "diagnostics": _diagnostics(status, rows, facts),
        "notices": [
            {
                "id": notice.id,
                "text": notice.text,
                "actions": [{"kind": kind, "label": label} for kind, label in notice.actions],
            }
            for notice in session.notices
        ],
    }


# Views that said hello are told more of these.
_OF_TRAITS_ALONE = {"attempt", "kernel_now", "stopped_cell"}


def _stopped_cell(session: AuthSession) -> str:
    cell = session.stopped_cell
    # The page's own word; half a character could not be sent back to it.
    return (cell.id.encode("utf-8", "replace").decode() or "a cell without an id") if cell else ""


def offers(status: AuthStatus) -> list[str]:
    """Return what the person may do now."""
    browser = [] if status.attempt and status.attempt.running else ["browser"]
    if status.state in _NEEDS_SIGN_IN:
        again = ["check"] if status.state is not SignInState.SIGNED_OUT else []
        return [*browser, "key", "load_env", *again]
    # Signing in again early restarts the 30 days.
    early = browser if status.method is Method.BROWSER else []
    return ["check", "sign_out", *early, "key"]


def _subtitle(status: AuthStatus) -> str:
    if status.method is Method.BROWSER:
        return "signed in by browser" if status.source == "browser session" else status.source
    if status.source == "pasted":
        return f"pasted key {status.fingerprint}"
    if status.fingerprint:
        given = "provided by the" if status.source == "environment" else "from"
        return f"key {status.fingerprint} {given} {status.source}"
    if status.message:
        return ""
    nothing = "Nothing found in the environment, .env or the token store"
    return "This is the sandbox: enter no password or key of yours" if sdk.in_sandbox() else nothing


def _attempt(attempt: Attempt | None) -> dict[str, Any] | None:
    if attempt is None:
        return None
    return {
        "method": attempt.method.value,
        "phase": attempt.phase.value,
        "message": attempt.message,
        "next_step": attempt.next_step,
        "ends_at": _milliseconds(attempt.ends_at),
        "link": attempt.link,
        "can_retry": attempt.can_retry,
    }


def _primary(status: AuthStatus, survey: Survey) -> str:
    left = status.expires_at - datetime.now(timezone.utc) if status.expires_at else None
    if status.state not in _NEEDS_SIGN_IN:
        urgent = left is not None and left <= _URGENT
        return ("browser" if status.method is Method.BROWSER else "key") if urgent else ""
    if status.attempt is not None and status.attempt.running:
        return ""
    if status.state is SignInState.REJECTED:
        return "key"
    return "load_env" if status.state is SignInState.SIGNED_OUT and _loadable(survey) else "browser"


def _loadable(survey: Survey) -> Source | None:
    return next((source for source in survey.sources if source.kind is SourceKind.ENV_FILE and source.key), None)


def _env_row(session: AuthSession, survey: Survey) -> dict[str, str] | None:
    source = _loadable(survey)
    if source is None or source.path is None or _is_in_use(source, session):
        return None
    return {"path": str(source.path), "label": f"found at {source.label}, key {source.fingerprint}"}


def _listed(session: AuthSession, survey: Survey) -> list[Source]:
    in_use = session.in_use
    elsewhere = in_use is not None and not any(_is_in_use(source, session) for source in survey.sources)
    return [*([in_use] if in_use and elsewhere else []), *survey.sources]


def _is_in_use(source: Source, session: AuthSession) -> bool:
    return session.in_use is not None and source.id == session.in_use.id and source.secret == session.in_use.secret


def _source_row(source: Source, session: AuthSession, survey: Survey) -> dict[str, Any]:
    in_use = _is_in_use(source, session)
    # After a refused check nothing of the credential works any more: "in use" would be a lie.
    refused = in_use and session.status.state in {SignInState.REJECTED, SignInState.EXPIRED}
    return {
        "id": source.id,
        "title": _TITLES.get(source.kind) or source.label,
        "detail": _detail(source, session) if source.secret else source.problem,
        "note": "refused by the server" if refused else _note(source, session, survey),
        "in_use": in_use and not refused,
        "can_use": source.secret is not None and not in_use,
    }


_TITLES = {
    SourceKind.ENVIRONMENT: "Environment",
    SourceKind.STORED_SESSION: "Browser session",
    SourceKind.GIVEN: "Given here",
}


def _detail(source: Source, session: AuthSession) -> str:
    if source.kind is SourceKind.GIVEN:
        return f"key {source.fingerprint}"
    if source.session is None:
        return f"{env_file.KEY_NAME} {source.fingerprint}"
    known = _END_KNOWN.get(session.status.expiry, "") if _is_in_use(source, session) else ""
    return f"{source.fingerprint}, in {friendly(source.session.path)}{known}"


_END_KNOWN = {
    Expiry.RECORDED: "; its end is recorded from the sign-in",
    Expiry.ABOUT: "; its end is estimated from the file's age",
    Expiry.UNKNOWN: "; its end is unknown, since renewals rewrite the file",
}


def _note(source: Source, session: AuthSession, survey: Survey) -> str:
    if source.secret is None:
        return source.next_step
    automatic = survey.automatic
    if _is_in_use(source, session):
        return "" if source.kind is not SourceKind.GIVEN else "in this kernel only"
    if session.in_use and source.secret == session.in_use.secret:
        return "the same key"
    if automatic is not None and source.id == automatic.id:
        return "used again after a kernel restart" if session.in_use else ""
    if source.kind is SourceKind.ENV_FILE and survey.environment_blocks:
        return f"not read by itself: {env_file.KEY_NAME} in the environment is set but empty"
    return f"shadowed by {automatic.label}" if automatic else ""


def _environments(status: AuthStatus) -> list[dict[str, Any]]:
    # The sandbox stands in for one environment; the other would be the real one.
    return [
        {"id": name, "name": environment_name(name), "in_use": name == status.environment}
        for name in ("standard", "itar")
        if not sdk.in_sandbox()
    ]


_THE_CLIENT = "the client of this widget"
_STOPPED = {
    SignInState.SIGNED_OUT: "nobody was signed in",
    SignInState.CHECKING: "the server is being asked why",
    SignInState.UNVERIFIED: "the server could not be asked",
    SignInState.EXPIRED: "the session is over",
    SignInState.REJECTED: "the server refused the key",
}


def _rescue(session: AuthSession) -> dict[str, Any] | None:
    """Return what to say of the cell that has failed for want of a sign-in."""
    cell, state = session.stopped_cell, session.status.state
    if cell is None:
        return None
    name = f"Cell [{cell.count}]" if cell.count else "A cell"
    why = _STOPPED.get(state)
    if session.default_client.reach.set_by_notebook:
        why, how = "a client that this notebook has set was refused", "Sign in anew to replace that client."
    else:
        how = "Sign in here, then run it again." if why else "You are signed in."
    return {
        "cell": cell.id,
        "title": f"{name} stopped: {why}." if why else f"{name} can run again.",
        "text": how,
        "ready": why is None,
    }


def _facts(session: AuthSession, survey: Survey) -> list[list[str]]:
    ipykernel = ".".join(map(str, kernel.version())) or "none"
    facts = [
        ["SDK", f"luminarycloud {sdk.version() or 'is not installed'}"],
        [
            "This widget",
            f"{version('luminary-auth-widget')}; anywidget {version('anywidget')}, ipywidgets {version('ipywidgets')},"
            f" ipykernel {ipykernel}, Python {platform.python_version()}",
        ],
    ]
    if sdk.is_loaded():
        reach = session.default_client.reach
        facts.append(
            ["Cells use", "a client set by you, until you sign in anew" if reach.set_by_notebook else _THE_CLIENT]
        )
        facts.append(["Threads use", _THE_CLIENT if reach.threads else "the client that they began with"])
    if waits := waiting.advice():
        facts.append(["To wait in a cell", waits])
    documented = token_store.documented_path()
    if documented.exists() and not any(s.session and s.session.documented for s in survey.sources):
        facts.append(["Not used", f"{friendly(documented)}: the documentation names it, the SDK does not read it"])
    if survey.env_files:
        nearest = survey.env_files[0]
        facts.append(
            ["SDK and .env", f"importing luminarycloud reads all of {friendly(nearest.path)} into the environment"]
        )
        if nearest.settings:
            facts.append(["Also in it", ", ".join(nearest.settings)])
    return facts


def _diagnostics(status: AuthStatus, rows: list[dict[str, Any]], facts: list[list[str]]) -> str:
    """Return what support asks for, a line each: no name, no secret, times in UTC."""
    attempt = f"{status.attempt.method.value} {status.attempt.phase.value}" if status.attempt else ""
    lines = [
        [status.state.value, _subtitle(status), status.endpoint, status.environment],
        ["sign-in under way", attempt] if attempt else [],
        [status.message, status.next_step],
        ["ends", _at(status.expires_at), status.expiry.value],
        ["checked", _at(status.checked_at)],
        *([row["title"], row["detail"], row["note"], "in use" if row["in_use"] else ""] for row in rows),
        *facts,
        ["Machine", platform.platform()],
    ]
    return "\n".join(" · ".join(filter(None, line)) for line in lines if any(line))


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "unknown"


def _milliseconds(moment: datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment else None


def _kernel_now() -> int:
    return round(time.time() * 1000)
