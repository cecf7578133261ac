"""Cut-offs: who is stopped where, and that those who are in time run as without them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.course.course import Course, Mat
from simulator.export import crowding, results
from simulator.race.cut_off_times import MAX_CUT_OFFS, MAX_LIMIT, MAX_NAME, MAX_TEXT, written
from simulator.race.cut_offs import CutOffError, of
from simulator.race.race import BEFORE_THE_START, Passings, Race, Status
from stream.arrays import Floats, Mask
from stream.cut_offs import FINISH
from stream.results import wave_guns
from tests.simulator.conftest import resolved
from tests.simulator.race.test_real_races import COURSES, OPTIONS

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LIMITS = st.lists(st.integers(1500, 9000), min_size=2, max_size=2, unique=True).map(sorted)
"""Seconds at 3 km and at the finish of any of the courses: some are in time, some are not."""
CROWDS: Any = st.fixed_dictionaries(
    {},
    optional={"crowding": st.just("flow"), "width": st.sampled_from([0.5, 2.0]), "fastest": st.just(300.0)},
)

CASES = st.tuples(COURSES, LIMITS, st.sampled_from(["gun", "wave"]), OPTIONS, CROWDS)
Case = tuple[str, list[int], str, dict[str, Any], dict[str, Any]]


class Pair(NamedTuple):
    """The same race with cut-offs and without, and everyone's race seconds of the two limits."""

    limited: Race
    plain: Race
    point: Floats
    finish: Floats

    @property
    def in_time(self) -> Mask:
        """Who reaches both in time, or ends before the limits without them."""
        everyone = np.arange(len(self.plain.field))
        field = self.plain.field
        there = np.round(field.elapsed(everyone, np.full(len(everyone), 3000.0)), 3)
        late = (field.until >= 3000.0) & (there > self.point)
        return ~np.isfinite(field.start) | (~late & (np.round(field.end, 3) <= self.finish))


def pair(library: Mapping[str, Course], case: Case) -> Pair:
    """Return a race with limits at 3 km and the finish, and the same without."""
    course, limits, since, options, crowd = case
    fields: dict[str, Any] = {**options, **crowd}
    plain = Race(library[course], resolved(**fields))
    guns = wave_guns(plain.field.wave, plain.request.wave_delay)
    base = guns if since == "wave" else np.zeros(len(guns))
    # No limit is before the last start.
    behind = (plain.field.start - base)[np.isfinite(plain.field.start)].max(initial=0.0)
    point, finish = (float(limit + np.ceil(behind)) for limit in limits)
    cut_offs = {"3 km": point, "finish": finish}
    limited = Race(library[course], resolved(**fields, cut_offs=cut_offs, cut_offs_from=since))
    return Pair(limited, plain, np.round(base + point, 3), np.round(base + finish, 3))


def all_passings(race: Race) -> Passings:
    """Return all passings of a race."""
    return race.passings(BEFORE_THE_START, race.duration + 1.0)


@given(CASES)
@SETTINGS
def test_those_in_time_run_as_without_cut_offs(library: Mapping[str, Course], case: Case) -> None:
    """The same seed with and without cut-offs gives the same passings and positions to all in time."""
    found = pair(library, case)
    in_time = np.flatnonzero(found.in_time)

    ends = [
        [(who, point, at) for who, point, at, _ in zip(*all_passings(race), strict=True) if who in in_time]
        for race in (found.limited, found.plain)
    ]
    assert ends[0] == ends[1]
    for share in (0.1, 0.5, 0.9, 1.0):
        moment = share * found.plain.duration
        one, other = (race.snapshot(moment, in_time) for race in (found.limited, found.plain))
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@given(CASES)
@SETTINGS
def test_those_too_late_are_out_where_they_are_stopped(library: Mapping[str, Course], case: Case) -> None:
    """Who is too late ends at 3 km on arrival, or at the limit of the finish, whichever comes first."""
    found = pair(library, case)
    race, plain = found.limited, found.plain
    late = np.flatnonzero(~found.in_time)
    there = plain.field.elapsed(late, np.full(len(late), 3000.0))
    at_point = (plain.field.until[late] >= 3000.0) & (np.round(there, 3) > found.point[late])
    at_point &= np.round(there, 3) <= found.finish[late]
    ends, until = race.field.end[late], race.field.until[late]

    assert ends == pytest.approx(np.where(at_point, there, found.finish[late]), abs=1e-9)
    assert (until[at_point] == 3000.0).all()
    assert (until < race.course.distance).all()
    closed = late[~at_point]
    assert until[~at_point] == pytest.approx(
        plain.field.take(closed).distance(found.finish[closed]), abs=1e-6
    )
    after = race.snapshot(ends, late)
    assert (after.status == Status.DNF).all()
    assert (after.elapsed == ends).all()
    before = race.snapshot(ends - 0.01, late).status
    assert np.isin(before, [Status.RUNNING, Status.PAUSED]).all()


