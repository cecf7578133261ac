"""The field: how far every competitor has run after any number of seconds, all of them at once.

The two rules of the core hold here: no clock and no I/O, and nothing is stored per second. A competitor is
the moving time at a few marks along the course, the same marks for everybody, and one pause. Between two
marks the pace is even. So a field's memory is O(competitors), whatever the race's length, and any moment
of the race costs the same.

Random numbers: each quantity has a stream of its own, made from the seed and the quantity's number, so
that a quantity added later leaves the others as they were; and each uses nothing but the uniform doubles of
PCG64, whose stream numpy promises never to change (NEP 19).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MARK = 1000.0
"""Metres over which a competitor's pace is even."""
MAX_MARKS = 64
"""Stretches of even pace at most: on a longer course each takes several kilometres, and memory is bounded."""
VARIATION = 1 / 11
"""How far a kilometre's pace lies from the competitor's own, at most, as a share of it.

From 10/11 to 12/11 of it is a change of 20 % from one kilometre to the next: the widest range in which no
change is larger.
"""


class Stream(IntEnum):
    """The numbers of the random streams; never to be given anew, or old seeds give other races."""

    PACE = 1
    VARIATION = 2
    STOPPED = 3
    PAUSE_PLACE = 4
    PAUSE_LENGTH = 5


def uniform(seed: int, stream: Stream, shape: int | tuple[int, ...]) -> Floats:
    """Return uniform doubles in [0, 1) of this seed's stream."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream]))).random(shape)


@dataclass(frozen=True, eq=False)
class Field:
    """n competitors on a course; made by `draw`.

    Attributes:
        marks: metres from the start, shape (m,), from 0 to the course's distance.
        moving: seconds of moving at each mark, shape (m, n): rows together, for a tick reads row by row.
        pause_place: metres, shape (n,); inf for those who don't pause.
        pause_start: seconds after the start at which the pause begins, shape (n,); inf if none.
        pause_length: seconds, shape (n,); 0 if none.
    """

    marks: Floats
    moving: Floats
    pause_place: Floats
    pause_start: Floats
    pause_length: Floats

    def __len__(self) -> int:
        return len(self.pause_start)

    @property
    def finish(self) -> Floats:
        """Seconds from the start to the finish, shape (n,)."""
        total: Floats = self.moving[-1] + self.pause_length
        return total

    def paused(self, elapsed: float) -> NDArray[np.bool_]:
        """Tell who stands still `elapsed` seconds after the start, shape (n,)."""
        since: Floats = elapsed - self.pause_start
        paused: NDArray[np.bool_] = (since >= 0) & (since < self.pause_length)
        return paused

    def distance(self, elapsed: float) -> Floats:
        """Return everybody's metres after `elapsed` seconds, shape (n,); before the start 0."""
        # Up to the pause all time is moving time; in it the time stands still to the last bit.
        moved = np.minimum(elapsed, np.maximum(self.pause_start, elapsed - self.pause_length))
        moved = np.clip(moved, 0.0, self.moving[-1])
        stretch = np.zeros(len(self), np.int64)
        for reached in self.moving[1:-1]:
            stretch += reached <= moved
        everybody = np.arange(len(self))
        since, until = self.moving[stretch, everybody], self.moving[stretch + 1, everybody]
        first, last = self.marks[stretch], self.marks[stretch + 1]
        run = first + (moved - since) / (until - since) * (last - first)
        # The finish is the finish to the last bit; and no rounding carries anyone over the next mark.
        return np.where(elapsed >= self.finish, self.marks[-1], np.minimum(run, last))

    def elapsed(self, who: Ints, distance: Floats) -> Floats:
        """Return the seconds at which competitors (indices, shape (k,)) come to distances (k,)."""
        moved = _interpolate(self.marks, self.moving, who, distance)
        stood = np.where(distance > self.pause_place[who], self.pause_length[who], 0.0)
        return np.where(distance >= self.marks[-1], self.finish[who], moved + stood)


