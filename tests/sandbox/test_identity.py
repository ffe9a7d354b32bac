"""OAuth as the real identity service speaks it, by the book; test_attacks.py has what it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from luminary_auth_widget.sandbox import Sandbox

from .helpers import ADA, CALLBACK, GRACE, Browser, callback_fields, status_of

SDK = "luminary-sandbox-sdk"


def test_a_client_that_we_did_not_write_signs_in_asks_who_it_is_renews_and_revokes(
    a_sandbox: Sandbox, a_browser: Browser
) -> None:
    scope = "openid profile email offline_access"
    public = {"token_endpoint_auth_method": "none", "revocation_endpoint_auth_method": "none"}
    with OAuth2Session(SDK, scope=scope, redirect_uri=CALLBACK, code_challenge_method="S256", **public) as client:
        client.trust_env, client.verify = False, str(a_sandbox.folder / "ca.pem")
        about = client.get(f"{a_sandbox.url}/.well-known/openid-configuration", withhold_token=True).json()
        verifier, nonce = generate_token(48), generate_token()
        link, state = client.create_authorization_url(
            about["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        page = a_browser.session.get(link, timeout=5)
        landed = a_browser.send(page, email=ADA[0], password=ADA[1]).headers["Location"]
        tokens = client.fetch_token(
            about["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier
        )
        keys = KeySet.import_key_set(client.get(about["jwks_uri"], withhold_token=True).json())
        signed = jwt.decode(tokens["id_token"], keys, algorithms=about["id_token_signing_alg_values_supported"]).claims
        assert (signed["iss"], signed["aud"], signed["nonce"]) == (about["issuer"], SDK, nonce)
        assert client.get(about["userinfo_endpoint"]).json()["email"] == signed["email"] == ADA[0]

        renewed = client.refresh_token(about["token_endpoint"])
        assert renewed["access_token"] != tokens["access_token"]
        assert status_of(a_sandbox, token=renewed["access_token"]) == "OK"

        client.revoke_token(about["revocation_endpoint"], renewed["refresh_token"], "refresh_token").raise_for_status()
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token(about["token_endpoint"])
        assert client.get(about["userinfo_endpoint"]).status_code == 401


def test_two_hundred_sign_ins_twenty_at_a_time(a_sandbox: Sandbox) -> None:
    def sign_in(number: int) -> str:
        with Browser(a_sandbox) as browser:
            token = browser.sign_in((ADA, GRACE)[number % 2])["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            return str(browser.session.get(f"{browser.url}/userinfo", headers=headers, timeout=20).json()["email"])

    with ThreadPoolExecutor(20) as people:
        signed_in = list(people.map(sign_in, range(200)))
    assert signed_in == [ADA[0], GRACE[0]] * 100


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


def test_the_token_endpoint_reads_forms_as_well_as_json(a_browser: Browser) -> None:
    refresh_token = a_browser.sign_in()["refresh_token"]
    fields = {"grant_type": "refresh_token", "client_id": "luminary-sandbox-sdk", "refresh_token": refresh_token}
    assert a_browser.session.post(f"{a_browser.url}/oauth/token", fields, timeout=5).status_code == 200


@pytest.mark.parametrize("body", ["[1]", '"text"', "{", '{"grant_type": ["refresh_token"]}'])
def test_a_body_that_is_no_request_is_a_bad_request(a_browser: Browser, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = a_browser.session.post(f"{a_browser.url}/oauth/token", body, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_either_token_can_be_revoked_and_ends_the_session(a_sandbox: Sandbox, a_browser: Browser, which: str) -> None:
    tokens, others = a_browser.sign_in(), a_browser.sign_in()
    answer = a_browser.revoke(token=tokens[which])
    assert (answer.status_code, answer.json()) == (200, {})
    assert a_browser.renew(tokens["refresh_token"]).status_code == 403
    assert status_of(a_sandbox, token=tokens["access_token"]) == "UNAUTHENTICATED"
    assert a_browser.renew(others["refresh_token"]).status_code == 200
    assert a_browser.revoke(token=tokens[which]).status_code == 200, "once more is no error"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"token": "unknown"}, 200, None),
        ({}, 400, "invalid_request"),
        ({"token": "unknown", "client_id": "somebody-else"}, 400, "invalid_client"),
    ],
)
def test_revocation_answers_by_the_book(
    a_browser: Browser, fields: dict[str, str], status: int, error: str | None
) -> None:
    answer = a_browser.revoke(**fields)
    assert (answer.status_code, answer.json().get("error")) == (status, error)


def test_a_sign_in_that_must_not_ask_is_told_that_it_would_have_to(a_browser: Browser) -> None:
    landed, _ = a_browser.authorize(prompt="none")
    assert callback_fields(landed) == {"error": "login_required", "state": "a-state"}
    a_browser.log_in()
    assert callback_fields(a_browser.authorize(prompt="none")[0])["code"]


def test_a_client_is_told_and_given_what_its_scope_asks_for(a_browser: Browser) -> None:
    a_browser.log_in()
    landed, verifier = a_browser.authorize(scope="openid email")
    tokens = a_browser.exchange(callback_fields(landed)["code"], verifier).json()
    assert "refresh_token" not in tokens, "that is what offline_access is for"
    who = a_browser.session.get(
        f"{a_browser.url}/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=5
    )
    assert who.json() == {"sub": "sandbox|ada@example.com", "email": ADA[0], "email_verified": True}


def test_the_discovery_document_is_complete(a_browser: Browser) -> None:
    OpenIDProviderMetadata(a_browser.get(".well-known/openid-configuration").json()).validate()


def test_discovery_names_the_keys_that_sign_the_tokens(a_sandbox: Sandbox, a_browser: Browser) -> None:
    discovered = a_browser.get(".well-known/openid-configuration").json()
    assert discovered["issuer"] == f"{a_sandbox.url}/"
    keys = a_browser.session.get(discovered["jwks_uri"], timeout=5).json()["keys"]
    assert [(key["kty"], "d" in key) for key in keys] == [("RSA", False)]
