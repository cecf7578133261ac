"""Writes courses to Pinot's OFFLINE dimension table `courses`, which has no topic.

Each course has its own segment, named after it. So loading a course again replaces only that course; with
Pinot's default names, each load would add a segment.
"""

import json
import time
from hashlib import sha256
from typing import Any

import httpx
import orjson

from simulator.course.course import Course
from simulator.race.events import CourseRecord
from stream.contract import TABLES
from stream.pinot import OPEN, PinotAuth, PinotError, ask, checked

TABLE = "courses"
NO_FENCE = "POLYGON EMPTY"
"""Contains no place; Pinot rejects an empty text for a geography."""
REMEMBERED = 10_000
"""Maximum number of courses known to be loaded; the oldest are forgotten and may be loaded again."""
FETCHED_WITHIN = 60.0
"""Seconds to wait until Pinot's servers have fetched a segment."""
BETWEEN_LOOKS = 0.1
"""Seconds between two checks."""

FIELDS = tuple(field.source for field in TABLES[TABLE].fields.values())
"""The columns' names in ingested rows: the table's configuration converts WKT to BYTES."""


def segment_of(short_name: str) -> str:
    """Return the name of a course's segment."""
    return f"{TABLE}_{short_name}"


def row_of(course: Course) -> bytes:
    """Return a course as a line of JSON for Pinot."""
    (values,) = CourseRecord(course).rows()
    row = dict(zip(FIELDS, values, strict=True))
    return orjson.dumps(row | {"fencesWkt": row["fencesWkt"] or NO_FENCE})


class CourseTable:
    """The table `courses`, for one thread at a time.

    Args:
        controller: URL of Pinot's controller.
        pinot_auth: the credentials.
        patience: maximum seconds to wait until the servers have fetched the course's previous version.
    """

    def __init__(
        self, controller: str, pinot_auth: PinotAuth = OPEN, patience: float = FETCHED_WITHIN
    ) -> None:
        self._controller = controller
        self._pinot_auth = pinot_auth
        self._patience = patience
        self._loaded: dict[str, bytes] = {}

    def load(self, course: Course) -> None:
        """Write a course, unless it was already loaded unchanged; blocks.

        Raises PinotError if Pinot rejects it or is unavailable.
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
        """Wait until an existing segment is served.

        Pinot notifies only servers that serve a segment of its replacement: a server that is still fetching
        the previous version would keep it.
        """
        end = time.monotonic() + self._patience
        while segment in self._segments("idealstate") and segment not in self._segments("externalview"):
            if time.monotonic() > end:
                raise PinotError(f"no server of Pinot's has fetched {segment} within {self._patience:g} s")
            time.sleep(BETWEEN_LOOKS)

    def _segments(self, view: str) -> dict[str, Any]:
        """Return the table's segments: the wanted ones (`idealstate`) or the served ones (`externalview`)."""
        found: dict[str, dict[str, Any] | None] = self._ask("GET", f"/tables/{TABLE}/{view}").json()
        return found.get("OFFLINE") or {}

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return checked(ask(method, self._controller, path, pinot_auth=self._pinot_auth, **rest))
