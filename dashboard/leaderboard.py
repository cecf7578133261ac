"""Who leads: places, and the rows of the leaderboard. Pure: positions in, arrays and tables out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dashboard.store import Competitor, Positions

STATUS_WORDS = {"running": "Running", "paused": "Paused", "finished": "Finished", "dnf": "DNF"}

NO_PLACE = 0


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order of a race.

    Attributes:
        order: indices into the positions, the leader first, shape (n,).
        place: places in that order, shape (n,); `NO_PLACE` for those who stopped for good.
    """

    order: NDArray[np.intp]
    place: NDArray[np.int64]


@dataclass(frozen=True)
class Figures:
    """A race in a few numbers; `leader_distance` in metres, None before the first tick."""

    on_course: int
    finished: int
    leader_distance: float | None


def rank(positions: Positions) -> Ranking:
    """Finishers by exact time, then the others by distance, then by bib.

    Places are standard competition ranking (1, 2, 2, 4) among those who are still in the race.
    """
    finished = positions.status == "finished"
    key = np.where(finished, positions.elapsed, -positions.distance)
    order = np.lexsort((positions.competitor, key, ~finished))
    placed = order[positions.status[order] != "dnf"]
    first_of_tie = np.ones(len(placed), dtype=bool)
    first_of_tie[1:] = (key[placed][1:] != key[placed][:-1]) | (finished[placed][1:] != finished[placed][:-1])
    rank_by_index = np.full(len(order), NO_PLACE)
    running_number = np.arange(1, len(placed) + 1)
    rank_by_index[placed] = np.maximum.accumulate(np.where(first_of_tie, running_number, 0))
    return Ranking(order=order, place=rank_by_index[order])


def figures(positions: Positions, ranking: Ranking) -> Figures:
    """The header's numbers."""
    return Figures(
        on_course=int(np.isin(positions.status, ("running", "paused")).sum()),
        finished=int((positions.status == "finished").sum()),
        leader_distance=float(positions.distance[ranking.order[0]]) if len(positions) else None,
    )


def _shown_kilometres(metres: float) -> float:
    return float(formatting.kilometres(metres))


def table(
    positions: Positions,
    ranking: Ranking,
    competitors: Mapping[int, Competitor],
    course_distance: float | None,
    limit: int,
) -> pd.DataFrame:
    """The first `limit` rows of the leaderboard, ready to show.

    Columns: place (missing for those who stopped), bib, name, status, covered and to_go in kilometres (to_go
    missing without a course), pace, time. Rounded as they are shown, covered and to_go make the course's
    length.
    """
    whole = np.nan if course_distance is None else _shown_kilometres(course_distance)
    shown = ranking.order[:limit]
    place = ranking.place[:limit]
    distance = positions.distance[shown]
    covered = np.array([_shown_kilometres(metres) for metres in distance.tolist()])
    bibs = positions.competitor[shown].tolist()
    statuses = positions.status[shown].tolist()
    elapsed = np.where(positions.status[shown] == "dnf", np.nan, positions.elapsed[shown]).tolist()
    return pd.DataFrame(
        {
            "place": pd.array([number or None for number in place.tolist()], dtype="Int64"),
            "bib": bibs,
            "name": [known.name if (known := competitors.get(bib)) else "" for bib in bibs],
            "status": [STATUS_WORDS.get(status, status) for status in statuses],
            "covered": covered,
            "to_go": np.maximum(np.round(whole - covered, 2), 0),
            "pace": [
                formatting.pace(seconds, metres)
                for seconds, metres in zip(elapsed, distance.tolist(), strict=True)
            ],
            "time": [formatting.race_time(seconds) for seconds in elapsed],
        }
    )
