"""A race from the API through Kafka into Pinot, compared with the core's results."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pinotdb
import pytest
import shapely

from pinot.local.stack import Stack
from simulator.course.library import load_folder
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, simulator
from tests.topics import read_topic

COMPETITORS = 200
INTERVAL = 10.0
REQUEST: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": COMPETITORS,
    "how_many_get_stopped": 0.3,
    "min_pause": 20,
    "max_pause": 60,
    "speed": 250,
    "interval": INTERVAL,
    "seed": 20260502,
    "name": "The 200 of Crystal Palace",
}
MIDDLE = 1000.0
"""Race time (s) at which competitors are before and in the geofence, and some have finished."""
QUERIES = ROOT / "pinot" / "queries"
pytestmark = pytest.mark.timeout(240)


class Run:
    """A finished race, and access to its events in Pinot.

    Attributes:
        race: the same race, computed by the core.
        ticks: number of positions of each competitor.
    """

    def __init__(self, stack: Stack, response: dict[str, Any]) -> None:
        self.stack = stack
        self.run_id: str = response["run_id"]
        resolved = {**REQUEST, "run_id": self.run_id, "start_at": response["start_at"]}
        request = RaceRequest.model_validate_json(json.dumps(resolved))
        course = load_folder(ROOT / "courses").courses["crystal-palace"]
        self.race = Race(course, request)
        self.ticks = np.ceil(self.race.finish_times / INTERVAL).astype(int) + 1

    def query(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query about this race, as dictionaries."""
        port = self.stack.ports.broker
        connection = pinotdb.connect(host="127.0.0.1", port=port, path="/query/sql", scheme="http")
        cursor = connection.cursor()
        cursor.execute(sql, {"runId": self.run_id, **parameters})
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def named_query(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of one of the queries in `pinot/queries`."""
        return self.query((QUERIES / f"{name}.sql").read_text(), **parameters)


@pytest.fixture(scope="module")
def run(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the race, and wait until Pinot has all its events."""
    folder = tmp_path_factory.mktemp("simulator")
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        response = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False)
        assert response.status_code == 201, response.text
        run = Run(stack, response.json())
        wait_for("the race's end", lambda: _unfinished(running.address, run), seconds=90, say=print)
        assert running.end() == 0
    wait_for("Pinot", lambda: _incomplete(run), seconds=60, say=print)
    return run


def _unfinished(address: str, run: Run) -> str | None:
    status = httpx.get(f"{address}/races/{run.run_id}", trust_env=False).json()["status"]
    return None if status == "finished" else f"the race is {status}"


def _incomplete(run: Run) -> str | None:
    sql = "SELECT count(*) AS found FROM {} WHERE runId = %(runId)s option(skipUpsert=true)"
    (positions,) = run.query(sql.format("parkrun"))
    (passings,) = run.query(sql.format("passings"))
    (finished,) = run.query(
        "SELECT count(*) AS found FROM races WHERE runId = %(runId)s AND status = 'finished'"
    )
    expected = COMPETITORS * len(run.race.course.timing_points)
    found = positions["found"], passings["found"], finished["found"]
    is_complete = found[0] >= run.ticks.sum() and found[1] >= expected and found[2] == 1
    return None if is_complete else f"it has {found}"


def test_newest_positions_are_at_the_finish(run: Run) -> None:
    """`parkrun` has one row per competitor, which is finished and has the core's finish time."""
    rows = run.query("SELECT * FROM parkrun WHERE runId = %(runId)s LIMIT 100000")
    finishes = {row["competitorId"]: row["elapsed"] for row in rows}

    assert len(rows) == COMPETITORS
    assert {row["status"] for row in rows} == {"finished"}
    assert {row["distance"] for row in rows} == {round(run.race.course.distance, 3)}
    assert finishes == dict(enumerate(np.round(run.race.finish_times, 3).tolist(), start=1))


def test_history_is_complete(run: Run) -> None:
    """With skipUpsert, `parkrun` has each tick of each competitor with the core's distance."""
    rows = run.query(
        "SELECT competitorId, rawTime, distance FROM parkrun WHERE runId = %(runId)s LIMIT 1000000 "
        "option(skipUpsert=true)"
    )
    found = {(row["competitorId"], row["rawTime"]): row["distance"] for row in rows}
    expected = {}
    for tick in range(run.race.last_tick + 1):
        distance = np.round(run.race.snapshot(tick * INTERVAL).distance, 3)
        for index in run.race.reporting(tick).tolist():
            expected[index + 1, int(tick * INTERVAL)] = float(distance[index])

    assert found == expected


def test_passings_are_complete(run: Run) -> None:
    """`passings` has each timing point of each competitor, with the core's time to the millisecond."""
    rows = run.query("SELECT * FROM passings WHERE runId = %(runId)s LIMIT 1000000")
    points = run.race.course.timing_points
    passings = run.race.passings(BEFORE_THE_START, run.race.duration)
    expected = {
        (index + 1, points[nth].kind, points[nth].name, points[nth].lap): round(elapsed, 3)
        for index, nth, elapsed, _ in zip(*(column.tolist() for column in passings), strict=True)
    }
    found = {(row["competitorId"], row["kind"], row["point"], row["lap"]): row["elapsed"] for row in rows}

    assert found == expected
    assert len(rows) == len(expected)


