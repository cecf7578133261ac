"""Races with tracker faults, from the API through Kafka and Pinot: the rules for consumers hold.

The rules are in the README: deduplicate by `eventId`; a competitor's newest event has the highest
`timestamp`; compare competitors by `elapsed`, never by their trackers' clocks.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import numpy as np
import pinotdb
import pytest

from simulator.course.library import load_folder
from simulator.race.race import Race, Status
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, simulator
from tests.topics import Read, read_topic

if TYPE_CHECKING:
    from pinot.local.stack import Stack

PLAIN: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": 60,
    "speed": 150,
    "interval": 10,
    "seed": 42,
    "dnf": 0.1,
    "dns": 0.05,
    "disqualified": 0.1,
    "wave_size": 20,
    "start_flow": 2,
}
FAULTS: dict[str, dict[str, Any]] = {
    "lost": {"lost": 0.3},
    "frozen": {"frozen": 0.3},
    "late": {"late": 0.5, "late_for": 100},
    "duplicates": {"duplicates": 0.3},
    "clock_skew": {"clock_skew": 300},
    "dead_battery": {"dead_battery": 0.5},
    "gps_error": {"gps_error": 30, "gps_noise": 10},
}
FAULTS["all of them"] = {name: value for fault in FAULTS.values() for name, value in fault.items()}
pytestmark = pytest.mark.timeout(400)


class Run(NamedTuple):
    """A finished race.

    Attributes:
        race: the same race, computed here.
        reads: its messages in the topic, in order within each partition.
    """

    race: Race
    reads: list[Read]


@pytest.fixture(scope="module")
def runs(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Run a race for each fault, all concurrently, and wait until Pinot has their events."""
    course = load_folder(ROOT / "courses").courses["crystal-palace"]
    races = {}
    folder = tmp_path_factory.mktemp("simulator")
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        for name, fault in FAULTS.items():
            body = {**PLAIN, **fault}
            answer = httpx.post(f"{running.address}/races", json=body, trust_env=False)
            assert answer.status_code == 201, answer.text
            known = {"run_id": answer.json()["run_id"], "start_at": answer.json()["start_at"]}
            races[name] = Race(course, RaceRequest.model_validate_json(json.dumps({**body, **known})))

        def unfinished() -> str | None:
            found = httpx.get(f"{running.address}/races", trust_env=False).json()["races"]
            # The simulator also continues the races of earlier tests.
            own = {race.run_id for race in races.values()}
            left = [one for one in found if one["run_id"] in own and one["status"] != "finished"]
            return f"{len(left)} races are under way" if left else None

        wait_for("the races' end", unfinished, seconds=240, say=print)
        assert running.end() == 0
    reads = {name: read_topic(stack.kafka, "parkrun", race.run_id) for name, race in races.items()}

    def unseen() -> str | None:
        lacking = [name for name in races if count(stack, races[name]) < len(reads[name])]
        return f"it has not all of: {', '.join(lacking)}" if lacking else None

    wait_for("Pinot", unseen, seconds=60, say=print)
    return {name: Run(races[name], reads[name]) for name in races}


def ask(stack: Stack, sql: str, race: Race) -> list[tuple[Any, ...]]:
    """Query Pinot about a race."""
    connection = pinotdb.connect(host="127.0.0.1", port=stack.ports.broker, path="/query/sql", scheme="http")
    cursor = connection.cursor()
    cursor.execute(sql, {"runId": race.run_id})
    return [tuple(row) for row in cursor.fetchall()]


def count(stack: Stack, race: Race) -> int:
    """Return the number of a race's events in Pinot."""
    sql = "SELECT count(*) FROM parkrun WHERE runId = %(runId)s option(skipUpsert=true)"
    return int(ask(stack, sql, race)[0][0])


def true_order(race: Race) -> list[int]:
    """Return the bibs of the finishers by place."""
    finished = np.flatnonzero(race.snapshot(race.duration).status == Status.FINISHED)
    order = np.argsort(race.finish_times[finished], kind="stable")
    return [int(who) + 1 for who in finished[order]]


