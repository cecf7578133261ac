"""How this field runs on this course: what is learned from the passings so far.

Before there are any, published figures apply; they count as much as some competitors (`SHARE_COUNTS` …), so
a field soon speaks for itself. Learning alternates between the competitors, given the field's habits, and
the habits, given the competitors (expectation maximisation).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from stream.arrays import Floats, Ints, Mask
from stream.forecasts.between import LEAST, ROUGH
from stream.forecasts.pacing import (
    KM,
    OUTLIER,
    Design,
    Moments,
    Pacing,
    Prior,
    fit,
    in_common,
    squared_pieces,
    without_outliers,
    without_pauses,
)
from stream.forecasts.route import Route
from stream.forecasts.seen import Seen
from stream.running import (
    MEN,
    WALL_FROM,
    WALL_LEAST_LENGTH,
    WALL_LENGTH_MEN,
    WALL_LENGTH_WOMEN,
    WALL_SHARE_MEN,
    WALL_SHARE_WOMEN,
    WALL_SLOWDOWN_MEN,
    WALL_SLOWDOWN_WOMEN,
    WOMEN,
    WOMEN_SHARE,
)

LEARN_FROM = 600
"""Maximum number of competitors from whom habits are learned: of larger fields, an even selection."""
ROUNDS = 4
"""Rounds of learning."""
DRIFT_OF_HALVES = 4.0
"""A pace that rises evenly by a share of itself makes the halves differ by a quarter of that."""
MARATHON = 42_195.0
STEADY, WALL, WALK = range(3)
"""Kinds of cases: no break, the wall, and walking or limping for other reasons."""
WALLS = np.linspace(0.5, 0.95, 19)
WALKS = np.linspace(0.05, 0.95, 19)
"""Shares of the course at which the slower part can begin."""
STEADY_SPREAD = 0.06
"""Standard deviation of the drift of those who hit the wall. That they run evenly before it is an assumption,
which the simulator shares: Smyth measured the slowdown relative to the pace before."""
RARELY = 0.05
"""Weight of a wall that begins earlier or later than in the source, relative to a usual one."""
WALL_SPREAD = 0.08
"""Standard deviation of the wall's slowdown (logarithm): it is at least 25 %, and 40 % on average."""
WALK_SHARE, WALK_SLOWDOWN, WALK_SPREAD = 0.04, 0.5, 0.3
"""Share of those who walk and what it costs them (logarithm). A 6:00 runner who walks at 1.4 m/s slows down
by 0.69 (Bohannon and Williams Andrews 2011, Physiotherapy 97, 182-189); the share is an assumption."""
NOISE, ALIGNED = 0.057, 0.9
"""Variation of a kilometre's pace, and share of it whose pieces begin at whole kilometres. Of the
fastest runners in New York, 5 km splits vary by 6.6 % (women) and 7.8 % (men), their slow-down included
(Santos-Lozano et al. 2014, Int J Sports Med 35, 933-938); this is somewhat less, without it. The share is an
assumption."""
HILLS, HILLS_SPREAD = 1.0, 0.5
"""Effect of the hills relative to what was measured on a treadmill (Minetti et al. 2002)."""
EXTRA_SPREAD, EXTRA_COUNTS = 0.01, 4.0
"""Standard deviation of what else makes a stretch slower or faster (ground, wind, crowds) before the race
shows it, and number of stretches as much as which it counts: assumptions."""
MOST_EXTRA = 0.3
"""Maximum of that."""
SHARE_COUNTS, DRIFT_COUNTS, SLOWDOWN_COUNTS = 50.0, 30.0, 20.0
"""Number of competitors as much as whom the published figures count."""
NOISE_COUNTS, ALIGNED_COUNTS = 50.0, 200.0
"""Number of stretches as much as which the published figures count."""
CANDIDATES = np.linspace(0.0, 1.0, 11)
LEAST_NOISE, MOST_SPREAD, TINY = 0.004, 0.4, 1e-9
FEW = 5.0
"""Number of competitors who have to be slow together before half of that is put down to the course."""
ENOUGH = 4
"""Stretches of a competitor from which it can be learned where pieces begin."""
PATIENCE = 1.5
"""A stretch counts once this many times its expected time is over: the slow have come then, too."""


