"""The two ways of setting the default client that the matrix puts side by side."""

from __future__ import annotations

from tests.kernel.driver import LIMIT_SECONDS, Kernel
from tests.sandbox.helpers import eventually

from .reach import Way

# The kernel's first key has been revoked: the session is asked about it before anybody signs in.
BEGIN = "from luminary_auth_widget import login\nsession = login()"
# What a notebook's author writes who has the SDK alone, and a button.
BEGIN_ALONE = """
import ipywidgets, luminarycloud as lc
from IPython.display import display
from pathlib import Path

def set_it(_button):
    number = max(int(path.name.partition("-")[2]) for path in Path().glob("key-*"))
    lc.set_default_client(lc.Client(api_key=Path(f"key-{number}").read_text()))
    Path(f"set-{number}").touch()

button = ipywidgets.Button()
button.on_click(set_it)
display(button)
"""


def _paste(kernel: Kernel, model: str, number: int, subshell: str | None) -> None:
    key = (kernel.folder / f"key-{number}").read_bytes()
    kernel.click(model, "use_key", remember=False, lasts="", subshell=subshell, buffers=(key,))
    kernel.wait_for(model, attempt="checking")
    kernel.wait_for(model, attempt="", state="signed_in")
    (kernel.folder / f"set-{number}").touch()


def _press(kernel: Kernel, model: str, number: int, subshell: str | None) -> None:
    kernel.click(model, "press", event="click", subshell=subshell)
    assert eventually((kernel.folder / f"set-{number}").exists, within=LIMIT_SECONDS)


WIDGET = Way(BEGIN, "session.use_key(key)", _paste)
SDK_ALONE = Way(BEGIN_ALONE, "lc.set_default_client(lc.Client(api_key=key))", _press, rerouted=True)
