"""Turns a database's rows into what `protocol` promises; both stores use it.

Pinot stores incomplete events too (see `stream.contract`). A row that is incomplete in a column that the page
shows is left out.
"""

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from dashboard.store import course_shape
from dashboard.store.protocol import (
    STATUSES,
    Competitor,
    Course,
    Finishes,
    Mark,
    Passings,
    Positions,
    Race,
    StoreError,
    Tally,
)
from stream.arrays import Floats, Ints
from stream.contract import TABLES
from stream.cut_offs import CutOffs
from stream.results import WAVE_DELAY

# In the order of the columns in pinot.sql and sqlite.sql, and of the fields of `Positions`.
RACE_COLUMNS = (
    "runId",
    "name",
    "course",
    "startTime",
    "status",
    "competitors",
    "speed",
    "seed",
    "updatedAt",
    "request",
    "cutOffs",
    "cutOffsFrom",
)
POSITION_COLUMNS = ("competitorId", "lon", "lat", "distance", "status", "elapsed", "emittedAt")
PASSING_COLUMNS = ("competitorId", "kind", "point", "lap", "distance", "elapsed", "timestamp")
COMPETITOR_COLUMNS = ("competitorId", "name", "category", "wave", "club", "sex")
FINISH_COLUMNS = ("competitorId", "elapsed", "status", "emittedAt")

_TYPES = {"string": np.str_, "number": np.float64, "integer": np.int64}
ROWS_AT_ONCE = 2000
_NOT_SHOWN = {"emittedAt", "timestamp"}
"""A row that lacks one of these is shown all the same."""


def races(rows: Sequence[Sequence[Any]]) -> list[Race]:
    """The races of rows of `RACE_COLUMNS` and the course's long name; times in epoch milliseconds."""
    return [_race(row) for row in _complete("races", RACE_COLUMNS, rows)]


def mark(rows: Sequence[Sequence[Any]]) -> Mark:
    """The mark of a row of its fields; without positions they are null, or Pinot's infinities."""
    for emitted, raw_time, competitors in rows:
        if competitors:
            return Mark(int(emitted), int(raw_time), int(competitors))
    return Mark(0, 0, 0)


def _race(row: Sequence[Any]) -> Race:
    run_id, name, course, start_time, status, competitors, speed, seed, updated_at, request, *more = row
    limits, since, course_name = more
    return Race(
        run_id=run_id,
        name=name,
        course=course,
        course_name=course_name or course,
        start_time=int(start_time),
        status=status,
        competitors=int(competitors),
        speed=float(speed),
        seed=int(seed),
        interval=_number(request, "interval", max(1.0, float(speed))),
        updated_at=int(updated_at),
        gps_error=_number(request, "gps_error", 0.0) + _number(request, "gps_noise", 0.0),
        wave_delay=_number(request, "wave_delay", WAVE_DELAY),
        is_crowded=_text(request, "crowding") == "flow",
        width=_number(request, "width", np.inf),
        cut_offs=_cut_offs(limits, since),
    )


def _cut_offs(text: str, since: str) -> CutOffs | None:
    """A race's cut-offs; None if it has none, or if another program has written something else."""
    try:
        return CutOffs.read(text, since)
    except (ValueError, TypeError, LookupError):
        return None


def _number(request: str, field: str, default: float) -> float:
    """A number in a race's whole request; the API's default if it isn't there."""
    try:
        return float(orjson.loads(request)[field])
    except (ValueError, KeyError, TypeError):
        return default


def _text(request: str, field: str) -> str:
    """A text in a race's whole request; empty if it isn't there."""
    try:
        return str(orjson.loads(request)[field])
    except (ValueError, KeyError, TypeError):
        return ""


def competitors(rows: Sequence[Sequence[Any]]) -> dict[int, Competitor]:
    """Competitors by bib from rows of `COMPETITOR_COLUMNS`."""
    return {
        int(bib): Competitor(name=name, category=category, wave=int(wave), club=club, sex=sex)
        for bib, name, category, wave, club, sex in _complete("competitors", COMPETITOR_COLUMNS, rows)
    }


def positions(rows: Sequence[Sequence[Any]]) -> Positions:
    """Positions in bib order from rows of `POSITION_COLUMNS`."""
    found, whole = _arrays("parkrun", POSITION_COLUMNS, rows)
    competitor, lon, lat, distance, status, elapsed, emitted = found.values()
    everything = Positions(competitor, lon, lat, distance, status, elapsed, int(emitted.max(initial=0)))
    order = np.argsort(competitor, kind="stable")
    return everything.take(order[whole[order]])


def tally(rows: Sequence[Sequence[Any]]) -> Tally:
    """The tally of rows of status, count, and the maxima of elapsed, emittedAt, bib, distance and rawTime."""
    known = [row for row in rows if row[0] in STATUSES]
    return Tally(
        counts={row[0]: int(row[1]) for row in known},
        # Competitors who are disqualified have the times of their finish; the tick has that of the verdict.
        race_time=max((float(row[6] if row[0] == "dsq" else row[2]) for row in known), default=0.0),
        newest_emitted=max((int(row[3]) for row in known), default=0),
        last_bib=max((int(row[4]) for row in known), default=0),
        finish=max((float(row[5]) for row in known if row[0] == "finished"), default=0.0),
    )


