"""When a browser sign-in does not end well: a sentence, a free port, and nothing changed. One kernel for all."""

import json
import os
import socket
from contextlib import ExitStack

import psutil
import pytest

from tests.conftest import bound_environ
from tests.sandbox.helpers import Browser, eventually

from .driver import PORTS, Kernel, contents, deliver, end_of_login, port_is_free
from .test_sign_in import LIST, LOGIN


@pytest.fixture(scope="module")
def a_session(a_running_sandbox, tmp_path_factory):
    """A kernel that is signed in by a stored session; no login of these tests ends well, so it stays so."""
    folder = tmp_path_factory.mktemp("faults")
    environ = bound_environ(a_running_sandbox, folder)
    credentials = folder / "credentials"
    credentials.mkdir(mode=0o700)
    with Browser(a_running_sandbox) as browser:
        token = browser.sign_in()["refresh_token"]
    (credentials / "tokens2").write_text(json.dumps({"refresh_token": token, "other": 1}))
    (credentials / "tokens2").chmod(0o600)
    kernel = Kernel(folder, environ)
    (model,) = kernel.run(LOGIN).models
    kernel.wait_for(model, state="signed_in")
    yield kernel, model, credentials
    kernel.close()


@pytest.fixture
def a_kernel(a_session, a_sandbox):
    """The kernel and its widget. Whatever a test does, there is no port, child or file more than before."""
    kernel, model, credentials = a_session
    before = contents(credentials)
    yield kernel, model
    a_sandbox.clear_faults()
    if kernel.traits[model]["attempt"]:
        kernel.click(model, "cancel")
        kernel.wait_for(model, attempt="")
    assert kernel.traits[model]["state"] == "signed_in"
    assert eventually(lambda: kernel.children() == [])
    assert eventually(lambda: contents(credentials) == before)
    # A process that ends has lost its command line some milliseconds before its sockets.
    assert eventually(lambda: all(map(port_is_free, PORTS)))
    assert kernel.status(model)["notices"] == []


def _fails(kernel, model, *sentences):
    kernel.wait_for(model, attempt="failed", state="signed_in")
    attempt = kernel.status(model)["attempt"]
    for sentence in sentences:
        assert sentence in attempt["message"]
    assert attempt["next_step"]
    assert attempt["link"] is None


# -- while the browser is awaited --------------------------------------------------------------------------------------


def test_the_link_reaches_the_page_alone_and_no_cell_prints_anything(a_kernel):
    kernel, model = a_kernel
    already = len(kernel.messages)
    link = kernel.begin_login(model)
    assert "authorize" in link
    kinds = {message["msg_type"] for message in kernel.messages[already:]}
    assert kinds <= {"comm_msg", "status", "shutdown_reply"}
    assert "authorize" not in json.dumps(kernel.traits[model])
    assert kernel.run("print('quiet')").text == "quiet\n"


def test_an_old_foreign_or_half_address_is_refused_and_the_login_goes_on(a_kernel, a_sandbox):
    kernel, model = a_kernel
    old = end_of_login(a_sandbox, kernel.begin_login(model))
    kernel.click(model, "cancel")
    kernel.wait_for(model, attempt="")
    address = end_of_login(a_sandbox, kernel.begin_login(model))
    already = len(a_sandbox.requests)
    refused = {
        "": "No address was pasted",
        old: "an earlier one",
        address[:-5]: "The end of the address is missing",
        address.partition("&state")[0]: "A part of the address is missing",
        address.replace("127.0.0.1", "example.com"): "This is not the address",
    }
    for pasted, sentence in refused.items():
        kernel.paste(model, pasted)
        assert kernel.wait_for_message(model, sentence)["attempt"]["phase"] == "waiting_for_browser"
    assert len(a_sandbox.requests) == already


def test_a_stranger_at_the_port_is_turned_away_and_the_person_is_told(a_kernel, a_sandbox):
    kernel, model = a_kernel
    address = end_of_login(a_sandbox, kernel.begin_login(model))
    for query in ("error=<b>x</b>", "code=1"):
        assert deliver(f"{address.partition('?')[0]}?{query}").status_code == 400
    attempt = kernel.wait_for_message(model, "was turned away")["attempt"]
    assert (attempt["phase"], "<b>" in attempt["message"]) == ("waiting_for_browser", False)


