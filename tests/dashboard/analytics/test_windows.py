from functools import partial

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.stream import Stream
from dashboard.analytics.windows import SHOWN, SIZES_S, Windows
from dashboard.store.sqlite_file import SqliteFile
from tests.dashboard.analytics import recomputed
from tests.dashboard.analytics.streams import BEGIN, once, streams
from tests.dashboard.events import Event, SqliteWriter, position
from tests.dashboard.plain_stream import PlainStream

RUN = "one"
LONG_AGO = 0


@given(streams([RUN]).filter(bool), st.sampled_from(SIZES_S), st.integers(0, 60), st.data())
def test_same_as_recomputed(events: list[Event], size_s: int, allowed_s: int, data: st.DataObject) -> None:
    """However often they are queried meanwhile, windows equal a recomputation from all events.

    The events come late, twice and out of order, and each time only some windows are queried.
    """
    stream = PlainStream()
    windows = Windows(size_s, partial(stream.panes, RUN))
    looks = sorted(data.draw(st.sets(st.integers(1, len(events)), max_size=5)) | {len(events)})
    for look in looks:
        stream.events = events[:look]
        found = windows.refresh(stream.arrivals(0, None), allowed_s, LONG_AGO)
        assert recomputed.as_rows(found) == recomputed.windows(events[:look], size_s, allowed_s)


@settings(max_examples=25)
@given(streams([RUN, "two"]).filter(lambda events: any(event["runId"] == RUN for event in events)))
def test_same_in_the_embedded_store(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> None:
    """Windows counted by SQLite equal a recomputation from its rows."""
    path = tmp_path_factory.mktemp("windows") / "races.db"
    SqliteWriter(path).write("parkrun", once(events))
    stream = Stream(SqliteFile(path))
    arrivals = stream.arrivals(0, None)
    these = [event for event in once(events) if event["runId"] == RUN]
    for size_s in SIZES_S:
        windows = Windows(size_s, partial(stream.panes, RUN))
        found = windows.refresh(arrivals[arrivals["run"] == RUN], 10, LONG_AGO)
        assert recomputed.as_rows(found) == recomputed.windows(these, size_s, 10)


def ticks(count: int) -> list[Event]:
    """One competitor's events, one a second."""
    return [
        position(
            RUN,
            1,
            rawTime=second,
            timestamp=1000 * (BEGIN + second),
            emittedAt=1000 * (BEGIN + second),
        )
        for second in range(count)
    ]


def test_only_what_has_changed_is_asked_for() -> None:
    """A second later only windows with new events are queried; without any, none."""
    stream = PlainStream(ticks(600))
    windows = Windows(10, partial(stream.panes, RUN))
    windows.refresh(stream.arrivals(0, None), 10, LONG_AGO)
    stream.events = ticks(601)
    asked = len(stream.asked)
    windows.refresh(stream.arrivals(0, None), 10, LONG_AGO)
    windows.refresh(stream.arrivals(0, None), 10, LONG_AGO)
    assert [question for question in stream.asked[asked:] if question[0] == "panes"] == [
        ("panes", BEGIN + 600, None)
    ]


@pytest.mark.parametrize("seconds", [1_000, 8_000])
def test_memory_does_not_grow_with_the_stream(seconds: int) -> None:
    """However long the stream has been followed, only the shown windows are kept."""
    windows = Windows(1, lambda since, until, _: counted(since, until))
    for now in range(BEGIN, BEGIN + seconds, 100):
        hour = counted(max(BEGIN, now - 3600), now + 1)
        arrivals = hour.assign(run=RUN, course="c", second=hour["event_second"])
        shown = windows.refresh(arrivals, 10, max(BEGIN, now - 3600) - 100)
        assert len(shown) <= SHOWN
        assert len(windows._kept) <= SHOWN


def counted(since: int, until: int) -> pd.DataFrame:
    """One event in each of these seconds."""
    return pd.DataFrame({"event_second": range(since, until), "events": 1})


def test_window_that_is_not_whole() -> None:
    """A window that may have earlier arrivals than the known ones isn't shown, nor are older ones."""
    stream = PlainStream(ticks(100))
    windows = Windows(10, partial(stream.panes, RUN))
    arrivals = stream.arrivals(BEGIN + 25, None)
    found = windows.refresh(arrivals, 10, BEGIN + 25)
    assert found["start"].iloc[0] == BEGIN + 30
    assert set(found["events"]) == {10}
