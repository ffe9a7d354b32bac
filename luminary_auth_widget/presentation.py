"""What the page shows of a session: every decision of the widget that is not drawing. Pure reading."""

from __future__ import annotations

import platform
import time
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.metadata import version
from typing import Any

from . import env_file, kernel, sdk, sources, token_store, waiting, words
from .files import friendly, is_there
from .in_use import SESSION_LIFETIME, environment_name
from .session import AuthSession
from .sources import Source, SourceKind, Survey
from .status import Attempt, AuthStatus, Expiry, Method, SignInState

# Raised whenever widget.js and this module must change together.
PROTOCOL = 1

# It reads and parses a file, at every message otherwise.
_version = cache(version)
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
    # In this order: who is told what an intent has done is told a state that is no older.
    notices, status, survey = session.notices, session.status, sources.survey()
    rows = [_source_row(source, session, survey) for source in _listed(session, survey)]
    facts = _facts(session, survey)
    return {
        "kind": "status",
        "now": _kernel_now(),
        **{name: value for name, value in traits(session).items() if name not in _OF_TRAITS_ALONE},
        "endpoint": words.ENDPOINT_SANDBOX if sdk.in_sandbox() else status.endpoint,
        "title": status.title,
        "subtitle": _subtitle(status),
        "message": status.message,
        "next_step": status.next_step,
        # A bar needs a whole: the session's 30 days. How long a key has lived nobody told.
        "lifetime": round(SESSION_LIFETIME.total_seconds() * 1000) if status.method is Method.BROWSER else None,
        "sign_out_choice": status.method is Method.BROWSER,
        "attempt": _attempt(status.attempt),
        "busy": session.checking,
        "key_page": sdk.web_address() if sdk.is_ready() else None,
        "primary": _primary(status, survey),
        "env_file": _env_row(session, survey),
        "remember": {"label": words.REMEMBER_IN.format(path=friendly(env_file.place_to_remember()))},
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
            for notice in notices
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
        return words.SUBTITLE_BROWSER if status.source == words.SOURCE_SESSION else status.source
    if status.source == words.SOURCE_PASTED:
        return words.SUBTITLE_PASTED.format(fingerprint=status.fingerprint)
    if status.fingerprint:
        if status.source == words.SOURCE_ENVIRONMENT:
            return words.SUBTITLE_ENVIRONMENT.format(fingerprint=status.fingerprint)
        return words.SUBTITLE_KEY.format(fingerprint=status.fingerprint, source=status.source)
    if status.message:
        return ""
    return words.SUBTITLE_SANDBOX if sdk.in_sandbox() else words.SUBTITLE_NOTHING


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
    return {
        "path": str(source.path),
        "label": words.ENV_FOUND.format(path=source.label, fingerprint=source.fingerprint),
    }


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
        "note": words.NOTE_REFUSED if refused else _note(source, session, survey),
        "in_use": in_use and not refused,
        "can_use": source.secret is not None and not in_use,
    }


_TITLES = {
    SourceKind.ENVIRONMENT: words.TITLE_ENVIRONMENT,
    SourceKind.STORED_SESSION: words.TITLE_SESSION,
    SourceKind.GIVEN: words.TITLE_GIVEN,
}


def _detail(source: Source, session: AuthSession) -> str:
    if source.kind is SourceKind.GIVEN:
        return words.DETAIL_KEY.format(fingerprint=source.fingerprint)
    if source.session is None:
        return f"{env_file.KEY_NAME} {source.fingerprint}"
    known = _END_KNOWN.get(session.status.expiry) if _is_in_use(source, session) else None
    return (known or words.DETAIL_SESSION).format(fingerprint=source.fingerprint, path=friendly(source.session.path))


_END_KNOWN = {
    Expiry.RECORDED: words.DETAIL_RECORDED,
    Expiry.ABOUT: words.DETAIL_ABOUT,
    Expiry.UNKNOWN: words.DETAIL_UNKNOWN,
}


def _note(source: Source, session: AuthSession, survey: Survey) -> str:
    if source.secret is None:
        return source.next_step
    automatic = survey.automatic
    if _is_in_use(source, session):
        return "" if source.kind is not SourceKind.GIVEN else words.NOTE_THIS_KERNEL_ONLY
    if session.in_use and source.secret == session.in_use.secret:
        return words.NOTE_SAME_KEY
    if automatic is not None and source.id == automatic.id:
        return words.NOTE_USED_AGAIN if session.in_use else ""
    if source.kind is SourceKind.ENV_FILE and survey.environment_blocks:
        return words.NOTE_BLOCKED
    return words.NOTE_SHADOWED.format(source=automatic.label) if automatic else ""


