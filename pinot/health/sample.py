"""What the probes find: plain numbers, and when they were taken. It knows nobody that is asked.

All times are epoch seconds UTC. A part that can't be asked is a `Failure`, one that this pipeline doesn't
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
    """A part that can't be asked; `sentence` says why and what to do about it."""

    sentence: str


@dataclass(frozen=True)
class Kafka:
    """End offsets (that of the next message) by topic and partition; a topic that is missing isn't there.

    Attributes:
        ends: as said; None for a partition that has no leader just now.
        taken: when.
    """

    ends: Mapping[str, Mapping[int, int | None]]
    taken: float


@dataclass(frozen=True)
class Consumer:
    """Who reads one partition into a table; of several copies the one that is worst off.

    Attributes:
        state: Pinot's word, CONSUMING or NOT_CONSUMING; empty if no server tells of it.
        offset: that of the message which it reads next; None if it doesn't say.
        consumed_at: when it last read a message.
    """

    state: str
    offset: int | None
    consumed_at: float | None


@dataclass(frozen=True)
class Table:
    """One of Pinot's tables.

    Attributes:
        rows: how many a query counts; None if the broker can't answer for it.
        trouble: Pinot's own words for why it can't.
        size: bytes of the segments that are written; those being filled are in memory and don't count.
        fresh_at: Pinot's `minConsumingFreshnessTimeMs`: everything up to here can be asked for; None if it is
            not filled from a stream.
        consumers: by partition.
        failed, absent: segments in the state ERROR, and those that ought to be on a server and aren't.
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
    """Its tables by name; one that is missing isn't there."""

    tables: Mapping[str, Table]
    taken: float


@dataclass(frozen=True)
class Embedded:
    """The SQLite file: bytes of it and of its write-ahead log, and when its newest position was told."""

    size: int
    log_size: int
    newest: float | None
    taken: float


@dataclass(frozen=True)
class Simulator:
    """What it counts since its start, and how it is.

    Attributes:
        reasons: why events don't get through, in its own words; empty if they do.
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
    """A race that is under way by what the store says.

    Attributes:
        period: seconds of wall time between two ticks.
        newest: when the newest of its positions was handed over; None if there is none yet.
        noted: when its own row was written last.
    """

    run_id: str
    period: float
    newest: float | None
    noted: float

    @property
    def heard(self) -> float:
        """When anything was last heard of it."""
        return max(self.noted, self.newest or 0.0)


@dataclass(frozen=True)
class Races:
    """The races that the store has as running, in no order."""

    running: tuple[RaceNews, ...]
    taken: float


@dataclass(frozen=True)
class Sample:
    """The whole pipeline at one moment; `defects` are by table, None if they aren't known."""

    taken: float
    simulator: Simulator | Failure
    races: Races | Failure
    kafka: Kafka | Failure | None = None
    pinot: Pinot | Failure | None = None
    embedded: Embedded | Failure | None = None
    defects: Mapping[str, Defects] | None = None
