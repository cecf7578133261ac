"""The bounds of histograms."""

from itertools import pairwise

import pytest

from simulator.engine import engine
from simulator.histogram import HTTP_SECONDS, SECONDS
from simulator.http import routes


@pytest.mark.parametrize("bounds", [SECONDS, HTTP_SECONDS])
def test_bounds_rise_evenly(bounds: tuple[float, ...]) -> None:
    """No bucket is so wide that what is read from within it says nothing."""
    assert all(1 < above / below <= 6 for below, above in pairwise(bounds))


def test_what_counts_as_late_is_a_bound() -> None:
    """How many ticks were late, by the engine and by `/readyz`, can be read from the buckets."""
    assert {engine.LATE, routes.LATE} <= set(SECONDS)
