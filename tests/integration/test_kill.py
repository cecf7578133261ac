"""The simulator killed in the middle of a race and started again, several times over: nothing is missing.

RACECAST_KILLS says how often (default 4).
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import orjson
import pytest

from pinot.waiting import wait_for
from simulator.courses import load_folder
from simulator.encode import encode
from simulator.events import entries_of, passings_until, positions_at
from simulator.race import Race
from simulator.request import RaceRequest
from tests.processes import ROOT, simulator
from tests.topics import read_topic

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("RACECAST_KILLS", "4"))
REQUEST: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": 300,
    "how_many_get_stopped": 0.3,
    "speed": 120,
    "interval": 20,
    "seed": 20261124,
    "dnf": 0.05,
    "late": 0.1,
    "start_flow": 5,
}
pytestmark = pytest.mark.timeout(600)


class Told(NamedTuple):
    """What has come of a race that was killed.

    Attributes:
        race: the same race, undisturbed, computed here.
        status: where its own record says that it stands.
        events: what the place has of each topic, each event once.
        newest: each competitor's newest position.
    """

    race: Race
    status: str
    events: dict[str, list[dict[str, Any]]]
    newest: dict[int, dict[str, Any]]


def run_and_kill(folder: Path, *flags: str) -> Race:
    """Create a race, kill the simulator again and again, and wait for the race's end; return the race."""
    moments = random.Random(7)
    with simulator(folder, *flags) as running:
        answer = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False).json()
        resolved = {**REQUEST, "run_id": answer["run_id"], "start_at": answer["start_at"]}
        request = RaceRequest.model_validate_json(json.dumps(resolved))
        race = Race(load_folder(ROOT / "courses").courses["crystal-palace"], request)
        # A race that nobody has heard of can't go on.
        wait_for("the first tick", lambda: _until(running.address, race, 0), seconds=30, say=print)
        running.end(signal.SIGKILL)
    for _ in range(KILLS - 1):
        with simulator(folder, *flags) as running:
            time.sleep(moments.uniform(0.0, 3.0))
            running.end(signal.SIGKILL)
    with simulator(folder, *flags) as running:
        wait_for("the finish", lambda: _unfinished(running.address, race), seconds=180, say=print)
        assert running.end() == 0
    return race


def _until(address: str, race: Race, seconds: float) -> str | None:
    told = httpx.get(f"{address}/races/{race.run_id}", trust_env=False).json()["race_time"]
    return None if told >= seconds else f"the race is told until {told}"


def _unfinished(address: str, race: Race) -> str | None:
    answer = httpx.get(f"{address}/races/{race.run_id}", trust_env=False)
    status = answer.json().get("status")
    return None if status == "finished" else f"the race is {status}"


def in_sqlite(file: Path, race: Race) -> Told:
    """Read what the embedded store has."""
    with sqlite3.connect(file) as store:
        store.row_factory = sqlite3.Row

        def rows(table: str) -> list[dict[str, Any]]:
            found = store.execute(f"SELECT * FROM {table} WHERE runId = ?", (race.run_id,))
            return [dict(row) for row in found]

        (own,) = rows("races")
        tables = {"parkrun": "parkrun_history", "passings": "passings", "competitors": "competitors"}
        events = {topic: rows(table) for topic, table in tables.items()}
        return Told(race, own["status"], events, {row["competitorId"]: row for row in rows("parkrun")})


def in_kafka(bootstrap: str, race: Race) -> Told:
    """Read what the topics have, by the rules for readers."""
    events: dict[str, list[dict[str, Any]]] = {}
    newest: dict[int, dict[str, Any]] = {}
    for topic in ("parkrun", "passings", "competitors"):
        once: dict[Any, dict[str, Any]] = {}
        for read in read_topic(bootstrap, topic, race.run_id):
            event = read.event
            key = event.get("eventId") or (
                event["competitorId"],
                event.get("kind"),
                event.get("point"),
                event.get("lap"),
            )
            once[key] = event
            if topic == "parkrun":
                known = newest.get(event["competitorId"])
                if known is None or event["timestamp"] >= known["timestamp"]:
                    newest[event["competitorId"]] = event
        events[topic] = list(once.values())
    records = [read.event for read in read_topic(bootstrap, "races", race.run_id)]
    return Told(race, records[-1]["status"], events, newest)


@pytest.fixture(scope="module", params=["sqlite", "kafka"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Run the race on each place in turn."""
    folder = tmp_path_factory.mktemp("killed")
    if request.param == "sqlite":
        file = folder / "race.db"
        return in_sqlite(file, run_and_kill(folder, "--sqlite", str(file)))
    bootstrap = request.getfixturevalue("stack").kafka
    return in_kafka(bootstrap, run_and_kill(folder, "--publisher", "kafka", "--kafka", bootstrap))


def undisturbed(race: Race, topic: str) -> list[dict[str, Any]]:
    """Return a topic's events as an undisturbed race tells them."""
    ticks = range(race.last_tick + 1)
    batches = {
        "parkrun": chain.from_iterable(positions_at(race, tick, 5000) for tick in ticks),
        "passings": chain.from_iterable(passings_until(race, tick, 5000) for tick in ticks),
        "competitors": entries_of(race, 5000),
    }
    return [orjson.loads(value) for batch in batches[topic] for value in encode(batch).values]  # type: ignore[attr-defined]


def comparable(events: list[dict[str, Any]]) -> list[str]:
    """Return events as texts, in order, without the moment of handing over."""
    return sorted(json.dumps({**event, "emittedAt": 0}, sort_keys=True) for event in events)


@pytest.mark.parametrize("topic", ["parkrun", "passings", "competitors"])
def test_nothing_is_missing_and_nothing_is_made_up(told: Told, topic: str) -> None:
    """Every event of the undisturbed race is there, and no other."""
    assert comparable(told.events[topic]) == comparable(undisturbed(told.race, topic))


def test_the_final_table_is_that_of_an_undisturbed_race(told: Told) -> None:
    """Each competitor's newest position is its end, and the race has finished."""
    ends = told.race.snapshot(told.race.duration)
    expected = {who + 1: round(elapsed, 3) for who, elapsed in enumerate(ends.elapsed.tolist())}

    assert told.status == "finished"
    assert {bib: event["elapsed"] for bib, event in told.newest.items()} == expected
    assert {event["status"] for event in told.newest.values()} == {"finished", "dnf"}
