"""The results of a race up to a moment, as a pure function."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.course.course import TimingPoint
from simulator.race.events import STATUS_NAMES
from simulator.race.race import Race, Snapshot, Status
from stream.arrays import Floats, Ints, Texts
from stream.results import DECIMALS, Entrant, Line, Standings, lines, rounded, stand

CELLS = 20_000
"""Maximum number of values computed together."""


class Lines(NamedTuple):
    """A part of the results: k competitors with s splits each.

    Attributes:
        lines: k of them.
        elapsed: k lists of s times, seconds from the gun; None at splits not reached.
        chip: likewise, from the own start.
    """

    lines: list[Line]
    elapsed: list[list[float | None]]
    chip: list[list[float | None]]


@dataclass(frozen=True, eq=False)
class Results:
    """The results of n competitors; create with `of`.

    Attributes:
        race: the race.
        until: race seconds of the results.
        splits: the timing points that have a split, by distance.
        snapshot: the competitors' state.
        status: their statuses, shape (n,).
        entrants: the start list of n competitors.
        standings: their order and places.
    """

    race: Race
    until: float
    splits: tuple[TimingPoint, ...]
    snapshot: Snapshot
    status: Texts
    entrants: list[Entrant]
    standings: Standings

    def lines(self) -> Iterator[Lines]:
        """Yield the lines in order, in parts."""
        size = max(1, CELLS // (len(Line._fields) + len(self.splits)))
        order = self.standings.order
        for first in range(0, len(order), size):
            yield self._lines(order[first : first + size])

    def _lines(self, who: Ints) -> Lines:
        some, start = self.snapshot.take(who), self.race.field.start[who]
        found = lines(
            who,
            self.standings,
            [self.entrants[nth] for nth in who.tolist()],
            (self.status[who], some.elapsed, start, some.distance),
        )
        elapsed = np.round(self._splits(who, some.distance), DECIMALS)
        since = np.round(np.where(np.isfinite(start), start, 0.0), DECIMALS)[:, None]
        return Lines(found, _rows(elapsed), _rows(elapsed - since))

    def _splits(self, who: Ints, distance: Floats) -> Floats:
        """Return the seconds from the gun to each split, shape (k, s), for metres run (k,)."""
        places = np.array([point.distance for point in self.splits])
        reached, point = np.nonzero(places <= distance[:, None])
        elapsed = np.full((len(who), len(places)), np.nan)
        elapsed[reached, point] = self.race.field.elapsed(who[reached], places[point])
        return elapsed


def of(race: Race, until: float) -> Results:
    """Return the results `until` race seconds after the gun; negative before the first tick."""
    snapshot = race.snapshot(until)
    if until < 0:
        # DNS is published at the gun.
        snapshot.status[:] = Status.WAITING
    status, bib = np.array(STATUS_NAMES)[snapshot.status], race.entrants.bib
    entrants = list(race.entrants.some(0, len(bib)))
    categories = [entrant.category for entrant in entrants]
    return Results(
        race=race,
        until=until,
        splits=tuple(point for point in race.course.timing_points if point.kind == "split"),
        snapshot=snapshot,
        status=status,
        entrants=entrants,
        standings=stand(bib, status, snapshot.elapsed, snapshot.distance, categories),
    )


def _rows(matrix: Floats) -> list[list[float | None]]:
    """Return a matrix row by row, rounded, None for NaN."""
    numbers, width = rounded(matrix.ravel()), matrix.shape[1]
    return [numbers[nth * width : (nth + 1) * width] for nth in range(len(matrix))]
