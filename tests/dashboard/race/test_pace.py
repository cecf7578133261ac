"""When the store is asked for ticks, in a simulation of a store that has them at given moments."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.race.pace import EARLY_S, FAILING_S, STEP_S, WIDEST_S, Pace

QUESTION_S = 0.004
"""Duration of a question."""


def questions(arrivals: list[float], period: float = 1.0) -> tuple[list[float], list[float]]:
    """The moments of all questions until the last tick is found, and how late each tick is found."""
    pace, now, found = Pace(), 0.0, 0
    asked, late = [], []
    while found < len(arrivals):
        asked.append(now)
        new = sum(arrival <= now for arrival in arrivals) - found
        late += [now - arrival for arrival in arrivals[found : found + new]]
        found += new
        end = now + QUESTION_S
        if new:
            pace.found(now, period)
        now = end + pace.pause(end)
    return asked, late


@given(st.floats(0, 1), st.floats(0, 0.03), st.randoms(use_true_random=False))
def test_regular_ticks_are_found_at_once_by_few_questions(
    phase: float, jitter: float, random: Callable[[], float]
) -> None:
    """Once it knows the rhythm, it finds each tick within some 100 ms, and asks a handful of times for it."""
    arrivals = [phase + nth + jitter * random.random() for nth in range(60)]  # type: ignore[attr-defined]
    asked, late = questions(arrivals)
    assert max(late[20:]) < EARLY_S + 2 * STEP_S
    assert len([moment for moment in asked if moment > arrivals[20]]) < 10 * 40


def test_a_late_tick_makes_the_next_not_late() -> None:
    """After a stall of the store the rhythm is as before."""
    arrivals = [nth + (0.6 if nth == 30 else 0.0) for nth in range(40)]
    _, late = questions(arrivals)
    assert late[30] < 0.3
    assert max(late[31:]) < EARLY_S + 2 * STEP_S


def test_questions_become_rare_while_nothing_comes() -> None:
    """A store without news is asked once a second at most after some seconds."""
    pace = Pace()
    pace.found(0.0, 1.0)
    pauses = [pace.pause(10.0) for _ in range(30)]
    assert pauses[0] == STEP_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == WIDEST_S


def test_rare_ticks_leave_time_to_see_changes_of_state() -> None:
    """Between ticks a minute apart the store is asked every second."""
    pace = Pace()
    pace.found(0.0, 60.0)
    assert pace.pause(0.0) == WIDEST_S
    assert pace.pause(30.0) == WIDEST_S
    assert pace.pause(59.5) == pytest.approx(0.5 - EARLY_S)


def test_the_rest_of_a_tick_is_asked_for_until_the_next_is_due() -> None:
    """While a part of a tick is missing the pauses grow, but the next tick is not missed for that."""
    pace, now = Pace(), 0.0
    pace.found(0.0, 1.0)
    pauses = []
    while now < 1.0 - EARLY_S:
        pauses.append(pace.pause(now, is_whole=False))
        now += pauses[-1]
    assert pauses[0] == STEP_S
    assert pauses[:-1] == sorted(pauses[:-1])
    assert now == pytest.approx(1.0 - EARLY_S)
    assert pace.pause(now) == STEP_S


def test_a_failing_store_is_asked_less_and_less() -> None:
    """The pause doubles up to its limit, and is short again after an answer."""
    pace = Pace()
    assert [pace.after_failure() for _ in range(4)] == [FAILING_S[0], 2.0, 4.0, FAILING_S[1]]
    pace.pause(0.0)
    assert pace.after_failure() == FAILING_S[0]
