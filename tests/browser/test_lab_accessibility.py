"""The widget in real JupyterLab, at each stop of a sign-in by key and one by browser: axe-core, focus, keyboard."""

from __future__ import annotations

import json
import re
import shutil
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, ViewportSize, WebSocketRoute, expect

from luminary_auth_widget.sandbox.demo import ADA

from .conftest import CUT_OFF, SMALL, violations
from .lab import LIMIT, LIST, LOGIN, RUNNING, LabPage, passed_on
from .person import CANNOT_CONNECT, expect_signed_in, follow, link_of, log_in, paste

OURS = ["section.law", ".luminary-auth-panel", ".luminary-auth-status"]
LIGHT: tuple[str, dict[str, Any]] = ("JupyterLab Light", {})
# Each with what the system asks for.
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("JupyterLab Dark", {}),
    ("JupyterLab Dark High Contrast", {"contrast": "more"}),
    ("JupyterLab Light", {"forced_colors": "active"}),
]
MOST_TABS = 120
# In a notebook these cut, paste, delete and add cells, and change their kind.
LETTERS = "xvddabmy"
NOTE_COMMANDS = """() => {
  window.commandsRun = [];
  window.jupyterapp.commands.commandExecuted.connect((_, { id }) => window.commandsRun.push(id));
}"""
DESK, ZOOMED = ViewportSize(width=1100, height=900), ViewportSize(width=550, height=450)
ENDS_SOON = (
    "from datetime import datetime, timedelta, timezone\nfrom pathlib import Path\n"
    "session.use_key(Path('key').read_text(), expires_on=datetime.now(timezone.utc) + timedelta(hours=21)).state"
)


@pytest.fixture
def a_key_file(a_lab, a_key):
    path = a_lab.notebooks / "key"
    path.write_text(a_key.secret)
    yield path
    path.unlink()


def test_by_key_from_signed_out_to_refused_axe_finds_nothing_and_the_keyboard_is_enough(
    a_sandbox, a_lab, a_lab_page, a_key, a_key_file
):
    a_lab.notebook("by-key.ipynb", LOGIN, ENDS_SOON)
    a_lab_page.open("by-key.ipynb").run(0)
    card, keyboard = a_lab_page.card, a_lab_page.page.keyboard
    key, heading = card.get_by_label("API key", exact=True), card.get_by_role("heading")
    expect(card.get_by_role("link", name="Get a key")).to_be_visible(timeout=LIMIT)
    _expect_flawless(a_lab_page, "signed out")
    _type(key, "lc-unknown-key-0000")
    expect(card.get_by_role("alert")).to_contain_text("The server refused this key", timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "failed")
    _type(key, a_key.secret)
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    expect(heading).to_be_focused()
    _expect_selectable(card.locator("small", has_text="pasted key"), f"…{a_key.secret[-4:]}")
    card.get_by_text("Details", exact=True).press("Enter")
    expect(card.get_by_role("button", name="Copy diagnostics")).to_be_visible(timeout=LIMIT)
    _expect_flawless_in_every_look(a_lab_page, "signed in, with details")
    card.get_by_text("Details", exact=True).press("Enter")
    a_sandbox.fault("refuse")
    card.get_by_role("button", name="Check").press("Enter")
    expect(card).to_contain_text("could not be reached", timeout=LIMIT)
    _expect_flawless(a_lab_page, "unverified")
    a_sandbox.clear_faults()
    card.get_by_text("Use another key").press("Enter")
    card.get_by_label("Key lasts", exact=True).select_option(label="one week")
    _type(key, a_key.secret)
    expect(card.get_by_role("link", name="Make a new key")).to_be_visible(timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "soon")
    a_lab_page.run(1)
    expect(card).to_contain_text("a job started now may outlive it", timeout=LIMIT)
    _expect_flawless_in_every_look(a_lab_page, "urgent")
    a_sandbox.revoke_api_key(a_key.id)
    card.get_by_role("button", name="Check").focus()
    keyboard.press("Enter")
    expect(card).to_contain_text("The server refused this key", timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "refused")
    a_lab.forget()
    expect(card).to_contain_text("Saved view: run this cell to sign in.", timeout=LIMIT)
    _expect_flawless(a_lab_page, "without a kernel")
    # It is not blind in JupyterLab.
    a_lab_page.page.add_style_tag(content=".law p { color: #ccc !important; background: #fff !important; }")
    assert "color-contrast" in [rule for rule, _ in violations(a_lab_page.page, OURS)]


