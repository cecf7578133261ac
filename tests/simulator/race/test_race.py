from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.course.course import Course
from simulator.race.race import BEFORE_THE_START, Race, Status
from simulator.race.request import RaceRequest
from tests.simulator.conftest import START

MakeRace = Callable[..., Race]

LENIENT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_race_needs_a_resolved_request(straight: Course) -> None:
    """What a request leaves open is filled in before, never by the race."""
    with pytest.raises(ValueError, match="resolve the request first"):
        Race(straight, RaceRequest(course="straight"))


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.floats(0, 1), max_size=12))
@LENIENT
def test_passings_in_pieces_are_all_the_passings(make_race: MakeRace, seed: int, cuts: list[float]) -> None:
    """However the race's time is cut, every passing is in exactly one piece."""
    race = make_race(seed=seed, competitors=20, how_many_get_stopped=0.5)
    times = [BEFORE_THE_START, *sorted(cut * race.duration for cut in cuts), race.duration]
    pieces = [race.passings(since, until) for since, until in pairwise(times)]
    found = sorted(
        (who, point) for piece in pieces for who, point in zip(piece.who, piece.point, strict=True)
    )

    points = len(race.course.timing_points)
    assert found == [(who, point) for who in range(20) for point in range(points)]


def test_passings_agree_with_positions(make_race: MakeRace) -> None:
    """At the moment of a passing its competitor is at the timing point."""
    race = make_race(competitors=30, how_many_get_stopped=0.5)
    passings = race.passings(BEFORE_THE_START, race.duration)
    there = race.snapshot(passings.elapsed, passings.who)

    assert there.distance == pytest.approx(passings.distance, abs=1e-6)
    assert passings.distance.tolist() == [race.points[point].distance for point in passings.point]


def test_passings_come_in_the_order_of_time(make_race: MakeRace) -> None:
    """Passings are sorted by time, so that a stream of them is in order."""
    passings = make_race(competitors=30).passings(BEFORE_THE_START, 1e9)

    assert (np.diff(passings.elapsed) >= 0).all()


def test_finish_passings_are_the_finish_times(make_race: MakeRace) -> None:
    """The finish is passed at the exact finish time."""
    race = make_race(competitors=30, how_many_get_stopped=1)
    passings = race.passings(BEFORE_THE_START, race.duration)
    finish = passings.point == len(race.course.timing_points) - 1
    order = np.argsort(passings.who[finish])

    assert (passings.elapsed[finish][order] == race.finish_times).all()


def test_status_follows_the_race(make_race: MakeRace) -> None:
    """A competitor runs, stands in the fence, runs and has finished."""
    race = make_race(competitors=5, how_many_get_stopped=1, min_pause=20, max_pause=20)
    pause = race.field.stops[0].start[0]
    times = [0.0, pause + 1, pause + 21, race.finish_times[0]]

    assert [race.snapshot(time).status[0] for time in times] == [
        Status.RUNNING,
        Status.PAUSED,
        Status.RUNNING,
        Status.FINISHED,
    ]


def test_a_finisher_keeps_the_finish_time(make_race: MakeRace) -> None:
    """Long after the finish, elapsed is still the exact finish time and the place is the finish."""
    race = make_race(competitors=5)
    late = race.snapshot(race.duration + 1000)

    assert (late.elapsed == race.finish_times).all()
    assert (late.distance == race.course.distance).all()
    assert (late.lat == race.course.lat[-1]).all()


def test_places_are_on_the_course(library: Mapping[str, Course]) -> None:
    """The place of a competitor is the course's place at the competitor's distance."""
    for course in library.values():
        request = RaceRequest(course=course.short_name, competitors=50, how_many_get_stopped=0.5)
        start = request.resolved(run_id="r", name="n", seed=3, start_at=START)
        snapshot = Race(course, start).snapshot(777.0)
        lon, lat = course.place(snapshot.distance)
        assert (snapshot.lon == lon).all()
        assert (snapshot.lat == lat).all()


def test_all_report_until_their_finish_is_published(make_race: MakeRace) -> None:
    """A competitor has a position at every tick up to the one that shows the finish, and none after it."""
    race = make_race(competitors=10, interval=7)
    reporting = [race.reporting(tick) for tick in range(race.last_tick + 2)]
    counts = np.bincount(np.concatenate(reporting), minlength=10)

    assert (counts == np.ceil(race.finish_times / 7) + 1).all()
    assert len(reporting[-1]) == 0
    assert (race.snapshot(race.time_of(race.last_tick)).status == Status.FINISHED).all()


def test_a_moment_does_not_depend_on_the_others(make_race: MakeRace) -> None:
    """Moments can be asked for in any order: a race has no state."""
    one, other = make_race(competitors=20), make_race(competitors=20)
    backwards = [one.snapshot(time).distance.tobytes() for time in (900.0, 300.0, 0.0)]
    forwards = [other.snapshot(time).distance.tobytes() for time in (0.0, 300.0, 900.0)]

    assert backwards == forwards[::-1]
