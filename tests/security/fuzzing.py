"""How much is tried and what is looked at: shared by the fuzz tests.

Each target is tried with 1,000 inputs, the same ones in each run. `FUZZ_CASES=100000` tries so many, other ones each
time; one that fails is made smaller by hypothesis, and printed.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luminary_auth_widget.errors import AuthError

CASES = int(os.environ.get("FUZZ_CASES", "1000"))
FUZZING = settings(
    max_examples=CASES,
    # The gate tries the same each time: what it has accepted once, it does not refuse by chance.
    derandomize="FUZZ_CASES" not in os.environ,
    database=None,
    # Time is nobody's fault on a busy machine; what hangs is ended by `ending`.
    deadline=None,
    # Fixtures are folders and processes that each case leaves as it found them.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Stands in what is given, and in nothing that is said.
CANARY = "c4n4ry-0f9e8d7c6b5a"
# No case takes a hundredth of it; a machine under load is no fault.
_LIMIT_SECONDS = 120


def fuzzed(*strategies: Any, outcomes: tuple[str, ...] = ()) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Run a test, which returns to which of the outcomes it came, with each of CASES inputs.

    It fails as well where hypothesis, which repeats none, has found far fewer inputs, or an outcome that hardly occurs.
    """

    def decorate(test: Callable[..., Any]) -> Callable[..., None]:
        seen: Counter[str | None] = Counter()

        @wraps(test)
        def counted(*given_to_it: Any, **named: Any) -> None:
            seen[test(*given_to_it, **named)] += 1

        trying: Callable[..., None] = FUZZING(given(*strategies)(counted))

        @wraps(trying)
        def tried(*fixtures: Any, **named: Any) -> None:
            seen.clear()
            trying(*fixtures, **named)
            assert seen.total() >= enough(CASES), f"only {seen.total()} of {CASES} cases"
            rare = [outcome for outcome in outcomes if seen[outcome] < CASES / 100]
            assert not rare, f"hardly ever {rare}: {seen}"

        return tried

    return decorate


def enough(cases: int) -> float:
    """Return how many of the cases that were asked for have to be tried: a few are drawn twice, or not to their end."""
    return 0.9 * cases


@contextmanager
def ending() -> Iterator[None]:
    """Let what hangs fail."""

    def fail(*_: object) -> None:
        raise AssertionError("It hangs.")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Refusal:
    """The error that something was refused with; false where it was not."""

    error: AuthError | None = None

    def __bool__(self) -> bool:
        return self.error is not None


@contextmanager
def may_refuse(*kinds: type[AuthError], secrets: tuple[str, ...] = (CANARY,)) -> Iterator[Refusal]:
    """Run what may refuse its input with one of these errors, which helps and tells no secret; it ends in any case."""
    refusal = Refusal()
    try:
        with ending():
            yield refusal
    except kinds as error:
        refusal.error = error
    if refusal.error is not None:
        assert refusal.error.next_step
        str(refusal.error).encode()  # it can be sent to a page
        told = everything_told(refusal.error)
        assert not [secret for secret in secrets if secret in told], told


def everything_told(error: BaseException) -> str:
    """Return all that a verbose traceback prints of an error: its words, our frames' locals, its causes."""
    told = [repr(error), str(error), repr(vars(error))]
    frames = error.__traceback__
    while frames is not None:
        if "/luminary_auth_widget/" in frames.tb_frame.f_code.co_filename:
            told.append(repr(frames.tb_frame.f_locals))
        frames = frames.tb_next
    if error.__context__ is not None and not error.__suppress_context__:
        told.append(everything_told(error.__context__))
    return "\n".join(told)


def tree(*folders: Path) -> dict[str, bytes | None]:
    """Return every file below the folders with its bytes, and every folder."""
    paths = (path for folder in folders for path in sorted(folder.rglob("*")))
    return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


# What no keyboard has, and what parsers trip over.
ODD = st.sampled_from(
    [
        *("\0", "\r", "\n", "\r\n", "\t", "\x0b", "\x0c", "\x1c", "\x1e", "\x7f", "\x85", "\xa0", "\u2028", "\u2029"),
        *("\u200b", "\ufeff", "\ufffd", "\ud800", "\udcff", "\U0001f511", "\u00e9", "\ufb00", "\u0130"),
        *('"', "'", "\\", "`", "$", "${HOME}", "#", "="),
    ]
)
TEXT = st.text(max_size=20) | ODD
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
# So deep that parsers give up, and around the depth at which they do.
DEEP = st.integers(1, 3000).map(lambda depth: "[" * depth + "]" * depth)
