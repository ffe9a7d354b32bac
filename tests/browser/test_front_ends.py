"""Signing in where notebooks are served as pages, Voilà and marimo, and in marimo's editor."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from luminary_auth_widget.sandbox.demo import ADA, PROJECTS
from tests import chromium
from tests.matrix import environments

from .lab import LIMIT, LIMIT_SECONDS, LOGIN, free_port, lab_context

pytestmark = pytest.mark.matrix
ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)
# Voilà runs every cell before somebody comes; what is clicked is answered afterwards.
DASHBOARD = """import ipywidgets, luminarycloud as lc
button, projects = ipywidgets.Button(description="List projects"), ipywidgets.HTML()
def list_them(_button):
    projects.value = ", ".join(sorted(project.name for project in lc.iterate_projects()))
button.on_click(list_them)
ipywidgets.VBox([button, projects])"""
WAIT = "try: session.wait()\nexcept Exception as error: print(type(error).__name__, error)"
MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    from luminary_auth_widget import login

    session = login()
    return (session,)


@app.cell
def _(session):
    session
    return


@app.cell
def _(session):
    from luminary_auth_widget import AuthError

    try:
        said = session.wait()
    except AuthError as error:
        said = f"{type(error).__name__} {error}"
    said
    return


@app.cell
def _():
    import marimo as mo

    button = mo.ui.run_button(label="List projects")
    button
    return button, mo


@app.cell
def _(button, mo):
    import luminarycloud as lc

    mo.stop(not button.value)
    mo.md(", ".join(sorted(project.name for project in lc.iterate_projects())))
    return


if __name__ == "__main__":
    app.run()
"""


@contextmanager
def _served(command: list[str | Path], folder: Path, environ: dict[str, str]) -> Iterator[str]:
    """Start a server on a free port, and yield its address once it answers."""
    port = free_port()
    url, log = f"http://localhost:{port}", folder / "server.log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [*command, f"--port={port}"], cwd=folder, env=environ, stdin=subprocess.DEVNULL,
            stdout=written, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not _answers(url):
            assert time.monotonic() < deadline, log.read_text()
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)  # the server has no other sign of being up
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        # No page, for which a kernel would be started.
        return requests.get(f"{url}/favicon.ico", timeout=5).status_code > 0
    except requests.ConnectionError:
        return False


@pytest.fixture
def a_visitor(browser) -> Iterator[Page]:
    """A page of somebody who has never been there."""
    context = lab_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def a_voila_environment():
    return environments.make("voila==0.5.*", "ipykernel")


@pytest.fixture
def a_voila(a_voila_environment, a_bound_environ, tmp_path) -> Iterator[str]:
    """The address of a Voilà page: the widget twice, a cell that would wait, and a button that lists the projects."""
    cells = [nbformat.v4.new_code_cell(source) for source in (LOGIN, "session", WAIT, DASHBOARD)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / "page.ipynb")
    command: list[str | Path] = [a_voila_environment, "-m", "voila", tmp_path / "page.ipynb", "--no-browser"]
    with _served(command, tmp_path, a_bound_environ) as url:
        yield url


@pytest.fixture(scope="module")
def a_marimo_environment():
    return environments.make("marimo==0.25.*")


@pytest.fixture
def a_marimo(a_marimo_environment, a_bound_environ, tmp_path) -> Iterator[str]:
    """The address of the same as a marimo app."""
    with _served(_marimo(a_marimo_environment, "run", tmp_path), tmp_path, a_bound_environ) as url:
        yield url


@pytest.fixture
def a_marimo_editor(a_marimo_environment, a_bound_environ, tmp_path) -> Iterator[str]:
    """The address of the same in marimo's editor, which runs the cells when it is opened."""
    (tmp_path / "pyproject.toml").write_text("[tool.marimo.runtime]\nauto_instantiate = true\n")
    with _served(_marimo(a_marimo_environment, "edit", tmp_path), tmp_path, a_bound_environ) as url:
        yield url


def _marimo(interpreter: Path, command: str, folder: Path) -> list[str | Path]:
    notebook = folder / "page.py"
    notebook.write_text(MARIMO)
    return [interpreter, "-m", "marimo", command, notebook, "--headless", "--no-token"]


def _cards(page: Page) -> Locator:
    return page.get_by_role("region", name="Luminary Cloud sign-in")


def _sign_in_and_list(page: Page, secret: str) -> None:
    """Paste the key into the first card, see both cards follow, and press the button that lists the projects."""
    first, second = _cards(page).nth(0), _cards(page).nth(1)
    first.get_by_label("API key", exact=True).fill(secret, timeout=LIMIT)
    first.get_by_role("button", name="Use key").click()
    for card in (first, second):
        expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(_cards(page)).to_have_count(2)
    page.get_by_role("button", name="List projects").click()
    expect(page.get_by_text(", ".join(ADAS))).to_be_visible(timeout=LIMIT)


def test_a_visitor_of_a_voila_page_signs_in_and_the_pages_own_buttons_work(a_voila, a_visitor, a_key):
    said: list[str] = []
    chromium.note_complaints(a_visitor, said)
    a_visitor.goto(a_voila, timeout=LIMIT)
    # The page is made when every cell has run: nobody could have clicked.
    expect(a_visitor.get_by_text("NotSignedIn Nobody is signed in to Luminary Cloud here.")).to_be_visible(
        timeout=LIMIT
    )
    _sign_in_and_list(a_visitor, a_key.secret)
    assert [complaint for complaint in said if "luminary" in complaint] == []


def test_a_visitor_of_a_marimo_app_signs_in_and_the_apps_own_buttons_work(a_marimo, a_visitor, a_key):
    errors: list[str] = []
    a_visitor.on("pageerror", lambda error: errors.append(str(error)))
    a_visitor.goto(a_marimo, timeout=LIMIT)
    expect(a_visitor.get_by_text("NotSignedIn Nobody is signed in to Luminary Cloud here.")).to_be_visible(
        timeout=LIMIT
    )
    _sign_in_and_list(a_visitor, a_key.secret)
    assert errors == []


def test_in_marimos_editor_one_signs_in_and_the_next_cells_list_the_projects(a_marimo_editor, a_visitor, a_key):
    a_visitor.goto(a_marimo_editor, timeout=LIMIT)
    _sign_in_and_list(a_visitor, a_key.secret)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_marimo_the_card_has_the_pages_scheme_whatever_the_systems_is(a_marimo, a_visitor, scheme):
    a_visitor.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    a_visitor.goto(a_marimo, timeout=LIMIT)
    card = _cards(a_visitor).nth(0)
    expect(card).to_be_visible(timeout=LIMIT)
    a_visitor.evaluate("scheme => document.body.parentElement.style.colorScheme = scheme", scheme)
    a_visitor.evaluate(
        "scheme => { document.body.classList.remove('light', 'dark'); document.body.classList.add(scheme); }", scheme
    )
    ink = {"light": "rgb(27, 31, 36)", "dark": "rgb(236, 239, 243)"}[scheme]
    expect(card).to_have_css("color", ink)
