"""kill -9 in the middle of saving: the file is the old or the new one, whole, and what is left is cleared away."""

import json
import os
import queue
import random
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from luminary_auth_widget import env_file, files, records, token_store, watcher
from luminary_auth_widget.credentials import Secret
from tests.sandbox.helpers import eventually

from . import writers

# 200 moments in all: these, and those of tests/faults/test_killed_kernels.py and of the login's child.
MOMENTS = {"env": 64, "store": 64, "sidecar": 64}
INSIDE_AT_LEAST = 50
LARGE = 60_000
# Some writers are killed before their first write, some in their twentieth.
LATEST_SECONDS = 0.03


@pytest.fixture
def a_home(tmp_path, monkeypatch):
    """A working directory with a `.env`, and a credentials folder, each file large enough to take a while."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir(mode=0o700)
    writers.ENV_FILE.write_text(f"# {'x' * LARGE}\nLAST=1\n")
    token_store.token_path().write_text(json.dumps({"other": "x" * LARGE}))
    notes = {str(number): writers.MOMENTS[0].isoformat() for number in range(LARGE // 60)}
    _file_of("sidecar").write_text(json.dumps({"noted_key_expiries": notes}))
    return tmp_path


@pytest.fixture
def fork_writer(a_home):
    """Start a writer of one kind; return its number and what waits for its end."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.writers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    def fork(kind):
        program.stdin.write(f"{kind}\n")
        program.stdin.flush()
        return int(program.stdout.readline()), program.stdout.readline

    yield fork
    with program:
        program.stdin.close()
    assert program.returncode == 0


def _file_of(kind):
    sidecar = records.credentials_folder() / "luminary-auth-widget.json"
    return {"env": writers.ENV_FILE, "store": token_store.token_path(), "sidecar": sidecar}[kind]


def _left(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(".luminary"))


def _drafts_in(folder):
    return [name for name in _left(folder) if name != ".luminary-auth.lock"]


def test_a_file_whose_writer_was_killed_is_the_old_or_the_new_one_and_nothing_is_left_after_the_next_start(
    a_home, fork_writer
):
    chance, inside = random.Random(8), 0
    for kind, moments in MOMENTS.items():
        file, whole = _file_of(kind), set()
        for turn in (0, 1):
            writers.write(kind, turn)
            whole.add(file.read_bytes())
        assert len(whole) == 2
        for moment in range(moments):
            writer, has_ended = fork_writer(kind)
            if moment % 2:
                # However slow the machine: as soon as there is a draft, or some of the writer's steps later.
                assert eventually(partial(_drafts_in, file.parent), within=60, every=0.0005)
            threading.Event().wait(chance.uniform(0, LATEST_SECONDS) * (moment % 4 != 1))
            os.kill(writer, signal.SIGKILL)
            has_ended()
            drafts = _drafts_in(file.parent)
            inside += bool(drafts)
            assert len(drafts) <= 1
            assert file.read_bytes() in whole
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            # What a kernel does when it starts.
            files.clear_what_was_left(file.parent)
            assert _left(file.parent) == []
    assert inside >= INSIDE_AT_LEAST, f"killed inside the write {inside} times"


@pytest.mark.parametrize("kind", MOMENTS)
def test_a_file_is_replaced_and_never_written_into_so_no_moment_can_tear_it(a_home, kind):
    file = _file_of(kind)
    writers.write(kind, 0)
    before = file.read_bytes()
    with file.open("rb", buffering=0) as reader:
        writers.write(kind, 1)
        assert reader.read() == before
    assert file.read_bytes() != before


def test_a_draft_is_left_alone_while_its_writer_lives_and_cleared_at_once_when_it_does_not(a_home):
    with files.replacing(writers.ENV_FILE) as draft:
        draft.write_text("half")
        # A kernel that starts meanwhile waits for its turn.
        starting = threading.Thread(target=files.clear_what_was_left, args=[a_home])
        starting.start()
        starting.join(0.2)
        assert starting.is_alive()
        assert draft.read_text() == "half"
    starting.join()
    assert writers.ENV_FILE.read_text() == "half"
    (a_home / ".luminary-auth-of-a-killed-process").mkdir()
    files.clear_what_was_left(a_home)
    assert _left(a_home) == []


