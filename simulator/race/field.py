"""The field: the distance of all competitors at any time, vectorised.

There is no clock, no I/O, and nothing is stored per second. A competitor is the moving time at a few marks
along the course, which are the same for all, plus a few stops. The pace is even between two marks. So memory
is O(competitors), whatever the race's length, and any moment costs the same.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulator.race import chance, paces, starts, stretches
from simulator.race.chance import Stream, chosen, uniform, within
from simulator.race.paces import Effort, to_flat
from simulator.race.request import RaceRequest
from simulator.race.start_list import StartList
from stream.arrays import Floats, Ints, Mask
from stream.running import WALL_FROM

MARK = 1000.0
"""Metres between two marks; the pace is even between them."""
MAX_MARKS = 64
"""Maximum number of stretches: on longer courses each covers several kilometres, to limit memory."""
AT_ONCE = 8192
"""Competitors who are computed at once: their columns fit into the processor's cache."""
VARIATION = 1 / 11
"""Maximum relative difference between a kilometre's pace and the competitor's own.

From 10/11 to 12/11 is a change of 20 % between two kilometres: the widest range that allows no larger one.
"""
WALKING = 1000.0 / 1.4
"""Seconds per kilometre when walking: adults walk at about 1.4 m/s (Bohannon and Williams Andrews 2011,
Physiotherapy 97, 182-189)."""
WALKS_FROM = (0.3, 0.9)
"""Range of the course, as shares, in which competitors begin to walk."""
ENDS_AT = (0.05, 0.95)
"""Range of the course, as shares, in which competitors drop out."""
ASTRAY_AT = (0.05, 0.95)
"""Range of the course, as shares, in which wrong turns happen."""
ASTRAY_REACH = (50.0, 400.0)
"""Metres that a wrong turn leads away from the course."""
VERDICT = (60.0, 600.0)
"""Seconds from a finish to its disqualification."""
WOMEN_SLOWER = 0.08
"""Weight of the sex beside the spread (standard deviation of the logarithm) of a field's paces.

It makes men about 11 % faster on average. Among the first five in the World Marathon Majors it is 11.6 %
(Hunter et al. 2011, Med Sci Sports Exerc 43(4), 656-664).
"""


class Stop(NamedTuple):
    """Stops along the course, one per competitor at most; arrays of shape (n,).

    Attributes:
        place: metres of flat ground; inf for those who don't stop.
        start: moving seconds at which the stop begins; inf if none.
        length: seconds; 0 if none.
        astray: who takes a wrong turn and comes back; the others pause.
    """

    place: Floats
    start: Floats
    length: Floats
    astray: Mask

    def take(self, who: Ints | slice) -> "Stop":
        """Return the stops of some competitors."""
        return Stop._make(column[who] for column in self)

    @classmethod
    def nowhere(cls, n: int) -> "Stop":
        """Return no stops."""
        return cls(np.full(n, np.inf), np.full(n, np.inf), np.zeros(n), np.zeros(n, np.bool_))

    def drop_beyond(self, end: Floats) -> None:
        """Remove the stops beyond the competitors' ends (metres of flat ground), in place."""
        beyond = self.place > end
        for column, nothing in zip(self, (np.inf, np.inf, 0.0, False), strict=True):
            column[beyond] = nothing


class Lost(NamedTuple):
    """Seconds that competitors lose to crowding, shape (n,) each; 0 for those who don't start.

    Attributes:
        at_start: from the gun of their wave, or their own start, to crossing the start line.
        on_course: after it.
    """

    at_start: Floats
    on_course: Floats

    def take(self, who: Ints | slice) -> "Lost":
        """Return the seconds of some competitors."""
        return Lost(self.at_start[who], self.on_course[who])