def finishes(rows: Sequence[Sequence[Any]]) -> Finishes:
    """Finishes from rows of `FINISH_COLUMNS`."""
    found, whole = _arrays("parkrun", FINISH_COLUMNS, rows)
    competitor, elapsed, status, emitted = found.values()
    order = np.argsort(competitor, kind="stable")
    order = order[whole[order]]
    return Finishes(
        competitor[order], elapsed[order], status[order] == "finished", int(emitted.max(initial=0))
    )


def dropped(rows: Sequence[Sequence[Any]]) -> tuple[Ints, Floats, Floats]:
    """Bibs, rising, metres and race seconds, from rows of the three."""
    found, whole = _arrays("parkrun", ("competitorId", "distance", "elapsed"), rows)
    order = np.argsort(found["competitorId"], kind="stable")
    order = order[whole[order]]
    return found["competitorId"][order], found["distance"][order], found["elapsed"][order]


def by_bib(table: str, name: str, rows: Sequence[Sequence[Any]]) -> tuple[Ints, NDArray[Any]]:
    """Bibs, rising, and the values of a column, from rows of both."""
    found, whole = _arrays(table, ("competitorId", name), rows)
    order = np.argsort(found["competitorId"], kind="stable")
    order = order[whole[order]]
    return found["competitorId"][order], found[name][order]


def passings(rows: Iterable[Sequence[Any]]) -> list[Passings]:
    """Passings by timing point from rows of `PASSING_COLUMNS` with the times in epoch milliseconds."""
    points: dict[tuple[str, str, int], list[Sequence[Any]]] = {}
    for row in rows:
        points.setdefault((row[1], row[2], row[3]), []).append(row)
    found = []
    for point, some in points.items():
        bibs, _, _, _, *numbers = zip(*some, strict=True)
        distance, elapsed = (np.array(column, float) for column in numbers[:2])
        found.append(_passings(point, distance, max(numbers[2]), np.array(bibs, np.int64), elapsed))
    return found


def passings_by_point(rows: Iterable[Sequence[Any]]) -> list[Passings]:
    """Passings from a row for each timing point: kind, point, lap, metres, epoch milliseconds of the newest.

    Bibs and race seconds follow, as numbers with commas.
    """
    return [
        _passings(
            (kind, point, lap),
            np.array(distance),
            newest,
            np.fromstring(bibs, np.int64, sep=","),
            np.fromstring(elapsed, sep=","),
        )
        for kind, point, lap, distance, newest, bibs, elapsed in rows
    ]


def _passings(
    point: tuple[str, str, int], distance: Floats, newest: int, bibs: Ints, elapsed: Floats
) -> Passings:
    kind, name, lap = point
    columns = {
        "kind": np.array(kind),
        "point": np.array(name),
        "lap": np.array(lap),
        "distance": distance,
        "competitorId": bibs,
        "elapsed": elapsed,
    }
    whole = TABLES["passings"].are_complete(columns)
    metres = float(distance.max(initial=0.0))
    return Passings(kind, name, int(lap), metres, int(newest), bibs[whole], elapsed[whole])


def _arrays(
    table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    """Return the columns by name, and the mask of the rows that are complete in those that are shown."""
    types = [_TYPES[TABLES[table].fields[name].type] for name in names]
    # In parts: turning a million rows into columns at once takes twice as long.
    parts: list[list[NDArray[Any]]] = [
        list(map(np.array, zip(*rows[first : first + ROWS_AT_ONCE], strict=True), types))
        for first in range(0, len(rows), ROWS_AT_ONCE)
    ]
    none: list[NDArray[Any]] = [np.empty(0, kind) for kind in types]
    columns = map(np.concatenate, zip(none, *parts, strict=True))
    found: dict[str, NDArray[Any]] = dict(zip(names, columns, strict=True))
    shown = {name: column for name, column in found.items() if name not in _NOT_SHOWN}
    return found, TABLES[table].are_complete(shown)


def _complete(table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Return the rows that are complete in these columns, their first ones."""
    if not rows:
        return ()
    # As objects: one long name must not make room for as many characters in every row.
    columns = (np.array(column, np.object_) for column in zip(*rows, strict=True))
    return compress(rows, TABLES[table].are_complete(dict(zip(names, columns, strict=False))))


def course(row: Sequence[Any]) -> Course:
    """A course from a row of the query `course`: names, metres, WKT of line, start and end, lists as JSON.

    The contract describes the lists: fences, altitudes, timing points and widths. A row that is older than a
    list's column has an empty text or null. Raises `StoreError` if a geometry or a list can't be read.
    """
    short_name, long_name, distance, line, start, finish, *lists = row
    try:
        fences, altitudes, points, widths = (orjson.loads(text or "[]") or [] for text in lists)
        return course_shape.course(
            (short_name, long_name),
            float(distance),
            shapely.from_wkt(line),
            (shapely.from_wkt(start), shapely.from_wkt(finish)),
            fences=[
                (str(fence["name"]), shapely.from_wkt(fence["wkt"]), fence.get("visits", ()))
                for fence in fences
            ],
            altitudes=altitudes,
            timing_points=[(str(point["name"]), point["distances"]) for point in points],
            widths=widths,
        )
    except (shapely.errors.ShapelyError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise StoreError(
            f"The course {short_name} in the store can't be drawn: {error}. "
            "Load the courses again (python -m pinot setup, or restart the simulator)."
        ) from error
