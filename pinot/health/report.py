"""The pipeline report: each part's light, sentence and figures, and the two tables. Pure functions.

Shown by the dashboard and `python -m pinot status`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pinot.health import figures, words
from pinot.health.judge import judge
from pinot.health.sample import known
from pinot.health.verdict import Light

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinot.health.figures import TableRow, TopicRow
    from pinot.health.sample import Sample
    from pinot.health.verdict import Verdict


@dataclass(frozen=True)
class Figure:
    """One number of a part; None if unknown. `form` formats it."""

    key: str
    label: str
    value: float | None
    form: Callable[[float | None], str]

    @property
    def text(self) -> str:
        """The formatted value."""
        return self.form(self.value)


@dataclass(frozen=True)
class Part:
    """One part of the pipeline."""

    name: str
    verdict: Verdict
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Report:
    """The pipeline at the time `taken` (epoch seconds).

    `freshness`: age in seconds of the newest position of the most overdue race; None if there is none.
    """

    taken: float
    freshness: float | None
    parts: tuple[Part, ...]
    topics: tuple[TopicRow, ...]
    tables: tuple[TableRow, ...]

    @property
    def is_well(self) -> bool:
        """Whether every part is green or grey."""
        return all(part.verdict.light in {Light.GREEN, Light.GREY} for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON: seconds, bytes and counts as numbers, null if unknown."""
        return {
            "taken": self.taken,
            "parts": {
                part.name: {
                    "light": part.verdict.light.value,
                    "sentence": part.verdict.sentence,
                    **{figure.key: figure.value for figure in part.figures},
                }
                for part in self.parts
            },
            "topics": _by_name(self.topics),
            "tables": _by_name(self.tables),
        }


def _by_name(rows: Iterable[TopicRow | TableRow]) -> dict[str, dict[str, Any]]:
    columns = map(asdict, rows)
    return {row.pop("name"): row for row in columns}


def report(samples: Sequence[Sample]) -> Report:
    """Report on the newest of `samples` (at least one), with rates from the earlier ones."""
    now = samples[-1]
    then = figures.before(samples, now)
    of_part = {
        "Simulator": _of_simulator,
        "Kafka": _of_kafka,
        "Pinot": _of_pinot,
        "Embedded store": _of_embedded,
        "End to end": _of_races,
    }
    return Report(
        taken=now.taken,
        freshness=_freshness(now),
        parts=tuple(
            Part(name, verdict, of_part[name](now, then)) for name, verdict in judge(now, then).items()
        ),
        topics=figures.topic_rows(now, then) if now.kafka else (),
        tables=figures.table_rows(now) if now.pinot else (),
    )


def _of_simulator(now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    found = known(now.simulator)
    rate = partial(figures.counted_per_second, found, known(then.simulator if then else None))

    def level(name: str) -> float | None:
        return getattr(found, name, None)

    return (
        Figure("races", "Races", level("running"), words.count),
        Figure("ticks_per_second", "Ticks", rate("ticks"), words.per_second),
        Figure("late_ticks_per_second", "Late ticks", rate("late_ticks"), words.per_second),
        Figure("lag_seconds", "Lag", level("lag"), words.seconds),
        Figure("events_waiting", "Events waiting", level("waiting"), words.count),
        Figure("delivered_per_second", "Delivered", rate("delivered"), words.per_second),
        Figure("errors", "Delivery errors", level("errors"), words.count),
        Figure("retries", "Batches retried", level("retries"), words.count),
    )


def _of_kafka(now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    rows = figures.topic_rows(now, then)
    there = sum(row.partitions is not None for row in rows) if known(now.kafka) else None
    return (
        Figure("topics", "Topics", there, words.count),
        Figure("partitions", "Partitions", _sum(row.partitions for row in rows), words.count),
        Figure("messages", "Messages in total", _sum(row.messages for row in rows), words.count),
        Figure("messages_per_second", "Incoming", _sum(row.per_second for row in rows), words.per_second),
    )


def _of_pinot(now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    rows = figures.table_rows(now)
    there = sum(row.rows is not None for row in rows) if known(now.pinot) else None
    lag = _sum(row.lag for row in figures.topic_rows(now, then))
    return (
        Figure("tables", "Tables", there, words.count),
        Figure("rows", "Rows", _sum(row.rows for row in rows), words.count),
        Figure("size_bytes", "Written segments", _sum(row.size for row in rows), words.size),
        Figure("lag", "Messages behind", lag, words.count),
        Figure("incomplete", "Incomplete rows", _sum(row.incomplete for row in rows), words.count),
        Figure("rowless", "Messages without a row", _sum(row.rowless for row in rows), words.count),
    )


def _of_embedded(now: Sample, _then: Sample | None) -> tuple[Figure, ...]:
    found = known(now.embedded)
    newest = found.taken - found.newest if found and found.newest is not None else None
    return (
        Figure("size_bytes", "File", found.size if found else None, words.size),
        Figure("log_bytes", "Write-ahead log", found.log_size if found else None, words.size),
        Figure("newest_seconds", "Age of newest position", newest, words.seconds),
    )


def _of_races(now: Sample, _then: Sample | None) -> tuple[Figure, ...]:
    races = known(now.races)
    race = figures.worst(races) if races else None
    running = len(figures.under_way(races)) if races else None
    left = len(races.running) - running if races and running is not None else None
    return (
        Figure("age_seconds", "Newest position", _freshness(now), words.seconds),
        Figure("expected_seconds", "Expected every", race.period if race else None, words.seconds),
        Figure("races", "Races under way", running, words.count),
        Figure("left_over", "Abandoned races", left, words.count),
    )


def _freshness(sample: Sample) -> float | None:
    races = known(sample.races)
    race = figures.worst(races) if races else None
    return figures.age(race, races.taken) if races and race else None


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum of the known values; None if there are none."""
    present = [value for value in values if value is not None]
    return sum(present) if present else None
