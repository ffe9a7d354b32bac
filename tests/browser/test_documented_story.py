"""The documentation's whole story, in its order: an API key's life, then the browser login and its 30 days.

Real JupyterLab in one tab, the web application in another, the SDK unmodified.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA, PROJECTS
from tests.conftest import bound_environ

from .lab import LIMIT, LIST, LOGIN, Lab, LabPage
from .person import log_in

ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)


@pytest.fixture
def a_cloud() -> Iterator[Sandbox]:
    """A sandbox whose clock may be moved."""
    with sandbox.start() as cloud:
        yield cloud


@pytest.fixture
def a_lab(a_cloud: Sandbox, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "lab", bound_environ(a_cloud, tmp_path))
    yield lab
    lab.close()


@pytest.fixture
def a_web_app(a_cloud: Sandbox, a_context: BrowserContext) -> Page:
    """The web application in a tab of its own, with Ada logged in."""
    a_context.grant_permissions(["clipboard-read", "clipboard-write"], origin=a_cloud.page_url)
    page = a_context.new_page()
    page.goto(a_cloud.page_url)
    log_in(page)
    return page


def test_a_key_from_its_creation_to_its_end_then_the_browser_login_for_30_days_and_again(
    a_cloud: Sandbox, a_lab: Lab, a_lab_page: LabPage, a_web_app: Page
) -> None:
    # "Creating an API Key"
    _create_key(a_web_app, "laptop")
    line = _copy_line(a_web_app)
    row = a_web_app.get_by_role("row", name="laptop")
    expect(row.get_by_label("active", exact=True)).to_have_text("✓")
    expect(row).to_contain_text("never")
    (a_lab.notebooks / ".env").write_text(f"{line}\n")

    # "Using an API Key"
    a_lab.notebook("story.ipynb", LOGIN, LIST)
    card = a_lab_page.open("story.ipynb").card
    a_lab_page.run(0)
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(card).to_contain_text(f"…{line[-4:]}")
    assert a_lab_page.run(1) == repr(ADAS)
    a_web_app.bring_to_front()
    a_web_app.reload()
    expect(row).not_to_contain_text("never")
    expect(a_web_app.get_by_text(line)).to_have_count(0)
    a_web_app.get_by_role("link", name="Projects").click()
    shown = a_web_app.get_by_role("rowheader").all_inner_texts()
    assert sorted(one.splitlines()[0] for one in shown) == ADAS, "the same permissions as in the SDK"

    # "Revoking an API Key"
    _go_to_keys(a_web_app)
    _choose(row, "Revoke", confirmed=False)
    expect(row.get_by_label("active", exact=True)).to_be_visible()
    _choose(row, "Revoke")
    expect(row.get_by_label("inactive: revoked")).to_have_text("×")
    _check(a_lab_page)
    expect(card).to_contain_text("The server refused this key", timeout=LIMIT)
    assert "Authentication failed" in a_lab_page.run(1)

    # "Deleting an API Key"
    a_web_app.bring_to_front()
    _choose(row, "Delete", confirmed=False)
    expect(row).to_be_visible()
    _choose(row, "Delete")
    expect(row).to_have_count(0)
    expect(a_web_app.get_by_text("There are no API keys yet.")).to_be_visible()

    # "Interactive Authentication with the SDK"
    _sign_in_with_the_browser(a_lab_page)
    assert a_lab_page.run(1) == repr(ADAS)
    a_cloud.advance(timedelta(days=29, hours=23))
    _check(a_lab_page)
    assert a_lab_page.run(1) == repr(ADAS)
    a_cloud.advance(timedelta(hours=1))
    _check(a_lab_page)
    expect(card.get_by_text("session over", exact=True)).to_be_visible(timeout=LIMIT)
    expect(card).not_to_contain_text("left")
    _sign_in_with_the_browser(a_lab_page, again=True)
    assert a_lab_page.run(1) == repr(ADAS)


def _go_to_keys(page: Page) -> None:
    page.get_by_text("My Account").click()
    page.get_by_role("link", name="Profile").click()
    expect(page.get_by_role("heading", name="API Keys")).to_be_visible()


def _create_key(page: Page, name: str) -> None:
    _go_to_keys(page)
    page.get_by_role("button", name="Create API key").click()
    dialog = page.get_by_role("dialog", name="Create API key")
    expect(dialog.get_by_label("Duration")).to_have_value("Three months")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_role("button", name="Create").click()


def _copy_line(page: Page) -> str:
    """Copy the key as a line for `.env`, close the dialog, and return what is in the clipboard."""
    dialog = page.get_by_role("dialog", name="created")
    expect(dialog).to_contain_text("You will not see it again.")
    dialog.get_by_role("button", name="Copy the line").click()
    expect(dialog.get_by_role("status")).to_have_text("Copied.")
    dialog.get_by_role("button", name="Done").click()
    line: str = page.evaluate("navigator.clipboard.readText()")
    assert line.startswith("LC_API_KEY=")
    return line


def _choose(row: Locator, verb: str, *, confirmed: bool = True) -> None:
    """Take what the three dots offer, and answer the question."""
    row.get_by_label("Actions for").click()
    row.get_by_role("button", name=verb).click()
    dialog = row.page.get_by_role("dialog", name=f"{verb} “laptop”?")
    dialog.get_by_role("button", name=verb if confirmed else "Cancel").click()
    expect(dialog).to_have_count(0)


# The answer may come within a frame, so that looking now and then could miss it: a promise watches before the click.
_WATCH_A_CHECK = """(card) => {
  window.checked = new Promise((resolve) => {
    let began = false;
    new MutationObserver(() => {
      const checking = card.textContent.includes("checking…");
      if (began && !checking) resolve();
      began ||= checking;
    }).observe(card, { subtree: true, childList: true, characterData: true });
  });
}"""


def _check(lab_page: LabPage) -> None:
    """Click *Check*, and wait for the answer, as a person does."""
    lab_page.page.bring_to_front()
    lab_page.card.evaluate(_WATCH_A_CHECK)
    lab_page.card.get_by_role("button", name="Check").click()
    lab_page.page.evaluate("window.checked")


def _sign_in_with_the_browser(lab_page: LabPage, *, again: bool = False) -> None:
    lab_page.page.bring_to_front()
    name = "Sign in again" if again else "Sign in with browser"
    lab_page.card.get_by_role("button", name=name).click(timeout=LIMIT)
    link = lab_page.card.get_by_role("link", name="Open the log-in page")
    expect(link).to_be_visible(timeout=LIMIT)
    with lab_page.page.context.expect_page() as opened:
        link.click()
    if again:
        # The web application's own session has ended as well: it no longer remembers.
        log_in(opened.value)
    expect(lab_page.card).to_contain_text("29d 23h left", timeout=LIMIT)
    expect(lab_page.card.get_by_role("heading", name=ADA.email)).to_be_visible()
