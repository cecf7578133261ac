"""`python -m simulator replay`: publishes a recording until the race has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react

from simulator.commands.process import close, log_failure, open_courses, open_publisher
from simulator.engine.clock import use_monotonic_clock
from simulator.engine.engine import Engine
from simulator.publishers.publisher import PublishError
from simulator.race.request import RaceRequest
from simulator.reactor import after
from simulator.replay import lines, tracks
from simulator.replay.recording import Recording, RecordingError
from simulator.service.races import course_of_points
from simulator.service.uploads import UploadFolder
from stream.problems import Problem, from_validation
from stream.race_states import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simulator.commands.settings import ReplaySettings
    from simulator.course.course import Course
    from simulator.publishers.publisher import Health
    from simulator.replay.lines import Lines

LOOK = 0.1
"""Seconds between checks whether the race has ended."""
LINES, TRACKS = {".ndjson", ".jsonl", ".json"}, {".gpx"}
"""Suffixes of event files and of track files."""
MAX_FILE = 64 * 1024 * 1024
"""Maximum size of a GPX file, bytes."""


class Replayed(RaceRequest):
    """Stands in for the request of a race that was not simulated."""

    replay: str = Field(description="Source of the recording.")

    def text(self) -> str:
        """Describe the replay as JSON; no race can be simulated from it."""
        fields = {"replay", "course", "run_id", "name", "competitors", "speed", "interval", "start_at"}
        return self.model_dump_json(include=fields)


def replay(settings: ReplaySettings) -> None:
    """Publish a recorded race; ends the process.

    Exit status 0 if all of it was delivered, else 1 with a log line that gives the reason. It waits for an
    unavailable broker, but not for one that rejects the credentials.
    """
    react(lambda reactor: ensureDeferred(_replay(reactor, settings)))


async def _replay(reactor: Any, settings: ReplaySettings) -> None:
    use_monotonic_clock(reactor)
    try:
        courses = open_courses(settings, UploadFolder(settings.uploads))
        now = datetime.fromtimestamp(int(reactor.seconds() * 1000) / 1000, UTC)
        recording = read(settings, courses, now)
        publisher = open_publisher(reactor, settings, courses)
    except (OSError, PublishError, RecordingError) as error:
        raise SystemExit(log_failure("can't replay", error)) from error
    engine = Engine(reactor, publisher)
    run = engine.add(recording.course, recording.request, source=recording)
    broken_off: Deferred[None] = Deferred()

    def break_off() -> Deferred[None]:
        # A replay is not resumed: cancelling ends the race for its viewers as well.
        if run.status not in ENDED:
            engine.cancel(run)
        # The reactor waits for the trigger; errors are reported through the main Deferred.
        return ensureDeferred(close(engine, publisher)).addBoth(broken_off.callback)

    trigger = reactor.addSystemEventTrigger("before", "shutdown", break_off)
    while not run.done and not _is_rejected(publisher.health()):
        await after(reactor, LOOK)
    if engine.stopping:
        await broken_off
        return
    reactor.removeSystemEventTrigger(trigger)
    if not run.done and run.status not in ENDED:
        engine.cancel(run)
    await close(engine, publisher)


def _is_rejected(health: Health) -> bool:
    """Return whether the credentials are rejected and nothing has been delivered since the start."""
    return health.credentials_rejected and not health.delivered


def read(settings: ReplaySettings, courses: Mapping[str, Course], now: datetime) -> Recording:
    """Return the configured recording, starting at `now`; raises RecordingError, OSError."""
    files = _files(settings.files)
    kinds = {"lines" if file.suffix.lower() in LINES else "tracks" for file in files}
    if len(kinds) > 1:
        raise RecordingError("event files and GPX files can't be mixed: replay them separately")
    if kinds == {"lines"}:
        return _of_lines(files, settings, courses, now)
    return _of_tracks(files, settings, courses, now)


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the files; folders are expanded in the order of file names."""
    known = LINES | TRACKS
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RecordingError(f"no such file or folder: {path}")
        if path.is_dir():
            found += sorted(file for file in path.iterdir() if file.suffix.lower() in known)
        elif path.suffix.lower() in known:
            found.append(path)
        else:
            raise RecordingError(
                f"{path} is neither a folder nor a file with one of the suffixes {', '.join(sorted(known))}"
            )
    if not found:
        raise RecordingError(f"no {', '.join(sorted(known))} file in {paths[0]}")
    return found


def _of_lines(
    files: Sequence[Path], settings: ReplaySettings, courses: Mapping[str, Course], now: datetime
) -> Recording:
    races = lines.read(chain.from_iterable(_lines(file) for file in files), files[0].name)
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
    parts = lines.parts_of(race, course, interval)
    name = settings.name or str(race.race.get("name") or course.long_name)
    request = _request(settings, course, len(parts[0]), interval, name=name, replay=run_id, now=now)
    return Recording(course, request, *parts)


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from opened


def _of_tracks(
    files: Sequence[Path], settings: ReplaySettings, courses: Mapping[str, Course], now: datetime
) -> Recording:
    found = tracks.all_of((file.name, _bytes(file)) for file in files)
    name = settings.name or files[0].stem
    course = _known(settings.course, courses) if settings.course else tracks.course_of(found, name)
    interval = float(settings.interval)
    parts = tracks.parts_of(found, course, interval, together=not settings.own_starts)
    name = settings.name or course.long_name
    what = files[0].name if len(files) == 1 else files[0].parent.name
    request = _request(settings, course, len(parts[0]), interval, name=name, replay=what, now=now)
    return Recording(course, request, *parts)


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > MAX_FILE:
        raise RecordingError(f"{file.name} is larger than {MAX_FILE // 1024**2} MiB")
    return file.read_bytes()


def _known(name: str, courses: Mapping[str, Course], race: Lines | None = None) -> Course:
    """Return a known course, or the one that came with the race."""
    if (known := courses.get(name)) is not None:
        return known
    try:
        request = RaceRequest.model_validate_json((race.race if race else {}).get("request", "{}"))
        if request.points is not None:
            return course_of_points(request.model_copy(update={"course": name}), None)
    except (ValidationError, Problem):
        pass
    there = ", ".join(courses) or "none"
    raise RecordingError(f"unknown course {name}; available: {there}; choose one with --course")


def _request(  # noqa: PLR0913 - the fields of a request
    settings: ReplaySettings,
    course: Course,
    competitors: int,
    interval: float,
    *,
    name: str,
    replay: str,
    now: datetime,
) -> Replayed:
    run_id = settings.run_id or f"{course.short_name[:36]}-replay-{now:%Y%m%d-%H%M%S}"
    try:
        return Replayed(
            course=course.short_name,
            replay=replay,
            run_id=run_id,
            name=name[:120],
            competitors=competitors,
            seed=0,
            speed=settings.speed,
            interval=interval,
            start_at=now,
        )
    except ValidationError as error:
        raise RecordingError(from_validation(error).detail) from error
