from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.race import field
from simulator.race.request import RaceRequest

PLAIN = {
    "seed": st.integers(0, 2**63 - 1),
    "competitors": st.integers(1, 60),
    "fastest": st.floats(60, 300),
    "slowest": st.floats(300, 3600),
    "how_many_get_stopped": st.floats(0, 1),
    "min_pause": st.floats(0, 60),
    "max_pause": st.floats(60, 3600),
}
REAL = {
    "pace_model": st.sampled_from(["uniform", "normal", "lognormal", "parkrun", "marathon"]),
    "fatigue": st.sampled_from(["none", "split", "wall"]),
    "wave_size": st.none() | st.integers(20, 60),
    "start_flow": st.none() | st.floats(0.1, 1000),
    "corrals": st.booleans(),
    "dns": st.floats(0, 0.3),
    "dnf": st.floats(0, 0.3),
    "disqualified": st.floats(0, 0.3),
    "walking": st.floats(0, 1),
    "wrong_turn": st.floats(0, 1),
}
FIELDS = st.fixed_dictionaries(PLAIN, optional=REAL)
DISTANCES = st.floats(10, 1_000_000)


def drawn(distance: float = 21_097.5, visits: bool = True, **options: Any) -> field.Field:  # noqa: FBT001, FBT002
    """Draw a field of 50, without pauses unless asked."""
    fields: dict[str, Any] = {"seed": 1, "competitors": 50, "fastest": 180, "slowest": 420} | options
    inside = [(distance * 0.2, distance * 0.3), (distance * 0.6, distance * 0.61)]
    return field.draw(distance, inside if visits else [], RaceRequest(course="c", **fields))


@given(DISTANCES, FIELDS, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_distance_never_falls(distance: float, options: dict[str, Any], shares: list[float]) -> None:
    """Competitors never run back, leave the start early or pass the finish."""
    competitors = drawn(distance, **options)
    last = float(competitors.end.max(where=np.isfinite(competitors.end), initial=100.0))
    runs = np.array([competitors.distance(share * last * 1.1) for share in sorted(shares)])

    assert (np.diff(runs, axis=0) >= 0).all()
    assert (runs >= 0).all()
    assert (runs <= distance).all()


@given(DISTANCES, FIELDS)
def test_the_end_is_the_first_moment_at_the_last_place(distance: float, options: dict[str, Any]) -> None:
    """At the end all is run that ever is, and just before it is not, unless one stands there already."""
    competitors = drawn(distance, **options)
    ends = np.where(np.isfinite(competitors.end), competitors.end, 0.0)
    at_rest = np.any([stop.place == competitors.until for stop in competitors.stops], axis=0)
    moving = np.flatnonzero((ends > 0) & ~at_rest)[:5]
    for who in moving.tolist():
        assert competitors.distance(ends[who])[who] == competitors.until[who]
        assert competitors.distance(ends[who] - 0.01)[who] < competitors.until[who]


@given(DISTANCES, FIELDS, st.floats(0, 1))
def test_elapsed_is_the_inverse_of_distance(distance: float, options: dict[str, Any], share: float) -> None:
    """A competitor who reaches a place after t seconds is at that place after t seconds."""
    competitors = drawn(distance, **options)
    who = np.flatnonzero(np.isfinite(competitors.end))
    place = share * competitors.until[who]
    times = competitors.elapsed(who, place)
    there = competitors.take(who).distance(times)

    assert there == pytest.approx(place, abs=1e-5)


def test_every_pace_averages_to_its_own() -> None:
    """Over the whole course the moving pace lies between the fastest and the slowest, evenly spread."""
    many = drawn(competitors=20_000)
    pace = many.moving[-1] / 21.0975

    assert pace.min() == pytest.approx(180, abs=0.1)
    assert pace.max() == pytest.approx(420, abs=0.1)
    assert pace.mean() == pytest.approx(300, rel=0.01)


def test_pace_changes_by_a_fifth_at_most() -> None:
    """From one kilometre to the next the pace changes by up to 20 %, and nearly as much occurs."""
    many = drawn(competitors=20_000)
    pace = np.diff(many.moving, axis=0) / np.diff(many.marks)[:, None]
    change = np.abs(pace[1:] / pace[:-1] - 1)

    assert change.max() <= 0.2 + 1e-9
    assert change.max() > 0.19


def test_pauses_are_in_a_fence_and_as_long_as_asked() -> None:
    """The share that is asked for pauses once, inside a fence, for between min_pause and max_pause."""
    many = drawn(competitors=1000, how_many_get_stopped=0.25, min_pause=10, max_pause=60)
    (stop,) = many.stops
    pausing = np.flatnonzero(stop.length)
    place = stop.place[pausing] / 21_097.5

    assert len(pausing) == 250
    assert (((place >= 0.2) & (place <= 0.3)) | ((place >= 0.6) & (place <= 0.61))).all()
    assert (stop.length[pausing] >= 10).all()
    assert (stop.length[pausing] <= 60).all()
    assert np.isinf(stop.start[stop.length == 0]).all()


def test_a_pause_stops_its_competitor_for_its_length() -> None:
    """From the pause's start to its end the competitor is paused and does not move."""
    many = drawn(competitors=10, how_many_get_stopped=1, min_pause=20, max_pause=20)
    start = many.stops[0].start[0]

    assert not many.paused(start - 0.001)[0]
    assert many.paused(start)[0]
    assert many.paused(start + 19.999)[0]
    assert not many.paused(start + 20.001)[0]
    assert many.distance(start)[0] == many.distance(start + 20)[0]
    assert many.distance(start + 25)[0] > many.distance(start + 20)[0]


def test_no_pauses_without_a_fence() -> None:
    """On a course without geofences, there are no pauses."""
    assert not drawn(visits=False, how_many_get_stopped=1).stops[0].length.any()


@given(FIELDS)
@settings(max_examples=30)
def test_the_same_seed_gives_the_same_bytes(options: dict[str, Any]) -> None:
    """A field is drawn again to the last bit from the same request."""
    one, other = drawn(**options), drawn(**options)

    assert one.moving.tobytes() == other.moving.tobytes()
    assert one.end.tobytes() == other.end.tobytes()
    assert one.distance(500.0).tobytes() == other.distance(500.0).tobytes()


def test_another_seed_gives_another_race() -> None:
    """The seed matters."""
    assert (drawn(seed=1).end != drawn(seed=2).end).all()


def test_what_is_asked_beside_leaves_the_rest_as_it_was() -> None:
    """Each quantity has its own random numbers: pauses do not change any pace."""
    assert (
        drawn(how_many_get_stopped=0).moving == drawn(how_many_get_stopped=0.5, max_pause=99).moving
    ).all()


@given(DISTANCES)
def test_marks_cover_the_course_and_are_bounded(distance: float) -> None:
    """The marks go from start to finish, in rising order, and there are no more on a longer course."""
    marks = field.marks_along(distance)

    assert marks[0] == 0
    assert marks[-1] == distance
    assert (np.diff(marks) > 0).all()
    assert len(marks) <= field.MAX_MARKS + 1


def test_marks_are_the_kilometres() -> None:
    """On a course of ordinary length each kilometre is a mark."""
    assert field.marks_along(3500.0).tolist() == [0, 1000, 2000, 3000, 3500]
    assert field.marks_along(3000.4).tolist() == [0, 1000, 2000, 3000.4]
