"""Makes of a field without crowding one with it.

At each cut between two cells, competitors cross in the order in which they arrive, one headway apart at
least: one sort and one running maximum. Up to there they run freely, so overtaking is free below capacity.
Three rules make a queue of those who wait:

- *It has a length.* They cross in the order in which they reach its end, not the cut; those who walk and are
  not at the cut yet do not hold up others. How much of the cell the queue covers follows from the number of
  runners in it when one enters; a short queue has no length.
- *It spills back.* A full cell takes in the n-th runner when the (n - jam)-th has left it and the gap has
  moved back through it (Newell's simplified kinematic wave, the storage of the link transmission model). So
  the later cell acts on the earlier one: cells with such queues are solved again, backwards and forwards,
  until nothing changes.
- *Who stands aside is not in it.* Competitors who pause or take a wrong turn no longer count in the cell.
  Those who return cross the next cut in the order in which they reach it. Those who give up are as slow as
  the others up to that place.

Within a cell, a delay is spread evenly over its metres.
"""

from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulator.race import stretches
from simulator.race.crowding.cells import Cells
from simulator.race.field import MAX_MARKS, Field, Lost, Stop, interpolate
from simulator.steps import Steps, done, within
from stream.arrays import Floats, Ints

SHORT = 1.0
"""Seconds of waiting at a cut up to which no queue has a length: a few runners at capacity."""
NEGLIGIBLE = 0.25
"""Share of a cell up to which a queue has no length: runners cross in the order in which they arrive."""
CERTAIN = 1e-7
"""Seconds below which a delay is an error of rounding."""
TURNS = 30
"""Maximum number of times that those who aren't due at their turn are moved back in a queue. After that, all
cross this cut in the order in which they arrive."""
SPREAD = 0.2
"""Seconds by which a delay may be wrong between two cuts that are kept: half a metre. Where few meet, they
lose some hundredths at each cut, which aren't worth the memory."""
ROUNDS = 30
"""Maximum number of times that queues which spill back are solved again."""
SETTLED = 0.5
"""Seconds by which a full cell may still take runners in too early when no further round is needed."""


def crowding(free: Field, cells: Cells) -> Steps[Field]:
    """Return the field with the delays of crowding, in steps.

    Args:
        free: the field without crowding.
        cells: the cells, cut at all marks of the field.
    """
    crowd = _Crowd(free, cells)
    yield from crowd.solve()
    late = crowd.late
    at_start = late[0].copy()
    cuts = _needed(cells.flat, late, free.marks)
    # In the place of the delays, for both together may be more than a gigabyte.
    for row, cut in enumerate(cuts.tolist()):
        late[row] = free.moving_at(cells.flat[cut]) + (late[cut] - at_start)
    late.resize((len(cuts), len(free)), refcheck=False)
    return _with_times(free, cells.flat[cuts], late, at_start)


def delays(free: Field, cells: Cells) -> Floats:
    """Return the seconds that everyone has lost at each cut, shape (c + 1, n).

    Those who don't start have lost none; those who end before a cut, as many as at their end.
    """
    crowd = _Crowd(free, cells)
    done(crowd.solve())
    return crowd.late


def _needed(flat: Floats, late: Floats, marks: Floats) -> Ints:
    """Return the numbers of the cuts between which delays are spread evenly, to `SPREAD` seconds."""
    at_marks = np.searchsorted(flat, marks)
    needed, todo = set(at_marks.tolist()), list(pairwise(at_marks.tolist()))
    while todo:
        first, last = todo.pop()
        shares = (flat[first + 1 : last] - flat[first]) / (flat[last] - flat[first])
        errors = [
            float(np.abs(late[cut] - late[first] - share * (late[last] - late[first])).max(initial=0.0))
            for cut, share in enumerate(shares.tolist(), start=first + 1)
        ]
        if errors and max(errors) > SPREAD:
            worst = first + 1 + int(np.argmax(errors))
            needed.add(worst)
            todo += [(first, worst), (worst, last)]
    return np.array(sorted(needed))


