"""A race from the API through Kafka into Pinot, compared with the core."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pinotdb
import pytest
import shapely

from simulator.course.library import load_folder
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, simulator
from tests.topics import read_topic

if TYPE_CHECKING:
    from pathlib import Path

    from pinot.local.stack import Stack

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
"""Race seconds at which some are in the geofence, some are before it, and some have finished."""
QUERIES = ROOT / "pinot" / "queries"
pytestmark = pytest.mark.timeout(240)


class Run:
    """A finished race, and access to its events in Pinot.

    Attributes:
        race: the same race, computed here.
    """

    def __init__(self, stack: Stack, answer: dict[str, Any]) -> None:
        self.stack = stack
        self.run_id: str = answer["run_id"]
        resolved = {**REQUEST, "run_id": self.run_id, "start_at": answer["start_at"]}
        request = RaceRequest.model_validate_json(json.dumps(resolved))
        course = load_folder(ROOT / "courses").courses["crystal-palace"]
        self.race = Race(course, request)
        self.ticks = np.ceil(self.race.finish_times / INTERVAL).astype(int) + 1

    def ask(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Query Pinot and return the rows."""
        port = self.stack.ports.broker
        connection = pinotdb.connect(host="127.0.0.1", port=port, path="/query/sql", scheme="http")
        cursor = connection.cursor()
        cursor.execute(sql, {"runId": self.run_id, **parameters})
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def query(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one of the project's queries."""
        return self.ask((QUERIES / f"{name}.sql").read_text(), **parameters)


@pytest.fixture(scope="module")
def run(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the race and wait until Pinot has all its events."""
    folder = tmp_path_factory.mktemp("simulator")
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        answer = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False)
        assert answer.status_code == 201, answer.text
        run = Run(stack, answer.json())
        wait_for("the race's end", lambda: _unfinished(running.address, run), seconds=90, say=print)
        assert running.end() == 0
    wait_for("Pinot", lambda: _unseen(run), seconds=60, say=print)
    return run


def _unfinished(address: str, run: Run) -> str | None:
    status = httpx.get(f"{address}/races/{run.run_id}", trust_env=False).json()["status"]
    return None if status == "finished" else f"the race is {status}"


def _unseen(run: Run) -> str | None:
    sql = "SELECT count(*) AS found FROM {} WHERE runId = %(runId)s option(skipUpsert=true)"
    (positions,) = run.ask(sql.format("parkrun"))
    (passings,) = run.ask(sql.format("passings"))
    (finished,) = run.ask(
        "SELECT count(*) AS found FROM races WHERE runId = %(runId)s AND status = 'finished'"
    )
    expected = COMPETITORS * len(run.race.course.timing_points)
    seen = positions["found"], passings["found"], finished["found"]
    whole = seen[0] >= run.ticks.sum() and seen[1] >= expected and seen[2] == 1
    return None if whole else f"it has {seen}"


def test_the_newest_positions_are_the_finish(run: Run) -> None:
    """`parkrun` has exactly one row per competitor, finished, with the core's finish time."""
    rows = run.ask("SELECT * FROM parkrun WHERE runId = %(runId)s LIMIT 100000")
    finishes = {row["competitorId"]: row["elapsed"] for row in rows}

    assert len(rows) == COMPETITORS
    assert {row["status"] for row in rows} == {"finished"}
    assert {row["distance"] for row in rows} == {round(run.race.course.distance, 3)}
    assert finishes == dict(enumerate(np.round(run.race.finish_times, 3).tolist(), start=1))


def test_every_tick_is_in_the_history(run: Run) -> None:
    """With skipUpsert every tick of every competitor is found, with the core's distance."""
    rows = run.ask(
        "SELECT competitorId, rawTime, distance FROM parkrun WHERE runId = %(runId)s LIMIT 1000000 "
        "option(skipUpsert=true)"
    )
    found = {(row["competitorId"], row["rawTime"]): row["distance"] for row in rows}
    expected = {}
    for tick in range(run.race.last_tick + 1):
        distance = np.round(run.race.snapshot(tick * INTERVAL).distance, 3)
        for who in run.race.reporting(tick).tolist():
            expected[who + 1, int(tick * INTERVAL)] = float(distance[who])

    assert found == expected


def test_passings_are_complete(run: Run) -> None:
    """`passings` has every timing point of every competitor, to the millisecond of the core."""
    rows = run.ask("SELECT * FROM passings WHERE runId = %(runId)s LIMIT 1000000")
    points = run.race.course.timing_points
    passings = run.race.passings(BEFORE_THE_START, run.race.duration)
    expected = {
        (who + 1, points[nth].kind, points[nth].name, points[nth].lap): round(elapsed, 3)
        for who, nth, elapsed, _ in zip(*(column.tolist() for column in passings), strict=True)
    }
    found = {(row["competitorId"], row["kind"], row["point"], row["lap"]): row["elapsed"] for row in rows}

    assert found == expected
    assert len(rows) == len(expected)


def test_the_start_list_is_complete(run: Run) -> None:
    """`competitors` has each competitor once."""
    rows = run.ask("SELECT competitorId FROM competitors WHERE runId = %(runId)s LIMIT 100000")

    assert sorted(row["competitorId"] for row in rows) == list(range(1, COMPETITORS + 1))


def test_nothing_is_twice_in_kafka(run: Run) -> None:
    """A race without faults publishes each event once, in order for each competitor."""
    reads = read_topic(run.stack.kafka, "parkrun", run.run_id)
    ids = Counter(read.event["eventId"] for read in reads)
    times: dict[int, list[int]] = {}
    for read in reads:
        times.setdefault(read.event["competitorId"], []).append(read.event["rawTime"])

    assert max(ids.values()) == 1
    assert len(ids) == run.ticks.sum()
    assert all(earlier < later for seen in times.values() for earlier, later in pairwise(seen))


def test_the_races_query_looks_the_course_up(run: Run) -> None:
    """The list of races, newest first, has each course's long name and distance."""
    rows = run.query("races")
    (row,) = [row for row in rows if row["runId"] == run.run_id]

    assert row["name"] == REQUEST["name"]
    assert row["status"] == "finished"
    assert row["courseName"] == "Crystal Palace"
    assert row["courseDistance"] == pytest.approx(run.race.course.distance, abs=0.001)
    assert [row["startsAt"] for row in rows] == sorted((row["startsAt"] for row in rows), reverse=True)


def test_the_leaderboard_query_has_the_cores_order(run: Run) -> None:
    """The leaderboard's first hundred are the core's."""
    rows = run.query("leaderboard", courseDistance=run.race.course.distance)
    order = np.argsort(run.race.finish_times, kind="stable")[:100] + 1

    assert [row["competitorId"] for row in rows] == order.tolist()
    assert {round(row["toGo"], 2) for row in rows} == {0.0}


def test_the_geofence_query_during_a_race(stack: Stack, tmp_path: Path) -> None:
    """During a race the query finds the competitors that the core has in the geofence."""
    with simulator(tmp_path, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        answer = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False)
        run = Run(stack, answer.json())
        race = f"{running.address}/races/{run.run_id}"
        wait_for("the race's middle", lambda: _too_early(race), seconds=60, say=print)
        httpx.post(f"{race}/pause", trust_env=False)
        wait_for("Pinot", lambda: _behind(race, run), seconds=60, say=print)
        time = httpx.get(race, trust_env=False).json()["race_time"]
    snapshot = run.race.snapshot(time)
    fences = shapely.MultiPolygon([fence.polygon for fence in run.race.course.fences])
    inside = shapely.contains_xy(fences, np.round(snapshot.lon, 7), np.round(snapshot.lat, 7))

    assert (
        sorted(row["competitorId"] for row in run.query("in-geofence"))
        == (np.flatnonzero(inside) + 1).tolist()
    )
    assert 0 < inside.sum() < COMPETITORS


def _too_early(race: str) -> str | None:
    time = httpx.get(race, trust_env=False).json()["race_time"]
    return None if time >= MIDDLE else f"it is at {time:g} s"


def _behind(race: str, run: Run) -> str | None:
    time = httpx.get(race, trust_env=False).json()["race_time"]
    (row,) = run.ask(
        "SELECT count(*) AS found FROM parkrun WHERE runId = %(runId)s AND rawTime = %(time)s", time=int(time)
    )
    expected = len(run.race.reporting(round(time / INTERVAL)))
    return None if row["found"] == expected else f"of {time:g} s it has {row['found']} of {expected}"


def test_the_geofence_query_agrees_with_the_core(run: Run) -> None:
    """After the finish no competitor is in a geofence, because the finish is outside of all."""
    lon, lat = run.race.course.place(np.array([run.race.course.distance]))
    inside = any(shapely.contains_xy(fence.polygon, lon, lat).any() for fence in run.race.course.fences)

    assert not inside
    assert run.query("in-geofence") == []


def test_the_time_in_the_geofence_agrees_with_the_core(run: Run) -> None:
    """The time between a competitor's first and last fix in a geofence is the core's."""
    found = {row["competitorId"]: row["seconds"] for row in run.query("time-in-geofence")}
    fences = shapely.MultiPolygon([fence.polygon for fence in run.race.course.fences])
    inside: dict[int, list[float]] = {}
    for tick in range(run.race.last_tick + 1):
        snapshot = run.race.snapshot(tick * INTERVAL)
        within = shapely.contains_xy(fences, np.round(snapshot.lon, 7), np.round(snapshot.lat, 7))
        for who in np.intersect1d(np.flatnonzero(within), run.race.reporting(tick)).tolist():
            inside.setdefault(who + 1, []).append(tick * INTERVAL)

    assert found == {bib: max(times) - min(times) for bib, times in inside.items()}
    assert len(found) > COMPETITORS / 2