def test_by_browser_from_the_link_to_the_sessions_end_axe_finds_nothing(a_sandbox, a_lab, a_lab_page):
    a_lab.notebook("by-browser.ipynb", LOGIN)
    a_lab_page.open("by-browser.ipynb").run(0)
    a_lab_page.command("luminary-auth:open-panel")
    card, panel = a_lab_page.card_below(0), a_lab_page.panel
    link = link_of(card)
    for view in (card, panel):
        well = view.get_by_role("group", name="Log-in link")
        _expect_selectable(well, str(link.get_attribute("href")))
    _expect_flawless_in_every_look(a_lab_page, "waiting")
    (back,) = parse_qs(urlsplit(str(link.get_attribute("href"))).query)["redirect_uri"]
    paste(card, f"{back}?code=c&state=of-another-sign-in")
    expect(card.get_by_role("alert")).to_contain_text("another sign-in", timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "a wrong address")
    log_in(follow(link))
    expect_signed_in(card)
    expect_signed_in(panel)
    _expect_selectable(panel.locator("small", has_text="signed in by browser"), "signed in by browser")
    _expect_flawless(a_lab_page, "signed in")
    a_sandbox.end_sessions(ADA.email)
    card.get_by_role("button", name="Check").press("Enter")
    expect(card.get_by_text("session over", exact=True)).to_be_visible(timeout=LIMIT)
    assert _has_focus(card)
    _expect_flawless(a_lab_page, "over")


def test_from_the_panels_start_by_browser_to_the_sign_out_everywhere_the_tab_key_and_enter_are_enough(
    a_lab, a_lab_page
):
    a_lab.notebook("by-keyboard.ipynb", LIST)
    a_lab_page.open("by-keyboard.ipynb").command("luminary-auth:open-panel")
    panel, page = a_lab_page.panel, a_lab_page.page
    _press(panel.get_by_role("button", name="Start"))
    expect(panel.get_by_role("heading")).to_be_focused(timeout=LIMIT)
    _press(panel.get_by_role("button", name="Sign in with browser"))
    _log_in(_follow(panel))
    expect_signed_in(panel)
    page.bring_to_front()
    _press(panel.get_by_role("button", name="Sign out…"))
    _press(panel.get_by_role("button", name="Everywhere"))
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    assert _has_focus(panel)


def test_by_keyboard_alone_the_dead_pages_address_is_brought_back_and_the_next_sign_in_is_cancelled(
    a_lab, a_browser_elsewhere
):
    a_lab.notebook("brought-back.ipynb", LOGIN)
    lab_page = LabPage(a_browser_elsewhere.new_page(), a_lab).open("brought-back.ipynb")
    lab_page.run(0)
    card, page = lab_page.card, lab_page.page
    page.evaluate(NOTE_COMMANDS)
    _press(card.get_by_role("button", name="Sign in with browser"))
    expect(card.get_by_role("link", name="Open the log-in page")).to_be_visible(timeout=LIMIT)
    _expect_focus_and_keys_kept(lab_page)
    tab = _follow(card)
    with tab.expect_event("requestfailed") as failed:
        _log_in(tab)
    page.bring_to_front()
    _press(card.get_by_text(CANNOT_CONNECT))
    _enter(card.get_by_label("Paste its address"), re.sub("state=[^&]*", "state=of-yesterday", failed.value.url))
    expect(card.get_by_role("alert")).to_contain_text("another sign-in", timeout=LIMIT)
    expect(card.get_by_label("Paste its address")).to_be_focused()
    _expect_focus_and_keys_kept(lab_page)
    _enter(card.get_by_label("Paste its address"), failed.value.url)
    expect_signed_in(card)
    expect(card.get_by_role("heading")).to_be_focused()
    _expect_focus_and_keys_kept(lab_page)
    _press(card.get_by_role("button", name="Sign in again"))
    _press(card.get_by_role("button", name="Cancel"))
    expect(card.get_by_role("link", name="Open the log-in page")).to_have_count(0, timeout=LIMIT)
    expect_signed_in(card)
    expect(card.get_by_role("heading")).to_be_focused()
    _expect_focus_and_keys_kept(lab_page)


