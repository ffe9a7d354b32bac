"""A real JupyterHub: several people sign in at once, through its proxy, on the four callback ports of one machine."""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox.demo import ADA, GRACE, PROJECTS, DemoAccount
from tests.browser.lab import LIMIT, LIST, LOGIN, LabPage, free_port, lab_context
from tests.browser.person import address_of_the_dead_page, expect_signed_in, follow, link_of, paste
from tests.matrix import environments

from . import programs
from .conftest import ELSEWHERE
from .replay import sign_everybody_out, stop_sandbox

pytestmark = pytest.mark.matrix

USE = "from luminary_auth_widget import sandbox\ncloud = sandbox.use()"
# Returns once the link exists: a login of one's own then holds a port.
BEGIN = f"{USE}\n{LOGIN}\nsession.sign_in_with_browser()\nprint(session.status.attempt.link)"
NOTEBOOK = "one.ipynb"
PORTS = {10001, 9876, 22223, 5000}


@dataclass(frozen=True)
class Hub:
    """A running JupyterHub; homes lie in `folder`."""

    url: str
    folder: Path

    def home_of(self, name: str) -> Path:
        return self.folder / name


@dataclass(frozen=True)
class UserServer:
    """A person's own JupyterLab on the hub; `url` is its address, without a slash at the end."""

    url: str


@pytest.fixture(scope="module")
def a_hub(a_proxy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    interpreter = environments.fill(
        environments.FOLDER / "jupyterhub", "--editable", f"{environments.ROOT}[binder,lab]", "jupyterhub"
    )
    folder = tmp_path_factory.mktemp("hub")
    ports = [str(free_port()) for _ in range(3)]
    environ = programs.clean_environ(
        HUB_FOLDER=str(folder), HUB_PORTS=",".join(ports), HUB_PROXY=str(a_proxy), HOME=str(folder)
    )
    environ["PATH"] = f"{interpreter.parent}:{environ['PATH']}"
    command = [
        str(interpreter.with_name("jupyterhub")),
        "--config",
        str(Path(__file__).with_name("jupyterhub_config.py")),
    ]
    answers_at = f"http://127.0.0.1:{ports[0]}/hub/api"
    with programs.running(command, answers_at=answers_at, cwd=folder, environ=environ, log=folder / "log"):
        yield Hub(f"http://hub.localhost:{ports[0]}", folder)
    for home in folder.iterdir():
        stop_sandbox(home)


Enter = Callable[..., list[LabPage]]


@pytest.fixture
def enter(a_hub: Hub, browser: Browser) -> Iterator[Enter]:
    """Let people of these names log in to the hub, each in a browser of their own, and open a notebook of `cells`."""
    pages: list[LabPage] = []

    def enter(*names: str, cells: Sequence[str]) -> list[LabPage]:
        entered = [_log_in(lab_context(browser, proxy=ELSEWHERE).new_page(), a_hub, name, cells) for name in names]
        pages.extend(entered)
        # Their servers start side by side.
        for page in entered:
            page.wait_until_open(NOTEBOOK)
        return entered

    yield enter
    for page in pages:
        _shut_kernels_down(page)
        page.page.context.close()
    for home in a_hub.folder.iterdir():
        sign_everybody_out(home)


def _log_in(page: Page, hub: Hub, name: str, cells: Sequence[str]) -> LabPage:
    _write_notebook(hub.home_of(name) / NOTEBOOK, cells)
    # As links in course pages have it: it starts the person's server.
    page.goto(f"{hub.url}/hub/user-redirect/lab/tree/{NOTEBOOK}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("any")
    page.get_by_role("button", name="Sign in").click()
    return LabPage(page, UserServer(f"{hub.url}/user/{name}"))


def _shut_kernels_down(page: LabPage) -> None:
    page.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def _write_notebook(path: Path, cells: Sequence[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, path)


def _projects_of(account: DemoAccount) -> list[str]:
    return sorted(project.name for project in PROJECTS if account.email in project.members)


def _port_of(link: str) -> int | None:
    (callback,) = parse_qs(urlsplit(link).query)["redirect_uri"]
    return urlsplit(callback).port


def test_two_people_sign_in_at_once_each_through_the_prefix_of_their_own_server(enter, a_hub):
    people = {"ada": ADA, "grace": GRACE}
    pages = dict(zip(people, enter(*people, cells=(USE, LOGIN, LIST)), strict=True))
    for page in pages.values():
        page.run(0)
        page.run(1)
    links = {name: link_of(page.card) for name, page in pages.items()}
    shown = {name: link.get_attribute("href") or "" for name, link in links.items()}
    for name, address in shown.items():
        assert address.startswith(f"{a_hub.url}/user/{name}/proxy/")
    assert len({_port_of(address) for address in shown.values()}) == 2
    landed = {name: address_of_the_dead_page(follow(links[name]), account) for name, account in people.items()}
    # Somebody else's address is told from one's own.
    paste(pages["ada"].card, landed["grace"])
    expect(pages["ada"].card.get_by_role("alert")).to_contain_text("This is not the address")
    for name, account in people.items():
        paste(pages[name].card, landed[name])
        expect_signed_in(pages[name].card, account)
        assert literal_eval(pages[name].run(2)) == _projects_of(account)


def test_the_fifth_sign_in_at_once_on_the_machine_is_told_so_and_comes_through_when_one_has_ended(enter, a_hub):
    pages = enter("ada", "grace", cells=[BEGIN])
    ports = {_port_of(page.run(0).splitlines()[-1]) for page in pages}
    for page, name in zip(pages, ("ada", "grace"), strict=True):
        _write_notebook(a_hub.home_of(name) / "two.ipynb", [BEGIN])
        page.open("two.ipynb")
        ports.add(_port_of(page.run(0).splitlines()[-1]))
    assert ports == PORTS
    ada, grace = pages
    _write_notebook(a_hub.home_of("grace") / "three.ipynb", (USE, LOGIN))
    grace.open("three.ipynb")
    grace.run(0)
    grace.run(1)
    grace.card.get_by_role("button", name="Sign in with browser").click(timeout=LIMIT)
    told = grace.card.get_by_role("alert")
    taken = "All four ports that a login may come back to (10001, 9876, 22223, 5000) are taken on this machine."
    expect(told).to_contain_text(taken, timeout=LIMIT)
    expect(told).to_contain_text(
        "Sign-ins under way here, other people's among them, let go of theirs within 5 minutes."
    )
    _shut_kernels_down(ada)
    grace.card.get_by_role("button", name="Try again").click()
    expect(grace.card.get_by_role("link", name="Open the log-in page")).to_be_visible(timeout=LIMIT)


def test_a_key_that_the_hub_has_preset_is_used_and_shown_as_provided_by_the_environment(enter, a_hub):
    with sandbox.start() as cloud:
        key = cloud.create_api_key(ADA.email)
        (a_hub.folder / "hopper.json").write_text(json.dumps({**cloud.environ, "LC_API_KEY": key.secret}))
        (page,) = enter("hopper", cells=(LOGIN, LIST))
        page.run(0)
        expect(page.card).to_contain_text("Signed in with an API key", timeout=LIMIT)
        expect(page.card).to_contain_text(f"key …{key.secret[-4:]} provided by the environment")
        assert literal_eval(page.run(1)) == _projects_of(ADA)
