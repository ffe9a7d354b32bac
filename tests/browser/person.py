"""What a person does to sign in: at the widget, and at the sandbox's pages in another tab."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from luminary_auth_widget.sandbox.demo import ADA, DemoAccount

from .lab import LIMIT

CANNOT_CONNECT = "Your browser ended on a page that cannot connect?"


def link_of(card: Locator) -> Locator:
    """Press the button, and return the link once it is there."""
    card.get_by_role("button", name=re.compile("Sign in (with browser|again)")).click(timeout=LIMIT)
    link = card.get_by_role("link", name="Open the log-in page")
    expect(link).to_be_visible(timeout=LIMIT)
    return link


def follow(link: Locator) -> Page:
    """Click a link that opens a tab, and return that."""
    with link.page.context.expect_page() as opened:
        link.click(timeout=LIMIT)
    return opened.value


def log_in(tab: Page, account: DemoAccount = ADA) -> None:
    tab.get_by_label("E-mail address").fill(account.email)
    tab.get_by_label("Password").fill(account.password)
    tab.get_by_role("button", name="Log in").click()


def make_a_key(tab: Page, account: DemoAccount = ADA) -> str:
    """Log in and create an API key, as the tour says; return what the page shows."""
    log_in(tab, account)
    tab.get_by_text("My Account").click()
    tab.get_by_role("link", name="Profile").click()
    expect(tab.get_by_role("heading", name="API Keys")).to_be_visible()
    tab.get_by_role("button", name="Create API key").click()
    tab.get_by_label("Name", exact=True).fill("laptop")
    tab.get_by_role("button", name="Create", exact=True).click()
    return tab.get_by_label("Your new API key").input_value()


def expect_signed_in(card: Locator, account: DemoAccount = ADA) -> None:
    expect(card.get_by_role("heading", name=account.email)).to_be_visible(timeout=LIMIT)


def address_of_the_dead_page(tab: Page, account: DemoAccount = ADA) -> str:
    """Log in where the way back is barred, and return what then stands in the address bar."""
    with tab.expect_event("requestfailed") as failed:
        log_in(tab, account)
    return failed.value.url


def paste(card: Locator, address: str) -> None:
    """Bring the widget the address on which the browser has ended."""
    box = card.get_by_label("Paste its address")
    if not box.is_visible():
        card.get_by_text(CANNOT_CONNECT).click()
    box.fill(address)
    card.get_by_role("button", name="Finish").click()
