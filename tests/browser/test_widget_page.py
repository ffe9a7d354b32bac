"""The front end alone: the real widget.js and widget.css on a plain page, with a model that records what is sent."""

from __future__ import annotations

import gzip
import re

import pytest
from playwright.sync_api import expect

from .conftest import DAY, HOUR, MINUTE, NOW_MS, SAID, SECOND, STATIC, attempt, signed_in, status
from .states import ENV_FILE, FACTS, NOTICE, SOURCES, STATES

MARKUP = "<img src=x onerror='document.title=`hit`'><b>bold</b>"
# JupyterLab keeps such a request until the kernel is free.
ANSWERS_LATER = """() => {
  model.widget_manager.kernel.requestKernelInfo = () => new Promise((resolve) => (window.answer = resolve));
}"""
OVERFLOWING = """() => [...document.querySelectorAll("section, section *")].filter((node) =>
  node.checkVisibility() && getComputedStyle(node).textOverflow !== "ellipsis" && node.tagName !== "INPUT"
  && node.getAttribute("role") !== "status" && node.scrollWidth > node.clientWidth && node.clientWidth > 0
  && getComputedStyle(node).display !== "inline").map((node) => node.outerHTML.slice(0, 120))"""
LONG = "x" * 90 + " and-quite-a-long-file-name-without-any-space-in-it.env"


# ---- What is drawn ----


def test_beside_other_widgets_in_a_row_the_card_has_its_width(a_widget):
    a_widget.page.add_style_tag(content="main { display: flex; }")
    a_widget.render(signed_in())
    assert a_widget.card.bounding_box()["width"] > 500


@pytest.mark.parametrize("width", [560, 220])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_drawn_without_overflow_in_both_themes(a_widget, tmp_path, scheme, width):
    a_widget.page.emulate_media(color_scheme=scheme)
    for name, message in STATES.items():
        a_widget.render(message, width=width)
        expect(a_widget.card.last.get_by_role("heading").first).to_have_text(message["title"])
        assert a_widget.page.evaluate(OVERFLOWING) == [], name
    a_widget.page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)


def test_nothing_overflows_at_220_px_with_long_texts(a_widget):
    long_source = {**SOURCES[1], "title": LONG, "detail": LONG, "note": LONG}
    a_widget.render(
        signed_in(
            title=LONG,
            subtitle=LONG,
            message=LONG,
            next_step=LONG,
            attempt=attempt("failed", message=LONG, next_step=LONG, can_retry=True),
            offers=["browser", "key", "load_env", "check", "sign_out"],
            env_file={"path": LONG, "label": LONG},
            remember={"label": LONG},
            sources=[long_source],
            facts=[[LONG, LONG]],
            notices=[{**NOTICE, "text": LONG, "actions": [{"kind": "x", "label": LONG}]}],
        ),
        width=220,
    )
    for fold in ("Use another key", "Details"):
        a_widget.page.get_by_text(fold, exact=True).click()
    assert a_widget.page.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize(
    ("body", "system", "ink"),
    [
        ({"jpThemeLight": "true"}, "dark", "rgb(27, 31, 36)"),
        ({"jpThemeLight": "false"}, "light", "rgb(236, 239, 243)"),
        ({}, "light", "rgb(27, 31, 36)"),
        ({}, "dark", "rgb(236, 239, 243)"),
    ],
)
def test_the_theme_is_jupyters_and_else_the_systems(a_widget, body, system, ink):
    a_widget.page.emulate_media(color_scheme=system)
    a_widget.page.evaluate("(data) => Object.assign(document.body.dataset, data)", body)
    a_widget.render(status())
    expect(a_widget.card).to_have_css("color", ink)


def test_before_the_kernel_answers_the_traits_are_drawn_and_the_key_field_is_usable(a_widget):
    a_widget.render()
    expect(a_widget.card.get_by_role("heading")).to_have_text("Not signed in")
    expect(a_widget.key).to_be_editable()
    assert a_widget.hellos == 1


def test_traits_of_yesterday_are_not_drawn_before_the_kernel_answers(a_widget):
    traits = {"state": "signed_in", "expires_at": NOW_MS + DAY, "kernel_now": NOW_MS - DAY}
    a_widget.render(traits=traits)
    expect(a_widget.card).to_contain_text("Waiting for the kernel…")
    expect(a_widget.card.get_by_role("heading")).to_be_hidden()
    a_widget.hear(signed_in())
    expect(a_widget.card.get_by_role("heading")).to_have_text("ada@example.com")


