"""A field that is new, on a real Kafka and a real Pinot: added while events come and others read."""

from __future__ import annotations

from itertools import groupby
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import pytest
from jsonschema_rs import Draft202012Validator

from pinot.admin.schemas import schema_of
from stream.contract import read_event
from tests.pinot.tables import Copy
from tests.stream.new_field import HEART_RATE, with_heart_rate
from tests.topics import read_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dashboard.store.protocol import Positions
    from pinot.local.stack import Stack
    from tests.pinot.conftest import Row

BIBS = [1, 2, 3]


@pytest.fixture
def table(stack: Stack) -> Iterator[Copy]:
    """A copy of the table of positions."""
    table = Copy(stack, "parkrun")
    yield table
    table.drop()


@pytest.fixture
def added(tmp_path: Path) -> list[Row]:
    """The columns of the table's schema when the contract has one field more."""
    columns: list[Row] = schema_of(with_heart_rate(tmp_path, "parkrun")["parkrun"])["dimensionFieldSpecs"]
    return columns


class OldDashboard:
    """Asks for everybody's position, again and again, and notes what is wrong with the answers."""

    def __init__(self, ask: Callable[[], Positions]) -> None:
        self._ask = ask
        self._ended = Event()
        self._thread = Thread(target=self._look)
        self.looks = 0
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        distance = dict.fromkeys(BIBS, 0.0)
        while not self._ended.is_set():
            try:
                found = self._ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what this is for
                self.wrong.append(repr(error))
                continue
            self.looks += 1
            now = dict(zip(found.competitor.tolist(), found.distance.tolist(), strict=True))
            if sorted(now) != BIBS or any(now[bib] < distance[bib] for bib in BIBS):
                self.wrong.append(f"{now} after {distance}")
            distance.update(now)


def newest(events: list[Row]) -> dict[int, float]:
    """How far everybody has come, as an old consumer works it out by the README's rules."""
    once = {event["eventId"]: event for event in events}.values()
    in_order = sorted(once, key=lambda event: (event["competitorId"], event["timestamp"]))
    groups = groupby(in_order, key=lambda event: int(event["competitorId"]))
    return {bib: float(list(group)[-1]["distance"]) for bib, group in groups}


def test_a_field_is_added_while_events_come(
    table: Copy, added: list[Row], run: str, position: Callable[..., Row], stack: Stack
) -> None:
    """Old rows have the new field's default, new ones their values, and old consumers see no difference.

    What came with the field before the table had it has the default too.
    """
    old = [position(bib, second) for second in range(4) for bib in BIBS]
    early = [position(1, 4, heartRate=140)]
    table.send(table.name, old + early)
    table.wait_for_rows(13)
    table.schema["dimensionFieldSpecs"] = added
    with OldDashboard(lambda: table.store.positions(run)) as dashboard:
        table.set_up()
    # Not before that: in Pinot 0.11 any row may be away for a moment when a newer one takes its place.
    late = [position(1, 5, heartRate=150), position(2, 5), position(3, 5, heartRate=None)]
    table.send(table.name, late)
    table.wait_for_rows(16)
    told = [(1, second, 0) for second in range(5)] + [(1, 5, 150)]
    told += [(bib, second, 0) for bib in (2, 3) for second in (0, 1, 2, 3, 5)]

    everything = (
        f"select competitorId, rawTime, heartRate from {table.name} where runId = '{run}' "
        "order by competitorId, rawTime limit 100"
    )
    assert table.ask(f"{everything} option(skipUpsert=true)") == [list(row) for row in told]
    assert table.ask(everything) == [[1, 5, 150], [2, 5, 0], [3, 5, 0]]
    assert dashboard.wrong == []
    assert dashboard.looks > 0
    consumed = newest([read.event for read in read_topic(stack.kafka, table.name, run)])
    seen = table.store.positions(run)
    assert consumed == dict(zip(seen.competitor.tolist(), seen.distance.tolist(), strict=True))


def test_a_second_time_changes_nothing(table: Copy, added: list[Row]) -> None:
    """A table that has the new field already is left alone: what it is filled into goes on."""
    table.schema["dimensionFieldSpecs"] = added
    table.set_up()
    filled = set(table.look.cluster.consumers(table.name))
    table.set_up()

    assert set(table.look.cluster.consumers(table.name)) == filled


def test_old_and_new_events_keep_to_both_schemas(position: Callable[..., Row]) -> None:
    """With the field added, the schema holds for old events; and the old one for those that have it."""
    before = read_event("parkrun")
    after: dict[str, Any] = before | {"properties": before["properties"] | {"heartRate": HEART_RATE}}
    for schema in (before, after):
        for event in (position(1, 1), position(1, 1, heartRate=150)):
            assert Draft202012Validator(schema).is_valid(event)


def test_defaults_that_pinot_does_not_change_are_kept(
    table: Copy, added: list[Row], run: str, position: Callable[..., Row]
) -> None:
    """A default that Pinot won't change stays, which is told; new columns are added all the same."""
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
