"""A browser of somebody elsewhere, and the proxy that stands before their kernels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests import chromium
from tests.browser.lab import lab_context

from . import programs

# Everything but the name of the hub goes to port 9 (discard), which serves nobody: the ports of 127.0.0.1, on which
# kernels wait for a browser, are on another machine as far as this browser can tell.
ELSEWHERE = {"server": "http://127.0.0.1:9", "bypass": "<-loopback>,hub.localhost"}


@pytest.fixture(scope="session")
def a_proxy() -> Path:
    """The command of configurable-http-proxy."""
    return programs.install_proxy()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all of these tests."""
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


@pytest.fixture
def a_browser_elsewhere(browser: Browser) -> Iterator[BrowserContext]:
    fresh = lab_context(browser, proxy=ELSEWHERE)
    yield fresh
    fresh.close()
