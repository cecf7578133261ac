"""Make the table `EARLIER` of the forecasts: how sure forecasts of the finish were in earlier races.

`python -m benchmarks.calibrate` follows races of the simulator on the shipped courses and two marathons, with
other seeds than the benchmark of the forecasts, and prints the table. It takes about 10 minutes.
"""

import numpy as np

from benchmarks.forecasts import ENSEMBLE, SCENARIOS, Scored, course_of, races
from simulator.export.forecasts import route_of
from stream.arrays import Floats
from stream.forecasts.earlier import DISTANCES, NOTHING, RUN, Earlier

SEEDS = range(301, 317)


def calibrated() -> Earlier:
    """Return the table. Courses of the same length count as much, whatever the number of their splits."""
    found: list[list[tuple[Floats, Floats, Floats]]] = [[] for _ in DISTANCES]
    for scenario in SCENARIOS:
        route = route_of(course_of(scenario))
        forecasts = Scored.joined(race.finish for race in races(scenario, SEEDS, NOTHING))
        run = route.marks[forecasts.split] / route.distance
        nearest = int(np.abs(np.log(DISTANCES / route.distance)).argmin())
        found[nearest].append((run, levels_reached(forecasts), np.full(len(run), 1.0 / len(run))))
    rows = [levels(*map(np.concatenate, zip(*columns, strict=True))) for columns in found]
    return Earlier(DISTANCES, RUN, np.array([low for low, _ in rows]), np.array([high for _, high in rows]))


def levels_reached(found: Scored) -> Floats:
    """Return the level of each forecast at which the outcome was, shape (k,)."""
    rows = zip(found.arrived.tolist(), found.ensemble, strict=True)
    # Beyond the outermost quantiles it does not matter how far.
    return np.array([np.interp(arrived, ensemble, ENSEMBLE, 0.0, 1.0) for arrived, ensemble in rows])


def levels(run: Floats, reached: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the levels below which 10 and 90 % of the outcomes were, around each of `RUN`.

    Args:
        run: share of the distance run at each forecast, shape (k,).
        reached: level at which its outcome was, shape (k,).
        counts: how much it counts, shape (k,).
    """
    order = np.argsort(reached, kind="stable")
    run, reached, counts = run[order], reached[order], counts[order]
    shares, ends = [], []
    for share, is_here in zip(RUN.tolist(), np.eye(len(RUN)), strict=True):
        weight = counts * np.interp(run, RUN, is_here)
        below = np.cumsum(weight) - weight / 2
        if weight.any():
            shares.append(share)
            ends.append(np.interp((0.1, 0.9), below / weight.sum(), reached))
    # Races without a split around one of the shares are there as at the others.
    low, high = (np.interp(RUN, shares, column) for column in np.transpose(ends))
    return low, high


if __name__ == "__main__":
    table = calibrated()
    print(np.array2string(table.low, precision=3, separator=", "))
    print(np.array2string(table.high, precision=3, separator=", "))
