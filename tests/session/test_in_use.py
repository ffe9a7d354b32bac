"""What is in use: asked about, left, followed in other kernels, handed to code and to other processes."""

from __future__ import annotations

import pytest

from tests.sandbox.helpers import GRACE

from .conftest import sign_in
from .test_keys import SLOWLY

SET = "import os; os.environ['LC_API_KEY'] = key\n"
PASTED = "session.use_key(key)"
OVER = "The server said that the session is over."
SET_A_KEY = (
    "Set LC_API_KEY to an API key and start again; or sign in, with login() in a notebook or"
    " `luminary-auth login` in a terminal."
)
NOBODY = ["NotSignedIn", "Nobody is signed in to Luminary Cloud here.", SET_A_KEY]


# -- asking the server -------------------------------------------------------------------------------------------------


def test_with_nothing_in_use_there_is_nothing_to_check(a_place):
    told = a_place.run("session.check()")
    assert told.raised == ["NotSignedIn", "Nothing is in use that could be checked.", "Sign in first."]
    assert (told.attempt, told.heard) == (None, [])
    assert a_place.run("session.start(); session.check()").raised[0] == "NotSignedIn"


def test_a_check_shows_that_it_asks_and_then_the_answer_with_its_time(a_place, a_key):
    before = a_place.run(PASTED, key=a_key.secret)
    told = a_place.run("print(session.check().state.value)")
    assert told.printed == "signed_in\n"
    assert told.heard == [["signed_in", "", True], ["signed_in", "", False]]
    assert told.moment("checked_at") > before.moment("checked_at")
    assert told.moment("signed_in_at") == before.moment("signed_in_at")


def test_a_key_that_was_revoked_meanwhile_is_rejected_and_no_longer_the_sessions_client(a_place, a_sandbox, a_key):
    a_place.run(PASTED, key=a_key.secret)
    a_sandbox.revoke_api_key(a_key.id)
    told = a_place.run("session.check()")
    assert (told.state, told.client, told.in_use, told.raised) == ("rejected", None, "given", None)
    assert told.message == "It was revoked, deleted or has expired."
    assert told.next_step.startswith("Create a new one")


def test_a_key_that_was_noted_for_another_environment_meanwhile_is_rejected(a_place, a_key):
    told = a_place.run(
        f"{PASTED}\nfrom luminary_auth_widget import records\nfrom luminary_auth_widget.credentials import Secret\n"
        "records.note_key_environment(Secret(key), 'itar'); session.check()",
        key=a_key.secret,
    )
    assert (told.state, told.message) == ("rejected", "This key belongs to the ITAR environment; it was not sent.")


def test_a_session_that_was_ended_meanwhile_is_expired(a_place, a_sandbox):
    a_place.store(sign_in(a_sandbox, GRACE))
    assert a_place.run("session.start()").state == "signed_in"
    a_sandbox.end_sessions("grace@example.com")
    told = a_place.run("from luminary_auth_widget import sdk; sdk.forget_access_token(session.client); session.check()")
    assert (told.state, told.client, told.identity) == ("expired", None, "grace@example.com")
    assert (told.message, told.next_step) == (OVER, "Sign in with the browser again.")
    assert told.shown.startswith("Luminary Cloud: grace@example.com")


@pytest.mark.parametrize("fault", ["refuse", "error"])
@pytest.mark.parametrize("stored", [False, True], ids=["a key", "a session"])
def test_a_server_that_does_not_decide_leaves_it_in_use_unverified_until_it_does(
    a_place, a_sandbox, a_key, a_token, stored, fault
):
    if stored:
        a_place.store(a_token)
    first = a_place.run("session.start()" if stored else PASTED, key=a_key.secret)
    a_sandbox.fault(fault)
    told = a_place.run("session.check()")
    assert (told.state, told.client, told.identity) == ("unverified", "default", first.identity)
    assert told.message
    assert told.next_step
    a_sandbox.clear_faults()
    told = a_place.run("session.check()")
    assert (told.state, told.message, told.next_step, told.identity) == ("signed_in", "", "", first.identity)


