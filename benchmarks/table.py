"""Figures as the page shows them: medians with their spread, ratios, and whether a goal was met."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import psutil
from playwright.sync_api import sync_playwright

from tests import chromium

PACKAGES = ("luminarycloud", "jupyterlab", "ipykernel", "anywidget", "ipywidgets", "playwright")
K, T = TypeVar("K"), TypeVar("T")
_HEAD = "| | with us | beside it | ratio | goal | |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Row:
    """One line of a table; what is empty says nothing."""

    what: str
    ours: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    verdict: str = ""

    def __str__(self) -> str:
        return f"| {self.what} | {self.ours} | {self.beside} | {self.ratio} | {self.goal} | {self.verdict} |"


@dataclass(frozen=True)
class Section:
    """What one question came to."""

    title: str
    rows: Sequence[Row]
    note: str

    def __str__(self) -> str:
        return "\n".join([f"## {self.title}", "", _HEAD, *map(str, self.rows), "", self.note])

    @property
    def missed(self) -> list[Row]:
        """The rows whose goal was not met."""
        return [row for row in self.rows if row.verdict.startswith("**")]


def by_name(rounds: Sequence[Mapping[K, T]]) -> dict[K, list[T]]:
    """Return for each name what its rounds gave."""
    return {name: [one[name] for one in rounds] for name in rounds[0]}


def compared(
    what: str, ours: Sequence[float], name: str, theirs: Sequence[float], *, below: float | None = None
) -> Row:
    """Compare seconds taken by turns: the ratio is the median of the rounds' ratios, which a slower minute spares."""
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    goal = "" if below is None else f"ratio < {below}"
    return Row(what, seconds(ours), f"{name}: {seconds(theirs)}", f"{ratio:.3f}", goal, _verdict(below, ratio))


def limited(what: str, ours: Sequence[float], name: str = "", theirs: Sequence[float] = (), *, below: float) -> Row:
    """Hold seconds to a limit; others only stand beside them."""
    beside = f"{name}: {seconds(theirs)}" if theirs else ""
    return Row(what, seconds(ours), beside, "", f"< {below} s", _verdict(below, statistics.median(ours)))


def counted(what: str, ours: int, beside: str = "", *, at_most: int, unit: str = "") -> Row:
    """Hold a number to the largest that it may be."""
    goal = f"{'<= ' if at_most else ''}{at_most:,}{unit}"
    return Row(what, f"{ours:,}{unit}", beside, "", goal, _verdict(at_most + 1, ours))


def within(what: str, ours: Sequence[float], name: str, theirs: Sequence[float]) -> Row:
    """Ask whether seconds lie within the noise of others: the median below their largest."""
    verdict = _verdict(max(theirs), statistics.median(ours))
    return Row(what, seconds(ours), f"{name}: {seconds(theirs)}", "", "within its spread", verdict)


def seconds(samples: Sequence[float]) -> str:
    """Return the median with the smallest and the largest; small ones in milliseconds."""
    scale, unit, digits = (1000, "ms", 0) if statistics.median(samples) < 0.9 else (1, "s", 2)  # noqa: PLR2004
    median, *ends = (
        f"{scale * value:.{digits}f}" for value in (statistics.median(samples), min(samples), max(samples))
    )
    return f"{median} {unit} ({'-'.join(ends)})"


def machine() -> str:
    """Return what the figures were measured on."""
    with sync_playwright() as playwright, chromium.launch(playwright) as browser:
        chromium_version = browser.version
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, Chromium {chromium_version}, {packages}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _verdict(below: float | None, value: float) -> str:
    return "" if below is None else "met" if value < below else "**missed**"
