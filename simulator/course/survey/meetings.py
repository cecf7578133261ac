"""Which ends of lines are near each other, and in which order they are linked.

End 2i is the first point of line i, end 2i + 1 its last.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product
from typing import TypeAlias

import numpy as np

from simulator.course.drawing import CourseError
from simulator.course.survey import limits
from stream.arrays import Floats, Ints

MAX_MEETINGS = 200_000
"""Maximum pairs of ends that meet: thousands of pieces that all begin at one place have millions."""
_AHEAD = [offset for offset in product((-1, 0, 1), repeat=3) if offset > (0, 0, 0)]
"""Half of the cells around one: each pair of neighbours is looked at once."""
Meetings: TypeAlias = Sequence[tuple[int, int]]
"""Pairs of ends, best first."""


def meetings_of(ends: Floats, reach: float) -> Meetings:
    """Return the pairs of ends, shape (n, 3), within reach, best first.

    Raises:
        CourseError: there are more than `MAX_MEETINGS`.
    """
    cells: dict[tuple[int, ...], list[int]] = defaultdict(list)
    keys = np.floor(ends / reach).astype(np.int64)
    for end, key in enumerate(map(tuple, keys.tolist())):
        cells[key].append(end)
    pairs: list[tuple[int, int]] = []
    for (x, y, z), own in cells.items():
        near = [end for dx, dy, dz in _AHEAD for end in cells.get((x + dx, y + dy, z + dz), ())]
        if len(pairs) + len(own) * ((len(own) - 1) // 2 + len(near)) > MAX_MEETINGS:
            raise CourseError(
                f"more than {MAX_MEETINGS:,} pairs of its lines meet: delete those that aren't part of "
                "the course"
            )
        pairs += combinations(own, 2)
        pairs += product(own, near)
    if not pairs:
        return []
    some, others = np.sort(pairs, axis=1).T
    apart = np.linalg.norm(ends[some] - ends[others], axis=1)
    within = apart <= reach
    some, others, apart = some[within], others[within], apart[within]
    order = preferred(some, others, apart)
    return list(zip(some[order].tolist(), others[order].tolist(), strict=True))


def preferred(some: Ints, others: Ints, apart: Floats) -> Ints:
    """Return the order in which pairs of ends are linked.

    The nearest come first; among equals consecutive pieces, then pairs that keep the drawn direction.
    """
    follows = (some % 2 == 1) & (others == some + 1)
    turns = some % 2 == others % 2
    order: Ints = np.lexsort((others, some, turns, ~follows, np.rint(apart / limits.SAME)))
    return order
