"""Many views of one session: on one page, and on two pages of one kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .conftest import signed_in, status
from .lab import LIMIT, LOGIN, LabPage, lab_context

FIFTY = 50


def test_fifty_views_of_one_session_all_follow_it_and_what_is_typed_in_one_stays_there(a_widget):
    a_widget.render(status())
    for _ in range(FIFTY - 1):
        a_widget.render()
    assert 1 <= a_widget.hellos < FIFTY  # one answer reaches all
    assert a_widget.key.count() == FIFTY
    a_widget.key.nth(7).fill("typed-here-alone")
    # A word to all of them costs no view what is typed in it.
    a_widget.hear(status(title="Still not signed in"))
    expect(a_widget.card.get_by_role("heading", name="Still not signed in")).to_have_count(FIFTY)
    assert [view.input_value() for view in a_widget.key.all() if view.input_value()] == ["typed-here-alone"]
    a_widget.card.nth(7).get_by_role("button", name="Use key").click()
    (sent,) = a_widget.sent
    assert sent["buffers"] == ["typed-here-alone"]
    a_widget.hear(signed_in())
    expect(a_widget.card.get_by_role("heading", name="ada@example.com")).to_have_count(FIFTY)
    a_widget.page.evaluate("cleanUps.forEach((cleanUp) => cleanUp())")
    assert a_widget.page.evaluate("model.listeners.length") == 0


@pytest.fixture
def another_lab_page(browser: Browser, a_lab, a_lab_page) -> Iterator[LabPage]:
    """A page of the same JupyterLab in another person's browser."""
    context = lab_context(browser)
    yield LabPage(context.new_page(), a_lab)
    context.close()


def test_two_pages_on_one_kernel_follow_each_other_and_no_key_that_is_typed_in_one_is_in_the_other(
    a_lab, a_lab_page, another_lab_page, a_key
):
    a_lab.notebook("shared.ipynb", LOGIN)
    a_lab_page.open("shared.ipynb").run(0)
    key = a_lab_page.card.get_by_label("API key", exact=True)
    expect(key).to_be_visible(timeout=LIMIT)
    a_lab_page.save()
    another_lab_page.open("shared.ipynb")
    its_key = another_lab_page.card.get_by_label("API key", exact=True)
    expect(its_key).to_be_visible(timeout=LIMIT)

    came: list[str | bytes] = []
    another_lab_page.page.on("websocket", lambda socket: socket.on("framereceived", lambda it: came.extend([it])))
    another_lab_page.page.reload()
    another_lab_page.wait_until_open("shared.ipynb")
    expect(its_key).to_be_visible(timeout=LIMIT)
    key.press_sequentially(a_key.secret)
    another_lab_page.settle()
    expect(its_key).to_have_value("")
    a_lab_page.card.get_by_role("button", name="Use key").click()

    for page in (a_lab_page, another_lab_page):
        expect(page.card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    assert a_key.secret not in another_lab_page.page.content()
    frames = [frame.encode() if isinstance(frame, str) else frame for frame in came]
    assert any(b"Signed in with an API key" in frame for frame in frames), "no frame was seen, so this proves nothing"
    assert [frame for frame in frames if a_key.secret.encode() in frame] == []

    another_lab_page.card.get_by_role("button", name="Sign out").click()
    for page in (a_lab_page, another_lab_page):
        expect(page.card).to_contain_text("Not signed in", timeout=LIMIT)