@dataclass(frozen=True, eq=False)
class Field:
    """n competitors on a course; made by `draw`.

    Attributes:
        marks: metres of flat ground from the start, shape (m,), from 0 to all of the course's.
        moving: seconds of moving at each mark, shape (m, n): rows together, for a tick reads row by row.
        columns: the competitors' columns of `moving`, shape (n,) or a range; None if they are all, in order.
        index: where to look in `moving`; None with few marks.
        start: seconds from the gun to the own start, shape (n,); inf for those who don't start.
        until: metres of the course at which they end, shape (n,): the course's distance, or less.
        until_moving: seconds of moving at that place, shape (n,).
        end: seconds from the gun to their end, shape (n,); inf for those who don't start.
        disqualified_at: seconds from the gun to the disqualification, shape (n,); inf for all others.
        stops: the stops; each competitor's in their order along the course.
        reach: metres that the wrong turn leads away from the course, shape (n,).
        bearing: where it leads, degrees from north, shape (n,).
        wave: the start wave, 1…, shape (n,).
        place: the place in the start, from 0, shape (n,): the order of those who start at one time.
        women: who is a woman, shape (n,).
        ground: the course's hills, or None if they don't affect the pace.
        lost: the seconds lost to crowding, or None without crowding.
    """

    marks: Floats
    moving: Floats
    start: Floats
    until: Floats
    until_moving: Floats
    end: Floats
    disqualified_at: Floats
    stops: tuple[Stop, ...]
    reach: Floats
    bearing: Floats
    wave: Ints
    place: Ints
    women: Mask
    ground: Effort | None = None
    lost: Lost | None = None
    columns: Ints | range | None = None
    index: stretches.Index | None = None

    def __len__(self) -> int:
        return len(self.start)

    def take(self, who: Ints | slice) -> "Field":
        """Return the field of some competitors (indices, shape (k,), repeats allowed).

        It shares `moving` and its index, which are too large to be copied for a tick.
        """
        others = {"marks", "moving", "stops", "ground", "lost", "columns", "index"}
        own = {name: column[who] for name, column in vars(self).items() if name not in others}
        every = range(len(self)) if self.columns is None else self.columns
        columns = every[who] if isinstance(who, slice) else self._columns[who]
        return replace(
            self,
            stops=tuple(stop.take(who) for stop in self.stops),
            lost=None if self.lost is None else self.lost.take(who),
            columns=columns,
            index=None if self.index is None else self.index.take(who),
            **own,
        )

    def blocks(self) -> Iterator[slice]:
        """Yield the blocks of competitors who are computed at once."""
        for first in range(0, len(self), AT_ONCE):
            yield slice(first, min(len(self), first + AT_ONCE))

    @property
    def _columns(self) -> Ints:
        if self.columns is None:
            return np.arange(len(self))
        if isinstance(self.columns, range):
            return np.arange(self.columns.start, self.columns.stop)
        return self.columns

    def _own(self, row: Floats) -> Floats:
        """Return the competitors' own part of a row of `moving`, shape (n,)."""
        if isinstance(self.columns, range):
            return row[self.columns.start : self.columns.stop]
        return row if self.columns is None else row[self.columns]

    def paused(self, elapsed: float | Floats) -> Mask:
        """Return who pauses `elapsed` seconds after the gun, shape (n,)."""
        paused = np.zeros(len(self), np.bool_)
        for stop, since in self._since_stops(elapsed):
            paused |= (since >= 0) & (since < stop.length) & ~stop.astray
        return paused

    def off_course(self, elapsed: float | Floats) -> Floats:
        """Return everyone's metres off the course `elapsed` seconds after the gun, shape (n,)."""
        off = np.zeros(len(self))
        # Those who are stopped on a wrong turn stay where they are.
        for stop, since in self._since_stops(np.minimum(elapsed, self.end)):
            away = (since > 0) & (since < stop.length) & stop.astray
            share = since[away] / stop.length[away]
            off[away] = self.reach[away] * (1.0 - np.abs(2.0 * share - 1.0))
        return off

    def _since_stops(self, elapsed: float | Floats) -> Iterator[tuple[Stop, Floats]]:
        """Yield each stop with the seconds since it began, negative before it."""
        moved = elapsed - self.start
        for stop in self.stops:
            yield stop, moved - stop.start
            moved = _stood(moved, stop)

    def moved(self, elapsed: float | Floats) -> Floats:
        """Return everyone's moving seconds `elapsed` seconds after the gun, shape (n,); 0 before the start.

        `elapsed` is one moment for all, or one for each, shape (n,).
        """
        moved = elapsed - self.start
        for stop in self.stops:
            moved = _stood(moved, stop)
        return np.clip(moved, 0.0, self.until_moving)

    def distance(self, elapsed: float | Floats) -> Floats:
        """Return everyone's metres `elapsed` seconds after the gun, shape (n,); 0 before the start.

        `elapsed` is one moment for all, or one for each, shape (n,).
        """
        if len(self) > AT_ONCE:
            moments = np.broadcast_to(elapsed, len(self))
            return np.concatenate([self.take(block).distance(moments[block]) for block in self.blocks()])
        moved = self.moved(elapsed)
        stretch = self._stretch(moved)
        # Places in the flat array, for it is looked up three times as fast as with two indices.
        flat, place = self.moving.reshape(-1), stretch * self.moving.shape[1] + self._columns
        since, until = flat.take(place), flat.take(place + self.moving.shape[1])
        first, last = self.marks[stretch], self.marks[stretch + 1]
        # Rounding must not carry anyone past the next mark.
        run = np.minimum(first + (moved - since) / (until - since) * (last - first), last)
        if self.ground is not None:
            run = self.ground.to_course(run)
        # Exactly the finish, without rounding.
        return np.where(elapsed >= self.end, self.until, np.minimum(run, self.until))

    def _stretch(self, moved: Floats) -> Ints:
        """Return the number of the last mark that everyone has passed at these moving seconds, shape (n,)."""
        if self.index is not None:
            return self.index.passed(self.moving, self._columns, moved)
        passed = np.zeros(len(self), np.uint8)
        for row in self.moving[1:-1]:
            passed += self._own(row) <= moved
        return passed.astype(np.int64)

    @property
    def until_flat(self) -> Floats:
        """Metres of flat ground at which the competitors end, shape (n,)."""
        return to_flat(self.ground, self.until)

    def moving_at(self, flat: float) -> Floats:
        """Return everyone's moving seconds at one place, metres of flat ground, shape (n,)."""
        nth = min(int(np.searchsorted(self.marks, flat, side="right")), len(self.marks) - 1) - 1
        since, until = self._own(self.moving[nth]), self._own(self.moving[nth + 1])
        share = (flat - self.marks[nth]) / (self.marks[nth + 1] - self.marks[nth])
        return until if share >= 1.0 else since + share * (until - since)

    def times_at(self, flat: float) -> Floats:
        """Return when everyone reaches one place, metres of flat ground, seconds from the gun, shape (n,).

        It has numbers also for those who end before; inf for DNS. A pause at the place comes after it.
        """
        times: Floats = self.start + self.moving_at(flat)
        for stop in self.stops:
            times += np.where(stop.place < flat, stop.length, 0.0)
        return times

    def elapsed(self, who: Ints, distance: Floats) -> Floats:
        """Return the seconds from the gun at which competitors (indices, shape (k,)) reach metres (k,)."""
        flat = to_flat(self.ground, distance)
        time = interpolate(self.marks, self.moving, self._columns[who], flat)
        for stop in self.stops:
            time = time + np.where(flat > stop.place[who], stop.length[who], 0.0)
        return np.where(distance >= self.until[who], self.end[who], time + self.start[who])


