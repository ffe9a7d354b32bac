"""After sign-in the next line works: in a real kernel, against the sandbox, with the unmodified SDK."""

import subprocess

import pytest

from .driver import Kernel

LOGIN = "from luminary_auth_widget import login; session = login()"
LIST = "import luminarycloud as lc; print(sorted(p.name for p in lc.iterate_projects()))"
LIST_ASYNC = (
    "import asyncio, luminarycloud as lc\nawait asyncio.sleep(0)\nprint(sorted(p.name for p in lc.iterate_projects()))"
)
LIST_POOL = (
    "import luminarycloud as lc\nfrom concurrent.futures import ThreadPoolExecutor\n"
    "names = lambda: sorted(p.name for p in lc.iterate_projects())\n"
    "with ThreadPoolExecutor(1) as pool: print(pool.submit(names).result())"
)


def _sign_in_by_click(kernel, key):
    (model,) = kernel.run(LOGIN).models
    kernel.click(model, "hello")
    kernel.click(model, "use_key", remember=False, lasts="", buffers=(key.secret.encode(),))
    kernel.wait_for(model, state="signed_in", attempt="")
    return model


@pytest.mark.parametrize(
    "cell", [LIST, LIST_ASYNC, f"import luminarycloud as lc\n{LIST_POOL}"], ids=["sync", "await", "pool"]
)
def test_after_a_pasted_key_every_kind_of_cell_lists_the_accounts_projects(a_kernel, a_key, adas_projects, cell):
    _sign_in_by_click(a_kernel, a_key)
    ran = a_kernel.run(cell)
    assert (ran.text, ran.error) == (adas_projects, "")


def test_a_pool_started_before_the_sign_in_is_signed_in_as_well(a_kernel, a_key, adas_projects):
    a_kernel.run(
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(int).result()"
    )
    _sign_in_by_click(a_kernel, a_key)
    names = "lambda: sorted(p.name for p in lc.iterate_projects())"
    assert a_kernel.run(f"import luminarycloud as lc\nprint(pool.submit({names}).result())").text == adas_projects


def test_a_key_in_the_nearest_env_file_is_in_use_when_login_returns(a_kernel, a_folder, a_key, adas_projects):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    ran = a_kernel.run(f"{LOGIN}\n{LIST}")
    assert (ran.text, ran.error) == (adas_projects, "")


def test_a_file_that_is_not_there_signs_nobody_in_with_what_else_is_found(a_folder, a_bound_environ, a_key):
    kernel = Kernel(a_folder, {**a_bound_environ, "LC_API_KEY": a_key.secret})
    try:
        # Caught: ipykernel 6.29 passes over what is sent right after a cell that fails.
        ran = kernel.run(
            "from luminary_auth_widget import login\nfrom luminary_auth_widget.errors import EnvFileUnusable\n"
            "try: login(env_file='missing.env')\nexcept EnvFileUnusable: print('refused')"
        )
        assert ran.text.startswith("refused")
        (model,) = ran.models
        kernel.wait_for(model, state="signed_out", attempt="failed")
        assert "Nobody is signed in" in kernel.run(LIST).error
    finally:
        kernel.close()


def test_once_every_widget_was_closed_a_login_shows_a_new_one_and_the_panel_too(a_kernel, a_key):
    (first,) = a_kernel.run(LOGIN).models
    a_kernel.run("import ipywidgets; ipywidgets.Widget.close_all()")
    assert a_kernel.run("from luminary_auth_widget.notebook import side_view; print(side_view())").text == "None\n"
    (second,) = a_kernel.run(LOGIN).models
    assert second != first
    a_kernel.click(second, "use_key", remember=False, lasts="", buffers=(a_key.secret.encode(),))
    a_kernel.wait_for(second, state="signed_in", attempt="")


def test_a_key_in_the_environment_with_a_trailing_newline_works(a_folder, a_bound_environ, a_key, adas_projects):
    kernel = Kernel(a_folder, {**a_bound_environ, "LC_API_KEY": f"{a_key.secret}\n"})
    try:
        assert kernel.run(f"{LOGIN}\n{LIST}").text == adas_projects
        assert "white space" in kernel.run("session.notices[0].text").text
    finally:
        kernel.close()


