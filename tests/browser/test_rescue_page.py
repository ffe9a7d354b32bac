"""The offer to run a stopped cell again, on a plain page; a listener stands in for the notebook that can run cells."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import luminary_auth_widget

from .conftest import SAID, SECOND, attempt, signed_in, status
from .test_widget_page import LONG, MARKUP, OVERFLOWING

EXTENSION = Path(luminary_auth_widget.__file__).parent / "labextension"
# Answers as labextension/static/runs.js does, and notes what it was asked to run.
NOTEBOOK = """(answer) => {
  window.ran = [];
  window.answer = answer;
  document.addEventListener("luminary-auth:run", ({ detail }) => {
    if (detail.run) ran.push([detail.cell, detail.run]), window.answer = "running";
    detail.answer = window.answer;
  });
}"""
STOPPED = {
    "cell": "c-3",
    "title": "Cell [3] stopped: nobody was signed in.",
    "text": "Sign in here, then run it again.",
    "ready": False,
}
READY = {"cell": "c-3", "title": "Cell [3] can run again.", "text": "You are signed in.", "ready": True}


@pytest.fixture
def a_stopped_cell(a_widget):
    """The widget on a page that can run cells, below a cell that stopped while nobody was signed in."""
    a_widget.page.evaluate(NOTEBOOK, "can")
    a_widget.render(status(rescue=STOPPED))
    return a_widget


def _button(widget, name: str):
    return widget.card.get_by_role("button", name=name)


def test_a_stopped_cell_says_why_and_can_run_only_after_sign_in(a_stopped_cell):
    expect(a_stopped_cell.card).to_contain_text("Cell [3] stopped: nobody was signed in.")
    expect(a_stopped_cell.card).to_contain_text("Sign in here, then run it again.")
    expect(_button(a_stopped_cell, "Run this cell again")).to_be_hidden()
    a_stopped_cell.hear(signed_in(rescue=READY))
    expect(a_stopped_cell.card).to_contain_text("You are signed in.")
    expect(a_stopped_cell.card).not_to_contain_text("Run that cell again.")
    expect(_button(a_stopped_cell, "Run this cell again")).to_be_visible()
    a_stopped_cell.hear(signed_in())
    expect(_button(a_stopped_cell, "Run this cell again")).to_have_count(0)
    expect(_button(a_stopped_cell, "Dismiss")).to_have_count(0)


@pytest.mark.parametrize(("name", "what"), [("Run this cell again", "cell"), ("This and the cells below", "below")])
def test_a_press_asks_the_notebook_to_run_that_cell_and_then_says_that_it_runs(a_stopped_cell, name, what):
    a_stopped_cell.hear(signed_in(rescue=READY))
    assert a_stopped_cell.page.evaluate("ran") == []
    _button(a_stopped_cell, name).focus()
    a_stopped_cell.page.keyboard.press("Enter")
    assert a_stopped_cell.page.evaluate("ran") == [["c-3", what]]
    expect(a_stopped_cell.card).to_contain_text("You are signed in. Running…")
    expect(_button(a_stopped_cell, name)).to_be_hidden()
    expect(a_stopped_cell.card.get_by_role("heading")).to_be_focused()
    assert a_stopped_cell.sent == []


@pytest.mark.parametrize(
    ("answer", "sentence"), [("", "Run that cell again."), ("gone", "That cell is not in this notebook.")]
)
def test_where_the_page_cannot_run_it_a_sentence_stands_in_place_of_the_buttons(a_widget, answer, sentence):
    if answer:
        a_widget.page.evaluate(NOTEBOOK, answer)
    a_widget.render(signed_in(rescue=READY))
    expect(a_widget.card).to_contain_text(f"You are signed in. {sentence}")
    expect(_button(a_widget, "Run this cell again")).to_be_hidden()
    expect(_button(a_widget, "This and the cells below")).to_be_hidden()
    expect(_button(a_widget, "Dismiss")).to_be_visible()


def test_a_cell_that_is_deleted_meanwhile_is_noticed(a_stopped_cell):
    a_stopped_cell.hear(signed_in(rescue=READY))
    expect(_button(a_stopped_cell, "Run this cell again")).to_be_visible()
    a_stopped_cell.page.evaluate("answer = 'gone'")
    a_stopped_cell.pass_time(SECOND)
    expect(a_stopped_cell.card).to_contain_text("That cell is not in this notebook.")
    expect(_button(a_stopped_cell, "Run this cell again")).to_be_hidden()


def test_it_can_be_dismissed_and_the_focus_stays_in_the_card(a_stopped_cell):
    dismiss = _button(a_stopped_cell, "Dismiss")
    dismiss.focus()
    a_stopped_cell.hear(signed_in(rescue=READY))
    expect(dismiss).to_be_focused()
    dismiss.press("Enter")
    assert a_stopped_cell.intents == [{"kind": "dismiss_rescue"}]
    a_stopped_cell.hear(signed_in())
    expect(a_stopped_cell.card.get_by_role("heading")).to_be_focused()


def test_a_screen_reader_hears_of_it_once_and_again_when_it_can_run(a_stopped_cell):
    live = a_stopped_cell.card.get_by_role("status")
    expect(live).to_have_text("Not signed in · Cell [3] stopped: nobody was signed in.")
    a_stopped_cell.page.evaluate(SAID)
    a_stopped_cell.hear(status(rescue=STOPPED, facts=[["SDK", "luminarycloud 0.29.0"]]))
    a_stopped_cell.hear(signed_in(rescue=READY))
    a_stopped_cell.pass_time(60 * SECOND)
    expect(live).to_have_text("Signed in: ada@example.com · Cell [3] can run again.")
    assert len(a_stopped_cell.page.evaluate("said")) == 1


def test_its_texts_are_shown_as_text(a_widget):
    a_widget.render(signed_in(rescue={"cell": MARKUP, "title": MARKUP, "text": MARKUP, "ready": True}))
    assert a_widget.card.inner_text().count("<b>bold</b>") == 3
    expect(a_widget.card.locator("img")).to_have_count(0)
    expect(a_widget.page).to_have_title("A page")


@pytest.mark.parametrize("width", [560, 220])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_drawn_without_overflow_in_both_themes(a_widget, tmp_path, scheme, width):
    a_widget.page.emulate_media(color_scheme=scheme)
    a_widget.page.evaluate(NOTEBOOK, "can")
    refused = attempt("failed", message="The server refused this key.", next_step="Paste another one.")
    drawn: list[dict[str, Any]] = [
        status(rescue=STOPPED),
        status(rescue=STOPPED, attempt=refused),
        signed_in(rescue=READY),
        signed_in(rescue={**READY, "title": LONG, "text": LONG}),
    ]
    for message in drawn:
        a_widget.render(message, width=width)
        assert a_widget.page.evaluate(OVERFLOWING) == []
    a_widget.page.screenshot(path=tmp_path / f"rescue-{scheme}-{width}.png", full_page=True)


def test_the_extension_has_the_packages_version_so_that_jupyterlab_names_the_right_one():
    package = json.loads((EXTENSION / "package.json").read_text())
    assert package["version"] == version("luminary-auth-widget")
