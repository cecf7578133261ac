"""What earlier races have shown of forecasts of the finish, as a timing company knows it of its races."""

from typing import NamedTuple

import numpy as np

from stream.arrays import Floats


class Earlier(NamedTuple):
    """How sure the model could have been in earlier races, by their length and the share of it that was run.

    Attributes:
        distance: lengths of races, metres, rising, shape (d,).
        run: shares of the distance run when a forecast is made, rising, shape (s,).
        low: the model's probability below which 10 % of the arrivals were, shape (d, s).
        high: the same for 90 %, shape (d, s).
    """

    distance: Floats
    run: Floats
    low: Floats
    high: Floats

    def levels(self, distance: float, run: Floats) -> Floats:
        """Return low, 0.5 and high for a race's length (metres) and shares of it, shape (k,); shape (k, 3).

        Between the lengths and shares of the table they are interpolated, by the logarithm of the length;
        beyond, they are those of the last ones. The middle stays where it is: which way forecasts were off in
        other races says little about this one.
        """
        low, high = (self._at(distance, run, column) for column in (self.low, self.high))
        return np.column_stack([low, np.full(len(run), 0.5), high])

    def _at(self, distance: float, run: Floats, values: Floats) -> Floats:
        lengths = np.log(self.distance)
        row = [np.interp(np.log(distance), lengths, column) for column in values.T]
        found: Floats = np.interp(run, self.run, row)
        return found


DISTANCES = np.array([5_000.0, 10_000.0, 21_097.5, 42_195.0])
RUN = np.arange(1, 10) / 10
NOTHING = Earlier(DISTANCES[:1], RUN[:1], np.array([[0.1]]), np.array([[0.9]]))
"""Before any race was seen: the model knows how sure it is."""
EARLIER = Earlier(
    DISTANCES,
    RUN,
    np.array(
        [
            [0.150, 0.150, 0.150, 0.180, 0.180, 0.182, 0.182, 0.107, 0.107],
            [0.114, 0.098, 0.101, 0.112, 0.146, 0.109, 0.096, 0.108, 0.102],
            [0.146, 0.131, 0.122, 0.117, 0.119, 0.111, 0.108, 0.110, 0.099],
            [0.130, 0.119, 0.123, 0.123, 0.119, 0.103, 0.105, 0.112, 0.104],
        ]
    ),
    np.array(
        [
            [0.891, 0.891, 0.891, 0.879, 0.879, 0.907, 0.907, 0.914, 0.914],
            [0.880, 0.873, 0.885, 0.889, 0.870, 0.897, 0.917, 0.912, 0.902],
            [0.906, 0.920, 0.908, 0.895, 0.891, 0.899, 0.907, 0.905, 0.902],
            [0.898, 0.904, 0.901, 0.893, 0.881, 0.867, 0.868, 0.883, 0.893],
        ]
    ),
)
"""What `python -m benchmarks.calibrate` finds in 48 races of the simulator on its courses."""
