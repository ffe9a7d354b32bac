"""The stand-in of notebooks where it finds something else than nobody; all else that it does, tests/notebooks show."""

import pytest

from tests.conftest import bound_environ
from tests.kernel.driver import Kernel, port_is_free
from tests.sandbox.helpers import eventually

START = """
from datetime import timedelta
from pathlib import Path
from luminary_auth_widget import login
from luminary_auth_widget.sandbox import process, stand_in
cloud = process.find_running(Path({folder!r}))
session = login(show=False)
"""


@pytest.fixture
def a_kernel(a_sandbox, tmp_path):
    kernel = Kernel(tmp_path, bound_environ(a_sandbox, tmp_path))
    assert not kernel.run(START.format(folder=str(a_sandbox.folder))).error
    yield kernel
    kernel.close()


@pytest.mark.parametrize("remote", [False, True])
def test_a_sign_in_under_way_is_finished_and_none_begun(a_kernel, remote):
    a_kernel.run("session.sign_in_with_browser()")
    a_kernel.run("phases = []; session.on_change(lambda now: phases.append(now.attempt and now.attempt.phase.value))")
    ran = a_kernel.run(f"stand_in.sign_in(cloud, session, remote={remote})")
    assert ran.text.startswith("Luminary Cloud: ada@example.com"), ran.error
    assert a_kernel.run("print('finishing' in phases, 'starting' in phases)").text == "True False\n"


def test_time_passes_over_a_browser_session_alone(a_kernel, a_sandbox, a_key):
    a_kernel.run(f"session.use_key({a_key.secret!r})")
    ran = a_kernel.run("stand_in.let_pass(cloud, session, timedelta(days=1))")
    assert ran.error == "SandboxError: No browser session is stored here. Sign in with the browser first."
    assert not a_sandbox.status.clock_ahead


def test_a_sandbox_that_has_gone_away_is_a_sentence_and_the_sign_in_can_be_cancelled(a_kernel, a_sandbox):
    a_sandbox.fault("refuse")
    ran = a_kernel.run("stand_in.sign_in(cloud, session)")
    assert ran.error.startswith("SandboxError: The sandbox's log-in page does not answer.")
    assert "code_challenge" not in ran.traceback
    # Again: ipykernel 6.29 passes over what is sent right after a cell that fails.
    assert eventually(lambda: a_kernel.run("session.cancel(); print('cancelled')").text == "cancelled\n")
    assert port_is_free(10001)


def test_a_sign_in_that_fails_after_the_log_in_says_why(a_kernel, a_sandbox):
    a_sandbox.fault("error")
    ran = a_kernel.run("stand_in.sign_in(cloud, session)")
    assert ran.error.startswith("LoginNotFinished: ")
    assert "answered with a failure" in ran.error