def newest_of(events: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return each competitor's newest event, by the rules."""
    newest: dict[int, dict[str, Any]] = {}
    for event in events:
        bib = event["competitorId"]
        if bib not in newest or event["timestamp"] > newest[bib]["timestamp"]:
            newest[bib] = event
    return newest


@pytest.mark.parametrize("fault", FAULTS)
def test_a_reader_of_the_topic_finds_the_finish_order(runs: dict[str, Run], fault: str) -> None:
    """Kafka's events give the correct order and each competitor's correct final status."""
    race, reads = runs[fault]
    newest = newest_of([read.event for read in reads])
    finished = [event for event in newest.values() if event["status"] == "finished"]
    ends = race.snapshot(race.duration)

    assert [
        event["competitorId"] for event in sorted(finished, key=lambda one: one["elapsed"])
    ] == true_order(race)
    assert {bib: event["status"] for bib, event in newest.items()} == {
        who + 1: Status(code).name.lower() for who, code in enumerate(ends.status.tolist())
    }
    assert {bib: event["elapsed"] for bib, event in newest.items()} == {
        who + 1: seconds for who, seconds in enumerate(np.round(ends.elapsed, 3).tolist())
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_the_upsert_table_has_the_finish_order(runs: dict[str, Run], stack: Stack, fault: str) -> None:
    """Pinot's `parkrun` gives the correct order by time and the correct final statuses."""
    race = runs[fault].race
    order = (
        "SELECT competitorId FROM parkrun WHERE runId = %(runId)s AND status = 'finished' "
        "ORDER BY elapsed LIMIT 1000"
    )
    counts = "SELECT status, count(*) FROM parkrun WHERE runId = %(runId)s GROUP BY status"

    assert [bib for (bib,) in ask(stack, order, race)] == true_order(race)
    assert dict(ask(stack, counts, race)) == {"finished": 45, "dnf": 6, "dns": 3, "dsq": 6}


@pytest.mark.parametrize("fault", FAULTS)
def test_events_in_the_order_of_timestamps_are_a_race(runs: dict[str, Run], fault: str) -> None:
    """Deduplicated and by timestamp, distances never decrease, and intervals are correct."""
    race, reads = runs[fault]
    events = {read.event["eventId"]: read.event for read in reads}
    of_each: dict[int, list[dict[str, Any]]] = {}
    for event in sorted(events.values(), key=lambda one: one["timestamp"]):
        of_each.setdefault(event["competitorId"], []).append(event)

    assert len(of_each) == race.request.competitors
    for own in of_each.values():
        for before, after in pairwise(own):
            assert before["distance"] <= after["distance"]
            assert before["rawTime"] < after["rawTime"]
            passed = (after["rawTime"] - before["rawTime"]) * 1000
            assert after["timestamp"] - before["timestamp"] == passed


def test_the_faults_are_there(runs: dict[str, Run]) -> None:
    """Each race's fault is visible in its topic: without the rules a consumer would be wrong."""
    whole = len({read.event["eventId"] for read in runs["frozen"].reads})

    def arrivals_of(fault: str) -> dict[str, Any]:
        newest: dict[int, int] = {}
        back = 0
        for read in runs[fault].reads:
            bib, time = read.event["competitorId"], read.event["rawTime"]
            back += time < newest.get(bib, -1)
            newest[bib] = max(time, newest.get(bib, -1))
        ids = Counter(read.event["eventId"] for read in runs[fault].reads)
        return {"back": back, "twice": sum(one > 1 for one in ids.values()), "events": len(ids)}

    assert arrivals_of("late")["back"] > 1000
    assert arrivals_of("late")["events"] == whole
    assert arrivals_of("duplicates")["twice"] == pytest.approx(0.3 * whole, rel=0.1)
    assert arrivals_of("lost")["events"] == pytest.approx(0.7 * whole, rel=0.1)
    assert arrivals_of("dead_battery")["events"] < 0.9 * whole
    # In order of arrival, the last event of many competitors is not their final one.
    last = {read.event["competitorId"]: read.event["status"] for read in runs["all of them"].reads}
    assert sum(status in {"running", "paused", "waiting"} for status in last.values()) > 3
    # By the trackers' clocks the finish order would be wrong.
    newest = newest_of([read.event for read in runs["clock_skew"].reads])
    finished = [event for event in newest.values() if event["status"] == "finished"]
    by_clock = [event["competitorId"] for event in sorted(finished, key=lambda one: one["timestamp"])]
    assert by_clock != true_order(runs["clock_skew"].race)
