"""The whole way in real JupyterLab: paste, signed in, next cell works; and no secret stays behind."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, WebSocketRoute, expect

from luminary_auth_widget.sandbox.demo import ADA, PROJECTS

from .lab import LIMIT, LIST, LOGIN, RUNNING, LabPage

LIST_ASYNC = f"import asyncio\nawait asyncio.sleep(0)\n{LIST}"
LIST_POOL = (
    "from concurrent.futures import ThreadPoolExecutor\nimport luminarycloud as lc\n"
    "with ThreadPoolExecutor(1) as pool:\n"
    "    names = pool.submit(lambda: sorted(p.name for p in lc.iterate_projects())).result()\nnames"
)
# However slow the page is, so that the order alone counts; and a widget.
PATIENT = (
    "from luminary_auth_widget import notebook\nnotebook._DRAWING_SECONDS = 30\n"
    "import ipywidgets\nwidget = ipywidgets.Layout()"
)
DRAWN_FIRST = (
    "from luminary_auth_widget import notebook, sdk\nload, drawn = sdk.load, []\n"
    "def watched():\n    drawn.extend(w.greeted.is_set() for w in notebook._widgets.values())\n    return load()\n"
    f"sdk.load = watched\n{LOGIN}\nprint(drawn[0])"
)
ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)


def _paste_key(lab_page: LabPage, secret: str) -> Locator:
    card = lab_page.card
    card.get_by_label("API key", exact=True).fill(secret, timeout=LIMIT)
    card.get_by_role("button", name="Use key").click()
    return card


def test_with_nothing_to_sign_in_with_the_page_draws_before_the_sdk_is_imported(a_lab, a_lab_page):
    a_lab.notebook("draws.ipynb", PATIENT, DRAWN_FIRST)
    a_lab_page.open("draws.ipynb")
    # Elsewhere the page cannot say that it has drawn while a cell runs, and the SDK does not wait for it.
    if can_say := a_lab_page.has_subshells():
        a_lab_page.run(0)
        a_lab_page.open_subshell()
    assert a_lab_page.run(1).endswith(str(can_say))


def test_far_from_the_kernel_a_cell_that_shows_the_widget_and_goes_on_tells_the_page_all_and_takes_a_key(
    a_lab, a_lab_page, a_key
):
    a_lab.notebook("goes-on.ipynb", f"{LOGIN}\n{RUNNING}")
    late = list[tuple[WebSocketRoute, str | bytes]]()
    a_lab_page.page.route_web_socket(re.compile("/channels"), lambda one: _hold_up_subshells(one, late))
    card = a_lab_page.open("goes-on.ipynb").card
    a_lab_page.run_cell(0)
    # Drawn before it has a subshell, the page has asked on the shell that runs the cell.
    expect(card.get_by_text("Details", exact=True)).to_be_visible(timeout=LIMIT)
    if a_lab_page.has_subshells():
        for kernel, request in late:
            kernel.send(request)
        a_lab_page.open_subshell()
        expect(_paste_key(a_lab_page, a_key.secret)).to_contain_text("Signed in with an API key", timeout=LIMIT)
    (a_lab.notebooks / "enough").touch()
    assert a_lab_page.output_of(0).endswith("done")


def _hold_up_subshells(page: WebSocketRoute, late: list[tuple[WebSocketRoute, str | bytes]]) -> None:
    kernel = page.connect_to_server()

    def pass_on(message: str | bytes) -> None:
        if b"create_subshell_request" in (message if isinstance(message, bytes) else message.encode()):
            late.append((kernel, message))
        else:
            kernel.send(message)

    page.on_message(pass_on)


def test_after_a_pasted_key_the_next_cells_list_the_accounts_projects(a_lab, a_lab_page, a_key):
    a_lab.notebook("paste.ipynb", LOGIN, LIST, LIST_ASYNC, LIST_POOL)
    a_lab_page.open("paste.ipynb").run_cell(0)
    card = _paste_key(a_lab_page, a_key.secret)
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(card.get_by_label("API key", exact=True)).to_have_value("")
    for cell in (1, 2, 3):
        assert a_lab_page.run(cell) == repr(ADAS)


def test_after_load_env_the_next_cells_list_the_accounts_projects(a_lab, a_lab_page, a_key):
    a_lab.notebook("folder/load.ipynb", LOGIN, LIST, LIST_ASYNC, LIST_POOL)
    # Set but empty: the file is offered, not taken.
    a_lab_page.open("folder/load.ipynb")
    (a_lab.notebooks / "folder" / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_lab_page.type_into(0, f"import os\nos.environ['LC_API_KEY'] = ''\n{LOGIN}")
    a_lab_page.run_cell(0)
    card = a_lab_page.card
    card.get_by_role("button", name="Load").click(timeout=LIMIT)
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(card).to_contain_text("./.env")
    for cell in (1, 2, 3):
        assert a_lab_page.run(cell) == repr(ADAS)


def test_the_page_closed_and_opened_again_shows_the_same_session(a_lab, a_context, a_lab_page, a_key):
    a_lab.notebook("reopen.ipynb", LOGIN)
    a_lab_page.open("reopen.ipynb").run_cell(0)
    expect(_paste_key(a_lab_page, a_key.secret)).to_contain_text("Signed in with an API key", timeout=LIMIT)
    a_lab_page.output_of(0)
    a_lab_page.save()
    a_lab_page.page.close()
    again = LabPage(a_context.new_page(), a_lab).open("reopen.ipynb")
    expect(again.card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(again.card).to_contain_text(f"…{a_key.secret[-4:]}")
    again.card.get_by_role("button", name="Sign out").click()
    expect(again.card).to_contain_text("Not signed in", timeout=LIMIT)


def test_no_shortcut_of_the_notebook_fires_from_any_control_and_saving_still_works(a_lab, a_lab_page, a_key):
    path = a_lab.notebook("keys.ipynb", LOGIN, "1 + 1")
    a_lab_page.open("keys.ipynb").run(0)
    card = a_lab_page.card
    expect(card.get_by_label("API key", exact=True)).to_be_visible(timeout=LIMIT)
    controls = card.locator("button:visible, input:visible, select:visible, summary:visible, a:visible")
    runs = a_lab_page.execution_count(0)
    for index in range(controls.count()):
        controls.nth(index).focus()
        for key in ("b", "a", "x", "d", "d", "Shift+Enter", "Control+Enter", "Alt+Enter"):
            # A button that is pressed by Enter does its own work; Escape-like side effects are not what this is about.
            if not (key.endswith("Enter") and controls.nth(index).evaluate("node => node.matches('a')")):
                a_lab_page.page.keyboard.press(key)
    a_lab_page.settle()
    assert a_lab_page.cell_count() == 2
    assert a_lab_page.execution_count(0) == runs
    saved = path.stat().st_mtime_ns
    card.get_by_label("API key", exact=True).focus()
    a_lab_page.page.keyboard.press("Control+s")
    a_lab_page.wait_until_saved(path, saved)


def test_a_click_while_a_cell_runs_is_answered_and_the_cell_goes_on(a_lab, a_lab_page, a_key):
    a_lab.notebook("busy.ipynb", LOGIN, RUNNING, LIST)
    a_lab_page.open("busy.ipynb").run(0)
    a_lab_page.run_cell(1)
    card = _paste_key(a_lab_page, a_key.secret)
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    (a_lab.notebooks / "enough").touch()
    assert a_lab_page.output_of(1) == "done"
    assert a_lab_page.run(2) == repr(ADAS)


def test_after_a_kernel_restart_the_widget_says_so_instead_of_a_stale_state(a_lab, a_lab_page, a_key):
    a_lab.notebook("restart.ipynb", LOGIN)
    a_lab_page.open("restart.ipynb").run(0)
    expect(_paste_key(a_lab_page, a_key.secret)).to_contain_text("Signed in with an API key", timeout=LIMIT)
    a_lab_page.restart_kernel()
    expect(a_lab_page.card).to_contain_text("Run the cell again", timeout=LIMIT)
    expect(a_lab_page.card).not_to_contain_text(a_key.secret[-4:])
    a_lab_page.run(0)
    expect(a_lab_page.card).to_contain_text("Not signed in", timeout=LIMIT)


def test_the_key_is_in_no_file_and_no_log_after_signing_in_failing_and_saving_with_widget_state(
    a_lab, a_lab_page, a_key
):
    wrong = "lc-wrong-canary-0123456789-Zz9Z"
    path = a_lab.notebook("leaks.ipynb", "%xmode Verbose", LOGIN, LIST, "session.use_key(open('../wrong.txt').read())")
    (a_lab.folder / "wrong.txt").write_text(wrong)
    a_lab_page.open("leaks.ipynb")
    a_lab_page.run(0)
    a_lab_page.run_cell(1)
    card = _paste_key(a_lab_page, wrong)
    expect(card.get_by_role("alert")).to_contain_text("The server refused this key", timeout=LIMIT)
    expect(_paste_key(a_lab_page, a_key.secret)).to_contain_text("Signed in with an API key", timeout=LIMIT)
    a_lab_page.run(2)
    assert "KeyRefused" in a_lab_page.run(3)
    a_lab_page.save()
    (a_lab.folder / "wrong.txt").unlink()
    assert "luminary" in path.read_text(), "the widget's state was not saved, so this would prove nothing"
    assert (path.parent / ".ipynb_checkpoints").is_dir()
    assert "use_key" in a_lab.log.read_text(errors="replace"), "no debug log, so this would prove nothing"
    assert a_lab.files_holding(a_key.secret, wrong) == []
