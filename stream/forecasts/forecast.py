"""Forecasts for everyone on the course, with intervals as wide as this model's errors in this race."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stream.arrays import Floats, Ints, Mask
from stream.forecasts import habits as field_habits
from stream.forecasts.arrivals import Runners
from stream.forecasts.between import CANDIDATES, ODD, PATIENCE, ROUGH_COUNTS, Ended, Places, Rest, Sightings
from stream.forecasts.earlier import EARLIER, Earlier
from stream.forecasts.habits import LEARN_FROM, Habits
from stream.forecasts.pacing import Design
from stream.forecasts.route import Route, evenly
from stream.forecasts.seen import Anchors, Seen

LEVELS = (0.1, 0.5, 0.9)
"""The 80 % interval and the forecast between its ends."""
CHECKED = np.array([0.1, 0.5, 0.9])
"""Levels that are checked against what has happened."""
CHECK_COUNTS = 40
"""Number of past forecasts as much as which the opinion counts that there is before them: for the finish what
earlier races have shown, for the next mark the model's own."""
NEAR = 4_000
"""Maximum number of past forecasts of the next mark that are checked, and of forecasts of the finish."""
SIGHTED = 6_000
"""Maximum number of past forecasts made between marks that are checked."""
SHARES = np.array([1.0, 3.0, 5.0]) / 6.0
"""Shares of a stretch at which forecasts made between the marks are checked."""
CHUNK = 2_000
"""Competitors that are forecast together, to bound memory."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What a race has taught so far.

    Attributes:
        habits: how the field runs.
        far: the model's probability below which a share of `CHECKED` of the past arrivals was, for forecasts
            of the finish made at each mark, shape (m, 3): equal to `CHECKED` if the model knows how sure it
            can be.
        near: the same for forecasts of the next mark, shape (m, 3).
        between: the same for those made between the marks, for each stretch and each of `SHARES` of it, shape
            (m, 3, 3).
        sightings: positions seen so far, to learn from when their stretches are over.
    """

    habits: Habits
    far: Floats
    near: Floats
    between: Floats
    sightings: Sightings

    def levels(self, wanted: Sequence[float], mark: Ints, share: Floats) -> tuple[Floats, Floats]:
        """Return the model's levels for wanted ones: of a place up to the next mark, and of the finish.

        Shape (k, q) each.

        Args:
            wanted: rising.
            mark: the last one that each has passed, shape (k,).
            share: of the stretch behind it that each has run, shape (k,).
        """
        marks = np.arange(len(self.far))
        far = np.column_stack([np.interp(mark + share, marks, column) for column in self.far.T])
        stretch = np.minimum(mark, len(marks) - 1)
        # Between two of the shares, in the proportion of the distances from them.
        at = np.clip(np.interp(share, SHARES, np.arange(len(SHARES))), 0.0, len(SHARES) - 1.0)
        first = np.minimum(at.astype(np.int64), len(SHARES) - 2)
        part = (at - first)[:, None]
        between = (1.0 - part) * self.between[stretch, first] + part * self.between[stretch, first + 1]
        near = np.where(share[:, None] > 0.0, between, self.near[stretch])
        return _at_levels(wanted, near), _at_levels(wanted, far)


def _at_levels(wanted: Sequence[float], reached: Floats) -> Floats:
    """Return the levels between those reached at `CHECKED`, shape (k, 3), for wanted ones, shape (k, q)."""
    edges = np.column_stack([np.zeros(len(reached)), reached, np.ones(len(reached))])
    known = np.concatenate([[0.0], CHECKED, [1.0]])
    nth = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 2)
    part = (np.asarray(wanted) - known[nth]) / (known[nth + 1] - known[nth])
    levels: Floats = edges[:, nth] + part * (edges[:, nth + 1] - edges[:, nth])
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


