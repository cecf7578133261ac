"""What two samples say together: rates, how far behind Pinot is, and the tables that are shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinot.health.sample import Failure, Kafka, Pinot, Races, Simulator
from pinot.health.thresholds import ABANDONED_AFTER_S
from stream.contract import TABLES
from stream.topics import read_topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinot.health.sample import RaceNews, Sample, Table

WINDOW_S = 10.0
"""Rates are over so long, so that a race which tells every few seconds has one rate and not two by turns."""

OLDEST_S = 3 * WINDOW_S
"""A sample from before that is no measure: nobody has looked since."""


@dataclass(frozen=True)
class TopicRow:
    """A topic as it is shown; None is what isn't known. `lag`: messages that Pinot hasn't read yet."""

    name: str
    partitions: int | None
    messages: int | None
    per_second: float | None
    lag: int | None


@dataclass(frozen=True)
class TableRow:
    """A table as it is shown; None is what isn't known.

    Attributes:
        size: bytes of written segments.
        consuming: partitions that are read, of so many; both 0 for a table that isn't filled from a stream.
        fresh: seconds since the moment up to which everything can be asked for.
        incomplete, rowless: rows that lack something, and messages that are in no row (see `defects`).
    """

    name: str
    rows: int | None
    size: int | None
    consuming: tuple[int, int]
    fresh: float | None
    incomplete: int | None
    rowless: int | None


def before(samples: Sequence[Sample], now: Sample) -> Sample | None:
    """The sample to compare `now` with: the newest that is `WINDOW_S` older, else the oldest there is."""
    known = [one for one in samples if now.taken - OLDEST_S <= one.taken < now.taken]
    old = [one for one in known if one.taken <= now.taken - WINDOW_S]
    return max(old, key=_taken) if old else min(known, key=_taken, default=None)


def _taken(sample: Sample) -> float:
    return sample.taken


def messages(kafka: Kafka, topic: str) -> int | None:
    """End offsets of all partitions added up: the messages that there ever were."""
    ends = kafka.ends.get(topic)
    known = [end for end in (ends or {}).values() if end is not None]
    return sum(known) if ends and len(known) == len(ends) else None


def messages_per_second(now: Sample, then: Sample | None, topic: str) -> float | None:
    """Of one topic; None if it isn't known, or if the topic was made anew in between."""
    if then is None or not isinstance(now.kafka, Kafka) or not isinstance(then.kafka, Kafka):
        return None
    return _rate(
        messages(now.kafka, topic),
        messages(then.kafka, topic),
        now.kafka.taken - then.kafka.taken,
    )


def counted_per_second(now: Simulator, then: Simulator | Failure | None, counter: str) -> float | None:
    """What the simulator counts; None if it isn't known, or if it was started anew in between."""
    if not isinstance(then, Simulator):
        return None
    return _rate(getattr(now, counter), getattr(then, counter), now.taken - then.taken)


def _rate(now: float | None, then: float | None, span: float) -> float | None:
    if now is None or then is None or now < then or span <= 0:
        return None
    return (now - then) / span


def lags(kafka: Kafka | Failure | None, topic: str, table: Table | None) -> dict[int, int]:
    """Messages of each partition that the table hasn't read, where both sides are known.

    Both are asked at about the same time, so a message may be read before it was counted: that is 0.
    """
    if not isinstance(kafka, Kafka) or table is None:
        return {}
    found = {}
    for partition, end in kafka.ends.get(topic, {}).items():
        consumer = table.consumers.get(partition)
        if end is not None and consumer is not None and consumer.offset is not None:
            found[partition] = max(0, end - consumer.offset)
    return found


def topic_rows(now: Sample, then: Sample | None) -> tuple[TopicRow, ...]:
    """Every topic that there ought to be."""
    tables = now.pinot.tables if isinstance(now.pinot, Pinot) else {}
    kafka = now.kafka if isinstance(now.kafka, Kafka) else None
    rows = []
    for name in read_topics():
        behind = lags(kafka, name, tables.get(name))
        partitions = kafka.ends.get(name) if kafka else None
        rows.append(
            TopicRow(
                name=name,
                partitions=len(partitions) if partitions else None,
                messages=messages(kafka, name) if kafka else None,
                per_second=messages_per_second(now, then, name),
                lag=sum(behind.values()) if partitions and len(behind) == len(partitions) else None,
            )
        )
    return tuple(rows)


def table_rows(now: Sample) -> tuple[TableRow, ...]:
    """Every table that there ought to be."""
    return tuple(_table_row(name, now) for name in TABLES)


def _table_row(name: str, now: Sample) -> TableRow:
    table = now.pinot.tables.get(name) if isinstance(now.pinot, Pinot) else None
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
    """Those that somebody tells: what was left over as running isn't."""
    return tuple(race for race in races.running if races.taken - race.heard < ABANDONED_AFTER_S)


def worst(races: Races) -> RaceNews | None:
    """Of the races under way the one that is most overdue; None if none of them has a position."""
    told = [race for race in under_way(races) if race.newest is not None]
    return max(told, key=lambda race: overdue(race, races.taken), default=None)


def age(race: RaceNews, now: float) -> float:
    """Seconds since its newest position was handed over."""
    return max(0.0, now - (race.newest or now))


def overdue(race: RaceNews, now: float) -> float:
    """Seconds by which its next position is late; less than 0 if it isn't due yet."""
    return age(race, now) - race.period
