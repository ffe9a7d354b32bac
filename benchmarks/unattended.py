"""`python -m benchmarks.unattended`: how soon a run that nobody watches stops for want of a sign-in.

From the moment in which the kernel is up to the error, as nbconvert runs the cell; beside it, in the same run, the
SDK's own first call, and its import alone.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel

RUNS = 7
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
RESULTS = Path(__file__).with_name("UNATTENDED.md")


def main() -> None:
    """Measure, print the table, and write it down."""
    with sandbox.start() as cloud:
        rounds = [dict(_round(cloud)) for _ in range(RUNS)]
    ours, *_ = CELLS
    lines = [
        "# A run that nobody watches, without a sign-in",
        "",
        f"From the kernel's being up to the error. Medians of {RUNS} runs (smallest-largest), in turn, each in a",
        "kernel of its own, by `python -m benchmarks.unattended`.",
        f"2 cores, {platform.system()}, Python {platform.python_version()}, luminarycloud {version('luminarycloud')},"
        f" ipykernel {version('ipykernel')}.",
        "",
        "| | | ratio |",
        "|---|---|---|",
    ]
    for name in CELLS:
        times = [one[name] for one in rounds]
        ratio = statistics.median(one[name] / one[ours] for one in rounds)
        lines.append(f"| {name} | {statistics.median(times):.2f} s ({min(times):.2f}-{max(times):.2f}) | {ratio:.1f} |")
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def _round(cloud: Sandbox) -> Iterator[tuple[str, float]]:
    for name, (code, error) in CELLS.items():
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            kernel = Kernel(Path(folder), bound_environ(cloud, Path(folder)))
            try:
                began = time.monotonic()
                ran = kernel.run(code, allow_stdin=False)
                yield name, time.monotonic() - began
                # A figure of something else would be worse than none.
                assert error in ran.error, ran.error  # noqa: S101
                assert bool(ran.error) == bool(error), ran.error  # noqa: S101
            finally:
                kernel.close()


if __name__ == "__main__":
    main()
