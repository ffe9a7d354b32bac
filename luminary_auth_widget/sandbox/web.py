"""The web application's frame: what holds for every page and endpoint. `pages`, `key_pages` and `endpoints` fill it."""

from __future__ import annotations

import re
import secrets
import sys
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, render_template, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from .endpoints import endpoints
from .identity import CALLBACK_ORIGINS, Identity
from .key_pages import key_pages
from .pages import pages
from .store import Store
from .visitors import Visitors
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LARGEST_BODY_BYTES = 64 * 1024
# Not Flask's TRUSTED_HOSTS: it cannot name an IPv6 address (Werkzeug 3.1).
_LOOPBACK_NAME = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_COOKIE_NAME_SETTING = "cookie_name"
# form-action names the SDK's callbacks: browsers hold the redirect that follows the log-in form against it.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        f"form-action 'self' {' '.join(CALLBACK_ORIGINS)}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


# In place of Werkzeug's, where no page has said anything better.
_SENTENCES = {
    404: "There is no such page.",
    405: "There is nothing to see at this address.",
    413: "This is more than a form of these pages can hold.",
    500: "The sandbox could not do this. What happened stands in its sandbox.log.",
}


class _QuietFlask(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """Log where it happened and what kind it was; a message may quote the request."""
        kind, _, trace = exc_info
        print(*traceback.format_tb(trace), kind.__name__, file=sys.stderr)


class _CookieOfThisAddress(SecureCookieSessionInterface):
    """A cookie for the address as the browser sees it, which a proxy may have changed."""

    def get_cookie_path(self, app: Flask) -> None:  # type: ignore[override]
        """Name no path: it is the folder of our pages then, in the browser's own spelling of a proxy's prefix."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Return whether the browser came by https; the first of several proxies is the one that it met."""
        met, *_ = request.headers.get("X-Forwarded-Proto", "").split(",")
        return request.is_secure or met.strip().lower() == "https"


def create_app(world: World, identity: Identity) -> Flask:
    """Return the application, complete."""
    app = _QuietFlask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        MAX_CONTENT_LENGTH=_LARGEST_BODY_BYTES,
        SESSION_COOKIE_NAME=_cookie_name(identity.store),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A log-in page may stand open over lunch; the token dies with the session.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.wsgi_app = _past_a_proxy(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.session_interface = _CookieOfThisAddress()
    app.before_request(_only_loopback_names)
    app.before_request(_refuse_bodies_without_a_size)
    csrf = CSRFProtect(app)
    visitors = Visitors(identity.store, world)
    app.register_blueprint(pages(identity.store, world, identity, visitors))
    app.register_blueprint(key_pages(identity.store, world, visitors))
    machines = endpoints(world, identity)
    csrf.exempt(machines)
    app.register_blueprint(machines)
    app.register_error_handler(HTTPException, _error_page)
    app.register_error_handler(CSRFError, _stale_form_page)

    @app.before_request
    def somebody_is_there() -> None:
        world.touch()

    app.after_request(_harden)
    return app


def _cookie_name(store: Store) -> str:
    # Cookies do not know ports: two sandboxes on one machine must not overwrite each other's. One sandbox keeps its
    # name over restarts, or a browser would collect the cookies of all of them.
    name = store.setting(_COOKIE_NAME_SETTING) or f"luminary_sandbox_{secrets.token_hex(4)}"
    store.set_setting(_COOKIE_NAME_SETTING, name)
    return name


def _past_a_proxy(app: WSGIApplication) -> WSGIApplication:
    """Give requests of jupyter-server-proxy our own name, in place of the one by which it was reached itself.

    Authlib then sees the loopback that they come by. A name that was bent to mean this machine is left as it is, to be
    refused: a browser sends it with our port, and a proxy's own has another.
    """

    def passed_on(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        port = f":{environ['SERVER_PORT']}"
        if "HTTP_X_FORWARDED_PREFIX" in environ and not environ.get("HTTP_HOST", "").endswith(port):
            environ["HTTP_HOST"] = f"localhost{port}"
        return app(environ, start_response)

    return passed_on


def _only_loopback_names() -> None:
    # Against DNS rebinding: a page of another site that got its name to mean 127.0.0.1 still sends that name.
    if not _LOOPBACK_NAME.fullmatch(request.headers.get("Host", "")):
        abort(400, "The sandbox answers to localhost only.")


def _refuse_bodies_without_a_size() -> None:
    # Werkzeug would read a chunked one up to the limit, and take what it has for the whole. No browser sends such.
    if "Transfer-Encoding" in request.headers:
        abort(411, "The sandbox reads only what says beforehand how long it is.")


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Addresses carry codes; forms need the referrer on our own pages.
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _stale_form_page(_error: HTTPException) -> tuple[str, int]:
    message = "Nothing was changed. Go back, load the page again, and repeat what you did. Cookies have to be allowed."
    return render_template("message.html", title="This form is out of date", message=message), 400


def _error_page(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    said = error.description != type(error).description
    message = error.description if said else _SENTENCES.get(code, error.description)
    return render_template("message.html", title=error.name.capitalize(), message=message), code
