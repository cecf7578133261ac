"""The live page of a race in the middle, at sizes around and far beyond what is shown whole.

The store is filled with the race as it is at a moment; then tick after tick is written, and the dashboard's
answer is timed. Nothing else runs meanwhile, so the times are the dashboard's own.
"""

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import httpx
from confluent_kafka import Producer

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store, StoreError
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from pinot.admin.setup import set_up
from simulator.course.library import load_folder
from simulator.engine.engine import BATCH
from simulator.publishers.encode import encode
from simulator.publishers.kafka import SETTINGS
from simulator.publishers.sqlite import INSERTS
from simulator.publishers.sqlite_file import open_file
from simulator.race.events import (
    Batch,
    CourseRecord,
    Passed,
    Positions,
    Progress,
    entries_of,
    positions_at,
    positions_of_all,
    record_of,
)
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import Running, dashboard, metrics_of
from tests.stacks import stack_settings, started

SIZES = (50_000, 100_000, 1_000_000)
COURSE = "crystal-palace"
INTERVAL = 10.0
MOMENT_S = 1500.0
"""Race seconds at which the dashboard opens the race: a third has finished."""
TICKS = 5
FRESH_FOR_S = 1.5
"""Seconds after which the dashboard reads a race again."""
PATIENCE_S = 3600.0
HEAP = "-Xmx8g\n"
"""Pinot keeps the key of each row of a table with an upsert in memory: about 200 bytes."""
API = "http://127.0.0.1:9"
"""No simulator: nothing listens there."""

Write = Callable[[Iterable[Batch]], None]


@dataclass(frozen=True)
class Filled:
    """A store that can be written to, and how a dashboard and a query reach it."""

    name: str
    flags: tuple[str, ...]
    write: Write
    store: Store


@contextmanager
def sqlite(folder: Path) -> Iterator[Filled]:
    """A new SQLite file."""
    path = folder / "big.db"
    file = open_file(path)

    def write(batches: Iterable[Batch]) -> None:
        file.execute("BEGIN IMMEDIATE")
        for batch in batches:
            rows = list(batch.rows())
            for statement in INSERTS[type(batch)]:
                file.executemany(statement, rows)
        file.execute("COMMIT")

    flags = ("--store", "sqlite", "--sqlite", str(path))
    yield Filled("SQLite", flags, write, SqlStore(SqliteFile(path)))
    file.close()


@contextmanager
def pinot(folder: Path) -> Iterator[Filled]:
    """A new Kafka and Pinot, stopped afterwards."""
    with started(folder / "stack", extra={"pinot.jvm": HEAP}) as stack:
        set_up(stack_settings(stack))
        producer = Producer({**SETTINGS, "bootstrap.servers": stack.kafka})

        def write(batches: Iterable[Batch]) -> None:
            for batch in batches:
                if isinstance(batch, CourseRecord | Progress):
                    continue  # the set-up has loaded the courses
                messages = encode(batch)
                for key, value in zip(messages.keys, messages.values, strict=True):
                    _produce(producer, messages.topic, key, value)
            producer.flush(PATIENCE_S)

        flags = ("--store", "pinot", "--pinot-broker", stack.broker)
        yield Filled("Pinot", flags, write, PinotStore(Broker(stack.broker)))