@given(CASES)
@SETTINGS
def test_no_one_passes_a_point_after_being_out(library: Mapping[str, Course], case: Case) -> None:
    """Of those who are stopped, dnf is the last passing; they are neither finishers nor disqualified."""
    race = pair(library, case).limited
    passings = all_passings(race)
    names = [point.kind for point in race.points]
    stopped = results.of(race, race.duration).stopped
    assert stopped is not None

    for who in np.flatnonzero(stopped >= 0).tolist():
        own = passings.take(np.flatnonzero(passings.who == who))
        kinds = [names[point] for point in own.point.tolist()]
        assert kinds[-1] == "dnf"
        assert {"finish", "dsq"}.isdisjoint(kinds)
        assert (own.elapsed <= race.field.end[who]).all()
        assert (own.distance <= race.field.until[who]).all()


@given(CASES)
@SETTINGS
def test_the_reason_is_that_of_the_core(library: Mapping[str, Course], case: Case) -> None:
    """The rule of readers, from published places and times alone, names exactly those who are stopped."""
    found = pair(library, case)
    named = [
        line for some in results.of(found.limited, found.limited.duration).lines() for line in _named(some)
    ]
    too_late = set(np.flatnonzero(~found.in_time).tolist())

    bibs = found.limited.entrants.bib
    assert {bib for bib, name in named if name} == {int(bibs[who]) for who in too_late}


def _named(some: results.Lines) -> list[tuple[int, str]]:
    return [(line.bib, name) for line, name in zip(some.lines, some.cut_offs or [], strict=True)]


def test_the_limit_itself_is_in_time(library: Mapping[str, Course]) -> None:
    """Who arrives in the millisecond of the limit is in time, and a millisecond later is not."""
    course = library["city-10k"]
    plain = Race(course, resolved(competitors=1))
    arrival = round(float(plain.field.elapsed(np.array([0]), np.array([5000.0]))[0]), 3)
    end = round(float(plain.field.end[0]), 3)

    for limits, until in (
        ({"5 km": arrival, "finish": end}, course.distance),
        ({"5 km": round(arrival - 0.001, 3), "finish": end}, 5000.0),
    ):
        assert Race(course, resolved(competitors=1, cut_offs=limits)).field.until[0] == until
    late = Race(course, resolved(competitors=1, cut_offs={"finish": round(end - 0.001, 3)}))
    assert not late.finishes[0]
    assert late.field.until[0] < course.distance


def test_limits_count_from_the_own_wave(library: Mapping[str, Course]) -> None:
    """With `wave`, the last wave has as much time as the first; with `gun`, less."""
    fields: dict[str, Any] = {
        "competitors": 40,
        "fastest": 350.0,
        "slowest": 350.0,
        "wave_size": 20,
        "wave_delay": 600.0,
        "cut_offs": {"5 km": 2000.0},
    }
    by_gun, by_wave = (
        Race(library["city-10k"], resolved(**fields, cut_offs_from=since)) for since in ("gun", "wave")
    )
    second = by_gun.field.wave == 2

    assert not by_gun.finishes[second].any()
    assert by_gun.finishes[~second].all()
    assert by_wave.finishes.all()


