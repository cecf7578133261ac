from __future__ import annotations

from dashboard import leaderboard
from tests.dashboard.fakes import Row, at


def standing(*competitors: Row) -> list[tuple[int, int]]:
    """(place, bib) in the leaderboard's order."""
    found = at(*competitors)
    ranking = leaderboard.rank(found)
    return list(zip(ranking.place.tolist(), found.competitor[ranking.order].tolist(), strict=True))


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
    """Before the first tick there is an empty leaderboard."""
    assert standing() == []
