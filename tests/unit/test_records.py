"""The sidecar: noted expiries, private, and no reason to fail when it is spoilt."""

import stat
from datetime import datetime, timezone

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
