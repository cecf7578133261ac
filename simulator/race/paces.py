"""Realistic paces: their distribution, fatigue, and the cost of hills.

Sources are given next to the figures. The functions don't depend on races and fields.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from simulator.course.course import Course
from simulator.race import chance
from stream.arrays import Floats, Mask
from stream.running import (
    MEN,
    WALL_LEAST_LENGTH,
    WALL_LEAST_SLOWDOWN,
    WALL_LENGTH_MEN,
    WALL_LENGTH_WOMEN,
    WALL_SHARE_MEN,
    WALL_SHARE_WOMEN,
    WALL_SLOWDOWN_MEN,
    WALL_SLOWDOWN_WOMEN,
    WOMEN,
    cost_of_running,
)

PaceModel = Literal["uniform", "normal", "lognormal", "parkrun", "marathon"]

RIEGEL = 1.06
"""Exponent by which times grow with distance (Riegel 1981, American Scientist 69, 285-290)."""
WIDEST = 3.5
"""Maximum standard deviations from the mean: without a limit, times would beat world records."""


@dataclass(frozen=True)
class FinishTimes:
    """A lognormal distribution of finish times.

    Attributes:
        distance: metres.
        median: seconds.
        spread: standard deviation of the logarithm.
        widest: standard deviations from the mean at which the distribution is cut off.
    """

    distance: float
    median: float
    spread: float
    widest: float = WIDEST

    @classmethod
    def of_mean_and_deviation(
        cls, distance: float, mean: float, deviation: float, widest: float
    ) -> "FinishTimes":
        """Return the distribution with this mean and this standard deviation (seconds)."""
        spread = math.sqrt(math.log1p((deviation / mean) ** 2))
        # Truncation reduces the deviation, so draw from a wider distribution.
        bell = math.exp(-(widest**2) / 2) / math.sqrt(2 * math.pi)
        cut = math.sqrt(1 - 2 * widest * bell / math.erf(widest / math.sqrt(2)))
        return cls(distance, mean * math.exp(-(spread**2) / 2), spread / cut, widest)

    @classmethod
    def of_mean_and_median(cls, distance: float, mean: float, median: float) -> "FinishTimes":
        """Return the distribution with this mean and this median (seconds)."""
        return cls(distance, median, math.sqrt(2 * math.log(mean / median)))


PARKRUN_MEAN, PARKRUN_DEVIATION = 1710.5, 381.5
PARKRUN = FinishTimes.of_mean_and_deviation(5000.0, PARKRUN_MEAN, PARKRUN_DEVIATION, widest=3.0)
"""1,293 finishers of five parkruns in Leeds in June 2016, pooled: mean 28:30.5, standard deviation 6:21.5.

Woodhouse Moor 421 finishers, 27:42 ± 6:33; Roundhay 356, 28:19 ± 5:38; Temple Newsam 223, 28:30 ± 5:30; Cross
Flatts 116, 29:05 ± 6:56; Bramley 177, 30:27 ± 7:22 (Geophysics Labs, 18 June 2016). Truncated where it would
beat the fastest parkrun times.
"""
MARATHON_MEAN, MARATHON_MEDIAN = 16_344.7, 16_046.0
MARATHON = FinishTimes.of_mean_and_median(42_195.0, MARATHON_MEAN, MARATHON_MEDIAN)
"""38,883 finishers of the Chicago Marathon 2013: mean 4:32:24.7, median 4:27:26.0 (P. Chng, 4 March 2014).

A lognormal with these two matches the published percentiles within 0.6 %: 1 % 2:50:20, 5 % 3:14:11,
10 % 3:28:35, 20 % 3:46:58.
"""

ROUND = 1800.0
"""Marathon runners aim at full and half hours (Allen, Dechow, Pope and Wu 2017, Management Science 63(6),
1657-1672, n = 9,789,093): finish times accumulate just before them and are sparse just after."""
REACH = 300.0
"""Seconds after a round time within which some runners still reach it."""
REACHED_HOUR, REACHED_HALF_HOUR = 0.30, 0.15
"""Shares of those who reach it. They make 3:55 to 4:00 the fullest five minutes, as in Chicago in 2013
(P. Chng) and in New York in 2013."""


def averages(model: PaceModel, drawn: Floats, fastest: float, slowest: float, distance: float) -> Floats:
    """Return paces averaged over the course, seconds per kilometre, for numbers in [0, 1), shape (n,).

    Args:
        model: the distribution. `uniform`: even from fastest to slowest; `normal` and `lognormal`: around
            the middle of the two (for `lognormal`, the geometric one), which are three standard deviations
            away and never exceeded; `parkrun` and `marathon`: as published, ignoring fastest and slowest.
        drawn: random numbers.
        fastest: seconds per kilometre.
        slowest: seconds per kilometre.
        distance: metres.
    """
    match model:
        case "uniform":
            return fastest + (slowest - fastest) * drawn
        case "normal":
            return (fastest + slowest) / 2 + (slowest - fastest) / 6 * chance.normal(drawn, 3.0)
        case "lognormal":
            spread = math.log(slowest / fastest) / 6
            return math.sqrt(fastest * slowest) * np.exp(spread * chance.normal(drawn, 3.0))
        case "parkrun":
            return _as_published(PARKRUN, drawn) * _scale(PARKRUN, distance)
        case "marathon":
            return bunched(_as_published(MARATHON, drawn), drawn) * _scale(MARATHON, distance)


def _as_published(times: FinishTimes, drawn: Floats) -> Floats:
    return times.median * np.exp(times.spread * chance.normal(drawn, times.widest))


def _scale(times: FinishTimes, distance: float) -> float:
    """Return the factor from a time on the distribution's course to a pace on another one."""
    return float((distance / times.distance) ** RIEGEL / (distance / 1000.0))