def test_the_answer_about_what_is_no_longer_in_use_comes_too_late(a_place, a_sandbox, a_key):
    a_place.run(PASTED, key=a_key.secret)
    a_sandbox.fault("slow", seconds=0.5)
    told = a_place.run(SLOWLY.format(first="session.check()", begun="session.checking", second="session.sign_out()"))
    assert (told.state, told.in_use, told.client, told.checking) == ("signed_out", None, None, False)
    assert told.message.startswith("Signed out of this kernel")


# The answer to a check comes only once the test has done something else.
ASKED = """
import threading
from luminary_auth_widget import servers
ask, asked, go_on = servers.{what}, threading.Event(), threading.Event()
def ask_slowly(*given):
    asked.set(); go_on.wait(20)
    return ask(*given)
servers.{what} = ask_slowly
session.in_background(session.check); asked.wait(20)
{meanwhile}
go_on.set(); settle()
"""


def test_a_key_that_comes_into_use_while_a_session_is_asked_about_stays_so_without_a_word(a_place, a_key, a_token):
    a_place.store(a_token)
    a_place.run("session.start()")
    told = a_place.run(ASKED.format(what="check_session", meanwhile=PASTED), key=a_key.secret)
    assert (told.state, told.in_use, told.attempt) == ("signed_in", "given", None)
    assert "failed" not in told.notice


def test_a_key_that_is_remembered_while_it_is_asked_about_stays_remembered(a_place, a_key):
    a_place.run(PASTED, key=a_key.secret)
    told = a_place.run(ASKED.format(what="check_key", meanwhile="session.remember()"))
    assert (told.state, told.source) == ("signed_in", "./.env")
    assert told.in_use.endswith(".env")


def test_a_newer_session_that_a_check_finds_in_the_store_has_its_own_end(a_place, a_sandbox):
    noted = (
        "from datetime import datetime, timedelta, timezone\nfrom luminary_auth_widget import records, sdk\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "then = datetime.now(timezone.utc) - timedelta(days={days})\n"
        "records.note_session(records.SessionRecord(Secret(token).digest, then, 'standard', {{}}))\n"
    )
    old = sign_in(a_sandbox, GRACE)
    a_place.store(old)
    first = a_place.run(f"{noted.format(days=29)}session.start()", token=old)
    a_sandbox.end_sessions("grace@example.com")
    new = sign_in(a_sandbox, GRACE)
    a_place.store(new)
    told = a_place.run(f"{noted.format(days=1)}sdk.forget_access_token(session.client); session.check()", token=new)
    assert told.state == "signed_in"
    assert (told.moment("expires_at") - first.moment("expires_at")).days in {27, 28}


def test_what_fails_in_the_background_is_said_beside_an_older_failure(a_place):
    told = a_place.run("session.start(); session.use_key('two words')")
    assert told.attempt["phase"] == "failed"
    told = a_place.run("session.in_background(session.check)")
    assert told.notice["failed"].startswith("Nothing is in use that could be checked.")


def test_a_check_of_a_stored_session_learns_its_end_anew(a_place, a_token):
    a_place.store(a_token)
    first = a_place.run("session.start()")
    told = a_place.run("session.check()")
    assert (told.expiry, told.expires_at) == ("about", first.expires_at)


# -- signing out -------------------------------------------------------------------------------------------------------


def test_signing_out_of_a_key_leaves_it_valid_and_calls_fail_at_once(a_place, a_key):
    a_place.run(PASTED, key=f" {a_key.secret}")
    told = a_place.run("print(session.sign_out().state.value); print(projects())")
    assert (told.state, told.client, told.in_use, told.attempt) == ("signed_out", None, None, None)
    assert told.message == "Signed out of this kernel; the key itself stays valid until it is revoked."
    assert (told.next_step, told.fingerprint, told.source, told.notices) == ("", "", "", [])
    assert (told.environment, told.endpoint) == ("standard", "localhost")
    assert told.printed == "signed_out\nUNAVAILABLE\n"
    assert told.heard[-1] == ["signed_out", "", False]
    assert a_place.run(PASTED, key=a_key.secret).state == "signed_in"


# Where the documentation has it, outside the SDK's store.
DOCUMENTED = """
import json
from pathlib import Path
file = Path.home() / '.luminarycloud' / 'config'
file.parent.mkdir(); file.write_text(json.dumps({'refresh_token': token}))
"""
FORGET_FILE = "file.unlink(); file.parent.rmdir()"


