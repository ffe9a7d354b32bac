"""Signing in with an API key, beside what the SDK alone needs for the same: a client and one list of projects."""

from __future__ import annotations

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA
from tests.kernel.driver import Kernel

from . import stage
from .stage import MINE
from .table import Section, by_name, compared

BELOW = 1.3
# The kernel's first sign-in, and one more with another key.
CELLS = {
    MINE: (f"from {MINE} import login\nsession = login(api_key={{key!r}})", "session.use_key({key!r})"),
    "the SDK alone": (
        "import luminarycloud as lc\nlc.set_default_client(lc.Client(api_key={key!r}))\nnext(lc.iterate_projects())",
        "lc.set_default_client(lc.Client(api_key={key!r}))\nnext(lc.iterate_projects())",
    ),
}
BEGIN, END = "import time; begun = time.perf_counter()\n", "\nprint(time.perf_counter() - begun)"
NOTE = """By turns, each in a kernel of its own, from the first line of the cell to the server's answer. The first
sign-in imports the SDK, and with us shows the widget; the next is with another key, in the same kernel.
The SDK alone: `lc.Client(api_key=…)` and the first of `lc.iterate_projects()`."""


def measure(runs: int) -> Section:
    """Sign in twice in each of `runs` kernels, with us and without; the first round fills the machine's caches."""
    with sandbox.start() as cloud:
        took = by_name([{name: _sign_in_twice(cloud, name) for name in CELLS} for _ in range(runs + 1)][1:])
    mine, alone = (list(zip(*took[name], strict=True)) for name in CELLS)
    rows = [
        compared(what, mine[place], "the SDK alone", alone[place], below=BELOW)
        for place, what in enumerate(("the kernel's first sign-in", "the next"))
    ]
    return Section("Signing in with an API key", rows, NOTE)


def _sign_in_twice(cloud: Sandbox, name: str) -> list[float]:
    with stage.a_kernel(cloud) as kernel:
        return [float(run(kernel, cloud, BEGIN + code + END)) for code in CELLS[name]]


def run(kernel: Kernel, cloud: Sandbox, code: str) -> str:
    """Run a cell in which `{key!r}` stands for a new key; return what it printed."""
    ran = kernel.run(code.format(key=cloud.create_api_key(ADA.email, name="measured").secret))
    # A figure of something else would be worse than none.
    assert not ran.error, ran.error  # noqa: S101
    return ran.text
