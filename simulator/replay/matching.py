"""Map matching: the distance along the course for recorded places.

A course may cross itself, turn back or be run in laps, so the nearest place is often the wrong one. Instead,
all places are matched together: among all monotonic paths along the course, the one is chosen that stays near
the places and whose length between them fits the distance covered (the two weighted errors of Newson and
Krumm 2009, "Hidden Markov Map Matching Through Noise and Sparseness").
"""

import numpy as np

from simulator.course.course import GEOD, Course
from stream.arrays import Floats, Ints

STEP = 5.0
"""Metres between candidate places on the course."""
MAX_STATES = 20_000
"""Maximum number of candidates: on a longer course they are further apart."""
MAX_FIXES = 2000
"""Recorded places that are matched together; the others are interpolated."""
SIGMA = 8.0
"""Typical error of a recorded place, metres."""
FURTHEST = 50.0
"""Errors above this, in metres, carry no information: a wrong turn or a receiver fault."""
NEAREST = 20.0
"""The same for competitors who stand still: a warm-up, a wait and the way home are slower than the race, so
they may be further from the course at less cost."""
OUTSIDE = 0.6
"""Cost of a place before the start or after the finish, compared with one that carries no information."""
SPAN = 10.0
"""Seconds before and after a place between which the speed is measured."""
DETOUR = 20.0
"""Typical difference between the path along the course and the recorded one, metres."""
FINE = 0.5
"""Precision of the result, metres."""


