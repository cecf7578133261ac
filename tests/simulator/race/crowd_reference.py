"""The crowding model, event by event: slow, and written without the vectorised one.

Every runner has its own events: it joins the queue at the end of its cell, crosses the cut when it is the
first, its headway is over and the next cell has room, or it stands aside. They are processed in the order of
time, so that nothing needs to be solved again.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

import numpy as np

from simulator.race.crowding import queues
from simulator.race.crowding.cells import Cells
from simulator.race.field import Field
from stream.arrays import Floats


@dataclass
class Cell:
    """A cell, and the queue at the cut where it begins."""

    entries: int = 0
    exits: list[float] = field(default_factory=list)
    queue: list[tuple[float, int, int]] = field(default_factory=list)


class Reference:
    """The moments at which the competitors of a field cross the cuts.

    Attributes:
        crossed: seconds from the gun, shape (c + 1, n); NaN for those who don't get there.
        covered: share of each cell that a queue covered when each competitor entered, shape (c, n).
    """

    def __init__(self, free: Field, cells: Cells) -> None:
        self.free, self.cells = free, cells
        n, cuts = len(free), len(cells) + 1
        self.crossed = np.full((cuts, n), np.nan)
        self.covered = np.zeros((len(cells), n))
        self._moving = np.array([self._at(flat) for flat in cells.flat])
        self._run = np.diff(self._moving, axis=0)
        self._reach = np.where(
            np.isfinite(free.start), np.searchsorted(cells.places, free.until, side="right") - 1, -1
        )
        self._mean = self._run.mean(axis=1)
        self._state = [Cell() for _ in range(cuts)]
        self._last = np.full(cuts, -np.inf)
        self._waiting: list[bool] = [False] * cuts
        self._aside: set[tuple[int, int]] = set()
        self._events: list[tuple[float, int, int, str, int, int]] = []
        self._number = count()
        order = sorted(range(n), key=lambda who: (free.start[who], free.place[who]))
        self._joins = {(0, who): (float(free.start[who]), nth) for nth, who in enumerate(order)}
        for who in order:
            if np.isfinite(free.start[who]):
                self._push(float(free.start[who]), 1, "arrive", 0, who)
        while self._events:
            time, _, _, kind, cut, who = heappop(self._events)
            getattr(self, f"_{kind}")(time, cut, who)

    def _at(self, flat: float) -> Floats:
        return np.array(
            [np.interp(flat, self.free.marks, self.free.moving[:, who]) for who in range(len(self.free))]
        )

    def _push(self, time: float, rank: int, kind: str, cut: int, who: int) -> None:
        heappush(self._events, (time, rank, next(self._number), kind, cut, who))

    def _arrive(self, time: float, cut: int, who: int) -> None:
        heappush(self._state[cut].queue, (*self._joins[cut, who], who))
        self._try(time, cut)

    def _try(self, time: float, cut: int) -> None:
        """Have the next of a queue cross as soon as possible, if that is known."""
        state = self._state[cut]
        if not state.queue or self._waiting[cut]:
            return
        earliest = max(time, self._last[cut] + float(self.cells.headway[cut]))
        if cut < len(self.cells) and np.isfinite(self.cells.jam[cut]):
            nth = state.entries - int(self.cells.jam[cut])
            if nth >= len(state.exits):
                return
            if nth >= 0:
                earliest = max(earliest, state.exits[nth] + float(self.cells.lag[cut]))
        self._waiting[cut] = True
        self._push(earliest, 2, "cross", cut, 0)

    def _cross(self, time: float, cut: int, _nobody: int) -> None:
        """Let the one cross that joined first, of those who are there by now."""
        _, _, who = heappop(self._state[cut].queue)
        self._waiting[cut] = False
        self._last[cut] = time
        self._pass(time, cut, who)
        self._try(time, cut)

    def _leave(self, time: float, cell: int) -> None:
        self._state[cell].exits.append(time)
        self._try(time, cell)

    def _standing(self, time: float, cell: int, _: int) -> None:
        """Let a runner stand aside, or end."""
        self._leave(time, cell)

    def _enter(self, time: float, cell: int, who: int) -> None:
        state = self._state[cell]
        left = sum(1 for one in reversed(state.exits) if one < time)
        inside = state.entries - left
        state.entries += 1
        run, stands = float(self._run[cell, who]), 0.0
        for stop in self.free.stops:
            if self.cells.flat[cell] < stop.place[who] <= self.cells.flat[cell + 1]:
                stands += float(stop.length[who])
                if (cell, who) not in self._aside:
                    self._aside.add((cell, who))
                    since = float(stop.start[who]) - float(self._moving[cell, who])
                    self._push(time + since, 0, "standing", cell, who)
        if self._reach[who] <= cell:
            if (cell, who) not in self._aside:
                since = float(self.free.until_moving[who]) - float(self._moving[cell, who])
                self._push(time + since, 0, "standing", cell, who)
            return
        headway = float(self.cells.headway[cell + 1])
        if headway > 0 and np.isfinite(self.cells.jam[cell]):
            mean = float(self._mean[cell])
            queue = max(self.cells.jam[cell] * headway - self.cells.lag[cell], mean + 1e-7)
            mean += queues.NEGLIGIBLE * (queue - mean)
            self.covered[cell, who] = np.clip((inside * headway - mean) / (queue - mean), 0.0, 1.0)
        self._joins[cell + 1, who] = (
            time + stands + run * (1.0 - self.covered[cell, who]),
            int(self.free.place[who]),
        )
        self._push(
            time + run + stands, 1 if headway > 0 else 0, "arrive" if headway > 0 else "pass", cell + 1, who
        )

    def _pass(self, time: float, cut: int, who: int) -> None:
        self.crossed[cut, who] = time
        if (cut - 1, who) not in self._aside:
            self._leave(time, cut - 1)
        if cut < len(self.cells):
            self._enter(time, cut, who)
