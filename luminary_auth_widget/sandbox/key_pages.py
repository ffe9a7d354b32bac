"""My Account → Profile → API Keys, as the documentation describes it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session

from .store import KeyRecord, Store
from .visitors import Visitors
from .world import World

# Three months: the documented default.
PRESET_DURATION = "Three months"
DURATIONS = {
    "One week": timedelta(days=7),
    "One month": timedelta(days=30),
    PRESET_DURATION: timedelta(days=90),
    "Six months": timedelta(days=180),
    "One year": timedelta(days=365),
}
_LONGEST_NAME = 60


def key_pages(store: Store, world: World, visitors: Visitors) -> Blueprint:
    """Return the pages around API keys."""
    blueprint = Blueprint("keys", __name__)
    # New secrets on their way to the page that shows them once: neither in a cookie nor on disk.
    unseen: dict[str, str] = {}

    def own_key(*, active: bool) -> KeyRecord:
        account = visitors.required()
        key = store.api_key(request.values.get("key", ""))
        if key is None or key.email != account.email or key.active(world.now()) is not active:
            abort(404, "There is no such key in this list any more.")
        return key

    @blueprint.get("/profile")
    def profile() -> Any:
        account = visitors.required()
        return render_template(
            "profile.html",
            keys=store.api_keys_of(account.email),
            new_secret=unseen.pop(session.pop("unseen", ""), None),
            durations=DURATIONS,
            preset=PRESET_DURATION,
            longest_name=_LONGEST_NAME,
        )

    @blueprint.post("/create-key")
    def create() -> Any:
        account = visitors.required()
        name = request.form.get("name", "").strip()[:_LONGEST_NAME]
        lifetime = DURATIONS.get(request.form.get("duration", ""))
        if not name or lifetime is None:
            abort(400, "A key needs a name and one of the durations on offer.")
        _, secret = store.create_api_key(account.email, name, world.now(), lifetime.total_seconds())
        session["unseen"] = secrets.token_hex(8)
        unseen[session["unseen"]] = secret
        return redirect("profile")

    @blueprint.get("/revoke-key")
    def ask_to_revoke() -> Any:
        return render_template("confirm.html", key=own_key(active=True), verb="Revoke")

    @blueprint.post("/revoke-key")
    def revoke() -> Any:
        store.revoke_api_key(own_key(active=True).id)
        return redirect("profile")

    @blueprint.get("/delete-key")
    def ask_to_delete() -> Any:
        return render_template("confirm.html", key=own_key(active=False), verb="Delete")

    @blueprint.post("/delete-key")
    def delete() -> Any:
        store.delete_api_key(own_key(active=False).id)
        return redirect("profile")

    return blueprint
