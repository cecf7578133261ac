"""Courses and positions as GeoJSON (RFC 7946): degrees WGS84, longitude first."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from simulator.course.course import Course, Width
from simulator.publishers.encode import position_texts
from simulator.race.events import Positions

MEDIA_TYPE = "application/geo+json"
PIECE = 2000
"""Competitors whose positions are written together."""


def course_features(course: Course) -> dict[str, Any]:
    """Return a course as a FeatureCollection of its line, markers, fences, widths and timing points.

    `simulator.course.geojson` reads it back as the same course.
    """
    coordinates = np.column_stack([course.lon, course.lat])
    if course.alt is not None:
        coordinates = np.column_stack([coordinates, course.alt])
    # Nine decimals as in WKT: seven would be 3 mm off per 400 m lap, which adds up over many laps.
    line = {"type": "LineString", "coordinates": np.round(coordinates, 9).tolist()}
    is_wide_from_the_start = bool(course.widths) and course.widths[0].since == 0.0
    features = [
        _feature(
            line,
            kind="course",
            name=course.long_name,
            distance=round(course.distance, 3),
            laps=course.laps,
            climb=course.climb,
            **({"width": course.widths[0].metres} if is_wide_from_the_start else {}),
        ),
        _feature({"type": "Point", "coordinates": course.start}, kind="start", name="Start"),
        _feature({"type": "Point", "coordinates": course.finish}, kind="finish", name="Finish"),
    ]
    visits, distances = course.visits_by_fence(), course.mat_distances()
    features += [
        _feature(
            shapely.geometry.mapping(fence.polygon),
            kind="geofence",
            name=fence.name,
            visits=visits[fence.name],
        )
        for fence in course.fences
    ]
    features += [_width_feature(course, width) for width in course.widths if width.since > 0.0]
    features += [
        _feature(
            {"type": "Point", "coordinates": mat.place},
            kind="timing",
            name=mat.name,
            timing=True,
            distances=distances[mat.name],
        )
        for mat in course.mats
    ]
    return {"type": "FeatureCollection", "features": features}


def _width_feature(course: Course, width: Width) -> dict[str, Any]:
    """Return a width as the placemark that means it, on the line."""
    place = np.round(course.place(np.array([width.since])), 9)[:, 0].tolist()
    point = {"type": "Point", "coordinates": place}
    known = np.isfinite(width.metres)
    return _feature(
        point,
        kind="width",
        name=f"Width {width.metres:g} m" if known else "Width unlimited",
        distance=round(width.since, 3),
        metres=width.metres if known else None,
    )


def _feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def position_pieces(batch: Positions) -> Iterator[bytes]:
    """Yield positions as one FeatureCollection, in pieces; 100,000 take 0.1 s."""
    before = '{"type":"FeatureCollection","features":['
    for first in range(0, len(batch), PIECE):
        yield f"{before}{','.join(_positions(batch.take(slice(first, first + PIECE))))}".encode()
        before = ","
    yield b"]}" if before == "," else f"{before}]}}".encode()


def _positions(batch: Positions) -> Iterator[str]:
    return (
        f'{{"type":"Feature","id":{bib},"geometry":{{"type":"Point","coordinates":[{lon},{lat}]}},'
        f'"properties":{{"competitorId":{bib},"distance":{metres},"status":"{status}",'
        f'"elapsed":{seconds},"rawTime":{raw_time},"timestamp":{timestamp}}}}}'
        for bib, raw_time, timestamp, lon, lat, metres, status, seconds in zip(
            *position_texts(batch), strict=True
        )
    )
