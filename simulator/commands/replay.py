"""`python -m simulator replay`: publishes a recording until the race has ended."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
import structlog
from pydantic import Field, ValidationError
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from simulator import logs
from simulator.commands.process import PATIENCE, close, log_failure, open_courses, open_publisher
from simulator.commands.settings import ReplaySettings, settings_of
from simulator.course.course import Course
from simulator.engine.engine import RETRY, Engine
from simulator.engine.run import Run
from simulator.log.local import LocalLog
from simulator.publishers.publisher import PublishError
from simulator.race import cut_offs
from simulator.race.entrants import Entrants
from simulator.race.options import CutOffOptions
from simulator.race.race import Passings
from simulator.race.request import RaceRequest
from simulator.reactor import after, use_steady_clock
from simulator.replay import event_files, lines, pieces, tracks
from simulator.replay.event_files import Notes
from simulator.replay.files import found, is_events, tracks_in
from simulator.replay.lines import Lines
from simulator.replay.recording import Recording, RecordingError, Track
from simulator.service.races import course_of_points
from simulator.service.uploads import UploadFolder
from stream.courses import TimingPoint
from stream.problems import Problem, from_validation
from stream.results import WAVE_DELAY

LOOK = 0.1
"""Seconds between checks whether the race has ended."""
MAX_WARNINGS = 50
"""Maximum number of warnings about a recording."""


class Replayed(RaceRequest):
    """Stands in for the request of a race that was not simulated."""

    replay: str = Field(description="Source of the recording.")

    def text(self) -> str:
        """Describe the replay as JSON; no race can be simulated from it."""
        fields = {"replay", "course", "run_id", "name", "competitors", "speed", "interval", "start_at"}
        return self.model_dump_json(include=fields | {"wave_delay"})


def replay(flags: Sequence[str]) -> None:
    """Publish a recorded race; ends the process.

    Exit status 0 if all of it was delivered, else 1 with a log line that gives the reason. It waits for an
    unavailable broker, but not for one that rejects the credentials.
    """
    settings = settings_of(ReplaySettings, flags)
    logs.configure(settings.log_format)
    react(lambda reactor: ensureDeferred(_replay(reactor, settings)))


async def _replay(reactor: Any, settings: ReplaySettings) -> None:
    use_steady_clock(reactor)
    try:
        courses = open_courses(settings, UploadFolder(settings.uploads))
        now = datetime.fromtimestamp(int(reactor.seconds() * 1000) / 1000, UTC)
        recording = read(settings, courses, now)
        publisher = open_publisher(reactor, settings, courses)
    except (OSError, PublishError, RecordingError) as error:
        raise SystemExit(log_failure("can't replay", error)) from error
    race_log = LocalLog(publisher)  # no other process can continue a replay
    engine = Engine(reactor, publisher, race_log, deferToThread)
    run = Run(recording.course, recording.request, source=recording)
    ended: Deferred[None] = Deferred()

    async def end() -> None:
        # A replay is not resumed: cancelling ends the race for its viewers as well.
        is_created = run.run_id in engine.runs
        if is_created and not run.has_ended:
            cancelling = ensureDeferred(engine.change(run, "cancel"))
            await cancelling.addTimeout(PATIENCE, reactor).addErrback(_not_cancelled)
        await close(engine, publisher)
        if not is_created:
            why = PublishError(publisher.health().trouble or "the publisher accepted nothing")
            raise SystemExit(log_failure("could not deliver everything", why))

    # The reactor waits for the trigger; errors are reported through the main Deferred.
    reactor.addSystemEventTrigger("before", "shutdown", lambda: ensureDeferred(end()).addBoth(ended.callback))
    _ = ensureDeferred(_begin(reactor, engine, run))
    while not run.has_ended and not engine.stopping:
        health = publisher.health()
        if health.credentials_rejected and not health.delivered:
            break
        await after(reactor, LOOK)
    if not engine.stopping:
        reactor.stop()
    await ended


def _not_cancelled(failure: Failure) -> None:
    structlog.get_logger().error("the replay could not be cancelled", why=failure.getErrorMessage())


async def _begin(reactor: Any, engine: Engine, run: Run) -> None:
    """Create the race, as soon as the publisher takes its record."""

    async def run_of(_: object) -> Run:
        return run

    await engine.follow(run_of)
    while not engine.stopping:
        try:
            await engine.create(run)
        except PublishError as error:
            structlog.get_logger().error("publishing failed, retrying", why=str(error))
            await after(reactor, RETRY)
        else:
            return


class _Recorded(NamedTuple):
    """What the files contain: the parts of a `Recording`, and the fields of its request."""

    course: Course
    interval: float
    parts: tuple[Entrants, Track, tuple[TimingPoint, ...], Passings]
    name: str
    source: str
    wave_delay: float = 0.0
    cut_offs: Mapping[str, Any] = MappingProxyType({})


def read(settings: ReplaySettings, courses: Mapping[str, Course], now: datetime) -> Recording:
    """Return the configured recording, starting at `now`; raises RecordingError, OSError."""
    left_out: list[str] = []
    files = found(settings.files, left_out)
    _log_warnings(left_out)
    kinds = {is_events(file) for file in files}
    if len(kinds) > 1:
        raise RecordingError("event files and tracks can't be mixed: replay them separately")
    recorded = (_of_lines if kinds == {True} else _of_tracks)(files, settings, courses)
    course = recorded.course
    try:
        request = Replayed(
            course=course.short_name,
            replay=recorded.source,
            run_id=settings.run_id or f"{course.short_name[:36]}-replay-{now:%Y%m%d-%H%M%S}",
            name=recorded.name[:120],
            competitors=len(recorded.parts[0]),
            seed=0,
            speed=settings.speed,
            interval=recorded.interval,
            start_at=now,
            wave_delay=recorded.wave_delay,
            **recorded.cut_offs,
        )
    except ValidationError as error:
        raise RecordingError(from_validation(error).detail) from error
    return Recording(course, request, *recorded.parts)


def _of_lines(files: Sequence[Path], settings: ReplaySettings, courses: Mapping[str, Course]) -> _Recorded:
    notes = Notes()
    races = lines.read(event_files.opened(files), notes)
    for warning in notes.warnings():
        structlog.get_logger().warning("events skipped or corrected", why=warning)
    with_positions = {run_id: race for run_id, race in races.items() if race.positions}
    if not with_positions:
        raise RecordingError(f"there are no positions in {files[0].name}")
    run_id = settings.race or (next(iter(with_positions)) if len(with_positions) == 1 else "")
    if run_id not in with_positions:
        there = ", ".join(sorted(with_positions)[:20])
        raise RecordingError(f"choose a race with --race; those with positions: {there}")
    race = with_positions[run_id]
    course = _known(settings.course or race.course, courses, race)
    interval = lines.interval_of(race)
    name = settings.name or str(race.race.get("name") or course.long_name)
    parts = lines.parts_of(race, course, interval)
    return _Recorded(course, interval, parts, name, run_id, _wave_delay(race), _cut_offs(race, course))


def _wave_delay(race: Lines) -> float:
    """Return the seconds between the guns of two waves; without the race's record there is one gun."""
    try:
        return float(orjson.loads(race.race["request"]).get("wave_delay", WAVE_DELAY))
    except (KeyError, ValueError, TypeError, AttributeError):
        if any(wave > 1 for *_, wave in race.entries.values()):
            structlog.get_logger().warning(
                "the recording has waves and no record of the race, which says when they start: "
                "all times count from the first gun (record the topic races too)"
            )
        return 0.0


