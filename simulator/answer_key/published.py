"""Which positions the stream has, and when each was published: by competitor and tick, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.answer_key.query import Clock
from simulator.race.race import Race
from stream.arrays import Floats, Ints, Mask

CELLS = 10_000_000
"""Maximum number of positions looked at together, 18 bytes each; races with more are taken in parts."""
NEVER = -1
NOTHING_YET = np.iinfo(np.int64).min // 2
"""The watermark before the first event: nothing is behind it."""


@dataclass(frozen=True, eq=False)
class Published:
    """The positions of k competitors at the first t ticks; arrays of shape (k, t), unless another is given.

    Attributes:
        race: these competitors' part of the race.
        first: the tick at which each position was published first; `NEVER` if it was not.
        latest: the tick at which it was published last.
        times: how often it was published.
        status: values of `Status`, of published positions.
        distance: metres as published, of published positions.
    """

    race: Race
    first: NDArray[np.int32]
    latest: NDArray[np.int32]
    times: NDArray[np.uint8]
    status: NDArray[np.uint8]
    distance: Floats

    @property
    def is_known(self) -> Mask:
        """Whether each position was published."""
        is_known: Mask = self.first != NEVER
        return is_known

    @property
    def who(self) -> Ints:
        """The competitors' indices, shape (k,)."""
        return np.arange(self.race.members.start, self.race.members.stop)

    @property
    def bib(self) -> Ints:
        """Their bibs, shape (k,)."""
        return self.race.entrants.bib[self.who]

    @cached_property
    def raw_time(self) -> Ints:
        """The `rawTime` of each tick's positions, shape (t,)."""
        # 100 ticks of 1.15 s are 114.99999999999999 s.
        times = np.round(np.arange(self.first.shape[1]) * self.race.request.tick, 6)
        return times.astype(np.int64)

    def when(self, clock: Clock) -> Ints:
        """Return the event time of each position, epoch ms."""
        times = self.race.start_ms + self.raw_time * 1000
        skew = self.race.fixes_of_all(0).skew if clock == "tracker" else np.zeros(len(self.who), np.int64)
        return times + skew[:, None]


@dataclass(frozen=True, eq=False)
class Stream:
    """What the stream of a race has `until` race seconds after the gun, a part of the competitors at a time.

    Iterating yields `Published`, as often as wanted; a race with less than `CELLS` positions is one part,
    which is kept.
    """

    race: Race
    until: float

    @cached_property
    def ticks(self) -> int:
        """The number of ticks published."""
        return min(self.race.last_tick, int(np.floor(round(self.until / self.race.request.tick, 6)))) + 1

    def __iter__(self) -> Iterator[Published]:
        if self.ticks <= 0:
            return
        members, size = self.race.members, max(1, CELLS // self.ticks)
        if size >= len(members):
            yield self._whole
            return
        for first in members[::size]:
            yield _published(self.race.part(first, min(first + size, members.stop)), self.ticks)

    @cached_property
    def _whole(self) -> Published:
        return _published(self.race, self.ticks)

    def watermarks(self, clock: Clock, lateness: float) -> Ints:
        """Return the watermark for what is published at each tick, epoch ms, shape (t,).

        It is the highest event time published in an earlier second of wall time, less the lateness. A race
        publishes tick k in the second, counted from the gun, of k's race time divided by the speed.
        """
        highest = np.full(self.ticks, NOTHING_YET)
        for part in self:
            np.maximum.at(highest, part.first[part.is_known], part.when(clock)[part.is_known])
        second = self.seconds
        reached = np.append(NOTHING_YET, np.maximum.accumulate(highest))
        before = reached[np.searchsorted(second, second, side="left")]
        marks: Ints = np.where(before == NOTHING_YET, before, before - round(lateness * 1000))
        return marks

    @cached_property
    def seconds(self) -> Ints:
        """The second of wall time since the gun in which each tick is published, shape (t,)."""
        request = self.race.request
        return np.round(np.arange(self.ticks) * request.tick / request.speed, 6).astype(np.int64)


def _published(part: Race, ticks: int) -> Published:
    shape = len(part.members), ticks
    first, latest = np.full(shape, NEVER, np.int32), np.full(shape, NEVER, np.int32)
    times, status, distance = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), np.zeros(shape)
    for tick in range(ticks):
        fixes = part.fixes_at(tick)
        row = fixes.who - part.members.start
        column = np.rint(fixes.time / part.request.tick).astype(np.int64)
        is_new = first[row, column] == NEVER
        first[row[is_new], column[is_new]] = tick
        latest[row, column] = tick
        # No position is published twice at one tick.
        times[row, column] += 1
        status[row, column] = fixes.reported.status
        distance[row, column] = np.round(fixes.reported.distance, 3)
    return Published(part, first, latest, times, status, distance)
