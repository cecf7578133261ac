from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.race.split_times import SplitTimes, Stay
from tests.dashboard.fakes import Passing, passings

RACE: list[Passing] = [
    (1, "start", "Start", 1, 0.0, 0.0),
    (2, "start", "Start", 1, 0.0, 0.0),
    (1, "enter", "North", 1, 500.0, 100.0),
    (1, "exit", "North", 1, 700.0, 140.0),
    (2, "enter", "North", 1, 500.0, 150.0),
    (1, "split", "1 km", 1, 1000.0, 200.0),
    (1, "enter", "North", 2, 1500.0, 300.0),
    (2, "split", "1 km", 1, 1000.0, 320.5),
    (1, "finish", "Finish", 1, 2000.0, 400.0),
]
ONE_GUN = np.array([1, 2, 3]), np.zeros(3)


def times(*taken: list[Passing]) -> SplitTimes:
    """The times after these lists have been taken one after another."""
    found = SplitTimes()
    for some in taken:
        found.add(passings(some))
    return found


def test_last_split() -> None:
    """Each competitor has its last split; competitors without one, and unknown ones, have none."""
    metres, seconds = times(RACE, [(1, "split", "2 km", 1, 2000.0, 399.0)]).last_splits(
        np.array([2, 1, 3, 99])
    )
    assert np.array_equal(metres, [1000.0, 2000.0, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(seconds, [320.5, 399.0, np.nan, np.nan], equal_nan=True)


def test_head_of_the_race() -> None:
    """The head is the earliest passing at each point; geofences don't count."""
    metres, seconds = times(RACE).head(*ONE_GUN)
    assert (metres.tolist(), seconds.tolist()) == ([0.0, 1000.0, 2000.0], [0.0, 200.0, 400.0])


def test_head_of_a_race_in_waves() -> None:
    """The head has the shortest time since the own gun, whichever wave was first on the clock."""
    metres, seconds = times(RACE).head(np.array([1, 2]), np.array([0.0, 150.0]))
    assert (metres.tolist()[1:], seconds.tolist()[1:]) == ([1000.0, 2000.0], [170.5, 400.0])


def test_head_without_the_disqualified() -> None:
    """A disqualified competitor was never ahead, in retrospect."""
    known = times(RACE, [(1, "dsq", "DSQ", 1, 2000.0, 500.0)])
    metres, seconds = known.head(*ONE_GUN)
    assert (metres.tolist(), seconds.tolist()) == ([0.0, 1000.0], [0.0, 320.5])
    assert np.array_equal(known.verdicts(np.array([2, 1, 99])), [np.nan, 500.0, np.nan], equal_nan=True)


def test_own_starts() -> None:
    """Each competitor's own start is the passing, or the own gun if there is none."""
    known = times([(999_999, "start", "Start", 1, 0.0, 61.5), (3, "start", "Start", 1, 0.0, 2.0)])
    assert known.starts(np.array([3, 4, 999_999]), np.array([0.0, 30.0, 60.0])).tolist() == [2.0, 30.0, 61.5]
    assert times().starts(np.array([1]), np.array([60.0])).tolist() == [60.0]


@given(st.permutations(RACE), st.integers(0, len(RACE)))
def test_bibs_may_be_any_numbers(taken: list[Passing], cut: int) -> None:
    """Bib numbers affect neither the results nor the memory."""
    high = {1: 999_999, 2: 31_337}
    numbered: list[Passing] = [(high[one[0]], *one[1:]) for one in taken]
    found, whole = times(numbered[:cut], numbered[cut:]), times(RACE)
    back = {high_bib: bib for bib, high_bib in high.items()}
    assert {
        name: [Stay(back[stay.bib], stay.since) for stay in stays] for name, stays in found.inside().items()
    } == whole.inside()
    bibs = np.array([1, 2])
    highs = np.array([high[bib] for bib in bibs.tolist()])
    assert np.array_equal(found.last_splits(highs), whole.last_splits(bibs), equal_nan=True)
    assert sorted(back[bib] for bib in found.visits().bib.tolist()) == sorted(whole.visits().bib.tolist())
    assert found.size == 2 * len({one[1:4] for one in RACE})


def test_head_before_anything() -> None:
    """Before the first passing there is no head."""
    metres, seconds = times().head(*ONE_GUN)
    assert (len(metres), len(seconds)) == (0, 0)


def test_who_is_inside() -> None:
    """A competitor is inside a geofence between entry and exit, also at an earlier moment."""
    known = times(RACE)
    assert known.inside() == {"North": [Stay(2, 150.0)]}
    assert known.inside(120.0) == {"North": [Stay(1, 100.0)]}
    assert known.inside(145.0) == {"North": []}
    assert known.inside(310.0) == {"North": [Stay(2, 150.0), Stay(1, 300.0)]}


def test_who_finishes_inside_is_out() -> None:
    """No geofence visit lasts indefinitely: the finish, or giving up, ends it."""
    known = times(
        [(1, "enter", "N", 1, 5.0, 1.0), (2, "enter", "N", 1, 5.0, 2.0), (3, "enter", "N", 1, 5.0, 3.0)]
    )
    known.add(passings([(1, "finish", "Finish", 1, 9.0, 4.0), (2, "dnf", "DNF", 1, 6.0, 4.0)]))
    assert known.inside() == {"N": [Stay(3, 3.0)]}


def test_counts_up_to_a_moment() -> None:
    """Passings of a kind are counted up to a moment, that one included."""
    known = times(RACE)
    assert [known.count("enter"), known.count("enter", 150.0), known.count("enter", 149.9)] == [3, 2, 1]


@given(st.permutations(RACE), st.lists(st.integers(0, len(RACE)), max_size=3))
def test_order_and_repeats_change_nothing(taken: list[Passing], cuts: list[int]) -> None:
    """Order and repetition of passings change nothing."""
    ends = [0, *sorted(cuts), len(taken)]
    parts = [taken[first:last] for first, last in pairwise(ends)]
    whole, found = times(RACE), times(*parts, taken[:3])
    bibs = np.array([1, 2, 3])
    assert found.inside() == whole.inside()
    assert np.array_equal(found.last_splits(bibs), whole.last_splits(bibs), equal_nan=True)
    assert np.array_equal(found.head(*ONE_GUN), whole.head(*ONE_GUN))
    assert found.newest == whole.newest
