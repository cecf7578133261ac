"""Races with tracker faults, from the API through Kafka into Pinot: the rules for consumers hold.

The rules are in docs/stream.md: deduplicate by `eventId`; a competitor's newest event has the highest
`timestamp`; compare competitors by `elapsed`, never by their trackers' clocks.
"""

import json
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import httpx
import numpy as np
import pinotdb
import pytest

from pinot.local.stack import Stack
from simulator.course.library import load_folder
from simulator.race.race import Race, Status
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, simulator
from tests.topics import TopicMessage, read_topic

PLAIN: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": 60,
    "speed": 300,
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
        race: the same race, computed by the core.
        messages: its messages in the topic, in order within each partition.
    """

    race: Race
    messages: list[TopicMessage]


@pytest.fixture(scope="module")
def runs(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Run a race for each fault, all at the same time, and wait until Pinot has their events."""
    course = load_folder(ROOT / "courses").courses["crystal-palace"]
    races = {}
    folder = tmp_path_factory.mktemp("simulator")
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        for name, fault in FAULTS.items():
            body = {**PLAIN, **fault}
            response = httpx.post(f"{running.address}/races", json=body, trust_env=False)
            assert response.status_code == 201, response.text
            resolved = {"run_id": response.json()["run_id"], "start_at": response.json()["start_at"]}
            races[name] = Race(course, RaceRequest.model_validate_json(json.dumps({**body, **resolved})))

        def unfinished() -> str | None:
            found = httpx.get(f"{running.address}/races", trust_env=False).json()["races"]
            # The simulator also recovers the races of earlier tests.
            own = {race.run_id for race in races.values()}
            left = [one for one in found if one["run_id"] in own and one["status"] != "finished"]
            return f"{len(left)} races are under way" if left else None

        wait_for("the races' end", unfinished, seconds=240, say=print)
        assert running.end() == 0
    messages = {name: read_topic(stack.kafka, "parkrun", race.run_id) for name, race in races.items()}

    def incomplete() -> str | None:
        missing = [name for name in races if count(stack, races[name]) < len(messages[name])]
        return f"events are missing of: {', '.join(missing)}" if missing else None

    wait_for("Pinot", incomplete, seconds=60, say=print)
    return {name: Run(races[name], messages[name]) for name in races}


def query(stack: Stack, sql: str, race: Race) -> list[tuple[Any, ...]]:
    """Return the rows of a query about a race."""
    connection = pinotdb.connect(host="127.0.0.1", port=stack.ports.broker, path="/query/sql", scheme="http")
    cursor = connection.cursor()
    cursor.execute(sql, {"runId": race.run_id})
    return [tuple(row) for row in cursor.fetchall()]


def count(stack: Stack, race: Race) -> int:
    """Return the number of a race's events in Pinot."""
    sql = "SELECT count(*) FROM parkrun WHERE runId = %(runId)s option(skipUpsert=true)"
    return int(query(stack, sql, race)[0][0])


def true_order(race: Race) -> list[int]:
    """Return the bibs of the finishers by place."""
    finished = np.flatnonzero(race.snapshot(race.duration).status == Status.FINISHED)
    order = np.argsort(race.finish_times[finished], kind="stable")
    return [int(index) + 1 for index in finished[order]]


def newest_of(events: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return each competitor's newest event, by the rules for consumers."""
    newest: dict[int, dict[str, Any]] = {}
    for event in events:
        bib = event["competitorId"]
        if bib not in newest or event["timestamp"] > newest[bib]["timestamp"]:
            newest[bib] = event
    return newest


@pytest.mark.parametrize("fault", FAULTS)
def test_topic_gives_the_finish_order(runs: dict[str, Run], fault: str) -> None:
    """By the rules, the topic gives the correct finish order and each competitor's final status and time."""
    race, messages = runs[fault]
    newest = newest_of([message.event for message in messages])
    finished = [event for event in newest.values() if event["status"] == "finished"]
    ends = race.snapshot(race.duration)

    assert [
        event["competitorId"] for event in sorted(finished, key=lambda one: one["elapsed"])
    ] == true_order(race)
    assert {bib: event["status"] for bib, event in newest.items()} == {
        index + 1: Status(code).name.lower() for index, code in enumerate(ends.status.tolist())
    }
    assert {bib: event["elapsed"] for bib, event in newest.items()} == {
        index + 1: seconds for index, seconds in enumerate(np.round(ends.elapsed, 3).tolist())
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_upsert_table_gives_the_finish_order(runs: dict[str, Run], stack: Stack, fault: str) -> None:
    """Pinot's `parkrun` gives the correct finish order and numbers of competitors by final status."""
    race = runs[fault].race
    order = (
        "SELECT competitorId FROM parkrun WHERE runId = %(runId)s AND status = 'finished' "
        "ORDER BY elapsed LIMIT 1000"
    )
    counts = "SELECT status, count(*) FROM parkrun WHERE runId = %(runId)s GROUP BY status"

    assert [bib for (bib,) in query(stack, order, race)] == true_order(race)
    assert dict(query(stack, counts, race)) == {"finished": 45, "dnf": 6, "dns": 3, "dsq": 6}


@pytest.mark.parametrize("fault", FAULTS)
def test_events_by_timestamp_are_consistent(runs: dict[str, Run], fault: str) -> None:
    """In deduplicated events sorted by timestamp, distances never decrease and intervals are correct."""
    race, messages = runs[fault]
    events = {message.event["eventId"]: message.event for message in messages}
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


def test_faults_are_visible_in_the_topic(runs: dict[str, Run]) -> None:
    """Each fault is visible in the topic, so that a consumer without the rules would be wrong."""
    total = len({message.event["eventId"] for message in runs["frozen"].messages})

    def counts(fault: str) -> dict[str, int]:
        newest: dict[int, int] = {}
        out_of_order = 0
        for message in runs[fault].messages:
            bib, time = message.event["competitorId"], message.event["rawTime"]
            out_of_order += time < newest.get(bib, -1)
            newest[bib] = max(time, newest.get(bib, -1))
        ids = Counter(message.event["eventId"] for message in runs[fault].messages)
        return {
            "out of order": out_of_order,
            "duplicates": sum(one > 1 for one in ids.values()),
            "events": len(ids),
        }

    assert counts("late")["out of order"] > 1000
    assert counts("late")["events"] == total
    assert counts("duplicates")["duplicates"] == pytest.approx(0.3 * total, rel=0.1)
    assert counts("lost")["events"] == pytest.approx(0.7 * total, rel=0.1)
    assert counts("dead_battery")["events"] < 0.9 * total
    # In order of arrival, the last event of many competitors is not their final one.
    last = {
        message.event["competitorId"]: message.event["status"] for message in runs["all of them"].messages
    }
    assert sum(status in {"running", "paused", "waiting"} for status in last.values()) > 3
    # By the trackers' clocks, the finish order is wrong.
    newest = newest_of([message.event for message in runs["clock_skew"].messages])
    finished = [event for event in newest.values() if event["status"] == "finished"]
    by_clock = [event["competitorId"] for event in sorted(finished, key=lambda one: one["timestamp"])]
    assert by_clock != true_order(runs["clock_skew"].race)
