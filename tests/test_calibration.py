"""The table of earlier races: what `benchmarks.calibrate` makes of levels that outcomes reached."""

import numpy as np
import pytest

from benchmarks.calibrate import levels
from stream.forecasts.earlier import RUN


def test_a_model_that_knows_how_sure_it_is_gets_its_own_levels() -> None:
    """Where outcomes are as likely at every level, the table is the one without earlier races."""
    run, reached = np.meshgrid(np.linspace(0.0, 1.0, 50), (np.arange(200) + 0.5) / 200)

    low, high = levels(run.ravel(), reached.ravel(), np.ones(run.size))

    assert low == pytest.approx(np.full(len(RUN), 0.1), abs=0.005)
    assert high == pytest.approx(np.full(len(RUN), 0.9), abs=0.005)


def test_intervals_that_were_too_wide_narrow_where_they_were() -> None:
    """Where outcomes are nearer to the middle than the model thinks, the ends move, and not elsewhere."""
    run, reached = np.meshgrid(np.linspace(0.0, 1.0, 51), (np.arange(200) + 0.5) / 200)
    reached = np.where(run < 0.4, 0.2 + 0.6 * reached, reached)

    low, high = levels(run.ravel(), reached.ravel(), np.ones(run.size))

    assert (low[0], high[0]) == pytest.approx((0.26, 0.74), abs=0.005)
    assert (low[-1], high[-1]) == pytest.approx((0.1, 0.9), abs=0.005)


def test_many_splits_of_one_course_do_not_outweigh_another() -> None:
    """Forecasts count as much as their weight says, whatever their number."""
    few, many = np.linspace(0.0, 0.5, 100), np.tile(np.linspace(0.5, 1.0, 100), 9)
    counts = np.concatenate([np.full(100, 1 / 100), np.full(900, 1 / 900)])

    low, high = levels(np.resize(RUN, 1000), np.concatenate([few, many]), counts)

    assert (low[4], high[4]) == pytest.approx((0.1, 0.9), abs=0.03)


def test_shares_of_the_course_without_a_split_are_as_the_nearest_one() -> None:
    """Races with splits at 20 and 80 % say nothing of 10 and 90 %: the levels there are the nearest."""
    run, reached = np.meshgrid([0.2, 0.8], (np.arange(200) + 0.5) / 200)
    reached = np.where(run < 0.5, 0.2 + 0.6 * reached, reached)

    low, high = levels(run.ravel(), reached.ravel(), np.ones(run.size))

    assert (low[0], high[0]) == pytest.approx((0.26, 0.74), abs=0.005)
    assert (low[8], high[8]) == pytest.approx((0.1, 0.9), abs=0.005)