def test_whoever_turns_to_the_widget_sees_what_is_there_now(a_widget):
    a_widget.render(status())
    a_widget.pass_time(2 * SECOND)
    a_widget.card.hover()
    assert a_widget.hellos == 2
    # Once: the answer is due.
    a_widget.page.get_by_role("button", name="outside").hover()
    a_widget.card.hover()
    assert a_widget.hellos == 2
    a_widget.hear(
        status(env_file={"path": "/notebooks/.env", "label": "found at ./.env, key …a1b2"}, offers=["load_env"])
    )
    expect(a_widget.card.get_by_role("button", name="Load")).to_be_visible()
    a_widget.pass_time(2 * SECOND)
    a_widget.card.get_by_role("button", name="Load").focus()
    assert a_widget.hellos == 3


def test_markup_in_every_text_is_shown_as_text(a_widget):
    a_widget.render(
        status(
            endpoint=MARKUP,
            title=MARKUP,
            subtitle=MARKUP,
            message=MARKUP,
            next_step=MARKUP,
            attempt=attempt("failed", message=MARKUP, next_step=MARKUP),
            offers=["key", "load_env"],
            key_page=MARKUP,
            env_file={"path": MARKUP, "label": MARKUP},
            remember={"label": MARKUP},
            sources=[{**SOURCES[0], "title": MARKUP, "detail": MARKUP, "note": MARKUP}],
            facts=[[MARKUP, MARKUP]],
            notices=[{"id": "n", "text": MARKUP, "actions": [{"kind": "k", "label": MARKUP}]}],
        )
    )
    a_widget.page.get_by_text("Details", exact=True).click()
    # Three of them are said aloud as well.
    assert a_widget.card.inner_text().count("<b>bold</b>") == 17 + 3
    expect(a_widget.card.locator("img")).to_have_count(0)
    expect(a_widget.page).to_have_title("A page")


def test_rows_of_details_can_be_used_and_stay_open_when_the_kernel_speaks_again(a_widget):
    a_widget.render(signed_in(sources=SOURCES, facts=FACTS))
    a_widget.page.get_by_text("Details", exact=True).click()
    expect(a_widget.page.get_by_role("row", name="Browser session")).to_contain_text("in use")
    use = a_widget.page.get_by_role("row", name=".env, this folder").get_by_role("button", name="Use this one")
    use.focus()
    a_widget.hear(signed_in(sources=SOURCES[::-1], facts=[["SDK", "luminarycloud 0.29.0"]]))
    expect(a_widget.page.get_by_role("row")).to_have_text(
        [re.compile(r"\.env"), re.compile("Browser"), re.compile("0.29")]
    )
    expect(use).to_be_focused()
    use.click()
    assert a_widget.intents == [{"kind": "use_source", "id": "env_file"}]


def test_a_notice_sends_its_action_back(a_widget):
    a_widget.render(status(notices=[NOTICE]))
    a_widget.page.get_by_role("button", name="Add to .gitignore").click()
    assert a_widget.intents == [{"kind": "ignore_env", "id": "gitignore"}]


def test_only_web_addresses_become_links(a_widget):
    a_widget.render(status(key_page="javascript:document.title='hit'"))
    expect(a_widget.card.get_by_role("link")).to_have_count(0)
    expect(a_widget.card).to_contain_text("javascript:document.title='hit'")
    a_widget.hear(status(key_page="https://app.luminarycloud.com/"))
    link = a_widget.card.get_by_role("link", name="Get a key")
    expect(link).to_have_attribute("href", "https://app.luminarycloud.com/")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


# ---- Time ----


def test_the_countdown_ticks_with_the_page_and_sends_nothing(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 59 * MINUTE + 12 * SECOND))
    expect(a_widget.card.get_by_text("59:12 left")).to_be_visible()
    a_widget.pass_time(60 * SECOND)
    expect(a_widget.card.get_by_text("58:12 left")).to_be_visible()
    expect(a_widget.card.get_by_text("checked 1 min ago")).to_be_visible()
    assert a_widget.sent == []
    assert a_widget.hellos == 1


def test_views_that_come_together_ask_the_kernel_once_and_all_draw_its_answer(a_widget):
    a_widget.render(traits={"kernel_now": NOW_MS - DAY})
    for _ in range(4):
        a_widget.render()
    assert a_widget.hellos == 1
    a_widget.hear(signed_in())
    assert a_widget.card.get_by_role("heading", name="ada@example.com").count() == 5
    a_widget.render()
    assert a_widget.hellos == 2


