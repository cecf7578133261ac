"""Converts timed GPX tracks to a recording; each track is a competitor."""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from simulator.course import coordinates, xml
from simulator.course.course import Course, TimingPoint
from simulator.course.drawing import CourseError, Drawing, Line
from simulator.course.survey import survey
from simulator.race import entrants
from simulator.race.entrants import Entrants
from simulator.race.race import Passings, Snapshot, Status, points_of
from simulator.race.start_list import MAX_BIB, MAX_WORDS, OPEN, StartList
from simulator.replay.matching import match
from simulator.replay.recording import RecordingError, Track, crossings
from stream.arrays import Floats, Ints

MAX_TRACKS = 1000
MAX_FIXES = 1_000_000
"""Maximum number of fixes in a track."""
AT_THE_FINISH = 50.0
"""Metres before the finish at which a track still counts as finished: receivers are stopped early."""
MOVING = 5.0
"""Metres from the start at which a competitor has left it, and from the finish at which one arrives."""
LAST_METRES = 100.0
"""Metres before the finish that determine the pace of the last few."""


class Recorded(NamedTuple):
    """A recorded track: epoch seconds and degrees, shape (k,), k at least 2, times increasing."""

    name: str
    time: Floats
    lon: Floats
    lat: Floats


def read(data: bytes, source: str) -> list[Recorded]:
    """Return the tracks of a GPX file with at least two timed places.

    Raises RecordingError, with the line, if it isn't GPX or a time or place is invalid.
    """
    takers = {"trkpt": lambda point: _fix(point, source), "rtept": _ignore, "wpt": _ignore}
    try:
        root, taken = xml.sift(data, source, lambda: takers, with_times=True)
        if xml.local(root) != "gpx":
            raise RecordingError(f"{source} isn't GPX")
        found = [_recorded(track, taken, source) for track in root.iterchildren("{*}trk")]
    except CourseError as error:
        raise RecordingError(str(error)) from error
    return [track for track in found if len(track.time) > 1]


def _ignore(_: etree._Element) -> None:
    """Take nothing of a point that belongs to no track."""


def _recorded(track: etree._Element, taken: xml.Taken, source: str) -> Recorded:
    segments = track.iterchildren("{*}trkseg")
    fixes = [fix for segment in segments for fix in xml.taken_in(taken, segment) if fix]
    if len(fixes) > MAX_FIXES:
        raise RecordingError(f"{source} has a track of more than {MAX_FIXES:,} places")
    places = np.array(fixes, float).reshape(-1, 3)
    places = places[~np.isnan(places[:, 0])]
    # A restarted receiver may repeat old places; drop whatever goes back in time.
    newest = np.maximum.accumulate(np.append(-np.inf, places[:, 0]))[:-1]
    time, lon, lat = places[places[:, 0] > newest].T
    return Recorded(xml.name(track), time, lon, lat)


def _fix(point: etree._Element, source: str) -> tuple[float, float, float] | CourseError:
    """Return epoch seconds (nan if there are none), longitude and latitude, or the error in them."""
    when = xml.child(point, "time")
    try:
        lon, lat = _degrees(point, "lon", 180.0), _degrees(point, "lat", 90.0)
        seconds = math.nan if when is None else _seconds(xml.text(when).strip())
    except ValueError as error:
        return CourseError(f"{source}, line {xml.lineno(point)}: {error}")
    return seconds, lon, lat


def _degrees(point: etree._Element, name: str, most: float) -> float:
    degrees = coordinates.number(point.get(name, ""))
    if not abs(degrees) <= most:
        raise ValueError(f"invalid {name}: {degrees:g}")
    return degrees


