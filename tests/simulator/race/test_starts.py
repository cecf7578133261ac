from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from simulator.race.race import BEFORE_THE_START, Race, Status
from simulator.race.request import RaceRequest

MakeRace = Callable[..., Race]


def test_a_plain_race_starts_at_the_gun(make_race: MakeRace) -> None:
    """Without options all are in the first wave and start at once."""
    race = make_race(competitors=50)

    assert (race.field.wave == 1).all()
    assert (race.field.start == 0).all()


def test_waves_follow_each_other(make_race: MakeRace) -> None:
    """Each wave is as large as asked for, but for the last, and starts a delay after the one before."""
    race = make_race(competitors=50, wave_size=20, wave_delay=90)

    assert np.bincount(race.field.wave).tolist() == [0, 20, 20, 10]
    assert (race.field.start == (race.field.wave - 1) * 90).all()


def test_the_crowd_crosses_the_line_one_by_one(make_race: MakeRace) -> None:
    """In each wave the line is crossed at the flow, the first at once."""
    race = make_race(competitors=50, wave_size=20, wave_delay=90, start_flow=4)
    for wave, count in ((1, 20), (2, 20), (3, 10)):
        starts = np.sort(race.field.start[race.field.wave == wave])
        assert starts == pytest.approx((wave - 1) * 90 + np.arange(count) / 4)


@pytest.mark.parametrize(
    ("allowed", "refused", "field"),
    [
        ({"wave_size": 1, "wave_delay": 43_200}, {"wave_size": 1, "wave_delay": 43_201}, "wave_delay"),
        ({"wave_size": 2, "wave_delay": 86_390, "start_flow": 0.1}, {"wave_delay": 86_400}, "start_flow"),
    ],
)
def test_the_last_start_is_a_day_after_the_gun_at_most(
    allowed: dict[str, float], refused: dict[str, float], field: str
) -> None:
    """At the limit a race is accepted; above it the error names only the field that causes it."""
    request = {"course": "c", "competitors": 3, **allowed}
    RaceRequest.model_validate(request, strict=False)
    with pytest.raises(ValidationError) as raised:
        RaceRequest.model_validate({**request, **refused}, strict=False)

    assert [error["loc"] for error in raised.value.errors()] == [(field,)]


def test_in_corrals_the_faster_stand_in_front(make_race: MakeRace) -> None:
    """With corrals the order at the start is that of the paces, about; without it is chance."""
    orders = {}
    for corrals in (True, False):
        race = make_race(competitors=2000, start_flow=10, corrals=corrals)
        own = race.finish_times - race.field.start
        orders[corrals] = np.corrcoef(np.argsort(np.argsort(own)), np.argsort(np.argsort(race.field.start)))[
            0, 1
        ]

    assert 0.9 < orders[True] < 0.999
    assert abs(orders[False]) < 0.1


def test_who_has_not_started_waits(make_race: MakeRace) -> None:
    """Until the own start one waits at the line; its passing has the exact time of it."""
    race = make_race(competitors=30, start_flow=0.5)
    passings = race.passings(BEFORE_THE_START, race.duration)
    starts = passings.elapsed[passings.point == 0][np.argsort(passings.who[passings.point == 0])]
    snapshot = race.snapshot(20.0)
    waiting = race.field.start > 20.0

    assert starts.tolist() == race.field.start.tolist()
    assert (snapshot.status == np.where(waiting, Status.WAITING, Status.RUNNING)).all()
    assert (snapshot.distance[waiting] == 0).all()
    assert (snapshot.distance[race.field.start < 20.0] > 0).all()


def test_a_later_start_does_not_change_the_running(make_race: MakeRace) -> None:
    """The chip time, from the own start to the finish, is that of a race without waves."""
    plain, waves = make_race(competitors=30), make_race(competitors=30, wave_size=7, start_flow=2)

    assert waves.finish_times - waves.field.start == pytest.approx(plain.finish_times)
