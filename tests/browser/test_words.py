"""The page's own texts stand in one catalogue and fit when they are longer; times are told in the page's language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from .conftest import CUT_OFF, MINUTE, NOW_MS, PAGE, SMALL, STATIC, serve, signed_in
from .states import STATES
from .test_accessibility import UNFOLD

# A language of no letter that English has, half as long again.
ENGLISH, STRANGE = "abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувѡжѵз"
TRANSLATE = """(function translate(texts) {
  const letter = (one) => "STRANGE"["ENGLISH".indexOf(one.toLowerCase())];
  for (const [name, text] of Object.entries(texts))
    if (typeof text === "object") translate(text);
    else texts[name] = (text + text.slice(0, Math.ceil(text.length / 2)).replace("%", "")).replace(/[a-z]/gi, letter);
})(TEXT);
""".replace("STRANGE", STRANGE).replace("ENGLISH", ENGLISH)
THE_CATALOGUE = re.compile(r"^const TEXT = \{.*?^\};\n", re.MULTILINE | re.DOTALL)
# What the kernel says; the rest of a message is no text.
SENTENCES = {"title", "subtitle", "message", "next_step", "label", "detail", "note", "text", "name"}
# Addresses, and what support reads, are no words.
UNTRANSLATED = """() => [...document.querySelectorAll("section, section *:not(.law-well)")].flatMap((node) => [
  ...[...node.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data),
  ...["aria-label", "title", "placeholder", "alt"].map((name) => node.getAttribute(name) ?? ""),
]).filter((text) => /[a-z]/i.test(text.replace(/https?:\\S+/g, "")))"""


def _serve_in_chinese(route: Route) -> None:
    """Serve a page in Chinese, whose dates and times have no Latin letter, with the catalogue translated."""
    if route.request.url.endswith("/widget.js"):
        source = (STATIC / "widget.js").read_text()
        translated = THE_CATALOGUE.sub(lambda found: found[0] + TRANSLATE, source)
        assert translated != source
        route.fulfill(body=translated, content_type="text/javascript")
    elif route.request.url == "http://localhost/":
        route.fulfill(body=PAGE.replace('lang="en"', 'lang="zh"'), content_type="text/html")
    else:
        serve(route)


def _strange(text: str) -> str:
    longer = text + text[: -(-len(text) // 2)]
    return longer.lower().translate(str.maketrans(ENGLISH, STRANGE))


def _translated(said: Any, name: str = "") -> Any:
    """Return a kernel's message with its sentences translated."""
    match said:
        case dict():
            return {key: _translated(value, key) for key, value in said.items()}
        case list():
            return [_translated(one, "text" if name == "facts" else name) for one in said]
        case str() if name in SENTENCES:
            return _strange(said)
        case _:
            return "127.0.0.1" if name == "endpoint" else said


@pytest.mark.parametrize("width", [560, 220])
def test_with_every_text_translated_and_half_as_long_again_none_is_english_and_none_is_cut_off(
    open_page,
    tmp_path,
    width,
):
    widget = open_page(_serve_in_chinese, locale="zh-CN", viewport={"width": 620, "height": 800})
    for message in STATES.values():
        widget.render(_translated(message), width=width)
    widget.render(traits={"kernel_now": 0}, width=width)
    widget.page.evaluate(UNFOLD.replace("/Sign out…|Copy diagnostics/", "/…$/"))
    widget.page.screenshot(path=tmp_path / "translated.png", full_page=True)
    assert widget.page.evaluate(UNTRANSLATED) == []
    assert widget.page.evaluate(CUT_OFF, "section") == []
    assert widget.page.evaluate(SMALL, "section") == []


def test_a_text_outside_the_catalogue_would_be_found(open_page):
    widget = open_page(_serve_in_chinese, locale="zh-CN")
    widget.render(STATES["urgent"])
    assert {"ada@example.com", "apis.luminarycloud.com"} < set(widget.page.evaluate(UNTRANSLATED))


def test_a_language_that_is_none_among_the_browsers_costs_neither_the_widget_nor_the_status_bar(open_page):
    widget = open_page()
    # As Chromium has it on Linux in a POSIX locale.
    widget.page.evaluate("Object.defineProperty(navigator, 'languages', { get: () => ['en-US@posix', 'C', 'en-GB'] })")
    widget.render(signed_in())
    expect(widget.card).to_contain_text("until 23 Dec 2026, 14:14")
    assert widget.page.evaluate("async () => typeof (await import('/status.js')).createItem") == "function"


@pytest.mark.parametrize(
    ("page_language", "browsers", "left", "until", "ago"),
    [
        ("en", "en-GB", "29d 4h left", "until 23 Dec 2026, 14:14", "checked 1 min ago"),
        ("en", "en-US", "29d 4h left", "until Dec 23, 2026, 2:14 PM", "checked 1 min. ago"),
        ("de", "de-DE", "29 T, 4h left", "until 23.12.2026, 14:14", "checked vor 1 Min."),
        # The page's language, whatever the browser's; none that is one counts for nothing.
        ("de", "en-GB", "29 T, 4h left", "until 23.12.2026, 14:14", "checked vor 1 Min."),
        ("C", "en-GB", "29d 4h left", "until 23 Dec 2026, 14:14", "checked 1 min ago"),
        ("zh_CN", "en-GB", "29天4小时 left", "until 2026年12月23日 14:14", "checked 1分钟前"),
    ],
)
def test_times_are_told_in_the_pages_language_as_the_browser_prefers_it(
    open_page,
    page_language,
    browsers,
    left,
    until,
    ago,
):
    def serve_in_that_language(route: Route) -> None:
        if route.request.url == "http://localhost/":
            route.fulfill(body=PAGE.replace('lang="en"', f'lang="{page_language}"'), content_type="text/html")
        else:
            serve(route)

    widget = open_page(serve_in_that_language, locale=browsers)
    widget.render(signed_in(checked_at=NOW_MS - MINUTE))
    for text in (left, until):
        expect(widget.card.get_by_text(text, exact=True)).to_be_visible()
    expect(widget.card).to_contain_text(ago)
