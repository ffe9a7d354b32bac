"""What the measurements stand on: sandbox, browser, JupyterLab and kernels, and the peers' environment."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from luminary_auth_widget.sandbox import Sandbox
from tests import chromium
from tests.browser.lab import LIMIT, Lab, LabPage, lab_context
from tests.browser.wire import Frame, listen
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel
from tests.matrix import environments

MINE = "luminary_auth_widget"
LOGIN = f"from {MINE} import login\nlogin()"
# What people paste a key into elsewhere, and the least that a widget of this kind can be.
CELLS = {
    MINE: LOGIN,
    "huggingface_hub": "from huggingface_hub import notebook_login\nnotebook_login()",
    "kagglehub": "import kagglehub\nkagglehub.login()",
    "a minimal anywidget": """
import anywidget
class Field(anywidget.AnyWidget):
    _esm = '''export default { render({ el }) {
      el.append(Object.assign(document.createElement("input"), { type: "password" }));
    } }'''
Field()""",
}
# Before anybody gets to press a key, JupyterLab has asked a new kernel a dozen times for its debugger.
SETTLING = 1500  # milliseconds
# From the press until so many are on the screen, ready for a person, by the page's clock.
STOPWATCH = """async ([selector, count, limit]) => {
  const isReady = (node) => node.checkVisibility() && !node.disabled && !node.readOnly;
  const begun = performance.now();
  void window.jupyterapp.commands.execute("notebook:run-cell");
  while ([...document.querySelectorAll(selector)].filter(isReady).length < count) {
    if (performance.now() - begun > limit) return null;
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - begun) / 1000;
}"""
_numbers = itertools.count()
_PEERS = ("huggingface_hub==1.19.*", "kagglehub", "jupyterlab", "ipykernel")
# Nothing that is typed into a peer leaves this machine, and no token of this machine keeps it from asking.
_APART = {
    "https_proxy": "http://localhost:9",
    "http_proxy": "http://localhost:9",
    "HF_TOKEN": "",
    "KAGGLE_API_TOKEN": "",
}


def with_peers() -> Path:
    """Return the interpreter of an environment that holds this library beside its peers, and their JupyterLab."""
    return environments.make(*_PEERS, below=environments.ROOT / ".venv-bench")


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start the Chromium of the tests."""
    with sync_playwright() as playwright, chromium.launch(playwright) as browser:
        yield browser


@contextmanager
def a_lab(cloud: Sandbox, *, peers: bool = False) -> Iterator[Lab]:
    """Start a JupyterLab whose kernels talk to the sandbox, without the log that tests look through."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environ = {**bound_environ(cloud, folder), **_APART}
        lab = Lab(folder, environ, python=with_peers()) if peers else Lab(folder, environ)
        try:
            (folder / "ipython" / "profile_default" / "ipython_kernel_config.py").unlink()
            # Whatever the number of outputs, all of them stand on the page.
            lab.set("@jupyterlab/notebook-extension/tracker", {"maxNumberOutputs": 1000, "windowingMode": "none"})
            yield lab
        finally:
            lab.close()


@contextmanager
def a_notebook(lab: Lab, browser: Browser, *cells: str, heard: bool = False) -> Iterator[tuple[LabPage, list[Frame]]]:
    """Open a notebook on a fresh kernel in a fresh profile; what page and kernel say gathers in the list, if `heard`.

    Whoever measures a time does not listen: the browser hands over a copy of every message.
    """
    name = f"measured-{next(_numbers)}.ipynb"
    lab.notebook(name, *cells)
    with lab_context(browser) as context:
        tab = context.new_page()
        tab.set_default_timeout(LIMIT)
        frames = listen(tab) if heard else []
        page = LabPage(tab, lab).open(name)
        tab.wait_for_timeout(SETTLING)  # what is measured: a page at rest, of which there is no other sign
        yield page, frames
    lab.forget()


class DidNotDrawError(RuntimeError):
    """There is nothing to measure, or to compare with."""


def seconds_until_drawn(notebook: LabPage, name: str, selector: str, count: int = 1) -> float:
    """Run the first cell; return when so many of `selector` were on the screen and ready for a person."""
    seconds: float | None = notebook.page.evaluate(STOPWATCH, [selector, count, LIMIT])
    if seconds is None:
        raise DidNotDrawError(f"{name} did not draw within {LIMIT / 1000:.0f} s. {notebook.output_of(0)}")
    return seconds


@contextmanager
def a_kernel(cloud: Sandbox) -> Iterator[Kernel]:
    """Start a kernel whose SDK talks to the sandbox, without a page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        kernel = Kernel(Path(name), bound_environ(cloud, Path(name)))
        try:
            yield kernel
        finally:
            kernel.close()
