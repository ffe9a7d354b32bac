"""A session, and all that may happen to it in any order: a program of its own, run by test_fuzz_session.py."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from luminary_auth_widget import records, sdk
from luminary_auth_widget.errors import AuthError, NotSignedIn
from luminary_auth_widget.in_use import SessionInUse
from luminary_auth_widget.status import AttemptPhase, SignInState
from tests.sandbox.helpers import Browser, status_of

from .bound import LINK, Bound, bound
from .fuzzing import CANARY, CASES, FUZZING, may_refuse, tree
from .stand_in_worker import line

# Some hundredths of a second each: as many steps as the other targets have cases.
STEPS = 50
MACHINES = max(1, CASES // STEPS)

here: Bound
steps = dict.fromkeys(SignInState, 0)

KEYS = st.sampled_from(["good", "another", "revoked", "short-lived", "unknown", "malformed", "empty", "page"])
MOMENTS = st.sampled_from(
    [None, date(2999, 1, 1), date(2001, 1, 1), date.max, date.min, datetime.max.replace(tzinfo=timezone.utc)]
)


class SessionMachine(RuleBasedStateMachine):
    """What a person, a page, other kernels and the servers may do; after each step, what is promised holds."""

    def __init__(self) -> None:
        super().__init__()
        here.cloud.clear_faults()
        self.session = here.session
        self.keys: dict[str, str] = {
            "unknown": f"{CANARY}-unknown",
            "malformed": f"{CANARY} é",
            "empty": " ",
            "page": "{MY_API_KEY}",
        }
        self.ids: dict[str, str] = {}
        self.sessions: list[str] = []
        for name, lifetime in (("good", 3650), ("another", 3650), ("revoked", 3650), ("short-lived", 1)):
            made = here.cloud.create_api_key("ada@example.com", name=name, lifetime=timedelta(days=lifetime))
            self.keys[name], self.ids[name] = made.secret, made.id
        here.cloud.revoke_api_key(self.ids["revoked"])
        self.fault = ""
        (here.notebooks / "other" / ".env").write_text(f"OTHER=1\nLC_API_KEY={self.keys['another']}\n")
        (here.notebooks / "notes.txt").write_text("mine")

    def teardown(self) -> None:
        here.cloud.clear_faults()
        self.session.cancel()
        here.settle()
        self.session.sign_out(everywhere=False)
        for name in tree(here.notebooks, here.credentials):
            if Path(name).is_file():
                Path(name).unlink()

    # -- how a step is taken -------------------------------------------------------------------------------------------

    def step(self, do: Callable[[], object], *, may_change: tuple[str, ...] = (), attempt: bool = False) -> bool:
        """Do something; return whether it did not fail. Files that it may not change are the same after it.

        A failed attempt has changed neither client nor state nor what the user's code gets.
        """
        before, files = self._standing(), self._files()
        with may_refuse(AuthError, secrets=self._secrets()) as refusal:
            do()
        here.settle()
        assert not (refusal and attempt) or may_change or self._standing() == before, refusal.error
        changed = self._files().items() ^ files.items()
        # The sidecar holds what is learnt on the way: which environment's server has accepted a key.
        allowed = (*may_change, "luminary-auth-widget.json")
        # A store that could not be read is moved aside, not written over.
        kept = "tokens2" in may_change
        others = [name for name, _ in changed if not (kept and "/tokens2.damaged-" in name)]
        assert not [name for name in others if not name.endswith(allowed)], changed
        steps[self.session.status.state] += 1
        return not refusal

    def _standing(self) -> tuple[object, ...]:
        session = self.session
        source = session.in_use
        return session.status.state, source, session.client, sdk.base_client().project, session.status.fingerprint

    def _files(self) -> dict[str, bytes | None]:
        found = tree(here.home, here.notebooks, here.credentials)
        return {name: content for name, content in found.items() if "/.login-" not in name}

    def _secrets(self) -> tuple[str, ...]:
        return (CANARY, *(key for name, key in self.keys.items() if name in self.ids), *self.sessions)

    # -- a person ------------------------------------------------------------------------------------------------------

    @rule(
        name=KEYS,
        wrapped=st.sampled_from(["{}", " {}\n", "LC_API_KEY='{}'"]),
        remember=st.sampled_from([None, None, True, "other/.env", "/proc/nowhere/.env", "\0"]),
        expires_on=MOMENTS,
    )
    def use_key(self, name: str, wrapped: str, remember: Any, expires_on: Any) -> None:
        pasted = wrapped.format(self.keys[name])
        may_change = (".env",) if remember else ()
        self.step(
            lambda: self.session.use_key(pasted, remember=remember, expires_on=expires_on),
            may_change=may_change,
            attempt=True,
        )

    @rule(
        path=st.sampled_from([None, ".env", "other/.env", "other", "notes.txt", "missing", "\0", "\ud800", "/dev/zero"])
    )
    def load_env(self, path: str | None) -> None:
        self.step(lambda: self.session.load_env(path), attempt=True)

    @rule(data=st.data())
    def use_source(self, data: st.DataObject) -> None:
        listed = [source["id"] for source in here.say_hello()["sources"]]
        name = data.draw(st.sampled_from([*listed, "stored_session", "environment", "nothing"]))
        self.step(lambda: self.session.use_source(name), attempt=True)

    def can_be_logged_in_to(self) -> bool:
        return not self.fault

    @precondition(can_be_logged_in_to)
    @rule()
    def sign_in_with_browser(self) -> None:
        with Browser(here.cloud) as browser:
            token = browser.sign_in()["refresh_token"]
        self.sessions.append(token)
        link = line(event="link", link=LINK)
        here.worker.says(link, store=json.dumps({"refresh_token": token}).encode(), stays=True)
        self.step(self.session.sign_in_with_browser, attempt=True)

    @precondition(can_be_logged_in_to)
    @rule()
    def sign_in_with_browser_to_the_end(self) -> None:
        self.sign_in_with_browser()
        if self.waits():
            self.the_browser_comes_back(line(event="landed") + line(event="done"))

    def waits(self) -> bool:
        attempt = self.session.status.attempt
        return attempt is not None and attempt.phase is AttemptPhase.WAITING_FOR_BROWSER

    @precondition(waits)
    @rule(
        last=st.sampled_from(
            [line(event="done"), line(event="landed") + line(event="done"), line(event="failed", reason="denied"), b""]
        )
    )
    def the_browser_comes_back(self, last: bytes) -> None:
        before = self._standing()

        def end() -> None:
            here.worker.says_more(last)
            for thread in threading.enumerate():
                if thread.name == "luminary-auth-login":
                    thread.join()

        self.step(end, may_change=("tokens2",))
        if self.session.status.attempt is not None:
            assert self.session.status.attempt.phase is AttemptPhase.FAILED
            assert self._standing() == before
        else:
            assert b"done" in last
            assert isinstance(self.session._in_use, SessionInUse)

    @rule(
        address=st.sampled_from(
            ["", f"http://127.0.0.1:9876/callback?code={CANARY}&state=x", f"code={CANARY}", CANARY, "\ud800?"]
        )
    )
    def paste_callback(self, address: str) -> None:
        self.step(lambda: self.session.paste_callback(address), attempt=True)

    @rule(on=st.booleans())
    def use_another_account(self, on: bool) -> None:
        self.step(lambda: self.session.use_another_account(on), attempt=True)

    @rule()
    def cancel(self) -> None:
        before = self._standing()
        assert self.step(self.session.cancel)
        assert self._standing() == before
        assert self.session.status.attempt is None

    @rule()
    def retry(self) -> None:
        self.step(self.session.retry, attempt=True)

    @rule()
    def start(self) -> None:
        self.step(self.session.start)

    @rule(environment=st.sampled_from(["standard", "itar", "mars", "\ud800"]))
    def use_environment(self, environment: str) -> None:
        self.step(lambda: self.session.use_environment(environment))

    @rule()
    def check(self) -> None:
        credential = self.session._in_use
        self.step(self.session.check)
        state = self.session.status.state
        if credential is None:
            assert state is SignInState.SIGNED_OUT
        elif self.fault == "":
            # The server's word, and nothing else.
            refused = SignInState.EXPIRED if isinstance(credential, SessionInUse) else SignInState.REJECTED
            assert state is (SignInState.SIGNED_IN if self._is_accepted(credential) else refused)

    def _is_accepted(self, credential: Any) -> bool:
        if not isinstance(credential, SessionInUse):
            return status_of(here.cloud, key=credential.secret.reveal()) == "OK"
        with Browser(here.cloud) as browser:
            return browser.renew(credential.secret.reveal()).ok

    @rule(everywhere=st.booleans())
    def sign_out(self, everywhere: bool) -> None:
        assert self.step(
            lambda: self.session.sign_out(everywhere=everywhere), may_change=("tokens2",) if everywhere else ()
        )
        assert self.session.in_use is None
        assert self.session.status.state is SignInState.SIGNED_OUT
        assert self.session.status.attempt is None

    @rule(path=st.sampled_from([None, None, "other/.env", "other", "\0", "/proc/nowhere/.env"]))
    def remember(self, path: str | None) -> None:
        self.step(lambda: self.session.remember(path), may_change=(".env",))

    @rule(path=st.sampled_from([None, None, "other/.env", "other", "\0"]))
    def forget(self, path: str | None) -> None:
        self.step(lambda: self.session.forget(path), may_change=(".env",))

    @rule(path=st.sampled_from([None, "other/.env", "\0", "/proc/nowhere/.env"]))
    def keep_from_git(self, path: str | None) -> None:
        self.step(lambda: self.session.keep_from_git(path), may_change=(".gitignore",))

    @rule(name=st.sampled_from(["removed", "again", "git", "remembered", "failed", "\ud800"]))
    def dismiss(self, name: str) -> None:
        assert self.step(lambda: self.session.dismiss(name))

    @rule()
    def ask_for_what_it_gives(self) -> None:
        """`require()` and `environ()` give something exactly while somebody is signed in."""
        try:
            assert self.session.require() is self.session.client
        except NotSignedIn:
            assert self.session.status.state is not SignInState.SIGNED_IN
        here.settle()  # it does not wait for what the check still notes
        self.step(self.session.environ)

    # -- other kernels, and what lies on the disk ----------------------------------------------------------------------

    @precondition(can_be_logged_in_to)
    @rule(store=st.sampled_from(["new", "none", "damaged", "null"]))
    def another_kernel_changes_the_store(self, store: str) -> None:
        path = here.credentials / "tokens2"
        if store == "new":
            with Browser(here.cloud) as browser:
                token = browser.sign_in()["refresh_token"]
            self.sessions.append(token)
            path.write_text(json.dumps({"refresh_token": token, "other": 1}))
        elif store == "none":
            path.unlink(missing_ok=True)
        else:
            path.write_text("{" if store == "damaged" else "null")
        self.step(self.session._others.look)

    @rule(
        content=st.sampled_from(
            [
                "LC_API_KEY={}\r\nA=1",
                "A='open\nLC_API_KEY={}",
                "\ufeffLC_API_KEY={}\n",
                "'A=B'=1\nLC_API_KEY={}\nX=\0",
                "",
            ]
        )
    )
    def somebody_writes_env(self, content: str) -> None:
        (here.notebooks / ".env").write_bytes(content.format(self.keys["good"]).encode())
        self.step(here.say_hello)

    @rule(
        content=st.sampled_from(
            ["{", "[" * 5000, '{"session": {"signed_in_at": "9999-12-31T00:00:00+00:00"}}', '{"key_environments": 3}']
        )
    )
    def somebody_spoils_the_sidecar(self, content: str) -> None:
        (here.credentials / "luminary-auth-widget.json").write_text(content)
        self.step(here.say_hello)

    # -- the servers ---------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(["good", "another"]))
    def a_key_is_revoked(self, name: str) -> None:
        here.cloud.revoke_api_key(self.ids[name])

    @rule()
    def sessions_are_ended(self) -> None:
        here.cloud.end_sessions("ada@example.com")

    @rule(days=st.sampled_from([1, 2, 31]))
    def time_passes(self, days: int) -> None:
        here.cloud.advance(timedelta(days=days))

    @rule(name=st.sampled_from(["error", "refuse", "", ""]))
    def the_servers_fail_or_recover(self, name: str) -> None:
        here.cloud.clear_faults()
        if name:
            here.cloud.fault(name)
        self.fault = name

    # -- what always holds ---------------------------------------------------------------------------------------------

    @invariant()
    def what_is_promised_holds(self) -> None:
        here.holds_what_is_promised(self._secrets())

    @invariant()
    def only_the_server_ends_a_credential(self) -> None:
        state, credential = self.session.status.state, self.session._in_use
        if state in {SignInState.EXPIRED, SignInState.REJECTED}:
            assert isinstance(credential, SessionInUse) == (state is SignInState.EXPIRED)
            if not self.fault:
                assert not self._is_accepted(credential)


def main() -> None:
    sequences = settings(FUZZING, max_examples=MACHINES, stateful_step_count=STEPS)
    run_state_machine_as_test(SessionMachine, settings=sequences)
    # It has been everywhere that a session can be.
    reached = {state.value: count for state, count in steps.items() if count}
    print(reached)
    assert set(reached) == {state.value for state in SignInState} - {"checking"}
    assert sum(reached.values()) > 0.8 * CASES
    assert records.credentials_folder() == here.credentials


if __name__ == "__main__":
    with bound() as here:
        main()
