"""The shapes of courses: built from what a store or the API has, and compared with positions.

Pure: degrees and metres in, shapes and answers out.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from pyproj import Geod

from dashboard.store.protocol import Course, Fence, PointOnCourse, Positions
from stream import courses
from stream.arrays import Floats
from stream.courses import TimingPoint

GEOD = Geod(ellps="WGS84")

OFF_COURSE_M = 200.0
"""Metres off the line beyond any shortcut or the error of a good GPS watch."""

GPS_ERRORS = 3.0
"""Standard deviations of a race's own GPS error allowed on top of that."""

LENGTH_TOLERANCE_M = 1.0
"""Tolerance in metres for distances beyond the course's length, due to rounding in the stores."""

LOOKED_AT = 10
"""Sample size: competitors, evenly spread over the bibs, that decide where a race is run."""

METRES_PER_DEGREE = 111_195.0
"""Metres per degree of latitude, on a sphere of the Earth's mean radius."""


def course(  # noqa: PLR0913 - the parts of a course
    names: tuple[str, str],
    distance: float,
    line: Any,
    ends: tuple[Any, Any],
    *,
    fences: Iterable[tuple[str, Any, Any]],
    altitudes: Sequence[Any] = (),
    timing_points: Iterable[tuple[str, Iterable[Any]]] = (),
    widths: Iterable[tuple[Any, Any]] = (),
) -> Course:
    """A course from its short and long name, metres, a LineString, and start and finish.

    Fences have a name, a Polygon, and visits as pairs of metres. Altitudes that don't fit the line's vertices
    are unknown. Timing points have a name and metres. Widths are pairs of metres: from where on, and how
    wide, None if it is unlimited.

    Longitudes continue from the line's own, so that a course across the antimeridian is in one piece. Raises
    TypeError, ValueError, AttributeError or IndexError if a shape is malformed.
    """
    short_name, long_name = names
    lon, lat = shapely.get_coordinates(line).T
    along = np.column_stack([np.unwrap(lon, period=360.0), lat])
    middle = float(along[:, 0].mean())
    start, finish = (_place(end, middle) for end in ends)
    areas = tuple(
        Fence(name, _rings(polygon, middle), tuple((float(first), float(last)) for first, last in visits))
        for name, polygon, visits in fences
    )
    heights = np.array(altitudes, float) if len(altitudes) == len(along) else None
    points = [PointOnCourse(name, float(metres)) for name, passes in timing_points for metres in passes]
    points.sort(key=lambda point: point.distance)
    wide = tuple((float(since), math.inf if metres is None else float(metres)) for since, metres in widths)
    return Course(
        short_name,
        long_name,
        distance,
        along,
        start,
        finish,
        areas,
        altitudes=heights,
        points=tuple(points),
        widths=wide,
    )


def _place(point: Any, reference: float) -> tuple[float, float]:
    lon, lat = beside(shapely.get_coordinates(point), reference)[0]
    return float(lon), float(lat)


def _rings(polygon: Any, reference: float) -> tuple[Floats, ...]:
    return tuple(
        beside(shapely.get_coordinates(ring), reference) for ring in (polygon.exterior, *polygon.interiors)
    )


def beside(lon_lat: Floats, reference: float) -> Floats:
    """Positions, shape (n, 2), with each longitude within 180° of the reference, even beyond ±180°.

    A map shows places on both sides of the antimeridian next to each other only if numbered this way.
    """
    lon, lat = lon_lat[:, 0], lon_lat[:, 1]
    return np.column_stack([lon + 360.0 * np.round((reference - lon) / 360.0), lat])


def is_run_on(course: Course, positions: Positions, gps_error: float = 0.0) -> bool:
    """Whether a race may be run on this course, and not on another line that had its name then.

    A course can be replaced after a race, or by another race that brings its own line. It is not this one if
    most sampled competitors are far off the line, or any has covered more than its length. `gps_error` is the
    race's own, a standard deviation in metres.
    """
    if len(positions) == 0:
        return True
    if positions.distance.max() > course.distance + LENGTH_TOLERANCE_M:
        return False
    looked_at = slice(None, None, -(-len(positions) // LOOKED_AT))
    places = np.column_stack([positions.lon[looked_at], positions.lat[looked_at]])
    middle = course.line.mean(axis=0)
    flat = METRES_PER_DEGREE * np.array([np.cos(np.radians(middle[1])), 1.0])
    line = shapely.LineString(course.line * flat)
    off = shapely.distance(line, shapely.points(beside(places, middle[0]) * flat))
    return bool(np.median(off) <= OFF_COURSE_M + GPS_ERRORS * gps_error)


def timing_points(course: Course) -> tuple[TimingPoint, ...]:
    """All timing points of a course by distance, from the start to the finish, laps included."""
    visits = [(fence.name, first, last) for fence in course.fences for first, last in fence.visits]
    visits.sort(key=lambda visit: visit[1])
    mats: dict[str, list[float]] = {}
    for point in course.points:
        mats.setdefault(point.name, []).append(point.distance)
    return courses.timing_points(course.distance, visits, mats.items())


def profile(course: Course) -> tuple[Floats, Floats] | None:
    """Metres of the whole course, 50 m apart at most, and the altitudes there; None if they are unknown."""
    if course.altitudes is None:
        return None
    lon, lat = course.line.T
    lengths = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    along = np.append(0.0, np.cumsum(lengths))
    laps = max(1, round(course.distance / along[-1]))
    return courses.profile(along, course.altitudes, laps)
