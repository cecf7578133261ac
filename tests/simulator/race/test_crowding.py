"""Crowding: the laws of a congested field, and the model event by event."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.course.course import Course, Width
from simulator.race.crowd_figures import JAM_DENSITY, SPECIFIC_FLOW, WALK, wave_speed
from simulator.race.crowding import cells, queues
from simulator.race.crowding.cells import CELL, MAX_CELLS, MAX_CROSSINGS
from simulator.race.field import marks_along
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.arrays import Floats, Ints
from tests.simulator.conftest import resolved
from tests.simulator.race.crowd_reference import Reference

NEARLY = 1e-6
METRES = 111_229.0
"""Metres of a degree of latitude at 50 degrees."""


def avenue(metres: float, *widths: tuple[float, float], **parts: Any) -> Course:
    """Return a straight course with widths (from a place on, metres)."""
    return Course.measured(
        short_name="avenue",
        long_name="Avenue",
        lon=np.zeros(2),
        lat=50.0 + np.array([0.0, metres / METRES]),
        widths=[Width(*width) for width in widths],
        **parts,
    )


def crowded(course: Course, **fields: Any) -> Race:
    """Return a race with crowding."""
    return Race(course, resolved(crowding="flow", **fields))


def crossings(race: Race) -> Floats:
    """Return when everyone crosses each cut, shape (c + 1, n); NaN for those who don't get there."""
    free, cells = race.without_crowding(), race.cells
    times = np.array([free.times_at(flat) for flat in cells.flat]) + queues.delays(free, cells)
    times[(cells.places[:, None] > free.until) | np.isinf(free.start)] = np.nan
    return times


def free_crossings(race: Race) -> Floats:
    """Return the same without crowding, without NaN."""
    free = race.without_crowding()
    return np.array([np.nan_to_num(free.times_at(flat), posinf=0.0) for flat in race.cells.flat])


widths = st.lists(
    st.tuples(st.floats(0, 595), st.sampled_from([0.5, 0.8, 1.0, 2.0, 4.0, np.inf])), max_size=4
).map(sorted)
FIELDS = st.fixed_dictionaries(
    {
        "competitors": st.integers(1, 150),
        "fastest": st.sampled_from([180.0, 300.0, 420.0]),
        "slowest": st.sampled_from([420.0, 700.0]),
        "specific_flow": st.sampled_from([20.0, 60.0, SPECIFIC_FLOW]),
        "jam_density": st.sampled_from([2.0, JAM_DENSITY, 5.0]),
    },
    optional={
        "start_width": st.sampled_from([0.5, 2.0]),
        "width": st.sampled_from([0.5, 1.0]),
        "wave_size": st.integers(10, 50),
        "wave_delay": st.sampled_from([10.0, 60.0]),
        "corrals": st.booleans(),
        "dnf": st.floats(0, 0.3),
        "dns": st.floats(0, 0.3),
        "wrong_turn": st.floats(0, 0.3),
        "fatigue": st.sampled_from(["none", "split"]),
    },
)
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(widths, FIELDS)
@some
def test_nobody_is_faster_than_without_crowding(steps: list[tuple[float, float]], fields: Any) -> None:
    """Between two cuts everyone takes at least as long as alone, and nobody starts early."""
    race = crowded(avenue(600, *steps), **fields)
    times, free = crossings(race), free_crossings(race)
    alone, here = np.diff(free, axis=0), np.diff(times, axis=0)

    assert ((here >= alone - NEARLY) | np.isnan(here)).all()
    assert ((times[0] >= free[0]) | np.isnan(times[0])).all()


@given(widths, FIELDS)
@some
def test_flow_never_exceeds_capacity(steps: list[tuple[float, float]], fields: Any) -> None:
    """At each cut two who follow each other are a headway apart at least."""
    race = crowded(avenue(600, *steps), **fields)
    for times, headway in zip(crossings(race), race.cells.headway, strict=True):
        crossed = np.sort(times[np.isfinite(times)])
        assert (np.diff(crossed) >= headway - NEARLY).all()


