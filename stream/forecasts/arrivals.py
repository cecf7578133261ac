"""When competitors arrive at a place: the distribution of the time, given how they and their field run."""

from dataclasses import dataclass

import numpy as np

from stream.arrays import Floats
from stream.forecasts.habits import Habits, Stretches
from stream.forecasts.pacing import KM, Design, Moments, Pacing, below, fit, without_outliers
from stream.forecasts.route import Route
from stream.forecasts.seen import Anchors, Seen

SLOWEST, LEAST_SLOWDOWN = 0.0, 0.4
"""Slowest pace, as the logarithm of seconds per metre, that a slowdown is taken to lead to: walking at 1 m/s.
Competitors who are as slow anyway can slow down by a half."""
PERSISTS, MOST_SURE = 100.0, 0.5
"""Metres since the last mark after which half of it counts, and the share of a difference from the expected
pace that then lasts until the next mark. Assumptions: passings say nothing about it."""
MOST_PERSISTING = 2.0
"""Maximum of that difference, in standard deviations: a pause doesn't last."""
HALVINGS = 20
"""Steps of the search for a quantile: to a millionth of the range of possible times."""
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

    def before(self, time: Floats) -> Floats:
        """Return the probability of an arrival before each one's time (race seconds), shape (k,)."""
        return self._before(np.log(np.maximum(time - self.since, 1e-6)))

    def _before(self, logarithm: Floats) -> Floats:
        found: Floats = (self.weight * below((logarithm[:, None] - self.centre) / self.spread)).sum(axis=1)
        return found

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
        lowest, highest = (
            (self.centre - 5 * self.spread).min(axis=1),
            (self.centre + 5 * self.spread).max(axis=1),
        )
        found = np.empty(levels.shape)
        for column, level in zip(found.T, levels.T, strict=True):
            low, high = lowest.copy(), highest.copy()
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                is_below = self._before(middle) < level
                low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
            column[:] = self.since + np.exp((low + high) / 2)
        return found


@dataclass(frozen=True, eq=False)
class Runners:
    """k competitors, each at the place where they were last seen.

    Attributes:
        route, habits: where and how the field runs.
        anchors: where each was last seen.
        pacing: how each runs.
        lasting: difference from the expected log pace that lasts until the next mark, shape (k,).
        sure: share of the noise up to the next mark that is known by now, shape (k,).
    """

    route: Route
    habits: Habits
    anchors: Anchors
    pacing: Pacing
    lasting: Floats
    sure: Floats

    @classmethod
    def of(cls, route: Route, habits: Habits, seen: Seen) -> "Runners":
        """Return competitors of whom something is known, cleaned."""
        prior = habits.prior
        stretches = Stretches.of(route, seen.times, habits)
        anchors = Anchors.of(seen, route)
        even = route.even(habits.hills, habits.extra)
        since, at = (np.interp(x, route.metres, even) for x in (route.marks[anchors.mark], anchors.distance))
        length = anchors.distance - route.marks[anchors.mark]
        began = seen.times[np.arange(len(length)), anchors.mark]
        is_between = (length > 0) & (anchors.time > began)
        seconds, metres = (
            np.where(is_between, anchors.time - began, 1.0),
            np.where(is_between, at - since, 1.0),
        )
        pace = np.log(seconds / metres)[:, None]
        weight = np.where(is_between, length / KM / prior.long_noise, 0.0)[:, None]
        own = Design.of((since / even[-1])[:, None], (at / even[-1])[:, None], prior.breaks)
        data = Moments.of(stretches.design, stretches.weights, stretches.paces)
        pacing = fit(data.plus(Moments.of_own(own, weight, pace)), prior)
        usual = pacing.paces(stretches.design)
        paces = without_outliers(stretches.paces, usual, prior, route.lengths)
        pace = without_outliers(pace, pacing.paces(own), prior, length[:, None])
        data = Moments.of(stretches.design, stretches.weights, paces)
        pacing = fit(data.plus(Moments.of_own(own, weight, pace)), prior)
        sure = np.where(is_between, MOST_SURE * length / (length + PERSISTS), 0.0)
        limit = MOST_PERSISTING * prior.noise
        lasting = sure * np.clip((pace - pacing.paces(own))[:, 0], -limit, limit)
        return cls(route, habits, anchors, pacing, lasting, sure)

    def overdue(self, now: float) -> Floats:
        """Return by how many seconds the medians move because the next mark's passing isn't known by now.

        Shape (k,). While positions come in, this is nearly nothing.
        """
        mark = np.minimum(self.anchors.mark + 1, len(self.route.marks) - 1)
        there = self.arrivals(self.route.marks[mark]).with_stops()
        passed = there.before(np.full(len(mark), now))
        levels = np.column_stack([np.full(len(mark), 0.5), passed + 0.5 * (1.0 - passed)])
        usual, moved = there.quantiles(np.minimum(levels, 1.0 - 1e-9)).T
        return np.where(passed > UNLIKELY, np.maximum(moved - usual, 0.0), 0.0)

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
        end = route.marks[np.minimum(anchors.mark + 1, len(route.marks) - 1)]
        left = np.maximum(metres - anchors.distance, 1e-3)
        here = np.clip(end - anchors.distance, 0.0, left)
        noise = (here / left) ** 2 * (1.0 - self.sure) * habits.prior.noise_over(here)
        noise += (1.0 - here / left) ** 2 * habits.prior.noise_over(left - here)
        climbs = np.append(0.0, np.cumsum(np.diff(route.metres) * route.cost))
        done, then = (np.interp(x, route.metres, climbs) for x in (anchors.distance, metres))
        change = (then - done) / left - done / np.maximum(anchors.distance, 1.0)
        noise += (habits.hills_spread * change) ** 2
        centre = pacing.level + np.log(run * even[-1]) + (self.lasting * here / left)[:, None]
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
