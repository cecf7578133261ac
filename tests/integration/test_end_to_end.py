"""A race from the API through the real Kafka into the real Pinot, against what the core says."""

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
"""Race seconds at which some are in the geofence, some have not come to it, and some have finished."""
QUERIES = ROOT / "pinot" / "queries"
pytestmark = pytest.mark.timeout(240)


class Told:
    """A race that has run to its end, and where to ask for it.

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
        """Ask Pinot, and return its rows."""
        port = self.stack.ports.broker
        connection = pinotdb.connect(host="127.0.0.1", port=port, path="/query/sql", scheme="http")
        cursor = connection.cursor()
        cursor.execute(sql, {"runId": self.run_id, **parameters})
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def query(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Ask one of the project's queries."""
        return self.ask((QUERIES / f"{name}.sql").read_text(), **parameters)


@pytest.fixture(scope="module")
def told(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Run the race, and wait until Pinot has all of it."""
    folder = tmp_path_factory.mktemp("simulator")
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        answer = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False)
        assert answer.status_code == 201, answer.text
        told = Told(stack, answer.json())
        wait_for("the race's end", lambda: _unfinished(running.address, told), seconds=90, say=print)
        assert running.end() == 0
    wait_for("Pinot", lambda: _unseen(told), seconds=60, say=print)
    return told


def _unfinished(address: str, told: Told) -> str | None:
    status = httpx.get(f"{address}/races/{told.run_id}", trust_env=False).json()["status"]
    return None if status == "finished" else f"the race is {status}"


def _unseen(told: Told) -> str | None:
    sql = "SELECT count(*) AS found FROM {} WHERE runId = %(runId)s option(skipUpsert=true)"
    (positions,) = told.ask(sql.format("parkrun"))
    (passings,) = told.ask(sql.format("passings"))
    (finished,) = told.ask(
        "SELECT count(*) AS found FROM races WHERE runId = %(runId)s AND status = 'finished'"
    )
    expected = COMPETITORS * len(told.race.course.timing_points)
    seen = positions["found"], passings["found"], finished["found"]
    whole = seen[0] >= told.ticks.sum() and seen[1] >= expected and seen[2] == 1
    return None if whole else f"it has {seen}"


def test_the_newest_position_of_everybody_is_the_finish(told: Told) -> None:
    """`parkrun` has exactly one row a competitor, finished, with the core's finish time."""
    rows = told.ask("SELECT * FROM parkrun WHERE runId = %(runId)s LIMIT 100000")
    finishes = {row["competitorId"]: row["elapsed"] for row in rows}

    assert len(rows) == COMPETITORS
    assert {row["status"] for row in rows} == {"finished"}
    assert {row["distance"] for row in rows} == {round(told.race.course.distance, 3)}
    assert finishes == dict(enumerate(np.round(told.race.finish_times, 3).tolist(), start=1))


def test_every_tick_of_everybody_is_in_the_history(told: Told) -> None:
    """With skipUpsert every tick of every competitor is there, with the core's distance."""
    rows = told.ask(
        "SELECT competitorId, rawTime, distance FROM parkrun WHERE runId = %(runId)s LIMIT 1000000 "
        "option(skipUpsert=true)"
    )
    found = {(row["competitorId"], row["rawTime"]): row["distance"] for row in rows}
    expected = {}
    for tick in range(told.race.last_tick + 1):
        distance = np.round(told.race.snapshot(tick * INTERVAL).distance, 3)
        for who in told.race.reporting(tick).tolist():
            expected[who + 1, int(tick * INTERVAL)] = float(distance[who])

    assert found == expected


def test_passings_are_complete(told: Told) -> None:
    """`passings` has every timing point of every competitor, to the millisecond of the core."""
    rows = told.ask("SELECT * FROM passings WHERE runId = %(runId)s LIMIT 1000000")
    points = told.race.course.timing_points
    passings = told.race.passings(BEFORE_THE_START, told.race.duration)
    expected = {
        (who + 1, points[nth].kind, points[nth].name, points[nth].lap): round(elapsed, 3)
        for who, nth, elapsed, _ in zip(*(column.tolist() for column in passings), strict=True)
    }
    found = {(row["competitorId"], row["kind"], row["point"], row["lap"]): row["elapsed"] for row in rows}

    assert found == expected
    assert len(rows) == len(expected)


def test_the_start_list_is_complete(told: Told) -> None:
    """`competitors` has everybody once."""
    rows = told.ask("SELECT competitorId FROM competitors WHERE runId = %(runId)s LIMIT 100000")

    assert sorted(row["competitorId"] for row in rows) == list(range(1, COMPETITORS + 1))


def test_nothing_is_twice_in_kafka(told: Told) -> None:
    """An undisturbed race puts each event into the topic once, each competitor's in order."""
    reads = read_topic(told.stack.kafka, "parkrun", told.run_id)
    ids = Counter(read.event["eventId"] for read in reads)
    times: dict[int, list[int]] = {}
    for read in reads:
        times.setdefault(read.event["competitorId"], []).append(read.event["rawTime"])

    assert max(ids.values()) == 1
    assert len(ids) == told.ticks.sum()
    assert all(earlier < later for seen in times.values() for earlier, later in pairwise(seen))


def test_the_races_query_looks_the_course_up(told: Told) -> None:
    """The list of races has each race's course by its long name, and its distance, newest first."""
    rows = told.query("races")
    (row,) = [row for row in rows if row["runId"] == told.run_id]

    assert row["name"] == REQUEST["name"]
    assert row["status"] == "finished"
    assert row["courseName"] == "Crystal Palace"
    assert row["courseDistance"] == pytest.approx(told.race.course.distance, abs=0.001)
    assert [row["startsAt"] for row in rows] == sorted((row["startsAt"] for row in rows), reverse=True)


def test_the_leaderboard_query_has_the_cores_order(told: Told) -> None:
    """The leaderboard's first hundred are the core's."""
    rows = told.query("leaderboard", courseDistance=told.race.course.distance)
    order = np.argsort(told.race.finish_times, kind="stable")[:100] + 1

    assert [row["competitorId"] for row in rows] == order.tolist()
    assert {round(row["toGo"], 2) for row in rows} == {0.0}


def test_the_geofence_query_finds_who_is_in_it(stack: Stack, tmp_path: Path) -> None:
    """In the middle of a race those are in the geofence who are there by the core."""
    with simulator(tmp_path, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        answer = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False)
        told = Told(stack, answer.json())
        race = f"{running.address}/races/{told.run_id}"
        wait_for("the race's middle", lambda: _too_early(race), seconds=60, say=print)
        httpx.post(f"{race}/pause", trust_env=False)
        wait_for("Pinot", lambda: _behind(race, told), seconds=60, say=print)
        time = httpx.get(race, trust_env=False).json()["race_time"]
    snapshot = told.race.snapshot(time)
    fences = shapely.MultiPolygon([fence.polygon for fence in told.race.course.fences])
    inside = shapely.contains_xy(fences, np.round(snapshot.lon, 7), np.round(snapshot.lat, 7))

    assert (
        sorted(row["competitorId"] for row in told.query("in-geofence"))
        == (np.flatnonzero(inside) + 1).tolist()
    )
    assert 0 < inside.sum() < COMPETITORS


def _too_early(race: str) -> str | None:
    time = httpx.get(race, trust_env=False).json()["race_time"]
    return None if time >= MIDDLE else f"it is at {time:g} s"


def _behind(race: str, told: Told) -> str | None:
    time = httpx.get(race, trust_env=False).json()["race_time"]
    (row,) = told.ask(
        "SELECT count(*) AS found FROM parkrun WHERE runId = %(runId)s AND rawTime = %(time)s", time=int(time)
    )
    expected = len(told.race.reporting(round(time / INTERVAL)))
    return None if row["found"] == expected else f"of {time:g} s it has {row['found']} of {expected}"


def test_the_geofence_query_agrees_with_the_core(told: Told) -> None:
    """After the finish those are in a geofence whose finish lies in it: on this course nobody."""
    lon, lat = told.race.course.place(np.array([told.race.course.distance]))
    inside = any(shapely.contains_xy(fence.polygon, lon, lat).any() for fence in told.race.course.fences)

    assert not inside
    assert told.query("in-geofence") == []


def test_the_time_in_the_geofence_agrees_with_the_core(told: Told) -> None:
    """The time between a competitor's first and last fix in a geofence is the core's."""
    found = {row["competitorId"]: row["seconds"] for row in told.query("time-in-geofence")}
    fences = shapely.MultiPolygon([fence.polygon for fence in told.race.course.fences])
    inside: dict[int, list[float]] = {}
    for tick in range(told.race.last_tick + 1):
        snapshot = told.race.snapshot(tick * INTERVAL)
        within = shapely.contains_xy(fences, np.round(snapshot.lon, 7), np.round(snapshot.lat, 7))
        for who in np.intersect1d(np.flatnonzero(within), told.race.reporting(tick)).tolist():
            inside.setdefault(who + 1, []).append(tick * INTERVAL)

    assert found == {bib: max(times) - min(times) for bib, times in inside.items()}
    assert len(found) > COMPETITORS / 2
