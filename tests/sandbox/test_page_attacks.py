"""Attacks on the pages and on what browsers hold for them: each refused, and seen to change nothing."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator

import pytest
import requests
from markupsafe import escape

from luminary_auth_widget.sandbox import ApiKey, Sandbox

from .helpers import ADA, GRACE, Browser, status_of

FORM = "application/x-www-form-urlencoded"
TOO_MUCH = "x" * 70_000
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</bdi></th><form action=https://evil.example>",
    "{{ config }}",
    "{% raw %}",
    "&lt;b&gt;",
]


@pytest.fixture
def a_logged_in_browser(a_browser: Browser) -> Browser:
    a_browser.log_in(ADA)
    return a_browser


def post(browser: Browser, path: str, referrer: str = "profile", **fields: str) -> requests.Response:
    """Send a form that is none of the sandbox's own, with the browser's cookies."""
    return browser.session.post(
        f"{browser.url}/{path}",
        fields,
        headers={"Referer": referrer if "://" in referrer else f"{browser.url}/{referrer}"},
        allow_redirects=False,
        timeout=5,
    )


def token_of(page: requests.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


# ---- Forged forms ----


@pytest.mark.parametrize("path", ["login", "logout", "create-key", "revoke-key", "delete-key", "authorize"])
def test_a_form_without_the_pages_token_is_refused(a_logged_in_browser: Browser, a_key: ApiKey, path: str) -> None:
    before = a_logged_in_browser.get("profile").text.count("<tr>")
    fields = {"email": ADA[0], "password": ADA[1], "name": "forged", "duration": "One year", "key": a_key.id}
    forged = post(a_logged_in_browser, path, **fields)
    assert forged.status_code == 400
    assert "This form is out of date" in forged.text
    after = a_logged_in_browser.get("profile")
    assert (after.status_code, after.text.count("<tr>")) == (200, before), "still logged in, with the same keys"


def test_a_key_is_revoked_neither_by_a_link_nor_with_anothers_token_nor_from_another_site(
    a_sandbox: Sandbox, a_logged_in_browser: Browser, a_key: ApiKey
) -> None:
    with Browser(a_sandbox) as attacker:
        attacker.log_in(GRACE)
        foreign = token_of(attacker.get("profile"))
    own = token_of(a_logged_in_browser.get("profile"))
    assert a_logged_in_browser.get("revoke-key", key=a_key.id).status_code == 200  # it only asks
    forged = [
        post(a_logged_in_browser, "revoke-key", key=a_key.id, csrf_token=foreign),
        post(a_logged_in_browser, "revoke-key", "https://evil.example/", key=a_key.id, csrf_token=own),
        post(a_logged_in_browser, "revoke-key", "https://localhost.evil.example/", key=a_key.id, csrf_token=own),
    ]
    assert [answer.status_code for answer in forged] == [400, 400, 400]
    assert status_of(a_sandbox, key=a_key.secret) == "OK"
    assert post(a_logged_in_browser, "revoke-key", key=a_key.id, csrf_token=own).status_code == 302
    assert status_of(a_sandbox, key=a_key.secret) == "UNAUTHENTICATED", "so the token is what the others lacked"


@pytest.mark.parametrize("path", ["revoke-key", "delete-key"])
def test_anothers_key_can_neither_be_seen_nor_touched(
    a_sandbox: Sandbox, a_logged_in_browser: Browser, path: str
) -> None:
    graces = a_sandbox.create_api_key("grace@example.com", name=f"graces-{path}")
    page = a_logged_in_browser.get("profile")
    assert graces.name not in page.text
    assert a_logged_in_browser.get(path, key=graces.id).status_code == 404
    assert a_logged_in_browser.send(page, path, key=graces.id).status_code == 404
    assert status_of(a_sandbox, key=graces.secret) == "OK"


# ---- Markup ----


@pytest.mark.parametrize("name", MARKUP)
def test_markup_in_a_keys_name_is_text_on_every_page_that_shows_it(
    a_sandbox: Sandbox, a_logged_in_browser: Browser, name: str
) -> None:
    harmless = a_sandbox.create_api_key("ada@example.com", name="nothing to see")
    bare = _shape_of(a_logged_in_browser.get("revoke-key", key=harmless.id))
    key = a_sandbox.create_api_key("ada@example.com", name=name)
    question = a_logged_in_browser.get("revoke-key", key=key.id)
    assert _shape_of(question) == bare
    kept = a_logged_in_browser.send(question, "create-key", name=name, duration="not on offer")
    for page in (question, kept, a_logged_in_browser.get("profile")):
        assert escape(name) in page.text
    a_sandbox.delete_api_key(key.id)


def _shape_of(page: requests.Response) -> list[str]:
    return re.findall(r"<(/?\w+)", page.text)


def test_markup_in_what_is_sent_comes_back_as_text(a_browser: Browser) -> None:
    markup = "<script>alert(1)</script>"
    answers = [
        a_browser.send(a_browser.get("login"), email=markup, password="x"),
        a_browser.authorize(redirect_uri=markup, client_id=markup)[0],
        a_browser.authorize(scope=markup, redirect_uri=None)[0],
        a_browser.get(f"nowhere/{markup}"),
        a_browser.get("profile", created=markup),
    ]
    assert all(markup not in answer.text for answer in answers)


# ---- Sessions ----


def test_a_session_that_was_planted_before_the_log_in_opens_nothing_after_it(
    a_sandbox: Sandbox, a_browser: Browser
) -> None:
    page = a_browser.get("login")
    planted = a_browser.session.cookies.get_dict()
    assert planted
    a_browser.send(page, email=ADA[0], password=ADA[1])
    assert a_browser.get("profile").status_code == 200
    with Browser(a_sandbox) as attacker:
        attacker.session.cookies.update(planted)
        assert attacker.get("profile").status_code == 302
    assert post(a_browser, "logout", csrf_token=token_of(page)).status_code == 400, "its form token is void as well"


def test_a_cookie_that_was_copied_opens_nothing_after_the_log_out(
    a_sandbox: Sandbox, a_logged_in_browser: Browser
) -> None:
    copied = a_logged_in_browser.session.cookies.get_dict()
    with Browser(a_sandbox) as attacker:
        attacker.session.cookies.update(copied)
        assert attacker.get("profile").status_code == 200, "it was worth something"
        a_logged_in_browser.send(a_logged_in_browser.get("profile"), "logout")
        attacker.session.cookies.update(copied)
        assert attacker.get("profile").status_code == 302


def test_a_cookie_that_names_somebody_else_is_void(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    ((name, value),) = a_logged_in_browser.session.cookies.items()
    payload, rest = value.lstrip(".").split(".", 1)
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    content = json.loads(zlib.decompress(raw) if value.startswith(".") else raw)
    assert content["email"] == ADA[0]
    forged = base64.urlsafe_b64encode(json.dumps({**content, "email": GRACE[0]}).encode()).decode().rstrip("=")
    with Browser(a_sandbox) as attacker:
        attacker.session.cookies.update({name: f"{forged}.{rest}"})
        assert attacker.get("profile").status_code == 302


def test_cookies_and_headers_hold_other_sites_off(a_browser: Browser) -> None:
    page = a_browser.get("login")
    assert all(flag in page.headers["Set-Cookie"] for flag in ("Secure", "HttpOnly", "SameSite=Lax"))
    policy = page.headers["Content-Security-Policy"]
    assert all(rule in policy for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"))
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|<script(?! type=\"module\" src=)|\son\w+=", page.text)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in page.headers


# ---- Who is asked ----


@pytest.fixture
def a_plain_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.1"])
def test_a_name_that_was_bent_to_mean_this_machine_is_refused_everywhere(
    a_sandbox: Sandbox, a_plain_session: requests.Session, host: str
) -> None:
    port = a_sandbox.page_url.rsplit(":", 1)[1]
    forged = [{"Host": f"{host}:{port}"}, {"Host": f"{host}:{port}", "X-Forwarded-Prefix": "/user/ada"}, {"Host": host}]
    for path in ("login", "profile", "static/sandbox.css", ".well-known/openid-configuration"):
        for headers in forged:
            answer = a_plain_session.get(f"{a_sandbox.page_url}/{path}", headers=headers, timeout=5)
            assert answer.status_code == 400, (path, headers)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_names_are_served(a_sandbox: Sandbox, a_plain_session: requests.Session, host: str) -> None:
    port = a_sandbox.page_url.rsplit(":", 1)[1]
    answer = a_plain_session.get(f"{a_sandbox.page_url}/login", headers={"Host": f"{host}:{port}"}, timeout=5)
    assert answer.status_code == 200


@pytest.mark.parametrize("parameter", ["next", "redirect", "redirect_uri", "return_to", "url"])
def test_no_parameter_of_a_page_says_where_to_go_next(a_browser: Browser, parameter: str) -> None:
    page = a_browser.get("login", **{parameter: "https://evil.example/"})
    landed = a_browser.send(page, email=ADA[0], password=ADA[1])
    assert landed.headers["Location"] == "profile"
    again = a_browser.get("login", **{parameter: "//evil.example/"})
    assert again.headers["Location"] == "profile"


# ---- Too much ----


@pytest.mark.parametrize("path", ["login", "create-key", "revoke-key", "authorize"])
def test_a_body_that_is_too_large_is_refused_in_a_sentence(a_logged_in_browser: Browser, path: str) -> None:
    token = token_of(a_logged_in_browser.get("profile"))
    answer = post(a_logged_in_browser, path, csrf_token=token, name=TOO_MUCH, duration="One week")
    assert answer.status_code == 413
    assert "more than a form of these pages can hold" in answer.text
    assert a_logged_in_browser.get("profile").status_code == 200


def test_a_body_that_does_not_say_how_large_it_is_is_refused(a_logged_in_browser: Browser) -> None:
    token = token_of(a_logged_in_browser.get("profile"))
    form = f"csrf_token={token}&duration=One+week&name=chunked"
    for rest in ("", f"&padding={TOO_MUCH}"):
        answer = a_logged_in_browser.session.post(
            f"{a_logged_in_browser.url}/create-key",
            data=iter([f"{form}{rest}".encode()]),
            headers={"Referer": f"{a_logged_in_browser.url}/profile", "Content-Type": FORM},
            allow_redirects=False,
            timeout=5,
        )
        assert answer.status_code == 411
    assert "chunked" not in a_logged_in_browser.get("profile").text


def test_an_address_or_a_header_that_is_too_long_is_refused(a_browser: Browser) -> None:
    assert a_browser.get("login", padding=TOO_MUCH).status_code == 414
    long = a_browser.session.get(f"{a_browser.url}/login", headers={"X-Padding": TOO_MUCH}, timeout=5)
    assert long.status_code == 431
    assert a_browser.get("login").status_code == 200
