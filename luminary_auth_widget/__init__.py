"""Sign a Jupyter kernel in to Luminary Cloud: one widget, and the next line of the notebook works.

>>> from luminary_auth_widget import login
>>> login()
"""

import importlib
from typing import TYPE_CHECKING, Any

from .errors import AuthError
from .notebook import login
from .session import AuthSession
from .status import Attempt, AttemptPhase, AuthStatus, Method, SignInState

if TYPE_CHECKING:
    from .widget import AuthWidget

__all__ = [
    "Attempt",
    "AttemptPhase",
    "AuthError",
    "AuthSession",
    "AuthStatus",
    "AuthWidget",
    "Method",
    "SignInState",
    "login",
]


# anywidget and ipywidgets take a third of a second, and a script has no IPython: what needs them comes when asked for.
_LATE = {"AuthWidget": "widget", "load_ipython_extension": "magics", "unload_ipython_extension": "magics"}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
