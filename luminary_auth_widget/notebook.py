"""IPython's side: `login()`, and showing the widget once per cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import sdk
from .credentials import Secret
from .session import AuthSession, current_session

if TYPE_CHECKING:
    from .widget import AuthWidget


def login(
    *,
    api_key: str | None = None,
    env_file: str | Path | None = None,
    environment: str | None = None,
    target: str | None = None,
    show: bool = True,
) -> AuthSession:
    """Sign this kernel in to Luminary Cloud, and show the widget.

    The widget is on the page before the SDK is imported. What the SDK would use by itself (LC_API_KEY in the
    environment, the nearest `.env`, or the stored browser session) is in use when this returns, so that the next line
    works, and is checked in the background (at most 5 s a server). Never waits for a person: with nothing to sign in
    with, later calls fail at once instead of opening a browser.

    Parameters
    ----------
    api_key : str, optional
        A key to use instead. It stands in the notebook then; the widget offers to move it to `.env`.
    env_file : str or Path, optional
        A `.env` file to use instead.
    environment : str, optional
        "standard" or "itar", as the SDK's `use_…_environment()`.
    target : str, optional
        The API server of a private deployment, host or host:port.
    show : bool
        Whether to show the widget; it is shown once per cell, also when this is the last expression.

    Returns
    -------
    AuthSession
        The kernel's one session.

    Raises
    ------
    AuthError
        If `api_key` or `env_file` cannot be used, or the SDK cannot be loaded. What is merely found never raises: the
        widget says what is wrong with it.
    """
    # The plain text leaves this frame before anything can raise: verbose tracebacks print locals.
    given, api_key = (Secret(api_key) if isinstance(api_key, str) else None), None
    session = current_session()
    if not sdk.is_loaded():
        session.show_finding()
    if show:
        _show_once(session)
    if given is not None or env_file is not None:
        session.begin(environment=environment, target=target)
    if given is not None:
        session.use_secret(given, label="cell")
    elif env_file is not None:
        session.load_env(env_file)
    else:
        session.start(environment=environment, target=target)
    return session


def _shell() -> Any:
    """Return the running IPython shell, or None in a plain interpreter."""
    from IPython import get_ipython  # noqa: PLC0415 - a plain script does not need IPython

    return get_ipython()


def _show_once(session: AuthSession) -> None:
    shell = _shell()
    # Without a kernel there is no page to draw on; the status has a repr.
    if shell is None or not hasattr(shell, "kernel"):
        return
    shell.display_formatter.ipython_display_formatter.for_type(AuthSession, _show_once)
    cell = _cell_id(shell)
    if cell in _shown_in:
        return
    _shown_in[:] = [cell]
    from IPython import display  # noqa: PLC0415 - see _shell

    display.display(_widget_of(session))  # type: ignore[no-untyped-call]  # IPython types it only in part


# The id of the last cell that shows the widget: the execution count is 0 in cells that store no history.
_shown_in: list[str] = []
_widgets: dict[int, AuthWidget] = {}


def _cell_id(shell: Any) -> str:
    return str(shell.kernel.get_parent("shell").get("header", {}).get("msg_id", ""))


def _widget_of(session: AuthSession) -> AuthWidget:
    """Return the one model that all cells show: the front end is sent with it, once a kernel."""
    from .widget import AuthWidget  # noqa: PLC0415 - a plain script shows nothing

    if id(session) not in _widgets:
        _widgets[id(session)] = AuthWidget(session)
    return _widgets[id(session)]
