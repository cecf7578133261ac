"""Converts recorded tracks to a recording; each track is a competitor."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.course.course import GEOD, Course
from simulator.course.drawing import CourseError, Drawing, Line
from simulator.course.survey import survey
from simulator.race import entrants
from simulator.race.entrants import Entrants
from simulator.race.race import Passings, Snapshot, Status, points_of
from simulator.race.request import MAX_INTERVAL
from simulator.race.start_list import MAX_WORDS
from simulator.replay import pieces
from simulator.replay.fixes import ONE_RUN, SLOWEST, Recorded, duration, moment, pauses
from simulator.replay.matching import match
from simulator.replay.names import entries
from simulator.replay.recording import MAX_EVENTS, RecordingError, Track, crossings
from stream.arrays import Floats, Mask
from stream.courses import TimingPoint

MAX_TRACKS = 1000
AT_THE_ENDS = 50.0
"""Metres from the start and before the finish at which a track still counts as complete: receivers are
started late and stopped early."""
LATE = 500.0
"""Metres after the start at which a track may begin: the time of the start then follows from its pace."""
MOVING = 5.0
"""Metres from the start at which a competitor has left it, and from the finish at which one arrives."""
PACE_METRES = 100.0
"""Metres after the start and before the finish that determine the pace of the first and the last few."""
AWAY = 1000.0
"""Metres from the course from which on a track is of another one."""
OFF_COURSE, MUCH = 100.0, 0.1
"""Metres from the course, and the share of a competitor's fixes, above which the match is doubtful."""
WARM_UP = 100.0
"""Metres from the start from which on what precedes it is reported as a warm-up."""
LONG_GAP = 60.0
"""Seconds without a fix that the summary counts as a gap."""
QUARTER, HOUR = 900.0, 3600.0
"""Seconds by whose multiples time zones differ, and by how much they do at least; waves start closer."""
SHOWN = 3
"""Tracks that a message names."""
MORE, AS_FAST = 0.2, 0.8
"""Share of the course, and of the race's speed, from which on what precedes or follows may be another run."""
TOGETHER = 120.0
"""Seconds between two starts, in their order, up to which competitors start together."""


def course_of(tracks: Sequence[Recorded], name: str) -> Course:
    """Return the longest track as a course; raises RecordingError if that fails."""
    longest = max(tracks, key=lambda track: float(GEOD.line_length(track.lon, track.lat)))
    line = Line(longest.lon, longest.lat, np.full(len(longest.lon), np.nan), "longest track")
    short_name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "track"
    try:
        return survey(Drawing(name, [line]), short_name, name[:MAX_WORDS] or short_name)
    except CourseError as error:
        raise RecordingError(
            f"the longest track is not a valid course: {error}; choose a course with --course"
        ) from error


def on_course(tracks: Sequence[Recorded], course: Course, warnings: list[str]) -> list[Recorded]:
    """Return the tracks that come near the course, their pieces joined.

    Raises:
        RecordingError: there are none, or too many.
    """
    if len(tracks) > MAX_TRACKS:
        raise RecordingError(f"there are {len(tracks):,} tracks, and {MAX_TRACKS:,} are allowed")
    found = []
    for track in pieces.joined(tracks, course.distance, warnings):
        apart = float(_off_course(course, track.lon, track.lat).min())
        if apart <= max(AWAY, course.distance / 100):
            found.append(track)
        else:
            warnings.append(
                f"{track.where()}: left out: it is {apart / 1000:,.1f} km from {course.long_name}"
            )
    if not found:
        raise RecordingError(f"no track is on the course: {warnings[-1]}; choose another with --course")
    return found


def _off_course(course: Course, lon: Floats, lat: Floats) -> Floats:
    """Return the metres from up to 100 of the places to the nearest of 500 on the course."""
    places = np.array(course.place(np.linspace(0.0, course.distance, 500)))
    some = np.unique(np.linspace(0, len(lon) - 1, 100).astype(np.int64))
    lon, lat = (np.repeat(one[some], places.shape[1]) for one in (lon, lat))
    apart = GEOD.inv(lon, lat, *np.tile(places, len(some)))[2]
    nearest: Floats = apart.reshape(len(some), -1).min(axis=1)
    return nearest


