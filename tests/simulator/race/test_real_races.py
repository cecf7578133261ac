"""What always holds of a race, whatever is asked for: in laps, out and back, across itself, in the hills."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.course.course import GEOD, Course
from simulator.race.race import BEFORE_THE_START, Race, Status
from simulator.race.request import RaceRequest
from tests.simulator.conftest import START

SETTINGS = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
COURSES = st.sampled_from(["city-10k", "crystal-palace", "hilly-half", "track-10000m"])
OPTIONS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**63 - 1),
        "competitors": st.integers(1, 25),
        "interval": st.sampled_from([1.0, 7.5, 60.0, 600.0]),
    },
    optional={
        "how_many_get_stopped": st.floats(0, 1),
        "pace_model": st.sampled_from(["normal", "lognormal", "parkrun", "marathon"]),
        "fatigue": st.sampled_from(["split", "wall"]),
        "gradient": st.booleans(),
        "wave_size": st.integers(1, 25),
        "wave_delay": st.floats(0, 600),
        "start_flow": st.floats(0.1, 100),
        "corrals": st.booleans(),
        "dns": st.floats(0, 0.3),
        "dnf": st.floats(0, 0.3),
        "disqualified": st.floats(0, 0.3),
        "walking": st.floats(0, 1),
        "wrong_turn": st.floats(0, 1),
    },
)


def made(library: Mapping[str, Course], name: str, options: dict[str, Any]) -> Race:
    """Return a race."""
    request = RaceRequest(course=name, **options)
    return Race(library[name], request.resolved(run_id="r", name="n", seed=0, start_at=START))


@given(COURSES, OPTIONS, st.lists(st.floats(0, 1), min_size=2, max_size=12))
@SETTINGS
def test_competitors_never_run_back_or_leave_the_course(
    library: Mapping[str, Course], name: str, options: dict[str, Any], moments: list[float]
) -> None:
    """Distances never fall and stay within the course; places are on it, but for those on a wrong turn."""
    race = made(library, name, options)
    snapshots = [race.snapshot(moment * race.duration * 1.1) for moment in sorted(moments)]

    for before, after in pairwise(snapshots):
        assert (after.distance >= before.distance).all()
        assert (after.elapsed >= before.elapsed).all()
    for snapshot, moment in zip(snapshots, sorted(moments), strict=True):
        assert snapshot.distance.min() >= 0
        assert snapshot.distance.max() <= race.course.distance
        off = np.asarray(GEOD.inv(*race.course.place(snapshot.distance), snapshot.lon, snapshot.lat)[2])
        astray = race.field.off_course(moment * race.duration * 1.1)
        assert off == pytest.approx(astray, abs=0.5)


@given(COURSES, OPTIONS)
@SETTINGS
def test_passings_agree_with_positions(
    library: Mapping[str, Course], name: str, options: dict[str, Any]
) -> None:
    """At each passing its competitor is there, and not beyond it before; passings rise in time and metres."""
    race = made(library, name, options)
    passings = race.passings(BEFORE_THE_START, race.duration)
    # At a verdict its competitor has been at the finish for a while.
    on_course = passings.take(np.flatnonzero(passings.point < len(race.points) - 1))
    there = race.snapshot(on_course.elapsed, on_course.who)
    before = race.snapshot(on_course.elapsed - 0.01, on_course.who)

    assert there.distance == pytest.approx(on_course.distance, abs=1e-5)
    assert (before.distance <= on_course.distance).all()
    for who in range(len(race.field)):
        own = on_course.take(np.flatnonzero(on_course.who == who))
        assert (np.diff(own.elapsed) >= 0).all()
        assert (np.diff(own.distance) >= 0).all()


@given(COURSES, OPTIONS)
@SETTINGS
def test_splits_add_up_to_the_finish(
    library: Mapping[str, Course], name: str, options: dict[str, Any]
) -> None:
    """From the own start over all splits to the finish are as many seconds as the race took."""
    race = made(library, name, options)
    passings = race.passings(BEFORE_THE_START, race.duration)
    kinds = np.array([point.kind for point in race.points])[passings.point]
    counted = np.isin(kinds, ["start", "split", "finish"])
    for who in np.flatnonzero(race.finishes).tolist():
        times = passings.elapsed[counted & (passings.who == who)]
        assert np.diff(times).sum() == pytest.approx(race.finish_times[who] - race.field.start[who])
        assert times[-1] == race.finish_times[who]


@given(COURSES, OPTIONS)
@SETTINGS
def test_each_competitor_has_one_end(
    library: Mapping[str, Course], name: str, options: dict[str, Any]
) -> None:
    """After the last tick nothing changes, no one is on the course, and each end has its passing."""
    race = made(library, name, options)
    ends = race.snapshot(race.time_of(race.last_tick)).status
    passings = race.passings(BEFORE_THE_START, race.duration)
    kinds = np.array([point.kind for point in race.points])[passings.point]
    counts = {kind: int((kinds == kind).sum()) for kind in ("start", "finish", "dnf", "dsq")}

    assert set(ends.tolist()) <= {Status.FINISHED, Status.DNF, Status.DNS, Status.DSQ}
    assert counts == {
        "start": int((ends != Status.DNS).sum()),
        "finish": int(race.finishes.sum()),
        "dnf": int((ends == Status.DNF).sum()),
        "dsq": int((ends == Status.DSQ).sum()),
    }
    assert not len(race.fixes_at(race.last_tick + 1).who)
