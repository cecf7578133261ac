"""The line of a course, and its corrections."""

from collections.abc import Sequence

import numpy as np

from simulator.course.course import GEOD
from simulator.course.drawing import CourseError, Drawing, Line
from simulator.course.survey import limits
from stream.arrays import Floats, Mask

DEGREE = 111_195.0
"""Approximate metres per degree of a great circle."""


def length(line: Line) -> float:
    """Return the geodesic length in metres."""
    return float(GEOD.line_length(line.lon, line.lat))


def distance(line: Line, one: int, other: int) -> float:
    """Return the metres between two points of a line, by their numbers."""
    return float(GEOD.inv(line.lon[one], line.lat[one], line.lon[other], line.lat[other])[2])


def check_range(drawing: Drawing) -> None:
    """Raise CourseError if a line or polygon has coordinates out of range."""
    lines = [*drawing.lines, *drawing.routes]
    for line in () if all_in_range(lines) else lines:
        _check_range(line.lon, line.lat, line.where)
    for ring in drawing.polygons:
        for points in (ring.outer, *ring.holes):
            _check_range(points[:, 0], points[:, 1], ring.where)


def all_in_range(lines: Sequence[Line]) -> bool:
    """Return whether all points of lines are in range, which is faster for all together."""
    lon, lat = (
        np.concatenate([np.empty(0), *(getattr(line, axis) for line in lines)]) for axis in ("lon", "lat")
    )
    return bool(in_range(lon, lat).all())


def in_range(lon: Floats, lat: Floats) -> Mask:
    """Return whether each point is in range; NaN isn't."""
    return (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)


def _check_range(lon: Floats, lat: Floats, where: str) -> None:
    wrong = np.flatnonzero(~in_range(lon, lat))
    if not len(wrong):
        return
    at = wrong[0]
    place = f"point {at + 1} of the {where}"
    if np.isnan(lon[at]) or np.isnan(lat[at]):
        raise CourseError(f"{place} has a coordinate that is not a number")
    fault = f"latitude {lat[at]:.9g}, outside -90…90" if abs(lat[at]) > 90 else ""
    fault = f"longitude {lon[at]:.9g}, outside -180…180" if abs(lon[at]) > 180 else fault
    hint = ""
    # A single wrong point is a typing error; these are wrong throughout.
    if 2 * len(wrong) > len(lon) and in_range(lat, lon).all():
        hint = "; it looks as if latitude and longitude were swapped: longitude comes first"
    elif 2 * int((np.maximum(np.abs(lon), np.abs(lat)) > limits.PROJECTED).sum()) > len(lon):
        hint = "; these look like metres of a map projection: export the file in EPSG:4326 (WGS 84)"
    raise CourseError(f"{place} has {fault}{hint}")


def refuse_swapped(line: Line, drawing: Drawing) -> None:
    """Reject a line that is far from everything else, but near it with lat and lon swapped."""
    points = [np.array([[marker.lon, marker.lat]]) for marker in drawing.markers]
    around = np.concatenate([np.empty((0, 2)), *points, *(ring.outer for ring in drawing.polygons)])
    around = around[in_range(around[:, 0], around[:, 1])]
    if not len(around):
        return
    apart = _apart(line.lon, line.lat, *around.T)
    if apart > limits.SWAPPED_FAR and _apart(line.lat, line.lon, *around.T) < limits.SWAPPED_NEAR:
        raise CourseError(
            f"the {line.where} is {apart / 1000:,.0f} km from the markers and geofences, but lies "
            "beside them if its latitude and longitude are swapped: longitude comes first"
        )


def _apart(lon: Floats, lat: Floats, other_lon: Floats, other_lat: Floats) -> float:
    """Return the approximate metres between two sets of points, box to box."""
    east = _gap(lon, other_lon) * np.cos(np.radians(np.clip(lat.mean(), -90.0, 90.0)))
    return float(np.hypot(east, _gap(lat, other_lat)) * DEGREE)


def _gap(some: Floats, others: Floats) -> float:
    return max(0.0, float(some.min() - others.max()), float(others.min() - some.max()))


def beside(lon: Floats, reference: float) -> Floats:
    """Shift the longitudes of one object to within 180° of the reference."""
    lon = np.unwrap(lon, period=360.0)
    shifted: Floats = lon + 360.0 * np.round((reference - lon.mean()) / 360.0)
    return shifted


def distinct(line: Line, warnings: list[str]) -> Line:
    """Return the line without repeated points."""
    keep = _distinct(line.lon, line.lat)
    dropped = int(len(keep) - keep.sum())
    if not dropped:
        return line
    points = "point that repeats" if dropped == 1 else "points that repeat"
    warnings.append(f"{dropped:,} {points} the one before left out of the {line.where}")
    return line.take(keep)


def _distinct(lon: Floats, lat: Floats) -> Mask:
    keep = np.ones(len(lon), dtype=bool)
    east = np.diff(lon) * np.cos(np.radians(lat[:-1]))
    if (np.hypot(east, np.diff(lat)) * DEGREE >= limits.MIN_STEP).all():
        return keep
    # Compare with the last kept point, or a swarm of close points would vanish completely.
    last_x, last_y, shrink = lon[0], lat[0], np.cos(np.radians(lat))
    least = limits.MIN_STEP / DEGREE
    for index, (x, y, narrow) in enumerate(zip(lon.tolist(), lat.tolist(), shrink.tolist(), strict=True)):
        if index and ((x - last_x) * narrow) ** 2 + (y - last_y) ** 2 < least**2:
            keep[index] = False
        else:
            last_x, last_y = x, y
    return keep


def closed(line: Line, warnings: list[str]) -> Line:
    """Close the line, so that it can be run in laps."""
    gap = distance(line, -1, 0)
    if gap < limits.MIN_STEP:
        return line
    warnings.append(
        f"The {line.where} doesn't end where it starts: closed for the next lap, which adds "
        f"{gap:,.1f} m to each"
    )
    return line.take(np.append(np.arange(len(line.lon)), 0))
