"""Finds the last mark that competitors have passed, where a course has many marks.

Each competitor's moving time is divided into equal slots, and the index knows the mark before each slot. The
few marks within a slot are found by halving. So a search costs about the same, however many marks there are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.arrays import Floats, Ints


class Index(NamedTuple):
    """The marks before each of s slots of n competitors' moving times; made by `of`.

    Attributes:
        marks: the last mark before each slot, shape (s, n).
        rate: slots per second, shape (n,), or of some of them.
        most: the maximum number of marks within a slot.
    """

    marks: NDArray[np.uint16]
    rate: Floats
    most: int

    def take(self, who: Ints | slice) -> "Index":
        """Return the index with the rates of some competitors only."""
        return self._replace(rate=self.rate[who])

    def passed(self, moving: Floats, columns: Ints, moved: Floats) -> Ints:
        """Return the number of the last mark, but for the finish, that competitors have passed, shape (k,).

        Args:
            moving: seconds of moving at each mark, shape (m, n).
            columns: the columns of those whose rates it has, shape (k,).
            moved: seconds of moving, shape (k,), from 0 to the time at the last mark.
        """
        n, last = moving.shape[1], len(moving) - 2
        slot = (moved * self.rate).astype(np.int64)
        mark: Ints = self.marks.reshape(-1).take(slot * n + columns).astype(np.int64)
        times, step = moving.reshape(-1), 1 << self.most.bit_length()
        while step > 1:
            step //= 2
            further = np.minimum(mark + step, last)
            mark = np.where(times.take(further * n + columns) <= moved, further, mark)
        return mark


def of(moving: Floats) -> Index:
    """Return the index of moving times at each mark, shape (m, n), m from 3 to 65,536.

    It has two slots for three marks, in a sixth of their memory: then few slots have more than three marks.
    """
    m, n = moving.shape
    slots = max(1, 2 * m // 3)
    # The last one holds the finish alone, so that rounding makes no more of them.
    rate = (slots - 1) / moving[-1]
    marks = np.zeros((slots, n), np.uint16)
    flat, columns, most = marks.reshape(-1), np.arange(n), 0
    for row in moving[1:-1]:
        # First, how many marks each slot has.
        flat[(row * rate).astype(np.int64) * n + columns] += 1
    before = np.zeros(n, np.uint16)
    for row in marks:
        most = max(most, int(row.max()))
        before += row
        np.subtract(before, row, out=row)
    return Index(marks, rate, most)
