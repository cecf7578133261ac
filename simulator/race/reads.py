"""Raw reads of chips by the timing mats, before anything processes them.

Each start, split and finish has a mat with two lines, main and backup, each with an antenna and a reader of
its own. The passings are the truth; reads repeat, miss and misplace them, as the request's `MatOptions` say.
No state is kept: a read is a function of the seed, the competitor and the passing, so any tick can be
computed at any time. docs/stream.md says how a consumer finds the passings in the reads.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np

from simulator.race import chance
from simulator.race.chance import Bits, Stream, chosen, hashed, hashed_bits, keys_of, uniform, within
from simulator.race.options import MAX_REPEATS
from simulator.race.race import READS_AFTER, Passings, Race
from stream.arrays import Floats, Ints, Mask
from stream.courses import PassingKind, TimingPoint

KINDS: frozenset[PassingKind] = frozenset({"start", "split", "finish"})
"""Kinds of timing points with a mat; geofences have none."""
LINES = 2
"""Lines of a mat: main and backup."""
LINES_APART = 1.0
"""Seconds after the main line at which everyone crosses the backup line: some metres behind it."""
SPACING = 0.1
"""Seconds between two reads of a chip by one line; the strongest is within half of that of the crossing."""
REACH = (MAX_REPEATS - 0.5) * SPACING
"""Maximum seconds between the crossing of a line and a read of it: a pass has less than 2 `MAX_REPEATS`."""
APART = 10.0
"""Seconds after a pass within which the same mat does not read the same chip's next pass.

So two passes of a mat are distinct. It concerns courses that turn around just behind a mat."""
STRONG = -70
"""Signal strength of the weakest reads that belong to a pass, dBm. All strays are weaker."""
PEAKS = (-58.0, -40.0)
"""Range of the strongest read of a line, dBm."""
LOSS = (1.5, 3.0)
"""Range of what a read is weaker than the strongest, dB for each read between them."""
STRAYS = (-85.0, STRONG - 1.0)
"""Range of strays' signal strengths, dBm."""
STRAY_READS = 10
"""Maximum number of reads while someone is near a mat."""
STRAY_SPACING = 2.0
"""Seconds between them."""
STRAY_FROM = -600.0
"""Race seconds from which people are near a mat."""
RETURNS = (30.0, 600.0)
"""Range of the seconds from a finish to the return to the finish mat."""
REFERENCE_EVERY = 600.0
"""Race seconds between two reads of a reader's reference chip; the first is as long before the gun."""
REFERENCE_STRENGTH = -40
NO_ONE = -1
"""The index of the competitor of reference chips."""
AT_ONCE = 1000
"""Passes whose reads are computed at once, to limit memory."""

NUMBERS = 32
"""Numbers for the reads of one line at one pass; `2 * MAX_REPEATS` are needed."""
HASHED = (
    Stream.READ_MISSED,
    Stream.READ_MISSED_BY_LINE,
    Stream.READ_COUNT,
    Stream.READ_PHASE,
    Stream.READ_STRENGTH,
    Stream.READ_LOSS,
    Stream.READ_ID,
    Stream.STRAY_LINE,
)
"""Quantities with a number for each competitor and pass."""


class Mat(NamedTuple):
    """A mat, by the timing points that it has: a kind and a name."""

    kind: PassingKind
    name: str


class Reads(NamedTuple):
    """Reads, ordered by time; all arrays of shape (k,).

    Attributes:
        who: indices of competitors; `NO_ONE` for a reference chip.
        mat: indices of mats.
        line: 0 for the main line, 1 for the backup line.
        elapsed: true seconds since the gun.
        clock: the same by the reader's clock.
        rssi: signal strength, dBm.
        number: which read of this competitor it is, for `Mats.ids`.
    """

    who: Ints
    mat: Ints
    line: Ints
    elapsed: Floats
    clock: Floats
    rssi: Ints
    number: Ints

    def take(self, which: Ints | Mask | slice) -> "Reads":
        """Return some of the reads."""
        return Reads._make(column[which] for column in self)


