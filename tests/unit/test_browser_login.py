"""What is pasted back from a browser elsewhere, and what is said of a login that failed."""

import re

import pytest

from luminary_auth_widget import browser_login
from luminary_auth_widget.browser_login import BrowserLogin, Link
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import (
    AuthError,
    CertificateInvalid,
    LoginDenied,
    LoginNotFinished,
    LoginTimedOut,
    PortsTaken,
    SDKUnusable,
    ServerTimeout,
    ServerTrouble,
    ServerUnreachable,
)

LINK = Link(
    "https://login.example.com/authorize?state=STATE-abc_123&redirect_uri=http%3A%2F%2F127.0.0.1%3A9876%2Fcallback"
)
QUERY = "code=CODE-xyz&state=STATE-abc_123"


def test_a_link_tells_what_the_browser_must_bring_back_and_where():
    assert (LINK.state, LINK.port) == ("STATE-abc_123", 9876)


def test_a_link_for_another_account_differs_in_the_prompt_alone():
    assert LINK.for_another_account() == f"{LINK.url}&prompt=login"


@pytest.mark.parametrize(
    "pasted",
    [
        f"http://127.0.0.1:9876/callback?{QUERY}",
        f"http://localhost:9876/callback?{QUERY}",
        f"http://[::1]:9876/callback?{QUERY}",
        f"127.0.0.1:9876/callback?{QUERY}",
        f"/callback?{QUERY}",
        f"?{QUERY}",
        QUERY,
        f"  http://127.0.0.1:9876/callback?{QUERY}\n",
        f'"http://127.0.0.1:9876/callback?{QUERY}"',
        f"“http://127.0.0.1:9876/callback?{QUERY}”",
        f"<http://127.0.0.1:9876/callback?{QUERY}>",
        "http://127.0.0.1:9876/call\r\n  back?code=CODE-\n xyz&sta\nte=STATE-abc_123",
        f"http://127.0.0.1:9876/callback?{QUERY}#",
    ],
)
def test_an_address_is_understood_in_whatever_shape_it_was_copied(pasted):
    query, problem = browser_login._read_callback(Secret(pasted), LINK)
    assert (query.reveal(), problem) == (QUERY, "")


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "No address was pasted"),
        (' "" \n', "No address was pasted"),
        ("http://127.0.0.1:9876/callback", "A part of the address is missing"),
        ("http://127.0.0.1:9876/callback?code=CODE-xyz", "A part of the address is missing"),
        ("http://127.0.0.1:9876/callback?state=STATE-abc_123", "A part of the address is missing"),
        ("http://127.0.0.1:9876/callback?code=&state=STATE-abc_123", "A part of the address is missing"),
        ("http://127.0.0.1:9876/callback?code=CODE-xyz&state=STATE-a", "The end of the address is missing"),
        ("http://127.0.0.1:9876/callback?code=CODE-xyz&state=another", "another sign-in, or an earlier one"),
        (f"http://127.0.0.1:9876/callback?{QUERY}&state=another", "another sign-in, or an earlier one"),
        (f"http://127.0.0.1:10001/callback?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (f"http://127.0.0.1:9876/other?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (f"http://example.com:9876/callback?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (f"http://127.0.0.1.example.com:9876/callback?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (f"http://127.0.0.1:9876@example.com/callback?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (f"http://127.0.0.1:port/callback?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (f"http://[127.0.0.1:9876/callback?{QUERY}", "begins with http://127.0.0.1:9876/callback?"),
        (LINK.url, "begins with http://127.0.0.1:9876/callback?"),
        ("\ufffd\ufffd", "A part of the address is missing"),
    ],
)
def test_what_does_not_belong_to_the_login_is_refused_with_the_reason_and_without_its_text(pasted, sentence):
    query, problem = browser_login._read_callback(Secret(pasted), LINK)
    assert sentence in problem
    assert query.reveal() == ""
    assert "CODE" not in problem
    assert "STATE" not in problem


def test_before_there_is_a_link_no_address_is_taken():
    assert "No sign-in is waiting" in browser_login._read_callback(Secret(QUERY), None)[1]


FAILURES = [
    ({"reason": "denied", "detail": "access_denied: <b>no</b>"}, LoginDenied, r"said no \(access_denied: <b>no</b>\)"),
    ({"reason": "denied", "detail": "access_denied: "}, LoginDenied, r"said no \(access_denied\)"),
    ({"reason": "timeout"}, LoginTimedOut, "within 5 minutes"),
    ({"reason": "ports"}, PortsTaken, "10001, 9876, 22223, 5000"),
    ({"reason": "certificate"}, CertificateInvalid, r"login\.example\.com showed a certificate"),
    ({"reason": "date"}, CertificateInvalid, "not valid at the time of this machine's clock"),
    ({"reason": "ca_file"}, CertificateInvalid, "names a CA file that is not there"),
    ({"reason": "name"}, ServerUnreachable, r"login\.example\.com could not be found"),
    ({"reason": "clock"}, ServerTrouble, "has ended already, by this machine's clock"),
    ({"reason": "no_loopback"}, LoginNotFinished, r"no address 127\.0\.0\.1"),
    ({"reason": "server", "status": 429, "retry_after": "120"}, ServerTrouble, r"slow down \(HTTP 429\)"),
    ({"reason": "slow"}, ServerTimeout, r"login\.example\.com did not answer within 5 s"),
    ({"reason": "server", "status": 503}, ServerTrouble, "HTTP 503"),
    ({"reason": "answer"}, ServerTrouble, "makes no sense"),
    ({"reason": "unreachable"}, ServerUnreachable, r"login\.example\.com could not be reached"),
    ({"reason": "sdk", "detail": "AttributeError"}, SDKUnusable, "AttributeError"),
    ({}, SDKUnusable, "login failed"),
]


@pytest.mark.parametrize(("fact", "kind", "sentence"), FAILURES)
def test_each_way_in_which_a_login_fails_has_an_error_of_ours_and_a_next_step(fact, kind, sentence):
    error = browser_login._error(fact, LINK)
    assert type(error) is kind
    assert re.search(sentence, error.message)
    assert error.next_step


def test_a_proxy_in_the_way_is_named_by_its_variable_and_not_by_its_value(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://ada:proxy-password@proxy.example.com:3128")
    message = browser_login._error({"reason": "unreachable"}, LINK).message
    assert message == "login.example.com could not be reached (through the proxy in https_proxy)."


def test_a_child_that_cannot_be_started_is_an_error_of_ours_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(SDKUnusable, match="could not be started"):
        BrowserLogin(tmp_path / "credentials")
    assert list((tmp_path / "credentials").iterdir()) == []


def test_every_error_that_a_login_ends_with_is_ours():
    assert all(issubclass(kind, AuthError) for _, kind, _ in FAILURES)
