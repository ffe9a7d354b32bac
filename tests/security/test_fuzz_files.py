"""Whatever stands in `.env`, the token store and the sidecar is read or refused in a sentence, and is not lost."""

from __future__ import annotations

import io
import json
import os
import re
import stat
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dotenv
import pytest
from dotenv.parser import parse_stream
from hypothesis import example
from hypothesis import strategies as st

from luminary_auth_widget import env_file, in_use, records, sources, token_store
from luminary_auth_widget.credentials import CleanedKey, Secret
from luminary_auth_widget.errors import AuthError, EnvFileUnusable, StorageFailed, StoreUnusable
from luminary_auth_widget.sdk import Deployment
from luminary_auth_widget.status import Expiry

from .fuzzing import CANARY, DEEP, JSON, TEXT, ending, fuzzed, may_refuse, tree

TOKEN, ANOTHER = Secret(f"{CANARY}-token"), Secret("another-token-0123456789")


@pytest.fixture
def a_home(tmp_path, monkeypatch):
    """A working directory and a credentials folder, both empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    return tmp_path


# -- .env --------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["LC_API_KEY", "LC_API_KEY", "'LC_API_KEY'", "LC_API_KEYS", "LC_DOMAIN", "A", "'B C'", "'a=b'", "LC-X"]
)
VALUES = st.sampled_from(
    [
        *("1", f"{CANARY}-old", "'x y'", '"x\\ny"', "'two\nlines'", '"LC_API_KEY=\n\nLC_API_KEY=x"', "'open", '"open'),
        *("${LC_API_KEY}", "${A:-${B}}", "$", "x # why", "#", "'it\\'s'", '"\\u0041"', "\0", "x" * 5000, " " * 300, ""),
    ]
)
ASSIGNMENTS = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", "", "export ", "  ", "export\t", "export", "\n\n"]),
    NAMES,
    st.sampled_from(["=", "=", " = ", "", ":", "= "]),
    VALUES | TEXT,
    st.sampled_from(["", "", " # why", " x"]),
)
LINES = ASSIGNMENTS | TEXT | st.sampled_from(["", "# LC_API_KEY=x", "\t", "'", "=", "export"])
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n \n", ""])
LONG = st.tuples(
    st.sampled_from([" ", "\t", "\x0b", "'", "\\", "$", "${", "x", "\n", "#", "A=1\n"]), st.integers(0, 3000)
).map(lambda drawn: drawn[0] * drawn[1])
ENV_TEXTS = st.lists(st.tuples(LINES | LINES | LONG, ENDS).map("".join), max_size=7).map("".join)
ENV_FILES = st.tuples(
    st.sampled_from(["", "", "\ufeff"]), ENV_TEXTS, st.sampled_from([b"", b"", b"", b"\xff", b"\xed\xa0\x80", b"\0"])
).map(lambda drawn: (drawn[0] + drawn[1]).encode("utf-8", "replace") + drawn[2]) | st.binary(max_size=200)
KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)


def _text_of(content: bytes) -> str:
    """Return what a program sees that opens the file as text."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read()