def test_by_keyboard_alone_env_is_loaded_a_key_remembered_and_forgotten_a_source_used_and_diagnostics_copied(
    a_sandbox, a_lab, a_context, a_lab_page, a_key
):
    a_context.grant_permissions(["clipboard-read", "clipboard-write"], origin=a_lab.url)
    # Set but empty: the file is offered, not taken.
    a_lab.notebook("keys/by-keyboard.ipynb", f"import os\nos.environ['LC_API_KEY'] = ''\n{LOGIN}")
    env, other = a_lab.notebooks / "keys" / ".env", a_sandbox.create_api_key(ADA.email, name="other").secret
    env.write_text(f"LC_API_KEY={a_key.secret}\n")
    a_lab_page.open("keys/by-keyboard.ipynb").run(0)
    card, page, keyboard = a_lab_page.card, a_lab_page.page, a_lab_page.page.keyboard
    heading, of_the_file = card.get_by_role("heading"), card.locator("small", has_text="./.env").first
    page.evaluate(NOTE_COMMANDS)
    _press(card.get_by_role("button", name="Load"))
    expect(of_the_file).to_contain_text(f"…{a_key.secret[-4:]}", timeout=LIMIT)
    expect(heading).to_be_focused()
    _expect_focus_and_keys_kept(a_lab_page)
    _press(card.get_by_text("Use another key"))
    _tab_to(card.get_by_label("API key", exact=True))
    keyboard.type(other)
    remember = card.get_by_label("Remember in ./.env")
    _tab_to(remember)
    keyboard.press("Space")
    keyboard.press("Enter")
    expect(of_the_file).to_contain_text(f"…{other[-4:]}", timeout=LIMIT)
    assert other in env.read_text()
    expect(remember).to_be_focused()
    _expect_focus_and_keys_kept(a_lab_page)
    undo = card.get_by_role("button", name="Undo")
    _press(undo, "Shift+Tab")
    expect(undo).to_have_count(0, timeout=LIMIT)
    assert env.read_text() == f"LC_API_KEY={a_key.secret}\n"
    expect(heading).to_be_focused()
    _expect_focus_and_keys_kept(a_lab_page)
    _press(card.get_by_text("Details", exact=True))
    _press(card.get_by_role("button", name="Use this one"))
    expect(of_the_file).to_contain_text(f"…{a_key.secret[-4:]}", timeout=LIMIT)
    expect(heading).to_be_focused()
    _expect_focus_and_keys_kept(a_lab_page)
    _press(card.get_by_role("button", name="Copy diagnostics"))
    expect(card.get_by_role("button", name="Copied")).to_be_focused(timeout=LIMIT)
    assert page.evaluate("navigator.clipboard.readText()").startswith("signed_in")
    _expect_focus_and_keys_kept(a_lab_page)


# What makes the library another one than the panel's question expects.
UNFIT = "import sys, types\nsys.modules['luminary_auth_widget{}'] = {}"
MISSING, OLD = UNFIT.format("", "None"), UNFIT.format(".notebook", "types.ModuleType('old')")
FAILING = (
    "from luminary_auth_widget import notebook, presentation\n"
    "side_view, notebook.side_view = notebook.side_view, lambda **_: 1 / 0"
)
NEW = "notebook.side_view, presentation.PROTOCOL = side_view, 99"
# As after the two minutes in which JupyterLab tries to connect anew.
NO_ATTEMPT_LEFT = """() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  kernel._reconnectAttempt = kernel._reconnectLimit;
}"""
IN_R = """
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
IPythonKernel.language_info["name"] = "R"
IPKernelApp.launch_instance()
"""


@pytest.fixture
def a_kernel_in_r(a_lab):
    """A kernel that says that it runs R, which is all that the panel asks it."""
    spec = a_lab.folder / "data" / "kernels" / "r" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-c", IN_R, "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "R"}))
    yield
    shutil.rmtree(spec.parent)


