"""The panel beside kernels that cannot sign in: without the library, or not in Python. These are downloaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.matrix import environments

from .lab import LIMIT, Lab, LabPage

pytestmark = pytest.mark.matrix
# The kernel's name, and how it is started.
KERNELS = {"bare": "ipykernel_launcher", "shell": "bash_kernel"}
CHANGE = "async (name) => { await window.jupyterapp.shell.currentWidget.sessionContext.changeKernel({ name }); }"


@pytest.fixture(scope="module")
def a_foreign_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds kernels, and nothing of ours."""
    return environments.fill(tmp_path_factory.mktemp("foreign") / "environment", "ipykernel", "bash_kernel")


@pytest.fixture
def a_desk_with_foreign_kernels(a_lab: Lab, a_lab_page: LabPage, a_foreign_environment: Path) -> LabPage:
    """A notebook on our kernel, in a JupyterLab that knows the others too."""
    for name, module in KERNELS.items():
        spec = a_lab.folder / "data" / "kernels" / name / "kernel.json"
        spec.parent.mkdir(parents=True, exist_ok=True)
        argv = [str(a_foreign_environment), "-m", module, "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": name}))
    a_lab.notebook("foreign.ipynb", "echo $((6 * 7))")
    return a_lab_page.open("foreign.ipynb")


def _panel_with(lab_page: LabPage, kernel: str) -> Locator:
    lab_page.command("luminary-auth:open-panel")
    panel = lab_page.panel
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)
    lab_page.page.evaluate(CHANGE, kernel)
    return panel


def test_a_kernel_without_the_library_gets_the_line_that_installs_it(a_desk_with_foreign_kernels):
    panel = _panel_with(a_desk_with_foreign_kernels, "bare")
    expect(panel).to_contain_text("The library is not installed in this kernel's environment.", timeout=LIMIT)
    expect(panel.get_by_text("%pip install luminary-auth-widget", exact=True)).to_be_visible()
    expect(panel.get_by_role("button")).to_have_count(0)
    expect(a_desk_with_foreign_kernels.status).to_be_hidden()


def test_a_kernel_of_another_language_is_named_and_sent_nothing_to_run(a_desk_with_foreign_kernels):
    panel = _panel_with(a_desk_with_foreign_kernels, "shell")
    expect(panel).to_contain_text("This kernel runs bash. Signing in needs a Python kernel.", timeout=LIMIT)
    expect(a_desk_with_foreign_kernels.status).to_be_hidden()
    assert a_desk_with_foreign_kernels.run(0) == "42"
    assert a_desk_with_foreign_kernels.execution_count(0) == 1
