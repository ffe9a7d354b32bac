"""Signing in with the browser: the link, and what comes back; with a child that a test directs."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timedelta, timezone

import psutil
import pytest

from tests.sandbox.helpers import ADA, GRACE, eventually

from .conftest import sign_in
from .test_keys import SLOWLY

LINK = "https://login.example.com/authorize?state=STATE-abc&redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback"
SHOWN = LINK.format(port=9876)
WAITS = f"say('link', link={SHOWN!r}); wait()"
# The link, then, once a file `go` is there, the end.
GOES_ON = f"say('link', link={SHOWN!r})\nwhile not os.path.exists('go'): time.sleep(0.005)\n"
BEGIN = "session.sign_in_with_browser()"
GO = "open('go', 'w').close(); ended()"


def _brings(token):
    return f"{GOES_ON}say('landed'); keep({json.dumps({'refresh_token': token})!r}); say('done')"


def test_a_sign_in_shows_its_link_for_five_minutes_and_leaves_the_state_as_it_is(a_login):
    place = a_login(WAITS)
    before = datetime.now(timezone.utc)
    told = place.run(f"session.start(); print({BEGIN}.attempt.link)")
    assert (told.state, told.client, told.in_use) == ("signed_out", None, None)
    assert told.attempt["phase"] == "waiting_for_browser"
    assert (told.attempt["method"], told.attempt["link"], told.printed) == ("browser", SHOWN, f"{SHOWN}\n")
    ends_in = datetime.fromisoformat(told.attempt["ends_at"]) - before
    assert timedelta(minutes=5) <= ends_in < timedelta(minutes=6)
    assert [phase for _, phase, _ in told.heard] == ["", "starting", "waiting_for_browser"]


def test_the_session_that_a_login_brings_is_in_use_stored_and_noted(a_login, a_token, adas_projects):
    place = a_login(_brings(a_token))
    told = place.run(f"{BEGIN}; {GO}; print(projects())")
    assert (told.state, told.client, told.in_use, told.attempt) == ("signed_in", "default", "stored_session", None)
    assert (told.method, told.source, told.identity) == ("browser", "browser session", "ada@example.com")
    assert (told.expiry, told.message, told.notices) == ("recorded", "", [])
    assert told.moment("expires_at") == told.moment("signed_in_at") + timedelta(days=30)
    assert told.checked_at is not None
    assert told.printed == adas_projects
    assert place.stored() == a_token
    noted = place.noted()["session"]
    assert (noted["environment"], noted["signed_in_at"]) == ("standard", told.signed_in_at)
    assert told.heard[-1] == ["signed_in", "", False]
    assert "finishing" in [phase for _, phase, _ in told.heard]


def test_what_cannot_be_a_key_is_said_beside_a_sign_in_that_goes_on(a_login):
    place = a_login(WAITS)
    place.run(BEGIN)
    told = place.run("session.use_key('two words')")
    assert (told.raised[0], told.attempt["phase"], told.attempt["link"]) == (
        "KeyMalformed",
        "waiting_for_browser",
        SHOWN,
    )
    assert told.notice["failed"] == f"{told.raised[1]} {told.raised[2]}"
    assert place.run("session.cancel()").attempt is None


def test_signing_in_anew_says_whose_session_it_was_and_whose_it_is(a_login, a_sandbox, a_token):
    place = a_login(_brings(a_token))
    place.store(sign_in(a_sandbox, GRACE))
    told = place.run("session.start()")
    assert told.identity == "grace@example.com"
    told = place.run(f"{BEGIN}; {GO}")
    assert told.identity == "ada@example.com"
    assert told.notice == {"account": "The account has changed: was grace@example.com, now ada@example.com."}


def test_signing_in_anew_as_the_same_person_needs_no_word(a_login, a_sandbox, a_token):
    place = a_login(_brings(a_token))
    place.store(sign_in(a_sandbox, ADA))
    told = place.run(f"session.start(); settle(); {BEGIN}; {GO}")
    assert (told.state, told.notices) == ("signed_in", [])


def test_a_session_that_takes_the_place_of_another_environments_says_so(a_login, a_sandbox, a_token):
    place = a_login(_brings(a_token))
    place.store(sign_in(a_sandbox, GRACE))
    told = place.run(
        "import json\nfrom datetime import datetime, timezone\nfrom luminary_auth_widget import records\n"
        "from luminary_auth_widget.credentials import Secret\n"
        f"token = json.load(open({str(place.credentials / 'tokens2')!r}))['refresh_token']\n"
        "now = datetime.now(timezone.utc)\n"
        "records.note_session(records.SessionRecord(Secret(token).digest, now, 'itar', {}))\n"
        f"{BEGIN}; {GO}"
    )
    assert (told.state, told.environment) == ("signed_in", "standard")
    text = "The SDK keeps one session only: this one took the place of the other environment's."
    assert told.notice == {"replaced": text}


def test_a_session_that_cannot_be_stored_lives_in_this_kernel_and_that_is_said(a_login, a_token):
    place = a_login(_brings(a_token))
    (place.folder / "file").touch()
    told = place.run(f"import os; os.environ['LC_CREDENTIALS_DIR'] = os.path.abspath('file/folder')\n{BEGIN}; {GO}")
    assert (told.state, told.client, told.identity) == ("signed_in", "default", "ada@example.com")
    assert told.notice["kept"].startswith("This session lives in this kernel only, and is not kept. ")


def test_a_damaged_store_is_moved_aside_and_that_is_said(a_login, a_token):
    place = a_login(_brings(a_token))
    (place.credentials / "tokens2").write_text("{")
    told = place.run(f"{BEGIN}; {GO}")
    assert (told.state, place.stored()) == ("signed_in", a_token)
    assert told.notice["kept"].startswith("The token store was damaged.")


def test_a_session_whose_server_cannot_be_reached_yet_is_kept_and_unverified(a_login, a_sandbox, a_token):
    place = a_login(_brings(a_token))
    place.run(BEGIN)
    a_sandbox.fault("refuse")
    told = place.run(GO)
    assert (told.state, told.client, told.in_use, told.attempt) == ("unverified", "default", "stored_session", None)
    assert told.identity == ""
    assert "could not be reached" in told.message
    assert place.stored() == a_token


def test_a_session_that_the_server_does_not_accept_fails_as_an_attempt_and_is_not_kept(a_login, a_sandbox, a_key):
    token = sign_in(a_sandbox, GRACE)
    place = a_login(_brings(token))
    told = place.run(f"session.use_key(key); {BEGIN}", key=a_key.secret)
    a_sandbox.end_sessions("grace@example.com")
    told = place.run(GO)
    assert (told.state, told.client, told.in_use) == ("signed_in", "default", "given")
    assert (told.attempt["phase"], told.attempt["method"]) == ("failed", "browser")
    assert told.attempt["message"] == "The server said that the session is over."
    assert (place.stored(), "session" in place.noted()) == (None, False)


# The answer to a check comes only once the test has done something else.
ASKED = """
import threading
from luminary_auth_widget import servers
ask, asked, go_on = servers.check_session, threading.Event(), threading.Event()
def ask_slowly(*given):
    asked.set(); go_on.wait(20)
    return ask(*given)
