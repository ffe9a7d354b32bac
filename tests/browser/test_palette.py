"""JupyterLab's command palette: everything that the widget in the panel does, from the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from luminary_auth_widget.sandbox.demo import ADA

from .lab import LIMIT, LIST, LabPage
from .person import follow, log_in

ENABLED = """(label) => {
  const { commands } = window.jupyterapp;
  return commands.listCommands().some((name) => name.startsWith("luminary-auth:")
    && commands.label(name) === label && commands.isEnabled(name));
}"""


@pytest.fixture
def no_env_file(a_lab):
    """A folder that gets a `.env`, and loses it."""
    yield a_lab.notebooks / ".env"
    (a_lab.notebooks / ".env").unlink(missing_ok=True)


def test_the_palette_signs_in_with_the_browser_and_out_checks_loads_env_and_copies_diagnostics(
    a_lab, a_context, a_lab_page, a_key, no_env_file
):
    a_context.grant_permissions(["clipboard-read", "clipboard-write"], origin=a_lab.url)
    a_lab.notebook("palette.ipynb", LIST)
    page = a_lab_page.open("palette.ipynb").page
    panel = a_lab_page.panel
    _choose(a_lab_page, "Sign in with browser")
    log_in(follow(panel.get_by_role("link", name="Open the log-in page")))
    expect(panel).to_contain_text(ADA.email, timeout=LIMIT)
    expect(a_lab_page.status).to_have_text("● Luminary Cloud: 29d 23h left")
    assert a_lab_page.run(0).startswith("['")
    _choose(a_lab_page, "Check the sign-in")
    expect(panel).to_contain_text("checked just now", timeout=LIMIT)
    _choose(a_lab_page, "Copy diagnostics")
    expect(panel.get_by_role("button", name="Copied")).to_be_visible(timeout=LIMIT)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "SDK · luminarycloud" in copied
    assert ADA.email not in copied
    _choose(a_lab_page, "Sign out…")
    panel.get_by_role("button", name="Everywhere").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    _choose(a_lab_page, "Load .env")
    expect(page.get_by_text("There is no .env with an API key")).to_be_visible(timeout=LIMIT)
    no_env_file.write_text(f"LC_API_KEY={a_key.secret}\n")
    _choose(a_lab_page, "Load .env")
    expect(panel).to_contain_text("Signed in", timeout=LIMIT)


def _choose(lab_page: LabPage, label: str) -> None:
    """Run a command of ours from the palette."""
    # The palette may not follow a command that becomes enabled while it is open.
    lab_page.page.wait_for_function(ENABLED, arg=label)
    lab_page.command("apputils:activate-command-palette")
    page = lab_page.page
    page.keyboard.type(f"Luminary Cloud {label}")
    page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=label).click(timeout=LIMIT)
