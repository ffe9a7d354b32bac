"""Signing in from a terminal: by redirect, by a pasted address, by a key; cancelled, refused, and with nobody there."""

import json
import os
import re
import signal
import stat
import termios
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.kernel.driver import PORTS, Kernel, deliver, end_of_login, port_is_free
from tests.kernel.test_sign_in import LIST, LOGIN
from tests.sandbox.helpers import GRACE, eventually

from .driver import Terminal


@pytest.fixture
def a_store(tmp_path):
    return tmp_path / "credentials" / "tokens2"


def _echoes(terminal):
    return bool(termios.tcgetattr(terminal.device)[3] & termios.ECHO)


def _token(store):
    return json.loads(store.read_text())["refresh_token"]


def _code(address):
    return parse_qs(urlsplit(address).query)["code"][0]


def test_after_a_login_by_redirect_the_session_is_stored_private_and_nothing_else_is_left(
    a_terminal, the_command, a_sandbox, a_store
):
    with a_terminal("login") as terminal:
        address = end_of_login(a_sandbox, terminal.wait_for_link())
        terminal.wait_for(r"Waiting for the browser: \d:\d\d left")
        seen_by_everybody = terminal.command_lines()
        page = deliver(address)
        assert terminal.end() == 0
    # The page is whole, although the command has ended by now.
    assert page.ok
    assert re.search(r"Luminary Cloud: ada@example\.com \(….{4} from browser session\)", terminal.text)
    assert "Until " in terminal.text
    assert {path.name for path in a_store.parent.iterdir()} == {"tokens2", "luminary-auth-widget.json"}
    assert stat.S_IMODE(a_store.stat().st_mode) == 0o600
    for secret in (_code(address), _token(a_store)):
        assert secret not in terminal.text + seen_by_everybody
    assert the_command("check").returncode == 0
    assert [port for port in PORTS if not port_is_free(port)] == []


def test_in_a_terminal_of_a_hub_that_does_not_tell_its_name_it_says_what_goes_in_front(
    a_bound_environ, a_sandbox, tmp_path
):
    on_a_hub = {**a_bound_environ, "LUMINARY_SANDBOX_PAGES": "/user/ada/proxy/4711", "BROWSER": "false"}
    with Terminal("login", environ=on_a_hub, cwd=tmp_path) as terminal:
        terminal.wait_for("put its name in front")
        link = terminal.wait_for(r"\s/user/ada/proxy/4711(/authorize\S+)\s")[1]
        deliver(end_of_login(a_sandbox, a_sandbox.url + link))
        assert terminal.end() == 0


def test_a_wrong_address_is_refused_and_the_right_one_finishes_unseen(a_terminal, a_sandbox, a_store):
    with a_terminal("login", "--browser") as terminal:
        address = end_of_login(a_sandbox, terminal.wait_for_link())
        terminal.wait_for("left")
        assert not _echoes(terminal)
        terminal.type("http://127.0.0.1:10001/callback?code=some-code&state=another")
        terminal.wait_for("another sign-in, or an earlier one")
        terminal.type("")
        terminal.type(f'  "{address}"')
        assert terminal.end() == 0
        assert _echoes(terminal)
    assert terminal.text.count("another sign-in, or an earlier one") == 1
    assert "ada@example.com" in terminal.text
    for typed in (_code(address), "some-code", _token(a_store)):
        assert typed not in terminal.text


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM"])
def test_cancelled_the_child_is_gone_the_port_free_the_echo_on_and_the_session_as_it_was(a_terminal, a_store, way):
    a_store.parent.mkdir(mode=0o700)
    a_store.write_text('{"refresh_token": "of-an-earlier-session"}')
    with a_terminal("login") as terminal:
        terminal.wait_for_link()
        terminal.wait_for("left")
        (child,) = terminal.children()
        if way == "Ctrl-C":
            terminal.ctrl_c()
        else:
            os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.end() == 130
        assert not child.is_running()
        assert _echoes(terminal)
    assert "Cancelled." in terminal.text
    assert "Traceback" not in terminal.text
    assert port_is_free(10001)
    assert {path.name: path.read_text() for path in a_store.parent.iterdir()} == {
        "tokens2": '{"refresh_token": "of-an-earlier-session"}'
    }


def test_interrupted_before_there_is_a_link_it_ends_as_cleanly(a_terminal, a_store):
    with a_terminal("login") as terminal:
        terminal.wait_for("Starting")
        terminal.ctrl_c()
        assert terminal.end() == 130
    assert "Traceback" not in terminal.text
    assert list(a_store.parent.glob("*")) == []


def test_a_login_that_the_page_refuses_says_so_and_has_exit_code_1(a_terminal):
    with a_terminal("login") as terminal:
        link = terminal.wait_for_link()
        asked = parse_qs(urlsplit(link).query)
        deliver(f"{asked['redirect_uri'][0]}?error=access_denied&error_description=No&state={asked['state'][0]}")
        assert terminal.end() == 1
    assert "The log-in page said no" in terminal.text


def test_with_nobody_there_it_fails_at_once_and_names_the_variable(the_command):
    for given in (None, "http://127.0.0.1:10001/callback?code=a&state=b\n"):
        done = the_command("login", given=given)
        assert (done.returncode, done.stdout) == (1, "")
        assert "LC_API_KEY" in done.stderr


