"""Throughput in events per second: our publisher and kcat into Kafka, and our publisher into SQLite.

Run as `python -m benchmarks.throughput kafka BOOTSTRAP` or `… sqlite FILE`; prints one line of JSON.
"""

import gc
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import react

from simulator import logs
from simulator.commands.settings import EPOCH
from simulator.course.library import load_folder
from simulator.engine.engine import BATCH
from simulator.publishers.encode import encode
from simulator.publishers.kafka import SETTINGS, KafkaPublisher
from simulator.publishers.publisher import Publisher
from simulator.publishers.sqlite import SqlitePublisher
from simulator.race.events import Positions, positions_at
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.reactor import after

COMPETITORS = 50_000
KAFKA_EVENTS = 2_000_000
SQLITE_EVENTS = 500_000
KCAT_KEYS = (
    "enable.idempotence",
    "acks",
    "partitioner",
    "compression.type",
    "linger.ms",
    "batch.num.messages",
)


def positions(run_id: str) -> Iterator[Positions]:
    """Yield a race's positions tick by tick, as the engine does."""
    course = load_folder(Path("courses")).courses["crystal-palace"]
    request = RaceRequest(course="crystal-palace", competitors=COMPETITORS, run_id=run_id)
    race = Race(course, request.resolved(run_id=run_id, name="Bench", seed=1, start_at=EPOCH))
    ticks = range(race.last_tick)
    return chain.from_iterable(positions_at(race, tick, BATCH) for tick in ticks)


async def rate(reactor: Any, publisher: Publisher, events: int) -> float:
    """Return events per second, from computing them until they are acknowledged."""
    batches = islice(positions(f"bench-{time.time_ns()}"), events // BATCH)
    start = time.perf_counter()
    for batch in batches:
        await publisher.publish(replace(batch, emitted_at=int(time.time() * 1000)))
        await after(reactor, 0)
    while publisher.health().waiting:
        await after(reactor, 0.01)
    return events / (time.perf_counter() - start)


def write_kcat_lines(path: Path) -> None:
    """Write the same events as lines for kcat."""
    with path.open("wb") as out:
        for batch in islice(positions("bench-kcat"), KAFKA_EVENTS // BATCH):
            messages = encode(replace(batch, emitted_at=int(time.time() * 1000)))
            out.writelines(b"%b\t%b\n" % pair for pair in zip(messages.keys, messages.values, strict=True))


def kcat_rate(bootstrap: str, path: Path) -> float:
    """Return the events per second of `kcat -P` with prepared lines and our settings."""
    options = chain.from_iterable(("-X", f"{key}={str(SETTINGS[key]).lower()}") for key in KCAT_KEYS)
    command = ["kcat", "-P", "-b", bootstrap, "-t", "parkrun", "-K", "\t", *options, "-l", str(path)]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return KAFKA_EVENTS / (time.perf_counter() - start)


async def kafka(reactor: Any, bootstrap: str, path: Path) -> dict[str, float]:
    """Measure our publisher and kcat alternately, twice each; return the better rates."""
    write_kcat_lines(path)
    ours, theirs = [], []
    for _ in range(2):
        publisher = KafkaPublisher(reactor, {"bootstrap.servers": bootstrap})
        ours.append(await rate(reactor, publisher, KAFKA_EVENTS))
        await publisher.close()
        if shutil.which("kcat"):
            theirs.append(kcat_rate(bootstrap, path))
    return {"publisher": max(ours), "kcat": max(theirs, default=float("nan"))}


async def sqlite(reactor: Any, path: Path) -> dict[str, float]:
    """Measure positions per second; each position is two rows."""
    publisher = SqlitePublisher(reactor, path)
    found = await rate(reactor, publisher, SQLITE_EVENTS)
    await publisher.close()
    return {"positions": found, "rows": 2 * found}


def in_separate_process(*arguments: str) -> dict[str, float]:
    """Measure in a separate process."""
    command = [sys.executable, "-m", "benchmarks.throughput", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


async def main(reactor: Any, kind: str, *arguments: str) -> None:
    """Measure, and print the result."""
    gc.freeze()  # as the simulator does
    if kind == "kafka":
        result = await kafka(reactor, arguments[0], Path(arguments[1]))
    else:
        result = await sqlite(reactor, Path(arguments[0]))
    print(json.dumps(result))


if __name__ == "__main__":
    logs.configure("console")
    react(lambda reactor: ensureDeferred(main(reactor, *sys.argv[1:])))