def _environments(status: AuthStatus) -> list[dict[str, Any]]:
    # The sandbox stands in for one environment; the other would be the real one.
    return [
        {"id": name, "name": environment_name(name), "in_use": name == status.environment}
        for name in ("standard", "itar")
        if not sdk.in_sandbox()
    ]


_STOPPED = {
    SignInState.SIGNED_OUT: words.STOPPED_SIGNED_OUT,
    SignInState.CHECKING: words.STOPPED_CHECKING,
    SignInState.UNVERIFIED: words.STOPPED_UNVERIFIED,
    SignInState.EXPIRED: words.STOPPED_EXPIRED,
    SignInState.REJECTED: words.STOPPED_REJECTED,
}


def _rescue(session: AuthSession) -> dict[str, Any] | None:
    """Return what to say of the cell that has failed for want of a sign-in."""
    cell, state = session.stopped_cell, session.status.state
    if cell is None:
        return None
    name = words.CELL.format(count=cell.execution_count) if cell.execution_count else words.CELL_UNCOUNTED
    why = _STOPPED.get(state)
    if session.default_client.reach.set_by_notebook:
        why, how = words.STOPPED_OWN_CLIENT, words.STOPPED_OWN_CLIENT_NEXT
    else:
        how = words.STOPPED_NEXT if why else words.STOPPED_NO_MORE
    return {
        "cell": cell.id,
        "title": words.CELL_STOPPED.format(cell=name, why=why) if why else words.CELL_CAN_RUN.format(cell=name),
        "text": how,
        "ready": why is None,
    }


def _facts(session: AuthSession, survey: Survey) -> list[list[str]]:
    ipykernel = ".".join(map(str, kernel.version())) or words.FACT_NO_KERNEL
    installed = sdk.version()
    facts = [
        ["SDK", f"luminarycloud {installed}" if installed else words.FACT_NOT_INSTALLED],
        [
            words.FACT_WIDGET,
            f"{_version('luminary-auth-widget')}; anywidget {_version('anywidget')},"
            f" ipywidgets {_version('ipywidgets')}, ipykernel {ipykernel}, Python {platform.python_version()}",
        ],
    ]
    if sdk.is_ready():
        reach = session.default_client.reach
        facts.append([words.FACT_CELLS, words.FACT_OWN_CLIENT if reach.set_by_notebook else words.FACT_THE_CLIENT])
        facts.append([words.FACT_THREADS, words.FACT_THE_CLIENT if reach.threads else words.FACT_FIRST_CLIENT])
    if waits := waiting.advice():
        facts.append([words.FACT_WAIT, waits])
    documented = token_store.documented_path()
    if is_there(documented) and not any(s.session and s.session.documented for s in survey.sources):
        facts.append([words.FACT_NOT_USED, words.FACT_DOCUMENTED_FILE.format(path=friendly(documented))])
    if survey.env_files:
        nearest = survey.env_files[0]
        facts.append([words.FACT_ENV_FILE, words.FACT_ENV_FILE_READ.format(path=friendly(nearest.path))])
        if nearest.settings:
            facts.append([words.FACT_ALSO_IN_IT, ", ".join(nearest.settings)])
    return facts


def _diagnostics(status: AuthStatus, rows: list[dict[str, Any]], facts: list[list[str]]) -> str:
    """Return what support asks for, a line each: no name, no secret, times in UTC."""
    attempt = f"{status.attempt.method.value} {status.attempt.phase.value}" if status.attempt else ""
    lines = [
        [status.state.value, _subtitle(status), status.endpoint, status.environment],
        [words.DIAGNOSTICS_UNDER_WAY, attempt] if attempt else [],
        [status.message, status.next_step],
        [words.DIAGNOSTICS_ENDS, _at(status.expires_at), status.expiry.value],
        [words.DIAGNOSTICS_CHECKED, _at(status.checked_at)],
        *(
            [row["title"], row["detail"], row["note"], words.DIAGNOSTICS_IN_USE if row["in_use"] else ""]
            for row in rows
        ),
        *facts,
        [words.DIAGNOSTICS_MACHINE, platform.platform()],
    ]
    return "\n".join(" · ".join(filter(None, line)) for line in lines if any(line))


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else words.DIAGNOSTICS_UNKNOWN


def _milliseconds(moment: datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment else None


def _kernel_now() -> int:
    return round(time.time() * 1000)