def test_a_view_off_the_screen_is_not_drawn_each_second_and_is_right_when_it_is_scrolled_to(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 30 * MINUTE))
    for _ in range(9):
        a_widget.render()
    a_widget.hear(signed_in(expires_at=NOW_MS + 30 * MINUTE))
    last = a_widget.card.last
    expect(last).not_to_be_in_viewport()
    a_widget.pass_time(5000)
    expect(a_widget.card.first).to_contain_text("29:55 left")
    expect(last).to_contain_text("30:00 left")
    last.scroll_into_view_if_needed()
    expect(last).to_contain_text("29:55 left")


def test_the_countdown_is_corrected_by_the_kernels_clock(a_widget):
    kernel_now = NOW_MS + 10 * MINUTE
    a_widget.render(signed_in(now=kernel_now, checked_at=kernel_now, expires_at=kernel_now + 30 * MINUTE))
    expect(a_widget.card.get_by_text("30:00 left")).to_be_visible()
    a_widget.pass_time(SECOND)
    expect(a_widget.card.get_by_text("29:59 left")).to_be_visible()


@pytest.mark.parametrize(
    ("left", "expiry", "text"),
    [
        (29 * DAY + 4 * HOUR, "recorded", "29d 4h left"),
        (6 * DAY, "noted", "6d 0h left"),
        (21 * HOUR + 5 * MINUTE, "about", "about 21h 5m left"),
        (59 * SECOND, "recorded", "00:59 left"),
    ],
)
def test_what_is_left_is_told_in_fitting_units(a_widget, left, expiry, text):
    a_widget.render(signed_in(expires_at=NOW_MS + left, expiry=expiry))
    expect(a_widget.card.get_by_text(text, exact=True)).to_be_visible()


def test_the_end_is_told_in_the_pages_language_and_the_bar_shows_the_share(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 15 * DAY))
    expect(a_widget.card.get_by_text("until 9 Dec 2026, 10:14")).to_be_visible()
    expect(a_widget.card.get_by_role("progressbar", name="Time left")).to_have_js_property("value", 500)


def test_within_a_day_of_the_end_the_mark_warns(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + DAY + SECOND))
    mark = a_widget.card.get_by_role("img", name="Signed in")
    expect(mark).to_have_text("✓")
    a_widget.pass_time(SECOND)
    expect(mark).to_have_text("!")
    expect(a_widget.card).to_contain_text("a job started now may outlive it")


def test_when_the_time_is_up_the_server_is_asked_once_for_all_views(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 2 * SECOND))
    a_widget.page.evaluate(
        "async () => (await import('/widget.js')).default.render({ model, el: document.querySelector('main') })"
    )
    a_widget.hear(signed_in(expires_at=NOW_MS + 2 * SECOND))
    a_widget.pass_time(5 * SECOND)
    expect(a_widget.card.first).to_contain_text("time is up; asking the server")
    assert a_widget.intents == [{"kind": "check"}]
    a_widget.hear(signed_in(now=NOW_MS + 5 * SECOND, expires_at=NOW_MS + 2 * SECOND, checked_at=NOW_MS + 5 * SECOND))
    expect(a_widget.card.first).to_contain_text("past its expected end")
    a_widget.pass_time(60 * SECOND)
    assert a_widget.intents == [{"kind": "check"}]


def test_a_session_that_is_over_says_so_and_a_key_without_known_end_too(a_widget):
    a_widget.render(STATES["expired"])
    expect(a_widget.card.get_by_text("session over", exact=True)).to_be_visible()
    a_widget.hear(STATES["key without a known end"])
    expect(a_widget.card.get_by_text("no expiry known")).to_be_visible()
    expect(a_widget.card.get_by_role("progressbar")).to_be_hidden()


def test_after_a_sleep_the_right_time_stands_there_at_once(a_widget):
    a_widget.render(signed_in(expires_at=NOW_MS + 30 * MINUTE))
    a_widget.page.clock.set_system_time((NOW_MS + 10 * MINUTE) / 1000)
    a_widget.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(a_widget.card.get_by_text("20:00 left")).to_be_visible()


def test_one_timer_serves_all_views_and_ends_with_the_last(a_widget):
    a_widget.page.evaluate(
        """() => {
          window.timers = new Set();
          const { setTimeout: set, clearTimeout: clear } = window;
          window.setTimeout = (run, ...rest) => {
            const id = set(() => (timers.delete(id), run()), ...rest);
            timers.add(id);
            return id;
          };
          window.clearTimeout = (id) => (timers.delete(id), clear(id));
        }"""
    )
    for _ in range(3):
        a_widget.render()
    a_widget.pass_time(3 * SECOND)
    assert a_widget.page.evaluate("timers.size") == 1
    a_widget.page.evaluate("cleanUps.forEach((cleanUp) => cleanUp())")
    assert a_widget.page.evaluate("timers.size") == 0


