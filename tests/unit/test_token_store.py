"""The SDK's token store as we read and write it: nothing lost, nothing readable by others."""

import json
import os
import stat
import threading
from datetime import datetime, timezone

import pytest

from luminary_auth_widget import token_store
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import StorageFailed, StoreUnusable

TOKEN, ANOTHER = Secret("refresh-token-0123456789"), Secret("another-token-0123456789")
DAMAGED = [b"{", b"null", b"3", b'"text"', b"\xff\xfe", b"\n", b"[" * 100_000, b" " * 1_000_001]
NOBODY = [b"", b"{}", b"[1]", b'{"refresh_token": null}', b'{"refresh_token": ""}', b'{"refresh_token": "\\ud800"}']


@pytest.fixture
def a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    return tmp_path / "credentials"


@pytest.fixture
def a_store(a_folder):
    a_folder.mkdir(mode=0o700)
    return a_folder / "tokens2"


@pytest.fixture
def a_documented_file(a_folder):
    path = a_folder.parent / ".luminarycloud" / "config"
    path.parent.mkdir()
    return path


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_saved_is_found_again_and_lies_private_in_a_folder_made_private(a_folder):
    token_store.save(TOKEN)
    assert token_store.find().token == TOKEN
    assert (_mode(a_folder / "tokens2"), _mode(a_folder)) == (0o600, 0o700)
    assert [path.name for path in a_folder.iterdir()] == ["tokens2"]


def test_a_folder_that_is_there_keeps_its_mode(a_folder):
    a_folder.mkdir(mode=0o755)
    token_store.save(TOKEN)
    assert _mode(a_folder) == 0o755


def test_saving_and_removing_keep_what_else_stands_in_the_store(a_store):
    a_store.write_text('{"refresh_token": "old", "other": [1]}')
    token_store.save(TOKEN)
    assert json.loads(a_store.read_text()) == {"refresh_token": TOKEN.reveal(), "other": [1]}
    token_store.remove(TOKEN)
    assert json.loads(a_store.read_text()) == {"other": [1]}


def test_another_token_than_the_one_to_remove_is_left_alone(a_store):
    token_store.save(ANOTHER)
    before = a_store.stat()
    token_store.remove(TOKEN)
    assert token_store.find().token == ANOTHER
    assert a_store.stat() == before


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content[:8]))
def test_a_damaged_store_is_an_error_with_the_way_out_and_is_moved_aside_when_a_session_is_saved(a_store, content):
    a_store.write_bytes(content)
    with pytest.raises(StoreUnusable, match="tokens2") as caught:
        token_store.find()
    assert "moved aside" in caught.value.next_step
    token_store.remove(TOKEN)
    assert a_store.read_bytes() == content
    saved = token_store.save(TOKEN)
    assert token_store.find().token == TOKEN
    assert saved.moved_aside.read_bytes() == content
    assert _mode(saved.moved_aside) == 0o600
    a_store.write_bytes(content)
    assert token_store.save(TOKEN).moved_aside != saved.moved_aside


@pytest.mark.parametrize("content", NOBODY)
def test_a_store_in_which_the_sdk_too_sees_nobody_is_no_error(a_store, content):
    a_store.write_bytes(content)
    assert token_store.find() is None
    assert token_store.save(TOKEN).moved_aside is None
    assert token_store.find().token == TOKEN


def test_looking_for_changes_does_not_wait_for_a_fifo_in_the_stores_place(a_store):
    os.mkfifo(a_store)
    look = threading.Thread(target=token_store.stamp, daemon=True)
    look.start()
    look.join(60)
    assert not look.is_alive()


def test_a_folder_in_the_stores_place_is_said_and_moved_aside(a_store):
    a_store.mkdir()
    with pytest.raises(StoreUnusable, match="no file of the SDK's"):
        token_store.find()
    assert token_store.save(TOKEN).moved_aside.is_dir()
    assert token_store.find().token == TOKEN


def test_a_store_that_others_may_read_is_tightened_and_that_is_said_once(a_store):
    a_store.write_text(json.dumps({"refresh_token": TOKEN.reveal()}))
    a_store.chmod(0o644)
    assert token_store.tighten()
    assert _mode(a_store) == 0o600
    assert not token_store.tighten()


def test_saving_over_a_store_that_others_may_read_says_that_it_was_tightened(a_store):
    a_store.write_text("{}")
    a_store.chmod(0o644)
    assert token_store.save(TOKEN).tightened
    assert _mode(a_store) == 0o600
    assert not token_store.save(TOKEN).tightened


def test_without_a_store_there_is_nothing_to_tighten(a_folder):
    assert not token_store.tighten()


def test_a_linked_store_is_replaced_where_it_lies(a_store, tmp_path):
    (tmp_path / "real").write_text('{"other": 1}')
    a_store.symlink_to(tmp_path / "real")
    token_store.save(TOKEN)
    assert a_store.is_symlink()
    assert json.loads((tmp_path / "real").read_text()) == {"other": 1, "refresh_token": TOKEN.reveal()}


def test_where_the_folder_cannot_be_made_it_is_said(a_folder):
    a_folder.touch()
    with pytest.raises(StorageFailed, match="could not be written"):
        token_store.save(TOKEN)
    assert token_store.stamp() is None


def test_the_documented_file_is_used_when_the_store_holds_nobody(a_folder, a_documented_file):
    a_documented_file.write_text(json.dumps({"refresh_token": TOKEN.reveal()}))
    found = token_store.find()
    assert (found.token, found.path, found.documented) == (TOKEN, a_documented_file, True)
    token_store.save(ANOTHER)
    assert (token_store.find().token, token_store.find().documented) == (ANOTHER, False)


@pytest.mark.parametrize("content", [b"", b"{", b"[profile]\nname = x", b"\xff", b"{}", b'{"refresh_token": 3}', b"[]"])
def test_a_documented_file_that_holds_no_session_is_passed_over(a_documented_file, content):
    a_documented_file.write_bytes(content)
    assert token_store.find() is None


def test_the_moment_of_writing_is_known_in_utc(a_store):
    a_store.write_text(json.dumps({"refresh_token": TOKEN.reveal()}))
    os.utime(a_store, (1_800_000_000, 1_800_000_000))
    assert token_store.find().written_at == datetime.fromtimestamp(1_800_000_000, timezone.utc)


def test_the_stamp_changes_with_every_write_also_with_one_of_the_same_length_in_the_same_instant(a_store):
    assert token_store.stamp() is None
    token_store.save(TOKEN)
    first = token_store.stamp()
    assert first is not None
    assert token_store.stamp() == first
    token_store.save(ANOTHER)
    os.utime(a_store, ns=(first[1], first[1]))
    assert token_store.stamp() != first
