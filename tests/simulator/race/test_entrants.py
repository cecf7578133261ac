from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.race import entrants
from simulator.race.race import Race

MakeRace = Callable[..., Race]


def test_plain_competitors_are_numbers(make_race: MakeRace) -> None:
    """Without names they are called by their numbers, whatever part is asked for."""
    plain = make_race(competitors=5).entrants

    assert [tuple(who) for who in plain.some(2, 4)] == [
        (3, "Runner 3", "Open", "", 1, ""),
        (4, "Runner 4", "Open", "", 1, ""),
    ]


def test_drawn_competitors_have_names_age_groups_and_clubs(make_race: MakeRace) -> None:
    """Shares of women, of each age group and of those without a club are as said, within 2 % of all."""
    race = make_race(competitors=20_000, entrants="drawn", women=0.45)
    everyone = list(race.entrants.some(0, 20_000))
    groups = Counter(who.category[1:] for who in everyone)

    assert sum(who.category[0] == "W" for who in everyone) / 20_000 == pytest.approx(0.45, abs=0.02)
    for group, share in entrants.AGES:
        assert groups[group] / 20_000 == pytest.approx(share, abs=0.01)
    assert sum(not who.club for who in everyone) / 20_000 == pytest.approx(entrants.CLUBLESS, abs=0.02)
    assert len({who.name for who in everyone}) > 5000
    assert {who.club for who in everyone} == {"", *entrants.NAMES["clubs"]}


def test_the_old_are_slower_on_average(make_race: MakeRace) -> None:
    """From 60 on there are fewer in the faster half than in the slower one, and a few nevertheless."""
    race = make_race(competitors=20_000, entrants="drawn")
    old = np.array([who.category[1:] in {"60", "65", "70"} for who in race.entrants.some(0, 20_000)])
    fast = race.finish_times < np.median(race.finish_times)

    assert 0.1 < (old & fast).sum() / (old & ~fast).sum() < 0.6


def test_names_go_with_the_sex(make_race: MakeRace) -> None:
    """A woman's first name is a woman's, and so is her category."""
    for who in make_race(competitors=500, entrants="drawn").entrants.some(0, 500):
        first = who.name.split(" ")[0]
        assert first in entrants.NAMES["women" if who.sex == "F" else "men"]
        assert who.category[0] == ("W" if who.sex == "F" else "M")


def test_a_part_is_that_part(make_race: MakeRace) -> None:
    """Competitors are the same whether they are asked for one by one or all at once."""
    some = make_race(competitors=50, entrants="drawn", wave_size=10).entrants
    one_by_one = [who for nth in range(50) for who in some.some(nth, nth + 1)]

    assert list(some.some(0, 50)) == one_by_one


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), seed=st.integers(0, 10_000), competitors=st.integers(1, 300))
def test_women_are_as_many_as_asked_for(
    make_race: MakeRace, share: float, seed: int, competitors: int
) -> None:
    """The share holds in each race, and who is a woman changes no pace."""
    race = make_race(competitors=competitors, seed=seed, women=share)

    assert race.field.women.sum() == round(share * competitors)
    assert (race.finish_times == make_race(competitors=competitors, seed=seed).finish_times).all()


@pytest.mark.parametrize("model", ["parkrun", "marathon"])
def test_men_are_faster_as_published(make_race: MakeRace, model: str) -> None:
    """Men are a good tenth faster at the same ages, so there are fewer women the faster the runners are."""
    race = make_race(competitors=20_000, entrants="drawn", pace_model=model)
    women, pace = race.field.women, race.field.moving[-1]
    ages = [group for group, _ in entrants.AGES]
    age = np.array([ages.index(who.category[1:]) for who in race.entrants.some(0, len(women))])
    in_quarters = [quarter.mean() for quarter in np.split(women[np.argsort(pace)], 4)]

    assert 1 - pace[~women].mean() / pace[women].mean() == pytest.approx(0.116, abs=0.01)
    assert age[women].mean() == pytest.approx(age[~women].mean(), abs=0.1)
    assert in_quarters == sorted(in_quarters)
