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


NOTHING = "No address was pasted."
PART = "A part of the address is missing: it holds code=… and state=…."
END = "The end of the address is missing."
OTHER = "This address belongs to another sign-in, or an earlier one."
PLACE = "This is not the address that the browser ends on: that begins with http://127.0.0.1:9876/callback?"


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", NOTHING),
        (' "" \n', NOTHING),
        ("http://127.0.0.1:9876/callback", PART),
        ("http://127.0.0.1:9876/callback?code=CODE-xyz", PART),
        ("http://127.0.0.1:9876/callback?state=STATE-abc_123", PART),
        ("http://127.0.0.1:9876/callback?code=&state=STATE-abc_123", PART),
        ("http://127.0.0.1:9876/callback?code=CODE-xyz&state=STATE-a", END),
        ("http://127.0.0.1:9876/callback?code=CODE-xyz&state=another", OTHER),
        (f"http://127.0.0.1:9876/callback?{QUERY}&state=another", OTHER),
        (f"http://127.0.0.1:10001/callback?{QUERY}", PLACE),
        (f"http://127.0.0.1/callback?{QUERY}", PLACE),
        (f"http://127.0.0.1:9876/other?{QUERY}", PLACE),
        (f"http://example.com:9876/callback?{QUERY}", PLACE),
        (f"http://127.0.0.1.example.com:9876/callback?{QUERY}", PLACE),
        (f"http://127.0.0.1:9876@example.com/callback?{QUERY}", PLACE),
        (f"http://127.0.0.1:port/callback?{QUERY}", PLACE),
        (f"http://[127.0.0.1:9876/callback?{QUERY}", PLACE),
        (LINK.url, PLACE),
        ("\ufffd\ufffd", PART),
    ],
)
def test_what_does_not_belong_to_the_login_is_refused_with_the_reason_and_without_its_text(pasted, sentence):
    query, problem = browser_login._read_callback(Secret(pasted), LINK)
    assert problem == sentence
    assert query == Secret("")


def test_a_refusal_that_the_page_sends_back_belongs_to_the_login_as_well():
    refusal = "error=access_denied&state=STATE-abc_123"
    query, problem = browser_login._read_callback(Secret(f"http://127.0.0.1:9876/callback?{refusal}"), LINK)
    assert (query.reveal(), problem) == (refusal, "")


def test_before_there_is_a_link_no_address_is_taken():
    query, problem = browser_login._read_callback(Secret(QUERY), None)
    assert (query, problem) == (Secret(""), "No sign-in is waiting for an address.")


AGAIN = "Try again; what was signed in before still is."
CONNECTION = "Check the connection, then try again."
PORTS = (
    "All four ports that a login may come back to (10001, 9876, 22223, 5000) are taken on this machine.",
    "Sign-ins under way here, other people's among them, let go of theirs within 5 minutes. Try again then, or sign in"
    " with an API key.",
)
PORTAL = "If this network asks for a log-in of its own, open any web page to see it; then try again."
COMPANY = "Behind a company proxy, name its CA file in REQUESTS_CA_BUNDLE, then restart the kernel."
FAILURES = [
    ({"reason": "denied", "detail": "access_denied: <b>no</b>"}, LoginDenied,
     ("The log-in page said no (access_denied: <b>no</b>).", AGAIN)),
    ({"reason": "denied", "detail": "access_denied: "}, LoginDenied,
     ("The log-in page said no (access_denied).", AGAIN)),
    ({"reason": "denied"}, LoginDenied, ("The log-in page said no ().", AGAIN)),
    ({"reason": "timeout"}, LoginTimedOut, ("Nobody came back from the log-in page within 5 minutes.", AGAIN)),
    ({"reason": "ports"}, PortsTaken, PORTS),
    ({"reason": "certificate"}, CertificateInvalid,
     ("login.example.com showed a certificate that this machine does not trust.", COMPANY)),
    ({"reason": "ca_file"}, CertificateInvalid,
     ("REQUESTS_CA_BUNDLE names a CA file that is not there.", "Correct it or unset it, then try again.")),
    ({"reason": "name"}, ServerUnreachable,
     ("login.example.com could not be found: its name has no address here (DNS).", CONNECTION)),
    ({"reason": "no_loopback"}, LoginNotFinished,
     ("This machine has no address 127.0.0.1, on which a browser sign-in comes back.", "Sign in with an API key.")),
    ({"reason": "server", "status": 429, "retry_after": "120"}, ServerTrouble,
     ("login.example.com asks to slow down (HTTP 429).", "Try again in 2 minutes; nothing was changed.")),
    ({"reason": "slow"}, ServerTimeout, ("login.example.com did not answer within 5 s.", CONNECTION)),
    ({"reason": "server", "status": 503}, ServerTrouble,
     ("login.example.com answered with a failure (HTTP 503).", AGAIN)),
    ({"reason": "answer"}, ServerTrouble, ("login.example.com gave an answer that makes no sense.", PORTAL)),
    ({"reason": "unreachable"}, ServerUnreachable, ("login.example.com could not be reached.", CONNECTION)),
    ({"reason": "sdk", "detail": "AttributeError"}, SDKUnusable, ("The SDK's login failed (AttributeError).", AGAIN)),
    ({}, SDKUnusable, ("The SDK's login failed ().", AGAIN)),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "kind", "said"), FAILURES)
def test_each_way_in_which_a_login_fails_has_an_error_of_ours_and_a_next_step(fact, kind, said, monkeypatch):
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    error = browser_login._error(fact, LINK)
    assert type(error) is kind
    assert (error.message, error.next_step) == said


CLOCKS = [
    ("date", "login.example.com showed a certificate that is not valid at the time of this machine's clock."),
    ("clock", "The access token that login.example.com gave has ended already, by this machine's clock."),
]


@pytest.mark.parametrize(("reason", "message"), CLOCKS)
def test_where_a_clock_may_be_wrong_the_time_that_it_shows_is_told(reason, message):
    error = browser_login._error({"reason": reason}, LINK)
    assert error.message == message
    assert re.fullmatch(r"If it is not .* UTC, set the clock right; then try again\.", error.next_step)


@pytest.mark.parametrize("link", [None, Link("no address at all")])
def test_a_server_whose_name_is_not_known_is_called_by_what_it_does(link):
    assert browser_login._error({"reason": "slow"}, link).message == "The log-in server did not answer within 5 s."


def test_a_link_that_names_no_way_back_has_no_state_and_no_port():
    link = Link("https://login.example.com/authorize")
    assert (link.state, link.port) == ("", None)


def test_a_link_for_another_account_keeps_every_part_of_it():
    link = Link("https://login.example.com:8443/authorize?state=a%20b&x=1#there")
    assert link.for_another_account() == "https://login.example.com:8443/authorize?state=a%20b&x=1&prompt=login#there"


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
