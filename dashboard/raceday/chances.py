"""Chances from forecasts: an arrival's distribution is two halves of a normal one, joined at its median.

Forecasts are the times before which a competitor arrives in 10, 50 and 90 % of the cases. Pure.
"""

import numpy as np

from stream.arrays import Floats
from stream.forecasts.pacing import below

TENTH = 1.2816
"""Standard deviations between the median and the 90 % quantile of a normal distribution."""
LEAST_S = 0.5
"""Shortest standard deviation, seconds: forecasts for the next few metres are whole seconds."""


def before(times: Floats, moment: Floats | float) -> Floats:
    """The chances of having arrived by a moment, race seconds.

    `times` are the forecasts, shape (…, 3); the moments fit to shape (…). NaN where a forecast is.
    """
    low, middle, high = np.moveaxis(times, -1, 0)
    off = moment - middle
    spread = np.where(off < 0, middle - low, high - middle) / TENTH
    return below(off / np.maximum(spread, LEAST_S))


def late(times: Floats, deadline: Floats | float, now: float) -> Floats:
    """The chances of an arrival after a deadline; 1 if that is over, for those who have not arrived yet."""
    chances = 1.0 - before(times, deadline)
    return np.where(np.isnan(chances), np.nan, np.where(deadline < now, 1.0, chances))
