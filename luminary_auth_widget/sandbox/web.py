"""The web application's frame: what holds for every page and endpoint. `pages`, `key_pages` and `endpoints` fill it."""

from __future__ import annotations

import re
import secrets
import sys
import traceback
from typing import Any

from flask import Flask, Response, abort, render_template, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import HTTPException

from .endpoints import endpoints
from .identity import CALLBACK_ORIGINS, Identity
from .key_pages import key_pages
from .pages import pages
from .visitors import Visitors
from .world import World

_LARGEST_BODY_BYTES = 64 * 1024
# Not Flask's TRUSTED_HOSTS: it cannot name an IPv6 address (Werkzeug 3.1).
_LOOPBACK_NAME = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
# form-action names the SDK's callbacks: browsers hold the redirect that follows the log-in form against it.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        f"form-action 'self' {' '.join(CALLBACK_ORIGINS)}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


class _QuietFlask(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """Log where it happened and what kind it was; a message may quote the request."""
        kind, _, trace = exc_info
        print(*traceback.format_tb(trace), kind.__name__, file=sys.stderr)


def create_app(world: World, identity: Identity) -> Flask:
    """Return the application, complete."""
    app = _QuietFlask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        MAX_CONTENT_LENGTH=_LARGEST_BODY_BYTES,
        # Cookies do not know ports: two sandboxes on one machine must not overwrite each other's.
        SESSION_COOKIE_NAME=f"luminary_sandbox_{secrets.token_hex(4)}",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A log-in page may stand open over lunch; the token dies with the session.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.before_request(_only_loopback_names)
    csrf = CSRFProtect(app)
    visitors = Visitors(identity.store, world)
    app.register_blueprint(pages(identity.store, world, identity, visitors))
    app.register_blueprint(key_pages(identity.store, world, visitors))
    machines = endpoints(identity.store, world, identity)
    csrf.exempt(machines)
    app.register_blueprint(machines)
    app.register_error_handler(HTTPException, _error_page)

    @app.before_request
    def somebody_is_there() -> None:
        world.touch()

    app.after_request(_harden)
    return app


def _only_loopback_names() -> None:
    # Against DNS rebinding: a page of another site that got its name to mean 127.0.0.1 still sends that name.
    if not _LOOPBACK_NAME.fullmatch(request.headers.get("Host", "")):
        abort(400, "The sandbox answers to localhost only.")


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Addresses carry codes; forms need the referrer on our own pages.
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _error_page(error: HTTPException) -> tuple[str, int]:
    return render_template("message.html", title=error.name, message=error.description), error.code or 500
