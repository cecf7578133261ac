"""What is exact of a race that is shown by a sample: arrivals by time, and those who are out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dashboard.race.standing import guns_of
from dashboard.raceday.arrivals import STEP_S
from dashboard.store.protocol import Competitor, Race, Store
from stream.arrays import Floats, Ints
from stream.cut_offs import NONE

Point = tuple[str, str, int]
"""A timing point as passings have it: kind, name, lap."""


class Dropped(NamedTuple):
    """Those who gave up or were stopped; all arrays of shape (k,).

    Attributes:
        bib: rising.
        distance: metres covered.
        elapsed: race seconds of that moment.
        guns: race seconds of the own wave's gun.
        stopped: index of the cut-off that has stopped them, or -1.
    """

    bib: Ints
    distance: Floats
    elapsed: Floats
    guns: Floats
    stopped: Ints


@dataclass(frozen=True, eq=False)
class Exact:
    """What is exact at one moment.

    Attributes:
        arrived: by point: numbers of five minutes since the epoch, rising, and arrivals in them.
        dropped: those who are out on the course.
        names: the start list's entries of those.
    """

    arrived: Mapping[Point, tuple[Ints, Ints]]
    dropped: Dropped
    names: Mapping[int, Competitor]


class ExactReader:
    """Reads what is exact of one race."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._names: dict[int, Competitor] = {}

    def read(self, race: Race) -> Exact:
        """Read it; raises `StoreError`."""
        gun = race.start_time / 1000
        first, offset = divmod(gun, STEP_S)
        arrived: dict[Point, tuple[list[int], list[int]]] = {}
        for kind, point, lap, span, many in self._store.count_arrivals(self._run_id, offset, STEP_S):
            spans, counts = arrived.setdefault((kind, point, lap), ([], []))
            spans.append(int(first) + span)
            counts.append(many)
        bibs, distance, elapsed = self._store.dropped(self._run_id)
        unknown = [bib for bib in bibs.tolist() if bib not in self._names]
        self._names |= self._store.competitors(self._run_id, unknown) if unknown else {}
        guns = guns_of(race, self._names, bibs)
        stopped = np.full(len(bibs), NONE)
        if race.cut_offs is not None:
            stopped = race.cut_offs.reached(np.full(len(bibs), "dnf"), distance, elapsed, guns)
        return Exact(
            {point: _in_order(*columns) for point, columns in arrived.items()},
            Dropped(bibs, distance, elapsed, guns, stopped),
            dict(self._names),
        )


def _in_order(spans: list[int], counts: list[int]) -> tuple[Ints, Ints]:
    order = np.argsort(spans)
    return np.array(spans, np.int64)[order], np.array(counts, np.int64)[order]
