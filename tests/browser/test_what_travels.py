"""How much is said between page and kernel: the figures of benchmarks/ that are no matter of time."""

from __future__ import annotations

from playwright.sync_api import expect

from .lab import LIMIT, LOGIN
from .wire import listen, until_shown


def test_the_widget_is_on_the_page_by_three_messages_and_the_front_end_is_sent_once(a_lab, a_lab_page):
    a_lab.notebook("draw.ipynb", LOGIN, "session")
    frames = listen(a_lab_page.page)
    a_lab_page.open("draw.ipynb").run(0)
    expect(a_lab_page.card).to_be_visible(timeout=LIMIT)
    assert [frame.kind for frame in until_shown(frames)] == ["comm_open", "comm_open", "display_data"]
    heard = len(frames)
    a_lab_page.run(1)
    again = until_shown(frames[heard:])
    assert [frame.kind for frame in again] == ["display_data"]
    assert len(again[0].data) < 2000


def test_a_key_typed_and_sent_is_one_message_and_never_comes_back(a_lab, a_lab_page, a_key):
    a_lab.notebook("type.ipynb", LOGIN)
    frames = listen(a_lab_page.page)
    a_lab_page.open("type.ipynb").run(0)
    card = a_lab_page.card
    card.get_by_label("API key", exact=True).click(timeout=LIMIT)
    a_lab_page.settle()
    heard = len(frames)
    card.get_by_label("API key", exact=True).press_sequentially(a_key.secret)
    card.get_by_role("button", name="Use key").click()
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    a_lab_page.settle()
    holding = [frame for frame in frames[heard:] if a_key.secret.encode() in frame.data]
    assert [(frame.sent, frame.kind) for frame in holding] == [(True, "comm_msg")]
    sent = [frame for frame in frames[heard:] if frame.sent and frame.of_a_widget]
    assert [frame.content["data"]["content"]["kind"] for frame in sent] == ["use_key"]
