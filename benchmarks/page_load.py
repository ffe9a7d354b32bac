"""What the sidebar adds to JupyterLab's page, in time and on the wire.

Two JupyterLabs stand side by side, with the same extensions but ours; a fresh browser profile opens a page of each in
turn, so that nothing comes out of a cache. Until ready: from the navigation to JupyterLab's own word that its layout
stands (`restored`), and with a notebook until that notebook is drawn (`revealed`), by the page's clock.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response

from tests.browser.lab import LIMIT, Lab, LabPage, lab_context

from . import stage
from .table import Row, Section, by_name, compared

BELOW = 1.02
# Pages differ by a tenth from one to the next: a difference of a fiftieth needs more rounds than the other questions.
ROUNDS = 4
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
NOTE = f"""In turn, each page in a fresh browser profile, from the navigation until JupyterLab says that it is ready, in
{ROUNDS} times as many rounds as the rest; without: the same JupyterLab with the same other extensions. Bytes: our
files, heads included, with an empty cache, uncompressed as Jupyter's own server sends them."""


def measure(runs: int) -> Section:
    """Open the pages of both JupyterLabs by turns; the first round fills the machine's own caches."""
    with stage.a_browser() as browser, _lab() as ours, _lab(leave_out=OURS) as bare:
        labs = {"with": ours, "without": bare}
        took = by_name([_round(browser, labs, number) for number in range(ROUNDS * runs + 1)][1:])
        fetched = _fetched(browser, ours)
    rows = [compared(page, took[page, "with"], "without", took[page, "without"], below=BELOW) for page in PAGES]
    for page, files in fetched.items():
        rows.append(Row(f"our files, {page}", f"{len(files)} files, {sum(files.values()):,} bytes"))
    return Section("JupyterLab's page, with the extension and without", rows, NOTE)


@contextmanager
def _lab(*, leave_out: str = "") -> Iterator[Lab]:
    """Start a JupyterLab that has every extension of this environment but one.

    In folders of their own: an extension that is disabled is fetched all the same.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
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
