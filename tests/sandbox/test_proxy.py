"""The pages behind jupyter-server-proxy, as on Binder and on a hub: a real Jupyter server, proxy and browser."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from luminary_auth_widget.sandbox import Sandbox
from tests import chromium

from .helpers import CALLBACK, Browser, status_of

BASE_URL = "/user/abc-123/"
START_LIMIT_SECONDS = 60
# Which version of the proxy answers a redirect how: 4.4 leaves it alone, 4.5 rewrites every one without a host, 4.6
# only those that begin with a slash. The newest is the installed one.
VERSIONS = [
    pytest.param("4.4.0", marks=pytest.mark.matrix),
    pytest.param("4.5.0", marks=pytest.mark.matrix),
    pytest.param("", id="installed"),
]


@pytest.fixture(scope="module", params=VERSIONS)
def a_jupyter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Jupyter server with the proxy; "hub.localhost" stands for a name from outside."""
    folder = tmp_path_factory.mktemp("jupyter")
    environ = _environ(folder, request.param)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0",
             f"--ServerApp.base_url={BASE_URL}", "--ServerApp.allow_remote_access=True", "--IdentityProvider.token=",
             f"--ServerApp.root_dir={folder}", "--allow-root",
             # Slow to start, and nobody looks at it here.
             "--ServerApp.jpserver_extensions=jupyterlab=False"],
            env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    _wait_until_up(server, f"http://127.0.0.1:{port}{BASE_URL}api", folder / "log")
    yield f"http://hub.localhost:{port}"
    server.terminate()
    server.wait(timeout=20)


def _environ(folder: Path, version: str) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
    environ |= {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    if version:
        # In front of the installed one, with everything else as it is.
        wanted = [f"--target={folder / 'older'}", "--no-deps", f"jupyter-server-proxy=={version}"]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=True, timeout=120)
        environ["PYTHONPATH"] = str(folder / "older")
        said = "import jupyter_server_proxy as p, importlib.metadata as m; print(p.__file__, m.version(p.__name__))"
        used = subprocess.run([sys.executable, "-c", said], env=environ, check=True, capture_output=True, text=True)
        assert used.stdout.split() == [str(folder / "older/jupyter_server_proxy/__init__.py"), version]
    return environ


def _wait_until_up(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)  # the server has no other sign of being up
    server.kill()
    raise AssertionError(f"The Jupyter server did not start:\n{log.read_text()}")


@pytest.fixture
def a_prefix(a_sandbox: Sandbox) -> str:
    return f"{BASE_URL}proxy/{a_sandbox.page_url.rsplit(':', 1)[1]}"


@pytest.fixture(scope="module")
def a_chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def a_page(a_chromium: Chromium) -> Iterator[Page]:
    """A person's page; whatever the browser complains of fails the test, a blocked script or style among it."""
    context = a_chromium.new_context()
    said: list[str] = []
    page = context.new_page()
    chromium.note_complaints(page, said)
    yield page
    context.close()
    assert said == []


def _log_in(page: Page) -> None:
    page.get_by_role("button", name="Continue as Ada").click()


