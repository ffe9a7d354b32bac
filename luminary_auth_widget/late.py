"""A library that takes longer to import than all of ours, fetched at its first use: the widget stands before."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["requests"]


class _Late:
    """Stands for a module until something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


if TYPE_CHECKING:
    import requests
else:
    requests = _Late("requests")
