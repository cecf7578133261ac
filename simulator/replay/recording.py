"""A recorded race as a source of events for the engine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.course.course import Course
from simulator.race.entrants import Entrants
from simulator.race.race import Fixes, Passings, Snapshot, Status, points_of
from simulator.race.request import RaceRequest
from stream.arrays import Floats, Ints
from stream.courses import TimingPoint

MAX_EVENTS = 5_000_000
"""Maximum number of positions: they are kept in memory, about 100 bytes each."""
ENDS = {Status.FINISHED: "finish", Status.DNF: "dnf", Status.DSQ: "dsq"}
"""Kind of the passing that belongs to a competitor's end."""


class RecordingError(ValueError):
    """An unusable recording; the text gives the reason and the place."""


@dataclass(frozen=True, eq=False)
class Track:
    """Positions of a recording in publishing order; arrays of shape (k,).

    Attributes:
        who: indices of competitors.
        tick: the tick at which each is published, never decreasing.
        time: race seconds of each.
        skew: milliseconds by which the tracker's clock was ahead.
        snapshot: the published state.
        lon, lat: the true places if known, else the published ones.
    """

    who: Ints
    tick: Ints
    time: Floats
    skew: Ints
    snapshot: Snapshot
    lon: Floats
    lat: Floats


@dataclass(eq=False)
class Recording:
    """A recorded race; like a `Race`, it provides the events of any tick.

    Attributes:
        course: the course.
        request: resolved; gives the run id, the start, and the race seconds between two ticks.
        entrants: the start list.
        track: the positions.
        points: the timing points.
        passed: all passings, with indices into `points`, in any order.
        start_ms: gun time, epoch milliseconds.
        members: all competitors' indices.
    """

    course: Course
    request: RaceRequest
    entrants: Entrants
    track: Track
    points: tuple[TimingPoint, ...]
    passed: Passings

    def __post_init__(self) -> None:
        self.run_id, self.start_ms = self.request.identity()
        self.members = range(len(self.entrants))
        self.passed = self.passed.take(np.argsort(self.passed.elapsed, kind="stable"))

    def part(self, _first: int, _last: int, /) -> "Recording":
        """Return the recording itself: it is published as one part."""
        return self

    @cached_property
    def last_tick(self) -> int:
        """Number of the tick with the last event."""
        last = self.passed.elapsed.max(initial=0.0) / self.request.tick
        return max(int(self.track.tick.max(initial=0)), int(np.ceil(last)))

    def time_of(self, tick: int) -> float:
        """Return a tick's race time in seconds."""
        return tick * self.request.tick

    def fixes_at(self, tick: int) -> Fixes:
        """Return the positions of a tick in publishing order."""
        track, at = self.track, np.arange(*np.searchsorted(self.track.tick, [tick, tick + 1]))
        return Fixes(
            track.who[at],
            track.time[at],
            track.skew[at],
            track.snapshot.take(at),
            track.lon[at],
            track.lat[at],
        )

    def passings(self, after: float, until: float) -> Passings:
        """Return all passings in the race seconds (after, until]."""
        first, last = np.searchsorted(self.passed.elapsed, [after, until], side="right")
        return self.passed.take(slice(int(first), int(last)))


def crossings(course: Course, tracks: Iterable[tuple[int, Floats, Floats, Status, float]]) -> Passings:
    """Return the passings of a course's timing points, for recordings that have none.

    Args:
        course: the course.
        tracks: for each competitor the index, race seconds and metres (never decreasing, shape (k,) each),
            the status at the end and its exact race seconds.
    """
    points = points_of(course)
    places = np.array([point.distance for point in course.timing_points])
    found: list[tuple[int, int, float, float]] = []
    for who, time, metres, status, end in tracks:
        found += _crossed(who, places, time, np.maximum.accumulate(metres), end)
        if status in ENDS and status != Status.FINISHED:
            number = next(nth for nth, point in enumerate(points) if point.kind == ENDS[status])
            # A disqualification has a passing of its own, after the end.
            when = end if status == Status.DNF else float(time[-1])
            found.append((who, number, when, float(metres.max(initial=0.0))))
    columns = np.array(found, float).reshape(-1, 4).T
    return Passings(columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2], columns[3])


def _crossed(
    who: int, places: Floats, time: Floats, metres: Floats, end: float
) -> Iterator[tuple[int, int, float, float]]:
    """Yield competitor, point, race seconds and metres of each point that was reached."""
    if not len(metres) or metres[-1] <= 0:
        return
    # The start is passed when a competitor begins to move, any other point on arrival.
    still = max(0, int(np.searchsorted(metres, 0.0, side="right")) - 1)
    yield who, 0, float(time[still]), float(places[0])
    # Recorded metres are rounded to millimetres.
    arrivals = np.searchsorted(metres, places - 0.001, side="left").tolist()
    for point, (place, at) in enumerate(zip(places.tolist(), arrivals, strict=True)):
        if point == 0 or at == len(metres):
            continue
        if point == len(places) - 1:
            yield who, point, min(end, float(time[at])), place
        else:
            near = slice(max(0, at - 1), at + 1)
            yield who, point, float(np.interp(place, metres[near], time[near])), place