servers.check_session = ask_slowly
open("go", "w").close(); asked.wait(20)
{meanwhile}
go_on.set(); ended()
servers.check_session = ask
"""


def test_a_sign_in_that_is_cancelled_while_the_server_is_asked_is_not_kept(a_login, a_token):
    place = a_login(_brings(a_token))
    told = place.run(f"{BEGIN}\n{ASKED.format(meanwhile='session.cancel()')}")
    assert (told.state, told.attempt, told.in_use) == ("signed_out", None, None)
    assert (place.stored(), place.noted()) == (None, {})


def test_a_login_that_the_page_refuses_fails_as_an_attempt_and_leaves_the_state_as_it_is(a_login, a_key):
    place = a_login(f"{GOES_ON}say('failed', reason='denied', detail='access_denied: no')")
    told = place.run(f"session.use_key(key); {BEGIN}; {GO}", key=a_key.secret)
    assert (told.state, told.client) == ("signed_in", "default")
    assert (told.attempt["phase"], told.attempt["link"]) == ("failed", None)
    assert told.attempt["message"] == "The log-in page said no (access_denied: no)."
    assert told.attempt["can_retry"] is False


def test_a_login_that_fails_before_there_is_a_link_is_raised_and_shown(a_login):
    place = a_login("say('failed', reason='ports')")
    told = place.run(BEGIN)
    assert told.raised[0] == "PortsTaken"
    assert (told.attempt["phase"], told.attempt["message"]) == ("failed", told.raised[1])


def _runs(place):
    noted = place.folder / "noted.json"
    assert eventually(lambda: noted.exists() and noted.read_text() != "")
    pid = json.loads(noted.read_text())["pid"]
    noted.unlink()
    return pid


@pytest.mark.parametrize(
    "intent",
    ["session.cancel()", "session.use_key(key)", "session.sign_out()", "session.use_environment('standard')"],
)
def test_a_sign_in_under_way_ends_with_its_child_when_something_else_is_asked_for(a_login, a_key, intent):
    place = a_login(f"note(pid=os.getpid()); {WAITS}")
    assert place.run(BEGIN).attempt["phase"] == "waiting_for_browser"
    pid = _runs(place)
    told = place.run(f"print({intent}.attempt)", key=a_key.secret)
    assert (told.printed, told.attempt) == ("None\n", None)
    assert told.heard[-1][1] == ""
    assert not psutil.pid_exists(pid)


def test_a_second_click_ends_the_first_sign_in_before_it_begins_its_own(a_login):
    place = a_login(f"note(pid=os.getpid()); {WAITS}")
    place.run(BEGIN)
    first = _runs(place)
    told = place.run(BEGIN)
    assert told.attempt["phase"] == "waiting_for_browser"
    assert _runs(place) != first
    assert not psutil.pid_exists(first)


def test_a_child_that_was_warmed_up_does_the_login(a_login):
    place = a_login(f"note(pid=os.getpid()); {WAITS}")
    told = place.run(
        "import subprocess\nstarted, start = [], subprocess.Popen.__init__\n"
        "def count(*a, **k): started.append(1); start(*a, **k)\n"
        "subprocess.Popen.__init__ = count\n"
        f"session.warm(); print(len(started), session.status.attempt); {BEGIN}; print(len(started))\n"
        "subprocess.Popen.__init__ = start"
    )
    assert told.printed == "1 None\n1\n"


def test_the_link_asks_for_an_account_as_long_as_another_one_is_wanted(a_login):
    place = a_login(WAITS)
    told = place.run(f"{BEGIN}; print(session.use_another_account().attempt.link)")
    assert told.printed == f"{SHOWN}&prompt=login\n"
    assert told.attempt["link"] == f"{SHOWN}&prompt=login"
    assert place.run("session.use_another_account(False)").attempt["link"] == SHOWN
    assert place.run("session.use_another_account(True)").attempt["link"] == f"{SHOWN}&prompt=login"


def test_without_a_sign_in_another_account_changes_nothing_and_that_is_told(a_place):
    told = a_place.run("session.use_another_account()")
    assert (told.attempt, told.heard) == (None, [["signed_out", "", False]])


# -- paste-back --------------------------------------------------------------------------------------------------------


def test_without_a_sign_in_no_pasted_address_is_taken(a_place):
    told = a_place.run("session.paste_callback('code=1&state=2')")
    message, next_step = "No sign-in is waiting for an address.", "Sign in with the browser first."
    assert told.raised == ["CallbackUnusable", message, next_step]
    assert told.attempt is None


@pytest.mark.parametrize(
    ("pasted", "message"),
    [
        ("code=CODE-1&state=another", "This address belongs to another sign-in, or an earlier one."),
        (None, "No address was pasted."),
    ],
)
def test_a_pasted_address_that_does_not_belong_here_is_said_beside_the_sign_in_which_goes_on(a_login, pasted, message):
    place = a_login(WAITS)
    told = place.run(f"{BEGIN}; session.paste_callback(pasted)", pasted=pasted)
    assert told.raised[:2] == ["CallbackUnusable", message]
    assert (told.attempt["phase"], told.attempt["message"]) == ("waiting_for_browser", message)
    assert told.attempt["next_step"] == told.raised[2]


def test_a_pasted_address_that_belongs_here_reaches_the_login(a_login):
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = a_login(f"say('link', link={LINK.format(port=server.getsockname()[1])!r}); wait()")
        told = place.run(
            "import threading\n"
            f"{BEGIN}\npaste = threading.Thread(target=session.paste_callback, args=['code=CODE-1&state=STATE-abc'])\n"
            "paste.start()"
        )
        assert told.raised is None
        connection, _ = server.accept()
        with connection:
            assert connection.recv(4096).startswith(b"GET /callback?code=CODE-1&state=STATE-abc HTTP/1.1")
    assert place.run("paste.join()").raised is None


def test_the_status_comes_back_from_a_paste_that_was_taken(a_login):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = a_login(f"say('link', link={LINK.format(port=port)!r}); wait()")
    told = place.run(f"{BEGIN}; print(session.paste_callback('code=C&state=STATE-abc').attempt.phase.value)")
    assert told.printed == "waiting_for_browser\n"


def test_two_intents_at_once_end_with_the_later_one(a_login, a_sandbox, a_key):
    a_sandbox.fault("slow", seconds=0.5)
    place = a_login(WAITS)
    begun = "session.status.attempt is not None"
    told = place.run(SLOWLY.format(first="session.use_key(key)", begun=begun, second=BEGIN), key=a_key.secret)
    assert told.printed == "AttemptCancelled: This sign-in was cancelled.\n"
    assert (told.state, told.attempt["phase"]) == ("signed_out", "waiting_for_browser")
