"""Environments besides this one, below .venv-matrix."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-matrix"
_UV = Path(sys.executable).with_name("uv")
_TELL = """
import platform
from importlib.metadata import version
print(platform.python_version(), *map(version, ("ipykernel", "ipywidgets", "anywidget", "luminarycloud")))
"""


def make(requirement: str, python: str = sys.executable) -> Path:
    """Return the interpreter of an environment that holds this library and `requirement`; make it where necessary.

    What is pinned is made anew when pyproject.toml changes, the newest of something each time.
    """
    folder = FOLDER / f"{requirement.replace('==', '-')}-{Path(python).name}"
    made, interpreter = folder / "made-from", folder / "bin" / "python"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    pinned = "==" in requirement
    if not (pinned and made.is_file() and made.read_text() == wanted):
        make_anew(folder.name, "--editable", str(ROOT), requirement, python=python)
        made.write_text(wanted)
    return interpreter


def make_anew(name: str, *requirements: str, python: str = sys.executable) -> Path:
    """Make the environment of that name with nothing but `requirements` in it, and return its interpreter."""
    folder = FOLDER / name
    interpreter = folder / "bin" / "python"
    _uv("venv", "--quiet", "--clear", "--python", python, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(interpreter), *requirements)
    return interpreter


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
    """Return the versions in an environment: of Python, and of what the tests depend on."""
    told = subprocess.run([interpreter, "-c", _TELL], capture_output=True, text=True, check=True).stdout.split()
    return dict(zip(("Python", "ipykernel", "ipywidgets", "anywidget", "luminarycloud"), told, strict=True))


def _uv(*arguments: str) -> None:
    subprocess.run([_UV, *arguments], check=True)
