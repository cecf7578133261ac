"""A race: a course, a field and the request that both come from.

A race is a pure function of (course, request with its seed, race time). It has no state: any moment can be
asked for, in any order, again and again; restart, replay and the checks for lost events rest on this.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator import field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.course import Course
    from simulator.request import RaceRequest

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BEFORE_THE_START = float("-inf")


class Status(IntEnum):
    """What a competitor is doing; the events carry the name in small letters."""

    RUNNING = 0
    PAUSED = 1
    FINISHED = 2
    DNF = 3


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everybody at one moment; all arrays of shape (n,), competitor i has bib i + 1.

    Attributes:
        elapsed: seconds since the gun; a finisher's exact finish time.
        distance: metres of the course covered.
        lon, lat: degrees.
        status: values of `Status`.
    """

    elapsed: Floats
    distance: Floats
    lon: Floats
    lat: Floats
    status: NDArray[np.uint8]


class Passings(NamedTuple):
    """Who passed which timing point, in the order of time; all arrays of shape (k,).

    Attributes:
        bib: 1…n.
        point: index into the course's `timing_points`.
        elapsed: the exact seconds since the gun, computed and not sampled.
    """

    bib: Ints
    point: Ints
    elapsed: Floats


class Race:
    """A race that can be asked for any of its moments.

    Args:
        course: where it is run.
        request: resolved, so that its run id, seed and start are set.

    Attributes:
        start_ms: when the gun goes, epoch milliseconds.
    """

    def __init__(self, course: Course, request: RaceRequest) -> None:
        if request.seed is None or request.run_id is None or request.start_at is None:
            raise ValueError("a race needs a run id, a seed and a start: resolve the request first")
        self.course = course
        self.request = request
        self.run_id = request.run_id
        self.start_ms = round(request.start_at.timestamp() * 1000)
        self.field = field.draw(
            course.distance,
            [(first, last) for _, first, last in course.visits],
            seed=request.seed,
            competitors=request.competitors,
            fastest=request.fastest,
            slowest=request.slowest,
            stopped=request.how_many_get_stopped,
            min_pause=request.min_pause,
            max_pause=request.max_pause,
        )

    @cached_property
    def finish_times(self) -> Floats:
        """Seconds from gun to finish, shape (n,)."""
        return self.field.finish

    @cached_property
    def duration(self) -> float:
        """Seconds from the gun to the last finish."""
        return float(self.finish_times.max())

    @cached_property
    def last_tick(self) -> int:
        """The number of the tick that shows the last finish; the first tick, at the gun, is 0."""
        return int(np.ceil(self.duration / self.request.tick))

    def time_of(self, tick: int) -> float:
        """Return a tick's race time in seconds."""
        return tick * self.request.tick

    def snapshot(self, time: float) -> Snapshot:
        """Return where everybody is `time` seconds after the gun."""
        distance = self.field.distance(time)
        lon, lat = self.course.place(distance)
        status = np.where(self.field.paused(time), Status.PAUSED, Status.RUNNING)
        status = np.where(self.finish_times <= time, Status.FINISHED, status)
        return Snapshot(np.minimum(time, self.finish_times), distance, lon, lat, status.astype(np.uint8))

    def reporting(self, tick: int) -> Ints:
        """Return the indices of those who have a position to tell at this tick.

        Everybody has until the tick that shows them finished, that one included.
        """
        if tick == 0:
            return np.arange(len(self.field))
        return np.flatnonzero(self.finish_times > self.time_of(tick - 1))

    def passings(self, after: float, until: float) -> Passings:
        """Return all passings in the race seconds (after, until]; the start's after `BEFORE_THE_START`.

        The intervals of consecutive calls share no passing and miss none, because a passing belongs to
        the interval in which its competitor's distance comes to the point.
        """
        places = self._point_places
        seen = self._points_passed(after)
        counts = self._points_passed(until) - seen
        who = np.repeat(np.arange(len(counts)), counts)
        nth = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
        point = seen[who] + nth
        elapsed = self.field.elapsed(who, places[point])
        order = np.lexsort((point, who, elapsed))
        return Passings(who[order] + 1, point[order], elapsed[order])

    def _points_passed(self, time: float) -> Ints:
        if time < 0:
            return np.zeros(len(self.field), np.int64)
        return np.searchsorted(self._point_places, self.field.distance(time), side="right")

    @cached_property
    def _point_places(self) -> Floats:
        return np.array([point.distance for point in self.course.timing_points])
