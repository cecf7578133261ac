"""Where on a course somebody was, from the places that a receiver recorded.

A course may cross itself, come back the way it went or be run in laps: the nearest place of it is often
another one. So the places are matched all at once: of all ways along the course, never backwards, the one
is taken that lies near the places and whose metres between them are those that were covered (the two errors,
each with its weight, of Newson and Krumm 2009, "Hidden Markov Map Matching Through Noise and Sparseness").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.course.course import GEOD

if TYPE_CHECKING:
    from simulator.course.course import Course
    from stream.arrays import Floats, Ints


STEP = 5.0
"""Metres between the places of the course that are tried."""
MAX_STATES = 20_000
"""Places of the course that are tried at most: on a longer course they lie further apart."""
MAX_FIXES = 2000
"""Recorded places that are matched at once; those between them are found between those matched."""
SIGMA = 8.0
"""Metres by which a recorded place is off, typically."""
FURTHEST = 50.0
"""Metres beyond which a place says no more of where somebody was: it was a wrong turn, or the receiver."""
DETOUR = 20.0
"""Metres by which the way along the course and the way recorded differ between two places, typically."""
FINE = 0.5
"""Metres to which a place on the course is found in the end."""


def match(course: Course, lon: Floats, lat: Floats) -> Floats:
    """Return the metres of the course at each recorded place, never falling, shape (k,).

    Args:
        course: the course.
        lon: the places in their order, degrees, shape (k,), k at least 2.
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
    states = _most_likely(on_course, recorded[:, chosen], np.diff(way[chosen]) / step, step)
    rough = np.interp(way, _rising(way[chosen]), metres[states])
    found = _refined(course, plane, recorded, rough, step)
    return np.clip(np.maximum.accumulate(found), 0.0, course.distance)


class _Plane:
    """Metres east and north of a place: flat enough for a course, of which only differences matter."""

    def __init__(self, lon: float, lat: float) -> None:
        self._lon, self._lat = lon, lat
        self._east = GEOD.inv(lon, lat, lon + 0.01, lat)[2] / 0.01
        self._north = GEOD.inv(lon, lat - 0.005, lon, lat + 0.005)[2] / 0.01

    def metres(self, lon: Floats, lat: Floats) -> Floats:
        """Return places as metres, shape (2, k)."""
        across = (np.asarray(lon) - self._lon + 180.0) % 360.0 - 180.0
        metres: Floats = np.array([across * self._east, (np.asarray(lat) - self._lat) * self._north])
        return metres


def _most_likely(on_course: Floats, recorded: Floats, covered: Floats, step: float) -> Ints:
    """Return the index of the course's place at each recorded one, never falling: the cheapest way there is.

    Args:
        on_course: the course's places, metres, shape (2, s).
        recorded: the recorded ones, shape (2, k).
        covered: steps of the course from each to the next, by the way recorded, shape (k - 1,).
        step: metres between two places of the course.
    """
    states, fixes = on_course.shape[1], recorded.shape[1]
    price = step / DETOUR
    index = np.arange(states)
    came_from = np.zeros((fixes, states), np.int32)
    cost = _aside(on_course, recorded[:, 0])
    # Who begins to record beside the course begins anywhere; the start is likelier.
    cost = cost + price * index * 0.1
    for nth in range(1, fixes):
        steps = float(covered[nth - 1])
        cost, came_from[nth] = _moved_on(cost, steps, price, index)
        cost = cost + _aside(on_course, recorded[:, nth])
    path = np.empty(fixes, np.int64)
    path[-1] = cost.argmin()
    for nth in range(fixes - 1, 0, -1):
        path[nth - 1] = came_from[nth, path[nth]]
    return path


def _aside(on_course: Floats, place: Floats) -> Floats:
    """Return what it costs to say that somebody recorded here was at each place of the course."""
    off = np.hypot(on_course[0] - place[0], on_course[1] - place[1])
    near = 0.5 * (np.minimum(off, FURTHEST) / SIGMA) ** 2
    # Further away costs a little more still, so that of two far places the nearer is taken.
    cost: Floats = near + np.maximum(off - FURTHEST, 0.0) * 1e-3
    return cost


def _moved_on(cost: Floats, steps: float, price: float, index: Ints) -> tuple[Floats, Ints]:
    """Return the least cost to be at each place after `steps` steps, and the place it comes from."""
    whole = int(steps)
    # From places at least so many steps behind: each further one costs the same more.
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


def _rising(way: Floats) -> Floats:
    """Return metres that rise truly, for who stands still."""
    return way + np.arange(len(way)) * 1e-9


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
