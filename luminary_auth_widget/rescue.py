"""Around each cell: the default client before it, and below one that fails for want of a sign-in, the widget."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from . import kernel, sdk, words
from .errors import AuthError
from .failures import wants_sign_in
from .session import AuthSession
from .status import SignInState, StoppedCell

_logger = logging.getLogger(__name__)


class CellWatch:
    """Looks at every cell of a shell: before it runs, and at what it has raised.

    Attributes
    ----------
    rescues : bool
        Whether anything is shown when a cell has failed.
    """

    def __init__(self, shell: Any, session: AuthSession, show: Callable[[AuthSession], None]) -> None:
        self.rescues = True
        self._session, self._show = session, show
        shell.events.register("pre_run_cell", _harmless(self._before))
        shell.events.register("post_run_cell", _harmless(self._after))

    def _before(self, _info: Any) -> None:
        self._session.default_client.enter_cell()
        stopped = self._session.stopped_cell
        # A front end without ids: whatever runs next is taken for that cell.
        if stopped is not None and stopped.id == kernel.cell().id:
            self._session.note_stopped_cell(None)

    def _after(self, result: Any) -> None:
        self._session.default_client.leave_cell()
        error = result and (result.error_in_exec or result.error_before_exec)
        if not self.rescues or not error or not wants_sign_in(error):
            return
        attended, signed_in = kernel.attended(), self._session.status.state is SignInState.SIGNED_IN
        # Ours says itself what to do. Signed in, it is about a work that is too long, or another key.
        if isinstance(error, AuthError) and (signed_in or not attended):
            return
        if not attended:
            nobody = sdk.nobody()
            print(f"{nobody.message} {nobody.next_step}")
            return
        self._session.note_stopped_cell(StoppedCell(kernel.cell().id, result.execution_count))
        self._show(self._session)
        self._session.in_background(self._session.look_into_failure)


def _harmless(hook: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a hook that never stops a cell, whatever goes wrong in it."""

    def run(given: Any) -> None:
        try:
            hook(given)
        except Exception:
            _logger.exception(words.RESCUE_FAILED)

    return run
