"""A notebook exported to HTML says in a sentence how it stood with the sign-in, to readers who have no kernel."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, Route, expect

from tests.matrix import environments

from .lab import LIMIT, LOGIN, Lab, LabPage, lab_context

STATE = "application/vnd.jupyter.widget-state+json"
MANAGER = "@jupyter-widgets/jupyterlab-manager/plugin"
# From where such a page takes what draws widgets: package and file. The browser reads it, too, and no group has a name.
ADDRESS = re.compile(r"https://(?:unpkg\.com|cdn\.jsdelivr\.net/npm)/((?:@[^/]+/)?[^@/]+)@[^/]+/(.+)")
REQUIRE = re.compile(r"https://cdnjs\.cloudflare\.com/ajax/libs/require\.js/.*")
NEEDED = ("@jupyter-widgets/html-manager", "anywidget@~0.9", "requirejs")


@pytest.fixture
def a_lab_that_saves_no_state(a_lab: Lab) -> Iterator[Lab]:
    """As JupyterLab is, until somebody asks it to save what widgets show."""
    a_lab.set(MANAGER, {"saveState": False})
    yield a_lab
    a_lab.set(MANAGER, {"saveState": True})


@pytest.fixture
def a_reader(browser) -> Iterator[Page]:
    """A page of somebody who has got the file, and reaches nothing else."""
    context = lab_context(browser)
    page = context.new_page()
    page.route(re.compile("^https?:"), lambda route: route.abort())
    yield page
    context.close()


@pytest.fixture(scope="module")
def npm_packages() -> Path:
    return environments.from_npm("static-export", *NEEDED)


def _export(lab: Lab, page: LabPage) -> Path:
    """Show the widget, save, and return the page that nbconvert makes of the notebook."""
    notebook = lab.notebook("shared.ipynb", LOGIN)
    page.open(notebook.name).run(0)
    expect(page.card).to_contain_text("Not signed in", timeout=LIMIT)
    page.settle()
    page.save()
    command = (sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(notebook))
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return notebook.with_suffix(".html")


def test_an_exported_notebook_says_that_nobody_was_signed_in_and_what_to_do(
    a_lab_that_saves_no_state, a_lab_page, a_reader
):
    a_reader.goto(_export(a_lab_that_saves_no_state, a_lab_page).as_uri())
    expect(a_reader.get_by_text("Luminary Cloud: Not signed in.")).to_be_visible()
    expect(a_reader.get_by_text("LC_API_KEY")).to_be_visible()


@pytest.mark.matrix
def test_one_saved_with_the_widgets_state_shows_the_card_as_a_saved_view_and_says_how_to_sign_in(
    a_lab, a_lab_page, a_reader, npm_packages
):
    exported = _export(a_lab, a_lab_page)
    assert STATE in nbformat.read(exported.with_suffix(".ipynb"), 4).metadata.widgets

    def answer(route: Route) -> None:
        found = ADDRESS.match(route.request.url)
        package, file = found.groups() if found else ("requirejs", "require.js")
        path = npm_packages / package / file
        route.fulfill(path=path if path.suffix == ".js" else f"{path}.js")

    for address in (ADDRESS, REQUIRE):
        a_reader.route(address, answer)
    a_reader.goto(exported.as_uri())
    card = a_reader.get_by_role("region", name="Luminary Cloud sign-in")
    expect(card).to_contain_text("Saved view: run this cell to sign in.", timeout=LIMIT)
    expect(card.get_by_label("API key", exact=True)).to_be_hidden()