@given(widths, FIELDS)
@some
def test_runners_are_conserved(steps: list[tuple[float, float]], fields: Any) -> None:
    """Crowding changes nobody's fate and order of places: the same ones cross each cut, later."""
    race = crowded(avenue(600, *steps), **fields)
    free, field = race.without_crowding(), race.field

    assert (field.until == free.until).all()
    assert (np.isinf(field.start) == np.isinf(free.start)).all()
    assert field.lost is not None
    delay = field.lost.at_start + field.lost.on_course
    starts = np.isfinite(free.end)
    assert (delay >= 0).all()
    assert field.end[starts] - free.end[starts] == pytest.approx(delay[starts], abs=NEARLY)


@given(widths, FIELDS)
@some
def test_nobody_is_overtaken_in_a_queue(steps: list[tuple[float, float]], fields: Any) -> None:
    """Who enters a cell that a queue covers leaves it before those who enter later, if due by then."""
    fields = {**fields, "wrong_turn": 0.0, "dnf": 0.0}
    race = crowded(avenue(600, *steps), **fields)
    cells, times = race.cells, crossings(race)
    alone = np.diff(free_crossings(race), axis=0)
    for cell in range(len(cells)):
        headway = cells.headway[cell + 1]
        who = np.flatnonzero(np.isfinite(times[cell]))
        if headway == 0.0 or not len(who):
            continue
        who = who[np.argsort(times[cell, who], kind="stable")]
        entered, left, due = times[cell, who], times[cell + 1, who], times[cell, who] + alone[cell, who]
        inside = np.arange(len(who)) - np.searchsorted(np.sort(left), entered - NEARLY)
        queue = cells.jam[cell] * headway - cells.lag[cell]
        for nth in np.flatnonzero(inside * headway >= max(queue, alone[cell, who].mean()) + NEARLY).tolist():
            later = left[nth + 1 :][entered[nth + 1 :] > entered[nth] + NEARLY]
            stands_from = due[nth]
            overtaking = (later < left[nth] - NEARLY) & (later > stands_from + NEARLY)
            assert not overtaking.any()


@given(widths, FIELDS)
@some
def test_a_full_queue_spills_back(steps: list[tuple[float, float]], fields: Any) -> None:
    """A cell takes in the n-th runner when the (n - jam)-th has left and the gap has moved back."""
    fields = {**fields, "wrong_turn": 0.0, "dnf": 0.0}
    race = crowded(avenue(600, *steps), **fields)
    cells, times = race.cells, np.sort(crossings(race), axis=1)
    for cell in range(len(cells)):
        if np.isfinite(cells.jam[cell]) and (jam := int(cells.jam[cell])) < times.shape[1]:
            early = times[cell + 1, :-jam] + cells.lag[cell] - times[cell, jam:]
            assert np.nanmax(early, initial=0.0) <= queues.SETTLED + NEARLY


def reference_of(race: Race) -> Reference:
    """Return the same race event by event."""
    return Reference(race.without_crowding(), race.cells)


@given(widths, FIELDS)
@some
def test_equal_runners_are_as_event_by_event(steps: list[tuple[float, float]], fields: Any) -> None:
    """Where nobody overtakes, everyone's times are those of the events, to what full cells are settled."""
    fields = {**fields, "slowest": fields["fastest"], "fatigue": "none", "wrong_turn": 0.0, "start_flow": 30}
    race = crowded(avenue(600, *steps), **fields)
    times, expected = crossings(race), reference_of(race).crossed

    assert (np.isnan(times) == np.isnan(expected)).all()
    assert times == pytest.approx(expected, abs=queues.SETTLED + 0.1, nan_ok=True)