@pytest.mark.parametrize(
    ("where", "switch", "opens"),
    [
        ({"DISPLAY": ":99"}, (), True),
        ({"DISPLAY": ":99", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, (), False),
        ({"DISPLAY": ":99"}, ("--no-open",), False),
    ],
)
def test_a_desktops_browser_is_opened_and_none_over_ssh_or_when_told_not_to(
    a_terminal, a_bound_environ, tmp_path, where, switch, opens
):
    opened = tmp_path / "opened"
    a_browser = tmp_path / "xdg-open"
    a_browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.part && /bin/mv {opened}.part {opened}\n')
    a_browser.chmod(0o755)
    here = {
        name: value for name, value in a_bound_environ.items() if name not in {"SSH_CONNECTION", "SSH_TTY", "BROWSER"}
    }
    # The machine's own browsers are out of sight.
    with a_terminal("login", *switch, environ={**here, "PATH": str(tmp_path), **where}) as terminal:
        link = terminal.wait_for_link()
        # What is drawn now comes after the decision.
        terminal.wait_for("left")
        assert ("should have opened" in terminal.text) is opens
        assert not opens or (eventually(opened.exists) and opened.read_text() == link)
    assert opened.exists() is opens


def test_a_key_from_a_pipe_is_checked_and_kept_where_notebooks_find_it(the_command, a_folder, a_key):
    (a_folder / ".env").write_text("OTHER=1\nLC_API_KEY=an-older-key-of-ours\n")
    done = the_command("login", "--key", given=f"export LC_API_KEY={a_key.secret}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Luminary Cloud: Signed in with an API key (…{a_key.secret[-4:]} from ./.env)\n")
    assert (a_folder / ".env").read_text() == f"OTHER=1\nLC_API_KEY='{a_key.secret}'\n"
    assert stat.S_IMODE((a_folder / ".env").stat().st_mode) == 0o600
    assert a_key.secret not in done.stdout
    assert the_command("check").returncode == 0

    elsewhere = the_command("login", "--key", "--env-file", "keys.env", given=a_key.secret)
    assert elsewhere.returncode == 0
    assert a_key.secret in (a_folder / "keys.env").read_text()
    blocked = the_command("login", "--key", given=a_key.secret, environ={"LC_API_KEY": ""})
    assert blocked.stdout.splitlines()[-1] == "Run `unset LC_API_KEY`."


def test_a_refused_key_is_not_kept_and_its_prompt_shows_nothing(a_terminal, a_folder):
    with a_terminal("login", "--key") as terminal:
        terminal.wait_for("API key")
        assert not _echoes(terminal)
        terminal.type("a-key-that-nobody-made")
        assert terminal.end() == 1
        assert _echoes(terminal)
    assert "The server refused this key." in terminal.text
    assert "a-key-that-nobody-made" not in terminal.text
    assert list(a_folder.iterdir()) == []
    with a_terminal("login", "--key") as terminal:
        terminal.wait_for("API key")
        terminal.ctrl_c()
        assert terminal.end() == 130
    assert "Traceback" not in terminal.text


def test_it_says_when_a_key_comes_before_the_new_session(a_terminal, a_sandbox, a_key, a_bound_environ):
    with a_terminal("login", environ={**a_bound_environ, "LC_API_KEY": a_key.secret}) as terminal:
        deliver(end_of_login(a_sandbox, terminal.wait_for_link()))
        assert terminal.end() == 0
    assert f"the SDK takes the API key …{a_key.secret[-4:]} from the environment first" in terminal.text


def test_a_kernels_widget_follows_the_terminal_and_the_terminal_ends_what_the_widget_shows(
    a_terminal, the_command, a_folder, a_bound_environ, a_sandbox, a_key, adas_projects
):
    kernel = Kernel(a_folder, a_bound_environ)
    try:
        (model,) = kernel.run(LOGIN).models
        kernel.wait_for(model, state="signed_out")
        with a_terminal("login") as terminal:
            deliver(end_of_login(a_sandbox, terminal.wait_for_link()))
            assert terminal.end() == 0
        kernel.wait_for(model, state="signed_in", expiry="recorded")
        assert kernel.run(LIST).text == adas_projects
        assert kernel.status(model)["title"] == "ada@example.com"

        # The other way round: the terminal sees what the widget has signed in to.
        kernel.sign_in(model, a_sandbox, GRACE)
        assert json.loads(the_command("check", "--json").stdout)["identity"] == "grace@example.com"

        # A key comes first, and is none of logout's business.
        done = the_command("logout", environ={"LC_API_KEY": a_key.secret})
        assert done.returncode == 0, done.stderr
        assert "Signed out everywhere" in done.stdout
        assert f"The API key …{a_key.secret[-4:]} in the environment is left alone" in done.stdout
        kernel.wait_for(model, state="signed_out")
        assert "in another kernel or program" in kernel.status(model)["message"]
    finally:
        kernel.close()
    again = the_command("logout")
    assert (again.returncode, again.stdout) == (0, "No browser session is stored on this machine.\n")


def test_a_logout_that_the_server_does_not_hear_of_says_so_and_has_exit_code_1(
    a_terminal, the_command, a_sandbox, a_store
):
    with a_terminal("login") as terminal:
        deliver(end_of_login(a_sandbox, terminal.wait_for_link()))
        assert terminal.end() == 0
    a_sandbox.fault("refuse")
    done = the_command("logout")
    assert done.returncode == 1
    assert "The server was not told" in done.stdout
    assert "refresh_token" not in json.loads(a_store.read_text())