def test_denied_at_the_log_in_page_the_words_stand_there_as_text(a_kernel, a_sandbox):
    kernel, model = a_kernel
    address = end_of_login(a_sandbox, kernel.begin_login(model))
    port, _, query = address.partition("?")
    state = query.partition("state=")[2]
    deliver(f"{port}?error=access_denied&error_description=<b>not</b> today&state={state}")
    _fails(kernel, model, "The log-in page said no (access_denied: <b>not</b> today).")


def test_a_second_sign_in_takes_the_place_of_the_one_that_waits(a_kernel, a_sandbox):
    kernel, model = a_kernel
    first = kernel.begin_login(model)
    second = kernel.begin_login(model)
    assert first != second
    assert len(kernel.children()) == 1
    kernel.paste(model, end_of_login(a_sandbox, first))
    kernel.wait_for_message(model, "an earlier one")


def test_clicks_in_one_instant_leave_one_login(a_kernel):
    kernel, model = a_kernel
    for _ in range(3):
        kernel.click(model, "sign_in_with_browser")
    kernel.wait_for(model, attempt="waiting_for_browser")
    assert eventually(lambda: len(kernel.children()) == 1)
    assert sum(not port_is_free(port) for port in PORTS) == 1


def test_cancelled_while_it_starts_nothing_is_left_and_the_next_login_is_not_disturbed(a_kernel):
    kernel, model = a_kernel
    # The limit for a link belongs to one login, and must not end a later one.
    kernel.run("from luminary_auth_widget import browser_sign_in as b; limit, b._LINK_LIMIT_SECONDS = 30, 0.8")
    try:
        kernel.click(model, "sign_in_with_browser")
        kernel.wait_for(model, attempt="starting")
        kernel.click(model, "cancel")
        kernel.wait_for(model, attempt="")
        kernel.run("b._LINK_LIMIT_SECONDS = limit")
        link = kernel.begin_login(model)
        kernel.run("import threading; threading.Event().wait(1)")
        assert kernel.status(model)["attempt"]["link"] == link
        # Whoever cancels need not be told.
        assert "was cancelled" not in kernel.broadcast()
    finally:
        kernel.run("b._LINK_LIMIT_SECONDS = limit")


def test_no_link_within_the_limit_is_a_failure_with_a_next_step(a_kernel):
    kernel, model = a_kernel
    kernel.run("from luminary_auth_widget import browser_sign_in as b; limit, b._LINK_LIMIT_SECONDS = 30, 0.01")
    try:
        kernel.click(model, "sign_in_with_browser")
        _fails(kernel, model, "did not make a link in time")
    finally:
        kernel.run("b._LINK_LIMIT_SECONDS = limit")


@pytest.mark.parametrize("moment", ["waiting_for_browser", "finishing"])
def test_cancelled_later_the_port_is_free_and_the_session_is_the_old_one(a_kernel, a_sandbox, moment, adas_projects):
    kernel, model = a_kernel
    link = kernel.begin_login(model)
    if moment == "finishing":
        a_sandbox.fault("slow", seconds=30)
        kernel.paste(model, end_of_login(a_sandbox, link))
        kernel.wait_for(model, attempt="finishing")
    kernel.click(model, "cancel")
    kernel.wait_for(model, attempt="")
    assert all(map(port_is_free, PORTS))
    a_sandbox.clear_faults()
    assert kernel.run(LIST).text == adas_projects


# -- after the browser has landed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("refuse", "localhost could not be reached"),
        ("slow", "localhost did not answer within 5 s"),
        ("error", "localhost answered with a failure (HTTP 500)"),
        ("bad_certificate", "localhost showed a certificate that this machine does not trust"),
    ],
)
def test_a_token_endpoint_that_fails_is_said_and_costs_nothing(a_kernel, a_sandbox, fault, sentence):
    kernel, model = a_kernel
    address = end_of_login(a_sandbox, kernel.begin_login(model))
    a_sandbox.fault(fault, **({"seconds": 30} if fault == "slow" else {}))
    kernel.paste(model, address)
    _fails(kernel, model, sentence)


def test_a_code_that_the_server_does_not_know_is_a_failure(a_kernel, a_sandbox):
    kernel, model = a_kernel
    port, _, query = end_of_login(a_sandbox, kernel.begin_login(model)).partition("?")
    kernel.paste(model, f"{port}?code=unknown&state={query.partition('state=')[2]}")
    _fails(kernel, model, "HTTP 403")


# -- ports and processes -----------------------------------------------------------------------------------------------


