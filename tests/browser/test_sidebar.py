"""JupyterLab's sidebar: the panel follows the notebook in front and its kernel, in real JupyterLab."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Request, WebSocketRoute, expect

import luminary_auth_widget
from luminary_auth_widget import presentation
from tests.conftest import bound_environ

from .conftest import DAY, HOUR, SECOND, violations
from .lab import LIMIT, LIST, RUNNING, Lab, LabPage, NotebookPage, passed_on

LOGIN = "from luminary_auth_widget import login\nlogin()"
LABEXTENSION = Path(luminary_auth_widget.__file__).parent / "labextension"
WITHOUT_LOGIN = "%load_ext luminary_auth_widget"
COUNTS = "(len(In), _ if '_' in globals() else None)"
PLOT = f"""
import matplotlib.pyplot as plt
plt.plot([1, 2])
print("drawing")
{RUNNING}
plt.title("whole")
"""
OURS = [".luminary-auth-panel", ".luminary-auth-status"]
ABORTED = {"status": "aborted"}
# A stand-in for JupyterLab's connection to a kernel of any language, which this machine lacks: its answers in turn.
ASK = """async ([status, name, replies, connectionStatus = "connected"]) => {
  const { Kernels } = await import("/kernels.js");
  let asked = 0;
  const requestExecute = () => ({ done: Promise.resolve({ content: replies[asked++] }) });
  const info = Promise.resolve({ language_info: { name } });
  const kernel = { id: "k", status, connectionStatus, info, requestExecute };
  const notebook = { sessionContext: { session: { kernel } } };
  const kernels = new Kernels(() => {});
  await kernels.look(notebook);
  await kernels.look(notebook);
  return [kernels.of(notebook).kind, asked];
}"""

# A kernel's processes say something in turn; the first shows the widget.
HEAR = """async (sessions) => {
  const { Kernels, PROTOCOL } = await import("/kernels.js"), kernels = new Kernels(() => {});
  const kernel = { id: "k", status: "idle", connectionStatus: "connected" };
  const state = { _anywidget_id: "luminary_auth_widget.widget.AuthWidget", protocol: PROTOCOL };
  kernels.hear("k", {
    header: { msg_type: "comm_open", session: sessions[0] }, content: { comm_id: "m", data: { state } },
  });
  return sessions.map((session) => {
    kernels.hear("k", { header: { msg_type: "status", session }, content: {} });
    return kernels.of({ sessionContext: { session: { kernel } } }).kind;
  });
}"""

# A stand-in for a kernel that reads nothing until something else arrives, which happens in some starts of some kernels.
ASK_A_STALLED_ONE = """() => {
  const answer = { status: "ok", user_expressions: { it: { status: "ok", data: { "text/plain": "'unused'" } } } };
  const stalling = (content) => {
    const read = [];
    return () => new Promise((resolve) => {
      read.push(() => resolve({ content }));
      if (read.length > 1) read.splice(0).forEach((each) => each());
    });
  };
  const tell = stalling({ language_info: { name: "python" } }), reply = stalling(answer);
  const kernel = {
    id: "k", status: "idle", connectionStatus: "connected", requestKernelInfo: tell,
    info: tell().then(({ content }) => content), requestExecute: () => ({ done: reply() }),
  };
  const notebook = { sessionContext: { session: { kernel } } };
  void import("/kernels.js").then(async ({ Kernels }) => {
    const kernels = new Kernels(() => {});
    await kernels.look(notebook);
    document.title = kernels.of(notebook).kind;
  });
}"""


KERNEL_ID = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id"
# What a choice in Kernel → Change Kernel… does with a kernel that runs.
JOIN = "async (id) => { await window.jupyterapp.shell.currentWidget.sessionContext.changeKernel({ id }); }"
# The server has forgotten the session with its kernel. JupyterLab asks now and then; until it has, a choice of a kernel
# ends in a dialog that says so.
ASK_FOR_SESSIONS = "async () => { await window.jupyterapp.serviceManager.sessions.refreshRunning(); }"
NOTE_CONNECTIONS = """() => {
  window.connections = [];
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  kernel.connectionStatusChanged.connect((_, status) => window.connections.push(status));
}"""
# At time 0 of page and kernel.
WORDS = """async (known) => {
  const { wordsOf } = await import("/status.js"), say = (text, value) => text.replace("%1", value);
  return wordsOf({ kind: "ready" }, { ...known, offset: 0 }, 0, say);
}"""
WORDS_OF_KIND = """async (kind) => (await import("/status.js")).wordsOf({ kind }, undefined, 0, (text) => text)"""


def said(text: str, **traits: int) -> dict[str, Any]:
    """Return a kernel's reply to the question: a text, or a model where there are traits."""
    ours = {"application/vnd.luminary-auth+json": {"model": "m", "traits": traits}} if traits else {}
    return {"status": "ok", "user_expressions": {"it": {"status": "ok", "data": {"text/plain": text, **ours}}}}


