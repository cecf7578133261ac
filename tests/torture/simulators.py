"""Several simulators on one Kafka, started and stopped at will; all events are compared with the core's.

A take-over lasts from the fault until all parts of races have an owner again and no tick is overdue.
"""

import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
import orjson
from confluent_kafka import TopicPartition

from pinot.local.stack import Stack
from simulator.log.kafka import record_of_event
from simulator.log.states import counts
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.service.races import course_of_points
from stream.contract import read_topics
from stream.parts import parts_of
from stream.race_states import ENDED
from stream.waiting import wait_for
from tests.processes import Running, simulator
from tests.topics import partitions_of, reader
from tests.torture.event_stores import KafkaEventStore, count_events
from tests.torture.outcome import FaultResult

POINTS = [(0.0, 50.0), (0.0, 50.008)]
"""A course of 890 m: with few timing points, so that races can have many competitors."""
COURSE = course_of_points(RaceRequest(course="short", points=POINTS), None)
PARTITIONS: int = read_topics()["progress"]["partitions"]
REQUEST: dict[str, Any] = {"course": "short", "points": POINTS, "dnf": 0.05, "late": 0.1, "wrong_turn": 0.1}
SETTLED_S = 1.0
"""Lateness in seconds up to which ticks count as on time."""


class Size(NamedTuple):
    """How many competitors a race has, and how many race seconds there are between their positions."""

    competitors: int
    interval: int