@given(widths, FIELDS)
@some
def test_any_field_is_nearly_as_event_by_event(steps: list[tuple[float, float]], fields: Any) -> None:
    """The n-th crosses each cut at about the moment at which the n-th does event by event."""
    race = crowded(avenue(600, *steps), **fields)
    times, expected = crossings(race), reference_of(race).crossed

    assert (np.isnan(times) == np.isnan(expected)).all()
    apart = np.abs(np.sort(times, axis=1) - np.sort(expected, axis=1))
    assert np.nan_to_num(apart).mean() < 2.0


NARROW = ((0.0, 4.0), (400.0, 1.0), (500.0, 4.0))


def test_a_bottleneck_discharges_its_capacity() -> None:
    """While there is a queue, a narrow part lets through its capacity, within 1 %."""
    race = crowded(avenue(600, *NARROW), competitors=2000, fastest=200, slowest=500)
    cut = int(np.flatnonzero(race.cells.places == 400.0)[0])
    crossed = np.sort(crossings(race)[cut])
    queued = crossed[200:1800]

    assert 60 * (len(queued) - 1) / (queued[-1] - queued[0]) == pytest.approx(SPECIFIC_FLOW, rel=0.01)


def test_the_start_line_is_the_first_bottleneck() -> None:
    """A start line lets through its capacity from the gun of each wave on, in the order of the start."""
    race = crowded(avenue(600), competitors=300, start_width=2, wave_size=100, wave_delay=60, corrals=True)
    starts = race.field.start
    headway = 60 / (2 * SPECIFIC_FLOW)
    for wave in (1, 2, 3):
        own = np.sort(starts[race.field.wave == wave])
        assert own == pytest.approx((wave - 1) * 60 + headway * np.arange(100), abs=NEARLY)
    order = np.argsort(starts, kind="stable")
    assert (np.diff(race.field.place[order]) == 1).all()


def test_a_wave_waits_for_the_one_before() -> None:
    """If a wave has not crossed the line when the next one starts, that one queues behind it."""
    race = crowded(avenue(600), competitors=300, start_width=1, wave_size=100, wave_delay=10)
    starts = np.sort(race.field.start)

    assert np.diff(starts) == pytest.approx(60 / SPECIFIC_FLOW, abs=NEARLY)
    assert race.field.start[race.field.wave == 3].min() > race.field.start[race.field.wave == 2].max()


def test_a_queue_reaches_back_to_the_start() -> None:
    """A queue longer than the course in front of it delays the start."""
    short = crowded(avenue(600, *NARROW), competitors=300, fastest=300, slowest=300)
    long = crowded(avenue(600, *NARROW), competitors=8000, fastest=300, slowest=300)

    at_the_line = 60 / (4 * SPECIFIC_FLOW)
    assert np.diff(np.sort(short.field.start)).max() == pytest.approx(at_the_line, abs=NEARLY)
    last = np.sort(long.field.start)[-1000:]
    assert np.diff(last).mean() == pytest.approx(60 / SPECIFIC_FLOW, rel=0.02)


def test_below_capacity_nobody_loses_time() -> None:
    """On a course that is wide enough nobody waits longer than for a few others."""
    race = crowded(avenue(2500, (0, 50.0), (1200, 30.0)), competitors=200, start_flow=1.0, dnf=0.1)

    assert race.field.lost is not None
    assert race.field.lost.on_course.max() < queues.SPREAD
    assert race.field.marks.tolist() == race.without_crowding().marks.tolist()


def test_without_widths_nothing_changes(straight: Course) -> None:
    """On a course whose width is unknown the race is the one without crowding, to the last bit."""
    race = crowded(straight, competitors=200, start_flow=1.0, how_many_get_stopped=0.3, dnf=0.1)
    free = race.without_crowding()

    assert race.field.moving.tobytes() == free.moving.tobytes()
    assert race.field.end.tobytes() == free.end.tobytes()


