"""Forecasts: the API and the dashboard make the same ones of the same moment of a race."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from dashboard.race.forecasts import Forecaster, RaceForecasts
from dashboard.race.snapshots import Snapshots
from dashboard.store.sql_store import SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.course.library import load_folder
from simulator.export import forecasts
from simulator.export.forecasts import route_of
from simulator.publishers.encode import encode
from simulator.race.events import CourseRecord, Streamed, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.contract import TABLES
from tests.dashboard.events import SqliteWriter

COURSES = load_folder(Path(__file__).parents[2] / "courses").courses
REAL: dict[str, Any] = {
    "competitors": 150,
    "entrants": "drawn",
    "pace_model": "parkrun",
    "how_many_get_stopped": 0.2,
    "dns": 0.03,
    "dnf": 0.1,
    "wave_size": 50,
    "wave_delay": 90.0,
    "start_flow": 3.0,
}
FAULTS: dict[str, Any] = {
    "lost": 0.2,
    "lost_for": 40.0,
    "late": 0.2,
    "late_for": 25.0,
    "duplicates": 0.05,
    "dead_battery": 0.1,
    "gps_error": 15.0,
}
MOMENTS = {"crystal-palace": (300, 900, 1600), "hilly-half": (300, 2500, 5000)}


@pytest.mark.parametrize("faults", [{}, FAULTS], ids=["plain", "faults"])
@pytest.mark.parametrize("course", ["crystal-palace", "hilly-half"])
def test_page_and_api_make_the_same_forecasts(course: str, faults: dict[str, Any], tmp_path: Path) -> None:
    """The same competitors, next points and times to a tenth of a second, as a race goes on."""
    start = datetime(2027, 5, 1, 9, tzinfo=UTC)
    request = RaceRequest(course=course, interval=5, **(REAL | faults))
    race = Race(COURSES[course], request.resolved(run_id="run", name="A race", seed=7, start_at=start))
    for moment in MOMENTS[course]:
        theirs = forecasts.of(race, float(moment))
        ours = _of_page(race, moment, tmp_path / f"{moment}.db")
        assert ours.time == moment
        assert ours.competitor.tolist() == race.entrants.bib[theirs.found.who].tolist()
        assert [(point.kind, point.name, point.lap) for point in ours.points] == [
            (point.kind, point.name, point.lap) for point in theirs.points
        ]
        assert ours.found.point.tolist() == theirs.found.point.tolist()
        for name in ("there", "gun", "chip"):
            difference = np.abs(getattr(ours.found, name) - getattr(theirs.found, name))
            assert difference.max() < 0.05, name


def test_page_knows_the_course_as_the_simulator_does(tmp_path: Path) -> None:
    """Timing points and profile of every shipped course follow from the table `courses`, laps included."""
    for name, course in COURSES.items():
        request = RaceRequest(course=name, competitors=3, interval=5)
        race = Race(course, request.resolved(run_id="run", name=name, seed=1, start_at=datetime.now(UTC)))
        ours = _of_page(race, 30, tmp_path / f"{name}.db")
        theirs = route_of(course)
        assert ours.basis is not None
        route = ours.basis[0]
        assert np.allclose(route.points, theirs.points, atol=0.001), name
        assert np.allclose(route.even(1.0)[-1], theirs.even(1.0)[-1], atol=0.05), name


def _of_page(race: Race, until: int, file: Path) -> RaceForecasts:
    """Return the forecasts of the dashboard when everything up to a moment has been written."""
    ticks = range(round(until / race.request.tick) + 1)
    writer = SqliteWriter(file)
    record = record_of(race, "running", race.start_ms, race.request.text())
    writer.write("races", _events([record]))
    writer.write("competitors", _events(entries_of(race, 5000)))
    writer.write("passings", _events(chain.from_iterable(passings_until(race, tick, 5000) for tick in ticks)))
    positions = _events(chain.from_iterable(positions_at(race, tick, 5000) for tick in ticks))
    # As the simulator's own file: a delayed position replaces none that is newer.
    writer.write("parkrun", sorted(positions, key=lambda event: int(event["rawTime"])))
    (row,) = CourseRecord(race.course).rows()
    writer.write("courses", [dict(zip(TABLES["courses"].columns, row, strict=True))])
    return Forecaster(Snapshots(SqlStore(SqliteFile(file)))).get("run")


def _events(batches: Iterable[Streamed]) -> list[dict[str, Any]]:
    return [orjson.loads(value) for batch in batches for value in encode(batch).values]
