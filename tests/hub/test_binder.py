"""Binder: the build as repo2docker renders it, replayed, and in it the tour as the badge opens it."""

from __future__ import annotations

import json
import re
import subprocess
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from luminary_auth_widget.sandbox.demo import ADA, GRACE, PROJECTS, DemoAccount
from tests.browser.lab import LIMIT, LabPage
from tests.browser.person import address_of_the_dead_page, expect_signed_in, follow, link_of, make_a_key, paste

from . import replay
from .replay import BADGE, Rendering

pytestmark = pytest.mark.matrix

TOUR = "notebooks/sign-in.ipynb"


@dataclass(frozen=True)
class Binder:
    """A server as mybinder.org starts one for a visitor; `url` is its address, without a slash at the end."""

    url: str

    def address_behind(self, badge: str) -> str:
        """Return where mybinder.org sends the visitor who has clicked that badge."""
        (path,) = parse_qs(urlsplit(badge).query)["urlpath"]
        return f"{self.url}/{path}?token={replay.TOKEN}"


@pytest.fixture(scope="module")
def a_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replay.check_out(tmp_path_factory.mktemp("home") / "jovyan")


@pytest.fixture(scope="module")
def a_rendering(a_checkout: Path) -> Rendering:
    return replay.render(a_checkout)


@pytest.fixture(scope="module")
def an_image(a_rendering: Rendering, a_checkout: Path) -> dict[str, str]:
    """The variables of the replayed build's result."""
    return replay.build(a_rendering, a_checkout)


@pytest.fixture(scope="module")
def a_binder(
    a_rendering: Rendering,
    an_image: dict[str, str],
    a_checkout: Path,
    a_proxy: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Binder]:
    logs = tmp_path_factory.mktemp("logs")
    with replay.launch(a_rendering, a_checkout, an_image, a_proxy, logs) as url:
        yield Binder(url)


@pytest.fixture
def a_tour(a_binder: Binder, a_checkout: Path, a_browser_elsewhere: BrowserContext) -> Iterator[LabPage]:
    """JupyterLab as the badge opens it: its kernel is new, and nobody is signed in."""
    tour = LabPage(a_browser_elsewhere.new_page(), a_binder)
    tour.page.goto(a_binder.address_behind(BADGE))
    tour.wait_until_open(TOUR)
    yield tour
    tour.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    replay.sign_everybody_out(a_checkout)


def _projects_of(account: DemoAccount) -> list[str]:
    return sorted(project.name for project in PROJECTS if account.email in project.members)


def test_the_build_takes_our_python_our_requirements_and_our_start(a_rendering):
    assert a_rendering.python == "3.12"
    install, executable = a_rendering.runs
    assert install == '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"'
    assert executable == 'chmod +x "${REPO_DIR}/binder/start"'
    assert a_rendering.environ["R2D_ENTRYPOINT"] == "${REPO_DIR}/binder/start"


def test_what_is_installed_leaves_the_base_image_as_it_is_and_the_sdk_s_own_jupyter_extra_out(a_rendering, an_image):
    listed = subprocess.check_output(["pip", "list", "--format=json"], env=an_image, text=True)
    installed = {each["name"].lower().replace("-", "_"): each["version"] for each in json.loads(listed)}
    assert len(a_rendering.base) == 6
    assert {name: installed[name] for name in a_rendering.base} == a_rendering.base
    subprocess.run(["pip", "check"], env=an_image, check=True)


