"""Forecasts in the dashboard: of what they are made, when they are computed, and what browsers get."""

import gzip
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from dashboard.race import forecasts
from dashboard.race.forecasts import (
    LONGEST_PERIOD_S,
    MAX_RACES,
    NAMED,
    SETTLED_S,
    SHORTEST_PERIOD_S,
    SOON_S,
    Forecaster,
)
from dashboard.race.snapshots import TOO_OLD_TO_SHOW_S, Snapshots, UnknownRaceError
from dashboard.store.protocol import StoreError
from stream.forecasts.between import remembered
from tests.dashboard.fakes import COURSE, FakeStore, at, race
from tests.dashboard.race.big import simulated, store_at

RUNNING = [
    (1, "start", "Start", 1, 0.0, 2.0),
    (2, "start", "Start", 1, 0.0, 2.0),
    (1, "split", "1 km", 1, 1000.0, 302.0),
    (1, "enter", "The climb", 1, 1200.0, 362.0),
]
CLIMB = replace(COURSE, fences=(replace(COURSE.fences[0], visits=((1200.0, 1400.0),)),))


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return them."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def store() -> FakeStore:
    """A store with two competitors on a course with a geofence."""
    return FakeStore(
        known=[race()],
        courses=[CLIMB],
        now=at((1, 1300.0, "running", 390.0), (2, 900.0, "running", 390.0)),
        passed=list(RUNNING),
    )


@pytest.fixture
def forecaster(store: FakeStore, clock: Clock) -> Forecaster:
    """The forecasts of the race in the store."""
    return Forecaster(Snapshots(store, clock), clock)


def payload(found: forecasts.RaceForecasts) -> dict[str, Any]:
    """Return what browsers get."""
    return dict(orjson.loads(gzip.decompress(found.packed.body)))


def test_forecasts_of_everyone_on_the_course(forecaster: Forecaster) -> None:
    """Each competitor has the next timing point, also a geofence's, and the finish, by gun and chip."""
    found = payload(forecaster.get("run_1"))
    points, columns = found["points"], found["columns"]

    assert found["time"] == 390.0
    assert [(point["kind"], point["name"]) for point in points] == [
        ("split", "1 km"),
        ("enter", "The climb"),
        ("exit", "The climb"),
        ("split", "2 km"),
        ("split", "3 km"),
        ("split", "4 km"),
        ("finish", "Finish"),
    ]
    assert columns["competitor"] == [1, 2]
    assert [points[nth]["kind"] for nth in columns["point"]] == ["exit", "split"]
    for name in ("there", "gun", "chip"):
        for low, middle, high in zip(
            columns[f"{name}_low"], columns[name], columns[f"{name}_high"], strict=True
        ):
            assert low < middle < high
    assert columns["gun"][0] - columns["chip"][0] == pytest.approx(2.0, abs=0.11)
    assert columns["there"][0] == pytest.approx(420.0, abs=5.0)  # 100 m at 5:00 per km
    assert found["step"] == 1


def test_a_passing_is_as_good_as_a_position(store: FakeStore, forecaster: Forecaster) -> None:
    """Of a competitor whose tracker has been silent, the furthest passing counts, also that of a geofence."""
    store.now = at((1, 1010.0, "running", 305.0), (2, 900.0, "running", 390.0))
    found = forecaster.get("run_1")
    assert found.points[found.found.point[0]].kind == "exit"
    assert found.basis is not None
    assert found.basis[1].distance.tolist() == [1200.0, 900.0]


def test_old_positions_do_not_count(store: FakeStore, forecaster: Forecaster) -> None:
    """A position 30 race seconds old counts, an older one doesn't."""
    store.now = at((1, 1300.0, "running", 389.9), (2, 900.0, "running", 420.0), (3, 100.0, "running", 390.0))
    found = forecaster.get("run_1")
    assert found.basis is not None
    assert found.basis[1].distance.tolist() == [1200.0, 900.0, 100.0]


@pytest.mark.parametrize("status", ["scheduled", "finished", "cancelled"])
def test_no_forecasts_unless_the_race_runs(store: FakeStore, forecaster: Forecaster, status: str) -> None:
    """Before the start and after the end there is nothing to expect."""
    store.known = [race(status=status)]
    found = payload(forecaster.get("run_1"))
    assert (found["points"], found["columns"]["competitor"]) == ([], [])


def test_a_paused_race_has_forecasts(store: FakeStore, forecaster: Forecaster) -> None:
    """Its clock stands still, so its forecasts stay as they are."""
    running = payload(forecaster.get("run_1"))
    store.known = [race(status="paused")]
    assert payload(forecaster.get("run_1"))["columns"] == running["columns"]


