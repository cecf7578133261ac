"""Probe results: plain numbers and when they were taken.

All times are epoch seconds UTC. A part that is unavailable is a `Failure`; one that the pipeline does not
have is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinot.health.incomplete import Defects


@dataclass(frozen=True)
class Failure:
    """A part that is unavailable; `sentence` says why and what to do."""

    sentence: str


@dataclass(frozen=True)
class Kafka:
    """Kafka's topics.

    Attributes:
        ends: end offsets by topic and partition; None for a partition without a leader.
    """

    ends: Mapping[str, Mapping[int, int | None]]
    taken: float


@dataclass(frozen=True)
class Consumer:
    """A table's consumer of one partition; of several replicas the worst.

    Attributes:
        state: Pinot's CONSUMING or NOT_CONSUMING; empty if no server reports it.
        offset: next offset to consume; None if unknown.
        consumed_at: when it last consumed a message.
    """

    state: str
    offset: int | None
    consumed_at: float | None


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


@dataclass(frozen=True)
class Pinot:
    """Pinot's tables by name; missing tables are left out."""

    tables: Mapping[str, Table]
    taken: float


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
class RaceNews:
    """A running race, according to the store.

    Attributes:
        period: seconds of wall time between two ticks.
        newest: when its newest position was emitted; None before the first.
        noted: when its own row was last written.
    """

    run_id: str
    period: float
    newest: float | None
    noted: float

    @property
    def heard(self) -> float:
        """When its newest event was emitted."""
        return max(self.noted, self.newest or 0.0)


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
    kafka: Kafka | Failure | None = None
    pinot: Pinot | Failure | None = None
    embedded: Embedded | Failure | None = None
    defects: Mapping[str, Defects] | None = None
