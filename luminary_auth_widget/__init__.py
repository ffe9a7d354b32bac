"""Sign a Jupyter kernel in to Luminary Cloud: one widget, and the next line of the notebook works.

>>> from luminary_auth_widget import login
>>> login()
"""

from .errors import AuthError
from .notebook import login
from .session import AuthSession
from .status import Attempt, AttemptPhase, AuthStatus, Method, SignInState
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
