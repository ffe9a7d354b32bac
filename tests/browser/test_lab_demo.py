"""The tour as a person takes it: the notebook itself in real JupyterLab, the sandbox's pages in a second tab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from luminary_auth_widget.sandbox import process
from luminary_auth_widget.sandbox.demo import ADA, PROJECTS

from .lab import LIMIT_SECONDS, Lab, LabPage
from .person import follow, make_a_key

TOUR = Path(__file__).parents[2] / "notebooks" / "sign-in.ipynb"
ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)
LIMIT = LIMIT_SECONDS * 1000  # milliseconds, as Playwright has them

# Shaped like the real thing, and as real as this file.
REAL_KEY = "lc-9f8e7d6c5b4a39281706f5e4d3c2a1b2"
KEY_IN_FILE = "lc-0123456789abcdef0123456789abc3d4"
ENV_FILE = f"LC_API_KEY={KEY_IN_FILE}\nLC_DOMAIN=apis.elsewhere.invalid\n"


@pytest.fixture
def a_state_folder(tmp_path: Path) -> Iterator[Path]:
    """Where kernels find or start their shared sandbox, instead of the developer's own."""
    folder = tmp_path / "sandbox"
    yield folder
    if cloud := process.find_running(folder):
        cloud.stop()


@pytest.fixture
def a_lab(a_state_folder: Path, tmp_path: Path) -> Iterator[Lab]:
    environ = {"LUMINARY_SANDBOX_DIR": str(a_state_folder), "LC_API_KEY": REAL_KEY}
    lab = Lab(tmp_path / "lab", environ)
    yield lab
    lab.close()


@pytest.fixture
def a_tour(a_lab: Lab, a_context: BrowserContext) -> LabPage:
    a_lab.copy(TOUR)
    return LabPage(a_context.new_page(), a_lab).open(TOUR.name)


def test_the_tour_leads_from_the_first_cell_to_a_key_of_ones_own_and_the_accounts_projects(a_tour, a_context):
    use, login, by_code, projects, awaiting, threads, sign_out = a_tour.code_cells()
    assert "Its pages: http://localhost:" in a_tour.run(use)
    a_tour.run(login)
    card = a_tour.page.get_by_role("region", name="Luminary Cloud sign-in").first
    secret = make_a_key(follow(card.get_by_role("link", name="Get a key")))
    card.get_by_label("API key", exact=True).fill(secret)
    card.get_by_role("button", name="Use key").click()
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    assert a_tour.run(by_code) == f"Luminary Cloud: Signed in with an API key (…{secret[-4:]} from pasted)"
    assert a_tour.run(projects) == repr(ADAS)
    assert a_tour.run(awaiting) == str(len(ADAS))
    assert "Folded-fin heat sink" in a_tour.run(threads)
    assert a_tour.run(sign_out) == "Luminary Cloud: Not signed in"
    expect(card).to_contain_text("Not signed in")
    expect(a_tour.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)


def test_a_real_key_and_a_dotenv_beside_the_notebook_never_reach_the_sandbox(a_lab, a_tour, a_state_folder):
    (a_lab.notebooks / ".env").write_text(ENV_FILE)
    use, login, _, projects, *_ = a_tour.code_cells()
    said = a_tour.run(use)
    assert "Your LC_API_KEY (…a1b2) was taken out of this kernel's environment and is not sent anywhere." in said
    assert "There is a .env beside this notebook; its LC_ variables are not read unless you press Load." in said
    a_tour.run(login)
    card = a_tour.page.get_by_role("region", name="Luminary Cloud sign-in").first
    expect(card.get_by_role("heading").first).to_have_text("Not signed in", timeout=LIMIT)
    expect(card.get_by_role("button", name="Load")).to_be_visible(timeout=LIMIT)
    # Signed out, the SDK's own call fails at once; its import has read the .env by then.
    assert "InteractiveAuthException" in a_tour.run(projects)
    a_tour.type_into(projects, "lc._config.LC_API_KEY, lc._config.LC_DOMAIN == cloud.environ['LC_DOMAIN']")
    assert a_tour.run(projects) == "('', True)"
    cloud = process.find_running(a_state_folder)
    assert cloud, "no sandbox runs where this kernel should have started one"
    # A key made now does arrive, so that an empty list would mean something.
    assert {request.credential for request in cloud.requests} <= {"none"}
    a_tour.type_into(projects, "session.use_key(cloud.create_api_key('ada@example.com').secret)")
    assert "Signed in with an API key" in a_tour.run(projects)
    assert "api key" in {request.credential for request in cloud.requests}
    assert not {"a1b2", "c3d4"} & {request.last_four for request in cloud.requests}
