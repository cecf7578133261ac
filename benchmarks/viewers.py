"""How soon viewers have each tick, and what that costs, by the number of viewers.

A tick is queryable as soon as a query of the store finds all of it. Viewers have it when its picture arrives.
Viewers, dashboard and simulator each have their own process. Run as `python -m benchmarks.viewers ADDRESS RUN
VIEWERS STORE`, with the SQLite file or the address of Pinot's broker; prints one line of JSON.
"""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import numpy as np

from benchmarks.stores import MeasuredStore, TickWatch, Times
from benchmarks.viewer import Viewer
from tests.processes import dashboard, metrics_of, simulator

NUMBERS = (1, 100, 300, 1000)
COMPETITORS = 1000
COURSE = "hilly-half"
"""Long enough that no competitor finishes during the measurement."""

ARRIVALS_PER_SECOND = 10.0
WARM_UP_S = 10.0
MEASURED_S = 60.0
IN_TIME_S = 0.5
QUERY_COUNT = "racecast_dashboard_store_duration_seconds_count"
"""The dashboard's metric that counts store queries, with a label for the kind."""


@dataclass(frozen=True)
class Usage:
    """Totals up to a moment: store queries by metric with its label, and CPU seconds."""

    queries: Counter[str]
    dashboard_s: float
    viewers_s: float


def measure(folder: Path, viewers: int, store: MeasuredStore) -> dict[str, float]:
    """Let `viewers` watch one race, with a new simulator, dashboard and viewer process.

    The result has the keys of `_delays` and `_usage`, `page_load_p50` and `memory_per_viewer` (MiB); times
    are in seconds.
    """
    with simulator(folder, *store.simulator) as api:
        body = {"course": COURSE, "competitors": COMPETITORS}
        run_id = httpx.post(f"{api.address}/races", json=body, trust_env=False).json()["run_id"]
        with dashboard(folder, api.address, *store.dashboard) as pages:
            empty = pages.memory()
            found = _in_separate_process(pages.address, run_id, str(viewers), store.address)
            return found | {"memory_per_viewer": (pages.memory() - empty) / viewers}


def _in_separate_process(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.viewers", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


async def watch(address: str, run_id: str, number: int, store: str) -> dict[str, float]:
    """Start `number` viewers one after another, and measure while all watch."""
    encryption = ssl.create_default_context()
    viewers = [Viewer(address, run_id, encryption) for _ in range(number)]
    async with asyncio.TaskGroup() as tasks:
        watching = []
        for viewer in viewers:
            watching.append(tasks.create_task(viewer.watch()))
            await asyncio.sleep(1 / ARRIVALS_PER_SECOND)
        for viewer in viewers:
            await viewer.page.loaded.wait()
        await asyncio.sleep(WARM_UP_S)
        stop = Event()
        ticks = tasks.create_task(asyncio.to_thread(TickWatch(store, run_id, COMPETITORS).watch, stop))
        before, begin = await _usage_so_far(address), time.monotonic()
        await asyncio.sleep(MEASURED_S)
        after, end = await _usage_so_far(address), time.monotonic()
        stop.set()
        queryable = await ticks
        for task in watching:
            task.cancel()
    load = {"page_load_p50": float(np.median([viewer.page.load_time for viewer in viewers]))}
    return _delays(viewers, queryable) | load | _usage(before, after, end - begin)


async def _usage_so_far(address: str) -> Usage:
    async with httpx.AsyncClient(trust_env=False, timeout=None) as http:
        metrics = metrics_of((await http.get(f"{address}/racecast/metrics")).text)
    queries = Counter(
        {name: round(value) for name, value in metrics.items() if name.startswith(f"{QUERY_COUNT}{{")}
    )
    return Usage(queries, metrics["process_cpu_seconds_total"], time.process_time())


def _delays(viewers: Sequence[Viewer], queryable: Times) -> dict[str, float]:
    """Summarize how long after being queryable each viewer had each tick; a missing one is not in time."""
    ticks = sorted(queryable)[1:-1]  # the first was queryable before, the last may still be on its way
    delays = [_delay(viewer, tick, queryable[tick]) for viewer in viewers for tick in ticks]
    arrived = np.array([delay for delay in delays if delay is not None])
    return {
        **{f"p{share}": float(np.percentile(arrived, share)) for share in (50, 95, 99)},
        "max": float(arrived.max()),
        "in_time": float((arrived <= IN_TIME_S).sum()) / len(delays),
        "missed": (len(delays) - len(arrived)) / len(delays),
    }


def _delay(viewer: Viewer, tick: float, queryable: float) -> float | None:
    """Seconds until a viewer had a tick or a later one; None if that never came."""
    for picture in viewer.feed.pictures:
        if picture.race_time >= tick:
            return max(0.0, picture.received_at - queryable)
    return None


def _usage(before: Usage, after: Usage, seconds: float) -> dict[str, float]:
    """Return store queries per second, CPU shares of one core, and the load average over the last minute.

    `position_queries` are those for the newest positions.
    """
    queries = after.queries - before.queries
    return {
        "position_queries": queries[f'{QUERY_COUNT}{{question="positions"}}'] / seconds,
        "queries": queries.total() / seconds,
        "dashboard_cpu": (after.dashboard_s - before.dashboard_s) / seconds,
        "viewers_cpu": (after.viewers_s - before.viewers_s) / seconds,
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))))
