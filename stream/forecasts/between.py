"""Between two marks: what the pace since the last one says about the rest of the stretch.

Passings cannot show it. Positions can: those that were seen in a stretch that is over by now.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream.arrays import Floats, Ints
from stream.forecasts.pacing import LEAST_WAY, Prior, in_common
from stream.forecasts.route import Route, evenly
from stream.forecasts.seen import Seen

ROUGH = 0.3
"""Share of the variation within a stretch, before positions show it: an assumption."""
ROUGH_COUNTS = 40.0
"""Number of sightings as much as which it counts."""
CANDIDATES = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
LEAST = 0.01
"""Share of a variance that is always unexplained: nothing is as even as that."""
ODD = 9.0
"""Maximum of a squared residual, in variances: pauses don't count as variation."""
EVERY = 30.0
"""Minimum race seconds between sightings of a competitor."""
FEWER = 600
"""Number of competitors whose positions are remembered: of larger fields, an even selection."""
MOST_SIGHTINGS = 20_000
ROUNDING = 1e-5
"""Tolerance in ticks."""
MOST_TICKS = 20
"""Maximum number of earlier ticks whose positions are remembered, of a race whose past is known."""
PATIENCE = 1.35
"""A stretch is over once this many times the rest's time at constant pace has passed, arrived or not."""


def remembered(now: float, interval: float) -> list[int]:
    """Return the ticks whose positions are remembered at a moment, the oldest first; at most `MOST_TICKS`.

    They are always the same ones: when there are too many, every second one is left out.

    Args:
        now: race seconds.
        interval: race seconds between two ticks.
    """
    every = max(1, math.ceil(EVERY / interval))
    last = math.floor(now / interval - ROUNDING)
    while last // every > MOST_TICKS:
        every *= 2
    return list(range(every, last + 1, every))