def learn(
    route: Route, seen: Seen, sightings: Sightings | None = None, earlier: Earlier = EARLIER
) -> Learned:
    """Return what the race has taught so far.

    Args:
        route: the course.
        seen: what is known now.
        sightings: positions seen earlier: those of what was learned then, or any others of the same field.
            They show how the pace since the last mark goes on; without them, an assumption applies.
        earlier: what earlier races have shown.
    """
    gave_up = seen.is_out & np.isnan(seen.times[:, -1])
    started = ~np.isnan(seen.times[:, 1:]).all(axis=1)
    who = np.flatnonzero(started)
    who = who[evenly(len(who), LEARN_FROM)]
    some = seen.take(who).clean()
    habits = field_habits.learn(route, some)
    counted = some.take(~gave_up[who])
    sightings = (Sightings.none() if sightings is None else sightings).also(seen)
    ended = Ended.of(route, seen, sightings, SIGHTED)
    habits = replace(habits, rough=_rough(route, habits, ended))
    near, far = _near(route, habits, counted), _far(route, habits, counted, earlier)
    return Learned(habits, far, near, _between(route, habits, ended), sightings)


def _far(route: Route, habits: Habits, seen: Seen, earlier: Earlier) -> Floats:
    """Return the levels reached by forecasts of the finish, for each mark, shape (m, 3).

    Args:
        route: the course.
        habits: of the field.
        seen: what is known of it.
        earlier: what earlier races have shown, which counts until enough have finished.
    """
    marks = np.arange(len(route.lengths))
    far = earlier.levels(route.distance, route.marks[:-1] / route.distance)
    pace = (seen.times[:, 1:-1] - seen.times[:, :1]) / route.marks[1:-1]
    left = route.distance - route.marks[1:-1]
    which = np.flatnonzero(seen.times[:, 1:-1] + PATIENCE * pace * left <= seen.now)
    which = which[evenly(len(which), NEAR)]
    who, made = np.unravel_index(which, pace.shape)
    made = made + 1
    past = _past(route, habits, seen.take(who), made, len(marks) - made)
    for mark in np.unique(made).tolist():
        far[mark] = _checked(past[made == mark], far[mark])
    return far


def _near(route: Route, habits: Habits, seen: Seen) -> Floats:
    """Return the levels reached by forecasts of the next mark, for each stretch, shape (m, 3)."""
    is_over = _is_over(route, seen)
    who = np.flatnonzero(is_over.any(axis=1))
    # Stretches differ, but until they have been passed, they are as the newest arrival of each competitor.
    made = np.where(is_over[who], np.arange(is_over.shape[1]), -1).max(axis=1, initial=-1) + 1
    usual = _checked(_past(route, habits, seen.take(who), made, 1), CHECKED)
    near = np.tile(usual, (len(route.lengths), 1))
    which = np.flatnonzero(is_over)
    which = which[evenly(len(which), NEAR)]
    who, made = np.unravel_index(which, is_over.shape)
    made = made + 1
    past = _past(route, habits, seen.take(who), made, 1)
    for stretch in np.unique(made).tolist():
        near[stretch] = _checked(past[made == stretch], usual)
    return near


def _rough(route: Route, habits: Habits, ended: Ended) -> float:
    """Return the most likely share of the noise that varies within a stretch."""
    if not len(ended.mark):
        return habits.rough
    # As forecast from the last mark, both parts of a stretch differ from the expected pace.
    nowhere = np.full(len(ended.mark), np.nan)
    runners = Runners.of(route, habits, replace(ended.then, distance=nowhere, elapsed=nowhere))
    even = route.even(habits.hills, habits.extra)
    at = np.interp(ended.then.distance, route.metres, even)
    since, end = runners.places.since, runners.places.end
    began = ended.then.times[np.arange(len(at)), ended.mark]
    known = np.flatnonzero(~np.isnan(ended.arrived) & (at > since) & (end > at))
    parts = (
        (since, at, ended.then.elapsed - began),
        (at, end, ended.arrived - ended.then.elapsed),
    )
    residuals = []
    for first, last, seconds in parts:
        own = Design.of((first / even[-1])[:, None], (last / even[-1])[:, None], habits.prior.breaks)
        pace = np.log(seconds / np.maximum(last - first, 1e-3))
        residuals.append((pace - runners.pacing.paces(own)[:, 0])[known])
    level = (runners.pacing.weight * runners.pacing.ll).sum(axis=1)[known]
    since, at, end = (x[known] for x in (since, at, end))
    places = Places(since, since, at, end)
    likely = []
    for rough in CANDIDATES.tolist():
        rest = Rest.of(habits.prior, rough, places, end)
        # The level is uncertain, and the same for both parts.
        of_done, common = rest.done + level, rest.lasts * rest.done + level
        of_ahead = rest.variance + rest.lasts**2 * rest.done + level
        variance = of_ahead - common**2 / of_done
        square = (residuals[1] - common / of_done * residuals[0]) ** 2 / variance
        likely.append(-(np.minimum(square, ODD) + np.log(variance)).sum())
    found = CANDIDATES[int(np.argmax(likely))]
    return float((ROUGH_COUNTS * habits.rough + len(known) * found) / (ROUGH_COUNTS + len(known)))


