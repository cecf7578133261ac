"""Faults during a race on real processes; afterwards every event is compared with the core's.

Each function runs one race, injects its fault the given number of times, and returns the result. It also
asserts what must hold during the fault: the process stays alive, and `/readyz` gives the reason.
"""

import json
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil, nan
from pathlib import Path
from typing import Any, Literal

import httpx

from pinot.local.stack import Stack
from simulator.course.library import load_folder
from simulator.publishers.sqlite_file import BUSY
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, Running, simulator
from tests.torture.event_stores import (
    EventStore,
    KafkaEventStore,
    PinotEventStore,
    SqliteEventStore,
    count_events,
)
from tests.torture.outcome import FaultResult

BrokerFault = Literal["stopped", "killed", "hung"]

COURSE = load_folder(ROOT / "courses").courses["crystal-palace"]
REQUEST: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": 300,
    "how_many_get_stopped": 0.3,
    "seed": 20261124,
    "dnf": 0.05,
    "late": 0.1,
    "start_flow": 5,
}
RESTART_S = 5.0
"""Time in seconds for a simulator or Kafka to start and catch up; used to plan the length of a race."""
PINOT_RESTART_S = 75.0
"""The same for Pinot, on a machine with other load."""
SHUTDOWN_LIMIT_S = 10.0
"""Maximum time in seconds for a shutdown after SIGTERM."""


class RaceUnderWay:
    """A live race and the same race as the core computes it.

    Attributes:
        race: the same race without faults, computed by the core.
    """

    def __init__(self, running: Running, seconds: float, **fields: Any) -> None:
        """Start a race of about `seconds`, with one position per second and competitor."""
        body = {**REQUEST, **fields}
        length = Race(COURSE, _resolved(body, "plan", "2026-01-01T00:00:00Z")).duration
        speed = max(1, ceil(length / seconds))
        body |= {"speed": speed, "interval": speed}
        response = httpx.post(f"{running.address}/races", json=body, trust_env=False, timeout=60)
        assert response.status_code == 201, response.text
        created = response.json()
        self.race = Race(COURSE, _resolved(body, created["run_id"], created["start_at"]))

    def race_time(self, running: Running) -> float:
        """Return the race time (s) that the API reports."""
        return float(running.get(f"/races/{self.race.run_id}").json()["race_time"])

    def wait_for_first_tick(self, running: Running) -> None:
        """Wait until the first tick is published."""
        wait_for(
            "the first tick",
            lambda: None if self.race_time(running) >= 0 else "nothing is published",
            seconds=60,
            say=print,
        )

    def wait_for_finish(self, running: Running, seconds: float = 300) -> None:
        """Wait until all events are delivered and the race is finished."""

        def unfinished() -> str | None:
            status = running.get(f"/races/{self.race.run_id}").json().get("status")
            return None if status == "finished" else f"the race is {status}"

        wait_for("the finish", unfinished, seconds=seconds, say=print)


def simulator_restarts(
    folder: Path,
    store: EventStore,
    repetitions: int,
    uptime: float,
    stop_signal: signal.Signals = signal.SIGKILL,
) -> FaultResult:
    """Stop the simulator at random moments, about every `uptime` seconds, and restart it immediately."""
    rng = random.Random(7)
    recovery_times = []
    with simulator(folder, *store.flags) as running:
        run = RaceUnderWay(running, repetitions * (uptime + RESTART_S / 2))
        # A race without a stored record cannot be recovered.
        run.wait_for_first_tick(running)
        time.sleep(rng.uniform(0, 2 * uptime))
        _stop(running, stop_signal)
    for nth in range(repetitions):
        restarted = time.monotonic()
        with simulator(folder, *store.flags) as running:
            _wait_until_caught_up(running)
            recovery_times.append(time.monotonic() - restarted)
            if nth < repetitions - 1:
                time.sleep(rng.uniform(0, 2 * uptime))
                _stop(running, stop_signal)
            else:
                run.wait_for_finish(running)
                _stop(running, signal.SIGTERM)
    return _result(
        f"simulator restarted after {stop_signal.name}, {store.name}", run.race, store, recovery_times
    )


