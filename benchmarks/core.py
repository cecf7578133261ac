"""Benchmark of the race core: creation, memory and ticks, each size in its own process.

Run as `python -m benchmarks.core COMPETITORS COURSE`; prints one line of JSON.
"""

import json
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median

import orjson

from simulator.commands.settings import EPOCH
from simulator.course.library import load_folder
from simulator.engine.engine import BATCH
from simulator.publishers.encode import encode
from simulator.race.events import Positions, positions_at
from simulator.race.race import Race
from simulator.race.request import MAX_RATE, RaceRequest

MOMENTS = 21
"""Ticks measured, spread over the race."""


def measure(competitors: int, course_name: str) -> dict[str, float]:
    """Measure one size; the keys of the result end with their units."""
    course = load_folder(Path("courses")).courses[course_name]
    _ = course.timing_points
    request = RaceRequest(
        course=course_name,
        competitors=competitors,
        how_many_get_stopped=0.2,
        interval=max(1.0, competitors / MAX_RATE),
    )
    resolved = request.resolved(run_id="bench", name="Bench", seed=1, start_at=EPOCH)
    # Warm-up, so that numpy's first call is not measured.
    Race(course, request.model_copy(update={**dict(resolved), "competitors": 1})).snapshot(1.0)
    start = time.perf_counter()
    race = Race(course, resolved)
    duration = race.duration
    created = time.perf_counter() - start
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    memory = _allocated(lambda: Race(course, resolved).duration)
    moments = [round(duration * nth / MOMENTS) for nth in range(MOMENTS)]
    ticks = [_timed(lambda t=moment: race.snapshot(t)) for moment in moments]  # type: ignore[misc]
    passings = [_timed(lambda t=moment: race.passings(t - 1, t)) for moment in moments]  # type: ignore[misc]
    batches = list(positions_at(race, round(60 / race.request.tick), BATCH))
    encoding = min(_timed(lambda: [encode(batch) for batch in batches]) for _ in range(5))
    objects = min(_timed(lambda: [_as_objects(batch) for batch in batches]) for _ in range(5))
    return {
        "created_s": created,
        "memory_mib": memory,
        "resident_mib": resident,
        "tick_ms": median(ticks) * 1000,
        "first_tick_ms": median(ticks[:5]) * 1000,
        "last_tick_ms": median(ticks[-5:]) * 1000,
        "passings_ms": median(passings) * 1000,
        "encode_us": encoding / competitors * 1e6,
        "objects_us": objects / competitors * 1e6,
    }


def _as_objects(batch: Positions) -> list[bytes]:
    """Return the same events from one object each: the baseline for `encode`."""
    columns = zip(
        batch.bib.tolist(),
        batch.lat.tolist(),
        batch.lon.tolist(),
        batch.distance.tolist(),
        batch.status_names,
        batch.elapsed.tolist(),
        strict=True,
    )
    return [
        orjson.dumps(
            {
                "runId": batch.run_id,
                "eventId": f"{batch.run_id}-{bib}-{int(batch.raw_time[0])}",
                "competitorId": bib,
                "rawTime": int(batch.raw_time[0]),
                "timestamp": int(batch.timestamp[0]),
                "lat": lat,
                "lon": lon,
                "distance": metres,
                "course": batch.course,
                "status": status,
                "elapsed": seconds,
                "emittedAt": batch.emitted_at,
            }
        )
        for bib, lat, lon, metres, status, seconds in columns
    ]


def _allocated(action: Callable[[], object]) -> float:
    """Return the peak of allocated memory in MiB, including numpy's."""
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1024**2


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_separate_process(competitors: int, course: str) -> dict[str, float]:
    """Measure one size in its own process, so that peak memory is separate."""
    command = [sys.executable, "-m", "benchmarks.core", str(competitors), course]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
