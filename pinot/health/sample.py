"""Probe results: plain numbers and when they were taken.

All times are epoch seconds UTC. A part that is unavailable is a `Failure`; one that the pipeline does not
have is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from stream.contract import read_topics

Part = TypeVar("Part")

ALL_TOPICS = tuple(read_topics())
"""The names of the topics: those with a table, and `progress`, which Pinot does not ingest."""


@dataclass(frozen=True)
class Failure:
    """A part that is unavailable; `sentence` says why and what to do."""

    sentence: str


def known(part: Part | Failure | None) -> Part | None:
    """Return a part's figures; None if it is unavailable or not in the pipeline."""
    return None if isinstance(part, Failure) else part


@dataclass(frozen=True)
class Kafka:
    """End offsets by topic and partition; None for a partition without a leader."""

    ends: Mapping[str, Mapping[int, int | None]]
    taken: float


@dataclass(frozen=True)
class Consumer:
    """A table's consumer of one partition; of several replicas the worst.

    Attributes:
        state: Pinot's CONSUMING or NOT_CONSUMING; empty if no server reports it.
        offset: next offset to consume; None if unknown.
    """

    state: str
    offset: int | None


@dataclass(frozen=True)
class Table:
    """One of Pinot's tables.

    Attributes:
        rows: row count; None if the broker cannot query the table.
        trouble: Pinot's error message, if so.
        size: bytes of committed segments; consuming segments are in memory and do not count.
        fresh_at: Pinot's `minConsumingFreshnessTimeMs`: queries see everything up to here; None for an
            OFFLINE table.
        consumers: by partition.
        failed, absent: segments in the state ERROR, and segments missing from a server.
    """

    rows: int | None
    trouble: str
    size: int
    fresh_at: float | None
    consumers: Mapping[int, Consumer]
    failed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def offset(self, partition: int) -> int | None:
        """Return the next offset to consume from a partition; None if unknown."""
        consumer = self.consumers.get(partition)
        return consumer.offset if consumer else None


@dataclass(frozen=True)
class Pinot:
    """Pinot's tables by name; missing tables are left out."""

    tables: Mapping[str, Table]
    taken: float


@dataclass(frozen=True)
class Defects:
    """What is wrong with the events of one table.

    Attributes:
        incomplete: rows, superseded ones too, that lack a required field or have an impossible value.
        rowless: messages that Pinot read, or that Kafka deleted before Pinot read them, and that are in no
            row of the segments that still exist. None if unknown: for a compacted topic, whose offsets have
            gaps, and while the table is never idle.
    """

    incomplete: int
    rowless: int | None


@dataclass(frozen=True)
class Embedded:
    """The SQLite file: its size and that of its write-ahead log in bytes, and its newest `emittedAt`."""

    size: int
    log_size: int
    newest: float | None
    taken: float


@dataclass(frozen=True)
class Simulator:
    """The simulator's metrics and readiness.

    Attributes:
        reasons: why it is not ready, from `/readyz`; empty if it is.
        ticks, late_ticks, delivered, errors, retries: counted since its start.
        waiting: events not yet delivered.
        lag: seconds by which its most overdue tick is late.
        running: races under way.
    """

    reasons: tuple[str, ...]
    ticks: float
    late_ticks: float
    delivered: float
    errors: float
    retries: float
    waiting: float
    lag: float
    running: float
    taken: float


@dataclass(frozen=True)
class Member:
    """A simulator of the group.

    Attributes:
        name: its client id: machine and process.
        host: the address from which it is connected to Kafka.
        partitions: of the topic `progress`; it publishes the parts of races in them.
    """

    name: str
    host: str
    partitions: frozenset[int]


@dataclass(frozen=True)
class Group:
    """The consumer group of the simulators, and how far the parts of races are delivered.

    Attributes:
        members: the simulators, by name.
        partitions: how many partitions the topic `progress` has.
        settled: False while Kafka distributes the partitions: it does not say then who has which.
        delivered: race seconds up to which a part is delivered, by run id and number of the part; parts
            without a record are left out. None if the records could not be read in time.
    """

    members: tuple[Member, ...]
    partitions: int
    settled: bool
    delivered: Mapping[tuple[str, int], float] | None
    taken: float

    def owner(self, partition: int) -> Member | None:
        """Return the owner of a partition; None if it has none, or if that is unknown."""
        return next((member for member in self.members if partition in member.partitions), None)

    @property
    def unowned(self) -> frozenset[int]:
        """The partitions without an owner; empty while that is unknown."""
        owned = frozenset[int]().union(*(member.partitions for member in self.members))
        return frozenset(range(self.partitions)) - owned if self.settled else frozenset()


@dataclass(frozen=True)
class RaceNews:
    """A running race, according to the store.

    Attributes:
        period: seconds of wall time between two ticks.
        newest: when its newest position was emitted; None before the first.
        noted: when its own row was last written.
        competitors: how many it has.
        speed: race seconds per second.
        clock_start: the gun, later by all pauses since: its race time counts from here.
        is_replay: `python -m simulator replay` publishes it, and no simulator of the group.
    """

    run_id: str
    period: float
    newest: float | None
    noted: float
    competitors: int
    speed: float
    clock_start: float
    is_replay: bool

    @classmethod
    def of_row(cls, row: Sequence[Any], newest: float | None) -> "RaceNews":
        """Convert a row of the columns of the files `…_running.sql`; times are in epoch milliseconds.

        An `interval` of 0 stands for the API's default, and so does a `clockStart` for the start time.
        """
        run_id, speed, interval, updated, competitors, clock_start, start, replay = row
        return cls(
            run_id=run_id,
            period=(interval or max(1.0, speed)) / speed,
            newest=None if newest is None else newest / 1000,
            noted=updated / 1000,
            competitors=competitors,
            speed=speed,
            clock_start=(clock_start or start) / 1000,
            is_replay=bool(replay),
        )


@dataclass(frozen=True)
class Races:
    """The races that the store lists as running, unordered."""

    running: tuple[RaceNews, ...]
    taken: float


@dataclass(frozen=True)
class Sample:
    """The whole pipeline at one moment; `defects` are by table, None if unknown."""

    taken: float
    simulator: Simulator | Failure
    races: Races | Failure
    group: Group | Failure | None = None
    kafka: Kafka | Failure | None = None
    pinot: Pinot | Failure | None = None
    embedded: Embedded | Failure | None = None
    defects: Mapping[str, Defects] | None = None

    def ends(self, topic: str) -> Mapping[int, int | None]:
        """Return the end offsets of a topic by partition; empty if unknown."""
        kafka = known(self.kafka)
        return kafka.ends.get(topic, {}) if kafka else {}

    def table(self, name: str) -> Table | None:
        """Return one of Pinot's tables; None if unknown."""
        pinot = known(self.pinot)
        return pinot.tables.get(name) if pinot else None