@pytest.mark.parametrize("reachable", [True, False])
def test_signing_out_of_a_session_in_a_file_that_is_not_ours_says_what_is_so(a_place, a_sandbox, a_token, reachable):
    told = a_place.run(f"{DOCUMENTED}session.start()", token=a_token)
    assert (told.state, told.identity) == ("signed_in", "ada@example.com")
    if not reachable:
        a_sandbox.fault("error")
    told = a_place.run(f"session.sign_out(); {FORGET_FILE}")
    if reachable:
        assert told.message.startswith("Signed out everywhere")
        assert told.next_step == ""
    else:
        assert told.message.startswith("Signed out of this kernel. The server was not told: ")
        assert told.next_step == "After a kernel restart, the stored browser session is used again."


def test_whoever_has_signed_out_is_not_signed_in_again_by_code_that_requires_it(a_place, a_key):
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_place.run("session.start()")
    told = a_place.run("session.sign_out()\nsession.require()")
    assert (told.raised[0], told.state) == ("NotSignedIn", "signed_out")
    assert told.raised[1].startswith("Signed out of this kernel")
    assert a_place.run("session.start()").state == "signed_in"


def test_when_a_session_is_over_nobody_is_signed_in_with_a_key_that_was_passed_over_for_it(a_place, a_sandbox, a_key):
    a_place.store(sign_in(a_sandbox, GRACE))
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_place.run("session.use_source('stored_session')")
    a_sandbox.end_sessions("grace@example.com")
    forget = "from luminary_auth_widget import sdk; sdk.forget_access_token(session.client)"
    assert a_place.run(f"{forget}; session.check()").state == "expired"
    assert a_place.run("session.require()").raised[0] == "NotSignedIn"
    assert a_place.run("session.start()").state == "expired"


def test_a_question_at_the_end_that_was_lost_is_asked_again_and_once(a_place, a_key):
    told = a_place.run(
        "from datetime import datetime, timedelta, timezone\n"
        "end = datetime.now(timezone.utc) + timedelta(seconds=1)\n"
        "session.use_key(key, expires_on=end); session.check_at_the_end()\n"
        "until(lambda: datetime.now(timezone.utc) > end)\nheard = []; session.on_change(heard.append)\n"
        "session.check_at_the_end(); settle(); session.check_at_the_end(); settle(); print(len(heard))",
        key=a_key.secret,
    )
    assert (told.printed, told.state, told.expires_at) == ("2\n", "signed_in", None)


def test_a_session_of_which_several_servers_are_slowly_asked_is_waited_for(a_place, a_token):
    a_place.store(a_token)
    told = a_place.run(
        "import time; from datetime import timedelta; from luminary_auth_widget import in_use, requiring\n"
        "limit, ask = requiring.CHECK_LIMIT, in_use.SessionInUse.ask\n"
        "def slowly(*given): time.sleep(1.5); return ask(*given)\n"
        "requiring.CHECK_LIMIT, in_use.SessionInUse.ask = timedelta(seconds=1), slowly\n"
        "try: session.start(); session.require()\n"
        "finally: requiring.CHECK_LIMIT, in_use.SessionInUse.ask = limit, ask"
    )
    assert (told.raised, told.state) == (None, "signed_in")


def test_signing_out_says_which_key_comes_back_after_a_restart(a_place, a_key):
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    told = a_place.run("session.start(); settle(); session.sign_out()")
    assert told.next_step == "After a kernel restart, the key in ./.env is used again."


def test_signing_out_says_nothing_of_what_could_not_be_used_after_a_restart_either(a_place, a_key):
    (a_place.folder / ".env").write_text("LC_API_KEY=two words\n")
    assert a_place.run(f"{PASTED}; session.sign_out()", key=a_key.secret).next_step == ""


def test_signing_out_takes_a_failed_attempt_along(a_place, a_key):
    told = a_place.run(PASTED, key="two words")
    assert told.attempt is not None
    told = a_place.run("session.sign_out()")
    assert (told.attempt, told.message) == (None, "Signed out of this kernel.")


