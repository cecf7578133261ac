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
            [0.134, 0.134, 0.134, 0.175, 0.175, 0.170, 0.170, 0.109, 0.109],
            [0.101, 0.079, 0.093, 0.115, 0.152, 0.117, 0.109, 0.116, 0.101],
            [0.116, 0.117, 0.124, 0.129, 0.135, 0.120, 0.111, 0.113, 0.109],
            [0.122, 0.121, 0.124, 0.126, 0.123, 0.104, 0.103, 0.109, 0.101],
        ]
    ),
    np.array(
        [
            [0.906, 0.906, 0.906, 0.892, 0.892, 0.914, 0.914, 0.919, 0.919],
            [0.893, 0.885, 0.889, 0.887, 0.876, 0.907, 0.918, 0.919, 0.905],
            [0.906, 0.917, 0.908, 0.900, 0.896, 0.905, 0.911, 0.906, 0.902],
            [0.898, 0.902, 0.899, 0.890, 0.878, 0.864, 0.870, 0.885, 0.894],
        ]
    ),
)
"""What `python -m benchmarks.calibrate` finds in 96 races of the simulator on its courses."""
