"""When competitors arrive at a place: the distribution of the time, given how they and their field run."""

from dataclasses import dataclass

import numpy as np

from stream.arrays import Floats, Ints, Mask
from stream.forecasts.between import Places, Rest
from stream.forecasts.habits import Habits, Stretches
from stream.forecasts.pacing import (
    KM,
    LEAST_WAY,
    Design,
    Moments,
    Pacing,
    below_with_slope,
    fit,
    without_outliers,
)
from stream.forecasts.route import Route
from stream.forecasts.seen import Anchors, Seen

SLOWEST, LEAST_SLOWDOWN = 0.0, 0.4
"""Slowest pace, as the logarithm of seconds per metre, that a slowdown is taken to lead to: walking at 1 m/s.
Competitors who are as slow anyway can slow down by a half."""
MOST_PERSISTING = 2.0
"""Maximum difference from the expected pace that lasts until the next mark, in standard deviations: a pause
doesn't last."""
STEPS, EXACT = 16, 1e-9
"""Maximum number of steps of the search for a quantile, and the change of its logarithm at which it ends."""
UNLIKELY = 0.01
"""Probability of an arrival by now from which it is overdue if it isn't known."""
STOPPED = 0.01
"""Probability of a stop before the next mark: it counts when a passing is overdue."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """The distribution of the time at one place for each of k competitors: a mixture over the cases.

    Attributes:
        since: race seconds at the anchor, shape (k,).
        weight: shape (k, K); rows sum to 1.
        centre, spread: of the logarithm of the seconds from the anchor to the place, shape (k, K).
    """

    since: Floats
    weight: Floats
    centre: Floats
    spread: Floats

    def take(self, who: Ints | Mask) -> "Arrivals":
        """Return those of some competitors."""
        return Arrivals(self.since[who], self.weight[who], self.centre[who], self.spread[who])

    def before(self, time: Floats) -> Floats:
        """Return the probability of an arrival before each one's time (race seconds), shape (k,)."""
        return self._with_density(np.log(np.maximum(time - self.since, 1e-6)))[0]

    def _with_density(self, logarithm: Floats) -> tuple[Floats, Floats]:
        """Return the probability below each logarithm, and the density there, shape (k,) each."""
        score = (logarithm[:, None] - self.centre) / self.spread
        share, slope = below_with_slope(score)
        reached: Floats = np.einsum("kc,kc->k", self.weight, share)
        return reached, np.einsum("kc,kc->k", self.weight / self.spread, slope)

    def with_stops(self) -> "Arrivals":
        """Return the same, in case of a stop of unknown length: rare, and anything between short and long."""
        usual = (self.weight * self.centre).sum(axis=1, keepdims=True)
        return Arrivals(
            self.since,
            np.hstack([(1.0 - STOPPED) * self.weight, np.full_like(usual, STOPPED)]),
            np.hstack([self.centre, usual + 1.0]),
            np.hstack([self.spread, np.ones_like(usual)]),
        )

    def quantiles(self, levels: Floats) -> Floats:
        """Return quantiles of the arrival (race seconds) for levels in (0, 1), rising; shape (k, q) each."""
        found = np.empty(levels.shape)
        for column, level in zip(found.T, levels.T, strict=True):
            column[:] = self.since + np.exp(self._quantile(level))
        return found

    def _quantile(self, level: Floats) -> Floats:
        """Return the logarithm of the seconds until one quantile, shape (k,)."""
        some, who = self, np.arange(len(level))
        low, high = (self.centre - 5 * self.spread).min(axis=1), (self.centre + 5 * self.spread).max(axis=1)
        guess: Floats = (self.weight * self.centre).sum(axis=1)
        found = guess.copy()
        # Newton's method, with halving where a step would leave what is known to contain the quantile.
        for _ in range(STEPS):
            reached, density = some._with_density(guess)
            is_below = reached < level
            low, high = np.where(is_below, guess, low), np.where(is_below, high, guess)
            step = guess + (level - reached) / np.maximum(density, 1e-12)
            step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
            is_open = np.abs(step - guess) > EXACT
            guess = found[who] = step
            if not is_open.any():
                break
            if 2 * is_open.sum() < len(is_open):
                some, who = some.take(is_open), who[is_open]
                low, high, guess, level = low[is_open], high[is_open], guess[is_open], level[is_open]
        return found