def chosen(competitors: int) -> int:
    """Return the number of which bibs are a multiple whose positions are remembered: 1, or a prime.

    Bibs often go up in steps of 2, 5 or 10, and none of these leaves the choice empty.
    """
    step = -(-competitors // FEWER)
    while any(step % factor == 0 for factor in range(2, math.isqrt(step) + 1)):
        step += 1
    return max(step, 1)


@dataclass(frozen=True, eq=False)
class Sightings:
    """Positions that were seen earlier; arrays of shape (s,), the newest last.

    Attributes:
        who: indices of the competitors. The field has to keep its order.
        distance: metres.
        elapsed: race seconds of the position.
        until: race seconds of the newest; -inf without any.
    """

    who: Ints
    distance: Floats
    elapsed: Floats
    until: float

    @classmethod
    def none(cls) -> "Sightings":
        """Return no sightings."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0), -np.inf)

    def and_those(self, who: Ints, distance: Floats, elapsed: Floats) -> "Sightings":
        """Return these and the positions of an earlier tick, shape (k,) each, which is the newest so far."""
        some = (distance > 0.0) & np.isfinite(elapsed)
        until = max(self.until, float(elapsed[some].max(initial=-np.inf)))
        return self._with(who[some], distance[some], elapsed[some], until)

    def also(self, seen: Seen) -> "Sightings":
        """Return these and the newest positions, unless the last ones were seen only just now."""
        if seen.now < self.until + EVERY:
            return self
        step = -(-max(len(seen), 1) // FEWER)
        who = np.arange(0, len(seen), step)
        who = who[~seen.is_out[who] & (seen.distance[who] > 0.0) & (seen.elapsed[who] <= seen.now)]
        return self._with(who, seen.distance[who], seen.elapsed[who], seen.now)

    def _with(self, who: Ints, distance: Floats, elapsed: Floats, until: float) -> "Sightings":
        """Return the newest of these and of others, which are newer."""
        return Sightings(
            np.concatenate([self.who, who])[-MOST_SIGHTINGS:],
            np.concatenate([self.distance, distance])[-MOST_SIGHTINGS:],
            np.concatenate([self.elapsed, elapsed])[-MOST_SIGHTINGS:],
            until,
        )


@dataclass(frozen=True, eq=False)
class Ended:
    """Sightings in stretches that are over by now.

    Attributes:
        then: each competitor as known at the sighting, k of them.
        mark: the mark before it, shape (k,).
        arrived: at the next mark; NaN if that took too long, shape (k,).
    """

    then: Seen
    mark: Ints
    arrived: Floats

    @classmethod
    def of(cls, route: Route, seen: Seen, sightings: Sightings, most: int) -> "Ended":
        """Return what has become of sightings, of an even selection of at most so many."""
        clean = seen.take(sightings.who).clean()
        rows, marks = np.arange(len(clean)), route.marks
        distance, elapsed = sightings.distance, sightings.elapsed
        mark = np.clip(np.searchsorted(marks, distance, side="right") - 1, 0, len(marks) - 2)
        entered, arrived = clean.times[rows, mark], clean.times[rows, mark + 1]
        pace = (elapsed - clean.times[:, 0]) / np.maximum(distance, 1.0)
        is_over = elapsed + PATIENCE * pace * (marks[mark + 1] - distance) <= seen.now
        gave_up = clean.is_out & np.isnan(clean.times[:, -1])
        counts = is_over & ~gave_up & (mark > 0) & (distance > marks[mark]) & (entered < elapsed)
        which = np.flatnonzero(counts & ~(arrived <= elapsed))
        which = which[evenly(len(which), most)]
        some, mark = clean.take(which), mark[which]
        known = np.where(np.arange(len(marks)) <= mark[:, None], some.times, np.nan)
        then = Seen(seen.now, some.guns, known, distance[which], elapsed[which], some.is_out)
        return cls(then, mark, arrived[which])


class Places(NamedTuple):
    """Where each of k competitors is, in metres of even ground; shape (k,) each.

    Attributes:
        before: the mark before the last one, where its passing is known; otherwise the last one, as `since`.
        since: the last mark.
        at: the place; at the mark or beyond.
        end: the next mark.
    """

    before: Floats
    since: Floats
    at: Floats
    end: Floats

    @property
    def share(self) -> Floats:
        """Share of the stretch that is done."""
        share: Floats = (self.at - self.since) / (self.end - self.since)
        return share


@dataclass(frozen=True, eq=False)
class Rest:
    """The noise on the way ahead, given that of the way to the last mark and since; shape (k,) each.

    Attributes:
        done: variance of the mean log pace since the last mark; infinite at the mark.
        lasts: share of its difference from the expected pace that lasts.
        earlier_lasts: share of the difference in the stretch before that lasts.
        variance: what remains unknown.
    """

    done: Floats
    lasts: Floats
    earlier_lasts: Floats
    variance: Floats

    @classmethod
    def of(cls, prior: Prior, rough: float | Floats, places: Places, until: Floats) -> "Rest":
        """Return it for the way until a place, in metres of even ground.

        Args:
            prior: how the field runs.
            rough: share of the noise that varies within a stretch.
            places: where the competitors are.
            until: where the way ends.
        """
        before, since, at, end = places
        stretch = prior.noise_over(since, end)

        def square(first: Floats, last: Floats) -> Floats:
            """Return the variance of the sum over the metres between two places."""
            even = (1.0 - rough) * prior.sum_over(first, last)
            found: Floats = even + rough * stretch * (end - since) * (last - first)
            return found

        then = at + np.maximum(until - at, LEAST_WAY)
        ahead, done, earlier = square(at, then), square(since, at), square(before, since)
        from_mark = square(since, then)
        near = in_common(from_mark, done, ahead)
        both = in_common(square(before, at), earlier, done)
        # The stretch before has in common with the way ahead what it hasn't with the part in between.
        far = in_common(square(before, then), earlier, from_mark) - both
        # From sums to means. A part of no length has nothing in common with the others.
        metres, run, run_before = (
            np.where(way > 0.0, way, 1.0) for way in (then - at, at - since, since - before)
        )
        of_done = np.where(at > since, done / run**2, 1.0)
        of_earlier = np.where(since > before, earlier / run_before**2, 1.0)
        near, both, far = (
            np.maximum(sums, 0.0) / one / other
            for sums, one, other in ((near, run, metres), (both, run, run_before), (far, run_before, metres))
        )
        # The regression of what is ahead on both, which could be parts of the same piece.
        first, second = (1.0 + LEAST) * of_done, (1.0 + LEAST) * of_earlier
        determinant = first * second - both**2
        lasts, earlier_lasts = (
            (near * second - far * both) / determinant,
            (far * first - near * both) / determinant,
        )
        variance = ahead / metres**2 - lasts * near - earlier_lasts * far
        of_done = np.where(at > since, of_done, np.inf)
        return cls(of_done, lasts, earlier_lasts, np.maximum(variance, LEAST * stretch))
