"""Libraries that take as long to import as many modules of ours: fetched at their first use, when the widget stands."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["dotenv", "hashlib", "html", "http_client", "requests"]


class _Late:
    """Stands for a module until something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


if TYPE_CHECKING:
    import hashlib
    import html
    import http.client as http_client

    import dotenv.main
    import dotenv.parser
    import requests
else:
    dotenv, hashlib, html, http_client, requests = map(_Late, ("dotenv", "hashlib", "html", "http.client", "requests"))
