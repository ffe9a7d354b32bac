"""Many views of one session: on one page, and on two pages of one kernel."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import signed_in, status

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
