"""Kernels that start workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luminary_auth_widget.sandbox.demo import ADA, GRACE, PROJECTS
from tests.kernel.driver import Kernel
from tests.sandbox.helpers import Browser

ROOT = Path(__file__).parents[2]
LOGIN = "from luminary_auth_widget import login; session = login(show=False)"


@pytest.fixture
def a_kernel(a_bound_environ, tmp_path):
    """A kernel whose workers can import tests.workers.tasks."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    kernel = Kernel(folder, {**a_bound_environ, "PYTHONPATH": str(ROOT)})
    yield kernel
    kernel.close()


@pytest.fixture
def a_stored_session(a_sandbox, a_bound_environ):
    """A browser session of Ada's in the SDK's store; its refresh token."""
    return store_session(a_sandbox, a_bound_environ)


def store_session(cloud, environ):
    with Browser(cloud) as browser:
        token = browser.sign_in()["refresh_token"]
    folder = Path(environ["LC_CREDENTIALS_DIR"])
    folder.mkdir(mode=0o700)
    (folder / "tokens2").write_text(json.dumps({"refresh_token": token}))
    (folder / "tokens2").chmod(0o600)
    return token


def projects_of(account):
    return sorted(project.name for project in PROJECTS if account.email in project.members)


ADAS, GRACES = projects_of(ADA), projects_of(GRACE)