def test_after_a_rotation_in_the_file_the_old_key_is_neither_used_nor_announced_again(
    a_kernel, a_folder, a_sandbox, a_key, adas_projects
):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_kernel.run(LOGIN)
    new = a_sandbox.create_api_key("ada@example.com", name="new").secret
    (a_folder / ".env").write_text(f"LC_API_KEY={new}\n")
    a_sandbox.revoke_api_key(a_key.id)
    told = a_kernel.run("session.load_env(); print(session.notices, session.sign_out().next_step)").text
    assert told == "() After a kernel restart, the key in ./.env is used again.\n"
    ran = a_kernel.run(f"{LOGIN}\n{LIST}\nprint(session.status.fingerprint)")
    assert (ran.text, ran.error) == (f"{adas_projects}…{new[-4:]}\n", "")


def test_an_sdk_that_cannot_be_imported_is_said_and_nothing_is_said_to_be_asked(a_folder, a_bound_environ, a_key):
    (a_folder / "luminarycloud.py").write_text("raise ImportError('half of it is missing')\n")
    kernel = Kernel(a_folder, {**a_bound_environ, "LC_API_KEY": a_key.secret})
    try:
        ran = kernel.run(
            "from luminary_auth_widget import AuthError, login\n"
            "from luminary_auth_widget.session import current_session\n"
            "try: login()\nexcept AuthError as error: print(current_session().status.message == error.message)"
        )
        assert ran.text == "True\n"
        (model,) = ran.models
        kernel.wait_for(model, state="signed_out")
    finally:
        kernel.close()


def test_load_env_signs_in_and_sets_the_other_variables_without_overriding_any(
    a_kernel, a_folder, a_key, adas_projects
):
    a_kernel.run("import os; os.environ['MINE'] = 'kept'")
    (model,) = a_kernel.run(LOGIN).models
    (a_folder / ".env").write_text(f"MINE=overridden\nOTHER=set\nLC_API_KEY={a_key.secret}\n")
    a_kernel.click(model, "hello")
    a_kernel.click(model, "load_env", path=str(a_folder / ".env"))
    a_kernel.wait_for(model, state="signed_in")
    assert a_kernel.run(LIST).text == adas_projects
    assert a_kernel.run("print(os.environ['MINE'], os.environ['OTHER'])").text == "kept set\n"


def test_the_widget_is_on_screen_before_the_sdk_is_imported(a_kernel):
    watch = (
        "import sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'luminarycloud': print('import begins', flush=True)\n"
        "sys.meta_path.insert(0, Watch())\n"
    )
    assert a_kernel.run(f"{watch}{LOGIN}").order == ["widget", "import begins\n"]


def test_the_sdk_already_imported_makes_no_difference(a_kernel, a_key, adas_projects):
    a_kernel.run("import luminarycloud as lc; before = lc.get_default_client()")
    _sign_in_by_click(a_kernel, a_key)
    assert a_kernel.run(LIST).text == adas_projects


def test_login_as_last_expression_shows_the_widget_once_and_a_second_login_shows_it_again(a_kernel):
    first = a_kernel.run("from luminary_auth_widget import login\nlogin()").models
    second = a_kernel.run("login()").models
    third = a_kernel.run("session = login(); session").models
    assert len(first) == 1
    assert first == second == third


def test_signed_out_a_call_fails_at_once_instead_of_opening_a_browser(a_kernel):
    a_kernel.run(LOGIN)
    ran = a_kernel.run(LIST)
    assert "InteractiveAuthException" in ran.error
    assert "authorize" not in ran.text


def test_a_wrong_key_pasted_while_signed_in_fails_as_an_attempt_and_costs_nothing(a_kernel, a_key, adas_projects):
    model = _sign_in_by_click(a_kernel, a_key)
    a_kernel.click(model, "use_key", remember=False, lasts="", buffers=(b"lc-unknown-key-0000",))
    traits = a_kernel.wait_for(model, attempt="failed")
    assert traits["state"] == "signed_in"
    assert a_kernel.run(LIST).text == adas_projects
    a_kernel.click(model, "dismiss")
    a_kernel.wait_for(model, attempt="")


