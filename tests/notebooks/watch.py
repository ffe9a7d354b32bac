"""A plugin for nbval's runs: a cell fails that writes to standard error, or that shows a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

import pytest

# The sandbox's keys, codes and tokens end in 40 letters and digits, its JWTs are longer; nothing else here is as long.
CREDENTIAL = re.compile(r"[A-Za-z0-9]{32,}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: Any) -> Generator[None]:
    """Look at what a cell has put out; warnings of cells go to standard error whatever the filter says."""
    yield
    outputs = item.test_outputs
    errors = [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert errors == []
    assert CREDENTIAL.findall(json.dumps(outputs)) == []
