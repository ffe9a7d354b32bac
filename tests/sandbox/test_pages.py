"""The web application, as a person without JavaScript uses it."""

from __future__ import annotations

import re

import pytest
import requests

from luminary_auth_widget.sandbox import Sandbox

from .helpers import ADA, GRACE, Browser, status_of


@pytest.fixture
def a_logged_in_browser(a_browser: Browser) -> Browser:
    assert a_browser.log_in().headers["Location"] == "profile"
    return a_browser


def create_key(browser: Browser, name: str, duration: str = "Three months") -> str:
    made = browser.send(browser.get("profile"), "create-key", name=name, duration=duration)
    assert made.headers["Location"] == "profile", made.text
    page = browser.get("profile").text
    shown = re.search(r'class="secret" type="text" value="(\w+)" readonly', page)
    assert shown, page
    return shown[1]


def row_of(browser: Browser, name: str) -> str:
    row = re.search(rf'<tr>\s*<th scope="row">{name} .*?</tr>', browser.get("profile").text, re.DOTALL)
    return row[0] if row else ""


def test_a_key_is_shown_once_works_is_revoked_and_deleted(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    browser = a_logged_in_browser
    secret = create_key(browser, "from the page")
    assert secret not in browser.get("profile").text
    assert "never" in row_of(browser, "from the page")
    assert status_of(a_sandbox, key=secret) == "OK"
    assert "never" not in row_of(browser, "from the page")

    revoke = re.search(r'href="(revoke-key\?key=\w+)">Revoke', row_of(browser, "from the page"))
    assert revoke
    browser.send(browser.get(revoke[1]))
    assert status_of(a_sandbox, key=secret) == "UNAUTHENTICATED"
    assert 'aria-label="inactive">×' in row_of(browser, "from the page")

    delete = re.search(r'href="(delete-key\?key=\w+)">Delete', row_of(browser, "from the page"))
    assert delete
    browser.send(browser.get(delete[1]))
    assert not row_of(browser, "from the page")


def test_three_months_are_preset(a_logged_in_browser: Browser) -> None:
    assert "<option selected>Three months</option>" in a_logged_in_browser.get("profile").text


def test_an_active_key_cannot_be_deleted(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    key = a_sandbox.create_api_key("ada@example.com")
    assert a_logged_in_browser.get("delete-key", key=key.id).status_code == 404


def test_somebody_elses_key_can_neither_be_seen_nor_revoked(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    graces = a_sandbox.create_api_key("grace@example.com", name="graces-key")
    assert "graces-key" not in a_logged_in_browser.get("profile").text
    page = a_logged_in_browser.get("profile")
    assert a_logged_in_browser.send(page, "revoke-key", key=graces.id).status_code == 404
    assert status_of(a_sandbox, key=graces.secret) == "OK"


def test_a_name_is_text_never_markup(a_logged_in_browser: Browser) -> None:
    create_key(a_logged_in_browser, "<script>alert(1)</script>")
    assert "<script" not in a_logged_in_browser.get("profile").text


def test_each_account_sees_its_own_projects(a_browser: Browser) -> None:
    a_browser.log_in(GRACE)
    page = a_browser.get("projects").text
    assert "Centrifugal pump" in page
    assert "DrivAer" not in page


@pytest.mark.parametrize("path", ["profile", "projects", "revoke-key", "delete-key"])
def test_whoever_is_not_logged_in_is_sent_to_the_log_in_page(a_browser: Browser, path: str) -> None:
    answer = a_browser.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "login")


def test_logging_out_forgets_the_browser(a_logged_in_browser: Browser) -> None:
    a_logged_in_browser.send(a_logged_in_browser.get("profile"), "logout")
    assert a_logged_in_browser.get("profile").status_code == 302


def test_every_page_says_that_it_is_a_sandbox(a_logged_in_browser: Browser) -> None:
    pages = [a_logged_in_browser.get(path) for path in ("profile", "projects", "nowhere", "authorize")]
    assert all("not Luminary Cloud" in page.text for page in pages)


@pytest.mark.parametrize("path", ["login", "logout", "create-key", "revoke-key", "delete-key", "authorize"])
def test_a_form_without_our_token_is_refused(a_logged_in_browser: Browser, path: str) -> None:
    forged = a_logged_in_browser.session.post(
        f"{a_logged_in_browser.url}/{path}",
        {"email": ADA[0], "password": ADA[1], "name": "forged", "duration": "One year"},
        headers={"Referer": f"{a_logged_in_browser.url}/profile"},
        allow_redirects=False,
        timeout=5,
    )
    assert forged.status_code == 400
    assert "forged" not in a_logged_in_browser.get("profile").text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.1"])
def test_a_foreign_host_name_is_refused_everywhere(a_sandbox: Sandbox, host: str) -> None:
    for path in ("login", "profile", "static/sandbox.css", ".well-known/openid-configuration"):
        answer = requests.get(f"{a_sandbox.page_url}/{path}", headers={"Host": host}, timeout=5)
        assert answer.status_code == 400, path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_names_are_served(a_sandbox: Sandbox, host: str) -> None:
    port = a_sandbox.page_url.rsplit(":", 1)[1]
    answer = requests.get(f"{a_sandbox.page_url}/login", headers={"Host": f"{host}:{port}"}, timeout=5)
    assert answer.status_code == 200


def test_cookies_and_headers_hold_other_sites_off(a_browser: Browser) -> None:
    page = a_browser.get("login")
    assert all(flag in page.headers["Set-Cookie"] for flag in ("Secure", "HttpOnly", "SameSite=Lax"))
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in page.headers
