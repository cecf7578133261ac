"""Faults in the middle of a race, on the real parts: afterwards every event is compared with the core's.

Each function runs one race, has its fault happen so many times while it lasts, and returns what came of it.
What has to hold during a fault (`/readyz` says why it isn't ready, the process lives) is asserted here.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import sqlite3
import time
from contextlib import contextmanager
from functools import partial
from math import ceil, nan
from typing import TYPE_CHECKING, Any, Literal

import httpx

from simulator.course.library import load_folder
from simulator.publishers.sqlite_file import BUSY
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, Running, simulator
from tests.torture.outcome import Fault
from tests.torture.places import KafkaPlace, PinotPlace, Place, SqlitePlace, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pinot.local.stack import Stack

    How = Literal["ends", "is killed", "hangs"]

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
RESTARTED_AFTER = 5.0
"""Seconds that a simulator, or Kafka, takes to start and catch up: for the planning of a race's length."""
PINOT_RESTARTED_AFTER = 75.0
"""Seconds that Pinot takes likewise, where others compute too."""
ENDED_WITHIN = 10.0
"""Seconds that SIGTERM may take."""


class RaceUnderWay:
    """A race that is under way.

    Attributes:
        race: the same race, undisturbed, computed here.
    """

    def __init__(self, running: Running, seconds: float, **fields: Any) -> None:
        """Start a race of about so many seconds, at a position a second of each."""
        body = {**REQUEST, **fields}
        length = Race(COURSE, _resolved(body, "plan", "2026-01-01T00:00:00Z")).duration
        pace = max(1, ceil(length / seconds))
        body |= {"speed": pace, "interval": pace}
        answer = httpx.post(f"{running.address}/races", json=body, trust_env=False, timeout=60)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        self.race = Race(COURSE, _resolved(body, told["run_id"], told["start_at"]))

    def delivered_until(self, running: Running) -> float:
        """Return the race seconds that are told."""
        return float(running.get(f"/races/{self.race.run_id}").json()["race_time"])

    def wait_for_first_tick(self, running: Running) -> None:
        """Wait until the race is one that can be gone on with."""
        wait_for(
            "the first tick",
            lambda: None if self.delivered_until(running) >= 0 else "nothing is told",
            seconds=60,
            say=print,
        )

    def wait_for_finish(self, running: Running, seconds: float = 300) -> None:
        """Wait until all is told."""

        def trouble() -> str | None:
            status = running.get(f"/races/{self.race.run_id}").json().get("status")
            return None if status == "finished" else f"the race is {status}"

        wait_for("the finish", trouble, seconds=seconds, say=print)


def stopped(
    folder: Path, place: Place, times: int, between: float, how: signal.Signals = signal.SIGKILL
) -> Fault:
    """The simulator is ended at random moments, about `between` seconds apart, and started again at once."""
    moments = random.Random(7)
    recoveries = []
    with simulator(folder, *place.flags) as running:
        run = RaceUnderWay(running, times * (between + RESTARTED_AFTER / 2))
        # A race that nobody has heard of can't go on.
        run.wait_for_first_tick(running)
        time.sleep(moments.uniform(0, 2 * between))
        _end(running, how)
    for nth in range(times):
        restarted = time.monotonic()
        with simulator(folder, *place.flags) as running:
            _wait_until_caught_up(running)
            recoveries.append(time.monotonic() - restarted)
            if nth < times - 1:
                time.sleep(moments.uniform(0, 2 * between))
                _end(running, how)
            else:
                run.wait_for_finish(running)
                _end(running, signal.SIGTERM)
    return _judge(f"simulator ended by {how.name}, {place.name}", run.race, place, recoveries)


def broker_away(folder: Path, stack: Stack, how: How, times: int, away: float, **fields: Any) -> Fault:
    """Kafka ends, is killed or hangs in the middle of a race, each time for `away` seconds."""
    place = KafkaPlace(stack.kafka)
    recoveries = []
    with simulator(folder, *place.flags) as running:
        run = RaceUnderWay(running, times * (away + 2 * RESTARTED_AFTER), **fields)
        run.wait_for_first_tick(running)
        before = running.memory()
        most = before
        for _ in range(times):
            time.sleep(RESTARTED_AFTER / 2)
            with _away(stack, how, away):
                most = max(most, running.memory())
                why = f"no broker answers at {stack.kafka}" if how != "hangs" else "Kafka has taken nothing"
                _expect_not_ready(running, why, within=max(away / 2, 12))
            back = time.monotonic()
            _wait_until_caught_up(running)
            recoveries.append(time.monotonic() - back)
        run.wait_for_finish(running)
        _end(running, signal.SIGTERM)
    what = f"broker {how} for {away:.0f} s"
    return _judge(what, run.race, place, recoveries, most - before)


def broker_away_at_start(folder: Path, stack: Stack, away: float) -> Fault:
    """A race is asked for while Kafka isn't there yet; it comes after `away` seconds."""
    place = KafkaPlace(stack.kafka)
    stack.stop("kafka")
    with simulator(folder, *place.flags) as running:
        _expect_not_ready(running, f"no broker answers at {stack.kafka}", within=12)
        run = RaceUnderWay(running, away + 2 * RESTARTED_AFTER)
        time.sleep(away)
        stack.start("kafka")
        back = time.monotonic()
        _wait_until_caught_up(running)
        recoveries = [time.monotonic() - back]
        run.wait_for_finish(running)
        _end(running, signal.SIGTERM)
    return _judge("broker away at the start", run.race, place, recoveries)


