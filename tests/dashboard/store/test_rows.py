"""Rows with missing values are left out, and break nothing."""

from typing import Any

import pytest

from dashboard.store import rows
from stream.contract import TABLES

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
RACE: dict[str, Any] = {
    "runId": "run",
    "name": "A race",
    "course": "park",
    "startTime": 1_790_000_000_000,
    "status": "running",
    "competitors": 9,
    "speed": 1.0,
    "seed": 7,
    "updatedAt": 1_790_000_000_000,
    "request": "{}",
    "cutOffs": "",
    "cutOffsFrom": "",
}


def lacking(table: str, row: dict[str, Any], name: str) -> tuple[Any, ...]:
    """The row with Pinot's default in one of its columns."""
    return tuple((row | {name: TABLES[table].fields[name].missing}).values())


@pytest.mark.parametrize("name", [name for name in rows.POSITION_COLUMNS if name != "emittedAt"])
def test_position_that_lacks_something(name: str) -> None:
    """A position that lacks something that is shown is left out; all others are there."""
    whole = tuple(POSITION.values())
    found = rows.positions([lacking("parkrun", POSITION, name), whole])
    assert found.competitor.tolist() == [7]
    assert found.distance.tolist() == [100.0]


def test_position_without_the_time_of_its_emission() -> None:
    """A position without the time of its emission is shown all the same."""
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
    assert [(some.point, some.elapsed.tolist()) for some in found if len(some)] == [("1 km", [250.0])]


def test_competitor_without_a_bib() -> None:
    """A competitor without a bib is left out."""
    assert list(rows.competitors([(0, "Ann", "W40", 1, "", "F"), (7, "Bob", "M40", 1, "", "M")])) == [7]


@pytest.mark.parametrize("name", [name for name in rows.RACE_COLUMNS if not name.startswith("cutOffs")])
def test_race_that_lacks_something(name: str) -> None:
    """A race that lacks something is left out; all others are there."""
    whole = tuple(RACE.values())
    found = rows.races([(*lacking("races", RACE, name), None), (*whole, "The park")])
    assert [race.course_name for race in found] == ["The park"]


@pytest.mark.parametrize("text", ["[", "7", '{"name": 1}', '[{"name": "5 km"}]', '[{"limit": "x"}]', "[7]"])
def test_race_with_unreadable_cut_offs(text: str) -> None:
    """Cut-offs that can't be read are left out, and the race is shown."""
    (found,) = rows.races([(*(RACE | {"cutOffs": text}).values(), None)])
    assert found.cut_offs is None