@pytest.mark.parametrize("lack", ["course", "line"])
def test_no_forecasts_without_the_course(store: FakeStore, forecaster: Forecaster, lack: str) -> None:
    """Neither if the store has no course, nor if the race is run on another line."""
    if lack == "course":
        store.courses = []
    else:
        store.now = at((1, 9000.0, "running", 390.0), (2, 900.0, "running", 390.0))
    assert len(forecaster.get("run_1").competitor) == 0
    assert np.isnan(forecaster.get("run_1").arrivals(np.array([0]), np.array([1000.0]))).all()


def test_who_has_given_up_is_not_expected(store: FakeStore, forecaster: Forecaster) -> None:
    """A passing that ends a race counts before the position that shows it."""
    store.passed += [(1, "dnf", "DNF", 1, 1250.0, 380.0)]
    assert forecaster.get("run_1").competitor.tolist() == [2]


def test_computed_when_due(store: FakeStore, forecaster: Forecaster, clock: Clock) -> None:
    """Requests within two seconds share one computation; then there is another if something has changed."""
    first = forecaster.get("run_1")
    clock.now += SHORTEST_PERIOD_S - 0.1
    store.now = at((1, 1310.0, "running", 393.0), (2, 906.0, "running", 393.0))
    assert forecaster.get("run_1") is first
    assert forecaster.known("run_1") is first
    clock.now += TOO_OLD_TO_SHOW_S - SHORTEST_PERIOD_S + 0.1
    assert forecaster.known("run_1") is None
    second = forecaster.get("run_1")
    assert second.time == 393.0
    clock.now += LONGEST_PERIOD_S
    assert forecaster.get("run_1") is second, "nothing has changed"


@pytest.mark.parametrize(
    ("seconds", "period"), [(0.1, SHORTEST_PERIOD_S), (1.0, 5.0), (20.0, LONGEST_PERIOD_S)]
)
def test_costly_forecasts_are_computed_less_often(
    store: FakeStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float, period: float
) -> None:
    """They take a fifth of the time at most, until they would be half a minute old."""
    real = forecasts.of

    def slow(*args: Any) -> forecasts.RaceForecasts:
        clock.now += seconds
        return real(*args)

    monkeypatch.setattr(forecasts, "of", slow)
    found = Forecaster(Snapshots(store, clock), clock).get("run_1")
    assert found.period == pytest.approx(period)
    assert payload(found)["again"] == pytest.approx(period)


