"""Secrets show themselves nowhere; pasted text is forgiven where that is safe."""

import copy
import pickle

import pytest

from luminary_auth_widget.credentials import Secret, clean_key, interrupted_outside
from luminary_auth_widget.errors import KeyMalformed

KEY = "lc-0123456789abcdefA1b2"


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r:>40}".format, lambda s: f"{s}", lambda s: str([s])])
def test_a_secret_shows_its_last_four_characters_only(shown):
    text = shown(Secret(KEY))
    assert "A1b2" in text
    assert KEY[:-4] not in text


def test_of_a_short_secret_nothing_is_shown():
    assert repr(Secret("hunter2")) == "Secret(…)"


@pytest.mark.parametrize("write_down", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_pickled_nor_copied(write_down):
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        write_down(Secret(KEY))


def test_a_secret_has_no_attribute_dictionary():
    with pytest.raises(TypeError):
        vars(Secret(KEY))


def test_equal_secrets_are_equal_and_hash_alike():
    assert len({Secret(KEY), Secret(KEY), Secret("another-secret")}) == 2


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"  {KEY}\r\n",
        f'"{KEY}"',
        f"'{KEY}',",
        f"“{KEY}”",
        f"{{{KEY}}}",
        f"<{KEY}>",
        f"LC_API_KEY={KEY}",
        f"LC_API_KEY = '{KEY}'\n",
        f"export LC_API_KEY={KEY}",
        f'set LC_API_KEY="{{{KEY}}}"',
        f"Bearer {KEY}",
        f"x-api-key: {KEY}",
        f"api_key='{KEY}',",
    ],
)
def test_what_people_copy_along_with_a_key_is_removed(pasted):
    assert clean_key(Secret(pasted)).secret == Secret(KEY)


def test_what_was_removed_is_said():
    assert clean_key(Secret(f' export LC_API_KEY="{KEY}"')).remark == (
        "Removed around the key: white space, export, LC_API_KEY=, quotes."
    )
    assert clean_key(Secret(KEY)).remark == ""


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "the text is empty"),
        (" \n\t ", "the text is empty"),
        ('""', "the text is empty"),
        ("LC_API_KEY=", "the text is empty"),
        ("{MY_API_KEY}", "placeholder"),
        ("api_key='{MY_LC_API_KEY}',", "placeholder"),
        ("LC_API_KEY={MY_API_KEY}", "placeholder"),
        ("lc-0123 456789", "blanks inside"),
        ("lc-0123\n456789", "several lines"),
        ("lc-0123456789é", "U[+]00E9"),
        ("lc-0123\x00456", "U[+]0000"),
        ("lc-0123\u200b456", "U[+]200B"),
        ("k" * 10_000, "far too long"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_a_sentence_and_a_next_step(pasted, sentence):
    with pytest.raises(KeyMalformed, match=sentence) as refusal:
        clean_key(Secret(pasted))
    assert "API Keys" in refusal.value.next_step


def test_a_refused_text_stands_in_no_frame_of_the_traceback():
    pasted = Secret("a-key with-blanks-inside-9876")
    with pytest.raises(KeyMalformed) as refusal:
        clean_key(pasted)
    error, frames = refusal.value, refusal.value.__traceback__
    assert error.__context__ is None
    while frames is not None:
        ours = "luminary_auth_widget" in frames.tb_frame.f_code.co_filename
        assert not ours or "with-blanks" not in repr(frames.tb_frame.f_locals)
        frames = frames.tb_next


def test_an_interrupt_leaves_the_frames_behind_that_were_handed_the_text():
    def library(_text):
        raise KeyboardInterrupt

    @interrupted_outside
    def send(key):
        library(key.reveal())

    with pytest.raises(KeyboardInterrupt) as caught:
        send(Secret("lc-made-up-0123"))
    assert caught.traceback[-1].name == "called"
    assert caught.value.__context__ is None
