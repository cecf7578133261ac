"""Creates and finds races, independently of HTTP.

It picks the course, fills in what a request leaves open, and recognises repeated requests. Time and
randomness are arguments.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
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
from simulator.engine.run import LONG_REQUEST, Run, drawn
from simulator.publishers.publisher import PublishError
from simulator.race import cut_offs
from simulator.race.cut_offs import CutOffError
from simulator.race.events import RaceRecord
from simulator.race.request import FURTHEST_START, OLDEST_START, RaceRequest
from simulator.race.start_list import StartListError
from simulator.reactor import Reactor
from simulator.service.catalogue import Catalogue
from simulator.service.uploads import UploadFolder
from stream.problems import Problem, Wrong, from_validation, invalid
from stream.race_states import ENDED, Action

SAME = 1.0
"""Tolerance, in metres, within which a submitted line counts as the known course."""
SHOWN = 20
"""Maximum number of course names in a message."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""A course's short name."""
UNNAMED = "plan"
"""Run id of a race that is not created."""
MADE_SEEDS = 1_000_000_000
"""Upper limit of generated seeds: short enough to dictate."""


class RaceService:
    """Creates and finds races.

    Args:
        reactor: gives the time.
        engine: runs the races.
        courses: the known courses.
        folder: has the uploads of all simulators.
        chance: `chance(n)` returns an unpredictable integer in 0…n-1 (`secrets.randbelow`).

    Attributes:
        unread: why the races in the log are not known yet; None if they are. Until then all methods raise
            Problem 503: a race that is not found may exist.
    """

    def __init__(
        self,
        reactor: Reactor,
        engine: Engine,
        courses: Catalogue,
        folder: UploadFolder,
        chance: Callable[[int], int],
    ) -> None:
        self.courses = courses
        self.engine = engine
        self._reactor = reactor
        self._folder = folder
        self._chance = chance
        self._in_thread = engine.in_thread
        self._log = structlog.get_logger()
        self.unread: str | None = None
        self._made: dict[str, Run] = {}  # races whose record is being written, so that they are drawn once

    async def create(self, asked: RaceRequest) -> tuple[Run, bool]:
        """Return the race for a request, and whether it is new.

        Raises Problem: 409 if its run id is taken, 422 if it can't be run, 503 if there is no capacity or the
        log takes no records.
        """
        if (earlier := await self._earlier(asked)) is not None:
            return earlier, False
        now = self._whole_now()
        _check_start(asked, now)
        known = await self._known(asked.course)
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
        self._made[run.run_id] = run
        try:
            is_new = await self.engine.create(run)
        except EngineFullError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        except PublishError as error:
            raise _not_written(error, f"the same body and the run_id {run.run_id}") from error
        finally:
            self._made.pop(run.run_id, None)
        if is_new or (earlier := await self._earlier(asked)) is None:
            return self.race(run.run_id), is_new
        return earlier, False

    def _whole_now(self) -> datetime:
        """The time in whole milliseconds, as in the stream; rounded down, never into the future."""
        return datetime.fromtimestamp(int(self._reactor.seconds() * 1000) / 1000, UTC)

    async def resolved(self, asked: RaceRequest) -> tuple[Course, RaceRequest]:
        """Return the course and the resolved request of a race that is not created.

        Raises Problem 422 if it can't be run, as far as it shows before the race is drawn.
        """
        now = self._whole_now()
        _check_start(asked, now)
        course = await self._in_thread(self._course, asked, await self._known(asked.course))
        await self._in_thread(_check, course, asked)
        seed = self._chance(MADE_SEEDS)
        return course, asked.resolved(run_id=UNNAMED, name=course.long_name, seed=seed, start_at=now)

    async def change(self, run_id: str, action: Action) -> Run:
        """Pause, resume or cancel a race, and return it.

        Raises StateError if its state doesn't allow that; Problem: 404 if there is none, 503 if the log takes
        no records.
        """
        run = await self.found(run_id)
        try:
            await self.engine.change(run, action)
        except PublishError as error:
            raise _not_written(error, "it") from error
        return run

    async def _earlier(self, asked: RaceRequest) -> Run | None:
        """The race with the run id of a request; raises Problem 409 if another request created it."""
        run = self._runs.get(asked.run_id or "")
        if asked.run_id in self.engine.others:
            detail = f"Race {asked.run_id} already exists; this simulator doesn't have it in memory"
            raise Problem(HTTPStatus.CONFLICT, detail)
        if run is not None and not await self._in_thread(run.was_asked_by, asked):
            detail = f"Race {run.run_id} already exists with different parameters"
            raise Problem(HTTPStatus.CONFLICT, detail)
        return run

    async def run_of(self, record: RaceRecord) -> Run | None:
        """Return the race of its first record; None if this simulator can't run it."""
        made = self._made.get(record.run_id)
        if made is not None and made.record.request == record.request:
            return made
        if record.status in ENDED and not 0 < len(record.request) <= LONG_REQUEST:
            return None
        try:
            request = await self._in_thread(RaceRequest.model_validate_json, record.request)
            course = await self._in_thread(self._course, request, await self._known(request.course))
            run: Run = await self._in_thread(Run, course, request)
        except (ValidationError, Problem, CutOffError) as error:
            # For example a replay: it can't be simulated from its request.
            why = from_validation(error).detail if isinstance(error, ValidationError) else str(error)
            self._log.warning("race not known here", run_id=record.run_id, why=why)
            return None
        return run if run.run_id == record.run_id else None

    @property
    def _runs(self) -> dict[str, Run]:
        if self.unread is not None:
            detail = f"The races are still being read: {self.unread}"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        return self.engine.runs

    def _free_id(self, stem: str) -> str:
        while (run_id := f"{stem}-{self._chance(16**6):06x}") in self._runs:
            pass
        return run_id

    async def found(self, run_id: str) -> Run:
        """Return a race, also one that another simulator has just created; raises Problem 404."""
        if run_id not in self._runs:
            with suppress(PublishError):
                await self.engine.race_log.caught_up()
        return self.race(run_id)

    def race(self, run_id: str) -> Run:
        """Return a race; raises Problem 404."""
        if (run := self._runs.get(run_id)) is None:
            raise Problem(HTTPStatus.NOT_FOUND, "No race with this id")
        return run

    def now(self) -> float:
        """Return the time, epoch seconds."""
        return self._reactor.seconds()

    def published_until(self, run: Run) -> float:
        """Return the race seconds of the last tick that is published; -1 before the first."""
        return run.published_until(self.now())

    def races(self) -> list[Run]:
        """Return all races, latest start first."""
        return sorted(self._runs.values(), key=lambda run: run.start_at, reverse=True)

    async def learn_courses(self) -> None:
        """Take note of the courses that other simulators have accepted."""
        for name in sorted(await self._in_thread(self._folder.names)):
            await self._known(name)

    async def course(self, short_name: str) -> Course:
        """Return a course, known or brought by a race; raises Problem 404."""
        if (course := await self._known(short_name)) is not None:
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

    async def _known(self, name: str) -> Course | None:
        """The known course with a name; one that another simulator has accepted is in the shared folder."""
        if name not in self.courses and NAME.fullmatch(name) and self.courses.owner(name) is None:
            upload = await self._in_thread(self._folder.find, name)
            if upload is not None and self.courses.owner(name) is None:
                self.courses.add(upload)
        return self.courses.get(name)

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
    _check(course, asked)
    try:
        return drawn(course, asked.resolved(**defaults), asked)
    except CutOffError as error:
        raise impossible(error) from error


def _check(course: Course, asked: RaceRequest) -> None:
    """Raise Problem 422 if a request doesn't fit the course, as far as it shows before the race is drawn."""
    _check_expected_times(asked, course)
    try:
        cut_offs.of(course, asked)
    except CutOffError as error:
        raise impossible(error) from error


def impossible(error: CutOffError) -> Problem:
    """Return the problem for cut-offs that a race can't have."""
    return invalid([Wrong("cut_offs", reason) for reason in error.reasons])


def _not_written(error: PublishError, what: str) -> Problem:
    detail = f"The races can't be written: {error}. Repeat the request with {what} later"
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)


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
