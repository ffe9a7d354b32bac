"""Whatever is pasted as a key or a browser's last address is understood, or refused in words that do not repeat it."""

from __future__ import annotations

import http.server
import threading
from urllib.parse import parse_qsl

import pytest
from hypothesis import strategies as st

from luminary_auth_widget.browser_login import BrowserLogin, Events
from luminary_auth_widget.credentials import Secret, clean_key
from luminary_auth_widget.errors import CallbackUnusable, KeyMalformed

from .fuzzing import CANARY, CASES, ODD, TEXT, fuzzed, may_refuse
from .stand_in_worker import line, stand_in

WRAPPINGS = [
    "LC_API_KEY",
    "LC_API_KEY=",
    "export ",
    "set ",
    "Bearer ",
    "x-api-key:",
    "api_key=",
    "{",
    "}",
    "<",
    ">",
    ",",
]
PIECES = TEXT | st.sampled_from([*WRAPPINGS, CANARY, " ", "“", "”", "«", "MY_API_KEY"])
MANY = st.tuples(PIECES, st.integers(0, 5000)).map(lambda drawn: drawn[0] * drawn[1])
PASTED_KEYS = st.lists(PIECES | MANY, max_size=8).map("".join)


@fuzzed(PASTED_KEYS, outcomes=("a word", "refused"))
def test_whatever_is_pasted_as_a_key_becomes_one_word_of_it_or_a_sentence_without_it(text):
    with may_refuse(KeyMalformed) as refusal:
        cleaned = clean_key(Secret(text))
    if refusal:
        return "refused"
    key = cleaned.secret.reveal()
    assert key
    assert key in text
    assert all("!" <= character <= "~" for character in key)
    assert CANARY not in repr(cleaned) + cleaned.remark
    assert clean_key(cleaned.secret).secret == cleaned.secret
    return "a word"


STATE = "STATE-abc_123"
# How the four parts of an address may read, right ones first.
SCHEMES = st.sampled_from(["http://", "", "HTTP://", "https://", "//", "ftp://", "javascript:", "http:/"])
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HOSTS = st.sampled_from([*LOOPBACK, "127.0.0.2", "example.com", "127.0.0.1.example.com", "a@127.0.0.1"])
PATHS = st.sampled_from(["/callback", "/callback/", "/other", "", "/Callback", "/callback/../x", "//callback"])
VALUES = st.sampled_from([STATE, STATE[:5], CANARY, "", "%00", "a b", "%ff", "%26state%3D"]) | TEXT
NAMES = st.sampled_from(["code", "state", "error", "error_description", "x", "code%3d", "Code"]) | TEXT
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@st.composite
def addresses(draw, port):
    """Draw an address as it may be pasted, near the right one."""
    right = f"http://127.0.0.1:{port}/callback?code={CANARY}&state={STATE}"
    if draw(st.booleans()):
        # The right one, a piece of it lost, repeated or replaced.
        start, end = sorted(draw(st.tuples(st.integers(0, len(right)), st.integers(0, len(right)))))
        text = right[:start] + draw(TEXT | st.just(right[start:end] * 2)) + right[end:]
    else:
        fields = [("code", CANARY), ("state", STATE), *draw(FIELDS)]
        query = "&".join(f"{name}={value}" for name, value in draw(st.permutations(fields)))
        base = (
            draw(SCHEMES)
            + draw(HOSTS)
            + draw(st.sampled_from([f":{port}", "", ":10001x", ":99999", ":80"]))
            + draw(PATHS)
        )
        text = draw(st.sampled_from([base + "?", base + "?", "?", "", base])) + query
    return (
        draw(st.sampled_from(["", " ", '"', "<", "\n"]))
        + text
        + draw(st.sampled_from(["", " \r\n", '"', ">", "#", "#x"]))
    )


@pytest.fixture(scope="module")
def a_callback():
    """A login that waits, and the server that its browser would come back to; what came there."""
    came: list[str] = []

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            came.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port, came
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture(scope="module")
def a_waiting_login(a_callback, tmp_path_factory):
    folder = tmp_path_factory.mktemp("login")
    port, _ = a_callback
    link = f"https://login.example.com/authorize?state={STATE}&redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback"
    linked, ended = threading.Event(), threading.Event()
    events = Events(
        linked=lambda _link: linked.set(),
        landed=lambda: None,
        stranger=lambda: None,
        finished=lambda *_: ended.set(),
        failed=lambda _error: ended.set(),
    )
    with stand_in(folder) as worker:
        worker.says(line(event="link", link=link), stays=True)
        login = BrowserLogin(folder / "credentials")
        login.begin(events, environment="standard", target=None)
        assert linked.wait(120)
        yield login
        login.cancel()
        assert ended.wait(120)


def test_an_address_is_sent_only_if_all_of_it_is_right_and_is_never_repeated(a_callback, a_waiting_login):
    port, came = a_callback
    ends = {
        "",
        "/callback",
        *(f"{scheme}{host}:{port}/callback" for scheme in ("", "http://") for host in LOOPBACK),
    }
    tried = {"sent": 0, "refused": 0}

    @fuzzed(addresses(port))
    def try_it(text):
        came.clear()
        with may_refuse(CallbackUnusable) as refusal:
            a_waiting_login.paste(Secret(text))
        tried["refused" if refusal else "sent"] += 1
        if refusal:
            assert came == []
            return
        (path,) = came
        before, _, query = path.partition("?")
        assert before == "/callback"
        fields = parse_qsl(query, keep_blank_values=True)
        assert [value for name, value in fields if name == "state"] == [STATE]
        assert len([value for name, value in fields if name in {"code", "error"}]) == 1
        pasted = "".join(text.split()).strip("\"'`<>“”")
        base = pasted.partition("?")[0] if "?" in pasted else ""
        assert base in ends

    try_it()
    # Neither all right nor all wrong: both halves of the assertion were put to the test.
    assert min(tried.values()) > CASES / 20, tried
    assert a_waiting_login.alive


@fuzzed(st.text() | ODD)
def test_a_secret_of_any_text_shows_no_more_than_its_last_four_characters(text):
    shown = repr(Secret(CANARY + text))
    assert CANARY not in shown
    assert len(shown) <= len("Secret(…wxyz)")
