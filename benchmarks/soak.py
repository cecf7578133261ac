"""Soak test: hours of races with 10,000 competitors on both stores, to find leaks and lost events.

After each race, the numbers of positions and passings in the store are compared with the core's. Samples
record the simulators' memory and CPU time and the sizes of the stores.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from confluent_kafka import Consumer, TopicPartition

from pinot.admin.topics import set_up_topics
from pinot.local.stack import Stack
from simulator.course.library import load_folder
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from tests.processes import ROOT, Running, simulator, total

COMPETITORS = 10_000
REQUEST: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": COMPETITORS,
    "how_many_get_stopped": 0.2,
    "speed": 5,
    "interval": 5,
}
"""One position per second and competitor."""
SAMPLE_INTERVAL_S = 5.0
HISTORY_MB = 1000
"""Limit of the embedded store: less than two hours of races, so that it prunes."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    """A simulator's state at a moment.

    Attributes:
        at: seconds since the start.
        races: number of finished races.
        delivered: number of delivered events.
        late: number of ticks that began more than a second late.
        resident: resident memory in MiB.
        cpu_s: CPU time in seconds.
        stored: size of the store in MiB.
    """

    at: float
    races: int
    delivered: int
    late: int
    resident: float
    cpu_s: float
    stored: float


@dataclass
class SoakRun:
    """One simulator and the results of its races.

    Attributes:
        name: the store.
        running: the simulator.
        size: returns the store's size in bytes.
        count: returns the numbers of positions and passings of a run id in the store.
        run: the current race, as the API returned it.
        races: number of finished races.
        expected: number of positions and passings of these, as the core computes them.
        found: number of positions and passings of these in the store.
        samples: the simulator's state over time.
    """

    name: str
    running: Running
    size: Callable[[], int]
    count: Callable[[str], tuple[int, int]]
    run: dict[str, Any] = field(default_factory=dict)
    races: int = 0
    expected: int = 0
    found: int = 0
    samples: list[Sample] = field(default_factory=list)

    def start_next_race(self) -> None:
        """Start the next race if none is under way."""
        if self.run:
            run = self.running.get(f"/races/{self.run['run_id']}").json()
            if run["status"] != "finished":
                return
            self.expected += expected(self.run)
            self.found += sum(self.count(self.run["run_id"]))
            self.races += 1
        response = httpx.post(f"{self.running.address}/races", json=REQUEST, trust_env=False, timeout=60)
        self.run = response.raise_for_status().json()

    def sample(self, at: float) -> None:
        """Take a sample."""
        metrics = self.running.metrics()
        with open(f"/proc/{self.running.pid}/stat") as file:  # noqa: PTH123
            cpu = sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / TICKS
        self.samples.append(
            Sample(
                at,
                self.races,
                int(total(metrics, "racecast_events_delivered_total")),
                int(metrics["racecast_late_ticks_total"]),
                self.running.memory(),
                cpu,
                self.size() / 1024**2,
            )
        )


def measure(folder: Path, stack: Stack, hours: float) -> dict[str, SoakRun]:
    """Run races on both stores for `hours`; unfinished ones are not counted."""
    set_up_topics(stack.kafka_access, partitions=4, replication=1)
    file = folder / "soak.db"
    (folder / "sqlite").mkdir()
    (folder / "kafka").mkdir()
    flags = ("--sqlite", str(file), "--history-mb", str(HISTORY_MB))
    with (
        simulator(folder / "sqlite", *flags) as on_sqlite,
        simulator(folder / "kafka", "--publisher", "kafka", "--kafka", stack.kafka) as on_kafka,
    ):
        both = [
            SoakRun(
                "SQLite", on_sqlite, lambda: _bytes(folder, "soak.db*"), lambda run: in_sqlite(file, run)
            ),
            SoakRun(
                "Kafka",
                on_kafka,
                lambda: _bytes(stack.folder / "kafka", "**/*"),
                _KafkaCount(stack.kafka),
            ),
        ]
        began = time.monotonic()
        while (at := time.monotonic() - began) < hours * 3600:
            for one in both:
                one.start_next_race()
                one.sample(at)
            time.sleep(SAMPLE_INTERVAL_S)
        for one in both:
            assert one.running.end() == 0
    return {one.name: one for one in both}


def expected(response: dict[str, Any]) -> int:
    """Return the number of positions and passings that the core computes for a race."""
    course = load_folder(ROOT / "courses").courses[REQUEST["course"]]
    known = {name: response[name] for name in ("run_id", "start_at", "seed")}
    race = Race(course, RaceRequest.model_validate_json(json.dumps({**REQUEST, **known})))
    ticks = np.ceil(race.finish_times / race.request.tick).astype(int) + 1
    return int(ticks.sum()) + len(race.passings(BEFORE_THE_START, race.duration)[0])


def in_sqlite(file: Path, run_id: str) -> tuple[int, int]:
    """Count a race's positions and passings in the embedded store."""
    with closing(sqlite3.connect(file)) as store:
        counts = [
            int(store.execute(f"SELECT count(*) FROM {table} WHERE runId = ?", (run_id,)).fetchone()[0])
            for table in ("parkrun_history", "passings")
        ]
    return counts[0], counts[1]


class _KafkaCount:
    """Counts a race's events in the topics, from the previous race's end offsets."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "soak"})
        self._from: dict[tuple[str, int], int] = {}

    def __call__(self, run_id: str) -> tuple[int, int]:
        """Return the positions and passings since the last call; races do not overlap."""
        del run_id
        return self._since("parkrun"), self._since("passings")

    def _since(self, topic: str) -> int:
        found = 0
        for partition in self._consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
            found += end - self._from.get((topic, partition), 0)
            self._from[topic, partition] = end
        return found


def _bytes(folder: Path, pattern: str) -> int:
    return sum(_size(path) for path in folder.glob(pattern))


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:  # deleted since it was listed, such as a log segment
        return 0


def intervals(samples: list[Sample], seconds: float) -> Iterator[tuple[Sample, Sample]]:
    """Yield the first and last sample of each interval of `seconds`."""
    first = samples[0]
    for sample in samples:
        if sample.at - first.at >= seconds or sample is samples[-1]:
            yield first, sample
            first = sample
