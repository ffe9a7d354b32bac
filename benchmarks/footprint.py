"""What a signed-in kernel holds: memory and threads, beside one that the SDK alone has signed in."""

from __future__ import annotations

import statistics

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox

from . import stage
from .api_key import CELLS, run
from .table import Row, Section, by_name

MORE = 10
NOTE = f"""Memory that the kernel's process shares with no other, and its threads, as the system counts them, in kernels
of their own. After {MORE} more sign-ins: each with another key, in the same kernel."""


def measure(runs: int) -> Section:
    """Sign in once and then again and again in each of `runs` kernels."""
    with sandbox.start() as cloud:
        sizes = by_name([{name: _sizes(cloud, name) for name in CELLS} for _ in range(runs)])
    rows = []
    for place, what in enumerate(("a kernel", "once it is signed in", f"after {MORE} more sign-ins")):
        mine, alone = ([one[place] for one in sizes[name]] for name in CELLS)
        for thing, unit in enumerate((" MB", " threads")):
            ours, theirs = (statistics.median(one[thing] for one in some) for some in (mine, alone))
            rows.append(Row(what, f"{ours:.0f}{unit}", f"the SDK alone: {theirs:.0f}{unit}", f"{ours / theirs:.2f}"))
    return Section("Memory and threads", rows, NOTE)


def _sizes(cloud: Sandbox, name: str) -> list[tuple[float, int]]:
    first, again = CELLS[name]
    with stage.a_kernel(cloud) as kernel:
        process = kernel.process

        def size() -> tuple[float, int]:
            return process.memory_full_info().uss / 2**20, process.num_threads()

        sizes = [size()]
        run(kernel, cloud, first)
        sizes.append(size())
        for _ in range(MORE):
            run(kernel, cloud, again)
        return [*sizes, size()]