def test_without_its_sandbox_nothing_is_started(a_checkout, an_image, tmp_path):
    (tmp_path / "file").touch()
    environ = {**an_image, "LUMINARY_SANDBOX_DIR": str(tmp_path / "file" / "folder")}
    command = [str(a_checkout / "binder" / "start"), "echo", "Jupyter would start."]
    ran = subprocess.run(command, cwd=a_checkout, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "Jupyter would start." not in ran.stdout
    assert "file" in ran.stderr


def test_the_badge_leads_to_the_tour_and_that_to_a_key_from_the_proxied_pages_and_to_the_accounts_projects(
    a_tour, a_binder
):
    use, login, _, projects, *_ = a_tour.code_cells()
    said = a_tour.run(use)
    assert "Nothing real belongs there: enter no password or key of yours." in said
    assert "localhost" not in said, "a link that is dead in the visitor's browser"
    a_tour.run(login)
    expect(a_tour.card).to_contain_text("This is the sandbox: enter no password or key of yours", timeout=LIMIT)
    pages = follow(a_tour.card.get_by_role("link", name="Get a key"))
    expect(pages.get_by_text("Enter no real password or key.")).to_be_visible()
    secret = make_a_key(pages)
    assert pages.url.startswith(f"{a_binder.url}/proxy/")
    a_tour.card.get_by_label("API key", exact=True).fill(secret)
    a_tour.card.get_by_role("button", name="Use key").click()
    expect(a_tour.card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    assert literal_eval(a_tour.run(projects)) == _projects_of(ADA)


def test_the_browser_sign_in_goes_through_the_proxy_to_a_dead_page_whose_address_is_pasted(a_tour, a_binder):
    use, login, _, projects, *_ = a_tour.code_cells()
    for cell in (use, login):
        a_tour.run(cell)
    link = link_of(a_tour.card)
    shown = link.get_attribute("href")
    assert shown.startswith(f"{a_binder.url}/proxy/")
    expect(a_tour.card.get_by_role("group", name="Log-in link")).to_have_text(shown)
    tab = follow(link)
    address = address_of_the_dead_page(tab, GRACE)
    assert re.match(r"http://127\.0\.0\.1:\d+/callback\?code=", address)
    paste(a_tour.card, address)
    expect_signed_in(a_tour.card, GRACE)
    assert literal_eval(a_tour.run(projects)) == _projects_of(GRACE)


def test_behind_the_proxy_the_pages_keep_their_policy_their_cookie_and_their_refusal_of_forms_of_others(a_tour):
    for cell in a_tour.code_cells()[:2]:
        a_tour.run(cell)
    with a_tour.page.context.expect_event("response", lambda answer: answer.url.endswith("/login")) as answered:
        pages = follow(a_tour.card.get_by_role("link", name="Get a key"))
    make_a_key(pages)
    policy = answered.value.header_value("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    folder = urlsplit(pages.url).path.rpartition("/")[0]
    (cookie,) = [each for each in pages.context.cookies() if each["name"].startswith("luminary_sandbox")]
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (folder, True, "Lax")
    # From the notebook's page, which is of the same origin, and has the cookie sent.
    post = "async (url) => (await fetch(url, { method: 'POST' })).text()"
    assert "This form is out of date" in a_tour.page.evaluate(post, f"{folder}/logout")
    pages.reload()
    expect(pages.get_by_text("My Account")).to_be_visible()


def _panel_of(lab_page: LabPage) -> Locator:
    lab_page.command("luminary-auth:open-panel")
    return lab_page.panel


def test_the_sidebar_starts_in_the_sandbox_too_and_the_tour_goes_on_from_there(a_tour):
    panel = _panel_of(a_tour)
    panel.get_by_role("button", name="Start").click(timeout=LIMIT)
    expect(panel).to_contain_text("This is the sandbox", timeout=LIMIT)
    use, login, by_code, projects, *_ = a_tour.code_cells()
    a_tour.run(use)
    a_tour.run(login)
    assert "Signed in with an API key" in a_tour.run(by_code)
    expect(panel).to_contain_text("Signed in with an API key", timeout=LIMIT)
    assert literal_eval(a_tour.run(projects)) == _projects_of(ADA)


def test_a_notebook_that_never_asked_for_the_sandbox_is_bound_to_it_as_well(a_tour):
    cell, *_ = a_tour.code_cells()
    a_tour.type_into(cell, "from luminarycloud import _config as c\nc.LC_DOMAIN, c.LC_AUTH_DOMAIN, c.LC_API_KEY")
    assert re.fullmatch(r"\('localhost:\d+', 'localhost:\d+', ''\)", a_tour.run(cell))
