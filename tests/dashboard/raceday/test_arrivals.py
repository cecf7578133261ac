"""Arrivals by five minutes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.raceday.arrivals import MOST_STEPS, STEP_S, Arrivals, Coming, Span, arrivals, counted

GUN = 1_790_000_200.0  # a hundred seconds after five full minutes
NOTHING = np.empty(0, np.int64), np.empty(0, np.int64)


def coming(*times: tuple[float, float, float], until: float = np.inf, weight: float = 1.0) -> Coming:
    """Forecasts with these levels."""
    n = len(times)
    return Coming(np.array(times).reshape(-1, 3), np.full(n, until), np.full(n, weight))


def bars(found: Arrivals) -> list[tuple[int, int, float]]:
    """The bars: seconds from the gun, so far, expected."""
    rows = zip(found.start - int(GUN), found.so_far, found.expected, strict=True)
    return [(int(start), int(so_far), round(float(expected), 2)) for start, so_far, expected in rows]


def test_spans_are_those_of_the_clock() -> None:
    """Five minutes begin on the clock, not at the gun; empty ones between two arrivals are there."""
    found = arrivals(GUN, 1000.0, counted(GUN, np.array([0.0, 199.9, 200.0, 900.0])), Coming.none())
    assert bars(found) == [(-100, 2, 0.0), (200, 1, 0.0), (500, 0, 0.0), (800, 1, 0.0)]
    assert found.busiest == Span(int(GUN) - 100, 2.0, is_expected=False)


def test_expected_ones_continue() -> None:
    """Expected arrivals begin in the five minutes of now, beside those that have arrived in them."""
    found = arrivals(GUN, 250.0, counted(GUN, np.array([210.0])), coming((300.0, 310.0, 320.0)))
    assert bars(found) == [(200, 1, 1.0)]
    assert found.busiest == Span(int(GUN) + 200, pytest.approx(2.0, abs=0.01), is_expected=True)  # type: ignore[arg-type]


def test_a_forecast_is_spread_over_its_interval() -> None:
    """An arrival at the end of five minutes counts half in them, and half in the next."""
    found = arrivals(GUN, 210.0, NOTHING, coming((480.0, 500.0, 520.0)))
    assert bars(found) == [(200, 0, 0.5), (500, 0, 0.5)]


def test_no_one_arrives_after_the_course_has_closed() -> None:
    """Expected arrivals end at the limit of the finish: those later are left out, not moved before it."""
    found = arrivals(GUN, 210.0, NOTHING, coming((480.0, 500.0, 520.0), until=500.0))
    assert bars(found) == [(200, 0, 0.5)]


def test_without_arrivals() -> None:
    """Without arrivals there are no bars, and no busiest time."""
    found = arrivals(GUN, 210.0, NOTHING, coming((np.nan, np.nan, np.nan)))
    assert (bars(found), found.busiest) == ([], None)


def test_two_days_at_most() -> None:
    """Arrivals more than two days ahead are in the last bar, so that there are never more than these."""
    far = STEP_S * MOST_STEPS * 3.0
    found = arrivals(GUN, 0.0, NOTHING, coming((10.0, 20.0, 30.0), (far, far + 100.0, far + 200.0)))
    assert len(found.start) == MOST_STEPS
    assert found.expected[-1] == pytest.approx(1.0, abs=0.01)


@given(
    st.lists(st.tuples(st.floats(0, 7000), st.floats(1, 900), st.floats(1, 900)), max_size=30),
    st.lists(st.floats(0, 3000), max_size=30),
    st.floats(0.1, 50),
)
@settings(max_examples=60, deadline=None)
def test_all_are_counted_once(
    ahead: list[tuple[float, float, float]], passed: list[float], weight: float
) -> None:
    """Known arrivals and expected ones add up to all, whatever they are; spans follow without a gap."""
    now = 3000.0
    times = [(now + low, now + low + first, now + low + first + last) for low, first, last in ahead]
    found = arrivals(GUN, now, counted(GUN, np.array(passed)), coming(*times, weight=weight))
    assert found.so_far.sum() == len(passed)
    assert found.expected.sum() == pytest.approx(len(ahead) * weight, rel=1e-3, abs=0.3)
    assert (np.diff(found.start) == STEP_S).all()
    assert (found.expected >= 0).all()
