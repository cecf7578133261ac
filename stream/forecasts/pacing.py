"""How each competitor runs: a Bayesian regression of the paces so far, vectorised over the field.

On even ground, the logarithm of a competitor's seconds per metre at the share u of the course is

    level + drift * (u - 1/2) + slowdown, the last only beyond the break

and noise. Whether and where there is a break is unknown: each of a few places along the course is a case with
its own regression, and the data decide how much each counts. With the break fixed, the regression is linear
and its posterior is normal, so three numbers, their covariance and a weight describe each case exactly.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream.arrays import Floats, Mask

KM = 1000.0
LEAST_WAY = 1e-3
"""Metres of the shortest way over which a mean is taken."""
OUTLIER = 3.5
"""Standard deviations beyond which a stretch counts as a pause or a detour: the excess is ignored."""
LEVEL, LEVEL_SPREAD = float(np.log(0.36)), 0.4
"""Seconds per metre (logarithm) of a competitor of whom nothing is known: 6:00 per km, and wide.

parkruns have a mean of 28:30 for 5 km, Chicago 4:32 for the marathon (sources in `simulator.race.paces`).
"""


@dataclass(frozen=True, eq=False)
class Prior:
    """How a field runs; arrays over the K cases, shape (K,).

    Attributes:
        breaks: share of the course at which the slower part begins; 1 if there is none.
        share: of competitors in each case.
        drift, drift_spread: mean and standard deviation.
        slowdown, slowdown_spread: mean and standard deviation of the logarithm of the factor.
        noise: standard deviation of the logarithm of a piece's pace (`noise_over`).
        aligned: share of the noise whose pieces begin at whole kilometres; the others begin anywhere.
    """

    breaks: Floats
    share: Floats
    drift: Floats
    drift_spread: Floats
    slowdown: Floats
    slowdown_spread: Floats
    noise: float
    aligned: float

    def noise_over(self, first: Floats, last: Floats) -> Floats:
        """Return the variance of the mean log pace between two places, in metres of even ground.

        Pace varies in pieces of a kilometre. A stretch that contains parts of several pieces varies less than
        one of them, and has the part of a piece in common with its neighbour.
        """
        variance: Floats = self.sum_over(first, last) / np.maximum(last - first, LEAST_WAY) ** 2
        return variance

    def sum_over(self, first: Floats, last: Floats) -> Floats:
        """Return the variance of the log pace summed over the metres between two places."""
        return (KM * self.noise) ** 2 * squared_pieces(first, last, self.aligned)


def squared_pieces(first: Floats, last: Floats, aligned: float) -> Floats:
    """Return the sum of the squares of what a way has of each piece of a kilometre, square kilometres.

    It is the variance of the sum over the way of what varies in such pieces, in variances of a piece.

    Args:
        first: where the way begins, metres, any shape.
        last: where it ends, the same shape.
        aligned: share of the variance whose pieces begin at whole kilometres. The others begin anywhere.
    """
    since, until = first / KM, last / KM
    length = until - since
    begin, end = np.ceil(since), np.floor(until)
    on_grid = (begin - since) ** 2 + (end - begin) + (until - end) ** 2
    on_grid = np.where(begin > end, length**2, on_grid)
    # The mean over all places where pieces can begin.
    anywhere = np.where(length < 1.0, length**2 - length**3 / 3.0, length - 1.0 / 3.0)
    found: Floats = aligned * on_grid + (1.0 - aligned) * anywhere
    return found


def in_common(both: Floats, first: Floats, second: Floats) -> Floats:
    """Return the covariance of two sums, given the variances of both together and of each."""
    return (both - first - second) / 2.0


class Design(NamedTuple):
    """Stretches as shares of the even course: middles from half way, and shares beyond each break.

    Shapes (m,) and (m, K), the same for everyone; or (n, 1) and (n, 1, K), each one's own stretch.
    """

    middle: Floats
    after: Floats

    @classmethod
    def of(cls, first: Floats, last: Floats, breaks: Floats) -> "Design":
        """Return the design of stretches from share to share, any shape."""
        length = np.maximum(last - first, 1e-12)[..., None]
        after = np.clip((last[..., None] - breaks) / length, 0.0, 1.0)
        return cls((first + last) / 2 - 0.5, after)


class Moments(NamedTuple):
    """Weighted sums over the stretches: what the regression has to know of the data.

    `ww` … `aa` are the products of the terms (1, middle, after), `wz` … those with the paces; `zz` the
    squares. Shapes (n, 1) or (n, K).
    """

    ww: Floats
    wm: Floats
    wa: Floats
    mm: Floats
    ma: Floats
    aa: Floats
    wz: Floats
    mz: Floats
    az: Floats
    zz: Floats

    @classmethod
    def of(cls, design: Design, weights: Floats, paces: Floats) -> "Moments":
        """Return the moments of stretches, weights and log paces of shape (n, m) each."""
        middle, after = design
        weighted = weights * paces
        return cls(
            weights.sum(axis=1, keepdims=True),
            (weights @ middle)[:, None],
            weights @ after,
            (weights @ middle**2)[:, None],
            weights @ (middle[:, None] * after),
            weights @ after**2,
            weighted.sum(axis=1, keepdims=True),
            (weighted @ middle)[:, None],
            weighted @ after,
            (weighted * paces).sum(axis=1, keepdims=True),
        )

    @classmethod
    def of_own(cls, design: Design, weight: Floats, pace: Floats) -> "Moments":
        """Return the moments of one stretch of each competitor's own, weight and log pace of shape (n, 1)."""
        middle, after = design.middle, design.after[:, 0]
        return cls(
            weight,
            weight * middle,
            weight * after,
            weight * middle**2,
            weight * middle * after,
            weight * after**2,
            weight * pace,
            weight * middle * pace,
            weight * after * pace,
            weight * pace**2,
        )

    def plus(self, other: "Moments") -> "Moments":
        """Return the moments of both data."""
        return Moments._make(one + another for one, another in zip(self, other, strict=True))


