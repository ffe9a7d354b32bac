"""Below a cell that has failed for want of a sign-in: the widget, and the offer to run that cell again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from . import kernel, sdk
from .failures import wants_sign_in
from .session import AuthSession
from .status import StoppedCell

_logger = logging.getLogger(__name__)


class Rescue:
    """Looks at every cell of a shell: before it runs, and at what it has raised.

    Attributes
    ----------
    on : bool
        Whether anything is shown below a cell that has failed.
    """

    def __init__(self, shell: Any, session: AuthSession) -> None:
        self.on = True
        self._shell, self._session = shell, session
        self._hooks: dict[str, Callable[[Any], None]] = {
            "pre_run_cell": _harmless(self._before),
            "post_run_cell": _harmless(self._after),
        }

    def install(self) -> None:
        """Begin to look."""
        for event, hook in self._hooks.items():
            self._shell.events.register(event, hook)

    def remove(self) -> None:
        """Look no more."""
        for event, hook in self._hooks.items():
            self._shell.events.unregister(event, hook)

    def _before(self, _info: Any) -> None:
        self._session.default_client.enter_cell()
        stopped = self._session.stopped_cell
        # A front end without ids: whatever runs next is taken for that cell.
        if stopped is not None and stopped.id == kernel.cell().id:
            self._session.stop_at(None)

    def _after(self, result: Any) -> None:
        self._session.default_client.leave_cell()
        error = result and (result.error_in_exec or result.error_before_exec)
        if not self.on or not error or not wants_sign_in(error):
            return
        if not kernel.attended():
            nobody = sdk.nobody()
            print(f"{nobody.message} {nobody.next_step}")
            return
        self._session.stop_at(StoppedCell(kernel.cell().id, result.execution_count))
        kernel.show(self._session)
        self._session.in_background(self._session.look_into_failure)


def _harmless(hook: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a hook that never stops a cell, whatever goes wrong in it."""

    def run(given: Any) -> None:
        try:
            hook(given)
        except Exception:
            _logger.exception("Looking at a cell has failed.")

    return run
