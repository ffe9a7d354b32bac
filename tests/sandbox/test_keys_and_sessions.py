"""Who gets in, and until when."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from luminary_auth_widget.sandbox import ApiKey, Sandbox, SandboxError

from .helpers import ADA, GRACE, Browser, callback_fields, status_of


def test_a_new_key_opens_and_shows_itself_only_when_asked(a_sandbox: Sandbox, a_key: ApiKey) -> None:
    assert status_of(a_sandbox, key=a_key.secret) == "OK"
    assert a_key.secret not in repr(a_key)
    assert a_key.secret[-4:].isalnum()


def test_a_revoked_key_is_refused(a_sandbox: Sandbox, a_key: ApiKey) -> None:
    a_sandbox.revoke_api_key(a_key.id)
    assert status_of(a_sandbox, key=a_key.secret) == "UNAUTHENTICATED"


def test_a_deleted_key_is_refused(a_sandbox: Sandbox, a_key: ApiKey) -> None:
    a_sandbox.delete_api_key(a_key.id)
    assert status_of(a_sandbox, key=a_key.secret) == "UNAUTHENTICATED"


def test_an_expired_key_is_refused(a_sandbox_whose_time_moves: Sandbox) -> None:
    key = a_sandbox_whose_time_moves.create_api_key("ada@example.com", lifetime=timedelta(days=7))
    a_sandbox_whose_time_moves.advance(timedelta(days=6))
    assert status_of(a_sandbox_whose_time_moves, key=key.secret) == "OK"
    a_sandbox_whose_time_moves.advance(timedelta(days=1))
    assert status_of(a_sandbox_whose_time_moves, key=key.secret) == "UNAUTHENTICATED"


@pytest.mark.parametrize("credential", [{}, {"key": "unknown"}, {"token": "no.jwt.here"}, {"token": "nonsense"}])
def test_whoever_is_unknown_is_refused(a_sandbox: Sandbox, credential: dict[str, str]) -> None:
    assert status_of(a_sandbox, **credential) == "UNAUTHENTICATED"


def test_commands_about_nobody_say_so(a_sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match=r"no account nobody@example\.com"):
        a_sandbox.create_api_key("nobody@example.com")
    with pytest.raises(SandboxError, match="no API key 4711"):
        a_sandbox.revoke_api_key("4711")


def test_a_session_lasts_thirty_days_from_sign_in_however_often_it_is_renewed(
    a_sandbox_whose_time_moves: Sandbox,
) -> None:
    with Browser(a_sandbox_whose_time_moves) as browser:
        refresh_token = browser.sign_in()["refresh_token"]
        for _ in range(2):
            a_sandbox_whose_time_moves.advance(timedelta(days=14))
            assert browser.renew(refresh_token).status_code == 200
        a_sandbox_whose_time_moves.advance(timedelta(days=2))
        ended = browser.renew(refresh_token)
    assert (ended.status_code, ended.json()["error"]) == (403, "invalid_grant")


def test_an_access_token_lasts_a_day(a_sandbox_whose_time_moves: Sandbox) -> None:
    with Browser(a_sandbox_whose_time_moves) as browser:
        tokens = browser.sign_in()
        assert tokens["expires_in"] == 24 * 60 * 60
        assert status_of(a_sandbox_whose_time_moves, token=tokens["access_token"]) == "OK"
        a_sandbox_whose_time_moves.advance(timedelta(hours=24, seconds=1))
        assert status_of(a_sandbox_whose_time_moves, token=tokens["access_token"]) == "UNAUTHENTICATED"
        renewed = browser.renew(tokens["refresh_token"]).json()["access_token"]
        assert status_of(a_sandbox_whose_time_moves, token=renewed) == "OK"


def test_ending_an_accounts_sessions_leaves_other_accounts_alone(a_sandbox: Sandbox, a_browser: Browser) -> None:
    graces, adas = a_browser.sign_in(GRACE), a_browser.sign_in(ADA)
    a_sandbox.end_sessions("ada@example.com")
    assert a_browser.renew(adas["refresh_token"]).status_code == 403
    assert a_browser.get("profile").status_code == 302, "the browser is forgotten too"
    assert a_browser.renew(graces["refresh_token"]).status_code == 200


def test_no_secret_stands_in_any_file(a_sandbox: Sandbox, a_browser: Browser, a_key: ApiKey) -> None:
    page, verifier = a_browser.authorize()
    landed = a_browser.send(page, email=ADA[0], password=ADA[1])
    code = callback_fields(landed)["code"]
    unused = callback_fields(a_browser.authorize()[0])["code"]
    tokens = a_browser.exchange(code, verifier).json()
    cookies = a_browser.session.cookies.get_dict().values()
    files = {path.name: path.read_bytes() for path in a_sandbox.folder.rglob("*") if path.is_file()}
    assert "sandbox.sqlite" in files
    for secret in (
        a_key.secret,
        code,
        unused,
        verifier,
        tokens["refresh_token"],
        tokens["access_token"],
        *cookies,
        ADA[1],
    ):
        assert not [name for name, content in files.items() if secret.encode() in content]
    assert b"PRIVATE KEY" not in b"".join(files.values())


def test_what_reached_the_sandbox_is_recorded_by_last_four_characters_only(a_sandbox: Sandbox, a_key: ApiKey) -> None:
    status_of(a_sandbox, key=a_key.secret)
    assert a_sandbox.requests[-1].last_four == a_key.secret[-4:]
    assert a_key.secret not in json.dumps([vars(request) for request in a_sandbox.requests])