@dataclass(frozen=True, eq=False)
class Habits:
    """How a field runs on a route.

    Attributes:
        prior: how its competitors run on even ground.
        hills, hills_spread: effect of the hills, and its uncertainty.
        extra: logarithm of the factor by which each stretch takes longer than its hills say, shape (m,).
        extra_spread: the uncertainty of that, shape (m,).
        rough: share of the noise that varies within a stretch; the rest is as even as `noise_over` says.
    """

    prior: Prior
    hills: float
    hills_spread: float
    extra: Floats
    extra_spread: Floats
    rough: float = ROUGH

    @classmethod
    def published(cls, route: Route) -> "Habits":
        """Return what is known of a field before the start."""
        kinds, breaks = _cases(route)
        mean, deviation = _pooled()
        # Lengths of the wall are spread evenly around their mean, down to the shortest.
        length = (1 - WOMEN_SHARE) * WALL_LENGTH_MEN + WOMEN_SHARE * WALL_LENGTH_WOMEN
        first, last = 1 - (2 * length - WALL_LEAST_LENGTH) / MARATHON, 1 - WALL_LEAST_LENGTH / MARATHON
        usual = (kinds == WALL) & (first <= breaks) & (last >= breaks)
        wall = (1 - WOMEN_SHARE) * WALL_SHARE_MEN + WOMEN_SHARE * WALL_SHARE_WOMEN if usual.any() else 0.0
        slowdown = (1 - WOMEN_SHARE) * WALL_SLOWDOWN_MEN + WOMEN_SHARE * WALL_SLOWDOWN_WOMEN
        # The wall can also come earlier or later than in the source.
        at_wall = np.where(kinds == WALL, np.where(usual, 1.0, RARELY), 0.0)
        share = np.select(
            [kinds == STEADY, kinds == WALL],
            [1.0 - wall - WALK_SHARE, wall * at_wall / max(at_wall.sum(), 1.0)],
            WALK_SHARE / len(WALKS),
        )
        prior = Prior(
            breaks=breaks,
            share=share,
            drift=np.where(kinds == WALL, 0.0, DRIFT_OF_HALVES * mean),
            drift_spread=np.where(kinds == WALL, STEADY_SPREAD, DRIFT_OF_HALVES * deviation),
            slowdown=np.where(kinds == WALL, np.log1p(slowdown), WALK_SLOWDOWN),
            slowdown_spread=np.where(kinds == WALL, WALL_SPREAD, WALK_SPREAD),
            noise=NOISE,
            aligned=ALIGNED,
        )
        stretches = len(route.lengths)
        return cls(prior, HILLS, HILLS_SPREAD, np.zeros(stretches), np.full(stretches, EXTRA_SPREAD))


def _cases(route: Route) -> tuple[Ints, Floats]:
    """Return the kinds of the cases and their breaks, shape (K,) each; short courses have no wall."""
    parts = [(STEADY, np.ones(1)), (WALK, WALKS)]
    if route.distance >= WALL_FROM:
        parts.append((WALL, WALLS))
    kinds = np.concatenate([np.full(len(breaks), kind) for kind, breaks in parts])
    return kinds, np.concatenate([breaks for _, breaks in parts])


def _pooled() -> tuple[float, float]:
    """Return mean and standard deviation of the difference of the halves over men and women."""
    mean = (1 - WOMEN_SHARE) * MEN.mean + WOMEN_SHARE * WOMEN.mean
    square = (1 - WOMEN_SHARE) * (MEN.deviation**2 + MEN.mean**2)
    square += WOMEN_SHARE * (WOMEN.deviation**2 + WOMEN.mean**2)
    return mean, float(np.sqrt(square - mean**2))


