"""What a person sees besides API keys: log-in, the SDK's sign-in, projects. Plain HTML that works without JavaScript.

Every page lies directly below the root and every link is relative, so that all of it works below a proxy's prefix.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, redirect, render_template, request

from . import demo
from .identity import Identity
from .store import Store
from .visitors import Visitors
from .world import World

# A clock that was moved makes every date look odd; one that was not differs by nothing.
_WORTH_A_WORD_SECONDS = 60


def pages(store: Store, world: World, identity: Identity, visitors: Visitors) -> Blueprint:
    """Return the pages."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.app_context_processor
    def in_every_page() -> dict[str, Any]:
        now = world.now()
        moved = abs(now - time.time()) > _WORTH_A_WORD_SECONDS
        # Relative also on the error page of an address that lies deeper.
        root = "../" * (request.path.count("/") - 1)
        return {"visitor": visitors.current(), "now": now, "moved_to": now if moved else None, "root": root}

    @blueprint.get("/authorize")
    @blueprint.post("/authorize")
    def authorize() -> Any:
        # The log-in form posts to this very address: no parameter says where to go next, so none can be forged.
        account = visitors.log_in() if request.method == "POST" else visitors.current()
        try:
            grant = identity.get_consent_grant(end_user=account)
        except OAuth2Error as error:
            if error.redirect_uri:
                return identity.handle_error_response(request, error)
            title = "This sign-in link does not work"
            return render_template("message.html", title=title, message=error.description), 400
        if account is None or (request.method == "GET" and grant.prompt == "login"):
            return _log_in_page(for_sdk=True)
        return identity.create_authorization_response(grant_user=account, grant=grant)

    @blueprint.get("/")
    def index() -> Any:
        return redirect("profile")

    @blueprint.get("/login")
    @blueprint.post("/login")
    def login() -> Any:
        account = visitors.log_in() if request.method == "POST" else visitors.current()
        return redirect("profile") if account else _log_in_page(for_sdk=False)

    @blueprint.post("/logout")
    def logout() -> Any:
        visitors.log_out()
        return redirect("login")

    @blueprint.get("/projects")
    def projects() -> Any:
        return render_template("projects.html", projects=store.projects_of(visitors.required().email))

    for template_filter in (_moment, _day, _minute):
        blueprint.add_app_template_filter(template_filter, template_filter.__name__.lstrip("_"))
    return blueprint


def _log_in_page(*, for_sdk: bool) -> tuple[str, int]:
    failed = request.method == "POST"
    email = request.form.get("email", "")
    page = render_template("login.html", accounts=demo.ACCOUNTS, failed=failed, email=email, for_sdk=for_sdk)
    return page, 401 if failed else 200


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def _minute(moment: datetime) -> str:
    return f"{_day(moment)}, {moment:%H:%M} UTC"
