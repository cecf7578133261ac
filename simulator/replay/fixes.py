"""Chooses the fixes of a track that can be those of one run, and reports the others.

One rule: the most fixes whose times rise and whose places can be reached in time. A wrong time or a jump
costs that fix only, wherever it is, and a clock that was wrong for a while costs that while. Only a clock
that is set back once while the places go on is corrected.
"""

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulator.course import coordinates
from simulator.replay.readers import Written
from simulator.replay.recording import RecordingError
from stream.arrays import Floats, Ints, Mask

FASTEST = 1000 / 60
"""Metres per second that competitors can reach: the fastest pace of a race, 60 s/km."""
JUMP = 100.0
"""Metres by which a place may be wrong besides; `matching` copes with such errors."""
MAX_JUMPS = 2000
"""Maximum number of impossible steps in a track."""
MAX_CHAINS = 32
"""Chains of places that are compared at each impossible step."""
PAUSE, TIMES_USUAL = 60.0, 5.0
"""Seconds without a fix, and how many times the usual interval, that may be a pause."""
SLOWEST = 0.5
"""Metres per second below which they are a pause or a wrong clock, not a loss of signal."""
FEW = 0.1
"""Share of a track's fixes that may be left out at either end."""
APART = 10.0
"""They are left out if the pause between them and the rest is this many times as long as they."""
MIN_SHIFTED = 10
"""Fixes on either side from which on a step of the clock is corrected; fewer are left out."""
ONE_RUN = 12 * 3600.0
"""Seconds without a fix after which a track is another run."""


LONGEST_STEP, DETOUR = 1000.0, 50.0
"""When the ways of two orders are compared, metres that a step counts at most, because jumps are dropped
later, and metres that don't matter."""
DEGREE = 111_195.0
"""Approximate metres per degree of a great circle."""
SHOWN = 3
"""Reasons that a message gives."""


class Recorded(NamedTuple):
    """A recorded track: epoch seconds and degrees, shape (k,), k at least 2, times increasing.

    Attributes:
        name: the track's own name.
        source: the file's name.
        line: the line of the file on which the track starts.
        time, lon, lat: the fixes.
    """

    name: str
    source: str
    line: int
    time: Floats
    lon: Floats
    lat: Floats

    def where(self) -> str:
        """Return the file and the track for messages."""
        return coordinates.named(f"{self.source}, line {self.line}", self.name)


def usable(track: Written, warnings: list[str]) -> Recorded:
    """Return the usable fixes of a track in the order of time.

    Args:
        track: the track as written.
        warnings: what is left out is added, with its lines.

    Raises:
        RecordingError: it has fewer than two, or jumps all the time.
    """
    sieve = _Sieve(track, warnings)
    sieve.drop_invalid()
    sieve.put_in_order()
    sieve.drop_jumps()
    sieve.drop_other_runs()
    sieve.drop_ends()
    if len(sieve.time) < 2:
        raise RecordingError(f"{sieve.where()}: fewer than two of its {len(track.fixes):,} fixes can be used")
    return Recorded(track.name, track.source, track.line, sieve.time, sieve.lon, sieve.lat)