def test_signing_out_everywhere_ends_the_session_at_the_server_and_in_the_store(a_place, a_sandbox):
    token = sign_in(a_sandbox, GRACE)
    a_place.store(token)
    a_place.run("session.start()")
    told = a_place.run("session.sign_out(); print(projects())")
    assert (told.state, told.client, told.in_use, told.identity) == ("signed_out", None, None, "")
    assert told.message == (
        "Signed out everywhere: the session is over at the server, and other kernels follow within seconds."
    )
    assert (told.next_step, told.printed) == ("", "UNAVAILABLE\n")
    assert (a_place.stored(), "session" in a_place.noted()) == (None, False)
    a_place.store(token)
    assert a_place.run("session.look_into_failure(); session.start()").state == "expired"


def test_signing_out_everywhere_forgets_what_was_noted_of_the_session(a_place, a_token):
    a_place.store(a_token)
    told = a_place.run(
        "from datetime import datetime, timezone\nfrom luminary_auth_widget import records\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "now = datetime.now(timezone.utc)\n"
        "records.note_session(records.SessionRecord(Secret(token).digest, now, 'standard', {}))\n"
        "session.start(); settle(); session.sign_out()",
        token=a_token,
    )
    assert told.state == "signed_out"
    assert a_place.noted() == {}


def test_a_session_that_the_server_was_not_told_of_is_out_of_this_machine_and_that_is_said(a_place, a_sandbox, a_token):
    a_place.store(a_token)
    a_place.run("session.start()")
    a_sandbox.fault("refuse")
    told = a_place.run("session.sign_out()")
    assert (told.state, told.client, a_place.stored()) == ("signed_out", None, None)
    assert told.message.startswith(
        "Signed out on this machine. The server was not told: localhost could not be reached"
    )


def test_a_store_that_cannot_be_written_keeps_nobody_from_signing_out(a_place, a_token):
    a_place.store(a_token)
    a_place.run("session.start()")
    (a_place.folder / "file").touch()
    told = a_place.run(
        "import os; os.environ['LC_CREDENTIALS_DIR'] = os.path.abspath('file/folder'); session.sign_out()"
    )
    assert (told.state, told.client, told.raised) == ("signed_out", None, None)
    assert told.message.startswith("Signed out everywhere")


def test_signing_out_of_this_kernel_only_leaves_the_session_to_the_others_and_does_not_follow_it_again(
    a_place, a_token
):
    a_place.store(a_token)
    a_place.run("session.start()")
    told = a_place.run("session.sign_out(everywhere=False); print(projects())")
    assert (told.state, told.client, told.printed) == ("signed_out", None, "UNAVAILABLE\n")
    assert told.message == "Signed out of this kernel. The session goes on elsewhere."
    assert told.next_step == "After a kernel restart, the stored browser session is used again."
    assert a_place.stored() == a_token
    assert a_place.run("look()").state == "signed_out"
    assert a_place.run("session.use_source('stored_session')").state == "signed_in"


# -- other kernels -----------------------------------------------------------------------------------------------------


def test_a_sign_in_in_another_kernel_is_followed(a_place, a_token, adas_projects):
    assert a_place.run("session.start()").state == "signed_out"
    a_place.store(a_token)
    told = a_place.run("look()")
    assert (told.state, told.in_use, told.identity) == ("signed_in", "stored_session", "ada@example.com")
    assert told.heard[0][0] == "checking"
    assert a_place.run("print(projects())").printed == adas_projects


def test_a_sign_in_as_somebody_else_in_another_kernel_is_followed(a_place, a_sandbox, a_token):
    a_place.store(a_token)
    assert a_place.run("session.start()").identity == "ada@example.com"
    a_place.store(sign_in(a_sandbox, GRACE))
    told = a_place.run("look()")
    assert (told.state, told.identity) == ("signed_in", "grace@example.com")


def test_a_sign_out_in_another_kernel_is_followed(a_place, a_token):
    a_place.store(a_token)
    (a_place.credentials / "tokens2").chmod(0o644)
    assert a_place.run("session.start()").notices
    (a_place.credentials / "tokens2").unlink()
    told = a_place.run("look(); print(projects())")
    assert (told.state, told.client, told.in_use, told.notices) == ("signed_out", None, None, [])
    assert told.message == "Signed out in another kernel or program."
    assert (told.environment, told.endpoint, told.printed) == ("standard", "localhost", "UNAVAILABLE\n")
    assert told.heard == [["signed_out", "", False]]


