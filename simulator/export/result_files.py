"""Results as JSON and as CSV."""

from collections.abc import Iterable, Iterator

from simulator.export.formats import Format, json_with_list
from simulator.export.results import Lines, Results
from stream.results import as_csv as csv_pieces


def as_json(results: Results) -> Iterator[bytes]:
    """Return the results as one JSON object; each result contains its splits."""
    race = results.race
    head = {
        "run_id": race.run_id,
        "name": race.request.name,
        "race_time": results.until,
        "rank": results.rank,
    }
    points = [(point.name, point.lap, round(point.distance, 3)) for point in results.splits]
    pieces = (
        [
            line._asdict() | cut_off | {"splits": _splits(points, elapsed, chip)}
            for line, elapsed, chip, cut_off in zip(*some[:3], _cut_offs(some), strict=True)
        ]
        for some in results.lines()
    )
    return json_with_list(head, "results", pieces)


def _cut_offs(some: Lines) -> list[dict[str, str]]:
    """Return the field that only races with cut-offs have, for each line."""
    if some.cut_offs is None:
        return [{}] * len(some.lines)
    return [{"cut_off": name} for name in some.cut_offs]


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
    chunks = ((some.lines, some.elapsed, some.cut_offs or ()) for some in results.lines())
    return csv_pieces(points, chunks, has_cut_offs=results.race.cut_offs is not None)


FORMATS = (
    Format("json", "application/json", as_json),
    Format("csv", "text/csv", as_csv),
)
