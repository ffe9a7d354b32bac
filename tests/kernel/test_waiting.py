"""A cell that waits for a sign-in really gets the click; where it cannot, it says at once which way does."""

import pytest

from .driver import Kernel, deliver, end_of_login

SHOW = "from luminary_auth_widget import login; session = login()"
LIST = "import luminarycloud as lc; print(sorted(p.name for p in lc.iterate_projects()))"
WAIT = f"session.wait()\n{LIST}"
AWAIT = f"await session\n{LIST}"


@pytest.fixture
def ipykernel(a_kernel):
    version = a_kernel.run("import ipykernel; print(ipykernel.version_info[:2])").text
    return tuple(int(number) for number in version.strip("()\n").split(","))


def _begin(kernel, code):
    request = kernel.begin(code)
    kernel.has_begun(request)
    return request


def _click_key(kernel, model, key, subshell=None):
    kernel.click(model, "use_key", remember=False, lasts="", buffers=(key.secret.encode(),), subshell=subshell)


def _shown(kernel):
    """Show the widget, and greet it as a page does; return its model."""
    (model,) = kernel.run(SHOW).models
    subshell = kernel.create_subshell() if kernel.has_subshells else None
    kernel.click(model, "hello", subshell=subshell)
    # What comes on the main shell meanwhile might be handled before it.
    kernel.has_handled_the_click()
    kernel.wait_for(model, state="signed_out")
    return model


def test_a_cell_that_waits_in_the_way_named_for_this_kernel_gets_the_click(a_kernel, a_key, adas_projects, ipykernel):
    model = _shown(a_kernel)
    named = dict(a_kernel.status(model)["facts"])["To wait in a cell"]
    assert named == {6: "session.wait()", 7: "session.wait() or await session"}[ipykernel[0]]
    subshell = a_kernel.create_subshell() if a_kernel.has_subshells else None
    for way in named.split(" or "):
        request = _begin(a_kernel, f"{way}\n{LIST}")
        _click_key(a_kernel, model, a_key, subshell)
        assert a_kernel.end_of(request).text == adas_projects
        a_kernel.run("session.sign_out()")


def test_where_a_click_does_not_reach_a_cell_that_awaits_it_says_so_at_once_and_names_wait(a_kernel, ipykernel):
    _shown(a_kernel)
    if ipykernel >= (7,):
        # Here both ways work, as the test above shows.
        assert (
            a_kernel.run("from luminary_auth_widget import waiting; print(waiting.advice())").text.count("session") == 2
        )
        return
    ran = a_kernel.run(AWAIT)
    assert "Use `session.wait()` in place of `await session`." in ran.traceback
    assert ran.error.startswith("NotSignedIn")


def test_a_page_that_spoke_before_it_had_its_subshell_is_waited_for_all_the_same(a_kernel, a_key, adas_projects):
    (model,) = a_kernel.run(SHOW).models
    a_kernel.click(model, "hello")
    a_kernel.has_handled_the_click()
    subshell = a_kernel.create_subshell() if a_kernel.has_subshells else None
    request = _begin(a_kernel, WAIT)
    _click_key(a_kernel, model, a_key, subshell)
    assert a_kernel.end_of(request).text == adas_projects


def test_on_a_page_without_subshells_the_kernel_says_at_once_what_gets_the_click(
    a_kernel, a_key, adas_projects, ipykernel
):
    (model,) = a_kernel.run(SHOW).models
    a_kernel.click(model, "hello")
    a_kernel.wait_for(model, state="signed_out")
    if (7,) <= ipykernel < (7, 4):
        # Nothing gets a click there: said at once, while a sign-in elsewhere still ends the wait.
        request = _begin(a_kernel, WAIT)
        a_kernel.has_printed(request, "only between cells")
        a_kernel.manager.interrupt_kernel()
        assert a_kernel.end_of(request).error.startswith("Interrupted")
        return
    if ipykernel >= (7, 4):
        assert "Use `await session` in place of `session.wait()`." in a_kernel.run(WAIT).traceback
    request = _begin(a_kernel, WAIT if ipykernel < (7,) else AWAIT)
    _click_key(a_kernel, model, a_key)
    assert a_kernel.end_of(request).text == adas_projects


