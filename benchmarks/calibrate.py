"""Make the table `EARLIER` of the forecasts: how sure forecasts of the finish were in earlier races.

`python -m benchmarks.calibrate` follows races of the simulator on the shipped courses and two marathons, with
other seeds than the benchmark of the forecasts, and prints the table. It takes about 5 minutes.
"""

import numpy as np

from benchmarks.forecasts import COMPETITORS, ENSEMBLE, SCENARIOS, Scored, course_of, scored
from simulator.export.forecasts import route_of
from stream.arrays import Floats
from stream.forecasts.forecast import CHECKED

SEEDS = range(301, 305)
RUN = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
"""Shares of the distance run: the rows of the table. Between two of them it is interpolated."""
NOTHING = np.array([[0.5, *CHECKED.tolist()]])
"""The table before any race was seen: the model knows how sure it is."""


def calibrated() -> Floats:
    """Return the table. All courses count as much, whatever the number of their splits."""
    run, reached, counts = [], [], []
    for scenario in SCENARIOS:
        route = route_of(course_of(scenario))
        races = [scored(scenario, seed, COMPETITORS, NOTHING).finish for seed in SEEDS]
        found = Scored.joined(races)
        # At the first split, forecasts are least sure, and the target leaves it out.
        found = found.take(found.split > 1)
        run.append(route.marks[found.split] / route.distance)
        reached.append(levels_reached(found))
        counts.append(np.full(len(found), 1.0 / len(found)))
    return table(np.concatenate(run), np.concatenate(reached), np.concatenate(counts))


def levels_reached(found: Scored) -> Floats:
    """Return the level of each forecast at which the outcome was, shape (k,)."""
    rows = zip(found.arrived.tolist(), found.ensemble, strict=True)
    # Beyond the outermost quantiles it does not matter how far.
    return np.array([np.interp(arrived, ensemble, ENSEMBLE, 0.0, 1.0) for arrived, ensemble in rows])


def table(run: Floats, reached: Floats, counts: Floats) -> Floats:
    """Return the levels below which a share of `CHECKED` of the outcomes was, around each of `RUN`.

    Args:
        run: share of the distance run at each forecast, shape (k,).
        reached: level at which its outcome was, shape (k,).
        counts: how much it counts, shape (k,).
    """
    order = np.argsort(reached, kind="stable")
    run, reached, counts = run[order], reached[order], counts[order]
    rows = []
    for nth, share in enumerate(RUN.tolist()):
        weight = counts * np.interp(run, RUN, np.eye(len(RUN))[nth])
        below = np.cumsum(weight) - weight / 2
        low, _, high = np.interp(CHECKED, below / weight.sum(), reached)
        # Which way forecasts were off in other races says little about this one: only the ends move.
        rows.append([share, low, CHECKED[1], high])
    return np.array(rows)


if __name__ == "__main__":
    print(np.array2string(calibrated(), precision=3, separator=", "))