class _Sieve:
    """The fixes of a track that are left, arrays of shape (k,)."""

    def __init__(self, track: Written, warnings: list[str]) -> None:
        self._track = track
        self._warnings = warnings
        self._line = np.array([fix.line for fix in track.fixes], np.int64)
        columns = np.array([(fix.time, fix.lon, fix.lat) for fix in track.fixes], float)
        self.time, self.lon, self.lat = columns.T

    def where(self, lines: Ints | None = None) -> str:
        """Return the file, the lines (default: the track's) and the track's name for messages."""
        lines = np.array([self._track.line]) if lines is None else np.sort(lines)
        text = f"line {lines[0]}"
        if len(lines) > 1:
            text = f"{len(lines):,} fixes from line {lines[0]} to {lines[-1]}"
        return coordinates.named(f"{self._track.source}, {text}", self._track.name)

    def _take(self, which: Mask | Ints) -> None:
        self._line, self.time = self._line[which], self.time[which]
        self.lon, self.lat = self.lon[which], self.lat[which]

    def _drop(self, out: Mask, why: str) -> None:
        if out.any():
            self._warnings.append(f"{self.where(self._line[out])}: left out: {why}")
            self._take(~out)

    def drop_invalid(self) -> None:
        """Leave out fixes without a valid time and place; raises RecordingError if none has a time."""
        fixes = self._track.fixes
        reasons = list(dict.fromkeys(fix.fault for fix in fixes if fix.fault))
        lacking = np.isnan(self.time) | np.isnan(self.lon)
        if lacking.all():
            lack = "times" if np.isnan(self.time).all() else "places, as on a treadmill"
            raise RecordingError(f"{self.where()}: {reasons[0] if reasons else f'its points have no {lack}'}")
        if zoneless := sum(not fix.has_zone for fix in fixes):
            name = "1 time names" if zoneless == 1 else f"{zoneless:,} times name"
            self._warnings.append(f"{self.where()}: {name} no zone: read as UTC")
        self._drop(lacking, "; ".join(reasons[:SHOWN]) or "no time or no place")

    def put_in_order(self) -> None:
        """Let times rise: sort the fixes if their way gets no longer, else leave some out."""
        if (np.diff(self.time) < 0).any():
            by_time = np.argsort(self.time, kind="stable")
            if self._way(by_time) <= self._way(np.arange(len(by_time))) + DETOUR:
                self._warnings.append(f"{self.where()}: its fixes aren't in the order of their times: sorted")
                self._take(by_time)
            elif not self._correct_clock():
                out = np.ones(len(by_time), bool)
                out[longest_rise(self.time)] = False
                first = moment(float(self.time[out][0]))
                self._drop(out, f"times, such as {first}, that aren't between those before and after")
        self._drop(np.append(False, np.diff(self.time) == 0), "the time of the fix before")

    def _correct_clock(self) -> bool:
        """Shift the fixes on the shorter side of a clock's only step back; return whether there is one.

        There the places go on, and the clock was not set forward by as much before or after.
        """
        steps, (x, y) = np.diff(self.time), self._metres()
        back, usual = np.flatnonzero(steps < 0), float(np.median(steps))
        lost = usual - float(steps[back[0]])
        is_forward = (np.abs(steps - usual - lost) <= min(TIMES_USUAL * usual, lost / 2)).any()
        at, rest = int(back[0]) + 1, len(steps) - int(back[0])
        apart = np.hypot(x[at] - x[at - 1], y[at] - y[at - 1])
        if len(back) > 1 or is_forward or min(at, rest) < MIN_SHIFTED or apart > JUMP:
            return False
        if at < rest:
            self.time[:at] -= lost
        else:
            self.time[at:] += lost
        side = "before" if at < rest else "from there on"
        where = self.where(self._line[at : at + 1])
        self._warnings.append(f"{where}: the clock was set back by {duration(lost)}: times {side} corrected")
        return True

    def drop_jumps(self) -> None:
        """Leave out places that can't be reached in time from the others."""
        x, y = self._metres()
        kept = _reachable(self.time, x, y)
        if kept is None:
            raise RecordingError(f"{self.where()}: its places jump more than {MAX_JUMPS:,} times")
        if len(out := np.flatnonzero(~kept)):
            lat, lon = self.lat[out[0]], self.lon[out[0]]
            self._drop(~kept, f"places, such as {lat:.5f}, {lon:.5f}, that can't be reached in time")

    def drop_other_runs(self) -> None:
        """Of runs that are half a day apart, keep the one with most fixes."""
        ends = np.flatnonzero(np.diff(self.time) > ONE_RUN) + 1
        run = np.searchsorted(ends, np.arange(len(self.time)), side="right")
        out = run != np.bincount(run).argmax()
        if out.any():
            begin, rest = moment(float(self.time[out][0])), moment(float(self.time[~out][0]))
            why = f"they are from {begin} on, the rest from {rest}: a wrong clock, or another run"
            self._drop(out, why)

    def drop_ends(self) -> None:
        """Leave out a few fixes at either end that a long pause separates from the rest."""
        time, count = self.time, len(self.time)
        first, last = 0, count
        x, y = self._metres()
        for gap in pauses(time, np.hypot(np.diff(x), np.diff(y))):
            pause = time[gap + 1] - time[gap]
            if gap + 1 < FEW * count and pause > APART * (time[gap] - time[0]):
                first = gap + 1
            elif count - gap - 1 < FEW * count and pause > APART * (time[-1] - time[gap + 1]):
                last = min(last, gap + 1)
        nth = np.arange(count)
        self._drop(nth < first, "a long pause follows: a wrong clock, or not yet the run")
        self._drop(nth[first:] >= last, "a long pause precedes: a wrong clock, or no longer the run")

    def _metres(self) -> tuple[Floats, Floats]:
        """Return the places in metres east and north of one of them, roughly."""
        lon, lat = self.lon[len(self.lon) // 2], self.lat[len(self.lat) // 2]
        east = (self.lon - lon + 180.0) % 360.0 - 180.0
        return east * DEGREE * np.cos(np.radians(lat)), (self.lat - lat) * DEGREE

    def _way(self, order: Ints) -> float:
        x, y = self._metres()
        steps = np.hypot(np.diff(x[order]), np.diff(y[order]))
        return float(np.minimum(steps, LONGEST_STEP).sum())


def pauses(time: Floats, steps: Floats) -> list[int]:
    """Return the indices of the fixes before a pause; `steps` are metres from each fix to the next."""
    seconds = np.diff(time)
    least = max(PAUSE, TIMES_USUAL * float(np.median(seconds))) if len(seconds) else PAUSE
    found: list[int] = np.flatnonzero((seconds > least) & (steps < SLOWEST * seconds)).tolist()
    return found


def longest_rise(values: Floats) -> Ints:
    """Return the indices of a longest strictly rising subsequence, in O(n log n)."""
    least: list[float] = []
    ends: list[int] = []
    before = np.empty(len(values), np.int64)
    for nth, value in enumerate(values.tolist()):
        at = bisect_left(least, value)
        before[nth] = ends[at - 1] if at else -1
        least[at : at + 1], ends[at : at + 1] = [value], [nth]
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(at)
        at = int(before[at])
    return np.array(found[::-1], np.int64)


class _Chain(NamedTuple):
    """Fixes of which each can be reached from the one before: how many, the last, and the stretches."""

    size: int
    last: int
    first: int
    before: "_Chain | None"


def _reachable(time: Floats, x: Floats, y: Floats) -> Mask | None:
    """Return the most fixes that can be reached from each other; None if there are too many jumps.

    Between impossible steps the fixes are stretches. The best chain that ends with each stretch continues an
    earlier one, perhaps without the stretch's first fixes.
    """
    breaks = np.flatnonzero(np.hypot(np.diff(x), np.diff(y)) > FASTEST * np.diff(time) + JUMP) + 1
    if len(breaks) > MAX_JUMPS:
        return None
    chains: list[_Chain] = []
    for first, end in pairwise([0, *breaks.tolist(), len(time)]):
        part = slice(first, end)
        best = _Chain(end - first, end - 1, first, None)
        for chain in chains:
            apart = np.hypot(x[part] - x[chain.last], y[part] - y[chain.last])
            near = apart <= FASTEST * (time[part] - time[chain.last]) + JUMP
            begin = first + int(near.argmax())
            if near.any() and chain.size + end - begin > best.size:
                best = _Chain(chain.size + end - begin, end - 1, begin, chain)
        chains = sorted([*chains, best], key=lambda chain: -chain.size)[:MAX_CHAINS]
    kept = np.zeros(len(time), bool)
    link: _Chain | None = chains[0]
    while link is not None:
        kept[link.first : link.last + 1] = True
        link = link.before
    return kept


def moment(seconds: float) -> str:
    """Return epoch seconds as a date and a time in UTC; every year is possible."""
    return str(np.datetime64(int(seconds), "s")).replace("T", " ")


def duration(seconds: float) -> str:
    """Return a duration as h:mm:ss, or as days from two days on."""
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:,.0f} days"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