def refused(name: str) -> dict[str, Any]:
    """Return a kernel's reply when the question has raised."""
    return {"status": "ok", "user_expressions": {"it": {"status": "error", "ename": name, "evalue": ""}}}


@pytest.fixture
def a_desk(a_lab, a_lab_page):
    """JupyterLab's page with its panel, and two notebooks, the first one in front."""
    a_lab.notebook("one.ipynb", LOGIN, RUNNING)
    a_lab.notebook("two.ipynb", "1")
    return a_lab_page.open("one.ipynb")


def _panel_of(lab_page: LabPage) -> Locator:
    lab_page.command("luminary-auth:open-panel")
    return lab_page.panel


def _sign_in(where: Locator, secret: str) -> None:
    where.get_by_label("API key", exact=True).fill(secret, timeout=LIMIT)
    where.get_by_role("button", name="Use key").click()
    expect(where).to_contain_text("Signed in", timeout=LIMIT)


def _turn_to(lab_page: LabPage, name: str) -> None:
    tab = lab_page.page.get_by_role("main").get_by_role("tab", name=name)
    if tab.count():
        tab.click()
    else:
        lab_page.command("docmanager:open", path=name)
    lab_page.wait_until_open(name)


@pytest.mark.parametrize("kind", [LabPage, NotebookPage])
def test_start_and_sign_in_in_the_panel_and_the_next_cell_lists_projects(a_lab, a_context, a_key, kind):
    notebook = a_lab.notebook("panel.ipynb", COUNTS, LIST, LOGIN)
    lab_page = kind(a_context.new_page(), a_lab).open(notebook.name)
    panel = _panel_of(lab_page)
    panel.get_by_role("button", name="Start").click(timeout=LIMIT)
    _sign_in(panel, a_key.secret)
    # Nothing that was asked counts, or is remembered.
    assert lab_page.run(0) == "(2, '')"
    assert lab_page.execution_count(0) == 1
    assert lab_page.run(1).startswith("['")
    lab_page.run(2)
    expect(lab_page.card_below(2)).to_contain_text("Signed in", timeout=LIMIT)
    lab_page.card_below(2).get_by_role("button", name="Sign out").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)


def test_panel_and_status_bar_follow_the_notebook_in_front_also_while_its_kernel_is_busy(a_lab, a_desk, a_key):
    status, nothing = a_desk.status, "Nothing has signed in from this notebook yet."
    a_desk.run(0)
    panel = _panel_of(a_desk)
    expect(status).to_have_text("● Luminary Cloud: not signed in")
    _sign_in(panel, a_key.secret)
    expect(status).to_have_text("● Luminary Cloud: signed in")
    _turn_to(a_desk, "two.ipynb")
    expect(panel).to_contain_text(nothing, timeout=LIMIT)
    expect(status).to_have_text("● Luminary Cloud")
    _turn_to(a_desk, "one.ipynb")
    a_desk.run_cell(1)
    a_desk.command("docmanager:open", path="two.ipynb")
    expect(panel).to_contain_text(nothing, timeout=LIMIT)
    a_desk.command("docmanager:open", path="one.ipynb")
    expect(panel).to_contain_text("Signed in", timeout=LIMIT)
    expect(status).to_have_text("● Luminary Cloud: signed in")
    (a_lab.notebooks / "enough").touch()
    assert a_desk.output_of(1) == "done"


def test_the_status_bar_opens_the_panel_and_is_hidden_without_a_notebook(a_desk):
    panel = a_desk.panel
    expect(panel).to_be_hidden()
    a_desk.status.press("Enter", timeout=LIMIT)
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)
    a_desk.save()
    a_desk.command("application:close-all")
    expect(panel).to_contain_text("Open a notebook to sign its kernel in.")
    expect(a_desk.status).to_be_hidden()


@pytest.fixture
def a_rescue_in_the_panel(a_lab):
    """The setting, as a person has chosen it."""
    chosen = a_lab.set("luminary-auth-widget/plugin", {"rescue": "panel"})
    yield
    chosen.unlink()


