"""The state machine of attempts: what comes too late changes nothing."""

import logging

import pytest

from luminary_auth_widget.board import Board
from luminary_auth_widget.errors import AttemptCancelled, CredentialUnusable, KeyRefused, LoginDenied, ServerTimeout
from luminary_auth_widget.notices import Notice
from luminary_auth_widget.status import AttemptPhase, AuthStatus, Method, SignInState

STARTING, WAITING = AttemptPhase.STARTING, AttemptPhase.WAITING_FOR_BROWSER


@pytest.fixture
def a_board():
    board = Board()
    board.status = AuthStatus(SignInState.SIGNED_IN, identity="ada@example.com")
    return board


def test_an_attempt_that_advances_fails_or_ends_leaves_the_state_as_it_is(a_board):
    number = a_board.begin(Method.BROWSER, STARTING)
    a_board.advance(number, phase=WAITING, link="https://login.example.com")
    assert a_board.status.attempt.link == "https://login.example.com"
    a_board.fail(LoginDenied("The log-in page said no.", next_step="Try again."), number)
    attempt = a_board.status.attempt
    assert (attempt.phase, attempt.link, attempt.message) == (AttemptPhase.FAILED, None, "The log-in page said no.")
    a_board.end_attempt()
    assert a_board.status == AuthStatus(SignInState.SIGNED_IN, identity="ada@example.com")


def test_what_an_earlier_attempt_still_brings_changes_nothing(a_board):
    first = a_board.begin(Method.BROWSER, STARTING)
    second = a_board.begin(Method.API_KEY, AttemptPhase.CHECKING)
    before = a_board.status
    a_board.advance(first, phase=WAITING)
    a_board.fail(ServerTimeout("Too slow."), first)
    assert a_board.status == before
    with pytest.raises(AttemptCancelled):
        a_board.require_current(first)
    a_board.require_current(second)


def test_what_a_cancelled_attempt_still_brings_changes_nothing(a_board):
    number = a_board.begin(Method.BROWSER, STARTING)
    a_board.end_attempt()
    a_board.advance(number, phase=WAITING)
    a_board.fail(ServerTimeout("Too slow."), number)
    assert a_board.status.attempt is None


def test_a_cancelled_attempt_is_no_failure(a_board):
    number = a_board.begin(Method.BROWSER, STARTING)
    a_board.fail(AttemptCancelled("Cancelled."), number)
    assert a_board.status.attempt.phase is STARTING


def test_only_what_was_never_answered_can_be_tried_again(a_board):
    number = a_board.begin(Method.API_KEY, AttemptPhase.CHECKING)
    a_board.fail(ServerTimeout("Too slow."), number, can_retry=True)
    assert a_board.status.attempt.can_retry
    a_board.fail(CredentialUnusable("Its end is past."), can_retry=True)
    a_board.fail(KeyRefused("It was revoked."), number, can_retry=True)
    assert not a_board.status.attempt.can_retry
    assert a_board.status.attempt.message == "The server refused this key. It was revoked."


def test_listeners_hear_of_every_change_until_they_stop(a_board):
    heard: list[AuthStatus] = []
    stop = a_board.listen(heard.append)
    number = a_board.begin(Method.BROWSER, STARTING)
    a_board.advance(number, phase=WAITING)
    stop()
    stop()
    a_board.advance(number, phase=AttemptPhase.FINISHING)
    assert [status.attempt.phase for status in heard] == [STARTING, WAITING]


def test_a_listener_that_fails_is_logged_and_costs_neither_the_attempt_nor_the_next_listener(a_board, caplog):
    heard: list[AuthStatus] = []
    a_board.listen(lambda _status: 1 / 0)
    a_board.listen(heard.append)
    with caplog.at_level(logging.ERROR):
        a_board.begin(Method.BROWSER, STARTING)
    assert heard == [a_board.status]
    assert "on_change" in caplog.text


def test_a_notice_takes_the_place_of_an_earlier_one_of_its_id_and_a_new_attempt_clears_the_failed_one(a_board):
    a_board.note(Notice("kept", "one"), Notice("failed", "two"), Notice("kept", "three"))
    assert [notice.text for notice in a_board.notices] == ["three", "two"]
    a_board.begin(Method.BROWSER, STARTING)
    assert [notice.id for notice in a_board.notices] == ["kept"]
    a_board.drop("kept", "unknown")
    assert a_board.notices == ()
