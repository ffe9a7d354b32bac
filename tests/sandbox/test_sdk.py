"""The unmodified SDK against the sandbox, by its environment alone."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from luminary_auth_widget.sandbox import Sandbox

from .conftest import RunPython
from .helpers import ADA, Browser

LIST = "import luminarycloud as lc; print([p.name for p in lc.iterate_projects()])"
# A port that nothing listens on: what goes there fails.
DEAD_PROXY = "http://127.0.0.1:9"
SIGN_IN = """
import webbrowser
class Printing(webbrowser.BaseBrowser):
    def open(self, url, new=0, autoraise=True):
        print("LINK", url, flush=True)
        return True
webbrowser.register("printing", None, Printing("printing"), preferred=True)
import luminarycloud as lc
with lc.Client(api_key=None) as client:
    client.get_token()
    print("PROJECTS", [p.name for p in lc.iterate_projects()])
"""


def test_lists_projects_with_a_key_through_a_hostile_environment(
    a_sandbox: Sandbox, run_python: RunPython, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = a_sandbox.create_api_key("ada@example.com")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate at all")
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"):
        monkeypatch.setenv(variable, str(wrong))
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"):
        monkeypatch.setenv(variable, DEAD_PROXY)
    listed = run_python(LIST, a_sandbox.environ | {"LC_API_KEY": key.secret})
    assert "DrivAer" in listed.stdout, listed.stderr
    assert "pump" not in listed.stdout
    assert [(r.credential, r.outcome) for r in a_sandbox.requests if r.last_four == key.secret[-4:]] == [
        ("api key", "OK")
    ]


def test_each_account_sees_its_own_projects_page_by_page(a_sandbox: Sandbox, run_python: RunPython) -> None:
    key = a_sandbox.create_api_key("grace@example.com")
    by_twos = "import luminarycloud as lc; print([p.name for p in lc.iterate_projects(page_size=2)])"
    listed = run_python(by_twos, a_sandbox.environ | {"LC_API_KEY": key.secret})
    assert listed.stdout.strip() == str(
        ["Centrifugal pump, cavitation onset", "Cabin ventilation, summer case", "NASA CRM high-lift"]
    ), listed.stderr


def test_a_refused_key_is_an_authentication_error(a_sandbox: Sandbox, run_python: RunPython) -> None:
    refused = run_python(LIST, a_sandbox.environ | {"LC_API_KEY": "lc_unknown_to_the_sandbox"})
    assert "luminarycloud.exceptions.AuthenticationError" in refused.stderr


def test_browser_login_completes_and_later_clients_renew_until_thirty_days_are_over(
    a_sandbox_whose_time_moves: Sandbox, run_python: RunPython
) -> None:
    cloud = a_sandbox_whose_time_moves
    with (
        subprocess.Popen(
            [sys.executable, "-c", SIGN_IN], env=os.environ | cloud.environ, stdout=subprocess.PIPE, text=True
        ) as sdk,
        Browser(cloud) as browser,
    ):
        assert sdk.stdout
        link = next(line.split()[1] for line in sdk.stdout if line.startswith("LINK"))
        page = browser.get(link.removeprefix(f"{cloud.url}/"))
        landed = browser.send(page, email=ADA[0], password=ADA[1]).headers["Location"]
        assert urlsplit(landed).hostname == "127.0.0.1"
        # Without keep-alive the SDK's listener ends at once.
        browser.session.get(landed, headers={"Connection": "close"}, timeout=5)
        assert "DrivAer" in sdk.stdout.read()

    renewing = "import luminarycloud as lc; lc.set_default_client(lc.Client(api_key=None, noninteractive=True));" + LIST
    cloud.advance(timedelta(days=29))
    assert "DrivAer" in run_python(renewing, cloud.environ).stdout
    cloud.advance(timedelta(days=1, seconds=1))
    over = run_python(
        "import luminarycloud as lc; lc.Client(api_key=None, noninteractive=True).get_token()", cloud.environ
    )
    assert "403 Client Error" in over.stderr
    assert "InteractiveAuthException" in over.stderr


def test_the_server_never_runs_the_sdk_itself() -> None:
    # Importing it would read a `.env`, and make the real credentials folder.
    imported = "print('luminarycloud._config' in sys.modules)"
    run = f"import sys; from luminary_auth_widget.sandbox import api; api._protocol(); {imported}"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_variable_that_the_sdk_reads_is_set_so_that_none_comes_from_a_dotenv(a_sandbox: Sandbox) -> None:
    spec = importlib.util.find_spec("luminarycloud")
    assert spec
    assert spec.submodule_search_locations
    sources = Path(spec.submodule_search_locations[0]).rglob("*.py")
    reads = re.compile(r"""(?:getenv|environ(?:\.get)?)[(\[]\s*["'](LC_\w+)""")
    read = {name for source in sources for name in reads.findall(source.read_text(encoding="utf-8"))}
    assert "LC_API_KEY" in read
    assert read <= a_sandbox.environ.keys()


def test_importing_the_package_in_a_kernel_imports_none_of_the_servers_libraries(run_python: RunPython) -> None:
    heavy = "luminarycloud", "grpc", "flask", "authlib", "trustme", "werkzeug"
    done = run_python(f"import sys; from luminary_auth_widget import sandbox; print({set(heavy)} & sys.modules.keys())")
    assert done.stdout.strip() == "set()", done.stderr