def test_a_later_lap_has_the_name_of_the_results() -> None:
    """A point that is passed twice has two names, as in the results: the second with its number."""
    course = Course.measured(
        short_name="laps",
        long_name="Laps",
        lon=np.zeros(2),
        lat=50.0 + np.array([0.0, 0.03]),
        laps=2,
        mats=[Mat("Bridge", (0.0, 50.01), (1111.0,)), Mat("finish", (0.0, 50.02), (2222.0,))],
    )
    limits = of(course, resolved(course="laps", cut_offs={"Bridge (2)": 2000, "FINISH": 4000}))
    assert limits is not None
    bridge, end = limits.limits

    assert (bridge.point, bridge.lap) == ("Bridge", 2)
    assert bridge.distance == pytest.approx(course.lap_length + 1111.0)
    assert (end.name, end.point, end.distance) == (FINISH, "Finish", course.distance)
    (mat,) = of(course, resolved(course="laps", cut_offs={"finish (split)": 2000})).limits  # type: ignore[union-attr]
    assert (mat.point, mat.lap, mat.is_finish) == ("finish", 1, False)


@pytest.mark.parametrize(
    ("cut_offs", "reason"),
    [
        (
            {"6 Km": 2400, "Bridge": 3000},
            "must name timing points of the course, not 'Bridge'; they are 1 km, 2",
        ),
        ({"5 km": 2400, "7 km": 2400}, "must rise with the distance: 7 km, 0:40:00, is not later than 5 km"),
        ({"5 km": 3000, "finish": 2400}, "must rise with the distance: finish, 0:40:00, is not later"),
        ({"5 km": 299.9}, "can't be reached: 5 km within 0:04:59.9 is faster than 60 seconds per kilometre"),
        ({"5 km": 2400, "5 KM": 2500}, "must not have two times for 5 km"),
    ],
)
def test_limits_that_do_not_fit_the_course(
    library: Mapping[str, Course], cut_offs: dict[str, float], reason: str
) -> None:
    """The message says what is wrong, and names the points that the course has."""
    with pytest.raises(CutOffError, match=reason):
        of(library["city-10k"], resolved(course="city-10k", cut_offs=cut_offs))


def test_the_fastest_possible_limit_is_accepted(library: Mapping[str, Course]) -> None:
    """A limit that needs exactly the fastest pace that a request may have is possible."""
    assert of(library["city-10k"], resolved(course="city-10k", cut_offs={"5 km": 300}))


def test_two_limits_at_one_place(library: Mapping[str, Course]) -> None:
    """Two names of one place can't have two limits."""
    course = library["city-10k"]
    twice = Course.measured(
        short_name="twice",
        long_name="Twice",
        lon=course.lon,
        lat=course.lat,
        mats=[Mat("Bridge", (0.0, 50.0), (5000.0,))],
    )
    with pytest.raises(CutOffError, match=r"must not have limits for both .* and .*: they are one place"):
        of(twice, resolved(course="twice", cut_offs={"5 km": 2400, "Bridge": 2500}))


def test_the_course_does_not_close_before_the_last_start(library: Mapping[str, Course]) -> None:
    """A limit of the finish before the last start is refused; a second after it, all others run on."""
    fields: dict[str, Any] = {"competitors": 20, "wave_size": 5, "wave_delay": 600}
    with pytest.raises(CutOffError, match="finish closes after 0:30:00, and the last start is after 0:30:00"):
        Race(library["city-10k"], resolved(**fields, cut_offs={"finish": 1800}))

    assert Race(library["city-10k"], resolved(**fields, cut_offs={"finish": 1801})).duration == 1801


def test_a_pause_and_a_wrong_turn_end_with_the_race(library: Mapping[str, Course]) -> None:
    """Who pauses, or is off the course, when it closes, stays at that place."""
    fields: dict[str, Any] = {
        "competitors": 200,
        "how_many_get_stopped": 1,
        "min_pause": 3600,
        "max_pause": 3600,
    }
    plain = Race(library["crystal-palace"], resolved(**fields, wrong_turn=1))
    close = 1500.0
    off = plain.field.off_course(close)
    paused = plain.field.paused(close)
    assert off.any()
    assert paused.any()
    race = Race(library["crystal-palace"], resolved(**fields, wrong_turn=1, cut_offs={"finish": close}))
    last = race.snapshot(close)

    for later in (close, close + 60.0):
        np.testing.assert_array_equal(race.field.off_course(later), off)
        assert (race.snapshot(later).status[paused | (off > 0)] == Status.DNF).all()
    np.testing.assert_array_equal(last.distance, plain.snapshot(close).distance)
    np.testing.assert_array_equal(last.lon, plain.snapshot(close).lon)


