"""Which client the notebook's code gets: the signed-in one, unless the notebook has set its own."""

import pytest

from luminary_auth_widget.sandbox.demo import ADA, GRACE, PROJECTS

LOGIN = "from luminary_auth_widget import login; session = login()"
LIST = "import luminarycloud as lc; print(sorted(p.name for p in lc.iterate_projects()))"
SET_MINE = "import luminarycloud as lc, os\nlc.set_default_client(lc.Client(api_key={key!r}))\n"


@pytest.fixture
def graces_key(a_sandbox):
    return a_sandbox.create_api_key(GRACE.email, name="hers")


def _projects(account):
    return f"{sorted(project.name for project in PROJECTS if account.email in project.members)}\n"


def _facts(kernel, model):
    return dict(kernel.status(model)["facts"])


def _use(kernel, model, key):
    kernel.click(model, "use_key", remember=False, lasts="", buffers=(key.secret.encode(),))
    kernel.wait_until(model, lambda status: status["subtitle"] == f"pasted key …{key.secret[-4:]}")


def test_details_show_that_cells_and_threads_use_the_signed_in_client(a_kernel, a_key):
    (model,) = a_kernel.run(LOGIN).models
    _use(a_kernel, model, a_key)
    facts = _facts(a_kernel, model)
    assert (facts["Cells use"], facts["Threads use"]) == ("the client of this widget",) * 2


def test_a_client_that_the_notebook_has_set_stays_until_the_person_signs_in_anew(a_kernel, a_folder, a_key, graces_key):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_kernel.run(SET_MINE.format(key=graces_key.secret))
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.wait_for(model, state="signed_in")
    a_kernel.run(SET_MINE.format(key=graces_key.secret))
    assert a_kernel.run(LIST).text == _projects(GRACE)
    assert "set by you" in _facts(a_kernel, model)["Cells use"]
    a_kernel.run("session.check(); session.start()")
    assert a_kernel.run(LIST).text == _projects(GRACE)
    _use(a_kernel, model, a_key)
    assert a_kernel.run(LIST).text == _projects(ADA)
    assert _facts(a_kernel, model)["Cells use"] == "the client of this widget"


def test_a_with_block_uses_its_own_client_and_ends_with_the_signed_in_one(a_kernel, a_key, graces_key):
    (model,) = a_kernel.run(LOGIN).models
    _use(a_kernel, model, a_key)
    inner = f"import luminarycloud as lc\nwith lc.Client(api_key={graces_key.secret!r}):\n    {LIST}\n{LIST}"
    assert a_kernel.run(inner).text == _projects(GRACE) + _projects(ADA)
    assert a_kernel.run(LIST).text == _projects(ADA)
    assert _facts(a_kernel, model)["Cells use"] == "the client of this widget"


def test_where_the_sdk_shares_no_client_every_next_cell_is_given_it(a_kernel, a_key, adas_projects):
    """Forced: a stand-in for a later SDK, which makes a client of its own for each thread that has none."""
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.run(
        "import luminarycloud as lc, contextvars\n"
        "_var = contextvars.ContextVar('theirs')\n"
        "def get():\n"
        "    if _var.get(None) is None: _var.set(lc.Client(api_key=None, noninteractive=True))\n"
        "    return _var.get()\n"
        "import sys\n"
        "for module in [m for n, m in list(sys.modules.items()) if n.startswith('luminarycloud')]:\n"
        "    if hasattr(module, 'get_default_client'): module.get_default_client = get\n"
        "    if hasattr(module, 'set_default_client'): module.set_default_client = _var.set\n"
    )
    _use(a_kernel, model, a_key)
    assert a_kernel.run(LIST).text == adas_projects
    assert a_kernel.run(f"import asyncio\nawait asyncio.sleep(0)\n{LIST}").text == adas_projects
    assert _facts(a_kernel, model)["Threads use"] == "the client that they began with"


def test_fifty_sign_ins_leave_the_last_client_and_no_more_threads_and_files_than_the_sdks_own_clients(
    a_kernel, a_key, graces_key, adas_projects
):
    a_kernel.run(f"{LOGIN}\nimport luminarycloud as lc, psutil, gc\nme = psutil.Process()")
    count = "gc.collect(); print(me.num_threads(), me.num_fds())"
    grown = []
    for cell in (
        # The first sign-in starts what the SDK starts once.
        "session.use_key({0!r}); list(lc.iterate_projects())",
        "clients = [lc.Client(api_key={0!r}) for _ in range(50)]\n"
        "for one in clients:\n    with one: list(lc.iterate_projects())",
        "for _ in range(25):\n    for key in ({1!r}, {0!r}): session.use_key(key); list(lc.iterate_projects())",
    ):
        before = [int(number) for number in a_kernel.run(count).text.split()]
        assert a_kernel.run(cell.format(a_key.secret, graces_key.secret)).error == ""
        after = [int(number) for number in a_kernel.run(count).text.split()]
        grown.append([now - then for then, now in zip(before, after, strict=True)])
    _first, own, ours = grown
    assert a_kernel.run(LIST).text == adas_projects
    assert all(our <= their + 3 for our, their in zip(ours, own, strict=True)), grown
