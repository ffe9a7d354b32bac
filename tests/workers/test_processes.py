"""Processes that a kernel starts on its machine are signed in as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from luminary_auth_widget import in_use, sandbox, sources
from luminary_auth_widget.credentials import CleanedKey, Secret
from luminary_auth_widget.sdk import Deployment
from luminary_auth_widget.workers import environ_for
from tests.conftest import bound_environ

from .conftest import ADAS, LOGIN, ROOT, store_session

LIST = "import luminarycloud as lc; print(sorted(p.name for p in lc.iterate_projects()))"
SUBPROCESS = (
    "import os, subprocess, sys\n"
    "ran = subprocess.run([sys.executable, '-c', CODE], env={**os.environ, **session.environ()}, cwd='below',\n"
    "                     capture_output=True, text=True, timeout=30)\n"
    "print(ran.stdout or ran.stderr, end='')"
).replace("CODE", repr(LIST))
POOL = (
    "import multiprocessing\n"
    "from concurrent.futures import ProcessPoolExecutor\n"
    "from luminary_auth_widget.workers import pool_options\n"
    "from tests.workers.tasks import failure, projects\n"
    "def a_pool(**changes): return ProcessPoolExecutor(1, **pool_options(session.environ()) | changes)\n"
)
SCRIPT = f"""
import luminarycloud
from luminary_auth_widget import login
{POOL}
if __name__ == "__main__":
    import sys
    session = login(api_key=sys.stdin.readline(), show=False)
    with a_pool() as pool:
        print(pool.submit(projects).result(timeout=30))
"""


def _sign_in_with(kernel, key):
    assert not kernel.run(LOGIN).error
    assert not kernel.run(f"_ = session.use_key('{key.secret}')").error


def test_a_subprocess_uses_the_key_that_was_pasted_into_the_kernel(a_kernel, a_key):
    (a_kernel.folder / "below").mkdir()
    _sign_in_with(a_kernel, a_key)
    assert a_kernel.run(SUBPROCESS).text == f"{ADAS}\n"
    shown = a_kernel.run("environ = session.environ(); print(environ, f'{environ}'); environ").text
    assert a_key.secret not in shown
    assert shown.count(f"'…{a_key.secret[-4:]}'") == 3


def test_a_subprocess_uses_the_stored_session_and_no_key_that_lies_in_its_way(a_kernel, a_stored_session):
    (a_kernel.folder / "below").mkdir()
    assert not a_kernel.run(LOGIN).error
    # Later than the sign-in: for the subprocess alone.
    (a_kernel.folder / ".env").write_text("LC_API_KEY=not-the-one\n")
    a_kernel.run("import os; os.environ['LC_API_KEY'] = 'nor-this-one'")
    assert a_kernel.run(SUBPROCESS).text == f"{ADAS}\n"
    assert a_stored_session not in a_kernel.run("print(dict(session.environ()))").text


def test_signed_out_there_is_nothing_to_give_a_process(a_kernel):
    assert not a_kernel.run(LOGIN).error
    assert a_kernel.run("session.environ()").error.startswith("NotSignedIn: Nobody is signed in")


def test_a_session_that_other_processes_cannot_find_is_said_to_be_the_kernels_alone(
    a_kernel, a_stored_session, a_bound_environ
):
    documented = Path(a_bound_environ["HOME"]) / ".luminarycloud" / "config"
    documented.parent.mkdir()
    (Path(a_bound_environ["LC_CREDENTIALS_DIR"]) / "tokens2").rename(documented)
    assert not a_kernel.run(LOGIN).error
    assert a_kernel.run("print(session.require() is session.client)").text == "True\n"
    assert a_kernel.run("session.environ()").error.startswith("StorageFailed: This session lives in this kernel only")


def test_the_itar_environment_and_a_private_deployment_travel_with_the_key():
    itar = Deployment("itar", "apis.example.com:443", "auth.example.com", "a-client", "https://an.audience")
    key = in_use.KeyInUse(sources.given(CleanedKey(Secret("a-key-of-somebody")), "pasted"), itar)
    assert dict(environ_for(key)) == {
        "LC_API_KEY": "a-key-of-somebody",
        "LC_DOMAIN": "apis.example.com:443",
        "LC_AUTH_DOMAIN": "auth.example.com",
        "LC_AUTH_CLIENT_ID": "a-client",
        "LC_AUTH_SERVICE_ID": "https://an.audience",
    }


@pytest.mark.parametrize("changes", ["", "mp_context=multiprocessing.get_context('forkserver')"])
def test_the_workers_of_a_pool_are_signed_in_also_where_a_fork_is_the_default(a_kernel, a_key, changes):
    _sign_in_with(a_kernel, a_key)
    a_kernel.run(POOL + "multiprocessing.set_start_method('fork', force=True)")
    ran = a_kernel.run(f"with a_pool({changes}) as pool: print(pool.submit(projects).result(timeout=30))")
    assert (ran.text, ran.error) == (f"{ADAS}\n", "")


def test_a_worker_that_has_loaded_the_sdk_before_its_initializer_is_signed_in_as_well(a_bound_environ, a_key, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)],
        input=a_key.secret,
        env={**a_bound_environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == f"{ADAS}\n", done.stderr


def test_when_the_session_has_ended_a_worker_of_a_pool_fails_at_once_and_opens_no_browser(
    a_kernel, a_sandbox, a_stored_session
):
    a_kernel.run(f"{LOGIN}\n{POOL}\npool = a_pool()")
    a_sandbox.end_sessions("ada@example.com")
    ran = a_kernel.run("print(pool.submit(failure).result(timeout=30)); pool.shutdown()")
    assert "InteractiveAuthException" in ran.text, ran.error


ROTATING_POOL = """
from concurrent.futures import ProcessPoolExecutor
from luminary_auth_widget.workers import pool_options
from tests.workers.tasks import renewals
if __name__ == "__main__":
    with ProcessPoolExecutor(4, **pool_options({"LC_API_KEY": ""})) as pool:
        print(list(pool.map(renewals, range(4), timeout=100)))
"""


def test_where_refresh_tokens_rotate_workers_that_renew_at_once_all_keep_the_session(tmp_path):
    (tmp_path / "script.py").write_text(ROTATING_POOL)
    with sandbox.start(refresh_rotation=True) as cloud:
        environ = bound_environ(cloud, tmp_path)
        store_session(cloud, environ)
        done = subprocess.run(
            [sys.executable, str(tmp_path / "script.py")],
            env={**environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout == "[[], [], [], []]\n", done.stdout + done.stderr
        renewed = [one.outcome for one in cloud.requests if one.credential == "refresh token"]
        assert renewed == ["200"] * 16


def test_an_initializer_without_its_argument_says_what_is_missing(a_kernel):
    ran = a_kernel.run("from luminary_auth_widget.workers import sign_in_worker; sign_in_worker({})")
    assert "initargs=(session.environ(),)" in ran.error
