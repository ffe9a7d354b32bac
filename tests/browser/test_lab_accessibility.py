"""The widget in real JupyterLab, at each stop of a sign-in by key and one by browser: axe-core, focus, selecting."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from luminary_auth_widget.sandbox.demo import ADA

from .conftest import violations
from .lab import LIMIT, LOGIN, LabPage
from .person import expect_signed_in, follow, link_of, log_in

LIGHT, *OTHERS = "JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"
ENDS_SOON = (
    "from datetime import datetime, timedelta, timezone\nfrom pathlib import Path\n"
    "session.use_key(Path('key').read_text(), expires_on=datetime.now(timezone.utc) + timedelta(hours=21)).state"
)


@pytest.fixture
def a_key_file(a_lab, a_key):
    path = a_lab.notebooks / "key"
    path.write_text(a_key.secret)
    yield path
    path.unlink()


def test_by_key_from_signed_out_to_refused_axe_finds_nothing_and_the_keyboard_is_enough(
    a_sandbox, a_lab, a_lab_page, a_key, a_key_file
):
    a_lab.notebook("by-key.ipynb", LOGIN, ENDS_SOON)
    a_lab_page.open("by-key.ipynb").run(0)
    card, keyboard = a_lab_page.card, a_lab_page.page.keyboard
    key, heading = card.get_by_label("API key", exact=True), card.get_by_role("heading")
    expect(card.get_by_role("link", name="Get a key")).to_be_visible(timeout=LIMIT)
    _expect_flawless(a_lab_page, "signed out")
    _type(key, a_key.secret)
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(heading).to_be_focused()
    _expect_selectable(card.locator("small", has_text="pasted key"), f"…{a_key.secret[-4:]}")
    _expect_flawless(a_lab_page, "signed in")
    card.get_by_text("Use another key").press("Enter")
    card.get_by_label("Key lasts", exact=True).select_option(label="one week")
    _type(key, a_key.secret)
    expect(card.get_by_role("link", name="Make a new key")).to_be_visible(timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "soon")
    a_lab_page.run(1)
    expect(card).to_contain_text("a job started now may outlive it", timeout=LIMIT)
    _expect_flawless(a_lab_page, "urgent", *OTHERS)
    a_sandbox.revoke_api_key(a_key.id)
    card.get_by_role("button", name="Check").focus()
    keyboard.press("Enter")
    expect(card).to_contain_text("The server refused this key", timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "refused")


def test_by_browser_from_the_link_to_the_sessions_end_axe_finds_nothing(a_sandbox, a_lab, a_lab_page):
    a_lab.notebook("by-browser.ipynb", LOGIN)
    a_lab_page.open("by-browser.ipynb").run(0)
    a_lab_page.command("luminary-auth:open-panel")
    card, panel = a_lab_page.card_below(0), a_lab_page.panel
    link = link_of(card)
    for view in (card, panel):
        well = view.get_by_role("group", name="Log-in link")
        _expect_selectable(well, str(link.get_attribute("href")))
    _expect_flawless(a_lab_page, "waiting", *OTHERS)
    log_in(follow(link))
    expect_signed_in(card)
    expect_signed_in(panel)
    _expect_selectable(panel.locator("small", has_text="signed in by browser"), "signed in by browser")
    _expect_flawless(a_lab_page, "signed in")
    a_sandbox.end_sessions(ADA.email)
    card.get_by_role("button", name="Check").press("Enter")
    expect(card.get_by_text("session over", exact=True)).to_be_visible(timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "over")


def _type(field: Locator, text: str) -> None:
    field.focus()
    field.page.keyboard.type(text)
    field.page.keyboard.press("Enter")


def _has_focus(card: Locator) -> bool:
    return bool(card.evaluate("card => card.contains(document.activeElement)"))


def _expect_selectable(place: Locator, text: str) -> None:
    """Select a line as a person does, by three clicks."""
    place.click(click_count=3)
    assert text in place.evaluate("() => getSelection().toString()")


def _expect_flawless(lab_page: LabPage, where: str, *more_themes: str) -> None:
    for theme in (*more_themes, LIGHT):
        lab_page.command("apputils:change-theme", theme=theme)
        lab_page.page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        found = violations(lab_page.page, ["section.law", ".luminary-auth-status"], allowed=["landmark-unique"])
        assert found == [], f"{where}, {theme}"
