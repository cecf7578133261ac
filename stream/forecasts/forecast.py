"""Forecasts for everyone on the course, with intervals as wide as this model's errors in this race."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream.arrays import Floats, Ints
from stream.forecasts import habits as field_habits
from stream.forecasts.arrivals import Runners
from stream.forecasts.habits import LEARN_FROM, Habits
from stream.forecasts.route import Route
from stream.forecasts.seen import Anchors, Seen

LEVELS = (0.1, 0.5, 0.9)
"""The 80 % interval and the forecast between its ends."""
CHECKED = np.array([0.1, 0.5, 0.9])
"""Levels that are checked against what has happened."""
CHECK_COUNTS = 40.0
"""Number of past forecasts as much as which the model's own opinion of itself counts."""
PATIENCE = 1.35
"""A past forecast is checked once this many times the time at constant pace is over, arrived or not."""
CHUNK = 10_000
"""Competitors that are forecast together, to bound memory."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What a race has taught so far.

    Attributes:
        habits: how the field runs.
        lags: numbers of stretches over which forecasts were checked, shape (l,).
        reached: the model's probability below which a share of `CHECKED` of the past arrivals was, for each
            lag, shape (l, 3): equal to `CHECKED` if the model knows how sure it can be.
    """

    habits: Habits
    lags: Floats
    reached: Floats

    def levels(self, wanted: Sequence[float], lag: Floats) -> Floats:
        """Return the model's levels for wanted ones, over each number of stretches (k,), shape (k, q)."""
        at = np.log2(np.maximum(lag, 1.0))
        reached = np.column_stack([np.interp(at, np.log2(self.lags), column) for column in self.reached.T])
        edges = np.column_stack([np.zeros(len(lag)), reached, np.ones(len(lag))])
        known = np.concatenate([[0.0], CHECKED, [1.0]])
        nth = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 2)
        share = (np.asarray(wanted) - known[nth]) / (known[nth + 1] - known[nth])
        levels: Floats = edges[:, nth] + share * (edges[:, nth + 1] - edges[:, nth])
        return levels


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts for k competitors at one moment; times are race seconds.

    Attributes:
        who: their indices, shape (k,).
        point: index of the next of the route's points, shape (k,).
        there: arrival at it, at each level, shape (k, q).
        finish: arrival at the finish, at each level, shape (k, q).
        gun, chip: the finish as gun and chip time, seconds, shape (k, q).
    """

    who: Ints
    point: Ints
    there: Floats
    finish: Floats
    gun: Floats
    chip: Floats


def learn(route: Route, seen: Seen) -> Learned:
    """Return what the race has taught so far."""
    gave_up = seen.is_out & np.isnan(seen.times[:, -1])
    started = ~np.isnan(seen.times[:, 1:]).all(axis=1)
    who = np.flatnonzero(started)
    who = who[np.unique(np.linspace(0, max(len(who) - 1, 0), min(len(who), LEARN_FROM)).astype(np.int64))]
    some = seen.take(who).clean()
    habits = field_habits.learn(route, some)
    lags = 2 ** np.arange(int(np.log2(max(len(route.lengths) - 1, 1))) + 1)
    counted = some.take(~gave_up[who])
    reached = np.empty((len(lags), len(CHECKED)))
    before = CHECKED
    for nth, lag in enumerate(lags.tolist()):
        # A longer lag without data of its own is as wrong as the shorter ones, but less surely.
        opinion = (before + CHECKED) / 2
        past = _past(route, habits, counted, lag)
        found = np.quantile(past, CHECKED) if len(past) else opinion
        before = (CHECK_COUNTS * opinion + len(past) * found) / (CHECK_COUNTS + len(past))
        reached[nth] = before
    return Learned(habits, lags.astype(np.float64), reached)


def _past(route: Route, habits: Habits, seen: Seen, lag: int) -> Floats:
    """Return the probabilities of past arrivals in forecasts made `lag` stretches before, shape (j,).

    Of each competitor, the last forecast counts whose outcome must be known by now; 1 if it isn't.
    """
    marks, times = route.marks, seen.times
    made, due = slice(1, len(marks) - lag), slice(1 + lag, len(marks))
    pace = (times[:, made] - times[:, :1]) / marks[made]
    is_over = times[:, made] + PATIENCE * pace * (marks[due] - marks[made]) <= seen.now
    who = np.flatnonzero(is_over.any(axis=1))
    if not len(who):
        return np.empty(0)
    nth = np.where(is_over[who], np.arange(is_over.shape[1]), -1).max(axis=1) + 1
    then = seen.take(who)
    known = np.where(np.arange(len(marks)) <= nth[:, None], then.times, np.nan)
    nowhere = np.full(len(who), np.nan)
    past = Seen(seen.now, then.guns, known, nowhere, nowhere, then.is_out)
    arrived = then.times[np.arange(len(who)), nth + lag]
    found = Runners.of(route, habits, past).arrivals(marks[nth + lag]).before(arrived)
    return np.where(np.isnan(arrived), 1.0, found)


def forecast(
    route: Route, seen: Seen, learned: Learned | None = None, levels: Sequence[float] = LEVELS
) -> Forecasts:
    """Return forecasts for everyone who has started and is neither finished nor out.

    Args:
        route: the course.
        seen: what is known now.
        learned: what the race has taught; by default, it is learned from `seen`. It may be some seconds old.
        levels: probabilities of an arrival before the times returned, rising.
    """
    learned = learn(route, seen) if learned is None else learned
    clean = seen.clean()
    who = np.flatnonzero(~clean.is_out & np.isnan(clean.times[:, -1]) & (clean.starts < clean.now))
    who = who[Anchors.of(clean.take(who), route).distance > 0.0]
    parts = [
        _forecast(route, clean.take(who[at : at + CHUNK]), learned, levels)
        for at in range(0, len(who), CHUNK)
    ]
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not parts:
        nothing = np.empty((0, len(levels)))
        return Forecasts(who, np.empty(0, np.int64), nothing, nothing, nothing, nothing)
    point, there, finish = columns
    some = clean.take(who)
    return Forecasts(who, point, there, finish, finish - some.guns[:, None], finish - some.times[:, :1])


def _forecast(
    route: Route, seen: Seen, learned: Learned, levels: Sequence[float]
) -> tuple[Ints, Floats, Floats]:
    """Return the next point, and the times there and at the finish."""
    runners = Runners.of(route, learned.habits, seen)
    anchors = runners.anchors
    point = route.next_points(anchors.distance)
    usual = route.distance / len(route.lengths)
    times = []
    for metres in (route.points[point], np.full(len(seen), route.distance)):
        wanted = learned.levels(levels, (metres - anchors.distance) / usual)
        times.append(runners.times(metres, wanted, seen.now))
    there, finish = times
    # The finish is not before the next point, whatever their distributions are.
    return point, there, np.maximum(there, finish)
