"""Refresh times and store queries, by the number of viewers.

Viewers, dashboard and simulator each have their own process. Run as `python -m benchmarks.viewers ADDRESS RUN
VIEWERS`; prints one line of JSON.
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

import httpx
import numpy as np

from benchmarks.viewer import Viewer
from tests.processes import dashboard, metrics_of, simulator

NUMBERS = (1, 20, 60, 100)
COMPETITORS = 1000
COURSE = "hilly-half"
"""Long enough that no competitor finishes during the measurement."""

ARRIVALS_PER_SECOND = 5.0
WARM_UP_S = 10.0
MEASURED_S = 30.0
MAX_REFRESH_S = 1.0
QUERY_COUNT = "racecast_dashboard_store_duration_seconds_count"
"""The dashboard's metric that counts store queries, with a label for the kind."""


@dataclass(frozen=True)
class Usage:
    """Totals up to a moment: store queries by metric with its label, and CPU seconds."""

    queries: Counter[str]
    dashboard_s: float
    viewers_s: float


def measure(
    folder: Path, viewers: int, simulator_flags: Sequence[str], dashboard_flags: Sequence[str]
) -> dict[str, float]:
    """Let `viewers` watch one race, with a new simulator, dashboard and viewer process.

    The result has the keys of `_refreshes`, `_page` and `_usage`; times are in seconds.
    """
    with simulator(folder, *simulator_flags) as api:
        body = {"course": COURSE, "competitors": COMPETITORS}
        run_id = httpx.post(f"{api.address}/races", json=body, trust_env=False).json()["run_id"]
        with dashboard(folder, api.address, *dashboard_flags) as pages:
            return _in_separate_process(pages.address, run_id, viewers)


def _in_separate_process(address: str, run_id: str, viewers: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.viewers", address, run_id, str(viewers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


async def watch(address: str, run_id: str, number: int) -> dict[str, float]:
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
        before, begin = await _usage_so_far(address), time.monotonic()
        await asyncio.sleep(MEASURED_S)
        after, end = await _usage_so_far(address), time.monotonic()
        for task in watching:
            task.cancel()
    return _refreshes(viewers, begin, end) | _page(viewers, begin, end) | _usage(before, after, end - begin)


async def _usage_so_far(address: str) -> Usage:
    async with httpx.AsyncClient(trust_env=False, timeout=None) as http:
        metrics = metrics_of((await http.get(f"{address}/racecast/metrics")).text)
    queries = Counter(
        {name: round(value) for name, value in metrics.items() if name.startswith(f"{QUERY_COUNT}{{")}
    )
    return Usage(queries, metrics["process_cpu_seconds_total"], time.process_time())


def _refreshes(viewers: Sequence[Viewer], begin: float, end: float) -> dict[str, float]:
    """Summarize the refreshes requested between `begin` and `end`; a failed one does not count as in time."""
    found = [one for viewer in viewers for one in viewer.feed.refreshes if begin <= one.requested_at < end]
    durations = np.array([one.duration for one in found])
    seconds = end - begin
    failed = sum(one.is_failed for one in found)
    in_time = sum(one.duration < MAX_REFRESH_S and not one.is_failed for one in found)
    return {
        **{f"p{share}": float(np.percentile(durations, share)) for share in (50, 95, 99)},
        "max": float(durations.max()),
        "refreshes": len(found) / seconds,
        "in_time": in_time / len(found),
        "failed": failed,
        "updates_per_viewer": sum(one.is_new for one in found) / len(viewers) / seconds,
    }


def _page(viewers: Sequence[Viewer], begin: float, end: float) -> dict[str, float]:
    runs = [run for viewer in viewers for run in viewer.page.fragment_runs]
    durations = [run.duration for run in runs if begin <= run.requested_at < end]
    return {
        "page_load_p50": float(np.median([viewer.page.load_time for viewer in viewers])),
        "fragment_p95": float(np.percentile(durations, 95)),
    }


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
    print(json.dumps(asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
