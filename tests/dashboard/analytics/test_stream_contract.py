"""The contract of every stream, tested on SQLite and on a real Pinot by counting the events plainly."""

import time
import uuid
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from dashboard.analytics.stream import MAX_ROWS, Stream
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import StoreError
from dashboard.store.sqlite_file import SqliteFile
from stream.waiting import wait_for
from tests.dashboard.events import Event, KafkaWriter, SqliteWriter, position
from tests.dashboard.plain_stream import PlainStream

VISIBLE_WITHIN_S = 60.0
RACE_S = 130


class Case(NamedTuple):
    """A stream, what was written into it, and the wall second of the first event."""

    stream: Stream
    plain: PlainStream
    runs: tuple[str, str]
    begin: int

    def only_ours(self, found: pd.DataFrame) -> list[tuple[object, ...]]:
        """The rows about our races, in order."""
        ours = found[found["run"].isin(self.runs)] if "run" in found else found
        rows: list[tuple[object, ...]] = sorted(ours.itertuples(index=False, name=None))
        return rows


@pytest.fixture(scope="module", params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Two races, in each of the two stores in turn; their events were emitted in the last minutes."""
    runs = (f"test_{uuid.uuid4().hex[:12]}", f"test_{uuid.uuid4().hex[:12]}")
    begin = int(time.time()) - 300
    events = [event for n, run in enumerate(runs) for event in _race(run, begin + n)]
    stream: Stream
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("stream") / "races.db"
        SqliteWriter(path).write("parkrun", events)
        stream = Stream(SqliteFile(path))
    else:
        stack = request.getfixturevalue("stack")
        # The topic and Pinot have repeated events twice, the embedded store has them once.
        events += [event for event in events if event["competitorId"] == 2]
        KafkaWriter(stack.kafka).write("parkrun", [*_lacking_a_field(events[0]), *events])
        stream = Stream(Broker(stack.broker))
    made = Case(stream, PlainStream(events), runs, begin)
    wait_for("the stream", lambda: _lacking(made), seconds=VISIBLE_WITHIN_S, say=print)
    return made


def _lacking(case: Case) -> str | None:
    arrivals = case.stream.arrivals(case.begin, None)
    came = int(arrivals.loc[arrivals["run"].isin(case.runs), "events"].sum())
    return None if came == len(case.plain.events) else f"it shows {came} of {len(case.plain.events)} events"


def _race(run: str, begin: int) -> list[Event]:
    """Three run, each at a pace and with a clock of its own; one is late now and then, one finishes."""
    return [
        position(
            run,
            bib,
            rawTime=second,
            timestamp=1000 * (begin + second) + 700 * bib,
            distance=round(second * (2.5 + bib / 3), 3),
            elapsed=float(second),
            emittedAt=1000 * (begin + second + (20 if bib == 3 and second % 7 == 0 else 0)) + 5 * bib,
            course=f"course-{run[-4:]}",
            status="finished" if bib == 1 and second == RACE_S - 1 else "running",
        )
        for second in range(RACE_S)
        for bib in (1, 2, 3)
    ]


def _lacking_a_field(event: Event) -> list[Event]:
    """An event without one of the fields, each in turn, of which Pinot makes rows; the key's aside."""
    fields = event.keys() - {"runId", "competitorId", "eventId", "lat", "lon"}
    return [{name: value for name, value in event.items() if name != field} for field in sorted(fields)]


def test_arrivals(case: Case) -> None:
    """Arrivals are counted by race, second and event second, from one second up to another."""
    for since, until in ((case.begin + 17, case.begin + 93), (case.begin, None)):
        found = case.only_ours(case.stream.arrivals(since, until))
        assert found == case.only_ours(case.plain.arrivals(since, until))
        assert found


def test_paces(case: Case) -> None:
    """Paces are counted by race and step, of running competitors beyond the minimum distance."""
    since = case.begin - case.begin % 10
    found = case.only_ours(case.stream.paces(since, since + 100))
    expected = case.only_ours(case.plain.paces(since, since + 100))
    assert [row[:-1] for row in found] == [row[:-1] for row in expected]
    assert [row[-1] for row in found] == pytest.approx([row[-1] for row in expected])
    assert found


def test_seen(case: Case) -> None:
    """Each competitor with events is there once, with events, distance and finish."""
    for since, until in ((case.begin + 20, case.begin + 80), (case.begin + 80, case.begin + 200)):
        found = case.only_ours(case.stream.seen(since, until))
        assert found == case.only_ours(case.plain.seen(since, until))
        assert len(found) == 6


def test_panes_count_each_event_once(case: Case) -> None:
    """A race's events are counted by event second, each once, however often and late it arrived."""
    run = case.runs[0]
    since = case.begin + 10
    found = case.only_ours(case.stream.panes(run, since, since + 60, case.begin))
    assert found == case.only_ours(case.plain.panes(run, since, since + 60, case.begin))
    assert sum(int(str(row[1])) for row in found) == 3 * 60


def test_panes_of_late_arrivals(case: Case) -> None:
    """Events from before the given second are ignored."""
    run, lately = case.runs[1], case.begin + 100
    found = case.only_ours(case.stream.panes(run, case.begin, case.begin + 200, lately))
    assert found == case.only_ours(case.plain.panes(run, case.begin, case.begin + 200, lately))
    assert found


@pytest.mark.parametrize("bib", [None, 3])
def test_newest(case: Case, bib: int | None) -> None:
    """The newest events come newest first, of one race, of one bib of it."""
    found = case.stream.newest(40, case.begin, run_id=case.runs[0], bib=bib, course=None)
    expected = case.plain.newest(40, case.begin, run_id=case.runs[0], bib=bib, course=None)
    pd.testing.assert_frame_equal(found, expected)
    assert len(found) == 40


@pytest.mark.parametrize("bib", [None, 2])
def test_newest_of_a_course(case: Case, bib: int | None) -> None:
    """The newest events of one course are those of its races, however the course is spelt."""
    course = f"course-{case.runs[1][-4:]}"
    found = case.stream.newest(40, case.begin, run_id=None, bib=bib, course=course)
    expected = case.plain.newest(40, case.begin, run_id=None, bib=bib, course=course)
    pd.testing.assert_frame_equal(found, expected)
    assert set(found["run"]) == {case.runs[1]}
    for other in ("", "x' OR '1'='1", "%(run)s"):
        assert case.stream.newest(40, case.begin, run_id=None, bib=bib, course=other).empty


def test_newest_of_all(case: Case) -> None:
    """Without a race the newest events of all are there, and none older than asked for."""
    since = case.begin + RACE_S - 5
    found = case.stream.newest(MAX_ROWS, since, run_id=None, bib=None, course=None)
    assert (found["emitted_at"] >= 1000 * since).all()
    assert case.only_ours(found) == case.only_ours(
        case.plain.newest(MAX_ROWS, since, run_id=None, bib=None, course=None)
    )


def test_race_that_cannot_be(case: Case) -> None:
    """An impossible race has no events, however it is spelt."""
    for run in ("", "*", "x' OR '1'='1", "a b", "x" * 65):
        assert case.stream.panes(run, 0, 2_000_000_000, 0).empty
        assert case.stream.newest(10, 0, run_id=run, bib=None, course=None).empty


def test_unavailable_broker() -> None:
    """An unavailable broker is a `StoreError`."""
    with pytest.raises(StoreError, match="does not respond"):
        Stream(Broker("http://127.0.0.1:9")).arrivals(0, None)


def test_no_file_yet(tmp_path: Path) -> None:
    """A missing file is a stream without events, with all its columns."""
    stream = Stream(SqliteFile(tmp_path / "none.db"))
    plain = PlainStream()
    assert stream.arrivals(0, None).dtypes.equals(plain.arrivals(0, None).dtypes)
    everything: dict[str, None] = {"run_id": None, "bib": None, "course": None}
    assert stream.newest(10, 0, **everything).dtypes.equals(plain.newest(10, 0, **everything).dtypes)
