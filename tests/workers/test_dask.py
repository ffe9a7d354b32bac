"""The workers of a Dask cluster are signed in as the kernel is, and nothing that could renew a session reaches them."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest

from luminary_auth_widget import sandbox
from luminary_auth_widget.dask import _is_private
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel

from .conftest import ADAS, GRACES, LOGIN, ROOT, store_session

CLUSTER = f"""
import time
from distributed import Client, LocalCluster
from luminary_auth_widget.dask import sign_in_workers
from tests.workers.tasks import access_token, failure, finds_in_memory, projects, projects_or_failure
cluster = LocalCluster(
    host="127.0.0.1", n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=False
)
client = Client(cluster)
def everywhere(task, *args):
    workers = list(client.scheduler_info()["workers"])
    return client.gather([client.submit(task, *args, workers=[w], pure=False) for w in workers])
def until(holds):
    deadline = time.monotonic() + 30
    while not (seen := everywhere(projects_or_failure)) or not all(map(holds, seen)):
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)  # between two looks at other processes
    return True
{LOGIN}
"""
# Everything that any process of the cluster, or the kernel, writes into a log.
DASK_LOGS = """
logging:
  version: 1
  disable_existing_loggers: false
  handlers:
    file: {{class: logging.FileHandler, filename: {file}, level: DEBUG}}
  root: {{level: DEBUG, handlers: [file]}}
  loggers:
    distributed: {{level: DEBUG}}
