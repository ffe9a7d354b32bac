"""Whatever the login's child says, the sign-in ends: with a session, or with a sentence; and leaves nothing behind."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import example
from hypothesis import strategies as st

from luminary_auth_widget.board import Board
from luminary_auth_widget.browser_sign_in import BrowserSignIn
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import AuthError
from luminary_auth_widget.sdk import Deployment
from luminary_auth_widget.status import AttemptPhase

from .fuzzing import CANARY, DEEP, JSON, ODD, TEXT, ending, fuzzed, may_refuse
from .stand_in_worker import line, stand_in

LINK = "https://login.example.com/authorize?state=STATE&redirect_uri=http%3A%2F%2F127.0.0.1%3A9876%2Fcallback"
LINKS = st.sampled_from(
    [
        *(LINK, LINK, LINK, "http://[", "", "https://x:port/?redirect_uri=http://127.0.0.1:99999/", f"{LINK}&state=2"),
        *("https://[::1/", "?", "https://login.example.com/?redirect_uri=http%3A%2F%2F%5B", "javascript:alert(1)"),
    ]
)
EVENTS: st.SearchStrategy[object] = (
    st.sampled_from(["ready", "link", "landed", "stranger", "done", "failed", "", "Done", 3, None, [], {}]) | JSON
)
REASONS = (
    st.sampled_from(["denied", "timeout", "ports", "certificate", "slow", "unreachable", "server", "answer", "sdk"])
    | JSON
)
FACTS = st.fixed_dictionaries(
    {"event": EVENTS},
    optional={
        "link": LINKS | JSON,
        "settings": st.dictionaries(st.sampled_from(["target", "auth_domain", "environment", "x"]), JSON, max_size=3)
        | JSON,
        "reason": REASONS,
        "detail": TEXT | JSON,
        "status": st.integers() | JSON,
    },
)
GOOD = st.sampled_from(
    [
        line(event="ready", settings={}),
        line(event="link", link=LINK),
        line(event="landed"),
        line(event="stranger"),
        line(event="done"),
    ]
)
LINES = (
    GOOD
    | FACTS.map(lambda fact: line(**fact))
    | DEEP.map(str.encode)
    | DEEP.map(lambda deep: b'{"event": ' + deep.encode() + b"}")
    | st.binary(max_size=40)
    | ODD.map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.integers(0, 1_000_000).map(lambda length: b"x" * length)
    | st.sampled_from([b'{"event": "done"', b'{"event": NaN}', b'{"event": "done"}', b"\xff\xfe", b"9" * 5000])
)
OUTPUTS = st.lists(LINES | LINES.map(lambda said: said + b"\n"), max_size=7).map(b"".join)
# Few of them say by chance that the sign-in is done, and fewer the more are tried.
OUTPUTS |= OUTPUTS.map(lambda said: said + b"\n" + line(event="done"))
STORES = st.none() | st.sampled_from(
    [
        b'{"refresh_token": "%s"}' % CANARY.encode(),
        b'{"refresh_token": "%s"}' % CANARY.encode(),
        b"{}",
        b"[]",
        b"3",
        b"",
        b"\xff",
        b'{"refresh_token": ["%s"]}' % CANARY.encode(),
        b'{"refresh_token": ""}',
        b'{"refresh_token": "\\ud800%s"}' % CANARY.encode(),
        b"[" * 5000,
    ]
)


@pytest.fixture(scope="module")
def a_worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    with stand_in(folder) as worker, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_CREDENTIALS_DIR", str(worker.credentials))
        yield worker


@fuzzed(OUTPUTS, STORES, outcomes=("a session", "a sentence"))
@example(b"\xff\n", None)
@example(b'{"event": ' + b"[" * 3000 + b"\n", None)
@example(line(event="failed", reason="denied", detail=3), None)
@example(line(event="ready", settings={"x": 1}) + line(event="done"), b'{"refresh_token": "%s"}' % CANARY.encode())
def test_whatever_the_child_says_the_sign_in_ends_with_a_session_or_a_sentence(a_worker, output, store):
    a_worker.says(output, store=store)
    board, brought = Board(), []
    sign_in = BrowserSignIn(board, lambda number, deployment, token: brought.append((number, deployment, token)))
    with may_refuse(AuthError):
        sign_in.start(Deployment())
    with ending():
        for thread in [thread for thread in threading.enumerate() if thread.name == "luminary-auth-login"]:
            thread.join()
    attempt = board.status.attempt
    if brought:
        ((number, deployment, token),) = brought
        assert board.is_current(number)
        assert token == Secret(CANARY)
        assert deployment.environment == "standard"
        assert all(value is None or isinstance(value, str) for value in (deployment.target, deployment.auth_domain))
    else:
        assert attempt.phase is AttemptPhase.FAILED
        assert attempt.message
        assert attempt.next_step
    assert attempt.link is None
    json.dumps([attempt.message, attempt.next_step], ensure_ascii=False).encode()
    assert CANARY not in repr(board.status)
    assert list(a_worker.credentials.iterdir()) == []
    return "a session" if brought else "a sentence"
