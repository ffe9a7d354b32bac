"""A folder to work in, and terminals in it."""

from functools import partial

import pytest

from .driver import Terminal, run


@pytest.fixture
def a_folder(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def the_command(a_folder, a_bound_environ):
    """Runs the command to its end, with no terminal; `environ` adds variables."""

    def command(*arguments, environ=None, given=None, cwd=a_folder):
        return run(*arguments, environ={**a_bound_environ, **(environ or {})}, cwd=cwd, given=given)

    return command


@pytest.fixture
def a_terminal(a_folder, a_bound_environ):
    """Starts the command in a terminal; a context manager."""
    return partial(Terminal, environ=a_bound_environ, cwd=a_folder)
