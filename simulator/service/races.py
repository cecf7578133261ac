"""Creates and finds races, independently of HTTP.

It picks the course, fills in what a request leaves open, and recognises repeated requests. Time and
randomness are arguments.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from zlib import crc32

import numpy as np
import shapely
import structlog
from pydantic import ValidationError

from simulator.course.course import GEOD, Course
from simulator.course.drawing import CourseError, Drawing, Line, Ring
from simulator.course.survey import survey
from simulator.engine.engine import Engine, EngineFullError
from simulator.engine.run import Run, drawn
from simulator.race.events import RaceRecord
from simulator.race.request import FURTHEST_START, OLDEST_START, RaceRequest
from simulator.race.start_list import StartListError
from simulator.reactor import InThread, Reactor
from simulator.service.catalogue import Catalogue
from stream.problems import Problem, Wrong, from_validation, invalid
from stream.race_states import ENDED

SAME = 1.0
"""Tolerance, in metres, within which a submitted line counts as the known course."""
SHOWN = 20
"""Maximum number of course names in a message."""
MAX_ENDED = 100_000
"""Maximum request length, characters, of ended races that are kept after a restart."""
MADE_SEEDS = 1_000_000_000
"""Upper limit of generated seeds: short enough to dictate."""


class RaceService:
    """Creates and finds races.

    Args:
        reactor: gives the time.
        engine: runs the races.
        courses: the known courses.
        chance: `chance(n)` returns an unpredictable integer in 0…n-1 (`secrets.randbelow`).
        in_thread: `in_thread(f, *arguments)` calls f in a thread (`deferToThread`).

    Attributes:
        unread: why the races of an earlier run are not known yet; None if they are. Until then all methods
            raise Problem 503: a race that is not found may exist.
    """

    def __init__(
        self,
        reactor: Reactor,
        engine: Engine,
        courses: Catalogue,
        chance: Callable[[int], int],
        in_thread: InThread,
    ) -> None:
        self.courses = courses
        self.engine = engine
        self._reactor = reactor
        self._chance = chance
        self._in_thread = in_thread
        self._log = structlog.get_logger()
        self.unread: str | None = None

    async def create(self, asked: RaceRequest) -> tuple[Run, bool]:
        """Return the race for a request, and whether it is new.

        Raises Problem: 409 if its run id is taken, 422 if it can't be run, 503 if there is no capacity.
        """
        if (earlier := await self._earlier(asked)) is not None:
            return earlier, False
        # Whole milliseconds, as in the stream; rounded down, never into the future.
        now = datetime.fromtimestamp(int(self._reactor.seconds() * 1000) / 1000, UTC)
        _check_start(asked, now)
        known = self.courses.get(asked.course)
        course = await self._in_thread(self._course, asked, known)
        defaults = {
            "run_id": self._free_id(f"{course.short_name[:40]}-{now:%Y%m%d-%H%M%S}"),
            "name": course.long_name,
            "seed": self._chance(MADE_SEEDS),
            "start_at": now,
        }
        run = await self._in_thread(_made, course, asked, defaults)
        # It may have been created by another request meanwhile.
        if (earlier := await self._earlier(asked)) is not None:
            return earlier, False
        if self.courses.get(asked.course) is not known:
            # An upload has taken the name meanwhile.
            return await self.create(asked)
        try:
            self.engine.add(run)
        except EngineFullError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        return run, True

    async def _earlier(self, asked: RaceRequest) -> Run | None:
        """The race with the run id of a request; raises Problem 409 if another request created it."""
        run = self._runs.get(asked.run_id or "")
        if run is not None and not await self._in_thread(run.was_asked_by, asked):
            detail = f"Race {run.run_id} already exists with different parameters"
            raise Problem(HTTPStatus.CONFLICT, detail)
        return run

    async def restore(self, records: Iterable[RaceRecord]) -> None:
        """Restore races of an earlier simulator: active ones continue, ended ones stay known."""
        for record in records:
            has_ended = record.status in ENDED
            if record.run_id in self.engine.runs or (has_ended and len(record.request) > MAX_ENDED):
                continue
            try:
                request = await self._in_thread(RaceRequest.model_validate_json, record.request)
                known = self.courses.get(request.course)
                course = await self._in_thread(self._course, request, known)
                run = await self._in_thread(Run if has_ended else drawn, course, request)
                self.engine.restore(run, record)
            except (ValidationError, Problem, EngineFullError) as error:
                # For example a replay: it can't be simulated from its request.
                why = from_validation(error).detail if isinstance(error, ValidationError) else str(error)
                self._log.warning("earlier race not restored", run_id=record.run_id, why=why)

    @property
    def _runs(self) -> dict[str, Run]:
        if self.unread is not None:
            detail = f"Earlier races are still being read: {self.unread}"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        return self.engine.runs

    def _free_id(self, stem: str) -> str:
        while (run_id := f"{stem}-{self._chance(16**6):06x}") in self._runs:
            pass
        return run_id

    def race(self, run_id: str) -> Run:
        """Return a race; raises Problem 404."""
        if (run := self._runs.get(run_id)) is None:
            raise Problem(HTTPStatus.NOT_FOUND, "No race with this id")
        return run

    def races(self) -> list[Run]:
        """Return all races, latest start first."""
        return sorted(self._runs.values(), key=lambda run: run.start_at, reverse=True)

    def course(self, short_name: str) -> Course:
        """Return a course, known or brought by a race; raises Problem 404."""
        if (course := self.courses.get(short_name)) is not None:
            return course
        for run in self._runs.values():
            if run.course.short_name == short_name:
                return run.course
        raise Problem(HTTPStatus.NOT_FOUND, "No course with this name")

    def owner(self, name: str) -> str | None:
        """Describe the course that owns a name, as the end of a sentence; None if the name is free."""
        if any(run.course.short_name == name for run in self._runs.values()):
            return self.courses.owner(name) or "a course that came with a race"
        return self.courses.owner(name)

    def _course(self, request: RaceRequest, known: Course | None) -> Course:
        if request.points is not None:
            given = course_of_points(request, known)
            if known is None:
                return given
            if _same_line(given, known):
                return known
            # A different line under a known name would be mistaken for the known course.
            mark = crc32(given.line_wkt().encode())
            return replace(given, short_name=f"{request.course[:55]}-{mark:08x}")
        if known is None:
            names = list(self.courses)
            more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            there = (", ".join(names[:SHOWN]) or "none") + more
            raise invalid([Wrong("course", f"is not a known course; available: {there}")])
        return known


def _same_line(one: Course, other: Course) -> bool:
    """Return whether two lines have the same length and course within `SAME`."""
    if abs(one.distance - other.distance) > SAME:
        return False
    metres = np.linspace(0.0, min(one.distance, other.distance), 100)
    return bool(np.max(GEOD.inv(*one.place(metres), *other.place(metres))[2]) <= SAME)


def course_of_points(request: RaceRequest, known: Course | None) -> Course:
    """Return the course of the request's points, with the geofences of the known course if there is one."""
    lon, lat = np.array(request.points, float).T
    line = Line(lon, lat, np.full(len(lon), np.nan), "points")
    polygons = [
        Ring(
            fence.name,
            shapely.get_coordinates(fence.polygon.exterior),
            tuple(shapely.get_coordinates(hole) for hole in fence.polygon.interiors),
            f"the geofence {fence.name}",
        )
        for fence in (known.fences if known else ())
    ]
    name = known.long_name if known else request.course
    try:
        return survey(Drawing(name, [line], polygons=polygons), request.course, name)
    except CourseError as error:
        raise invalid([Wrong("points", f"don't form a valid course: {error}")]) from error


def _made(course: Course, asked: RaceRequest, defaults: Mapping[str, Any]) -> Run:
    """Return the race of a request, in a thread."""
    _check_expected_times(asked, course)
    return drawn(course, asked.resolved(**defaults), asked)


def _check_expected_times(request: RaceRequest, course: Course) -> None:
    try:
        if request.listed is not None:
            request.listed.check(course.distance)
    except StartListError as error:
        raise invalid([Wrong("start_list", reason) for reason in error.reasons]) from error


def _check_start(request: RaceRequest, now: datetime) -> None:
    start_at = request.start_at or now
    if start_at < now - OLDEST_START:
        raise invalid([Wrong("start_at", "must not be more than a day ago")])
    if start_at > now + FURTHEST_START:
        raise invalid([Wrong("start_at", "must not be more than a year ahead")])
