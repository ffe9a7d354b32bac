"""How `handle.Sandbox` talks to the process: a loopback port that only knows who has read the state file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from flask import Flask, Response, abort, jsonify, request

from . import demo
from .handle import CONTROL_HEADER
from .state import Fault, SandboxError
from .store import KeyRecord, Store
from .world import World


def create_control(token: str, commands: Mapping[str, Callable[..., object]]) -> Flask:
    """Return the application behind the control port: `POST /<command>` with its arguments as JSON."""
    app = Flask(__name__, static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1"]

    @app.before_request
    def only_our_own() -> None:
        # Pages send an Origin, cannot send our header unasked, and do not know the token: each alone would do.
        known = secrets.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
        if not known or CONTROL_HEADER not in request.headers or "Origin" in request.headers:
            abort(403)

    @app.post("/<command>")
    def run(command: str) -> tuple[Response, int]:
        if command not in commands:
            return jsonify(error=f"The sandbox knows no {command!r}."), 404
        arguments = request.get_json()
        try:
            signature(commands[command]).bind(**arguments)
            return jsonify(answer=commands[command](**arguments)), 200
        except SandboxError as refusal:
            return jsonify(error=str(refusal)), 400
        except TypeError as misuse:
            return jsonify(error=f"{command}: {misuse}"), 400

    return app


def commands(
    store: Store, world: World, *, faults_changed: Callable[[], None], stop: Callable[[], None]
) -> dict[str, Any]:
    """Return what can be asked for, by name."""

    def status() -> dict[str, Any]:
        world.touch()
        keys = [key for account in demo.ACCOUNTS for key in store.api_keys_of(account.email)]
        return {
            "clock_ahead_seconds": world.clock_ahead_seconds,
            "faults": world.faults,
            "keys": [_listing(key, world.now()) for key in keys],
        }

    def create_api_key(email: str, name: str, lifetime_seconds: float) -> dict[str, Any]:
        _existing(store.account(email), "account", email)
        key, secret = store.create_api_key(email, name, world.now(), lifetime_seconds)
        return {"id": key.id, "name": key.name, "expires_at": key.expires_at, "secret": secret}

    def fault(name: str, seconds: float = 1.0) -> None:
        try:
            world.set_fault(Fault(name), seconds)
        except ValueError:
            raise SandboxError(f"There is no fault {name!r}, only {', '.join(f.value for f in Fault)}.") from None
        faults_changed()

    def clear_faults() -> None:
        world.clear_faults()
        faults_changed()

    return {
        "status": status,
        "create_api_key": create_api_key,
        "revoke_api_key": lambda key_id: _existing(store.revoke_api_key(key_id), "API key", key_id),
        "delete_api_key": lambda key_id: _existing(store.delete_api_key(key_id), "API key", key_id),
        "end_sessions": lambda email: _existing(store.end_sessions(email, world.now()), "account", email),
        "advance": world.advance,
        "fault": fault,
        "clear_faults": clear_faults,
        "requests": world.requests,
        "stop": stop,
    }


def _listing(key: KeyRecord, now: float) -> dict[str, Any]:
    shown = {name: getattr(key, name) for name in ("id", "email", "name", "last_four", "expires_at")}
    return {**shown, "active": key.active(now)}


def _existing(found: object, kind: str, name: str) -> None:
    if not found:
        raise SandboxError(f"The sandbox has no {kind} {name}.")