def parts_of(
    tracks: Sequence[Recorded], course: Course, interval: float, warnings: list[str], *, together: bool
) -> tuple[Entrants, Track, tuple[TimingPoint, ...], Passings]:
    """Return the parts of a recording.

    Args:
        tracks: the tracks.
        course: the course.
        interval: race seconds between two positions.
        warnings: what is left out or doubtful is added.
        together: use one gun, when the first of those who start together leaves the start; otherwise a gun
            for each.

    Raises:
        RecordingError: there would be too many positions.
    """
    order, listed = entries(tracks, warnings)
    runs = [_run(tracks[nth], course, warnings) for nth in order]
    guns = _guns(runs, warnings) if together else [run.start for run in runs]
    _report_late(runs, guns, warnings)
    runs = [run.since(gun) for run, gun in zip(runs, guns, strict=True)]
    _check_positions(runs, interval)
    everything = [(who, run.time, run.metres, run.status, run.end) for who, run in enumerate(runs)]
    listed_entrants = entrants.listed(listed, np.ones(len(runs), np.int64))
    return listed_entrants, _track(runs, interval), points_of(course), crossings(course, everything)


class _Run(NamedTuple):
    """A matched track: seconds, places and metres, shape (k,); its start, its end and how it ended."""

    track: Recorded
    time: Floats
    lon: Floats
    lat: Floats
    metres: Floats
    start: float
    end: float
    status: Status

    def since(self, gun: float) -> "_Run":
        return self._replace(time=self.time - gun, start=self.start - gun, end=self.end - gun)


def _run(track: Recorded, course: Course, warnings: list[str]) -> _Run:
    time, length = track.time, course.distance
    metres = match(course, time, track.lon, track.lat)
    apart = GEOD.inv(*course.place(metres), track.lon, track.lat)[2]
    # Nothing is known of the metres of competitors who have left the course for good.
    near = np.flatnonzero(apart <= OFF_COURSE)
    metres = np.minimum(metres, metres[near[-1]] if len(near) else 0.0)
    # A receiver that only lies at the finish, with a timekeeper, does not arrive there.
    is_there = length - float(metres[0]) <= min(PACE_METRES, length / 2)
    if is_there:
        metres = np.minimum(metres, length - MOVING)
        warnings.append(f"{track.where()}: is at the finish all the time: did not finish")
    begins, ends = float(metres[0]), length - float(metres[-1])
    # The start is the finish of a run backwards in time.
    start = -_arrival(-time[::-1], length - metres[::-1], length) if begins <= LATE else float(time[0])
    is_finisher = ends <= AT_THE_ENDS and not is_there
    end = _arrival(time, metres, length) if is_finisher else float(time[-1])
    run = _Run(track, time, track.lon, track.lat, metres, start, end, Status.DNF)
    _report(run, course.distance, apart, warnings)
    _report_more(run, run.time < start, "before the start", course, warnings)
    if is_finisher:
        _report_more(run, run.time > end, "after the finish", course, warnings)
    if begins <= LATE:
        run = _with_place(run._replace(metres=np.where(time < start, 0.0, metres)), start, 0.0, course)
    if not is_finisher:
        return run
    # Places after the finish don't count.
    run = _with_place(run, end, length, course)
    there = int(np.searchsorted(run.time, end, side="right"))
    time, lon, lat, metres = (column[:there] for column in (run.time, run.lon, run.lat, run.metres))
    return run._replace(time=time, lon=lon, lat=lat, metres=metres, status=Status.FINISHED)


def _arrival(time: Floats, metres: Floats, length: float) -> float:
    """Return the time of the finish of a run that ends near it.

    GPS noise may keep a competitor who stands at the finish a few metres before it, and the receiver may have
    stood still. So it follows from the pace at the first place near the finish, or at the one before: the
    earlier counts.
    """
    near = int(np.searchsorted(metres, min(length, float(metres[-1])) - MOVING, side="left"))
    places = [near] if near == 0 or _pace(time, metres, near - 1) == 0 else [near - 1, near]
    found = [time[at] + _pace(time, metres, at) * (length - metres[at]) for at in places]
    reached = int(np.searchsorted(metres, length, side="left"))
    return float(min([*found, *time[reached : reached + 1]]))


def _pace(time: Floats, metres: Floats, at: int) -> float:
    """Return the seconds per metre before a fix, or 0 without a movement."""
    first = max(0, int(np.searchsorted(metres, metres[at] - PACE_METRES, side="right")) - 1)
    run = float(metres[at] - metres[first])
    return float(time[at] - time[first]) / run if run > 0 else 0.0


