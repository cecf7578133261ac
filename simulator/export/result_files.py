"""Results as JSON and as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from simulator.export.formats import Format
from simulator.export.results import Line, Results
from simulator.export.texts import csv_lines, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulator.course.course import TimingPoint


def as_json(results: Results) -> Iterator[bytes]:
    """Yield the results as one JSON object; each line has the list of its splits."""
    race = results.race
    head = {"run_id": race.run_id, "name": race.request.name, "race_time": results.until}
    yield orjson.dumps(head)[:-1] + b',"results":['
    points = [(point.name, point.lap, round(point.distance, 3)) for point in results.splits]
    between = b""
    for some in results.lines():
        lines = [
            line._asdict() | {"splits": _splits(points, elapsed, chip)}
            for line, elapsed, chip in zip(*some, strict=True)
        ]
        yield between + orjson.dumps(lines)[1:-1]
        between = b","
    yield b"]}"


def _splits(
    points: Iterable[tuple[str, int, float]], elapsed: Iterable[float | None], chip: Iterable[float | None]
) -> list[dict[str, object]]:
    return [
        {"point": name, "lap": lap, "distance": metres, "elapsed": gun, "chip": own}
        for (name, lap, metres), gun, own in zip(points, elapsed, chip, strict=True)
        if gun is not None
    ]


def as_csv(results: Results) -> Iterator[bytes]:
    """Yield the results as CSV (RFC 4180), UTF-8: a column for each of a line's fields, and for each split.

    A split's column has the seconds since the gun. Texts that a spreadsheet would take for formulas are made
    harmless.
    """
    yield csv_lines([[*Line._fields, *_names(results.splits)]]).encode()
    for lines, elapsed, _ in results.lines():
        rows = ([*map(_cell, line), *map(_cell, splits)] for line, splits in zip(lines, elapsed, strict=True))
        yield csv_lines(rows).encode()


def _names(points: Iterable[TimingPoint]) -> Iterator[str]:
    """Yield what the splits' columns are called: no two alike, and none as a line's field."""
    taken: set[str] = set(Line._fields)
    for point in points:
        name = harmless(point.name if point.lap == 1 else f"{point.name} ({point.lap})")
        while name in taken:
            name += " (split)"
        taken.add(name)
        yield name


def _cell(value: str | float | None) -> str:
    match value:
        case None:
            return ""
        case str():
            return harmless(value)
        case float():
            return f"{value:.3f}"
        case _:
            return str(value)


FORMATS = (
    Format("json", "application/json", as_json),
    Format("csv", "text/csv", as_csv),
)
