"""`python -m benchmarks`: every measurement, and RESULTS.md; `python -m benchmarks drawing --runs 2` for one alone."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from . import api_key, browser_login, drawing, footprint, page_load, unattended, views
from .table import Section, machine

MODULES = (drawing, browser_login, api_key, views, page_load, footprint, unattended)
QUESTIONS = {module.__name__.rpartition(".")[2]: module.measure for module in MODULES}
RUNS = 7
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure, print the tables, and write them down where all of them were measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("question", nargs="*", choices=[*QUESTIONS, []], help="only these; writes no page")
    parser.add_argument("--runs", type=int, default=int(os.environ.get("BENCH_RUNS", RUNS)), metavar="N")
    options = parser.parse_args()
    load, began = os.getloadavg()[0], time.monotonic()
    sections = []
    for name in options.question or QUESTIONS:
        sections.append(QUESTIONS[name](options.runs))
        print(f"{sections[-1]}\n", flush=True)
    if not options.question:
        minutes = (time.monotonic() - began) / 60
        RESULTS.write_text(_page(sections, options.runs, load, minutes), encoding="utf-8")
    missed = [f"{section.title}: {row.what}" for section in sections for row in section.missed]
    print("\n".join(["Missed:", *missed]) if missed else "Every goal was met.")


def _page(sections: list[Section], runs: int, load: float, minutes: float) -> str:
    """Return the whole page; the load says what the figures are worth."""
    head = f"""# How fast it is

Written by `python -m benchmarks` (`make bench`), in one run of {minutes:.0f} minutes: medians of {runs} runs
(smallest-largest), ratios of what was measured side by side. {machine()}
Other programs kept {load:.1f} cores busy when it began: above 0.5 the figures are worth little."""
    return "\n\n".join([head, *map(str, sections)]) + "\n"


if __name__ == "__main__":
    main()