def _with_place(run: _Run, when: float, metres: float, course: Course) -> _Run:
    """Return a run with a place at `when`, `metres` along the course."""
    at = int(np.searchsorted(run.time, when, side="left"))
    is_between = 0 < at < len(run.time)
    lon, lat = (float(one[0]) for one in course.place(np.array([metres])))
    if is_between:
        lon = float(np.interp(when, run.time, np.unwrap(run.lon, period=360.0)))
        lat = float(np.interp(when, run.time, run.lat))
    rest = slice(at + bool(at < len(run.time) and run.time[at] == when), None)
    return run._replace(
        time=np.concatenate([run.time[:at], [when], run.time[rest]]),
        lon=np.concatenate([run.lon[:at], [lon], run.lon[rest]]),
        lat=np.concatenate([run.lat[:at], [lat], run.lat[rest]]),
        metres=np.concatenate([run.metres[:at], [metres], run.metres[rest]]),
    )


def _report(run: _Run, length: float, apart: Floats, warnings: list[str]) -> None:
    """Warn about what makes a run's times doubtful; `apart` are the metres from its places to the course."""
    where, begins, ends = run.track.where(), run.metres[0], length - run.metres[-1]
    if AT_THE_ENDS < begins <= LATE:
        seconds = f"{run.time[0] - run.start:,.0f} s"
        warnings.append(
            f"{where}: begins {begins:,.0f} m after the start: started {seconds} before, by its pace"
        )
    if ends > AT_THE_ENDS:
        warnings.append(f"{where}: ends {ends:,.0f} m before the finish: did not finish")
    early = (run.time < run.start) & (run.metres < MOVING)
    if early.any() and (furthest := float(apart[early].max())) > WARM_UP:
        when = f"the race begins at {moment(run.start)}"
        warnings.append(f"{where}: a warm-up up to {furthest:,.0f} m from the start: {when}")
    racing = (run.time >= run.start) & (run.time <= run.end)
    time, metres = run.time[racing], run.metres[racing]
    for at in pauses(time, np.diff(metres)):
        span = f"from {moment(time[at])} on, {duration(time[at + 1] - time[at])} without a fix"
        way = f"{metres[at + 1] - metres[at]:,.0f} m"
        warnings.append(f"{where}: {span} and only {way} further: counted as a pause; or the clock was wrong")
    if racing.any() and (share := float((apart[racing] > OFF_COURSE).mean())) > MUCH:
        far = f"{share:.0%} of its fixes are more than {OFF_COURSE:.0f} m from the course"
        warnings.append(f"{where}: {far}: its times are doubtful")


def _report_more(run: _Run, aside: Mask, when: str, course: Course, warnings: list[str]) -> None:
    """Warn if fixes that don't count are on the course, many and as fast as the race: another run of it."""
    time, lon, lat = run.time[aside], run.lon[aside], run.lat[aside]
    if len(time) < 2 or run.end <= run.start:
        return
    seconds, steps = np.diff(time), GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    moving = steps > SLOWEST * seconds
    way, speed = float(steps[moving].sum()), float(np.ptp(run.metres)) / (run.end - run.start)
    if way < MORE * course.distance or way < AS_FAST * speed * float(seconds[moving].sum()):
        return
    if (_off_course(course, lon, lat) <= OFF_COURSE).mean() > 1 - MUCH:
        text = f"{way:,.0f} m on the course {when}, as fast as the race, are not counted: it begins at"
        warnings.append(f"{run.track.where()}: {text} {moment(run.start)}")


