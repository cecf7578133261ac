"""Links pieces of line by their ends, in whatever order and direction they were drawn.

The pieces are the edges of a graph, whose nodes are the places where ends meet. Each chain is a trail in it:
ends are linked in pairs, nearest first, and closed chains are spliced into others that they touch
(Hierholzer's method), so pieces are left over only where a trail can't use them all.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from simulator.course.survey import limits
from simulator.course.survey.meetings import Meetings, meetings_of, preferred
from stream.arrays import Floats

MAX_BRANCHES = 50
"""Maximum joints of three chains at which the longest way is looked for."""


class Piece(NamedTuple):
    """A piece in a chain: its number, and whether it is run against its drawn direction."""

    number: int
    against: bool


Chain: TypeAlias = tuple[Piece, ...]


def linked(starts: Floats, finishes: Floats, lengths: Floats, reach: float) -> list[Chain]:
    """Return the chains of pieces whose ends meet, in the order and mostly the direction of drawing.

    Args:
        starts: first points of the pieces in metres, shape (n, 3).
        finishes: last points likewise.
        lengths: metres of the pieces, shape (n,).
        reach: maximum metres between ends that meet.

    Raises:
        CourseError: more than `meetings.MAX_MEETINGS` pairs of ends meet.
    """
    # End 2i is the first point of piece i, end 2i + 1 its last.
    ends = np.stack([starts, finishes], axis=1).reshape(-1, 3)
    meetings = meetings_of(ends, reach)
    found = _linked(meetings, lengths, reach, at_branches=False)
    if len(found) > 1:
        others = _linked(meetings, lengths, reach, at_branches=True)
        found = max(found, others, key=lambda chains: max(_metres(chain, lengths) for chain in chains))
    return [_forward(chain, lengths) for chain in found]


def _linked(meetings: Meetings, lengths: Floats, reach: float, *, at_branches: bool) -> list[Chain]:
    """Link ends that meet; `at_branches` looks for the longest way where three chains meet."""
    links = _Links(lengths, reach)
    links.join(meetings)
    if at_branches:
        links.prefer_long(meetings)
        links.join(meetings)
    links.splice(meetings)
    return list(links.chains())


def _metres(chain: Chain, lengths: Floats) -> float:
    return float(lengths[[piece.number for piece in chain]].sum())


def groups(starts: Floats, finishes: Floats, lengths: Floats, reach: float) -> list[list[int]]:
    """Return the numbers of pieces that are connected by ends within reach, in the order of the pieces.

    Arguments and errors as for `linked`.
    """
    links = _Links(lengths, reach)
    for one, other in meetings_of(np.stack([starts, finishes], axis=1).reshape(-1, 3), reach):
        links.unite(one, other)
    found: dict[int, list[int]] = defaultdict(list)
    for piece in range(len(lengths)):
        found[links.root(piece)].append(piece)
    return list(found.values())


def bridged(chains: Sequence[Chain], starts: Floats, finishes: Floats, lengths: Floats) -> Chain:
    """Return one chain of all, linked by the nearest of their ends, however far apart.

    Arguments as for `linked`. The time grows with the square of the number of chains.
    """
    firsts = [_begin(chain[0], starts, finishes) for chain in chains]
    lasts = [_begin(chain[-1], finishes, starts) for chain in chains]
    ends = np.stack([firsts, lasts], axis=1).reshape(-1, 3)
    apart = np.linalg.norm(ends[:, None] - ends[None], axis=2)
    links = _Links(np.zeros(len(chains)), 0.0)
    some, others = np.triu_indices(len(ends), k=1)
    order = preferred(some, others, apart[some, others])
    links.join(list(zip(some[order].tolist(), others[order].tolist(), strict=True)))
    (whole,) = links.chains()
    runs = [backwards(chains[index]) if against else chains[index] for index, against in whole]
    return _forward(tuple(piece for run in runs for piece in run), lengths)


def backwards(chain: Chain) -> Chain:
    """Return a chain in the opposite direction."""
    return tuple(Piece(index, not against) for index, against in reversed(chain))


def rotated(chain: Chain, first: int) -> Chain:
    """Return a closed chain that begins with its piece number `first` (in the chain)."""
    return (*chain[first:], *chain[:first])


def _begin(piece: Piece, starts: Floats, finishes: Floats) -> Floats:
    """Return the place where a piece begins; with the two arrays exchanged, the place where it ends."""
    place: Floats = (finishes if piece.against else starts)[piece.number]
    return place


def _forward(chain: Chain, lengths: Floats) -> Chain:
    """Return the chain in the direction in which more metres were drawn; at a draw, as the first piece."""
    metres = sum(lengths[index] if against else -lengths[index] for index, against in chain)
    turn = min(chain).against if abs(metres) <= limits.SAME else metres > 0
    return backwards(chain) if turn else chain


class _Links:
    """Which end of which piece is linked with which other; end 2i begins and 2i + 1 ends piece i."""

    def __init__(self, lengths: Floats, reach: float) -> None:
        self._lengths = lengths.tolist()
        self._reach = reach
        self._partner = [-1] * (2 * len(lengths))
        self._parent = list(range(len(lengths)))

    def join(self, pairs: Meetings) -> None:
        """Link pairs of free ends of different chains, in order."""
        for one, other in pairs:
            if self._partner[one] < 0 > self._partner[other] and self.unite(one, other):
                self._link(one, other)

    def prefer_long(self, meetings: Meetings) -> None:
        """Where a chain ends at a joint of another one, link the two longest of the three ways there."""
        branches, meet = 0, set(meetings)
        for pair in meetings:
            for free, at in (pair, pair[::-1]):
                if self._partner[free] >= 0 or self._partner[at] < 0 or branches == MAX_BRANCHES:
                    continue
                ends = self._free_ends(free // 2)
                # A closed chain is a loop from there, and no branch.
                if self.root(free // 2) != self.root(at // 2) and (min(ends), max(ends)) not in meet:
                    branches += 1
                    if self._exchange(free, at):
                        self._regroup()

    def _exchange(self, free: int, at: int) -> bool:
        """Link a free end with an end that is linked, or with its partner, if the way becomes longer."""
        beside = self._partner[at]
        own, here, there = (
            sum(self._lengths[one.number] for one in self._walk(end)) for end in (free, at, beside)
        )
        if own <= min(here, there):
            return False
        kept, left = (at, beside) if here >= there else (beside, at)
        self._link(free, kept)
        self._partner[left] = -1
        return True

    def _regroup(self) -> None:
        """Determine again which pieces are in one chain."""
        self._parent = list(range(len(self._parent)))
        for end, partner in enumerate(self._partner):
            if partner > end:
                self.unite(end, partner)

    def splice(self, meetings: Meetings) -> None:
        """Insert each closed chain into another one that passes one of its joints."""
        closed = self._closed(meetings)
        for pair in meetings:
            roots = [self.root(end // 2) for end in pair]
            ring = next((nth for nth in (1, 0) if roots[nth] in closed), None)
            if ring is None or roots[0] == roots[1]:
                continue
            at = pair[1 - ring]
            last = self._insert(pair[ring], closed.pop(roots[ring]), at)
            host = closed.pop(roots[1 - ring], None)
            self.unite(*pair)
            if host:
                one, other = (last if end == at else end for end in host)
                closed[self.root(at // 2)] = one, other

    def _insert(self, joint: int, ends: tuple[int, int], at: int) -> int:
        """Open a closed chain at its end `joint`, and put it between `at` and what follows there.

        `ends` are the free ends of the closed chain. Return its last end, which is free if nothing follows.
        """
        beside = self._partner[joint]
        if beside < 0:
            beside = ends[0] if joint == ends[1] else ends[1]
        else:
            self._link(*ends)
        # Of the two directions in which the ring may be run, prefer the drawn one.
        if joint % 2 == at % 2 and beside % 2 != at % 2:
            joint, beside = beside, joint
        self._partner[joint] = self._partner[beside] = -1
        follows = self._partner[at]
        self._link(at, joint)
        if follows >= 0:
            self._link(follows, beside)
        return beside

    def _closed(self, meetings: Meetings) -> dict[int, tuple[int, int]]:
        """Return the free ends of each chain whose ends meet, by the chain's root."""
        metres: dict[int, float] = defaultdict(float)
        for index, length in enumerate(self._lengths):
            metres[self.root(index)] += length
        return {
            root: (one, other)
            for one, other in meetings
            if self._partner[one] < 0 > self._partner[other]
            and (root := self.root(one // 2)) == self.root(other // 2)
            # The ends of a short piece are near each other anyway.
            and metres[root] > 4 * self._reach
        }

    def chains(self) -> Iterator[Chain]:
        """Yield the chains, each from its end that was drawn first, in the order of their first pieces."""
        seen: set[int] = set()
        for first in range(len(self._parent)):
            if first in seen:
                continue
            free = self._free_ends(first)
            chain = tuple(self._walk(free[0]))
            seen.update(piece.number for piece in chain)
            yield chain

    def _free_ends(self, piece: int) -> tuple[int, int]:
        """Return both free ends of a piece's chain, as reached against and along its direction."""
        ends = [2 * piece, 2 * piece + 1]
        for nth in (0, 1):
            while (beyond := self._partner[ends[nth]]) >= 0:
                ends[nth] = beyond ^ 1
        return ends[0], ends[1]

    def _walk(self, end: int) -> Iterator[Piece]:
        while end >= 0:
            yield Piece(end // 2, end % 2 == 1)
            end = self._partner[end ^ 1]

    def _link(self, one: int, other: int) -> None:
        self._partner[one], self._partner[other] = other, one

    def unite(self, one: int, other: int) -> bool:
        """Record that two ends are in one chain; return whether they were in different ones."""
        roots = self.root(one // 2), self.root(other // 2)
        self._parent[roots[0]] = roots[1]
        return roots[0] != roots[1]

    def root(self, piece: int) -> int:
        """Return the piece that stands for a piece's chain."""
        while self._parent[piece] != piece:
            self._parent[piece] = self._parent[self._parent[piece]]
            piece = self._parent[piece]
        return piece