def test_the_clean_up_takes_everything_away(a_widget):
    a_widget.render(signed_in(sources=SOURCES))
    a_widget.page.evaluate("cleanUps[0]()")
    assert a_widget.page.evaluate("model.listeners") == []
    assert a_widget.page.evaluate("document.querySelector('main > div').childNodes.length") == 0
    a_widget.hear(signed_in())
    a_widget.pass_time(60 * SECOND)
    assert a_widget.sent == []


# ---- The key ----


def test_the_key_leaves_as_one_buffer_from_an_emptied_field_and_stays_nowhere(a_widget):
    a_widget.render(status())
    a_widget.key.fill("lc-secret-0001")
    a_widget.key.press("Enter")
    assert a_widget.sent == [
        {
            "content": {"kind": "use_key", "remember": False, "lasts": ""},
            "buffers": ["lc-secret-0001"],
            "fields": a_widget.sent[0]["fields"],
        }
    ]
    assert not any("secret" in value for value in a_widget.sent[0]["fields"])
    assert a_widget.page.evaluate("model.sent.at(-1).bytes[0].every((byte) => byte === 0)")
    assert "lc-secret" not in a_widget.page.content()
    assert "lc-secret" not in a_widget.page.evaluate("JSON.stringify([model.traits, { ...localStorage }])")


def test_the_key_field_is_a_password_that_is_not_kept(a_widget):
    a_widget.render(status())
    for name, value in {"type": "password", "autocomplete": "off", "spellcheck": "false", "data-1p-ignore": ""}.items():
        expect(a_widget.key).to_have_attribute(name, value)


def test_an_empty_key_is_asked_for_at_once(a_widget):
    a_widget.render(status())
    a_widget.page.get_by_role("button", name="Use key").click()
    expect(a_widget.page.get_by_role("alert")).to_have_text("Paste an API key first.")
    expect(a_widget.key).to_be_focused()
    assert a_widget.sent == []
    a_widget.key.press_sequentially("l")
    expect(a_widget.page.get_by_role("alert")).to_be_hidden()


def test_pasted_lines_reach_the_kernel_as_they_were_until_they_are_edited(a_widget):
    paste = """(field, text) => {
      field.focus();
      const data = new DataTransfer();
      data.setData("text", text);
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
      document.execCommand("insertText", false, text.replaceAll("\\n", ""));
      field.dispatchEvent(new InputEvent("input", { inputType: "insertFromPaste", bubbles: true }));
    }"""
    lines = "LC_API_KEY=lc-1\nOTHER=2\n"
    a_widget.render(status())
    a_widget.page.evaluate(
        """document.addEventListener("input", (event) => {
          if (event.inputType === "insertText" && event.data !== "x") event.stopImmediatePropagation();
        }, true)"""
    )
    a_widget.key.evaluate(paste, lines)
    a_widget.key.press("Enter")
    assert a_widget.sent[-1]["buffers"] == [lines]
    a_widget.key.evaluate(paste, lines)
    a_widget.key.press("x")
    a_widget.key.press("Enter")
    assert a_widget.sent[-1]["buffers"] == ["LC_API_KEY=lc-1OTHER=2x"]


def test_show_and_hide_tell_whether_they_are_pressed(a_widget):
    a_widget.render(status())
    a_widget.page.get_by_role("button", name="Show", pressed=False).click()
    expect(a_widget.key).to_have_attribute("type", "text")
    a_widget.page.get_by_role("button", name="Hide", pressed=True).click()
    expect(a_widget.key).to_have_attribute("type", "password")


@pytest.mark.parametrize(
    ("choice", "lasts"), [("I don't know", ""), ("three months", "P3M"), ("until a date…", "2027-01-31")]
)
def test_remember_and_how_long_the_key_lasts_go_with_the_key(a_widget, choice, lasts):
    a_widget.render(status())
    a_widget.page.get_by_label("Remember in ./.env").check()
    a_widget.page.get_by_label("Key lasts", exact=True).select_option(label=choice)
    until = a_widget.page.get_by_label("Key lasts until")
    if choice.startswith("until"):
        until.fill(lasts)
    else:
        expect(until).to_be_hidden()
    a_widget.key.fill("lc-1")
    a_widget.page.get_by_role("button", name="Use key").click()
    assert a_widget.intents == [{"kind": "use_key", "remember": True, "lasts": lasts}]


