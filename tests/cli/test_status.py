"""`status` and `check` tell what the SDK takes here, and give nothing away."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from luminary_auth_widget import records
from luminary_auth_widget.credentials import Secret
from tests.sandbox.helpers import Browser

MONTH = timedelta(days=30)


@pytest.fixture
def a_stored_session(a_sandbox, a_bound_environ, tmp_path, monkeypatch):
    """The refresh token of a session that a widget has signed in to, a day and an hour less than a month ago."""
    with Browser(a_sandbox) as browser:
        token = browser.sign_in()["refresh_token"]
    monkeypatch.setenv("LC_CREDENTIALS_DIR", a_bound_environ["LC_CREDENTIALS_DIR"])
    signed_in_at = datetime.now(timezone.utc) - MONTH + timedelta(days=1, minutes=62)
    records.note_session(records.SessionRecord(Secret(token).digest, signed_in_at, "standard", {}))
    store = tmp_path / "credentials" / "tokens2"
    store.write_text(json.dumps({"refresh_token": token}))
    store.chmod(0o600)
    return token


def _facts(done):
    return json.loads(done.stdout)


def test_with_nothing_found_it_says_how_to_sign_in_and_the_exit_code_is_1(the_command):
    done = the_command("status")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0] == "Luminary Cloud: Not signed in"
    assert done.stdout.splitlines()[-1] == "Run `luminary-auth login`."
    assert the_command("check").returncode == 1


def test_the_session_is_found_without_asking_anybody_and_check_asks(the_command, a_sandbox, a_stored_session):
    a_sandbox.fault("refuse")
    done = the_command("status")
    a_sandbox.clear_faults()
    assert done.returncode == 0, done.stderr
    shown = f"…{a_stored_session[-4:]}"
    assert done.stdout.splitlines()[0] == (
        f"Luminary Cloud: Browser session found, not checked ({shown} from browser session)"
    )
    assert "(1 day 1 h left)" in done.stdout
    assert done.stdout.splitlines()[-1] == "Run `luminary-auth check` to ask the server."
    checked = the_command("check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.splitlines()[0] == f"Luminary Cloud: ada@example.com ({shown} from browser session)"
    assert a_stored_session not in done.stdout + checked.stdout


def test_the_json_has_the_documented_keys_with_times_in_utc(the_command, a_stored_session):
    help_text = the_command("status", "--help").stdout.partition("one object:")[2]
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").partition("print one object:")[2]
    for command, state in (("status", "not_asked"), ("check", "signed_in")):
        facts = _facts(the_command(command, "--json"))
        assert [key for key in facts if not re.search(rf"\b{key}\b", help_text)] == []
        assert [key for key in facts if f"`{key}`" not in readme.partition("\n## ")[0]] == []
        assert (facts["state"], facts["method"], facts["expiry"], facts["sandbox"]) == (
            state, "browser", "recorded", True,
        )  # fmt: skip
        assert facts["fingerprint"] == f"…{a_stored_session[-4:]}"
        assert facts["in_scripts"]["method"] == "browser"
        signed_in, ends = (
            datetime.strptime(facts[name], "%Y-%m-%dT%H:%M:%SZ") for name in ("signed_in_at", "expires_at")
        )
        assert ends - signed_in == MONTH
    assert facts["identity"] == "ada@example.com"
    assert datetime.strptime(facts["checked_at"], "%Y-%m-%dT%H:%M:%SZ")


def test_each_place_wins_as_it_does_in_the_sdk_and_scripts_are_told_apart(
    the_command, a_folder, a_sandbox, a_key, a_stored_session
):
    other = a_sandbox.create_api_key("ada@example.com", name="other").secret
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    below = a_folder / "notebooks"
    below.mkdir()
    facts = _facts(the_command("status", "--json", cwd=below))
    assert (facts["source"], facts["fingerprint"]) == ("../.env", f"…{a_key.secret[-4:]}")
    assert facts["in_scripts"]["method"] == "browser"
    told = the_command("status").stdout
    assert f"A plain script here takes the browser session …{a_stored_session[-4:]}." in told
    assert "dotenv.load_dotenv()" in told

    facts = _facts(the_command("status", "--json", environ={"LC_API_KEY": other}))
    assert (facts["source"], facts["fingerprint"]) == ("environment", f"…{other[-4:]}")
    assert facts["in_scripts"]["source"] == "environment"
    assert [source["source"] for source in facts["not_used"]] == ["./.env", "browser session"]

    empty = the_command("status", environ={"LC_API_KEY": ""}).stdout
    assert "because LC_API_KEY is set but empty" in empty
    assert "Browser session found" in empty


def test_what_a_plain_script_takes_is_what_a_plain_script_takes(the_command, a_folder, a_bound_environ, a_key):
    # A project with its own virtual environment inside: python-dotenv looks upward from the SDK's folder.
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    script = a_folder / "script.py"
    script.write_text("import os, luminarycloud\nprint(os.environ.get('LC_API_KEY'))\n")
    done = subprocess.run(
        [sys.executable, str(script)], env=a_bound_environ, cwd=a_folder, capture_output=True, text=True, check=True
    )
    taken = _facts(the_command("status", "--json"))["in_scripts"]
    assert done.stdout.strip() == ("None" if taken is None else a_key.secret)


def test_a_refused_key_and_an_unreachable_server_each_have_their_sentence_and_exit_code_1(
    the_command, a_sandbox, a_key
):
    a_sandbox.revoke_api_key(a_key.id)
    refused = the_command("check", environ={"LC_API_KEY": a_key.secret})
    assert refused.returncode == 1
    assert refused.stdout.startswith("Luminary Cloud: The server refused this key")
    assert "luminary-auth login --key" in refused.stdout.splitlines()[-1]
    a_sandbox.fault("refuse")
    unreachable = _facts(the_command("check", "--json", environ={"LC_API_KEY": a_key.secret}))
    assert (unreachable["state"], unreachable["message"] != "") == ("unverified", True)
    # Without a check, a key that is there is a key that is there.
    assert the_command("status", environ={"LC_API_KEY": a_key.secret}).returncode == 0


def test_a_damaged_store_and_an_unreadable_env_file_are_said_once_with_what_to_do(the_command, a_folder, tmp_path):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "tokens2").write_text("{")
    for command in ("status", "check"):
        done = the_command(command)
        assert (done.returncode, done.stdout.count("is damaged")) == (1, 1)
        assert done.stdout.splitlines()[-1].startswith("Sign in with the browser")
    assert the_command("logout").returncode == 1
    (a_folder / ".env").write_bytes(b"LC_API_KEY=\xff\n")
    done = the_command("status")
    assert (done.returncode, done.stdout.count("is not UTF-8 text")) == (1, 1)
    assert "Not used: The token store" in done.stdout


def test_status_is_fast_because_it_loads_neither_the_sdk_nor_a_widget(a_bound_environ, a_folder, a_key):
    code = (
        "import sys\nfrom luminary_auth_widget.cli import main\ncode = main(['status'])\n"
        "print({'luminarycloud', 'grpc', 'ipywidgets', 'flask'} & set(sys.modules), code)"
    )
    environ = {**a_bound_environ, "LC_API_KEY": a_key.secret}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=a_folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set() 0"


def test_colour_is_for_terminals_and_not_for_those_who_decline_it(a_terminal, the_command, a_bound_environ):
    assert "\033" not in the_command("status").stdout
    for declined, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        with a_terminal("status", environ={**a_bound_environ, **declined}) as terminal:
            assert terminal.end() == 1
            assert ("\033" in terminal.text) is coloured


def test_a_terminal_of_an_old_code_page_and_a_reader_who_leaves_early_get_no_traceback(
    the_command, a_bound_environ, a_folder, a_key
):
    old = the_command("status", environ={"LC_API_KEY": a_key.secret, "PYTHONIOENCODING": "ascii"})
    assert (old.returncode, old.stderr) == (0, "")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "luminary_auth_widget.cli", "status"]
    with os.fdopen(write) as nobody:
        done = subprocess.run(
            command, env=a_bound_environ, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr == ""
