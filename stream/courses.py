"""What a course has by its distance: its timing points and its altitudes.

The simulator computes passings from them, and readers of the stream know them from the table `courses`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from stream.arrays import Floats

SPLIT = 1000.0
"""Metres between two splits."""
ALTITUDE_STEP = 50.0
"""Metres over which altitudes are compared: shorter differences are altimeter noise."""
SHORTEST = 0.001
"""Minimum length of a visit to a fence, metres: shorter ones are touches."""
AT_AN_END = 1.0
"""Splits and mats nearer than this to the start or the finish, in metres, coincide with it."""

PassingKind = Literal["start", "split", "enter", "exit", "finish", "dnf", "dsq"]


class TimingPoint(NamedTuple):
    """A place at which passings are recorded.

    `lap` counts the passings of this timing point, from 1.
    """

    distance: float
    kind: PassingKind
    name: str
    lap: int


def timing_points(
    distance: float,
    visits: Iterable[tuple[str, float, float]],
    mats: Iterable[tuple[str, Sequence[float]]],
) -> tuple[TimingPoint, ...]:
    """Return start, kilometre splits, each fence's enter and exit, each mat's passes, finish; by distance.

    A course that starts in a fence enters it at the start; one that finishes inside never leaves it.

    Args:
        distance: metres from start to finish.
        visits: stretches inside fences in order: name, first and last metre.
        mats: the name of each mat, and the metres at which the race passes it, rising.
    """
    between = [*splits(distance), *_fence_points(distance, visits), *_mat_points(distance, mats)]
    between.sort(key=lambda point: point.distance)
    start = TimingPoint(0.0, "start", "Start", 1)
    return (start, *between, TimingPoint(distance, "finish", "Finish", 1))


def splits(distance: float) -> Iterator[TimingPoint]:
    """Yield the kilometre splits, by distance."""
    # No split within a metre of the finish: 10,000 m may be measured as 10,000.2 m.
    for kilometre in range(1, int((distance - AT_AN_END) // SPLIT) + 1):
        yield TimingPoint(kilometre * SPLIT, "split", f"{kilometre} km", 1)


def _fence_points(distance: float, visits: Iterable[tuple[str, float, float]]) -> Iterator[TimingPoint]:
    seen: dict[str, int] = {}
    for name, first, last in visits:
        seen[name] = seen.get(name, 0) + 1
        yield TimingPoint(first, "enter", name, seen[name])
        if last < distance - SHORTEST:
            yield TimingPoint(last, "exit", name, seen[name])


def _mat_points(distance: float, mats: Iterable[tuple[str, Sequence[float]]]) -> Iterator[TimingPoint]:
    for name, passes in mats:
        between = [metres for metres in passes if AT_AN_END <= metres <= distance - AT_AN_END]
        for lap, metres in enumerate(between, start=1):
            yield TimingPoint(metres, "split", name, lap)


def lap_profile(along: Floats, altitudes: Floats) -> tuple[Floats, Floats]:
    """Return metres of a lap, about `ALTITUDE_STEP` apart, and the altitudes there.

    Args:
        along: metres from the lap's start to each vertex of its line, shape (v,).
        altitudes: metres at each vertex, shape (v,).
    """
    steps = max(1, math.ceil(along[-1] / ALTITUDE_STEP))
    metres = np.linspace(0.0, along[-1], steps + 1)
    return metres, np.interp(metres, along, altitudes)


def profile(along: Floats, altitudes: Floats, laps: int) -> tuple[Floats, Floats]:
    """Return the same for all laps; a lap that ends higher than it began goes on from there."""
    metres, heights = lap_profile(along, altitudes)
    starts = np.arange(laps)[:, None] * metres[-1]
    climbs = np.tile(np.diff(heights), laps)
    everywhere = np.append((starts + metres[:-1]).ravel(), laps * metres[-1])
    return everywhere, heights[0] + np.append(0.0, np.cumsum(climbs))
