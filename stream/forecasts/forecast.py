"""Forecasts for everyone on the course, with intervals as wide as this model's errors in this race."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream.arrays import Floats, Ints, Mask
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
NEAR = 4_000
"""Maximum number of past forecasts of the next mark that are checked."""
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
        near: the same for forecasts of the next mark, for each stretch before it, shape (m, 3).
    """

    habits: Habits
    lags: Floats
    reached: Floats
    near: Floats

    def levels(self, wanted: Sequence[float], lag: Floats, stretch: Ints) -> Floats:
        """Return the model's levels for wanted ones, shape (k, q).

        Args:
            wanted: rising.
            lag: number of stretches that each forecast is ahead, shape (k,).
            stretch: index of the stretch if the forecast is of its end or of a place in it, else -1, (k,).
        """
        at = np.log2(np.maximum(lag, 1.0))
        reached = np.column_stack([np.interp(at, np.log2(self.lags), column) for column in self.reached.T])
        reached = np.where(stretch[:, None] >= 0, self.near[stretch], reached)
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
    who = _some(np.flatnonzero(started), LEARN_FROM)
    some = seen.take(who).clean()
    habits = field_habits.learn(route, some)
    counted = some.take(~gave_up[who])
    lags, reached = _far(route, habits, counted)
    return Learned(habits, lags, reached, _near(route, habits, counted, reached[0]))


def _some(of: Ints, most: int) -> Ints:
    """Return an even selection of at most so many."""
    return of[np.unique(np.linspace(0, max(len(of) - 1, 0), min(len(of), most)).astype(np.int64))]


def _far(route: Route, habits: Habits, seen: Seen) -> tuple[Floats, Floats]:
    """Return the lags of `Learned` and the levels reached over each."""
    lags = 2 ** np.arange(int(np.log2(max(len(route.lengths) - 1, 1))) + 1)
    reached = np.empty((len(lags), len(CHECKED)))
    before = CHECKED
    for nth, lag in enumerate(lags.tolist()):
        is_over = _is_over(route, seen, lag)
        who = np.flatnonzero(is_over.any(axis=1))
        # Of each competitor, the last forecast counts.
        made = np.where(is_over[who], np.arange(is_over.shape[1]), -1).max(axis=1) + 1
        past = _past(route, habits, seen.take(who), made, lag)
        # A longer lag without data of its own is as wrong as the shorter ones, but less surely.
        before = reached[nth] = _checked(past, (before + CHECKED) / 2)
    return lags.astype(np.float64), reached


def _near(route: Route, habits: Habits, seen: Seen, usual: Floats) -> Floats:
    """Return the levels reached by forecasts of the next mark, for each stretch, shape (m, 3)."""
    near = np.tile(usual, (len(route.lengths), 1))
    is_over = _is_over(route, seen, 1)
    which = _some(np.flatnonzero(is_over), NEAR)
    who, made = np.unravel_index(which, is_over.shape)
    made = made + 1
    past = _past(route, habits, seen.take(who), made, 1)
    for stretch in np.unique(made).tolist():
        near[stretch] = _checked(past[made == stretch], usual)
    return near


def _checked(past: Floats, opinion: Floats) -> Floats:
    """Return the levels reached by past arrivals, with an opinion that counts as some of them, shape (3,)."""
    if not len(past):
        return opinion
    # Weibull's quantiles are those that the next of a few arrivals is below with this probability.
    found: Floats = np.quantile(past, CHECKED, method="weibull")
    return (CHECK_COUNTS * opinion + len(past) * found) / (CHECK_COUNTS + len(past))


def _is_over(route: Route, seen: Seen, lag: int) -> Mask:
    """Return whose arrivals `lag` stretches after each mark must be known by now; the start is left out."""
    marks, times = route.marks, seen.times
    made, due = slice(1, len(marks) - lag), slice(1 + lag, len(marks))
    pace = (times[:, made] - times[:, :1]) / marks[made]
    is_over: Mask = times[:, made] + PATIENCE * pace * (marks[due] - marks[made]) <= seen.now
    return is_over


def _past(route: Route, habits: Habits, then: Seen, nth: Ints, lag: int) -> Floats:
    """Return the probabilities of past arrivals in forecasts made `lag` stretches before, shape (k,).

    Args:
        route: the course.
        habits: of the field.
        then: the competitor of each forecast, as of now; k of them.
        nth: the mark at which each was made, shape (k,).
        lag: number of stretches; an arrival that isn't known counts as later than all forecasts.
    """
    marks, who = route.marks, np.arange(len(nth))
    if not len(nth):
        return np.empty(0)
    known = np.where(np.arange(len(marks)) <= nth[:, None], then.times, np.nan)
    nowhere = np.full(len(who), np.nan)
    past = Seen(then.now, then.guns, known, nowhere, nowhere, then.is_out)
    arrived = then.times[who, nth + lag]
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
    clean, who = _on_course(route, seen)
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


