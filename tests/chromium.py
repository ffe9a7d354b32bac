"""The Chromium that the browser tests drive: the machine's own, else Playwright's."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# No graphics card is needed, and no connection but the test's own leaves the browser.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class NoChromium(RuntimeError):
    """No Chromium on this machine; the message names what to install."""


def find(playwright: Playwright) -> str:
    """Return the path of a Chromium: $CHROMIUM, one on PATH, else the one that Playwright downloaded."""
    if chosen := os.environ.get("CHROMIUM"):
        if path := shutil.which(chosen):
            return path
        raise NoChromium(f"CHROMIUM={chosen} is not a program that can be run.")
    for path in filter(None, map(shutil.which, NAMES)):
        return path
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    raise NoChromium(
        f"No Chromium: none of {', '.join(NAMES)} is on PATH and Playwright has none of its own. "
        f"Install one with `{sys.executable} -m playwright install chromium` or, on Debian, "
        "`apt-get install chromium`; or name one in the variable CHROMIUM."
    )


def launch(playwright: Playwright) -> Browser:
    """Start a headless Chromium."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium refuses its sandbox to root
    arguments = ["--no-sandbox", *ARGUMENTS] if as_root else list(ARGUMENTS)
    return playwright.chromium.launch(executable_path=find(playwright), args=arguments)
