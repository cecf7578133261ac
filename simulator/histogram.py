"""How often a quantity was how large: counts in buckets, as Prometheus' histograms are."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Milliseconds to minutes: from a small race's tick, or a commit, to an outage. Each but the last is three
times the one before at most, so that what is read from between them is of the right size. One second, from
which a tick counts as late, and the five of `/readyz` are among them. Ticks and deliveries have the same
bounds, to be laid over each other."""
HTTP_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30)
"""Coarser, since there are so many for each route, method and status: from a picture of a small race to the
largest file of tracks."""


class Histogram:
    """Counts values by size, and adds them up.

    Args:
        bounds: the upper bounds of the buckets, rising, each belonging to its bucket; one without a bound
            follows.

    Attributes:
        total: the sum of all values.
    """

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def up_to(self) -> Iterator[tuple[float, int]]:
        """Yield each bound, infinity the last, and how many values are no larger."""
        return zip((*self._bounds, inf), accumulate(self._counts), strict=True)