def test_start_list_is_complete(run: Run) -> None:
    """`competitors` has one row per competitor."""
    rows = run.query("SELECT competitorId FROM competitors WHERE runId = %(runId)s LIMIT 100000")

    assert sorted(row["competitorId"] for row in rows) == list(range(1, COMPETITORS + 1))


def test_kafka_has_no_duplicates(run: Run) -> None:
    """Without tracker faults each event is published once, and in order for each competitor."""
    messages = read_topic(run.stack.kafka, "parkrun", run.run_id)
    ids = Counter(message.event["eventId"] for message in messages)
    times: dict[int, list[int]] = {}
    for message in messages:
        times.setdefault(message.event["competitorId"], []).append(message.event["rawTime"])

    assert max(ids.values()) == 1
    assert len(ids) == run.ticks.sum()
    assert all(earlier < later for seen in times.values() for earlier, later in pairwise(seen))


def test_races_query(run: Run) -> None:
    """The query `races` returns races, newest first, with the course's long name and distance."""
    rows = run.named_query("races")
    (row,) = [row for row in rows if row["runId"] == run.run_id]

    assert row["name"] == REQUEST["name"]
    assert row["status"] == "finished"
    assert row["courseName"] == "Crystal Palace"
    assert row["courseDistance"] == pytest.approx(run.race.course.distance, abs=0.001)
    assert [row["startsAt"] for row in rows] == sorted((row["startsAt"] for row in rows), reverse=True)


def test_leaderboard_query(run: Run) -> None:
    """The query `leaderboard` returns the first 100 finishers in the core's order."""
    rows = run.named_query("leaderboard", courseDistance=run.race.course.distance)
    order = np.argsort(run.race.finish_times, kind="stable")[:100] + 1

    assert [row["competitorId"] for row in rows] == order.tolist()
    assert {round(row["toGo"], 2) for row in rows} == {0.0}


def test_geofence_query_during_a_race(stack: Stack, tmp_path: Path) -> None:
    """During a race, the query `in-geofence` returns the competitors in a geofence."""
    with simulator(tmp_path, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        response = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False)
        run = Run(stack, response.json())
        race = f"{running.address}/races/{run.run_id}"
        wait_for("the middle of the race", lambda: _too_early(race), seconds=60, say=print)
        httpx.post(f"{race}/pause", trust_env=False)
        wait_for("Pinot", lambda: _behind(race, run), seconds=60, say=print)
        time = httpx.get(race, trust_env=False).json()["race_time"]
    snapshot = run.race.snapshot(time)
    fences = shapely.MultiPolygon([fence.polygon for fence in run.race.course.fences])
    inside = shapely.contains_xy(fences, np.round(snapshot.lon, 7), np.round(snapshot.lat, 7))

    assert (
        sorted(row["competitorId"] for row in run.named_query("in-geofence"))
        == (np.flatnonzero(inside) + 1).tolist()
    )
    assert 0 < inside.sum() < COMPETITORS


def _too_early(race: str) -> str | None:
    time = httpx.get(race, trust_env=False).json()["race_time"]
    return None if time >= MIDDLE else f"it is at {time:g} s"


def _behind(race: str, run: Run) -> str | None:
    time = httpx.get(race, trust_env=False).json()["race_time"]
    (row,) = run.query(
        "SELECT count(*) AS found FROM parkrun WHERE runId = %(runId)s AND rawTime = %(time)s", time=int(time)
    )
    expected = len(run.race.reporting(round(time / INTERVAL)))
    return (
        None if row["found"] == expected else f"it has {row['found']} of {expected} positions at {time:g} s"
    )


def test_geofence_query_after_a_race(run: Run) -> None:
    """After the race, the query `in-geofence` has no rows: the finish is outside all geofences."""
    lon, lat = run.race.course.place(np.array([run.race.course.distance]))
    inside = any(shapely.contains_xy(fence.polygon, lon, lat).any() for fence in run.race.course.fences)

    assert not inside
    assert run.named_query("in-geofence") == []


def test_time_in_geofence_query(run: Run) -> None:
    """The query `time-in-geofence` returns the time between the first and last position in a geofence."""
    found = {row["competitorId"]: row["seconds"] for row in run.named_query("time-in-geofence")}
    fences = shapely.MultiPolygon([fence.polygon for fence in run.race.course.fences])
    inside: dict[int, list[float]] = {}
    for tick in range(run.race.last_tick + 1):
        snapshot = run.race.snapshot(tick * INTERVAL)
        within = shapely.contains_xy(fences, np.round(snapshot.lon, 7), np.round(snapshot.lat, 7))
        for index in np.intersect1d(np.flatnonzero(within), run.race.reporting(tick)).tolist():
            inside.setdefault(index + 1, []).append(tick * INTERVAL)

    assert found == {bib: max(times) - min(times) for bib, times in inside.items()}
    assert len(found) > COMPETITORS / 2
