"""Judges Pinot: whether every table can be queried and keeps up with its topic. Pure, like `judge`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinot.health import figures
from pinot.health.sample import known
from pinot.health.thresholds import BUSY_PER_S, LAG_AMBER_S, LAG_RED_S, STUCK_AFTER_S
from pinot.health.verdict import SETUP, Verdict, amber, green, red
from pinot.health.words import count, listed, seconds
from stream.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinot.health.sample import Pinot, Sample, Table


def pinot(found: Pinot, now: Sample, then: Sample | None) -> Verdict:
    """Return the worst verdict on its tables."""
    if missing := [name for name in TABLES if name not in found.tables]:
        return red(f"Pinot has no table {listed(missing)}. {SETUP}.")
    wrong = Verdict.worst(
        verdict
        for name in TABLES
        for judged in (_segments, _reading, _moving, _behind)
        for verdict in judged(now, then, name, found.tables[name])
    )
    return wrong or green(f"Pinot answers queries on all {len(TABLES)} tables{_how_far(now, then)}.")


def _how_far(now: Sample, then: Sample | None) -> str:
    lags = [row.lag for row in figures.topic_rows(now, then) if row.lag is not None]
    if not lags:
        return ""
    return (
        f" and is {count(sum(lags))} messages behind" if any(lags) else " and has consumed all their topics"
    )


def _segments(_now: Sample, _then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether all its segments can be queried."""
    if table.failed:
        yield red(
            f"{_first(table.failed)} of table {name} failed. Check the server's log; to reload it, POST "
            f"/segments/{name}_REALTIME/{table.failed[0]}/reset to the controller."
        )
    if table.rows is None:
        yield red(
            f"Pinot cannot query table {name} ({table.trouble}). {SETUP} if this lasts longer than a minute."
        )
    if table.absent:
        segments = _first(table.absent)
        yield amber(f"{segments} of table {name} is not loaded. Wait, or check the server's log.")


def _first(segments: tuple[str, ...]) -> str:
    more = f" and {len(segments) - 1} more" if len(segments) > 1 else ""
    return f"Segment {segments[0]}{more}"


def _reading(now: Sample, _then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether every partition of its topic has a consumer."""
    idle = [
        str(partition)
        for partition in sorted(now.ends(name).keys() | table.consumers.keys())
        if partition not in table.consumers or table.consumers[partition].state != "CONSUMING"
    ]
    if idle:
        yield red(
            f"Table {name} does not consume partition {listed(idle)} of its topic. "
            f"POST /tables/{name}_REALTIME/resumeConsumption to the controller, or restart Pinot's server."
        )


def _moving(now: Sample, then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether its consumers make progress."""
    found, former = known(now.pinot), known(then.pinot if then else None)
    if found is None or former is None:
        return
    before, ends_before = former.tables.get(name), then.ends(name) if then else {}
    span = found.taken - former.taken
    for partition, end in sorted(now.ends(name).items()):
        reads, read = (one.consumers.get(partition) if one else None for one in (table, before))
        if end is None or reads is None or read is None or reads.offset is None or read.offset is None:
            continue
        if read.offset > end:
            yield red(
                f"Table {name} waits for offset {count(read.offset)}, but its topic ends at {count(end)}: "
                "the topic was recreated. Run python -m pinot reset."
            )
        elif reads.offset == read.offset < (ends_before.get(partition) or 0) and span >= STUCK_AFTER_S:
            yield amber(
                f"Table {name} has consumed nothing from partition {partition} for {seconds(span)}; "
                f"{count(end - reads.offset)} messages wait. If this continues, check the server's log."
            )


def _behind(now: Sample, then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether it keeps up with its topic."""
    lag = sum(figures.lags(now.ends(name), table).values())
    far = lag / max(BUSY_PER_S, figures.messages_per_second(now, then, name) or 0.0)
    if far > LAG_AMBER_S:
        verdict = red if far > LAG_RED_S else amber
        yield verdict(
            f"Table {name} is {count(lag)} messages behind its topic. Give Pinot's server more CPU and "
            "memory, or run smaller races."
        )
