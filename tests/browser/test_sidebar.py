"""JupyterLab's sidebar: the panel follows the notebook in front and its kernel, in real JupyterLab."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import luminary_auth_widget
from luminary_auth_widget import presentation

from .lab import LIMIT, LIST, RUNNING, LabPage, NotebookPage

LOGIN = "from luminary_auth_widget import login\nlogin()"
KERNELS_JS = Path(luminary_auth_widget.__file__).parent / "labextension" / "static" / "kernels.js"
COUNTS = "(len(In), _ if '_' in globals() else None)"
ENDS = "ends = []\nget_ipython().events.register('post_execute', lambda: ends.append(1))"
ABORTED = {"status": "aborted"}
# A stand-in for JupyterLab's connection to a kernel of any language, which this machine lacks: its answers in turn.
ASK = """async ([status, name, replies]) => {
  const { Kernels } = await import("/kernels.js");
  let asked = 0;
  const requestExecute = () => ({ done: Promise.resolve({ content: replies[asked++] }) });
  const info = Promise.resolve({ language_info: { name } });
  const kernel = { id: "k", status, connectionStatus: "connected", info, requestExecute };
  const notebook = { sessionContext: { session: { kernel } } };
  const kernels = new Kernels(() => {});
  await kernels.look(notebook);
  await kernels.look(notebook);
  return [kernels.of(notebook).kind, asked];
}"""


def said(text: str, **traits: int) -> dict[str, Any]:
    """Return a kernel's reply to the question: a text, or a model where there are traits."""
    ours = {"application/vnd.luminary-auth+json": {"model": "m", "traits": traits}} if traits else {}
    return {"status": "ok", "user_expressions": {"it": {"status": "ok", "data": {"text/plain": text, **ours}}}}


def refused(name: str) -> dict[str, Any]:
    """Return a kernel's reply when the question has raised."""
    return {"status": "ok", "user_expressions": {"it": {"status": "error", "ename": name, "evalue": ""}}}


def _panel_of(lab_page: LabPage) -> Locator:
    lab_page.command("luminary-auth:open-panel")
    return lab_page.page.get_by_role("region", name="Luminary Cloud panel")


def _sign_in(where: Locator, secret: str) -> None:
    where.get_by_label("API key", exact=True).fill(secret, timeout=LIMIT)
    where.get_by_role("button", name="Use key").click()
    expect(where).to_contain_text("Signed in", timeout=LIMIT)


@pytest.mark.parametrize("kind", [LabPage, NotebookPage])
def test_start_and_sign_in_in_the_panel_and_the_next_cell_lists_projects(a_lab, a_context, a_key, kind):
    notebook = a_lab.notebook("panel.ipynb", COUNTS, LIST, LOGIN)
    lab_page = kind(a_context.new_page(), a_lab).open(notebook.name)
    panel = _panel_of(lab_page)
    panel.get_by_role("button", name="Start").click(timeout=LIMIT)
    _sign_in(panel, a_key.secret)
    assert lab_page.run(0) == "(2, '')"
    assert lab_page.execution_count(0) == 1
    assert lab_page.run(1).startswith("['")
    lab_page.run(2)
    expect(lab_page.card_below(2)).to_contain_text("Signed in", timeout=LIMIT)
    lab_page.card_below(2).get_by_role("button", name="Sign out").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)


def test_the_panel_follows_the_notebook_in_front_also_while_its_kernel_is_busy(a_lab, a_lab_page, a_key):
    a_lab.notebook("one.ipynb", LOGIN, RUNNING)
    a_lab.notebook("two.ipynb", "1")
    a_lab_page.open("one.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    _sign_in(panel, a_key.secret)
    a_lab_page.command("docmanager:open", path="two.ipynb")
    a_lab_page.wait_until_open("two.ipynb")
    expect(panel).to_contain_text("Nothing has signed in from this notebook yet.", timeout=LIMIT)
    a_lab_page.command("docmanager:open", path="one.ipynb")
    a_lab_page.wait_until_open("one.ipynb")
    a_lab_page.run_cell(1)
    a_lab_page.command("docmanager:open", path="two.ipynb")
    expect(panel).to_contain_text("Nothing has signed in from this notebook yet.", timeout=LIMIT)
    a_lab_page.command("docmanager:open", path="one.ipynb")
    expect(panel).to_contain_text("Signed in", timeout=LIMIT)
    (a_lab.notebooks / "enough").touch()
    assert a_lab_page.output_of(1) == "done"


def test_it_comes_back_after_a_restart_a_crash_and_a_reload(a_lab, a_lab_page):
    a_lab.notebook("again.ipynb", LOGIN, "import os\nos.getpid()")
    a_lab_page.open("again.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    a_lab_page.restart_kernel()
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)
    a_lab_page.run(0)
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    os.kill(int(a_lab_page.run(1)), signal.SIGKILL)
    # JupyterLab's own word on the crash.
    a_lab_page.page.get_by_role("dialog").get_by_role("button", name="Ok").click(timeout=LIMIT)
    panel.get_by_role("button", name="Start").click(timeout=LIMIT)
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    a_lab_page.save()
    a_lab_page.open("again.ipynb")
    panel = _panel_of(a_lab_page)
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)


def test_a_click_is_not_taken_for_the_end_of_a_cell_which_would_close_a_figure(a_lab, a_lab_page, a_key):
    a_lab.notebook("figure.ipynb", LOGIN, ENDS, "len(ends)")
    a_lab_page.open("figure.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    _sign_in(panel, a_key.secret)
    a_lab_page.run(1)
    panel.get_by_role("button", name="Sign out").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    # The one end is that of the cell which began to count.
    assert a_lab_page.run(2) == "1"


@pytest.mark.parametrize(
    ("language", "replies", "kind"),
    [
        ("R", [], "language"),
        ("python", [said("'missing'")], "missing"),
        ("python", [said("'unused'")], "unused"),
        ("python", [said("None")], "unused"),
        ("python", [refused("AttributeError")], "old"),
        ("python", [refused("ModuleNotFoundError")], "missing"),
        ("python", [refused("ZeroDivisionError")], "failed"),
        ("python", [said("", protocol=presentation.PROTOCOL - 1)], "old"),
        ("python", [said("", protocol=presentation.PROTOCOL + 1)], "new"),
        ("python", [ABORTED, ABORTED, said("", protocol=presentation.PROTOCOL)], "ready"),
    ],
)
def test_what_an_answer_means_and_an_aborted_question_is_asked_again(a_page, language, replies, kind):
    answered = a_page.evaluate(ASK, ["idle", language, replies])
    assert answered == [kind, len(replies)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [("busy", "busy"), ("dead", "dead"), ("restarting", "restarting"), ("autorestarting", "restarting")],
)
def test_a_kernel_that_is_not_idle_is_not_asked(a_page, status, kind):
    assert a_page.evaluate(ASK, [status, "python", []]) == [kind, 0]


def test_page_and_kernel_agree_on_the_protocol():
    assert re.search(r"PROTOCOL = (\d+);", KERNELS_JS.read_text()).group(1) == str(presentation.PROTOCOL)
