"""All finishers of a race that is too large to read every position: bibs and times, read as they come in.

A million of them take 30 MB.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.store.protocol import Race, Store, Tally
from stream.arrays import Floats, Ints, Mask
from stream.results import Rank, since, wave_guns

AT_ONCE = 50_000
"""Competitors per query where all are read."""

LATE_BY_MS = 10_000
"""Milliseconds of wall time by which finishes may arrive out of order. After a later one, all are read."""

ASK_AGAIN_S = 10.0
"""Seconds until the waves or starts are read again if some were missing."""


class Finishers:
    """The finishers of one race, without disqualified ones, by the two times that places go by.

    Args:
        store: where they are read.
        run_id: the race.
        clock: monotonic seconds.
    """

    def __init__(self, store: Store, run_id: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._run_id = run_id
        self._clock = clock
        self._bibs = np.empty(0, np.int64)  # rising
        self._elapsed = np.empty(0)  # race seconds
        self._newest = 0  # epoch milliseconds at which the newest was emitted
        self._missing = 0  # finishers in the tally that the store did not return when all were read
        self._waves = _Column(np.int64)
        self._starts = _Column(np.float64)
        self._wave_delay = 0.0
        self._orders: dict[Rank, tuple[Ints, Floats]] = {}

    def __len__(self) -> int:
        return len(self._bibs)

    def read(self, race: Race, tally: Tally, *, again: bool = False) -> None:
        """Read those who have come in since; all with `again`, or if some are missing.

        Raises `StoreError`.
        """
        came_in = tally.count("finished", "dsq")
        if not came_in and not len(self):
            return
        if not again and self._newest:
            self._read([range(tally.last_bib + 1)], self._newest - LATE_BY_MS)
        if again or not self._newest or tally.count("finished") - len(self) > self._missing:
            self._read(_parts(tally.last_bib, came_in), None)
            self._missing = tally.count("finished") - len(self)
        self._read_waves(race, tally)

    def _read(self, parts: list[range], after_ms: int | None) -> None:
        """Read the finishers with these bibs who were emitted after a moment; without one, replace all."""
        found = [self._store.finishes(self._run_id, part, after_ms or 0) for part in parts]
        columns = (np.concatenate(column) for column in list(zip(*found, strict=True))[:3])
        self._add(*columns, is_all=after_ms is None)
        self._newest = max(self._newest, *(one.newest_emitted for one in found))

    def _add(self, bibs: Ints, elapsed: Floats, counts: Mask, *, is_all: bool) -> None:
        kept = np.zeros(len(self), np.bool_) if is_all else ~np.isin(self._bibs, bibs)
        known = np.append(self._bibs[kept], bibs[counts])
        times = np.append(self._elapsed[kept], elapsed[counts])
        order = np.argsort(known, kind="stable")
        if not np.array_equal(known[order], self._bibs) or not np.array_equal(times[order], self._elapsed):
            self._bibs, self._elapsed = known[order], times[order]
            self._orders = {}

    def _read_waves(self, race: Race, tally: Tally) -> None:
        """Read who started in a later wave, again until the whole start list is there."""
        self._wave_delay = race.wave_delay
        if not race.wave_delay or not self._waves.is_due(self._clock()):
            return
        count = self._store.count_competitors(self._run_id)
        parts = (self._store.waves(self._run_id, part) for part in _parts(tally.last_bib, count))
        self._waves.fill(parts, self._clock(), is_whole=count >= race.competitors)
        self._orders = {}

    def _read_starts(self, last_bib: int) -> None:
        """Read all own starts, again while some of the finishers' are missing."""
        if self._starts.has(self._bibs) or not self._starts.is_due(self._clock()):
            return
        parts = (self._store.starts(self._run_id, part) for part in _parts(last_bib, last_bib))
        self._starts.fill(parts, self._clock(), is_whole=False)
        self._orders.pop("chip", None)

    def guns(self, bibs: Ints) -> Floats:
        """Seconds from the first gun to that of each bib's wave, shape (k,)."""
        return wave_guns(self._waves.of(bibs, np.ones(len(bibs), np.int64)), self._wave_delay)

    def last_gun(self) -> float:
        """Seconds from the first gun to the last one; infinity while that is not known."""
        if not self._wave_delay:
            return 0.0
        if not self._waves.is_whole:
            return math.inf
        return float(wave_guns(np.array([self._waves.most(1)]), self._wave_delay)[0])

    def newest(self, most: int) -> Ints:
        """Bibs of those who finished last, the newest first, at most so many."""
        found: Ints = self._bibs[np.lexsort((-self._bibs, self._elapsed))[::-1][:most]]
        return found

    def elapsed(self, bibs: Ints) -> Floats:
        """Race seconds of these finishers, shape (k,)."""
        found: Floats = self._elapsed[np.searchsorted(self._bibs, bibs)]
        return found

    def in_order(self, rank: Rank = "gun") -> tuple[Ints, Floats]:
        """Bibs of all finishers, the winner first, and the times that places go by, shape (n,).

        By chip time all own starts are read first. Raises `StoreError`.
        """
        if rank == "chip" and len(self):
            self._read_starts(int(self._bibs[-1]))
        if rank not in self._orders:
            moments = self.guns(self._bibs)
            if rank == "chip":
                moments = self._starts.of(self._bibs, moments)
            times = since(self._elapsed, moments)
            order = np.lexsort((self._bibs, times))
            self._orders[rank] = self._bibs[order], times[order]
        return self._orders[rank]

    def places(self, bibs: Ints) -> Ints:
        """Places by gun time, shape (k,); 0 for those who are no finishers. Equal times share a place."""
        _, times = self.in_order()
        found = np.zeros(len(bibs), np.int64)
        rows = np.searchsorted(self._bibs, bibs)
        is_in = np.append(self._bibs, -1)[rows] == bibs
        own = since(self._elapsed[rows[is_in]], self.guns(bibs[is_in]))
        found[is_in] = np.searchsorted(times, own, side="left") + 1
        return found


