"""The table of earlier races: what `benchmarks.calibrate` makes of levels that outcomes reached."""

import numpy as np
import pytest

from benchmarks.calibrate import RUN, table


def test_a_model_that_knows_how_sure_it_is_gets_its_own_levels() -> None:
    """Where outcomes are as likely at every level, the table is the one without earlier races."""
    run, reached = np.meshgrid(np.linspace(0.0, 1.0, 50), (np.arange(200) + 0.5) / 200)

    found = table(run.ravel(), reached.ravel(), np.ones(run.size))

    assert found == pytest.approx(np.column_stack([RUN, np.tile([0.1, 0.5, 0.9], (len(RUN), 1))]), abs=0.005)


def test_intervals_that_were_too_wide_narrow_where_they_were() -> None:
    """Where outcomes are nearer to the middle than the model thinks, the ends move, and not elsewhere."""
    run, reached = np.meshgrid(np.linspace(0.0, 1.0, 51), (np.arange(200) + 0.5) / 200)
    reached = np.where(run < 0.4, 0.2 + 0.6 * reached, reached)

    found = table(run.ravel(), reached.ravel(), np.ones(run.size))

    assert found[0, 1:] == pytest.approx([0.26, 0.5, 0.74], abs=0.005)
    assert found[-1, 1:] == pytest.approx([0.1, 0.5, 0.9], abs=0.005)


def test_many_splits_of_one_course_do_not_outweigh_another() -> None:
    """Forecasts count as much as their weight says, whatever their number."""
    few, many = np.linspace(0.0, 0.5, 100), np.tile(np.linspace(0.5, 1.0, 100), 9)
    counts = np.concatenate([np.full(100, 1 / 100), np.full(900, 1 / 900)])

    found = table(np.resize(RUN, 1000), np.concatenate([few, many]), counts)

    assert found[2, 1:] == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
