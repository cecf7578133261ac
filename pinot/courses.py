"""Pinot's `courses` table, filled from course files. It is small, and replaced as a whole each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinot.cluster import Cluster
    from simulator.course import Course

# One segment, always of this name: with Pinot's own names each load would add one beside the last.
SEGMENT = "courses"
# Pinot takes no empty text for a geography; nothing lies in this one.
NO_FENCE = "POLYGON EMPTY"
BATCH = {
    "inputFormat": "json",
    "segmentNameGenerator.type": "fixed",
    "segmentNameGenerator.configs.segment.name": SEGMENT,
}


def course_row(course: Course) -> dict[str, Any]:
    """What Pinot is given of a course; the table's config makes its BYTES columns of the WKT."""
    return {
        "shortName": course.short_name,
        "longName": course.long_name,
        "distance": course.distance,
        "lineWkt": course.line_wkt(),
        "fencesWkt": course.fences_wkt() or NO_FENCE,
        "startWkt": course.start_wkt(),
        "finishWkt": course.finish_wkt(),
        "fences": course.fences_json(),
    }


def load_courses(cluster: Cluster, courses: Iterable[Course]) -> int:
    """Make `courses` the content of the table, and answer how many they are.

    There has to be one at least: Pinot makes no segment of nothing.

    Raises:
        PinotError: Pinot refuses.
    """
    rows = [orjson.dumps(course_row(course)) for course in courses]
    cluster.ingest("courses", b"\n".join(rows) + b"\n", BATCH)
    return len(rows)
