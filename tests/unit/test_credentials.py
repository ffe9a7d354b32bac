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


def test_a_secret_says_what_it_is_and_can_be_aligned():
    assert repr(Secret(KEY)) == "Secret(…A1b2)"
    assert f"{Secret(KEY):>15}" == "  Secret(…A1b2)"


@pytest.mark.parametrize(("text", "shown"), [("hunter2", "…"), ("hunter2-hunt", "…hunt"), ("hunter2-hun", "…")])
def test_of_a_secret_shorter_than_twelve_characters_nothing_is_shown(text, shown):
    assert Secret(text).fingerprint == shown


@pytest.mark.parametrize("write_down", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_pickled_nor_copied(write_down):
    with pytest.raises(
        TypeError, match=r"^A Secret is neither pickled nor copied: it would be written down somewhere\.$"
    ):
        write_down(Secret(KEY))


def test_a_secret_has_no_attribute_dictionary():
    with pytest.raises(TypeError):
        vars(Secret(KEY))


def test_equal_secrets_are_equal_and_hash_alike():
    assert len({Secret(KEY), Secret(KEY), Secret("another-secret")}) == 2
    assert Secret(KEY) != Secret("another-secret")


def test_a_secret_is_equal_to_no_text_so_that_nothing_can_be_guessed_by_comparing():
    assert Secret(KEY) != KEY


def test_what_earlier_versions_have_noted_of_a_key_is_known_again():
    # Changing how a digest is made would lose every noted expiry on every machine.
    assert Secret(KEY).digest == "da26b148811743374c2b6a7143a5c0ce"


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


EMPTY = "No key was given: the text is empty."
PLACEHOLDER = "This is the documentation's placeholder, not a key."
BLANKS = "The key has blanks inside; a key is one word."
LINES = "The text spans several lines; a key is one word."
ODD = "The key holds a character that no key has (U+{})."


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", EMPTY),
        (" \n\t ", EMPTY),
        ('""', EMPTY),
        ("LC_API_KEY=", EMPTY),
        ("{MY_API_KEY}", PLACEHOLDER),
        ("api_key='{MY_LC_API_KEY}',", PLACEHOLDER),
        ("LC_API_KEY={MY_API_KEY}", PLACEHOLDER),
        ("lc-0123 456789", BLANKS),
        ("lc-0123\n456789", LINES),
        ("lc-0123456789é", ODD.format("00E9")),
        ("lc-0123\x00456", ODD.format("0000")),
        ("lc-0123\x7f456", ODD.format("007F")),
        ("lc-0123\u200b456", ODD.format("200B")),
        ("k" * 8193, "This text is far too long for a key."),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_a_sentence_and_a_next_step(pasted, sentence):
    with pytest.raises(KeyMalformed) as refusal:
        clean_key(Secret(pasted))
    assert refusal.value.message == sentence
    assert refusal.value.next_step == (
        "Copy the whole key from My Account → Profile → API Keys; if it is lost, create a new one there."
    )


@pytest.mark.parametrize("key", ["!~", "k" * 8192], ids=["the edges of printable ASCII", "as long as gRPC takes"])
def test_what_could_just_be_a_key_is_taken_as_it_is(key):
    cleaned = clean_key(Secret(key))
    assert (cleaned.secret.reveal(), cleaned.removed) == (key, ())


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
