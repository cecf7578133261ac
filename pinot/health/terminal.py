"""The report as plain text."""

from collections.abc import Iterator, Sequence

from pinot.health.report import Report, Row


def text(report: Report) -> str:
    """Return a line for each part, then the topics and the tables, if any."""
    width = max(len(part.name) for part in report.parts)
    lines = [
        f"{part.verdict.light.value:5}  {part.name:{width}}  {part.verdict.sentence}" for part in report.parts
    ]
    return "\n".join([*lines, *_table("topic", report.topics), *_table("table", report.tables)])


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
