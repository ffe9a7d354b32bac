"""A network between a kernel and the sandbox, on which a fault can be switched on and off: real sockets, real TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import trustme

# What is waited for here comes within milliseconds, or the client gives up after its own five seconds.
_LIMIT_SECONDS = 15
# The client's first bytes of HTTP/2, before any frame.
_H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEAD = 9
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS = 1, 4


@dataclass(frozen=True)
class Page:
    """What stands between answers in the server's place, in whichever HTTP it is asked."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def answer(self, client: socket.socket) -> bytes:
        """Read the client's request, and return the answer to it."""
        request = client.recv(65536)
        if _H2_PREFACE.startswith(request[:3]):
            return self._as_http2(_stream_of(client, request))
        if request.startswith(b"GET /welcome"):  # whoever was sent there has come
            return b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n<p>"
        lines = [f"HTTP/1.1 {self.status} -", *(f"{name}: {value}" for name, value in self.headers.items())]
        length = [f"content-length: {len(self.body)}", "connection: close", "", ""]
        return "\r\n".join([*lines, *length]).encode() + self.body

    def _as_http2(self, stream: int) -> bytes:
        fields = {":status": str(self.status), **self.headers}
        headers = b"".join(_field(name, value) for name, value in fields.items())
        if not self.body:  # in gRPC, what says a status and nothing else comes in one frame, too
            return _frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, headers)
        return _frame(_HEADERS, _END_HEADERS, stream, headers) + _frame(_DATA, _END_STREAM, stream, self.body)


def _stream_of(client: socket.socket, received: bytes) -> int:
    """Shake hands in HTTP/2, and return the number of the stream on which the client asks."""
    client.sendall(_frame(_SETTINGS, 0, 0, b""))
    received = received[len(_H2_PREFACE) :]
    while True:
        while len(received) < _FRAME_HEAD or len(received) < _FRAME_HEAD + int.from_bytes(received[:3], "big"):
            received += client.recv(65536)
        kind, stream = received[3], int.from_bytes(received[5:_FRAME_HEAD], "big")
        if kind == _HEADERS:
            return stream
        received = received[_FRAME_HEAD + int.from_bytes(received[:3], "big") :]


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/2 (RFC 9113, 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _field(name: str, value: str) -> bytes:
    """Return a header, literal and never indexed (RFC 7541, 6.2.3); what stands here is shorter than 127 bytes."""
    return b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class Tricks:
    """Certificates for what stands in the server's place: good ones, and what can be wrong with one."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.good = self._context(self.authority)
        self.ended = self._context(self.authority, not_after=datetime(2020, 1, 1, tzinfo=timezone.utc))
        self.of_another = self._context(self.authority, name="elsewhere.example")
        self.of_a_stranger = self._context(trustme.CA())

    @staticmethod
    def _context(authority: trustme.CA, name: str = "localhost", not_after: datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2", "http/1.1"])
        authority.issue_cert(
            name, not_before=datetime(2019, 1, 1, tzinfo=timezone.utc), not_after=not_after
        ).configure_cert(context)
        return context


Fault = Callable[[socket.socket], None]


class Line:
    """One address of the sandbox, as the kernel knows it; without a fault, what comes in goes to the sandbox.

    Parameters
    ----------
    to : int
        The sandbox's port.
    host : str
        Where the kernel's end listens.
    """

    def __init__(self, to: int, host: str = "127.0.0.1") -> None:
        self._to, self._host = to, host
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self.calls = 0
        self.port = 0
        self._listen()

    def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listener = socket.create_server((self._host, self.port), family=family)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def fail(self, fault: Fault | None) -> None:
        """Have every connection from now on meet `fault`, and end those there are; None is the healthy line."""
        self.refuse()
        self._fault = fault
        self._listen()

    def refuse(self) -> None:
        """Listen no longer: whoever connects is refused. Ends the connections there are."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = tuple(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.calls += 1
                threading.Thread(target=self._serve, args=(connection, self._fault), daemon=True).start()

    def _serve(self, connection: socket.socket, fault: Fault | None) -> None:
        with self._keeping(connection), suppress(OSError):
            connection.settimeout(_LIMIT_SECONDS)
            if fault is not None:
                fault(connection)
                return
            connection.settimeout(None)
            with socket.create_connection(("127.0.0.1", self._to)) as beyond, self._keeping(beyond):
                connect(connection, beyond)

    def _keeping(self, connection: socket.socket) -> _Kept:
        return _Kept(connection, self._open, self._lock)


class _Kept:
    """A connection that can be ended from elsewhere while the block runs."""

    def __init__(self, connection: socket.socket, among: set[socket.socket], lock: threading.Lock) -> None:
        self._connection, self._among, self._lock = connection, among, lock

    def __enter__(self) -> None:
        with self._lock:
            self._among.add(self._connection)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._among.discard(self._connection)
        self._connection.close()


def connect(one: socket.socket, other: socket.socket) -> None:
    """Hand on what comes from either, until one ends."""
    there = threading.Thread(target=_pump, args=(one, other), daemon=True)
    there.start()
    _pump(other, one)
    there.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


# -- faults ------------------------------------------------------------------------------------------------------------


def black_hole(connection: socket.socket) -> None:
    """Take what comes, and never answer."""
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    """Cut the connection at its first byte."""
    connection.recv(1)
    _cut(connection)


def plain_text(connection: socket.socket) -> None:
    """Know nothing of TLS."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


def over_tls(context: ssl.SSLContext, page: Page, *, cut_after: int | None = None) -> Fault:
    """Answer every request with `page`, over TLS; or cut the connection in the midst of the answer."""

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(page.answer(secured)[:cut_after])
            if cut_after is not None:
                _cut(secured)
            black_hole(secured)

    return answer


def _cut(connection: socket.socket) -> None:
    # Lingering for no time: the end of the socket is a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def trusting(environ: dict[str, str], tricks: Tricks, folder: Path) -> dict[str, str]:
    """Return the variables with which a process trusts the sandbox's certificates and the good ones of `tricks`."""
    bundle = folder / "trusted.pem"
    bundle.write_bytes(Path(environ["REQUESTS_CA_BUNDLE"]).read_bytes() + tricks.authority.cert_pem.bytes())
    return {name: str(bundle) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")}
