"""Everybody can use the widget: axe-core, keyboard, screen reader, zoom, contrast, motion; each state on a plain page.

The same in real JupyterLab: test_lab_accessibility.py; the sandbox's pages: test_sandbox_pages.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import CUT_OFF, DAY, HOUR, MINUTE, NOW_MS, SAID, SECOND, SMALL, attempt, signed_in, status, violations
from .states import DIAGNOSTICS, ENVIRONMENTS, FACTS, KEY, SOURCES, STATES

UNFOLD = """() => {
  for (const fold of document.querySelectorAll("details")) if (fold.checkVisibility()) fold.open = true;
  for (const button of document.querySelectorAll("button"))
    if (button.checkVisibility() && /Sign out…|Copy diagnostics/.test(button.textContent)) button.click();
}"""
NARROW = {"viewport": {"width": 220, "height": 800}}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "high contrast": {"contrast": "more"},
    "high contrast, dark": {"contrast": "more", "color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    # 640 px at 200 % (WCAG 1.4.10).
    "200 % zoom": {"viewport": {"width": 320, "height": 400}, "device_scale_factor": 2},
    "220 px": NARROW,
    "220 px, dark": {**NARROW, "color_scheme": "dark"},
}


# ---- axe-core, and what it does not measure ----


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_state_nothing_is_cut_off_and_every_target_has_24_px(open_page, look):
    widget = open_page(**LOOKS[look])
    widget.render(manager={"kernel": None})
    for message in STATES.values():
        widget.render(message)
    widget.page.evaluate(UNFOLD)
    # axe waits by the page's timers.
    widget.page.clock.resume()
    assert violations(widget.page, ["section"], allowed=["landmark-unique"]) == []
    assert widget.page.evaluate(CUT_OFF, "section") == []
    assert widget.page.evaluate(SMALL, "section") == []
    assert widget.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (".law small { color: #bbb !important; }", "color-contrast"),
        (".law-row { gap: 0 !important; } .law button { all: unset; width: 9px; height: 9px; }", "target-size"),
    ],
)
def test_axe_would_find_faint_texts_and_small_targets(a_widget, fault, rule):
    a_widget.render(signed_in())
    a_widget.page.add_style_tag(content=fault)
    a_widget.page.clock.resume()
    assert rule in [found for found, _ in violations(a_widget.page, ["section"])]


def test_what_is_cut_off_sticks_out_or_is_small_would_be_found(a_widget):
    a_widget.render(STATES["plenty"])
    a_widget.page.add_style_tag(content=".law small { width: 40px; overflow: hidden; white-space: nowrap; }")
    assert len(a_widget.page.evaluate(CUT_OFF, "section")) > 0
    a_widget.page.add_style_tag(content=".law button { height: 20px !important; min-height: 0 !important; }")
    assert len(a_widget.page.evaluate(SMALL, "section")) > 0


def test_more_contrast_is_given_where_it_is_asked_for(open_page):
    widget = open_page(contrast="more")
    widget.render(status())
    ink = widget.card.evaluate("node => getComputedStyle(node).color")
    expect(widget.card.locator("small").first).to_have_css("color", ink)


def test_nothing_moves_where_motion_is_to_be_reduced(a_widget):
    moving = "document.getAnimations().length"
    a_widget.render(STATES["checking"])
    assert a_widget.page.evaluate(moving) == 1
    a_widget.page.emulate_media(reduced_motion="reduce")
    assert a_widget.page.evaluate(moving) == 0
    expect(a_widget.card.get_by_role("img", name="Checking")).to_have_text("…")


# ---- Keyboard ----

IN_ORDER = """() => [
  ...document.querySelectorAll("section :is(button, select, summary, input, a[href], [tabindex='0'])"),
].filter((control) => control.checkVisibility()).map((control) => control.outerHTML)"""
FOCUSED = """() => {
  const focused = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(focused);
  return [focused.outerHTML, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
}"""


@pytest.mark.parametrize(
    "state",
    ["signed out, browser", "waiting for the browser", "failed", "plenty", "key that ends within a day", "rejected"],
)
def test_the_tab_key_leads_to_every_control_in_order_shows_where_it_is_and_out_again(a_widget, state):
    page = a_widget.page
    a_widget.render(STATES[state])
    page.evaluate(UNFOLD)
    controls = page.evaluate(IN_ORDER)
    page.evaluate("document.activeElement.blur()")
    for control in controls:
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED) == [control, True]
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="outside")).to_be_focused()


def test_by_keyboard_alone_a_key_is_used_checked_and_signed_out_of_and_the_focus_is_never_lost(a_widget):
    page, keyboard = a_widget.page, a_widget.page.keyboard
    a_widget.render(status())
    keyboard.press("Tab")
    keyboard.type("lc-key")
    keyboard.press("Enter")
    for message in (STATES["asking the server"], signed_in(sign_out_choice=True)):
        a_widget.hear(message)
        assert page.evaluate("document.activeElement.closest('section') !== null")
    expect(a_widget.card.get_by_role("heading")).to_be_focused()
    for key in ("Tab", "Space", "Tab", "Enter", "Tab", "Enter"):
        keyboard.press(key)
    assert [intent["kind"] for intent in a_widget.intents] == ["use_key", "check", "sign_out"]
    a_widget.hear(status())
    expect(a_widget.card.get_by_role("heading")).to_be_focused()


# ---- What is said aloud ----


def test_each_phase_of_the_countdown_is_announced_once_and_no_tick_is(a_widget):
    ends = NOW_MS + 7 * DAY + 30 * SECOND
    a_widget.render(signed_in(expires_at=ends))
    a_widget.page.evaluate(SAID)
    until = "Signed in: ada@example.com · until 1 Dec 2026, 10:14"
    a_widget.pass_time(MINUTE)
    assert a_widget.page.evaluate("said") == [until]
    a_widget.page.clock.fast_forward(6 * DAY)
    a_widget.pass_time(MINUTE)
    assert a_widget.page.evaluate("said.splice(0)") == [until, f"{until} · a job started now may outlive it"]
    a_widget.page.clock.fast_forward(DAY)
    a_widget.pass_time(MINUTE)
    assert a_widget.page.evaluate("said") == ["Signed in: ada@example.com · ended 1 Dec 2026, 10:14"]


# ---- A key that is to be replaced ----


def test_a_key_whose_noted_end_comes_near_offers_a_new_one_and_opens_its_field(a_widget):
    new_key, old_link = (a_widget.card.get_by_role("link", name=name) for name in ("Make a new key", "Get a key"))
    a_widget.render(signed_in(**KEY, expires_at=NOW_MS + 7 * DAY + SECOND))
    expect(a_widget.card.get_by_text("7d 0h left")).to_be_visible()
    expect(new_key).to_be_hidden()
    expect(a_widget.key).to_be_hidden()
    a_widget.pass_time(SECOND)
    expect(new_key).to_have_attribute("href", "https://app.luminarycloud.com/")
    expect(a_widget.key).to_be_visible()
    expect(old_link).to_be_hidden()
    # It is the person's to fold it away.
    a_widget.page.get_by_text("Use another key").click()
    a_widget.pass_time(MINUTE)
    expect(a_widget.key).to_be_hidden()
    a_widget.hear(signed_in(**{**KEY, "expires_at": None, "expiry": "unknown"}))
    expect(new_key).to_be_hidden()


def test_the_end_of_a_key_in_use_does_not_stand_in_the_form_for_the_next(a_widget):
    a_widget.render(signed_in(**KEY, expires_at=NOW_MS + 3 * DAY))
    lasts, until = (a_widget.page.get_by_label(label, exact=True) for label in ("Key lasts", "Key lasts until"))
    lasts.select_option(label="until a date…")
    until.fill("2026-12-05")
    # Refused: what was chosen stays, for the key that was meant.
    a_widget.hear(signed_in(**KEY, expires_at=NOW_MS + 3 * DAY, attempt=attempt("failed")))
    expect(until).to_have_value("2026-12-05")
    a_widget.hear(signed_in(**KEY, expires_at=NOW_MS + 4 * DAY))
    expect(lasts).to_have_value("")
    expect(until).to_be_hidden()


def test_a_browser_session_and_a_key_of_unknown_end_bring_no_such_reminder(a_widget):
    a_widget.render()
    for changes in ({"expires_at": NOW_MS + HOUR}, {"expires_at": None, "expiry": "unknown"}):
        a_widget.hear(signed_in(**changes))
        expect(a_widget.card.get_by_role("link", name="Make a new key")).to_be_hidden()
        expect(a_widget.key).to_be_hidden()


# ---- Small comforts ----

DETAILS = signed_in(sources=SOURCES, environments=ENVIRONMENTS, facts=FACTS, diagnostics=DIAGNOSTICS)


def test_details_stay_as_they_were_left_in_other_views_and_after_a_reload(a_widget):
    summary, row = a_widget.page.get_by_text("Details", exact=True), a_widget.page.get_by_role("row", name="SDK")
    a_widget.render(DETAILS)
    expect(row).to_have_count(0)
    summary.click()
    a_widget.render(DETAILS)
    expect(row).to_have_count(2)
    for left_open in (1, 0):
        a_widget.page.reload()
        a_widget.render(DETAILS)
        expect(row).to_have_count(left_open)
        summary.press("Enter")
    assert a_widget.page.evaluate("({ ...localStorage })") == {"law-details": "true"}


def test_where_the_page_may_keep_nothing_details_open_all_the_same(a_widget):
    a_widget.page.evaluate(
        "() => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('SecurityError'); } })"
    )
    a_widget.render(DETAILS)
    a_widget.page.get_by_text("Details", exact=True).click()
    expect(a_widget.page.get_by_role("row", name="SDK")).to_be_visible()
    a_widget.page.get_by_text("Details", exact=True).click()
    expect(a_widget.page.get_by_role("row", name="SDK")).to_have_count(0)


def test_diagnostics_are_what_the_kernel_knows_with_the_page_and_the_browser(open_page):
    widget = open_page(permissions=["clipboard-read", "clipboard-write"])
    _put_config(widget.page, '{"appName": "JupyterLab", "appVersion": "4.6.6", "token": "secret"}')
    widget.render(DETAILS)
    widget.page.get_by_text("Details", exact=True).click()
    widget.page.get_by_role("button", name="Copy diagnostics").click()
    copied = widget.page.get_by_role("button", name="Copied")
    expect(copied).to_be_visible()
    expect(copied).to_have_attribute("aria-live", "polite")
    agent = widget.page.evaluate("navigator.userAgent")
    assert widget.page.evaluate("navigator.clipboard.readText()") == f"{DIAGNOSTICS}\nJupyterLab 4.6.6\n{agent}"


def _put_config(page: Page, text: str) -> None:
    page.evaluate(
        """(text) => document.body.append(Object.assign(
          document.createElement("script"), { id: "jupyter-config-data", type: "application/json", text }))""",
        text,
    )
