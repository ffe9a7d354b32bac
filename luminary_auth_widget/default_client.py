"""The SDK's default client, kept where the user's code looks for it: in every cell, task and thread."""

from __future__ import annotations

import contextvars
import itertools
import weakref
from typing import TYPE_CHECKING, NamedTuple

from . import sdk
from .errors import SDKUnusable

if TYPE_CHECKING:
    from luminarycloud import Client


class Reach(NamedTuple):
    """What the user's code gets when it asks for the default client, as it was seen last.

    Attributes
    ----------
    set_by_notebook : bool
        Cells use a client that the notebook's own code has made the default.
    threads : bool
        Threads, and cells that run already, use ours as well.
    """

    set_by_notebook: bool = False
    threads: bool = True


class DefaultClient:
    """Makes a client the default, and looks at each cell's context whether it still is.

    A client that the notebook has made the default itself stays, until the person signs in anew.
    """

    def __init__(self) -> None:
        self._ours: Client | None = None
        self._threads = True
        # What the notebook has made the default itself, as its last cell left it.
        self._theirs: Client | None = None
        # Clients that are not the notebook's choice (any more): ours, the import-time one, those signed in over.
        self._replaceable: weakref.WeakSet[Client] = weakref.WeakSet()
        self._cells = itertools.count(1)
        self._cell = 0
        # A cell with `await` runs in a context of its own, which the hook after it does not share.
        self._seen_by: contextvars.ContextVar[int] = contextvars.ContextVar("luminary_auth_cell", default=0)

    def install(self, client: Client, *, chosen: bool) -> Client:
        """Make `client` the default and return the object that is.

        Parameters
        ----------
        client : Client
        chosen : bool
            Whether a person or the code has asked for this credential: then it replaces the notebook's own client.
        """
        self._look_at_the_import_time_client()
        if chosen:
            self._replaceable.update(filter(None, (self._theirs, sdk.default_client())))
            self._theirs = None
        try:
            self._ours, self._threads = sdk.adopt(client), True
        except SDKUnusable:
            # Not with this version of the SDK: each next cell is given it (enter_cell), other threads are not.
            self._ours, self._threads = client, False
        self._replaceable.add(self._ours)
        if sdk.default_client() in self._replaceable:
            sdk.make_default(self._ours)
        return self._ours

    @property
    def reach(self) -> Reach:
        """Whose client the user's code uses."""
        return Reach(set_by_notebook=self._theirs is not None, threads=self._threads)

    def enter_cell(self) -> None:
        """Give the context of a cell that begins the default client that is meant there."""
        self._cell = next(self._cells)
        self._seen_by.set(self._cell)
        meant = self._theirs or self._ours
        if meant is None:
            return
        # ipykernel 7.0 gives each cell a new context, which has lost what the one before has set; an SDK that shares no
        # client may have made one for it.
        now = sdk.default_client()
        if now in self._replaceable or (not self._threads and now is not self._theirs):
            sdk.make_default(meant)

    def leave_cell(self) -> None:
        """Note what the cell has made the default itself; of a cell whose context is out of sight nothing is known."""
        if not sdk.is_loaded() or self._seen_by.get() != self._cell:
            return
        self._look_at_the_import_time_client()
        now = sdk.default_client()
        self._theirs = None if now in self._replaceable else now

    def _look_at_the_import_time_client(self) -> None:
        if not self._replaceable:
            self._replaceable.add(sdk.base_client())
