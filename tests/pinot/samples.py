"""Samples of a pipeline that is well, for tests that make one thing of it wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pinot.health.sample import (
    Consumer,
    Embedded,
    Kafka,
    Pinot,
    RaceNews,
    Races,
    Sample,
    Simulator,
    Table,
)
from stream.contract import TABLES, read_topics

NOW = 1_800_000_000.0
PARTITIONS = {name: 2 if topic["partitioned"] else 1 for name, topic in read_topics().items()}


def race(
    run_id: str = "run", *, period: float = 1.0, age: float | None = 0.5, noted: float = 1.0
) -> RaceNews:
    """A race whose newest position and own row are so many seconds old."""
    return RaceNews(run_id, period, None if age is None else NOW - age, NOW - noted)


def table(offset: int = 100, partitions: int = 2, **other: Any) -> Table:
    """A table that has read each partition up to `offset`."""
    consumers = {number: Consumer("CONSUMING", offset) for number in range(partitions)}
    return replace(Table(10, "", 1000, NOW - 1, consumers), **other)


def tables(offset: int = 100, **other: Table) -> dict[str, Table]:
    """All tables, all of them well but for those that are given."""
    known = {name: table(offset, count) for name, count in PARTITIONS.items()}
    known["courses"] = Table(4, "", 50_000, None, {})
    return {name: (known | other)[name] for name in TABLES}


def ends(offset: int = 100, **other: dict[int, int | None]) -> dict[str, dict[int, int | None]]:
    """End offsets of all topics, as high in every partition."""
    known: dict[str, dict[int, int | None]] = {
        name: dict.fromkeys(range(count), offset) for name, count in PARTITIONS.items()
    }
    return known | other


def simulator(**other: Any) -> Simulator:
    """One that tells one race."""
    return replace(
        Simulator(
            reasons=(),
            ticks=100.0,
            late_ticks=0.0,
            delivered=1000.0,
            errors=0.0,
            retries=0.0,
            waiting=0.0,
            lag=0.0,
            running=1.0,
            taken=NOW,
        ),
        **other,
    )


def sample(*races: RaceNews, ago: float = 0.0, offset: int = 100, **other: Any) -> Sample:
    """A pipeline with Kafka and Pinot that is well, so many seconds ago, but for what is given."""
    taken = NOW - ago
    well = Sample(
        taken=taken,
        simulator=simulator(taken=taken),
        races=Races(races or (race(),), taken),
        kafka=Kafka(ends(offset), taken),
        pinot=Pinot(tables(offset), taken),
    )
    return replace(well, **other)


def embedded_sample(*races: RaceNews, **other: Any) -> Sample:
    """A pipeline with the embedded store that is well, but for what is given."""
    store = replace(Embedded(1_500_000, 4_000_000, NOW - 0.5, NOW), **other)
    return Sample(NOW, simulator(), Races(races or (race(),), NOW), embedded=store)
