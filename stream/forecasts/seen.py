"""What a reader of the stream knows of a race at one moment."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stream.arrays import Floats, Ints, Mask
from stream.forecasts.route import Route

KNOWN_FOR = 30.0
"""Race seconds after which a position no longer counts, unless it is of the newest tick."""


def furthest(
    position: tuple[Floats, Floats], passings: tuple[Floats, Floats], now: float
) -> tuple[Floats, Floats]:
    """Return the furthest known place and its time, for `Seen`: of a position or a passing.

    Args:
        position: metres and race seconds, shape (n,) each; NaN if unknown.
        passings: metres of timing points of any kind, shape (p,), and the times there, shape (n, p).
        now: race seconds; later passings are not known.
    """
    distance, elapsed = (column.copy() for column in position)
    metres, times = passings
    for place, there in zip(metres.tolist(), times.T, strict=True):
        is_further = (there <= now) & ~(distance >= place)
        distance[is_further], elapsed[is_further] = place, there[is_further]
    return distance, elapsed


@dataclass(frozen=True, eq=False)
class Seen:
    """n competitors as the events published so far show them. All times are race seconds.

    Attributes:
        now: the moment.
        guns: of the own wave, shape (n,).
        times: at the start and each mark of the route, shape (n, m + 1); NaN where no passing is known.
        distance: metres at the newest position, shape (n,); NaN without one.
        elapsed: time of that position, shape (n,).
        is_out: who has finished or is out of the race, shape (n,): dnf, dns and dsq.
    """

    now: float
    guns: Floats
    times: Floats
    distance: Floats
    elapsed: Floats
    is_out: Mask

    def __len__(self) -> int:
        return len(self.guns)

    def take(self, who: Ints | Mask | NDArray[np.intp]) -> "Seen":
        """Return some of the competitors."""
        columns = {name: column[who] for name, column in vars(self).items() if name != "now"}
        return replace(self, **columns)

    @property
    def starts(self) -> Floats:
        """Times of the own starts, shape (n,); the gun where unknown."""
        return np.where(np.isnan(self.times[:, 0]), self.guns, self.times[:, 0])

    def clean(self) -> "Seen":
        """Return the same without what cannot be: times after now, and times that don't rise."""
        times = np.column_stack([self.starts, self.times[:, 1:]])
        times[:, 1:][times[:, 1:] > self.now] = np.nan
        before = np.fmax.accumulate(times, axis=1)[:, :-1]
        times[:, 1:][times[:, 1:] <= before] = np.nan
        late = np.isnan(self.elapsed) | (self.elapsed > self.now)
        return replace(
            self,
            times=times,
            distance=np.where(late, np.nan, self.distance),
            elapsed=np.where(late, np.nan, self.elapsed),
        )


@dataclass(frozen=True, eq=False)
class Anchors:
    """Where each of k competitors was last seen, at a mark or between two; arrays of shape (k,).

    Attributes:
        mark: the last mark passed.
        distance: metres; at that mark or beyond.
        time: race seconds.
    """

    mark: Ints
    distance: Floats
    time: Floats

    @classmethod
    def of(cls, seen: Seen, route: Route) -> "Anchors":
        """Return where cleaned competitors were last seen: the passing or the position that is furthest."""
        marks = np.arange(seen.times.shape[1])
        mark = np.where(np.isnan(seen.times), 0, marks).max(axis=1)
        at, time = route.marks[mark], seen.times[np.arange(len(mark)), mark]
        # A position beyond a mark without its passing: the passing is late, and the stretch unknown.
        end = route.marks[np.minimum(mark + 1, len(route.marks) - 1)]
        distance = np.minimum(seen.distance, end)
        newer = (distance >= at) & (seen.elapsed > time)
        return cls(mark, np.where(newer, distance, at), np.where(newer, seen.elapsed, time))
