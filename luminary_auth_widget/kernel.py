"""What surrounds this session: a kernel or none, a person or nobody, and how a page's clicks arrive.

The only module, beside those above the session, that knows IPython; a plain script imports none of it.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """The cell that runs in this thread.

    Attributes
    ----------
    request : str
        The id of the message that has asked for it; the execution count is 0 in cells that store no history.
    id : str
        The notebook's id of the cell; empty where the front end sends none.
    """

    request: str
    id: str


def shell() -> Any:
    """Return the IPython shell of this kernel, or None where there is no kernel: a script, or a terminal's IPython."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # noqa: PLC0415 - see above

    found = get_ipython()
    return found if hasattr(found, "kernel") else None


def cell() -> Cell:
    """Return the cell that runs here; without a kernel, one without a name."""
    request = _request()
    return Cell(str(request.get("header", {}).get("msg_id", "")), str(request.get("metadata", {}).get("cellId", "")))


def stands_in_cell(text: str) -> bool:
    """Whether the code of the cell that runs here holds `text`, and a notebook that is saved will, too."""
    return text != "" and text in str(_request().get("content", {}).get("code", ""))


def attended() -> bool:
    """Whether somebody may be there to click: nbconvert, papermill and nbclient say that nobody is; so do scripts."""
    content = _request().get("content", {})
    # A page's message, unlike a cell, comes from somebody.
    return shell() is not None and bool(content.get("allow_stdin", "code" not in content))


def draws_widgets() -> bool:
    """Whether what is shown here gets onto a page with somebody before it: also where no cell can wait for a click."""
    return attended() or in_marimo() or _in_voila()


def in_marimo() -> bool:
    """Whether a cell of a marimo notebook runs here; it has no IPython."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def _in_voila() -> bool:
    """Whether this is the kernel of a Voilà page: it runs all cells as nbclient does, and then people come.

    It says so by a variable with the kernel's id, which other kernels that are started from there inherit.
    """
    own, here = os.environ.get("VOILA_KERNEL_ID", ""), shell()
    return own != "" and here is not None and own in str(getattr(here.kernel.parent, "connection_file", ""))


def version() -> tuple[int, ...]:
    """Return ipykernel's version; empty where another kernel, or none, runs this."""
    return tuple(getattr(sys.modules.get("ipykernel"), "version_info", ()))


def show(thing: object) -> None:
    """Display something below the cell that runs here."""
    if in_marimo():
        sys.modules["marimo"].output.append(thing)
        return
    from IPython import display  # noqa: PLC0415 - a plain script does not need IPython

    display.display(thing)  # type: ignore[no-untyped-call]  # IPython types it only in part


class Page:
    """How the messages of the page arrive: learnt from those that came."""

    _came_on_subshell: bool | None = None

    @property
    def interrupts_cells(self) -> bool | None:
        """Whether its messages are handled while a cell runs; None until one has come, or it has asked for a subshell.

        From far away the first message is sent before the page has that subshell.
        """
        return True if _has_subshells() else self._came_on_subshell

    def has_spoken(self) -> None:
        """Learn from the message that is being handled: ipykernel's main shell is on the main thread."""
        self._came_on_subshell = self._came_on_subshell or threading.current_thread() is not threading.main_thread()


page = Page()


def _has_subshells() -> bool:
    """Whether somebody has asked this kernel for one: JupyterLab does since 4.4, for widgets, on ipykernel 7."""
    here = shell()
    channel = getattr(here.kernel, "shell_channel_thread", None) if here else None
    return channel is not None and bool(channel.manager.list_subshell())


def _request() -> dict[str, Any]:
    here = shell()
    with suppress(LookupError):  # a thread on ipykernel 7.0, which knows of no request
        return here.kernel.get_parent("shell") if here else {}
    return {}