def match(course: Course, time: Floats, lon: Floats, lat: Floats) -> Floats:
    """Return the distance along the course at each recorded place, never decreasing, shape (k,).

    Args:
        course: the course.
        time: seconds, increasing, shape (k,).
        lon: the places in order, degrees, shape (k,), k at least 2.
        lat: likewise.
    """
    step = max(STEP, course.distance / MAX_STATES)
    metres = np.linspace(0.0, course.distance, max(2, int(np.ceil(course.distance / step)) + 1))
    step = float(metres[1])
    every = -(-len(lon) // MAX_FIXES)
    chosen = np.unique(np.append(np.arange(0, len(lon), every), len(lon) - 1))
    plane = _Plane(float(lon[0]), float(lat[0]))
    on_course = plane.metres(*course.place(metres))
    recorded = plane.metres(lon, lat)
    way = np.append(0.0, np.cumsum(np.hypot(*np.diff(recorded, axis=1))))
    known = _known(time, recorded)[chosen]
    states = _most_likely(on_course, recorded[:, chosen], known, np.diff(way[chosen]) / step, step)
    # Where a competitor stands still, the recorded way must increase nevertheless.
    rising = way[chosen] + np.arange(len(chosen)) * 1e-9
    rough = np.interp(way, rising, metres[np.clip(states, 0, len(metres) - 1)])
    found = _refined(course, plane, recorded, rough, step)
    before, after = chosen[states < 0], chosen[states >= len(metres)]
    found[: before[-1] + 1 if len(before) else 0] = 0.0
    found[after[0] if len(after) else len(found) :] = course.distance
    # Who stands at the start or the finish is there, whatever the noise.
    low, high = np.minimum.accumulate(found[::-1])[::-1], np.maximum.accumulate(found)
    return np.clip(np.where(rough < course.distance / 2, low, high), 0.0, course.distance)


def _known(time: Floats, recorded: Floats) -> Floats:
    """Return the cost above which each place carries no information; it grows with the speed.

    Args:
        time: seconds, shape (k,).
        recorded: the places, metres, shape (2, k).
    """
    ends = [np.clip(time + span, time[0], time[-1]) for span in (-SPAN, SPAN)]
    before, after = (np.array([np.interp(end, time, axis) for axis in recorded]) for end in ends)
    speed = np.hypot(*(after - before)) / (ends[1] - ends[0])
    share = np.minimum(speed / max(float(np.percentile(speed, 90)), 1e-9), 1.0)
    least, most = (0.5 * (metres / SIGMA) ** 2 for metres in (NEAREST, FURTHEST))
    known: Floats = least + (most - least) * share**2
    return known


class _Plane:
    """Metres east and north of a place; flat enough, because only differences matter."""

    def __init__(self, lon: float, lat: float) -> None:
        self._lon, self._lat = lon, lat
        self._east = GEOD.inv(lon, lat, lon + 0.01, lat)[2] / 0.01
        self._north = GEOD.inv(lon, lat - 0.005, lon, lat + 0.005)[2] / 0.01

    def metres(self, lon: Floats, lat: Floats) -> Floats:
        """Return places as metres, shape (2, k)."""
        across = (np.asarray(lon) - self._lon + 180.0) % 360.0 - 180.0
        return np.array([across * self._east, (np.asarray(lat) - self._lat) * self._north])


def _most_likely(on_course: Floats, recorded: Floats, known: Floats, covered: Floats, step: float) -> Ints:
    """Return the index of the course's place at each recorded one, never decreasing: the cheapest path.

    The index is -1 before the start and s after the finish, where competitors may be anywhere.

    Args:
        on_course: the course's places, metres, shape (2, s).
        recorded: the recorded ones, shape (2, k).
        known: the cost above which each of them carries no information, shape (k,).
        covered: recorded distance from each place to the next, in steps of the course, shape (k - 1,).
        step: metres between two places of the course.
    """
    states, fixes = on_course.shape[1], recorded.shape[1]
    price = step / DETOUR
    index = np.arange(states)
    # The first column is the state before the start, the last the one after the finish.
    came_from = np.zeros((fixes, states + 2), np.int32)
    aside = _aside(on_course, recorded[:, 0], known[0])
    # A recording may begin anywhere; the start is more likely.
    cost = aside + price * index * 0.1
    before, after = OUTSIDE * known[0], np.inf
    for nth in range(1, fixes):
        came_from[nth, [0, -1]] = -1, states
        if cost[0] < before:
            before, came_from[nth, 0] = cost[0], 0
        # Only who is seen at the finish may be anywhere afterwards, and likewise at the start.
        if aside[-1] < known[nth - 1] and cost[-1] < after:
            after, came_from[nth, -1] = cost[-1], states - 1
        moved, came_from[nth, 1:-1] = _moved_on(cost, float(covered[nth - 1]), price, index)
        aside = _aside(on_course, recorded[:, nth], known[nth])
        if aside[0] < known[nth] and before < moved[0]:
            moved[0], came_from[nth, 1] = before, -1
        cost, before, after = moved + aside, before + OUTSIDE * known[nth], after + OUTSIDE * known[nth]
    path = np.empty(fixes, np.int64)
    path[-1] = states if after < cost.min() else cost.argmin()
    for nth in range(fixes - 1, 0, -1):
        path[nth - 1] = came_from[nth, path[nth] + 1]
    return path


def _aside(on_course: Floats, place: Floats, known: float) -> Floats:
    """Return the cost of each place of the course for a recorded place, at most roughly `known`."""
    off = np.hypot(on_course[0] - place[0], on_course[1] - place[1])
    near = np.minimum(0.5 * (off / SIGMA) ** 2, known)
    # A small extra cost prefers the nearer of two far places.
    cost: Floats = near + np.maximum(off - FURTHEST, 0.0) * 1e-4
    return cost


def _moved_on(cost: Floats, steps: float, price: float, index: Ints) -> tuple[Floats, Ints]:
    """Return the minimum cost of each place after `steps` steps, and the place it comes from."""
    whole = int(steps)
    # From places at least `steps` behind: the cost grows linearly.
    slanted = cost - price * index
    least = np.minimum.accumulate(slanted)
    at = np.maximum.accumulate(np.where(slanted == least, index, 0))
    best = np.full(len(cost), np.inf)
    source = np.zeros(len(cost), np.int64)
    if whole < len(cost):
        best[whole:] = least[: len(cost) - whole] + price * (index[whole:] - steps)
        source[whole:] = at[: len(cost) - whole]
    # From nearer ones: fewer steps than recorded cost as well.
    for fewer in range(min(whole, len(cost) - 1, 100) + 1):
        nearer = cost[: len(cost) - fewer] + price * abs(steps - fewer)
        better = nearer < best[fewer:]
        best[fewer:][better] = nearer[better]
        source[fewer:][better] = index[: len(cost) - fewer][better]
    return best, source


def _refined(course: Course, plane: _Plane, recorded: Floats, rough: Floats, step: float) -> Floats:
    """Return the nearest place of the course within a few steps of the rough one, metres, shape (k,)."""
    around = np.arange(-2 * step, 2 * step + FINE, FINE)
    found = np.empty(len(rough))
    for first in range(0, len(rough), 1000):
        part = slice(first, first + 1000)
        tried = np.clip(rough[part, None] + around, 0.0, course.distance)
        places = plane.metres(*course.place(tried.ravel())).reshape(2, *tried.shape)
        off = np.hypot(places[0] - recorded[0, part, None], places[1] - recorded[1, part, None])
        found[part] = tried[np.arange(len(tried)), off.argmin(axis=1)]
    return found
