"""A race: a course, a field and the request that both come from.

A race is a pure function of (course, request with its seed, race time), without state: any moment can be
computed, in any order and repeatedly. Restart, replay and the checks for lost events rest on this.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.course.course import Course, moved
from simulator.race import cut_offs, entrants, field, trackers
from simulator.race.crowding import cells, queues
from simulator.race.crowding.cells import Cells
from simulator.race.entrants import Entrants
from simulator.race.field import Field
from simulator.race.paces import Effort
from simulator.race.request import RaceRequest
from simulator.race.start_list import StartList
from simulator.race.trackers import Episodes, Trackers
from simulator.steps import Steps, done
from stream.arrays import Floats, Ints, Mask
from stream.courses import TimingPoint

BEFORE_THE_START = float("-inf")
READS_AFTER = 20.0
"""Seconds after the last position within which the last raw read of a chip follows."""


class Status(IntEnum):
    """Status of a competitor; events carry the name in lower case."""

    RUNNING = 0
    PAUSED = 1
    FINISHED = 2
    DNF = 3
    DNS = 4
    DSQ = 5
    WAITING = 6


class Snapshot(NamedTuple):
    """State of competitors at one moment, common or individual; all arrays of shape (k,).

    Attributes:
        elapsed: seconds since the gun; for a competitor who has ended, the exact end time.
        distance: metres of the course covered.
        lon, lat: degrees.
        status: values of `Status`.
    """

    elapsed: Floats
    distance: Floats
    lon: Floats
    lat: Floats
    status: NDArray[np.uint8]

    def take(self, who: Ints) -> "Snapshot":
        """Return some of the competitors."""
        return Snapshot._make(column[who] for column in self)

    def joined(self, other: "Snapshot") -> "Snapshot":
        """Return these competitors followed by others."""
        return Snapshot._make(_joined(self, other))


@dataclass(frozen=True, eq=False)
class Fixes:
    """Positions that trackers report at one tick, in publishing order; all arrays of shape (k,).

    Attributes:
        who: indices of competitors; one may occur more than once, with positions of several moments.
        time: race seconds of each position.
        skew: milliseconds by which the tracker's clock is ahead.
        reported: the reported state: places as the trackers have them, everything else true.
        lon, lat: the true places, degrees.
    """

    who: Ints
    time: Floats
    skew: Ints
    reported: Snapshot
    lon: Floats
    lat: Floats


class Passings(NamedTuple):
    """Passings of timing points, ordered by time; all arrays of shape (k,).

    Attributes:
        who: indices of competitors.
        point: index into the race's `points`.
        elapsed: exact seconds since the gun, computed and not sampled.
        distance: metres.
    """

    who: Ints
    point: Ints
    elapsed: Floats
    distance: Floats

    def take(self, which: Ints | slice) -> "Passings":
        """Return some of the passings."""
        return Passings._make(column[which] for column in self)


def _joined(*parts: tuple[NDArray[Any], ...]) -> Iterator[NDArray[Any]]:
    """Yield the columns of the parts, concatenated."""
    return (np.concatenate(columns) for columns in zip(*parts, strict=True))


def points_of(course: Course) -> tuple[TimingPoint, ...]:
    """Return a course's timing points, followed by the two without a place: DNF and DSQ."""
    return (
        *course.timing_points,
        TimingPoint(np.nan, "dnf", "DNF", 1),
        TimingPoint(np.nan, "dsq", "DSQ", 1),
    )


