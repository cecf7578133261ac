"""Chances from forecasts."""

import numpy as np
import pytest

from dashboard.raceday import chances

TIMES = np.array([[900.0, 1000.0, 1300.0]])


@pytest.mark.parametrize(
    ("moment", "chance"),
    [(900.0, 0.1), (1000.0, 0.5), (1300.0, 0.9), (0.0, 0.0), (1e12, 1.0), (np.inf, 1.0)],
)
def test_chances_at_the_forecasts_levels(moment: float, chance: float) -> None:
    """At its levels a forecast has their chances, on both sides of a median that is not in the middle."""
    assert chances.before(TIMES, moment) == pytest.approx([chance], abs=1e-3)


def test_chances_rise_with_time() -> None:
    """The later the moment, the more likely the arrival; all stay between 0 and 1."""
    found = np.array([chances.before(TIMES, moment)[0] for moment in range(0, 3000, 10)])
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_after_the_limit_all_are_late() -> None:
    """Those who have not arrived when the limit is over are late; without a forecast there is no chance."""
    late = chances.late(np.vstack([TIMES, TIMES, TIMES * np.nan]), np.array([1300.0, 500.0, 500.0]), 600.0)
    assert late == pytest.approx([0.1, 1.0, np.nan], abs=1e-3, nan_ok=True)


def test_a_forecast_for_the_next_metres() -> None:
    """Three equal times have a chance, too."""
    assert chances.before(np.array([[10.0, 10.0, 10.0]]), np.array([9.0])) < 0.05
    assert chances.before(np.array([[10.0, 10.0, 10.0]]), np.array([11.0])) > 0.95
