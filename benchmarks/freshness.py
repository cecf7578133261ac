"""How long after its emission a tick can be queried whole in the real Pinot.

A race at one position a second and competitor runs through the real simulator and Kafka. Meanwhile Pinot is
asked, again and again, up to which tick it has everybody's position. A tick's freshness is the time from the
handing over of its first batch to the answer that shows it whole: the query's own time is in it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import numpy as np

from tests.processes import simulator

if TYPE_CHECKING:
    from pathlib import Path

    from pinot.local.stack import Stack

SECONDS = 60
PAUSE = 0.02
"""Seconds between two questions."""
SQL = (
    "SELECT count(*), min(rawTime), min(emittedAt) FROM parkrun WHERE runId = '{run_id}' "
    "AND status <> 'finished'"
)


def measure(stack: Stack, competitors: int, folder: Path) -> dict[str, float]:
    """Return the percentiles of the freshness in seconds."""
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as running, httpx.Client() as http:
        body = {"course": "hilly-half", "competitors": competitors}
        run_id = http.post(f"{running.address}/races", json=body).json()["run_id"]
        found = _watch(http, stack.broker, run_id, competitors)
        http.post(f"{running.address}/races/{run_id}/cancel")
    fresh = np.array(list(found.values()))
    names = {"p50": 50, "p95": 95, "p99": 99}
    result = {name: float(np.percentile(fresh, share)) for name, share in names.items()}
    return {**result, "max": float(fresh.max()), "ticks": float(len(fresh))}


def _watch(http: httpx.Client, broker: str, run_id: str, competitors: int) -> dict[int, float]:
    """Return each tick's freshness, of the ticks after the first ten: those warm Pinot up."""
    found: dict[int, float] = {}
    end = time.monotonic() + SECONDS + 10
    while time.monotonic() < end:
        answer = http.post(f"{broker}/query/sql", json={"sql": SQL.format(run_id=run_id)}).json()
        now = time.time()
        count, tick, emitted = answer["resultTable"]["rows"][0]
        if count == competitors and tick > 10:
            found.setdefault(int(tick), now - emitted / 1000)
        time.sleep(PAUSE)
    return found
