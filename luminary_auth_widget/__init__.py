"""Sign a Jupyter kernel in to Luminary Cloud: one widget, and the next line of the notebook works.

>>> from luminary_auth_widget import login
>>> login()
"""

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


def __getattr__(name: str) -> Any:
    # anywidget and ipywidgets take a third of a second: a script or a terminal command does without.
    if name == "AuthWidget":
        from .widget import AuthWidget  # noqa: PLC0415 - late on purpose

        return AuthWidget
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