@pytest.mark.parametrize("use", [LOGIN, WITHOUT_LOGIN])
def test_a_cell_that_fails_opens_the_panel_where_the_setting_says_so_and_runs_again_from_there(
    a_rescue_in_the_panel, a_lab, a_lab_page, a_key, use
):
    a_lab.notebook("rescue.ipynb", use, LIST)
    a_lab_page.open("rescue.ipynb").run(0)
    panel = a_lab_page.panel
    # Behind what the page has asked.
    a_lab_page.settle()
    a_lab_page.run(1)
    expect(panel).to_contain_text("stopped: nobody was signed in", timeout=LIMIT)
    expect(a_lab_page.card_below(1)).to_have_count(0)
    _sign_in(panel, a_key.secret)
    panel.get_by_role("button", name="Run this cell again").click(timeout=LIMIT)
    a_lab_page.wait_until_run(1, count=3)
    assert a_lab_page.output_of(1).startswith("['")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_axe_finds_nothing_in_panel_and_status_bar(a_lab, a_desk, a_key, theme):
    a_desk.command("apputils:change-theme", theme=theme)
    a_desk.page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
    panel = _panel_of(a_desk)
    start = panel.get_by_role("button", name="Start")
    expect(start).to_be_visible(timeout=LIMIT)
    assert violations(a_desk.page, OURS) == []
    start.click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    assert violations(a_desk.page, OURS) == []
    _sign_in(panel, a_key.secret)
    assert violations(a_desk.page, OURS) == []


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


def test_a_page_without_a_notebook_fetches_two_small_files_and_one_with_a_notebook_no_panel(a_lab, a_lab_page):
    page, fetched = a_lab_page.page, dict[str, int]()
    page.on("requestfinished", lambda request: fetched.update(_ours_in(request)))
    page.goto(f"{a_lab.url}/lab?reset")
    page.wait_for_function("() => window.jupyterapp?.commands?.hasCommand('luminary-auth:open-panel')")
    page.wait_for_load_state("networkidle")
    assert set(fetched) == {"extension.js", "plugin.js"}
    assert sum(fetched.values()) < 11_000
    a_lab.notebook("fetched.ipynb", "1")
    a_lab_page.open("fetched.ipynb")
    expect(a_lab_page.status).to_be_visible(timeout=LIMIT)
    assert "panel.js" not in fetched


def _ours_in(request: Request) -> dict[str, int]:
    """Return the name of a file of ours, and its bytes on the wire."""
    if "/luminary-auth-widget/static/" not in request.url:
        return {}
    sizes = request.sizes()
    return {Path(urlsplit(request.url).path).name: sizes["responseHeadersSize"] + sizes["responseBodySize"]}


def test_what_could_not_be_fetched_is_fetched_again_when_the_panel_is_shown_again(a_lab, a_lab_page):
    page = a_lab_page.page
    page.route("**/luminary-auth-widget/static/panel.js", lambda route: route.abort())
    a_lab.notebook("offline.ipynb", "1")
    a_lab_page.open("offline.ipynb")
    with page.expect_event("requestfailed"):
        a_lab_page.command("luminary-auth:open-panel")
    page.unroute("**/luminary-auth-widget/static/panel.js")
    a_lab_page.command("filebrowser:activate")
    a_lab_page.command("luminary-auth:open-panel")
    expect(_panel_of(a_lab_page).get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)


def test_with_a_setting_that_is_none_the_kernel_is_asked_all_the_same(a_lab, a_lab_page):
    file = a_lab.set("luminary-auth-widget/plugin", {"rescue": "sidebar"})
    try:
        a_lab.notebook("setting.ipynb", "1")
        a_lab_page.open("setting.ipynb")
        a_lab_page.command("luminary-auth:open-panel")
        expect(_panel_of(a_lab_page).get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)
    finally:
        file.unlink()


def test_without_a_kernel_the_panel_says_how_to_choose_one_and_follows_the_choice(a_desk):
    panel = _panel_of(a_desk)
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)
    a_desk.change_kernel("No Kernel")
    expect(panel).to_contain_text("This notebook has no kernel.", timeout=LIMIT)
    expect(a_desk.status).to_be_hidden()
    a_desk.change_kernel("Python 3 (ipykernel)")
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)


