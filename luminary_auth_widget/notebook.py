"""IPython's side: `login()`, and showing the widget once per cell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import kernel, presentation, sdk, words
from .credentials import Secret
from .plain import Plain
from .rescue import CellWatch
from .session import AuthSession, current_session
from .status import SignInState

if TYPE_CHECKING:
    from .widget import AuthWidget

# Where page and kernel are on one machine, it takes half of that.
_DRAWING_SECONDS = 0.2


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
        A key to use instead. One that stands in the cell is saved with the notebook: the widget offers to copy it to
        `.env`.
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
    label = words.SOURCE_CELL if isinstance(api_key, str) and kernel.stands_in_cell(api_key) else words.SOURCE_PASTED
    # The plain text leaves this frame before anything can raise: verbose tracebacks print locals.
    given, api_key = (Secret(api_key) if isinstance(api_key, str) else None), None
    session = current_session()
    watch_over(session)
    visible = kernel.draws_widgets()
    try:
        if given is None and env_file is None and not sdk.is_loaded():
            session.show_finding()
        if show and visible:
            kernel.show(session)
            # Out of the kernel before the SDK's import, which holds the interpreter for long stretches.
            sys.stdout.flush()
            if given is None and env_file is None:
                _let_page_draw(session)
        if given is not None or env_file is not None:
            session.begin(environment=environment, target=target)
        if given is not None:
            session.use_secret(given, label=label)
        elif env_file is not None:
            session.load_env(env_file)
        else:
            session.start(environment=environment, target=target)
    except KeyboardInterrupt:
        session.note_interrupt()
        raise
    if show and not visible:
        _tell(session)
    return session


def watch_over(session: AuthSession) -> None:
    """Let this kernel's shell show the session as a widget, and look after its cells; once a kernel."""
    if kernel.in_marimo():
        # How marimo is told what stands for a value.
        AuthSession._display_ = _widget_of  # type: ignore[attr-defined]
    shell = kernel.shell()
    if shell is None or _watches:
        return
    shell.display_formatter.ipython_display_formatter.for_type(AuthSession, _show_once)
    _watches.append(CellWatch(shell, session, _show_rescue))


def rescue_cells(on: bool) -> None:
    """Show the widget below cells that fail for want of a sign-in, or do not."""
    for watch in _watches:
        watch.rescues = on


class SideView:
    """The widget for JupyterLab's sidebar: its model, and where it stands (labextension/static/kernels.js)."""

    def __init__(self, widget: AuthWidget, session: AuthSession) -> None:
        self._widget, self._session = widget, session

    def _repr_mimebundle_(self, **_choice: Any) -> dict[str, Any]:
        traits = presentation.traits(self._session)
        return {"application/vnd.luminary-auth+json": {"model": self._widget.model_id, "traits": traits}}


def side_view(*, start: bool = False, rescue: str = "cell") -> SideView | None:
    """Return the widget that cells show, for JupyterLab's sidebar; None while there is none.

    Parameters
    ----------
    start : bool
        Make one, as `login` does, and use what is there.
    rescue : str
        Where the widget is to appear when a cell fails: below that "cell", or in the "panel", which opens by itself.
    """
    global _rescue_place  # noqa: PLW0603 - a setting of the page for this kernel
    _rescue_place = rescue
    session = current_session()
    if start:
        watch_over(session)
        if not sdk.is_loaded():
            session.show_finding()
        # On the page before the SDK is imported.
        _widget_of(session)
        # On a thread since what fails is shown then; awaited since the next cell counts on it.
        session.in_background(session.start).join()
    widget = _widgets.get(id(session))
    return SideView(widget, session) if widget and widget.comm is not None else None


def text_of(session: AuthSession) -> str:
    """Return the status line and, below it, what to do now."""
    return "\n".join(filter(None, (repr(session), session.status.message, session.status.next_step)))


_watches: list[CellWatch] = []


def _tell(session: AuthSession) -> None:
    """Say in plain text what the widget would show, where nobody is there to click on one."""
    if kernel.shell() is not None:
        kernel.show(Plain(session))
    elif session.in_use is None:
        # A script that is signed in is not talked to.
        nobody = sdk.nobody()
        print(f"{session.status.message or nobody.message} {nobody.next_step}", file=sys.stderr)


def _let_page_draw(session: AuthSession) -> None:
    """Where a person has to do something, import the SDK once the page has drawn the widget.

    Before it draws, JupyterLab asks ipykernel 7 for a subshell, whose threads would have to share the interpreter with
    that import. Where the page cannot say that it has drawn, or is far away, the import does not wait for it.
    """
    widget = _widgets.get(id(session))
    if widget and session.status.state is SignInState.SIGNED_OUT and not sdk.is_loaded() and kernel.version() >= (7,):
        widget.greeted.wait(_DRAWING_SECONDS)


def _show_once(session: AuthSession) -> None:
    cell = kernel.cell().request
    if cell in _shown_in:
        return
    _shown_in[:] = [cell]
    kernel.show(_widget_of(session) if kernel.draws_widgets() else Plain(session))


def _show_rescue(session: AuthSession) -> None:
    if _rescue_place == "panel":
        # The panel may have nothing to show yet.
        _widget_of(session)
    else:
        kernel.show(session)


_rescue_place = "cell"
# The last cell that shows the widget.
_shown_in: list[str] = []
_widgets: dict[int, AuthWidget] = {}


def _widget_of(session: AuthSession) -> AuthWidget:
    """Return the one model that all cells show: the front end is sent with it, once a kernel.

    marimo ends a model when its cell runs again, and keeps one for the page alone that was there when it was made.
    """
    from .widget import AuthWidget  # noqa: PLC0415 - a plain script shows nothing

    if kernel.in_marimo():
        return AuthWidget(session)
    # Closed by Widget.close_all(), for example.
    if (widget := _widgets.get(id(session))) is None or widget.comm is None:
        widget = _widgets[id(session)] = AuthWidget(session)
    return widget
