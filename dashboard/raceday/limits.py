"""Who is through, out and close at a cut-off. Pure: what is known of a race in, counts and lists out."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dashboard.raceday import chances
from dashboard.store.protocol import ON_COURSE
from stream.arrays import Floats, Ints, Mask, Texts
from stream.cut_offs import CutOff

CLOSE = 0.1
"""Chance of being too late from which on a competitor is close: the limit is within the 80 % interval."""


class Out(NamedTuple):
    """A competitor who was stopped.

    Attributes:
        bib: the bib.
        elapsed: race seconds of that moment.
        late: seconds after the limit; 0 if the course has closed.
        distance: metres covered.
    """

    bib: int
    elapsed: float
    late: float
    distance: float


class Close(NamedTuple):
    """A competitor who may be too late, or will be.

    Attributes:
        bib: the bib.
        expected: race seconds of the expected arrival.
        to_go: seconds until then.
        deadline: race seconds.
        chance: of being too late, from `CLOSE` to 1.
    """

    bib: int
    expected: float
    to_go: float
    deadline: float
    chance: float

    @property
    def margin(self) -> float:
        """Seconds from the expected arrival to the limit; negative if it is too late."""
        return self.deadline - self.expected


@dataclass(frozen=True)
class State:
    """A cut-off at one moment.

    Attributes:
        cut_off: the limit.
        deadlines: race seconds of the first and the last limit: they differ if they count from waves.
        through: number of competitors who have passed in time.
        out: number of those whom it has stopped.
        ahead: number of those who may still come.
        too_late: how many of these are expected to be too late; None if it is not known yet.
    """

    cut_off: CutOff
    deadlines: tuple[float, float]
    through: int
    out: int
    ahead: int
    too_late: float | None


def stopped(bibs: Ints, elapsed: Floats, distance: Floats, deadlines: Floats, *, closed: bool) -> list[Out]:
    """Those whom a limit has stopped, the last one first.

    All arrays have shape (k,); `deadlines` are race seconds. `closed`: the course has, so they are where they
    were at that moment.
    """
    order = np.lexsort((bibs, -distance if closed else -elapsed))
    columns = (column[order].tolist() for column in (bibs, elapsed, elapsed - deadlines, distance))
    return [Out(bib, at, 0.0 if closed else by, metres) for bib, at, by, metres in zip(*columns, strict=True)]


def close(bibs: Ints, times: Floats, deadlines: Floats, now: float) -> list[Close]:
    """Those who may be too late, the next arrival first.

    Args:
        bibs: of those who are on their way, shape (k,).
        times: their forecasts at the point, race seconds, shape (k, 3); NaN where there is none.
        deadlines: race seconds, shape (k,).
        now: race seconds.
    """
    chance = chances.late(times, deadlines, now)
    some = np.flatnonzero(chance >= CLOSE)
    some = some[np.lexsort((bibs[some], times[some, 1]))]
    expected = times[some, 1]
    columns = bibs[some], expected, np.maximum(expected - now, 0.0), deadlines[some], chance[some]
    return [Close(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def may_come(status: Texts, distance: Floats, metres: float) -> Mask:
    """Which competitors may still come to a place, shape (n,): those before it, started or not."""
    return np.isin(status, (*ON_COURSE, "waiting")) & (distance < metres)
