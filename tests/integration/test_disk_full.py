"""The embedded store out of room in mid race: a clear error, and it goes on when there is room again."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pinot.waiting import wait_for
from simulator.courses import load_folder
from simulator.race import Race
from simulator.request import RaceRequest
from tests.integration.test_kill import comparable, in_sqlite, undisturbed
from tests.processes import ROOT, Running, simulator

if TYPE_CHECKING:
    from pathlib import Path

REQUEST: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": 300,
    "speed": 200,
    "interval": 20,
    "seed": 5,
}
NO_ROOM = 200_000
"""Bytes that a file may have: more than the store has at first, less than the race needs."""
pytestmark = pytest.mark.timeout(120)


def limit_files(running: Running, limit: int) -> None:
    """Limit the size of every file that the process writes, as a full disk does."""
    _, most = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (limit, most))


def readiness(address: str) -> tuple[int, list[str]]:
    """Return the status of `/readyz`, and its reasons."""
    answer = httpx.get(f"{address}/readyz", trust_env=False)
    return answer.status_code, answer.json()["reasons"]


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """While there is no room `/readyz` says so and the process lives; then every tick is there, late."""
    file = tmp_path / "race.db"
    with simulator(tmp_path, "--sqlite", str(file)) as running:
        limit_files(running, NO_ROOM)
        answer = httpx.post(f"{running.address}/races", json=REQUEST, trust_env=False).json()
        resolved = {**REQUEST, "run_id": answer["run_id"], "start_at": answer["start_at"]}
        course = load_folder(ROOT / "courses").courses["crystal-palace"]
        race = Race(course, RaceRequest.model_validate_json(json.dumps(resolved)))

        def full() -> str | None:
            status, _ = readiness(running.address)
            return None if status == 503 else f"/readyz answers {status}"

        wait_for("the full disk", full, seconds=30, say=print)
        _, reasons = readiness(running.address)
        limit_files(running, resource.RLIM_INFINITY)

        def unfinished() -> str | None:
            found = httpx.get(f"{running.address}/races/{race.run_id}", trust_env=False).json()["status"]
            return None if found == "finished" else f"the race is {found}"

        wait_for("the finish", unfinished, seconds=60, say=print)
        ready, _ = readiness(running.address)
        assert running.end() == 0
    told = in_sqlite(file, race)

    assert reasons[0].startswith("the embedded store race.db takes no writes: ")
    assert ready == 200
    for topic in ("parkrun", "passings", "competitors"):
        assert comparable(told.events[topic]) == comparable(undisturbed(race, topic))
    assert "Traceback" not in running.log.read_text()