def test_a_key_revoked_at_the_server_turns_to_rejected_at_the_next_check_and_says_what_to_do(
    a_kernel, a_sandbox, a_key
):
    model = _sign_in_by_click(a_kernel, a_key)
    a_sandbox.revoke_api_key(a_key.id)
    a_kernel.click(model, "check")
    a_kernel.wait_for(model, state="rejected")
    assert "API Keys" in a_kernel.run("print(session.status.next_step)").text
    assert a_kernel.run("print(session.client)").text == "None\n"


def test_after_signing_out_calls_fail_and_the_key_can_be_used_again(a_kernel, a_key, adas_projects):
    model = _sign_in_by_click(a_kernel, a_key)
    a_kernel.click(model, "sign_out", everywhere=False)
    a_kernel.wait_for(model, state="signed_out")
    assert "InteractiveAuthException" in a_kernel.run(LIST).error
    a_kernel.click(model, "use_key", remember=False, lasts="", buffers=(a_key.secret.encode(),))
    a_kernel.wait_for(model, state="signed_in")
    assert a_kernel.run(LIST).text == adas_projects


def test_a_noted_lifetime_counts_down_and_is_known_again_in_the_next_kernel(a_folder, a_bound_environ, a_key):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    first = Kernel(a_folder, a_bound_environ)
    try:
        (model,) = first.run(LOGIN).models
        first.click(model, "hello")
        first.click(model, "use_key", remember=False, lasts="P1M", buffers=(a_key.secret.encode(),))
        noted = first.wait_for(model, state="signed_in", expiry="noted")["expires_at"]
    finally:
        first.close()
    second = Kernel(a_folder, a_bound_environ)
    try:
        (model,) = second.run(LOGIN).models
        assert second.wait_for(model, state="signed_in", expiry="noted")["expires_at"] == noted
    finally:
        second.close()


def test_messages_that_no_page_of_ours_sends_change_nothing(a_kernel):
    (model,) = a_kernel.run(LOGIN).models
    for content in ({"kind": "nonsense"}, {"kind": None}, {"kind": ["use_key"]}, {"kind": "use_source", "id": {}}):
        a_kernel.click(model, **content)
    assert a_kernel.run("print(session.status.state.value)").text == "signed_out\n"


def test_a_remembered_key_is_kept_in_env_named_as_its_source_kept_from_git_and_can_be_taken_back(
    a_kernel, a_folder, a_key
):
    subprocess.run(["git", "init", "--quiet", str(a_folder)], check=True)
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.click(model, "use_key", remember=True, lasts="", buffers=(a_key.secret.encode(),))
    status = a_kernel.wait_until(model, lambda status: "./.env" in status["subtitle"])
    assert (a_folder / ".env").read_text() == f"LC_API_KEY='{a_key.secret}'\n"
    assert [notice["text"].partition(".")[0] for notice in status["notices"]] == ["Remembered in ", "Git would add "]
    a_kernel.click(model, "keep_from_git")
    a_kernel.wait_until(model, lambda status: "keeps .env out of git" in status["notices"][-1]["text"])
    assert (a_folder / ".gitignore").read_text() == ".env\n"
    a_kernel.click(model, "forget")
    a_kernel.wait_until(model, lambda status: "pasted key" in status["subtitle"])
    assert not (a_folder / ".env").exists()
    assert a_kernel.run("print(session.check().state.value)").text == "signed_in\n"


def test_a_key_written_into_a_cell_works_and_the_widget_offers_to_move_it(a_kernel, a_folder, a_key, adas_projects):
    ran = a_kernel.run(f"from luminary_auth_widget import login\nsession = login(api_key='{a_key.secret}')\n{LIST}")
    assert ran.text == adas_projects
    (notice,) = a_kernel.status(ran.models[0])["notices"]
    assert "stands in this notebook's code" in notice["text"]
    a_kernel.click(ran.models[0], notice["actions"][0]["kind"], id=notice["id"])
    a_kernel.wait_until(ran.models[0], lambda status: "./.env" in status["subtitle"])
    assert a_key.secret in (a_folder / ".env").read_text()


