import statistics

import numpy as np
import pytest

from simulator.race import chance
from simulator.race.chance import Stream

MANY = 100_000


def test_normal_numbers_are_the_inverse_of_the_distribution() -> None:
    """The share below is the one asked for, and nothing lies outside the cut."""
    drawn = np.array([0.0, 0.001, 0.25, 0.5, 0.9, 1.0 - 1e-12])
    found = chance.normal(drawn, 3.0)
    bell = statistics.NormalDist()
    below, within = bell.cdf(-3.0), bell.cdf(3.0) - bell.cdf(-3.0)

    assert found == pytest.approx(
        [-3.0, *(bell.inv_cdf(below + within * u) for u in drawn[1:-1]), 3.0], abs=1e-6
    )


def test_hashed_numbers_are_uniform_and_independent() -> None:
    """Over competitors, over moments and between streams there is no pattern to be seen."""
    keys = chance.keys(1, Stream.LOST, MANY)
    over_competitors = chance.hashed(keys, np.full(MANY, 7))
    over_moments = chance.hashed(np.repeat(keys[:1], MANY), np.arange(MANY))
    other_stream = chance.hashed(chance.keys(1, Stream.LATE, MANY), np.full(MANY, 7))
    for numbers in (over_competitors, over_moments, other_stream):
        counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
        # Chi squared of 19 degrees: 45 is beyond 99.9 %.
        assert ((counts - MANY / 20) ** 2 / (MANY / 20)).sum() < 45
        assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.015
    assert abs(np.corrcoef(over_competitors, other_stream)[0, 1]) < 0.015


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.5, 50), (0.014, 1), (0.016, 2), (1.0, 100)])
def test_chosen_are_the_nearest_whole_number(share: float, count: int) -> None:
    """As many are chosen as the share says."""
    assert chance.chosen(chance.uniform(3, Stream.WALKING, 100), share).sum() == count
