"""The cloud on this machine: what the documentation describes, for demos, Binder and tests.

A process of its own serves the web application, the identity service and the API over real TLS on loopback; the
unmodified SDK is pointed at it by environment variables alone. Nothing that a kernel imports from here imports
luminarycloud, grpc or flask: only that process does.

- From outside: `shared` (notebooks), `process` (tests), `command` (a terminal), all of them through `handle`.
- `stand_in` plays the person in notebooks that run by themselves.
- Inside the process: `server` puts together `web` (pages and endpoints), `api` and `control`, over one `store`.
"""

from __future__ import annotations

from .command import main
from .handle import ApiKey, RecordedRequest, Sandbox
from .process import start
from .shared import use
from .state import SandboxError

__all__ = ["ApiKey", "RecordedRequest", "Sandbox", "SandboxError", "main", "start", "use"]
