"""A cell that fails for want of a sign-in is followed by the widget; every other failure is left alone."""

import pytest

SHOW = "from luminary_auth_widget import login; session = login()"
LOAD = "%load_ext luminary_auth_widget"
LIST = "import luminarycloud as lc\nprint(sorted(p.name for p in lc.iterate_projects()))"
LIST_ASYNC = f"import asyncio\nawait asyncio.sleep(0)\n{LIST}"
LIST_POOL = (
    "import luminarycloud as lc\nfrom concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(1) as pool: print(pool.submit(lambda: list(lc.iterate_projects())).result())"
)
WRAPPED = (
    "try:\n    import luminarycloud as lc; list(lc.iterate_projects())\nexcept Exception as error:\n"
    "    raise ValueError('no mesh') from error"
)


@pytest.mark.parametrize(
    "cell",
    [
        LIST,
        LIST_ASYNC,
        LIST_POOL,
        WRAPPED,
        "import luminarycloud as lc\nlc.get_default_client().get_token()",
        "session.require()",
    ],
    ids=["sync", "await", "pool", "wrapped", "get_token", "require"],
)
def test_signed_out_the_widget_appears_below_the_cell_that_failed_and_says_why(a_kernel, cell):
    (model,) = a_kernel.run(SHOW).models
    ran = a_kernel.run(cell, cell="the-cell")
    assert ran.error
    assert ran.models == [model]
    rescue = a_kernel.status(model)["rescue"]
    assert (rescue["cell"], rescue["title"], rescue["ready"]) == (
        "the-cell",
        "Cell [2] stopped: nobody was signed in.",
        False,
    )


def test_after_the_sign_in_the_cell_can_run_again_and_then_the_offer_is_gone(a_kernel, a_key, adas_projects):
    (model,) = a_kernel.run(SHOW).models
    a_kernel.run(LIST, cell="the-cell")
    a_kernel.click(model, "use_key", remember=False, lasts="", buffers=(a_key.secret.encode(),))
    a_kernel.wait_for(model, state="signed_in", attempt="")
    rescue = a_kernel.status(model)["rescue"]
    assert (rescue["title"], rescue["ready"]) == ("Cell [2] can run again.", True)
    ran = a_kernel.run(LIST, cell="the-cell")
    assert (ran.text, ran.models) == (adas_projects, [])
    assert a_kernel.status(model)["rescue"] is None


def test_a_key_that_is_revoked_in_the_middle_of_the_work_turns_the_widget_below_the_cell_that_noticed(
    a_kernel, a_folder, a_sandbox, a_key
):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    (model,) = a_kernel.run(SHOW).models
    a_kernel.wait_for(model, state="signed_in")
    a_sandbox.revoke_api_key(a_key.id)
    ran = a_kernel.run(LIST)
    assert ran.error.startswith("AuthenticationError")
    assert ran.models == [model]
    status = a_kernel.wait_until(model, lambda status: status["state"] == "rejected")
    assert status["rescue"]["title"] == "Cell [2] stopped: the server refused the key."


def test_the_extension_alone_rescues_a_notebook_that_never_called_login(a_kernel, a_key, adas_projects):
    a_kernel.run(LOAD)
    ran = a_kernel.run(LIST)
    (model,) = ran.models
    a_kernel.click(model, "use_key", remember=False, lasts="", buffers=(a_key.secret.encode(),))
    a_kernel.wait_for(model, state="signed_in", attempt="")
    assert a_kernel.run(LIST).text == adas_projects


@pytest.mark.parametrize(
    "cell", ["1/0", "import luminarycloud as lc; lc.get_project('p-none')", "raise KeyboardInterrupt"]
)
def test_other_failures_pass_untouched(a_kernel, a_folder, a_key, cell):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_kernel.run(SHOW)
    ran = a_kernel.run(cell)
    assert ran.error
    assert (ran.models, ran.text) == ([], "")


TOO_SOON = "from datetime import timedelta; session.require(at_least=timedelta(days=400))"


@pytest.mark.parametrize("attended", [True, False])
def test_signed_in_an_error_that_says_itself_what_to_do_is_followed_by_nothing(a_kernel, a_key, attended):
    a_kernel.run(SHOW)
    a_kernel.run("from datetime import date, timedelta; tomorrow = date.today() + timedelta(days=1)")
    a_kernel.run(f"session.use_key({a_key.secret!r}, expires_on=tomorrow)")
    ran = a_kernel.run(TOO_SOON, allow_stdin=attended)
    assert ran.error.startswith("ExpiresTooSoon")
    assert (ran.models, ran.text) == ([], "")


@pytest.mark.parametrize("off", ["%luminary rescue off", "%unload_ext luminary_auth_widget"])
def test_it_can_be_switched_off(a_kernel, off):
    a_kernel.run(f"{LOAD}\n{SHOW}")
    a_kernel.run(off)
    ran = a_kernel.run(LIST)
    assert ran.error
    assert ran.models == []


def test_where_nobody_is_there_to_click_a_sentence_stands_in_its_place(a_kernel):
    a_kernel.run(SHOW, allow_stdin=False)
    ran = a_kernel.run(LIST, allow_stdin=False)
    assert ran.models == []
    assert "LC_API_KEY" in ran.text
    assert "LC_API_KEY" in ran.error


def test_dismissed_it_is_gone(a_kernel):
    (model,) = a_kernel.run(SHOW).models
    a_kernel.run(LIST)
    a_kernel.click(model, "dismiss_rescue")
    a_kernel.wait_until(model, lambda status: status["rescue"] is None)


def test_whoever_has_signed_out_of_this_kernel_is_not_signed_in_again_by_a_cell_that_fails(a_kernel, a_folder, a_key):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    (model,) = a_kernel.run(SHOW).models
    a_kernel.wait_for(model, state="signed_in")
    a_kernel.run("session.sign_out()")
    assert a_kernel.run(LIST).models == [model]
    assert "Nobody is signed in" in a_kernel.run(LIST).error
    assert a_kernel.status(model)["state"] == "signed_out"
