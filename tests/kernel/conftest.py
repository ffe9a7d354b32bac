"""Kernels, each with a folder of its own."""

import pytest

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
