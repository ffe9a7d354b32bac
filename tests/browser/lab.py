"""A real JupyterLab in a real browser, driven as a person would."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import nbformat
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

# Whose JupyterLab it is; the matrix names others.
PYTHON = os.environ.get("LAB_PYTHON", sys.executable)
LIMIT_SECONDS = 60
LIMIT = LIMIT_SECONDS * 1000  # milliseconds, as Playwright has them
# Its own 5 s fail on a machine under load, which is no fault.
expect.set_options(timeout=LIMIT)
LOGIN = "from luminary_auth_widget import login\nsession = login()"
# A cell that keeps the kernel until the test makes a file of that name, and takes the file away. It looks again and
# again: a running cell shares nothing with the test but files.
RUNNING = "import os, time\nwhile not os.path.exists('enough'): time.sleep(0.05)\nos.remove('enough')\nprint('done')"
LIST = "import luminarycloud as lc\nsorted(p.name for p in lc.iterate_projects())"
_IS_OPEN = """name => {
  const current = window.jupyterapp?.shell?.currentWidget;
  const context = current?.sessionContext;
  return current?.context?.path === name && context?.isReady && context.session?.kernel?.status === "idle";
}"""
_SAY_SOMETHING = """() => {
  const kernel = window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel;
  void kernel?.requestKernelInfo();
}"""
_COMMAND = """([name, args, limit]) => Promise.race([
  window.jupyterapp.commands.execute(name, args).then(() => {}),
  new Promise((_, reject) => setTimeout(() => reject(Error(`${name} has not ended.`)), limit)),
])"""
_SETTINGS: dict[str, dict[str, Any]] = {
    # No request to the news feed, and no question about it.
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # The harder case for secrets: whatever is synced is saved.
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


class Lab:
    """A JupyterLab server on a folder, with a home and settings of its own."""

    def __init__(
        self,
        folder: Path,
        environ: dict[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        python: str | Path = PYTHON,
    ):
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir(parents=True)
        self.credentials = folder / "credentials"
        for plugin, values in _SETTINGS.items():
            self.set(plugin, values)
        # Kernels log every message that they receive.
        profile = folder / "ipython" / "profile_default"
        profile.mkdir(parents=True)
        (profile / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.log_level = 'DEBUG'\n")
        self.environ = _environ_of(folder, environ or {})
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.log = folder / "lab.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0",
                 "--IdentityProvider.token=", f"--ServerApp.root_dir={self.notebooks}",
                 "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
                 "--allow-root", *arguments],
                env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._wait_until_up()

    def set(self, plugin: str, values: dict[str, Any]) -> Path:
        """Write a person's settings of one plugin, as JupyterLab's editor does."""
        file = self.folder / "settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
        return file

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def notebook(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.notebooks / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def forget(self) -> None:
        """End the kernels, and take away the credentials that they left."""
        with requests.Session() as server:
            server.get(f"{self.url}/lab", timeout=LIMIT_SECONDS)
            # Without a token the server wants to see its cookie in a header, too.
            server.headers["X-XSRFToken"] = server.cookies["_xsrf"]
            for kernel in server.get(f"{self.url}/api/kernels", timeout=LIMIT_SECONDS).json():
                server.delete(f"{self.url}/api/kernels/{kernel['id']}", timeout=LIMIT_SECONDS).raise_for_status()
        shutil.rmtree(self.credentials, ignore_errors=True)

    def files_holding(self, *secrets: str) -> list[Path]:
        """Return the files in the lab's folder, the SDK's own store aside, that hold one of `secrets`."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "tokens2"]
        return [path for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]

    def copy(self, notebook: Path) -> Path:
        """Put a copy of a notebook file into the lab's folder."""
        return Path(shutil.copy(notebook, self.notebooks / notebook.name))

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/api", timeout=1).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)  # the server has no other sign of being up
        self.close()
        raise AssertionError(f"JupyterLab did not start:\n{self.log.read_text()}")


class Server(Protocol):
    """What serves the pages of JupyterLab: its address, without a slash at the end."""

    @property
    def url(self) -> str: ...


