"""Every notebook runs from top to bottom without a person, and with one who does things by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest

from luminary_auth_widget.sandbox import process
from luminary_auth_widget.sandbox.demo import GRACE, PROJECTS
from tests.kernel.driver import Kernel, Ran
from tests.sandbox.helpers import GRACE as AS_GRACE

from .watch import CREDENTIAL

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TOUR = ("sign-in", "api-keys", "browser-login", "unattended", "your-account")
GRACES = sorted(project.name for project in PROJECTS if GRACE.email in project.members)
# ipykernel 7.4 warns of itself at its end, and as an error that keeps it from ending in time.
WARNINGS = "error,ignore:For consistency across implementations"
NBVAL = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60", "-p", "tests.notebooks.watch")


@pytest.fixture
def a_folder(tmp_path):
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


class Reader:
    """Somebody who has a notebook open, and runs its cells one by one."""

    def __init__(self, name: str, folder: Path, environ: dict[str, str]):
        cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
        self._cells = [cell for cell in cells if cell.cell_type == "code"]
        self.kernel = Kernel(folder, environ)

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
def a_reader_of(a_folder, an_environ):
    readers = []

    def open_notebook(name: str, **environ: str) -> Reader:
        readers.append(Reader(name, a_folder, {**an_environ, **environ}))
        return readers[-1]

    yield open_notebook
    for reader in readers:
        reader.kernel.close()


def _cloud_of(environ):
    cloud = process.find_running(Path(environ["LUMINARY_SANDBOX_DIR"]))
    assert cloud, "the notebook has started no sandbox of its own"
    return cloud


# ---- With nobody there ----


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_to_its_end_without_a_person_a_warning_or_a_secret_and_leaves_nothing_beside_it(
    notebook, a_folder, an_environ
):
    copy = a_folder / notebook.name
    copy.write_bytes(notebook.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *NBVAL, "-p", "no:cacheprovider", f"--rootdir={a_folder}", str(copy)],
        env=an_environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = [cell for cell in json.loads(notebook.read_bytes())["cells"] if cell["cell_type"] == "code"]
    assert f"{len(cells)} passed" in done.stdout
    assert [path.name for path in a_folder.iterdir()] == [notebook.name]
    assert copy.read_bytes() == notebook.read_bytes()


# ---- With somebody who does by hand what a stand-in would do ----


def test_the_stand_in_leaves_a_browser_sign_in_alone_and_finishes_one_that_was_begun(a_reader_of, an_environ):
    reader = a_reader_of("browser-login")
    (model,) = reader.run_to("login").models
    cloud = _cloud_of(an_environ)
    reader.kernel.sign_in(model, cloud, AS_GRACE)
    assert GRACE.email in reader.run_to("stand-in-link").text
    assert "NASA CRM high-lift" in reader.run_to("projects").text
    assert "This address belongs to another sign-in" in reader.run_to("refused").text
    begun = reader.kernel.status(model)["attempt"]["link"]
    assert begun
    assert "ada@example.com" in reader.run_to("stand-in-remote").text
    shown = reader.run_to("widget")
    assert shown.models == [model]
    reader.run_to("soon")
    left = reader.kernel.status(model)["expires_at"] - reader.kernel.status(model)["now"]
    assert timedelta(days=2, hours=23) < timedelta(milliseconds=left) <= timedelta(days=3)
    assert "too soon for work of 5 d" in reader.run_to("require").text
    assert "the session is over" in reader.run_to("expired").text
    assert reader.kernel.status(model)["state"] == "expired"
    reader.kernel.sign_in(model, cloud, AS_GRACE)
    assert GRACE.email in reader.run_to("stand-in-again").text
    reader.run_the_rest()
    assert cloud.status.clock_ahead == timedelta(0)


def test_the_stand_in_keeps_the_keys_that_somebody_has_made_and_pasted(a_reader_of, an_environ):
    reader = a_reader_of("api-keys")
    (model,) = reader.run_to("login").models
    cloud = _cloud_of(an_environ)
    for cell in ("stand-in-create", "stand-in-rotate"):
        key = cloud.create_api_key(GRACE.email)
        reader.kernel.click(model, "use_key", remember=True, lasts="", buffers=(key.secret.encode(),))
        reader.kernel.wait_until(model, lambda status, key=key: key.secret[-4:] in json.dumps(status["subtitle"]))
        assert f"(…{key.secret[-4:]} from ./.env)" in reader.run_to(cell).text
        reader.run_to("note-old") if cell == "stand-in-create" else None
    assert [key.active for key in cloud.status.keys] == [True, False]
    assert "The server refused this key" in reader.run_to("revoke").text
    reader.run_the_rest()
    assert cloud.status.keys == ()


# ---- Your own account: the real service, here in another's place ----


def test_your_account_lists_the_projects_of_who_has_signed_in(a_reader_of, a_sandbox, tmp_path):
    reader = a_reader_of("your-account", **{**a_sandbox.environ, "LC_CREDENTIALS_DIR": str(tmp_path / "credentials")})
    (model,) = reader.run_to("login").models
    reader.kernel.sign_in(model, a_sandbox, AS_GRACE)
    assert sorted(reader.run_to("projects").text.splitlines()) == GRACES
    assert re.fullmatch(r"Until .* UTC\.\n", reader.run_to("ends").text)
    reader.run_the_rest()


def test_your_account_says_that_the_server_cannot_be_reached_and_goes_on(a_reader_of, a_sandbox, a_key):
    reader = a_reader_of("your-account", **{**a_sandbox.environ, "LC_API_KEY": a_key.secret})
    a_sandbox.fault("refuse")
    assert "could not be reached" in reader.run_to("projects").text
    reader.run_the_rest()


# ---- As they are committed ----


def test_these_are_the_notebooks():
    assert [path.stem for path in NOTEBOOKS] == sorted(TOUR)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_committed_without_outputs_counts_and_anything_that_looks_like_a_credential(notebook):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert [cell for cell in content["cells"] if cell["metadata"]] == []
    # What another version of Python or JupyterLab would write differently is not there.
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert content["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}
    assert CREDENTIAL.findall(notebook.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_begins_with_a_title_ends_with_where_to_go_and_what_is_to_be_run_stands_in_its_cells(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert re.match(r"# .+\n\n[^\n]+\.\n", prose[0])
    assert (cells[0].cell_type, cells[-1].cell_type) == ("markdown", "markdown")
    assert prose[-1].startswith("## Where next\n")
    # A block of code in prose would be run by nobody.
    assert "```" not in "".join(prose)
    links = re.findall(r"\]\(([^)]+)\)", "".join(prose))
    assert [link for link in links if not (notebook.parent / link).is_file()] == []


def test_the_one_for_your_account_knows_nothing_of_the_sandbox():
    cells = nbformat.read(ROOT / "notebooks" / "your-account.ipynb", as_version=4).cells
    assert "sandbox" not in "".join(cell.source for cell in cells if cell.cell_type == "code")
