"""Crowding: whether the model gives the published flows and densities, and what it costs.

Run as `python -m benchmarks.crowding COMPETITORS` to measure one size; prints one line of JSON.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from simulator.commands.settings import EPOCH
from simulator.course.course import Course, Width
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
SIZES = (10_000, 50_000, 100_000)
MOMENTS = 15


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


def measure(competitors: int) -> dict[str, float]:
    """Measure a marathon that is narrow all along, so that everyone is held up in nearly every cell.

    Its width is that through which a hundred thousand start in 80 minutes. The keys end with their units.
    """
    width = 10.0 * competitors / 100_000
    course = straight(MARATHON, (0.0, width))
    fields: dict[str, Any] = {"competitors": competitors, "pace_model": "marathon", "fatigue": "wall"}
    plain = race(course, **fields)
    tick = _tick_ms(plain)
    begin = time.perf_counter()
    crowded = race(course, crowding="flow", **fields)
    created = time.perf_counter() - begin
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    crowded_tick = _tick_ms(crowded)
    begin = time.perf_counter()
    density.measured(plain.field, crowded.field, crowded.cells)
    return {
        "width_m": width,
        "created_s": created,
        "resident_mib": resident,
        "field_mib": crowded.field.moving.nbytes / 1024**2,
        "tick_ms": crowded_tick,
        "plain_tick_ms": tick,
        "density_s": time.perf_counter() - begin,
        "cells": len(crowded.cells),
    }


def _tick_ms(made: Race) -> float:
    moments = [made.duration * (nth + 1) / (MOMENTS + 1) for nth in range(MOMENTS)]
    times = []
    for moment in moments:
        begin = time.perf_counter()
        made.snapshot(moment)
        times.append(time.perf_counter() - begin)
    return median(times) * 1000


def in_separate_process(competitors: int) -> dict[str, float]:
    """Measure one size in its own process, so that peak memory is separate."""
    command = [sys.executable, "-m", "benchmarks.crowding", str(competitors)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
