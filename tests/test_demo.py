"""The races of `make demo`."""

import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from demo import RACES, Programme
from simulator.course.library import load_folder
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from tests.processes import ROOT, simulator

SEEDS = range(1, 9)
FASTEST_S, SLOWEST_S = 165, 245
"""Believable paces of a winner in seconds per kilometre, on a track or on a hilly half marathon."""


@pytest.mark.parametrize("request_body", RACES, ids=lambda body: str(body["course"]))
def test_believable_race(request_body: dict[str, Any]) -> None:
    """Each race is won at a believable pace, has names, and lasts some minutes."""
    course = load_folder(ROOT / "courses").courses[request_body["course"]]
    for seed in SEEDS:
        body = RaceRequest.model_validate(request_body)
        race = Race(course, body.resolved(run_id="demo", name="Demo", seed=seed, start_at=datetime.now(UTC)))
        winner = float(np.min(race.finish_times)) / course.distance * 1000
        assert FASTEST_S <= winner <= SLOWEST_S
        assert 200 <= race.duration / body.speed <= 420
        names = {entrant.name for entrant in race.entrants.some(0, body.competitors)}
        assert len(names) > 0.9 * body.competitors


def test_more_signals_leave_nothing_running() -> None:
    """Ctrl-C pressed again, or make and its programs ended at once: neither simulator nor dashboard stays."""
    with subprocess.Popen([sys.executable, "demo.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        said = "".join(takewhile(lambda line: "Ctrl-C" not in line, demo.stdout))
        for _ in range(200):
            demo.send_signal(signal.SIGTERM)
            time.sleep(0.0005)
        assert demo.wait(60) == 0

    addresses = re.findall(r"http://\S+", said)
    assert len(addresses) == 2
    for address in addresses:
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, trust_env=False)


def test_one_race_after_another(tmp_path: Path) -> None:
    """When a race has ended, the next one starts, on another course; until then, none does."""
    with simulator(tmp_path, "--sqlite", str(tmp_path / "races.db")) as api:
        programme = Programme(api.address)
        for number in range(1, 3):
            programme.follow()
            programme.follow()
            races = httpx.get(f"{api.address}/races", trust_env=False).json()["races"]
            assert len(races) == number
            (running,) = [race for race in races if race["status"] == "running"]
            assert running["course"] == RACES[number - 1]["course"]
            assert running["name"].endswith(f", race {number}")
            httpx.post(f"{api.address}/races/{running['run_id']}/cancel", trust_env=False).raise_for_status()
