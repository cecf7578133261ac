"""Commits: how long Pinot stops consuming a partition to write a full segment, and what each row adds.

The simulator publishes one position per second and competitor to Kafka. One table after another consumes the
topic from its end, each with another configuration or another number of rows per segment. The steps of each
commit are read from Pinot's log. Meanwhile Pinot is queried for the newest complete tick.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import httpx
import numpy as np

from benchmarks.freshness import COURSE
from benchmarks.stores import NEWEST_TICK, TickWatch, percentiles
from pinot.admin.cluster import Cluster
from pinot.admin.configs import read_schema, read_table
from pinot.admin.setup import set_up_table
from pinot.admin.topics import set_up_topics
from pinot.local.ports import HOST
from pinot.local.stack import Stack
from stream.waiting import wait_for
from tests.processes import simulator
from tests.torture.event_stores import query_pinot

COMPETITORS = 10_000
PARTITIONS = 2
SIZES = (25_000, 50_000, 100_000)
"""Rows per segment."""
COMMITS = 3
"""Commits per partition of each table."""
WARM_UP_COMMITS = 12
"""Java compiles the code of commits during the first ones, which take several times as long."""
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "former": {
        "tableIndexConfig": {
            "loadMode": "MMAP",
            "invertedIndexColumns": ["runId"],
            "noDictionaryColumns": [
                *("eventId", "lat", "lon", "location", "distance", "elapsed", "timestamp", "emittedAt")
            ],
        },
        "fieldConfigList": [],
    },
    "current": {},
}
"""What differs from `pinot/tables/parkrun.json`, by name."""
LOGGERS = ("org.apache.pinot.core.data.manager.realtime", "org.apache.pinot.controller.helix.core.realtime")
LINE = re.compile(r"(?P<at>[\d-]{10} [\d:]{8},\d{3}) INFO (?P<logger>\S+): (?P<text>.*)")
SEGMENT = r"(?P<segment>[a-z]\w*__\d+__\d+__\w+)"
STEPS = {
    "ended": re.compile(rf"LLRealtimeSegmentDataManager_{SEGMENT}: Stopping consumption due to row limit"),
    "built": re.compile(rf"LLRealtimeSegmentDataManager_{SEGMENT}: Successfully built segment"),
    "uploaded": re.compile(rf'.*"UPLOAD_SUCCESS".*/{SEGMENT}\.tmp\.'),
    "added": re.compile(rf"\S+: Adding new CONSUMING segment: {SEGMENT}"),
    "begun": re.compile(rf"LLRealtimeSegmentDataManager_{SEGMENT}: Starting consumption loop"),
}
"""Pinot's messages, with their loggers; `added` and `begun` are those of the next segment."""

Times = dict[str, float]
"""Epoch seconds by step."""


@dataclass(frozen=True)
class Commit:
    """Seconds of each step of a commit."""

    building: float
    uploading: float
    """Packing included."""
    metadata: float
    consumer: float
    """From the new segment's metadata until its consumer starts."""

    @property
    def total(self) -> float:
        """Seconds without consumption."""
        return float(sum(astuple(self)))


@dataclass(frozen=True)
class Result:
    """One table: its commits, and percentiles of tick to queryable in seconds."""

    config: str
    rows: int
    commits: list[Commit]
    ticks: Mapping[str, float]


def measure(stack: Stack, folder: Path) -> Iterator[Result]:
    """Yield the result of each size and config. A first table warms Pinot up and does not count."""
    set_up_topics(stack.kafka_access, partitions=PARTITIONS, replication=1)
    for logger in LOGGERS:
        _log_at_info(stack, logger)
    with simulator(folder, "--publisher", "kafka", "--kafka", stack.kafka) as api:
        race = {"course": COURSE, "competitors": COMPETITORS, "speed": 1, "seed": 1}
        created = httpx.post(f"{api.address}/races", json=race, trust_env=False).raise_for_status()
        run_id = created.json()["run_id"]
        _measure_table(stack, run_id, "current", SIZES[0], WARM_UP_COMMITS)
        for rows in SIZES:
            for name in CONFIGS:
                yield _measure_table(stack, run_id, name, rows, COMMITS)


