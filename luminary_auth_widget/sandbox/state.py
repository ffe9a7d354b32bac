"""Where a running sandbox is written down, for those who want to join it."""

from __future__ import annotations

import enum
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import platformdirs

from ..errors import AuthError
from ..files import replacing

_STATE_FILE = "sandbox.json"
# The sandbox's own CA certificate; its private key never leaves the process.
CERTIFICATE_FILE = "ca.pem"
LOG_FILE = "sandbox.log"
STORE_FILE = "sandbox.sqlite"
INSTALL = 'Install what it needs: pip install "luminary-auth-widget[sandbox]"'


class SandboxError(AuthError):
    """The sandbox could not do what was asked."""


class Fault(enum.Enum):
    """What can be switched on; the values are what `Sandbox.fault` takes."""

    # The API and the token endpoint answer late.
    SLOW = "slow"
    # They answer INTERNAL and 500.
    ERROR = "error"
    # Nothing can be connected to.
    REFUSE = "refuse"
    # Connections end when a request arrives, without an answer.
    DROP = "drop"
    # The certificates shown are from a CA that nobody trusts.
    BAD_CERTIFICATE = "bad_certificate"


@dataclass(frozen=True)
class RunningSandbox:
    """What a running sandbox says about itself.

    Attributes
    ----------
    url, page_url : str
        The web application and identity service over https, and the same over http for browsers that do not know its
        CA.
    api_domain : str
        Host and port of the gRPC API, as `LC_DOMAIN` wants it.
    control_port : int
    control_token : str
        Who knows it may move the sandbox's time and make keys: it stands only in the state file (0600).
    pid : int
    refresh_rotation : bool
        Whether each renewal gives a new refresh token.
    """

    url: str
    page_url: str
    api_domain: str
    control_port: int
    control_token: str = field(repr=False)
    pid: int
    refresh_rotation: bool

    def write(self, folder: Path) -> None:
        """Make this sandbox findable in `folder`."""
        with replacing(folder / _STATE_FILE) as draft:
            draft.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> RunningSandbox | None:
        """Return what stands in `folder`, None where nothing usable does. Whether it still runs is another question."""
        try:
            return cls(**json.loads((folder / _STATE_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @staticmethod
    def forget(folder: Path) -> None:
        """Take the state file away."""
        (folder / _STATE_FILE).unlink(missing_ok=True)


def shared_folder() -> Path:
    """Return where the sandbox that kernels share keeps its files; `LUMINARY_SANDBOX_DIR` names another place."""
    chosen = os.environ.get("LUMINARY_SANDBOX_DIR")
    return Path(chosen) if chosen else platformdirs.user_state_path("luminary-auth-widget") / "sandbox"
