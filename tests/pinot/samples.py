"""Samples of a healthy pipeline, for tests that change one thing in it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pinot.health.sample import (
    Consumer,
    Embedded,
    Group,
    Kafka,
    Member,
    Pinot,
    RaceNews,
    Races,
    Sample,
    Simulator,
    Table,
)
from stream.contract import TABLES, read_topics
from stream.parts import parts_of

NOW = 1_800_000_000.0
BEGAN = NOW - 1000
"""The gun of all races."""
PARTITIONS = {name: topic["partitions"] or 2 for name, topic in read_topics().items()}


def race(
    run_id: str = "run",
    *,
    period: float = 1.0,
    age: float | None = 0.5,
    noted: float = 1.0,
    **other: Any,
) -> RaceNews:
    """Return a race; `age` and `noted` are the ages of its newest position and its own row in seconds."""
    plain = {"competitors": 100, "speed": 1.0, "clock_start": BEGAN, "is_replay": False}
    return RaceNews(run_id, period, None if age is None else NOW - age, NOW - noted, **{**plain, **other})


def member(name: str, *partitions: int) -> Member:
    """Return a simulator with these partitions."""
    return Member(name, "10.0.0.7", frozenset(partitions))


def group(
    *races: RaceNews, taken: float = NOW, behind: Mapping[str, float] = MappingProxyType({}), **other: Any
) -> Group:
    """Return a group of two simulators that publish these races on time, except what is given.

    behind: seconds that have no record of progress yet, by run id.
    """
    delivered = {
        (race.run_id, part): (taken - race.clock_start - behind.get(race.run_id, 0.0)) * race.speed
        for race in races
        for part in range(len(parts_of(race.competitors)))
    }
    members = member("one", 0, 1, 2, 3, 4, 5), member("two", 6, 7, 8, 9, 10, 11)
    plain = Group(members, PARTITIONS["progress"], settled=True, delivered=delivered, taken=taken)
    return replace(plain, **other)


def table(offset: int = 100, partitions: int = 2, **other: Any) -> Table:
    """Return a table that has consumed each partition up to `offset`."""
    consumers = {number: Consumer("CONSUMING", offset) for number in range(partitions)}
    return replace(Table(10, "", 1000, NOW - 1, consumers), **other)


def tables(offset: int = 100, **other: Table) -> dict[str, Table]:
    """Return all tables, healthy except those given."""
    known = {name: table(offset, count) for name, count in PARTITIONS.items()}
    known["courses"] = Table(4, "", 50_000, None, {})
    return {name: (known | other)[name] for name in TABLES}


def ends(offset: int = 100, **other: dict[int, int | None]) -> dict[str, dict[int, int | None]]:
    """Return the end offsets of all topics, the same in every partition except those given."""
    known: dict[str, dict[int, int | None]] = {
        name: dict.fromkeys(range(count), offset) for name, count in PARTITIONS.items()
    }
    return known | other


def simulator(**other: Any) -> Simulator:
    """Return a healthy simulator with one race."""
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
    """Return a sample of a healthy pipeline with Kafka and Pinot, `ago` seconds old, except what is given."""
    taken = NOW - ago
    healthy = Sample(
        taken=taken,
        simulator=simulator(taken=taken),
        races=Races(races or (race(),), taken),
        group=group(*races or (race(),), taken=taken),
        kafka=Kafka(ends(offset), taken),
        pinot=Pinot(tables(offset), taken),
    )
    return replace(healthy, **other)


def embedded_sample(*races: RaceNews, **other: Any) -> Sample:
    """Return a sample of a healthy pipeline with the embedded store, except what is given."""
    store = replace(Embedded(1_500_000, 4_000_000, NOW - 0.5, NOW), **other)
    return Sample(NOW, simulator(), Races(races or (race(),), NOW), embedded=store)