def fit(results: list[Result]) -> tuple[float, float]:
    """Return a and b: a commit of r rows takes a + b·r seconds."""
    points = [(one.rows, commit.total) for one in results for commit in one.commits]
    rows, seconds = np.array(points).T
    slope, constant = np.polyfit(rows, seconds, 1)
    return float(constant), float(slope)


def _log_at_info(stack: Stack, logger: str) -> None:
    server = f"http://{HOST}:{stack.ports.server_admin}"
    httpx.put(f"{server}/loggers/{logger}", params={"level": "INFO"}, trust_env=False).raise_for_status()


def _measure_table(stack: Stack, run_id: str, name: str, rows: int, commits: int) -> Result:
    table = f"{name}_{rows}_{commits}"
    watch, stop = TickWatch(stack.broker, run_id, COMPETITORS, table), Event()
    with _table(stack, table, rows, CONFIGS[name]), ThreadPoolExecutor(1) as executor:
        wait_for(table, lambda: _incomplete(stack, table, run_id), seconds=60, say=print)
        queryable = executor.submit(watch.watch, stop)
        sleep((commits + 0.5) * rows * PARTITIONS / COMPETITORS)
        stop.set()
        seen = queryable.result()
        emitted = watch.emission_times()
    ticks = percentiles(seen, emitted, range(min(seen) + 1, max(seen)))
    return Result(name, rows, list(_commits(stack.folder / "pinot.log", table)), ticks)


@contextmanager
def _table(stack: Stack, table: str, rows: int, changes: Mapping[str, Any]) -> Iterator[None]:
    """A table of positions that consumes the topic from its end, and is dropped afterwards."""
    config = read_table("parkrun", kafka=stack.kafka, replication=1) | {"tableName": table, **changes}
    (stream,) = config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]
    stream["realtime.segment.flush.threshold.rows"] = str(rows * PARTITIONS)
    stream["stream.kafka.consumer.prop.auto.offset.reset"] = "largest"
    cluster = Cluster(stack.controller)
    set_up_table(cluster, read_schema("parkrun") | {"schemaName": table}, config, wait=60, say=_quiet)
    try:
        yield
    finally:
        cluster.delete_table(table)
        wait_for(table, lambda: cluster.traces(table), seconds=60, say=_quiet)
        cluster.delete_schema(table)


def _quiet(_: str) -> None:
    """Say nothing."""


def _incomplete(stack: Stack, table: str, run_id: str) -> str | None:
    try:
        ((count, _),) = query_pinot(stack.queries, NEWEST_TICK.format(table=table, run=run_id))
    except Exception as error:  # noqa: BLE001 - the broker does not know the table yet
        return str(error)
    return None if count == COMPETITORS else f"{count:,.0f} competitors"


def _commits(log: Path, table: str) -> Iterator[Commit]:
    """Yield the commits of a table's segments that Pinot logged completely."""
    times = _times(log, table)
    for (partition, sequence), own in times.items():
        following = times.get((partition, sequence + 1), {})
        steps = [own.get(step) for step in ("ended", "built", "uploaded")]
        steps += [following.get(step) for step in ("added", "begun")]
        if None not in steps:
            yield Commit(*np.diff(np.array(steps, float)).tolist())


def _times(log: Path, table: str) -> dict[tuple[int, int], Times]:
    """Return when each segment's steps ended, by partition and sequence number."""
    found: dict[tuple[int, int], Times] = defaultdict(dict)
    for line in filter(None, map(LINE.fullmatch, log.read_text(errors="replace").splitlines())):
        at = datetime.strptime(line["at"], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()
        for step, pattern in STEPS.items():
            message = pattern.match(f"{line['logger']}: {line['text']}")
            if message and message["segment"].startswith(f"{table}__"):
                _, partition, sequence, _ = message["segment"].split("__")
                found[int(partition), int(sequence)].setdefault(step, at)
    return found