def _stood(moved: Floats, stop: Stop) -> Floats:
    """Return moving seconds without those of a stop."""
    # Until the stop all time is moving time; during it moving time stays exactly constant.
    return np.minimum(moved, np.maximum(stop.start, moved - stop.length))


def draw(
    distance: float,
    visits: Sequence[tuple[float, float]],
    request: RaceRequest,
    *,
    ground: Effort | None = None,
    listed: StartList | None = None,
) -> Field:
    """Draw a field.

    Args:
        distance: the course's metres.
        visits: the stretches inside geofences where pauses may happen, as first and last metre; without
            any there are no pauses.
        request: the request, with its seed.
        ground: the course's hills, if they affect the pace.
        listed: the start list, if there is one.
    """
    n = request.competitors
    marks = marks_along(distance if ground is None else float(ground.flat[-1]))
    pace = paces.averages(
        request.pace_model, request.draw(Stream.PACE), request.fastest, request.slowest, distance
    )
    if listed is not None:
        own = listed.paces(float(marks[-1]))
        pace = np.where(np.isnan(own), pace, own)
    lots = request.draw(Stream.SEX)
    women = _women(lots, pace, request.women) if listed is None else listed.women(lots, request.women)
    moving = _moving_times(request, marks, pace, women, distance)
    _let_walk(moving, marks, request)
    wave, start, place = starts.of(request, pace, listed)
    not_started, not_finished, disqualified = _fates(request)
    start[not_started] = np.inf
    until = np.where(not_finished, distance * within(ENDS_AT, request.draw(Stream.END_PLACE)), distance)
    flat = to_flat(ground, until)
    moving_then = interpolate(marks, moving, np.arange(n), np.minimum(flat, marks[-1]))
    until_moving = np.where(until >= distance, moving[-1], moving_then)
    reach, bearing = np.zeros(n), np.zeros(n)
    stops = [_pauses(request, visits, marks, moving, ground)]
    if request.wrong_turn > 0:
        reach, bearing = _wrong_turns(request)
        stops.append(_way_astray(request, reach, pace, marks, moving))
    if request.dnf > 0:
        stops.append(_last_pauses(request, not_finished, flat, until_moving))
    for stop in stops:
        stop.drop_beyond(flat)
    stops = _in_order(stops)
    standing = sum((stop.length for stop in stops[1:]), start=stops[0].length)
    end = until_moving + standing + start
    verdict = end + within(VERDICT, request.draw(Stream.VERDICT))
    return Field(
        marks=marks,
        moving=moving,
        start=start,
        until=until,
        until_moving=until_moving,
        end=end,
        disqualified_at=np.where(disqualified, verdict, np.inf),
        stops=tuple(stops),
        reach=reach,
        bearing=bearing,
        wave=wave,
        place=place,
        women=women,
        ground=ground,
    )


