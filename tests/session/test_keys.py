"""Signing in with a key: pasted, from a file, from what was found; what is refused; what is kept of it."""

from __future__ import annotations

import subprocess
from datetime import date, datetime, time, timedelta, timezone

import pytest

SET = "import os; os.environ['LC_API_KEY'] = key\n"
REFUSED = "It was revoked, deleted or has expired."
PASTED = "session.use_key(key)"
UNKNOWN = "lc-unknown-key-0000"
# Two intents at once: the first one waits for a slow server, the second one does not wait for the first.
SLOWLY = """
import threading
raised = []
def slowly():
    try: {first}
    except Exception as error: raised.append(f"{{type(error).__name__}}: {{error}}")
thread = threading.Thread(target=slowly); thread.start()
until(lambda: {begun})
{second}
thread.join()
print(*raised)
"""


def test_a_key_that_the_server_accepts_is_in_use_everywhere_from_the_next_line_on(a_place, a_key, adas_projects):
    told = a_place.run(f"print({PASTED}.state.value); print(projects())", key=a_key.secret)
    assert (told.state, told.client, told.in_use, told.attempt) == ("signed_in", "default", "given", None)
    assert (told.method, told.source, told.fingerprint) == ("api_key", "pasted", f"…{a_key.secret[-4:]}")
    assert (told.identity, told.expires_at, told.expiry) == ("", None, "unknown")
    assert (told.environment, told.endpoint, told.message, told.next_step) == ("standard", "localhost", "", "")
    assert told.moment("signed_in_at") == told.moment("checked_at")
    assert told.notices == []
    assert told.printed == f"signed_in\n{adas_projects}"
    assert told.heard[0] == ["signed_out", "checking", False]
    assert told.heard[-1] == ["signed_in", "", False]
    assert list(a_place.noted()["key_environments"].values()) == ["standard"]
    assert list(a_place.folder.iterdir()) == []


def test_what_was_taken_off_a_key_is_said_until_the_next_check(a_place, a_key):
    told = a_place.run(PASTED, key=f' "{a_key.secret}"\n')
    assert told.notice == {"removed": "Removed around the key: white space, quotes."}
    assert a_place.run("session.check()").notices == []


def test_what_was_taken_off_a_key_that_was_found_is_still_said_after_its_first_check(a_place, a_key):
    told = a_place.run(f"{SET}session.start()", key=f"{a_key.secret}\n")
    assert (told.state, told.notice) == ("signed_in", {"removed": "Removed around the key: white space."})


def test_a_refused_key_fails_as_an_attempt_and_changes_nothing_else(a_place):
    told = a_place.run(f"session.start(); {PASTED}", key=UNKNOWN)
    assert told.raised == ["KeyRefused", REFUSED, told.attempt["next_step"]]
    assert told.attempt["message"] == f"The server refused this key. {REFUSED}"
    assert (told.attempt["phase"], told.attempt["method"], told.attempt["can_retry"]) == ("failed", "api_key", False)
    assert (told.state, told.client, told.in_use) == ("signed_out", None, None)
    assert [heard[1] for heard in told.heard] == ["", "checking", "failed"]
    assert a_place.run("session.retry()").raised[1] == "There is nothing to try again."


def test_a_refused_key_costs_no_working_session(a_place, a_key, adas_projects):
    a_place.run(PASTED, key=a_key.secret)
    told = a_place.run(PASTED, key=UNKNOWN)
    assert (told.raised[0], told.state, told.client, told.in_use) == ("KeyRefused", "signed_in", "default", "given")
    assert told.fingerprint == f"…{a_key.secret[-4:]}"
    assert a_place.run("print(projects())").printed == adas_projects


