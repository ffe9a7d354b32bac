"""My Account → Profile → API Keys, as the documentation describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request

from .store import KeyRecord, Store
from .visitors import Visitors
from .world import World

_LONGEST_NAME = 60
# Three months: the documented default.
_PRESET = "Three months"
_DURATIONS = {
    "One week": timedelta(days=7),
    "One month": timedelta(days=30),
    _PRESET: timedelta(days=90),
    "Six months": timedelta(days=180),
    "One year": timedelta(days=365),
}
_UNTIL_A_DATE = "Until a date"
# Of those who created a key and never looked at it.
_SECRETS_KEPT = 100


class _Refused(ValueError):
    """What was entered cannot be used; the message says what to enter."""


@dataclass(frozen=True)
class _Terms:
    """What can be chosen for a new key, as the form shows it."""

    first_day: date
    longest_name: int = _LONGEST_NAME
    durations: tuple[str, ...] = tuple(_DURATIONS)
    preset: str = _PRESET
    until_a_date: str = _UNTIL_A_DATE


@dataclass(frozen=True)
class _Unseen:
    """New secrets on their way to the page that shows them once: neither in a cookie nor on disk."""

    _secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def keep(self, key: KeyRecord, secret: str) -> None:
        while len(self._secrets) >= _SECRETS_KEPT:
            self._secrets.pop(next(iter(self._secrets)), None)
        self._secrets[key.id] = secret

    def take(self, key: KeyRecord | None) -> str | None:
        return self._secrets.pop(key.id, None) if key else None


def key_pages(store: Store, world: World, visitors: Visitors) -> Blueprint:
    """Return the pages around API keys."""
    blueprint = Blueprint("keys", __name__)
    unseen = _Unseen()

    def own_key() -> KeyRecord:
        account = visitors.required()
        key = store.api_key(request.values.get("key", ""))
        if key is None or key.email != account.email:
            abort(404, "There is no such key in your list any more.")
        return key

    def create_page(problem: str = "") -> str:
        terms = _Terms(_day_of(world.now()))
        return render_template("create.html", terms=terms, entered=request.form, problem=problem)

    @blueprint.get("/profile")
    def profile() -> Any:
        account = visitors.required()
        keys = store.api_keys_of(account.email)
        created = next((key for key in keys if key.id == request.args.get("created")), None)
        secret = unseen.take(created)
        return render_template(
            "profile.html",
            keys=keys,
            created=created if secret else None,
            secret=secret,
            terms=_Terms(_day_of(world.now())),
        )

    @blueprint.get("/create-key")
    def ask_to_create() -> Any:
        visitors.required()
        return create_page()

    @blueprint.post("/create-key")
    def create() -> Any:
        account = visitors.required()
        try:
            name, seconds = _name(request.form), _lifetime_seconds(request.form, world.now())
        except _Refused as problem:
            return create_page(str(problem)), 400
        key, secret = store.create_api_key(account.email, name, world.now(), seconds)
        unseen.keep(key, secret)
        return redirect(f"profile?created={key.id}")

    @blueprint.get("/revoke-key")
    def ask_to_revoke() -> Any:
        return render_template("confirm.html", key=own_key(), verb="Revoke")

    @blueprint.post("/revoke-key")
    def revoke() -> Any:
        store.revoke_api_key(own_key().id)
        return redirect("profile")

    @blueprint.get("/delete-key")
    def ask_to_delete() -> Any:
        return render_template("confirm.html", key=own_key(), verb="Delete")

    @blueprint.post("/delete-key")
    def delete() -> Any:
        key = own_key()
        if key.active(world.now()):
            abort(409, "This key is active. Revoke it first.")
        store.delete_api_key(key.id)
        return redirect("profile")

    return blueprint


def _name(entered: Mapping[str, str]) -> str:
    name = " ".join(entered.get("name", "").split())
    if not name:
        raise _Refused("Give the key a name.")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise _Refused(f"Give the key a name of at most {_LONGEST_NAME} letters, digits and signs.")
    return name


def _lifetime_seconds(entered: Mapping[str, str], now: float) -> float:
    duration = entered.get("duration", "")
    if duration == _UNTIL_A_DATE:
        return _end_of(entered.get("date", ""), _day_of(now)) - now
    if duration not in _DURATIONS:
        raise _Refused("Choose one of the durations.")
    return _DURATIONS[duration].total_seconds()


def _end_of(day: str, first: date) -> float:
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise _Refused("Choose the day on which the key expires.") from None
    if chosen < first:
        raise _Refused("Choose a day that is not over yet.")
    return datetime.combine(chosen, time(23, 59, 59), timezone.utc).timestamp()


def _day_of(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, timezone.utc).date()