def test_an_end_that_was_not_chosen_is_asked_for_before_the_key_leaves(a_widget):
    a_widget.render(status())
    a_widget.page.get_by_label("Key lasts", exact=True).select_option(label="until a date…")
    a_widget.key.fill("lc-1")
    use = a_widget.page.get_by_role("button", name="Use key")
    use.click()
    expect(a_widget.page.get_by_label("Key lasts until")).to_be_focused()
    expect(a_widget.key).to_have_value("lc-1")
    assert a_widget.intents == []
    a_widget.page.get_by_label("Key lasts", exact=True).select_option(label="one week")
    use.click()
    assert a_widget.intents == [{"kind": "use_key", "remember": False, "lasts": "P7D"}]


def test_a_half_typed_key_its_caret_and_the_focus_survive_what_the_kernel_says(a_widget):
    a_widget.render(status())
    a_widget.key.press_sequentially("lc-ab")
    a_widget.key.press("ArrowLeft")
    a_widget.hear(status(env_file=ENV_FILE, offers=["key", "load_env"], sources=SOURCES))
    a_widget.pass_time(5 * SECOND)
    a_widget.hear(signed_in())
    a_widget.page.keyboard.type("X")
    expect(a_widget.key).to_have_value("lc-aXb")
    expect(a_widget.key).to_be_focused()


def test_while_signed_in_the_key_form_is_folded_away(a_widget):
    a_widget.render(signed_in())
    expect(a_widget.key).to_be_hidden()
    a_widget.page.get_by_text("Use another key").click()
    a_widget.hear(signed_in(subtitle="from .env"))
    expect(a_widget.key).to_be_visible()
    a_widget.hear(status())
    expect(a_widget.key).to_be_visible()
    expect(a_widget.page.get_by_text("Use another key")).to_be_hidden()


def test_a_dotenv_file_is_loaded_by_its_path(a_widget):
    a_widget.render(STATES["signed out"])
    a_widget.page.get_by_role("button", name="Load").click()
    assert a_widget.intents == [{"kind": "load_env", "path": "./.env"}]


# ---- Attempts, signing out ----


def test_a_failed_attempt_is_an_alert_and_can_be_tried_again(a_widget):
    a_widget.render(status(attempt=attempt("checking")))
    expect(a_widget.card).to_contain_text("Asking the server…")
    a_widget.page.get_by_role("button", name="Cancel").click()
    a_widget.hear(STATES["failed"])
    expect(a_widget.page.get_by_role("alert")).to_contain_text("The server refused this key. It was revoked")
    a_widget.page.get_by_role("button", name="Try again").click()
    a_widget.page.get_by_role("button", name="Dismiss").click()
    assert a_widget.intents == [{"kind": "cancel"}, {"kind": "retry"}, {"kind": "dismiss"}]


def test_after_a_refused_key_the_field_has_the_focus_if_the_widget_had_it(a_widget):
    a_widget.render(status(attempt=attempt("checking")))
    a_widget.hear(STATES["failed"])
    expect(a_widget.key).not_to_be_focused()
    a_widget.hear(status(attempt=attempt("checking")))
    a_widget.page.get_by_role("button", name="Cancel").focus()
    a_widget.hear(STATES["failed"])
    expect(a_widget.key).to_be_focused()


def test_focus_moves_to_the_heading_when_its_control_goes_away(a_widget):
    a_widget.render(signed_in())
    a_widget.page.get_by_role("button", name="Sign out").click()
    a_widget.hear(status())
    expect(a_widget.card.get_by_role("heading")).to_be_focused()
    assert a_widget.intents == [{"kind": "sign_out", "everywhere": False}]


# ---- What a screen reader hears, what a notebook hears ----


def test_the_live_region_says_a_change_once_and_does_not_tick(a_widget):
    a_widget.render(status())
    live = a_widget.card.get_by_role("status")
    expect(live).to_be_empty()
    a_widget.page.evaluate(SAID)
    a_widget.hear(status(attempt=attempt("checking")))
    a_widget.hear(signed_in())
    a_widget.hear(signed_in(busy=True))
    a_widget.pass_time(60 * SECOND)
    expect(live).to_have_text("Signed in: ada@example.com")
    assert a_widget.page.evaluate("said") == ["Asking the server…", "Signed in: ada@example.com"]


