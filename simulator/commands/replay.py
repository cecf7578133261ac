"""`python -m simulator replay`: a recording, the engine and a publisher, until the race has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react

from simulator.commands.process import close, open_courses, open_publisher, told
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
"""Seconds between two looks at whether the race has ended."""
LINES, TRACKS = {".ndjson", ".jsonl", ".json"}, {".gpx"}
"""Suffixes of files of events, and of tracks."""
MAX_FILE = 64 * 1024 * 1024
"""Bytes of a GPX file."""


class Replayed(RaceRequest):
    """What stands for the request of a race that was not computed."""

    replay: str = Field(description="What was recorded.")

    def text(self) -> str:
        """Return what there is to know of the replay, as JSON; no race can be computed from it."""
        fields = {"replay", "course", "run_id", "name", "competitors", "speed", "interval", "start_at"}
        return self.model_dump_json(include=fields)


def replay(settings: ReplaySettings) -> None:
    """Tell a recorded race; ends the process.

    Exit status 0 if all of it was delivered, else 1 with a line that says why. It waits for a broker that is
    away, and not for one that lets nobody in.
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
        raise SystemExit(told("can't replay", error)) from error
    engine = Engine(reactor, publisher)
    run = engine.add(recording.course, recording.request, source=recording)
    broken_off: Deferred[None] = Deferred()

    def break_off() -> Deferred[None]:
        # Nobody goes on with it: it is over for those who watch it as well.
        if run.status not in ENDED:
            engine.cancel(run)
        # The reactor waits for the trigger; what went wrong is the main Deferred's to tell.
        return ensureDeferred(close(engine, publisher)).addBoth(broken_off.callback)

    trigger = reactor.addSystemEventTrigger("before", "shutdown", break_off)
    while not run.done and not _is_shut_out(publisher.health()):
        await after(reactor, LOOK)
    if engine.stopping:
        await broken_off
        return
    reactor.removeSystemEventTrigger(trigger)
    if not run.done and run.status not in ENDED:
        engine.cancel(run)
    await close(engine, publisher)


def _is_shut_out(health: Health) -> bool:
    """Tell whether the settings let nobody in, and never have since the start."""
    return health.is_shut_out and not health.delivered


def read(settings: ReplaySettings, courses: Mapping[str, Course], now: datetime) -> Recording:
    """Return the recording that the settings ask for, told from `now` on; raises RecordingError, OSError."""
    files = _files(settings.files)
    kinds = {"lines" if file.suffix.lower() in LINES else "tracks" for file in files}
    if len(kinds) > 1:
        raise RecordingError("there are files of events and GPX files: replay them one after the other")
    if kinds == {"lines"}:
        return _of_lines(files, settings, courses, now)
    return _of_tracks(files, settings, courses, now)


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the files, those of folders in the order of their names."""
    known = LINES | TRACKS
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RecordingError(f"there is no file or folder {path}")
        if path.is_dir():
            found += sorted(file for file in path.iterdir() if file.suffix.lower() in known)
        elif path.suffix.lower() in known:
            found.append(path)
        else:
            raise RecordingError(f"{path} is neither a folder nor a file of {', '.join(sorted(known))}")
    if not found:
        raise RecordingError(f"there is no file of {', '.join(sorted(known))} in {paths[0]}")
    return found


def _of_lines(
    files: Sequence[Path], settings: ReplaySettings, courses: Mapping[str, Course], now: datetime
) -> Recording:
    races = lines.read(chain.from_iterable(_lines(file) for file in files), files[0].name)
    told_races = {run_id: race for run_id, race in races.items() if race.positions}
    if not told_races:
        raise RecordingError(f"there are no positions in {files[0].name}")
    run_id = settings.race or (next(iter(told_races)) if len(told_races) == 1 else "")
    if run_id not in told_races:
        there = ", ".join(sorted(told_races)[:20])
        raise RecordingError(f"say with --race which race: the positions of these are there: {there}")
    race = told_races[run_id]
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
        raise RecordingError(f"{file.name} has more than {MAX_FILE // 1024**2} MiB")
    return file.read_bytes()


def _known(name: str, courses: Mapping[str, Course], race: Lines | None = None) -> Course:
    """Return the course of a name: a known one, or the one that came with the race."""
    if (known := courses.get(name)) is not None:
        return known
    try:
        request = RaceRequest.model_validate_json((race.race if race else {}).get("request", "{}"))
        if request.points is not None:
            return course_of_points(request.model_copy(update={"course": name}), None)
    except (ValidationError, Problem):
        pass
    there = ", ".join(courses) or "none"
    raise RecordingError(f"there is no course {name}; there are: {there}: name one with --course")


def _request(  # noqa: PLR0913 - what stands for a request
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