class _Crossing(NamedTuple):
    """Who crosses a cut when, in order; arrays of shape (k,)."""

    cut: int
    who: Ints
    times: Floats


class _Crowd:
    """The delays of a field at the cuts, while they are found.

    Attributes:
        late: seconds lost up to each cut, shape (c + 1, n).
        packed: whether more may be in each cell than fit in, shape (c,).
        full: whether each cell has delayed those who enter it, shape (c,).
    """

    def __init__(self, free: Field, cells: Cells) -> None:
        self.free, self.cells = free, cells
        self.headway = cells.headway
        self.late = np.zeros((len(cells) + 1, len(free)))
        self.packed = np.zeros(len(cells), np.bool_)
        self.full = np.zeros(len(cells), np.bool_)
        # The last cut that each competitor reaches; the competitors in the order of the start.
        starts = np.isfinite(free.start)
        self._reach = np.where(starts, np.searchsorted(cells.places, free.until, side="right") - 1, -1)
        self._line = np.argsort(free.place)
        # Seconds in which the field runs through each cell, on average.
        self._free = np.diff(np.interp(cells.flat, free.marks, free.moving.mean(axis=1)))
        self._last = _Crossing(-1, np.empty(0, np.int64), np.empty(0))

    def solve(self) -> Steps[None]:
        """Find the delays, one cut in each step.

        The number of rounds is not known in advance: each counts as half of what is left.
        """
        left = 1.0
        yield from within(0.0, 0.5, self._through())
        for _ in range(ROUNDS):
            left /= 2.0
            top = yield from within(1.0 - left, 1.0 - 0.75 * left, self._backwards())
            if top is None:
                return
            yield from within(1.0 - 0.75 * left, 1.0 - left / 2.0, self._forwards(top + 1))

    def _through(self) -> Steps[None]:
        """Find the delays at all cuts, as if no cell were ever full."""
        for cut in range(len(self.late)):
            self._cross(cut)
            yield (cut + 1) / len(self.late)

    def _who(self, cut: int) -> Ints:
        """Return who reaches a cut, in the order of the start, which decides between equals."""
        return self._line[self._reach[self._line] >= cut]

    def _times(self, cut: int) -> Floats:
        """Return when everyone crosses a cut, shape (n,)."""
        times: Floats = self.free.times_at(self.cells.flat[cut]) + self.late[cut]
        return times

    def _backwards(self) -> Steps[int | None]:
        """Let full cells delay those who enter, the last cell first; return the first cut that changes."""
        top = None
        for cell in range(len(self.cells) - 1, -1, -1):
            yield 1.0 - (cell + 1) / len(self.cells)
            if np.isinf(self.cells.jam[cell]) or not (self.packed[cell] or top == cell + 1):
                continue
            earliest = self._earliest(cell)
            entries = np.sort(self._times(cell)[self._who(cell)])
            if (earliest - entries).max(initial=0.0) > SETTLED:
                self.full[cell] = True
                self._cross(cell, earliest)
                top = cell
        return top

    def _forwards(self, first: int) -> Steps[None]:
        """Find the delays again from a cut on, as far as they change."""
        last = int(np.flatnonzero(self.full).max(initial=0))
        for cut in range(first, len(self.late)):
            yield (cut - first) / len(self.late)
            is_full = cut < len(self.cells) and bool(self.full[cut])
            before = self.late[cut].copy()
            self._cross(cut, self._earliest(cut) if is_full else None)
            if cut > last and np.abs(self.late[cut] - before).max(initial=0.0) <= CERTAIN:
                return

    def _earliest(self, cell: int) -> Floats:
        """Return the first moments at which the n-th runner has room in a cell, for its k runners."""
        exits = self._exits(cell)
        earliest, jam = np.full(len(exits), -np.inf), int(self.cells.jam[cell])
        earliest[jam:] = exits[: max(0, len(exits) - jam)] + self.cells.lag[cell]
        return earliest

    def _exits(self, cell: int) -> Floats:
        """Return when the k who enter a cell leave it, in order: at its end, or when they stand aside."""
        who, moving = self._who(cell), self.free.moving_at(self.cells.flat[cell])
        entered = self._times(cell)
        leave = np.where(self._reach > cell, self._times(cell + 1), entered + self.free.until_moving - moving)
        for some, stop in self._stops_in[cell]:
            leave[some] = np.minimum(leave[some], entered[some] + stop.start[some] - moving[some])
        return np.sort(leave[who])

    @cached_property
    def _stops_in(self) -> list[list[tuple[Ints, Stop]]]:
        """Return for each cell who stops in it, with the stops."""
        found: list[list[tuple[Ints, Stop]]] = [[] for _ in range(len(self.cells))]
        for stop in self.free.stops:
            who = np.flatnonzero(np.isfinite(stop.place))
            cell = np.searchsorted(self.cells.flat, stop.place[who], side="left") - 1
            for number in np.unique(cell).tolist():
                found[max(0, number)].append((who[cell == number], stop))
        return found

    def _cross(self, cut: int, earliest: Floats | None = None) -> None:
        """Find the delays at a cut from those at the cut before.

        Args:
            cut: its number.
            earliest: the first moment at which the n-th has room in the cell behind it, if that is full.
        """
        late = self.late[cut]
        late[:] = self.late[cut - 1] if cut else 0.0
        if self.headway[cut] == 0.0:
            return
        who = self._who(cut)
        due_of_all = self.free.times_at(self.cells.flat[cut]) + late
        due = due_of_all[who]
        order = _sorted(due)
        slots = _served(due[order], float(self.headway[cut]), earliest)
        waits = slots - due[order]
        if cut:
            self._check_room(cut - 1, slots)
            self._delay_the_last(cut, late, due_of_all, due[order], waits)
            if waits.max(initial=0.0) > self._patience(cut - 1):
                late[who[order]] += waits
                order = self._in_turn(cut, who, due, slots)
                late[who] = self.late[cut - 1, who]
                waits = slots - due[order]
        waits[waits < CERTAIN] = 0.0
        late[who[order]] += waits
        self._last = _Crossing(cut, who[order], slots)

    def _check_room(self, cell: int, exits: Floats) -> None:
        """Notice whether more may be in a cell than fit in, if its entries were found just before its exits.

        Those who end or stand aside there leave earlier, so it may only seem so.
        """
        if self._last.cut != cell:
            return
        late = self._last.times[int(min(self.cells.jam[cell], len(self._last.times))) :]
        room = exits[: len(late)] + self.cells.lag[cell]
        self.packed[cell] = len(room) < len(late) or bool((room - late > SETTLED).any())

    def _delay_the_last(self, cut: int, late: Floats, of_all: Floats, due: Floats, waits: Floats) -> None:
        """Delay those whose race ends in the cell before a cut like those who are due with them, in place."""
        who = np.flatnonzero(self._reach == cut - 1)
        if len(who) and len(due):
            ahead = np.searchsorted(due, of_all[who], side="right") - 1
            late[who] += np.where(ahead >= 0, np.maximum(due[ahead] + waits[ahead] - of_all[who], 0.0), 0.0)

    def _queue_time(self, cell: int) -> float:
        """Return the seconds through a cell that a queue covers, if its end discharges at capacity."""
        queue = float(self.cells.jam[cell] * self.headway[cell + 1] - self.cells.lag[cell])
        return max(queue, float(self._free[cell]) + CERTAIN)

    def _patience(self, cell: int) -> float:
        """Return the longest wait at the end of a cell without a queue that has a length."""
        return max(SHORT, NEGLIGIBLE * (self._queue_time(cell) - float(self._free[cell])))

    def _in_turn(self, cut: int, who: Ints, due: Floats, slots: Floats) -> Ints:
        """Return the order in which those who reach a cut (k,) take its slots, in a queue with a length."""
        flat = self.cells.flat
        moved = (self.free.moving_at(flat[cut]) - self.free.moving_at(flat[cut - 1]))[who]
        # Whatever the order is, the exits are the same, but for those who stand aside.
        alone = not self._stops_in[cut - 1] and not (self._reach == cut - 1).any()
        covered = self._covered(cut - 1, slots if alone else self._exits(cut - 1))
        return _in_turn(due - moved * covered[who], due, slots)

    def _covered(self, cell: int, exits: Floats) -> Floats:
        """Return the share of a cell that its queue covers when each competitor enters, shape (n,)."""
        if self._last.cut == cell:
            who, entered = self._last.who, self._last.times
        else:
            who, entered = self._who(cell), self._times(cell)
            who = who[_sorted(entered[who])]
            entered = entered[who]
        inside = np.arange(len(who)) - np.searchsorted(exits, entered - CERTAIN, side="left")
        # Seconds in which those inside leave: without a queue, and in one over the whole cell.
        free, queue = float(self._free[cell]), self._queue_time(cell)
        free += NEGLIGIBLE * (queue - free)
        covered = np.zeros(len(self.free))
        covered[who] = np.clip((inside * self.headway[cell + 1] - free) / (queue - free), 0.0, 1.0)
        return covered


