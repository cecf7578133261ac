from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics import watermark
from dashboard.analytics.stream import ARRIVALS, table
from tests.dashboard.analytics import recomputed
from tests.dashboard.analytics.streams import BEGIN, streams
from tests.dashboard.events import Event
from tests.dashboard.plain_stream import PlainStream


@given(streams(), st.integers(0, 60), st.integers(0, 2**31))
def test_late_events(events: list[Event], allowed_s: int, order: int) -> None:
    """What is late is what the definition says, race by race, in whatever order the arrivals are read."""
    arrivals = PlainStream(events).arrivals(0, None)
    rows = arrivals.sample(frac=1, random_state=order) if len(arrivals) else arrivals
    late = rows[watermark.is_late(rows, watermark.watermarks(rows, allowed_s))]
    expected = recomputed.late(events, allowed_s)
    assert late["events"].sum() == len(expected)
    assert dict(late.groupby("run")["events"].sum()) == {
        run: sum(event["runId"] == run for event in expected)
        for run in {event["runId"] for event in expected}
    }


@given(streams(), st.integers(0, 60))
def test_late_among_single_events(events: list[Event], allowed_s: int) -> None:
    """Single events are late if the counted ones are."""
    stream = PlainStream(events)
    marks = watermark.watermarks(stream.arrivals(0, None), allowed_s)
    newest = stream.newest(1000, 0, run_id=None, bib=None, course=None)
    assert watermark.late_of(newest, marks).sum() == len(recomputed.late(events, allowed_s))


@given(streams(), st.integers(0, 60))
def test_progress(events: list[Event], allowed_s: int) -> None:
    """A race's watermark is its newest event time less the allowed lateness; all its events are counted."""
    progress = watermark.progress(PlainStream(events).arrivals(0, None), allowed_s)
    late = recomputed.late(events, allowed_s)
    found = {
        race.run: (race.watermark, race.events, race.late, race.second) for race in progress.itertuples()
    }
    expected = {}
    for run in {event["runId"] for event in events}:
        these = [event for event in events if event["runId"] == run]
        expected[run] = (
            max(event["timestamp"] // 1000 for event in these) - allowed_s,
            len(these),
            sum(event["runId"] == run for event in late),
            max(event["emittedAt"] // 1000 for event in these),
        )
    assert found == expected


def test_allowed_lateness_at_its_edge() -> None:
    """Just as late as is allowed is in time; a second more is late, and so it is in every second after."""
    rows = [
        ("run", "course", BEGIN, BEGIN, 1),
        ("run", "course", BEGIN + 1, BEGIN - 10, 1),
        ("run", "course", BEGIN + 1, BEGIN - 11, 1),
        ("run", "course", BEGIN + 9, BEGIN - 11, 1),
    ]
    assert watermark.with_late(table(rows, ARRIVALS), 10)["late"].tolist() == [0, 0, 1, 1]


def test_no_arrivals() -> None:
    """Without arrivals, nothing is late and no race has progressed."""
    nothing = table([], ARRIVALS)
    assert watermark.with_late(nothing, 10).empty
    assert watermark.progress(nothing, 10).empty
