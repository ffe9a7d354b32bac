"""From running the cell to a field that takes a key, in JupyterLab; what travels for it, and for the key itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from gzip import compress
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser

import luminary_auth_widget
from luminary_auth_widget import sandbox
from tests.browser.lab import Lab
from tests.browser.wire import until_shown

from . import stage
from .stage import CELLS, MINE
from .table import Row, Section, by_name, compared, counted

BELOW = {"huggingface_hub": 0.6, "kagglehub": 0.5, "a minimal anywidget": 1.8}
IMPORTS = {
    MINE: "import luminary_auth_widget",
    "its widget": "from luminary_auth_widget import AuthWidget",
    "anywidget": "import anywidget",
    "huggingface_hub": "from huggingface_hub import notebook_login",
    "kagglehub": "import kagglehub",
}
BUTTONS = {MINE: "Use key", "huggingface_hub": "Login", "kagglehub": "Login"}
SECRET = "not-a-key-" * 2
KEYSTROKE = 100  # milliseconds, as a person types
FIELD = ".jp-NotebookPanel input[type=password]"
NOTE = """By turns, each in a kernel, a notebook and a browser profile of its own; in one JupyterLab, at rest.
Usable: the password field is on the screen and takes text. Messages: what opens, changes or shows widgets, up to the
one that shows the first. anywidget sends the front end along with the model, once a kernel.
Imports: in an interpreter of their own, without its start. Typed and sent: 20 characters, and a press of the button."""


class Sent(NamedTuple):
    """What the kernel has sent to draw a login, and to draw it below a second cell."""

    messages: int
    size: int
    size_again: int


class Typed(NamedTuple):
    """What a key that was typed and sent has set off."""

    sent: int
    came_back: int


def measure(runs: int) -> Section:
    """Draw each by turns; the first round fills the caches of machine and server."""
    with sandbox.start() as cloud, stage.a_browser() as browser, stage.a_lab(cloud, peers=True) as lab:
        took = by_name([{name: _draw(lab, browser, name) for name in CELLS} for _ in range(runs + 1)][1:])
        sent = {name: _listen(lab, browser, name) for name in CELLS}
        typed = {name: _type(lab, browser, name) for name in BUTTONS}
    imported = by_name([{name: _import(code) for name, code in IMPORTS.items()} for _ in range(runs + 1)][1:])
    return Section(
        "To a usable key field",
        [*_drawing(took), *_sending(sent), *_typing(typed), *_importing(imported), *_weighing()],
        NOTE,
    )


def _draw(lab: Lab, browser: Browser, name: str) -> float:
    with stage.a_notebook(lab, browser, CELLS[name]) as (notebook, _frames):
        seconds = stage.seconds_until_drawn(notebook, name, FIELD)
        # Nothing of it runs on beside the next.
        notebook.output_of(0)
        return seconds


def _listen(lab: Lab, browser: Browser, name: str) -> Sent:
    with stage.a_notebook(lab, browser, CELLS[name], CELLS[name], heard=True) as (notebook, frames):
        stage.seconds_until_drawn(notebook, name, FIELD)
        notebook.output_of(0)
        first, before = until_shown(frames), len(frames)
        notebook.run(1)
        again = until_shown(frames[before:])
        return Sent(len(first), *(sum(len(frame.data) for frame in some) for some in (first, again)))


def _type(lab: Lab, browser: Browser, name: str) -> Typed:
    with stage.a_notebook(lab, browser, CELLS[name], heard=True) as (notebook, frames):
        stage.seconds_until_drawn(notebook, name, FIELD)
        # The pointer's way there is not counted.
        notebook.page.locator(FIELD).click()
        notebook.output_of(0)
        before = len(frames)
        notebook.page.keyboard.type(SECRET, delay=KEYSTROKE)
        notebook.page.get_by_role("button", name=BUTTONS[name], exact=True).click()
        notebook.settle()
        since = frames[before:]
        sent = sum(frame.sent and frame.of_a_widget for frame in since)
        return Typed(sent, sum(not frame.sent and SECRET.encode() in frame.data for frame in since))


def _import(code: str) -> float:
    timed = f"import time; begun = time.perf_counter()\n{code}\nprint(time.perf_counter() - begun)"
    told = subprocess.run(  # noqa: S603 - our own text
        [stage.with_peers(), "-c", timed], capture_output=True, text=True, check=True
    )
    return float(told.stdout)


def _drawing(took: dict[str, list[float]]) -> Iterator[Row]:
    for name, below in BELOW.items():
        yield compared("from running the cell to a usable key field", took[MINE], name, took[name], below=below)


def _sending(sent: dict[str, Sent]) -> Iterator[Row]:
    yield counted("messages to draw it", sent[MINE].messages, _beside(sent, "messages"), at_most=3)
    yield Row("bytes in them", f"{sent[MINE].size:,}", _beside(sent, "size"))
    yield Row("bytes in a second cell of that kernel", f"{sent[MINE].size_again:,}", _beside(sent, "size_again"))


def _typing(typed: dict[str, Typed]) -> Iterator[Row]:
    yield counted("messages of the page for a key, typed and sent", typed[MINE].sent, _beside(typed, "sent"), at_most=1)
    came_back = _beside(typed, "came_back")
    yield counted("messages in which the whole key comes back", typed[MINE].came_back, came_back, at_most=0)


def _beside(peers: Mapping[str, Sent | Typed], field: str) -> str:
    return ", ".join(f"{name}: {getattr(one, field):,}" for name, one in peers.items() if name != MINE)


def _importing(imported: dict[str, list[float]]) -> Iterator[Row]:
    for what in (MINE, "its widget"):
        for name in ("anywidget", "huggingface_hub", "kagglehub"):
            below = 1.15 if name == "anywidget" else None
            yield compared(f"`{IMPORTS[what]}`", imported[what], f"`{IMPORTS[name]}`", imported[name], below=below)


def _weighing() -> Iterator[Row]:
    folder = Path(luminary_auth_widget.__file__).with_name("static")
    files = [(folder / name).read_bytes() for name in ("widget.js", "widget.css")]
    yield counted("widget.js and widget.css, as sent", sum(map(len, files)), at_most=45_000, unit=" bytes")
    yield counted("the same, gzipped", len(compress(b"".join(files), mtime=0)), at_most=14_000, unit=" bytes")