@given(widths, FIELDS)
@some
def test_the_field_has_the_delays(steps: list[tuple[float, float]], fields: Any) -> None:
    """The field's times at the cuts are those of the delays, to the seconds to which these are kept."""
    race = crowded(avenue(600, *steps), **fields)
    times = crossings(race)
    kept = np.array([race.field.times_at(flat) for flat in race.cells.flat])

    assert np.abs(np.where(np.isnan(times), 0.0, times - kept)).max() <= queues.SPREAD + NEARLY


def test_who_stands_aside_holds_up_nobody(straight: Course) -> None:
    """Those who pause in a geofence, or give up there, do not delay the others."""
    fields: dict[str, Any] = {"competitors": 300, "width": 2.0, "start_flow": 2.0, "min_pause": 3000}
    fields |= {"max_pause": 3600, "how_many_get_stopped": 0.3, "dnf": 0.1}
    race = crowded(straight, **fields)
    assert race.field.lost is not None

    assert race.field.lost.on_course.max() < 5


def test_a_pause_is_as_long_as_without_crowding(straight: Course) -> None:
    """Competitors stand for their pause and no longer, also where the course is congested."""
    race = crowded(straight, competitors=200, width=0.5, how_many_get_stopped=1, min_pause=20, max_pause=20)
    assert race.field.lost is not None
    for stop in race.field.stops:
        for who in range(0, 200, 20):
            began = race.field.start[who] + stop.start[who]
            times = began + np.array([-0.01, 0.01, 19.99, 20.01])
            assert [bool(race.field.paused(time)[who]) for time in times] == [False, True, True, False]
    assert race.field.lost.on_course.max() > 10


@pytest.mark.parametrize("fields", [{"dnf": 0.3, "wrong_turn": 0.3}, {"gradient": True}, {"fatigue": "wall"}])
def test_passings_agree_with_positions(straight: Course, fields: dict[str, Any]) -> None:
    """At a passing its competitor is at the timing point; at the end it is at the last place."""
    race = crowded(straight, competitors=150, width=1.0, how_many_get_stopped=0.5, **fields)
    passings = race.passings(BEFORE_THE_START, race.duration)
    there = race.snapshot(passings.elapsed, passings.who)

    assert there.distance == pytest.approx(passings.distance, abs=1e-5)
    ends = np.where(np.isfinite(race.field.end), race.field.end, 0.0)
    assert race.snapshot(ends).distance == pytest.approx(np.where(ends > 0, race.field.until, 0.0))


