"""Attacks on the identity service and on what its tokens open: each a row, each refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from joserfc.jwk import RSAKey

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox

from .helpers import ADA, CALLBACK, GRACE, Browser, callback_fields, status_of

Link = dict[str, str | None]
Tokens = dict[str, Any]
TOO_MUCH = "x" * 100_000
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def a_logged_in_browser(a_browser: Browser) -> Browser:
    a_browser.log_in(ADA)
    return a_browser


def code_of(browser: Browser, account: tuple[str, str] = ADA) -> tuple[str, str]:
    """Return a code that was just sent to the SDK, and its verifier."""
    page, verifier = browser.authorize(prompt="login")
    return callback_fields(browser.send(page, email=account[0], password=account[1]))["code"], verifier


# -- links -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attack", "link", "error"),
    [
        ("PKCE left out", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ("PKCE without its challenge", {"code_challenge": None}, "invalid_request"),
        ("PKCE downgrade by silence", {"code_challenge_method": None}, "invalid_request"),
        ("PKCE downgrade to plain", {"code_challenge_method": "plain"}, "invalid_request"),
        ("a challenge that no digest has", {"code_challenge": "short"}, "invalid_request"),
        ("state missing", {"state": None}, "invalid_request"),
        ("the token in the address", {"response_type": "token"}, "unsupported_response_type"),
        ("code and token at once", {"response_type": "code token"}, "unsupported_response_type"),
        ("more than there is to ask for", {"scope": "openid admin"}, "invalid_scope"),
        ("a token for another service", {"audience": "https://apis.elsewhere.invalid"}, "invalid_request"),
    ],
)
def test_a_crooked_link_brings_the_sdk_an_error_and_no_code(
    a_logged_in_browser: Browser, attack: str, link: Link, error: str
) -> None:
    landed, _ = a_logged_in_browser.authorize(**link)
    fields = callback_fields(landed)
    assert fields["error"] == error
    assert fields.get("state") == link.get("state", "a-state")
    assert "code" not in fields


@pytest.mark.parametrize(
    ("attack", "link"),
    [
        ("another site", {"redirect_uri": "https://evil.example/callback"}),
        ("another port", {"redirect_uri": "http://127.0.0.1:10002/callback"}),
        ("no port", {"redirect_uri": "http://127.0.0.1/callback"}),
        ("a name instead of the address", {"redirect_uri": "http://localhost:10001/callback"}),
        ("another scheme", {"redirect_uri": "https://127.0.0.1:10001/callback"}),
        ("a path like ours", {"redirect_uri": f"{CALLBACK}/"}),
        ("a path out of ours", {"redirect_uri": f"{CALLBACK}/../elsewhere"}),
        ("a query of its own", {"redirect_uri": f"{CALLBACK}?to=evil.example"}),
        ("a fragment", {"redirect_uri": f"{CALLBACK}#evil"}),
        ("our address as a user name", {"redirect_uri": "http://127.0.0.1:10001@evil.example/callback"}),
        ("a script", {"redirect_uri": "javascript:alert(1)"}),
        ("no address", {"redirect_uri": None}),
        ("a client that nobody knows", {"client_id": "somebody-else"}),
        ("no client", {"client_id": None}),
    ],
)
def test_a_link_to_elsewhere_ends_on_a_page_of_our_own(a_logged_in_browser: Browser, attack: str, link: Link) -> None:
    refused, _ = a_logged_in_browser.authorize(**link)
    assert refused.status_code == 400
    assert "Location" not in refused.headers


def test_a_second_address_in_the_link_is_refused(a_logged_in_browser: Browser) -> None:
    link = requests.Request("GET", a_logged_in_browser.authorize()[0].url).prepare().url
    assert link
    refused = a_logged_in_browser.session.get(
        f"{link}&redirect_uri=https%3A%2F%2Fevil.example", allow_redirects=False, timeout=5
    )
    assert refused.status_code == 400
    assert "Location" not in refused.headers


@pytest.mark.parametrize(
    "path",
    ["login?next=https://evil.example", "//evil.example", "//evil.example/login", "\\evil.example", "logout/..//evil"],
)
def test_no_address_of_ours_leads_to_another_site(a_logged_in_browser: Browser, path: str) -> None:
    answer = a_logged_in_browser.session.get(f"{a_logged_in_browser.url}/{path}", allow_redirects=False, timeout=5)
    landed = requests.compat.urljoin(answer.url, answer.headers.get("Location", ""))
    assert landed.startswith(f"{a_logged_in_browser.url}/")


# -- codes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attack", "changes"),
    [
        ("a wrong verifier", {"code_verifier": "w" * 43}),
        ("no verifier", {"code_verifier": ""}),
        ("another callback than the link's", {"redirect_uri": CALLBACK.replace("10001", "9876")}),
        ("no callback", {"redirect_uri": ""}),
        ("another client", {"client_id": "somebody-else"}),
        ("a guessed code", {"code": "g" * 48}),
        ("another way in: the password", {"grant_type": "password", "username": ADA[0], "password": ADA[1]}),
        ("another way in: the client alone", {"grant_type": "client_credentials"}),
    ],
)
def test_a_stolen_code_is_worth_nothing(a_browser: Browser, attack: str, changes: dict[str, str]) -> None:
    code, verifier = code_of(a_browser)
    answer = a_browser.token(
        **{
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": CALLBACK,
            **changes,
        }
    )
    assert 400 <= answer.status_code < 404
    assert "access_token" not in answer.json()


def test_the_challenge_is_no_verifier(a_browser: Browser) -> None:
    """Who sees the link sees the challenge: under the method "plain" that would do."""
    code, verifier = code_of(a_browser)
    challenge = _encoded(hashlib.sha256(verifier.encode()).digest())
    assert a_browser.exchange(code, challenge).status_code == 403


def test_a_guess_at_the_verifier_uses_the_code_up(a_browser: Browser) -> None:
    code, verifier = code_of(a_browser)
    a_browser.exchange(code, "w" * 43)
    assert a_browser.exchange(code, verifier).status_code == 403


def test_a_code_that_is_used_twice_ends_what_its_first_use_began(a_sandbox: Sandbox, a_browser: Browser) -> None:
    code, verifier = code_of(a_browser)
    tokens = a_browser.exchange(code, verifier).json()
    again = a_browser.exchange(code, verifier)
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")
    assert a_browser.renew(tokens["refresh_token"]).status_code == 403
    assert status_of(a_sandbox, token=tokens["access_token"]) == "UNAUTHENTICATED"


def test_a_code_is_good_for_a_minute(a_sandbox_whose_time_moves: Sandbox) -> None:
    with Browser(a_sandbox_whose_time_moves) as browser:
        in_time, late = code_of(browser), code_of(browser)
        a_sandbox_whose_time_moves.advance(timedelta(seconds=55))
        assert browser.exchange(*in_time).status_code == 200
        a_sandbox_whose_time_moves.advance(timedelta(seconds=6))
        assert browser.exchange(*late).status_code == 403


def test_a_code_that_was_slipped_to_somebody_else_signs_nobody_in(a_browser: Browser) -> None:
    graces, _ = code_of(a_browser, GRACE)
    _, adas_verifier = code_of(a_browser, ADA)
    assert a_browser.exchange(graces, adas_verifier).status_code == 403


def test_whoever_logs_in_last_is_who_is_signed_in(a_browser: Browser) -> None:
    """A browser that is remembered as Ada brings no code of hers to a sign-in that Grace completes."""
    a_browser.log_in(ADA)
    code, verifier = code_of(a_browser, GRACE)
    claims = jwt.decode(a_browser.exchange(code, verifier).json()["access_token"], options={"verify_signature": False})
    assert claims["sub"] == "sandbox|grace@example.com"


# -- refresh tokens ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def a_sandbox_that_rotates() -> Iterator[Sandbox]:
    with sandbox.start(refresh_rotation=True) as cloud:
        yield cloud


def test_with_rotation_a_refresh_token_that_is_used_twice_ends_the_session(a_sandbox_that_rotates: Sandbox) -> None:
    assert a_sandbox_that_rotates.environ["LC_REFRESH_ROTATION"] == "TRUE", "else the SDK keeps its first one"
    with Browser(a_sandbox_that_rotates) as browser:
        stolen = browser.sign_in()["refresh_token"]
        first = browser.renew(stolen).json()
        assert first["refresh_token"] != stolen
        assert browser.renew(stolen).status_code == 403
        assert browser.renew(first["refresh_token"]).status_code == 403
        assert status_of(a_sandbox_that_rotates, token=first["access_token"]) == "UNAUTHENTICATED"


def test_of_many_who_use_one_refresh_token_at_once_one_gets_the_next_and_it_is_void(
    a_sandbox_that_rotates: Sandbox,
) -> None:
    with Browser(a_sandbox_that_rotates) as browser, ThreadPoolExecutor(8) as thieves:
        stolen = browser.sign_in()["refresh_token"]
        answers = list(thieves.map(lambda _: browser.renew(stolen), range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [403] * 7
        (won,) = (answer.json()["refresh_token"] for answer in answers if answer.status_code == 200)
        assert browser.renew(won).status_code == 403


@pytest.mark.parametrize(
    ("attack", "changes"),
    [
        ("more than was granted", {"scope": "openid admin"}),
        ("another client", {"client_id": "somebody-else"}),
        ("a guess", {"refresh_token": "rt_sandbox_" + "g" * 40}),
        ("as a code", {"grant_type": "authorization_code", "code_verifier": "v" * 43}),
    ],
)
def test_a_refresh_token_opens_nothing_else(a_browser: Browser, attack: str, changes: dict[str, str]) -> None:
    token = a_browser.sign_in()["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": token, "code": token} | changes
    answer = a_browser.token(**fields)
    assert 400 <= answer.status_code < 404
    assert "access_token" not in answer.json()


# -- access tokens -----------------------------------------------------------------------------------------------------


def _unsigned(tokens: Tokens, _: Tokens) -> str:
    return jwt.encode(_claims(tokens), "", algorithm="none")


def _signed_by_a_password(tokens: Tokens, keys: Tokens) -> str:
    """The public key, used as a shared one: a checker that takes the token's word for the algorithm falls for it."""
    shared = RSAKey.import_key(keys["keys"][0]).as_pem(private=False)
    body = f"{_part({'alg': 'HS256', 'typ': 'at+jwt'})}.{_part(_claims(tokens))}"
    return f"{body}.{_encoded(hmac.digest(shared, body.encode(), 'sha256'))}"


