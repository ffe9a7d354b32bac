"""Trouble that can be switched on, and off again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError  # noqa: A004 - Python 3.10 has two

import pytest
import requests

from luminary_auth_widget.sandbox import ApiKey, Sandbox, SandboxError

from .helpers import Browser, status_of


def test_error_is_internal_and_500(a_sandbox: Sandbox, a_browser: Browser, a_key: ApiKey) -> None:
    a_sandbox.fault("error")
    assert status_of(a_sandbox, key=a_key.secret) == "INTERNAL"
    assert a_browser.renew("whatever").status_code == 500
    a_sandbox.clear_faults()
    assert status_of(a_sandbox, key=a_key.secret) == "OK"


def test_slow_takes_its_time(a_sandbox: Sandbox, a_browser: Browser, a_key: ApiKey) -> None:
    a_sandbox.fault("slow", seconds=0.5)
    began = time.monotonic()
    assert status_of(a_sandbox, key=a_key.secret) == "OK"
    assert a_browser.renew("whatever").status_code == 403
    assert time.monotonic() - began >= 1, "each of the two takes its half second"


def test_clearing_lets_whoever_waits_go_on(a_sandbox: Sandbox, a_key: ApiKey) -> None:
    a_sandbox.fault("slow", seconds=60)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(status_of, a_sandbox, key=a_key.secret)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        a_sandbox.clear_faults()
        assert waiting.result(timeout=3) == "OK"


def test_refuse_leaves_nothing_to_connect_to_but_control(a_sandbox: Sandbox, a_browser: Browser, a_key: ApiKey) -> None:
    a_sandbox.fault("refuse")
    assert status_of(a_sandbox, key=a_key.secret) == "UNAVAILABLE"
    for address in (a_sandbox.url, a_sandbox.page_url):
        with pytest.raises(requests.ConnectionError, match="refused"):
            a_browser.session.get(f"{address}/login", timeout=5)
    assert a_sandbox.answers()
    a_sandbox.clear_faults()
    assert status_of(a_sandbox, key=a_key.secret) == "OK"
    assert a_browser.get("login").status_code == 200


def test_drop_ends_connections_without_an_answer(a_sandbox: Sandbox, a_browser: Browser, a_key: ApiKey) -> None:
    a_sandbox.fault("drop")
    assert status_of(a_sandbox, key=a_key.secret) == "UNAVAILABLE"
    for address in (a_sandbox.url, a_sandbox.page_url):
        with pytest.raises(requests.ConnectionError, match=r"(?i)closed|EOF|reset"):
            a_browser.session.get(f"{address}/login", timeout=5)
    a_sandbox.clear_faults()
    assert status_of(a_sandbox, key=a_key.secret) == "OK"
    assert a_browser.get("login").status_code == 200


def test_a_bad_certificate_is_noticed_by_both_protocols(a_sandbox: Sandbox, a_browser: Browser, a_key: ApiKey) -> None:
    a_sandbox.fault("bad_certificate")
    assert status_of(a_sandbox, key=a_key.secret) == "UNAVAILABLE"
    with pytest.raises(requests.exceptions.SSLError):
        a_browser.get("login")
    a_sandbox.clear_faults()
    assert status_of(a_sandbox, key=a_key.secret) == "OK"
    assert a_browser.get("login").status_code == 200


def test_an_unknown_fault_or_option_is_told(a_sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="unexpected keyword argument 'minutes'"):
        a_sandbox.fault("slow", minutes=3)
    with pytest.raises(SandboxError, match="no fault 'flood', only slow, error, refuse, drop, bad_certificate"):
        a_sandbox.fault("flood")