def test_seconds_lost_end_with_the_race(library: Mapping[str, Course]) -> None:
    """In a crowd, those who are stopped have lost what they have lost up to there, as the sections show."""
    fields: dict[str, Any] = {"competitors": 400, "crowding": "flow", "width": 1.0, "start_width": 1.0}
    plain = Race(library["city-10k"], resolved(**fields))
    race = Race(library["city-10k"], resolved(**fields, cut_offs={"2 km": 1200, "finish": 4000}))
    found = crowding.of(race)
    stopped = race.field.until < race.course.distance
    assert plain.field.lost is not None

    assert 50 < stopped.sum() < 390
    assert (found.lost.on_course <= plain.field.lost.on_course + 1e-6).all()
    assert found.lost.on_course[stopped].sum() < plain.field.lost.on_course[stopped].sum()
    assert found.density.lost.sum() == pytest.approx(found.lost.on_course.sum(), rel=0.01)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("5 km = 0:40:00; finish = 1:30:00", {"5 km": 2400.0, "finish": 5400.0}),
        ("5 km=2400\nfinish=5400.5;", {"5 km": 2400.0, "finish": 5400.5}),
        ('{"5 km": "0:40:00", "finish": 5400}', {"5 km": 2400.0, "finish": 5400.0}),
        ({"a = b": "100:00:00", "finish": "240:00:00"}, {"a = b": 360_000.0, "finish": MAX_LIMIT}),
        ("a = b = 0:00:01", {"a = b": 1.0}),
    ],
)
def test_written_limits(given: Any, seconds: dict[str, float]) -> None:
    """Limits are written as text or as an object, in seconds or as h:mm:ss; the last = separates the time."""
    assert resolved(cut_offs=given).cut_offs == seconds


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("5 km 0:40:00", "'5 km 0:40:00' has no name, = and time"),
        ("= 0:40:00", "has no name, = and time"),
        ("5 km = 40:00", "'40:00' is not a time such as 0:40:00 or 2400"),
        ("5 km = 0:60:00", "is not a time"),
        ("5 km = 1; 5 km = 2", "'5 km' has two times"),
        ("finish = 0", "the time for 'finish' must be more than 0 and at most 240:00:00"),
        ({"finish": MAX_LIMIT + 1}, "must be more than 0 and at most 240:00:00"),
        ({"finish": "240:00:01"}, "must be more than 0 and at most 240:00:00"),
        ('{"5 km": ', "must be names of timing points"),
        ("x" * (MAX_TEXT + 1), "the text has more than 10,000 characters"),
        ({}, "at least 1"),
        ("", "at least 1"),
        ({f"{km} km": km for km in range(1, MAX_CUT_OFFS + 2)}, f"at most {MAX_CUT_OFFS}"),
        ({"x" * (MAX_NAME + 1): 1}, f"at most {MAX_NAME}"),
        ({"finish": float("nan")}, "must be more than 0"),
        ({"finish": True}, "valid number"),
        ([1], "dictionary"),
    ],
)
def test_unreadable_limits(given: Any, reason: str) -> None:
    """The message shows the part that can't be read, and how limits are written."""
    with pytest.raises(ValidationError, match=reason):
        resolved(cut_offs=given)


def test_as_many_limits_as_allowed() -> None:
    """The largest number of limits, the longest name and the longest text are accepted."""
    assert len(resolved(cut_offs={f"{km} km": km for km in range(1, MAX_CUT_OFFS + 1)}).cut_offs or {}) == 100
    assert resolved(cut_offs={"x" * MAX_NAME: 1}).cut_offs == {"x" * MAX_NAME: 1.0}
    assert resolved(cut_offs="finish = 1".ljust(MAX_TEXT)).cut_offs == {"finish": 1.0}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0:00:00.5"), (2400.0, "0:40:00"), (5400.25, "1:30:00.25"), (864_000.0, "240:00:00")],
)
def test_limits_are_written_as_times(seconds: float, text: str) -> None:
    """Messages show limits as h:mm:ss."""
    assert written(seconds) == text