class _Column:
    """A number for each of some bibs.

    Attributes:
        is_whole: whether there will be no more of them.
    """

    def __init__(self, kind: type[np.int64] | type[np.float64]) -> None:
        self._bibs = np.empty(0, np.int64)
        self._values = np.empty(0, kind)
        self._asked = -math.inf
        self.is_whole = False

    def is_due(self, now: float) -> bool:
        """Whether it should be read at this moment."""
        return not self.is_whole and now - self._asked >= ASK_AGAIN_S

    def fill(self, parts: Iterator[tuple[Ints, Ints | Floats]], now: float, *, is_whole: bool) -> None:
        """Replace it by these parts, whose bibs rise."""
        bibs, values = zip(*parts, strict=True)
        self._bibs, self._values = np.concatenate(bibs), np.concatenate(values)
        self._asked, self.is_whole = now, is_whole

    def most(self, other: int) -> int:
        """The highest number, or `other` if there is none or it is higher."""
        return int(self._values.max(initial=other))

    def has(self, bibs: Ints) -> bool:
        """Whether it has a number for all of these."""
        return bool(np.isin(bibs, self._bibs).all())

    def of(self, bibs: Ints, others: Ints | Floats) -> NDArray[Any]:
        """The numbers of these bibs, and `others` where there is none, shape (k,)."""
        rows = np.searchsorted(self._bibs, bibs)
        known = np.append(self._bibs, -1)[rows] == bibs
        found: NDArray[Any] = others.astype(self._values.dtype)
        found[known] = self._values[rows[known]]
        return found


def _parts(last_bib: int, competitors: int) -> list[range]:
    """Ranges of all bibs with some `AT_ONCE` competitors each, if those are spread evenly."""
    width = math.ceil((last_bib + 1) / max(1, math.ceil(competitors / AT_ONCE)))
    return [range(first, first + width) for first in range(0, last_bib + 1, width)]
