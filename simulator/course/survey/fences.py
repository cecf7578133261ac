"""Makes geofences of polygons."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import shapely

from simulator.course.course import Course, Fence
from simulator.course.drawing import CourseError, Line, Ring
from simulator.course.survey import limits, names
from simulator.course.survey.track import DEGREE, beside
from stream.arrays import Floats

UNNAMED = "Geofence"


def fences(rings: Sequence[Ring], line: Line, warnings: list[str]) -> tuple[Fence, ...]:
    """Return a geofence for each polygon; several if it crossed itself and was split.

    Args:
        rings: the polygons, in range.
        line: the course's line, unwrapped; the fences' longitudes continue from it.
        warnings: corrections are added.

    Raises:
        CourseError: there are too many, or one is too big.
    """
    _check_size(rings)
    run = shapely.LineString(np.column_stack([line.lon, line.lat]))
    shapely.prepare(run)
    made: list[Fence] = []
    taken: set[str] = set()
    for ring in rings:
        parts = _polygons(ring, float(line.lon[0]), warnings)
        if parts and not shapely.intersects(run, parts).any():
            warnings.append(f"The line never enters the {ring.where}")
        made.extend(Fence(names.unique(ring.name.strip() or UNNAMED, taken), part) for part in parts)
    limits.check_number(len(made), limits.MAX_FENCES, "geofences")
    return tuple(made)


def check_passes(course: Course) -> None:
    """Raise CourseError if the course touches the edges of its geofences too often."""
    for touched in accumulate(len(edge) * course.laps for edge in course.edges()):
        if touched > limits.MAX_FENCE_PASSES:
            most = f"{limits.MAX_FENCE_PASSES:,}"
            raise CourseError(f"the course touches its geofences' edges more than {most} times, all laps")


def _check_size(rings: Sequence[Ring]) -> None:
    limits.check_number(len(rings), limits.MAX_FENCES, "geofences")
    points = sum(len(points) for ring in rings for points in (ring.outer, *ring.holes))
    if points > limits.MAX_FENCE_POINTS:
        raise CourseError(
            f"the geofences have {points:,} points together, and {limits.MAX_FENCE_POINTS:,} are allowed"
        )
    for ring in rings:
        names.check(ring.name, ring.where)


def _polygons(ring: Ring, reference: float, warnings: list[str]) -> list[shapely.Polygon]:
    """Return the valid polygons of a drawn one, biggest first; none if it has no area."""
    outer = _closed(ring.outer, reference)
    if outer is None:
        warnings.append(f"The {ring.where} is left out: it has no area")
        return []
    if not np.array_equal(ring.outer[0], ring.outer[-1]):
        warnings.append(f"The {ring.where} isn't closed: closed")
    holes = [_closed(hole, float(outer[0, 0])) for hole in ring.holes]
    polygon = shapely.Polygon(outer, [hole for hole in holes if hole is not None])
    parts = [polygon] if polygon.is_valid else _repaired(polygon, ring, warnings)
    if sum(map(_area, parts)) < limits.MIN_FENCE_AREA:
        warnings.append(f"The {ring.where} is left out: it has no area")
        return []
    return parts


def _closed(points: Floats, reference: float) -> Floats | None:
    """Return a ring closed and unwrapped, or None if it has fewer than three corners."""
    if len(np.unique(points, axis=0)) < 3:
        return None
    ring = np.column_stack([beside(points[:, 0], reference), points[:, 1]])
    return ring if np.array_equal(ring[0], ring[-1]) else np.vstack([ring, ring[:1]])


def _repaired(polygon: shapely.Polygon, ring: Ring, warnings: list[str]) -> list[shapely.Polygon]:
    """Return the areas enclosed by a polygon that crosses itself, without slivers."""
    too_long = shapely.count_coordinates(polygon) > limits.MAX_REPAIR_POINTS
    if too_long or _crossings(polygon) > limits.MAX_CROSSINGS:
        raise CourseError(f"the {ring.where} crosses itself and can't be repaired: redraw it")
    valid = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    parts = [part for part in shapely.get_parts(valid) if part.geom_type == "Polygon"]
    parts.sort(key=_area, reverse=True)
    whole = sum(map(_area, parts))
    kept = [part for part in parts if _area(part) >= limits.MIN_PART * whole]
    into = f", now {len(kept)} geofences" if len(kept) > 1 else ""
    warnings.append(f"The {ring.where} crosses itself: repaired{into}")
    return kept


def _crossings(polygon: shapely.Polygon) -> int:
    """Return the number of crossings and touches of the rings, or any number above the limit."""
    rings = [shapely.get_coordinates(ring) for ring in (polygon.exterior, *polygon.interiors)]
    ends = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    segments = np.asarray(shapely.linestrings(ends))
    tree, found = shapely.STRtree(segments), 0
    for first in range(0, len(segments), 100):
        some, others = tree.query(segments[first : first + 100], predicate="intersects")
        # Neighbours always meet, and each pair occurs twice: count the others once.
        apart = others - (some + first)
        found += int(((apart > 1) & (apart < len(segments) - 1)).sum())
        if found > limits.MAX_CROSSINGS:
            break
    return found


def _area(polygon: shapely.Polygon) -> float:
    """Return the approximate area in square metres."""
    lat = np.radians(polygon.bounds[1] + polygon.bounds[3]) / 2
    return float(polygon.area * DEGREE**2 * np.cos(lat))