class Mats:
    """The mats of a race, and what they read of its members.

    Attributes:
        race: the race, or a part of it.
        mats: in the order in which the course passes them first; the last one is the finish.
        of_point: the index of each timing point's mat, -1 without one; shape (p,).
        skew: seconds by which each reader's clock is ahead at the gun; shape (readers,).
        rate: seconds that each reader's clock counts in a second; shape (readers,).
    """

    def __init__(self, race: Race) -> None:
        self.race = race
        self.mats, self.of_point, self._before = _mats(race.points)
        self._places = np.array([point.distance for point in race.points])
        request, seed, readers = race.request, race.request.seed or 0, LINES * len(self.mats)
        skew = 2.0 * uniform(seed, Stream.READER_SKEW, readers) - 1.0
        drift = 2.0 * uniform(seed, Stream.READER_DRIFT, readers) - 1.0
        self.skew, self.rate = request.reader_skew * skew, 1.0 + 1e-6 * request.reader_drift * drift
        self._keys = {stream: chance.key(seed, stream) for stream in HASHED}

    def draw(self) -> None:
        """Draw the strays, once for all parts; for a thread, as those of many take tenths of a second."""
        _ = self._visits

    def part(self, race: Race) -> "Mats":
        """Return the mats with what they read of the members of a part of the race."""
        part = copy(self)
        part.race = race
        return part

    @cached_property
    def last_tick(self) -> int:
        """Number of a tick by which all reads are published: a little after the last position."""
        return self.race.last_position_tick + int(np.ceil(READS_AFTER / self.race.request.tick))

    def places(self, mat: int) -> Floats:
        """Return the metres at which the race passes a mat, rising."""
        places: Floats = self._places[self.of_point == mat]
        return places

    @property
    def _end(self) -> float:
        """Race seconds after which no pass, no visit of a stray and no reference begins."""
        return self.race.time_of(self.race.last_position_tick)

    def reads(self, after: float, until: float) -> Iterator[Reads]:
        """Yield the reads in the race seconds (after, until]; the first ones are before the gun.

        Consecutive intervals neither share nor miss a read. They come in pieces of limited size, each
        ordered by time: passes, then strays, then reference chips.
        """
        pieces = chain(self._passes(after, until), self._strays(after, until), self._references(after, until))
        for piece in pieces:
            is_due = (piece.elapsed > after) & (piece.elapsed <= until)
            if is_due.any():
                due = piece.take(is_due)
                yield due.take(np.argsort(due.elapsed, kind="stable"))

    def ids(self, reads: Reads) -> Bits:
        """Return the reads' event numbers, shape (k,): opaque, so that they don't reveal the strays."""
        return hashed_bits(keys_of(self._keys[Stream.READ_ID], reads.who), reads.number)

    def _lots(self, stream: Stream, who: Ints, numbers: Ints) -> Floats:
        """Return uniform doubles in [0, 1) of competitors, shape (k,), by numbers, shape (k,) or (k, l)."""
        keys = keys_of(self._keys[stream], who)
        return hashed(keys if numbers.ndim == 1 else keys[:, None], numbers)

    def _passes(self, after: float, until: float) -> Iterator[Reads]:
        """Yield the reads of all passes that may have one in an interval."""
        # A little more than needed: passings are found by distance, reads by time.
        last = min(until + REACH + SPACING, self._end)
        first = min(after - LINES_APART - REACH - SPACING, last)
        found = self.race.passings(first, last)
        found = found.take(np.flatnonzero(self.of_point[found.point] >= 0))
        for start in range(0, len(found.who), AT_ONCE):
            yield self._of(found.take(slice(start, start + AT_ONCE)))

    def _of(self, passings: Passings) -> Reads:
        """Return all reads of some passings."""
        who, point, crossed, _ = passings
        request, line = self.race.request, np.arange(LINES)
        slot = LINES * point[:, None] + line
        is_read = self._lots(Stream.READ_MISSED, who, point) >= request.missed_passes
        is_read &= crossed - self._passed_before(who, point) >= APART
        is_read_by = self._lots(Stream.READ_MISSED_BY_LINE, who, slot) >= request.missed_by_line
        most = 2 * request.read_repeats - 1
        counts = 1 + (self._lots(Stream.READ_COUNT, who, slot) * most).astype(np.int64)
        counts = np.where(is_read[:, None] & is_read_by, counts, 0).ravel()
        phase = SPACING * (self._lots(Stream.READ_PHASE, who, slot) - 0.5)
        strongest = (crossed[:, None] + LINES_APART * line + phase).ravel()
        peak = within(PEAKS, self._lots(Stream.READ_STRENGTH, who, slot)).ravel()
        row, nth = _repeated(counts)
        step = nth - counts[row] // 2
        who, number = who[row // LINES], slot.ravel()[row] * NUMBERS + nth
        loss = np.abs(step) * within(LOSS, self._lots(Stream.READ_LOSS, who, number))
        return self._read(
            who,
            LINES * self.of_point[point][row // LINES] + row % LINES,
            strongest[row] + SPACING * step,
            peak[row] - loss,
            number,
        )

    def _passed_before(self, who: Ints, point: Ints) -> Floats:
        """Return when competitors last passed the mat of a point before it, -inf if never; shape (k,)."""
        before = self._before[point]
        again = np.flatnonzero(before >= 0)
        found = np.full(len(who), -np.inf)
        found[again] = self.race.field.elapsed(who[again], self._places[before[again]])
        return found

    @cached_property
    def _visits(self) -> tuple[Ints, Ints, Floats, Ints]:
        """The visits of all competitors to mats that they don't pass then, by their beginning; shape (k,).

        They are competitors, readers, the seconds at which they begin, and numbers.
        """
        race, request = self.race, self.race.request
        if not request.stray_reads:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        who = np.flatnonzero(chosen(request.draw(Stream.STRAY), request.stray_reads))
        mat = (request.draw(Stream.STRAY_MAT)[who] * len(self.mats)).astype(np.int64)
        when = within((STRAY_FROM, self._end), request.draw(Stream.STRAY_TIME)[who])
        back = race.finish_times[who] + within(RETURNS, request.draw(Stream.STRAY_RETURN)[who])
        nth = np.repeat([0, 1], len(who))
        who, mat = np.tile(who, 2), np.append(mat, np.full(len(who), len(self.mats) - 1))
        line = (self._lots(Stream.STRAY_LINE, who, nth) * LINES).astype(np.int64)
        begin = np.append(when, back)
        order = np.argsort(begin, kind="stable")
        order = order[begin[order] <= self._end]
        number = (LINES * len(self.of_point) + nth) * NUMBERS
        return who[order], (LINES * mat + line)[order], begin[order], number[order]

    def _strays(self, after: float, until: float) -> Iterator[Reads]:
        """Yield the reads of all visits that may have one in an interval."""
        who, reader, begin, number = self._visits
        first = int(np.searchsorted(begin, after - STRAY_READS * STRAY_SPACING))
        last = int(np.searchsorted(begin, until, side="right"))
        members = self.race.members
        is_own = (who[first:last] >= members.start) & (who[first:last] < members.stop)
        own = first + np.flatnonzero(is_own)
        for start in range(0, len(own), AT_ONCE):
            some = own[start : start + AT_ONCE]
            lots = self._lots(Stream.READ_COUNT, who[some], number[some])
            row, nth = _repeated(1 + (lots * STRAY_READS).astype(np.int64))
            numbers = number[some][row] + nth
            strength = within(STRAYS, self._lots(Stream.READ_STRENGTH, who[some][row], numbers))
            elapsed = begin[some][row] + STRAY_SPACING * nth
            yield self._read(who[some][row], reader[some][row], elapsed, strength, numbers)

    def _references(self, after: float, until: float) -> Iterator[Reads]:
        """Yield the reads of the reference chips, which belong to the part with the first competitor."""
        last = min(until, self._end)
        first = max(after, -REFERENCE_EVERY - 1.0)
        if self.race.members.start > 0 or last <= first:
            return
        nth = np.arange(np.floor(first / REFERENCE_EVERY) + 1.0, np.floor(last / REFERENCE_EVERY) + 1.0)
        readers = LINES * len(self.mats)
        reader, elapsed = np.tile(np.arange(readers), len(nth)), np.repeat(nth * REFERENCE_EVERY, readers)
        number = np.repeat(nth.astype(np.int64), readers) * readers + reader
        strength = np.full(len(reader), REFERENCE_STRENGTH)
        yield self._read(np.full(len(reader), NO_ONE), reader, elapsed, strength, number)

    def _read(self, who: Ints, reader: Ints, elapsed: Floats, strength: Floats, number: Ints) -> Reads:
        clock = self.rate[reader] * elapsed + self.skew[reader]
        rssi = np.rint(strength).astype(np.int64)
        return Reads(who, reader // LINES, reader % LINES, elapsed, clock, rssi, number)


def _mats(points: Sequence[TimingPoint]) -> tuple[tuple[Mat, ...], Ints, Ints]:
    """Return the mats, each point's, and the point at which the same mat was passed before; -1 for none."""
    mats: dict[Mat, int] = {}
    latest: dict[int, int] = {}
    of_point, before = np.full(len(points), -1), np.full(len(points), -1)
    for nth, (_, kind, name, _) in enumerate(points):
        if kind in KINDS:
            mat = of_point[nth] = mats.setdefault(Mat(kind, name), len(mats))
            before[nth] = latest.get(mat, -1)
            latest[mat] = nth
    return tuple(mats), of_point, before


def _repeated(counts: Ints) -> tuple[Ints, Ints]:
    """Return the row and the number within the row of each of so many things per row."""
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
