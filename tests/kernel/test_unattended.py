"""Runs that nobody watches: an error at once that names the variable to set, or a client that works."""

import subprocess
import sys
import time

import nbformat
import pytest

from .driver import PYTHON, Kernel

LOGIN = "from luminary_auth_widget import login; session = login()"
REQUIRE = f"{LOGIN}\nclient = session.require()"
LIST = "import luminarycloud as lc; print(sorted(p.name for p in lc.iterate_projects()))"


@pytest.fixture
def a_notebook(a_folder):
    """A notebook that requires a sign-in in its first cell, and uses it in the second."""
    path = a_folder / "job.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in (REQUIRE, LIST)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def _execute(notebook, environ):
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout", str(notebook)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def _script(code, environ, folder):
    command = [PYTHON, "-c", code]
    return subprocess.run(
        command,
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nbconvert_without_credentials_stops_at_the_first_cell_and_names_the_variable(a_notebook, a_bound_environ):
    ran = _execute(a_notebook, a_bound_environ)
    assert ran.returncode != 0
    assert "NotSignedIn: Nobody is signed in to Luminary Cloud here." in ran.stderr
    assert "Set LC_API_KEY to an API key" in ran.stderr


def test_nbconvert_with_a_key_in_the_environment_runs_and_keeps_no_secret_and_no_name(
    a_notebook, a_bound_environ, a_key, adas_projects
):
    ran = _execute(a_notebook, {**a_bound_environ, "LC_API_KEY": a_key.secret})
    assert ran.returncode == 0, ran.stderr
    assert adas_projects.strip() in ran.stdout
    assert a_key.secret not in ran.stdout + ran.stderr
    assert "ada@example.com" not in ran.stdout


def test_the_failing_cell_needs_no_sdk_and_so_takes_no_second(a_kernel):
    """The import of the SDK takes most of a second; benchmarks/unattended.py measures the whole."""
    began = time.monotonic()
    ran = a_kernel.run(REQUIRE, allow_stdin=False)
    assert ran.error.startswith("NotSignedIn"), time.monotonic() - began
    assert (
        a_kernel.run("import sys; print('luminarycloud' in sys.modules, 'anywidget' in sys.modules)").text
        == "False False\n"
    )


def test_a_run_that_goes_on_without_a_sign_in_fails_at_once_and_opens_no_browser(a_kernel):
    a_kernel.run(LOGIN, allow_stdin=False)
    ran = a_kernel.run(LIST, allow_stdin=False)
    assert "LC_API_KEY" in ran.error
    assert "authorize" not in ran.text


@pytest.mark.parametrize(
    ("line", "error"),
    [("login().require()", "NotSignedIn"), ("login().wait()", "NotSignedIn"), (f"login(); {LIST}", "InteractiveAuth")],
)
def test_a_script_without_credentials_ends_at_once_and_names_the_variable(a_bound_environ, tmp_path, line, error):
    ran = _script(f"from luminary_auth_widget import login; {line}", a_bound_environ, tmp_path)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert error in ran.stderr
    assert "Set LC_API_KEY to an API key" in ran.stderr


def test_a_script_with_a_key_is_not_talked_to(a_bound_environ, tmp_path, a_key, adas_projects):
    code = f"from luminary_auth_widget import login; login().require(); {LIST}"
    ran = _script(code, {**a_bound_environ, "LC_API_KEY": a_key.secret}, tmp_path)
    assert (ran.stdout, ran.stderr) == (adas_projects, "")


def test_a_refused_key_is_named_with_where_it_stands(a_bound_environ, tmp_path):
    code = "from luminary_auth_widget import login; login().require()"
    ran = _script(code, {**a_bound_environ, "LC_API_KEY": "lc-unknown-key-0000"}, tmp_path)
    assert "The server refused the key …0000 from environment." in ran.stderr
    assert "Set LC_API_KEY to an API key" in ran.stderr


def test_a_server_that_does_not_answer_is_no_sign_in(a_bound_environ, tmp_path, a_sandbox, a_key):
    a_sandbox.fault("error")
    code = "from luminary_auth_widget import login; login().require()"
    ran = _script(code, {**a_bound_environ, "LC_API_KEY": a_key.secret}, tmp_path)
    assert "NotVerified" in ran.stderr


def test_a_sign_in_that_ends_before_the_work_would_says_when_and_by_how_much(a_folder, a_bound_environ, a_key):
    kernel = Kernel(a_folder, a_bound_environ)
    try:
        kernel.run("from datetime import *\nin_two_hours = datetime.now(timezone.utc) + timedelta(hours=2, seconds=30)")
        kernel.run(f"{LOGIN}\nsession.use_key({a_key.secret!r}, expires_on=in_two_hours)")
        assert kernel.run("print(session.require(at_least=timedelta(hours=1)) is session.client)").text == "True\n"
        error = kernel.run("session.require(at_least=timedelta(days=1))").error
        assert error.startswith("ExpiresTooSoon: The sign-in ends on ")
        assert "in 2 h: 22 h too soon for work of 1 d." in error
        assert kernel.run("session.require(at_least=5)").error.startswith("AuthError: `at_least` is no time span.")
    finally:
        kernel.close()


def test_an_end_that_nobody_knows_passes_with_a_warning(a_bound_environ, tmp_path, a_key):
    code = (
        "from luminary_auth_widget import login; from datetime import timedelta; import warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always'); login().require(at_least=timedelta(hours=8))\n"
        "print([str(one.message) for one in caught if one.filename == '<string>'])"
    )
    ran = _script(code, {**a_bound_environ, "LC_API_KEY": a_key.secret}, tmp_path)
    assert ran.stdout == "['Nobody knows whether this sign-in lasts for 8 h: its end is unknown.']\n", ran.stderr