def test_some_of_the_field_are_where_they_are_in_all_of_it() -> None:
    """A selection of competitors has their positions, also with so many marks that they are searched."""
    race = crowded(avenue(5000, (0, 1.0)), competitors=300)
    assert len(race.field.marks) > 64
    who = np.array([5, 17, 17, 299, 0])
    for time in (0.0, 60.0, 600.0, 2000.0):
        assert race.field.take(who).distance(time).tolist() == race.field.distance(time)[who].tolist()
        part = race.field.take(slice(100, 200))
        assert part.distance(time).tolist() == race.field.distance(time)[100:200].tolist()
        assert part.take(np.array([3])).distance(time)[0] == race.field.distance(time)[103]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A congested field is drawn again to the last bit."""
    one, other = (crowded(avenue(600, *NARROW), competitors=500, dnf=0.1).field for _ in range(2))

    assert one.moving.tobytes() == other.moving.tobytes()
    assert one.end.tobytes() == other.end.tobytes()


def test_crowding_changes_no_name(straight: Course) -> None:
    """The competitors are the same with and without crowding: the plans of a race can be compared."""
    drawn: dict[str, Any] = {"competitors": 100, "entrants": "drawn", "start_flow": 1.0}
    with_it = crowded(straight, width=0.5, **drawn).entrants
    without = Race(straight, resolved(**drawn)).entrants

    assert list(with_it.some(0, 100)) == list(without.some(0, 100))


def test_cells_are_cut_where_the_width_changes() -> None:
    """Cells end at changes of the width and at marks; limited ones are 50 m at most, others are whole."""
    race = crowded(avenue(2000, (120.0, 3.0), (260.0, np.inf)), competitors=1)
    cells = race.cells

    assert cells.places[:6].tolist() == pytest.approx([0, 120, 120 + 140 / 3, 120 + 280 / 3, 260, 1000])
    assert cells.width[:5].tolist() == [np.inf, 3, 3, 3, np.inf]
    assert cells.length[np.isfinite(cells.width)].max() <= CELL
    assert cells.capacity[1:5] * 60 == pytest.approx([3 * SPECIFIC_FLOW] * 4)
    assert np.isinf(cells.capacity[[0, 5]]).all()


def test_a_long_course_has_longer_cells() -> None:
    """The number of cells is limited on any course, and with a million competitors."""
    assert len(crowded(avenue(200_000, (0, 3.0)), competitors=1).cells) <= MAX_CELLS + 65
    marathon, million = avenue(42_195, (0, 3.0)), resolved(competitors=1_000_000, interval=3600)
    found = cells.of(marathon, million, marks_along(marathon.distance), None)
    assert len(found) * million.competitors <= 1.5 * MAX_CROSSINGS


def test_the_narrower_width_counts() -> None:
    """Of the widths of the file and of the request the narrower one limits each part."""
    cells = crowded(avenue(300, (0, 3.0), (150, 8.0)), competitors=1, width=5, start_width=4).cells

    assert sorted(set(cells.width.tolist())) == [3.0, 5.0]
    assert cells.capacity[0] * 60 == pytest.approx(3 * SPECIFIC_FLOW)


def test_at_capacity_a_crowd_walks() -> None:
    """The wave speed makes a walk at capacity the densest crowd that loses no flow."""
    flow = SPECIFIC_FLOW / 60
    at_a_walk = flow / WALK
    assert wave_speed(flow, JAM_DENSITY) * (JAM_DENSITY - at_a_walk) == pytest.approx(flow)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"specific_flow": 300, "jam_density": 3.0}, "must be at least 3.93 at this specific_flow"),
        ({"competitors": 100_000, "start_width": 0.5}, "would start the last competitor 94,488 seconds"),
    ],
)
def test_impossible_crowding_is_refused(fields: dict[str, Any], message: str) -> None:
    """A queue is denser than a walking crowd, and all start in a day."""
    with pytest.raises(ValidationError, match=message):
        RaceRequest(course="c", crowding="flow", **fields)


def test_widths_without_crowding_change_nothing(straight: Course) -> None:
    """While crowding is off, its settings have no effect."""
    plain = Race(straight, resolved(competitors=50))
    with_settings = Race(straight, resolved(competitors=50, width=0.5, start_width=0.5, specific_flow=10))

    assert with_settings.field.end.tobytes() == plain.field.end.tobytes()
    assert with_settings.field.lost is None


def who_waits(race: Race) -> Ints:
    """Return who loses time."""
    assert race.field.lost is not None
    return np.flatnonzero(race.field.lost.on_course > 1.0)


def total(race: Race, of: Sequence[int] | None = None) -> float:
    """Return the seconds lost by all, or by some."""
    assert race.field.lost is not None
    lost = race.field.lost.at_start + race.field.lost.on_course
    return float(lost.sum() if of is None else lost[list(of)].sum())


def test_waves_reduce_the_loss_on_the_course() -> None:
    """The same competitors lose less on the course if they start in waves."""
    course = avenue(600, (0, 8.0), (300, 2.0))
    mass = crowded(course, competitors=1000, fastest=250, slowest=400)
    waves = crowded(course, competitors=1000, fastest=250, slowest=400, wave_size=200, wave_delay=90)

    assert len(who_waits(mass)) > len(who_waits(waves))
    assert total(waves) < total(mass)