@pytest.mark.parametrize(
    ("key", "message"),
    [("two words", "The key has blanks inside; a key is one word."), (None, "No key was given: the text is empty.")],
)
def test_what_cannot_be_a_key_fails_as_an_attempt_before_anything_is_sent(a_place, a_sandbox, key, message):
    before = len(a_sandbox.requests)
    told = a_place.run(PASTED, key=key)
    assert told.raised[:2] == ["KeyMalformed", message]
    assert (told.attempt["phase"], told.attempt["message"], told.attempt["can_retry"]) == ("failed", message, False)
    assert (told.state, len(a_sandbox.requests)) == ("signed_out", before)


def test_a_key_that_was_never_answered_can_be_tried_again_without_being_typed_again(a_place, a_sandbox, a_key):
    a_sandbox.fault("refuse")
    told = a_place.run(PASTED, key=a_key.secret)
    assert (told.raised[0], told.state) == ("ServerUnreachable", "signed_out")
    assert (told.attempt["phase"], told.attempt["can_retry"]) == ("failed", True)
    assert "could not be reached" in told.attempt["message"]
    told = a_place.run("session.retry()")
    assert (told.raised[0], told.attempt["can_retry"]) == ("ServerUnreachable", True)
    a_sandbox.clear_faults()
    told = a_place.run("print(session.retry().state.value)")
    assert (told.printed, told.state, told.attempt) == ("signed_in\n", "signed_in", None)


NOTHING = ["CredentialUnusable", "There is nothing to try again.", "Give the key once more."]


