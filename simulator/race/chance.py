"""Random numbers as a function of the seed.

Each quantity has its own stream, derived from the seed and the quantity's number, so that adding a quantity
doesn't change the others. Streams use only the uniform doubles of PCG64, which numpy guarantees to be stable
(NEP 19). Quantities needed at arbitrary moments are hashed instead of drawn.
"""

import math
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stream.arrays import Floats, Ints, Mask

Bits = NDArray[np.uint64]


class Stream(IntEnum):
    """Numbers of the random streams. Never reuse one: old seeds would give other races."""

    PACE = 1
    VARIATION = 2
    STOPPED = 3
    PAUSE_PLACE = 4
    PAUSE_LENGTH = 5
    SEX = 6
    SPLIT = 7
    WALL = 8
    WALL_LENGTH = 9
    WALL_SLOWDOWN = 10
    START_ORDER = 11
    FIRST_NAME = 12
    LAST_NAME = 13
    AGE = 14
    CLUB = 15
    FATE = 16
    END_PLACE = 17
    END_PAUSE = 18
    VERDICT = 19
    WALKING = 20
    WALKING_FROM = 21
    ASTRAY = 22
    ASTRAY_PLACE = 23
    ASTRAY_REACH = 24
    ASTRAY_BEARING = 25
    GPS_FREQUENCY = 26
    GPS_RADIUS = 27
    GPS_PHASE = 28
    GPS_NOISE = 29
    LOST = 30
    FROZEN = 31
    LATE = 32
    DUPLICATE = 33
    SKEW = 34
    BATTERY = 35
    BATTERY_LIFE = 36
    REGULARITY = 37
    ATTENDANCE = 38
    FORM = 39
    READ_MISSED = 40
    READ_MISSED_BY_LINE = 41
    READ_COUNT = 42
    READ_PHASE = 43
    READ_STRENGTH = 44
    READ_LOSS = 45
    READ_ID = 46
    STRAY = 47
    STRAY_MAT = 48
    STRAY_TIME = 49
    STRAY_LINE = 50
    STRAY_RETURN = 51
    READER_SKEW = 52
    READER_DRIFT = 53


def uniform(seed: int, stream: Stream, shape: int | tuple[int, ...], *, skipped: int = 0) -> Floats:
    """Return uniform doubles in [0, 1) of this seed's stream, behind the `skipped` first ones."""
    # Each double takes one step.
    steps = np.random.PCG64(np.random.SeedSequence([seed, stream])).advance(skipped)
    return np.random.Generator(steps).random(shape)


def chosen(lots: Floats, share: float) -> Mask:
    """Choose a share of the competitors, rounded to a whole number, by lots in [0, 1); shape (n,)."""
    mask = np.zeros(len(lots), np.bool_)
    mask[np.argsort(lots, kind="stable")[: round(share * len(lots))]] = True
    return mask


def within(bounds: tuple[float, float], lots: Floats) -> Floats:
    """Return numbers within bounds for lots in [0, 1)."""
    first, last = bounds
    return first + (last - first) * lots


def normal(chance: Floats, widest: float) -> Floats:
    """Return normal numbers, truncated at ±`widest`, for numbers in [0, 1); exact to six decimals."""
    below, numbers = _normal_table(widest)
    return np.interp(chance, below, numbers)


def share_below(numbers: Floats, widest: float) -> Floats:
    """Return the share of truncated normal numbers below each: the inverse of `normal`."""
    below, known = _normal_table(widest)
    return np.interp(numbers, known, below)


def ranks(values: Floats) -> Floats:
    """Return the rank of each value as a share in (0, 1), shape (n,)."""
    found = np.empty(len(values))
    found[np.argsort(values, kind="stable")] = (np.arange(len(values)) + 0.5) / len(values)
    return found


def ranks_within(values: Floats, mask: Mask) -> Floats:
    """Return the rank of each value among those of the mask, or among all others, as `ranks` does."""
    found = np.empty(len(values))
    for group in (mask, ~mask):
        found[group] = ranks(values[group])
    return found


def along_with(share: Floats, drawn: Floats, correlation: float) -> Floats:
    """Return uniform numbers in [0, 1], made from `drawn`, correlated with `share`, shape (n,) each.

    `correlation` is that of the corresponding normal numbers (a Gaussian copula).
    """
    one, other = normal(share, WIDE), normal(drawn, WIDE)
    return share_below(correlation * one + math.sqrt(1.0 - correlation**2) * other, WIDE)


WIDE = 5.0
"""Standard deviations treated as infinite."""


@lru_cache(maxsize=8)
def _normal_table(widest: float) -> tuple[Floats, Floats]:
    """Table of the share below each number, for interpolating the inverse."""
    numbers = np.linspace(-widest, widest, 20_001)
    below = np.array([math.erf(number / math.sqrt(2)) for number in numbers.tolist()])
    return (below - below[0]) / (below[-1] - below[0]), numbers


def keys(seed: int, stream: Stream, count: int) -> Bits:
    """Return a key for each of `count` competitors, for `hashed`, shape (count,)."""
    return keys_of(key(seed, stream), np.arange(count))


def key(seed: int, stream: Stream) -> Bits:
    """Return what makes the keys of a seed's stream, for `keys_of`, shape (1,)."""
    return np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64).astype(np.uint64)


def keys_of(key: Bits, who: Ints) -> Bits:
    """Return the keys of some competitors, as `keys` does, shape (k,)."""
    return _mixed(who.astype(np.uint64) + key)


def hashed(keys: Bits, numbers: Ints) -> Floats:
    """Return a uniform double in [0, 1) for each key and number, shape (k,)."""
    return (hashed_bits(keys, numbers) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def hashed_bits(keys: Bits, numbers: Ints) -> Bits:
    """Return 64 bits for each key and number, shape (k,).

    The mixing function is SplitMix64's (Steele, Lea and Flood 2014), applied to the key and to the number.
    """
    return _mixed(keys + numbers.astype(np.uint64))


def _mixed(bits: Bits) -> Bits:
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits
