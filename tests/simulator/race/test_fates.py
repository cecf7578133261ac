"""What happens to competitors: not starting, giving up, disqualification, walking, wrong turns."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from simulator.course.course import GEOD
from simulator.race import field
from simulator.race.field import ASTRAY_REACH, VERDICT, WALKING
from simulator.race.race import BEFORE_THE_START, Race, Status
from simulator.race.request import RaceRequest

MakeRace = Callable[..., Race]


def kinds(race: Race, who: int) -> list[str]:
    """Return the kinds of a competitor's passings, in order."""
    passings = race.passings(BEFORE_THE_START, race.duration)
    return [race.points[point].kind for point in passings.point[passings.who == who]]


def reported(race: Race, who: int) -> list[tuple[int, Status]]:
    """Return a competitor's ticks and the status reported at each."""
    ticks = []
    for tick in range(race.last_tick + 2):
        fixes = race.fixes_at(tick)
        ticks += [(tick, Status(code)) for code in fixes.reported.status[fixes.who == who].tolist()]
    return ticks


def test_each_fate_has_the_requested_share_and_no_overlap(make_race: MakeRace) -> None:
    """The shares are of the field, and no competitor has two fates."""
    race = make_race(competitors=200, dns=0.1, dnf=0.2, disqualified=0.05)
    end = race.snapshot(race.duration).status

    assert (
        np.bincount(end, minlength=6).tolist()
        == [
            0,
            0,
            130,
            40,
            20,
            10,
        ][:6]
    )


def test_all_may_have_a_fate(make_race: MakeRace) -> None:
    """The shares may come to 1 together, and not to more."""
    race = make_race(competitors=10, dns=0.3, dnf=0.3, disqualified=0.4)

    assert not (race.snapshot(race.duration).status == Status.FINISHED).any()
    with pytest.raises(ValidationError, match="must add up to at most 1"):
        RaceRequest(course="c", dns=0.3, dnf=0.3, disqualified=0.401)


def test_a_race_without_starters_ends_at_once(make_race: MakeRace) -> None:
    """If no one starts, each competitor has one event, at the gun, and nothing else."""
    race = make_race(competitors=10, dns=1)

    assert race.duration == 0
    assert race.last_tick == 0
    assert reported(race, 3) == [(0, Status.DNS)]
    assert not len(race.passings(BEFORE_THE_START, 1e9).who)


def test_non_starters_are_published_once_at_the_start_line(make_race: MakeRace) -> None:
    """DNS is published at the gun, without distance or passing, also if others start."""
    race = make_race(competitors=20, dns=0.5, start_flow=1)
    who = int(np.flatnonzero(np.isinf(race.field.start))[0])
    snapshot = race.snapshot(600.0)

    assert reported(race, who) == [(0, Status.DNS)]
    assert kinds(race, who) == []
    assert (snapshot.distance[who], snapshot.elapsed[who]) == (0, 0)


def test_who_gives_up_stays_where_it_was(make_race: MakeRace) -> None:
    """DNF is published once, with time and place and a passing, and there is no finish."""
    race = make_race(competitors=40, dnf=0.5, interval=10)
    who = int(np.flatnonzero(~race.finishes)[0])
    end, until = race.field.end[who], race.field.until[who]
    states = reported(race, who)
    late = race.snapshot(end + 1000)
    passings = race.passings(BEFORE_THE_START, race.duration)
    last = passings.who == who

    assert states[-1] == (int(np.ceil(end / 10)), Status.DNF)
    assert [status for _, status in states].count(Status.DNF) == 1
    assert (late.distance[who], late.elapsed[who]) == (until, end)
    assert kinds(race, who)[-1] == "dnf"
    assert "finish" not in kinds(race, who)
    assert (passings.elapsed[last][-1], passings.distance[last][-1]) == (end, until)
    assert race.finish_times[who] == np.inf


def test_half_of_those_who_give_up_pause_before(make_race: MakeRace) -> None:
    """About half give up after a pause at the very place, as long as pauses are; the others run on."""
    race = make_race(competitors=1000, dnf=1, min_pause=30, max_pause=60)
    before = race.snapshot(race.field.end - 20, np.arange(1000))
    paused = before.status == Status.PAUSED

    assert 430 < paused.sum() < 570
    assert before.distance[paused] == pytest.approx(race.field.until[paused])
    assert (before.distance[~paused] < race.field.until[~paused]).all()


def test_the_disqualified_finish_first(make_race: MakeRace) -> None:
    """DSQ comes 1 to 10 minutes after the finish: a second last event, and a passing after the finish's."""
    race = make_race(competitors=40, disqualified=0.5, interval=10)
    disqualified = np.flatnonzero(np.isfinite(race.field.disqualified_at))
    after = (race.field.disqualified_at - race.field.end)[disqualified]
    who = int(disqualified[0])
    verdict = int(np.ceil(race.field.disqualified_at[who] / 10))
    states = reported(race, who)

    assert len(disqualified) == 20
    assert ((after >= VERDICT[0]) & (after <= VERDICT[1])).all()
    assert states[-2:] == [(int(np.ceil(race.field.end[who] / 10)), Status.FINISHED), (verdict, Status.DSQ)]
    assert kinds(race, who)[-2:] == ["finish", "dsq"]
    assert race.snapshot(1e6).elapsed[who] == race.field.end[who]
    assert race.last_tick >= verdict


def test_walkers_walk_to_the_finish(make_race: MakeRace) -> None:
    """Walkers do not exceed walking speed in the last stretch, and walking makes no one faster."""
    running = make_race(competitors=300, fastest=200, slowest=300).field
    walking = make_race(competitors=300, fastest=200, slowest=300, walking=0.2).field
    stretches = np.diff(walking.moving, axis=0) / (np.diff(walking.marks)[:, None] / 1000)
    walks = np.isclose(stretches[-1], WALKING)

    assert walks.sum() == 60
    assert (walking.end[walks] > running.end[walks]).all()
    assert (walking.end[~walks] == running.end[~walks]).all()
    assert (np.diff(walking.moving, axis=0) >= np.diff(running.moving, axis=0) - 1e-6).all()


def test_a_wrong_turn_leads_away_and_back(make_race: MakeRace) -> None:
    """The distance stands still, the status is running, and the place leaves the course and comes back."""
    race = make_race(competitors=50, wrong_turn=1, fastest=300, slowest=300)
    (turn,) = [stop for stop in race.field.stops if stop.astray.any()]
    who = np.arange(50)
    begin = turn.start
    for share, reach in ((0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 0.5), (1.0, 0.0)):
        there = race.snapshot(begin + share * turn.length, who)
        lon, lat = race.course.place(there.distance)
        off = np.asarray(GEOD.inv(lon, lat, there.lon, there.lat)[2])
        assert off == pytest.approx(reach * race.field.reach, abs=0.1)
        assert there.distance == pytest.approx(turn.place)
        assert (there.status == Status.RUNNING).all()
    assert race.field.reach.min() >= ASTRAY_REACH[0]
    assert race.field.reach.max() <= ASTRAY_REACH[1]
    # Out and back at 300 s/km.
    assert turn.length == pytest.approx(2 * race.field.reach * 0.3)


def test_stops_come_in_their_order(make_race: MakeRace) -> None:
    """With pauses, wrong turns and DNF, times and places agree along the whole course."""
    race = make_race(
        competitors=300, how_many_get_stopped=1, wrong_turn=1, dnf=0.5, walking=0.3, wave_size=50
    )
    passings = race.passings(BEFORE_THE_START, race.duration)
    there = race.snapshot(passings.elapsed, passings.who)
    stops = race.field.stops

    assert there.distance == pytest.approx(passings.distance, abs=1e-6)
    assert all((one.place <= other.place).all() for one, other in pairwise(stops))
    assert ((stops[0].place <= race.field.until) | np.isinf(stops[0].place)).all()


def test_one_fate_does_not_change_other_competitors(make_race: MakeRace) -> None:
    """Who isn't touched by an option runs as without it."""
    plain = make_race(competitors=100)
    real = make_race(competitors=100, dns=0.1, dnf=0.1, walking=0.1, wrong_turn=0.1)
    astray = np.any([stop.astray for stop in real.field.stops], axis=0)
    walks = np.isclose(np.diff(real.field.moving, axis=0)[-1], np.diff(plain.field.moving, axis=0)[-1])
    same = real.finishes & ~astray & walks

    assert same.sum() > 50
    assert (real.finish_times[same] == plain.finish_times[same]).all()


def test_a_part_of_a_field_is_that_part(make_race: MakeRace) -> None:
    """Taking some competitors, any of them twice, gives what all have at their places."""
    race = make_race(
        competitors=60, how_many_get_stopped=1, wrong_turn=0.5, dnf=0.3, dns=0.1, disqualified=0.1
    )
    who = np.array([5, 5, 0, 59, 17])
    for time in (0.0, 400.0, 700.0, 5000.0):
        some, everyone = race.snapshot(time, who), race.snapshot(time)
        for name in ("elapsed", "distance", "lon", "lat", "status"):
            assert getattr(some, name).tolist() == getattr(everyone, name)[who].tolist()


def test_fates_have_numbers_of_their_own() -> None:
    """Who doesn't start is the same with and without other fates."""
    request = RaceRequest(course="c", competitors=100, seed=5, dns=0.2)
    one = field.draw(5000, [], request)
    other = field.draw(5000, [], request.model_copy(update={"dnf": 0.3, "wrong_turn": 0.5, "walking": 0.5}))

    assert (np.isinf(one.start) == np.isinf(other.start)).all()