def test_a_key_that_stands_in_the_code_of_a_cell_is_noticed_and_one_from_elsewhere_is_not(a_kernel, a_folder, a_key):
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.run(f"_ = session.use_key('{a_key.secret}')")
    (notice,) = a_kernel.status(model)["notices"]
    assert "stands in this notebook's code" in notice["text"]
    (a_folder / "key").write_text(a_key.secret)
    a_kernel.run("_ = session.use_key(open('key').read())")
    assert a_kernel.status(model)["notices"] == []
    a_kernel.run("_ = login(api_key=open('key').read())")
    assert a_kernel.status(model)["notices"] == []


def test_a_sign_in_by_a_click_while_login_still_looks_around_is_not_undone_by_it(a_kernel, a_key, adas_projects):
    """Forced: the look takes just as long as the sign-in."""
    a_kernel.run(
        "import threading\nfrom luminary_auth_widget import sources\n"
        "from luminary_auth_widget.session import current_session\n"
        "look, session = sources.survey, current_session()\n"
        "def slow_look():\n"
        "    found, sources.survey = look(), look\n"
        f"    click = threading.Thread(target=session.use_key, args=[{a_key.secret!r}]); click.start(); click.join()\n"
        "    return found\n"
        "session.begin(); sources.survey = slow_look\nsession.start()"
    )
    assert a_kernel.run("print(session.status.state.value)").text == "signed_in\n"
    assert a_kernel.run(LIST).text == adas_projects


def test_a_refusal_while_login_still_looks_around_stays_on_the_screen(a_kernel):
    a_kernel.run(
        "import threading\nfrom luminary_auth_widget import sources\n"
        "from luminary_auth_widget.session import current_session\n"
        "look, session = sources.survey, current_session()\n"
        "def use_wrong_key():\n"
        "    try: session.use_key('lc-unknown-key-0000')\n"
        "    except Exception: pass  # what is refused stands in the status\n"
        "def slow_look():\n"
        "    found, sources.survey = look(), look\n"
        "    click = threading.Thread(target=use_wrong_key); click.start(); click.join()\n"
        "    return found\n"
        "session.begin(); sources.survey = slow_look\nsession.start()"
    )
    assert "refused this key" in a_kernel.run("print(session.status.attempt.message)").text


# A page that asks while a cell imports the SDK; by the end of the import the session has begun, and says so.
ASK_DURING_IMPORT = """
import os, sys, threading
del os.environ["LUMINARY_SANDBOX_PAGES"]  # the sandbox's address needs no SDK
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "luminarycloud._client":
            hello.start()
            hello.join(1)
            print("answered" if not hello.is_alive() else "waits", flush=True)
hello = threading.Thread(target=widget._receive, args=(widget, {"kind": "hello"}, []))
sys.meta_path.insert(0, Watch())
import luminarycloud
print(widget.state)
"""


def test_a_page_that_asks_during_the_sdks_import_is_answered_and_holds_nothing_up(a_kernel):
    a_kernel.run("%load_ext luminary_auth_widget")
    a_kernel.run("from luminary_auth_widget import AuthWidget; widget = AuthWidget(); widget")
    ran = a_kernel.run(ASK_DURING_IMPORT)
    assert (ran.error, ran.text) == ("", "answered\nsigned_out\n")


# A hello that is answered on its own thread, and something new that is said before that answer is on its way.
ANSWER_SLOWLY = """
import threading
from luminary_auth_widget import notebook, presentation
from luminary_auth_widget.status import StoppedCell
(widget,), said = notebook._widgets.values(), []
compose, send, composed, news = presentation.message, widget.send, threading.Event(), threading.Event()
def compose_slowly(given):
    message = compose(given)
    if threading.current_thread().name == "hello":
        composed.set()
        news.wait(0.5)
    return message
presentation.message = compose_slowly
widget.send = lambda message: (said.append(message["rescue"] is not None), send(message))
hello = threading.Thread(target=widget._receive, args=(widget, {"kind": "hello"}, []), name="hello")
hello.start()
assert composed.wait(10)
session.note_stopped_cell(StoppedCell("a-cell", 1))
news.set()
hello.join()
print(said[-1])
"""


def test_what_is_said_last_is_the_newest_also_while_a_hello_is_answered(a_kernel):
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.status(model)
    ran = a_kernel.run(ANSWER_SLOWLY)
    assert (ran.error, ran.text) == ("", "True\n")