def test_a_kernel_that_does_not_come_back_is_called_stopped_and_a_new_one_is_followed(a_lab_that_gives_up, a_context):
    a_lab_that_gives_up.notebook("dead.ipynb", LOGIN, "import os\nos.getpid()")
    lab_page = LabPage(a_context.new_page(), a_lab_that_gives_up).open("dead.ipynb")
    lab_page.run(0)
    panel = _panel_of(lab_page)
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    os.kill(int(lab_page.run(1)), signal.SIGKILL)
    expect(panel).to_contain_text("The kernel has stopped.", timeout=LIMIT)
    assert violations(lab_page.page, OURS) == []
    expect(lab_page.status).to_be_hidden()
    lab_page.page.evaluate(ASK_FOR_SESSIONS)
    expect(panel).to_contain_text("This notebook has no kernel.", timeout=LIMIT)
    lab_page.change_kernel("Python 3 (ipykernel)")
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)


@pytest.fixture
def a_lab_that_gives_up(a_running_sandbox, tmp_path):
    """A JupyterLab that restarts no kernel by itself, as any does after some attempts."""
    lab = Lab(tmp_path, bound_environ(a_running_sandbox, tmp_path), ("--KernelRestarter.restart_limit=0",))
    yield lab
    lab.forget()
    lab.close()


def test_two_notebooks_on_one_kernel_show_the_same_widget_from_either(a_desk, a_key):
    a_desk.run(0)
    panel = _panel_of(a_desk)
    _sign_in(panel, a_key.secret)
    kernel = a_desk.page.evaluate(KERNEL_ID)
    _turn_to(a_desk, "two.ipynb")
    expect(panel.get_by_role("button", name="Start")).to_be_visible(timeout=LIMIT)
    a_desk.page.evaluate(JOIN, kernel)
    expect(panel).to_contain_text("Signed in", timeout=LIMIT)
    panel.get_by_role("button", name="Sign out").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    _turn_to(a_desk, "one.ipynb")
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    expect(a_desk.card_below(0)).to_contain_text("Not signed in", timeout=LIMIT)


