"""The results of a race, as far as it has been told. Pure: a race and a moment in, columns out.

Places go by gun time, from the gun to the finish, as the rules of World Athletics and UK Athletics have it;
chip time, from one's own start, is told beside it. Those with the very same gun time have the same place.
Who is disqualified keeps the times, and is in nobody's way: the places are those of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.race.events import STATUS_NAMES
from simulator.race.race import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from simulator.course.course import TimingPoint
    from simulator.race.entrants import Entrant
    from simulator.race.race import Race, Snapshot

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CELLS = 20_000
"""Splits and other values that are worked out at a time."""
DECIMALS = 3
"""Times are told to the millisecond, distances to the millimetre."""
GROUPS = {Status.FINISHED: 0, Status.DSQ: 2, Status.DNF: 3, Status.DNS: 4}
"""The order of the list by status; who is not in it is on the course or about to be: 1."""


class Line(NamedTuple):
    """What the results say of one competitor, beside the splits.

    Times are seconds to the millisecond, distances metres. `place` and `category_place` are None for who has
    none; `gun_time`, `chip_time` and `behind` (the first finisher, by gun time) for who has not finished;
    `pace`, seconds per kilometre by the own start, for who has not moved.
    """

    place: int | None
    category_place: int | None
    bib: int
    name: str
    category: str
    club: str
    wave: int
    status: str
    gun_time: float | None
    chip_time: float | None
    distance: float
    behind: float | None
    pace: float | None


class Lines(NamedTuple):
    """Some lines of the results, k competitors, and their s splits.

    Attributes:
        lines: k of them.
        elapsed: k lists of s times, seconds from the gun; None where one has not been.
        chip: the same from one's own start.
    """

    lines: list[Line]
    elapsed: list[list[float | None]]
    chip: list[list[float | None]]


@dataclass(frozen=True, eq=False)
class Results:
    """The results of n competitors; made by `of`.

    Attributes:
        race: whose they are.
        until: race seconds that they go up to.
        splits: the timing points that have a split, by distance.
        order: who stands in each line, indices, shape (n,).
        snapshot: where everybody is.
        place, category_place: shape (n,) by competitor; 0 for who has none.
        behind: seconds after the first finisher, shape (n,); NaN for who has no place.
    """

    race: Race
    until: float
    splits: tuple[TimingPoint, ...]
    order: Ints
    snapshot: Snapshot
    entrants: Sequence[Entrant]
    place: Ints
    category_place: Ints
    behind: Floats

    def lines(self) -> Iterator[Lines]:
        """Yield the lines in their order, some at a time."""
        size = max(1, CELLS // (len(Line._fields) + len(self.splits)))
        for first in range(0, len(self.order), size):
            yield self._lines(self.order[first : first + size])

    def _lines(self, who: Ints) -> Lines:
        some, start = self.snapshot.take(who), self.race.field.start[who]
        own = some.elapsed - start
        finished = (some.status == Status.FINISHED) | (some.status == Status.DSQ)
        pace = np.divide(own, some.distance / 1000.0, out=np.full(len(who), np.nan), where=some.distance > 0)
        columns = (
            [self.entrants[nth] for nth in who.tolist()],
            self.place[who].tolist(),
            self.category_place[who].tolist(),
            [STATUS_NAMES[status] for status in some.status.tolist()],
            _numbers(np.where(finished, some.elapsed, np.nan)),
            _numbers(np.where(finished, own, np.nan)),
            _numbers(some.distance),
            _numbers(self.behind[who]),
            _numbers(pace),
        )
        lines = [
            Line(place or None, among or None, bib, name, category, club, wave, status, *numbers)
            for (bib, name, category, club, wave), place, among, status, *numbers in zip(
                *columns, strict=True
            )
        ]
        elapsed = self._splits(who, some.distance)
        since = np.where(np.isfinite(start), start, 0.0)[:, None]
        return Lines(lines, _rows(elapsed), _rows(elapsed - since))

    def _splits(self, who: Ints, distance: Floats) -> Floats:
        """Return the seconds from the gun to each split, shape (k, s), for metres run (k,)."""
        places = np.array([point.distance for point in self.splits])
        everybody, point = np.nonzero(places <= distance[:, None])
        elapsed = np.full((len(who), len(places)), np.nan)
        elapsed[everybody, point] = self.race.field.elapsed(who[everybody], places[point])
        return elapsed


def of(race: Race, until: float) -> Results:
    """Return the results as they are `until` race seconds after the gun; negative before the first tick."""
    snapshot = race.snapshot(until)
    if until < 0:
        # Who doesn't start is told at the gun.
        snapshot.status[:] = Status.WAITING
    status, bib = snapshot.status, race.entrants.bib
    entrants = list(race.entrants.some(0, len(bib)))
    placed = np.flatnonzero(status == Status.FINISHED)
    # As they are told: who has the same time there has the same place.
    elapsed = np.round(snapshot.elapsed, DECIMALS)
    gun = elapsed[placed]
    numbers: dict[str, int] = {}
    categories = np.array([numbers.setdefault(entrant.category, len(numbers)) for entrant in entrants])
    place, category_place = np.zeros((2, len(bib)), np.int64)
    place[placed] = _places(gun, np.zeros(len(placed), np.int64))
    category_place[placed] = _places(gun, categories[placed])
    behind = np.full(len(bib), np.nan)
    behind[placed] = gun - gun.min(initial=np.inf)
    group = np.array([GROUPS.get(one, 1) for one in Status])[status]
    within = np.select([group == 0, group == 1], [elapsed, -snapshot.distance], 0.0)
    return Results(
        race=race,
        until=until,
        splits=tuple(point for point in race.course.timing_points if point.kind == "split"),
        order=np.lexsort((bib, within, group)),
        snapshot=snapshot,
        entrants=entrants,
        place=place,
        category_place=category_place,
        behind=behind,
    )


def _places(times: Floats, group: Ints) -> Ints:
    """Return each one's place in its own group (0…) by time, both of shape (k,); equals have one place."""
    order = np.lexsort((times, group))
    nth = np.arange(len(order))
    opens = np.diff(group[order], prepend=-1) != 0
    slower = opens | (np.diff(times[order], prepend=-np.inf) != 0)
    ahead = np.maximum.accumulate(np.where(slower, nth, 0)) - np.maximum.accumulate(np.where(opens, nth, 0))
    places = np.empty(len(order), np.int64)
    places[order] = ahead + 1
    return places


def _numbers(column: Floats) -> list[float | None]:
    """Return a column as it is told, None for NaN."""
    rounded = np.round(column, DECIMALS).astype(object)
    rounded[np.isnan(column)] = None
    numbers: list[float | None] = rounded.tolist()
    return numbers


def _rows(matrix: Floats) -> list[list[float | None]]:
    """Return a matrix row by row, as `_numbers` does it."""
    numbers, width = _numbers(matrix.ravel()), matrix.shape[1]
    return [numbers[nth * width : (nth + 1) * width] for nth in range(len(matrix))]