@dataclass(frozen=True, eq=False)
class Stretches:
    """The stretches of n competitors between marks.

    Attributes:
        marks: metres of even ground to each mark, shape (m + 1,).
        known: whether both ends are known, shape (n, m).
        paces: logarithm of the seconds per metre of even ground, shape (n, m); 0 where unknown.
        design: the stretches as shares of the even course.
        noise: variance of the mean log pace of each stretch, shape (m,).
        weights: inverse variances in a sum over stretches, 0 where unknown, shape (n, m).
    """

    marks: Floats
    known: Mask
    paces: Floats
    design: Design
    noise: Floats
    weights: Floats

    @classmethod
    def of(cls, route: Route, times: Floats, habits: Habits, *, with_pauses: bool = False) -> "Stretches":
        """Return the stretches of competitors whose times at the marks have the shape (n, m + 1)."""
        even = route.even_at_marks(habits.hills, habits.extra)
        taken = np.diff(times, axis=1)
        known = ~np.isnan(taken)
        lengths = np.diff(even)
        paces = np.where(known, np.log(np.where(known, taken, 1.0) / lengths), 0.0)
        noise = habits.prior.noise_over(even[:-1], even[1:])
        if not with_pauses:
            paces = without_pauses(paces, known, OUTLIER * np.sqrt(noise))
        share = even / even[-1]
        design = Design.of(share[:-1], share[1:], habits.prior.breaks)
        return cls(even, known, paces, design, noise, known * (lengths / KM / habits.prior.noise**2))


def learn(route: Route, seen: Seen) -> Habits:
    """Return the habits of a field, from cleaned knowledge of it."""
    some = seen.take(np.flatnonzero((~np.isnan(seen.times)).sum(axis=1) > 2))
    if not len(some):
        return Habits.published(route)
    habits = _at_first_sight(route, some)
    for _ in range(ROUNDS):
        habits = _learned(route, some, habits)
    return habits


def _at_first_sight(route: Route, seen: Seen) -> Habits:
    """Return the published habits, with hills and slow stretches as all competitors together show them.

    The rounds begin here. Otherwise what slows down everyone would look like a pause of each.
    """
    published = Habits.published(route)
    stretches = Stretches.of(route, seen.times, published, with_pauses=True)
    weights = stretches.weights
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    own = (weights * stretches.paces).sum(axis=1, keepdims=True) / total
    hills, spread, rest = _hills(route, published, np.where(weights > 0, stretches.paces - own, 0.0), weights)
    counted = weights * _is_settled(route, seen)
    number = (counted > 0).sum(axis=0)
    middle = np.zeros(len(number))
    for nth in np.flatnonzero(number).tolist():
        middle[nth] = np.median(rest[counted[:, nth] > 0, nth])
    known = number[None] > 0
    limit = np.full(len(number), 2 * OUTLIER * EXTRA_SPREAD)
    slower = middle - without_pauses(middle[None], known, limit)[0]
    faster = middle + without_pauses(-middle[None], known, limit)[0]
    extra = np.clip((slower + faster) * number / (number + FEW), -MOST_EXTRA, MOST_EXTRA)
    return Habits(published.prior, hills, spread, extra, published.extra_spread)


