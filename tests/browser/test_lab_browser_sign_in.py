"""Signing in with the browser in real JupyterLab: link, log-in page, the way back, and the session's 30 days."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, WebSocket, expect

from luminary_auth_widget import records, sandbox, token_store
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA, GRACE, PROJECTS, DemoAccount
from tests.sandbox.helpers import Browser as PlainBrowser

from .lab import LIMIT, LIST, LOGIN, RUNNING, Lab, LabPage
from .person import address_of_the_dead_page, expect_signed_in, follow, link_of, log_in, paste

ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)


def _sign_in(lab_page: LabPage, account: DemoAccount = ADA) -> None:
    log_in(follow(link_of(lab_page.card)), account)
    expect_signed_in(lab_page.card, account)


# ---- There and back ----


def test_click_link_log_in_and_the_next_cell_lists_the_projects_while_another_cell_kept_running(a_lab, a_lab_page):
    a_lab.notebook("browser.ipynb", LOGIN, RUNNING, LIST)
    a_lab_page.open("browser.ipynb").run(0)
    a_lab_page.run_cell(1)
    link = link_of(a_lab_page.card)
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    tab = follow(link)
    assert tab.evaluate("window.opener") is None
    log_in(tab)
    expect_signed_in(a_lab_page.card)
    expect(a_lab_page.card).to_contain_text("29d 23h left")
    (a_lab.notebooks / "enough").touch()
    assert a_lab_page.output_of(1) == "done"
    assert a_lab_page.run(2) == repr(ADAS)


def test_with_the_port_out_of_reach_the_address_is_pasted_after_a_wrong_one_was_told_from_it(
    a_lab, a_browser_elsewhere
):
    a_lab.notebook("paste-back.ipynb", LOGIN, LIST)
    lab_page = LabPage(a_browser_elsewhere.new_page(), a_lab).open("paste-back.ipynb")
    lab_page.run(0)
    address = address_of_the_dead_page(follow(link_of(lab_page.card)))
    paste(lab_page.card, re.sub("state=[^&]*", "state=of-yesterday", address))
    expect(lab_page.card.get_by_role("alert")).to_contain_text("This address belongs to another sign-in")
    expect(lab_page.card.get_by_role("link", name="Open the log-in page")).to_be_visible()
    paste(lab_page.card, address)
    expect_signed_in(lab_page.card)
    assert lab_page.run(1) == repr(ADAS)


@pytest.mark.parametrize("where", ["another cell", "another page"])
def test_a_second_view_finishes_what_the_first_began(a_lab, a_browser_elsewhere, where):
    name = f"{where.replace(' ', '-')}.ipynb"
    a_lab.notebook(name, LOGIN, "session")
    first = LabPage(a_browser_elsewhere.new_page(), a_lab).open(name)
    first.run(0)
    first.run(1)
    first.save()
    second = first.page.get_by_role("region", name="Luminary Cloud sign-in").nth(1)
    if where == "another page":
        second = LabPage(a_browser_elsewhere.new_page(), a_lab).open(name).card
    link_of(first.card)
    address = address_of_the_dead_page(follow(second.get_by_role("link", name="Open the log-in page")))
    paste(second, address)
    for card in (first.card, second):
        expect_signed_in(card)


# ---- Cancelling, again, as somebody else ----


def test_cancelled_while_waiting_nothing_has_changed_and_it_can_begin_anew(a_lab, a_lab_page):
    a_lab.notebook("cancel.ipynb", LOGIN)
    a_lab_page.open("cancel.ipynb").run(0)
    card = a_lab_page.card
    first = link_of(card).get_attribute("href")
    card.get_by_role("button", name="Cancel").click()
    expect(card.get_by_role("link", name="Open the log-in page")).to_have_count(0)
    expect(card.get_by_role("heading", name="Not signed in")).to_be_visible()
    assert link_of(card).get_attribute("href") != first


def test_signing_in_again_early_and_cancelling_keeps_the_session_and_another_account_is_named(a_lab, a_lab_page):
    a_lab.notebook("again.ipynb", LOGIN, LIST)
    a_lab_page.open("again.ipynb").run(0)
    _sign_in(a_lab_page)
    card, store = a_lab_page.card, a_lab.credentials / "tokens2"
    before = store.read_bytes()
    link_of(card)
    card.get_by_role("button", name="Cancel").click()
    expect(card.get_by_role("link", name="Open the log-in page")).to_have_count(0)
    expect_signed_in(card)
    assert store.read_bytes() == before
    assert a_lab_page.run(1) == repr(ADAS)
    # The log-in page remembers Ada, unless it is asked not to.
    link = link_of(card)
    card.get_by_label("Use another account").check()
    expect(link).to_have_attribute("href", re.compile("prompt=login"))
    log_in(follow(link), GRACE)
    expect_signed_in(card, GRACE)
    expect(card).to_contain_text(f"The account has changed: was {ADA.email}, now {GRACE.email}.")


# ---- The 30 days ----


@pytest.fixture
def leave_session(a_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sandbox, timedelta], None]:
    """Leave on the lab's machine what a browser sign-in of some time ago leaves there: its store, and our note."""
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(a_lab.credentials))

    def leave(cloud: Sandbox, ago: timedelta) -> None:
        with PlainBrowser(cloud) as browser:
            token = Secret(browser.sign_in()["refresh_token"])
        token_store.save(token)
        records.note_session(records.SessionRecord(token.digest, datetime.now(timezone.utc) - ago, "standard", {}))

    return leave