def test_axe_finds_nothing_while_the_panel_waits_for_a_kernel_and_the_focus_stays_in_it(a_lab, a_lab_page):
    connections, restarts = list[WebSocketRoute](), list[Route]()
    page, panel = a_lab_page.page, a_lab_page.panel
    page.route_web_socket(re.compile("/channels"), lambda one: connections.append(passed_on(one)))
    page.route(re.compile("/restart"), lambda one: restarts.append(one))  # noqa: PLW0108 - Playwright takes no built-in
    a_lab.notebook("waits.ipynb", RUNNING)
    a_lab_page.open("waits.ipynb").command("luminary-auth:open-panel")
    start = panel.get_by_role("button", name="Start")
    _tab_to(start)
    a_lab_page.run_cell(0)
    start.press("Enter")
    _expect_sentence(a_lab_page, "Asking the kernel…", in_every_look=True)
    assert _has_focus(panel)
    page.evaluate(NO_ATTEMPT_LEFT)
    for connection in connections.copy():
        connection.close(code=4001)
    _expect_sentence(a_lab_page, "This page has lost the kernel.")
    assert _has_focus(panel)
    # Not awaited: it ends when the kernel has answered.
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:reconnect-to-kernel')")
    expect(panel).to_contain_text("Asking the kernel…", timeout=LIMIT)
    (a_lab.notebooks / "enough").touch()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    panel.get_by_label("API key", exact=True).focus()
    page.evaluate("() => void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    _expect_sentence(a_lab_page, "The kernel is restarting…")
    assert _has_focus(panel)
    restarts.pop().continue_()
    expect(start).to_be_visible(timeout=LIMIT)
    assert _has_focus(panel)


def test_axe_finds_nothing_where_the_panel_says_why_there_is_no_widget(a_lab, a_lab_page, a_kernel_in_r):
    panel = a_lab_page.panel
    start, again = (panel.get_by_role("button", name=name) for name in ("Start", "Try again"))
    a_lab.notebook("says-why.ipynb", MISSING, OLD, FAILING, NEW)
    a_lab_page.open("says-why.ipynb").command("luminary-auth:open-panel")
    for cell, button, sentence in (
        (0, start, "The library is not installed"),
        (1, start, "The library in this kernel is older"),
        (2, start, "The kernel could not answer: "),
        (3, again, "The library in this kernel is newer"),
    ):
        expect(button).to_be_visible(timeout=LIMIT)
        a_lab_page.run(cell)
        button.press("Enter")
        _expect_sentence(a_lab_page, sentence, in_every_look=cell in (0, 2))
        assert _has_focus(panel)
        if not again.is_visible():
            a_lab_page.restart_kernel()
    expect(start).to_be_visible(timeout=LIMIT)
    a_lab_page.change_kernel("R")
    _expect_sentence(a_lab_page, "This kernel runs R.")
    a_lab_page.change_kernel("No Kernel")
    _expect_sentence(a_lab_page, "This notebook has no kernel.")
    a_lab_page.save()
    a_lab_page.command("application:close-all")
    _expect_sentence(a_lab_page, "Open a notebook to sign its kernel in.")


def _expect_sentence(lab_page: LabPage, sentence: str, *, in_every_look: bool = False) -> None:
    expect(lab_page.panel).to_contain_text(sentence, timeout=LIMIT)
    (_expect_flawless_in_every_look if in_every_look else _expect_flawless)(lab_page, sentence)
    for fault in (CUT_OFF, SMALL):
        assert lab_page.page.evaluate(fault, ".luminary-auth-panel") == [], sentence


def _follow(card: Locator) -> Page:
    """Press the link by keyboard, and return the tab that it opens."""
    link = card.get_by_role("link", name="Open the log-in page")
    _tab_to(link)
    with card.page.context.expect_page() as opened:
        card.page.keyboard.press("Enter")
    return opened.value


def _log_in(tab: Page) -> None:
    for label, text in (("E-mail address", ADA.email), ("Password", ADA.password)):
        _tab_to(tab.get_by_label(label))
        tab.keyboard.type(text)
    tab.keyboard.press("Enter")


def _tab_to(target: Locator, tab: str = "Tab") -> None:
    """Press the Tab key until the target has the focus."""
    expect(target).to_be_visible(timeout=LIMIT)
    for _ in range(MOST_TABS):
        if target.evaluate("node => node === document.activeElement"):
            return
        target.page.keyboard.press(tab)
    raise AssertionError(f"The Tab key does not lead to {target}.")


def _press(target: Locator, tab: str = "Tab") -> None:
    _tab_to(target, tab)
    target.page.keyboard.press("Enter")


def _enter(field: Locator, text: str) -> None:
    _tab_to(field)
    field.page.keyboard.type(text)
    field.page.keyboard.press("Enter")


def _type(field: Locator, text: str) -> None:
    field.focus()
    field.page.keyboard.type(text)
    field.page.keyboard.press("Enter")


def _has_focus(card: Locator) -> bool:
    return bool(card.evaluate("card => card.contains(document.activeElement)"))


def _expect_focus_and_keys_kept(lab_page: LabPage) -> None:
    """Where the focus is, it can be seen; what is typed there is no command to JupyterLab, now or before."""
    focus, cells = lab_page.page.locator("*:focus"), lab_page.cell_count()
    expect(focus).to_be_visible()
    assert _has_focus(lab_page.card)
    if focus.evaluate("node => !node.matches('input:not([type=checkbox])')"):
        for key in LETTERS:
            lab_page.page.keyboard.press(key)
    assert lab_page.page.evaluate("commandsRun") == []
    assert lab_page.cell_count() == cells


def _expect_selectable(place: Locator, text: str) -> None:
    """Select a line as a person does, by three clicks."""
    place.click(click_count=3)
    assert text in place.evaluate("() => getSelection().toString()")


def _expect_flawless_in_every_look(lab_page: LabPage, where: str) -> None:
    page = lab_page.page
    for theme, media in (*LOOKS, LIGHT):
        lab_page.command("apputils:change-theme", theme=theme)
        page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        page.emulate_media(**{"contrast": "no-preference", "forced_colors": "none", **media})
        _expect_flawless(lab_page, f"{where}, {theme}, {media}")
    page.set_viewport_size(ZOOMED)  # as at 200 %
    _expect_flawless(lab_page, f"{where}, 200 %")
    page.set_viewport_size(DESK)


def _expect_flawless(lab_page: LabPage, where: str) -> None:
    found = violations(lab_page.page, OURS, allowed=["landmark-unique"])
    assert found == [], where
