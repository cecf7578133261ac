"""What the raw reads of chips show: passes of the timing mats, and passes that were missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.reads import LINES, LINES_APART, NO_ONE, REFERENCE_EVERY, STRONG, Mats, Reads
from stream.arrays import Floats, Ints
from stream.results import rounded

TOGETHER = 5.0
"""Seconds after a read within which the next one belongs to the same pass."""
READS = 2_000_000
"""Maximum number of reads of passes looked at together, 56 bytes each; larger races are taken in parts."""


@dataclass(frozen=True)
class Sifting:
    """How a consumer finds passes in reads; the defaults are right.

    Attributes:
        counts: which read of a pass counts: the strongest of the main line, or its first.
        clocks: how it corrects a reader's clock: fully, by the first reference read only, or not at all.
        together: seconds after a read within which the next one belongs to the same pass.
        weak: weak reads count, too.
        backup: the backup line counts, too.
        apart: it knows that the backup line is crossed later.
    """

    counts: Literal["strongest", "first"] = "strongest"
    clocks: Literal["corrected", "first", "uncorrected"] = "corrected"
    together: float = TOGETHER
    weak: bool = False
    backup: bool = True
    apart: bool = True


class _Passes(NamedTuple):
    """Passes, by competitor, mat and time; arrays of shape (k,).

    Attributes:
        who: indices of competitors.
        mat: indices of mats.
        sighting: the number of the competitor's pass at this mat, from 1.
        elapsed: race seconds.
        reads: how many reads it has.
    """

    who: Ints
    mat: Ints
    sighting: Ints
    elapsed: Floats
    reads: Ints


def reads(stream: Stream, _: AnswerQuery, sifting: Sifting | None = None) -> dict[str, list[Any]]:
    """Return the passes that the reads show, by competitor, mat and time: the columns of `ReadRow`."""
    found: dict[str, list[Any]] = {name: [] for name in ("competitorId", "kind", "point", "sighting")}
    found |= {"elapsed": [], "reads": []}
    for part, mats, passes in _passes(stream, sifting or Sifting()):
        _name(found, part, mats, passes.who, passes.mat)
        found["sighting"] += passes.sighting.tolist()
        found["elapsed"] += rounded(passes.elapsed)
        found["reads"] += passes.reads.tolist()
    return found


def missed(
    stream: Stream, _: AnswerQuery, sifting: Sifting | None = None, *, whole: bool = False
) -> dict[str, list[Any]]:
    """Return the passes without a read that reads further on prove: the columns of `MissedRow`.

    Args:
        stream: of the race.
        sifting: how passes are found.
        whole: expect the whole course of everyone with a read.
    """
    found: dict[str, list[Any]] = {name: [] for name in ("competitorId", "kind", "point", "times")}
    for part, mats, passes in _passes(stream, sifting or Sifting()):
        places = [np.round(mats.places(mat), 3) for mat in range(len(mats.mats))]
        seen = np.zeros((len(part.members), len(places)), np.int64)
        np.add.at(seen, (passes.who - part.members.start, passes.mat), 1)
        furthest = np.full(len(part.members), -np.inf)
        for mat, metres in enumerate(places):
            # The n-th pass that is seen is the course's n-th or a later one.
            reached = metres[np.clip(seen[:, mat], 1, len(metres)) - 1]
            furthest = np.where(seen[:, mat] > 0, np.maximum(furthest, reached), furthest)
        if whole:
            furthest[np.isfinite(furthest)] = np.inf
        passed = np.array([np.searchsorted(metres, furthest, side="right") for metres in places]).T
        row, column = np.nonzero(passed > seen)
        _name(found, part, mats, row + part.members.start, column)
        found["times"] += (passed - seen)[row, column].tolist()
    return found


def _name(found: dict[str, list[Any]], part: Race, mats: Mats, who: Ints, mat: Ints) -> None:
    """Add the columns that name competitors and mats."""
    named = [mats.mats[nth] for nth in mat.tolist()]
    found["competitorId"] += part.entrants.bib[who].tolist()
    found["kind"] += [kind for kind, _ in named]
    found["point"] += [name for _, name in named]


def _passes(stream: Stream, sifting: Sifting) -> Iterator[tuple[Race, Mats, _Passes]]:
    """Yield the passes that the reads show, a part of the race at a time."""
    race = stream.race
    if stream.ticks <= 0:
        return
    until = race.time_of(stream.ticks - 1) if stream.ticks <= race.last_tick else np.inf
    each = LINES * (2 * race.request.read_repeats) * len(race.points)
    size = max(1, READS // each)
    whole = Mats(race)
    for first in race.members[::size]:
        part = race.part(first, min(first + size, race.members.stop))
        mats = whole.part(part)
        pieces = list(mats.reads(BEFORE_THE_START, until))
        if pieces:
            yield (
                part,
                mats,
                _sifted(Reads._make(map(np.concatenate, zip(*pieces, strict=True))), mats, sifting),
            )


def _sifted(found: Reads, mats: Mats, sifting: Sifting) -> _Passes:
    """Return the passes in the reads of some competitors."""
    counts = found.who != NO_ONE
    if not sifting.weak:
        counts &= found.rssi >= STRONG
    if not sifting.backup:
        counts &= found.line == 0
    found = found.take(counts)
    time = _times(found, mats, sifting)
    order = np.lexsort((time, found.mat, found.who))
    found, time = found.take(order), time[order]
    is_other = (np.diff(found.who, prepend=-1) != 0) | (np.diff(found.mat, prepend=-1) != 0)
    begins = is_other | (np.diff(time, prepend=0.0) > sifting.together)
    number = np.cumsum(begins) - 1
    strength = -found.rssi if sifting.counts == "strongest" else np.zeros(len(time))
    best = np.lexsort((time, strength, found.line, number))[np.flatnonzero(begins)]
    nth = np.arange(len(best))
    first_of_mat = np.maximum.accumulate(np.where(is_other[begins], nth, 0))
    elapsed = time[best] - (LINES_APART * found.line[best] if sifting.apart else 0.0)
    reads_of = np.bincount(number, minlength=len(best))
    return _Passes(found.who[best], found.mat[best], nth - first_of_mat + 1, elapsed, reads_of)


def _times(found: Reads, mats: Mats, sifting: Sifting) -> Floats:
    """Return the race seconds that a consumer takes for the time of each read, shape (k,)."""
    if sifting.clocks == "corrected":
        return found.elapsed
    if sifting.clocks == "uncorrected":
        return found.clock
    reader = LINES * found.mat + found.line
    first: Floats = (mats.skew - (mats.rate - 1.0) * REFERENCE_EVERY)[reader]
    return found.clock - first
