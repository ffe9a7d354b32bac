"""The sandbox's pages in a real browser: dialogs, copying, keyboard, and what axe-core says of every state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import ApiKey, Sandbox, SandboxError
from tests import chromium
from tests.sandbox.helpers import Browser as PlainBrowser

from .conftest import CUT_OFF, SMALL, violations

REFUSAL = re.compile(r"status of (400 \(BAD REQUEST|401 \(UNAUTHORIZED|404 \(NOT FOUND)\)")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1100, "height": 800}


@pytest.fixture
def open_pages(a_sandbox: Sandbox, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the pages as a person with the given browser does, logged in as Grace; a complaint fails the test."""
    said: list[str] = []
    contexts = []

    def opened(cloud: Sandbox = a_sandbox, **options: Any) -> Page:
        context = browser.new_context(locale="en-GB", timezone_id="UTC", **{"viewport": DESK, **options})
        contexts.append(context)
        page = context.new_page()
        chromium.note_complaints(page, said)
        page.goto(cloud.page_url)
        page.get_by_role("button", name="Continue as Grace").click()
        return page

    yield opened
    for context in contexts:
        context.close()
    # That a password, a form or an address is refused, browsers say as well.
    assert [complaint for complaint in said if not REFUSAL.search(complaint)] == []


@pytest.fixture
def a_page(open_pages: Callable[..., Page]) -> Page:
    return open_pages(permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture(autouse=True)
def two_keys(a_sandbox: Sandbox) -> Iterator[list[ApiKey]]:
    keys = [a_sandbox.create_api_key("grace@example.com", name, timedelta(days=90)) for name in ("old", "new")]
    a_sandbox.revoke_api_key(keys[0].id)
    yield keys
    for key in keys:
        with suppress(SandboxError):  # a test may have deleted it
            a_sandbox.delete_api_key(key.id)


def _create(page: Page, name: str) -> Locator:
    page.get_by_role("button", name="Create API key").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create", exact=True).click()
    created = page.get_by_role("dialog", name=f"API key “{name}” created")
    expect(created).to_be_visible()
    return created


# ---- Dialogs and copying ----


def test_the_new_key_is_copied_and_nothing_of_it_stays_in_the_page(a_page: Page) -> None:
    created = _create(a_page, "copied")
    secret = created.get_by_label("Your new API key").input_value()
    created.get_by_role("button", name="Copy the key").click()
    expect(created.get_by_role("status")).to_have_text("Copied.")
    assert a_page.evaluate("navigator.clipboard.readText()") == secret
    created.get_by_role("button", name="Copy the line").click()
    assert a_page.evaluate("navigator.clipboard.readText()") == f"LC_API_KEY={secret}"
    created.get_by_role("button", name="Done").click()
    expect(created).to_have_count(0)
    a_page.wait_for_function("secret => !document.documentElement.outerHTML.includes(secret)", arg=secret)
    expect(a_page.get_by_role("button", name="Create API key")).to_be_focused()


def test_markup_in_a_keys_name_is_read_and_not_run(a_page: Page) -> None:
    asked: list[str] = []
    a_page.on("request", lambda request: asked.append(request.url))
    name = "<img src=x onerror=alert(1)>"
    _create(a_page, name).get_by_role("button", name="Done").click()
    expect(a_page.get_by_role("rowheader", name=name)).to_be_visible()
    a_page.get_by_label(f"Actions for {name}").click()
    a_page.get_by_role("button", name="Revoke").first.click()
    expect(a_page.get_by_role("dialog", name=f"Revoke “{name}”?")).to_be_visible()
    assert not [url for url in asked if url.endswith("/x")]


def test_without_a_clipboard_the_key_is_selected_instead(open_pages: Callable[..., Page]) -> None:
    page = open_pages()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as on plain http
    page.reload()
    created = _create(page, "selected")
    created.get_by_role("button", name="Copy the key").click()
    expect(created.get_by_role("status")).to_have_text("Selected. Copy it with Ctrl+C or ⌘C.")
    assert page.evaluate("getSelection().toString()") == created.get_by_label("Your new API key").input_value()


def test_a_stray_escape_does_not_cost_the_new_key(a_page: Page) -> None:
    created = _create(a_page, "kept")
    a_page.keyboard.press("Escape")
    expect(created).to_be_visible()
    created.get_by_role("button", name="Copy the key").click()
    expect(created.get_by_role("status")).to_have_text("Copied.")
    a_page.keyboard.press("Escape")
    expect(created).to_have_count(0)


def test_the_day_is_asked_for_only_where_a_day_is_wanted(a_page: Page) -> None:
    a_page.get_by_role("button", name="Create API key").click()
    day = a_page.get_by_label("Expires at the end of this day")
    expect(day).to_be_hidden()
    a_page.get_by_label("Duration").select_option("Until a date")
    expect(day).to_be_visible()


# ---- Keyboard ----


def test_a_key_is_revoked_by_keyboard_alone_and_the_focus_is_never_lost(a_page: Page) -> None:
    row = a_page.get_by_role("row", name="new")
    dots, revoke = row.get_by_label("Actions for new"), row.get_by_role("button", name="Revoke")
    dots.focus()
    a_page.keyboard.press("Enter")
    expect(revoke).to_be_visible()
    a_page.keyboard.press("Escape")
    expect(revoke).to_be_hidden()
    expect(dots).to_be_focused()
    for key in ("Enter", "Tab", "Enter"):
        a_page.keyboard.press(key)
    question = a_page.get_by_role("dialog", name="Revoke “new”?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    a_page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(dots).to_be_focused()
    for key in ("Enter", "Tab", "Enter", "Shift+Tab", "Enter"):
        a_page.keyboard.press(key)
    expect(row.get_by_label("inactive: revoked")).to_be_visible()


def test_a_key_is_created_and_an_inactive_one_deleted_by_keyboard_alone(a_page: Page) -> None:
    a_page.get_by_role("button", name="Create API key").focus()
    a_page.keyboard.press("Enter")
    expect(a_page.get_by_label("Name", exact=True)).to_be_focused()
    a_page.keyboard.type("typed")
    a_page.keyboard.press("Enter")
    created = a_page.get_by_role("dialog", name="API key “typed” created")
    expect(created).to_be_visible()
    created.get_by_role("button", name="Done").press("Enter")
    expect(a_page.get_by_role("rowheader", name="typed")).to_be_visible()
    row = a_page.get_by_role("row", name="old")
    row.get_by_label("Actions for old").focus()
    for key in ("Enter", "Tab", "Enter"):
        a_page.keyboard.press(key)
    expect(a_page.get_by_role("dialog", name="Delete “old”?").get_by_role("button", name="Cancel")).to_be_focused()
    for key in ("Shift+Tab", "Enter"):
        a_page.keyboard.press(key)
    expect(row).to_have_count(0)


def test_a_menu_closes_when_the_person_goes_elsewhere(a_page: Page) -> None:
    log_out = a_page.get_by_role("button", name="Log out")
    for leave in (lambda: a_page.get_by_role("heading", name="API Keys").click(), lambda: log_out.press("Tab")):
        a_page.get_by_text("My Account").click()
        expect(log_out).to_be_visible()
        leave()
        expect(log_out).to_be_hidden()


# ---- Without JavaScript ----


def test_without_javascript_a_key_is_created_revoked_and_deleted_on_pages(open_pages: Callable[..., Page]) -> None:
    page = open_pages(java_script_enabled=False)
    created = _create(page, "plain")
    expect(created.get_by_role("button")).to_have_text(["Done"])
    assert created.get_by_label("Your new API key").input_value()
    created.get_by_role("button", name="Done").click()
    expect(created).to_be_hidden()
    row = page.get_by_role("row", name="plain")
    for verb in ("Revoke", "Delete"):
        row.get_by_label("Actions for plain").click()
        row.get_by_role("button", name=verb).click()
        expect(page.get_by_role("heading", name=f"{verb} “plain”?")).to_be_visible()
        page.get_by_role("button", name=verb).click()
    expect(page.get_by_role("heading", name="API Keys")).to_be_visible()
    expect(row).to_have_count(0)


# ---- Accessibility ----


@pytest.fixture(scope="module")
def a_cloud_without_keys() -> Iterator[Sandbox]:
    """A sandbox that nobody has used yet; its clock was moved, which every page says."""
    with sandbox.start() as cloud:
        cloud.advance(timedelta(days=1))
        yield cloud


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"color_scheme": "light"}, id="light"),
        pytest.param({"color_scheme": "dark", "viewport": PHONE}, id="dark, on a phone"),
        pytest.param({"forced_colors": "active"}, id="forced colours"),
        pytest.param({"contrast": "more"}, id="high contrast"),
        # 640 px at 200 % (WCAG 1.4.10).
        pytest.param({"viewport": {"width": 320, "height": 400}, "device_scale_factor": 2}, id="200 % zoom"),
        pytest.param({"viewport": {"width": 220, "height": 800}}, id="220 px"),
    ],
)
def test_axe_finds_nothing_in_any_state_and_nothing_is_wider_than_the_screen(
    open_pages: Callable[..., Page],
    a_sandbox: Sandbox,
    a_cloud_without_keys: Sandbox,
    two_keys: list[ApiKey],
    options: dict[str, Any],
) -> None:
    page = open_pages(**options)
    _expect_flawless(page, "profile")
    page.get_by_text("My Account").click()
    _expect_flawless(page, "the account's menu")
    page.keyboard.press("Escape")
    page.get_by_label("Actions for new").click()
    _expect_flawless(page, "the three dots")
    page.get_by_role("button", name="Revoke").click()
    _expect_flawless(page, "the question")
    page.keyboard.press("Escape")
    page.get_by_label("Actions for old").click()
    page.get_by_role("button", name="Delete").click()
    _expect_flawless(page, "the last question")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create API key").click()
    page.get_by_label("Duration").select_option("Until a date")
    _expect_flawless(page, "the form")
    page.get_by_label("Duration").select_option("One week")
    page.keyboard.press("Escape")
    created = _create(page, "W" * 60)
    _expect_flawless(page, "the new key")
    created.get_by_role("button", name="Done").click()
    inactive, active = two_keys
    for path in (
        f"revoke-key?key={active.id}",
        f"delete-key?key={inactive.id}",
        "projects",
        "no/such/page",
        "create-key",
    ):
        page.goto(f"{a_sandbox.page_url}/{path}")
        _expect_flawless(page, path)
    page.get_by_label("Name", exact=True).fill(" ")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Give the key a name.")
    _expect_flawless(page, "the form, refused")
    page.get_by_text("My Account").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    _expect_flawless_log_in(page)
    with PlainBrowser(a_sandbox) as plain:
        link, dead_link = (plain.authorize(**changes)[0].url for changes in ({}, {"client_id": "another"}))
    page.goto(link.replace(a_sandbox.url, a_sandbox.page_url))
    expect(page.get_by_text("The Luminary Cloud Python SDK asks to sign you in.")).to_be_visible()
    _expect_flawless_log_in(page)
    page.goto(dead_link.replace(a_sandbox.url, a_sandbox.page_url))
    expect(page.get_by_role("heading", name="This sign-in link does not work")).to_be_visible()
    _expect_flawless(page, "a dead link")
    page = open_pages(a_cloud_without_keys, **options)
    expect(page.get_by_text("There are no API keys yet.")).to_be_visible()
    _expect_flawless(page, "no keys")


def _expect_flawless_log_in(page: Page) -> None:
    _expect_flawless(page, page.url)
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Wrong e-mail address or password")).to_be_visible()
    _expect_flawless(page, f"{page.url}, refused")


def _expect_flawless(page: Page, where: str) -> None:
    assert violations(page) == [], where
    assert page.evaluate(CUT_OFF, "header, main, dialog[open]") == [], where
    assert page.evaluate(SMALL, "header, main, dialog[open]") == [], where
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where} is wider than the screen"