def _guns(runs: Sequence[_Run], warnings: list[str]) -> list[float]:
    """Return the gun of each run: that of the largest group of runs that start together, or one of its own.

    Those who start after the others, on the same day, are timed from the others' gun; so are those whose
    recording begins after the start, so that they can't determine one.
    """
    starts = np.array([run.start for run in runs])
    has_start = np.array([run.metres[0] <= LATE for run in runs])
    order = np.argsort(starts, kind="stable")
    known = order[has_start[order]] if has_start.any() else order
    groups = np.split(known, np.flatnonzero(np.diff(starts[known]) > TOGETHER) + 1)
    main = max(groups, key=len)
    gun = float(starts[main[0]])
    guns = np.full(len(runs), gun)
    for group in groups:
        if group is main:
            continue
        offset = float(starts[group[0]]) - gun
        who = ", ".join(runs[nth].track.where() for nth in group[:SHOWN].tolist())
        more = f" and {len(group) - SHOWN:,} more" if len(group) > SHOWN else ""
        start, own = ("starts", "its") if len(group) == 1 else ("start", "their")
        apart = (
            f"{who}{more}: {start} {duration(abs(offset))} {'after' if offset > 0 else 'before'} the others"
        )
        quarters = round(abs(offset) / QUARTER)
        if abs(abs(offset) - quarters * QUARTER) < TOGETHER and HOUR <= quarters * QUARTER <= ONE_RUN:
            apart += ", as if the clock were in another time zone"
        if 0 < offset < ONE_RUN:
            warnings.append(f"{apart}: timed from the others' start; --own-starts times each from its own")
        else:
            guns[group] = starts[group[0]]
            warnings.append(f"{apart}: timed from {own} own start, as with --own-starts")
    late = np.setdiff1d(order, known)
    own = late[(starts[late] < gun) | (starts[late] >= gun + ONE_RUN)]
    guns[own] = starts[own]
    return guns.tolist()


def _report_late(runs: Sequence[_Run], guns: Sequence[float], warnings: list[str]) -> None:
    """Warn about runs that begin too far from the start to know when they started."""
    for run, gun in zip(runs, guns, strict=True):
        if run.metres[0] > LATE:
            since = "its time counts from there" if gun == run.start else "timed from the others' start"
            warnings.append(f"{run.track.where()}: begins {run.metres[0]:,.0f} m after the start: {since}")


def _check_positions(runs: Sequence[_Run], interval: float) -> None:
    """Raise RecordingError if the runs have too many positions."""
    seconds = sum(run.end - max(0.0, run.time[0]) for run in runs)
    if seconds / interval + len(runs) <= MAX_EVENTS - len(runs):
        return
    least = math.ceil(seconds / (MAX_EVENTS - 2 * len(runs)))
    remedy = (
        f"use --interval {least}" if least <= MAX_INTERVAL else "leave out the files whose times are wrong"
    )
    raise RecordingError(
        f"the tracks last {duration(seconds)} together, more than {MAX_EVENTS:,} positions: {remedy}, "
        "or --own-starts if they start at different times"
    )


def summary(tracks: Sequence[Recorded], points: Sequence[TimingPoint], passings: Passings) -> dict[str, Any]:
    """Return the figures of a recording: runners, those who finished, fixes, and gaps of a minute or more."""
    steps = np.concatenate([np.diff(track.time) for track in tracks])
    return {
        "runners": len(tracks),
        "finished": sum(points[at].kind == "finish" for at in passings.point.tolist()),
        "fixes": sum(len(track.time) for track in tracks),
        "gaps": int((steps >= LONG_GAP).sum()),
        "longest_gap": duration(float(steps.max())),
    }


def _track(runs: Sequence[_Run], interval: float) -> Track:
    """Return all positions at the ticks, ordered by time and bib."""
    pieces = [_positions(who, run, interval) for who, run in enumerate(runs)]
    who, tick, time, lon, lat, metres, status = (
        np.concatenate(column) for column in zip(*pieces, strict=True)
    )
    order = np.lexsort((who, tick))
    snapshot = Snapshot(time, metres, lon, lat, status.astype(np.uint8)).take(order)
    at = tick[order] * interval
    return Track(
        who[order], tick[order], at, np.zeros(len(order), np.int64), snapshot, snapshot.lon, snapshot.lat
    )


def _positions(who: int, run: _Run, interval: float) -> tuple[NDArray[np.generic], ...]:
    first = max(0, math.ceil(run.time[0] / interval))
    ticks = np.arange(first, max(first, math.ceil(run.end / interval)) + 1)
    time = np.minimum(ticks * interval, run.end)
    status = np.where(time < run.start, Status.WAITING, Status.RUNNING)
    status[-1] = run.status
    # Unwrap longitudes, so that interpolation across the date line works.
    lon = np.interp(time, run.time, np.unwrap(run.lon, period=360.0))
    return (
        np.full(len(ticks), who),
        ticks,
        time,
        (lon + 180.0) % 360.0 - 180.0,
        np.interp(time, run.time, run.lat),
        np.interp(time, run.time, run.metres),
        status,
    )
