"""A cell that stops for want of sign-in is run again from the widget below it, in real JupyterLab and Notebook 7."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import Locator, expect

from luminary_auth_widget.sandbox.demo import ADA, PROJECTS

from .lab import LIMIT, LIST, LabPage, NotebookPage

LOGIN = "from luminary_auth_widget import login\nlogin()"
NAMES = f"{LIST.replace('sorted', 'names = sorted')}\nnames"
COUNT = "len(names)"
ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)


def _run_all(lab_page: LabPage) -> Locator:
    """Run every cell of LOGIN, NAMES, COUNT while nobody is signed in; return the card below the one that stopped."""
    lab_page.command("notebook:run-all-cells")
    assert "InteractiveAuthException" in lab_page.output_of(1)
    assert lab_page.execution_count(2) is None
    card = lab_page.card_below(1)
    expect(card).to_contain_text("Cell [2] stopped: nobody was signed in.", timeout=LIMIT)
    return card


def _sign_in(card: Locator, secret: str) -> None:
    card.get_by_label("API key", exact=True).fill(secret, timeout=LIMIT)
    card.get_by_role("button", name="Use key").click()
    expect(card).to_contain_text("Cell [2] can run again.", timeout=LIMIT)


def test_run_all_stops_at_the_second_cell_which_runs_again_after_sign_in_below_it(a_lab, a_lab_page, a_key):
    a_lab.notebook("rescue.ipynb", LOGIN, NAMES, COUNT)
    card = _run_all(a_lab_page.open("rescue.ipynb"))
    expect(card.get_by_role("button", name="Run this cell again")).to_be_hidden()
    _sign_in(card, a_key.secret)
    card.get_by_role("button", name="Run this cell again").click()
    a_lab_page.wait_until_run(1, count=3)
    assert a_lab_page.output_of(1) == repr(ADAS)
    assert a_lab_page.execution_count(2) is None
    expect(a_lab_page.card).not_to_contain_text("Cell [2]")
    # The keyboard goes on in the notebook, not nowhere.
    assert a_lab_page.page.evaluate("document.activeElement.closest('.jp-Notebook') !== null")


@pytest.mark.parametrize("kind", [LabPage, NotebookPage])
def test_this_and_the_cells_below_run_in_jupyterlab_and_in_notebook_7(a_lab, a_context, a_key, kind):
    notebook = a_lab.notebook("below.ipynb", LOGIN, NAMES, COUNT)
    lab_page = kind(a_context.new_page(), a_lab).open(notebook.name)
    card = _run_all(lab_page)
    _sign_in(card, a_key.secret)
    card.get_by_role("button", name="This and the cells below").press("Enter")
    lab_page.wait_until_run(2, count=4)
    assert lab_page.output_of(1) == repr(ADAS)
    assert lab_page.output_of(2) == str(len(ADAS))


def test_of_two_copies_of_a_notebook_only_the_one_that_shows_the_widget_runs(a_lab, a_lab_page, a_key):
    original = a_lab.notebook("original.ipynb", LOGIN, NAMES, COUNT)
    shutil.copy(original, original.with_name("copy.ipynb"))
    a_lab_page.open("original.ipynb").command("docmanager:open", path="copy.ipynb")
    a_lab_page.wait_until_open("copy.ipynb")
    card = _run_all(a_lab_page)
    _sign_in(card, a_key.secret)
    card.get_by_role("button", name="Run this cell again").click()
    a_lab_page.wait_until_run(1, count=3)
    a_lab_page.command("docmanager:open", path="original.ipynb")
    a_lab_page.wait_until_open("original.ipynb")
    assert [a_lab_page.execution_count(index) for index in range(3)] == [None, None, None]


def test_a_script_runs_nothing_and_a_deleted_cell_is_said_to_be_gone(a_lab, a_lab_page, a_key):
    a_lab.notebook("script.ipynb", LOGIN, NAMES, COUNT)
    a_lab_page.open("script.ipynb")
    _run_all(a_lab_page)
    _sign_in(a_lab_page.card, a_key.secret)
    run = a_lab_page.card.get_by_role("button", name="Run this cell again")
    expect(run).to_be_visible()
    # A press counts for some seconds, and Playwright passes for one.
    run.evaluate(
        """async (button) => {
            while (navigator.userActivation.isActive) await new Promise(requestAnimationFrame);
            button.click();
        }"""
    )
    a_lab_page.settle()
    assert a_lab_page.execution_count(1) == 2
    a_lab_page.delete_cell(1)
    expect(a_lab_page.card).to_contain_text("That cell is not in this notebook.", timeout=LIMIT)
    expect(run).to_be_hidden()
