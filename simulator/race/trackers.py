"""Tracker faults: wrong, missing, frozen, duplicated and late positions.

No state is kept: a tracker's behaviour is a function of the seed, the competitor and the moment, so that a
race can continue from anywhere. Only the reported place is wrong; `distance`, `elapsed`, `rawTime` and
`eventId` are the truth. So are passings: faults of timing mats are only in their raw reads (`reads.py`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.race import chance
from simulator.race.chance import Bits, Stream, chosen, hashed, hashed_bits, uniform, within
from simulator.race.request import RaceRequest
from stream.arrays import Floats, Ints, Mask

WAVES = 8
"""Number of waves that make up a tracker's drifting error."""
LONGEST_SLOT = 1e9
"""Maximum length of a slot, seconds: thirty years, so that tiny shares give no infinite numbers."""
BATTERY_ENDS = (0.1, 0.95)
"""Range of a race's time, as shares, in which batteries die."""


@dataclass(frozen=True, eq=False)
class Episodes:
    """A recurring fault: one episode per slot of time, at a phase of its own.

    Attributes:
        length: seconds of an episode.
        slot: seconds of a slot: the length divided by the share.
        keys: of the competitors, shape (n,).
        phase: phase of each competitor's slots at the gun, as a share of the slot, shape (n,).
    """

    length: float
    slot: float
    keys: Bits
    phase: Floats

    @classmethod
    def of(cls, seed: int, stream: Stream, count: int, share: float, length: float) -> "Episodes | None":
        """Return the episodes of a fault; None if there are none."""
        if share <= 0:
            return None
        keys = chance.keys(seed, stream, count)
        slot = min(length / share, LONGEST_SLOT)
        return cls(length, slot, keys, hashed(keys, np.full(count, -1)))

    def start(self, who: Ints, time: Floats) -> Floats:
        """Return the start, in seconds, of the episode in the slot of each moment; arrays of one shape."""
        phase = self.phase[who]
        slot = np.floor(time / self.slot + phase)
        offset = hashed(self.keys[who], slot.astype(np.int64)) * (self.slot - self.length)
        return (slot - phase) * self.slot + offset

    def lasts(self, start: Floats, time: Floats) -> Mask:
        """Return whether each moment lies in the episode that begins at `start`."""
        since: Floats = time - start
        return (since >= 0) & (since < self.length)

    def covers(self, who: Ints, time: Floats) -> Mask:
        """Return whether each moment lies in an episode."""
        return self.lasts(self.start(who, time), time)


class Trackers:
    """The trackers of a field.

    Args:
        request: the request, with its seed.
        end: seconds from the gun to each competitor's end, shape (n,).
    """

    def __init__(self, request: RaceRequest, end: Floats) -> None:
        seed, n = request.seed or 0, len(end)
        self._request = request
        self._seed = seed
        self._count = n
        self.frozen = Episodes.of(seed, Stream.FROZEN, n, request.frozen, request.frozen_for)
        self.late = Episodes.of(seed, Stream.LATE, n, request.late, request.late_for)
        self.lost = Episodes.of(seed, Stream.LOST, n, request.lost, request.lost_for)
        self._twice = chance.keys(seed, Stream.DUPLICATE, n)
        self._noise = chance.keys(seed, Stream.GPS_NOISE, n)
        self._battery = np.full(n, np.inf)
        if request.dead_battery > 0:
            dead = chosen(uniform(seed, Stream.BATTERY, n), request.dead_battery) & np.isfinite(end)
            life = within(BATTERY_ENDS, uniform(seed, Stream.BATTERY_LIFE, n))
            self._battery[dead] = (life * end)[dead]
        self._skew = np.zeros(n, np.int64)
        if request.clock_skew > 0:
            lots = 2.0 * uniform(seed, Stream.SKEW, n) - 1.0
            self._skew = np.rint(lots * request.clock_skew * 1000.0).astype(np.int64)

    def skew(self, who: Ints) -> Ints:
        """Return the milliseconds by which each tracker's clock is ahead, constant during a race."""
        return self._skew[who]

    def reports(self, who: Ints, time: Floats) -> Mask:
        """Return whether each tracker reports its position of each moment; arrays of shape (k,)."""
        source = self._battery[who] > time
        if self.lost is not None:
            source &= ~self.lost.covers(who, time)
        return source

    def reports_twice(self, who: Ints, time: Floats) -> Mask:
        """Return whether each tracker reports its position of each moment again, a tick later."""
        return hashed(self._twice[who], _milliseconds(time)) < self._request.duplicates

    @property
    def are_wrong(self) -> bool:
        """Whether there is any GPS error."""
        return self._request.gps_error > 0 or self._request.gps_noise > 0

    def error(self, who: Ints, time: Floats) -> tuple[Floats, Floats]:
        """Return each tracker's GPS error at each moment, metres to the east and to the north, shape (k,).

        The drifting part is a Gaussian process with the autocorrelation exp(-t / `gps_correlation`), like
        that of Ornstein and Uhlenbeck: a sum of waves with frequencies drawn from its spectrum, a Cauchy
        distribution, one from each eighth. So it is exact over trackers and computable at any moment.
        """
        east, north = np.zeros(len(who)), np.zeros(len(who))
        if self._request.gps_error > 0:
            frequency, radius, phase = self._waves
            for nth in range(WAVES):
                angle = frequency[nth, who] * time + phase[nth, who]
                east += radius[nth, who] * np.cos(angle)
                north += radius[nth, who] * np.sin(angle)
        if self._request.gps_noise > 0:
            across, up = self._white_noise(who, time)
            east += across
            north += up
        return east, north

    @cached_property
    def _waves(self) -> tuple[Floats, Floats, Floats]:
        """Angular frequency (1/s), radius (m) and phase of each tracker's waves, shape (WAVES, n) each."""
        shape = (WAVES, self._count)
        frequencies, radii, phases = (
            uniform(self._seed, stream, shape)
            for stream in (Stream.GPS_FREQUENCY, Stream.GPS_RADIUS, Stream.GPS_PHASE)
        )
        strata = (np.arange(WAVES)[:, None] + frequencies) / WAVES
        frequency = np.tan(np.pi * (strata - 0.5)) / self._request.gps_correlation
        # Radius and phase of a pair of Gaussian numbers with one wave's variance.
        radius = self._request.gps_error * np.sqrt(-2.0 * np.log1p(-radii) / WAVES)
        return frequency, radius, 2.0 * np.pi * phases

    def _white_noise(self, who: Ints, time: Floats) -> tuple[Floats, Floats]:
        bits = hashed_bits(self._noise[who], _milliseconds(time))
        # Two 32-bit numbers are precise enough for centimetres.
        one = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
        other = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
        radius = self._request.gps_noise * np.sqrt(-2.0 * np.log(one))
        return radius * np.cos(2.0 * np.pi * other), radius * np.sin(2.0 * np.pi * other)


def needed(request: RaceRequest) -> bool:
    """Return whether a request has any tracker fault."""
    shares = (request.lost, request.frozen, request.late, request.duplicates, request.dead_battery)
    return any(shares) or request.gps_error > 0 or request.gps_noise > 0 or request.clock_skew > 0


def _milliseconds(time: Floats) -> Ints:
    return np.rint(time * 1000.0).astype(np.int64)
