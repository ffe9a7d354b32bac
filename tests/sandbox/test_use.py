"""`sandbox.use()`: a kernel is pointed at the sandbox, and nothing real leaks into it."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from luminary_auth_widget.sandbox import Sandbox, process

from .conftest import RunPython
from .helpers import eventually, pid_of

# Shaped like the real thing, and as real as this file.
REAL_KEY = "lc-9f8e7d6c5b4a39281706f5e4d3c2a1b2"
ENV_FILE = (
    "LC_API_KEY=lc-from-the-dotenv-file-0000000000c3d4\nLC_DOMAIN=apis.elsewhere.invalid\nLC_REFRESH_ROTATION=TRUE\n"
)
USE = "from luminary_auth_widget import sandbox; cloud = sandbox.use();"


@pytest.fixture(scope="session")
def a_folder_in_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a kernel with a real key has started the sandbox of this machine."""
    folder = tmp_path_factory.mktemp("state") / "sandbox"
    environ = os.environ | {"LUMINARY_SANDBOX_DIR": str(folder), "LC_API_KEY": REAL_KEY}
    subprocess.run([sys.executable, "-c", USE], env=environ, check=True, stdout=subprocess.DEVNULL, timeout=60)
    yield folder
    cloud = process.find_running(folder)
    assert cloud
    cloud.stop()


@pytest.fixture
def a_running_one(a_folder_in_use: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setenv("LUMINARY_SANDBOX_DIR", str(a_folder_in_use))
    cloud = process.find_running(a_folder_in_use)
    assert cloud
    return cloud


def test_neither_a_real_key_nor_a_dotenv_is_sent_anywhere(
    run_python: RunPython, a_running_one: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(ENV_FILE)
    list_signed_out = """
import luminarycloud as lc
from luminarycloud import _config
assert (_config.LC_API_KEY, _config.LC_REFRESH_ROTATION) == ("", False)
assert _config.LC_DOMAIN == cloud.environ["LC_DOMAIN"]
assert _config.LC_AUTH_DOMAIN == cloud.url.removeprefix("https://")
lc.set_default_client(lc.Client(api_key=None, noninteractive=True))
try:
    list(lc.iterate_projects())
except Exception as refused:
    assert "InteractiveAuthException" in str(refused)
key = cloud.create_api_key("ada@example.com")
lc.set_default_client(lc.Client(api_key=key.secret))
print(len(list(lc.iterate_projects())), "projects")
print({request.last_four for request in cloud.requests} == {key.secret[-4:]})
"""
    done = run_python(USE + list_signed_out, {"LC_API_KEY": REAL_KEY})
    assert done.returncode == 0, done.stderr
    assert "Your LC_API_KEY (…a1b2) was taken out of this kernel's environment and is not sent anywhere." in done.stdout
    assert "There is a .env beside this notebook; its LC_ variables are not read unless you press Load." in done.stdout
    assert "ada@example.com (password analytical-engine)" in done.stdout
    assert done.stdout.endswith("3 projects\nTrue\n")
    assert REAL_KEY not in done.stdout + done.stderr


def test_it_says_only_what_is_true(run_python: RunPython, a_running_one: Sandbox) -> None:
    done = run_python(USE, {"LC_API_KEY": ""})
    assert "This kernel now talks to the sandbox" in done.stdout
    assert "Nothing real belongs there: enter no password or key of yours." in done.stdout
    assert "LC_API_KEY" not in done.stdout
    assert ".env" not in done.stdout


@pytest.mark.parametrize(
    ("public", "pages", "said"),
    [
        ("", "/user/ada/proxy/", "Its pages: Get a key ↗ in the widget opens them"),
        ("https://hub.example.org/user/ada/",) + ("https://hub.example.org/user/ada/proxy/",) * 2,
    ],
    ids=["a hub that does not tell its name", "a hub that does"],
)
def test_on_a_hub_its_pages_are_below_the_persons_own_server(
    run_python: RunPython, a_running_one: Sandbox, public: str, pages: str, said: str
) -> None:
    hub = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/", "JUPYTERHUB_PUBLIC_URL": public}
    done = run_python(f"import os; {USE} print(os.environ['LUMINARY_SANDBOX_PAGES'])", hub)
    assert done.stdout.splitlines()[-1] == pages + a_running_one.page_url.rpartition(":")[2]
    assert said in done.stdout
    assert "http://localhost" not in done.stdout


def test_the_process_is_not_given_the_real_key(a_running_one: Sandbox) -> None:
    pid = pid_of(a_running_one)
    environ = Path(f"/proc/{pid}/environ")
    told = environ.read_bytes() if environ.exists() else subprocess.check_output(["ps", "eww", str(pid)])
    assert REAL_KEY.encode() not in told


@pytest.fixture
def another_https_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server that a company's own CA vouches for, and that CA's file."""
    authority = trustme.CA()
    bundle = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}", bundle
        server.shutdown()


def test_other_https_goes_on_working(
    run_python: RunPython, a_running_one: Sandbox, another_https_server: tuple[str, Path]
) -> None:
    url, bundle = another_https_server
    both = f"import requests; print([requests.get(u, timeout=5).status_code for u in ('{url}', cloud.url + '/login')])"
    public = "import certifi, os; trusted = open(os.environ['SSL_CERT_FILE']).read(); print(len(trusted) > 100_000)"
    environ = dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), "")
    done = run_python(USE + both, environ | {"REQUESTS_CA_BUNDLE": str(bundle)})
    assert "[200, 200]" in done.stdout, done.stderr
    done = run_python(USE + "sandbox.use();" + public, environ | {"REQUESTS_CA_BUNDLE": ""})
    assert done.stdout.endswith("True\n"), "where no file is named, the public authorities stay trusted"


def test_it_refuses_when_the_sdk_is_bound_elsewhere(
    run_python: RunPython, a_folder_of_its_own: Path, tmp_path: Path
) -> None:
    bound = {"LC_DOMAIN": "apis.elsewhere.invalid", "LC_API_KEY": "", "LC_CREDENTIALS_DIR": str(tmp_path / "real")}
    done = run_python("import luminarycloud;" + USE, bound)
    assert "already imported in this kernel, and talks to apis.elsewhere.invalid." in done.stderr
    assert "Restart the kernel, and run sandbox.use() first." in done.stderr
    assert process.find_running(a_folder_of_its_own) is None, "nothing was started for nothing"


def test_using_it_again_in_the_same_kernel_joins(run_python: RunPython, a_running_one: Sandbox) -> None:
    again = """
import os, luminarycloud
before = dict(os.environ)
sandbox.use()
print(before == os.environ)
"""
    done = run_python(USE + again)
    assert done.stdout.endswith("True\n"), done.stderr


def test_two_kernels_at_once_end_up_on_one_sandbox_that_outlives_them(a_folder_of_its_own: Path) -> None:
    kernels = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", USE + "print('URL', cloud.url)"], stdout=-1, text=True)
        for _ in range(2)
    ]
    outputs = [kernel.communicate(timeout=60)[0] for kernel in kernels]
    urls = {line for output in outputs for line in output.splitlines() if line.startswith("URL")}
    assert len(urls) == 1
    cloud = process.find_running(a_folder_of_its_own)
    assert cloud
    assert f"URL {cloud.url}" in urls


def test_a_state_file_that_was_left_behind_is_noticed(run_python: RunPython, a_folder_of_its_own: Path) -> None:
    run_python(USE)
    dead = process.find_running(a_folder_of_its_own)
    assert dead
    os.kill(pid_of(dead), 9)
    done = run_python(USE + "print('URL', cloud.url)")
    cloud = process.find_running(a_folder_of_its_own)
    assert cloud
    assert f"URL {cloud.url}" in done.stdout
    assert cloud.url != dead.url


def test_it_ends_itself_when_nobody_asks_it_anything(tmp_path: Path) -> None:
    process.start_detached(tmp_path, idle_limit_seconds=3)
    assert eventually(lambda: not (tmp_path / "sandbox.json").exists())
