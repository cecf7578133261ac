"""A race day in the middle of a race, compared with how the race goes on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashboard.race.forecasts import Forecaster
from dashboard.race.snapshots import Snapshots
from dashboard.raceday import day as days_day
from dashboard.raceday.day import FEWEST, MOST_PLACES, Day, usual_places
from dashboard.raceday.days import EXACT_FOR_S, FRESH_FOR_S, MAX_RACES, RaceDays
from dashboard.raceday.limits import CLOSE
from dashboard.store.protocol import StoreError
from simulator.race.race import BEFORE_THE_START, Race
from stream.courses import TimingPoint
from stream.results import wave_guns
from tests.dashboard.fakes import FakeStore, at, race
from tests.dashboard.race.big import COMPETITORS, simulated, store_at, tell

LIMITS: dict[str, Any] = {
    "cut_offs": {"2 km": 13 * 60, "3 km": 21 * 60, "finish": 32 * 60},
    "cut_offs_from": "wave",
    "wave_size": 250,
    "wave_delay": 120,
}
MIDDLE = 900.0


@pytest.fixture(scope="module")
def limited() -> Race:
    """A race with cut-offs by wave."""
    return simulated(**LIMITS)


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return them."""
        return self.now


def day_of(store: FakeStore, clock: Callable[[], float] | None = None) -> Day:
    """The race day that a store has."""
    return days_of(store, clock or Clock()).get("run_1")


def days_of(store: FakeStore, clock: Callable[[], float]) -> RaceDays:
    """The race days of a store."""
    snapshots = Snapshots(store, clock)
    return RaceDays(store, snapshots, Forecaster(snapshots, clock), clock)


def ends(found: Race) -> dict[int, str]:
    """The cut-off that stops each competitor in the end, by bib."""
    assert found.cut_offs is not None
    last = found.snapshot(found.duration)
    guns = wave_guns(found.field.wave, found.request.wave_delay)
    status = np.array(["dnf" if one == 3 else "" for one in last.status.tolist()])
    stopped = found.cut_offs.reached(status, last.distance, last.elapsed, guns)
    return dict(zip(found.entrants.bib.tolist(), found.cut_offs.names(stopped), strict=True))


@pytest.mark.parametrize("is_big", [False, True])
def test_counts_at_each_cut_off(limited: Race, *, is_big: bool) -> None:
    """Through, out and to come are those of all competitors, also if a sample shows the race."""
    day = day_of(store_at(limited, MIDDLE, is_big=is_big))
    passings = limited.passings(BEFORE_THE_START, MIDDLE)
    now = limited.snapshot(MIDDLE)

    for state in day.states:
        one = state.cut_off
        nth = [point.name for point in limited.points].index(one.point)
        passed = set(passings.who[passings.point == nth].tolist())
        out = {who for who in passed if now.status[who] == 3 and now.distance[who] == one.distance}
        is_in = np.isin(now.status, (0, 1, 6)) & (now.distance < one.distance)
        assert state.through == len(passed - out)
        assert state.out == (0 if one.is_finish else len(out))
        assert state.ahead == int(is_in.sum())
        assert state.deadlines == (one.limit, one.limit + 240.0)
        assert len(day.out([limit.cut_off for limit in day.states].index(one))) == state.out
    assert any(state.out for state in day.states)


def test_those_who_are_stopped_are_expected(limited: Race) -> None:
    """As many as will be stopped at each cut-off are expected to be, within what is left to chance."""
    day, stopped = day_of(store_at(limited, MIDDLE, is_big=False)), list(ends(limited).values())

    for state in day.states:
        assert state.too_late is not None
        found = state.out + state.too_late
        assert found == pytest.approx(stopped.count(state.cut_off.name), abs=30), state


def test_close_are_those_who_may_be_too_late(limited: Race) -> None:
    """All who will be stopped are listed while they are on their way, the next arrival first."""
    day, stopped = day_of(store_at(limited, MIDDLE, is_big=False)), ends(limited)
    now = limited.snapshot(MIDDLE)
    running = {int(bib) for bib in limited.entrants.bib[np.isin(now.status, (0, 1))].tolist()}

    for nth, name in enumerate(("2 km", "3 km")):
        close = day.close(nth)
        listed = {one.bib for one in close}
        missed = {bib for bib, at_name in stopped.items() if at_name == name and bib in running} - listed
        out = {one.bib for one in day.out(nth)}
        assert len(missed - out) <= 0.1 * len(listed) + 1
        assert [one.expected for one in close] == sorted(one.expected for one in close)
        assert all(CLOSE <= one.chance <= 1.0 for one in close)
        assert all(one.to_go == pytest.approx(one.expected - day.now) for one in close)
        assert {one.deadline % 120 for one in close} == {day.states[nth].cut_off.limit % 120}
        certain = [one for one in close if one.deadline < day.now]
        assert all(one.chance == 1.0 for one in certain)


