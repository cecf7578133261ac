"""The race core: creation, memory and ticks, each size in a process of its own.

Run as `python -m benchmarks.core COMPETITORS COURSE`; prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from simulator.courses import load_folder
from simulator.encode import encode
from simulator.events import positions_at
from simulator.generate import EPOCH
from simulator.race import Race
from simulator.request import RaceRequest

if TYPE_CHECKING:
    from collections.abc import Callable

MOMENTS = 21
"""Ticks measured, spread over the race."""


def measure(competitors: int, course_name: str) -> dict[str, float]:
    """Return seconds, MiB and events a second for one size."""
    course = load_folder(Path("courses")).courses[course_name]
    _ = course.timing_points
    request = RaceRequest(course=course_name, competitors=competitors, how_many_get_stopped=0.2)
    resolved = request.resolved(run_id="bench", name="Bench", seed=1, start_at=EPOCH)
    # Once beforehand, so that the size is measured and not the first call of numpy.
    Race(course, request.model_copy(update={**dict(resolved), "competitors": 1})).snapshot(1.0)
    before = _peak()
    start = time.perf_counter()
    race = Race(course, resolved)
    duration = race.duration
    created = time.perf_counter() - start
    memory = _peak() - before
    moments = [round(duration * nth / MOMENTS) for nth in range(MOMENTS)]
    ticks = [_timed(lambda t=moment: race.snapshot(t)) for moment in moments]  # type: ignore[misc]
    passings = [_timed(lambda t=moment: race.passings(t - 1, t)) for moment in moments]  # type: ignore[misc]
    encoding = [_timed(lambda t=moment: _encode(race, t)) for moment in moments[:5]]  # type: ignore[misc]
    return {
        "created_s": created,
        "memory_mib": memory,
        "tick_ms": median(ticks) * 1000,
        "first_tick_ms": median(ticks[:5]) * 1000,
        "last_tick_ms": median(ticks[-5:]) * 1000,
        "passings_ms": median(passings) * 1000,
        "encode_us": median(encoding) / competitors * 1e6,
    }


def _encode(race: Race, moment: int) -> None:
    for batch in positions_at(race, moment, 5000):
        encode(batch)


def _timed(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_process(competitors: int, course: str) -> dict[str, float]:
    """Measure one size in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "benchmarks.core", str(competitors), course]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
