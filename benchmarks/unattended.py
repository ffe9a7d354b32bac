"""How soon a run that nobody watches stops for want of a sign-in, beside the SDK told not to ask."""

from __future__ import annotations

import time
from collections.abc import Iterator

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox

from . import stage
from .table import Section, by_name, compared

CELLS = {
    "`login().require()`, without credentials": (
        "from luminary_auth_widget import login; login().require()",
        "NotSignedIn",
    ),
    "the SDK told not to ask, its first call": (
        "import luminarycloud as lc\nwith lc.Client(api_key=None, noninteractive=True): next(lc.iterate_projects())",
        "InteractiveAuth",
    ),
    "`import luminarycloud` alone": ("import luminarycloud", ""),
}
NOTE = """From the kernel's being up to the error, as nbconvert runs the cell; by turns, each in a kernel of its own."""


def measure(runs: int) -> Section:
    """Run each cell in kernels of its own."""
    with sandbox.start() as cloud:
        took = by_name([dict(_round(cloud)) for _ in range(runs + 1)][1:])
    ours, *others = CELLS
    rows = [compared(ours, took[ours], name, took[name]) for name in others]
    return Section("A run that nobody watches, without a sign-in", rows, NOTE)


def _round(cloud: Sandbox) -> Iterator[tuple[str, float]]:
    for name, (code, error) in CELLS.items():
        with stage.a_kernel(cloud) as kernel:
            began = time.monotonic()
            ran = kernel.run(code, allow_stdin=False)
            yield name, time.monotonic() - began
            # A figure of something else would be worse than none.
            assert error in ran.error, ran.error  # noqa: S101
            assert bool(ran.error) == bool(error), ran.error  # noqa: S101
