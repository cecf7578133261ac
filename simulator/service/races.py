"""The race race_service: takes requests for races, and knows the courses and the races.

What HTTP has nothing to do with is decided here: which course is meant, what is filled in, whether a
request is a repeat. Time and chance are arguments.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import shapely
import structlog
from pydantic import ValidationError

from simulator.course.course import GEOD
from simulator.course.drawing import CourseError, Drawing, Line, Ring
from simulator.course.survey import survey
from simulator.engine.engine import EngineFullError
from simulator.race.request import FURTHEST_START, OLDEST_START, RaceRequest
from stream.problems import Problem, Wrong, from_validation, invalid
from stream.race_states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulator.course.course import Course
    from simulator.engine.engine import Engine
    from simulator.engine.run import Run
    from simulator.race.events import RaceRecord
    from simulator.reactor import Reactor
    from simulator.service.catalogue import Catalogue

SAME = 1.0
"""Metres by which a line may differ from a known one and be that one."""
SHOWN = 20
"""Names of courses in one message."""
MAX_ENDED = 100_000
"""Characters of the request of a race that has ended, with which it is known again after a restart."""
MADE_SEEDS = 1_000_000_000
"""Seeds that are made are smaller than this: short enough to be told on the phone."""


class RaceService:
    """Takes requests.

    Args:
        reactor: tells the time.
        engine: runs the races.
        courses: the known courses.
        chance: `chance(n)` gives a whole number of 0…n-1 that nobody can guess (`secrets.randbelow`).
    """

    def __init__(
        self,
        reactor: Reactor,
        engine: Engine,
        courses: Catalogue,
        chance: Callable[[int], int],
    ) -> None:
        self.courses = courses
        self.engine = engine
        self._reactor = reactor
        self._chance = chance
        self._log = structlog.get_logger()

    def create(self, request: RaceRequest) -> tuple[Run, bool]:
        """Return the race for a request, and whether it is new.

        Raises Problem: 409 if its run id is another race's, 422 if it can't be run, 503 if there is no room.
        """
        if request.run_id is not None and (run := self.engine.runs.get(request.run_id)):
            if not run.was_asked_by(request):
                raise Problem(
                    HTTPStatus.CONFLICT,
                    f"There is a race {run.run_id} already, and it was asked for otherwise",
                )
            return run, False
        # Whole milliseconds, as the stream has them; never in the future.
        now = datetime.fromtimestamp(int(self._reactor.seconds() * 1000) / 1000, UTC)
        _check_start(request, now)
        course = self._course(request)
        resolved = request.resolved(
            run_id=self._free_id(f"{course.short_name[:40]}-{now:%Y%m%d-%H%M%S}"),
            name=course.long_name,
            seed=self._chance(MADE_SEEDS),
            start_at=now,
        )
        try:
            return self.engine.add(course, resolved, asked=request), True
        except EngineFullError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error

    def go_on_with(self, records: Iterable[RaceRecord]) -> None:
        """Take up races that an earlier simulator has told of: those under way go on, all are known."""
        for record in records:
            if record.run_id in self.engine.runs or _is_not_worth_it(record):
                continue
            try:
                request = RaceRequest.model_validate_json(record.request)
                self.engine.restore(self._course(request), request, record)
            except (ValidationError, Problem, EngineFullError) as error:
                # A replay, for one: no request of ours makes it again.
                why = from_validation(error).detail if isinstance(error, ValidationError) else str(error)
                self._log.warning("race of before left out", run_id=record.run_id, why=why)

    def _free_id(self, stem: str) -> str:
        while (run_id := f"{stem}-{self._chance(16**6):06x}") in self.engine.runs:
            pass
        return run_id

    def race(self, run_id: str) -> Run:
        """Return a race; raises Problem 404."""
        if (run := self.engine.runs.get(run_id)) is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no race of that id")
        return run

    def races(self) -> list[Run]:
        """Return all races, those that start last first."""
        return sorted(self.engine.runs.values(), key=lambda run: run.start_at, reverse=True)

    def course(self, short_name: str) -> Course:
        """Return a course, a known one or one that a race brought along; raises Problem 404."""
        if (course := self.courses.get(short_name)) is not None:
            return course
        for run in self.engine.runs.values():
            if run.course.short_name == short_name:
                return run.course
        raise Problem(HTTPStatus.NOT_FOUND, "There is no course of that name")

    def _names(self) -> str:
        names = list(self.courses)
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        return (", ".join(names[:SHOWN]) or "none") + more

    def owner(self, name: str) -> str | None:
        """Say whose a course's name is, as the end of a sentence; None if it is free."""
        if any(run.course.short_name == name for run in self.engine.runs.values()):
            return self.courses.owner(name) or "a course that came with a race"
        return self.courses.owner(name)

    def _course(self, request: RaceRequest) -> Course:
        known = self.courses.get(request.course)
        if request.points is not None:
            given = course_of_points(request, known)
            if known is None:
                return given
            if _same_line(given, known):
                return known
            # Another line under a known name would be taken for the known one by everybody who looks it up.
            mark = crc32(given.line_wkt().encode())
            return replace(given, short_name=f"{request.course[:55]}-{mark:08x}")
        if known is None:
            raise invalid([Wrong("course", f"is not a known course; there are: {self._names()}")])
        return known


def _is_not_worth_it(record: RaceRecord) -> bool:
    """Tell whether a race of before would cost more to take up than it is good for: one that is over."""
    return record.status in ENDED and len(record.request) > MAX_ENDED


def _same_line(one: Course, other: Course) -> bool:
    """Tell whether two lines are of one length and at the same places all along."""
    if abs(one.distance - other.distance) > SAME:
        return False
    metres = np.linspace(0.0, min(one.distance, other.distance), 100)
    return bool(np.max(GEOD.inv(*one.place(metres), *other.place(metres))[2]) <= SAME)


def course_of_points(request: RaceRequest, known: Course | None) -> Course:
    """Return the course given in the body, with the known course's fences if there is one."""
    lon, lat = np.array(request.points, float).T
    line = Line(lon, lat, np.full(len(lon), np.nan), "points")
    fences = known.fences if known else ()
    polygons = tuple(
        Ring(
            fence.name,
            shapely.get_coordinates(fence.polygon.exterior),
            tuple(shapely.get_coordinates(hole) for hole in fence.polygon.interiors),
            f"the geofence {fence.name}",
        )
        for fence in fences
    )
    name = known.long_name if known else request.course
    try:
        return survey(Drawing(name, (line,), polygons=polygons), request.course, name)
    except CourseError as error:
        raise invalid([Wrong("points", f"make no course: {error}")]) from error


def _check_start(request: RaceRequest, now: datetime) -> None:
    if request.start_at is None:
        return
    if request.start_at < now - OLDEST_START:
        raise invalid([Wrong("start_at", "must not be more than a day ago")])
    if request.start_at > now + FURTHEST_START:
        raise invalid([Wrong("start_at", "must not be more than a year ahead")])
