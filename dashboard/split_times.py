"""When everybody passed what: all passings of a race as one column of times for each timing point.

Pure: passings in, arrays out. What it is told twice changes nothing, and the order doesn't matter: so a
store may be asked again for what was told already, and passings may come late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.store import Passings

    Floats = NDArray[np.float64]

HEAD_KINDS = frozenset({"start", "split", "finish"})
"""Timing points that everybody comes to, in the order of their distances."""
END_KINDS = frozenset({"finish", "dnf"})
"""Who has passed one of these is in no geofence any more."""


class Point(NamedTuple):
    """A timing point; `lap` counts the passings of this very point by one competitor."""

    kind: str
    name: str
    lap: int


class Stay(NamedTuple):
    """Somebody who is in a geofence: since when, in race seconds."""

    bib: int
    since: float


class Visits(NamedTuple):
    """Visits to geofences; all of shape (k,).

    Attributes:
        fence: the geofence's name.
        bib: who.
        entered, left: race seconds; `left` is NaN for who is still inside.
    """

    fence: NDArray[np.str_]
    bib: NDArray[np.int64]
    entered: Floats
    left: Floats


class SplitTimes:
    """The times of a race, kept by timing point."""

    def __init__(self) -> None:
        self._times: dict[Point, Floats] = {}
        self._distance: dict[Point, float] = {}
        self._size = 0
        self.newest = 0
        """Epoch milliseconds, in race time, of the newest passing."""

    def add(self, passings: Passings) -> None:
        """Take passings, known ones among them or not."""
        if not len(passings):
            return
        self.newest = max(self.newest, int(passings.timestamp.max()))
        self._grow(int(passings.competitor.max()) + 1)
        for point, rows in _by_point(passings).items():
            times = self._times.setdefault(point, np.full(self._size, np.nan))
            times[passings.competitor[rows]] = passings.elapsed[rows]
            self._distance[point] = float(passings.distance[rows[0]])

    def count(self, kind: str, until: float = np.inf) -> int:
        """How many passings of one kind there were up to `until` race seconds."""
        return sum(int((times <= until).sum()) for point, times in self._times.items() if point.kind == kind)

    def last_splits(self, bibs: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Each competitor's last split: its metres and its race seconds, shape (n,); NaN before the first."""
        metres, seconds = np.full(len(bibs), np.nan), np.full(len(bibs), np.nan)
        places, times = self.matrix("split", bibs)
        for place, there in zip(places, times.T, strict=True):
            passed = ~np.isnan(there)
            metres[passed], seconds[passed] = place, there[passed]
        return metres, seconds

    def matrix(self, kind: str, bibs: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """All points of one kind by distance: their metres, shape (s,), and the times there, shape (n, s)."""
        points = self.points(kind)
        metres = np.array([self._distance[point] for point in points])
        return metres, np.array([self._at(point, bibs) for point in points]).reshape(len(points), len(bibs)).T

    def points(self, kind: str) -> list[Point]:
        """All points of one kind, by distance."""
        return sorted(self._of(kind), key=lambda point: (self._distance[point], point))

    def visits(self) -> Visits:
        """Every visit to a geofence, ended or not, by the fence's name, then who came first first."""
        found: list[tuple[str, NDArray[np.intp], Floats, Floats]] = []
        for enter in sorted(self._of("enter"), key=lambda point: (point.name, self._distance[point])):
            bibs = np.flatnonzero(~np.isnan(self._times[enter]))
            leave = self._at(Point("exit", enter.name, enter.lap), bibs)
            # Who finishes inside, or gives up, is in it until then.
            left = np.where(np.isnan(leave), self._end(bibs), leave)
            found.append((enter.name, bibs, self._times[enter][bibs], left))
        fences = np.repeat([name for name, *_ in found], [len(bibs) for _, bibs, *_ in found])
        who, entered, left = (
            np.concatenate([visit[nth] for visit in found]) if found else np.empty(0) for nth in (1, 2, 3)
        )
        order = np.lexsort((who, entered, fences))
        return Visits(fences[order], who[order].astype(np.int64), entered[order], left[order])

    def head(self) -> tuple[Floats, Floats]:
        """The first time at which anybody was at each timing point: metres and race seconds, rising."""
        points = [point for point in self._times if point.kind in HEAD_KINDS]
        found = sorted((self._distance[point], float(np.nanmin(self._times[point]))) for point in points)
        metres, seconds = np.array(found).reshape(-1, 2).T
        return metres, seconds

    def inside(self, until: float = np.inf) -> dict[str, list[Stay]]:
        """Who is in which geofence at `until` race seconds: by the fence's name, who came first first.

        A fence that nobody has ever entered isn't there.
        """
        fences: dict[str, list[Stay]] = {}
        ended = self._end(np.arange(self._size)) <= until
        for enter in self._of("enter"):
            times = self._times[enter]
            leave = self._times.get(Point("exit", enter.name, enter.lap))
            is_in = (times <= until) & ~ended
            if leave is not None:
                is_in &= ~(leave <= until)
            bibs = np.flatnonzero(is_in)
            stays = fences.setdefault(enter.name, [])
            stays.extend(map(Stay, bibs.tolist(), times[bibs].tolist()))
        return {
            name: sorted(stays, key=lambda stay: (stay.since, stay.bib)) for name, stays in fences.items()
        }

    def _of(self, kind: str) -> list[Point]:
        return [point for point in self._times if point.kind == kind]

    def _at(self, point: Point, bibs: NDArray[np.int64]) -> Floats:
        times = self._times.get(point, np.empty(0))
        if not len(times):
            return np.full(len(bibs), np.nan)
        known = bibs < len(times)
        found: Floats = np.where(known, times[np.where(known, bibs, 0)], np.nan)
        return found

    def _end(self, bibs: NDArray[np.intp]) -> Floats:
        """When each finished or gave up, shape (n,); NaN for who has done neither."""
        ends = [self._at(point, bibs) for point in self._times if point.kind in END_KINDS]
        return np.fmin.reduce(ends) if ends else np.full(len(bibs), np.nan)

    def _grow(self, size: int) -> None:
        """Make room for bibs up to `size`, not included."""
        if size <= self._size:
            return
        self._size = size
        for point, times in self._times.items():
            self._times[point] = np.append(times, np.full(size - len(times), np.nan))


def _by_point(passings: Passings) -> dict[Point, NDArray[np.intp]]:
    """The rows of each timing point."""
    columns = pd.DataFrame({"kind": passings.kind, "name": passings.point, "lap": passings.lap})
    found: dict[Any, Any] = columns.groupby(list(columns), sort=False).indices
    return {Point(str(kind), str(name), int(lap)): rows for (kind, name, lap), rows in found.items()}