def marks_along(distance: float) -> Floats:
    """Return the metres of the marks: every kilometre, or several, and the finish; shape (m,)."""
    every = MARK * max(1.0, np.ceil(distance / MARK / MAX_MARKS))
    marks = np.arange(0.0, distance, every)
    # A last stretch of a few millimetres would divide nearly zero by nearly zero.
    if len(marks) > 1 and distance - marks[-1] < 1.0:
        marks = marks[:-1]
    return np.append(marks, distance)


def _women(lots: Floats, pace: Floats, share: float) -> Mask:
    """Return who is a woman, shape (n,): `share` of all, slower on average, by lots in [0, 1)."""
    correlation = WOMEN_SLOWER / math.hypot(WOMEN_SLOWER, np.log(pace).std())
    return chosen(1.0 - chance.along_with(chance.ranks(pace), lots, correlation), share)


def _moving_times(request: RaceRequest, marks: Floats, pace: Floats, women: Mask, distance: float) -> Floats:
    """Return the seconds at each mark, shape (m, n), with each competitor's own average pace."""
    variation = uniform(request.seed or 0, Stream.VARIATION, (len(pace), len(marks) - 1))
    variation *= 2.0 * VARIATION
    variation += 1.0 - VARIATION
    kilometres = np.diff(marks) / 1000.0
    times = np.zeros((len(marks), len(pace)))
    # Sum the transpose row by row in place: one matrix, not three.
    np.multiply(variation.T, kilometres[:, None], out=times[1:])
    if request.fatigue != "none":
        _tire(request, times[1:], marks, pace, women, distance)
    np.cumsum(times[1:], axis=0, out=times[1:])
    times *= pace * kilometres.sum() / times[-1]
    return times


def _tire(  # noqa: PLR0913, PLR0917 - what fatigue depends on
    request: RaceRequest, stretches: Floats, marks: Floats, pace: Floats, women: Mask, distance: float
) -> None:
    """Apply fatigue, in place."""
    difference = paces.differences(pace, women, request.draw(Stream.SPLIT))
    if request.fatigue == "split" or distance < WALL_FROM:
        paces.slow_down(stretches, marks, difference)
        return
    streams = (Stream.WALL, Stream.WALL_SLOWDOWN, Stream.WALL_LENGTH)
    lots, slowdowns, lengths = (request.draw(stream) for stream in streams)
    slowdown, length = paces.wall(women, lots, slowdowns, lengths, distance)
    # Competitors who hit the wall run evenly before it: its source measured the slowdown that way.
    paces.slow_down(stretches, marks, np.where(slowdown > 0, 0.0, difference))
    paces.hit_the_wall(stretches, marks, slowdown, length)


def _let_walk(moving: Floats, marks: Floats, request: RaceRequest) -> None:
    """Let some competitors walk from a mark on, in place."""
    if request.walking <= 0:
        return
    who = np.flatnonzero(chosen(request.draw(Stream.WALKING), request.walking))
    begins = marks[-1] * within(WALKS_FROM, request.draw(Stream.WALKING_FROM)[who])
    stretches = np.diff(moving[:, who], axis=0)
    for nth, (first, last) in enumerate(pairwise(marks.tolist())):
        # All of them walk the last stretch, because there is no later mark to begin at.
        walks = (begins <= first) | (nth == len(stretches) - 1)
        walked = np.maximum(stretches[nth], WALKING * (last - first) / 1000.0)
        stretches[nth] = np.where(walks, walked, stretches[nth])
    moving[1:, who] = np.cumsum(stretches, axis=0)