@pytest.mark.parametrize(
    "end",
    ["session.cancel()", "session.sign_out()", "session.use_key(key)", "session.load_env(file)", "session.start()"],
)
def test_what_could_be_tried_again_cannot_be_after_something_else_was_done(a_place, a_sandbox, a_key, end):
    (a_place.folder / "good.env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_sandbox.fault("refuse")
    assert a_place.run(PASTED, key=a_key.secret).attempt["can_retry"]
    a_sandbox.clear_faults()
    if end == "session.start()":
        end = f"{SET}{end}"
    a_place.run(end, key=a_key.secret, file=str(a_place.folder / "good.env"))
    assert a_place.run("session.retry()").raised == NOTHING


def test_with_nothing_to_try_again_that_is_said(a_place):
    told = a_place.run("session.retry()")
    assert told.raised == NOTHING
    assert (told.attempt["message"], told.attempt["can_retry"]) == (NOTHING[1], False)


def test_a_check_of_a_key_that_is_cancelled_changes_nothing_when_its_answer_comes(a_place, a_sandbox, a_key):
    a_sandbox.fault("slow", seconds=0.5)
    begun = "session.status.attempt is not None"
    code = SLOWLY.format(first=PASTED, begun=begun, second="print(session.cancel().attempt)")
    told = a_place.run(code, key=a_key.secret)
    assert told.printed == "None\nAttemptCancelled: This sign-in was cancelled.\n"
    assert (told.state, told.attempt, told.client) == ("signed_out", None, None)


def test_a_cancelled_key_that_was_never_answered_cannot_be_tried_again(a_place, a_sandbox, a_key):
    a_sandbox.fault("drop")
    told = a_place.run(
        "import threading\nfrom luminary_auth_widget import servers\n"
        "ask, gone = servers.check_key, threading.Event()\n"
        "def check(*a):\n    gone.wait(10)\n    ask(*a)\n"
        "servers.check_key = check\n"
        + SLOWLY.format(first=PASTED, begun="session.status.attempt is not None", second="session.cancel(); gone.set()")
        + "servers.check_key = ask",
        key=a_key.secret,
    )
    assert "Server" in told.printed
    assert told.attempt is None
    assert a_place.run("session.retry()").raised == NOTHING


def test_a_click_while_the_session_still_looks_around_wins(a_place, a_key):
    told = a_place.run(
        "import threading\nfrom luminary_auth_widget import sources\nlook = sources.survey\n"
        "def slow_look():\n"
        "    found, sources.survey = look(), look\n"
        "    click = threading.Thread(target=session.use_key, args=[key]); click.start(); click.join()\n"
        "    return found\n"
        "session.begin(); sources.survey = slow_look; session.start()",
        key=a_key.secret,
    )
    assert (told.state, told.client) == ("signed_in", "default")


def test_a_click_while_a_client_is_built_for_what_was_found_wins(a_place, a_sandbox, a_key):
    other = a_sandbox.create_api_key("grace@example.com", name="found")
    told = a_place.run(
        f"{SET}import threading\nfrom luminary_auth_widget.sdk import Deployment\nbuild = Deployment.client_for_key\n"
        "def slow_build(self, key):\n"
        "    Deployment.client_for_key = build\n"
        "    click = threading.Thread(target=session.use_key, args=[clicked]); click.start(); click.join()\n"
        "    return build(self, key)\n"
        "session.begin(); Deployment.client_for_key = slow_build; session.start()",
        key=other.secret,
        clicked=a_key.secret,
    )
    assert (told.state, told.source, told.fingerprint) == ("signed_in", "pasted", f"…{a_key.secret[-4:]}")


# -- when a key ends ---------------------------------------------------------------------------------------------------


def test_a_key_ends_at_the_end_of_the_day_that_the_person_names_and_that_is_known_after_a_restart(a_place, a_key):
    day = date.today() + timedelta(days=40)
    code = f"from datetime import date; session.use_key(key, expires_on=date({day.year}, {day.month}, {day.day}))"
    told = a_place.run(code, key=a_key.secret)
    end = datetime.combine(day, time.max).astimezone(timezone.utc)
    assert (told.expiry, told.moment("expires_at")) == ("noted", end)
    assert told.expires_at.endswith("+00:00")
    assert list(a_place.noted()["noted_key_expiries"].values()) == [end.isoformat()]
    a_place.run("from luminary_auth_widget.session import AuthSession; again = AuthSession()")
    told = a_place.run(
        f"{SET}again.start(); settle(); print(again.status.expiry.value, again.status.expires_at.isoformat())",
        key=a_key.secret,
    )
    assert told.printed == f"noted {end.isoformat()}\n"


def test_a_key_ends_at_the_moment_that_the_person_names(a_place, a_key):
    moment = "datetime(2199, 5, 6, 7, tzinfo=timezone.utc)"
    code = f"from datetime import datetime, timezone; session.use_key(key, expires_on={moment})"
    told = a_place.run(code, key=a_key.secret)
    assert (told.expiry, told.expires_at) == ("noted", "2199-05-06T07:00:00+00:00")


def test_an_end_that_lies_in_the_past_is_refused_before_anything_is_sent(a_place, a_sandbox, a_key):
    before = len(a_sandbox.requests)
    told = a_place.run("from datetime import date; session.use_key(key, expires_on=date(2020, 1, 1))", key=a_key.secret)
    message, next_step = "The key's end lies in the past.", "Choose a later date, or leave it open."
    assert told.raised == ["CredentialUnusable", message, next_step]
    assert (told.attempt["phase"], told.attempt["message"]) == ("failed", message)
    assert len(a_sandbox.requests) == before
    # A key is shown once: it is not lost for a wrong date.
    assert told.attempt["can_retry"]
    told = a_place.run("session.retry()")
    assert (told.state, told.expiry, told.fingerprint) == ("signed_in", "unknown", f"…{a_key.secret[-4:]}")


def test_an_end_that_has_passed_is_forgotten_when_the_server_still_says_yes(a_place, a_key):
    told = a_place.run(
        "from datetime import datetime, timedelta, timezone\n"
        "end = datetime.now(timezone.utc) + timedelta(seconds=1)\n"
        "session.use_key(key, expires_on=end)\nprint(session.status.expiry.value)\n"
        "until(lambda: datetime.now(timezone.utc) > end)\nsession.check()",
        key=a_key.secret,
    )
    assert told.printed == "noted\n"
    assert (told.state, told.expiry, told.expires_at) == ("signed_in", "unknown", None)


def test_an_end_that_has_not_passed_is_kept_when_the_server_says_yes(a_place, a_key):
    code = "from datetime import date; session.use_key(key, expires_on=date(2199, 1, 1)); session.check()"
    told = a_place.run(code, key=a_key.secret)
    assert (told.state, told.expiry, told.expires_at[:4]) == ("signed_in", "noted", "2199")


def test_an_end_that_cannot_be_noted_is_known_in_this_kernel_and_that_is_said(a_place, a_key):
    (a_place.folder / "file").touch()
    told = a_place.run(
        "import os; os.environ['LC_CREDENTIALS_DIR'] = os.path.abspath('file/folder')\n"
        "from datetime import date; session.use_key(key, expires_on=date(2199, 1, 1))",
        key=a_key.secret,
    )
    assert (told.state, told.expiry, told.expires_at[:4]) == ("signed_in", "noted", "2199")
    assert told.notice["expiry"].startswith("The key's end is known in this kernel only. ")
    assert "could not be written" in told.notice["expiry"]


# -- from files, and from what was found -------------------------------------------------------------------------------


def test_a_named_file_signs_in_and_sets_its_other_variables_overriding_none(a_place, a_key):
    (a_place.folder / "own.env").write_text(f"LC_API_KEY={a_key.secret}\nFRESH=from the file\nTAKEN=from the file\n")
    told = a_place.run(
        "import os; os.environ['TAKEN'] = 'from before'\nsession.load_env('own.env')\n"
        "print(os.environ['FRESH'], os.environ['TAKEN'], sep=', ')"
    )
    assert (told.state, told.client, told.source) == ("signed_in", "default", "./own.env")
    assert told.in_use == f"env_file:{a_place.folder / 'own.env'}"
    assert told.printed == "from the file, from before\n"


def test_the_variable_that_a_named_file_has_set_goes_with_the_sign_in(a_place, a_key, a_sandbox):
    (a_place.folder / "other").mkdir()
    (a_place.folder / "other" / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    shown = "import os; print(os.environ.get('LC_API_KEY'))"
    told = a_place.run(f"session.load_env('other/.env'); {shown}")
    assert told.printed == f"{a_key.secret}\n"
    told = a_place.run(f"session.sign_out(); {shown}")
    assert (told.printed, told.next_step) == ("None\n", "")
    pasted = a_sandbox.create_api_key("ada@example.com", name="pasted").secret
    told = a_place.run(f"session.load_env('other/.env'); session.use_key(key); {shown}", key=pasted)
    assert (told.printed, told.notices) == ("None\n", [])


def test_a_key_that_takes_anothers_place_in_the_file_does_so_in_what_was_copied_from_it(a_place, a_key, a_sandbox):
    # The SDK copies `.env` into the environment when it is imported.
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    new, shown = a_sandbox.create_api_key("ada@example.com", name="new").secret, "; print(os.environ['LC_API_KEY'])"
    code = "import os; os.environ['LC_API_KEY'] = old; session.use_key(new, remember=True)"
    told = a_place.run(code + shown, old=a_key.secret, new=new)
    assert (told.printed, told.source) == (f"{new}\n", "./.env")
    assert a_place.run(f"session.forget(){shown}").printed == f"{a_key.secret}\n"
    a_place.run(code, old=a_key.secret, new=new)
    assert a_place.run("session.sign_out()").next_step == "After a kernel restart, the key in ./.env is used again."


def test_a_file_that_need_not_be_named_is_the_nearest(a_place, a_key):
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    assert a_place.run("session.load_env()").source == "./.env"


def test_a_file_that_cannot_sign_in_fails_as_an_attempt(a_place):
    told = a_place.run("session.load_env('nowhere.env')")
    assert told.raised[:2] == ["EnvFileUnusable", "./nowhere.env does not exist."]
    assert (told.attempt["phase"], told.attempt["message"]) == ("failed", "./nowhere.env does not exist.")
    assert not told.attempt["can_retry"]


def test_a_refused_file_sets_no_variable(a_place):
    (a_place.folder / "own.env").write_text(f"LC_API_KEY={UNKNOWN}\nFRESH=from the file\n")
    told = a_place.run("session.load_env('own.env')")
    assert told.raised[0] == "KeyRefused"
    assert a_place.run("import os; print('FRESH' in os.environ)").printed == "False\n"


def test_a_pasted_key_sets_no_variable_of_a_file(a_place, a_key):
    (a_place.folder / ".env").write_text("FRESH=from the file\n")
    assert a_place.run(f"{PASTED}\nimport os; print('FRESH' in os.environ)", key=a_key.secret).printed == "False\n"


def test_each_source_that_was_found_can_be_chosen(a_place, a_sandbox, a_key, a_token):
    a_place.store(a_token)
    (a_place.folder / ".env").write_text(f"LC_API_KEY={a_sandbox.create_api_key('grace@example.com').secret}\n")
    told = a_place.run(f"{SET}print(session.use_source('environment').source)", key=a_key.secret)
    assert (told.printed, told.state, told.in_use) == ("environment\n", "signed_in", "environment")
    told = a_place.run("session.use_source('stored_session')")
    assert (told.state, told.method, told.identity) == ("signed_in", "browser", "ada@example.com")
    told = a_place.run(f"session.use_source('env_file:{a_place.folder / '.env'}')")
    assert (told.state, told.source, told.identity) == ("signed_in", "./.env", "")


def test_a_source_that_is_gone_fails_as_an_attempt_with_where_to_look(a_place):
    told = a_place.run("session.use_source('environment')")
    assert told.raised == ["CredentialUnusable", "That credential is no longer there.", "Look at Details again."]
    assert told.attempt["phase"] == "failed"


def test_a_source_that_holds_nothing_usable_fails_with_its_own_reason(a_place):
    told = a_place.run(f"{SET}session.use_source('environment')", key="two words")
    assert told.raised[:2] == [
        "CredentialUnusable", "LC_API_KEY in environment: The key has blanks inside; a key is one word.",
    ]  # fmt: skip
    assert told.raised[2].startswith("Copy the whole key")


FOREIGN = (
    f"{SET}from luminary_auth_widget import records\nfrom luminary_auth_widget.credentials import Secret\n"
    "records.note_key_environment(Secret(key), 'itar')\n"
)


@pytest.mark.parametrize(
    ("intent", "message"),
    [
        (
            "session.use_source('environment')",
            "The key in environment belongs to the ITAR environment; it was not sent.",
        ),
        (PASTED, "This key belongs to the ITAR environment; it was not sent."),
    ],
)
def test_a_key_of_another_environment_is_not_sent(a_place, a_sandbox, a_key, intent, message):
    told = a_place.run(FOREIGN + intent, key=a_key.secret)
    assert told.raised[:2] == ["CredentialUnusable", message]
    assert (told.state, told.attempt["phase"]) == ("signed_out", "failed")
    assert all(request.last_four != a_key.secret[-4:] for request in a_sandbox.requests)


# -- what a notice says ------------------------------------------------------------------------------------------------


def test_a_key_that_stands_in_a_cell_is_said_to_with_the_way_out(a_place, a_key):
    code = "from luminary_auth_widget.credentials import Secret; session.use_secret(Secret(key), label='cell')"
    told = a_place.run(code, key=a_key.secret)
    assert (told.state, told.source) == ("signed_in", "cell")
    ((name, text, actions),) = told.notices
    assert name == "in_notebook"
    assert "stands in this notebook's code" in text
    assert actions == [["move_to_env", "Copy to ./.env"]]
    assert list(a_place.run("session.remember()").notice) == ["remembered"]


def test_a_key_that_will_be_taken_again_after_a_restart_is_named(a_place, a_sandbox, a_key):
    other = a_sandbox.create_api_key("grace@example.com").secret
    (a_place.folder / ".env").write_text(f"LC_API_KEY={other}\n")
    told = a_place.run(PASTED, key=a_key.secret)
    assert told.notice == {"again": f"After a kernel restart, the key in ./.env (…{other[-4:]}) is used again."}
    assert list(a_place.run("session.remember()").notice) == ["remembered"]


def test_remembering_a_key_says_that_the_environments_still_goes_before_it(a_place, a_sandbox, a_key):
    other = a_sandbox.create_api_key("grace@example.com").secret
    code = "import os; os.environ['LC_API_KEY'] = other; session.use_key(key, remember=True)"
    told = a_place.run(code, other=other, key=a_key.secret)
    again = f"After a kernel restart, the key in environment (…{other[-4:]}) is used again."
    assert (told.source, list(told.notice), told.notice["again"]) == ("./.env", ["remembered", "again"], again)


def test_remembering_a_key_says_that_an_empty_variable_keeps_the_file_from_being_read(a_place, a_key):
    # Which says nothing to a person where the sandbox has emptied it.
    code = "import os; os.environ['LC_API_KEY'] = ''; os.environ.pop('LUMINARY_SANDBOX_PAGES')\n"
    told = a_place.run(f"{code}session.use_key(key, remember=True)", key=a_key.secret)
    assert told.notice["again"] == (
        "After a kernel restart, the key is not read by itself: LC_API_KEY in the environment is set but empty."
    )


def test_a_key_that_stands_in_the_file_already_is_not_said_to_have_taken_its_own_place(a_place, a_sandbox, a_key):
    old, file = a_sandbox.create_api_key("ada@example.com", name="old").secret, a_place.folder / ".env"
    file.write_text(f"LC_API_KEY={a_key.secret}\n")
    file.chmod(0o600)
    told = a_place.run("session.use_key(key, remember=True)", key=a_key.secret)
    ((name, text, actions),) = told.notices
    assert (name, actions) == ("remembered", [])
    assert text.startswith("./.env holds this key already.")
    file.write_text(f"LC_API_KEY={old}\n")
    a_place.run("session.use_key(key, remember=True); session.remember()", key=a_key.secret)
    a_place.run("session.forget()")
    assert old in file.read_text()


def test_a_key_is_sent_to_the_server_that_its_file_names(a_place, a_sandbox, a_key):
    target = a_sandbox.environ["LC_DOMAIN"].replace("localhost", "127.0.0.1")
    lines = f"LC_API_KEY={a_key.secret}\nLC_DOMAIN={target}\nLC_AUTH_DOMAIN=auth.example.com\n"
    (a_place.folder / "private.env").write_text(lines)
    code = "import os; os.environ.pop('LC_DOMAIN'); os.environ.pop('LC_AUTH_DOMAIN'); session.load_env('private.env')\n"
    read = "from luminary_auth_widget import env_file; print('LC_AUTH_DOMAIN' in env_file.environment_of_the_sdk())"
    told = a_place.run(f"{code}print(os.environ['LC_AUTH_DOMAIN']); {read}")
    assert (told.state, told.endpoint) == ("signed_in", "127.0.0.1")
    # Scripts that are started from here get it; the child of a browser login does not: this SDK has read another.
    assert told.printed == "auth.example.com\nFalse\n"
    other = a_sandbox.environ["LC_DOMAIN"]
    told = a_place.run(f"session.begin(target={other!r}); session.load_env('private.env')")
    assert told.endpoint == "localhost"


def test_a_new_sign_in_takes_the_notices_of_the_last_one_away(a_place, a_key):
    assert a_place.run(PASTED, key=f" {a_key.secret}").notice
    assert a_place.run(PASTED, key=a_key.secret).notices == []


# -- remembering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remember", "place"), [("True", ".env"), ("'own.env'", "own.env"), ("Path('own.env')", "own.env")]
)
def test_a_key_is_remembered_where_the_person_says_once_it_was_accepted(a_place, a_key, remember, place):
    told = a_place.run(f"from pathlib import Path; session.use_key(key, remember={remember})", key=a_key.secret)
    assert a_key.secret in (a_place.folder / place).read_text()
    assert (told.state, told.source, told.in_use) == (
        "signed_in", f"./{place}", f"env_file:{a_place.folder / place}",
    )  # fmt: skip
    assert told.notice["remembered"].startswith(f"Remembered in ./{place}.")
    assert told.expiry == "unknown"


@pytest.mark.parametrize("remember", ["None", "False", "''"])
def test_a_key_is_remembered_nowhere_unless_the_person_says_so(a_place, a_key, remember):
    a_place.run(f"session.use_key(key, remember={remember})", key=a_key.secret)
    assert list(a_place.folder.iterdir()) == []


def test_a_refused_key_is_not_remembered(a_place):
    a_place.run("session.use_key(key, remember=True)", key=UNKNOWN)
    assert list(a_place.folder.iterdir()) == []


def test_a_key_that_cannot_be_remembered_is_in_use_all_the_same_and_that_is_said(a_place, a_key):
    told = a_place.run("session.use_key(key, remember='nowhere/own.env')", key=a_key.secret)
    assert told.raised[0] == "StorageFailed"
    assert (told.state, told.source, told.attempt) == ("signed_in", "pasted", None)
    assert told.notice["remembered"] == f"Signed in, but the key was not remembered. {' '.join(told.raised[1:])}"


def test_the_key_in_use_can_be_remembered_later_and_forgotten_again(a_place, a_key):
    a_place.run(PASTED, key=a_key.secret)
    told = a_place.run("print(session.remember().source)")
    assert (told.printed, told.notice["remembered"].partition(".env")[0]) == ("./.env\n", "Remembered in ./")
    assert a_key.secret in (a_place.folder / ".env").read_text()
    told = a_place.run("print(session.forget().source)")
    assert (told.printed, told.state, told.client, told.in_use) == ("pasted\n", "signed_in", "default", "given")
    assert told.notices == [["remembered", "The key was taken out of ./.env.", []]]
    assert list(a_place.folder.iterdir()) == []


def test_the_key_in_use_can_be_remembered_in_and_forgotten_from_a_file_that_is_named(a_place, a_key):
    a_place.run(f"{PASTED}; session.remember('own.env')", key=a_key.secret)
    assert [path.name for path in a_place.folder.iterdir()] == ["own.env"]
    assert a_place.run("session.forget('own.env')").notice == {"remembered": "The key was taken out of ./own.env."}


def test_a_file_that_does_not_hold_the_key_in_use_is_left_alone(a_place, a_key):
    (a_place.folder / ".env").write_text("LC_API_KEY=another\n")
    told = a_place.run(f"{PASTED}; session.forget()", key=a_key.secret)
    assert told.notice["remembered"] == "./.env does not hold this key."
    assert (a_place.folder / ".env").read_text() == "LC_API_KEY=another\n"
    assert a_place.run(f"{SET}session.use_source('environment'); session.forget()").in_use == "environment"


@pytest.mark.parametrize("intent", ["remember", "forget"])
@pytest.mark.parametrize("begin", ["", "session.start()"], ids=["signed out", "a browser session"])
def test_without_a_key_in_use_there_is_none_to_remember_or_forget(a_place, a_token, intent, begin):
    a_place.store(a_token)
    told = a_place.run(f"{begin}\nsettle(); session.{intent}()")
    assert told.raised == ["NotSignedIn", "No API key is in use.", "Sign in with a key first."]


def test_a_file_that_git_would_take_along_is_named_and_can_be_kept_from_it(a_place, a_key):
    subprocess.run(["git", "init", "-q"], cwd=a_place.folder, check=True)
    told = a_place.run("session.use_key(key, remember=True)", key=a_key.secret)
    assert told.notice["git"] == "Git would add ./.env to a commit."
    told = a_place.run("session.keep_from_git()")
    assert told.notice["git"] == "./.gitignore now keeps .env out of git."
    assert (a_place.folder / ".gitignore").read_text() == ".env\n"
    assert "git" not in a_place.run("session.forget()").notice


def test_the_file_that_git_would_take_along_is_kept_from_it_also_where_the_key_stood_in_it_before(a_place, a_key):
    subprocess.run(["git", "init", "-q"], cwd=a_place.folder, check=True)
    (a_place.folder / "own.env").write_text(f"LC_API_KEY={a_key.secret}\n")
    told = a_place.run("session.use_key(key, remember='own.env')", key=a_key.secret)
    assert told.notice["git"] == "Git would add ./own.env to a commit."
    assert a_place.run("session.keep_from_git()").notice["git"] == "./.gitignore now keeps own.env out of git."


def test_a_file_that_is_named_can_be_kept_from_git(a_place):
    told = a_place.run("session.keep_from_git('own.env')")
    assert told.notice == {"git": "./.gitignore now keeps own.env out of git."}
    assert (a_place.folder / ".gitignore").read_text() == "own.env\n"
    assert told.heard == [["signed_out", "", False]]


def test_a_notice_can_be_taken_off_the_screen(a_place, a_key):
    assert a_place.run(PASTED, key=f" {a_key.secret}").notice
    told = a_place.run("print(session.dismiss('removed').state.value)")
    assert (told.printed, told.notices, told.heard) == ("signed_in\n", [], [["signed_in", "", False]])


# As when the cell is interrupted that waits for the server's answer.
INTERRUPTED = """
from luminary_auth_widget import servers
def interrupt(*_): raise KeyboardInterrupt
servers.check_key = interrupt
try: {}
except KeyboardInterrupt: print("interrupted")
"""


def test_an_interrupted_check_is_no_answer(a_place, a_sandbox, a_key):
    a_place.run(PASTED, key=a_key.secret)
    a_sandbox.revoke_api_key(a_key.id)
    assert a_place.run("session.check()").state == "rejected"
    told = a_place.run(INTERRUPTED.format("session.check()"))
    assert (told.printed, told.state, told.client, told.checking) == ("interrupted\n", "rejected", None, False)


def test_an_interrupted_sign_in_is_over_and_what_was_in_use_stays(a_place, a_key):
    a_place.run(PASTED, key=a_key.secret)
    told = a_place.run(INTERRUPTED.format("session.use_key(key)"), key=UNKNOWN)
    assert (told.printed, told.state, told.attempt, told.client) == ("interrupted\n", "signed_in", None, "default")


@pytest.mark.parametrize("name", [".env", "other/.env"])
def test_without_a_name_undo_and_gitignore_mean_the_file_in_which_the_key_was_remembered(a_place, a_key, name):
    place, before = a_place.folder / name, f"LC_API_KEY={UNKNOWN}\n"
    place.parent.mkdir(exist_ok=True)
    place.write_text(before)
    a_place.run("session.use_key(key, remember=name)", key=a_key.secret, name=name)
    assert a_key.secret in place.read_text()
    a_place.run("session.keep_from_git()")
    assert (place.parent / ".gitignore").read_text() == ".env\n"
    a_place.run("session.forget()")
    assert place.read_text() == before


def test_a_file_that_is_named_gives_up_the_key_and_the_one_in_which_it_was_remembered_keeps_it(a_place, a_key):
    (a_place.folder / "other").mkdir()
    for name in ("other/.env", ".env"):
        told = a_place.run("session.use_key(key, remember=name)", key=a_key.secret, name=name)
    told = a_place.run("session.forget('other/.env')")
    assert told.notice["remembered"] == "The key was taken out of ./other/.env."
    assert not (a_place.folder / "other" / ".env").exists()
    assert a_key.secret in (a_place.folder / ".env").read_text()


def test_a_key_that_is_accepted_while_a_session_is_being_ended_stays_in_use(a_place, a_token, a_key):
    a_place.store(a_token)
    a_place.run("session.start()")
    told = a_place.run(
        "from luminary_auth_widget import servers\n"
        "servers.revoke = lambda *_: session.use_key(key)\n"
        "session.sign_out()",
        key=a_key.secret,
    )
    assert (told.state, told.method, told.client) == ("signed_in", "api_key", "default")
    assert "Signed out everywhere" in told.notice["signed_out"]
    assert a_place.stored() is None
