"""Kernels, each with a folder of its own."""

import pytest

from luminary_auth_widget.sandbox.demo import ADA, PROJECTS

from .driver import Kernel


@pytest.fixture
def a_folder(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    return folder


@pytest.fixture
def a_kernel(a_folder, a_bound_environ):
    kernel = Kernel(a_folder, a_bound_environ)
    yield kernel
    kernel.close()


@pytest.fixture
def adas_projects():
    """What a cell prints that lists the account's own projects."""
    return f"{sorted(project.name for project in PROJECTS if ADA.email in project.members)}\n"