def _learned(route: Route, seen: Seen, habits: Habits) -> Habits:
    prior = habits.prior
    stretches = Stretches.of(route, seen.times, habits)
    known, design, weights = stretches.known, stretches.design, stretches.weights
    pacing = fit(Moments.of(design, weights, stretches.paces), prior)
    paces = without_outliers(stretches.paces, pacing.paces(design), stretches.noise)
    data = Moments.of(design, weights, paces)
    pacing = fit(data, prior)
    residuals = np.where(known, paces - pacing.paces(design), 0.0)
    # Those who are ahead were lucky in all stretches so far, so the slow ones needn't have come.
    hills, spread, residuals = _hills(route, habits, residuals, weights)
    counted = weights * _is_settled(route, seen)
    extra, sure = habits.extra, counted.sum(axis=0)
    usual = _usual_extra(habits, sure > 0)
    step = ((counted * residuals).sum(axis=0) - extra / usual**2) / (sure + usual**-2)
    extra = _without_trend(np.clip(extra + step, -MOST_EXTRA, MOST_EXTRA), design.middle, sure)
    found = replace(
        _prior(route, prior, pacing),
        noise=_noise(prior, stretches, float(pacing.squares(data).sum())),
        aligned=_aligned(stretches, residuals),
    )
    return Habits(found, hills, spread, extra, (sure + usual**-2) ** -0.5)


def _usual_extra(habits: Habits, known: Mask) -> float:
    """Return the standard deviation of the stretches' own factors, from those that are known."""
    squares = habits.extra[known] ** 2 + habits.extra_spread[known] ** 2
    total = EXTRA_COUNTS * EXTRA_SPREAD**2 + float(squares.sum())
    return float((total / (EXTRA_COUNTS + len(squares))) ** 0.5)


def _without_trend(extra: Floats, middle: Floats, sure: Floats) -> Floats:
    """Return the stretches' own factors without an even trend along the course: that is the field's drift."""
    terms = np.column_stack([np.ones(len(middle)), middle])
    # Single slow stretches are no trend.
    small = np.clip(extra, -4 * EXTRA_SPREAD, 4 * EXTRA_SPREAD)
    known = (terms * sure[:, None]).T
    trend = np.linalg.lstsq(known @ terms, known @ small)[0]
    return np.where(sure > 0, extra - terms @ trend, 0.0)


def _is_settled(route: Route, seen: Seen) -> Mask:
    """Return which stretches have been over for so long that also the slow have come, shape (n, m)."""
    entered = seen.times[:, :-1]
    pace = (entered - seen.times[:, :1]) / np.maximum(route.marks[:-1], 1.0)
    settled: Mask = entered + PATIENCE * pace * route.lengths <= seen.now
    return settled


def _hills(route: Route, habits: Habits, residuals: Floats, weights: Floats) -> tuple[float, float, Floats]:
    """Return the hills' effect and its uncertainty, and the residuals without the change."""
    # Everyone's own mean gradient is part of the level.
    total = np.maximum(weights.sum(axis=1), 1e-9)
    climbs = (route.climbs - (weights @ route.climbs / total)[:, None]) * (weights > 0)
    sure = float((weights * climbs**2).sum()) + HILLS_SPREAD**-2
    pull = float((weights * climbs * residuals).sum()) + (HILLS - habits.hills) * HILLS_SPREAD**-2
    return habits.hills + pull / sure, sure**-0.5, residuals - pull / sure * climbs


def _prior(route: Route, before: Prior, pacing: Pacing) -> Prior:
    """Return the field's prior but for its noise, given the fit of its competitors."""
    published = Habits.published(route).prior
    weight, (kinds, _) = pacing.weight, _cases(route)
    drift, drift_spread = published.drift.copy(), published.drift_spread.copy()
    slowdown, slowdown_spread = published.slowdown.copy(), published.slowdown_spread.copy()
    # Those who walk have run like the others before.
    for kind in (kinds != WALL, kinds == WALL):
        if kind.any():
            data = weight[:, kind], pacing.drift[:, kind], pacing.dd[:, kind]
            found = _normal(*data, drift[kind][0], drift_spread[kind][0], DRIFT_COUNTS)
            drift[kind], drift_spread[kind] = found[0], min(found[1], MOST_SPREAD)
    for kind in (kinds == WALK, kinds == WALL):
        if kind.any():
            data = weight[:, kind], pacing.slowdown[:, kind], pacing.ss[:, kind]
            found = _normal(*data, slowdown[kind][0], slowdown_spread[kind][0], SLOWDOWN_COUNTS)
            slowdown[kind], slowdown_spread[kind] = found[0], min(found[1], MOST_SPREAD)
    return replace(
        before,
        share=(SHARE_COUNTS * published.share + weight.sum(axis=0)) / (SHARE_COUNTS + len(weight)),
        drift=drift,
        drift_spread=drift_spread,
        slowdown=slowdown,
        slowdown_spread=slowdown_spread,
    )


