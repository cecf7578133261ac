"""Pinot's table `courses`, filled from here: an OFFLINE dimension table, which no stream leads to.

Each course has a segment of its own, always of the same name. So loading a course again replaces it and
touches no other; with Pinot's own names each load would add a segment beside the last.
"""

from __future__ import annotations

import json
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from simulator.race.events import CourseRecord
from stream.contract import TABLES
from stream.pinot import OPEN, PinotError, ask, checked

if TYPE_CHECKING:
    import httpx

    from simulator.course.course import Course
    from stream.pinot import PinotAuth

TABLE = "courses"
NO_FENCE = "POLYGON EMPTY"
"""Pinot takes no empty text for a geography; nothing lies in this one."""
REMEMBERED = 10_000
"""Courses known to be loaded; of more, the oldest is forgotten, and loaded again when it comes again."""

FETCHED_WITHIN = 60.0  # seconds
BETWEEN_LOOKS = 0.1  # seconds

FIELDS = tuple(field.source for field in TABLES[TABLE].fields.values())
"""The names under which Pinot receives the columns: the table's config makes BYTES of the WKT."""


def segment_of(short_name: str) -> str:
    """Return the name of a course's segment."""
    return f"{TABLE}_{short_name}"


def row_of(course: Course) -> bytes:
    """Return a course as the line of JSON that Pinot is given."""
    (values,) = CourseRecord(course).rows()
    row = dict(zip(FIELDS, values, strict=True))
    return orjson.dumps(row | {"fencesWkt": row["fencesWkt"] or NO_FENCE})


class CourseTable:
    """The table `courses` of the Pinot whose controller is at `controller`, and lets us in by `pinot_auth`.

    It is used by one thread at a time, since each load waits for Pinot: `patience` seconds at most for the
    servers to have fetched the course of that name before.
    """

    def __init__(
        self, controller: str, pinot_auth: PinotAuth = OPEN, patience: float = FETCHED_WITHIN
    ) -> None:
        self._controller = controller
        self._admission = pinot_auth
        self._patience = patience
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
        segment = segment_of(course.short_name)
        batch = {
            "inputFormat": "json",
            "segmentNameGenerator.type": "fixed",
            "segmentNameGenerator.configs.segment.name": segment,
        }
        self._wait_until_fetched(segment)
        self._ask(
            "POST",
            "/ingestFromFile",
            params={"tableNameWithType": f"{TABLE}_OFFLINE", "batchConfigMapStr": json.dumps(batch)},
            files={"file": (f"{TABLE}.json", row + b"\n")},
        )
        self._loaded[course.short_name] = mark
        if len(self._loaded) > REMEMBERED:
            del self._loaded[next(iter(self._loaded))]

    def _wait_until_fetched(self, segment: str) -> None:
        """Wait until a segment that is there is served, or return at once if there is none.

        Pinot tells only those who serve a segment that it was replaced: a server that still fetches what was
        there before would keep it.
        """
        end = time.monotonic() + self._patience
        while segment in self._segments("idealstate") and segment not in self._segments("externalview"):
            if time.monotonic() > end:
                raise PinotError(f"no server of Pinot's has fetched {segment} within {self._patience:g} s")
            time.sleep(BETWEEN_LOOKS)

    def _segments(self, view: str) -> dict[str, Any]:
        """Return the table's segments: those that should be, `idealstate`, or that are, `externalview`."""
        found: dict[str, dict[str, Any] | None] = self._ask("GET", f"/tables/{TABLE}/{view}").json()
        return found.get("OFFLINE") or {}

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return checked(ask(method, self._controller, path, pinot_auth=self._admission, **rest))
