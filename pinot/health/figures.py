"""Figures computed from two samples: rates, Pinot's lag, and the rows of the tables. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from pinot.health.sample import known
from pinot.health.thresholds import ABANDONED_AFTER_S
from stream.contract import TABLES, TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinot.health.sample import RaceNews, Races, Sample, Simulator, Table

WINDOW_S = 10.0
"""Window of rates: long enough that a race with a tick every few seconds has a steady rate."""

OLDEST_S = 3 * WINDOW_S
"""Older samples are not compared with."""


@dataclass(frozen=True)
class TopicRow:
    """A topic's row; None means unknown. `lag`: messages not yet consumed by Pinot."""

    name: str
    partitions: int | None
    messages: int | None
    per_second: float | None
    lag: int | None


@dataclass(frozen=True)
class TableRow:
    """A table's row; None means unknown.

    Attributes:
        size: bytes of committed segments.
        consuming: partitions being consumed, and all partitions; (0, 0) for an OFFLINE table.
        fresh: age in seconds of the newest data that queries see.
        incomplete, rowless: rows with missing values, and messages without a row (see `Defects`).
    """

    name: str
    rows: int | None
    size: int | None
    consuming: tuple[int, int]
    fresh: float | None
    incomplete: int | None
    rowless: int | None


def before(samples: Sequence[Sample], now: Sample) -> Sample | None:
    """Return the sample to compare `now` with: the newest at least `WINDOW_S` older, else the oldest."""
    recent = [one for one in samples if now.taken - OLDEST_S <= one.taken < now.taken]
    old = [one for one in recent if one.taken <= now.taken - WINDOW_S]
    taken = attrgetter("taken")
    return max(old, key=taken) if old else min(recent, key=taken, default=None)


def messages(ends: Mapping[int, int | None]) -> int | None:
    """Return the sum of a topic's end offsets: all messages ever published to it."""
    offsets = [end for end in ends.values() if end is not None]
    return sum(offsets) if offsets and len(offsets) == len(ends) else None


def messages_per_second(now: Sample, then: Sample | None, topic: str) -> float | None:
    """Return a topic's message rate; None if unknown or if the topic was recreated in between."""
    kafka, former = known(now.kafka), known(then.kafka if then else None)
    if then is None or kafka is None or former is None:
        return None
    return _rate(messages(now.ends(topic)), messages(then.ends(topic)), kafka.taken - former.taken)


def counted_per_second(now: Simulator | None, then: Simulator | None, counter: str) -> float | None:
    """Return the rate of a simulator counter; None if unknown or if the simulator restarted in between."""
    if now is None or then is None:
        return None
    return _rate(getattr(now, counter), getattr(then, counter), now.taken - then.taken)


def _rate(now: float | None, then: float | None, span: float) -> float | None:
    if now is None or then is None or now < then or span <= 0:
        return None
    return (now - then) / span


def lags(ends: Mapping[int, int | None], table: Table | None) -> dict[int, int]:
    """Return the lag of each partition for which both offsets are known.

    Both are read at about the same time, so Pinot may be ahead of the end offset: that counts as 0.
    """
    if table is None:
        return {}
    offsets = ((partition, end, table.offset(partition)) for partition, end in ends.items())
    return {
        partition: max(0, end - offset)
        for partition, end, offset in offsets
        if end is not None and offset is not None
    }


def topic_rows(now: Sample, then: Sample | None) -> tuple[TopicRow, ...]:
    """Return a row for each expected topic."""
    return tuple(_topic_row(name, now, then) for name in TOPICS)


def _topic_row(name: str, now: Sample, then: Sample | None) -> TopicRow:
    ends = now.ends(name)
    behind = lags(ends, now.table(name))
    return TopicRow(
        name=name,
        partitions=len(ends) or None,
        messages=messages(ends),
        per_second=messages_per_second(now, then, name),
        lag=sum(behind.values()) if ends and len(behind) == len(ends) else None,
    )


def table_rows(now: Sample) -> tuple[TableRow, ...]:
    """Return a row for each expected table."""
    return tuple(_table_row(name, now) for name in TABLES)


def _table_row(name: str, now: Sample) -> TableRow:
    table = now.table(name)
    defects = (now.defects or {}).get(name)
    consumers = table.consumers.values() if table else ()
    fresh_at = table.fresh_at if table else None
    return TableRow(
        name=name,
        rows=table.rows if table else None,
        size=table.size if table else None,
        consuming=(sum(one.state == "CONSUMING" for one in consumers), len(consumers)),
        fresh=None if fresh_at is None else max(0.0, now.taken - fresh_at),
        incomplete=defects.incomplete if defects else None,
        rowless=defects.rowless if defects else None,
    )


def under_way(races: Races) -> tuple[RaceNews, ...]:
    """Return the races that a simulator still publishes; abandoned ones are left out."""
    return tuple(race for race in races.running if races.taken - race.heard < ABANDONED_AFTER_S)


def worst(races: Races) -> RaceNews | None:
    """Return the most overdue race under way; None if none of them has a position."""
    positioned = [race for race in under_way(races) if race.newest is not None]
    return max(positioned, key=lambda race: overdue(race, races.taken), default=None)


def age(race: RaceNews, now: float) -> float:
    """Return the age of its newest position in seconds."""
    return max(0.0, now - (race.newest or now))


def overdue(race: RaceNews, now: float) -> float:
    """Return by how many seconds its next position is late; negative if it is not due yet."""
    return age(race, now) - race.period