def test_what_is_said_beside_the_state_is_heard_once_with_the_state_before_it(a_widget):
    a_widget.render(signed_in(), manager={"kernel": {"status": "idle"}})
    a_widget.page.evaluate(SAID)
    untold = {"message": "Signed out on this machine.", "next_step": "The server was not told."}
    kept = {"id": "git", "text": "./.gitignore now keeps .env out of git.", "actions": []}
    for message in (
        signed_in(notices=[kept]),
        signed_in(notices=[kept], busy=True),
        signed_in(),
        status(**untold),
        status(**untold, attempt=attempt("failed", message="The server refused this key.")),
    ):
        a_widget.hear(message)
    assert a_widget.page.evaluate("said.splice(0)") == [
        "Signed in: ada@example.com · ./.gitignore now keeps .env out of git.",
        "",
        "Not signed in · Signed out on this machine. The server was not told.",
        "",  # a failure has an alert of its own
    ]
    a_widget.hear(signed_in(offers=["check"]))
    a_widget.page.get_by_role("button", name="Check").click()
    a_widget.page.evaluate("said.splice(0); model.widget_manager.kernel.status = 'busy'")
    a_widget.pass_time(SECOND)
    busy = "Signed in: ada@example.com · The kernel is busy; this happens when the running cell ends."
    assert a_widget.page.evaluate("said") == [busy]


def test_plain_keys_stay_in_the_card_and_saving_works(a_widget):
    a_widget.render(signed_in(offers=["check", "sign_out"]))
    a_widget.page.evaluate("window.keys = []; document.addEventListener('keydown', (event) => keys.push(event.key))")
    a_widget.page.get_by_role("button", name="Check").focus()
    # With these Controls, JupyterLab would select the cells, merge them, and undo what was typed in one of them.
    controls = [f"Control+{key}" for key in ("Enter", "a", "A", "Backspace", "z", "Shift+Z", "y", "s")]
    for key in ("b", "Shift+Enter", "Alt+Enter", *controls):
        a_widget.page.keyboard.press(key)
    assert a_widget.page.evaluate("keys.filter((key) => !['Shift', 'Control', 'Alt'].includes(key))") == ["s"]


def test_what_was_typed_can_be_taken_back(a_widget):
    a_widget.render(status())
    a_widget.key.focus()
    a_widget.page.keyboard.insert_text("lc-wrong")
    a_widget.key.press("Control+z")
    expect(a_widget.key).to_have_value("")


def test_all_of_a_field_can_be_selected(a_widget):
    a_widget.render(status())
    a_widget.key.fill("lc-half")
    a_widget.key.press("Control+a")
    a_widget.key.press("l")
    expect(a_widget.key).to_have_value("l")


def test_shift_enter_in_the_key_field_uses_the_key(a_widget):
    a_widget.render(status())
    a_widget.key.fill("lc-1")
    a_widget.key.press("Shift+Enter")
    assert [one["buffers"] for one in a_widget.sent] == [["lc-1"]]


def test_a_second_enter_while_a_key_is_checked_says_and_sends_nothing(a_widget):
    a_widget.render(status())
    a_widget.key.fill("lc-1")
    a_widget.key.press("Enter")
    a_widget.key.press("Enter")
    expect(a_widget.page.get_by_text("Paste an API key first.")).to_be_hidden()
    a_widget.hear(status(attempt=attempt("checking", method="api_key")))
    a_widget.key.press("Enter")
    expect(a_widget.page.get_by_text("Paste an API key first.")).to_be_hidden()
    assert [one["buffers"] for one in a_widget.sent] == [["lc-1"]]


def test_every_control_is_24_px_high_at_least(a_widget):
    for message in STATES.values():
        a_widget.render(message, width=220)
    small = """() => [...document.querySelectorAll("button, select, summary, label, section a")]
      .filter((control) => control.checkVisibility() && control.getBoundingClientRect().height < 24)
      .map((control) => control.textContent)"""
    assert a_widget.page.evaluate(small) == ["outside"]


# ---- The kernel ----


def test_a_click_that_the_kernel_has_not_answered_says_so(a_widget):
    a_widget.render(signed_in(), manager={"kernel": {"status": "idle"}})
    a_widget.page.get_by_role("button", name="Check").click()
    expect(a_widget.card).to_contain_text("Waiting for the kernel…")
    a_widget.page.evaluate("model.widget_manager.kernel.status = 'busy'")
    a_widget.pass_time(SECOND)
    expect(a_widget.card).to_contain_text("The kernel is busy; this happens when the running cell ends.")
    a_widget.pass_time(60 * SECOND)
    expect(a_widget.card.get_by_role("heading")).to_have_text("ada@example.com")
    a_widget.hear(signed_in(busy=True))
    expect(a_widget.card).not_to_contain_text("The kernel is busy")
    assert a_widget.intents == [{"kind": "check"}]


