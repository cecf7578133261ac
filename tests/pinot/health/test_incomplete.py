"""Incomplete events, on a real Kafka and a real Pinot: they do not stop the ingestion, and are counted."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import orjson
import pytest

from pinot.admin.cluster import Cluster
from pinot.health.incomplete import TRIES, RowCounter, defects
from pinot.local.stack import Stack
from stream.contract import TABLES, TOPICS, read_event
from stream.pinot import PinotError
from stream.waiting import wait_for
from tests.pinot.conftest import Pinot, Row
from tests.pinot.tables import Copy
from tests.processes import ROOT

IN_GEOFENCE = ROOT / "pinot" / "queries" / "in-geofence.sql"
WITHOUT = read_event("parkrun")["required"]
"""Fields of a position that are left out in turn, or null."""
NO_ROW: dict[str, dict[str, Any]] = {
    "a text for a number": {"distance": "far"},
    "a text for the time": {"timestamp": "soon"},
    "a text for a key": {"competitorId": "seven"},
    "a list for a number": {"lat": [51.4, 51.5]},
    "a boolean for a number": {"distance": True},
    "a time before 1970": {"timestamp": -5},
}
"""Changes to an event after which Pinot makes no row of it."""
NO_EVENTS = (b"not json", b"", None, b"[1, 2]", b"5", b"null", b'{"runId": "\xff"}', b'{"runId": "cut')
IMPOSSIBLE = {"lat": 1234.5, "status": "flying", "timestamp": 10**18, "emittedAt": 1_700_000_000}
"""Values of the right type that are not possible; the last is in seconds."""


@pytest.fixture
def table(stack: Stack) -> Iterator[Callable[[str], Copy]]:
    """Makes copies of tables."""
    made: list[Copy] = []

    def make(table: str) -> Copy:
        made.append(Copy(stack, table))
        return made[-1]

    yield make
    for copy in made:
        copy.drop()


def lacking(event: Row, name: str) -> Row:
    """Return the event without one of its fields."""
    return {other: value for other, value in event.items() if other != name}


@pytest.mark.stack
def test_no_event_stops_the_ingestion(
    table: Callable[[str], Copy], run: str, position: Callable[..., Row]
) -> None:
    """Whatever is in the topic, later complete events are ingested; others are counted and not shown."""
    parkrun = table("parkrun")
    bibs = iter(range(1, 1000))
    values: list[bytes | None] = []
    good: list[int] = []

    def add(value: bytes | None) -> None:
        """Add a message, and a complete event behind it."""
        good.append(next(bibs))
        values.extend((value, orjson.dumps(position(good[-1], 9))))

    for name in WITHOUT:
        add(orjson.dumps(lacking(position(next(bibs), 5), name)))
        add(orjson.dumps(position(next(bibs), 5) | {name: None}))
    for name, value in IMPOSSIBLE.items():
        add(orjson.dumps(position(next(bibs), 5) | {name: value}))
    for wrong in NO_ROW.values():
        add(orjson.dumps(position(next(bibs), 5) | wrong))
    for nothing in NO_EVENTS:
        add(nothing)
    unknown = next(bibs)
    add(orjson.dumps(position(unknown, 5, heartRate=150, seen={"by": ["two", "cameras"]})))
    parkrun.put(*values)

    incomplete, rowless = 2 * len(WITHOUT) + len(IMPOSSIBLE), len(NO_ROW) + len(NO_EVENTS)
    whole = sorted([*good, unknown])
    parkrun.wait_for_rows(len(whole) + incomplete)
    for _ in range(2):
        assert parkrun.counter.rows(parkrun.name, TABLES["parkrun"].incomplete) == incomplete
        assert parkrun.counter.rowless(parkrun.name) == rowless
        seen = set(parkrun.store.positions(run).competitor.tolist())
        assert set(whole) <= seen
        assert not {1, 3} & seen  # those without a run id
        parkrun.renew()


@pytest.mark.stack
@pytest.mark.parametrize("name", ["lat", "lon"])
def test_a_position_without_coordinates_is_nowhere(
    table: Callable[[str], Copy], run: str, position: Callable[..., Row], name: str
) -> None:
    """A position without a coordinate breaks no geospatial query: it is in no geofence and far away."""
    parkrun = table("parkrun")
    parkrun.send(parkrun.name, [position(1, 9, lat=51.4185, lon=-0.0645), lacking(position(2, 9), name)])
    parkrun.wait_for_rows(2)
    away = "ST_Distance(location, toSphericalGeography(stPoint(-0.0645, 51.4185)))"
    in_fence = IN_GEOFENCE.read_text().replace("FROM parkrun", f"FROM {parkrun.name}")

    assert [row[0] for row in parkrun.ask(in_fence % {"runId": f"'{run}'"})] == [1]
    far = parkrun.ask(f"select competitorId from {parkrun.name} where {away} > 1000000")
    assert far == [[2]]


@pytest.mark.stack
def test_a_position_without_a_time_is_never_the_newest(
    table: Callable[[str], Copy], run: str, position: Callable[..., Row]
) -> None:
    """A position without `timestamp` replaces no other, however late it arrives."""
    parkrun = table("parkrun")
    parkrun.send(parkrun.name, [position(1, 9), lacking(position(1, 10), "timestamp")])
    parkrun.wait_for_rows(2)

    assert parkrun.ask(f"select rawTime from {parkrun.name} where runId = '{run}'") == [[9]]


@pytest.mark.stack
@pytest.mark.parametrize("topic", ["passings", "competitors", "races"])
def test_incomplete_rows_are_counted_and_not_shown(
    table: Callable[[str], Copy], run: str, topic: str
) -> None:
    """In the other tables too, rows without a required field are counted, and the page shows the others."""
    copy = table(topic)
    (example, *_) = read_event(topic)["examples"]
    required = read_event(topic)["required"]
    whole = example | {"runId": run}
    events = [whole]
    for nth, name in enumerate(required):
        # Each has its own key: a race its id, the others the bib.
        own = {"competitorId": nth + 2} if "competitorId" in TABLES[topic].key else {"runId": f"{run}-{nth}"}
        events.append(lacking(whole | own, name))
    copy.put(*map(orjson.dumps, events))
    copy.wait_for_rows(len(events))

    assert copy.counter.rows(copy.name, TABLES[topic].incomplete) == len(required)
    assert copy.counter.rowless(copy.name) == 0
    if topic == "passings":
        # A passing without its time still has all that the page shows.
        missing_time = required.index("timestamp") + 2
        shown = {bib for some in copy.store.passings(run) for bib in some.competitor.tolist()}
        assert shown == {whole["competitorId"], missing_time}
    if topic == "competitors":
        names = {bib: who.name for bib, who in copy.store.competitors(run).items()}
        assert names[whole["competitorId"]] == whole["name"]
        assert 0 not in names
    if topic == "races":
        shown = {race.run_id for race in copy.store.races()}
        assert shown & {run, *(f"{run}-{nth}" for nth in range(len(required)))} == {run}
        assert copy.store.race(f"{run}-{required.index('status')}") is None


@pytest.mark.stack
def test_defects_of_all_tables(stack: Stack, pinot: Pinot, run: str) -> None:
    """Every table is counted; for compacted topics the messages without a row are unknown."""
    count = partial(defects, broker=stack.broker, controller=stack.controller)
    before = count()
    (example, *_) = read_event("passings")["examples"]
    pinot.send("passings", [lacking(example | {"runId": run}, "kind")])
    pinot.send_raw("passings", [b"not json"])

    def trouble() -> str | None:
        now, was = count()["passings"], before["passings"]
        more = now.incomplete > was.incomplete and (now.rowless or 0) > (was.rowless or 0)
        return None if more else f"{now} after {was}"

    wait_for("the defects", trouble, seconds=60, say=print)
    assert list(before) == list(TOPICS)
    assert {table: type(found.rowless) for table, found in before.items()} == {
        "parkrun": int,
        "passings": int,
        "races": type(None),
        "competitors": type(None),
    }


@pytest.mark.stack
def test_a_missing_table(stack: Stack) -> None:
    """For a table that Pinot does not have, its own message is passed on."""
    with pytest.raises(PinotError, match=r"count the rows of nowhere: .*TableDoesNotExist"):
        RowCounter(stack.broker, cast("Cluster", None)).rows("nowhere")


class Filling:
    """A cluster with a full segment of a hundred messages, and a consuming one after it."""

    def __init__(self, *, by: int, behind: int = 0) -> None:
        self._offset = 100
        self._by, self._behind = by, behind
        self.asked = 0

    def contents(self, _: str) -> dict[str, Any]:
        """As in `Cluster`."""
        full = {"startOffset": "0", "endOffset": "100", "totalDocs": 97}
        return {"full": full, "now": {"startOffset": None, "endOffset": None, "totalDocs": 0}}

    def consumers(self, _: str) -> dict[str, Any]:
        """As in `Cluster`; with each call more messages are consumed, and one server may be behind."""
        self.asked += 1
        self._offset += self._by
        servers = [{"partitionToOffsetMap": {"0": str(self._offset - less)}} for less in (0, self._behind)]
        return {"now": servers}

    def segment(self, _: str, __: str) -> dict[str, str]:
        """As in `Cluster`."""
        return {"segment.realtime.status": "IN_PROGRESS", "segment.realtime.startOffset": "100"}


@pytest.mark.parametrize(
    ("filling", "asked", "expected"),
    [
        (Filling(by=0), 2, 3),
        (Filling(by=1), TRIES + 1, None),
        (Filling(by=0, behind=1), TRIES + 1, None),
    ],
)
def test_a_table_is_counted_when_it_is_idle(
    filling: Filling, asked: int, expected: int | None, answering: Callable[[int, bytes], str]
) -> None:
    """Messages without a row are counted once the table is idle; after some tries they are unknown."""
    broker = answering(200, b'{"exceptions": [], "resultTable": {"rows": [[97]]}}')

    assert RowCounter(broker, cast("Cluster", filling)).rowless("parkrun") == expected
    assert filling.asked == asked
