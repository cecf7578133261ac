"""The pipeline report: each part's light, sentence and figures, and the tables. Pure functions.

Shown by the dashboard and `python -m pinot status`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pinot.health import figures, words
from pinot.health.judge import judge
from pinot.health.parts import latest, parts_under_way
from pinot.health.sample import ALL_TOPICS, Member, Sample, known
from pinot.health.verdict import Light, Verdict
from stream.contract import TABLES


@dataclass(frozen=True)
class Figure:
    """One number; None if unknown. `form` formats it."""

    key: str
    label: str
    value: float | str | tuple[int, int] | None
    form: Callable[[Any], str]

    @property
    def text(self) -> str:
        """The formatted value."""
        return words.UNKNOWN if self.value is None else self.form(self.value)


@dataclass(frozen=True)
class Row:
    """The figures of a topic, a table or a simulator."""

    name: str
    figures: tuple[Figure, ...]

    @property
    def numbers(self) -> dict[str, Any]:
        """The values by key."""
        return {figure.key: figure.value for figure in self.figures}


@dataclass(frozen=True)
class Part(Row):
    """The figures of one part of the pipeline, and the verdict on it."""

    verdict: Verdict


@dataclass(frozen=True)
class Report:
    """The pipeline at the time `taken` (epoch seconds)."""

    taken: float
    parts: tuple[Part, ...]
    topics: tuple[Row, ...]
    tables: tuple[Row, ...]
    simulators: tuple[Row, ...]

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
                    **part.numbers,
                }
                for part in self.parts
            },
            "topics": {row.name: row.numbers for row in self.topics},
            "tables": {row.name: row.numbers for row in self.tables},
            "simulators": {row.name: row.numbers for row in self.simulators},
        }


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
    verdicts = judge(now, then)
    return Report(
        taken=now.taken,
        parts=tuple(Part(name, of_part[name](now, then), verdict) for name, verdict in verdicts.items()),
        topics=_topics(now, then) if now.kafka else (),
        tables=_tables(now) if now.pinot else (),
        simulators=_simulators(now),
    )


def _topics(now: Sample, then: Sample | None) -> tuple[Row, ...]:
    return tuple(Row(name, _of_topic(name, now, then)) for name in ALL_TOPICS)


def _of_topic(name: str, now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    ends = now.ends(name)
    rate = figures.messages_per_second(now, then, name)
    return (
        Figure("partitions", "Partitions", len(ends) or None, words.count),
        Figure("messages", "End offset", figures.messages(ends), words.count),
        Figure("per_second", "Messages", rate, words.per_second),
        Figure("lag", "Lag", figures.lag(now, name), words.count),
    )


def _tables(now: Sample) -> tuple[Row, ...]:
    return tuple(Row(name, _of_table(name, now)) for name in TABLES)


def _of_table(name: str, now: Sample) -> tuple[Figure, ...]:
    """Return the figures of a table.

    size: bytes of committed segments. consuming: partitions being consumed, and all partitions; (0, 0) for an
    OFFLINE table. fresh: age in seconds of the newest data that queries see.
    """
    table, defects = now.table(name), (now.defects or {}).get(name)
    consumers = table.consumers.values() if table else ()
    consuming = sum(one.state == "CONSUMING" for one in consumers), len(consumers)
    fresh = max(0.0, now.taken - table.fresh_at) if table and table.fresh_at is not None else None
    return (
        Figure("rows", "Rows", table.rows if table else None, words.count),
        Figure("size", "Written", table.size if table else None, words.size),
        Figure("consuming", "Consuming", consuming, words.share),
        Figure("fresh", "Fresh", fresh, words.ago),
        Figure("incomplete", "Incomplete", defects.incomplete if defects else None, words.count),
        Figure("rowless", "Without row", defects.rowless if defects else None, words.count),
    )


def _simulators(now: Sample) -> tuple[Row, ...]:
    group = known(now.group)
    return tuple(Row(member.name, _of_member(member, now)) for member in group.members) if group else ()


def _of_member(member: Member, now: Sample) -> tuple[Figure, ...]:
    """Return the figures of a simulator of the group, whose parts are those of the races under way.

    lag: seconds by which its latest part is late, at least.
    """
    group, parts = known(now.group), parts_under_way(now)
    is_shared = group is not None and group.settled
    own = None
    if is_shared and parts is not None:
        own = [part for part in parts if part.partition in member.partitions]
    competitors = None if own is None else sum(part.competitors for part in own)
    found = latest(own or ())
    lag = None if found is None else found[1]
    return (
        Figure("host", "Host", member.host, str),
        Figure("partitions", "Partitions", len(member.partitions) if is_shared else None, words.count),
        Figure("parts", "Parts", None if own is None else len(own), words.count),
        Figure("competitors", "Competitors", competitors, words.count),
        Figure("lag_seconds", "Lag", lag, words.seconds),
    )


def _of_simulator(now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    found = known(now.simulator)
    rate = partial(figures.counted_per_second, found, known(then.simulator if then else None))

    def level(name: str) -> float | None:
        return getattr(found, name, None)

    alone = (
        Figure("races", "Races", level("running"), words.count),
        Figure("ticks_per_second", "Ticks", rate("ticks"), words.per_second),
        Figure("late_ticks_per_second", "Late ticks", rate("late_ticks"), words.per_second),
        Figure("lag_seconds", "Lag", level("lag"), words.seconds),
        Figure("events_waiting", "Events waiting", level("waiting"), words.count),
        Figure("delivered_per_second", "Delivered", rate("delivered"), words.per_second),
        Figure("errors", "Delivery errors", level("errors"), words.count),
        Figure("retries", "Batches retried", level("retries"), words.count),
    )
    return alone if now.group is None else (*alone, *_of_group(now))


def _of_group(now: Sample) -> tuple[Figure, ...]:
    """Return the figures of the group; unowned_parts: parts of races without an owner, of all."""
    group, parts = known(now.group), parts_under_way(now)
    unowned = None
    if group is not None and group.settled and parts is not None:
        unowned = sum(part.partition in group.unowned for part in parts), len(parts)
    return (
        Figure("simulators", "Simulators", len(group.members) if group else None, words.count),
        Figure("unowned_parts", "Parts without owner", unowned, words.share),
    )


def _of_kafka(now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    rows = _topics(now, then)
    there = len(_known(rows, "partitions")) if known(now.kafka) else None
    return (
        Figure("topics", "Topics", there, words.count),
        Figure("partitions", "Partitions", _sum(rows, "partitions"), words.count),
        Figure("messages", "Messages in total", _sum(rows, "messages"), words.count),
        Figure("messages_per_second", "Incoming", _sum(rows, "per_second"), words.per_second),
    )


def _of_pinot(now: Sample, then: Sample | None) -> tuple[Figure, ...]:
    rows = _tables(now)
    there = len(_known(rows, "rows")) if known(now.pinot) else None
    return (
        Figure("tables", "Tables", there, words.count),
        Figure("rows", "Rows", _sum(rows, "rows"), words.count),
        Figure("size_bytes", "Written segments", _sum(rows, "size"), words.size),
        Figure("lag", "Messages behind", _sum(_topics(now, then), "lag"), words.count),
        Figure("incomplete", "Incomplete rows", _sum(rows, "incomplete"), words.count),
        Figure("rowless", "Messages without a row", _sum(rows, "rowless"), words.count),
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


def _known(rows: Sequence[Row], key: str) -> list[float]:
    values = (row.numbers[key] for row in rows)
    return [value for value in values if value is not None]


def _sum(rows: Sequence[Row], key: str) -> float | None:
    """Return the sum of the known values; None if there are none."""
    values = _known(rows, key)
    return sum(values) if values else None


def as_text(report: Report) -> str:
    """Return a line for each part, then the topics, the tables and the simulators, if any."""
    width = max(len(part.name) for part in report.parts)
    lines = [
        f"{part.verdict.light.value:5}  {part.name:{width}}  {part.verdict.sentence}" for part in report.parts
    ]
    tables = {"topic": report.topics, "table": report.tables, "simulator": report.simulators}
    return "\n".join([*lines, *(line for kind, rows in tables.items() for line in _table(kind, rows))])


def _table(kind: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield an empty line and the rows with aligned columns; all but the first are right-aligned."""
    if not rows:
        return
    head = [kind, *(figure.label.lower() for figure in rows[0].figures)]
    cells = [head, *([row.name, *(figure.text for figure in row.figures)] for row in rows)]
    first, *others = (max(map(len, column)) for column in zip(*cells, strict=True))
    yield ""
    for name, *texts in cells:
        columns = (cell.rjust(width) for cell, width in zip(texts, others, strict=True))
        yield "  ".join([name.ljust(first), *columns])