def test_what_the_kernel_says_before_it_has_heard_the_page_is_no_answer_to_a_click(a_widget):
    a_widget.render(signed_in(unasked=True), manager={"kernel": {"status": "busy"}})
    a_widget.page.get_by_role("button", name="Check").click()
    a_widget.pass_time(SECOND)
    a_widget.hear(signed_in(unasked=True))
    expect(a_widget.card).to_contain_text("The kernel is busy; this happens when the running cell ends.")
    a_widget.hear(signed_in())
    expect(a_widget.card).not_to_contain_text("The kernel is busy")


@pytest.mark.parametrize(
    ("kernel", "sentence"),
    [
        (None, "Saved view: run this cell to sign in."),
        ({"status": "dead"}, "This kernel is gone. Run the cell again to sign in."),
        ({"status": "unknown"}, "This page has lost the kernel. Reload it if that outlasts the running cell."),
        ({"status": "terminating"}, "This kernel is gone. Run the cell again to sign in."),
    ],
)
def test_without_a_kernel_one_sentence_stands_there_and_nothing_else(a_widget, kernel, sentence):
    a_widget.render(traits={"state": "signed_in", "expires_at": NOW_MS + DAY}, manager={"kernel": kernel})
    expect(a_widget.card.get_by_text(sentence)).to_be_visible()
    expect(a_widget.card.get_by_role("heading")).to_be_hidden()
    expect(a_widget.card.get_by_text("left")).to_have_count(0)


def test_a_busy_kernel_is_waited_for_and_a_silent_one_is_given_up(a_widget):
    a_widget.render(manager={"kernel": {"status": "busy"}})
    a_widget.pass_time(30 * SECOND)
    expect(a_widget.card).to_contain_text("The kernel is busy")
    expect(a_widget.key).to_be_editable()
    a_widget.page.evaluate("model.widget_manager.kernel.status = 'idle'")
    a_widget.pass_time(6 * SECOND)
    expect(a_widget.card).to_contain_text("This kernel is gone. Run the cell again to sign in.")


def test_a_hand_that_passes_over_the_card_while_a_cell_runs_brings_no_sentence(a_widget):
    a_widget.render(status(), manager={"kernel": {"status": "busy"}})
    a_widget.pass_time(2 * SECOND)
    a_widget.card.hover()
    a_widget.pass_time(30 * SECOND)
    expect(a_widget.card).not_to_contain_text("The kernel is busy")
    assert a_widget.hellos == 1


def test_a_kernel_that_runs_a_cell_and_says_that_it_is_idle_is_waited_for(a_widget):
    a_widget.render(manager={"kernel": {"status": "idle"}})
    a_widget.page.evaluate(ANSWERS_LATER)
    a_widget.pass_time(30 * SECOND)
    expect(a_widget.card).to_contain_text("The kernel is busy")
    # The cell has ended: the kernel answers what came after the hello, and had nothing to say to that.
    a_widget.page.evaluate("answer()")
    expect(a_widget.card).to_contain_text("This kernel is gone. Run the cell again to sign in.")


def test_a_saved_view_in_a_running_notebook_says_so(a_widget):
    a_widget.render(traits={"kernel_now": NOW_MS - DAY}, manager={"kernel": {"status": "idle"}})
    a_widget.pass_time(6 * SECOND)
    expect(a_widget.card).to_contain_text("Saved view: run this cell to sign in.")


def test_a_kernel_that_goes_takes_the_identity_along_and_gives_it_back_when_it_answers(a_widget):
    a_widget.render(signed_in(sources=SOURCES), manager={"kernel": {"status": "idle"}})
    a_widget.page.get_by_text("Use another key").click()
    a_widget.key.fill("lc-half")
    a_widget.page.evaluate("model.emit('comm_live_update')")
    expect(a_widget.card).to_contain_text("This kernel is gone. Run the cell again to sign in.")
    expect(a_widget.card).not_to_contain_text("ada@example.com")
    expect(a_widget.card).not_to_contain_text("9f3c")
    assert a_widget.hellos == 2
    a_widget.hear(signed_in())
    expect(a_widget.card.get_by_role("heading")).to_have_text("ada@example.com")
    expect(a_widget.key).to_have_value("lc-half")


@pytest.mark.parametrize(("status_then", "kept"), [("idle", [0, 0]), ("unknown", [108, 99])])
def test_a_key_that_was_sent_is_wiped_unless_jupyter_holds_it_until_the_connection_is_back(a_widget, status_then, kept):
    a_widget.render(status(), manager={"kernel": {"status": "idle"}})
    a_widget.key.fill("lc")
    a_widget.page.evaluate(
        """(status) => {
      model.widget_manager.kernel.status = status;
      model.send = (_intent, _callbacks, buffers) => buffers && (window.sent = buffers[0]);
    }""",
        status_then,
    )
    a_widget.page.get_by_role("button", name="Use key").click()
    assert a_widget.page.evaluate("[...sent]") == kept


