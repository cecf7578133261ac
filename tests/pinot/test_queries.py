"""The queries in pinot/queries run on a real Pinot and match the events."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pinotdb import connect

from tests.pinot.conftest import Pinot, Row

pytestmark = pytest.mark.stack

QUERIES = Path(__file__).parents[2] / "pinot" / "queries"
START = 1_700_000_000_000
# Inside and outside the geofence of Crystal Palace.
IN_FENCE = {"lat": 51.4175, "lon": -0.0665}
OUTSIDE = {"lat": 51.4230, "lon": -0.0657}
COURSE_DISTANCE = 4966.4


def through_pinotdb(pinot: Pinot, name: str, **parameters: Any) -> list[list[Any]]:
    """Run a named query as the dashboard does."""
    connection = connect(host="127.0.0.1", port=pinot.stack.ports.broker, path="/query/sql", scheme="http")
    cursor = connection.cursor()
    cursor.execute((QUERIES / f"{name}.sql").read_text(), parameters)
    return [list(row) for row in cursor]


def directly(pinot: Pinot, name: str, **parameters: Any) -> list[list[Any]]:
    """Run a named query by posting it to the broker with its parameters filled in."""
    quoted = {key: f"'{value}'" if isinstance(value, str) else value for key, value in parameters.items()}
    return pinot.ask((QUERIES / f"{name}.sql").read_text() % quoted)


@pytest.fixture(params=[through_pinotdb, directly])
def query(request: pytest.FixtureRequest, pinot: Pinot) -> Callable[..., list[list[Any]]]:
    """Runs a query by name."""

    def ask(name: str, **parameters: Any) -> list[list[Any]]:
        answer: list[list[Any]] = request.param(pinot, name, **parameters)
        return answer

    return ask


@pytest.fixture
def race(pinot: Pinot, run: str, position: Callable[..., Row]) -> str:
    """A race of three over 30 s: 1 leads, 2 ends in the geofence, 3 has not moved."""
    record = {
        "runId": run,
        "name": "Parkrun",
        "course": "crystal-palace",
        "startTime": START,
        "status": "running",
        "competitors": 3,
        "speed": 1.0,
        "seed": 1,
        "updatedAt": START,
        "request": "{}",
    }
    positions = []
    for second in range(31):
        first = IN_FENCE if 5 <= second <= 17 else OUTSIDE
        other = IN_FENCE if second >= 20 else OUTSIDE
        positions += [position(1, second, **first), position(2, second, **other, distance=second * 2.0)]
        positions += [position(3, second, **OUTSIDE, distance=0.0)]
    pinot.send("races", [record])
    pinot.send("parkrun", positions)
    pinot.wait_until(f"select count(*) from races where runId = '{run}'", [[1]])
    count = f"select count(*) from parkrun where runId = '{run}' option(skipUpsert=true)"
    pinot.wait_until(count, [[3 * 31]])
    return run


def test_races_come_with_their_courses(query: Callable[..., list[list[Any]]], race: str) -> None:
    """races.sql joins each race with its course's name and length."""
    (found,) = [row for row in query("races") if row[0] == race]
    assert found[1:5] == ["Parkrun", "running", "2023-11-14 22:13:20", "Crystal Palace"]
    assert found[5] == pytest.approx(COURSE_DISTANCE, abs=0.1)


def test_leaderboard(query: Callable[..., list[list[Any]]], race: str) -> None:
    """leaderboard.sql orders by distance and leaves out competitors who have not moved."""
    rows = query("leaderboard", runId=race, courseDistance=5000.0)
    assert rows == [
        [1, 120.0, 4880.0, "04:10", "00:00:30"],
        [2, 60.0, 4940.0, "08:20", "00:00:30"],
    ]


def test_who_is_in_the_geofence(query: Callable[..., list[list[Any]]], race: str) -> None:
    """in-geofence.sql finds the competitors currently in it, not those who have left it."""
    rows = query("in-geofence", runId=race)
    assert rows == [[2, 60.0, IN_FENCE["lon"], IN_FENCE["lat"]]]


def test_time_in_the_geofence(query: Callable[..., list[list[Any]]], race: str) -> None:
    """time-in-geofence.sql counts seconds over all positions of all competitors who were in it."""
    assert query("time-in-geofence", runId=race) == [[1, 12.0], [2, 10.0]]


def test_a_course_that_is_not_there_has_no_fences(
    query: Callable[..., list[list[Any]]], pinot: Pinot, race: str, position: Callable[..., Row]
) -> None:
    """A race on a course missing from `courses` has nothing in a geofence and affects no other race."""
    elsewhere = f"{race}-elsewhere"
    unknown = [position(1, second, **IN_FENCE, runId=elsewhere, course="nowhere") for second in range(5)]
    pinot.send("parkrun", unknown)
    count = f"select count(*) from parkrun where runId = '{elsewhere}' option(skipUpsert=true)"
    pinot.wait_until(count, [[5]])

    assert query("in-geofence", runId=elsewhere) == []
    assert query("time-in-geofence", runId=elsewhere) == []
    assert len(query("time-in-geofence", runId=race)) == 2


def test_every_query_says_what_it_answers() -> None:
    """Each file starts with a question in a comment."""
    for path in QUERIES.glob("*.sql"):
        comment = [line for line in path.read_text().splitlines() if line.startswith("--")]
        assert "?" in " ".join(comment), path.name