def _on_course(route: Route, seen: Seen) -> tuple[Seen, Ints]:
    """Return what is known, cleaned, and who has started and is neither finished nor out."""
    clean = seen.clean()
    who = np.flatnonzero(~clean.is_out & np.isnan(clean.times[:, -1]) & (clean.starts < clean.now))
    return clean, who[Anchors.of(clean.take(who), route).distance > 0.0]


def expected(
    route: Route, seen: Seen, learned: Learned, metres: Floats, levels: Sequence[float] = LEVELS
) -> tuple[Ints, Floats]:
    """Return when everyone on the course arrives at these places.

    Args:
        route: the course.
        seen: what is known now.
        learned: what the race has taught.
        metres: the places, in any order, shape (p,).
        levels: probabilities of an arrival before the times returned, rising; q of them.

    Returns:
        The competitors of `forecast`, shape (k,), and race seconds, shape (k, p, q). They are NaN for places
        that a competitor has passed.
    """
    clean, who = _on_course(route, seen)
    times = np.full((len(who), len(metres), len(levels)), np.nan)
    order = np.argsort(metres, kind="stable").tolist()
    for at in range(0, len(who), CHUNK):
        runners = Runners.of(route, learned.habits, clean.take(who[at : at + CHUNK]))
        before = np.full((len(runners.lasting), len(levels)), seen.now)
        for nth in order:
            is_ahead = runners.anchors.distance < metres[nth]
            place = np.where(is_ahead, metres[nth], route.distance)
            there = _times(runners, learned, place, levels, seen.now)
            # No place is reached before one on the way, whatever their distributions are.
            before = np.where(is_ahead[:, None], np.maximum(before, there), before)
            times[at : at + CHUNK, nth][is_ahead] = before[is_ahead]
    return who, times


def arriving(
    route: Route, seen: Seen, learned: Learned, found: Forecasts, until: float
) -> tuple[Ints, Ints, Floats]:
    """Return who is expected at which points until a moment, by time; shape (r,) each.

    Args:
        route: the course.
        seen: what is known now.
        learned: what the race has taught.
        found: the forecasts made of it, with a level of 0.5 in the middle.
        until: race seconds.

    Returns:
        Competitors as in `found.who`, indices of the route's points, and race seconds.
    """
    clean, last = seen.clean(), len(route.points) - 1
    who, point, time = found.who, found.point, found.there[:, found.there.shape[1] // 2]
    arrivals: list[tuple[Ints, Ints, Floats]] = []
    while len(who):
        is_soon = time <= until
        who, point, time = who[is_soon], point[is_soon], time[is_soon]
        arrivals.append((who, point, time))
        goes_on = point < last
        who, point, time = who[goes_on], point[goes_on] + 1, time[goes_on]
        there = np.empty(len(who))
        for at in range(0, len(who), CHUNK):
            some = slice(at, at + CHUNK)
            runners = Runners.of(route, learned.habits, clean.take(who[some]))
            there[some] = _times(runners, learned, route.points[point[some]], (0.5,), seen.now)[:, 0]
        time = np.maximum(time, there)
    if not arrivals:
        return who, point, time
    who, point, time = map(np.concatenate, zip(*arrivals, strict=True))
    order = np.lexsort((who, time))
    return who[order], point[order], time[order]


def _forecast(
    route: Route, seen: Seen, learned: Learned, levels: Sequence[float]
) -> tuple[Ints, Floats, Floats]:
    """Return the next point, and the times there and at the finish."""
    runners = Runners.of(route, learned.habits, seen)
    point = route.next_points(runners.anchors.distance)
    there, finish = (
        _times(runners, learned, metres, levels, seen.now)
        for metres in (route.points[point], np.full(len(seen), route.distance))
    )
    # The finish is not before the next point, whatever their distributions are.
    return point, there, np.maximum(there, finish)


def _times(runners: Runners, learned: Learned, metres: Floats, levels: Sequence[float], now: float) -> Floats:
    """Return when each one arrives at a place (metres, shape (k,)), at the levels that are wanted, (k, q)."""
    route, anchors = runners.route, runners.anchors
    is_near = metres <= route.marks[np.minimum(anchors.mark + 1, len(route.marks) - 1)]
    stretch = np.where(is_near, np.minimum(anchors.mark, len(route.lengths) - 1), -1)
    usual = route.distance / len(route.lengths)
    lag = (metres - anchors.distance) / usual
    return runners.times(metres, learned.levels(levels, lag, stretch), now)
