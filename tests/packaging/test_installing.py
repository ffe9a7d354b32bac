"""What pip puts into an environment and takes out again, with real pip, and what is in the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest
import requests

from tests.browser.lab import free_port
from tests.hub import programs, replay
from tests.matrix import environments

pytestmark = pytest.mark.matrix
OURS = "luminary-auth-widget"
PACKAGE = environments.ROOT / "luminary_auth_widget"
LABEXTENSION = PACKAGE / "labextension"
SHARE = Path("share", "jupyter", "labextensions", OURS)


class Environment:
    """One with a JupyterLab, pip, and all that the library depends on."""

    def __init__(self, folder: Path):
        self.folder, self._home = folder, folder.with_name("home")
        needed = [one for one in requires(OURS) or () if "extra ==" not in one]
        environments.fill(folder, "pip", "jupyterlab", *needed)

    def pip(self, *arguments: str) -> None:
        self._run("pip", *arguments, "--quiet", "--disable-pip-version-check")

    def extensions(self) -> list[str]:
        """Return what JupyterLab lists, without its colours."""
        listed = self._run("jupyter", "labextension", "list")
        return [" ".join(line.split()) for line in re.sub(r"\x1b\[\d+m", "", listed).splitlines()]

    def files(self) -> set[Path]:
        """Return what lies in it, byte code aside, which Python writes when it likes."""
        return {path for path in self.folder.rglob("*") if "__pycache__" not in path.parts}

    def _run(self, command: str, *arguments: str) -> str:
        # Nothing of this machine's own Jupyter.
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))}
        ran = subprocess.run(
            [self.folder / "bin" / command, *arguments], env={**environ, "HOME": str(self._home)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout
        return ran.stdout


@pytest.fixture(scope="module")
def an_environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("installing") / "environment")


@pytest.mark.parametrize("options", [(), ("--editable",)], ids=["plain", "editable"])
def test_after_pip_install_jupyterlab_lists_the_extension_and_pip_uninstall_leaves_no_file(an_environment, options):
    before = an_environment.files()
    an_environment.pip("install", *options, str(environments.ROOT))
    assert f"{OURS} v{version(OURS)} enabled OK" in " ".join(an_environment.extensions())
    assert {path.name for path in (an_environment.folder / SHARE / "static").iterdir()} == {
        path.name for path in (LABEXTENSION / "static").iterdir()
    }
    an_environment.pip("uninstall", "--yes", OURS)
    assert OURS not in " ".join(an_environment.extensions())
    assert an_environment.files() == before


def test_the_wheel_holds_the_library_and_what_jupyterlab_loads_once_and_nothing_else(an_environment, tmp_path):
    an_environment.pip("wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(environments.ROOT))
    (wheel,) = tmp_path.iterdir()
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    distribution = f"luminary_auth_widget-{version(OURS)}"
    info = {name for name in names if name.parts[0] == f"{distribution}.dist-info"}
    assert {name.name for name in info} == {"METADATA", "RECORD", "WHEEL", "LICENSE", "entry_points.txt"}
    # The types stay: an editor that opens the installed scripts finds what they name.
    library = {Path(PACKAGE.name) / path for path in _committed(PACKAGE) if path.parts[0] != LABEXTENSION.name}
    shared = {Path(f"{distribution}.data", "data") / SHARE / path for path in _committed(LABEXTENSION)}
    assert names - info == library | shared


def _committed(folder: Path) -> set[Path]:
    """Return git's files of a folder, as they are named from there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return {Path(name) for name in listed.stdout.splitlines()}


def test_make_demo_in_a_checkout_serves_the_tour(tmp_path):
    checkout, port = replay.check_out(tmp_path / "checkout"), free_port()
    command = ["make", "demo", f"LAB_OPTIONS=--no-browser --port={port} --IdentityProvider.token="]
    # What is downloaded is kept where it always is.
    environ = programs.clean_environ(HOME=str(tmp_path), XDG_CACHE_HOME=str(Path("~/.cache").expanduser()))
    up = f"http://localhost:{port}/api"
    with programs.running(command, answers_at=up, cwd=checkout, environ=environ, log=tmp_path / "log"):
        tour = requests.get(f"http://localhost:{port}/", timeout=60)
    assert (tour.status_code, tour.url) == (200, f"http://localhost:{port}/lab/tree/notebooks/sign-in.ipynb")
