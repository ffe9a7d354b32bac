"""The Chromium that the browser tests drive: the machine's own, else Playwright's.

The one without windows ("headless shell") is the same engine and needs two thirds of the processor time, so it comes
first; the whole browser keeps a profile on the disk. `python -m tests.chromium` installs them where there is none and
where that is allowed, and says which one is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright, sync_playwright

SHELL = "chromium-headless-shell"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# No graphics card is needed, and no connection but the test's own leaves the browser.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# A download of some 150 MB; Debian's package brings its libraries along.
_INSTALL_LIMIT_SECONDS = 600


class NoChromium(RuntimeError):
    """No Chromium on this machine; the message names what to install."""


def find(playwright: Playwright, *, whole: bool = False) -> str:
    """Return the path of a Chromium: $CHROMIUM, one on PATH, else the one that Playwright downloaded."""
    if chosen := os.environ.get("CHROMIUM"):
        if path := shutil.which(chosen):
            return path
        raise NoChromium(f"CHROMIUM={chosen} is not a program that can be run.")
    names = NAMES if whole else (SHELL, *NAMES)
    if path := next(filter(None, map(shutil.which, names)), None):
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
    return playwright.chromium.launch(executable_path=find(playwright), args=_arguments())


def launch_with_profile(playwright: Playwright, folder: Path, **options: Any) -> BrowserContext:
    """Start a headless Chromium that keeps what it remembers in a folder."""
    found = find(playwright, whole=True)
    return playwright.chromium.launch_persistent_context(folder, executable_path=found, args=_arguments(), **options)


def _arguments() -> list[str]:
    # Chromium refuses its sandbox to root.
    return ["--no-sandbox", *ARGUMENTS] if _is_root() else list(ARGUMENTS)


def note_complaints(page: Page, said: list[str]) -> None:
    """Add to `said` what the browser complains of; that it left a focus where it was is information, no complaint."""

    def note(message: ConsoleMessage) -> None:
        if message.type != "info":
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))


def main() -> int:
    """Make sure that there is a Chromium which starts; print which. Return 0, or 1 after naming what to install."""
    with sync_playwright() as playwright:
        problem = _problem_with(playwright)
        for name, commands in _installers():
            if not problem or "CHROMIUM" in os.environ:
                break
            print(f"{problem}\nInstalling one: {name}", flush=True)
            if all(_succeeds(command) for command in commands):
                problem = _problem_with(playwright)
            else:
                print(f"That did not work: {name}", flush=True)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


def _problem_with(playwright: Playwright) -> str:
    """Start the Chromium that would be used and print which it is; return what is wrong with it, or nothing."""
    try:
        with launch(playwright) as browser:
            print(f"Chromium {browser.version}: {find(playwright)}", flush=True)
    except NoChromium as missing:
        return str(missing)
    except Error as error:
        # One without its libraries is there, but does not start.
        return f"{find(playwright)} does not start. {error.message.strip()}"
    return ""


def _installers() -> Iterator[tuple[str, Sequence[Sequence[str]]]]:
    yield "playwright install chromium", [(sys.executable, "-m", "playwright", "install", "chromium")]
    if _is_root() and shutil.which("apt-get"):
        # Debian has both, others the whole browser alone.
        for names in (("chromium", SHELL), ("chromium",)):
            install = ("apt-get", "install", "-q", "-y", *names)
            yield f"apt-get install {' '.join(names)}", [("apt-get", "update", "-q"), install]


def _succeeds(command: Sequence[str]) -> bool:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environ, check=False, timeout=_INSTALL_LIMIT_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


if __name__ == "__main__":
    sys.exit(main())