def pinot_away(folder: Path, stack: Stack, times: int, away: float) -> Fault:
    """Pinot ends in the middle of a race, each time for `away` seconds; the simulator doesn't notice."""
    kafka, pinot = KafkaPlace(stack.kafka), PinotPlace(stack.queries)
    recoveries = []
    with simulator(folder, *kafka.flags) as running:
        run = RaceUnderWay(running, times * (away + PINOT_RESTARTED_AFTER))
        run.wait_for_first_tick(running)
        for _ in range(times):
            stack.stop("pinot")
            before = run.delivered_until(running)
            time.sleep(away)
            assert running.get("/readyz").status_code == 200
            assert run.delivered_until(running) > before
            stack.start("pinot")
            back, due = time.monotonic(), run.delivered_until(running)
            wait_for("Pinot", partial(pinot.behind, run.race, due), seconds=120, say=print)
            recoveries.append(time.monotonic() - back)
        run.wait_for_finish(running)
        _end(running, signal.SIGTERM)
    told = sum(1 for _ in kafka.events("parkrun", run.race))
    wait_for("Pinot", partial(pinot.lacks, run.race, told), seconds=120, say=print)
    return _judge(f"Pinot away for {away:.0f} s", run.race, pinot, recoveries)


def disk_full(folder: Path, times: int, away: float) -> Fault:
    """Nothing can be written to any file, the log among them, each time for `away` seconds."""

    def fill(running: Running) -> Callable[[], None]:
        _limit_files(running, 0)
        return lambda: _limit_files(running, resource.RLIM_INFINITY)

    return _sqlite_fault("disk full", folder, fill, times=times, each=away + RESTARTED_AFTER, away=away)


def file_locked(folder: Path, times: int, away: float) -> Fault:
    """Another process holds the embedded store's file, longer than a writer waits for it."""

    def lock(_: Running) -> Callable[[], None]:
        other = sqlite3.connect(folder / "race.db", timeout=30, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        return other.close

    each = BUSY + away + RESTARTED_AFTER
    return _sqlite_fault("file locked by another process", folder, lock, times=times, each=each, away=away)


def _sqlite_fault(
    what: str,
    folder: Path,
    begin: Callable[[Running], Callable[[], None]],
    *,
    times: int,
    each: float,
    away: float,
) -> Fault:
    """Have a fault begin so many times in a race that has about `each` seconds for one."""
    place = SqlitePlace(folder / "race.db")
    recoveries = []
    with simulator(folder, *place.flags) as running:
        run = RaceUnderWay(running, times * each)
        run.wait_for_first_tick(running)
        for _ in range(times):
            end = begin(running)
            _expect_not_ready(running, "the embedded store race.db takes no writes: ", within=30)
            time.sleep(away)
            end()
            back = time.monotonic()
            _wait_until_caught_up(running)
            recoveries.append(time.monotonic() - back)
        run.wait_for_finish(running)
        _end(running, signal.SIGTERM)
    return _judge(f"{what}, {place.name}", run.race, place, recoveries)


def _judge(what: str, race: Race, place: Place, recoveries: list[float], grown: float = nan) -> Fault:
    expected, found, made_up = count(race, place)
    return Fault(what, len(recoveries), expected, found, made_up, place.reordered(race), recoveries, grown)


@contextmanager
def _away(stack: Stack, how: How, seconds: float) -> Iterator[None]:
    """Take Kafka away, let the body look, and bring it back when the time is over."""
    kafka, _ = stack.processes
    assert kafka.pid() is not None
    ends = time.monotonic() + seconds
    if how == "ends":
        stack.stop("kafka")
    else:
        kafka.send(signal.SIGKILL if how == "is killed" else signal.SIGSTOP)
    try:
        yield
        time.sleep(max(0.0, ends - time.monotonic()))
    finally:
        if how == "hangs":
            kafka.send(signal.SIGCONT)
        else:
            stack.start("kafka")


def _end(running: Running, how: signal.Signals) -> None:
    """End a simulator; when it is asked to, everything has to be delivered, and soon."""
    began = time.monotonic()
    status = running.end(how)
    if how == signal.SIGTERM:
        assert status == 0, running.log.read_text()[-2000:]
        assert time.monotonic() - began < ENDED_WITHIN
    assert "Traceback" not in running.log.read_text()


def _expect_not_ready(running: Running, why: str, within: float) -> None:
    """Wait until `/readyz` gives the reason; the process lives meanwhile."""

    def trouble() -> str | None:
        answer = running.get("/readyz")
        reasons = answer.json()["reasons"]
        told = answer.status_code == 503 and any(why in reason for reason in reasons)
        return None if told else f"/readyz answers {answer.status_code}, {reasons}"

    wait_for(f"'{why}'", trouble, seconds=within, say=print)
    assert running.get("/healthz").status_code == 200


def _wait_until_caught_up(running: Running) -> None:
    """Wait until no tick is overdue, and all that was told is delivered."""

    def trouble() -> str | None:
        ready = running.get("/readyz")
        if ready.status_code != 200:
            return str(ready.json()["reasons"])
        values = running.metrics()
        late, waiting = values["racecast_lag_seconds"], values["racecast_events_waiting"]
        return f"ticks are {late:g} s late, {waiting:g} events wait" if late > 1 or waiting else None

    wait_for("the simulator", trouble, seconds=180, say=print)


def _resolved(body: dict[str, Any], run_id: str, start_at: str) -> RaceRequest:
    return RaceRequest.model_validate_json(json.dumps({**body, "run_id": run_id, "start_at": start_at}))


def _limit_files(running: Running, limit: int) -> None:
    """Limit the size of every file that the process writes."""
    _, most = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (limit, most))