def bunched(seconds: Floats, drawn: Floats) -> Floats:
    """Move some finish times from just after a full or half hour to just before it."""
    late = seconds % ROUND
    goal = seconds - late
    # The low bits of the random numbers are independent of the times derived from them.
    lot = (drawn * 2.0**24) % 1.0
    share = np.where(goal % 3600.0 == 0.0, REACHED_HOUR, REACHED_HALF_HOUR)
    return np.where((late < REACH) & (lot < share), goal - late, seconds)


STEEPEST_TILT = 1.5
"""Maximum slowdown from start to finish, as a share of the pace half way."""
ABILITY = 0.5
"""Correlation of split and pace: slower runners slow down more."""


def differences(paces: Floats, women: Mask, drawn: Floats) -> Floats:
    """Return each competitor's difference of the halves as a share of its time, shape (n,).

    Means and deviations are those of `MEN` and `WOMEN`, with correlation `ABILITY` to the pace.
    """
    ability, rest = chance.normal(chance.ranks(paces), WIDEST), chance.normal(drawn, WIDEST)
    score = ABILITY * ability + math.sqrt(1 - ABILITY**2) * rest
    # Rank each sex separately: women are slower on average, so a common rank would shift their mean.
    for sex in (women, ~women):
        if sex.any():
            score[sex] -= score[sex].mean()
    mean = np.where(women, WOMEN.mean, MEN.mean)
    return mean + np.where(women, WOMEN.deviation, MEN.deviation) * score


def slow_down(stretches: Floats, marks: Floats, difference: Floats) -> None:
    """Tilt times so that the second half takes longer than the first by `difference`, in place.

    Args:
        stretches: times between the marks on any scale, shape (m - 1, n).
        marks: metres, shape (m,).
        difference: share of the whole time, shape (n,).
    """
    # A stretch changes by `tilt` times the distance of its middle from half way.
    behind = (marks[1:] + marks[:-1]) / 2 / marks[-1] - 0.5
    half = np.clip((marks[1:] - marks[-1] / 2) / np.diff(marks), 0.0, 1.0)
    side = 2 * half - 1
    whole, halves = stretches.sum(axis=0), side @ stretches
    more_whole, more_halves = behind @ stretches, (side * behind) @ stretches
    room = more_halves - difference * more_whole
    # A course of a single stretch has no halves.
    apart = np.abs(room) > 1e-9 * whole
    tilt = np.divide(difference * whole - halves, room, out=np.zeros(len(room)), where=apart)
    tilt = np.clip(tilt, -STEEPEST_TILT, STEEPEST_TILT)
    for nth, place in enumerate(behind.tolist()):
        stretches[nth] *= 1.0 + tilt * place


def hit_the_wall(stretches: Floats, marks: Floats, slowdown: Floats, length: Floats) -> None:
    """Slow down the last part of the course, in place.

    Args:
        stretches: times between the marks on any scale, shape (m - 1, n).
        marks: metres, shape (m,).
        slowdown: share by which the pace is slower, shape (n,); 0 for runners who don't hit the wall.
        length: length of the last part in metres, shape (n,).
    """
    begins = marks[-1] - length
    for nth, (first, last) in enumerate(pairwise(marks.tolist())):
        stretches[nth] *= 1.0 + slowdown * np.clip((last - begins) / (last - first), 0.0, 1.0)


def wall(
    women: Mask, lots: Floats, slowdowns: Floats, lengths: Floats, distance: float
) -> tuple[Floats, Floats]:
    """Return each competitor's slowdown and length of the wall for numbers in [0, 1), shape (n,) each."""
    hit = lots < np.where(women, WALL_SHARE_WOMEN, WALL_SHARE_MEN)
    mean = np.where(women, WALL_SLOWDOWN_WOMEN, WALL_SLOWDOWN_MEN)
    slowdown = np.where(hit, WALL_LEAST_SLOWDOWN + 2 * (mean - WALL_LEAST_SLOWDOWN) * slowdowns, 0.0)
    mean = np.where(women, WALL_LENGTH_WOMEN, WALL_LENGTH_MEN)
    length = WALL_LEAST_LENGTH + 2 * (mean - WALL_LEAST_LENGTH) * lengths
    return slowdown, length * distance / MARATHON.distance


@dataclass(frozen=True, eq=False)
class Effort:
    """Maps metres of a course to metres of flat ground with the same cost; both increase, shape (k,)."""

    metres: Floats
    flat: Floats

    @classmethod
    def of(cls, course: Course) -> "Effort | None":
        """Return a course's effort; None if it has no altitude."""
        profile = course.profile()
        if profile is None:
            return None
        metres, altitudes = profile
        gradient = np.diff(altitudes) / np.diff(metres)
        lap = np.diff(metres) * cost_of_running(gradient) / cost_of_running(np.zeros(1))
        starts = np.arange(course.laps)[:, None] * course.lap_length
        everywhere = np.append((starts + metres[:-1]).ravel(), course.distance)
        return cls(everywhere, np.append(0.0, np.cumsum(np.tile(lap, course.laps))))

    def to_flat(self, metres: Floats) -> Floats:
        """Return metres of flat ground for metres of the course."""
        return np.interp(metres, self.metres, self.flat)

    def to_course(self, flat: Floats) -> Floats:
        """Return metres of the course for metres of flat ground."""
        return np.interp(flat, self.flat, self.metres)


def to_flat(ground: Effort | None, metres: Floats) -> Floats:
    """Return metres of flat ground for metres of a course; they are the same if its hills have no effect."""
    return metres if ground is None else ground.to_flat(metres)