class Race:
    """A race, computable at any moment.

    Args:
        course: the course.
        request: resolved, with run id, seed and start.

    Attributes:
        start_ms: gun time, epoch milliseconds.
        points: as returned by `points_of`.
        entrants: the start list.
        cut_offs: the time limits, or None.
        members: the indices of the competitors whose events it has: all of them, or those of a part.

    Raises CutOffError if its cut-offs don't fit the course or the starts.
    """

    def __init__(self, course: Course, request: RaceRequest) -> None:
        done(self._draw(course, request))

    @classmethod
    def in_steps(cls, course: Course, request: RaceRequest) -> Steps["Race"]:
        """Draw a race in steps."""
        race = cls.__new__(cls)
        yield from race._draw(course, request)  # noqa: SLF001 - of this class
        return race

    def _draw(self, course: Course, request: RaceRequest) -> Steps[None]:
        """Set all attributes."""
        self.course = course
        self.request = request
        self.run_id, self.start_ms = request.identity()
        self.points = points_of(course)
        listed = request.listed
        free = self.without_crowding(listed)
        self.field: Field = free
        if request.crowding != "none":
            self.field = yield from queues.crowding(free, self.cells)
        self.cut_offs = cut_offs.of(course, request)
        if self.cut_offs is not None:
            self.field = cut_offs.stopped(self.field, free, self.cut_offs, request.wave_delay)
        self.entrants: Entrants = entrants.of(request, free, listed)
        self.members = range(len(self.field))
        self._trackers = Trackers(request, self.field.end) if trackers.needed(request) else None
        self._late = self._trackers.late if self._trackers else None

    def without_crowding(self, listed: StartList | None = None) -> Field:
        """Draw the field as it would be without crowding; `listed` is the start list, if already read."""
        return field.draw(
            self.course.distance,
            [(first, last) for _, first, last in self.course.visits],
            self.request,
            ground=self._ground,
            listed=listed or self.request.listed,
        )

    @cached_property
    def cells(self) -> Cells:
        """The cells of the course, for crowding."""
        distance = self.course.distance if self._ground is None else float(self._ground.flat[-1])
        return cells.of(self.course, self.request, field.marks_along(distance), self._ground)

    @cached_property
    def _ground(self) -> Effort | None:
        return Effort.of(self.course) if self.request.gradient else None

    def part(self, first: int, last: int, /) -> "Race":
        """Return the part of the race with the indices [first, last).

        It shares the field, the ticks and the indices; its events are those of its members.
        """
        part = copy(self)
        part.members = range(first, last)
        for of_all in ("_who", "_part"):
            vars(part).pop(of_all, None)
        return part

    def with_field(self, field: Field) -> "Race":
        """Return the race with another field; what follows from the field is computed again."""
        race = copy(self)
        for name, attribute in vars(Race).items():
            if isinstance(attribute, cached_property):
                vars(race).pop(name, None)
        race.field = field
        return race

    @cached_property
    def _who(self) -> Ints:
        """Indices of the members, shape (k,)."""
        return np.arange(self.members.start, self.members.stop)

    @cached_property
    def _part(self) -> Field:
        """The members' field."""
        return self.field if len(self.members) == len(self.field) else self.field.take(self._slice)

    @cached_property
    def finishes(self) -> Mask:
        """Whether each competitor reaches the finish, shape (n,); includes the disqualified."""
        return (self.field.until >= self.course.distance) & np.isfinite(self.field.end)

    @cached_property
    def finish_times(self) -> Floats:
        """Seconds from the gun to the finish, shape (n,); inf for those who don't finish."""
        return np.where(self.finishes, self.field.end, np.inf)

    @cached_property
    def duration(self) -> float:
        """Seconds from the gun to the last finish, DNF or disqualification."""
        ends = np.concatenate([self._ends, self.field.disqualified_at])
        return float(ends.max(where=np.isfinite(ends), initial=0.0))

    @cached_property
    def last_tick(self) -> int:
        """Number of the tick with the last event; the first tick, at the gun, is 0."""
        after = READS_AFTER if self.request.chip_reads else 0.0
        return self.last_position_tick + int(np.ceil(after / self.request.tick))

    @cached_property
    def last_position_tick(self) -> int:
        """Number of the tick with the last position or passing."""
        last = int(np.ceil(self.duration / self.request.tick))
        if self._late is not None:
            for news in (self._ends, self.field.disqualified_at):
                last = max(last, self._published_late(self._late, news))
        return last + (self.request.duplicates > 0)

    def _published_late(self, late: Episodes, news: Floats) -> int:
        """Return a tick by which delayed news of these times (shape (n,), inf for none) is published."""
        tick = self.request.tick
        who = np.flatnonzero(np.isfinite(news))
        shown = np.ceil(news[who] / tick)
        shown += shown * tick < news[who]
        time = shown * tick
        end = late.start(who, time)[late.covers(who, time)] + late.length
        # One extra tick for rounding: a tick may have nothing to publish.
        return int(np.ceil(end.max(initial=0.0) / tick)) + 1

    @cached_property
    def _ends(self) -> Floats:
        """Seconds from the gun to each competitor's end, shape (n,); 0 for DNS."""
        return np.where(np.isfinite(self.field.end), self.field.end, 0.0)

    def _times_of(self, ticks: Ints) -> Floats:
        return ticks.astype(np.float64) * self.request.tick

    def time_of(self, tick: int) -> float:
        """Return a tick's race time in seconds."""
        return tick * self.request.tick

    def snapshot(self, time: float | Floats, who: Ints | None = None) -> Snapshot:
        """Return the true state of competitors `time` seconds after the gun.

        Args:
            time: one moment for all, or one for each, shape (k,).
            who: indices, shape (k,); default: all members.
        """
        first = self.members.start
        some = self._part if who is None else self.field.take(who)
        if len(some) <= field.AT_ONCE:
            return self._state(time, some, self._slice if who is None else who)
        states = []
        for block in some.blocks():
            which = slice(first + block.start, first + block.stop) if who is None else who[block]
            moments = time[block] if isinstance(time, np.ndarray) else time
            states.append(self._state(moments, some.take(block), which))
        return Snapshot._make(_joined(*states))

    def _state(self, time: float | Floats, some: Field, which: Ints | slice) -> Snapshot:
        """Return the true state of some of the field, whose indices are `which`."""
        ends, finishes = self._ends[which], self.finishes[which]
        distance = some.distance(time)
        lon, lat = self.course.place(distance)
        if self.request.wrong_turn > 0:
            off = some.off_course(time)
            away = np.flatnonzero(off)
            bearing, metres = np.radians(some.bearing[away]), off[away]
            east, north = metres * np.sin(bearing), metres * np.cos(bearing)
            lon[away], lat[away] = moved(lon[away], lat[away], east, north)
        status = np.where(some.paused(time), Status.PAUSED, Status.RUNNING)
        status = np.where(time < some.start, Status.WAITING, status)
        status = np.where(ends <= time, np.where(finishes, Status.FINISHED, Status.DNF), status)
        status = np.where(np.isinf(some.start), Status.DNS, status)
        status = np.where(some.disqualified_at <= time, Status.DSQ, status)
        return Snapshot(np.minimum(time, ends), distance, lon, lat, status.astype(np.uint8))

    def reporting(self, tick: int) -> Ints:
        """Return the indices of the competitors with a position at this tick.

        Each has one at every tick up to and including the one that shows the end, and one more at the tick
        that shows a disqualification. A DNS competitor has one at the gun.
        """
        return self._who[self._reports(self._who, tick)]

    def _reports(self, who: Ints, tick: int | Ints) -> Mask:
        before, now = (tick - 1) * self.request.tick, tick * self.request.tick
        disqualified_at = self.field.disqualified_at[who]
        reports: Mask = (
            (tick == 0) | (self._ends[who] > before) | ((disqualified_at > before) & (disqualified_at <= now))
        )
        return reports

    def fixes_at(self, tick: int) -> Fixes:
        """Return the positions that the trackers report at a tick.

        In this order: those of this moment, by competitor; delayed ones, by competitor and time; duplicates.
        """
        who = self.reporting(tick)
        now = np.full(len(who), tick)
        if self._trackers is None:
            return self.fixes(who, self._times_of(now), self._snapshot_of(who, tick))
        on_time = self._sent(who, now) & ~self._kept(who, now)
        parts = [(who[on_time], now[on_time])]
        if self._late is not None and tick > 0:
            parts.append(self._released(self._late, tick))
        if self.request.duplicates > 0 and tick > 0:
            parts.append(self._copies(self._trackers, tick))
        who, ticks = _joined(*parts)
        first, time = len(parts[0][0]), self._times_of(ticks)
        true = self._snapshot_of(who[:first], tick).joined(self.snapshot(time[first:], who[first:]))
        return self.fixes(who, time, true)

    def is_known(self, who: Ints, ticks: Ints, by: int) -> Mask:
        """Return whether positions of these competitors at these ticks are published by one, shape (k,)."""
        is_known = self._reports(who, ticks)
        if self._trackers is not None:
            is_known &= self._sent(who, ticks)
        if self._late is not None:
            start = self._late.start(who, self._times_of(ticks))
            is_over = self.time_of(by) - start >= self._late.length
            is_known &= is_over | ~self._late.lasts(start, self._times_of(ticks))
        return is_known

    def last_known(self, tick: int, look_back: int) -> tuple[Ints, Ints]:
        """Return who has a position that is published by a tick, and the tick of the newest, shape (k,) each.

        Only positions of this tick and of `look_back` ticks before count.
        """
        left, found = self._who, []
        for ago in range(min(look_back, tick) + 1):
            ticks = np.full(len(left), tick - ago)
            is_known = self.is_known(left, ticks, tick)
            found.append((left[is_known], ticks[is_known]))
            left = left[~is_known]
        who, ticks = _joined(*found)
        return who, ticks

    def last_passed(self, time: float) -> tuple[Floats, Floats]:
        """Return where each member has passed the last timing point by a moment, and when, shape (n,) each.

        Metres and race seconds, NaN for members who have not passed the start.
        """
        passed = self._points_passed(time)
        who, started = self._who, passed > 0
        metres, elapsed = np.full(len(who), np.nan), np.full(len(who), np.nan)
        metres[started] = self._point_places[passed[started] - 1]
        elapsed[started] = self.field.elapsed(who[started], metres[started])
        return metres, elapsed

    def _snapshot_of(self, who: Ints, tick: int) -> Snapshot:
        """Return the true state of some competitors at a tick."""
        time = self.time_of(tick)
        # For a large share, a snapshot of all is cheaper than selecting.
        if 2 * len(who) < len(self.members):
            return self.snapshot(time, who)
        everyone = self.snapshot(time)
        return everyone if len(who) == len(self.members) else everyone.take(who - self.members.start)

    def fixes_of_all(self, tick: int) -> Fixes:
        """Return all positions at a tick as the trackers have them, reported or not."""
        time = self.time_of(tick)
        return self.fixes(self._who, np.full(len(self._who), time), self.snapshot(time))

    def fixes(self, who: Ints, time: Floats, true: Snapshot) -> Fixes:
        """Return positions as the trackers have them: only the places differ from the truth.

        Args:
            who: indices, shape (k,).
            time: race seconds of each, shape (k,).
            true: the true state at these times.
        """
        if self._trackers is None:
            return Fixes(who, time, np.zeros(len(who), np.int64), true, true.lon, true.lat)
        lon, lat = true.lon, true.lat
        seen_at = time
        if (frozen := self._trackers.frozen) is not None:
            start = frozen.start(who, time)
            stuck = np.flatnonzero(frozen.lasts(start, time) & ~self._is_last(who, time))
            seen_at = time.copy()
            seen_at[stuck] = np.maximum(start[stuck], 0.0)
            seen = self.snapshot(seen_at[stuck], who[stuck])
            lon, lat = lon.copy(), lat.copy()
            lon[stuck], lat[stuck] = seen.lon, seen.lat
        if self._trackers.are_wrong:
            lon, lat = moved(lon, lat, *self._trackers.error(who, seen_at))
        reported = true._replace(lon=lon, lat=lat)
        return Fixes(who, time, self._trackers.skew(who), reported, true.lon, true.lat)

    def _is_last(self, who: Ints, time: Floats) -> Mask:
        """Return whether each position reports an end: those come from the timing system."""
        return self._ends[who] <= time

    def _sent(self, who: Ints, tick: Ints) -> Mask:
        """Return whether each position is reported at all; ends always are, whatever the tracker does."""
        sent = self._is_last(who, self._times_of(tick))
        if self._trackers is not None:
            sent |= self._trackers.reports(who, self._times_of(tick))
        return sent

    def _kept(self, who: Ints, tick: Ints) -> Mask:
        """Return whether each position is delayed."""
        if self._late is None:
            return np.zeros(len(who), np.bool_)
        return self._late.covers(who, self._times_of(tick))

    def _released(self, late: Episodes, tick: int) -> tuple[Ints, Ints]:
        """Return the delayed positions, by competitor and tick, that are reported at this tick."""
        before = np.full(len(self._who), self.time_of(tick - 1))
        start = late.start(self._who, before)
        # Episodes that ended since the previous tick.
        ending = late.lasts(start, before) & (self.time_of(tick) - start >= late.length)
        who = self._who[ending]
        first = np.maximum(np.ceil(start[ending] / self.request.tick), 0.0).astype(np.int64)
        counts = tick - first
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        who, ticks = np.repeat(who, counts), np.repeat(first, counts) + nth
        sent = self._reports(who, ticks) & self._kept(who, ticks) & self._sent(who, ticks)
        return who[sent], ticks[sent]

    def _copies(self, trackers: Trackers, tick: int) -> tuple[Ints, Ints]:
        """Return the positions, by competitor and tick, that are duplicated at this tick."""
        before = np.full(len(self._who), tick - 1)
        twice = trackers.reports_twice(self._who, self._times_of(before))
        who, ticks = self._who[twice], before[twice]
        sent = self._reports(who, ticks) & self._sent(who, ticks) & ~self._kept(who, ticks)
        return who[sent], ticks[sent]

    def passings(self, after: float, until: float) -> Passings:
        """Return all passings in the race seconds (after, until]; the start's after `BEFORE_THE_START`.

        Consecutive intervals neither share nor miss a passing: it belongs to the interval in which its
        competitor's distance reaches the point.
        """
        places, first = self._point_places, self.members.start
        seen = self._points_passed(after)
        counts = self._points_passed(until) - seen
        nth_member = np.repeat(np.arange(len(counts)), counts)
        nth = np.arange(len(nth_member)) - np.repeat(np.cumsum(counts) - counts, counts)
        who, point = nth_member + first, seen[nth_member] + nth
        distance = places[point]
        pieces = [Passings(who, point, self.field.elapsed(who, distance), distance)]
        given_up = np.where(self.finishes[self._slice], np.inf, self._part.end)
        for verdict, times in ((-2, given_up), (-1, self._part.disqualified_at)):
            some = np.flatnonzero((times > after) & (times <= until) & np.isfinite(times))
            point = np.full(len(some), len(self.points) + verdict)
            pieces.append(Passings(some + first, point, times[some], self._part.until[some]))
        found = Passings._make(_joined(*pieces))
        return found.take(np.lexsort((found.point, found.who, found.elapsed)))

    def _points_passed(self, time: float) -> Ints:
        if time < 0:
            return np.zeros(len(self._part), np.int64)
        passed = np.searchsorted(self._point_places, self._part.distance(time), side="right")
        return np.where(time < self._part.start, 0, passed)

    @property
    def _slice(self) -> slice:
        return slice(self.members.start, self.members.stop)

    @cached_property
    def _point_places(self) -> Floats:
        return np.array([point.distance for point in self.course.timing_points])
