"""A race's passings as one column of times per timing point.

Pure: passings in, arrays out. Taking passings is idempotent and independent of their order, so a store may be
queried for the same passings again, and passings may arrive late.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.store.protocol import Passings
from stream.arrays import Floats, Ints, Mask, Texts

HEAD_KINDS = frozenset({"start", "split", "finish"})
"""Timing points that every competitor passes, in the order of their distances."""
END_KINDS = frozenset({"finish", "dnf"})
"""Passings of these kinds end any geofence visit."""


class Point(NamedTuple):
    """A timing point; `lap` counts one competitor's passings of this point."""

    kind: str
    name: str
    lap: int


class Stay(NamedTuple):
    """A competitor inside a geofence, and the race second of entry."""

    bib: int
    since: float


class Visits(NamedTuple):
    """Visits to geofences; every array has shape (k,).

    Attributes:
        fence: the geofence's name.
        bib: the competitor.
        entered, left: race seconds; `left` is NaN for competitors still inside.
    """

    fence: Texts
    bib: Ints
    entered: Floats
    left: Floats

    def take(self, some: Mask) -> "Visits":
        """The visits that a mask of shape (k,) selects."""
        return Visits(self.fence[some], self.bib[some], self.entered[some], self.left[some])


class SplitTimes:
    """Times by timing point: a column per point, a row per bib."""

    def __init__(self) -> None:
        self._times: dict[Point, Floats] = {}
        self._distance: dict[Point, float] = {}
        self._bibs = np.empty(0, np.int64)  # rising; bibs may be any numbers
        self.newest = 0
        """Epoch milliseconds, in race time, of the newest passing."""

    def copy(self) -> "SplitTimes":
        """The same times, which later passings don't change."""
        other = SplitTimes()
        other._times = {point: times.copy() for point, times in self._times.items()}
        other._distance = self._distance.copy()
        other._bibs, other.newest = self._bibs, self.newest
        return other

    def add(self, passings: Iterable[Passings]) -> None:
        """Add passings; known ones change nothing."""
        for some in passings:
            if len(some):
                self._add(some)

    def _add(self, passings: Passings) -> None:
        self.newest = max(self.newest, passings.newest)
        self._make_room(passings.competitor)
        point = Point(passings.kind, passings.point, passings.lap)
        times = self._times.setdefault(point, np.full(len(self._bibs), np.nan))
        times[np.searchsorted(self._bibs, passings.competitor)] = passings.elapsed
        self._distance[point] = passings.distance

    @property
    def size(self) -> int:
        """Number of times kept, unknown ones included."""
        return sum(map(len, self._times.values()))

    def __len__(self) -> int:
        """Number of passings."""
        return sum(int((~np.isnan(times)).sum()) for times in self._times.values())

    def count(self, kind: str, until: float = np.inf) -> int:
        """Number of passings of one kind up to `until` race seconds."""
        return sum(int((times <= until).sum()) for point, times in self._times.items() if point.kind == kind)

    def starts(self, bibs: Ints, guns: Floats) -> Floats:
        """Seconds from the first gun to each competitor's own start, shape (n,); to the gun where unknown.

        `guns` are the seconds from the first gun to each one's own, shape (n,).
        """
        starts = self._first("start", bibs)
        return np.where(np.isnan(starts), guns, starts)

    def verdicts(self, bibs: Ints) -> Floats:
        """Race seconds of each disqualification, shape (n,); NaN for all others."""
        return self._first("dsq", bibs)

    def at(self, point: Point, bibs: Ints) -> Floats:
        """Race seconds at which these bibs passed a point, shape (n,); NaN for those who did not."""
        rows, known = self._rows(bibs)
        times = np.full(len(bibs), np.nan)
        times[known] = self._column(point)[rows]
        return times

    def earliest(self, kind: str, bibs: Ints) -> Floats:
        """Race seconds of each one's first passing of this kind, at any point, shape (n,); NaN for none."""
        _, times = self.matrix(kind, bibs)
        found: Floats = np.fmin.reduce(times, axis=1, initial=np.nan)
        return found

    def last_splits(self, bibs: Ints) -> tuple[Floats, Floats]:
        """Metres and race seconds of each competitor's last split, shape (n,); NaN before the first."""
        metres, seconds = np.full(len(bibs), np.nan), np.full(len(bibs), np.nan)
        places, times = self.matrix("split", bibs)
        for place, there in zip(places, times.T, strict=True):
            passed = ~np.isnan(there)
            metres[passed], seconds[passed] = place, there[passed]
        return metres, seconds

    def matrix(self, kind: str, bibs: Ints) -> tuple[Floats, Floats]:
        """All points of one kind by distance: their metres, shape (s,), and the times there, shape (n, s)."""
        points = self.points(kind)
        metres = np.array([self._distance[point] for point in points])
        rows, known = self._rows(bibs)
        times = np.full((len(points), len(bibs)), np.nan)
        for there, point in zip(times, points, strict=True):
            there[known] = self._times[point][rows]
        return metres, times.T

    def points(self, kind: str) -> list[Point]:
        """All points of one kind, by distance."""
        return sorted(self._of(kind), key=lambda point: (self._distance[point], point))

    def visits(self) -> Visits:
        """All geofence visits, completed or not, by geofence name, then by entry time."""
        found: list[tuple[str, NDArray[np.intp], Floats, Floats]] = []
        for enter in sorted(self._of("enter"), key=lambda point: (point.name, self._distance[point])):
            rows = np.flatnonzero(~np.isnan(self._times[enter]))
            leave = self._column(Point("exit", enter.name, enter.lap))[rows]
            # A competitor who finishes or gives up inside is in it until then.
            left = np.where(np.isnan(leave), self._end()[rows], leave)
            found.append((enter.name, self._bibs[rows], self._times[enter][rows], left))
        fences = np.repeat([name for name, *_ in found], [len(bibs) for _, bibs, *_ in found])
        who, entered, left = (
            np.concatenate([visit[nth] for visit in found]) if found else np.empty(0) for nth in (1, 2, 3)
        )
        order = np.lexsort((who, entered, fences))
        return Visits(fences[order], who[order].astype(np.int64), entered[order], left[order])

    def head(self, bibs: Ints, guns: Floats) -> tuple[Floats, Floats]:
        """The shortest gun time of these bibs (n,) at each timing point, in metres and seconds, rising.

        `guns` are the seconds from the first gun to each one's own, shape (n,). Disqualified competitors are
        excluded.
        """
        counts = np.isnan(self.verdicts(bibs))
        rows, known = self._rows(bibs[counts])
        own = guns[counts][known]
        points = [point for point in self._times if point.kind in HEAD_KINDS]
        first = [float(np.fmin.reduce(self._times[point][rows] - own, initial=np.inf)) for point in points]
        found = sorted(
            (self._distance[point], seconds)
            for point, seconds in zip(points, first, strict=True)
            if seconds < np.inf
        )
        metres, seconds = np.array(found).reshape(-1, 2).T
        return metres, seconds

    def inside(self, until: float = np.inf) -> dict[str, list[Stay]]:
        """Competitors inside each geofence at `until` race seconds: by geofence name, then by entry time.

        Geofences without any visit are left out.
        """
        fences: dict[str, list[Stay]] = {}
        ended = self._end() <= until
        for enter in self._of("enter"):
            times = self._times[enter]
            leave = self._column(Point("exit", enter.name, enter.lap))
            is_in = (times <= until) & ~ended & ~(leave <= until)
            stays = fences.setdefault(enter.name, [])
            stays.extend(map(Stay, self._bibs[is_in].tolist(), times[is_in].tolist()))
        return {
            name: sorted(stays, key=lambda stay: (stay.since, stay.bib)) for name, stays in fences.items()
        }

    def _of(self, kind: str) -> list[Point]:
        return [point for point in self._times if point.kind == kind]

    def _first(self, kind: str, bibs: Ints) -> Floats:
        """The times of the first point of a kind, shape (n,); NaN where there is none."""
        _, times = self.matrix(kind, bibs)
        return times[:, 0] if times.shape[1] else np.full(len(bibs), np.nan)

    def _column(self, point: Point) -> Floats:
        """The times at a point, a row for each of `_bibs`; NaN where there was no passing."""
        return self._times.get(point, np.full(len(self._bibs), np.nan))

    def _end(self) -> Floats:
        """When each of `_bibs` finished or gave up; NaN if neither."""
        ends = [times for point, times in self._times.items() if point.kind in END_KINDS]
        return np.fmin.reduce(ends) if ends else np.full(len(self._bibs), np.nan)

    def _rows(self, bibs: Ints) -> tuple[NDArray[np.intp], Mask]:
        """Rows of the known bibs, and the mask of known bibs."""
        rows = np.searchsorted(self._bibs, bibs)
        known = np.append(self._bibs, -1)[rows] == bibs
        return rows[known], known

    def _make_room(self, bibs: Ints) -> None:
        """Make sure each of these bibs has a row."""
        _, known = self._rows(bibs)
        if known.all():
            return
        all_bibs = np.union1d(self._bibs, bibs)
        rows = np.searchsorted(all_bibs, self._bibs)
        for point, times in self._times.items():
            self._times[point] = np.full(len(all_bibs), np.nan)
            self._times[point][rows] = times
        self._bibs = all_bibs
