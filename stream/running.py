"""Published figures on how people run: hills, fatigue and the wall.

The simulator draws its races from them, and forecasts begin with them.
"""

from dataclasses import dataclass

import numpy as np

from stream.arrays import Floats


@dataclass(frozen=True)
class Split:
    """Time of the second half minus that of the first, as a share of the whole time."""

    mean: float
    deviation: float


MEN, WOMEN = Split(0.0344, 0.0267), Split(0.0281, 0.0210)
"""69,814 men and 46,856 women in World Marathon Majors (Kais et al. 2019, Kinesiology 51)."""
WOMEN_SHARE = 0.4
"""46,856 of 116,670, the same source."""

WALL_FROM = 30_000.0
"""Minimum course length, in metres, on which runners hit the wall."""
WALL_SHARE_MEN, WALL_SHARE_WOMEN = 0.28, 0.17
WALL_SLOWDOWN_MEN, WALL_SLOWDOWN_WOMEN = 0.40, 0.37
WALL_LENGTH_MEN, WALL_LENGTH_WOMEN = 10_700.0, 9_600.0
"""Share of marathon runners who hit the wall, their slowdown and its length in metres, on average
(Smyth 2021, PLoS ONE 16(5) e0251513)."""
WALL_LEAST_SLOWDOWN, WALL_LEAST_LENGTH = 0.25, 5_000.0
"""Minimum slowdown that counts as the wall (same source)."""

STEEPEST = 0.45
"""Steepest gradient for which the polynomial was measured."""


def cost_of_running(gradient: Floats) -> Floats:
    """Return the cost per metre, J/kg (Minetti et al. 2002, J Appl Physiol 93, 1039-1046)."""
    i = np.clip(gradient, -STEEPEST, STEEPEST)
    return ((((155.4 * i - 30.4) * i - 43.3) * i + 46.3) * i + 19.5) * i + 3.6
