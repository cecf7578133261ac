from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard import leaderboard, rows
from dashboard.formatting import UNKNOWN
from dashboard.store import Competitor, Positions

Row = tuple[int, float, str, float]


def positions(*competitors: Row) -> Positions:
    """Positions of (bib, distance, status, elapsed)."""
    return rows.positions(
        [(bib, 0.0, 51.0, distance, status, elapsed) for bib, distance, status, elapsed in competitors]
    )


def standing(*competitors: Row) -> list[tuple[int, int]]:
    """(place, bib) in the leaderboard's order."""
    found = positions(*competitors)
    ranking = leaderboard.rank(found)
    return list(zip(ranking.place.tolist(), found.competitor[ranking.order].tolist(), strict=True))


def table(*competitors: Row, distance: float | None = 5000.0, limit: int = 10) -> pd.DataFrame:
    """The leaderboard of a race of 5,000 m in which bib 1 has a name."""
    found = positions(*competitors)
    names = {1: Competitor("Ann", "W", 1)}
    return leaderboard.table(found, leaderboard.rank(found), names, distance, limit)


def test_finishers_by_time_then_others_by_distance() -> None:
    """Who has finished comes first, by exact time; the others follow by distance."""
    assert standing(
        (1, 3000, "running", 900),
        (2, 5000, "finished", 1000.002),
        (3, 4000, "paused", 900),
        (4, 5000, "finished", 1000.001),
    ) == [(1, 4), (2, 2), (3, 3), (4, 1)]


def test_ties_share_a_place() -> None:
    """Equals share a place in bib order, and the places they take up are left out."""
    assert standing(
        (9, 2000, "running", 60),
        (2, 3000, "running", 60),
        (7, 3000, "running", 60),
        (3, 5000, "finished", 50),
        (1, 5000, "finished", 50),
    ) == [(1, 1), (1, 3), (3, 2), (3, 7), (5, 9)]


def test_finisher_and_runner_are_no_tie() -> None:
    """A finish time that equals somebody's distance is no tie."""
    assert standing((1, -50, "running", 0), (2, 5000, "finished", 50)) == [(1, 2), (2, 1)]


def test_who_stopped_has_no_place() -> None:
    """Who did not finish stands where they got to, without a place, and takes nobody else's."""
    assert standing((1, 3000, "running", 9), (2, 2000, "dnf", 9), (3, 1000, "running", 9)) == [
        (1, 1),
        (leaderboard.NO_PLACE, 2),
        (2, 3),
    ]


def test_nobody_yet() -> None:
    """Before the first tick there is an empty leaderboard and no leader."""
    nobody = positions()
    ranking = leaderboard.rank(nobody)
    assert leaderboard.figures(nobody, ranking).leader_distance is None
    assert len(leaderboard.table(nobody, ranking, {}, 5000, 10)) == 0


def test_figures() -> None:
    """The header counts who is on the course, paused ones too, and who finished, and has the leader."""
    found = positions(
        (1, 3000, "running", 9), (2, 4000, "paused", 9), (3, 99, "dnf", 9), (4, 5000, "finished", 8)
    )
    figures = leaderboard.figures(found, leaderboard.rank(found))
    assert figures == leaderboard.Figures(on_course=2, finished=1, leader_distance=5000.0)


def test_rows_as_shown() -> None:
    """Rows hold place, bib, name, status, kilometres covered and to go, pace and time."""
    shown = table((1, 4900, "running", 1470), (2, 5000, "finished", 1445.6))
    assert shown.to_dict("list") == {
        "place": [1, 2],
        "bib": [2, 1],
        "name": ["", "Ann"],
        "status": ["Finished", "Running"],
        "covered": [5.0, 4.9],
        "to_go": [0.0, 0.1],
        "pace": ["4:49", "5:00"],
        "time": ["0:24:05", "0:24:30"],
    }


def test_row_of_who_stopped() -> None:
    """Who did not finish has neither place nor time."""
    (row,) = table((1, 1234, "dnf", 500)).to_dict("records")
    assert pd.isna(row["place"])
    assert (row["status"], row["pace"], row["time"]) == ("DNF", UNKNOWN, UNKNOWN)


def test_course_of_unknown_length() -> None:
    """Without a course nobody knows how far it is."""
    assert np.isnan(table((1, 10, "running", 1), distance=None)["to_go"]).all()


def test_covered_and_to_go_make_the_length() -> None:
    """As they are shown, what somebody has covered and has to go is the course's length."""
    many: list[Row] = [(bib, bib * 4966.4452 / 700, "running", 60.0) for bib in range(1, 701)]
    shown = table(*many, distance=4966.4452, limit=700)
    sums = {
        f"{float(f'{a:.2f}') + float(f'{b:.2f}'):.2f}"
        for a, b in zip(shown.covered, shown.to_go, strict=True)
    }
    assert sums == {"4.97"}


def test_limit() -> None:
    """The table ends after the limit, and the places don't depend on it."""
    many: list[Row] = [(bib, 100.0 * bib, "running", 60.0) for bib in range(1, 21)]
    assert table(*many, limit=3)["bib"].tolist() == [20, 19, 18]
