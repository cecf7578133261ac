import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.race import finish_list
from dashboard.race.split_times import SplitTimes
from dashboard.store.protocol import Competitor
from tests.dashboard.fakes import Passing, Row, at, passings

LENGTH = 2500.0
NOW: list[Row] = [
    (1, LENGTH, "finished", 1010.0),
    (2, LENGTH, "finished", 1000.5),
    (3, 1800.0, "running", 1100.0),
    (4, 900.0, "dnf", 400.0),
    (5, 2100.0, "paused", 1100.0),
]
PASSED: list[Passing] = [
    (1, "start", "Start", 1, 0.0, 20.0),
    (2, "start", "Start", 1, 0.0, 0.0),
    (3, "start", "Start", 1, 0.0, 5.0),
    (1, "split", "1 km", 1, 1000.0, 420.0),
    (2, "split", "1 km", 1, 1000.0, 400.0),
    (3, "split", "1 km", 1, 1000.0, 605.0),
    (1, "split", "2 km", 1, 2000.0, 810.0),
    (2, "split", "2 km", 1, 2000.0, 802.0),
    (1, "enter", "North", 1, 1500.0, 600.0),
    (1, "exit", "North", 1, 1600.0, 640.0),
    (2, "enter", "North", 1, 1500.0, 590.0),
    (2, "exit", "North", 1, 1600.0, 690.0),
    (3, "enter", "North", 1, 1500.0, 1000.0),
    (2, "enter", "Stadium", 1, 2400.0, 980.0),
    (1, "finish", "Finish", 1, LENGTH, 1010.0),
    (2, "finish", "Finish", 1, LENGTH, 1000.5),
]


def found(now: list[Row] = NOW, passed: list[Passing] = PASSED) -> finish_list.Results:
    """The results of a race in which this happened."""
    splits = SplitTimes()
    splits.add(passings(passed))
    return finish_list.results(at(*now), splits, np.zeros(len(now)))


def test_order() -> None:
    """Finishers come first, then runners on the course, then DNFs; only finishers have a place."""
    assert found().bib.tolist() == [2, 1, 5, 3, 4]
    assert found().place.tolist() == [1, 2, 0, 0, 0]


def test_who_has_no_place_comes_last() -> None:
    """The disqualified come before those who gave up, and those before who didn't start; none has a time."""
    now: list[Row] = [
        (6, 0.0, "dns", 0.0),
        (7, LENGTH, "dsq", 900.0),
        (8, 0.0, "waiting", 1100.0),
        *NOW,
    ]
    results = found(
        now, [*PASSED, (7, "finish", "Finish", 1, LENGTH, 900.0), (7, "dsq", "DSQ", 1, LENGTH, 999.0)]
    )
    assert results.bib.tolist() == [2, 1, 5, 3, 8, 7, 4, 6]
    assert results.place.tolist() == [1, 2, 0, 0, 0, 0, 0, 0]
    assert np.isnan(results.chip[2:]).all()
    assert results.gap[0] == 0.0
    assert finish_list.bins(results.chip)[1].sum() == 2