@dataclass(frozen=True, eq=False)
class Runners:
    """k competitors, each at the place where they were last seen.

    Attributes:
        route, habits: where and how the field runs.
        anchors: where each was last seen.
        pacing: how each runs.
        places: the anchors in metres of even ground.
        beside: difference from the expected log pace since the last mark, shape (k,).
        earlier: the same in the stretch before.
    """

    route: Route
    habits: Habits
    anchors: Anchors
    pacing: Pacing
    places: Places
    beside: Floats
    earlier: Floats

    @classmethod
    def of(cls, route: Route, habits: Habits, seen: Seen) -> "Runners":
        """Return competitors of whom something is known, cleaned."""
        prior = habits.prior
        stretches = Stretches.of(route, seen.times, habits)
        anchors = Anchors.of(seen, route)
        even = route.even(habits.hills, habits.extra)
        at = np.interp(anchors.distance, route.metres, even)
        rows, nth = np.arange(len(at)), np.minimum(anchors.mark, len(route.lengths) - 1)
        last = np.maximum(nth - 1, 0)
        follows = stretches.known[rows, last] & (nth > 0)
        since, end = stretches.marks[nth], stretches.marks[nth + 1]
        began = seen.times[rows, anchors.mark]
        is_between = (at - since >= LEAST_WAY) & (anchors.time > began)
        at = np.where(is_between, at, since)
        done = np.where(is_between, at - since, 1.0)
        pace = np.log(np.where(is_between, anchors.time - began, 1.0) / done)[:, None]
        places = Places(np.where(follows, stretches.marks[last], since), since, at, end)
        noise = Rest.of(prior, habits.rough, places, end).done
        # At the end of the stretch it counts as much as the stretch.
        usual = (end - since) / KM * stretches.noise[nth] / prior.noise**2
        own = Design.of((since / even[-1])[:, None], (at / even[-1])[:, None], prior.breaks)
        part = own, (usual / noise)[:, None]
        data = Moments.of(stretches.design, stretches.weights, stretches.paces)
        pacing = fit(data.plus(Moments.of_own(*part, pace)), prior)
        paces = without_outliers(stretches.paces, pacing.paces(stretches.design), stretches.noise)
        limit = np.where(is_between, noise, stretches.noise[nth])[:, None]
        pace = without_outliers(pace, pacing.paces(own), limit)
        data = Moments.of(stretches.design, stretches.weights, paces)
        pacing = fit(data.plus(Moments.of_own(*part, pace)), prior)
        limit = MOST_PERSISTING * np.sqrt(limit)
        beside = np.where(is_between[:, None], np.clip(pace - pacing.paces(own), -limit, limit), 0.0)[:, 0]
        earlier = (paces - pacing.paces(stretches.design))[rows, last]
        limit = MOST_PERSISTING * np.sqrt(stretches.noise[last])
        earlier = np.where(follows, np.clip(earlier, -limit, limit), 0.0)
        return cls(route, habits, anchors, pacing, places, beside, earlier)

    def overdue(self, now: float) -> Floats:
        """Return by how many seconds the medians move because the next mark's passing isn't known by now.

        Shape (k,). While positions come in, this is nearly nothing.
        """
        mark = np.minimum(self.anchors.mark + 1, len(self.route.marks) - 1)
        there = self.arrivals(self.route.marks[mark]).with_stops()
        passed = there.before(np.full(len(mark), now))
        late, moved = np.flatnonzero(passed > UNLIKELY), np.zeros(len(mark))
        levels = np.column_stack([np.full(len(late), 0.5), 0.5 + 0.5 * passed[late]])
        usual, then = there.take(late).quantiles(np.minimum(levels, 1.0 - 1e-9)).T
        moved[late] = np.maximum(then - usual, 0.0)
        return moved

    def times(self, metres: Floats, levels: Floats, now: float) -> Floats:
        """Return when each one arrives at a place (metres, shape (k,)), at levels of shape (k, q)."""
        found = self.arrivals(metres).quantiles(levels) + self.overdue(now)[:, None]
        return np.maximum(found, now)

    def arrivals(self, metres: Floats) -> Arrivals:
        """Return the arrivals at each one's place, metres, shape (k,), beyond the anchors."""
        route, habits, anchors, pacing = self.route, self.habits, self.anchors, self.pacing
        even = route.even(habits.hills, habits.extra)
        first, last = (np.interp(x, route.metres, even) / even[-1] for x in (anchors.distance, metres))
        run, middle, beyond = _effort(pacing, habits.prior.breaks, first[:, None], last[:, None])
        middle, beyond = middle / run, beyond / run
        variance = (
            pacing.ll
            + middle**2 * pacing.dd
            + beyond**2 * pacing.ss
            + 2 * (middle * pacing.ld + beyond * pacing.ls + middle * beyond * pacing.ds)
        )
        # The rest of the stretch between two marks, and what is beyond it.
        until = last * even[-1]
        before, since, at, end = self.places
        left = np.maximum(until - at, LEAST_WAY)
        here = np.clip(end - at, 0.0, left)
        share = here / left
        rest = Rest.of(habits.prior, habits.rough, self.places, until)
        noise = rest.variance
        # What of the pace so far is noise lasts instead of the level: their errors are opposite.
        variance *= ((1.0 - rest.lasts - rest.earlier_lasts) ** 2)[:, None]
        climbs = np.append(0.0, np.cumsum(np.diff(route.metres) * route.cost))
        done, then = (np.interp(x, route.metres, climbs) for x in (anchors.distance, metres))
        ahead = np.maximum(metres - anchors.distance, 1e-3)
        change = (then - done) / ahead - done / np.maximum(anchors.distance, 1.0)
        noise = noise + (habits.hills_spread * change) ** 2
        at_marks = np.interp(route.marks, route.metres, even)
        extra = np.append(0.0, np.cumsum((np.diff(at_marks) * habits.extra_spread) ** 2))
        then = np.interp((np.minimum(end, until), until), at_marks, extra)
        own = habits.extra_spread[np.minimum(anchors.mark, len(route.lengths) - 1)] * (1.0 - rest.lasts)
        noise += (own * share) ** 2 + (then[1] - then[0]) / left**2
        centre = pacing.level + np.log(run * even[-1])
        # What lasts is the pace, so the drift on the way from the middle of the first part does not count.
        halfway = at + here / 2
        for difference, lasts, apart in (
            (self.beside, rest.lasts, halfway - (since + at) / 2),
            (self.earlier, rest.earlier_lasts, halfway - (before + since) / 2),
        ):
            beside = difference[:, None] - pacing.drift * (apart / even[-1])[:, None]
            centre += lasts[:, None] * beside
        return Arrivals(anchors.time, pacing.weight, centre, np.sqrt(variance + noise[:, None]))


def _effort(pacing: Pacing, breaks: Floats, first: Floats, last: Floats) -> tuple[Floats, Floats, Floats]:
    """Return how long a part of the course takes at level 0, in each case, shape (k, K).

    And the same weighted with the middle of the part, and only beyond the break: the derivatives by drift
    and slowdown.
    """
    turn = np.clip(breaks, first, last)
    before, before_middle = _even_drift(pacing.drift, first, turn)
    beyond, beyond_middle = _even_drift(pacing.drift, turn, last)
    # One slow stretch with the break somewhere in it would allow for any slowdown.
    slower = np.exp(np.minimum(pacing.slowdown, np.maximum(SLOWEST - pacing.level, LEAST_SLOWDOWN)))
    run = np.maximum(before + slower * beyond, 1e-12)
    return run, before_middle + slower * beyond_middle, slower * beyond


def _even_drift(drift: Floats, first: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Return the integral of exp(drift * (u - 1/2)) from share to share, and the same times u - 1/2."""
    length, middle = last - first, (first + last) / 2 - 0.5
    # To the second order of drift * length, which is small.
    run = length * np.exp(drift * middle) * (1.0 + (drift * length) ** 2 / 24.0)
    return run, run * middle
