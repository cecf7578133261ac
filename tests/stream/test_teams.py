"""Team scoring against a plain reference, and rule by rule."""

import csv
import io
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.teams import NO_CLUB, SCORERS, Rules, Runners, Team, as_csv, score

Row = tuple[str, str, float]
"""Club, sex and time of a finisher; a time that is not positive is a status instead."""
STATUSES = {0.0: "running", -1.0: "dnf", -2.0: "dsq", -3.0: "waiting"}


def runners(rows: Sequence[Row]) -> Runners:
    """The rows as competitors with the bibs 1, 2, 3 and so on."""
    return Runners(
        bib=np.arange(1, len(rows) + 1),
        status=np.array([STATUSES.get(time, "finished") for *_, time in rows], dtype="U8"),
        time=np.array([time for *_, time in rows], dtype=np.float64),
        club=[club for club, *_ in rows],
        sex=[sex for _, sex, _ in rows],
        names=lambda who: [f"Runner {nth + 1}" for nth in who.tolist()],
    )


def scored(rows: Sequence[Row], *rules: object) -> list[Team]:
    """The teams of these rows by `Rules` with these values."""
    return score(runners(rows), Rules(*rules))  # type: ignore[arg-type]


def short(teams: Sequence[Team]) -> list[tuple[int | None, str, int]]:
    """Place, club and score of each team."""
    return [(team.place, team.club, team.score) for team in teams]


RACE: list[Row] = [
    ("Hares", "M", 100.0),
    ("Foxes", "M", 101.5),
    ("", "F", 102.0),
    ("Foxes", "F", 103.0),
    ("Hares", "F", 110.2),
    ("Owls", "F", 111.0),
    ("Foxes", "F", 112.0),
    ("Hares", "M", 130.0),
    ("Owls", "M", 0.0),
    ("Hares", "F", -1.0),
]


def test_places_are_added_up() -> None:
    """The lowest sum of places wins; competitors without a club keep their places."""
    rows = [row for row in RACE if row != ("Foxes", "F", 103.0)]
    assert short(scored(rows, 2)) == [(1, "Hares", 1 + 4), (2, "Foxes", 2 + 6), (None, "Owls", 5)]


def test_times_are_added_up() -> None:
    """Official times, in whole seconds rounded up, are added up: as the results show them."""
    foxes, hares, owls = scored(RACE, 2, "time")
    assert (foxes.place, foxes.club, foxes.score) == (1, "Foxes", 102 + 103)
    assert (hares.place, hares.club, hares.score) == (2, "Hares", 100 + 111)
    assert [scorer.time for scorer in hares.scorers] == [100, 111]
    assert (owls.place, owls.score) == (None, 111)


def test_a_tie_goes_to_the_better_last_scorer() -> None:
    """Of teams with the same score, the one whose last scorer is nearer to the first place wins."""
    foxes, hares, _ = scored(RACE, 2)
    assert foxes.score == hares.score
    assert foxes.scorers[-1].place < hares.scorers[-1].place
    assert (foxes.place, hares.place) == (1, 2)


def test_equal_teams_share_a_place() -> None:
    """If the last scorers share a place as well, so do the teams, and the next place is left out."""
    rows = [
        ("A", "", 100.0),
        ("B", "", 100.0),
        ("A", "", 200.0),
        ("B", "", 200.0),
        ("C", "", 1.0),
        ("C", "", 999.0),
    ]
    assert short(scored(rows, 2, "time")) == [(1, "A", 300), (1, "B", 300), (3, "C", 1000)]


def test_an_incomplete_team_has_no_place() -> None:
    """It comes after the complete ones, those with most scorers first; its members keep their places."""
    rows = [("Solo", "", 1.0), ("Pair", "", 2.0), ("Pair", "", 3.0), ("Three", "", 4.0), ("Three", "", 5.0)]
    teams = scored([*rows, ("Three", "", 6.0)], 3)
    assert short(teams) == [(1, "Three", 4 + 5 + 6), (None, "Pair", 5), (None, "Solo", 1)]


def test_women_have_places_among_themselves() -> None:
    """Women and men score as in races of their own."""
    assert short(scored(RACE, 2, "place", "women")) == [
        (1, "Foxes", 2 + 5),
        (None, "Hares", 3),
        (None, "Owls", 4),
    ]
    assert short(scored(RACE, 2, "place", "men")) == [(1, "Hares", 1 + 3), (None, "Foxes", 2)]


def test_a_mixed_team_has_women_and_men() -> None:
    """Half of the scorers are women and half are men; the odd one is the best of the others, of any sex."""
    rows: list[Row] = [("A", "M", 1.0), ("A", "M", 2.0), ("A", "X", 3.0), ("A", "F", 4.0), ("A", "M", 5.0)]
    (even,), (odd,) = scored(rows, 2, "place", "mixed"), scored(rows, 3, "place", "mixed")
    assert [scorer.place for scorer in even.scorers] == [1, 4]
    assert (even.finished, odd.finished) == (4, 5)
    assert [scorer.place for scorer in odd.scorers] == [1, 2, 4]
    (lacking,) = scored(rows[:3], 3, "place", "mixed")
    assert (lacking.place, [scorer.place for scorer in lacking.scorers]) == (None, [1, 2])


