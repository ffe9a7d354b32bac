"""The notebooks: where each runs, and how."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from luminary_auth_widget.sandbox import Sandbox, process
from tests.kernel.driver import Kernel, Ran

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Only these sign in with the browser, which takes ports of the whole machine.
WITH_LOGINS = [path for path in NOTEBOOKS if "stand_in" in path.read_text(encoding="utf-8")]
WITHOUT_LOGINS = [path for path in NOTEBOOKS if path not in WITH_LOGINS]
# ipykernel 7.4 warns of itself at its end, and as an error that keeps it from ending in time.
WARNINGS = "error,ignore:For consistency across implementations"
NBVAL = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120", "-p", "tests.notebooks.watch")


@pytest.fixture
def a_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    return folder


@pytest.fixture
def an_environ(tmp_path: Path) -> Iterator[dict[str, str]]:
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
        "PYTHONWARNINGS": WARNINGS,
    }
    yield {**inherited, **own}
    if cloud := process.find_running(state):
        cloud.stop()


@pytest.fixture
def run_unattended(a_folder: Path, an_environ: dict[str, str]) -> Callable[[Path], None]:
    """Run a copy of a notebook by nbval, with nobody there; whatever goes wrong in it fails the test."""

    def run(notebook: Path) -> None:
        copy = a_folder / notebook.name
        copy.write_bytes(notebook.read_bytes())
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *NBVAL, "-p", "no:cacheprovider", f"--rootdir={a_folder}", copy],
            env=an_environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{len(code_cells(notebook))} passed" in done.stdout
        assert copy.read_bytes() == notebook.read_bytes()

    return run


class Reader:
    """Somebody who has a notebook open, and runs its cells one by one."""

    def __init__(self, name: str, folder: Path, environ: dict[str, str]):
        self._cells = code_cells(ROOT / "notebooks" / f"{name}.ipynb")
        self._environ = environ
        self.kernel = Kernel(folder, environ)

    @property
    def cloud(self) -> Sandbox:
        """The sandbox that the notebook has started."""
        cloud = process.find_running(Path(self._environ["LUMINARY_SANDBOX_DIR"]))
        assert cloud, "the notebook has started none"
        return cloud

    def run_to(self, cell_id: str) -> Ran:
        """Run the cells that are left, up to this one; return what it gave back."""
        while True:
            cell = self._cells.pop(0)
            ran = self.kernel.run(cell.source)
            assert not ran.error, (cell.id, ran.error)
            if cell.id == cell_id:
                return ran

    def run_the_rest(self) -> None:
        self.run_to(self._cells[-1].id)


@pytest.fixture
def a_reader_of(a_folder: Path, an_environ: dict[str, str]) -> Iterator[Callable[..., Reader]]:
    readers = []

    def open_notebook(name: str, **environ: str) -> Reader:
        readers.append(Reader(name, a_folder, {**an_environ, **environ}))
        return readers[-1]

    yield open_notebook
    for reader in readers:
        reader.kernel.close()


def code_cells(notebook: Path) -> list[nbformat.NotebookNode]:
    """Return a notebook's code cells."""
    return [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
