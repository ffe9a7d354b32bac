"""What servers say of themselves and of people is text, and nothing but: on the page, in a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from luminary_auth_widget import browser_login, servers
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import AuthError, as_one_line
from luminary_auth_widget.status import AuthStatus, Method, SignInState
from tests.faults.line import Line, Page, Tricks, over_tls

MARKUP = "<img src=x onerror=alert(1)>"
ESCAPE = "\x1b]0;owned\x07\x1b[2Jada"
WORDS = {
    "markup stays as it is, for whoever shows it as text": ({"email": MARKUP}, MARKUP),
    "what a terminal would obey": ({"email": ESCAPE}, "\ufffd]0;owned\ufffd\ufffd[2Jada"),
    "several lines": ({"email": "ada\r\nSigned in as root"}, "ada\ufffd\ufffdSigned in as root"),
    "what turns text around": ({"name": "ada\u202egnp.exe"}, "ada\ufffdgnp.exe"),
    "half a character": ({"name": "ada\ud800"}, "ada\ufffd"),
    "other alphabets are words": ({"name": "Ада Лавлейс 爱达"}, "Ада Лавлейс 爱达"),
    "1 MB": ({"email": "a" * 1_000_000}, "a" * 253 + "…"),
    "no text": ({"email": {"a": 1}, "name": ["b"]}, ""),
    "blanks": ({"email": " ", "name": "Ada"}, "Ada"),
    "no object": (["ada"], ""),
    "null": (None, ""),
}


@pytest.fixture
def identity_of(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], str]]:
    """Return whose an access token is, by a server with a good certificate that answers as it likes."""
    tricks, line = Tricks(), Line(0)
    (tmp_path / "ca.pem").write_bytes(tricks.authority.cert_pem.bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "localhost")

    def ask(body: bytes) -> str:
        line.fail(over_tls(tricks.good, Page(200, {"content-type": "application/json"}, body)))
        return servers.identity(Secret("a-token"), f"localhost:{line.port}")

    yield ask
    line.refuse()


@pytest.mark.parametrize("words", WORDS)
def test_a_name_from_the_identity_server_is_one_harmless_line(identity_of: Callable[[bytes], str], words: str) -> None:
    facts, shown = WORDS[words]
    assert identity_of(json.dumps(facts).encode()) == shown
    status = AuthStatus(SignInState.SIGNED_IN, method=Method.BROWSER, identity=shown)
    assert repr(status).replace("\ufffd", "").isprintable()


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000, b"NaN"])
def test_an_answer_that_names_nobody_is_no_failure(identity_of: Callable[[bytes], str], body: bytes) -> None:
    assert identity_of(body) == ""


@pytest.mark.parametrize("detail", [f"access_denied: {ESCAPE}", "a" * 1_000_000, "x\n" * 10, {"no": "text"}, 3])
def test_the_words_of_a_log_in_page_are_one_harmless_line(detail: object) -> None:
    told = browser_login._error({"reason": "denied", "detail": detail}, None)
    assert str(told).replace("\ufffd", "").isprintable()
    assert len(told.message) < 400


def test_an_error_holds_nothing_that_a_terminal_or_a_traceback_would_obey() -> None:
    error = AuthError(f"{ESCAPE} could not be written.", next_step=f"Remove {ESCAPE}.")
    for shown in (error.message, error.next_step, str(error), repr(error), *error._render_traceback_()):
        assert "\x1b" not in shown
        assert "\x07" not in shown
    assert as_one_line("plain") == "plain"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", "2 minutes"),
        ("61", "2 minutes"),
        ("1", "a minute"),
        ("7200", "2 hours"),
        ("9" * 5000, "24 hours"),
        ("-5", "a minute"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "a minute"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "24 hours"),
        ("soon", "a minute"),
        ("²", "a minute"),
        ("", "a minute"),
        ("1e9", "a minute"),
    ],
)
def test_how_long_a_server_asks_to_wait_is_told_in_words_whatever_it_says(header: str, wait: str) -> None:
    assert servers.trouble("host", 429, header).next_step == f"Try again in {wait}; nothing was changed."
