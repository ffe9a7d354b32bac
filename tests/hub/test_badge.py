"""The address behind the Binder badge: everywhere the same, and it leads to a notebook that is there."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from tests.matrix import environments

from .replay import BADGE


def test_wherever_binder_is_linked_it_is_with_the_address_of_pyproject():
    texts = [path for pattern in ("*.md", "*.toml", "notebooks/*.ipynb") for path in environments.ROOT.glob(pattern)]
    linked = re.compile(r"https://mybinder\.org/v2/[^)\s\"\\]+")
    found = {link for path in texts for link in linked.findall(path.read_text(encoding="utf-8"))}
    assert found == {BADGE}


def test_it_opens_jupyterlab_on_a_notebook_of_this_repository():
    (path,) = parse_qs(urlsplit(BADGE).query)["urlpath"]
    lab, _, notebook = path.partition("/tree/")
    assert lab == "lab"
    assert (environments.ROOT / notebook).is_file()
