"""What several suites stand on: the sandbox, and a process environment without credentials of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox.demo import ADA, PROJECTS

from . import loopback

# A browser login comes back to one of four ports of the whole machine: where workers share these, the tests with one
# run one after the other.
_WITH_LOGINS = {
    *("test_browser_faults", "test_browser_login", "test_browser_session", "test_browser_sign_in", "test_magics"),
    *("test_documented_story", "test_lab_accessibility", "test_lab_browser_sign_in", "test_lab_demo", "test_login"),
    *("test_other_kernels",),
    *("test_notebooks_with_logins", "test_palette", "test_readme", "test_stand_in", "test_waiting"),
    *("test_binder", "test_jupyterhub", "test_killed_kernels", "test_many_kernels", "test_network_logins"),
    *("test_leaks", "test_leaks_in_lab"),
}


# JupyterLab from beginning to end, faults, kills, crowds and leaks: half of the suite's time, by `make long`.
_LONG = {
    *("browser/test_documented_story", "browser/test_lab_accessibility", "browser/test_lab_browser_sign_in"),
    *("browser/test_lab_demo", "browser/test_lab_rescue", "browser/test_lab_sign_in", "browser/test_palette"),
    *("browser/test_sidebar", "workers/test_dask", "workers/test_processes"),
    *("faults/test_killed_kernels", "faults/test_many_kernels", "faults/test_network", "faults/test_network_logins"),
    *("kernel/test_browser_faults", "kernel/test_faults", "security/test_leaks", "security/test_leaks_in_lab"),
}

if "PYTEST_XDIST_WORKER" in os.environ and loopback.can_be_had():
    loopback.have()


class _OneWorkerForLogins(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    def _split_scope(self, nodeid):
        return "logins" if Path(nodeid.partition("::")[0]).stem in _WITH_LOGINS else nodeid


class _SingleTests(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid):
        return nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what is long before it is chosen by its marks."""
    for item in items:
        if f"{item.path.parent.name}/{item.path.stem}" in _LONG:
            item.add_marker("long")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Spread single tests over the workers; those with logins over none but one, where they share a loopback.

    With pytest 9.2, xdist 3.8 takes no notice of its own `xdist_group`.
    """
    return (_SingleTests if loopback.can_be_had() else _OneWorkerForLogins)(config, log)


@pytest.fixture(scope="session")
def a_running_sandbox():
    with sandbox.start() as cloud:
        yield cloud


@pytest.fixture
def a_sandbox(a_running_sandbox):
    """The sandbox without faults; tests move no clock here, since others share it."""
    yield a_running_sandbox
    a_running_sandbox.clear_faults()


@pytest.fixture
def a_key(a_sandbox):
    return a_sandbox.create_api_key("ada@example.com", name="laptop")


@pytest.fixture
def adas_projects():
    """What a cell prints that lists the account's own projects."""
    return f"{sorted(project.name for project in PROJECTS if ADA.email in project.members)}\n"


@pytest.fixture
def a_bound_environ(a_sandbox, tmp_path):
    return bound_environ(a_sandbox, tmp_path)


def bound_environ(cloud: sandbox.Sandbox, folder: Path) -> dict[str, str]:
    """Return the environment of a process that talks to the sandbox, with a home and credentials of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "JPY_"))}
    (folder / "home").mkdir()
    own = {
        "HOME": str(folder / "home"),
        "LC_CREDENTIALS_DIR": str(folder / "credentials"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    environ = {**inherited, **cloud.environ, **own}
    # Set but empty keeps a person's .env away; these tests have none but their own.
    del environ["LC_API_KEY"]
    return environ
