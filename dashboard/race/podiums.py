"""Podiums: the first three of a group of competitors, and whether they are certain. Pure.

A podium is decided once no competitor of the group who is on the course, or has yet to start, can reach the
third place's time. That is a statement about what has happened, not a forecast: a competitor who is known not
to have finished by a moment has at least the time from the own gun, or the own start, to that moment.
docs/getting-started.md has the rule.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.race.split_times import SplitTimes
from dashboard.store.protocol import Positions
from stream.arrays import Floats, Ints, Mask, Texts
from stream.results import DECIMALS, Rank, since

STEPS = 3
"""Places on a podium; equal times share a step, so there can be more competitors."""

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Ends:
    """What is known of the ends of n races; all arrays of shape (n,), race seconds since the first gun.

    Attributes:
        zero: from where the time counts: the own gun or the own start; NaN while that start is not known.
        finish: the finish, also of those disqualified later; NaN without one.
        out: from when on there can be no place: the DNF, the DNS or the verdict; NaN for all others.
        until: of the others without a finish, the moment up to which they have certainly not finished.
    """

    zero: Floats
    finish: Floats
    out: Floats
    until: Floats

    @property
    def is_open(self) -> Mask:
        """Who is on the course or has yet to start."""
        found: Mask = np.isnan(self.finish) & np.isnan(self.out)
        return found

    @property
    def counts(self) -> Mask:
        """Who has finished and not been disqualified."""
        found: Mask = ~np.isnan(self.finish) & np.isnan(self.out)
        return found

    @property
    def time(self) -> Floats:
        """The time that places go by, in seconds, of all who have finished, disqualified or not."""
        return since(self.finish, self.zero)

    def take(self, some: Rows) -> "Ends":
        """Those of some competitors."""
        return Ends(self.zero[some], self.finish[some], self.out[some], self.until[some])

    def closed(self, moment: float) -> "Ends":
        """The same after the end of the race: those who have neither finished nor stopped will not finish."""
        return replace(self, out=np.where(self.is_open, moment, self.out))


class Podium(NamedTuple):
    """The first of a group.

    Attributes:
        rows: their indices, the winner first, shape (k,).
        place: their places, shape (k,): 1 to 3; equal times share a place.
        time: the times that places go by, in seconds, shape (k,).
        decided: race seconds at which it became certain; None while it is not.
    """

    rows: Rows
    place: Ints
    time: Floats
    decided: float | None


def podium(ends: Ends, members: Rows) -> Podium:
    """The podium of the group with these indices; without a finisher it is empty and not decided."""
    group = ends.take(members)
    came_in = np.flatnonzero(group.counts)
    order = came_in[np.lexsort((members[came_in], group.time[came_in]))]
    times = group.time[order]
    limit = float(times[STEPS - 1]) if len(times) >= STEPS else np.inf
    first = order[times <= limit]
    place = np.searchsorted(times, group.time[first], side="left") + 1
    decided = _decided(group, limit) if len(first) else None
    return Podium(members[first], place, group.time[first], decided)


def _decided(group: Ends, limit: float) -> float | None:
    """When it became certain that all others have more than `limit` seconds; None if it is not."""
    counts = group.counts
    # Before the start line there is no chip time.
    reached = np.where(np.isnan(group.zero), -np.inf, group.until - group.zero)
    if bool((group.is_open & ~(np.round(reached, DECIMALS) > limit)).any()):
        return None
    # From these moments on they are no danger: too late, in, or out; one of the first by a verdict.
    too_late = np.where(np.isnan(group.zero), np.inf, group.zero) + limit
    ended = np.where(counts, group.finish, np.where(np.isnan(group.out), np.inf, group.out))
    was_first = ~counts & (group.time <= limit)
    moments = np.where(was_first, group.out, np.minimum(too_late, ended))
    return float(moments.max())


class Known(NamedTuple):
    """What the store has of a race's competitors.

    Attributes:
        positions: the newest of each, in bib order.
        splits: the passings.
        settled: race seconds up to which all finishes have arrived.
    """

    positions: Positions
    splits: SplitTimes
    settled: float


def ends_of(bibs: Ints, guns: Floats, known: Known, rank: Rank) -> Ends:
    """The ends of these competitors' races.

    Args:
        bibs: shape (n,).
        guns: seconds from the first gun to that of each one's wave, shape (n,).
        known: what the store has.
        rank: the time that places go by.
    """
    elapsed, status = _newest(bibs, known.positions)
    came_in = np.isin(status, ("finished", "dsq"))
    finish = _or(known.splits.earliest("finish", bibs), np.where(came_in, elapsed, np.nan))
    verdict = _or(known.splits.verdicts(bibs), np.where(status == "dsq", elapsed, np.nan))
    stop = known.splits.earliest("dnf", bibs)
    stop = _or(stop, np.where(np.isin(status, ("dnf", "dns")), elapsed, np.nan))
    out = np.fmin(verdict, stop)
    zero = guns
    if rank == "chip":
        starts = known.splits.earliest("start", bibs)
        zero = np.where(np.isnan(starts) & ~(np.isnan(finish) & np.isnan(out)), guns, starts)
    # Timing mats have no faults, so a finish arrives even if the tracker is silent. Of a tracker that is not,
    # the newest position proves more.
    return Ends(zero, finish, out, until=np.fmax(elapsed, known.settled))


def _newest(bibs: Ints, positions: Positions) -> tuple[Floats, Texts]:
    """Race seconds and status of each one's newest position; NaN and an empty text without one."""
    if not len(positions):
        return np.full(len(bibs), np.nan), np.full(len(bibs), "")
    rows = np.minimum(np.searchsorted(positions.competitor, bibs), len(positions) - 1)
    is_known = positions.competitor[rows] == bibs
    return np.where(is_known, positions.elapsed[rows], np.nan), np.where(is_known, positions.status[rows], "")


def _or(times: Floats, others: Floats) -> Floats:
    """The times, and the others where there is none."""
    return np.where(np.isnan(times), others, times)
