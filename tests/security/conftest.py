"""The sandbox that logs everything, and what it knows."""

from __future__ import annotations

import json
import os
import secrets
import string
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from luminary_auth_widget.sandbox import Sandbox, process
from tests.sandbox.helpers import eventually

from .loud_sandbox import awkward
from .sweep import FORMS

_START_LIMIT_SECONDS = 60
# In which forms a secret is planted.
NAMED_FORMS = ("plain", "base64", "URL", "JSON")


def made_up() -> str:
    """Return what looks like a secret, and changes in every form."""
    return awkward("".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(48)))


class Planted:
    """Made-up secrets, one for each place and form."""

    def __init__(self, places: Iterable[str]) -> None:
        self.secrets = {f"{place}, as {form}": made_up() for place in places for form in NAMED_FORMS}

    def text(self, place: str) -> str:
        """Return what to write into a place: its secrets in their forms."""
        return " ".join(next(iter(FORMS[form](self.secrets[f"{place}, as {form}"]))) for form in NAMED_FORMS)


class LoudSandbox:
    """A sandbox with everything logged, and every secret that it has seen or given."""

    def __init__(self, folder: Path, known: Path) -> None:
        self.folder = folder
        self._known = known
        known.touch()
        folder.mkdir()
        self._log = (folder / "everything.log").open("ab")
        program = Path(__file__).with_name("loud_sandbox.py")
        self._server = subprocess.Popen(
            [sys.executable, program, folder, known],
            env=os.environ | {"GRPC_TRACE": "all"},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        assert eventually(lambda: process.find_running(folder) is not None, within=_START_LIMIT_SECONDS)

    @property
    def cloud(self) -> Sandbox:
        running = process.find_running(self.folder)
        assert running, "the sandbox has ended"
        return running

    def secrets(self) -> dict[str, str]:
        """Return what has passed the token endpoint: codes, verifiers, tokens; each without what all have in common."""
        labels: dict[str, str] = {}
        for number, line in enumerate(self._known.read_text().splitlines(), 1):
            passed = json.loads(line)
            for body in (passed["asked"] or {}, passed["given"] or {}):
                labels |= {
                    body.get("code", ""): f"authorization code {number}",
                    body.get("code_verifier", ""): f"PKCE verifier {number}",
                    body.get("refresh_token", "").removeprefix("rt_sandbox_"): f"refresh token {number}",
                    # What stands before the signature of a token everybody may know.
                    body.get("access_token", "").rpartition(".")[2]: f"access token {number}",
                    body.get("id_token", "").rpartition(".")[2]: f"ID token {number}",
                }
        return {label: text for text, label in labels.items() if text}

    def close(self) -> None:
        self.cloud.stop()
        self._server.wait(timeout=20)
        self._log.close()


@pytest.fixture(scope="package")
def a_loud_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoudSandbox]:
    outside = tmp_path_factory.mktemp("loud")
    loud = LoudSandbox(outside / "sandbox", outside / "known")
    yield loud
    loud.close()
