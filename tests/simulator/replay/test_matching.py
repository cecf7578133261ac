from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.course.course import Course, moved
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.race.trackers import Trackers
from simulator.replay.matching import match
from tests.simulator.conftest import START


@pytest.mark.parametrize("name", ["city-10k", "crystal-palace", "hilly-half", "track-10000m"])
def test_receivers_are_found_on_every_course(library: Mapping[str, Course], name: str) -> None:
    """With 3 m of GPS error, pauses and wrong turns the metres are right within 15 m on the course.

    The courses cross themselves, go out and back, and one has 25 laps.
    """
    course = library[name]
    options: dict[str, Any] = {
        "wrong_turn": 0.5,
        "how_many_get_stopped": 0.5,
        "gps_error": 3.0,
        "gps_noise": 1.0,
    }
    request = RaceRequest(course=name, competitors=4, fastest=200, slowest=400, **options)
    race = Race(course, request.resolved(run_id="r", name="n", seed=1, start_at=START))
    trackers = Trackers(race.request, race.field.end)
    for who in range(4):
        times = np.append(np.arange(0.0, race.finish_times[who], 3.0), race.finish_times[who])
        everywhere = np.full(len(times), who)
        true = race.snapshot(times, everywhere)
        found = match(course, times, *moved(true.lon, true.lat, *trackers.error(everywhere, times)))
        wrong = np.abs(found - true.distance)
        assert np.median(wrong) < 4
        assert (wrong < 15).mean() > 0.9
        # Off the course, a match may be a little further back or ahead, but never on another part of it.
        assert wrong.max() < 140


@given(
    legs=st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=2, max_size=8),
    seed=st.integers(0, 1000),
    every=st.floats(2, 30),
)
@settings(max_examples=40)
def test_metres_never_fall_and_never_leave_the_course(
    legs: list[tuple[float, float]], seed: int, every: float
) -> None:
    """Whatever the course and however bad the receiver, the metres rise from 0 to the length at most."""
    east, north = np.cumsum([(0.0, 0.0), *legs], axis=0).T
    lon, lat = moved(np.full(len(east), 8.0), np.full(len(east), 47.0), east, north)
    if not (np.hypot(np.diff(east), np.diff(north)) > 1).all():
        return
    course = Course.measured(short_name="c", long_name="C", lon=lon, lat=lat)
    metres = np.arange(0.0, course.distance, every)
    noise = np.random.default_rng(seed).normal(0, 30, (2, max(2, len(metres))))
    places = course.place(np.resize(metres, max(2, len(metres))))
    found = match(course, np.arange(float(noise.shape[1])), *moved(*places, *noise))

    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= course.distance


def test_a_long_track_is_matched_between_its_places(library: Mapping[str, Course]) -> None:
    """A track of many thousand places, one a fifth of a second, is matched as one of few is."""
    course = library["crystal-palace"]
    metres = np.linspace(0.0, course.distance, 9001)
    found = match(course, np.arange(9001.0) / 5, *course.place(metres))

    assert np.abs(found - metres).max() < 12
