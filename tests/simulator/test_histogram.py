"""Values in buckets."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest

from simulator.engine import engine
from simulator.histogram import HTTP_SECONDS, SECONDS, Histogram
from simulator.http import routes


def test_a_value_at_a_bound_belongs_below_it() -> None:
    """Each bound's count has all values up to it, the bound included; the last has all."""
    histogram = Histogram((1, 2))
    for value in (0.0, 1.0, 1.5, 2.0, 3.0):
        histogram.observe(value)

    assert list(histogram.up_to()) == [(1, 2), (2, 4), (inf, 5)]
    assert histogram.total == 7.5


@pytest.mark.parametrize("bounds", [SECONDS, HTTP_SECONDS])
def test_bounds_rise_evenly(bounds: tuple[float, ...]) -> None:
    """No bucket is so wide that what is read from within it says nothing."""
    assert all(1 < above / below <= 6 for below, above in pairwise(bounds))


def test_what_counts_as_late_is_a_bound() -> None:
    """How many ticks were late, by the engine and by `/readyz`, can be read from the buckets."""
    assert {engine.LATE, routes.LATE} <= set(SECONDS)