def test_those_who_are_out(limited: Race) -> None:
    """The last one who was stopped comes first, with the delay; when the course has closed, the furthest."""
    store = store_at(limited, limited.duration, is_big=False)
    day = day_of(store)
    stopped = ends(limited)

    for nth, state in enumerate(day.states):
        found = day.out(nth)
        assert {one.bib for one in found} == {
            bib for bib, name in stopped.items() if name == state.cut_off.name
        }
        if state.cut_off.is_finish:
            assert [one.distance for one in found] == sorted((one.distance for one in found), reverse=True)
            assert {one.late for one in found} == {0.0}
        else:
            assert [one.elapsed for one in found] == sorted((one.elapsed for one in found), reverse=True)
            assert all(one.late > 0 for one in found)
        assert day.close(nth) == []
        assert state.ahead == 0


@pytest.mark.parametrize("is_big", [False, True])
def test_arrivals_so_far_and_expected(limited: Race, *, is_big: bool) -> None:
    """Those so far are exact, and together with the expected ones about as many as will have arrived."""
    day = day_of(store_at(limited, MIDDLE, is_big=is_big))
    far = limited.passings(BEFORE_THE_START, MIDDLE)
    all_of_them = limited.passings(BEFORE_THE_START, limited.duration)
    assert len(day.points) > 4

    for place in day.points:
        nth = [(point.kind, point.name, point.lap) for point in limited.points].index(
            (place.kind, place.name, place.lap)
        )
        found = day.arrivals(place)
        assert found.so_far.sum() == (far.point == nth).sum()
        in_the_end = int((all_of_them.point == nth).sum())
        assert found.so_far.sum() + found.expected.sum() == pytest.approx(
            in_the_end, abs=0.3 * in_the_end if is_big else 0.08 * COMPETITORS
        )


def test_the_busiest_time_is_forecast(limited: Race) -> None:
    """The five minutes with the most arrivals at the finish are expected about when they come."""
    places = day_of(store_at(limited, MIDDLE, is_big=False)).points
    then = day_of(store_at(limited, MIDDLE, is_big=False)).arrivals(places[-1]).busiest
    done = day_of(store_at(limited, limited.duration, is_big=False)).arrivals(places[-1]).busiest
    assert then is not None
    assert done is not None
    assert then.is_expected
    assert not done.is_expected
    assert abs(then.start - done.start) <= 300
    assert then.many == pytest.approx(done.many, rel=0.25)


def test_those_who_have_not_started_are_expected_too() -> None:
    """The last waves count among the expected, as if they ran like those who have started."""
    waves = simulated(wave_size=250, wave_delay=600)
    day = day_of(store_at(waves, 500.0, is_big=False))
    finish = day.points[-1]
    assert day.waiting > 400
    found = day.arrivals(finish)
    last = waves.finish_times[np.isfinite(waves.finish_times)]

    assert found.expected.sum() == pytest.approx(len(last), rel=0.1)
    middle = np.average(found.start + 150.0, weights=found.expected)
    assert middle == pytest.approx(float(last.mean()), abs=300)


