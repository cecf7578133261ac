"""Rows of a database's answer made into what `store` promises; both stores use it.

Pinot makes a row of an event that lacks a field, with a default that can't be a value (pinot/schemas): such
a row is left out, since nothing can be shown of it, and must break nothing.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely

from dashboard.store import course_shape
from dashboard.store.protocol import Competitor, Passings, Positions, Race, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from dashboard.store.protocol import Course

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
)
POSITION_COLUMNS = (
    "competitorId",
    "lon",
    "lat",
    "distance",
    "status",
    "elapsed",
    "emittedAt",
)
PASSING_COLUMNS = (
    "competitorId",
    "kind",
    "point",
    "lap",
    "distance",
    "elapsed",
    "timestamp",
)
_PASSING_TYPES = (np.int64, np.str_, np.str_, np.int64, np.float64, np.float64, np.int64)
COURSE_COLUMNS = (
    "shortName",
    "longName",
    "distance",
    "courseMap",
    "startLocation",
    "endLocation",
    "fences",
)


def race(row: Sequence[Any], course_name: str | None) -> Race:
    """A race from a row of `RACE_COLUMNS` with the times in epoch milliseconds."""
    run_id, name, course, start_time, status, competitors, speed, seed, updated_at, request = row
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
    )


def is_whole(race: Race) -> bool:
    """Whether a race lacks nothing without which it can't be shown."""
    return bool(
        race.run_id
        and race.course
        and race.status
        and race.name
        and race.start_time > 0
        and race.competitors > 0
        and race.speed > 0
    )


def _number(request: str, field: str, default: float) -> float:
    """A number in a race's whole request; the API's default if it isn't there."""
    try:
        return float(orjson.loads(request)[field])
    except (ValueError, KeyError, TypeError):
        return default


def competitors(rows: Iterable[Sequence[Any]]) -> dict[int, Competitor]:
    """Competitors by bib from rows of competitorId, name, category, wave, club."""
    return {
        int(bib): Competitor(name=name, category=category, wave=int(wave), club=club)
        for bib, name, category, wave, club in rows
        if bib > 0
    }


def positions(rows: Sequence[Sequence[Any]]) -> Positions:
    """Positions in bib order from rows of `POSITION_COLUMNS`; those that lack something are left out."""
    columns = _columns(rows, POSITION_COLUMNS)
    bib, status = np.array(columns[0], np.int64), np.array(columns[4], np.str_)
    lon, lat, distance, elapsed = (np.array(columns[nth], np.float64) for nth in (1, 2, 3, 5))
    whole = (np.abs(lon) <= 180) & (np.abs(lat) <= 90) & (distance >= 0) & (elapsed >= 0)
    whole &= (bib > 0) & (status != "")
    order = np.argsort(bib, kind="stable")
    order = order[whole[order]]
    return Positions(
        competitor=bib[order],
        lon=lon[order],
        lat=lat[order],
        distance=distance[order],
        status=status[order],
        elapsed=elapsed[order],
        newest_emitted=int(max(columns[6], default=0)),
    )


def passings(rows: Sequence[Sequence[Any]]) -> Passings:
    """Passings in the order of time from rows of `PASSING_COLUMNS` with the times in epoch milliseconds.

    Those that lack something are left out.
    """
    columns = _columns(rows, PASSING_COLUMNS)
    found: list[NDArray[Any]] = [
        np.array(column, kind) for column, kind in zip(columns, _PASSING_TYPES, strict=True)
    ]
    bib, kind, point, lap, distance, elapsed, _ = found
    whole = (bib > 0) & (kind != "") & (point != "") & (lap > 0) & (distance >= 0) & (elapsed >= 0)
    return _in_order_of_time([column[whole] for column in found])


def together(parts: Sequence[Passings]) -> Passings:
    """The passings of all parts, in the order of time."""
    columns = [[getattr(part, field.name) for part in parts] for field in fields(Passings)]
    return _in_order_of_time([np.concatenate(column) for column in columns]) if parts else passings([])


def _in_order_of_time(columns: Sequence[NDArray[Any]]) -> Passings:
    bib, *_, timestamp = columns
    order = np.lexsort((bib, timestamp))
    return Passings(*(column[order] for column in columns))


def _columns(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * len(names)


def course(row: Sequence[Any]) -> Course:
    """A course from a row of `COURSE_COLUMNS`: WKT of line, start and end, and the fences as JSON.

    `fences` is a list of objects with name and wkt (a POLYGON).
    Raises `StoreError` if a geometry can't be read.
    """
    short_name, long_name, distance, line, start, finish, fences = row
    try:
        return course_shape.course(
            (short_name, long_name),
            float(distance),
            shapely.from_wkt(line),
            (shapely.from_wkt(start), shapely.from_wkt(finish)),
            [(str(fence["name"]), shapely.from_wkt(fence["wkt"])) for fence in orjson.loads(fences or "[]")],
        )
    except (
        shapely.errors.ShapelyError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
    ) as error:
        raise StoreError(
            f"The course {short_name} in the store can't be drawn: {error}. "
            "Load the courses again (python -m pinot setup, or restart the simulator)."
        ) from error
