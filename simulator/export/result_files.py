"""Results as JSON and as CSV."""

from collections.abc import Iterable, Iterator

import orjson

from simulator.export.formats import Format
from simulator.export.results import Results
from stream.results import as_csv as csv_pieces


def as_json(results: Results) -> Iterator[bytes]:
    """Yield the results as one JSON object; each result contains its splits."""
    race = results.race
    head = {
        "run_id": race.run_id,
        "name": race.request.name,
        "race_time": results.until,
        "rank": results.rank,
    }
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
    """Yield the results as CSV."""
    points = ((point.name, point.lap) for point in results.splits)
    return csv_pieces(points, ((some.lines, some.elapsed) for some in results.lines()))


FORMATS = (
    Format("json", "application/json", as_json),
    Format("csv", "text/csv", as_csv),
)