def broker_outages(
    folder: Path, stack: Stack, fault: BrokerFault, repetitions: int, outage: float, **fields: Any
) -> FaultResult:
    """Stop, kill or suspend Kafka during a race, for `outage` seconds each time."""
    store = KafkaEventStore(stack.kafka)
    recovery_times = []
    with simulator(folder, *store.flags) as running:
        run = RaceUnderWay(running, repetitions * (outage + 2 * RESTART_S), **fields)
        run.wait_for_first_tick(running)
        before = running.memory()
        peak = before
        for _ in range(repetitions):
            time.sleep(RESTART_S / 2)
            with _broker_outage(stack, fault, outage):
                peak = max(peak, running.memory())
                reason = (
                    "Kafka has taken nothing" if fault == "hung" else f"no broker answers at {stack.kafka}"
                )
                _expect_not_ready(running, reason)
            ended = time.monotonic()
            _wait_until_caught_up(running)
            recovery_times.append(time.monotonic() - ended)
        run.wait_for_finish(running)
        _stop(running, signal.SIGTERM)
    return _result(
        f"broker {fault}, {outage:.0f} s outage", run.race, store, recovery_times, memory_growth=peak - before
    )


def broker_down_at_start(folder: Path, stack: Stack, outage: float) -> FaultResult:
    """Start the simulator while Kafka is down, Kafka `outage` seconds later, and then create a race."""
    store = KafkaEventStore(stack.kafka)
    stack.stop("kafka")
    with simulator(folder, *store.flags, health="/healthz") as running:
        _expect_not_ready(running, f"no broker answers at {stack.kafka}")
        time.sleep(outage)
        stack.start("kafka")
        ended = time.monotonic()
        running.wait_until_up("/readyz")
        run = RaceUnderWay(running, 2 * RESTART_S)
        _wait_until_caught_up(running)
        recovery_times = [time.monotonic() - ended]
        run.wait_for_finish(running)
        _stop(running, signal.SIGTERM)
    return _result("broker down at the start", run.race, store, recovery_times)


def pinot_outages(folder: Path, stack: Stack, repetitions: int, outage: float) -> FaultResult:
    """Stop Pinot during a race, for `outage` seconds each time; the simulator must not be affected."""
    kafka, pinot = KafkaEventStore(stack.kafka), PinotEventStore(stack.queries)
    recovery_times = []
    with simulator(folder, *kafka.flags) as running:
        run = RaceUnderWay(running, repetitions * (outage + PINOT_RESTART_S))
        run.wait_for_first_tick(running)
        for _ in range(repetitions):
            stack.stop("pinot")
            before = run.race_time(running)
            time.sleep(outage)
            assert running.get("/readyz").status_code == 200
            assert run.race_time(running) > before
            stack.start("pinot")
            ended, due = time.monotonic(), run.race_time(running)
            wait_for("Pinot", partial(pinot.not_caught_up, run.race, due), seconds=120, say=print)
            recovery_times.append(time.monotonic() - ended)
        run.wait_for_finish(running)
        _stop(running, signal.SIGTERM)
    published = sum(1 for _ in kafka.events("parkrun", run.race))
    wait_for("Pinot", partial(pinot.incomplete, run.race, published), seconds=120, say=print)
    return _result(f"Pinot stopped, {outage:.0f} s outage", run.race, pinot, recovery_times)


def disk_full(folder: Path, repetitions: int, outage: float) -> FaultResult:
    """Make every file write of the simulator fail, the log included, for `outage` seconds each time."""

    def fill(running: Running) -> Callable[[], None]:
        _limit_file_size(running, 0)
        return lambda: _limit_file_size(running, resource.RLIM_INFINITY)

    return _sqlite_fault(
        "disk full", folder, fill, repetitions=repetitions, planned=outage + RESTART_S, outage=outage
    )