def test_everything_can_be_done_below_the_prefix_and_nothing_leaves_it(
    a_sandbox: Sandbox, a_jupyter: str, a_prefix: str, a_page: Page
) -> None:
    asked: list[str] = []
    a_page.on("request", lambda request: asked.append(request.url))
    a_page.goto(f"{a_jupyter}{a_prefix}/")
    _log_in(a_page)
    expect(a_page).to_have_url(f"{a_jupyter}{a_prefix}/profile")

    a_page.get_by_role("button", name="Create API key").click()
    a_page.get_by_label("Name", exact=True).fill("from outside")
    a_page.get_by_role("button", name="Create", exact=True).click()
    secret = a_page.get_by_label("Your new API key").input_value()
    assert status_of(a_sandbox, key=secret) == "OK"
    a_page.get_by_role("button", name="Done").click()
    row = a_page.get_by_role("row", name="from outside")
    for verb in ("Revoke", "Delete"):
        row.get_by_label("Actions for from outside").click()
        row.get_by_role("button", name=verb).click()
        a_page.get_by_role("dialog").get_by_role("button", name=verb).click()
        expect(row.get_by_label("inactive")).to_have_count(1 if verb == "Revoke" else 0)
    expect(row).to_have_count(0)
    assert status_of(a_sandbox, key=secret) == "UNAUTHENTICATED"

    a_page.get_by_role("link", name="Projects").click()
    expect(a_page.get_by_role("row", name="Folded-fin heat sink")).to_be_visible()
    a_page.get_by_text("My Account").click()
    a_page.get_by_role("button", name="Log out").click()
    expect(a_page.get_by_role("heading", name="Log in")).to_be_visible()
    assert {url.removeprefix(a_jupyter).removeprefix(a_prefix)[0] for url in asked} == {"/"}
    assert all(url.startswith(f"{a_jupyter}{a_prefix}/") for url in asked), asked


def test_the_cookie_is_for_the_prefix_alone(a_jupyter: str, a_prefix: str, a_page: Page) -> None:
    a_page.goto(f"{a_jupyter}{a_prefix}/login")
    _log_in(a_page)
    (ours,) = [cookie for cookie in a_page.context.cookies() if cookie["name"].startswith("luminary_sandbox")]
    assert (ours["path"], ours["domain"]) == (a_prefix, "hub.localhost")
    assert (ours["httpOnly"], ours["sameSite"]) == (True, "Lax")
    assert not ours["secure"], "a browser would drop it, since it came by http"


@pytest.mark.parametrize("met", ["https", "https,http", "https, http"])
def test_behind_a_proxy_that_the_browser_met_by_https_the_cookie_is_secure(
    a_jupyter: str, a_prefix: str, met: str
) -> None:
    inside = a_jupyter.replace("hub.localhost", "127.0.0.1")
    headers = {"Host": "hub.example.org", "X-Forwarded-Proto": met}
    answer = requests.get(f"{inside}{a_prefix}/login", headers=headers, timeout=5)
    assert answer.status_code == 200
    (ours,) = [one for one in answer.raw.headers.getlist("Set-Cookie") if one.startswith("luminary_sandbox")]
    assert "; Secure" in ours
    assert "Path" not in ours, "the browser knows the prefix in its own spelling"


def test_a_page_that_is_not_there_is_dressed_at_any_depth(a_jupyter: str, a_prefix: str) -> None:
    inside = a_jupyter.replace("hub.localhost", "127.0.0.1")
    for path, root in (("nowhere", ""), ("a/b/nowhere", "../../")):
        answer = requests.get(f"{inside}{a_prefix}/{path}", timeout=5)
        assert answer.status_code == 404
        assert f'href="{root}static/sandbox.css"' in answer.text


def test_the_sdks_sign_in_goes_through_the_prefix_and_ends_at_the_sdks_own_address(
    a_sandbox: Sandbox, a_jupyter: str, a_prefix: str, a_chromium: Chromium
) -> None:
    with Browser(a_sandbox) as plain:
        page, verifier = plain.authorize()
        link = page.url.replace(a_sandbox.url, f"{a_jupyter}{a_prefix}")
        context = a_chromium.new_context()
        tab = context.new_page()
        tab.goto(link)
        expect(tab.get_by_text("The Luminary Cloud Python SDK asks to sign you in.")).to_be_visible()
        # Nobody listens there: the kernel is elsewhere, as far as this browser knows.
        with tab.expect_request(re.compile(f"^{re.escape(CALLBACK)}")) as landed:
            _log_in(tab)
        code = re.search("code=([^&]+)", landed.value.url)
        context.close()
        assert code
        assert plain.exchange(code[1], verifier).status_code == 200
