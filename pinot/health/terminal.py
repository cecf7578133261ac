"""The report as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinot.health import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinot.health.figures import TableRow, TopicRow
    from pinot.health.report import Report

TOPIC_COLUMNS = ("topic", "partitions", "end offset", "messages", "lag")
TABLE_COLUMNS = ("table", "rows", "written", "consuming", "fresh", "incomplete", "without row")


def text(report: Report) -> str:
    """Return a line for each part, then the topics and the tables, if any."""
    width = max(len(part.name) for part in report.parts)
    lines = [
        f"{part.verdict.light.value:5}  {part.name:{width}}  {part.verdict.sentence}" for part in report.parts
    ]
    if report.topics:
        lines += ["", *_columns([TOPIC_COLUMNS, *map(topic_cells, report.topics)])]
    if report.tables:
        lines += ["", *_columns([TABLE_COLUMNS, *map(table_cells, report.tables)])]
    return "\n".join(lines)


def topic_cells(row: TopicRow) -> tuple[str, ...]:
    """Return a topic's row as text."""
    return (
        row.name,
        words.count(row.partitions),
        words.count(row.messages),
        words.per_second(row.per_second),
        words.count(row.lag),
    )


def table_cells(row: TableRow) -> tuple[str, ...]:
    """Return a table's row as text."""
    reading, partitions = row.consuming
    return (
        row.name,
        words.count(row.rows),
        words.size(row.size),
        f"{reading} of {partitions}" if partitions else words.UNKNOWN,
        f"{words.seconds(row.fresh)} ago" if row.fresh is not None else words.UNKNOWN,
        words.count(row.incomplete),
        words.count(row.rowless),
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows with aligned columns; all but the first are right-aligned."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
