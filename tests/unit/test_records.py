"""The sidecar: noted expiries, private, and no reason to fail when it is spoilt."""

import json
import stat
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from luminary_auth_widget import records
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import StorageFailed

KEY = Secret("lc-0123456789abcdefA1b2")
MARCH = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def a_folder(tmp_path, monkeypatch):
    folder = tmp_path / "credentials"
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(folder))
    return folder


def test_a_noted_expiry_is_known_again_for_the_same_key_only(a_folder):
    records.note_expiry(KEY, MARCH)
    assert records.noted_expiry(Secret(KEY.reveal())) == MARCH
    assert records.noted_expiry(Secret("another-key-another-key")) is None


def test_a_note_can_be_taken_back(a_folder):
    records.note_expiry(KEY, MARCH)
    records.note_expiry(KEY, None)
    assert records.noted_expiry(KEY) is None


def test_the_sidecar_and_a_folder_made_for_it_are_private_and_hold_no_key(a_folder):
    records.note_expiry(KEY, MARCH)
    (file,) = a_folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(a_folder.stat().st_mode) == 0o700
    assert KEY.reveal() not in file.read_text()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[1]", b"\xff", b'{"noted_key_expiries": 3}', b'{"noted_key_expiries": {"x": 1}}']
)
def test_a_spoilt_sidecar_means_that_nothing_was_noted(a_folder, content):
    a_folder.mkdir()
    (a_folder / "luminary-auth-widget.json").write_bytes(content)
    assert records.noted_expiry(KEY) is None
    records.note_expiry(KEY, MARCH)
    assert records.noted_expiry(KEY) == MARCH


def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "file" / "folder"))
    with pytest.raises(StorageFailed, match="could not be written"):
        records.note_expiry(KEY, MARCH)


# -- browser sessions and environments ---------------------------------------------------------------------------------

TOKEN = Secret("a-refresh-token-0123456789")
ANOTHER = Secret("another-token-0123456789")
ELSEWHERE = {
    "target": "own.example.com:443", "auth_domain": "login.example.com", "client_id": "an-id", "audience": "https://a",
}  # fmt: skip
OWN = records.SessionRecord(TOKEN.digest, MARCH, "itar", ELSEWHERE)


def _file(folder):
    return folder / "luminary-auth-widget.json"


def test_a_session_that_was_noted_is_known_again_by_its_token_only(a_folder):
    records.note_session(OWN)
    assert records.session(Secret(TOKEN.reveal())) == OWN
    assert records.session(Secret("another-refresh-token")) is None
    assert records.last_environment() == "itar"


def test_with_nothing_noted_nothing_is_known_and_no_file_is_made(a_folder):
    assert (records.session(TOKEN), records.last_environment(), records.key_environment(KEY)) == (None, None, None)
    assert records.noted_expiry(KEY) is None
    assert not a_folder.exists()


def test_a_session_takes_the_place_of_the_last_one_and_can_be_forgotten(a_folder):
    records.note_session(OWN)
    records.note_session(records.SessionRecord(ANOTHER.digest, MARCH, "standard", {}))
    assert (records.session(TOKEN), records.last_environment()) == (None, "standard")
    records.forget_session(TOKEN)
    assert records.last_environment() == "standard"
    records.forget_session(TOKEN, ANOTHER)
    assert records.last_environment() is None
    records.forget_session(ANOTHER)


def test_the_environment_that_has_accepted_a_key_is_known_again_for_that_key_only(a_folder):
    records.note_key_environment(KEY, "standard")
    assert records.key_environment(KEY) == "standard"
    records.note_key_environment(KEY, "itar")
    assert records.key_environment(Secret(KEY.reveal())) == "itar"
    assert records.key_environment(Secret("another-key-another-key")) is None


def test_what_is_known_already_is_not_written_again(a_folder):
    records.note_key_environment(KEY, "standard")
    before = _file(a_folder).stat()
    records.note_key_environment(KEY, "standard")
    assert _file(a_folder).stat().st_ino == before.st_ino


def test_each_note_leaves_every_other_one_as_it_was(a_folder):
    other = Secret("another-key-another-key")
    records.note_expiry(KEY, MARCH)
    records.note_expiry(other, MARCH)
    records.note_key_environment(KEY, "standard")
    records.note_key_environment(other, "itar")
    records.note_session(OWN)
    records.note_expiry(other, None)
    assert records.noted_expiry(KEY) == MARCH
    assert (records.key_environment(KEY), records.key_environment(other)) == ("standard", "itar")
    assert records.session(TOKEN) == OWN
    records.forget_session(TOKEN)
    assert (records.noted_expiry(KEY), records.key_environment(other)) == (MARCH, "itar")