def test_while_the_page_connects_again_the_panel_says_so_and_the_card_does_not_call_the_kernel_gone(a_lab, a_lab_page):
    connections = list[WebSocketRoute]()
    a_lab_page.page.route_web_socket(re.compile("/channels"), lambda one: connections.append(passed_on(one)))
    a_lab.notebook("connecting.ipynb", LOGIN)
    a_lab_page.open("connecting.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    a_lab_page.page.route_web_socket(re.compile("/channels"), lambda one: one.close(code=4001))
    for connection in connections.copy():
        connection.close(code=4001)
    expect(panel).to_have_text("Connecting to the kernel…", timeout=LIMIT)
    expect(a_lab_page.card_below(0)).to_contain_text("This page has lost the kernel.", timeout=LIMIT)


def test_when_the_connection_to_the_kernel_is_cut_the_panel_comes_back_and_signs_out(a_lab, a_lab_page, a_key):
    connections = list[WebSocketRoute]()
    a_lab_page.page.route_web_socket(re.compile("/channels"), lambda one: connections.append(passed_on(one)))
    a_lab.notebook("cut.ipynb", LOGIN)
    a_lab_page.open("cut.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    _sign_in(panel, a_key.secret)
    a_lab_page.page.evaluate(NOTE_CONNECTIONS)
    # JupyterLab before 4.5 has several to one kernel; it connects each anew by itself.
    for connection in connections.copy():
        connection.close(code=4001)
    a_lab_page.page.wait_for_function("() => window.connections.at(-1) === 'connected'", timeout=LIMIT)
    expect(panel).to_contain_text("Signed in", timeout=LIMIT)
    panel.get_by_role("button", name="Sign out").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    expect(a_lab_page.card_below(0)).to_contain_text("Not signed in", timeout=LIMIT)


def test_a_plot_survives_clicks_in_the_panel_while_it_is_drawn(a_lab, a_lab_page, a_key):
    a_lab.notebook("figure.ipynb", LOGIN, PLOT, COUNTS)
    a_lab_page.open("figure.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    _sign_in(panel, a_key.secret)
    a_lab_page.run_cell(1)
    expect(a_lab_page.page.get_by_text("drawing")).to_be_visible(timeout=LIMIT)
    panel.get_by_role("button", name="Check").click()
    # The dangerous case is an answer while the cell runs.
    answered = "checked just now" if a_lab_page.has_subshells() else "The kernel is busy"
    expect(panel).to_contain_text(answered, timeout=LIMIT)
    (a_lab.notebooks / "enough").touch()
    a_lab_page.output_of(1)
    figures = a_lab_page.page.locator(".jp-NotebookPanel:visible .jp-OutputArea-output img")
    expect(figures).to_have_count(1, timeout=LIMIT)
    assert a_lab_page.run(2) == "(4, Text(0.5, 1.0, 'whole'))"


@pytest.mark.parametrize(("version", "sentence"), [(99, "is newer than this panel"), (0, "is older than this panel")])
def test_a_kernel_with_another_version_of_the_library_says_what_to_upgrade(a_lab, a_lab_page, version, sentence):
    a_lab.notebook("other.ipynb", f"from luminary_auth_widget import presentation\npresentation.PROTOCOL = {version}")
    a_lab_page.open("other.ipynb").run(0)
    panel = _panel_of(a_lab_page)
    panel.get_by_role("button", name="Start").click(timeout=LIMIT)
    expect(panel).to_contain_text(sentence, timeout=LIMIT)


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


def test_an_idle_kernel_that_has_not_read_a_question_is_asked_again(a_page):
    a_page.evaluate(ASK_A_STALLED_ONE)
    a_page.clock.resume()
    expect(a_page).to_have_title("unused", timeout=LIMIT)


@pytest.mark.parametrize(
    ("status", "kind"),
    [("busy", "busy"), ("dead", "dead"), ("restarting", "restarting"), ("autorestarting", "restarting")],
)
def test_a_kernel_that_is_not_idle_is_not_asked(a_page, status, kind):
    assert a_page.evaluate(ASK, [status, "python", []]) == [kind, 0]


def test_a_kernel_that_another_page_has_restarted_is_known_no_longer(a_page):
    assert a_page.evaluate(HEAR, ["before", "before", "after", "after"]) == ["ready", "ready", "asking", "asking"]
    assert a_page.evaluate(HEAR, ["before", "before"]) == ["ready", "ready"]


def test_a_kernel_whose_connection_is_lost_is_not_asked(a_page):
    assert a_page.evaluate(ASK, ["idle", "python", [], "disconnected"]) == ["disconnected", 0]


@pytest.mark.parametrize(
    ("traits", "tone", "words"),
    [
        ({"state": "signed_out"}, "", "not signed in"),
        ({"state": "checking"}, "", "checking…"),
        ({"state": "signed_out", "attempt": "waiting_for_browser"}, "", "signing in…"),
        ({"state": "expired"}, "bad", "session over"),
        ({"state": "rejected"}, "bad", "key refused"),
        ({"state": "signed_in"}, "good", "signed in"),
        ({"state": "unverified"}, "soon", "not verified"),
        ({"state": "signed_in", "expires_at": 29 * DAY + 4 * HOUR}, "good", "29d 4h left"),
        ({"state": "signed_in", "expires_at": 7 * DAY}, "soon", "ends soon · 7d 0h left"),
        ({"state": "signed_in", "expires_at": DAY}, "urgent", "ends within a day · 1d 0h left"),
        ({"state": "signed_in", "expires_at": 65 * SECOND}, "urgent", "ends within a day · 01:05 left"),
        ({"state": "signed_in", "expires_at": 0}, "bad", "time is up"),
        ({"state": "signed_in", "expires_at": 9 * DAY, "expiry": "about"}, "good", "about 9d 0h left"),
        ({"state": "unverified", "expires_at": 9 * DAY}, "soon", "not verified · 9d 0h left"),
    ],
)
def test_the_status_bar_says_the_state_and_the_phase_in_words(a_page, traits, tone, words):
    blank = {"attempt": "", "expiry": "recorded", "expires_at": None}
    assert a_page.evaluate(WORDS, {"traits": {**blank, **traits}}) == {"shown": True, "tone": tone, "words": words}


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("none", False), ("no-kernel", False), ("language", False), ("missing", False), ("unused", True), ("busy", True)],
)
def test_without_a_sign_in_the_status_bar_shows_the_name_or_nothing(a_page, kind, shown):
    assert a_page.evaluate(WORDS_OF_KIND, kind) == {"shown": shown, "tone": "", "words": ""}


def test_page_and_kernel_agree_on_the_protocol():
    assert re.search(r"PROTOCOL = (\d+);", (LABEXTENSION / "static" / "kernels.js").read_text()).group(1) == str(
        presentation.PROTOCOL
    )
