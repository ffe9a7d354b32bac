"""Every state that the card can show, as messages of the kernel."""

from __future__ import annotations

from typing import Any

from .conftest import DAY, HOUR, MINUTE, NOW_MS, SECOND, attempt, signed_in, status

SOURCES = [
    {
        "id": "browser",
        "title": "Browser session",
        "detail": "…9f3c, recorded at sign-in",
        "note": "",
        "in_use": True,
        "can_use": True,
    },
    {
        "id": "env_file",
        "title": ".env, this folder",
        "detail": "LC_API_KEY …a1b2",
        "note": "wins again after a kernel restart",
        "in_use": False,
        "can_use": True,
    },
]
DIAGNOSTICS = "signed_in · apis.luminarycloud.com\nSDK · luminarycloud 0.28.1"
FACTS = [["SDK", "luminarycloud 0.28.1"], ["Session store", "~/.config/luminarycloud/tokens2"]]
NOTICE = {
    "id": "gitignore",
    "text": "git would track ./.env, and your key with it.",
    "actions": [{"kind": "ignore_env", "label": "Add to .gitignore"}, {"kind": "dismiss_notice", "label": "Leave it"}],
}
ENV_FILE = {"path": "./.env", "label": "found in this folder, key …a1b2"}
LINK = "https://login.luminarycloud.com/authorize?response_type=code&client_id=abcdefghijklmnop&state=0123456789"
REFUSED = "It was revoked, deleted or has expired."
WRONG_ADDRESS = "This address belongs to another sign-in, or an earlier one."
COPY_ALL = "Copy the whole address of the page on which the browser ended, after signing in."
ENVIRONMENTS = [
    {"id": "standard", "name": "Standard", "in_use": True},
    {"id": "itar", "name": "ITAR", "in_use": False},
]
NEW_KEY = "Create a new one under My Account → Profile → API Keys, then paste it here."


def waiting(**changes: Any) -> dict[str, Any]:
    """Return what the kernel says, signed out, while a browser is awaited; `changes` are the attempt's."""
    awaited = {"method": "browser", "link": LINK, "ends_at": NOW_MS + 4 * MINUTE + 32 * SECOND, **changes}
    return status(offers=["key", "load_env"], attempt=attempt("waiting_for_browser", **awaited))


def browser_attempt(phase: str, **changes: Any) -> dict[str, Any]:
    """Return what the kernel says, signed out, of a sign-in by browser that has no link (any more)."""
    offers = ["browser", "key"] if phase == "failed" else ["key"]
    return status(offers=offers, attempt=attempt(phase, method="browser", **changes))


KEY = {"title": "Signed in with an API key", "subtitle": "key …a1b2 from ./.env", "lifetime": None, "expiry": "noted"}

STATES: dict[str, dict[str, Any]] = {
    "signed out": status(env_file=ENV_FILE, offers=["key", "load_env"]),
    "signed out, browser": status(env_file=ENV_FILE, offers=["browser", "key", "load_env"], primary="browser"),
    "checking": status(
        state="checking",
        title="Checking the key …a1b2",
        subtitle="LC_API_KEY in the environment",
        offers=["key"],
        primary="",
    ),
    "asking the server": status(attempt=attempt("checking")),
    "failed": status(
        attempt=attempt(
            "failed", message="The server refused this key.", next_step=f"{REFUSED} {NEW_KEY}", can_retry=True
        )
    ),
    "waiting for the browser": waiting(),
    "waiting after a wrong address": waiting(message=WRONG_ADDRESS, next_step=COPY_ALL),
    "starting": browser_attempt("starting"),
    "finishing": browser_attempt("finishing"),
    "failed in the browser": browser_attempt(
        "failed", message="The log-in page said no (access_denied).", next_step="Try again."
    ),
    "plenty": signed_in(sources=SOURCES, environments=ENVIRONMENTS, facts=FACTS, diagnostics=DIAGNOSTICS),
    "soon": signed_in(
        expires_at=NOW_MS + 5 * DAY + 3 * HOUR, offers=["check", "sign_out", "browser"], sign_out_choice=True
    ),
    "urgent": signed_in(
        expires_at=NOW_MS + 21 * HOUR + 5 * MINUTE,
        expiry="about",
        offers=["browser", "check", "sign_out"],
        primary="browser",
        busy=True,
    ),
    "last hour": signed_in(expires_at=NOW_MS + 59 * MINUTE + 12 * SECOND),
    "time is up": signed_in(expires_at=NOW_MS - 1, checked_at=NOW_MS - MINUTE),
    "key without a known end": signed_in(
        title="API key …a1b2", subtitle="from .env", expires_at=None, lifetime=None, expiry="unknown", notices=[NOTICE]
    ),
    "key that ends soon": signed_in(**KEY, expires_at=NOW_MS + 6 * DAY + 4 * HOUR),
    "key that ends within a day": signed_in(**KEY, expires_at=NOW_MS + 21 * HOUR, primary="key"),
    "stopped cell": status(
        rescue={
            "cell": "c",
            "title": "Cell [3] stopped: nobody was signed in.",
            "text": "Sign in here.",
            "ready": False,
        }
    ),
    "cell that can run again": signed_in(
        rescue={"cell": "c", "title": "Cell [3] can run again.", "text": "You are signed in.", "ready": True}
    ),
    "unverified": signed_in(
        state="unverified",
        title="API key …a1b2",
        message="The server could not be reached.",
        next_step="The key is in use; check again when you are connected.",
        primary="",
    ),
    "expired": status(
        state="expired",
        title="ada@example.com",
        subtitle="signed in by browser",
        offers=["browser", "key"],
        primary="browser",
    ),
    "rejected": status(
        state="rejected",
        title="The server refused this key",
        subtitle="…a1b2 from .env",
        message=REFUSED,
        next_step=NEW_KEY,
        offers=["key", "browser"],
    ),
}
