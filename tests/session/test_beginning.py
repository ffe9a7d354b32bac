"""What a session begins with: what is there, what the server says of it, and why nothing of it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.sandbox.helpers import GRACE

from .conftest import sign_in

SET = "import os; os.environ['LC_API_KEY'] = key\n"
MONTH = timedelta(days=30)

# A child whose browser does not come back.
WAITS = """
say('link', link='https://login.example.com/authorize?state=s&redirect_uri=http://127.0.0.1:1/callback')
wait()
"""


def _asked(cloud, key):
    return sum(request.last_four == key[-4:] for request in cloud.requests)


def test_with_nothing_there_nobody_is_signed_in_and_calls_fail_at_once(a_place):
    told = a_place.run("session.start(); print(projects())")
    assert (told.state, told.client, told.in_use, told.attempt) == ("signed_out", None, None, None)
    assert (told.message, told.next_step, told.environment, told.endpoint) == ("", "", "standard", "localhost")
    assert (told.fingerprint, told.source, told.method, told.expiry) == ("", "", None, "unknown")
    assert told.printed == "UNAVAILABLE\n"
    assert told.shown == "Luminary Cloud: Not signed in"
    assert told.heard == [["signed_out", "", False]]


def test_a_key_in_the_environment_is_in_use_at_once_and_asked_about_in_the_background(a_place, a_key, adas_projects):
    told = a_place.run(f"{SET}session.start(); print(projects())", key=a_key.secret)
    assert (told.state, told.client, told.in_use, told.attempt) == ("signed_in", "default", "environment", None)
    assert (told.method, told.source, told.fingerprint) == ("api_key", "environment", f"…{a_key.secret[-4:]}")
    assert (told.identity, told.expires_at, told.expiry) == ("", None, "unknown")
    assert (told.message, told.next_step, told.environment, told.endpoint) == ("", "", "standard", "localhost")
    assert told.moment("signed_in_at") <= told.moment("checked_at") <= datetime.now(timezone.utc)
    assert told.printed == adas_projects
    assert told.heard == [
        ["checking", "", False],
        ["checking", "", True],
        ["signed_in", "", False],
    ]
    assert not told.checking
    assert told.notices == []


def test_after_a_refused_key_another_one_that_has_taken_its_place_is_used(a_place, a_sandbox, a_key):
    old = a_sandbox.create_api_key("ada@example.com", name="old")
    (a_place.folder / ".env").write_text(f"LC_API_KEY={old.secret}\n")
    a_sandbox.revoke_api_key(old.id)
    assert a_place.run("session.start()").state == "rejected"
    assert a_place.run("session.require()").raised[0] == "NotSignedIn"
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    told = a_place.run("session.start()")
    assert (told.state, told.fingerprint) == ("signed_in", f"…{a_key.secret[-4:]}")


def test_a_run_that_requires_a_sign_in_takes_the_key_that_has_taken_a_refused_ones_place(a_place, a_sandbox, a_key):
    (a_place.folder / ".env").write_text("LC_API_KEY=lc-unknown-key-0000\n")
    assert a_place.run("session.start()").state == "rejected"
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    assert a_place.run("session.require()").state == "signed_in"


def test_a_start_that_is_interrupted_before_anything_is_in_use_is_asked_about_by_nobody(a_place, a_key):
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    told = a_place.run("session.begin(); session.show_finding(); session.note_interrupt()")
    assert (told.state, told.message) == ("signed_out", "Interrupted before anything was in use.")
    assert a_place.run("print(projects())").printed == "UNAVAILABLE\n"


def test_until_the_server_has_answered_a_key_that_was_found_is_checking_and_not_the_client_of_the_session(
    a_place, a_sandbox, a_key
):
    a_sandbox.fault("slow", seconds=1)
    told = a_place.run(f"{SET}session.start()", settle=False, key=a_key.secret)
    assert (told.state, told.client, told.checked_at) == ("checking", None, None)
    assert told.fingerprint == f"…{a_key.secret[-4:]}"


def test_a_key_in_the_nearest_env_file_is_named_by_its_place(a_place, a_key):
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    told = a_place.run("session.start()")
    assert (told.state, told.source, told.in_use) == ("signed_in", "./.env", f"env_file:{a_place.folder / '.env'}")
    assert told.shown == f"Luminary Cloud: Signed in with an API key (…{a_key.secret[-4:]} from ./.env)"


def test_a_stored_session_is_used_with_its_persons_name_and_an_end_about_a_month_after_it_was_stored(a_place, a_token):
    a_place.store(a_token)
    told = a_place.run("session.start()")
    assert (told.state, told.client, told.in_use) == ("signed_in", "default", "stored_session")
    assert (told.method, told.source, told.identity) == ("browser", "browser session", "ada@example.com")
    assert told.fingerprint == f"…{a_token[-4:]}"
    written = datetime.fromtimestamp((a_place.credentials / "tokens2").stat().st_mtime, timezone.utc)
    assert (told.expiry, told.moment("expires_at")) == ("about", written + MONTH)
    assert told.signed_in_at is None
    assert a_place.stored() == a_token


def test_a_stored_session_that_others_could_read_is_made_private_and_that_is_said(a_place, a_token):
    a_place.store(a_token)
    (a_place.credentials / "tokens2").chmod(0o644)
    told = a_place.run("session.start()")
    assert told.notice == {"tightened": "Others could read the stored session; it is now readable by you alone."}
    assert (a_place.credentials / "tokens2").stat().st_mode & 0o077 == 0


def test_a_stored_session_that_is_private_needs_no_word(a_place, a_token):
    a_place.store(a_token)
    assert a_place.run("session.start()").notices == []


def test_a_stored_session_whose_sign_in_was_noted_ends_a_month_after_that(a_place, a_token):
    a_place.store(a_token)
    told = a_place.run(
        "from datetime import datetime, timezone\nfrom luminary_auth_widget import records\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "then = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)\n"
        "records.note_session(records.SessionRecord(Secret(token).digest, then, 'standard', {}))\n"
        "session.start()",
        token=a_token,
    )
    signed_in_at = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)
    assert (told.expiry, told.moment("signed_in_at")) == ("recorded", signed_in_at)
    assert told.moment("expires_at") == signed_in_at + MONTH


def test_a_stored_session_that_is_over_is_expired_and_its_client_is_nobodys(a_place, a_sandbox):
    token = sign_in(a_sandbox, GRACE)
    a_sandbox.end_sessions("grace@example.com")
    a_place.store(token)
    told = a_place.run("session.start()")
    assert (told.state, told.client, told.in_use) == ("expired", None, "stored_session")
    assert told.message == "The server said that the session is over."
    assert told.next_step == "Sign in with the browser again."
    assert told.checked_at is not None


def test_a_key_that_the_server_refuses_is_rejected_and_stays_the_one_in_use(a_place, a_sandbox, a_key):
    a_sandbox.revoke_api_key(a_key.id)
    told = a_place.run(f"{SET}session.start()", key=a_key.secret)
    assert (told.state, told.client, told.in_use) == ("rejected", None, "environment")
    assert told.message == "It was revoked, deleted or has expired."
    assert "Create a new one" in told.next_step
    assert told.fingerprint == f"…{a_key.secret[-4:]}"


@pytest.mark.parametrize("stored", [False, True], ids=["a key", "a session"])
def test_what_cannot_be_asked_about_is_unverified_and_in_use_all_the_same(a_place, a_sandbox, a_key, a_token, stored):
    if stored:
        a_place.store(a_token)
    a_sandbox.fault("refuse")
    told = a_place.run("session.start()" if stored else f"{SET}session.start()", key=a_key.secret)
    assert (told.state, told.client) == ("unverified", "default")
    assert "could not be reached" in told.message
    assert told.next_step == "Check the connection, then try again."


@pytest.mark.parametrize(
    ("value", "message", "next_step"),
    [
        ("two words", "LC_API_KEY in environment: The key has blanks inside; a key is one word.", "Copy the whole key"),
        (" ", "LC_API_KEY is set but empty.", "Set it to a key, or unset it."),
    ],
)
def test_a_variable_that_holds_no_key_is_the_reason_why_nobody_is_signed_in(a_place, a_key, value, message, next_step):
    if not value.strip():
        (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    told = a_place.run(f"{SET}del os.environ['LUMINARY_SANDBOX_PAGES']; session.start()", key=value)
    assert (told.state, told.in_use, told.message) == ("signed_out", None, message)
    assert told.next_step.startswith(next_step)


def test_a_key_that_another_environment_has_accepted_is_not_sent_and_that_is_the_reason(a_place, a_sandbox, a_key):
    told = a_place.run(
        f"{SET}from luminary_auth_widget import records\nfrom luminary_auth_widget.credentials import Secret\n"
        "records.note_key_environment(Secret(key), 'itar'); session.start()",
        key=a_key.secret,
    )
    assert (told.state, told.in_use) == ("signed_out", None)
    assert told.message == "The key in environment belongs to the ITAR environment; it was not sent."
    assert told.next_step == "Switch the environment under Details, or sign in anew."
    assert _asked(a_sandbox, a_key.secret) == 0


def test_beginning_again_asks_about_what_is_in_use_and_changes_nothing_else(a_place, a_sandbox, a_key):
    a_place.run(f"{SET}session.start()", key=a_key.secret)
    before = _asked(a_sandbox, a_key.secret)
    told = a_place.run("first = session.client; session.start(); print(session.client is first)")
    assert (told.state, told.printed) == ("signed_in", "True\n")
    assert _asked(a_sandbox, a_key.secret) == before + 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [("mars", "There is no environment 'mars'."), ("itar", "The sandbox has no ITAR environment.")],
)
def test_an_environment_that_is_not_there_is_refused_before_anything_is_used(a_place, a_key, environment, message):
    told = a_place.run(f"{SET}session.show_finding(); session.start(environment={environment!r})", key=a_key.secret)
    assert told.raised[:2] == ["CredentialUnusable", message]
    assert (told.state, told.in_use, told.message, told.notices) == ("signed_out", None, message, [])
    assert a_place.run("print(projects())").printed == "UNAVAILABLE\n"


def test_a_private_deployment_is_asked_by_its_name_and_shown_by_its_host(a_place, a_sandbox, a_key):
    target = a_sandbox.environ["LC_DOMAIN"].replace("localhost", "127.0.0.1")
    told = a_place.run(f"{SET}session.start(); settle(); session.start(target={target!r})", key=a_key.secret)
    assert (told.endpoint, told.in_use) == ("127.0.0.1", "environment")
    assert told.heard[-3][0] == "checking"


def test_a_session_that_was_made_for_another_server_than_the_one_named_is_not_sent_there(a_place, a_sandbox, a_token):
    a_place.store(a_token)
    noted = (
        "from datetime import datetime, timezone\nfrom luminary_auth_widget import records\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "record = records.SessionRecord(Secret(token).digest, datetime.now(timezone.utc), 'standard', {})\n"
        "records.note_session(record)\n"
    )
    told = a_place.run(f"{noted}session.start(target='127.0.0.1:1')", token=a_token)
    assert (told.state, told.in_use) == ("signed_out", None)
    assert told.message == "The stored browser session was made for localhost; it was not sent elsewhere."
    assert a_place.run("session.use_source('stored_session')").raised[1] == told.message
    there = a_sandbox.environ["LC_DOMAIN"]
    told = a_place.run(f"session.start(target={there!r})")
    assert (told.state, told.in_use) == ("signed_in", "stored_session")


def test_a_session_that_was_signed_in_to_elsewhere_is_followed_there_also_by_what_comes_next(
    a_place, a_sandbox, a_token, a_key
):
    a_place.store(a_token)
    noted = (
        "from datetime import datetime, timezone\nfrom luminary_auth_widget import records\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "now, there = datetime.now(timezone.utc), {'target': target}\n"
        "records.note_session(records.SessionRecord(Secret(token).digest, now, 'standard', there))\n"
    )
    target = a_sandbox.environ["LC_DOMAIN"].replace("localhost", "127.0.0.1")
    told = a_place.run(f"{noted}session.start()", token=a_token, target=target)
    assert (told.state, told.endpoint) == ("signed_in", "127.0.0.1")
    told = a_place.run("session.use_key(key)", key=a_key.secret)
    assert (told.state, told.method, told.endpoint) == ("signed_in", "api_key", "127.0.0.1")


def test_a_key_that_another_server_was_to_take_and_did_not_leaves_a_session_that_can_be_signed_out(
    a_place, a_sandbox, a_token
):
    a_place.store(a_token)
    a_place.run("session.start()")
    target = a_sandbox.environ["LC_DOMAIN"].replace("localhost", "127.0.0.1")
    told = a_place.run(f"session.begin(target={target!r}); session.use_key('lc-not-a-key-of-anybody-0000')")
    assert (told.raised[0], told.state, told.in_use) == ("KeyRefused", "signed_in", "stored_session")
    assert a_place.run("session.check()").state == "signed_in"
    told = a_place.run("session.sign_out()")
    assert (told.state, a_place.stored()) == ("signed_out", None)
    assert told.message.startswith("Signed out everywhere")


def test_an_interrupt_before_the_sdk_is_there_leaves_nothing_that_is_still_asked_about(a_place, a_key):
    told = a_place.run(
        f"{SET}session.show_finding()\nfrom luminary_auth_widget import sdk\nload = sdk.load\n"
        "def interrupted():\n sdk.load = load\n raise KeyboardInterrupt\n"
        "sdk.load = interrupted\ntry: session.begin()\nexcept KeyboardInterrupt: print('interrupted')",
        key=a_key.secret,
    )
    assert (told.printed, told.state, told.in_use) == ("interrupted\n", "signed_out", None)
    assert (told.message, told.next_step) == ("Interrupted before the SDK was imported.", "Run the cell again.")


def test_changing_the_environment_signs_in_with_what_belongs_there_and_ends_a_sign_in_under_way(a_login, a_key):
    place = a_login(WAITS)
    told = place.run(f"session.start(); session.sign_in_with_browser()\n{SET}", key=a_key.secret)
    assert told.attempt["phase"] == "waiting_for_browser"
    told = place.run("print(session.use_environment('standard').state.value)")
    assert (told.printed, told.state, told.attempt, told.in_use) == ("checking\n", "signed_in", None, "environment")


def test_changing_to_an_environment_that_is_not_there_keeps_what_is_in_use(a_place, a_key):
    a_place.run("session.use_key(key)", key=a_key.secret)
    told = a_place.run("session.use_environment('mars')")
    assert (told.raised[0], told.state, told.client) == ("CredentialUnusable", "signed_in", "default")


def test_what_is_about_to_be_used_is_shown_before_the_sdk_is_there(a_place, a_key):
    told = a_place.run(f"{SET}session.show_finding()", key=a_key.secret)
    assert (told.state, told.source, told.fingerprint) == ("checking", "environment", f"…{a_key.secret[-4:]}")
    assert (told.method, told.client, told.heard) == ("api_key", None, [["checking", "", False]])


@pytest.mark.parametrize("value", ["", "two words"])
def test_where_nothing_can_be_used_nothing_is_shown_before_the_sdk_is_there(a_place, value):
    told = a_place.run(f"{SET}session.show_finding()", key=value)
    assert (told.state, told.source, told.heard) == ("signed_out", "", [])


def test_what_is_in_use_stays_on_the_screen_when_something_else_is_found(a_place, a_key):
    a_place.run("session.use_key(key)", key=a_key.secret)
    told = a_place.run(f"{SET}session.show_finding()", key="lc-another-key-0000")
    assert (told.state, told.source, told.heard) == ("signed_in", "pasted", [])


def test_after_a_failing_call_a_session_that_has_not_begun_begins(a_place, a_key):
    assert a_place.run(f"{SET}session.look_into_failure()", key=a_key.secret).state == "signed_in"


def test_after_a_failing_call_what_is_in_use_is_asked_about(a_place, a_sandbox, a_key):
    a_place.run("session.use_key(key)", key=a_key.secret)
    a_sandbox.revoke_api_key(a_key.id)
    assert a_place.run("session.look_into_failure()").state == "rejected"


def test_after_a_failing_call_whoever_has_signed_out_stays_so(a_place, a_key):
    told = a_place.run(f"session.use_key(key); session.sign_out()\n{SET}session.look_into_failure()", key=a_key.secret)
    assert (told.state, told.in_use) == ("signed_out", None)


def test_with_the_sdk_a_session_begins_unless_somebody_has_begun_it(a_place, a_key):
    assert a_place.run(f"{SET}session.start_with_the_sdk()", key=a_key.secret).state == "signed_in"


def test_a_session_that_has_begun_takes_no_notice_of_the_sdks_import(a_place, a_key):
    told = a_place.run(f"{SET}session.begin(); session.start_with_the_sdk()", key=a_key.secret)
    assert (told.state, told.in_use) == ("signed_out", None)


def test_a_sign_in_that_is_waited_for_stays_on_the_screen_when_something_comes_into_use(a_login, a_key):
    place = a_login(WAITS)
    told = place.run(f"session.sign_in_with_browser()\n{SET}session.start()", key=a_key.secret)
    assert (told.state, told.attempt["phase"]) == ("signed_in", "waiting_for_browser")


def test_a_sign_in_that_is_waited_for_stays_on_the_screen_when_nothing_is_found(a_login):
    place = a_login(WAITS)
    told = place.run("session.sign_in_with_browser(); session.start()")
    assert (told.state, told.attempt["phase"]) == ("signed_out", "waiting_for_browser")


def test_a_key_that_is_refused_at_the_beginning_leaves_nobody_signed_in_and_calls_fail_at_once(a_place, a_key):
    told = a_place.run(f"{SET}session.begin(); session.use_key('lc-unknown-key-0000')", key=a_key.secret)
    assert (told.state, told.in_use, told.attempt["phase"]) == ("signed_out", None, "failed")
    assert a_place.run("print(projects())").printed == "UNAVAILABLE\n"


def test_a_failed_sign_in_leaves_the_screen_when_something_comes_into_use(a_place, a_key):
    told = a_place.run("session.use_key('two words')")
    assert told.attempt["phase"] == "failed"
    told = a_place.run(f"{SET}session.start()", key=a_key.secret)
    assert (told.state, told.attempt) == ("signed_in", None)


def test_a_run_that_nobody_watches_loads_no_sdk_to_say_no_and_signs_in_once_somebody_does(a_bound_environ, a_key):
    code = (
        "import json, os, sys, threading\n"
        "from luminary_auth_widget.session import current_session\n"
        "session = current_session(); session.start()\n"
        "said = [session.status.state.value, 'luminarycloud' in sys.modules, session.status.endpoint]\n"
        "os.environ['LC_API_KEY'] = os.environ['KEY']\n"
        "import luminarycloud\n"
        "[t.join() for t in threading.enumerate() if t.name == 'luminary-auth']\n"
        "print(json.dumps([*said, session.status.state.value, current_session() is session]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**a_bound_environ, "KEY": a_key.secret}, capture_output=True, text=True,
        cwd=Path(a_bound_environ["HOME"]), check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["signed_out", False, "", "signed_in", True]