def _fates(request: RaceRequest) -> tuple[Mask, Mask, Mask]:
    """Return who doesn't start, doesn't finish, is disqualified; the three are disjoint."""
    n = request.competitors
    order = np.argsort(request.draw(Stream.FATE), kind="stable")
    masks = np.zeros((3, n), np.bool_)
    first = 0
    for mask, share in zip(masks, (request.dns, request.dnf, request.disqualified), strict=True):
        last = min(n, first + round(share * n))
        mask[order[first:last]] = True
        first = last
    return masks[0], masks[1], masks[2]


def _pauses(
    request: RaceRequest,
    visits: Sequence[tuple[float, float]],
    marks: Floats,
    moving: Floats,
    ground: Effort | None,
) -> Stop:
    """Return the pauses in geofences."""
    stop = Stop.nowhere(request.competitors)
    who = np.flatnonzero(chosen(request.draw(Stream.STOPPED), request.how_many_get_stopped))
    if visits and len(who):
        place = _place_in(visits, request.draw(Stream.PAUSE_PLACE)[who])
        stop.place[who] = to_flat(ground, place)
        stop.start[who] = interpolate(marks, moving, who, stop.place[who])
        lots = request.draw(Stream.PAUSE_LENGTH)[who]
        stop.length[who] = within((request.min_pause, request.max_pause), lots)
    return stop


def _last_pauses(request: RaceRequest, not_finished: Mask, flat: Floats, until_moving: Floats) -> Stop:
    """Return the pauses after which half of the DNF competitors give up."""
    lots = request.draw(Stream.END_PAUSE)
    pausing = not_finished & (lots < 0.5)
    length = within((request.min_pause, request.max_pause), 2.0 * lots)
    stop = Stop.nowhere(request.competitors)
    stop.place[pausing], stop.start[pausing] = flat[pausing], until_moving[pausing]
    stop.length[pausing] = length[pausing]
    return stop


def _wrong_turns(request: RaceRequest) -> tuple[Floats, Floats]:
    """Return the length of wrong turns, 0 for competitors without one, and their bearing."""
    who = chosen(request.draw(Stream.ASTRAY), request.wrong_turn)
    reach = np.where(who, within(ASTRAY_REACH, request.draw(Stream.ASTRAY_REACH)), 0.0)
    return reach, 360.0 * request.draw(Stream.ASTRAY_BEARING)


def _way_astray(request: RaceRequest, reach: Floats, pace: Floats, marks: Floats, moving: Floats) -> Stop:
    """Return the wrong turns as stops: out and back at the competitor's pace."""
    who = np.flatnonzero(reach)
    stop = Stop.nowhere(request.competitors)
    place = marks[-1] * within(ASTRAY_AT, request.draw(Stream.ASTRAY_PLACE)[who])
    stop.place[who], stop.start[who] = place, interpolate(marks, moving, who, place)
    stop.length[who], stop.astray[who] = 2.0 * reach[who] * pace[who] / 1000.0, True
    return stop


def _in_order(stops: list[Stop]) -> list[Stop]:
    """Return the stops with each competitor's in their order along the course."""
    if len(stops) == 1:
        return stops
    order = np.argsort([stop.place for stop in stops], axis=0, kind="stable")
    columns = (np.take_along_axis(np.array(column), order, axis=0) for column in zip(*stops, strict=True))
    return [Stop(*column) for column in zip(*columns, strict=True)]


def _place_in(visits: Sequence[tuple[float, float]], lots: Floats) -> Floats:
    """Return places distributed evenly over all stretches, for lots in [0, 1)."""
    first, last = np.array(visits).T
    ends = np.cumsum(last - first)
    at = lots * ends[-1]
    stretch = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
    place: Floats = np.minimum(last[stretch] - (ends[stretch] - at), last[stretch])
    return place


def interpolate(marks: Floats, moving: Floats, who: Ints, distance: Floats) -> Floats:
    """Return the moving seconds of competitors `who` at metres `distance`, both of shape (k,)."""
    stretch = np.clip(np.searchsorted(marks, distance, side="left") - 1, 0, len(marks) - 2)
    since, until = moving[stretch, who], moving[stretch + 1, who]
    share = (distance - marks[stretch]) / (marks[stretch + 1] - marks[stretch])
    return since + np.clip(share, 0.0, 1.0) * (until - since)
