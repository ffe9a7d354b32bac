"""OAuth as the real identity service speaks it, and what it refuses."""

from __future__ import annotations

import pytest

from luminary_auth_widget.sandbox import Sandbox

from .helpers import ADA, CALLBACK, GRACE, Browser, callback_fields


def test_signing_in_asks_for_the_password_once_and_remembers_the_browser(a_browser: Browser) -> None:
    page, _ = a_browser.authorize()
    assert page.status_code == 200
    fields = callback_fields(a_browser.send(page, email=ADA[0], password=ADA[1]))
    assert fields["state"] == "a-state"
    again, verifier = a_browser.authorize()
    assert a_browser.exchange(callback_fields(again)["code"], verifier).status_code == 200


def test_prompt_login_asks_although_the_browser_is_remembered_and_may_change_accounts(a_browser: Browser) -> None:
    a_browser.log_in(ADA)
    page, verifier = a_browser.authorize(prompt="login")
    assert "Password" in page.text
    landed = a_browser.send(page, email=GRACE[0], password=GRACE[1])
    token = a_browser.exchange(callback_fields(landed)["code"], verifier).json()["access_token"]
    who = a_browser.session.get(f"{a_browser.url}/userinfo", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert who.json() == {
        "sub": "sandbox|grace@example.com",
        "name": "Grace Hopper",
        "email": "grace@example.com",
        "email_verified": True,
    }


def test_a_wrong_password_is_told_and_the_link_stays_good(a_browser: Browser) -> None:
    page, _ = a_browser.authorize()
    refused = a_browser.send(page, email=ADA[0], password="wrong")
    assert refused.status_code == 401
    assert "Wrong e-mail address or password" in refused.text
    assert callback_fields(a_browser.send(refused, email=ADA[0], password=ADA[1]))["code"]


@pytest.mark.parametrize("missing", ["code_challenge", "code_challenge_method"])
def test_a_link_without_pkce_is_refused(a_browser: Browser, missing: str) -> None:
    a_browser.log_in()
    landed, _ = a_browser.authorize(**{missing: None})
    assert callback_fields(landed)["error"] == "invalid_request"


def test_a_link_with_plain_pkce_is_refused(a_browser: Browser) -> None:
    a_browser.log_in()
    landed, _ = a_browser.authorize(code_challenge_method="plain")
    assert callback_fields(landed)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:10002/callback",
        "http://localhost:10001/callback",
        "http://127.0.0.1:10001/callback/",
        "http://127.0.0.1:10001@evil.example/callback",
        None,
    ],
)
def test_no_code_is_sent_to_any_other_address(a_browser: Browser, address: str | None) -> None:
    a_browser.log_in()
    refused, _ = a_browser.authorize(redirect_uri=address)
    assert refused.status_code == 400
    assert "Location" not in refused.headers


@pytest.mark.parametrize("change", [{"client_id": "somebody-else"}, {"client_id": None}])
def test_a_link_of_an_unknown_client_is_refused(a_browser: Browser, change: dict[str, str | None]) -> None:
    a_browser.log_in()
    refused, _ = a_browser.authorize(**change)
    assert refused.status_code == 400
    assert "Location" not in refused.headers


def test_a_link_for_another_service_is_refused(a_browser: Browser) -> None:
    a_browser.log_in()
    landed, _ = a_browser.authorize(audience="https://apis.elsewhere.invalid")
    assert callback_fields(landed)["error"] == "invalid_request"


def test_a_wrong_verifier_is_refused_and_uses_the_code_up(a_browser: Browser) -> None:
    a_browser.log_in()
    landed, verifier = a_browser.authorize()
    code = callback_fields(landed)["code"]
    assert a_browser.exchange(code, "w" * 43).status_code == 403
    assert a_browser.exchange(code, verifier).status_code == 403


def test_a_code_works_once(a_browser: Browser) -> None:
    a_browser.log_in()
    landed, verifier = a_browser.authorize()
    code = callback_fields(landed)["code"]
    assert a_browser.exchange(code, verifier).status_code == 200
    again = a_browser.exchange(code, verifier)
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")


def test_a_code_works_only_with_the_address_it_was_sent_to(a_browser: Browser) -> None:
    a_browser.log_in()
    landed, verifier = a_browser.authorize()
    other = CALLBACK.replace("10001", "9876")
    assert a_browser.exchange(callback_fields(landed)["code"], verifier, redirect_uri=other).status_code == 403


def test_the_token_endpoint_reads_forms_as_well_as_json(a_browser: Browser) -> None:
    refresh_token = a_browser.sign_in()["refresh_token"]
    fields = {"grant_type": "refresh_token", "client_id": "luminary-sandbox-sdk", "refresh_token": refresh_token}
    assert a_browser.session.post(f"{a_browser.url}/oauth/token", fields, timeout=5).status_code == 200


@pytest.mark.parametrize("body", ["[1]", '"text"', "{", '{"grant_type": ["refresh_token"]}'])
def test_a_body_that_is_no_request_is_a_bad_request(a_browser: Browser, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = a_browser.session.post(f"{a_browser.url}/oauth/token", body, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_discovery_names_the_keys_that_sign_the_tokens(a_sandbox: Sandbox, a_browser: Browser) -> None:
    discovered = a_browser.get(".well-known/openid-configuration").json()
    assert discovered["issuer"] == f"{a_sandbox.url}/"
    keys = a_browser.session.get(discovered["jwks_uri"], timeout=5).json()["keys"]
    assert [(key["kty"], "d" in key) for key in keys] == [("RSA", False)]
