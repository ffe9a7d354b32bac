"""What README.md tells people to run, run: every block of it, in its order."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from luminary_auth_widget import words
from luminary_auth_widget.files import make_private_folder
from luminary_auth_widget.sandbox import process
from luminary_auth_widget.sandbox.demo import ADA, PROJECTS
from tests.cli.driver import Terminal
from tests.hub.replay import BADGE
from tests.kernel.driver import Kernel, deliver, end_of_login

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# These belong together: see the test of their order.
TERMINAL = re.findall(r"^luminary-auth .*", README.partition("## In a terminal")[2].partition("\n## ")[0], re.MULTILINE)
COMMANDS = [
    line for language, text in BLOCKS if language == "sh" for line in text.splitlines() if line and line not in TERMINAL
]
PROGRAMS = [text for language, text in BLOCKS if language == "python"]
ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)
TASKS = "import luminarycloud as lc\ndef count_projects(): return len(list(lc.iterate_projects()))\n"
SENTENCES = re.findall(r"^\| ([A-Z…][^|]+) \|", README.partition("| The widget says |")[2], re.MULTILINE)


def _is_our_name(*arguments: str) -> None:
    # A name that pip is told to install must be ours; resolving it here would ask an index that may not have it yet.
    assert arguments == ("install", "luminary-auth-widget")
    assert importlib.metadata.metadata("luminary-auth-widget")["Name"] == "luminary-auth-widget"


def _is_a_target(*arguments: str) -> None:
    _succeeds("make", "-n", *arguments, cwd=ROOT)


def _runs(*arguments: str) -> None:
    _succeeds(str(Path(sys.executable).with_name("luminary-auth")), *arguments)


def _succeeds(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


CHECKS: dict[str, Callable[..., None]] = {"pip": _is_our_name, "make": _is_a_target, "luminary-auth": _runs}


@pytest.fixture(scope="module")
def a_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the shared sandbox of these blocks runs, instead of the developer's own."""
    folder = tmp_path_factory.mktemp("state") / "sandbox"
    make_private_folder(folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LUMINARY_SANDBOX_DIR", str(folder))
        yield folder
    if cloud := process.find_running(folder):
        cloud.stop()


def test_the_badge_opens_what_the_binder_check_has_opened():
    assert f"({BADGE})" in README


def test_every_block_is_of_a_kind_that_is_tested_here():
    assert {language for language, _ in BLOCKS} == {"sh", "python"}
    assert README.count("\n```") == 2 * len(BLOCKS)


@pytest.fixture
def a_running_sandbox_to_control(a_state_folder):
    """As `sandbox.use()` in a notebook has started it."""
    return process.find_running(a_state_folder) or process.start_detached(a_state_folder, idle_limit_seconds=600)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_works(command, a_running_sandbox_to_control):
    program, *arguments = shlex.split(command)
    assert program in CHECKS, "README names a command that nothing here checks"
    CHECKS[program](*arguments)


def test_the_commands_of_the_terminal_work_in_their_order(a_sandbox, a_bound_environ, tmp_path):
    (tmp_path / "notebooks").mkdir()
    assert len(TERMINAL) == 5
    for line in TERMINAL:
        with Terminal(*shlex.split(line)[1:], environ=a_bound_environ, cwd=tmp_path) as terminal:
            if line == "luminary-auth login":
                deliver(end_of_login(a_sandbox, terminal.wait_for_link()))
            assert terminal.end() == 0, terminal.text


def test_the_programs_work_in_their_order_in_one_kernel(a_key, a_bound_environ, tmp_path):
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "project" / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    sign_in, list_projects, by_code, extension, wait, require, *start_workers, use_sandbox, _ = PROGRAMS
    (folder / "my_tasks.py").write_text(TASKS)
    # Set but empty: the person pastes a key, though there is a file to load later.
    kernel = Kernel(folder, {**a_bound_environ, "LC_API_KEY": ""})
    try:
        ran = kernel.run(sign_in)
        assert not ran.error
        kernel.click(ran.models[0], "use_key", buffers=(a_key.secret.encode(),))
        kernel.wait_for(ran.models[0], state="signed_in")
        assert sorted(kernel.run(list_projects).text.splitlines()) == ADAS
        assert "Signed in with an API key" in kernel.run(extension).text
        kernel.run(wait)
        ran = kernel.run(f"{require}\nprint(client is session.client)")
        assert "True\n" in ran.text, ran.error
        assert len(start_workers) == 3
        for program in start_workers:
            ran = kernel.run(program)
            assert f"{len(ADAS)}\n" in ran.text, (program, ran.error)
        kernel.run("workers.close(); client.shutdown()")
        for line in by_code.splitlines():
            expression, _, promised = line.partition("#")
            ran = kernel.run(expression.strip())
            assert not ran.error, line
            if promised.strip().startswith("Luminary Cloud: "):
                assert ran.text == promised.strip().replace("a1b2", a_key.secret[-4:])
    finally:
        kernel.close()
    assert "sandbox.use()" in use_sandbox


def test_the_sandbox_programs_work_in_their_order_in_a_kernel_of_their_own(a_state_folder, tmp_path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "JPY_"))}
    kernel = Kernel(tmp_path, {**environ, "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")})
    try:
        ran, moved = kernel.run(PROGRAMS[-2]), kernel.run(PROGRAMS[-1])
        cloud = process.find_running(a_state_folder)
    finally:
        kernel.close()
    assert not ran.error
    assert not moved.error
    assert cloud.status.clock_ahead >= timedelta(days=29)
    assert "Its pages: http://localhost:" in ran.text
    assert ADA.email in ran.text


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_message_of_the_table_is_said(sentence):
    pages = (ROOT / "luminary_auth_widget" / "static").glob("*.js")
    said = "\n".join(
        [*(text for name, text in vars(words).items() if name.isupper()), *(path.read_text() for path in pages)]
    )
    # Parts that are put in stand as {…} or % there.
    said = said.replace("{path}", "./.env").replace("{seconds:.0f}", "5")
    parts = [part.strip(" .") for part in re.split(r"…|(?<=\.) (?=[A-Z])", sentence)]
    assert [part for part in parts if part not in said] == []


def test_every_file_that_it_links_to_is_there():
    found = re.findall(r'\]\(([^)#]+)\)|(?:src|srcset)="([^"]+)"', README)
    targets = [target for pair in found for target in pair if target and "://" not in target]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_workflow_of_a_public_forge_calls_the_targets_of_the_gate_and_no_more():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    gate = re.findall(r"^make (\S+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    (targets,) = re.findall(r"target: \[(.*)\]", workflow)
    assert targets.split(", ") == [*gate, "binder-check"]
    assert re.findall(r"run: (.*)", workflow) == ["make ${{ matrix.target }}"]
