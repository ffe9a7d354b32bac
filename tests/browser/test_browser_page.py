"""The front end alone, signing in with the browser: link, address box, environments, sign-out, the session's time."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import DAY, HOUR, MINUTE, NOW_MS, SECOND, WidgetPage, attempt, serve, signed_in, status
from .states import (
    COPY_ALL,
    ENVIRONMENTS,
    FACTS,
    LINK,
    SOURCES,
    STATES,
    WRONG_ADDRESS,
    browser_attempt,
    waiting,
)

ADDRESS = "http://127.0.0.1:10001/callback?code=secret-code&state=0123456789"
MARKUP = "<img src=x onerror='document.title=`hit`'><b>bold</b>"
CANNOT_CONNECT = "Your browser ended on a page that cannot connect?"


@pytest.fixture
def a_remote_widget(context: BrowserContext) -> WidgetPage:
    """The widget on a hub's page: another host than the browser's, over plain http."""
    page = context.new_page()
    page.route("**/*", serve)
    page.clock.install(time=NOW_MS / 1000 - 10)
    page.goto("http://notebook.example/")
    page.clock.pause_at(NOW_MS / 1000)
    return WidgetPage(page)


# ---- From the click to the link ----


def test_the_browser_button_warms_up_and_starts(a_widget):
    a_widget.render(STATES["signed out, browser"])
    a_widget.page.get_by_role("button", name="Sign in with browser").click()
    kinds = [one["kind"] for one in a_widget.intents]
    assert kinds[0] == "warm"
    assert kinds[-1] == "sign_in_with_browser"
    expect(a_widget.card).to_contain_text("Waiting for the kernel…")


def test_warming_up_says_nothing_of_waiting_since_nothing_is_waited_for(a_widget):
    a_widget.render(STATES["signed out, browser"])
    a_widget.page.get_by_role("button", name="Sign in with browser").hover()
    assert a_widget.intents == [{"kind": "warm"}]
    expect(a_widget.card).not_to_contain_text("Waiting for the kernel…")


def test_the_link_opens_a_new_tab_that_knows_nothing_of_the_notebook(a_widget):
    a_widget.render(waiting())
    expect(a_widget.card.get_by_text("04:32 left")).to_be_visible()
    link = a_widget.card.get_by_role("link", name="Open the log-in page")
    expect(link).to_have_attribute("href", LINK)
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_a_link_that_is_a_path_alone_is_one_of_the_server_that_shows_the_page(a_remote_widget):
    a_remote_widget.render(waiting(link="/user/ada/proxy/4711/authorize?state=0123456789"))
    whole = "http://notebook.example/user/ada/proxy/4711/authorize?state=0123456789"
    expect(a_remote_widget.card.get_by_role("link", name="Open the log-in page")).to_have_attribute("href", whole)
    expect(a_remote_widget.card.get_by_role("group", name="Log-in link")).to_have_text(whole)


def test_a_script_is_no_login_link(a_widget):
    a_widget.render(waiting(link="javascript:alert(1)"))
    expect(a_widget.card).to_contain_text("javascript:alert(1)")
    expect(a_widget.card.get_by_role("link", name="Open")).to_have_count(0)


def test_the_link_is_copied_whole(a_widget, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    a_widget.render(waiting())
    a_widget.page.get_by_role("button", name="Copy link").click()
    expect(a_widget.page.get_by_role("button", name="Copied")).to_be_visible()
    assert a_widget.page.evaluate("navigator.clipboard.readText()") == LINK
    # Another link has not been copied.
    a_widget.hear(waiting(link=f"{LINK}&prompt=login"))
    expect(a_widget.page.get_by_role("button", name="Copy link")).to_be_visible()


def test_on_a_page_without_a_clipboard_the_link_is_selected(a_remote_widget):
    a_remote_widget.render(waiting())
    assert a_remote_widget.page.evaluate("navigator.clipboard === undefined")
    a_remote_widget.page.get_by_role("button", name="Copy link").click()
    expect(a_remote_widget.page.get_by_role("button", name="Selected: copy it now")).to_be_visible()
    assert a_remote_widget.page.evaluate("getSelection().toString()") == LINK


def test_another_account_is_asked_for_and_the_link_follows(a_widget):
    a_widget.render(waiting())
    another = a_widget.page.get_by_label("Use another account")
    another.check()
    a_widget.hear(waiting(link=f"{LINK}&prompt=login"))
    expect(a_widget.card.get_by_role("link", name="Open")).to_have_attribute("href", f"{LINK}&prompt=login")
    expect(a_widget.card.get_by_role("group", name="Log-in link")).to_have_text(f"{LINK}&prompt=login")
    expect(another).to_be_checked()
    another.uncheck()
    assert a_widget.intents == [{"kind": "use_another_account", "on": on} for on in (True, False)]


@pytest.mark.parametrize("after", [browser_attempt("finishing"), browser_attempt("failed"), status(), signed_in()])
def test_once_the_attempt_is_over_its_link_is_nowhere_on_the_page(a_widget, after):
    a_widget.render(waiting())
    assert "state=0123456789" in a_widget.page.content()
    a_widget.hear(after)
    assert "state=0123456789" not in a_widget.page.content()


def test_a_failed_sign_in_by_browser_is_tried_again_by_browser(a_widget):
    a_widget.render(STATES["failed in the browser"])
    expect(a_widget.page.get_by_role("alert")).to_contain_text("The log-in page said no (access_denied).")
    a_widget.page.get_by_role("button", name="Try again").click()
    assert a_widget.intents == [{"kind": "sign_in_with_browser"}]


# ---- The address of a page that cannot connect ----


def test_on_this_machine_the_box_for_the_address_is_folded_and_elsewhere_it_is_open(a_widget, a_remote_widget):
    for widget, folded in ((a_widget, True), (a_remote_widget, False)):
        widget.render(waiting())
        expect(widget.page.get_by_text(CANNOT_CONNECT)).to_be_visible()
        expect(widget.page.get_by_label("Paste its address")).to_be_visible(visible=not folded)


def test_the_address_leaves_as_one_buffer_from_an_emptied_box_and_stays_nowhere(a_widget):
    a_widget.render(waiting())
    a_widget.page.get_by_text(CANNOT_CONNECT).click()
    box = a_widget.page.get_by_label("Paste its address")
    box.fill(ADDRESS)
    box.press("Enter")
    [sent] = a_widget.sent
    assert (sent["content"], sent["buffers"]) == ({"kind": "paste_callback"}, [ADDRESS])
    assert not any("secret" in value for value in sent["fields"])
    assert a_widget.page.evaluate("model.sent.at(-1).bytes[0].every((byte) => byte === 0)")
    assert "secret-code" not in a_widget.page.content()


def test_an_empty_box_is_focused_and_nothing_is_sent(a_remote_widget):
    a_remote_widget.render(waiting())
    a_remote_widget.page.get_by_role("button", name="Finish").click()
    expect(a_remote_widget.page.get_by_label("Paste its address")).to_be_focused()
    assert a_remote_widget.sent == []


def test_a_wrong_address_is_an_alert_beside_the_login_which_goes_on(a_remote_widget):
    a_remote_widget.render(waiting())
    box = a_remote_widget.page.get_by_label("Paste its address")
    box.fill(ADDRESS)
    box.press("Enter")
    a_remote_widget.hear(waiting(message=WRONG_ADDRESS, next_step=COPY_ALL))
    expect(a_remote_widget.page.get_by_role("alert")).to_have_text(f"{WRONG_ADDRESS} {COPY_ALL}")
    expect(a_remote_widget.card.get_by_role("link", name="Open the log-in page")).to_have_attribute("href", LINK)
    expect(box).to_be_focused()
    a_remote_widget.pass_time(2 * SECOND)
    expect(a_remote_widget.card.get_by_text("04:30 left")).to_be_visible()
    box.fill(ADDRESS)
    box.press("Enter")
    a_remote_widget.hear(browser_attempt("finishing"))
    expect(a_remote_widget.page.get_by_role("alert")).to_have_count(0)
    expect(a_remote_widget.card).to_contain_text("Finishing sign-in…")


def test_what_is_typed_into_the_box_survives_what_the_kernel_says(a_remote_widget):
    a_remote_widget.render(waiting())
    box = a_remote_widget.page.get_by_label("Paste its address")
    box.press_sequentially("http://127")
    a_remote_widget.hear(waiting(link=f"{LINK}&prompt=login", message=WRONG_ADDRESS))
    a_remote_widget.page.keyboard.type(".0.0.1")
    expect(box).to_have_value("http://127.0.0.1")


# ---- Focus, markup, environments, signing out ----


@pytest.mark.parametrize("control", ["Paste its address", "Use another account"])
@pytest.mark.parametrize("after", [browser_attempt("finishing"), status(), signed_in()])
def test_the_focus_stays_in_the_card_when_the_section_that_held_it_goes(a_remote_widget, control, after):
    a_remote_widget.render(waiting())
    a_remote_widget.page.get_by_label(control).focus()
    a_remote_widget.hear(after)
    expect(a_remote_widget.card.get_by_role("heading").first).to_be_focused()


def test_markup_in_link_remark_identity_and_environment_is_shown_as_text(a_widget):
    rows = [{"id": "x", "name": MARKUP, "in_use": False}]
    running = attempt("waiting_for_browser", method="browser", link=MARKUP, message=MARKUP, next_step=MARKUP)
    a_widget.render(status(attempt=running, title=MARKUP, environments=rows, facts=FACTS))
    a_widget.page.get_by_text("Details", exact=True).click()
    # The link twice: as itself, and where its button would be.
    assert a_widget.card.inner_text().count("<b>bold</b>") == 6
    a_widget.hear(browser_attempt("failed", message=MARKUP, next_step=MARKUP))
    assert a_widget.page.get_by_role("alert").inner_text().count("<b>bold</b>") == 2
    expect(a_widget.card.locator("img")).to_have_count(0)
    expect(a_widget.page).to_have_title("A page")


def test_the_other_environment_can_be_switched_to_under_details(a_widget):
    a_widget.render(signed_in(sources=SOURCES, environments=ENVIRONMENTS, facts=FACTS))
    a_widget.page.get_by_text("Details", exact=True).click()
    standard, itar = (a_widget.page.get_by_role("row", name=f"Environment {name}") for name in ("Standard", "ITAR"))
    expect(standard).to_contain_text("in use")
    expect(standard.get_by_role("button")).to_have_count(0)
    itar.get_by_role("button", name="Switch to this").click()
    assert a_widget.intents == [{"kind": "use_environment", "environment": "itar"}]
    a_widget.hear(status(environments=[{**row, "in_use": not row["in_use"]} for row in ENVIRONMENTS], facts=FACTS))
    expect(itar).to_contain_text("in use")
    expect(standard.get_by_role("button", name="Switch to this")).to_be_visible()


@pytest.mark.parametrize(("answer", "everywhere"), [("This kernel only", False), ("Everywhere", True)])
def test_signing_out_of_a_browser_session_asks_of_what(a_widget, answer, everywhere):
    a_widget.render(signed_in(sign_out_choice=True))
    leave = a_widget.page.get_by_role("button", name="Sign out…")
    leave.click()
    expect(a_widget.page.get_by_role("button", name="This kernel only")).to_be_focused()
    a_widget.page.get_by_role("button", name="Keep me signed in").click()
    expect(leave).to_be_focused()
    assert a_widget.intents == []
    leave.click()
    a_widget.page.get_by_role("button", name=answer).click()
    assert a_widget.intents == [{"kind": "sign_out", "everywhere": everywhere}]
    a_widget.hear(status())
    a_widget.hear(signed_in(sign_out_choice=True))
    expect(a_widget.page.get_by_role("group", name="Sign out of")).to_be_hidden()


# ---- The session's time ----


@pytest.mark.parametrize("ahead", [10 * MINUTE, -10 * MINUTE, 24 * HOUR, -24 * HOUR])
def test_a_kernels_clock_that_is_minutes_or_a_day_off_changes_nothing_of_what_is_left(a_widget, ahead):
    now = NOW_MS + ahead
    running = attempt("waiting_for_browser", method="browser", link=LINK, ends_at=now + 5 * MINUTE)
    a_widget.render(signed_in(now=now, checked_at=now, expires_at=now + 5 * HOUR, attempt=running))
    expect(a_widget.card.get_by_text("5h 0m left")).to_be_visible()
    expect(a_widget.card.get_by_text("05:00 left")).to_be_visible()
    expect(a_widget.card.get_by_text("checked just now")).to_be_visible()
    a_widget.pass_time(61 * SECOND)
    expect(a_widget.card.get_by_text("4h 58m left")).to_be_visible()
    expect(a_widget.card.get_by_text("03:59 left")).to_be_visible()
    expect(a_widget.card.get_by_text("checked 1 min ago")).to_be_visible()


def test_in_60_s_of_countdown_the_shown_time_falls_by_60_s_without_a_message(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 30 * MINUTE, attempt=waiting()["attempt"]))
    for second in range(60):
        expect(a_widget.card.get_by_text(f"{30 if not second else 29}:{-second % 60:02} left")).to_be_visible()
        a_widget.pass_time(SECOND)
    expect(a_widget.card.get_by_text("29:00 left")).to_be_visible()
    expect(a_widget.card.get_by_text("03:32 left")).to_be_visible()
    assert a_widget.sent == []
    assert a_widget.hellos == 1


def test_a_laptop_that_slept_across_the_end_asks_the_server_once_on_waking(a_widget):
    ends = NOW_MS + 2 * HOUR
    a_widget.render(signed_in(expires_at=ends))
    a_widget.render()  # a second view of the same model
    a_widget.hear(signed_in(expires_at=ends))
    a_widget.page.clock.set_system_time((NOW_MS + 9 * HOUR) / 1000)
    a_widget.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    for card in a_widget.card.all():
        expect(card).to_contain_text("time is up; asking the server")
        expect(card).to_contain_text("ended 24 Nov 2026, 12:14")
    a_widget.pass_time(60 * SECOND)
    assert a_widget.intents == [{"kind": "check"}]
    a_widget.hear({**STATES["expired"], "now": NOW_MS + 9 * HOUR})
    for card in a_widget.card.all():
        expect(card).to_contain_text("session over")
        expect(card.get_by_role("button", name="Sign in again")).to_be_visible()


def test_a_session_passes_from_plenty_to_soon_to_urgent_to_its_end_on_the_page_alone(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 7 * DAY + SECOND))
    bar = a_widget.card.get_by_role("progressbar", name="Time left")
    for pause, colour in ((0, "rgb(31, 95, 208)"), (SECOND, "rgb(138, 90, 0)"), (6 * DAY, "rgb(138, 90, 0)")):
        a_widget.page.clock.fast_forward(pause)
        expect(bar).to_have_css("color", colour)
    expect(a_widget.card).to_contain_text("a job started now may outlive it")
    a_widget.page.clock.fast_forward(DAY)
    expect(bar).to_be_hidden()
    expect(a_widget.card.get_by_text("time is up; asking the server")).to_have_css("color", "rgb(179, 38, 30)")
    assert a_widget.intents == [{"kind": "check"}]