def test_others_do_not_wait(store: FakeStore, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """While forecasts are computed, all who have earlier ones get these."""
    forecaster = Forecaster(Snapshots(store, clock), clock)
    first = forecaster.get("run_1")
    clock.now += TOO_OLD_TO_SHOW_S
    store.now = at((1, 1310.0, "running", 393.0), (2, 906.0, "running", 393.0))
    begun, go_on, real = threading.Event(), threading.Event(), forecasts.of

    def waiting(*args: Any) -> forecasts.RaceForecasts:
        begun.set()
        go_on.wait(10.0)
        return real(*args)

    monkeypatch.setattr(forecasts, "of", waiting)
    thread = threading.Thread(target=forecaster.get, args=["run_1"])
    thread.start()
    begun.wait(10.0)
    assert forecaster.known("run_1") is first
    assert forecaster.get("run_1") is first
    go_on.set()
    thread.join(10.0)
    assert forecaster.get("run_1").time == 393.0


def test_failures_are_passed_on(store: FakeStore, forecaster: Forecaster, clock: Clock) -> None:
    """A race that is unknown and a store that cannot be read are what they are for all other data."""
    with pytest.raises(UnknownRaceError):
        forecaster.get("run_2")
    forecaster.get("run_1")
    clock.now += LONGEST_PERIOD_S
    store.failure = StoreError("away")
    with pytest.raises(StoreError, match="away"):
        forecaster.get("run_1")
    store.failure = None
    clock.now += TOO_OLD_TO_SHOW_S
    assert forecaster.get("run_1").time == 390.0


def test_few_races_are_kept(store: FakeStore, forecaster: Forecaster) -> None:
    """Those of the sixteen races that were computed last."""
    store.known = [race(f"run_{nth}") for nth in range(MAX_RACES + 1)]
    first = forecaster.get("run_0")
    for nth in range(1, MAX_RACES):
        forecaster.get(f"run_{nth}")
    assert forecaster.get("run_0") is first
    forecaster.get(f"run_{MAX_RACES}")
    assert forecaster.known("run_0") is first
    assert forecaster.known("run_1") is None


def test_arrivals_at_any_place(forecaster: Forecaster) -> None:
    """The arrival at the next point and the finish is what is forecast; places passed have none."""
    found = forecaster.get("run_1")
    metres = np.array([5000.0, 950.0, 1400.0, 1000.0])
    times = found.arrivals(found.found.who, metres)

    assert times.shape == (2, 4, 3)
    assert np.isnan(times[0, [1, 3]]).all()
    assert times[0, 2] == pytest.approx(found.found.there[0])
    assert times[1, 3] == pytest.approx(found.found.there[1])
    assert times[:, 0] == pytest.approx(found.found.gun)  # all start with the first gun
    assert (np.diff(times[1, [1, 3, 2, 0]], axis=0) > 0).all()


def test_who_is_expected_soon(forecaster: Forecaster) -> None:
    """Each timing point has those who arrive within five minutes, also beyond their next point."""
    found = forecaster.get("run_1")
    soon = dict(
        zip([(point.kind, point.name) for point in found.points], payload(found)["soon"], strict=True)
    )

    assert soon["exit", "The climb"]["competitor"] == [1, 2]
    assert soon["exit", "The climb"]["there"][0] == round(found.found.there[0, 1])
    assert [soon[point]["count"] for point in soon] == [1, 1, 2, 1, 0, 0, 0]
    assert soon["split", "2 km"]["competitor"] == [1]


def test_at_each_point_eight_are_named() -> None:
    """All who arrive soon are counted, and the first eight are listed."""
    clock = Clock()
    found = Forecaster(Snapshots(store_at(simulated(), 900.0, is_big=False), clock), clock).get("run_1")
    for nth, soon in enumerate(payload(found)["soon"]):
        of_point = found.soon[1] == nth
        assert soon["count"] == of_point.sum()
        assert len(soon["competitor"]) == min(NAMED, of_point.sum())
        assert soon["there"] == sorted(soon["there"])
    assert max(soon["count"] for soon in payload(found)["soon"]) > NAMED
    assert found.soon[2].max() <= found.time + SOON_S


def test_a_large_race_is_forecast_by_its_sample() -> None:
    """The sample and the first ones on the course have forecasts; the field is learned from the sample."""
    simulation = simulated()
    big, whole = (store_at(simulation, 900.0, is_big=is_big) for is_big in (True, False))
    clock = Clock()
    sampled, everyone = (Forecaster(Snapshots(store, clock), clock).get("run_1") for store in (big, whole))

    assert payload(sampled)["step"] == 7
    assert set(sampled.competitor.tolist()) <= set(everyone.competitor.tolist())
    assert (sampled.competitor[sampled.is_sampled] % 7 == 0).all()
    in_sample = everyone.competitor[everyone.competitor % 7 == 0]
    assert sampled.competitor[sampled.is_sampled].tolist() == in_sample.tolist()
    assert (~sampled.is_sampled).sum() > 0
    same = np.isin(everyone.competitor, sampled.competitor)
    for soon, nth in zip(payload(sampled)["soon"], range(len(sampled.points)), strict=True):
        who = sampled.soon[0][sampled.soon[1] == nth]
        assert soon["count"] == sampled.is_sampled[who].sum()
    assert sampled.found.gun[:, 1] == pytest.approx(everyone.found.gun[same][:, 1], rel=0.05)


def test_earlier_positions_are_read_once(store: FakeStore, forecaster: Forecaster, clock: Clock) -> None:
    """Positions of earlier ticks are read until late ones are there, and then no more."""
    forecaster.get("run_1")
    read = store.asked.count("positions_at of every 1")
    assert read == len(remembered(390.0, 1.0)) == 12
    store.asked.clear()
    clock.now += TOO_OLD_TO_SHOW_S
    store.now = at((1, 1310.0, "running", 393.0), (2, 906.0, "running", 393.0))
    forecaster.get("run_1")
    newer = [tick for tick in remembered(393.0, 1.0) if tick > 390.0 - SETTLED_S]
    assert store.asked.count("positions_at of every 1") == len(newer) == 4


def test_forecasts_learn_from_earlier_positions() -> None:
    """What the pace since the last mark says about the next metres follows from positions in the store."""
    simulation, clock = simulated(), Clock()
    with_past, without = (store_at(simulation, 900.0, is_big=False) for _ in range(2))
    for tick in range(3, 90, 3):
        earlier = store_at(simulation, 10.0 * tick, is_big=False)
        with_past.past[10 * tick] = earlier.now
    learned, assumed = (
        Forecaster(Snapshots(store, clock), clock).get("run_1").basis for store in (with_past, without)
    )
    assert learned
    assert assumed
    assert len(learned[2].sightings.who) > len(assumed[2].sightings.who)
    assert learned[2].habits.rough != assumed[2].habits.rough