def _with_another_account(tokens: Tokens, _: Tokens) -> str:
    head, body, signature = tokens["access_token"].split(".")
    padded = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return f"{head}.{_encoded(padded.replace(b'ada@example.com', b'grace@example.com'))}.{signature}"


def _part(content: Tokens) -> str:
    return _encoded(json.dumps(content).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _claims(tokens: Tokens) -> Tokens:
    return jwt.decode(tokens["access_token"], options={"verify_signature": False})


@pytest.mark.parametrize(
    ("attack", "forge"),
    [
        ("no signature", _unsigned),
        ("a signature with the public key", _signed_by_a_password),
        ("a changed account", _with_another_account),
        ("the ID token: our signature, another audience", lambda tokens, _: tokens["id_token"]),
        ("the refresh token", lambda tokens, _: tokens["refresh_token"]),
        ("half a token", lambda tokens, _: tokens["access_token"].rsplit(".", 1)[0]),
        ("nonsense", lambda *_: "no.jwt.here"),
    ],
)
def test_the_api_and_userinfo_take_our_access_tokens_alone(
    a_sandbox: Sandbox, a_browser: Browser, attack: str, forge: Callable[[Tokens, Tokens], str]
) -> None:
    tokens = a_browser.sign_in()
    forged = forge(tokens, a_browser.get(".well-known/jwks.json").json())
    assert status_of(a_sandbox, token=tokens["access_token"]) == "OK"
    assert status_of(a_sandbox, token=forged) == "UNAUTHENTICATED"
    assert who_is(a_browser, forged).status_code == 401


def test_a_token_of_another_issuer_is_refused(a_sandbox: Sandbox, a_sandbox_that_rotates: Sandbox) -> None:
    with Browser(a_sandbox_that_rotates) as browser:
        foreign = browser.sign_in()["access_token"]
    assert status_of(a_sandbox_that_rotates, token=foreign) == "OK"
    assert status_of(a_sandbox, token=foreign) == "UNAUTHENTICATED"


def who_is(browser: Browser, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return browser.session.get(f"{browser.url}/userinfo", headers=headers, timeout=5)


# -- too much of it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["oauth/token", "oauth/revoke", "authorize", "login"])
@pytest.mark.parametrize(
    ("attack", "body", "kind", "status"),
    [
        ("a form", f"grant_type={TOO_MUCH}", FORM, 413),
        ("JSON", f'{{"grant_type": "{TOO_MUCH}"}}', "application/json", 413),
        ("a form that does not tell its length", [b"grant_type=", TOO_MUCH.encode()], FORM, 411),
    ],
)
def test_a_body_that_is_too_large_is_refused_unread(
    a_browser: Browser, path: str, attack: str, body: str | list[bytes], kind: str, status: int
) -> None:
    sent = body if isinstance(body, str) else iter(body)
    answer = a_browser.session.post(
        f"{a_browser.url}/{path}", sent, headers={"Content-Type": kind}, allow_redirects=False, timeout=5
    )
    assert answer.status_code == status
    assert a_browser.get("login").status_code == 200


@pytest.mark.parametrize(
    ("attack", "request_line"),
    [("an address", {"params": {"state": TOO_MUCH}}), ("a header", {"headers": {"X": TOO_MUCH}})],
)
def test_a_request_that_is_too_long_is_refused_and_the_next_one_served(
    a_browser: Browser, attack: str, request_line: dict[str, Any]
) -> None:
    with suppress(requests.ConnectionError):  # it may hang up before all of it was sent
        answer = a_browser.session.get(f"{a_browser.url}/authorize", timeout=5, **request_line)
        assert answer.status_code in {414, 431}
    assert a_browser.get("login").status_code == 200