def test_chip_times() -> None:
    """Chip time is from one's own start; the gap is that at the finish line."""
    assert np.array_equal(found().chip, [1000.5, 990.0, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(found().gap, [0.0, 9.5, np.nan, np.nan, np.nan], equal_nan=True)


def test_splits_are_chip_times() -> None:
    """Splits are from one's own start too, each in its column, missing where one has not been."""
    results = found()
    assert results.split_metres.tolist() == [1000.0, 2000.0]
    nan = np.nan
    expected = [[400.0, 802.0], [400.0, 790.0], [nan, nan], [600.0, nan], [nan, nan]]
    assert np.array_equal(results.splits, expected, equal_nan=True)


def test_paces() -> None:
    """A stretch's pace is its time by its length; the last stretch is the one to the finish."""
    metres, paces = finish_list.paces(found(), LENGTH)
    assert metres.tolist() == [1000.0, 2000.0, 2500.0]
    assert paces[:2].tolist() == [[400.0, 402.0, 397.0], [400.0, 390.0, 400.0]]
    assert finish_list.paces(found(), None)[0].tolist() == [1000.0, 2000.0]


def test_no_positions_yet() -> None:
    """A race without positions has no results, and that is no error."""
    results = found([], [])
    assert len(results) == 0
    assert finish_list.paces(results, LENGTH)[1].shape == (0, 1)
    assert list(finish_list.stays(results.visits)) == []
    assert len(finish_list.bins(results.chip)[1]) == 0
    assert finish_list.as_csv(results, {}).count(b"\n") == 1


def test_stays() -> None:
    """Stays are summed up by geofence; a finish inside ends one, and a current one has no length yet."""
    north, stadium = finish_list.stays(found().visits)
    assert (north.fence, north.visits, north.competitors, north.inside) == ("North", 3, 3, 1)
    assert (north.median, north.longest) == (70.0, 100.0)
    assert (stadium.fence, stadium.visits, stadium.inside, stadium.longest) == ("Stadium", 1, 0, 20.5)


def test_csv() -> None:
    """The CSV has every competitor with exact times, and nothing that a spreadsheet would run."""
    names = {1: Competitor('=cmd|"/c calc"!A1', "M35", 1), 2: Competitor('Åsa "B", C', "@SUM(1)", 1)}
    text = finish_list.as_csv(found(), names).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["bib"] for row in rows] == ["2", "1", "5", "3", "4"]
    assert rows[0] == {
        "place": "1",
        "category_place": "1",
        "bib": "2",
        "name": 'Åsa "B", C',
        "category": "'@SUM(1)",
        "sex": "",
        "club": "",
        "wave": "1",
        "status": "finished",
        "official_time": "1001",
        "gun_time": "1000.500",
        "chip_time": "1000.500",
        "distance": "2500.000",
        "behind": "0.000",
        "pace": "400.200",
        "1 km": "400.000",
        "2 km": "802.000",
    }
    assert rows[1]["name"] == "'" + names[1].name
    assert (rows[3]["place"], rows[3]["chip_time"], rows[3]["2 km"]) == ("", "", "")


@pytest.mark.parametrize(("seconds", "width"), [([0.0, 39.9], 1), ([0, 3000], 120), ([0, 10_000], 300)])
def test_width_of_bins(seconds: list[float], width: float) -> None:
    """Bins are as narrow as forty of them allow, and of a width that a clock has."""
    assert finish_list.bins(np.array(seconds))[0] == width


TENTHS = st.lists(st.integers(9000, 9030), min_size=1, max_size=30)


@given(TENTHS)
def test_places_agree_with_the_times(tenths: list[int]) -> None:
    """A place is one more than the number of faster competitors, so ties share a place."""
    times = [tenth / 10 for tenth in tenths]
    results = found([(bib, LENGTH, "finished", time) for bib, time in enumerate(times, 1)], [])
    faster = [sum(other < times[bib - 1] for other in times) for bib in results.bib.tolist()]
    assert results.place.tolist() == [before + 1 for before in faster]
    assert results.chip.tolist() == sorted(times)


TIMES = st.lists(st.floats(60, 100_000, allow_nan=False), min_size=1, max_size=50)


@given(TIMES)
def test_bins_count_every_competitor(seconds: list[float]) -> None:
    """All finishers are in one bin each, the bin contains the time, and bins begin at round times."""
    width, counts, starts = finish_list.bins(np.array([*seconds, np.nan]))
    assert counts.sum() == len(seconds)
    assert (starts % width == 0).all()
    assert len(counts) <= finish_list.MAX_BINS + 1
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        assert count == sum(start <= time < start + width for time in seconds)


@given(TIMES)
def test_marks_span_every_time(seconds: list[float]) -> None:
    """An axis' marks are few, round and go from before the first to after the last."""
    marks = finish_list.marks(np.array(seconds))
    assert marks[0] <= min(seconds)
    assert marks[-1] >= max(seconds)
    assert len(marks) <= finish_list.MAX_MARKS + 2


@given(st.lists(st.floats(100, 600), min_size=3, max_size=3), st.floats(0, 300))
def test_stretches_add_up_to_the_finish(stretches: list[float], start: float) -> None:
    """The times over all stretches add up to the chip time, whenever one started."""
    first, second, last = np.cumsum(stretches) + start
    passed: list[Passing] = [
        (1, "start", "Start", 1, 0.0, start),
        (1, "split", "1 km", 1, 1000.0, first),
        (1, "split", "2 km", 1, 2000.0, second),
    ]
    results = found([(1, LENGTH, "finished", last)], passed)
    metres, paces = finish_list.paces(results, LENGTH)
    took = paces * np.diff(metres, prepend=0.0) / 1000.0
    assert took.sum() == pytest.approx(results.chip[0])


def test_timing_points_have_their_names() -> None:
    """A mat has its name, its passes are counted; one just behind another split has no pace of its own."""
    mats: list[Passing] = [
        (1, "split", "Bridge", 1, 1000.0, 420.0),
        (1, "split", "Bridge", 2, 1050.0, 440.0),
        (1, "split", "Bridge", 3, 1500.0, 620.0),
    ]
    results = found(passed=PASSED + mats)
    metres, paces = finish_list.paces(results, LENGTH)
    header = finish_list.as_csv(results, {}).decode().splitlines()[0]

    assert results.split_names == ("1 km", "Bridge", "Bridge (2)", "Bridge (3)", "2 km")
    assert metres.tolist() == [1000.0, 1500.0, 2000.0, LENGTH]
    assert np.isfinite(paces[1]).all()
    assert header.endswith("1 km,Bridge,Bridge (2),Bridge (3),2 km")


def test_no_split_is_called_as_a_column_or_as_another_one() -> None:
    """The finish list has a column for each mat, whatever its name."""
    mats: list[Passing] = [
        (1, "split", "Gap", 1, 300.0, 120.0),
        (1, "split", "Bridge", 2, 500.0, 220.0),
        (1, "split", "Bridge (2)", 1, 700.0, 320.0),
    ]
    names = found(passed=PASSED + mats).split_names

    assert names == ("Gap (split)", "Bridge (2)", "Bridge (2) (split)", "1 km", "2 km")