def test_where_there_are_no_locks_a_file_is_written_all_the_same_and_the_age_of_a_draft_decides(a_home, monkeypatch):
    def refuse(_descriptor):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("luminary_auth_widget.locks._lock_at_once", refuse)
    young, old = a_home / ".luminary-auth-young", a_home / ".luminary-auth-old"
    for left in (young, old):
        left.mkdir()
    os.utime(old, (1, 1))
    env_file.remember(writers.ENV_FILE, writers.SECRETS[0])
    assert env_file.require_key(writers.ENV_FILE) == writers.SECRETS[0]
    assert (young.exists(), old.exists()) == (True, False)


def test_a_writer_that_hangs_is_not_waited_for_without_end(a_home, monkeypatch):
    monkeypatch.setattr(files, "_TURN_LIMIT", timedelta(seconds=0.1))
    hanging, go_on = threading.Event(), threading.Event()

    def hang():
        with files.alone_in(a_home):
            hanging.set()
            go_on.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    assert hanging.wait(60)
    env_file.remember(writers.ENV_FILE, writers.SECRETS[0])
    assert env_file.require_key(writers.ENV_FILE) == writers.SECRETS[0]
    go_on.set()
    thread.join()


def test_of_eight_that_write_the_same_files_at_once_none_loses_what_another_has_written(a_home):
    def note(number):
        for each in range(5):
            records.note_expiry(Secret(f"key-{number}-{each}"), writers.MOMENTS[1])
            env_file.add_to_gitignore(a_home / f"{number}-{each}.env")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(8)))
    names = [(number, each) for number in range(8) for each in range(5)]
    assert [n for n in names if records.noted_expiry(Secret("key-{}-{}".format(*n))) != writers.MOMENTS[1]] == []
    ignored = (a_home / ".gitignore").read_text().split()
    assert sorted(ignored) == sorted("{}-{}.env".format(*name) for name in names)
    assert _left(a_home) == _left(a_home / "credentials") == []


def test_the_note_of_a_new_session_survives_the_sign_out_of_the_one_before(a_home):
    before, after = writers.SECRETS
    now = datetime.now(timezone.utc)
    records.note_session(records.SessionRecord(after.digest, now, "itar", {}))
    records.forget_session(before)
    assert records.session(after).environment == "itar"
    records.forget_session(before, after)
    assert records.session(after) is None


def test_a_renewed_token_takes_the_place_of_its_own_session_only(a_home):
    old, new = writers.SECRETS
    assert not token_store.renew(old, new)
    token_store.save(Secret("another-session"))
    assert not token_store.renew(old, new)
    assert token_store.find().token == Secret("another-session")
    token_store.save(old)
    assert token_store.renew(old, new)
    assert token_store.find().token == new


def test_a_store_that_the_sdk_is_in_the_middle_of_writing_is_not_taken_for_a_sign_out(a_home, monkeypatch):
    monkeypatch.setattr(watcher, "_SECONDS", 0.01)
    stamp, seen_empty, heard = token_store.stamp, threading.Event(), queue.SimpleQueue[Any]()
    first = threading.Lock()

    def look():
        if (seen := stamp()) and not seen[2]:
            seen_empty.set()
        return seen

    def changed():
        # The thread outlives the test: what other tests do to their stores is not its business.
        if first.acquire(blocking=False):
            heard.put(token_store.find())

    monkeypatch.setattr(token_store, "stamp", look)
    watcher.StoreWatcher(changed).start()
    token_store.token_path().write_bytes(b"")
    assert seen_empty.wait(60)
    token_store.save(writers.SECRETS[0])
    assert heard.get(timeout=60).token == writers.SECRETS[0]
