import numpy as np

from dashboard.race import leaderboard
from tests.dashboard.fakes import Row, at


def standing(*competitors: Row) -> list[tuple[int, int]]:
    """(place, bib) in the leaderboard's order."""
    found = at(*competitors)
    ranking = leaderboard.rank(found, np.zeros(len(found)))
    return list(zip(ranking.place.tolist(), found.competitor[ranking.order].tolist(), strict=True))


def test_finishers_by_time_then_others_by_distance() -> None:
    """Finishers come first, by exact time; the others follow by distance."""
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
    """A finish time that equals another competitor's distance is no tie."""
    assert standing((1, 0, "running", 9), (2, 5000, "finished", 0)) == [(1, 2), (2, 1)]


def test_who_is_out_has_no_place() -> None:
    """DSQ, DNF and DNS come last, without a place, and take no other competitor's."""
    none = leaderboard.NO_PLACE
    assert standing(
        (1, 0, "dns", 0),
        (2, 4000, "dnf", 9),
        (3, 5000, "dsq", 7),
        (4, 0, "waiting", 9),
        (5, 1000, "running", 9),
        (6, 5000, "finished", 8),
        (7, 5000, "dsq", 6.5),
        (8, 4500, "dnf", 9),
        (9, 2000, "paused", 9),
    ) == [(1, 6), (2, 9), (3, 5), (none, 4), (none, 7), (none, 3), (none, 8), (none, 2), (none, 1)]


def test_disqualified_winner_leaves_the_first_place() -> None:
    """After the verdict the next one has won."""
    assert standing((1, 5000, "dsq", 900), (2, 5000, "finished", 950)) == [(1, 2), (leaderboard.NO_PLACE, 1)]


def test_before_the_first_start() -> None:
    """While all wait, there are no places."""
    assert standing((2, 0, "waiting", 0), (1, 0, "waiting", 0)) == [(0, 1), (0, 2)]


def test_no_positions_yet() -> None:
    """Before the first tick there is an empty leaderboard."""
    assert standing() == []
