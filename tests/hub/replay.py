"""The Binder build without an engine: repo2docker renders it, and its steps that concern us are run here."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from luminary_auth_widget.sandbox import process as sandbox_process
from tests.browser.lab import free_port
from tests.matrix import environments

from . import programs

PYPROJECT = (environments.ROOT / "pyproject.toml").read_text(encoding="utf-8")
# What is behind the badge.
BADGE = re.findall(r'^Binder = "(.*)"$', PYPROJECT, re.MULTILINE)[0]
PREFIX = "/user/abc-123/"
TOKEN = "as-binder-makes-one-for-each-launch"
# What of the base image is Jupyter, by conda's names; PyPI's for the last is jupyterhub.
_BASE = ("jupyterlab", "notebook", "jupyter_server", "ipykernel", "ipywidgets", "jupyterhub-base")

# Where kernels find or start their shared sandbox, below the home.
_SANDBOX = ".local/state/luminary-auth-widget/sandbox"


@dataclass(frozen=True)
class Rendering:
    """What repo2docker makes of a checkout.

    Attributes
    ----------
    python : str
        The version of the image's Python: "3.12".
    base : dict
        Versions in the base image, by their names on PyPI.
    runs : list of str
        The commands that the Dockerfile runs in the checkout, as its user.
    environ : dict
        The variables that it sets in the end, not expanded.
    """

    python: str
    base: dict[str, str]
    runs: list[str]
    environ: dict[str, str]


def check_out(folder: Path) -> Path:
    """Copy what git has or would add: what Binder would get."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listed, cwd=environments.ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (environments.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(environments.ROOT / name, folder / name)
    return folder


def render(checkout: Path) -> Rendering:
    """Let repo2docker render the Dockerfile of `checkout`."""
    interpreter = environments.fill(environments.FOLDER / "repo2docker", "jupyter-repo2docker")
    # Without the last, a folder without any of Binder's files would be rendered, too.
    options = ("--no-build", "--debug", "--Repo2Docker.default_buildpack=None")
    command = [str(interpreter.with_name("jupyter-repo2docker")), *options, str(checkout)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    text = said.stdout + said.stderr
    (python,) = re.findall(r"conda environment for python=([\d.]+)", text)
    (platform,) = re.findall(r"^ENV CONDA_PLATFORM=(\S+)$", text, re.MULTILINE)
    _, _, in_checkout = text.partition("\n# Run assemble scripts!")
    return Rendering(
        python,
        _base_image(interpreter, python, platform),
        re.findall(r"^RUN (.*)$", in_checkout, re.MULTILINE),
        dict(re.findall(r'^ENV (\w+)="?([^"\n]*)"?$', text, re.MULTILINE)),
    )


def _base_image(interpreter: Path, python: str, platform: str) -> dict[str, str]:
    (lock,) = interpreter.parents[1].glob(
        f"lib/python*/site-packages/repo2docker/buildpacks/conda/environment.py-{python}-{platform}.lock"
    )
    names = "|".join(map(re.escape, _BASE))
    found = re.findall(rf"/({names})-(\d[^-]*)-[^/-]*\.(?:conda|tar\.bz2)", lock.read_text())
    return {name.removesuffix("-base"): version for name, version in found}


def build(rendering: Rendering, checkout: Path) -> dict[str, str]:
    """Make the base image's Python environment and run the Dockerfile's commands; return the image's variables."""
    base = [f"{name}=={version}" for name, version in rendering.base.items()]
    python = environments.find_python(rendering.python) or sys.executable
    interpreter = environments.fill(environments.FOLDER / "binder", "pip", *base, python=python)
    prefix = interpreter.parents[1]
    places = {"REPO_DIR": str(checkout), "NB_PYTHON_PREFIX": str(prefix), "KERNEL_PYTHON_PREFIX": str(prefix)}
    environ = programs.clean_environ(**places)
    environ["PATH"] = os.pathsep.join([str(prefix / "bin"), environ["PATH"]])
    for command in rendering.runs:
        subprocess.run(["bash", "-c", command], cwd=checkout, env=environ, check=True, timeout=300)
    return environ


@contextlib.contextmanager
def launch(rendering: Rendering, checkout: Path, environ: dict[str, str], proxy: Path, logs: Path) -> Iterator[str]:
    """Start the image as mybinder.org does, behind its proxy; yield the address of the server, as a browser knows it.

    The name stands for one that a kernel does not know, and that is not this machine.
    """
    port, lab_port, api_port = free_port(), free_port(), free_port()
    forward = ["--ip=127.0.0.1", f"--port={port}", "--api-ip=127.0.0.1", f"--api-port={api_port}"]
    route = [str(proxy), *forward, f"--default-target=http://127.0.0.1:{lab_port}"]
    # As BinderHub's spawner has it, but for the loopback address, and what that makes necessary.
    lab = ["jupyter-lab", "--ip=127.0.0.1", "--ServerApp.allow_remote_access=True", f"--port={lab_port}",
           f"--ServerApp.base_url={PREFIX}", f"--ServerApp.token={TOKEN}", "--ServerApp.trust_xheaders=True",
           "--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    entrypoint = rendering.environ["R2D_ENTRYPOINT"].replace("${REPO_DIR}", str(checkout))
    on_a_hub = {**environ, "HOME": str(checkout), "JUPYTERHUB_SERVICE_PREFIX": PREFIX, "JUPYTERHUB_PUBLIC_URL": ""}
    inside, outside = f"http://127.0.0.1:{lab_port}{PREFIX}api", f"http://127.0.0.1:{port}{PREFIX}api"
    try:
        with (
            programs.running([entrypoint, *lab], answers_at=inside, cwd=checkout, environ=on_a_hub, log=logs / "lab"),
            programs.running(route, answers_at=outside, cwd=logs, environ=programs.clean_environ(), log=logs / "proxy"),
        ):
            yield f"http://hub.localhost:{port}{PREFIX.rstrip('/')}"
    finally:
        stop_sandbox(checkout)


def sign_everybody_out(home: Path) -> None:
    """Take away what a browser sign-in in this home has left."""
    shutil.rmtree(home / _SANDBOX / "credentials", ignore_errors=True)


def stop_sandbox(home: Path) -> None:
    """Stop the sandbox that the kernels of this home share, if one runs."""
    if cloud := sandbox_process.find_running(home / _SANDBOX):
        cloud.stop()
