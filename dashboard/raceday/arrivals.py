"""How many arrive at a place in every five minutes: so far, and expected. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dashboard.raceday import chances
from stream.arrays import Floats, Ints

STEP_S = 300
"""Seconds per bar."""
MOST_STEPS = 576
"""Maximum number of bars: two days. Later arrivals are in the last one."""
LEAST = 0.05
"""Expected arrivals in five minutes, below which bars at the end are left out."""


class Span(NamedTuple):
    """The five minutes with the most arrivals.

    Attributes:
        start: epoch seconds.
        many: number of arrivals.
        is_expected: whether some of them are still to come.
    """

    start: int
    many: float
    is_expected: bool


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Arrivals at one place, by five minutes of the race clock; all arrays have shape (b,).

    Attributes:
        start: epoch seconds at which each begins; without gaps.
        so_far: arrivals that are known.
        expected: those to come.
    """

    start: Ints
    so_far: Ints
    expected: Floats

    @property
    def busiest(self) -> Span | None:
        """The five minutes with the most arrivals, the first ones of several; None without any."""
        both = self.so_far + self.expected
        if not len(both) or both.max() < 0.5:
            return None
        nth = int(np.argmax(np.rint(both)))
        return Span(int(self.start[nth]), float(both[nth]), bool(self.expected[nth] > 0.5))


class Coming(NamedTuple):
    """Forecasts for those who are on their way to a place.

    Attributes:
        times: race seconds at the levels 0.1, 0.5 and 0.9, shape (k, 3).
        until: race seconds at which the course closes for them, shape (k,); inf without a limit.
        weight: how many competitors each stands for, less the chance of being stopped before, shape (k,).
    """

    times: Floats
    until: Floats
    weight: Floats

    @classmethod
    def none(cls) -> "Coming":
        """No one."""
        return cls(np.empty((0, 3)), np.empty(0), np.empty(0))


def counted(gun: float, elapsed: Floats) -> tuple[Ints, Ints]:
    """Known arrivals by five minutes: numbers of the spans since the epoch, rising, and counts.

    `gun` is in epoch seconds, `elapsed` has race seconds.
    """
    spans, counts = np.unique(np.floor((gun + elapsed) / STEP_S).astype(np.int64), return_counts=True)
    return spans, counts.astype(np.int64)


def arrivals(gun: float, now: float, known: tuple[Ints, Ints], coming: Coming) -> Arrivals:
    """Arrivals at a place.

    Args:
        gun: epoch seconds.
        now: race seconds.
        known: as `counted` returns them.
        coming: forecasts.
    """
    spans, counts = known
    first = int(np.floor((gun + now) / STEP_S))
    expected = _expected(gun, now, first, coming)
    if len(expected):
        begin = min(first, int(spans.min(initial=first)))
        end = first + len(expected)
    elif len(spans):
        begin, end = int(spans[0]), int(spans[-1]) + 1
    else:
        return Arrivals(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    begin = max(begin, end - MOST_STEPS)
    end = max(end, int(spans.max(initial=begin)) + 1)
    so_far, to_come = np.zeros(end - begin, np.int64), np.zeros(end - begin)
    np.add.at(so_far, np.maximum(spans - begin, 0), counts)
    to_come[first - begin : first - begin + len(expected)] = expected
    # Bars before the first arrival say nothing.
    some = np.flatnonzero((so_far > 0) | (to_come >= LEAST))
    shown = slice(int(some[0]), int(some[-1]) + 1) if len(some) else slice(0, 0)
    return Arrivals((np.arange(begin, end) * STEP_S)[shown], so_far[shown], to_come[shown])


def _expected(gun: float, now: float, first: int, coming: Coming) -> Floats:
    """Expected arrivals in each span from the `first` on, that of now."""
    some = ~np.isnan(coming.times).any(axis=1)
    times, until, weight = coming.times[some], coming.until[some], coming.weight[some]
    if not len(times):
        return np.empty(0)
    last = float(np.minimum(times[:, 2] + 2 * (times[:, 2] - times[:, 1]), until).max())
    steps = min(MOST_STEPS, max(1, int(np.floor((gun + last) / STEP_S)) + 1 - first))
    ends = (first + np.arange(1, steps + 1)) * STEP_S - gun
    # All that comes later is in the last span; no one has arrived before now, or arrives after the end.
    ends[-1] = np.inf
    closes = chances.before(times, np.where(np.isfinite(until), until, 1e12))
    up_to = np.zeros(steps)
    for nth, end in enumerate(ends.tolist()):
        by_then = closes if np.isinf(end) else np.minimum(chances.before(times, end), closes)
        up_to[nth] = float((by_then * weight).sum())
    already = float((np.minimum(chances.before(times, now), closes) * weight).sum())
    total, rest = up_to[-1], up_to[-1] - already
    if rest <= 0:
        return np.diff(up_to, prepend=0.0)
    # They have not arrived yet, so what the forecasts leave for the past is spread over the future.
    to_come: Floats = np.diff(np.maximum(up_to - already, 0.0), prepend=0.0) * (total / rest)
    return to_come
