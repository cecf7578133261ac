"""Builds a course from the shapes that a store or the API has. Pure: shapes in, a `Course` out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from dashboard.store import ground
from dashboard.store.protocol import Course, Fence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.arrays import Floats


def course(
    names: tuple[str, str],
    distance: float,
    line: Any,
    ends: tuple[Any, Any],
    fences: Iterable[tuple[str, Any]],
) -> Course:
    """A course from its short and long name, metres, a LineString, start and finish, and named Polygons.

    Longitudes continue from the line's own, so that a course across the antimeridian is in one piece. Raises
    TypeError, ValueError, AttributeError or IndexError if a shape is malformed.
    """
    short_name, long_name = names
    along = _unwrapped(_lon_lat(line))
    middle = float(along[:, 0].mean())
    start, finish = (_place(end, middle) for end in ends)
    return Course(
        short_name=short_name,
        long_name=long_name,
        distance=distance,
        line=along,
        start=start,
        finish=finish,
        fences=tuple(Fence(name, _rings(polygon, middle)) for name, polygon in fences),
    )


def _lon_lat(shape: Any) -> Floats:
    return shapely.get_coordinates(shape)


def _unwrapped(line: Floats) -> Floats:
    """The line with continuous longitudes across the antimeridian."""
    return np.column_stack([np.unwrap(line[:, 0], period=360.0), line[:, 1]])


def _place(point: Any, reference: float) -> tuple[float, float]:
    lon, lat = ground.beside(_lon_lat(point), reference)[0]
    return float(lon), float(lat)


def _rings(polygon: Any, reference: float) -> tuple[Floats, ...]:
    return tuple(ground.beside(_lon_lat(ring), reference) for ring in (polygon.exterior, *polygon.interiors))
