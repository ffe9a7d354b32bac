"""A threaded web server on loopback that no silent connection can block, and that writes no access log."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLContext, SSLSocket
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .loopback import require_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A connection that says nothing, in the handshake or after it, is dropped.
_SOCKET_TIMEOUT_SECONDS = 20


class Listener(ThreadedWSGIServer):
    """A server on any free port, which is known before the application is: its addresses name the port.

    Parameters
    ----------
    host : str
        A loopback address.
    tls : function, optional
        Gives the context for the next connection; without it, plain http.
    refuses : function, optional
        Whether new connections are dropped at the moment.
    """

    def __init__(
        self,
        host: str,
        *,
        tls: Callable[[], SSLContext] | None = None,
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        require_loopback(host)
        super().__init__(host, 0, _nothing_yet, handler=_QuietHandler)
        self._tls = tls
        self._refuses = refuses
        # Werkzeug tells by this whether requests came by https. It is not given to its constructor, which would do the
        # handshake in the accepting thread: one silent connection would hold up everybody.
        self.ssl_context = tls() if tls else None

    def serve(self, app: WSGIApplication) -> None:
        """Serve `app` in a thread of its own, until `close`."""
        self.app = app
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End at once. Connections under way end with the process."""
        # Wakes the accepting thread, which otherwise looks up twice a second; where this is an error, it still does.
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that takes seconds where there is no DNS."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver's signature
        """Say whether to go on with a connection."""
        return not self._refuses()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its own thread."""
        request.settimeout(_SOCKET_TIMEOUT_SECONDS)
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        try:
            connection: SSLSocket = self._tls().wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        except OSError:
            return
        with connection:
            try:
                connection.do_handshake()
            except OSError:
                # A client that does not trust the certificate, or that gave up, is no event here.
                return
            super().finish_request(connection, client_address)


def _nothing_yet(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


class _QuietHandler(WSGIRequestHandler):
    timeout = _SOCKET_TIMEOUT_SECONDS
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - Werkzeug's signature
        """Write nothing: requests carry codes in their queries."""