def test_a_kernel_that_comes_back_is_greeted_again(a_widget):
    a_widget.render(signed_in(), manager={"kernel": {"status": "idle"}})
    for state in ("unknown", "idle"):
        a_widget.page.evaluate("(state) => { model.widget_manager.kernel.status = state }", state)
        a_widget.pass_time(SECOND)
    assert a_widget.hellos == 2


def test_a_comm_that_ended_with_its_kernel_is_noticed_at_a_click(a_widget):
    a_widget.render(signed_in(), manager={"kernel": {"status": "idle"}})
    a_widget.page.evaluate("model.disposed = true")
    a_widget.page.get_by_role("button", name="Check").click()
    expect(a_widget.card).to_contain_text("This kernel is gone. Run the cell again to sign in.")


@pytest.mark.parametrize("phase", ["", "waiting_for_browser", "failed"])
def test_before_the_kernel_has_answered_no_attempt_is_drawn_of_which_only_the_phase_is_known(a_widget, phase):
    a_widget.render(traits={"attempt": phase})
    expect(a_widget.card).to_contain_text("Not signed in")
    for name in ("Cancel", "Copy link", "Try again"):
        expect(a_widget.page.get_by_role("button", name=name)).to_have_count(0)


def test_the_front_end_stays_small():
    files = [(STATIC / name).read_bytes() for name in ("widget.js", "widget.css")]
    assert sum(map(len, files)) < 45_000
    assert sum(len(gzip.compress(file)) for file in files) < 14_000


# ---- Front ends that are not Jupyter's ----


def test_a_page_with_a_manager_of_its_own_and_no_kernel_to_ask_waits_for_the_answer_and_breaks_nothing(a_widget):
    a_widget.render(manager={"get_model": "marimo's"})
    a_widget.pass_time(60 * SECOND)
    expect(a_widget.card.get_by_role("heading")).to_have_text("Not signed in")
    a_widget.hear(signed_in())
    a_widget.card.get_by_role("button", name="Check").click()
    a_widget.pass_time(60 * SECOND)
    expect(a_widget.card).to_contain_text("Waiting for the kernel…")
    expect(a_widget.card.get_by_role("heading")).to_have_text("ada@example.com")


def test_a_page_that_tells_nothing_of_its_kernel_waits_for_a_busy_one(a_widget):
    a_widget.render(manager={"create_view": "Colab's"})
    a_widget.hear(signed_in())
    a_widget.pass_time(2 * SECOND)
    a_widget.card.hover()
    a_widget.pass_time(60 * SECOND)
    expect(a_widget.card.get_by_role("heading")).to_have_text("ada@example.com")


def test_a_page_of_a_saved_notebook_without_any_kernel_says_so(a_widget):
    a_widget.render(traits={"kernel_now": NOW_MS - DAY}, manager={"create_view": "an HTML export's"})
    a_widget.pass_time(10 * SECOND)
    expect(a_widget.card).to_contain_text("Saved view: run this cell to sign in.")


def test_the_widget_asks_nothing_of_jupyters_page_and_every_colour_of_jupyters_has_another_behind_it():
    script, style = ((STATIC / name).read_text() for name in ("widget.js", "widget.css"))
    # What pages of Jupyter have, and VS Code, Colab and marimo have not.
    named = re.findall(r"\b(?:Jupyter|jupyterapp|jupyterlab|requirejs|require|google)\b\s*[.(\[]", script)
    assert named == []
    variables = re.findall(r"var\((--(?!law-)[\w-]+)(,?)", style)
    assert len(variables) > 5
    assert [name for name, fall_back in variables if not fall_back] == []


@pytest.mark.parametrize(
    ("theme", "system", "ink"),
    [
        ("vscode-light", "dark", "rgb(27, 31, 36)"),
        ("vscode-dark", "light", "rgb(236, 239, 243)"),
        ("vscode-high-contrast", "light", "rgb(236, 239, 243)"),
        ("vscode-high-contrast vscode-high-contrast-light", "dark", "rgb(27, 31, 36)"),
    ],
)
def test_the_theme_is_vscodes_whatever_the_systems_is(a_widget, theme, system, ink):
    a_widget.page.emulate_media(color_scheme=system)
    a_widget.page.evaluate("(theme) => { document.body.className = theme }", theme)
    a_widget.render(signed_in())
    expect(a_widget.card).to_have_css("color", ink)
