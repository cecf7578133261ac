"""Refresh times and store queries by number of viewers.

Viewers, dashboard and simulator each have their own process. Run as `python -m benchmarks.viewers ADDRESS RUN
VIEWERS`; prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import numpy as np

from benchmarks.viewer import Viewer
from tests.processes import dashboard, metrics_of, simulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NUMBERS = (1, 20, 60, 100)
COMPETITORS = 1000
COURSE = "hilly-half"
"""Long enough that no competitor finishes during the measurement."""

ARRIVALS_A_SECOND = 5.0
WARM_UP_S = 10.0
MEASURED_S = 30.0
IN_TIME_S = 1.0
ASKED = "racecast_dashboard_store_duration_seconds_count"
"""The dashboard's count of store queries, by query."""


@dataclass(frozen=True)
class Used:
    """Usage up to a moment: store queries by metric, and CPU seconds."""

    asked: Counter[str]
    dashboard_s: float
    viewers_s: float


def measure(
    folder: Path, viewers: int, simulator_flags: Sequence[str], dashboard_flags: Sequence[str]
) -> dict[str, float]:
    """Let `viewers` watch one race, in new processes.

    The result has the keys of `_refreshes`, `_page` and `_used`; times are in seconds.
    """
    with simulator(folder, *simulator_flags) as api:
        body = {"course": COURSE, "competitors": COMPETITORS}
        run_id = httpx.post(f"{api.address}/races", json=body, trust_env=False).json()["run_id"]
        with dashboard(folder, api.address, *dashboard_flags) as pages:
            return _in_a_process(pages.address, run_id, viewers)


def _in_a_process(address: str, run_id: str, viewers: int) -> dict[str, float]:
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
            await asyncio.sleep(1 / ARRIVALS_A_SECOND)
        for viewer in viewers:
            await viewer.page.opened.wait()
        await asyncio.sleep(WARM_UP_S)
        before, begin = await _used_up(address), time.monotonic()
        await asyncio.sleep(MEASURED_S)
        after, end = await _used_up(address), time.monotonic()
        for task in watching:
            task.cancel()
    return _refreshes(viewers, begin, end) | _page(viewers, begin, end) | _used(before, after, end - begin)


async def _used_up(address: str) -> Used:
    async with httpx.AsyncClient(trust_env=False, timeout=None) as http:
        metrics = metrics_of((await http.get(f"{address}/racecast/metrics")).text)
    asked = Counter({name: round(value) for name, value in metrics.items() if name.startswith(f"{ASKED}{{")})
    return Used(asked, metrics["process_cpu_seconds_total"], time.process_time())


def _refreshes(viewers: Sequence[Viewer], begin: float, end: float) -> dict[str, float]:
    """Summarize the refreshes requested between `begin` and `end`; a failed one was not in time."""
    found = [one for viewer in viewers for one in viewer.feed.refreshes if begin <= one.asked_at < end]
    took = np.array([one.took for one in found])
    seconds = end - begin
    failed = sum(one.is_failed for one in found)
    in_time = sum(one.took < IN_TIME_S and not one.is_failed for one in found)
    return {
        **{f"p{share}": float(np.percentile(took, share)) for share in (50, 95, 99)},
        "max": float(took.max()),
        "refreshes": len(found) / seconds,
        "in_time": in_time / len(found),
        "failed": failed,
        "pictures_each": sum(one.is_new for one in found) / len(viewers) / seconds,
    }


def _page(viewers: Sequence[Viewer], begin: float, end: float) -> dict[str, float]:
    looks = [look.took for viewer in viewers for look in viewer.page.looks if begin <= look.asked_at < end]
    return {
        "opened_p50": float(np.median([viewer.page.opened_after for viewer in viewers])),
        "look_p95": float(np.percentile(looks, 95)),
    }


def _used(before: Used, after: Used, seconds: float) -> dict[str, float]:
    """Return queries per second (`pictures`: for newest positions) and CPU shares of one core.

    `load` is the machine's load average over the last minute.
    """
    asked = after.asked - before.asked
    return {
        "pictures": asked[f'{ASKED}{{question="positions"}}'] / seconds,
        "questions": asked.total() / seconds,
        "dashboard_cpu": (after.dashboard_s - before.dashboard_s) / seconds,
        "viewers_cpu": (after.viewers_s - before.viewers_s) / seconds,
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