@pytest.fixture
def a_cloud_of_its_own() -> Iterator[Sandbox]:
    """A sandbox whose clock may be moved, and whose renewals rewrite the store."""
    with sandbox.start(refresh_rotation=True) as cloud:
        yield cloud


def _renewals(cloud: Sandbox) -> int:
    return sum(one.credential == "refresh token" and one.outcome == "200" for one in cloud.requests)


def test_the_30_days_are_seen_to_pass_soon_urgent_and_over_and_renewals_change_nothing_shown(
    a_lab, a_lab_page, a_cloud_of_its_own, leave_session
):
    cloud = a_cloud_of_its_own
    bound = f"import os\nos.environ.update({ ({**cloud.environ, 'LC_CREDENTIALS_DIR': str(a_lab.credentials)})!r})"
    a_lab.notebook("month.ipynb", f"{bound}\n{LOGIN}", LIST)
    leave_session(cloud, timedelta(days=24, minutes=1))
    cloud.advance(timedelta(days=24, minutes=1))
    card = a_lab_page.open("month.ipynb").card
    a_lab_page.run(0)
    expect_signed_in(card)
    expect(card).to_contain_text("5d 23h left")
    until = card.get_by_text(re.compile(r"^until \d")).inner_text()
    renewals = _renewals(cloud)

    a_lab_page.restart_kernel()
    expect(card).to_contain_text("Run the cell again", timeout=LIMIT)
    a_lab_page.run(0)
    expect_signed_in(card)
    assert _renewals(cloud) > renewals
    expect(card.get_by_text(re.compile(r"^until \d"))).to_have_text(until)
    expect(card).to_contain_text("5d 23h left")

    leave_session(cloud, timedelta(days=29, hours=12, minutes=1))
    expect(card).to_contain_text("11h 58m left", timeout=LIMIT)
    expect(card).to_contain_text("a job started now may outlive it")
    expect(card.get_by_role("img", name="Signed in")).to_have_text("!")
    assert a_lab_page.run(1) == repr(ADAS)

    cloud.advance(timedelta(days=31))
    card.get_by_role("button", name="Check").click()
    expect(card.get_by_text("session over", exact=True)).to_be_visible(timeout=LIMIT)
    expect(card.get_by_role("img", name="Session over")).to_be_visible()
    expect(card.get_by_role("button", name="Sign in again")).to_be_visible()


@pytest.mark.parametrize("kernel", ["idle", "busy"])
def test_60_s_of_countdown_pass_without_one_kernel_message(
    a_lab, a_sandbox, a_context, a_lab_page, leave_session, kernel
):
    leave_session(a_sandbox, timedelta(days=29, hours=23, minutes=20))
    a_lab.notebook(f"{kernel}.ipynb", LOGIN, "import time\ntime.sleep(30)")  # busy throughout
    page, messages = a_lab_page.page, list[str | bytes]()
    page.on("websocket", lambda socket: _count(socket, messages))
    page.clock.install()
    a_lab_page.open(f"{kernel}.ipynb").run(0)
    expect_signed_in(a_lab_page.card)
    if kernel == "busy":
        a_lab_page.run_cell(1)
        page.get_by_text("Python 3 (ipykernel) | Busy").wait_for()
    else:
        a_lab_page.settle()
    assert messages, "no message was ever seen, so this would prove nothing"
    # A whole second: there the countdown ticks.
    page.clock.pause_at(datetime.now().replace(microsecond=0) + timedelta(seconds=3))
    before, heard = _seconds_left(a_lab_page.card), len(messages)
    page.clock.run_for(60_000)
    assert before - _seconds_left(a_lab_page.card) == 60
    assert messages[heard:] == []


