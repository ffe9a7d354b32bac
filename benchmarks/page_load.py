"""`python -m benchmarks.page_load`: what the sidebar adds to JupyterLab's page, in time and on the wire.

Two JupyterLabs stand side by side, with the same extensions but ours; a fresh browser profile opens a page of each in
turn, so that nothing comes out of a cache. Until ready: from the navigation to JupyterLab's own word that its layout
stands (`restored`), and with a notebook until that notebook is drawn (`revealed`), by the page's clock.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests import chromium
from tests.browser.lab import LIMIT, Lab, LabPage, lab_context

RUNS = 7
OURS = "luminary-auth-widget"
NOTEBOOK, WITH_NOTEBOOK = "page-load.ipynb", "a notebook open"
# Where the page lies, and the promise that says when it is ready.
PAGES = {
    "no notebook open": ("lab?reset", "window.jupyterapp?.restored"),
    WITH_NOTEBOOK: (f"lab/tree/{NOTEBOOK}?reset", "window.jupyterapp?.shell?.currentWidget?.revealed"),
}
STOPWATCH = """async () => {{
  while (!({ready})) await new Promise(requestAnimationFrame);
  await {ready};
  window.took = performance.now() / 1000;
}}"""
IS_THERE = "() => window.jupyterapp.commands.hasCommand('luminary-auth:open-panel')"
OPEN_PANEL = "() => window.jupyterapp.commands.execute('luminary-auth:open-panel')"
PACKAGES = ("jupyterlab", "playwright")
RESULTS = Path(__file__).with_name("PAGE_LOAD.md")


def main() -> None:
    """Measure, print the tables, and write them down."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        with _lab(Path(name) / "with") as ours, _lab(Path(name) / "without", leave_out=OURS) as bare:
            labs = {"with": ours, "without": bare}
            # The first one fills the machine's own caches.
            rounds = [_round(browser, labs, number) for number in range(RUNS + 1)][1:]
            fetched = _fetched(browser, ours)
        text = _document(rounds, fetched, browser.version)
        browser.close()
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


@contextmanager
def _lab(folder: Path, *, leave_out: str = "") -> Iterator[Lab]:
    """Start a JupyterLab that has every extension of this environment but one.

    In folders of their own: an extension that is disabled is fetched all the same.
    """
    extensions, here = folder / "labextensions", Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    shutil.copytree(here, extensions, ignore=lambda _folder, _names: [leave_out])
    lab = Lab(folder, arguments=(f"--LabApp.labextensions_path={extensions}",))
    try:
        lab.notebook(NOTEBOOK, "1")
        yield lab
    finally:
        lab.close()


def _round(browser: Browser, labs: dict[str, Lab], number: int) -> dict[tuple[str, str], float]:
    """Return the seconds until each page of each server was ready, each in a profile of its own."""
    took = {}
    for name in PAGES:
        # By turns: what comes first may be slower.
        for which in sorted(labs, reverse=number % 2 == 0):
            with _a_page(browser, labs[which], name) as page:
                took[name, which] = page.evaluate("took")
                # A figure of something else would be worse than none.
                assert page.evaluate(IS_THERE) == (which == "with")  # noqa: S101
    return took


@contextmanager
def _a_page(browser: Browser, lab: Lab, name: str, hear: Callable[[Response], None] | None = None) -> Iterator[Page]:
    """Open one of PAGES in a fresh profile, until it is ready; then `took` is there."""
    address, ready = PAGES[name]
    context = lab_context(browser)
    page = context.new_page()
    page.set_default_timeout(LIMIT)
    if hear:
        # A lambda, since Playwright puts a mark on the function.
        page.on("response", lambda response: hear(response))  # noqa: PLW0108
    page.goto(f"{lab.url}/{address}", wait_until="commit")
    page.evaluate(STOPWATCH.format(ready=ready))
    if name == WITH_NOTEBOOK:
        # A server may hang at its end whose kernel is deleted before it is up.
        LabPage(page, lab).wait_until_open(NOTEBOOK)
    yield page
    context.close()
    lab.forget()


def _fetched(browser: Browser, lab: Lab) -> dict[str, dict[str, int]]:
    """Return for each page, and for the panel opened last, our files and their bytes, heads included."""
    fetched: dict[str, dict[str, int]] = {}
    for name in PAGES:
        heard: list[Response] = []
        with _a_page(browser, lab, name, heard.append) as page:
            page.wait_for_load_state("networkidle")
            fetched[name] = _sizes(heard)
            if name == WITH_NOTEBOOK:
                page.evaluate(OPEN_PANEL)
                page.locator(".luminary-auth-panel").get_by_role("button", name="Start").wait_for()
                fetched["the panel open as well"] = _sizes(heard)
    return fetched


def _sizes(responses: list[Response]) -> dict[str, int]:
    ours = [one for one in responses if f"/{OURS}/static/" in one.url]
    sizes = {Path(urlsplit(one.url).path).name: one.request.sizes() for one in ours}
    return {name: size["responseHeadersSize"] + size["responseBodySize"] for name, size in sorted(sizes.items())}


def _document(
    rounds: list[dict[tuple[str, str], float]], fetched: dict[str, dict[str, int]], browser_version: str
) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    times = []
    for name in PAGES:
        ours, bare = ([one[name, which] for one in rounds] for which in ("with", "without"))
        pairs = [mine - theirs for mine, theirs in zip(ours, bare, strict=True)]
        times.append(f"| {name} | {_seconds(ours)} | {_seconds(bare)} | {statistics.median(pairs):+.3f} s |")
    wire = [
        f"| {name} | {len(files)} | {sum(files.values()):,} | {', '.join(files)} |" for name, files in fetched.items()
    ]
    lines = [
        "# JupyterLab's page with the sidebar and without",
        "",
        f"Medians of {RUNS} loads (smallest-largest), in turn, each in a fresh browser profile, by",
        "`python -m benchmarks.page_load`.",
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, Chromium {browser_version}, "
        f"{packages}.",
        "",
        "| until the page is ready | with | without | median difference of a pair |",
        "|---|---|---|---|",
        *times,
        "",
        "On the wire, heads included, with an empty cache, as Jupyter's own server sends it: uncompressed.",
        "",
        "| our files on a page with | files | bytes | |",
        "|---|---|---|---|",
        *wire,
    ]
    return "\n".join(lines) + "\n"


def _seconds(samples: list[float]) -> str:
    return f"{statistics.median(samples):.2f} s ({min(samples):.2f}-{max(samples):.2f})"


if __name__ == "__main__":
    main()