def test_a_store_that_holds_what_is_in_use_changes_nothing(a_place, a_token):
    a_place.store(a_token)
    a_place.run("session.start()")
    told = a_place.run("look(); session.check()")
    assert (told.state, told.in_use, told.client) == ("signed_in", "stored_session", "default")
    assert told.heard == [["signed_in", "", True], ["signed_in", "", False]]


def test_a_kernel_with_a_key_of_its_own_follows_nobody(a_place, a_key, a_token):
    a_place.run(PASTED, key=a_key.secret)
    a_place.run("session.begin()")
    a_place.store(a_token)
    assert a_place.run("look()").in_use == "given"
    (a_place.credentials / "tokens2").unlink()
    told = a_place.run("look()")
    assert (told.state, told.client, told.in_use) == ("signed_in", "default", "given")


def test_whoever_signs_in_without_having_begun_follows_the_others_too(a_place, a_token):
    a_place.store(a_token)
    assert a_place.run("session.use_source('stored_session')").state == "signed_in"
    (a_place.credentials / "tokens2").unlink()
    assert a_place.run("look()").state == "signed_out"


def test_a_session_of_another_environment_is_not_followed(a_place, a_token):
    told = a_place.run(
        "from datetime import datetime, timezone\nfrom luminary_auth_widget import records\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "session.start(environment='standard')\nnow = datetime.now(timezone.utc)\n"
        "records.note_session(records.SessionRecord(Secret(token).digest, now, 'itar', {}))",
        token=a_token,
    )
    a_place.store(a_token)
    told = a_place.run("look()")
    assert (told.state, told.in_use) == ("signed_out", None)


def test_a_click_while_another_kernels_session_is_looked_at_wins(a_place, a_key, a_token):
    a_place.run("session.start()")
    a_place.store(a_token)
    told = a_place.run(
        "import threading\nfrom luminary_auth_widget import token_store\nfind = token_store.find\n"
        "def slow_find():\n"
        "    found, token_store.find = find(), find\n"
        "    click = threading.Thread(target=session.use_key, args=[key]); click.start(); click.join()\n"
        "    return found\n"
        "token_store.find = slow_find; look()",
        key=a_key.secret,
    )
    assert (told.state, told.in_use) == ("signed_in", "given")


# -- asking for the client ---------------------------------------------------------------------------------------------

AWAIT = "import asyncio\nasync def wait(): return await session\n"


@pytest.mark.parametrize("ask", ["session.wait()", "session.require()", "asyncio.run(wait())"])
def test_where_nobody_is_there_a_client_is_there_at_once_or_an_error(a_place, a_key, ask):
    assert a_place.run(f"{AWAIT}{ask}").raised == NOBODY
    told = a_place.run(f"{SET}print({ask} is session.client)", key=a_key.secret)
    assert (told.printed, told.state) == ("True\n", "signed_in")


@pytest.mark.parametrize("ask", ["session.wait()", "asyncio.run(wait())"])
def test_where_somebody_is_there_and_signed_in_the_client_is_there_at_once(a_place, a_key, ask):
    told = a_place.run(f"{AWAIT}attended()\n{PASTED}\nprint({ask} is session.client)", key=a_key.secret)
    assert told.printed == "True\n"


@pytest.mark.parametrize("ask", ["session.wait()", "asyncio.run(wait())"])
def test_where_somebody_is_there_it_is_waited_until_they_have_signed_in(a_place, a_key, ask):
    told = a_place.run(
        f"{AWAIT}import threading\nfrom luminary_auth_widget import kernel, waiting\n"
        "kernel.show, shown = lambda thing: (shown.append(thing), click.start()), []\n"
        "kernel.version = lambda: (7, 4)\n"
        "click = threading.Thread(target=session.use_key, args=[key])\n"
        f"attended(); print({ask} is session.client, shown == [session])",
        key=a_key.secret,
    )
    assert told.printed == "True True\n"


def test_a_wait_ends_at_its_limit(a_place):
    told = a_place.run(
        "from datetime import timedelta\nfrom luminary_auth_widget import kernel\nkernel.show = lambda thing: None\n"
        "kernel.version = lambda: (7, 4)\nattended(); session.wait(timedelta(milliseconds=20))"
    )
    assert told.raised[0] == "NotSignedIn"
    assert told.raised[1].startswith("Nobody has signed in within ")


