"""Several simulators on one Kafka: what an event costs each part, and a race of a million on two of them."""

import os
import time
from pathlib import Path

import httpx
import numpy as np

from pinot.local.stack import Stack
from tests.processes import Running, total
from tests.torture.simulators import Cluster

NUMBERS = (1, 2, 4)
RACES, COMPETITORS = 12, 2000
"""Races and competitors of each; one position per second and competitor."""
WARM_UP_S, MEASURED_S = 15.0, 60.0
MILLION = 1_000_000
MILLION_INTERVAL_S = 10
MILLION_S = 180.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cost(folder: Path, stack: Stack, numbers: tuple[int, ...] = NUMBERS) -> dict[int, dict[str, float]]:
    """Return for each number of simulators what they do and use, all together, while the races run.

    events: delivered per second; cpu, kafka and pinot: CPU seconds per million events of the simulators, of
    Kafka, and of Pinot if it runs; late: ticks that began more than a second late.
    """
    found = {}
    for number in numbers:
        own = folder / f"simulators-{number}"
        own.mkdir()
        with Cluster(own, stack) as cluster:
            for _ in range(number):
                cluster.start()
            cluster.take_over(time.monotonic())
            body = {"course": "hilly-half", "competitors": COMPETITORS, "speed": 1, "interval": 1}
            run_ids = [_create(cluster.running[nth % number], **body) for nth in range(RACES)]
            time.sleep(WARM_UP_S)
            before, servers = _counts(cluster), _of_servers(stack)
            time.sleep(MEASURED_S)
            after, servers_then = _counts(cluster), _of_servers(stack)
            _cancel(cluster, run_ids)
        seconds, cpu, events, late = (one - other for one, other in zip(after, before, strict=True))
        kafka, pinot = (1e6 * (then - now) / events for then, now in zip(servers_then, servers, strict=True))
        found[number] = {
            "events": events / seconds,
            "cpu": 1e6 * cpu / events,
            "kafka": kafka,
            "pinot": pinot,
            "late": late,
        }
    return found


def million(folder: Path, stack: Stack) -> dict[str, float]:
    """Return how two simulators keep up with a race of a million.

    drawn: seconds until the first tick is published; events: delivered per second; cpu: cores used by both;
    p50, p95, max: seconds by which the most overdue part was late, looked at ten times a second; memory: MiB
    of the larger of the two, at its peak.
    """
    own = folder / "million"
    own.mkdir()
    with Cluster(own, stack) as cluster:
        for _ in range(2):
            cluster.start()
        cluster.take_over(time.monotonic())
        began = time.monotonic()
        fields = {"competitors": MILLION, "speed": 1, "interval": MILLION_INTERVAL_S}
        run_id = _create(cluster.running[0], course="hilly-half", **fields)
        while cluster.running[0].get(f"/races/{run_id}").json()["race_time"] < 0:
            time.sleep(0.2)
        drawn = time.monotonic() - began
        cluster.take_over(began)
        time.sleep(2 * MILLION_INTERVAL_S)
        before, lags = _counts(cluster), []
        end = time.monotonic() + MILLION_S
        while time.monotonic() < end:
            lags.append(max(one.metrics()["racecast_lag_seconds"] for one in cluster.running))
            time.sleep(0.1)
        seconds, cpu, events, _ = (one - other for one, other in zip(_counts(cluster), before, strict=True))
        memory = max(one.memory(peak=True) for one in cluster.running)
        _cancel(cluster, [run_id])
    return {
        "drawn": drawn,
        "events": events / seconds,
        "cpu": cpu / seconds,
        "p50": float(np.percentile(lags, 50)),
        "p95": float(np.percentile(lags, 95)),
        "max": max(lags),
        "memory": memory,
    }


def _create(running: Running, **body: object) -> str:
    answer = httpx.post(f"{running.address}/races", json=body, trust_env=False, timeout=120)
    assert answer.status_code == 201, answer.text
    run_id: str = answer.json()["run_id"]
    return run_id


def _cancel(cluster: Cluster, run_ids: list[str]) -> None:
    for run_id in run_ids:
        httpx.post(f"{cluster.running[0].address}/races/{run_id}/cancel", trust_env=False, timeout=60)


def _counts(cluster: Cluster) -> tuple[float, float, float, float]:
    """Now, and of all simulators the CPU seconds, the events delivered and the late ticks."""
    found = [one.metrics() for one in cluster.running]
    cpu = sum(_cpu(one.pid) for one in cluster.running)
    delivered = sum(total(metrics, "racecast_events_delivered_total") for metrics in found)
    late = sum(metrics["racecast_late_ticks_total"] for metrics in found)
    return time.monotonic(), cpu, delivered, late


def _of_servers(stack: Stack) -> tuple[float, float]:
    """CPU seconds of Kafka and of Pinot; 0 of one that does not run."""
    kafka, pinot = (0.0 if (pid := process.pid()) is None else _cpu(pid) for process in stack.processes)
    return kafka, pinot


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
