"""A season: races at regular dates, with athletes who come back."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.course.course import Course
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.race.season import FORM, Season

FIRST = datetime(2026, 1, 3, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
Line = dict[str, str]


def season(seed: int = 5, competitors: int = 30, athletes: int = 60, races: int = 8) -> Season:
    """Return a season on the straight course."""
    request = RaceRequest(course="straight", competitors=competitors, seed=seed, pace_model="parkrun")
    return Season(request, athletes, races, FIRST, WEEK)


def lists(of: Season, course: Course) -> list[list[Line]]:
    """Return the start list of each race."""
    texts = (request.start_list or "" for request in of.requests(course))
    return [list(csv.DictReader(text.splitlines())) for text in texts]


def test_dates_and_ids(straight: Course) -> None:
    """Races are a week apart, and their ids and names have the date."""
    races = list(season(races=3).requests(straight))

    assert [race.start_at for race in races] == [FIRST, FIRST + WEEK, FIRST + 2 * WEEK]
    assert [race.run_id for race in races] == [
        "straight-20260103-0900",
        "straight-20260110-0900",
        "straight-20260117-0900",
    ]
    assert races[0].name == "The Straight, 2026-01-03"
    assert len({race.seed for race in races}) == 3


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    competitors=st.integers(1, 40),
    more=st.integers(0, 40),
    races=st.integers(1, 5),
)
def test_everyone_is_the_same_in_each_race(
    straight: Course, seed: int, competitors: int, more: int, races: int
) -> None:
    """A bib is one person all season; in a race, everyone starts once, and there are as many as asked for."""
    found = lists(season(seed, competitors, competitors + more, races), straight)

    people: dict[str, tuple[str, ...]] = {}
    for entries in found:
        assert len(entries) == competitors
        assert len({one["bib"] for one in entries}) == competitors
        for one in entries:
            who = tuple(one[name] for name in ("name", "gender", "category", "club"))
            assert people.setdefault(one["bib"], who) == who
    assert len(people) <= competitors + more


def test_the_seed_repeats_the_season(straight: Course) -> None:
    """The same seed is the same season, another seed another one, and more races change no earlier one."""
    assert lists(season(), straight) == lists(season(races=12), straight)[:8]
    assert lists(season(), straight) != lists(season(seed=6), straight)


def test_athletes_have_an_ability_and_a_form(straight: Course) -> None:
    """Paces of an athlete differ from race to race, by a few per cent around the own mean."""
    paces: dict[str, list[float]] = {}
    for entries in lists(season(races=30, competitors=50), straight):
        for one in entries:
            paces.setdefault(one["bib"], []).append(float(one["pace"]))

    often = {bib: own for bib, own in paces.items() if len(own) >= 20}
    assert len(often) > 10
    for own in often.values():
        mean = sum(own) / len(own)
        assert len(set(own)) > 10
        assert max(abs(pace / mean - 1) for pace in own) < 2 * FORM
    means = [sum(own) / len(own) for own in often.values()]
    assert max(means) > 1.2 * min(means)


def test_some_come_often_and_some_seldom(straight: Course) -> None:
    """In half of the races on average, but not everyone alike."""
    times = Counter(one["bib"] for entries in lists(season(races=40), straight) for one in entries)

    assert sum(times.values()) == 40 * 30
    assert max(times.values()) > 24
    assert min(times.values()) < 16


def test_races_run_as_listed(straight: Course) -> None:
    """A race made from a request has its athletes, with their bibs and names."""
    (request,) = season(races=1).requests(straight)

    race = Race(straight, request)

    (listed,) = lists(season(races=1), straight)
    some = list(race.entrants.some(0, len(listed)))
    assert [(str(one.bib), one.name) for one in some] == [(one["bib"], one["name"]) for one in listed]


def test_a_season_without_a_reserve(straight: Course) -> None:
    """With as many athletes as competitors, all of them run every race."""
    found = lists(replace(season(), athletes=30), straight)

    assert all({one["bib"] for one in entries} == {one["bib"] for one in found[0]} for entries in found)