def _noise(before: Prior, stretches: Stretches, squares: float) -> float:
    """Return the standard deviation of a piece's pace, from the weighted sum of the squared residuals."""
    # A piece varies more than a stretch with parts of several.
    counts = NOISE_COUNTS + float((stretches.weights * stretches.noise).sum())
    found = (NOISE_COUNTS * NOISE**2 + squares * before.noise**2) / counts
    return max(LEAST_NOISE, float(found**0.5))


def _normal(  # noqa: PLR0913, PLR0917 - data and prior
    weight: Floats, mean: Floats, variance: Floats, centre: float, spread: float, counts: float
) -> tuple[float, float]:
    """Return mean and deviation of uncertain numbers, with a prior that counts as some of them."""
    total = counts + float(weight.sum())
    middle = (counts * centre + float((weight * mean).sum())) / total
    square = counts * spread**2 + float((weight * ((mean - middle) ** 2 + variance)).sum())
    return middle, float((square / total) ** 0.5)


def _aligned(stretches: Stretches, residuals: Floats) -> float:
    """Return the most likely share of the noise whose pieces begin at whole kilometres.

    It shows in how much stretches vary relative to each other, and in what neighbours have in common.
    """
    some = stretches.known.sum(axis=1) >= ENOUGH
    known, residuals = stretches.known[some], residuals[some]
    both = known[:, 1:] & known[:, :-1]
    pairs = both.sum(axis=0)
    if not pairs.any():
        return ALIGNED
    first, last = residuals[:, :-1] * both, residuals[:, 1:] * both
    squares = (first**2).sum(axis=0), (last**2).sum(axis=0)
    # Residuals of a fit with two numbers are correlated by about minus one over the number of stretches.
    bias = float((1.0 / known.sum(axis=1)).mean())
    product = (first * last).sum(axis=0) + bias * np.sqrt(squares[0] * squares[1])
    likely = [_likelihood(stretches.marks, share, pairs, squares, product) for share in CANDIDATES.tolist()]
    found = float(CANDIDATES[int(np.argmax(likely))])
    count = float(pairs.sum())
    return (ALIGNED_COUNTS * ALIGNED + count * found) / (ALIGNED_COUNTS + count)


def _likelihood(
    marks: Floats, aligned: float, pairs: Ints, squares: tuple[Floats, Floats], product: Floats
) -> float:
    """Return the logarithm of the likelihood of neighbouring stretches' noise, with the best scale.

    Args:
        marks: metres of even ground, shape (m + 1,).
        aligned: share of the noise whose pieces begin at whole kilometres.
        pairs: number of competitors in both neighbours, shape (m - 1,).
        squares: sums over them of the squares in the first and the second neighbour, shape (m - 1,) each.
        product: sum over them of the product of both, shape (m - 1,).
    """
    lengths = np.diff(marks) / KM
    one, both = squared_pieces(marks[:-1], marks[1:], aligned), squared_pieces(marks[:-2], marks[2:], aligned)
    common = in_common(both, one[:-1], one[1:]) / lengths[:-1] / lengths[1:]
    # Neighbours can be parts of the same piece.
    of_stretch = (1.0 + LEAST) * one / lengths**2
    first, second = of_stretch[:-1], of_stretch[1:]
    determinant = first * second - common**2
    square = (second * squares[0] + first * squares[1] - 2.0 * common * product) / determinant
    count, scale = float(pairs.sum()), max(float(square.sum()), TINY)
    return -count * math.log(scale / count) - float((pairs * np.log(determinant)).sum()) / 2.0