def _seconds(text: str) -> float:
    """Return epoch seconds; a time without a zone is UTC, as in GPX."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{coordinates.clip(text)!r} is not a valid time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def course_of(tracks: Sequence[Recorded], name: str) -> Course:
    """Return the longest track as a course; raises RecordingError if that fails."""
    longest = max(tracks, key=lambda track: len(track.time))
    line = Line(longest.lon, longest.lat, np.full(len(longest.lon), np.nan), "longest track")
    short_name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "track"
    try:
        return survey(Drawing(name, [line]), short_name, name[:MAX_WORDS] or short_name)
    except CourseError as error:
        raise RecordingError(
            f"the longest track is not a valid course: {error}; choose a course with --course"
        ) from error


def parts_of(
    tracks: Sequence[Recorded], course: Course, interval: float, *, together: bool
) -> tuple[Entrants, Track, tuple[TimingPoint, ...], Passings]:
    """Return the parts of a recording.

    Args:
        tracks: the tracks.
        course: the course.
        interval: race seconds between two positions.
        together: use one gun, when the first of them leaves the start; otherwise a gun for each.
    """
    if len(tracks) > MAX_TRACKS:
        raise RecordingError(f"there are more than {MAX_TRACKS:,} tracks")
    runs = [_run(track, course) for track in tracks]
    order, listed = _entries(tracks)
    runs = [runs[nth] for nth in order]
    gun = min(run.start for run in runs)
    guns = [gun if together else run.start for run in runs]
    runs = [run.since(begin) for run, begin in zip(runs, guns, strict=True)]
    everything = [(who, run.time, run.metres, run.status, run.end) for who, run in enumerate(runs)]
    listed_entrants = entrants.listed(listed, np.ones(len(runs), np.int64))
    return listed_entrants, _track(runs, interval), points_of(course), crossings(course, everything)


class _Run(NamedTuple):
    """A matched track: seconds, places and metres, shape (k,); its start, its end and how it ended."""

    time: Floats
    lon: Floats
    lat: Floats
    metres: Floats
    start: float
    end: float
    status: Status

    def since(self, gun: float) -> "_Run":
        return self._replace(time=self.time - gun, start=self.start - gun, end=self.end - gun)


def _run(track: Recorded, course: Course) -> _Run:
    metres = match(course, track.lon, track.lat)
    # Until competitors leave the start they are at it, despite GPS noise.
    left = int(np.searchsorted(metres, metres[0] + MOVING, side="right"))
    metres = metres.copy()
    if metres[0] <= AT_THE_FINISH:
        metres[: max(1, left)] = 0.0
    start = float(track.time[max(0, left - 1)])
    if metres[-1] < course.distance - AT_THE_FINISH:
        return _Run(track.time, track.lon, track.lat, metres, start, float(track.time[-1]), Status.DNF)
    there, end = _finish(track.time, metres, course.distance)
    # Places after the finish don't count.
    time = np.append(track.time[:there], end)
    lon = np.append(track.lon[:there], np.interp(end, track.time, np.unwrap(track.lon, period=360.0)))
    lat = np.append(track.lat[:there], np.interp(end, track.time, track.lat))
    return _Run(time, lon, lat, np.append(metres[:there], course.distance), start, end, Status.FINISHED)


def _finish(time: Floats, metres: Floats, distance: float) -> tuple[int, float]:
    """Return the number of places before the finish, and the time of the finish.

    GPS noise may keep a competitor who stands at the finish a few metres before it, so the last metres are
    extrapolated from the pace before them.
    """
    near = int(np.searchsorted(metres, distance - MOVING, side="left"))
    if near == len(metres):
        return near - 1, float(time[-1])
    before = int(np.searchsorted(metres, metres[near] - LAST_METRES, side="right")) - 1
    seconds, run = time[near] - time[max(0, before)], metres[near] - metres[max(0, before)]
    rest = (distance - metres[near]) * seconds / run if run > 0 else 0.0
    end = min(float(time[near] + rest), float(time[-1]))
    return int(np.searchsorted(time, end, side="left")), end


def _entries(tracks: Sequence[Recorded]) -> tuple[Ints, StartList]:
    """Return the tracks' order by bib, and a start list; the bib of `17 Anna Smith` is 17."""
    named = [re.fullmatch(r"\s*([0-9]{1,6})\b\s*(.*)", track.name, re.DOTALL) for track in tracks]
    bibs: list[int] = []
    for found in named:
        bib = int(found[1]) if found else 0
        bibs.append(bib if 1 <= bib <= MAX_BIB and bib not in bibs else 0)
    taken = frozenset(bibs)
    free = (bib for bib in count(1) if bib not in taken)
    bibs = [bib or next(free) for bib in bibs]
    names = [
        _printable(found[2] if found else track.name) or f"Runner {bib}"
        for bib, found, track in zip(bibs, named, tracks, strict=True)
    ]
    order = np.argsort(bibs, kind="stable")
    some = len(tracks)
    return order, StartList(
        np.array(bibs, np.int64)[order],
        tuple(names[nth] for nth in order),
        (OPEN,) * some,
        ("",) * some,
        None,
        np.full(some, np.nan),
    )


def _printable(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable()).strip()[:MAX_WORDS]


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


def all_of(files: Iterator[tuple[str, bytes]]) -> list[Recorded]:
    """Return the tracks of GPX files (name and content); raises RecordingError if there are none."""
    found: list[Recorded] = []
    for name, data in files:
        stem = name.rpartition(".")[0] or name
        found += [track if track.name else track._replace(name=stem) for track in read(data, name)]
    if not found:
        raise RecordingError("no track has times")
    return found