def _between(route: Route, habits: Habits, ended: Ended) -> Floats:
    """Return the levels reached by forecasts of the next mark made between marks, shape (m, 3, 3)."""
    between = np.tile(CHECKED, (len(route.lengths), len(SHARES), 1))
    if not len(ended.mark):
        return between
    runners = Runners.of(route, habits, ended.then)
    found = runners.arrivals(route.marks[ended.mark + 1]).before(ended.arrived)
    past = np.where(np.isnan(ended.arrived), 1.0, found)
    part = np.digitize(runners.places.share, (SHARES[1:] + SHARES[:-1]) / 2)
    for nth in range(len(SHARES)):
        # Stretches differ, but until they have been passed, they are as usual.
        usual = between[:, nth] = _checked(past[part == nth], CHECKED)
        for stretch in np.unique(ended.mark).tolist():
            between[stretch, nth] = _checked(past[(part == nth) & (ended.mark == stretch)], usual)
    return between


def _checked(past: Floats, opinion: Floats) -> Floats:
    """Return the levels reached by past arrivals, with an opinion that counts as some of them, shape (3,)."""
    if not len(past):
        return opinion
    shares = np.arange(1, CHECK_COUNTS + 1) / (CHECK_COUNTS + 1)
    usual = np.interp(shares, [0.0, *CHECKED.tolist(), 1.0], [0.0, *opinion.tolist(), 1.0])
    # Weibull's quantiles are those that the next of a few arrivals is below with this probability.
    found: Floats = np.quantile(np.concatenate([past, usual]), CHECKED, method="weibull")
    return found


def _is_over(route: Route, seen: Seen) -> Mask:
    """Return whose arrivals at the next mark must be known by now, for each mark; the start is left out."""
    marks, times = route.marks, seen.times
    pace = (times[:, 1:-1] - times[:, :1]) / marks[1:-1]
    is_over: Mask = times[:, 1:-1] + PATIENCE * pace * route.lengths[1:] <= seen.now
    return is_over


def _past(route: Route, habits: Habits, then: Seen, nth: Ints, lag: int | Ints) -> Floats:
    """Return the probabilities of past arrivals in forecasts made `lag` stretches before, shape (k,).

    Args:
        route: the course.
        habits: of the field.
        then: the competitor of each forecast, as of now; k of them.
        nth: the mark at which each was made, shape (k,).
        lag: number of stretches, of each forecast or of all; an unknown arrival counts as later than all.
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
        before = np.full((len(runners.pacing.level), len(levels)), seen.now)
        point = route.points[route.next_points(runners.anchors.distance)]
        at_point = _times(runners, learned, point, levels, seen.now)
        for nth in order:
            is_ahead = runners.anchors.distance < metres[nth]
            place = np.where(is_ahead, metres[nth], route.distance)
            there = _times(runners, learned, place, levels, seen.now)
            # No place is reached before one on the way, whatever their distributions are.
            there = np.where((point <= place)[:, None], np.maximum(there, at_point), there)
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
    end = route.marks[np.minimum(anchors.mark + 1, len(route.marks) - 1)]
    near, far = learned.levels(levels, anchors.mark, runners.places.share)
    # What is between the next mark and the finish is between them also in how sure it is.
    part = np.clip((metres - end) / np.maximum(route.distance - end, 1.0), 0.0, 1.0)[:, None]
    return runners.times(metres, (1.0 - part) * near + part * far, now)