def _cut_offs(race: Lines, course: Course) -> Mapping[str, Any]:
    """Return the request's fields with the race's cut-offs; none if they don't fit the course."""
    try:
        asked = orjson.loads(race.race["request"])
        fields = {name: asked[name] for name in CutOffOptions.model_fields if name in asked}
        cut_offs.of(course, RaceRequest.model_validate({"course": course.short_name, **fields}))
    except (KeyError, TypeError, AttributeError):
        return {}
    except ValueError as error:
        structlog.get_logger().warning("the recording's cut-offs are left out", why=str(error))
        return {}
    return fields


def _of_tracks(files: Sequence[Path], settings: ReplaySettings, courses: Mapping[str, Course]) -> _Recorded:
    warnings: list[str] = []
    source = files[0] if len(files) == 1 else files[0].parent
    recorded = pieces.without_copies(tracks_in(files, warnings), warnings)
    if settings.course:
        course = _known(settings.course, courses)
    else:
        course = tracks.course_of(recorded, settings.name or source.stem)
        warnings += course.warnings
    interval = float(settings.interval)
    recorded = tracks.on_course(recorded, course, warnings)
    parts = tracks.parts_of(recorded, course, interval, warnings, together=not settings.own_starts)
    _log_warnings(warnings)
    structlog.get_logger().info("recording", **tracks.summary(recorded, *parts[2:]))
    return _Recorded(course, interval, parts, settings.name or course.long_name, source.name)


def _log_warnings(warnings: Sequence[str]) -> None:
    log = structlog.get_logger()
    for why in warnings[:MAX_WARNINGS]:
        log.warning("recording", why=why)
    if len(warnings) > MAX_WARNINGS:
        log.warning("recording", why=f"{len(warnings) - MAX_WARNINGS:,} more warnings")


def _known(name: str, courses: Mapping[str, Course], race: Lines | None = None) -> Course:
    """Return a known course, or the one that came with the race."""
    if name in courses:
        return courses[name]
    with suppress(ValidationError, Problem):
        request = RaceRequest.model_validate_json((race.race if race else {}).get("request", "{}"))
        if request.points is not None:
            return course_of_points(request.model_copy(update={"course": name}), None)
    there = ", ".join(courses) or "none"
    raise RecordingError(f"unknown course {name}; available: {there}; choose one with --course")
