"""The course as forecasts see it: where times are known, and how hard each stretch is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stream.arrays import Floats, Ints
from stream.courses import TimingPoint
from stream.running import cost_of_running

NEAREST = 300.0
"""Minimum metres between two marks: over less, pace says little about a competitor."""

MOST = 64
"""Maximum number of marks between start and finish, to bound memory: of more splits, an even selection."""


@dataclass(frozen=True, eq=False)
class Route:
    """A course, measured in metres from the start to the finish, laps included.

    Attributes:
        marks: the start, splits and the finish, between which paces are compared, shape (m + 1,), rising.
        points: places whose next one is forecast, ending with the finish, shape (p,), rising.
        metres: places between which the gradient is even, shape (g + 1,); they contain the marks.
        cost: logarithm of the cost of running a metre there, relative to flat ground, shape (g,).
    """

    marks: Floats
    points: Floats
    metres: Floats
    cost: Floats

    @classmethod
    def of(
        cls,
        distance: float,
        splits: Sequence[float] | Floats,
        points: Sequence[float] | Floats = (),
        profile: tuple[Floats, Floats] | None = None,
    ) -> "Route":
        """Return the route of a course.

        Args:
            distance: metres from start to finish.
            splits: metres of the splits that everyone passes, in any order.
            points: metres of the points to forecast, if they are others than the splits.
            profile: metres along the whole course, rising, and the altitudes there; None if unknown.
        """
        inner = _apart(np.unique(np.asarray(splits, float)), distance)
        shown = np.unique(np.asarray(points if len(points) else inner, float))
        marks = np.concatenate([[0.0], inner[evenly(len(inner), MOST)], [distance]])
        shown = np.append(shown[(shown > 0.0) & (shown < distance)], distance)
        metres, cost = marks, np.zeros(len(marks) - 1)
        if profile is not None:
            at, altitudes = profile
            metres = np.union1d(marks, np.clip(at, 0.0, distance))
            gradient = np.diff(np.interp(metres, at, altitudes)) / np.diff(metres)
            cost = np.log(cost_of_running(gradient) / cost_of_running(np.zeros(1)))
        return cls(marks, shown, metres, cost)

    @classmethod
    def along(cls, points: Sequence[TimingPoint], profile: tuple[Floats, Floats] | None = None) -> "Route":
        """Return the route of a course with these timing points, by distance; the last is the finish."""
        splits = [point.distance for point in points if point.kind == "split"]
        return cls.of(points[-1].distance, splits, [point.distance for point in points], profile)

    @property
    def distance(self) -> float:
        """Metres from start to finish."""
        return float(self.marks[-1])

    @cached_property
    def lengths(self) -> Floats:
        """Metres of the stretches between marks, shape (m,)."""
        return np.diff(self.marks)

    @cached_property
    def _stretch(self) -> Ints:
        """The stretch that each piece of even gradient is in, shape (g,)."""
        return np.searchsorted(self.marks, self.metres[:-1], side="right") - 1

    @cached_property
    def climbs(self) -> Floats:
        """Logarithm of the cost of each stretch at full effect of the hills, shape (m,)."""
        return np.log(np.diff(self.even_at_marks(1.0)) / self.lengths)

    def even(self, hills: float, extra: Floats | None = None) -> Floats:
        """Return the metres of even ground up to each of `metres`, shape (g + 1,): what takes equally long.

        Args:
            hills: effect of the hills: 0 none, 1 as measured on a treadmill.
            extra: logarithm of the factor by which each stretch takes longer than its hills say, shape (m,).
        """
        cost = hills * self.cost if extra is None else hills * self.cost + extra[self._stretch]
        return np.append(0.0, np.cumsum(np.diff(self.metres) * np.exp(cost)))

    def even_at_marks(self, hills: float, extra: Floats | None = None) -> Floats:
        """Return the metres of even ground up to each mark, shape (m + 1,)."""
        return np.interp(self.marks, self.metres, self.even(hills, extra))

    def next_points(self, distance: Floats) -> Ints:
        """Return the index of the first of `points` beyond each distance, or of the last; shape (k,)."""
        return np.minimum(np.searchsorted(self.points, distance, side="right"), len(self.points) - 1)


def ahead(points: Sequence[TimingPoint]) -> tuple[TimingPoint, ...]:
    """Return the timing points of `Route.points`: of those at the same place, the last one."""
    named = {point.distance: point for point in points if point.distance > 0}
    return tuple(named[metres] for metres in sorted(named))


def evenly(count: int, most: int) -> Ints:
    """Return an even selection of at most so many of the first `count` indices."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))


def _apart(metres: Floats, distance: float) -> Floats:
    """Return places that are apart from each other, the start and the finish."""
    kept: list[float] = []
    for place in metres.tolist():
        if place - (kept[-1] if kept else 0.0) >= NEAREST and 0.0 < place < distance:
            kept.append(place)
    return np.array(kept)
