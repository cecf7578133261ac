"""Pinot's table `courses`, filled from here: an OFFLINE dimension table, which no stream leads to.

Each course has a segment of its own, always of the same name. So loading a course again replaces it and
touches no other; with Pinot's own names each load would add a segment beside the last.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from simulator.events import CourseRecord
from simulator.pinot_controller import OPEN, ask, checked

if TYPE_CHECKING:
    from simulator.course import Course
    from simulator.pinot_controller import Admission

TABLE = "courses"
NO_FENCE = "POLYGON EMPTY"
"""Pinot takes no empty text for a geography; nothing lies in this one."""
REMEMBERED = 10_000
"""Courses known to be loaded; of more, the oldest is forgotten, and loaded again when it comes again."""

FIELDS = ("shortName", "longName", "distance", "lineWkt", "fencesWkt", "startWkt", "finishWkt", "fences")
"""The columns of `CourseRecord.row` as Pinot is given them: its table's config makes BYTES of the WKT."""


def segment_of(short_name: str) -> str:
    """Return the name of a course's segment."""
    return f"{TABLE}_{short_name}"


def row_of(course: Course) -> bytes:
    """Return a course as the line of JSON that Pinot is given."""
    row = dict(zip(FIELDS, CourseRecord(course).row(), strict=True))
    row["fencesWkt"] = row["fencesWkt"] or NO_FENCE
    return orjson.dumps(row)


class CourseTable:
    """The table `courses` of the Pinot whose controller is at `controller`, and lets us in by `admission`.

    It is used by one thread at a time, since each load waits for Pinot.
    """

    def __init__(self, controller: str, admission: Admission = OPEN) -> None:
        self._controller = controller
        self._admission = admission
        self._loaded: dict[str, bytes] = {}

    def load(self, course: Course) -> None:
        """Make the course a row of the table, unless it was loaded from here just so.

        Raises:
            PinotError: Pinot refuses, or can't be reached.
        """
        row = row_of(course)
        mark = sha256(row).digest()
        if self._loaded.get(course.short_name) == mark:
            return
        batch = {
            "inputFormat": "json",
            "segmentNameGenerator.type": "fixed",
            "segmentNameGenerator.configs.segment.name": segment_of(course.short_name),
        }
        answer = ask(
            "POST",
            self._controller,
            "/ingestFromFile",
            admission=self._admission,
            params={"tableNameWithType": f"{TABLE}_OFFLINE", "batchConfigMapStr": json.dumps(batch)},
            files={"file": (f"{TABLE}.json", row + b"\n")},
        )
        checked(answer)
        self._loaded[course.short_name] = mark
        if len(self._loaded) > REMEMBERED:
            del self._loaded[next(iter(self._loaded))]
