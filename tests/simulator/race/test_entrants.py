from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from simulator.race import entrants
from simulator.race.race import Race

MakeRace = Callable[..., Race]


def test_plain_competitors_are_numbers(make_race: MakeRace) -> None:
    """Without names they are called by their numbers, whatever part is asked for."""
    plain = make_race(competitors=5).entrants

    assert [tuple(who) for who in plain.some(2, 4)] == [
        (3, "Runner 3", "Open", "", 1),
        (4, "Runner 4", "Open", "", 1),
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
    """A woman's first name is a woman's."""
    for who in make_race(competitors=500, entrants="drawn").entrants.some(0, 500):
        first = who.name.split(" ")[0]
        assert first in entrants.NAMES["women" if who.category[0] == "W" else "men"]


def test_a_part_is_that_part(make_race: MakeRace) -> None:
    """Competitors are the same whether they are asked for one by one or all at once."""
    some = make_race(competitors=50, entrants="drawn", wave_size=10).entrants
    one_by_one = [who for nth in range(50) for who in some.some(nth, nth + 1)]

    assert list(some.some(0, 50)) == one_by_one


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.6, 0.9, 1.0])
def test_women_are_as_many_as_asked_for(make_race: MakeRace, share: float) -> None:
    """The share holds over the field, and among the fast there are fewer, where there is room for it."""
    race = make_race(competitors=20_000, women=share)
    fast = race.finish_times < np.median(race.finish_times)

    assert race.field.women.mean() == pytest.approx(share, abs=0.01)
    if 0 < share < 1:
        assert race.field.women[fast].mean() < race.field.women[~fast].mean()
