"""Places and gaps. Pure: positions in, arrays out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.store.protocol import ON_COURSE, OUT, Positions
from stream.arrays import Floats, Ints
from stream.results import since

NO_PLACE = 0

GROUPS = (("finished",), ON_COURSE, ("waiting",), *((status,) for status in OUT))
"""Statuses in leaderboard order; the first two have places."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order of a race.

    Attributes:
        order: indices into the positions, the leader first, shape (n,).
        place: places in that order, shape (n,); `NO_PLACE` before the start and for competitors out of the
            race.
    """

    order: NDArray[np.intp]
    place: Ints


def rank(positions: Positions, starts: Floats) -> Ranking:
    """Finishers by exact time, then those on the course by distance, then by bib; unplaced competitors last.

    `starts` are the moments from which each one's time counts: the guns of the waves, or the own starts; in
    seconds after the first gun, shape (n,). Places are standard competition ranking (1, 2, 2, 4) among
    competitors still in the race.
    """
    group = np.select([np.isin(positions.status, group) for group in GROUPS], range(len(GROUPS)), 1)
    came_in = np.isin(positions.status, ("finished", "dsq"))
    key = np.where(came_in, since(positions.elapsed, starts), -positions.distance)
    order = np.lexsort((positions.competitor, key, group))
    placed = order[group[order] <= 1]
    first_of_tie = np.ones(len(placed), dtype=bool)
    first_of_tie[1:] = (key[placed][1:] != key[placed][:-1]) | (group[placed][1:] != group[placed][:-1])
    rank_by_index = np.full(len(order), NO_PLACE)
    running_number = np.arange(1, len(placed) + 1)
    rank_by_index[placed] = np.maximum.accumulate(np.where(first_of_tie, running_number, 0))
    return Ranking(order=order, place=rank_by_index[order])


def gaps(positions: Positions, guns: Floats, ranking: Ranking, head: tuple[Floats, Floats]) -> Floats:
    """Seconds of gun time behind the head of the race at each competitor's own position, shape (n,).

    For finishers, the difference of gun times. `guns` are the seconds from the first gun to each one's own,
    shape (n,). `head` is the shortest gun time at each timing point (metres, seconds), interpolated at even
    pace. NaN before the first tick and for unplaced competitors.
    """
    if not len(positions):
        return np.empty(0)
    metres, seconds = head
    first = ranking.order[0]
    beyond = metres < positions.distance[first]
    metres = np.append(metres[beyond], positions.distance[first])
    times = since(positions.elapsed, guns)
    seconds = np.append(seconds[beyond], times[first])
    found = np.maximum(times - np.interp(positions.distance, metres, seconds), 0.0)
    return np.where(np.isin(positions.status, ("waiting", *OUT)), np.nan, found)