class LabPage:
    """One browser page with one notebook open."""

    _address = "{}/lab/tree/{}?reset"

    def __init__(self, page: Page, lab: Server):
        self.page, self.lab = page, lab

    def open(self, name: str) -> LabPage:
        self.page.goto(self._address.format(self.lab.url, name))
        self.wait_until_open(name)
        return self

    def wait_until_open(self, name: str) -> None:
        """Wait until that notebook is the one in front, and its kernel idle."""
        try:
            self.page.wait_for_function(_IS_OPEN, arg=name, timeout=LIMIT)
        except PlaywrightTimeout:
            # ipykernel 7.0.1 and 7.2.0 may read nothing at first until something else arrives (ipython/ipykernel#1554).
            self.page.evaluate(_SAY_SOMETHING)
            self.page.wait_for_function(_IS_OPEN, arg=name, timeout=LIMIT)

    @property
    def card(self) -> Locator:
        """The first view of the widget."""
        return self.page.get_by_role("region", name="Luminary Cloud sign-in").first

    @property
    def panel(self) -> Locator:
        """Our panel in the left sidebar, open or not."""
        return self.page.get_by_role("region", name="Luminary Cloud panel")

    @property
    def status(self) -> Locator:
        """Our item in the status bar."""
        return self.page.locator(".luminary-auth-status")

    def card_below(self, index: int) -> Locator:
        """Return the view of the widget in one cell's output."""
        cell = self.page.locator(f".jp-NotebookPanel:visible .jp-Cell[data-windowed-list-index='{index}']")
        return cell.get_by_role("region", name="Luminary Cloud sign-in")

    def run_cell(self, index: int) -> None:
        """Run one cell as Ctrl+Enter does; return as soon as it is sent."""
        self.page.evaluate(
            """index => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                window.luminaryRuns = (window.luminaryRuns ?? 0) + 1;
                void window.jupyterapp.commands.execute("notebook:run-cell").finally(() => window.luminaryRuns--);
            }""",
            index,
        )

    def output_of(self, index: int) -> str:
        """Return the text below a cell, once it has ended and JupyterLab has given the notebook the focus back."""
        self.page.wait_for_function(
            """index => {
                const panel = window.jupyterapp.shell.currentWidget;
                const { model } = panel.content.widgets[index];
                const idle = panel.sessionContext.session.kernel.status === "idle";
                return model.executionCount && idle && !window.luminaryRuns;
            }""",
            arg=index,
            timeout=LIMIT_SECONDS * 1000,
        )
        text: str = self.page.evaluate(
            """index => {
                const { node } = window.jupyterapp.shell.currentWidget.content.widgets[index].outputArea;
                return [...node.querySelectorAll(".jp-OutputArea-output")].map(({ innerText }) => innerText).join("");
            }""",
            index,
        )
        return text.strip()

    def run(self, index: int) -> str:
        """Run one cell to its end and return the text below it."""
        self.run_cell(index)
        return self.output_of(index)

    def wait_until_run(self, index: int, *, count: int) -> None:
        """Wait until a cell has this execution count, which it gets when it has ended."""
        self.page.wait_for_function(
            """([index, count]) => {
                const { model } = window.jupyterapp.shell.currentWidget.content.widgets[index];
                return model.executionCount === count;
            }""",
            arg=[index, count],
            timeout=LIMIT_SECONDS * 1000,
        )

    def delete_cell(self, index: int) -> None:
        """Delete a cell as its menu does."""
        self.page.evaluate(
            """async (index) => {
                window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
                await window.jupyterapp.commands.execute("notebook:delete-cell");
            }""",
            index,
        )

    def code_cells(self) -> list[int]:
        """Return the places of the code cells among all cells."""
        places: list[int] = self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets
                .flatMap(({ model }, place) => model.type === "code" ? [place] : [])"""
        )
        return places

    def type_into(self, index: int, text: str) -> None:
        """Replace what stands in a cell."""
        self.page.evaluate(
            """([index, text]) => {
                window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(text);
            }""",
            [index, text],
        )

    def save(self) -> None:
        """Save the notebook, and return when it is written."""
        self.page.evaluate("async () => window.jupyterapp.commands.execute('docmanager:save')")

    def restart_kernel(self) -> None:
        """Restart as the menu does, without its question."""
        self.page.evaluate("async () => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")

    def change_kernel(self, label: str) -> None:
        """Choose a kernel as Kernel → Change Kernel… does."""
        # Not awaited: it ends with the dialog.
        self.page.evaluate("() => void window.jupyterapp.commands.execute('notebook:change-kernel')")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("combobox").select_option(label=label)
        dialog.get_by_role("button", name="Select").click()

    def has_subshells(self) -> bool:
        """Return whether page and kernel speak beside a running cell: JupyterLab since 4.4, ipykernel since 7."""
        return bool(
            self.page.evaluate(
                "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.supportsSubshells"
            )
        )

    def open_subshell(self) -> None:
        """Return when the page has the subshell for which a first widget makes it ask."""
        self.page.evaluate(
            """async () => {
                const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
                await kernel.requestListSubshell({}).done; // answered after what was asked before
            }"""
        )

    def settle(self) -> None:
        """Return when the kernel has answered everything that was sent before."""
        self.page.evaluate(
            """async () => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                await kernel.requestKernelInfo();
            }"""
        )

    def execution_count(self, index: int) -> int | None:
        count: int | None = self.page.evaluate(
            "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionCount", index
        )
        return count

    def wait_until_saved(self, path: Path, before: int) -> None:
        """Wait until the file is newer than `before` (nanoseconds)."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while path.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline, f"{path.name} was not saved"
            self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def command(self, name: str, **arguments: Any) -> None:
        """Execute one of JupyterLab's commands, as its menus do, to its end; one that runs cells may have none."""
        self.page.evaluate(_COMMAND, [name, arguments, LIMIT])

    def cell_count(self) -> int:
        count: int = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
        return count


class NotebookPage(LabPage):
    """The same in Notebook 7, which any JupyterLab server serves where it is installed."""

    _address = "{}/notebooks/{}"


def lab_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a fresh profile: a person's browser, in British English and UTC."""
    viewport = {"width": 1100, "height": 900}
    return browser.new_context(locale="en-GB", timezone_id="UTC", viewport=viewport, **options)  # type: ignore[arg-type]


def passed_on(connection: WebSocketRoute) -> WebSocketRoute:
    """Let a connection through, which the test may cut later."""
    connection.connect_to_server()
    return connection


def _environ_of(folder: Path, extra: dict[str, str]) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "JUPYTER", "JPY_"))}
    return {
        **inherited,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        **extra,
    }


def free_port() -> int:
    """Return a port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port