def test_a_sign_in_in_a_terminal_ends_the_wait(a_kernel, a_folder, a_bound_environ, a_sandbox, adas_projects):
    _shown(a_kernel)
    request = _begin(a_kernel, WAIT)
    other = Kernel(a_folder, a_bound_environ)
    try:
        (model,) = other.run(SHOW).models
        other.sign_in(model, a_sandbox)
        assert a_kernel.end_of(request).text == adas_projects
    finally:
        other.close()


@pytest.mark.parametrize("way", [WAIT, AWAIT], ids=["wait", "await"])
def test_a_browser_that_comes_back_ends_the_wait_without_a_click(a_kernel, a_sandbox, adas_projects, way):
    model = _shown(a_kernel)
    link = a_kernel.begin_login(model)
    request = _begin(a_kernel, way)
    deliver(end_of_login(a_sandbox, link))
    assert a_kernel.end_of(request).text == adas_projects


@pytest.mark.parametrize("way", ["session.wait()", "await session"])
def test_an_interrupt_ends_the_wait_and_the_next_cell_runs(a_kernel, way, ipykernel):
    if ipykernel < (7,) and way == "await session":
        way = "session.wait()"
    _shown(a_kernel)
    request = _begin(a_kernel, way)
    a_kernel.has_shown_the_widget(request)
    a_kernel.manager.interrupt_kernel()
    ran = a_kernel.end_of(request)
    assert ran.error.partition(":")[0] in {"Interrupted", "CancelledError"}
    assert a_kernel.run("print(1 + 1)").text == "2\n"


def test_the_wait_has_a_limit(a_kernel):
    _shown(a_kernel)
    ran = a_kernel.run("from datetime import timedelta; session.wait(timedelta(seconds=0.2))")
    assert ran.error.startswith("NotSignedIn: Nobody has signed in within")
    assert a_kernel.run("session.wait(5)").error.startswith("AuthError: The limit of the wait is no time span.")


@pytest.mark.parametrize("way", ["session.wait()", "await session", "session.require()"])
def test_where_nobody_is_there_to_click_the_error_comes_at_once_and_names_the_variable(a_kernel, way):
    ran = a_kernel.run(f"{SHOW}\n{way}", allow_stdin=False)
    assert ran.models == []
    assert "LC_API_KEY" in ran.error
    assert a_kernel.run("import sys; print('luminarycloud' in sys.modules)").text == "False\n"


def test_signed_in_already_both_ways_return_at_once(a_kernel, a_folder, a_key, adas_projects):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    assert a_kernel.run(f"{SHOW}\nsession.require()\nsession.wait()\n{LIST}").text == adas_projects
    assert a_kernel.run(AWAIT).text == adas_projects


def test_a_server_that_answers_again_ends_the_wait_without_a_click(a_kernel, a_folder, a_sandbox, a_key, adas_projects):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_sandbox.fault("error")
    (model,) = a_kernel.run(SHOW).models
    a_kernel.wait_for(model, state="unverified")
    a_kernel.run("from luminary_auth_widget import waiting\nfrom datetime import timedelta")
    a_kernel.run("waiting._ASK_EVERY = timedelta(seconds=0.1)")
    ran = a_kernel.run("session.wait(timedelta(seconds=0.2))")
    assert ran.error.startswith("NotVerified")
    request = _begin(a_kernel, WAIT)
    a_kernel.has_shown_the_widget(request)
    a_sandbox.clear_faults()
    assert a_kernel.end_of(request).text == adas_projects


def test_a_cell_that_waits_before_the_page_was_heard_gives_no_wrong_advice(a_kernel, a_key, adas_projects):
    (model,) = a_kernel.run(SHOW).models
    subshell = a_kernel.create_subshell() if a_kernel.has_subshells else None
    hasty = "from luminary_auth_widget import waiting; waiting._PAGE_SPEAKS_WITHIN = waiting.timedelta(0)"
    request = _begin(a_kernel, f"{hasty}\n{WAIT}")
    a_kernel.has_shown_the_widget(request)
    _click_key(a_kernel, model, a_key, subshell)
    assert a_kernel.end_of(request).text == adas_projects
