"""`python -m tests.matrix`: the tests on ipykernels, Pythons and JupyterLabs besides these, and a page of tables.

Every one gets an environment of its own and runs after the others. The page is docs/kernel-matrix.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
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
}
SIDEBAR = tuple(f"tests/browser/test_{name}.py" for name in ("sidebar", "palette", "foreign_kernels"))
REACH, CONTRAST = "tests/matrix/test_reach.py", "tests/matrix/contrast.py"
# What these prove lies in a child process, in files and at a server, and is the same on every kernel.
ELSEWHERE = {"test_browser_faults.py", "test_browser_sign_in.py", "test_faults.py", "test_other_kernels.py"}


def main() -> int:
    """Run the matrix; return 0 when every test has passed on every kernel."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=main.__doc__)
    parser.add_argument("--ipykernel", action="append", metavar="VERSION", help="only this one; writes no page")
    parser.add_argument("--front-end", action="append", choices=FRONT_ENDS, help="only this one; writes no page")
    parser.add_argument("--reach", action="store_true", help="only what the page shows, without the other kernel tests")
    options = parser.parse_args()
    chosen, reach = options.ipykernel, options.reach
    if options.front_end or chosen:
        kernels = [_on_ipykernel(f"ipykernel=={version}", reach) for version in chosen or ()]
        return _verdict(kernels + [_in_front_end(name) for name in options.front_end or ()])
    kernels = [_on_ipykernel(f"ipykernel=={version}", reach) for version in IPYKERNELS]
    tested = {kernel.versions["ipykernel"] for kernel in kernels}
    newest = environments.make("ipykernel")
    if environments.contents(newest)["ipykernel"] not in tested:
        kernels.append(_on_ipykernel("ipykernel", reach))
    others = {version: environments.find_python(version) for version in PYTHONS if not _is_this(version)}
    pythons = [_run(environments.make("ipykernel", python=python), [REACH]) for python in others.values() if python]
    missing = [version for version, python in others.items() if python is None]
    front_ends = [_in_front_end(name) for name in FRONT_ENDS]
    PAGE.write_text(report.document(kernels, pythons, missing, front_ends), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return _verdict(kernels + pythons + front_ends)


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
    return _run(interpreter, [*SIDEBAR, "-m", "matrix or not matrix"])


def _run(interpreter: Path, arguments: list[str]) -> Kernel:
    """Run pytest with `arguments` on the interpreter's kernel; those that have stalled for a known reason once more."""
    versions, began = environments.contents(interpreter), time.monotonic()
    name = Kernel(versions, {}).name
    print(f"\n== {name} ==", flush=True)
    cases = _pytest(interpreter, arguments)
    failed = [case for case in cases.values() if case.failures]
    if failed and all(case.stalled for case in failed) and versions["ipykernel"] in STALLING:
        print(f"{name}: {len(failed)} stalled (ipython/ipykernel#1554). Once more, those alone:", flush=True)
        cases |= _pytest(interpreter, [*arguments, "--last-failed"])
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return Kernel(versions, cases)


def _pytest(interpreter: Path, arguments: list[str]) -> dict[str, Case]:
    written, cache = interpreter.parents[1] / "report.xml", interpreter.parents[1] / "pytest"
    written.unlink(missing_ok=True)
    # Only this family of reports keeps what a test records.
    options = ["-o", "junit_family=xunit1", f"--junitxml={written}", "-o", f"cache_dir={cache}", "--quiet"]
    environ = {**os.environ, "KERNEL_PYTHON": str(interpreter), "LAB_PYTHON": str(interpreter)}
    command = [sys.executable, "-m", "pytest", *options, *arguments]
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
