"""Every notebook runs from top to bottom with nobody there, and is committed as nobody has run it."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from nbformat import v4

from luminary_auth_widget.sandbox.demo import GRACE

from .conftest import NOTEBOOKS, ROOT, WITHOUT_LOGINS, code_cells
from .watch import CREDENTIAL

of_every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def test_these_are_the_notebooks():
    names = ["api-keys", "browser-login", "sign-in", "unattended", "your-account"]
    assert [path.stem for path in NOTEBOOKS] == names


@pytest.mark.parametrize("notebook", WITHOUT_LOGINS, ids=lambda path: path.stem)
def test_it_runs_without_a_person_a_warning_or_a_secret_and_leaves_nothing_beside_it(
    notebook, run_unattended, a_folder
):
    run_unattended(notebook)
    assert [path.name for path in a_folder.iterdir()] == [notebook.name]


def test_a_cell_that_warns_and_one_that_shows_a_key_would_fail(run_unattended, a_key, tmp_path):
    shown = [v4.new_code_cell(f"'{a_key.secret}'"), v4.new_code_cell("import warnings; warnings.warn('old')")]
    shown += [v4.new_code_cell("import sys; print('oh', file=sys.stderr)"), v4.new_code_cell("1")]
    nbformat.write(v4.new_notebook(cells=shown), tmp_path / "bad.ipynb")
    with pytest.raises(AssertionError, match="3 failed, 1 passed"):
        run_unattended(tmp_path / "bad.ipynb")


def test_the_keys_that_somebody_has_made_and_pasted_stay_in_use_until_the_notebook_comes_to_their_end(a_reader_of):
    reader = a_reader_of("api-keys")
    (model,) = reader.run_to("login").models

    def make_and_paste():
        key = reader.cloud.create_api_key(GRACE.email)
        reader.kernel.click(model, "use_key", remember=True, lasts="", buffers=(key.secret.encode(),))
        subtitle = f"key …{key.secret[-4:]} from ./.env"
        reader.kernel.wait_until(model, lambda status: status["subtitle"] == subtitle)
        return f"(…{key.secret[-4:]} from ./.env)"

    first = make_and_paste()
    assert first in reader.run_to("stand-in-create").text
    assert first in reader.run_to("load").text
    reader.run_to("note-old")
    second = make_and_paste()
    assert second in reader.run_to("stand-in-rotate").text
    assert [key.active for key in reader.cloud.status.keys] == [True, False]
    assert "The server refused this key" in reader.run_to("revoke").text
    reader.run_the_rest()
    assert reader.cloud.status.keys == ()


def test_your_account_says_that_the_server_cannot_be_reached_and_goes_on(a_reader_of, a_sandbox, a_key):
    # By variables of the SDK alone: the notebook takes it for the real service.
    reader = a_reader_of("your-account", **{**a_sandbox.environ, "LC_API_KEY": a_key.secret})
    a_sandbox.fault("refuse")
    assert "could not be reached" in reader.run_to("projects").text
    reader.run_the_rest()


def test_your_account_knows_nothing_of_the_sandbox():
    assert "sandbox" not in "".join(cell.source for cell in code_cells(ROOT / "notebooks" / "your-account.ipynb"))


@of_every_notebook
def test_it_is_committed_without_outputs_counts_and_anything_that_looks_like_a_credential(notebook):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert [cell["id"] for cell in content["cells"] if cell["metadata"]] == []
    # What each JupyterLab and Python would write differently is not there.
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert content["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}
    assert CREDENTIAL.findall(json.dumps(content)) == []


@of_every_notebook
def test_it_begins_with_a_title_ends_with_where_to_go_and_has_no_code_that_is_not_run(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert re.match(r"# .+\n\n[^\n]+\.\n", prose[0])
    assert [cell.cell_type for cell in (cells[0], cells[-1])] == ["markdown", "markdown"]
    assert prose[-1].startswith("## Where next\n")
    assert "```" not in "".join(prose)
    links = re.findall(r"\]\(([^)]+)\)", "".join(prose))
    assert [link for link in links if not (notebook.parent / link).is_file()] == []
