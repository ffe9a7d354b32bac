"""Messages that a malicious page may send: run as a program by test_fuzz_page.py."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.status import SignInState

from .bound import Bound, RecordingComm, bound
from .fuzzing import CANARY, JSON, ODD, TEXT, ending, fuzzed, tree

KINDS = [
    *("hello", "use_key", "paste_callback", "load_env", "use_source", "sign_out", "sign_in_with_browser", "warm"),
    *("use_another_account", "use_environment", "check", "cancel", "dismiss", "retry", "move_to_env", "forget"),
    *("keep_from_git", "dismiss_rescue"),
]
PATHS = st.sampled_from(
    [
        *("", ".", "..", "/", ".env", "other/.env", "../notebooks/other/.env", "~/.env", "/dev/zero", "/dev/stdin"),
        *("/proc/self/environ", "/proc/self/fd/0", "\0", "\ud800", "x" * 5000, "a\nb", "//", "notes.txt"),
    ]
)
WORDS = st.sampled_from(
    ["standard", "itar", "mars", "P7D", "P1Y", "2999-12-31", "9999-12-31", "0001-01-01", "2026-13-01", "stored_session"]
)
ANYTHING = PATHS | WORDS | st.booleans() | JSON
CONTENTS = (
    st.fixed_dictionaries(
        {"kind": st.sampled_from(KINDS) | st.sampled_from(KINDS) | JSON},
        optional=dict.fromkeys(("id", "path", "everywhere", "on", "environment", "remember", "lasts"), ANYTHING),
    )
    | JSON
)
BUFFERS = st.lists(
    st.sampled_from(
        [b"", CANARY.encode(), b"\xff" * 100, f"http://127.0.0.1:9876/callback?code={CANARY}&state=x".encode()]
    )
    | st.binary(max_size=50)
    | (TEXT | ODD).map(lambda text: f"{CANARY} {text}".encode("utf-8", "surrogatepass"))
    | st.integers(0, 300_000).map(lambda length: b"k" * length),
    max_size=3,
)


def _views(buffers: list[bytes], key: bytes) -> list[memoryview]:
    """Return the buffers as ipykernel gives them, the good key in the place of its name."""
    return [memoryview(bytearray(buffer.replace(b"KEY", key))) for buffer in buffers]


MESSAGES = st.lists(st.tuples(CONTENTS, BUFFERS | st.just([b"KEY"])), min_size=1, max_size=4)


def try_all(here: Bound) -> None:
    key = here.cloud.create_api_key("ada@example.com", name="page").secret
    witness = {
        here.notebooks / "notes.txt": b"mine\n",
        here.notebooks / "other" / ".env": b"LC_API_KEY=not-a-good-key-1234\n",
    }
    for path, content in witness.items():
        path.write_bytes(content)
    ours = {".env", ".gitignore", "luminary-auth-widget.json", *(path.name for path in witness)}

    @fuzzed(MESSAGES)
    def send(messages: list[tuple[Any, list[bytes]]]) -> None:
        RecordingComm.sent.clear()
        for content, buffers in messages:
            with ending():
                here.widget._receive(here.widget, json.loads(json.dumps(content)), _views(buffers, key.encode()))
                here.say_hello()
        here.settle()
        here.holds_what_is_promised((CANARY, key))
        assert all(path.read_bytes() == content for path, content in witness.items())
        there = tree(here.notebooks, here.credentials, here.home)
        there = {path: content for path, content in there.items() if "/.login-" not in path}
        assert {path.rpartition("/")[2] for path in there} <= ours | {"other"}, set(there)
        holding = [path for path, content in there.items() if key.encode() in (content or b"")]
        assert not [path for path in holding if not path.endswith("notebooks/.env")]

    send()
    # It was not blind: a good key that comes in this way is accepted.
    here.session.cancel()
    here.widget._receive(here.widget, {"kind": "use_key"}, [memoryview(key.encode())])
    here.settle()
    assert here.session.status.state is SignInState.SIGNED_IN
    assert here.session.in_use.secret == Secret(key)


if __name__ == "__main__":
    with bound() as here:
        try_all(here)
