"""A new field, on a real Kafka and a real Pinot: added while events arrive and consumers query."""

from collections.abc import Callable, Iterator
from itertools import groupby
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest
from jsonschema_rs import Draft202012Validator

from dashboard.store.protocol import Positions
from pinot.admin.schemas import schema_of
from pinot.local.stack import Stack
from stream.contract import read_event
from tests.pinot.conftest import Row
from tests.pinot.tables import Copy
from tests.stream.new_field import HEART_RATE, with_heart_rate
from tests.topics import read_topic

BIBS = [1, 2, 3]


@pytest.fixture
def table(stack: Stack) -> Iterator[Copy]:
    """A copy of the table of positions."""
    table = Copy(stack, "parkrun")
    yield table
    table.drop()


@pytest.fixture
def added(tmp_path: Path) -> list[Row]:
    """The columns of the table's schema when the contract has one more field."""
    columns: list[Row] = schema_of(with_heart_rate(tmp_path, "parkrun")["parkrun"])["dimensionFieldSpecs"]
    return columns


class OldDashboard:
    """Queries all positions repeatedly, and collects errors and positions before the last known ones.

    Missing positions are no error: while Pinot 0.11 replaces a segment, its rows are missing for a moment.
    """

    def __init__(self, ask: Callable[[], Positions]) -> None:
        self._ask = ask
        self._ended = Event()
        self._thread = Thread(target=self._run)
        self.queries = 0
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        distance = dict.fromkeys(BIBS, 0.0)
        while not self._ended.is_set():
            try:
                found = self._ask()
            except Exception as error:  # noqa: BLE001 - any error is a failure
                self.wrong.append(repr(error))
                continue
            self.queries += 1
            now = dict(zip(found.competitor.tolist(), found.distance.tolist(), strict=True))
            if any(now[bib] < distance.get(bib, inf) for bib in now):
                self.wrong.append(f"{now} after {distance}")
            distance.update(now)


def newest(events: list[Row]) -> dict[int, float]:
    """Return each competitor's distance, as an old consumer computes it by the rules in docs/stream.md."""
    once = {event["eventId"]: event for event in events}.values()
    in_order = sorted(once, key=lambda event: (event["competitorId"], event["timestamp"]))
    groups = groupby(in_order, key=lambda event: int(event["competitorId"]))
    return {bib: float(list(group)[-1]["distance"]) for bib, group in groups}


def test_a_field_is_added_while_events_arrive(
    table: Copy, added: list[Row], run: str, position: Callable[..., Row], stack: Stack
) -> None:
    """Old rows have the new field's default, new ones their values, and old consumers see no difference.

    Events that arrived with the field before the table had it have the default too.
    """
    old = [position(bib, second) for second in range(4) for bib in BIBS]
    early = [position(1, 4, heartRate=140)]
    table.send(table.name, old + early)
    table.wait_for_rows(13)
    table.schema["dimensionFieldSpecs"] = added
    with OldDashboard(lambda: table.store.positions(run)) as dashboard:
        table.set_up()
    late = [position(1, 5, heartRate=150), position(2, 5), position(3, 5, heartRate=None)]
    table.send(table.name, late)
    table.wait_for_rows(16)
    rows = [(1, second, 0) for second in range(5)] + [(1, 5, 150)]
    rows += [(bib, second, 0) for bib in (2, 3) for second in (0, 1, 2, 3, 5)]

    everything = (
        f"select competitorId, rawTime, heartRate from {table.name} where runId = '{run}' "
        "order by competitorId, rawTime limit 100"
    )
    assert table.ask(f"{everything} option(skipUpsert=true)") == [list(row) for row in rows]
    # Pinot counts a row before it replaces the older one.
    table.wait_until(everything, [[1, 5, 150], [2, 5, 0], [3, 5, 0]])
    assert dashboard.wrong == []
    assert dashboard.queries > 0
    consumed = newest([read.event for read in read_topic(stack.kafka, table.name, run)])
    seen = table.store.positions(run)
    assert consumed == dict(zip(seen.competitor.tolist(), seen.distance.tolist(), strict=True))


def test_a_second_set_up_changes_nothing(table: Copy, added: list[Row]) -> None:
    """A table that already has the new field keeps its consuming segments."""
    table.schema["dimensionFieldSpecs"] = added
    table.set_up()
    consuming = set(table.counter.cluster.consumers(table.name))
    table.set_up()

    assert set(table.counter.cluster.consumers(table.name)) == consuming


def test_old_and_new_events_are_valid_for_both_schemas(position: Callable[..., Row]) -> None:
    """Old events are valid for the schema with the new field, and new events for the old schema."""
    before = read_event("parkrun")
    after: dict[str, Any] = before | {"properties": before["properties"] | {"heartRate": HEART_RATE}}
    for schema in (before, after):
        for event in (position(1, 1), position(1, 1, heartRate=150)):
            assert Draft202012Validator(schema).is_valid(event)


def test_defaults_that_pinot_does_not_change_are_kept(
    table: Copy, added: list[Row], run: str, position: Callable[..., Row]
) -> None:
    """A default that Pinot cannot change stays, which the set-up reports; new columns are still added."""
    distance, _ = table.schema["metricFieldSpecs"]
    distance["defaultNullValue"] = -7
    table.schema["dimensionFieldSpecs"] = added
    said: list[str] = []
    table.set_up(said.append)
    lacking = {name: value for name, value in position(1, 1).items() if name != "distance"}
    table.send(table.name, [lacking])

    table.wait_until(f"select distance, heartRate from {table.name} where runId = '{run}'", [[-1, 0]])
    kept, *rest = said
    assert kept.startswith(f"table {table.name}: existing columns keep their defaults")
    assert "python -m pinot reset" in kept
    assert rest == [f"table {table.name}: changed"]