"""


@contextmanager
def _cluster(cloud, folder, **options):
    environ = bound_environ(cloud, folder)
    (folder / "dask").mkdir()
    (folder / "dask" / "logs.yaml").write_text(DASK_LOGS.format(file=folder / "log"))
    token = store_session(cloud, environ)
    kernel = Kernel(folder, {**environ, "PYTHONPATH": str(ROOT), "DASK_CONFIG": str(folder / "dask"), **options})
    try:
        ran = kernel.run(CLUSTER)
        assert not ran.error, ran.traceback
        yield kernel, token
    finally:
        kernel.run("client.close(); cluster.close()")
        kernel.close()


def _ran(kernel, code):
    ran = kernel.run(code)
    assert not ran.error, ran.traceback
    return ran.text


def test_workers_are_signed_in_follow_every_change_and_hold_no_refresh_token(a_sandbox, tmp_path):
    other = a_sandbox.create_api_key("grace@example.com")
    with _cluster(a_sandbox, tmp_path) as (kernel, refresh_token):
        _ran(kernel, "workers = sign_in_workers(client)")
        assert _ran(kernel, "print(everywhere(projects))") == f"{[ADAS] * 2}\n"
        _ran(kernel, "cluster.scale(3); client.wait_for_workers(3, timeout=30)")
        assert _ran(kernel, "print(everywhere(projects))") == f"{[ADAS] * 3}\n"

        # The access token is what a search of a worker's memory finds, the refresh token what it does not.
        halves = "token[:40], token[40:]"
        assert _ran(kernel, f"token = session.client.get_token(); print(everywhere(finds_in_memory, {halves}))") == (
            f"{[True] * 3}\n"
        )
        half = len(refresh_token) // 2
        found = f"everywhere(finds_in_memory, {refresh_token[:half]!r}, {refresh_token[half:]!r})"
        assert _ran(kernel, f"print({found})") == f"{[False] * 3}\n"
        access_token = _ran(kernel, "print(token)").strip()

        _ran(kernel, f"_ = session.use_key('{other.secret}')")
        assert _ran(kernel, f"print(until(lambda seen: seen == {GRACES!r}))") == "True\n"
        _ran(kernel, "_ = session.sign_out()")
        assert _ran(kernel, "print(until(lambda seen: 'Nobody is signed in' in seen))") == "True\n"
        _ran(kernel, f"_ = session.use_key('{other.secret}')")
        assert _ran(kernel, f"print(until(lambda seen: seen == {GRACES!r}))") == "True\n"

        shown = _ran(kernel, "print(workers, cluster.scheduler.worker_plugins, client.list_datasets())")
        _ran(kernel, "client.dump_cluster_state('state', format='yaml')")
        _ran(kernel, "workers.close()")
        assert _ran(kernel, "print(everywhere(failure)[0][:300])").count("Nobody is signed in") == 1
        assert _ran(kernel, "print(client.list_datasets())") == "()\n"
    logged = (tmp_path / "log").read_text()
    assert "'op': 'register_worker_plugin'" in logged, "This is no log at debug level"
    everything = logged + shown + (tmp_path / "state.yaml").read_text()
    assert [s for s in (refresh_token, access_token, other.secret) if s in everything] == []


def test_an_access_token_is_renewed_before_it_ends_and_the_workers_follow(tmp_path):
    with sandbox.start() as cloud:
        # Tokens of this sandbox live for 24 h by its clock: here, for some seconds.
        cloud.advance(-timedelta(hours=24) + timedelta(seconds=40))
        with _cluster(cloud, tmp_path) as (kernel, _):
            _ran(kernel, "workers = sign_in_workers(client); first = everywhere(access_token)")
            cloud.advance(timedelta(hours=24))
            # On a busy machine it is renewed before the clock moves, too, and that token ends as soon.
            _ran(
                kernel,
                "deadline = time.monotonic() + 90\n"
                "while set(everywhere(access_token)) & set(first)"
                f" or everywhere(projects_or_failure) != {[ADAS] * 2}:\n"
                "    assert time.monotonic() < deadline\n"
                "    time.sleep(0.1)",
            )


def test_the_kernel_that_signed_a_cluster_in_last_is_the_one_that_it_follows(a_sandbox, tmp_path, a_kernel, a_key):
    folder = tmp_path / "first"
    folder.mkdir()
    hers = a_sandbox.create_api_key("grace@example.com")
    with _cluster(a_sandbox, folder) as (first, _):
        address = _ran(first, "workers = sign_in_workers(client); print(client.scheduler.address)").strip()
        _ran(a_kernel, f"{LOGIN}; _ = session.use_key('{hers.secret}')")
        _ran(a_kernel, "from distributed import Client\nfrom luminary_auth_widget.dask import sign_in_workers")
        _ran(a_kernel, f"client = Client({address!r}); workers = sign_in_workers(client)")
        assert _ran(first, "print(everywhere(projects))") == f"{[GRACES] * 2}\n"
        _ran(first, f"_ = session.use_key('{a_key.secret}'); workers.close()")
        assert _ran(first, "print(everywhere(projects))") == f"{[GRACES] * 2}\n"
        _ran(a_kernel, "workers.close(); client.close()")


def test_in_a_cluster_of_threads_the_kernel_keeps_its_own_client(a_kernel, a_key):
    cell = (
        "from distributed import Client\nfrom luminary_auth_widget.dask import sign_in_workers\n"
        f"{LOGIN}; _ = session.use_key('{a_key.secret}')\nfrom tests.workers.tasks import projects\n"
        "with Client(processes=False, dashboard_address=None) as client, sign_in_workers(client):\n"
        "    print(client.submit(projects).result())\n"
        "print(projects())"
    )
    # Without a network, distributed warns in between.
    assert _ran(a_kernel, cell).splitlines().count(str(ADAS)) == 2


def test_signed_out_no_worker_is_told_anything_and_an_asynchronous_client_is_refused(a_kernel):
    _ran(a_kernel, f"{LOGIN}\nfrom distributed import Client\nfrom luminary_auth_widget.dask import sign_in_workers")
    ran = a_kernel.run("with Client(processes=False, dashboard_address=None) as client: sign_in_workers(client)")
    assert ran.error.startswith("NotSignedIn")
    ran = a_kernel.run(
        "async with Client(processes=False, dashboard_address=None, asynchronous=True) as client:\n"
        "    sign_in_workers(client)"
    )
    assert ran.error.startswith("CredentialUnusable: This Dask client is asynchronous")


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("inproc://10.0.0.7/1/2", True),
        ("tls://10.0.0.7:8786", True),
        ("tcp://10.0.0.7:8786", False),
        ("ws://scheduler.example.com/ws", False),
    ],
)
def test_a_way_that_others_can_read_is_told_from_one_that_they_cannot(address, private):
    assert _is_private(address) is private


def test_without_dask_the_error_names_the_extra(tmp_path):
    code = "import sys; sys.modules['distributed'] = None; import luminary_auth_widget.dask"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert re.search(r"Run: %pip install 'luminary-auth-widget\[dask\]'", done.stderr)


def test_importing_the_package_imports_no_dask(tmp_path):
    code = "import sys, luminary_auth_widget; sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
