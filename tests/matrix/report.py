"""What pytest has written down about each kernel, as tables."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from tests.kernel.driver import SILENT

from .reach import Answer, Reader, Setter

WIDGET, SDK_ALONE = "test_reach", "contrast"
_INTRODUCTION = """# What a sign-in reaches

Written by `make matrix`, from one run: {versions}.

Somebody signs in at the top of a column; the code at the left then lists the projects of the account, over gRPC.
`yes` is the account's own list. Before the slash: signed in with the widget. After it, for contrast: the same with
`lc.set_default_client(lc.Client(api_key=…))` alone. Some cases do not exist:

| | |
|---|---|
| one cell at a time | a cell cannot sign in while another one runs |
| the click waits | this kernel's main shell handles no click while such a cell runs |
| no subshells | this kernel has none |
"""
_FRONT_ENDS = """
## Front ends

In a real browser; `make test` and `make long` run the same tests on the newest of each. With ipywidgets 7.6.0 and
anywidget 0.9.0, as `luminarycloud[jupyter]` pins them: the sign-in by key in a cell; else that, by browser, the
sidebar, the palette, and running a stopped cell again.
"""
_SDKS = """
## Versions of the SDK, and the lowest of everything

What we touch of the SDK, with another version of it; `make test` has the newest. The first row is the lowest that
pyproject.toml allows of each dependency, with which more of the suite runs.
"""


@dataclass
class Case:
    """One test on one kernel."""

    module: str
    parameter: str
    failures: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def stalled(self) -> bool:
        """Whether it failed because the kernel did not answer at all."""
        return bool(self.failures) and all(SILENT in failure for failure in self.failures)


def read(report: Path) -> dict[str, Case]:
    """Return the tests of a JUnit file by their names."""
    cases: dict[str, Case] = {}
    for test in ET.parse(report).iter("testcase"):
        name = f"{test.get('classname')}::{test.get('name')}"
        case = cases.setdefault(name, Case(str(test.get("classname")).rpartition(".")[2], _parameter(name)))
        case.failures += [str(found.get("message")) for kind in ("failure", "error") for found in test.iter(kind)]
        case.answers |= {str(one.get("name")): str(one.get("value")) for one in test.iter("property")}
    return cases


@dataclass(frozen=True)
class Kernel:
    """What was run on one kernel, or in one front end, and with which versions."""

    versions: dict[str, str]
    cases: dict[str, Case]

    @property
    def name(self) -> str:
        """What tells it from the others."""
        known = ("jupyterlab", "ipykernel", "Python")
        return ", ".join(f"{name} {self.versions[name]}" for name in known if name in self.versions)

    @property
    def passed(self) -> int:
        return sum(not case.failures for case in self.cases.values())

    def table(self) -> str:
        """Return setters across, readers down; two answers in each place."""
        head = f"\n## ipykernel {self.versions['ipykernel']}, Python {self.versions['Python']}\n"
        rows = [["", *(setter.value for setter in Setter)], ["---"] * (1 + len(Setter))]
        rows += [[reader.value, *(self._entry(setter, reader) for setter in Setter)] for reader in Reader]
        return "\n".join((head, *map(_row, rows))) + "\n"

    def _entry(self, setter: Setter, reader: Reader) -> str:
        ours, alone = (self._answer(module, setter, reader) for module in (WIDGET, SDK_ALONE))
        measured = {Answer.YES.value, Answer.NO.value}
        return f"{ours} / {alone}" if {ours, alone} & measured else ours

    def _answer(self, module: str, setter: Setter, reader: Reader) -> str:
        found = (
            case.answers.get(reader.value)
            for case in self.cases.values()
            if (case.module, case.parameter) == (module, setter.name.lower())
        )
        return next(filter(None, found), "not run")


def document(
    kernels: list[Kernel], pythons: list[Kernel], missing: list[str], front_ends: list[Kernel], sdks: list[Kernel]
) -> str:
    """Return the whole page: a table for each of `kernels`, a row for each of the others, a word on those missing."""
    shared = [f"{name} {kernels[0].versions[name]}" for name in ("luminarycloud", "ipywidgets", "anywidget")]
    head = [["ipykernel", "Python", "tests run on it", "of these passed"], ["---"] * 4]
    rows = [
        [k.versions["ipykernel"], k.versions["Python"], str(len(k.cases)), str(k.passed)] for k in kernels + pythons
    ]
    absent = [f"\nNot run, for want of an interpreter: Python {', '.join(missing)}.\n"] if missing else []
    page = [_INTRODUCTION.format(versions=", ".join(shared)), *map(_row, head + rows), *absent]
    tables = [kernel.table() for kernel in kernels]
    tables += [_table(_FRONT_ENDS, ("JupyterLab", "Notebook", "ipykernel", "ipywidgets", "anywidget"), front_ends)]
    tables += [_table(_SDKS, ("luminarycloud", "ipywidgets", "anywidget", "requests", "ipykernel"), sdks)]
    return "\n".join(page) + "\n" + "".join(tables)


def _table(introduction: str, names: tuple[str, ...], ones: list[Kernel]) -> str:
    """Return a row for each, of the versions of what is in `names` and of what was run."""
    head = [[*names, "tests run on it", "of these passed"], ["---"] * (len(names) + 2)]
    rows = [[*(one.versions[name.lower()] for name in names), str(len(one.cases)), str(one.passed)] for one in ones]
    return "\n".join((introduction, *map(_row, head + rows))) + "\n"


def _parameter(name: str) -> str:
    found = re.search(r"\[(.+)\]$", name)
    return found[1] if found else ""


def _row(entries: list[str]) -> str:
    return f"| {' | '.join(entries)} |"