def file_locked(folder: Path, repetitions: int, outage: float) -> FaultResult:
    """Let another process lock the SQLite file for longer than a writer waits."""

    def lock(_: Running) -> Callable[[], None]:
        other = sqlite3.connect(folder / "race.db", timeout=30, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        return other.close

    planned = BUSY + outage + RESTART_S
    return _sqlite_fault(
        "file locked by another process",
        folder,
        lock,
        repetitions=repetitions,
        planned=planned,
        outage=outage,
    )


def _sqlite_fault(
    name: str,
    folder: Path,
    inject: Callable[[Running], Callable[[], None]],
    *,
    repetitions: int,
    planned: float,
    outage: float,
) -> FaultResult:
    """Inject a fault repeatedly; the race is long enough for `planned` seconds per repetition.

    `inject` starts the fault and returns the function that ends it.
    """
    store = SqliteEventStore(folder / "race.db")
    recovery_times = []
    with simulator(folder, *store.flags) as running:
        run = RaceUnderWay(running, repetitions * planned)
        run.wait_for_first_tick(running)
        for _ in range(repetitions):
            end_fault = inject(running)
            _expect_not_ready(running, "the embedded store race.db takes no writes: ")
            time.sleep(outage)
            end_fault()
            ended = time.monotonic()
            _wait_until_caught_up(running)
            recovery_times.append(time.monotonic() - ended)
        run.wait_for_finish(running)
        _stop(running, signal.SIGTERM)
    return _result(f"{name}, {store.name}", run.race, store, recovery_times)


def _result(
    name: str, race: Race, store: EventStore, recovery_times: list[float], memory_growth: float = nan
) -> FaultResult:
    counts = count_events(race, store)
    return FaultResult(
        name, len(recovery_times), *counts, store.out_of_order(race), recovery_times, memory_growth
    )


@contextmanager
def _broker_outage(stack: Stack, fault: BrokerFault, seconds: float) -> Iterator[None]:
    """Take Kafka down, run the body, and bring Kafka back `seconds` after the start of the outage."""
    kafka, _ = stack.processes
    assert kafka.pid() is not None
    end = time.monotonic() + seconds
    if fault == "stopped":
        stack.stop("kafka")
    else:
        kafka.send(signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
    try:
        yield
        time.sleep(max(0.0, end - time.monotonic()))
    finally:
        if fault == "hung":
            kafka.send(signal.SIGCONT)
        else:
            stack.start("kafka")


def _stop(running: Running, stop_signal: signal.Signals) -> None:
    """Stop a simulator; after SIGTERM, expect status 0 within `SHUTDOWN_LIMIT_S`."""
    began = time.monotonic()
    status = running.end(stop_signal)
    if stop_signal == signal.SIGTERM:
        assert status == 0, running.log.read_text()[-2000:]
        assert time.monotonic() - began < SHUTDOWN_LIMIT_S
    assert "Traceback" not in running.log.read_text()


def _expect_not_ready(running: Running, reason: str) -> None:
    """Wait until `/readyz` gives the reason, and check that the process is alive."""

    def not_reported() -> str | None:
        response = running.get("/readyz")
        reasons = response.json()["reasons"]
        is_reported = response.status_code == 503 and any(reason in one for one in reasons)
        return None if is_reported else f"/readyz returns {response.status_code}, {reasons}"

    wait_for(f"'{reason}'", not_reported, seconds=60, say=print)
    assert running.get("/healthz").status_code == 200


def _wait_until_caught_up(running: Running) -> None:
    """Wait until no tick is overdue and all published events are delivered."""

    def behind() -> str | None:
        ready = running.get("/readyz")
        if ready.status_code != 200:
            return str(ready.json()["reasons"])
        values = running.metrics()
        late, waiting = values["racecast_lag_seconds"], values["racecast_events_waiting"]
        return f"ticks are {late:g} s late, {waiting:g} events wait" if late > 1 or waiting else None

    wait_for("the simulator", behind, seconds=180, say=print)


def _resolved(body: dict[str, Any], run_id: str, start_at: str) -> RaceRequest:
    return RaceRequest.model_validate_json(json.dumps({**body, "run_id": run_id, "start_at": start_at}))


def _limit_file_size(running: Running, limit: int) -> None:
    """Limit the size of the files that a process writes."""
    _, hard_limit = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (limit, hard_limit))
