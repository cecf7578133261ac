"""Throughput in events per second: our publisher into Kafka with each format, kcat, and our one into SQLite.

Run as `python -m benchmarks.throughput kafka BOOTSTRAP LINES AVRO_REGISTRY PROTOBUF_REGISTRY` or `… sqlite
FILE`; prints one line of JSON.
"""

import gc
import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest import mock

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import react

from simulator import logs
from simulator.commands import backfill
from simulator.commands.settings import EPOCH
from simulator.course.library import load_folder
from simulator.engine.engine import BATCH
from simulator.publishers import kafka as kafka_publisher
from simulator.publishers.binary import Encoding, encoding_of
from simulator.publishers.encode import HEADERS, encode
from simulator.publishers.kafka import SETTINGS, KafkaPublisher
from simulator.publishers.publisher import Publisher
from simulator.publishers.sqlite import SqlitePublisher
from simulator.race.events import Positions, positions_at
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.reactor import after
from stream.formats import FORMATTED
from stream.registry import Schemas

COMPETITORS = 50_000
KAFKA_EVENTS = 2_000_000
BACKFILL_COMPETITORS = 5_000
BACKFILL_INTERVAL_S = 5.0
"""Of the race that `backfill` publishes, with about as many events."""
ENCODED_EVENTS = 500_000
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
    """Return the events per second of `kcat -P` with prepared lines, our settings and headers."""
    options = chain.from_iterable(("-X", f"{key}={str(SETTINGS[key]).lower()}") for key in KCAT_KEYS)
    headers = ((name, content) for name, content in HEADERS["parkrun"].items() if isinstance(content, bytes))
    options = chain(options, *(("-H", f"{name}={content.decode()}") for name, content in headers))
    command = ["kcat", "-P", "-b", bootstrap, "-t", "parkrun", "-K", "\t", *options, "-l", str(path)]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return KAFKA_EVENTS / (time.perf_counter() - start)


def cost(encoding: Encoding) -> dict[str, float]:
    """Return microseconds and bytes per event, and the milliseconds of the longest piece of a batch.

    The times are CPU times, so that other load on the machine counts little.
    """
    total = longest = size = 0.0
    for batch in islice(positions("bench"), ENCODED_EVENTS // BATCH):
        published = replace(batch, emitted_at=int(time.time() * 1000))
        start = time.thread_time()
        for messages in encoding.pieces(published):
            end = time.thread_time()
            total += end - start
            longest = max(longest, end - start)
            size += sum(map(len, messages.values))
            start = time.thread_time()
    return {"us": total / ENCODED_EVENTS * 1e6, "longest_ms": longest * 1e3, "bytes": size / ENCODED_EVENTS}


def encodings(avro_registry: str, protobuf_registry: str) -> dict[str, Encoding]:
    """Return the encoding of each format; the registries get the schemas."""
    found = {"JSON": encoding_of(None)}
    for name, url in (("Avro", avro_registry), ("Protobuf", protobuf_registry)):
        schemas = Schemas(url, "AVRO" if name == "Avro" else "PROTOBUF")
        for topic in FORMATTED:
            schemas.register(topic)
        found[name] = encoding_of(schemas)
        found[name].prepare()
    return found


async def publishing(reactor: Any, bootstrap: str, encoding: Encoding) -> dict[str, float]:
    """Return the events per second of our publisher, and its CPU microseconds per event in all threads."""
    publisher = KafkaPublisher(reactor, {"bootstrap.servers": bootstrap}, encoding=encoding)
    start = time.process_time()
    found = await rate(reactor, publisher, KAFKA_EVENTS)
    cpu = time.process_time() - start
    await publisher.close()
    return {"rate": found, "cpu_us": cpu / KAFKA_EVENTS * 1e6}


async def backfilling(reactor: Any, bootstrap: str) -> dict[str, float]:
    """Return the same of `backfill`, which publishes a whole race and waits until it is delivered."""
    publisher = KafkaPublisher(reactor, {"bootstrap.servers": bootstrap})
    run_id, course = f"bench-{time.time_ns()}", load_folder(Path("courses")).courses["crystal-palace"]
    request = RaceRequest(
        course=course.short_name,
        run_id=run_id,
        competitors=BACKFILL_COMPETITORS,
        interval=BACKFILL_INTERVAL_S,
    )
    race = Race(course, request.resolved(run_id=run_id, name="Bench", seed=1, start_at=EPOCH))
    start, cpu = time.perf_counter(), time.process_time()
    await backfill.publish(reactor, publisher, race)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    events = publisher.deliveries.delivered.total()
    await publisher.close()
    return {"rate": events / seconds, "cpu_us": cpu / events * 1e6}


async def kafka(reactor: Any, bootstrap: str, path: Path, *registries: str) -> dict[str, dict[str, float]]:
    """Measure our publisher with each format and kcat in turn, twice each; return the better figures."""
    write_kcat_lines(path)
    formats = encodings(*registries)
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    none: Mapping[str, object] = dict.fromkeys(HEADERS)
    for _ in range(2):
        for name, encoding in formats.items():
            found[name].append(cost(encoding) | await publishing(reactor, bootstrap, encoding))
        found["JSON, backfill"].append(await backfilling(reactor, bootstrap))
        with mock.patch.object(kafka_publisher, "HEADERS", none):
            found["JSON without headers"].append(await publishing(reactor, bootstrap, formats["JSON"]))
        if shutil.which("kcat"):
            found["kcat -P, prepared lines"].append({"rate": kcat_rate(bootstrap, path)})
    return {
        name: {key: (max if key == "rate" else min)(one[key] for one in some) for key in some[0]}
        for name, some in found.items()
    }


async def sqlite(reactor: Any, path: Path) -> dict[str, float]:
    """Measure positions per second; each position is two rows."""
    publisher = SqlitePublisher(reactor, path)
    found = await rate(reactor, publisher, SQLITE_EVENTS)
    await publisher.close()
    return {"positions": found, "rows": 2 * found}


def in_separate_process(*arguments: str) -> Any:
    """Measure in a separate process."""
    command = [sys.executable, "-m", "benchmarks.throughput", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


async def main(reactor: Any, kind: str, *arguments: str) -> None:
    """Measure, and print the result."""
    gc.freeze()  # as the simulator does
    result: object
    if kind == "kafka":
        result = await kafka(reactor, arguments[0], Path(arguments[1]), *arguments[2:])
    else:
        result = await sqlite(reactor, Path(arguments[0]))
    print(json.dumps(result))


if __name__ == "__main__":
    logs.configure("console")
    react(lambda reactor: ensureDeferred(main(reactor, *sys.argv[1:])))
