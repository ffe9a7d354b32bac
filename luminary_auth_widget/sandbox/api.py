"""The API: the SDK's own gRPC service for projects, over TLS."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from .listener import Listener
from .loopback import require_loopback
from .state import Fault, SandboxError
from .store import Project, Store
from .tls import Certificate
from .tokens import AccessTokens
from .world import World

# ListProjectsRequest's comment in the SDK.
_DEFAULT_PAGE_SIZE = 50
_LARGEST_PAGE_SIZE = 500
_WORKERS = 8
_OPTIONS = (
    # Otherwise Linux would let another sandbox have the same port, and each of them half of the calls.
    ("grpc.so_reuseport", 0),
    # The SDK pings every 50 s, also while nothing goes on; gRPC's default takes that for an attack and hangs up.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


def _protocol() -> tuple[Any, Any]:
    """Return the SDK's messages and services without running the SDK itself.

    Importing `luminarycloud` takes most of a second, loads a `.env`, makes the credentials folder and a client: nothing
    that a server should do. Its generated modules need only its path, so an empty package stands in for it in this
    process. Read off luminarycloud 0.28.1; every test in tests/sandbox breaks with it.
    """
    spec = importlib.util.find_spec("luminarycloud")
    if spec is None or spec.submodule_search_locations is None:
        raise SandboxError("luminarycloud is not installed.", next_step="pip install luminarycloud")
    package = types.ModuleType("luminarycloud")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules.setdefault("luminarycloud", package)
    generated = "luminarycloud._proto.api.v0.luminarycloud.project.project_pb2"
    return importlib.import_module(generated), importlib.import_module(f"{generated}_grpc")


class Api:
    """The gRPC server. Its port stays the same over faults that close it or change its certificate.

    Parameters
    ----------
    host : str
    store, world, tokens
    """

    def __init__(self, host: str, store: Store, world: World, tokens: AccessTokens) -> None:
        require_loopback(host)
        self._host = host
        self._add_services = _services(store, world, tokens)
        self._server: Any = None
        self._cutting: Listener | None = None
        self._certificate: Certificate | None = None
        self.port = 0
        # gRPC logs what a failing service raised, message and all; the status says enough.
        logger = logging.getLogger("grpc")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False

    def serve(self, certificate: Certificate) -> None:
        """Serve with `certificate`; connections under another one are dropped, those under the same go on.

        Raises
        ------
        SandboxError
            If the port was taken in the meantime.
        """
        if certificate is self._certificate:
            return
        self.stop()
        server = grpc.server(ThreadPoolExecutor(_WORKERS), options=_OPTIONS)
        self._add_services(server)
        credentials = grpc.ssl_server_credentials([(certificate.private_key_pem, certificate.chain_pem)])
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            self.port = server.add_secure_port(f"{host}:{self.port}", credentials)
        except RuntimeError:
            raise SandboxError(
                f"Port {self.port} was taken by another program.", next_step="Start the sandbox again."
            ) from None
        server.start()
        self._server, self._certificate = server, certificate

    def cut(self, certificate: Certificate) -> None:
        """Take connections, and end each when its first words arrive: what a gRPC server cannot be told to do."""
        self.stop()
        self._cutting = Listener(self._host, port=self.port, tls=lambda: certificate.context, cuts=lambda: True)
        self._cutting.serve()

    def stop(self) -> None:
        """Refuse connections, and drop those there are."""
        if self._server is not None:
            self._server.stop(grace=None).wait()
            self._server = self._certificate = None
        if self._cutting is not None:
            self._cutting.close()
            self._cutting = None


def _services(store: Store, world: World, tokens: AccessTokens) -> Callable[[Any], None]:
    messages, services = _protocol()
    # What the listing does not define answers UNIMPLEMENTED, by the SDK's own class.
    kind = type("ProjectService", (_ProjectListing, services.ProjectServiceServicer), {})
    service = kind(store, world, tokens, messages)
    return lambda server: services.add_ProjectServiceServicer_to_server(service, server)


class _ProjectListing:
    """Lists the projects of the account that a credential stands for."""

    def __init__(self, store: Store, world: World, tokens: AccessTokens, messages: Any) -> None:
        self._store, self._world, self._tokens, self._messages = store, world, tokens, messages

    def ListProjects(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        kind, secret = _credential(context)
        with self._world.recorded("ListProjects", kind, secret) as outcome:
            self._world.be_slow()
            code, answer = self._list(kind, secret, request)
            outcome.append(code.name)
        if code is not grpc.StatusCode.OK:
            context.abort(code, answer)
        return answer

    def _list(self, kind: str, secret: str, request: Any) -> tuple[Any, Any]:
        if self._world.has(Fault.ERROR):
            return grpc.StatusCode.INTERNAL, "The sandbox's fault is switched on."
        email = self._account(kind, secret)
        if email is None:
            return grpc.StatusCode.UNAUTHENTICATED, "Invalid credentials."
        token = request.page_token or "0"
        if not (token.isascii() and token.isdecimal()):
            return grpc.StatusCode.INVALID_ARGUMENT, "Unknown page token."
        projects = self._store.projects_of(email)
        last = int(token) + min(request.page_size or _DEFAULT_PAGE_SIZE, _LARGEST_PAGE_SIZE)
        return grpc.StatusCode.OK, self._messages.ListProjectsResponse(
            projects=[self._message(project) for project in projects[int(token) : last]],
            next_page_token=str(last) if last < len(projects) else "",
            total_count=len(projects),
        )

    def _account(self, kind: str, secret: str) -> str | None:
        if kind == "api key":
            key = self._store.use_api_key(secret, self._world.now())
            return key.email if key else None
        session = self._tokens.session_of(secret) if kind == "access token" else None
        return session.email if session else None

    def _message(self, project: Project) -> Any:
        message = self._messages.Project(
            id=project.id,
            name=project.name,
            description=project.description,
            storage_usage_bytes=project.storage_bytes,
        )
        message.create_time.FromSeconds(int(project.created_at))
        message.update_time.FromSeconds(int(project.created_at))
        return message


def _credential(context: Any) -> tuple[str, str]:
    metadata = {entry.key: entry.value for entry in context.invocation_metadata()}
    if "x-api-key" in metadata:
        return "api key", metadata["x-api-key"]
    scheme, _, token = metadata.get("authorization", "").partition(" ")
    return ("access token", token) if scheme.lower() == "bearer" else ("none", "")