@dataclass(frozen=True, eq=False)
class Pacing:
    """The posterior of n competitors: level, drift and slowdown for each case; arrays of shape (n, K).

    Attributes:
        weight: probability of each case, given the paces; rows sum to 1.
        level, drift, slowdown: means.
        ll, ld, ls, dd, ds, ss: their covariances, by initial.
    """

    weight: Floats
    level: Floats
    drift: Floats
    slowdown: Floats
    ll: Floats
    ld: Floats
    ls: Floats
    dd: Floats
    ds: Floats
    ss: Floats

    def paces(self, design: Design) -> Floats:
        """Return the expected log paces of stretches, shape (n, m)."""
        level, drift = (self.weight * self.level).sum(axis=1), (self.weight * self.drift).sum(axis=1)
        beyond = (self.weight * self.slowdown)[:, None] @ np.swapaxes(design.after, -1, -2)
        found: Floats = level[:, None] + drift[:, None] * design.middle + beyond[:, 0]
        return found

    def squares(self, data: Moments) -> Floats:
        """Return the expected weighted sum of the squared residuals of some data, shape (n,)."""
        level, drift, slowdown = self.level, self.drift, self.slowdown
        linear = level * data.wz + drift * data.mz + slowdown * data.az
        square = (
            data.ww * (level**2 + self.ll)
            + data.mm * (drift**2 + self.dd)
            + data.aa * (slowdown**2 + self.ss)
            + 2 * data.wm * (level * drift + self.ld)
            + 2 * data.wa * (level * slowdown + self.ls)
            + 2 * data.ma * (drift * slowdown + self.ds)
        )
        found: Floats = (self.weight * (data.zz - 2 * linear + square)).sum(axis=1)
        return found


def fit(data: Moments, prior: Prior) -> Pacing:
    """Return the posterior, given moments whose weights are inverse variances."""
    for_level, for_drift, for_slowdown = (
        LEVEL_SPREAD**-2,
        prior.drift_spread**-2,
        prior.slowdown_spread**-2,
    )
    p, q, r = data.ww + for_level, data.mm + for_drift, data.aa + for_slowdown
    x, y, z = data.wm, data.wa, data.ma
    # The inverse of the symmetric matrix [[p, x, y], [x, q, z], [y, z, r]], by cofactors.
    ll, ld, ls = q * r - z * z, y * z - x * r, x * z - y * q
    dd, ds, ss = p * r - y * y, x * y - p * z, p * q - x * x
    determinant = p * ll + x * ld + y * ls
    ll, ld, ls, dd, ds, ss = (cofactor / determinant for cofactor in (ll, ld, ls, dd, ds, ss))
    of_level = data.wz + for_level * LEVEL
    of_drift = data.mz + for_drift * prior.drift
    of_slowdown = data.az + for_slowdown * prior.slowdown
    level = ll * of_level + ld * of_drift + ls * of_slowdown
    drift = ld * of_level + dd * of_drift + ds * of_slowdown
    slowdown = ls * of_level + ds * of_drift + ss * of_slowdown
    evidence = (level * of_level + drift * of_drift + slowdown * of_slowdown) / 2
    evidence -= (for_drift * prior.drift**2 + for_slowdown * prior.slowdown**2) / 2
    evidence -= np.log(determinant / (for_drift * for_slowdown)) / 2
    evidence += np.log(prior.share)
    weight = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return Pacing(weight, level, drift, slowdown, ll, ld, ls, dd, ds, ss)


def without_outliers(paces: Floats, expected: Floats, variance: Floats) -> Floats:
    """Return log paces with the excess of single stretches removed, shape (n, m)."""
    limit = OUTLIER * np.sqrt(variance)
    return expected + np.clip(paces - expected, -limit, limit)


def without_pauses(paces: Floats, known: Mask, limit: Floats) -> Floats:
    """Return log paces without those of single stretches that are slower than the ones before and after.

    They are pauses or detours. The last known stretch stays: the competitor may go on so slowly.

    Args:
        paces: shape (n, m).
        known: which are known, shape (n, m).
        limit: difference from the slower neighbour from which it counts, shape (m,).
    """
    beyond = np.full((len(paces), 1), -np.inf)
    masked = np.where(known, paces, -np.inf)
    before, after = np.hstack([beyond, masked[:, :-1]]), np.hstack([masked[:, 1:], beyond])
    usual = np.maximum(before, after)
    is_pause = known & np.isfinite(after) & (paces > usual + limit)
    return np.where(is_pause, usual, paces)


def below(score: Floats) -> Floats:
    """Return the normal distribution function, exact to 2e-4: numpy has none.

    Bowling, Khasawneh, Kaewkuekool and Cho 2009, J Industrial Engineering and Management 2(1), 114-127.
    """
    return below_with_slope(score)[0]


def below_with_slope(score: Floats) -> tuple[Floats, Floats]:
    """Return the same, and its derivative."""
    score = np.clip(score, -6.0, 6.0)
    square = score * score
    share = 1.0 / (1.0 + np.exp(-score * (1.5976 + 0.07056 * square)))
    return share, share * (1.0 - share) * (1.5976 + 0.21168 * square)
