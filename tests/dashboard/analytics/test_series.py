import statistics
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics import series
from dashboard.analytics.activity import Activity
from dashboard.analytics.series import MOST_SERIES, OTHERS
from tests.dashboard.analytics.streams import BEGIN, streams
from tests.dashboard.events import Event, position
from tests.dashboard.plain_stream import PlainStream

SINCE = BEGIN - BEGIN % 60
UNTIL = SINCE + 120


@given(streams(), st.sampled_from(["run", "course"]), st.sampled_from([1, 5, 10, 60]))
def test_rates(events: list[Event], by: str, step: int) -> None:
    """Each step of each series has the events that arrived in it; empty steps are included."""
    found = series.rates(PlainStream(events).arrivals(0, None), by, SINCE, UNTIL, step)
    field = {"run": "runId", "course": "course"}[by]
    expected = Counter(
        (event["emittedAt"] // 1000 // step * step, event[field])
        for event in events
        if SINCE <= event["emittedAt"] // 1000 < UNTIL
    )
    steps = dict(zip(zip(found["second"], found["who"], strict=True), found["events"], strict=True))
    assert +Counter(steps) == expected
    assert len(steps) == len({who for _, who in expected}) * (UNTIL - SINCE) // step


def test_too_many_series() -> None:
    """The busiest races have a series of their own, the others one together."""
    events = [
        position(f"r{run:02}", bib, emittedAt=1000 * SINCE) for run in range(12) for bib in range(1, run + 2)
    ]
    found = series.rates(PlainStream(events).arrivals(0, None), "run", SINCE, SINCE + 1, 1)
    counts = dict(zip(found["who"], found["events"], strict=True))
    assert len(counts) == MOST_SERIES
    assert counts.pop(OTHERS) == 1 + 2 + 3 + 4 + 5
    assert set(counts) == {f"r{run:02}" for run in range(5, 12)}


@given(streams(), st.sampled_from([1, 5, 10]))
def test_averages(events: list[Event], step: int) -> None:
    """A moving average is that of the seconds before the end of its step, from when all of them are known."""
    found = series.averages(PlainStream(events).arrivals(0, None), SINCE, UNTIL, step, SINCE - 60)
    for end, rate in zip(found["second"].tolist(), found["rate"].tolist(), strict=True):
        came = sum(end - 60 <= event["emittedAt"] // 1000 < end for event in events)
        assert rate == pytest.approx(came / 60)
    assert set(found["what"]) == {"1 min average"}
    assert found["second"].tolist() == list(range(SINCE + step, UNTIL + step, step))


@given(streams())
def test_paces(events: list[Event]) -> None:
    """Mean and median of each ten seconds are those of the paces of running competitors."""
    paces_by_step = defaultdict(list)
    for event in events:
        if event["status"] == "running" and event["distance"] >= 100:
            paces_by_step[event["emittedAt"] // 10_000 * 10].append(
                1000 * event["elapsed"] / event["distance"]
            )
    activity = Activity(PlainStream(events), 10, lambda: float(BEGIN + 1000))
    found = {(row.second, row.what): row.pace for row in activity.paces().itertuples()}
    expected: dict[tuple[int, str], object] = {}
    for step, paces in paces_by_step.items():
        expected[step, "Mean"] = pytest.approx(statistics.fmean(paces))
        expected[step, "Median"] = statistics.median_low(int(pace) for pace in paces)
    assert found == expected