class Cluster:
    """Simulators on one Kafka.

    Attributes:
        running: those that run, the oldest first.
    """

    def __init__(self, folder: Path, stack: Stack) -> None:
        self.running: list[Running] = []
        self._folder = folder
        self._flags = "--publisher", "kafka", "--kafka", stack.kafka
        self._numbers = count(1)
        self._exits: dict[int, ExitStack] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in list(self.running):
            self.end(one)

    def start(self) -> Running:
        """Start one more."""
        folder = self._folder / f"simulator-{next(self._numbers)}"
        folder.mkdir()
        exits = ExitStack()
        running = exits.enter_context(simulator(folder, *self._flags))
        self._exits[running.pid] = exits
        self.running.append(running)
        return running

    def end(self, running: Running, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop one; it must end with status 0 unless it is killed."""
        self.running.remove(running)
        status = running.end(how)
        self._exits.pop(running.pid).close()
        text = running.log.read_text()
        assert "Traceback" not in text, text[-3000:]
        assert how != signal.SIGTERM or status == 0, text[-3000:]

    def take_over(self, since: float) -> float:
        """Wait until all parts have an owner and are on time; return the seconds since the fault."""
        wait_for("the take-over", self._not_settled, seconds=120, say=print, every=0.05)
        return time.monotonic() - since

    def _not_settled(self) -> str | None:
        found = [one.metrics() for one in self.running]
        owned = sum(metrics["racecast_partitions"] for metrics in found)
        late = max(metrics["racecast_lag_seconds"] for metrics in found)
        if owned == PARTITIONS and late < SETTLED_S:
            return None
        return f"{owned:g} of {PARTITIONS} partitions have an owner, ticks are {late:.1f} s late"


class Races:
    """Races of one cluster, and the same races as the core computes them."""

    def __init__(self, cluster: Cluster, sizes: list[Size], seconds: float) -> None:
        """Create races that take about this long, at the simulators in turn."""
        self.races: list[Race] = []
        for nth, (competitors, interval) in enumerate(sizes):
            body = {**REQUEST, "competitors": competitors, "seed": nth, "interval": interval}
            plan = Race(COURSE, _resolved({**body, "competitors": 200}, "plan", "2026-01-01T00:00:00Z"))
            body["speed"] = max(0.1, round(plan.duration / seconds, 1))
            address = cluster.running[nth % len(cluster.running)].address
            response = httpx.post(f"{address}/races", json=body, trust_env=False, timeout=60)
            assert response.status_code == 201, response.text
            made = response.json()
            self.races.append(Race(COURSE, _resolved(body, made["run_id"], made["start_at"])))

    def wait_for_their_end(self, cluster: Cluster, seconds: float) -> None:
        """Wait until all simulators say that all races are finished."""

        def unfinished() -> str | None:
            for one in cluster.running:
                races = {race["run_id"]: race["status"] for race in one.get("/races").json()["races"]}
                missing = [race.run_id for race in self.races if races.get(race.run_id) != "finished"]
                if missing:
                    return f"{len(missing)} races are not finished, such as {missing[0]}"
            return None

        wait_for("the finishes", unfinished, seconds=seconds, say=print)


Fault = Callable[[Cluster], float]
"""Injects a fault and returns the seconds until its effects are over."""


def kill(cluster: Cluster) -> float:
    """Kill a simulator and start another one when the rest has taken over."""
    began = time.monotonic()
    cluster.end(cluster.running[0], signal.SIGKILL)
    seconds = cluster.take_over(began)
    cluster.start()
    cluster.take_over(began)
    return seconds


def stop(cluster: Cluster) -> float:
    """Stop a simulator; the take-over is timed from the end of its process."""
    cluster.end(cluster.running[0])
    seconds = cluster.take_over(time.monotonic())
    cluster.start()
    cluster.take_over(time.monotonic())
    return seconds


def suspended(seconds: float) -> Fault:
    """Suspend a simulator for this long, and resume it."""

    def suspend(cluster: Cluster) -> float:
        one = cluster.running.pop(0)
        one.send(signal.SIGSTOP)
        began = time.monotonic()
        taken_over = cluster.take_over(began)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        one.send(signal.SIGCONT)
        cluster.running.append(one)
        cluster.take_over(time.monotonic())
        return taken_over

    return suspend


def add_and_remove(cluster: Cluster) -> float:
    """Add a simulator, and then remove it."""
    began = time.monotonic()
    one = cluster.start()
    cluster.take_over(began)
    cluster.end(one)
    return cluster.take_over(time.monotonic())


def broker_restarted(stack: Stack) -> Fault:
    """Kill the broker and start it again at once."""

    def restart(cluster: Cluster) -> float:
        kafka, _ = stack.processes
        kafka.send(signal.SIGKILL)
        kafka.stop()  # waits until it is gone: until then it counts as running
        stack.start("kafka")
        began = time.monotonic()
        return cluster.take_over(began)

    return restart


def under_faults(
    folder: Path, stack: Stack, sizes: list[Size], seconds: float, faults: dict[str, tuple[Fault, int]]
) -> Iterator[FaultResult]:
    """Run races of about `seconds` on three simulators, and inject the faults at random, each so many times.

    Yields a result for each fault; the events are those of all races.
    """
    rng = random.Random(7)
    plan = [name for name, (_, times) in faults.items() for _ in range(times)]
    rng.shuffle(plan)
    times: dict[str, list[float]] = {name: [] for name in faults}
    with Cluster(folder, stack) as cluster:
        for _ in range(3):
            cluster.start()
        cluster.take_over(time.monotonic())
        races = Races(cluster, sizes, seconds)
        for name in plan:
            time.sleep(rng.uniform(0.0, 3.0))
            fault, _ = faults[name]
            times[name].append(fault(cluster))
        races.wait_for_their_end(cluster, 2 * seconds + 300)
    check_log(stack.kafka, races.races)
    store = KafkaEventStore(stack.kafka)
    found = [(*count_events(race, store), store.out_of_order(race)) for race in races.races]
    expected, stored, unexpected, out_of_order = (sum(column) for column in zip(*found, strict=True))
    for name, taken in times.items():
        yield FaultResult(name, len(taken), expected, stored, unexpected, out_of_order, taken)


def same_run_id(folder: Path, stack: Stack, times: int) -> int:
    """Ask two simulators at once for races with the same run ids; return how often that made one race.

    Of equal requests without a seed one is new and one known, of different ones the second is a conflict.
    """
    with Cluster(folder, stack) as cluster, ThreadPoolExecutor(2) as both:
        addresses = [cluster.start().address, cluster.start().address]
        clients = [httpx.Client(base_url=address, trust_env=False, timeout=60) for address in addresses]

        start_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()

        def create(client: httpx.Client, run_id: str, seed: int | None) -> int:
            body = {"course": "crystal-palace", "competitors": 2, "run_id": run_id, "seed": seed}
            return client.post("/races", json={**body, "start_at": start_at}).status_code

        for nth in range(times):
            seeds = [None, None] if nth % 2 else [1, 2]
            found = list(both.map(create, clients, [f"same-{nth}"] * 2, seeds))
            assert sorted(found) == ([200, 201] if nth % 2 else [201, 409])
            assert clients[nth % 2].post(f"/races/same-{nth}/cancel").status_code == 200
        listed = [client.get("/races").json()["races"] for client in clients]
        for one in clients:
            one.close()
    made = [{race["run_id"]: (race["seed"], race["status"]) for race in races} for races in listed]
    assert made[0] == made[1]
    return times


def check_log(bootstrap: str, races: list[Race]) -> None:
    """Check that no race left a final state, and that each part's progress got to its end."""
    run_ids = {race.run_id: race for race in races}
    states: dict[str, Any] = {}
    for _, event in _log(bootstrap, "races"):
        if event is None or event["runId"] not in run_ids:
            continue
        record = record_of_event(event)
        before = states.get(record.run_id)
        if counts(before, record):
            assert before is None or before.status not in ENDED or before.status == record.status
            states[record.run_id] = record
    assert {state.status for state in states.values()} == {"finished"}
    assert states.keys() == run_ids.keys()
    furthest: dict[tuple[str, int], float] = {}
    for _, event in _log(bootstrap, "progress"):
        if event is not None and event["runId"] in run_ids:
            key = event["runId"], event["part"]
            furthest[key] = max(event["deliveredUntil"], furthest.get(key, -1.0))
    for run_id, race in run_ids.items():
        for part in range(len(parts_of(race.request.competitors))):
            assert furthest[run_id, part] == race.time_of(race.last_tick)


def _log(bootstrap: str, topic: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield partition and event of all messages; None for a deletion."""
    with reader(bootstrap) as consumer:
        for partition in partitions_of(consumer, topic):
            following, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            consumer.assign([TopicPartition(topic, partition, following)])
            while following < end:
                for message in consumer.consume(1000, timeout=0.2):
                    following = (message.offset() or 0) + 1
                    value = message.value()
                    yield partition, None if value is None else orjson.loads(value)


def _resolved(body: dict[str, Any], run_id: str, start_at: str) -> RaceRequest:
    return RaceRequest.model_validate_json(json.dumps({**body, "run_id": run_id, "start_at": start_at}))