def test_with_all_four_ports_taken_it_says_so_with_the_way_out(a_kernel):
    kernel, model = a_kernel
    with ExitStack() as held:
        for port in PORTS:
            server = held.enter_context(socket.socket())
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port))
            server.listen()
        kernel.click(model, "sign_in_with_browser")
        _fails(kernel, model, *map(str, PORTS))


def test_a_child_that_is_warm_is_used_by_the_click_and_there_is_one_at_most(a_kernel):
    kernel, model = a_kernel
    for _ in range(3):
        kernel.click(model, "warm")
    assert eventually(lambda: len(kernel.children()) == 1)
    (warm,) = kernel.children()
    kernel.begin_login(model)
    assert kernel.children() == [warm]
    assert "LC_API_KEY" not in " ".join(warm.cmdline())
    assert len(warm.cmdline()) == 3
    kernel.click(model, "warm")
    kernel.status(model)
    assert kernel.children() == [warm]


def test_a_child_that_is_warm_and_not_needed_ends_by_itself(a_kernel):
    kernel, model = a_kernel
    kernel.run("from luminary_auth_widget import browser_sign_in as b; limit, b._WARM_SECONDS = b._WARM_SECONDS, 0.3")
    kernel.click(model, "warm")
    assert eventually(lambda: len(kernel.children()) == 1)
    assert eventually(lambda: kernel.children() == [])
    kernel.run("b._WARM_SECONDS = limit")


def test_a_warm_child_that_has_died_is_replaced_at_the_click(a_kernel):
    kernel, model = a_kernel
    kernel.click(model, "warm")
    assert eventually(lambda: len(kernel.children()) == 1)
    (warm,) = kernel.children()
    warm.kill()
    assert eventually(lambda: warm.pid not in psutil.pids() or warm.status() == psutil.STATUS_ZOMBIE)
    kernel.begin_login(model)
    assert len(kernel.children()) == 1


def test_a_child_that_is_killed_while_it_waits_is_a_failure_and_not_an_endless_wait(a_kernel):
    kernel, model = a_kernel
    kernel.begin_login(model)
    kernel.children()[0].kill()
    _fails(kernel, model, "ended without a word")


def test_a_kernel_that_is_killed_leaves_no_child_no_port_and_no_folder(a_folder, a_bound_environ):
    kernel = Kernel(a_folder, a_bound_environ)
    try:
        (model,) = kernel.run(LOGIN).models
        kernel.begin_login(model)
        (child,) = kernel.children()
        assert not all(map(port_is_free, PORTS))
        os.kill(kernel.manager.provisioner.pid, 9)
        assert psutil.wait_procs([child], timeout=10)[1] == []
        assert all(map(port_is_free, PORTS))
        credentials = a_folder.parent / "credentials"
        assert [name for name in contents(credentials) if "login" in name or "tokens" in name] == []
    finally:
        kernel.close()


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_was_told_to_anybody_by_all_of_this_nor_by_verbose_tracebacks(a_kernel, a_sandbox):
    kernel, model = a_kernel
    kernel.run("%xmode Verbose")
    link = kernel.begin_login(model)
    address = end_of_login(a_sandbox, link)
    folder = kernel.folder
    (folder / "addresses").write_text("\n".join((address[:-5], f"http://[{address[7:]}", address)))
    kernel.run("wrong, bad, good = open('addresses').read().split()")
    failed = [kernel.run(f"session.paste_callback({name})") for name in ("wrong", "bad")]
    assert all("CallbackUnusable" in ran.error for ran in failed)
    a_sandbox.fault("refuse")
    kernel.paste(model, address)
    _fails(kernel, model)
    late = kernel.run("session.paste_callback(good)")
    assert "No sign-in is waiting" in late.error
    _fails(kernel, model, "could not be reached")
    kernel.run("import luminarycloud as lc; open('access', 'w').write(lc.get_default_client().get_token())")
    kernel.run("%xmode Context")
    told = kernel.broadcast()
    refresh_token = json.loads((folder / "credentials" / "tokens2").read_text())["refresh_token"]
    code, state = address.partition("code=")[2].split("&state=")
    secrets = {"refresh": refresh_token, "access": (folder / "access").read_text(), "code": code}
    assert [name for name, secret in secrets.items() if secret in told] == []
    # The state travels within the link, to views that have said hello, and is void when the attempt ends.
    assert all(state not in ran.traceback for ran in (*failed, late))
    assert state not in json.dumps(kernel.traits)