def _everything_but_the_key(content: bytes) -> str:
    """Return every line of the file that does not give the key, to the byte, by python-dotenv's own understanding."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="").read().removeprefix("\ufeff")
    kept = ""
    for binding in parse_stream(io.StringIO(text, newline="")):
        line = binding.original.string
        # Lines of nothing but blanks before an assignment belong to it there.
        blank = re.findall(r"^\s*[\r\n]", line)
        kept += "".join(blank) if binding.key == "LC_API_KEY" else line
    return kept


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # python-dotenv decodes escapes that Python advises against
@fuzzed(ENV_FILES, outcomes=("a key", "no key", "refused"))
@example(b"LC_API_KEY=x" + b" " * 900_000 + b"y\n")
@example(b"LC_API_KEY=" + b"${" * 400_000 + b"\n")
def test_whatever_stands_in_env_is_read_as_dotenv_reads_it_or_refused_and_never_changed(a_home, content):
    path = a_home / ".env"
    path.write_bytes(content)
    before, environ = path.stat(), dict(os.environ)
    with may_refuse(EnvFileUnusable) as refusal:
        found = env_file.read(path)
    if not refusal:
        expected = dotenv.dotenv_values(stream=io.StringIO(_text_of(content)))
        assert ("LC_API_KEY" in expected) == (found.key is not None)
        assert found.key is None or found.key == Secret(expected["LC_API_KEY"] or "")
        assert set(found.settings) <= {name for name in expected if name.startswith("LC_")} - {"LC_API_KEY"}
        # Of a line whose `=` was forgotten, the name holds the key.
        assert "LC_DOMAIN" not in expected or "LC_DOMAIN" in found.settings
        assert CANARY not in repr(found)
        with ending():
            _load_as_the_person_asks(path, expected, environ)
    with ending():
        sources.survey()
    after = path.stat()
    assert (path.read_bytes(), after.st_mtime_ns, after.st_mode) == (content, before.st_mtime_ns, before.st_mode)
    return "refused" if refusal else "a key" if found.key else "no key"


def _load_as_the_person_asks(path, expected, environ):
    """Load the file into the environment: what is set stays, what no environment can hold is left out."""
    try:
        env_file.load_into_environment(path)
        assert os.environ.items() >= environ.items()
        holdable = {
            name
            for name, value in expected.items()
            if value is not None and "\0" not in name + value and "=" not in name
        }
        assert set(os.environ) == set(environ) | holdable
    finally:
        for name in set(os.environ) - set(environ):
            del os.environ[name]


@fuzzed(ENV_FILES, KEYS, outcomes=("added", "replaced", "refused"))
@example(b"A=1\r\nB=2\r\n", "key-0123456789")
@example(b"\xef\xbb\xbfLC_API_KEY=old\n", "key-0123456789")
@example(b"A=1", "key-0123456789")
@example(b"LC_API_KEY=1\n\xef\xbb\xbf\n0\n", "key-0123456789")
@example(b"LC_API_KEY=1\n\n'\nLC_API_KEY=1\n", "key-0123456789")
@example(b"A=1\nLC_API_KEY=key-0123456789\n", "key-0123456789")
@example(b'A="\n\n\nLC_API_KEY=x"\n\nLC_API_KEY=old\n', "key-0123456789")
def test_a_remembered_key_is_read_back_and_every_other_line_is_as_it_was_also_when_it_is_forgotten(
    a_home, content, key
):
    path = a_home / ".env"
    path.write_bytes(content)
    path.chmod(0o600)
    secrets = (CANARY, *([key] if len(key) > 12 else []))
    with may_refuse(EnvFileUnusable, StorageFailed, secrets=secrets) as refusal:
        done = env_file.remember(path, Secret(key))
    if refusal:
        assert _files_of(a_home) == {".env": content}
        return "refused"
    remembered = path.read_bytes()
    assert dotenv.dotenv_values(path, encoding="utf-8-sig")["LC_API_KEY"] == key
    assert _without(_everything_but_the_key(remembered)) == _without(_everything_but_the_key(content))
    held_one = done.was_there or bool(done.replaced)
    assert held_one == ("LC_API_KEY" in dotenv.dotenv_values(stream=io.StringIO(_text_of(content))))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if not done.replaced:
        assert remembered == content if done.was_there else remembered.startswith(content)

    assert not env_file.forget(path, Secret(f"{key}-another"))
    assert path.read_bytes() == remembered
    with ending():
        assert env_file.forget(path, Secret(key))
    left = _files_of(a_home)
    if not held_one:
        assert left == ({".env": content} if _text_of(content).strip() else {})
    elif left:
        assert "LC_API_KEY" not in dotenv.dotenv_values(stream=io.StringIO(_text_of(left[".env"])))
        assert _without(_everything_but_the_key(left[".env"])) == _without(_everything_but_the_key(content))
    return "replaced" if held_one else "added"


def _without(text: str) -> str:
    """Return `text` without a newline at its end: the last line may have got one, because ours follows it.

    And without a mark that stands at its beginning once the key's line before it is gone.
    """
    return text.removesuffix("\n").removesuffix("\r").removeprefix("\ufeff")


def _files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in {"home", "credentials"}}


# -- the token store ---------------------------------------------------------------------------------------------------

TOKENS: st.SearchStrategy[object] = st.sampled_from(
    [TOKEN.reveal(), ANOTHER.reveal(), "", None, 1, [], {}, "\ud800", "\n", "\0", "é", " ", CANARY * 2000]
)
NUMBERS = st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-0", "1E400", "0" * 10])
FIELDS = st.tuples(
    st.sampled_from(['"refresh_token"', '"refresh_token"', '"other"', '"\\ud800"', '""']),
    TOKENS.map(json.dumps) | JSON.map(json.dumps) | DEEP | NUMBERS,
).map(":".join)
STORES = (
    st.lists(FIELDS, max_size=4).map(lambda fields: "{" + ",".join(fields) + "}")
    | JSON.map(lambda value: json.dumps(value, ensure_ascii=False))
    | DEEP
    | NUMBERS
    | TEXT
).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
MOMENTS = st.sampled_from([0, 1, -1, -(1 << 33), 1 << 31, 1 << 32, 1 << 40, 253_402_300_799, 1_700_000_000.5])


def _object_in(content: bytes) -> dict[str, object]:
    """Return what a store holds for the SDK, apart from the token; nothing where it holds something else."""
    with suppress(ValueError, RecursionError):
        found = json.loads(content or b"{}")
        return (
            {name: value for name, value in found.items() if name != "refresh_token"} if isinstance(found, dict) else {}
        )
    return {}


@fuzzed(STORES, MOMENTS, outcomes=("a session", "nobody", "refused"))
@example(b'{"refresh_token": "another-token-0123456789", "deep": ' + b"[" * 970 + b"]" * 970 + b"}", 0)
@example(b'{"refresh_token": "another-token-0123456789"}', 1 << 40)
def test_whatever_stands_in_the_token_store_is_a_session_or_nobody_or_an_error_and_is_not_changed(
    a_home, content, moment
):
    store = a_home / "credentials" / "tokens2"
    store.write_bytes(content)
    with suppress(OverflowError):  # the file system keeps no such time
        os.utime(store, (moment, moment))
    before = store.stat()
    with may_refuse(StoreUnusable) as refusal:
        session = token_store.find()
    with ending():
        if not refusal and session is not None:
            assert session.token.reveal() == json.loads(content)["refresh_token"]
            source = sources.stored_session(session)
            assert sources.survey().find("stored_session") == source
            ends, expiry = in_use.for_source(source, Deployment()).expiry()
            assert (ends is None) == (expiry is Expiry.UNKNOWN)
            assert CANARY not in repr(session) + repr(source)
        sources.survey()
        token_store.remove(Secret("a-token-that-is-not-there"))
        token_store.stamp()
    assert (store.read_bytes(), store.stat().st_mtime_ns) == (content, before.st_mtime_ns)
    return "refused" if refusal else "a session" if session else "nobody"


@fuzzed(STORES, outcomes=("moved aside", "kept"))
@example(b'{"deep": ' + b"[" * 970 + b"]" * 970 + b"}")
def test_whatever_stands_in_the_token_store_a_session_can_be_saved_and_taken_out_and_nothing_else_is_lost(
    a_home, content
):
    folder = a_home / "credentials"
    for left in folder.iterdir():
        left.unlink()
    store = folder / "tokens2"
    store.write_bytes(content)
    with ending():
        saved = token_store.save(TOKEN)
    assert token_store.find().token == TOKEN
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    if saved.moved_aside:
        assert saved.moved_aside.read_bytes() == content
        assert json.loads(store.read_bytes()) == {"refresh_token": TOKEN.reveal()}
    else:
        assert repr(_object_in(store.read_bytes())) == repr(_object_in(content))
    with ending():
        token_store.remove(TOKEN)
    assert token_store.find() is None
    assert repr(_object_in(store.read_bytes())) == repr({} if saved.moved_aside else _object_in(content))
    assert set(folder.iterdir()) == {store, *([saved.moved_aside] if saved.moved_aside else [])}
    return "moved aside" if saved.moved_aside else "kept"


# -- the sidecar -------------------------------------------------------------------------------------------------------

KEY = Secret(f"{CANARY}-key")
TIMES = st.datetimes(timezones=st.timezones() | st.just(timezone.utc) | st.none()).map(
    datetime.isoformat
) | st.sampled_from(
    [
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-28",
        "now",
        "2026-W48-6",
        "",
    ]
)
ENVIRONMENTS = st.sampled_from(["standard", "itar", "mars", "", None, 3])
SETTINGS = st.dictionaries(
    st.sampled_from([*records.SETTINGS, "x"]),
    st.sampled_from(["apis.example.com:443", "", "\0", "\ud800", "a b", "https://x/"]) | JSON,
)
SESSIONS = st.fixed_dictionaries(
    {},
    optional={
        "token": st.sampled_from([TOKEN.digest, TOKEN.digest, "x"]),
        "signed_in_at": TIMES | JSON,
        "environment": ENVIRONMENTS | JSON,
        "settings": SETTINGS | JSON,
        "deep": st.integers(0, 40).map(lambda depth: [depth]),
    },
)
SIDECARS = (
    st.fixed_dictionaries(
        {},
        optional={
            "noted_key_expiries": st.dictionaries(st.sampled_from([KEY.digest, "x"]), TIMES | JSON) | JSON,
            "key_environments": st.dictionaries(st.sampled_from([KEY.digest, "x"]), ENVIRONMENTS | JSON) | JSON,
            "session": SESSIONS | JSON,
            "from a later version": JSON,
        },
    ).map(json.dumps)
    | JSON.map(json.dumps)
    | DEEP
    | DEEP.map(lambda deep: f'{{"session": {deep}}}')
    | NUMBERS
).map(str.encode) | st.binary(max_size=60)


@fuzzed(SIDECARS)
@example(b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}")
@example(b'{"session": {"token": "%s", "signed_in_at": "9999-12-31T00:00:00+00:00"}}' % TOKEN.digest.encode())
def test_whatever_stands_in_the_sidecar_costs_a_countdown_at_most_and_is_noted_over(a_home, content):
    sidecar = a_home / "credentials" / "luminary-auth-widget.json"
    sidecar.write_bytes(content)
    stored = sources.stored_session(
        token_store.StoredSession(TOKEN, token_store.token_path(), datetime.now(timezone.utc))
    )
    with ending():
        for credential in (in_use.for_source(stored, Deployment()), in_use.for_source(_key_source(), Deployment())):
            ends, expiry = credential.expiry()
            assert (ends is None) == (expiry is Expiry.UNKNOWN)
            assert ends is None or ends.utcoffset() == timedelta(0)
            assert credential.deployment.environment in {"standard", "itar"}
            for value in (
                credential.deployment.target,
                credential.deployment.auth_domain,
                credential.deployment.client_id,
            ):
                assert value is None or (isinstance(value, str) and value.isascii() and value.isprintable() and value)
        assert in_use.environment_of(stored) in {None, "standard", "itar"}
        assert in_use.environment_of(_key_source()) in {None, "standard", "itar"}
        assert records.last_environment() in {None, "standard", "itar"}
    assert sidecar.read_bytes() == content

    end, now = datetime(2027, 3, 1, tzinfo=timezone.utc), datetime.now(timezone.utc)
    with ending():
        records.note_expiry(KEY, end)
        records.note_key_environment(KEY, "itar")
        records.note_session(records.SessionRecord(TOKEN.digest, now, "itar", {"target": "apis.example.com"}))
    assert (records.noted_expiry(KEY), records.key_environment(KEY)) == (end, "itar")
    assert records.session(TOKEN) == records.SessionRecord(TOKEN.digest, now, "itar", {"target": "apis.example.com"})
    with ending():
        records.note_expiry(KEY, None)
        records.forget_session(TOKEN)
    assert (records.noted_expiry(KEY), records.session(TOKEN)) == (None, None)
    assert CANARY not in sidecar.read_text()
    assert list(tree(a_home / "credentials")) == [str(sidecar)]


def _key_source():
    return sources.Source("given", sources.SourceKind.GIVEN, "pasted", key=CleanedKey(KEY))


@fuzzed(st.lists(TEXT | st.sampled_from(["..", "/", "~", ".env", "x" * 300, "\0"]), max_size=6).map("".join))
def test_whatever_is_named_as_an_env_file_is_read_or_refused_in_a_sentence_that_can_be_sent(a_home, name):
    before = tree(a_home)
    with may_refuse(AuthError):
        sources.named_env_file(Path(name))
    with may_refuse(AuthError):
        env_file.remember(Path(a_home, "home", "of", name.replace("/", "").replace("..", "")), KEY)
    assert tree(a_home) == before