def _produce(producer: Producer, topic: str, key: bytes, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


class Filling:
    """Writes a race to a store and waits until the store shows it.

    Args:
        filled: the store.
        race: the race.
    """

    def __init__(self, filled: Filled, race: Race) -> None:
        self._filled = filled
        self._race = race
        self._raw_times = 0
        self._passings = 0

    def begin(self, tick: int) -> None:
        """Write the start list, the passings up to a tick, and the positions at it."""
        race = self._race
        record = record_of(race, "running", int(time.time() * 1000), race.request.model_dump_json())
        now = positions_of_all(race, tick)
        parts = (now.take(slice(first, first + BATCH)) for first in range(0, len(now), BATCH))
        batches: tuple[Iterable[Batch], ...] = (
            [CourseRecord(race.course), record],
            entries_of(race, BATCH),
            _passed(race, BEFORE_THE_START, tick),
            map(_emitted, parts),
        )
        self._write(chain.from_iterable(batches))
        self._raw_times = int(now.raw_time.sum())
        self._wait()

    def go_on(self, tick: int) -> None:
        """Write a tick."""
        race = self._race
        positions = list(positions_at(race, tick, BATCH))
        self._write(chain(_passed(race, race.time_of(tick - 1), tick), map(_emitted, positions)))
        self._raw_times += round(sum(map(len, positions)) * INTERVAL)
        self._wait()

    def _write(self, batches: Iterable[Batch]) -> None:
        self._filled.write(self._counted(batches))

    def _counted(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            self._passings += len(batch) if isinstance(batch, Passed) else 0
            yield batch

    def _wait(self) -> None:
        wait_for(self._filled.name, self._missing, seconds=PATIENCE_S, say=print)

    def _missing(self) -> str | None:
        store, run_id = self._filled.store, self._race.run_id
        wanted = self._raw_times, self._passings, len(self._race.entrants)
        try:
            found = store.mark(run_id).raw_time, store.count_passings(run_id), store.count_competitors(run_id)
        except StoreError as error:  # Pinot is busy
            return str(error)
        return None if found == wanted else f"{found}, not {wanted}"


def _passed(race: Race, since: float, tick: int) -> Iterator[Passed]:
    """The passings after a moment up to a tick."""
    found = race.passings(since, race.time_of(tick))
    for first in range(0, len(found.who), BATCH):
        some = found.take(slice(first, first + BATCH))
        bibs = race.entrants.bib[some.who]
        yield Passed(race.run_id, race.start_ms, race.points, bibs, some.point, some.elapsed, some.distance)


def _emitted(positions: Positions) -> Positions:
    return replace(positions, emitted_at=int(time.time() * 1000))


class Asked:
    """Requests of a browser to a dashboard, timed."""

    def __init__(self, running: Running, run_id: str) -> None:
        self._prefix = f"{running.address}/racecast/races/{run_id}"
        self.size = 0
        """Bytes of the last answer, as sent."""

    def __call__(self, path: str) -> tuple[float, dict[str, Any]]:
        """Return the seconds until the whole answer is there, and the answer."""
        begun = time.perf_counter()
        with httpx.stream("GET", f"{self._prefix}/{path}", trust_env=False, timeout=PATIENCE_S) as answer:
            answer.raise_for_status()
            data = b"".join(answer.iter_raw())
        seconds = time.perf_counter() - begun
        self.size = len(data)
        return seconds, json.loads(gzip.decompress(data))


def measure(folder: Path, filled: Filled, competitors: int) -> dict[str, float]:
    """Return seconds, MiB and counts by name; `query …` are the mean seconds of a query."""
    request = RaceRequest(
        course=COURSE,
        competitors=competitors,
        pace_model="parkrun",
        entrants="drawn",
        dnf=0.01,
        how_many_get_stopped=0.1,
        interval=INTERVAL,
    ).resolved(run_id=f"big_{competitors}", name="Big", seed=1, start_at=datetime.now(UTC))
    race, tick = Race(load_folder(Path("courses")).courses[COURSE], request), round(MOMENT_S / INTERVAL)
    filling = Filling(filled, race)
    filling.begin(tick)
    with dashboard(folder, API, *filled.flags) as running:
        ask, before = Asked(running, race.run_id), running.memory()
        seconds, body = ask("positions")
        found = {"first": seconds, "bytes": float(ask.size)}
        ticks = []
        for later in range(tick + 1, tick + 1 + TICKS):
            filling.go_on(later)
            time.sleep(FRESH_FOR_S)
            seconds, body = ask("positions")
            if body["time"] < race.time_of(later):
                raise RuntimeError(f"the answer is of {body['time']} s, not of {race.time_of(later)} s")
            ticks.append(seconds)
        found |= {"tick": median(ticks), "slowest": max(ticks), "live": running.memory() - before}
        found["past"], _ = ask(f"positions?at={race.time_of(tick + 1)}")
        name = next(race.entrants.some(competitors - 1, competitors)).name
        found["search"] = ask(f"found?text={quote(name)}")[0] if "listed" in body else float("nan")
        found["results"], _ = ask("results?rank=gun")
        found["chip"], _ = ask("results?rank=chip")
        time.sleep(FRESH_FOR_S)
        found["again"], _ = ask("results?rank=gun")
        found["peak"] = running.memory(peak=True) - before
        return found | _queries(running)


def _queries(running: Running) -> dict[str, float]:
    """The mean seconds of each query of the store."""
    metrics = metrics_of(running.get("/racecast/metrics").text)
    name = "racecast_dashboard_store_duration_seconds"
    questions = [key.split('"')[1] for key in metrics if key.startswith(f"{name}_count")]
    labels = {question: f'{{question="{question}"}}' for question in questions}
    return {
        f"query {question}": metrics[f"{name}_sum{label}"] / metrics[f"{name}_count{label}"]
        for question, label in labels.items()
    }