def draw(  # noqa: PLR0913 - the request's own words
    distance: float,
    visits: Sequence[tuple[float, float]],
    *,
    seed: int,
    competitors: int,
    fastest: float,
    slowest: float,
    stopped: float,
    min_pause: float,
    max_pause: float,
) -> Field:
    """Draw a field.

    Args:
        distance: the course's metres.
        visits: the stretches inside geofences where a pause may be, as first and last metre; with none
            of them nobody pauses.
        seed: 0 or more.
        competitors: how many.
        fastest: seconds per kilometre of the fastest there may be.
        slowest: seconds per kilometre of the slowest there may be.
        stopped: the share who pause, 0…1; the nearest whole number of competitors is taken.
        min_pause: seconds.
        max_pause: seconds.
    """
    marks = marks_along(distance)
    pace = fastest + (slowest - fastest) * uniform(seed, Stream.PACE, competitors)
    moving = _moving_times(marks, pace, uniform(seed, Stream.VARIATION, (competitors, len(marks) - 1)))
    pause_place = np.full(competitors, np.inf)
    pause_start = np.full(competitors, np.inf)
    pause_length = np.zeros(competitors)
    if visits and (count := round(stopped * competitors)):
        who = np.sort(np.argsort(uniform(seed, Stream.STOPPED, competitors), kind="stable")[:count])
        place = uniform(seed, Stream.PAUSE_PLACE, competitors)[who]
        length = uniform(seed, Stream.PAUSE_LENGTH, competitors)[who]
        pause_place[who] = _place_in(visits, place)
        pause_start[who] = _interpolate(marks, moving, who, pause_place[who])
        pause_length[who] = min_pause + (max_pause - min_pause) * length
    return Field(marks, moving, pause_place, pause_start, pause_length)


def marks_along(distance: float) -> Floats:
    """Return the metres of the marks: each kilometre, or each several, and the finish; shape (m,)."""
    every = MARK * max(1.0, np.ceil(distance / MARK / MAX_MARKS))
    marks = np.arange(0.0, distance, every)
    # A last stretch of a few millimetres would be a division of nearly nothing by nearly nothing.
    if len(marks) > 1 and distance - marks[-1] < 1.0:
        marks = marks[:-1]
    return np.append(marks, distance)


def _moving_times(marks: Floats, pace: Floats, chance: Floats) -> Floats:
    """Return the seconds at each mark, shape (m, n), so that each competitor's average is its own pace."""
    chance *= 2.0 * VARIATION
    chance += 1.0 - VARIATION
    kilometres = np.diff(marks) / 1000.0
    times = np.zeros((len(marks), len(pace)))
    # The transpose is summed row by row in place: one matrix, not three.
    np.multiply(chance.T, kilometres[:, None], out=times[1:])
    np.cumsum(times[1:], axis=0, out=times[1:])
    times *= pace * kilometres.sum() / times[-1]
    return times


def _place_in(visits: Sequence[tuple[float, float]], chance: Floats) -> Floats:
    """Return places that lie evenly over all the stretches, for numbers in [0, 1)."""
    first, last = np.array(visits).T
    ends = np.cumsum(last - first)
    at = chance * ends[-1]
    stretch = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
    place: Floats = np.minimum(last[stretch] - (ends[stretch] - at), last[stretch])
    return place


def _interpolate(marks: Floats, moving: Floats, who: Ints, distance: Floats) -> Floats:
    """Return the moving seconds of competitors `who` at metres `distance`, both of shape (k,)."""
    stretch = np.clip(np.searchsorted(marks, distance, side="left") - 1, 0, len(marks) - 2)
    since, until = moving[stretch, who], moving[stretch + 1, who]
    share = (distance - marks[stretch]) / (marks[stretch + 1] - marks[stretch])
    seconds: Floats = since + np.clip(share, 0.0, 1.0) * (until - since)
    return seconds
