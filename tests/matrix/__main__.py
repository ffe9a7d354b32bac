"""`python -m tests.matrix`: the tests on ipykernels, Pythons and JupyterLabs besides these, and a page of tables.

Every one gets an environment of its own and runs after the others. The page is docs/kernel-matrix.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from importlib.metadata import requires, version
from pathlib import Path

from . import environments, report
from .report import Case, Kernel

IPYKERNELS = ("6.31.0", "7.0.1", "7.2.0", "7.4.0")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# They may not read what arrives in the instant of a reply until something else arrives: ipython/ipykernel#1554.
STALLING = {"7.0.1", "7.2.0", "7.3.0"}
PAGE = environments.ROOT / "docs" / "kernel-matrix.md"
# The oldest JupyterLab that is promised, and what the base image of Binder holds; by a name for the command.
FRONT_ENDS = {
    "4.2": ("jupyterlab==4.2.*", "notebook==7.2.*"),
    "binder": ("jupyterlab==4.4.9", "notebook==7.4.*", "ipykernel==7.0.1", "ipywidgets==8.1.7"),
    # What the SDK's own extra pins: ipywidgets 7.6.0, anywidget 0.9.0, in the newest JupyterLab.
    "sdk": ("luminarycloud[jupyter]", "ipykernel"),
}
# ipywidgets 7.6.0 imports what it does not name; luminarycloud[jupyter], for whose sake it is allowed, names that.
LOWEST = ("ipython-genutils==0.2.0",)
CONTRACT = "tests/contract"
IN_LAB = "tests/browser/test_lab_sign_in.py"
# All but what proves how newer kernels and pages are used: subshells, the instant after a failed cell, JupyterLab.
ON_LOWEST = (
    *("tests/unit", "tests/session", "tests/cli", "tests/workers", "tests/sandbox", CONTRACT),
    *(f"tests/kernel/test_{name}.py" for name in ("sign_in", "default_client", "rescue", "rotation", "unattended")),
    "tests/kernel/test_magics.py::test_what_a_notebook_keeps_of_the_widget_names_neither_person_nor_key",
    f"{IN_LAB}::test_after_a_pasted_key_the_next_cells_list_the_accounts_projects",
)
IN_FRONT_ENDS = tuple(
    f"tests/browser/test_{name}.py"
    for name in ("sidebar", "palette", "foreign_kernels", "lab_sign_in", "lab_browser_sign_in", "lab_rescue")
)
# JupyterLab 4.2 opens no subshells: a click waits for the running cell there, as README says.
WHILE_A_CELL_RUNS = (
    f"{IN_LAB}::test_a_click_while_a_cell_runs_is_answered_and_the_cell_goes_on",
    "tests/browser/test_lab_browser_sign_in.py::"
    "test_click_link_log_in_and_the_next_cell_lists_the_projects_while_another_cell_kept_running",
)
REACH, CONTRAST = "tests/matrix/test_reach.py", "tests/matrix/contrast.py"
# What these prove lies in a child process, in files and at a server, and is the same on every kernel.
ELSEWHERE = {"test_browser_faults.py", "test_browser_sign_in.py", "test_faults.py", "test_other_kernels.py"}


def main() -> int:
    """Run the matrix; return 0 when every test has passed on every kernel."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=main.__doc__)
    parser.add_argument("--ipykernel", action="append", metavar="VERSION", help="only this one; writes no page")
    parser.add_argument("--front-end", action="append", choices=FRONT_ENDS, help="only this one; writes no page")
    parser.add_argument("--sdk", action="append", metavar="MINOR", help="only this one, or `lowest`; writes no page")
    parser.add_argument("--reach", action="store_true", help="only what the page shows, without the other kernel tests")
    options = parser.parse_args()
    chosen, reach = options.ipykernel, options.reach
    if options.front_end or chosen or options.sdk:
        kernels = [_on_ipykernel(f"ipykernel=={version}", reach) for version in chosen or ()]
        kernels += [_in_front_end(name) for name in options.front_end or ()]
        return _verdict(kernels + [_with_sdk(name) for name in options.sdk or ()])
    kernels = [_on_ipykernel(f"ipykernel=={version}", reach) for version in IPYKERNELS]
    tested = {kernel.versions["ipykernel"] for kernel in kernels}
    newest = environments.make("ipykernel")
    if environments.contents(newest)["ipykernel"] not in tested:
        kernels.append(_on_ipykernel("ipykernel", reach))
    others = {version: environments.find_python(version) for version in PYTHONS if not _is_this(version)}
    pythons = [_run(environments.make("ipykernel", python=python), [REACH]) for python in others.values() if python]
    missing = [version for version, python in others.items() if python is None]
    front_ends = [_in_front_end(name) for name in FRONT_ENDS]
    sdks = [_with_sdk(name) for name in ("lowest", *_sdks())]
    PAGE.write_text(report.document(kernels, pythons, missing, front_ends, sdks), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return _verdict(kernels + pythons + front_ends + sdks)


def _is_this(version: str) -> bool:
    return version == f"{sys.version_info.major}.{sys.version_info.minor}"


def _on_ipykernel(requirement: str, reach: bool) -> Kernel:
    interpreter = environments.make(requirement)
    suites = sorted((environments.ROOT / "tests" / "kernel").glob("test_*.py"))
    here = environments.contents(sys.executable)["ipykernel"]
    if reach or environments.contents(interpreter)["ipykernel"] == here:
        return _run(interpreter, [REACH, CONTRAST])  # `make test` has run the others
    return _run(interpreter, [*(str(path) for path in suites if path.name not in ELSEWHERE), REACH, CONTRAST])


def _in_front_end(name: str) -> Kernel:
    # A plot is drawn in one of the tests.
    interpreter = environments.make(*FRONT_ENDS[name], "matplotlib")
    # Nothing but our own widget draws there, and the sidebar is the same.
    suites = [IN_LAB] if name == "sdk" else [*IN_FRONT_ENDS, "-m", "matrix or not matrix"]
    without = WHILE_A_CELL_RUNS if name == "4.2" else ()
    return _run(interpreter, [*suites, *(f"--deselect={test}" for test in without)])


def _sdks() -> list[str]:
    """Return the minors of the SDK between the oldest, which is among the lowest, and the newest, of `make test`."""
    declared = next(one for one in requires("luminary-auth-widget") or () if one.startswith("luminarycloud>=0."))
    oldest, newest = (int(found.split(".")[1]) for found in (declared, version("luminarycloud")))
    return [f"0.{minor}" for minor in range(oldest + 1, newest)]


def _with_sdk(name: str) -> Kernel:
    """Run what stands closest to the SDK with another version of it, or with the lowest of all that is declared."""
    if name == "lowest":
        lowest = environments.make(*LOWEST, extras="[test]", options=("--resolution", "lowest-direct"))
        return _run(lowest, [*ON_LOWEST, "-n", "2", "-m", "not matrix"], here=False)
    interpreter = environments.make(f"luminarycloud=={name}.*", extras="[test]")
    return _run(interpreter, [CONTRACT], here=False)


def _run(interpreter: Path, arguments: list[str], *, here: bool = True) -> Kernel:
    """Run pytest with `arguments` on the interpreter's kernel; those that have stalled for a known reason once more.

    The tests themselves run in this environment, with `here`, or in that of the interpreter.
    """
    versions, began = environments.contents(interpreter), time.monotonic()
    name = Kernel(versions, {}).name
    print(f"\n== {name} ==", flush=True)
    runner = Path(sys.executable) if here else interpreter
    cases = _pytest(runner, interpreter, arguments)
    failed = [case for case in cases.values() if case.failures]
    # In a page, a kernel that does not answer looks like any other failure.
    in_page = arguments[0].startswith("tests/browser")
    if failed and versions["ipykernel"] in STALLING and (in_page or all(case.stalled for case in failed)):
        print(f"{name}: {len(failed)} may have stalled (ipython/ipykernel#1554). Once more, those alone:", flush=True)
        cases |= _pytest(runner, interpreter, [*arguments, "--last-failed"])
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return Kernel(versions, cases)


def _pytest(runner: Path, interpreter: Path, arguments: list[str]) -> dict[str, Case]:
    written, cache = interpreter.parents[1] / "report.xml", interpreter.parents[1] / "pytest"
    written.unlink(missing_ok=True)
    # Only this family of reports keeps what a test records.
    options = ["-o", "junit_family=xunit1", f"--junitxml={written}", "-o", f"cache_dir={cache}", "--quiet"]
    environ = {**os.environ, "KERNEL_PYTHON": str(interpreter), "LAB_PYTHON": str(interpreter)}
    command = [str(runner), "-m", "pytest", *options, *arguments]
    # 1: tests have failed, and the report says which. Anything else is a run that did not take place.
    if (code := subprocess.run(command, cwd=environments.ROOT, env=environ, check=False).returncode) > 1:
        raise SystemExit(f"pytest has ended with {code}.")
    return report.read(written)


def _verdict(kernels: list[Kernel]) -> int:
    failed = 0
    for kernel in kernels:
        for name, case in kernel.cases.items():
            failed += bool(case.failures)
            if case.failures:
                print(f"FAILED on {kernel.name}: {name}", file=sys.stderr)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
