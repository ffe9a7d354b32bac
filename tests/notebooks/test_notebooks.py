"""Every notebook runs from top to bottom without a person, and without a warning."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from luminary_auth_widget.sandbox import process
from tests.kernel.driver import Kernel

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture
def a_clean_environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with a home and a sandbox of its own, where warnings are errors in every Python."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "JPY_", "JUPYTER", "PYTEST_"))
    }
    state = tmp_path / "sandbox"
    own = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home" / ".config"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "LUMINARY_SANDBOX_DIR": str(state),
        "PYTHONWARNINGS": "error",
    }
    yield {**inherited, **own}
    if cloud := process.find_running(state):
        cloud.stop()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_the_notebook_runs_from_top_to_bottom_without_a_person(notebook, a_clean_environ, tmp_path):
    copy = tmp_path / notebook.name
    copy.write_bytes(notebook.read_bytes())
    nbval = [
        "--nbval-lax",
        "--nbval-current-env",
        "--nbval-cell-timeout=60",
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *nbval, str(copy)],
        env=a_clean_environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_the_notebook_says_nothing_on_standard_error(notebook, a_clean_environ, tmp_path):
    # IPython shows the warnings of cells whatever the filter says: nbval takes them for output like any other.
    kernel = Kernel(tmp_path, a_clean_environ)
    try:
        cells = nbformat.read(notebook, as_version=4).cells
        errors = [kernel.run(cell.source).error for cell in cells if cell.cell_type == "code"]
    finally:
        kernel.close()
    streams = [message["content"] for message in kernel.messages if message["msg_type"] == "stream"]
    assert [error for error in errors if error] == []
    assert [stream["text"] for stream in streams if stream["name"] == "stderr"] == []


def test_there_are_notebooks():
    assert NOTEBOOKS, f"{FOLDER} holds none"