def _count(socket: WebSocket, messages: list[str | bytes]) -> None:
    if "/channels" in socket.url:
        # Lambdas, since Playwright puts a mark on the function.
        socket.on("framesent", lambda frame: messages.append(frame))  # noqa: PLW0108
        socket.on("framereceived", lambda frame: messages.append(frame))  # noqa: PLW0108


def _seconds_left(card: Locator) -> int:
    minutes, seconds = re.findall(r"(\d+):(\d\d) left", card.inner_text())[0]
    return int(minutes) * 60 + int(seconds)


# ---- Signing out ----


def test_two_kernels_follow_each_other_in_and_out_unless_this_kernel_only_was_said(
    a_lab, a_sandbox, a_context, a_lab_page, leave_session
):
    for name in ("one.ipynb", "two.ipynb"):
        a_lab.notebook(name, LOGIN, LIST)
    other_page = LabPage(a_context.new_page(), a_lab).open("two.ipynb")
    other_page.run(0)
    a_lab_page.open("one.ipynb").run(0)
    one, other = a_lab_page.card, other_page.card
    expect(other.get_by_role("heading", name="Not signed in")).to_be_visible(timeout=LIMIT)
    _sign_in(a_lab_page)
    expect_signed_in(other)
    assert other_page.run(1) == repr(ADAS)

    _sign_out(one, "This kernel only")
    expect(one).to_contain_text("The session goes on elsewhere.")
    expect_signed_in(other)
    _sign_out(other, "Everywhere")
    expect(other).to_contain_text("Signed out everywhere")
    assert "refresh_token" not in json.loads((a_lab.credentials / "tokens2").read_text())

    leave_session(a_sandbox, timedelta(0))  # as another program does
    expect_signed_in(one)
    expect_signed_in(other)
    _sign_out(one, "Everywhere")
    expect(other).to_contain_text("Signed out in another kernel or program.", timeout=LIMIT)


def _sign_out(card: Locator, answer: str) -> None:
    card.page.bring_to_front()  # a tab in the background is slow to press
    card.get_by_role("button", name="Sign out…").click()
    card.get_by_role("button", name=answer).click()
    expect(card.get_by_role("heading", name="Not signed in")).to_be_visible(timeout=LIMIT)


# ---- What stays behind ----


def test_neither_code_nor_token_is_in_the_saved_notebook_the_browsers_storage_or_any_log(a_lab, a_browser_elsewhere):
    path = a_lab.notebook("traces.ipynb", "%xmode Verbose", LOGIN, LIST, "session.paste_callback(open('a.txt').read())")
    lab_page = LabPage(a_browser_elsewhere.new_page(), a_lab).open("traces.ipynb")
    lab_page.run(0)
    lab_page.run(1)
    tab = follow(link_of(lab_page.card))
    address = address_of_the_dead_page(tab)
    fields = parse_qs(urlsplit(address).query)
    (a_lab.notebooks / "a.txt").write_text(f"{address}x")
    assert "CallbackUnusable" in lab_page.run(3)
    (a_lab.notebooks / "a.txt").unlink()
    paste(lab_page.card, address)
    expect_signed_in(lab_page.card)
    lab_page.run(2)
    lab_page.save()
    token = json.loads((a_lab.credentials / "tokens2").read_text())["refresh_token"]
    secrets = (fields["code"][0], token)
    assert "luminary" in path.read_text(), "the widget's state was not saved, so this would prove nothing"
    assert "paste_callback" in a_lab.log.read_text(errors="replace"), "no debug log, so this would prove nothing"
    assert a_lab.files_holding(*secrets) == []
    kept = lab_page.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert not any(secret in kept + lab_page.page.content() for secret in secrets)
