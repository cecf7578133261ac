"""What the page makes of rows that lack something: nothing, and that breaks nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboard.store import rows
from dashboard.store.protocol import Race
from pinot.admin.configs import columns_of, read_schema

POSITION: dict[str, Any] = {
    "competitorId": 7,
    "lon": -0.06,
    "lat": 51.4,
    "distance": 100.0,
    "status": "running",
    "elapsed": 25.0,
    "emittedAt": 1_790_000_000_000,
}
PASSING: dict[str, Any] = {
    "competitorId": 7,
    "kind": "split",
    "point": "1 km",
    "lap": 1,
    "distance": 1000.0,
    "elapsed": 250.0,
    "timestamp": 1_790_000_250_000,
}
RACE = Race(
    "run", "A race", "park", "The park", 1_790_000_000_000, "running", 9, 1.0, 7, 1.0, 1_790_000_000_000
)


def lacking(table: str, row: dict[str, Any], name: str) -> tuple[Any, ...]:
    """The row with Pinot's default in one of its columns."""
    default = columns_of(read_schema(table))[name]["defaultNullValue"]
    return tuple((row | {name: default}).values())


@pytest.mark.parametrize("name", [name for name in rows.POSITION_COLUMNS if name != "emittedAt"])
def test_position_that_lacks_something(name: str) -> None:
    """A position that lacks something that is shown is left out; all others are there."""
    whole = tuple(POSITION.values())
    found = rows.positions([lacking("parkrun", POSITION, name), whole])
    assert found.competitor.tolist() == [7]
    assert found.distance.tolist() == [100.0]


def test_position_without_the_time_of_its_telling() -> None:
    """Of a position that doesn't say when it was told, everything else is shown."""
    found = rows.positions([lacking("parkrun", POSITION, "emittedAt"), (8, *tuple(POSITION.values())[1:])])
    assert found.competitor.tolist() == [7, 8]
    assert found.newest_emitted == POSITION["emittedAt"]


def test_position_with_the_defaults_of_older_tables() -> None:
    """A place that a table of an older version has as infinite is left out like others."""
    found = rows.positions([tuple((POSITION | {"lat": "-Infinity"}).values())])
    assert len(found) == 0


@pytest.mark.parametrize("name", [name for name in rows.PASSING_COLUMNS if name != "timestamp"])
def test_passing_that_lacks_something(name: str) -> None:
    """A passing that lacks something that is shown is left out; all others are there."""
    found = rows.passings([lacking("passings", PASSING, name), tuple(PASSING.values())])
    assert found.elapsed.tolist() == [250.0]


def test_competitor_without_a_bib() -> None:
    """Who has no bib is nobody."""
    assert list(rows.competitors([(0, "Ann", "W40", 1, ""), (7, "Bob", "M40", 1, "")])) == [7]


@pytest.mark.parametrize(
    "change",
    [
        {"run_id": ""},
        {"name": ""},
        {"course": ""},
        {"status": ""},
        {"start_time": 0},
        {"competitors": 0},
        {"speed": 0.0},
    ],
)
def test_race_that_lacks_something(change: dict[str, Any]) -> None:
    """A race that lacks something that is shown is not whole."""
    assert rows.is_whole(RACE)
    assert not rows.is_whole(replace(RACE, **change))
