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
        for point in sorted(self._of("split"), key=self._distance.__getitem__):
            times = self._at(point, bibs)
            passed = ~np.isnan(times)
            metres[passed], seconds[passed] = self._distance[point], times[passed]
        return metres, seconds

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
        ended = self._ended(until)
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
        times = self._times[point]
        known = bibs < len(times)
        found: Floats = np.where(known, times[np.where(known, bibs, 0)], np.nan)
        return found

    def _ended(self, until: float) -> NDArray[np.bool_]:
        ended = np.zeros(self._size, np.bool_)
        for point, times in self._times.items():
            if point.kind in END_KINDS:
                ended |= times <= until
        return ended

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
