"""Crowding: whether the model gives the published flows and densities, and what it costs.

Run as `python -m benchmarks.crowding COURSE COMPETITORS`, with the course `narrow` or `city-10k`, to
measure one race; prints one line of JSON.
"""

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from simulator.commands.settings import EPOCH
from simulator.course.course import Course, Width
from simulator.course.library import load_folder
from simulator.race.crowding import density
from simulator.race.race import Race
from simulator.race.request import RaceRequest

METRES = 111_229.0
"""Metres of a degree of latitude at 50 degrees."""
CORRAL = 100.0
"""Length of the start corral, metres."""
CORRAL_WIDTH = 8.0
WALKS = 870.0, 1190.0
"""Seconds per kilometre in a corral: flow over density at the ends of the published ranges."""
RUNNERS = 3000
MARATHON = 42_195.0
RACES = (("city-10k", 10_000), ("narrow", 10_000), ("narrow", 50_000), ("narrow", 100_000))
USUAL = {"pace_model": "parkrun", "start_width": 6.0, "wave_size": 1000, "wave_delay": 180.0, "corrals": True}
"""The race on city-10k of docs/races.md."""
MOMENTS = 15
TIMES = 5
"""How often each moment is computed; the fastest counts, for others use the machine too."""


class Published(NamedTuple):
    """A start as Peckover et al. (2022) published it: ranges of density and flow."""

    name: str
    density: tuple[float, float]
    flow: tuple[float, float]
    waves: dict[str, Any]


STARTS = (
    Published("without controls: all at one gun", (1.48, 3.01), (102.0, 152.0), {}),
    Published(
        "with controls: waves of 400, a minute apart",
        (0.52, 1.20),
        (36.0, 59.0),
        {"wave_size": 400, "wave_delay": 60.0},
    ),
)


def straight(metres: float, *widths: tuple[float, float]) -> Course:
    """Return a straight course with widths, each from a place on."""
    return Course.measured(
        short_name="straight",
        long_name="Straight",
        lon=np.zeros(2),
        lat=50.0 + np.array([0.0, metres / METRES]),
        widths=[Width(*width) for width in widths],
    )


def race(course: Course, **fields: Any) -> Race:
    """Return a race on a course."""
    request = RaceRequest(course=course.short_name, interval=10.0, **fields)
    return Race(course, request.resolved(run_id="bench", name="Bench", seed=1, start_at=EPOCH))


def starts() -> Iterator[tuple[Published, float, float]]:
    """Yield each published start with the median density and flow of its corral's middle.

    The medians are those of the minutes in which at least half as many as in the fullest are in the middle.
    """
    course = straight(CORRAL, (0.0, CORRAL_WIDTH))
    for start in STARTS:
        walk = {"fastest": WALKS[0], "slowest": WALKS[1]}
        made = race(course, competitors=RUNNERS, crowding="flow", **walk, **start.waves)
        found = density.measured(made.without_crowding(), made.field, made.cells)
        middle = int(np.searchsorted(found.last, CORRAL / 2))
        busy = found.runners[middle] > found.runners[middle].max() / 2
        yield start, float(np.median(found.density[middle, busy])), float(np.median(found.flow[middle, busy]))


def discharge() -> float:
    """Return the flow of a bottleneck with a queue in front of it, as a share of its capacity."""
    made = race(
        straight(600.0, (0.0, 4.0), (400.0, 1.0), (500.0, 4.0)),
        competitors=3000,
        crowding="flow",
        fastest=200.0,
        slowest=500.0,
    )
    crossed = np.sort(made.field.elapsed(np.arange(3000), np.full(3000, 400.0)))[300:2700]
    return float(60.0 * (len(crossed) - 1) / (crossed[-1] - crossed[0])) / made.request.specific_flow


def measure(on: str, competitors: int) -> dict[str, float]:
    """Measure a race with crowding; the keys end with their units.

    Args:
        on: `city-10k` for a usual race, or `narrow` for a marathon that is narrow all along, so that everyone
            is held up in nearly every cell. Its width is that through which a hundred thousand start in 80
            minutes.
        competitors: how many there are.
    """
    width = 10.0 * competitors / 100_000
    course = straight(MARATHON, (0.0, width))
    fields: dict[str, Any] = {"competitors": competitors, "pace_model": "marathon", "fatigue": "wall"}
    if on != "narrow":
        course, fields = load_folder(Path("courses")).courses[on], {"competitors": competitors, **USUAL}
    plain = race(course, **fields)
    begin = time.perf_counter()
    crowded = race(course, crowding="flow", **fields)
    created = time.perf_counter() - begin
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tick, crowded_tick = _ticks_ms(plain, crowded)
    begin = time.perf_counter()
    density.measured(plain.field, crowded.field, crowded.cells)
    return {
        "width_m": float(np.min(crowded.cells.width)),
        "created_s": created,
        "resident_mib": resident,
        "field_mib": crowded.field.moving.nbytes / 1024**2,
        "tick_ms": crowded_tick,
        "plain_tick_ms": tick,
        "density_s": time.perf_counter() - begin,
        "cells": len(crowded.cells),
    }


def _ticks_ms(*races: Race) -> list[float]:
    """Return the median time of a tick of each race, spread over the race; they take turns."""
    times: list[list[float]] = [[] for _ in races]
    for nth in range(MOMENTS):
        fastest = [math.inf] * len(races)
        for _ in range(TIMES):
            for which, made in enumerate(races):
                moment = made.duration * (nth + 1) / (MOMENTS + 1)
                begin = time.perf_counter()
                made.snapshot(moment)
                fastest[which] = min(fastest[which], time.perf_counter() - begin)
        for row, fast in zip(times, fastest, strict=True):
            row.append(fast)
    return [median(row) * 1000 for row in times]


def in_separate_process(on: str, competitors: int) -> dict[str, float]:
    """Measure one race in its own process, so that peak memory is separate."""
    command = [sys.executable, "-m", "benchmarks.crowding", on, str(competitors)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
