"""A minute of countdown with one view and with many, and what grows with their number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from playwright.sync_api import CDPSession

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox.demo import ADA
from tests.browser.lab import LIMIT, LabPage
from tests.browser.wire import Frame

from . import stage
from .table import Row, Section, counted, within

SLICES, SLICE_SECONDS = 6, 10
VIEW = """
from datetime import datetime, timedelta, timezone
from IPython.display import display
from luminary_auth_widget import AuthWidget, login
session = login(show=False)
session.use_key({key!r}, expires_on=datetime.now(timezone.utc) + timedelta(days=29, hours=4))
widget = AuthWidget(session)
for _ in range({count}): display(widget)
"""
EMPTY = """
from IPython.display import HTML, display
for _ in range({count}): display(HTML("<p class='nothing'>Nothing that moves</p>"))
"""
COUNTDOWN, NOTHING = ".jp-NotebookPanel .law time", ".jp-NotebookPanel p.nothing"
CHECK, BUSY = "session.check()", "import asyncio\nawait asyncio.sleep(600)"
NOTE = f"""One minute, the same for all pages: JupyterLab with a countdown of 29 days in that many outputs, all in the
document (what is off the screen is not drawn), and with as many outputs in which nothing happens. Processor time: of
the page's own thread, in each of the {SLICES} slices of {SLICE_SECONDS} s. Busy: a cell runs all the while.
Growth: all views are of one model. A check of the sign-in is what changes all of them; its messages are counted in
both directions, and so are those until every view is drawn. Memory: the page's, after it was tidied up."""


@dataclass(frozen=True)
class Shown:
    """A page of JupyterLab whose first cell has shown something; `drawn` is what was said until all of it stood."""

    notebook: LabPage
    frames: list[Frame]
    devtools: CDPSession
    seconds: float
    drawn: list[Frame]

    def measure(self, name: str) -> float:
        """Return one of Chromium's figures of this page."""
        metrics = self.devtools.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == name)


def measure(_runs: int) -> Section:
    """Open all pages and watch them for the same minute, whose slices are the repetitions."""
    with sandbox.start() as cloud, stage.a_browser() as browser, stage.a_lab(cloud) as lab, ExitStack() as open_pages:
        key = cloud.create_api_key(ADA.email, name="countdown").secret

        def show(cell: str, count: int) -> Shown:
            page = stage.a_notebook(lab, browser, cell.format(key=key, count=count), CHECK, BUSY, heard=True)
            return _show(*open_pages.enter_context(page), COUNTDOWN if cell == VIEW else NOTHING, count)

        empty = {count: show(EMPTY, count) for count in (1, 100)}
        ours = {count: show(VIEW, count) for count in (1, 10, 100)}
        growing = list(_growing(ours))
        busy = show(VIEW, 1)
        busy.notebook.run_cell(2)
        busy.notebook.page.get_by_text("| Busy").wait_for(timeout=LIMIT)
        pages = [*empty.values(), ours[1], ours[100], busy]
        before = [len(page.frames) for page in pages]
        worked = list(zip(*(_slice(pages) for _ in range(SLICES)), strict=True))
        heard = [len(page.frames) - count for page, count in zip(pages, before, strict=True)]
    rows = [
        *(counted(f"kernel messages in the minute, {what}", heard[2 + place], at_most=0) for place, what in
          enumerate(("1 view", "100 views", "1 view, kernel busy"))),
        within("the page's processor time, 1 view", worked[2], "1 output", worked[0]),
        within("the page's processor time, 100 views", worked[3], "100 outputs", worked[1]),
        *growing,
    ]  # fmt: skip
    return Section("A minute of countdown, and many views", rows, NOTE)


def _show(notebook: LabPage, frames: list[Frame], selector: str, count: int) -> Shown:
    before, devtools = len(frames), notebook.page.context.new_cdp_session(notebook.page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    took = stage.seconds_until_drawn(notebook, "The widget", selector, count)
    notebook.output_of(0)
    notebook.settle()
    return Shown(notebook, frames, devtools, took, _of_widgets(frames[before:]))


def _of_widgets(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.of_a_widget]


def _slice(pages: list[Shown]) -> list[float]:
    """Return the seconds that each page's own thread has worked in the next slice of the minute."""
    before = [page.measure("TaskDuration") for page in pages]
    pages[0].notebook.page.wait_for_timeout(SLICE_SECONDS * 1000)  # what is measured: real time passing
    return [page.measure("TaskDuration") - start for page, start in zip(pages, before, strict=True)]


def _growing(ours: dict[int, Shown]) -> Iterator[Row]:
    def row(what: str, figures: dict[int, str]) -> Row:
        return Row(what, ", ".join(f"{count}: {figure}" for count, figure in figures.items()))

    yield row("views: from running the cell to the last one", {n: f"{page.seconds:.2f} s" for n, page in ours.items()})
    yield row("messages until they are drawn", {n: f"{len(page.drawn):,}" for n, page in ours.items()})
    size = {n: sum(len(frame.data) for frame in page.drawn) for n, page in ours.items()}
    yield row("bytes in these", {n: f"{value:,}" for n, value in size.items()})
    checks = {}
    for count, page in ours.items():
        before = len(page.frames)
        page.notebook.run(1)
        page.notebook.settle()
        checks[count] = f"{len(_of_widgets(page.frames[before:])):,}"
        page.devtools.send("HeapProfiler.collectGarbage")
    yield row("messages of one check", checks)
    yield row("the page's memory", {n: f"{page.measure('JSHeapUsedSize') / 2**20:.0f} MB" for n, page in ours.items()})
    yield row("nodes in its document", {n: f"{page.measure('Nodes'):,.0f}" for n, page in ours.items()})
