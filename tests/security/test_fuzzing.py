"""What judges the product by many inputs is judged first: it notices when there are few, and when one goes wrong."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from luminary_auth_widget.errors import AuthError, KeyMalformed, KeyRefused

from .fuzzing import CANARY, CASES, enough, fuzzed, may_refuse


def _tries_of(strategy, *outcomes):
    """Return a target that takes whatever comes, and what has come."""
    seen = []

    @fuzzed(strategy, outcomes=outcomes)
    def take(it):
        seen.append(it)
        return outcomes[0] if outcomes else None

    return take, seen


def test_a_target_is_tried_with_as_many_inputs_as_were_asked_for():
    take, seen = _tries_of(st.integers())
    take()
    assert len(seen) >= enough(CASES)


def test_a_target_that_runs_out_of_inputs_fails():
    take, seen = _tries_of(st.booleans())
    with pytest.raises(AssertionError, match=f"of {CASES} cases"):
        take()
    assert set(seen) == {True, False}


def test_a_target_that_never_comes_to_one_of_its_outcomes_fails():
    take, _ = _tries_of(st.integers(), "refused", "accepted")
    with pytest.raises(AssertionError, match="'accepted'"):
        take()


@pytest.mark.parametrize(
    "error",
    [
        KeyMalformed(f"{CANARY} is no key.", next_step="Paste another."),
        KeyMalformed("This is no key.", next_step=f"Remove {CANARY}."),
        KeyMalformed("This is no key.", next_step=""),
    ],
    ids=["it repeats what was given", "so does its next step", "it does not help"],
)
def test_a_refusal_that_does_not_do_what_it_is_to_do_fails(error):
    with pytest.raises(AssertionError), may_refuse(KeyMalformed):
        raise error


def test_a_refusal_of_another_kind_is_none():
    with pytest.raises(KeyRefused), may_refuse(KeyMalformed):
        raise KeyRefused("No.", next_step="Paste another.")
    with may_refuse(AuthError) as refusal:
        raise KeyRefused("No.", next_step="Paste another.")
    assert refusal
