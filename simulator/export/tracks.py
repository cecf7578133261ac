"""The tracks of a race, as a pure function of the race and the time up to which it is published.

A track goes from the competitor's own start to the end, or to the last published tick. Its first and last
points are at exactly these times, all others at multiples of the interval. Places are those of the trackers,
or the true ones; times, distances and altitudes are always true. Lost and late positions are included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.course.course import Course
from simulator.race.race import Race, Snapshot
from stream.arrays import Floats, Ints
from stream.results import Entrant

BATCH = 10_000
"""Points computed together; more only if a single competitor has more."""


class UnknownBibError(ValueError):
    """No competitor has this bib."""

    def __init__(self, bib: int) -> None:
        super().__init__(f"no competitor has the bib {bib}")
        self.bib = bib


class Track(NamedTuple):
    """One competitor's track; all arrays of shape (k,), k at least 1.

    Attributes:
        timestamp: epoch milliseconds.
        elapsed: seconds since the gun.
        lon, lat: degrees.
        alt: altitude of the course in metres, or None.
        distance: metres.
        status: values of `Status`.
    """

    entrant: Entrant
    timestamp: Ints
    elapsed: Floats
    lon: Floats
    lat: Floats
    alt: Floats | None
    distance: Floats
    status: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Tracks:
    """The tracks of k competitors; create with `of`.

    Attributes:
        step: race seconds between two points.
        who: indices of competitors with points, shape (k,).
        first: the step of each one's first point, counted from the gun, shape (k,).
        count: number of points of each, shape (k,).
        truth: whether the places are the true ones.
    """

    race: Race
    step: float
    who: Ints
    first: Ints
    count: Ints
    truth: bool

    def __len__(self) -> int:
        """Total number of points."""
        return int(self.count.sum())

    def some(self) -> Iterator[list[Track]]:
        """Yield the tracks in batches of competitors."""
        # A competitor belongs to the batch of its first point.
        batch = (np.cumsum(self.count) - self.count) // BATCH
        for part in np.split(np.arange(len(self.who)), np.flatnonzero(np.diff(batch)) + 1):
            if len(part):
                yield self._tracks(part)

    def _tracks(self, part: Ints) -> list[Track]:
        count = self.count[part]
        who = np.repeat(self.who[part], count)
        ends = np.cumsum(count)
        steps = np.repeat(self.first[part] - (ends - count), count) + np.arange(len(who))
        seen = self._seen(who, steps.astype(np.float64) * self.step)
        columns = (
            self.race.start_ms + np.rint(seen.elapsed * 1000.0).astype(np.int64),
            seen.elapsed,
            seen.lon,
            seen.lat,
            _altitude(self.race.course, seen.distance),
            seen.distance,
            seen.status,
        )
        entrants = self.race.entrants.of(self.who[part])
        return [
            Track(entrant, *(_part(column, last - own, last) for column in columns))
            for entrant, own, last in zip(entrants, count.tolist(), ends.tolist(), strict=True)
        ]

    def _seen(self, who: Ints, time: Floats) -> Snapshot:
        """Return the competitors' states, including their starts and ends where those lie between."""
        field = self.race.field
        true = self.race.snapshot(np.clip(time, field.start[who], field.end[who]), who)
        return true if self.truth else self.race.fixes(who, time, true).reported


def of(race: Race, until: float, bibs: Sequence[int] = (), *, interval: float | None, truth: bool) -> Tracks:
    """Return the tracks up to `until` race seconds.

    Args:
        race: the race.
        until: race seconds; negative before the first tick.
        bibs: bibs of the competitors; empty for all.
        interval: race seconds between two points; the race's own if None.
        truth: whether to return the true places.

    Raises UnknownBibError.
    """
    who = _indices(race.entrants.bib, bibs) if bibs else np.arange(len(race.field))
    who = who[race.field.start[who] <= until]
    step, end = interval or race.request.tick, race.field.end[who]
    first = _tick_until(race.field.start[who], step)
    last = np.where(end <= until, _tick_from(end, step), _tick_until(np.full(len(who), until), step))
    count = np.maximum(last - first + 1, 0)
    there = count > 0
    return Tracks(race, step, who[there], first[there], count[there], truth)


def _indices(known: Ints, bibs: Sequence[int]) -> Ints:
    """Return the indices of these bibs, each once, in start-list order."""
    order = np.argsort(known)
    asked = np.unique(np.array(bibs, np.int64))
    at = order[np.minimum(np.searchsorted(known, asked, sorter=order), len(known) - 1)]
    if len(unknown := asked[known[at] != asked]):
        raise UnknownBibError(int(unknown[0]))
    return np.sort(at)


def _tick_until(time: Floats, step: float) -> Ints:
    """Return the last step at or before each time (seconds, shape (k,))."""
    tick = time // step
    # Rounding: 3 steps of 1.15 s are 3.4499999999999997 s.
    tick += (tick + 1.0) * step <= time
    return tick.astype(np.int64)


def _tick_from(time: Floats, step: float) -> Ints:
    """Return the first step at or after each time (seconds, shape (k,))."""
    tick = _tick_until(time, step)
    return tick + (tick * step < time)


def _altitude(course: Course, distance: Floats) -> Floats | None:
    """Return the course's altitude in metres at distances run, shape (k,)."""
    if course.alt is None:
        return None
    lap = np.minimum(distance // course.lap_length, course.laps - 1)
    return np.interp(distance - lap * course.lap_length, course.along, course.alt)


def _part(column: Any, first: int, last: int) -> Any:
    return None if column is None else column[first:last]