def test_a_sign_in_that_has_to_last_is_asked_whether_it_does(a_place, a_key):
    code = "from datetime import date, timedelta; session.use_key(key, expires_on=date(2199, 1, 1))\n"
    told = a_place.run(f"{code}print(session.require(timedelta(days=9)) is session.client)", key=a_key.secret)
    assert told.printed == "True\n"
    told = a_place.run("session.require(timedelta(days=99999))")
    assert told.raised[0] == "ExpiresTooSoon"


def test_other_processes_are_given_the_key_in_use(a_place, a_key):
    told = a_place.run(f"{PASTED}; print(session.environ()['LC_API_KEY'] == key)", key=a_key.secret)
    assert told.printed == "True\n"


def test_other_processes_are_given_a_key_that_is_still_being_asked_about(a_place, a_sandbox, a_key):
    a_sandbox.fault("slow", seconds=0.5)
    told = a_place.run(f"{SET}session.start(); print(session.environ()['LC_API_KEY'] == key)", key=a_key.secret)
    assert told.printed == "True\n"


def test_other_processes_are_given_nothing_where_nobody_is_signed_in(a_place, a_sandbox, a_key):
    assert a_place.run("session.environ()").raised == NOBODY
    a_place.run(PASTED, key=a_key.secret)
    a_sandbox.revoke_api_key(a_key.id)
    assert a_place.run("session.check(); session.environ()").raised == NOBODY


# -- in the background, and who is told --------------------------------------------------------------------------------


def test_what_fails_in_the_background_without_an_attempt_of_its_own_is_said_as_a_notice(a_place):
    told = a_place.run("session.in_background(session.check)")
    assert told.notice == {"failed": "Nothing is in use that could be checked. Sign in first."}
    assert (told.attempt, told.heard) == (None, [["signed_out", "", False]])


def test_what_fails_in_the_background_as_an_attempt_is_not_said_twice(a_place):
    told = a_place.run("session.in_background(lambda: session.use_key('two words'))")
    assert (told.attempt["phase"], told.notices) == ("failed", [])
    told = a_place.run(
        "def click():\n    try: session.use_key('two words')\n    finally: session.cancel()\n"
        "session.in_background(click)"
    )
    assert (told.attempt, told.notices) == (None, [])


def test_what_the_person_takes_back_in_the_background_is_no_failure(a_place):
    told = a_place.run("def take_back(): raise AttemptCancelled('x')\nsession.in_background(take_back)")
    assert (told.attempt, told.notices, told.heard) == (None, [], [])


def test_a_mistake_of_ours_in_the_background_fails_as_an_attempt_and_names_its_kind(a_place):
    told = a_place.run("thread = session.in_background(lambda: 1 / 0); print(thread.daemon)")
    assert told.attempt["phase"] == "failed"
    assert told.attempt["message"] == "Something unexpected happened (ZeroDivisionError)."
    assert (told.attempt["next_step"], told.attempt["can_retry"]) == ("Try again.", False)
    assert told.printed == "True\n"


def test_a_cell_that_has_failed_is_offered_to_be_run_again_until_it_is_not(a_place):
    told = a_place.run("session.note_stopped_cell(StoppedCell('a-cell', 3)); print(session.stopped_cell)")
    assert told.printed == "StoppedCell(id='a-cell', execution_count=3)\n"
    assert told.heard == [["signed_out", "", False]]
    assert a_place.run("session.note_stopped_cell(None); print(session.stopped_cell)").printed == "None\n"


def test_whoever_listens_hears_of_every_change_until_they_stop(a_place, a_key):
    told = a_place.run(
        f"heard = []; stop = session.on_change(lambda status: heard.append(status.state.value))\n{PASTED}\n"
        "stop(); session.sign_out(); print(heard[0], heard[-1])",
        key=a_key.secret,
    )
    assert told.printed == "signed_out signed_in\n"


def test_a_kernel_has_one_session(a_place):
    told = a_place.run(
        "from luminary_auth_widget.session import AuthSession, current_session\n"
        "one = current_session(); print(one is current_session(), type(one) is AuthSession, repr(one))"
    )
    assert told.printed == "True True Luminary Cloud: Not signed in\n"