def test_a_note_that_was_never_made_can_be_taken_back(a_folder):
    records.note_expiry(KEY, None)
    assert records.noted_expiry(KEY) is None


def test_what_the_file_holds_can_be_read_by_later_versions_and_by_people(a_folder):
    # Its names are a format: a version that changes one forgets what is noted on every machine.
    records.note_expiry(KEY, MARCH)
    records.note_key_environment(KEY, "standard")
    records.note_session(OWN)
    text = _file(a_folder).read_text()
    assert json.loads(text) == {
        "noted_key_expiries": {KEY.digest: "2027-03-01T12:00:00+00:00"},
        "key_environments": {KEY.digest: "standard"},
        "session": {
            "token": TOKEN.digest, "signed_in_at": "2027-03-01T12:00:00+00:00", "environment": "itar",
            "settings": ELSEWHERE,
        },
    }  # fmt: skip
    assert len(text.splitlines()) > 10


def test_what_a_later_version_has_noted_beside_is_kept(a_folder):
    a_folder.mkdir()
    _file(a_folder).write_text('{"later": [1], "noted_key_expiries": {"x": "2027-03-01T12:00:00+00:00"}}')
    records.note_expiry(KEY, MARCH)
    content = json.loads(_file(a_folder).read_text())
    assert content["later"] == [1]
    assert content["noted_key_expiries"].keys() == {"x", KEY.digest}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"token": "another"}, None),
        ({"token": None}, None),
        ({"signed_in_at": None}, None),
        ({"signed_in_at": "yesterday"}, None),
        ({"signed_in_at": 3}, None),
        ({"signed_in_at": "2027-03-01T12:00:00"}, None),
        ({"signed_in_at": "2027-03-01T13:00:00+01:00"}, OWN),
        ({"settings": None}, OWN._replace(settings={})),
        ({"settings": ["target"]}, OWN._replace(settings={})),
        ({"settings": {"unknown": "x"}}, OWN._replace(settings={})),
        ({"settings": {"target": 3}}, None),
        ({"environment": 3}, None),
    ],
)
def test_of_a_session_what_is_spoilt_is_left_out_and_what_is_needed_must_be_whole(a_folder, changes, expected):
    records.note_session(OWN)
    content = json.loads(_file(a_folder).read_text())
    content["session"].update(changes)
    _file(a_folder).write_text(json.dumps(content))
    found = records.session(TOKEN)
    assert found == expected
    assert found is None or found.signed_in_at.utcoffset() == timedelta(0)


@pytest.fixture
def a_machine_in_tokyo(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_what_was_noted_is_told_in_utc_wherever_the_machine_is(a_machine_in_tokyo, a_folder):
    records.note_session(OWN)
    assert records.session(TOKEN).signed_in_at.isoformat() == "2027-03-01T12:00:00+00:00"


def test_a_session_without_an_environment_is_of_the_standard_one(a_folder):
    records.note_session(OWN)
    content = json.loads(_file(a_folder).read_text())
    del content["session"]["environment"], content["session"]["settings"]
    _file(a_folder).write_text(json.dumps(content))
    assert records.session(TOKEN) == OWN._replace(environment="standard", settings={})
    assert records.last_environment() is None


@pytest.mark.parametrize("spoilt", ['{"session": 3}', '{"session": {"environment": 3}}', '{"key_environments": [1]}'])
def test_of_spoilt_notes_no_environment_is_known(a_folder, spoilt):
    a_folder.mkdir()
    _file(a_folder).write_text(spoilt)
    assert (records.session(TOKEN), records.last_environment(), records.key_environment(KEY)) == (None, None, None)


def test_an_environment_that_is_no_text_is_not_known(a_folder):
    a_folder.mkdir()
    _file(a_folder).write_text(json.dumps({"key_environments": {KEY.digest: 3}}))
    assert records.key_environment(KEY) is None


# -- where it lies -----------------------------------------------------------------------------------------------------


def test_the_folder_is_the_sdks_below_the_home_folder_unless_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LC_CREDENTIALS_DIR", "")
    assert records.credentials_folder() == tmp_path / ".config" / "luminarycloud"
    monkeypatch.setenv("LC_CREDENTIALS_DIR", "somewhere/else")
    assert records.credentials_folder() == Path("somewhere/else")


def test_on_windows_the_folder_is_below_the_application_data(monkeypatch, tmp_path):
    monkeypatch.delenv("LC_CREDENTIALS_DIR", raising=False)
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert records.credentials_folder() == tmp_path / "Roaming" / "luminarycloud"
    monkeypatch.delenv("APPDATA")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert records.credentials_folder() == tmp_path / "home" / "Roaming" / "luminarycloud"