def test_counts_do_not_change_when_few_are_computed(limited: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """With many on the course, expected arrivals are scaled up from some of them, and are as many."""
    whole = day_of(store_at(limited, MIDDLE, is_big=False))
    assert whole.thinned == 1
    monkeypatch.setattr(days_day, "BUDGET", 1)
    monkeypatch.setattr(days_day, "FEWEST", 100)
    some = day_of(store_at(limited, MIDDLE, is_big=False))
    assert some.thinned > 3

    for place in whole.points:
        everyone, thinned = (day.arrivals(place).expected.sum() for day in (whole, some))
        assert thinned == pytest.approx(everyone, abs=0.1 * COMPETITORS)
        assert (some.arrivals(place).so_far == some.arrivals(place).so_far).all()
    assert [one.bib for one in whole.close(1)] == [one.bib for one in some.close(1)]


def test_the_latest_are_found_first(limited: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """If only some chances are computed, they are those of the competitors who are most likely late."""
    everyone = day_of(store_at(limited, MIDDLE, is_big=False)).close(1)
    monkeypatch.setattr(days_day, "MOST_CLOSE", 60)
    latest = day_of(store_at(limited, MIDDLE, is_big=False)).close(1)

    assert len(latest) == 60
    chosen = {one.bib for one in latest}
    assert chosen <= {one.bib for one in everyone}
    left_out = [one.margin for one in everyone if one.bib not in chosen]
    assert np.mean(left_out) > np.mean([one.margin for one in latest])


def test_before_the_gun() -> None:
    """Before the gun there are limits, and neither forecasts nor arrivals."""
    limits = simulated(**LIMITS)
    store = store_at(limits, 0.0, is_big=False)
    store.known = [race(status="scheduled", cut_offs=store.known[0].cut_offs, wave_delay=120.0)]
    store.now, store.passed = at(), []
    day = day_of(store)

    assert [(state.through, state.ahead, state.out, state.too_late) for state in day.states] == [
        (0, 0, 0, None)
    ] * 3
    assert day.states[0].deadlines == (780.0, 780.0)
    assert not day.has_forecasts
    assert len(day.arrivals(day.points[-1]).start) == 0
    assert day.close(0) == []


def test_usual_places() -> None:
    """Geofences come first, then timing points of the course, then kilometres; the finish is always there."""
    finish = TimingPoint(42_195.0, "finish", "Finish", 1)
    km = [TimingPoint(1000.0 * n, "split", f"{n} km", 1) for n in range(1, 43)]
    mat = TimingPoint(21_097.5, "split", "Half", 1)
    water = TimingPoint(5000.0, "enter", "Water", 1)

    assert usual_places([*km, mat, water, finish]) == [water, finish]
    assert usual_places([*km, mat, finish]) == [mat, finish]
    found = usual_places([*km, finish])
    assert len(found) == MOST_PLACES
    assert [point.name for point in found] == [
        "6 km",
        "12 km",
        "18 km",
        "24 km",
        "30 km",
        "36 km",
        "42 km",
        "Finish",
    ]
    assert usual_places([finish]) == [finish]
    assert FEWEST > 0


def test_all_viewers_share_a_day(limited: Race) -> None:
    """A day is read once for all viewers, and again when it is old; the same state is the same day."""
    clock = Clock()
    store = store_at(limited, MIDDLE, is_big=False)
    days = days_of(store, clock)
    first = days.get("run_1")
    asked = len(store.asked)

    clock.now += FRESH_FOR_S - 0.1
    assert days.get("run_1") is first
    assert len(store.asked) == asked
    tell(store, limited, MIDDLE + 100)
    clock.now += 60.0
    second = days.get("run_1")
    assert second is not first
    assert second.now > first.now


def test_what_is_exact_is_read_seldom(limited: Race) -> None:
    """Counts of all passings are read at most every so many seconds; names only of those who are new."""
    clock = Clock()
    store = store_at(limited, MIDDLE, is_big=True)
    days = days_of(store, clock)
    days.get("run_1")
    assert store.asked.count("count_arrivals") == 1
    for _ in range(3):
        clock.now += EXACT_FOR_S / 4
        days.get("run_1")
    assert store.asked.count("count_arrivals") == 1
    clock.now += EXACT_FOR_S / 4
    days.get("run_1")
    assert store.asked.count("count_arrivals") == 2


def test_a_store_that_fails(limited: Race) -> None:
    """The store's failure is raised, and the next request asks again."""
    clock = Clock()
    store = store_at(limited, MIDDLE, is_big=True)
    days = days_of(store, clock)
    store.failure = StoreError("away")
    with pytest.raises(StoreError):
        days.get("run_1")
    store.failure = None
    clock.now += 5.0
    assert days.get("run_1").states


def test_only_some_races_are_kept() -> None:
    """The least recently requested race day is dropped."""
    clock = Clock()
    store = FakeStore(known=[race(f"run_{nth}") for nth in range(MAX_RACES + 1)])
    days = days_of(store, clock)
    first = days.get("run_0")
    for nth in range(1, MAX_RACES + 1):
        days.get(f"run_{nth}")
    assert days.get("run_0") is not first


@pytest.mark.parametrize("is_big", [False, True])
def test_forecasts_may_be_older_than_positions(limited: Race, *, is_big: bool) -> None:
    """Those who have passed or ended since the forecasts were made are no longer close, or expected."""
    clock = Clock()
    store = store_at(limited, MIDDLE, is_big=is_big)
    days = days_of(store, clock)
    before = days.get("run_1")
    tell(store, limited, MIDDLE + 600)
    newer = Snapshots(store, Clock()).get("run_1")
    day = Day(newer, before.splits, before.forecasts, before.exact)

    here = dict(zip(newer.positions.competitor.tolist(), newer.positions.status.tolist(), strict=True))
    for nth, _ in enumerate(day.states):
        assert {here[one.bib] for one in day.close(nth)} <= {"running", "paused"}
    finish = day.points[-1]
    assert day.arrivals(finish).expected.sum() < before.arrivals(finish).expected.sum()
