"""A threaded web server on loopback that no silent connection can block, and that writes no access log."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLContext, SSLSocket
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .loopback import require_loopback
from .state import SandboxError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A connection that says nothing, in the handshake or after it, is dropped.
_SOCKET_TIMEOUT_SECONDS = 20
# As many as may knock at once.
_BACKLOG = 128


class Listener(ThreadedWSGIServer):
    """A server whose port is known before its application is, and stays the same when it stops listening for a while.

    Parameters
    ----------
    host : str
        A loopback address.
    port : int
        0 for any free one.
    tls : function, optional
        Gives the context for the next connection; without it, plain http.
    cuts : function, optional
        Whether requests get no answer at the moment, but the end of the connection.

    Raises
    ------
    SandboxError
        If the host is not loopback, or the port is taken.
    """

    def __init__(
        self,
        host: str,
        *,
        port: int = 0,
        tls: Callable[[], SSLContext] | None = None,
        cuts: Callable[[], bool] = lambda: False,
    ) -> None:
        require_loopback(host)
        # Werkzeug's own would look up the host's name, and end the process where the port is taken.
        with _listening(host, port) as listening:
            super().__init__(host, port, _nothing_yet, handler=_QuietHandler, fd=listening.fileno())
        self.cuts = cuts
        self._tls = tls
        # Werkzeug tells by this whether requests came by https. It is not given to its constructor, which would do the
        # handshake in the accepting thread: one silent connection would hold up everybody.
        self.ssl_context = tls() if tls else None
        self._accepting: threading.Thread | None = None

    def serve(self, app: WSGIApplication | None = None) -> None:
        """Serve `app`, or what was served before, in a thread of its own, until `close`."""
        if self._accepting:
            return
        self.app = app or self.app
        if self.socket.fileno() < 0:
            self.socket = _listening(self.host, self.port)
        self._accepting = threading.Thread(target=self.serve_forever, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Refuse connections from now on. Those under way go on, and end with the process."""
        if not self._accepting:
            return
        # Wakes the accepting thread, which otherwise looks up twice a second; where this is an error, it still does.
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self._accepting.join()
        self._accepting = None

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


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SandboxError(
            f"Port {port} cannot be listened at: {error.strerror}.", next_step="Start the sandbox again."
        ) from None


def _nothing_yet(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


class _QuietHandler(WSGIRequestHandler):
    server: Listener
    timeout = _SOCKET_TIMEOUT_SECONDS
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: the second would wait 40 ms for the receiver's acknowledgement of the first.
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        """Read a request, of any protocol, unless it is to be cut off here."""
        if self.server.cuts():
            self.close_connection = True
            return False
        return super().parse_request()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - Werkzeug's signature
        """Write nothing: requests carry codes in their queries."""