def _sorted(times: Floats) -> Ints:
    """Return the order of times, shape (k,); of equal ones, the first comes first.

    It is that of `argsort` to a nanosecond or so, six times as fast.
    """
    bits = len(times).bit_length()
    scale = 2.0 ** (62 - bits - int(times.max(initial=1.0)).bit_length())
    keys = (times * scale).astype(np.int64) << bits
    keys |= np.arange(len(times))
    keys.sort()
    keys &= (1 << bits) - 1
    return keys


def _served(due: Floats, headway: float, earliest: Floats | None) -> Floats:
    """Return when each of k runners in order crosses: when due, a headway after the one before, with room."""
    ready = due if earliest is None else np.maximum(due, earliest)
    steps = headway * np.arange(len(ready))
    crossed: Floats = np.maximum(np.maximum.accumulate(ready - steps) + steps, ready)
    return crossed


def _in_turn(joins: Floats, due: Floats, slots: Floats) -> Ints:
    """Return the order in which k runners cross: in each slot, the first to join of those who are due.

    Args:
        joins: when each joins the queue.
        due: when each can cross, not before `joins`.
        slots: the moments at which they cross, in any order of theirs; increasing.
    """
    order = _sorted(joins)
    is_late, slot = np.zeros(len(due), np.bool_), np.empty(len(due))
    for _ in range(TURNS):
        slot[order] = slots
        early = slot < due - CERTAIN
        if not early.any():
            return order
        # They take the first slot for which they are due, and the others move up.
        is_late |= early
        late = order[is_late[order]]
        first = np.searchsorted(slots, due[late] - CERTAIN)
        by_slot = np.argsort(first, kind="stable")
        late, first, steps = late[by_slot], first[by_slot], np.arange(len(late))
        taken = np.maximum.accumulate(first - steps) + steps
        taken = np.minimum(taken, len(slots) - len(late) + steps)
        free = np.ones(len(slots), np.bool_)
        free[taken] = False
        others = order[~is_late[order]]
        order = np.empty_like(order)
        order[taken], order[free] = late, others
    return _sorted(due)


def _with_times(free: Field, marks: Floats, moving: Floats, at_start: Floats) -> Field:
    """Return the field with other moving times, shape (m, n), and later starts, shape (n,)."""
    everyone = np.arange(len(free))

    def then(flat: Floats) -> Floats:
        return interpolate(marks, moving, everyone, np.minimum(flat, marks[-1]))

    finishes = free.until_moving >= free.moving[-1]
    lost = np.where(finishes, moving[-1], then(free.until_flat)) - free.until_moving
    lost[lost < CERTAIN] = 0.0
    stops = tuple(
        stop._replace(start=np.where(np.isfinite(stop.start), then(stop.place), np.inf))
        for stop in free.stops
    )
    return replace(
        free,
        marks=marks,
        moving=moving,
        start=free.start + at_start,
        until_moving=free.until_moving + lost,
        end=free.end + at_start + lost,
        disqualified_at=free.disqualified_at + at_start + lost,
        stops=stops,
        lost=Lost(at_start, np.where(np.isfinite(free.start), lost, 0.0)),
        index=stretches.of(moving) if len(marks) > MAX_MARKS + 1 else None,
    )