def test_members_are_counted() -> None:
    """A team has the number of all its finishers, and of its members who may still finish."""
    by_club = {team.club: team for team in scored(RACE, 2)}
    assert (by_club["Foxes"].finished, by_club["Foxes"].to_come) == (3, 0)
    assert (by_club["Hares"].finished, by_club["Hares"].to_come) == (3, 0)
    assert (by_club["Owls"].finished, by_club["Owls"].to_come) == (1, 1)


def test_spellings_of_a_club_are_one_team() -> None:
    """Case and blanks make no other club; the team is called as its first scorer's entry."""
    rows: list[Row] = [("  City  Milers", "", 2.0), ("CITY MILERS", "", 3.0), ("city milers", "", 1.0)]
    assert short(scored(rows, 3)) == [(1, "city milers", 6)]
    assert short(scored(rows[:2], 2)) == [(1, "City Milers", 3)]


@pytest.mark.parametrize(
    "word", sorted({*NO_CLUB, "Unattached", " Sans  Club ", "-", "\u2013", "/", "0", ""})
)
def test_the_unattached_are_no_team(word: str) -> None:
    """Words of start lists for competitors without a club make no team."""
    assert scored([(word, "", 1.0), (word, "", 2.0)], 2) == []


def test_no_competitors() -> None:
    """A race without finishers has no teams."""
    assert scored([], 4) == []
    assert scored([("A", "F", 0.0), ("B", "M", -3.0)], 2) == []


@pytest.mark.parametrize("scorers", SCORERS)
def test_fewest_and_most_scorers(scorers: int) -> None:
    """A team of exactly as many finishers is complete, one with a finisher less is not."""
    rows: list[Row] = [("A", "", nth) for nth in range(1, scorers + 1)]
    assert short(scored(rows, scorers)) == [(1, "A", sum(range(1, scorers + 1)))]
    assert scored(rows[1:], scorers)[0].place is None


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "A", "B", "C", "D"]),
        st.sampled_from(["F", "M", "X", ""]),
        st.sampled_from([0.0, -1.0, -2.0, 60.0, 61.0, 61.5, 62.0, 70.25, 90.0, 100.0]),
    ),
    max_size=40,
)


@given(
    ROWS,
    st.integers(2, 5),
    st.sampled_from(["place", "time"]),
    st.sampled_from(["all", "women", "men", "mixed"]),
)
def test_teams_agree_with_a_plain_reference(rows: list[Row], scorers: int, by: str, who: str) -> None:
    """Each team is the best one that its finishers can make, and no better team comes after it."""
    teams = scored(rows, scorers, by, who)
    keys = []
    for team in teams:
        assert len({scorer.bib for scorer in team.scorers}) == len(team.scorers) <= scorers
        if team.place is not None:
            assert team.score == _best(rows, team.club, scorers, by, who)
            keys.append((team.score, team.scorers[-1].place))
    assert keys == sorted(keys)
    assert [team.place for team in teams if team.place] == [
        1 + sum(other < key for other in keys) for key in keys
    ]
    complete = {team.club for team in teams if team.place}
    for club in {"A", "B", "C", "D"} - complete:
        assert _best(rows, club, scorers, by, who) is None


def _best(rows: list[Row], club: str, scorers: int, by: str, who: str) -> int | None:
    """The lowest score of all teams that the club's finishers can make; None if they can make none."""
    sex_of = {"women": "F", "men": "M"}
    race = [(time, own, sex) for own, sex, time in rows if time > 0 and sex == sex_of.get(who, sex)]
    values = [
        (1 + sum(other < time for other, *_ in race) if by == "place" else int(np.ceil(time)), sex)
        for time, own, sex in race
        if own == club
    ]
    if len(values) > 9:
        values = sorted(values)  # at most a few of each kind matter
        values = [
            one for nth, one in enumerate(values) if [sex for _, sex in values[:nth]].count(one[1]) < scorers
        ]
    half = scorers // 2 if who == "mixed" else 0
    sums = [
        sum(value for value, _ in some)
        for some in combinations(values, scorers)
        if min([sex for _, sex in some].count(sex) for sex in "FM") >= half
    ]
    return min(sums, default=None)


def test_csv_has_a_row_for_each_team() -> None:
    """Each row has a team and its scorers; missing scorers are empty, and no cell is a formula."""
    rows: list[Row] = [("=A", "F", 60.5), ("=A", "F", 61.0), ("Bö, B", "F", 62.0)]
    text = b"".join(as_csv(scored(rows, 2), 2)).decode("utf-8-sig")
    first, second = csv.DictReader(io.StringIO(text))
    assert list(first) == [
        *("place", "club", "score", "finished", "to_come"),
        *("bib_1", "name_1", "place_1", "time_1", "bib_2", "name_2", "place_2", "time_2"),
    ]
    assert list(first.values()) == [
        "1",
        "'=A",
        "3",
        "2",
        "0",
        "1",
        "Runner 1",
        "1",
        "61",
        "2",
        "Runner 2",
        "2",
        "61",
    ]
    assert (second["place"], second["club"], second["name_2"]) == ("", "Bö, B", "")
