"""Tracker faults, each compared with the request and with the truth."""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.course.course import GEOD, Course, moved
from simulator.publishers.encode import encode
from simulator.race.events import positions_at, positions_of_all
from simulator.race.race import Race, Status
from simulator.race.request import RaceRequest
from simulator.race.trackers import Trackers
from tests.simulator.conftest import resolved

MakeRace = Callable[..., Race]

MANY = 100_000
LENIENT = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
FAULTS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "interval": st.sampled_from([5.0, 7.0, 12.5, 60.0]),
        "late": st.floats(0, 1),
        "late_for": st.floats(1, 300),
        "lost": st.floats(0, 1),
        "frozen": st.floats(0, 1),
        "duplicates": st.floats(0, 1),
        "dead_battery": st.floats(0, 1),
        "dns": st.floats(0, 0.3),
        "dnf": st.floats(0, 0.3),
        "disqualified": st.floats(0, 0.3),
        "wave_size": st.sampled_from([None, 3]),
    }
)


def trackers(**options: Any) -> Trackers:
    """Return 100,000 trackers that run for an hour."""
    return Trackers(RaceRequest(course="c", seed=3, **options), np.full(MANY, 3600.0))


def reported(race: Race) -> list[tuple[int, int, int]]:
    """Return each report's tick, its competitor and the tick of its position."""
    found = []
    for tick in range(race.last_tick + 1):
        fixes = race.fixes_at(tick)
        of_ticks = np.rint(fixes.time / race.request.tick).astype(int)
        found += [(tick, who, of) for who, of in zip(fixes.who.tolist(), of_ticks.tolist(), strict=True)]
    return found


def all_there_is(race: Race) -> set[tuple[int, int]]:
    """Return the competitor and tick of every position that perfect trackers would report."""
    ticks = range(int(np.ceil(race.duration / race.request.tick)) + 1)
    return {(who, tick) for tick in ticks for who in race.reporting(tick).tolist()}


@pytest.mark.parametrize(("sigma", "correlation"), [(2.5, 60.0), (3.0, 20.0)])
def test_gps_error_is_as_asked_for(sigma: float, correlation: float) -> None:
    """Standard deviation and autocorrelation over 100,000 trackers are within 5 % of what was asked for."""
    many = trackers(gps_error=sigma, gps_correlation=correlation)
    who = np.arange(MANY)
    for begin in (0.0, 1234.5):
        first = many.error(who, np.full(MANY, begin))
        for lag in (0.0, 0.25, 0.5, 1.0, 1.5):
            later = many.error(who, np.full(MANY, begin + lag * correlation))
            for one, other in zip(first, later, strict=True):
                assert other.std() == pytest.approx(sigma, rel=0.05)
                assert (one * other).mean() / sigma**2 == pytest.approx(np.exp(-lag), rel=0.05)


def test_gps_error_is_gaussian_and_has_no_direction() -> None:
    """No bias, no skewness, the tails of a bell, and east has nothing to do with north."""
    east, north = trackers(gps_error=2.5).error(np.arange(MANY), np.full(MANY, 777.0))

    for axis in (east, north):
        assert axis.mean() == pytest.approx(0, abs=0.03)
        assert ((axis / 2.5) ** 3).mean() == pytest.approx(0, abs=0.05)
        assert ((axis / 2.5) ** 4).mean() == pytest.approx(3, rel=0.05)
    assert np.corrcoef(east, north)[0, 1] == pytest.approx(0, abs=0.015)


def test_noise_is_new_each_time() -> None:
    """White noise has its deviation, and nothing of one moment is left in the next."""
    many = trackers(gps_noise=0.8)
    who = np.arange(MANY)
    now, later = many.error(who, np.full(MANY, 100.0)), many.error(who, np.full(MANY, 101.0))

    for axis in (*now, *later):
        assert axis.std() == pytest.approx(0.8, rel=0.05)
        assert axis.mean() == pytest.approx(0, abs=0.015)
    for one, other in ((now[0], later[0]), (now[1], later[1]), now):
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(0, abs=0.015)


def test_wandering_error_and_noise_add_up() -> None:
    """The variances of the two are added."""
    east, _ = trackers(gps_error=3, gps_noise=4).error(np.arange(MANY), np.full(MANY, 50.0))

    assert east.std() == pytest.approx(5, rel=0.05)


def test_position_errors_are_published_and_the_rest_is_true(make_race: MakeRace) -> None:
    """The place is off by the error; distance, elapsed and status aren't."""
    wrong, right = make_race(competitors=200, gps_error=2.5), make_race(competitors=200)
    fixes, true = wrong.fixes_at(300), right.snapshot(300.0)
    off = np.asarray(GEOD.inv(fixes.reported.lon, fixes.reported.lat, true.lon, true.lat)[2])

    assert np.sqrt((off**2).mean() / 2) == pytest.approx(2.5, rel=0.2)
    assert (fixes.lon == true.lon).all()
    assert (fixes.lat == true.lat).all()
    for name in ("distance", "elapsed", "status"):
        assert (getattr(fixes.reported, name) == getattr(true, name)).all()


@pytest.mark.parametrize("lat", [0.0, 51.5, -80.0])
def test_metres_are_metres(lat: float) -> None:
    """A place moved by metres is so far away, in that direction; the date line is crossed."""
    for lon, east, north in ((10.0, 300.0, 0.0), (179.9999, 400.0, -300.0), (-179.9999, -50.0, 10.0)):
        to = moved(np.array([lon]), np.array([lat]), np.array([east]), np.array([north]))
        azimuth, _, metres = GEOD.inv(lon, lat, to[0][0], to[1][0])
        assert metres == pytest.approx(np.hypot(east, north), rel=1e-3)
        assert azimuth == pytest.approx(np.degrees(np.arctan2(east, north)), abs=0.1)
        assert -180 <= to[0][0] <= 180


@pytest.mark.parametrize("name", ["frozen", "late", "lost"])
@pytest.mark.parametrize(("share", "length"), [(0.1, 20.0), (0.3, 60.0), (1.0, 30.0)])
def test_a_fault_has_its_share_of_the_time(name: str, share: float, length: float) -> None:
    """As much of the time as asked for is in episodes, at any moment and for any tracker in the long run."""
    many = trackers(**{name: share, f"{name}_for": length})
    episodes = many.lost if name == "lost" else many.frozen if name == "frozen" else many.late
    assert episodes is not None
    who = np.arange(MANY)

    for time in (0.0, 10.0, 5000.0):
        assert episodes.covers(who, np.full(MANY, time)).mean() == pytest.approx(share, rel=0.05)
    times = np.arange(0, 400_000, 4.0)
    assert episodes.covers(np.zeros(MANY, int), times).mean() == pytest.approx(share, rel=0.05)


def test_an_episode_is_as_long_as_asked_for() -> None:
    """A tracker fails for the episode's length without a break, and not at the same time as others."""
    episodes = trackers(late=0.1, late_for=40).late
    assert episodes is not None
    times = np.arange(0, 4000, 0.5)
    covered = np.array([episodes.covers(np.arange(50), np.full(50, time)) for time in times])
    edges = np.diff(covered.astype(int), axis=0)
    for tracker in range(50):
        begins, ends = (np.flatnonzero(edges[:, tracker] == edge) for edge in (1, -1))
        begins = begins[: len(ends)] if not covered[0, tracker] else begins
        ends = ends[1:] if covered[0, tracker] else ends
        assert ((ends[: len(begins)] - begins[: len(ends)]) * 0.5 == 40).all()
    assert covered.any(axis=1).mean() > 0.9


@given(FAULTS)
@LENIENT
def test_ends_are_published_and_nothing_is_invented(straight: Course, options: dict[str, Any]) -> None:
    """Every reported position exists, none is reported early, and the end is always reported."""
    race = Race(straight, resolved(competitors=8, **options))
    published_at = defaultdict(list)
    for tick, who, of in reported(race):
        published_at[who, of].append(tick)

    assert published_at.keys() <= all_there_is(race)
    assert all(of <= min(ticks) for (_, of), ticks in published_at.items())
    assert all(len(ticks) <= 2 for ticks in published_at.values())
    ends = np.where(np.isfinite(race.field.end), race.field.end, 0.0)
    for who, end in enumerate(ends.tolist()):
        assert (who, int(np.ceil(end / race.request.tick))) in published_at
        if np.isfinite(verdict := race.field.disqualified_at[who]):
            assert (who, int(np.ceil(verdict / race.request.tick))) in published_at


@given(FAULTS)
@LENIENT
def test_late_positions_are_all_published_once(straight: Course, options: dict[str, Any]) -> None:
    """With any share and length of delays, each position is reported exactly once."""
    names = ("seed", "interval", "late", "late_for", "wave_size", "disqualified")
    kept = {name: options[name] for name in names}
    race = Race(straight, resolved(competitors=8, **kept))

    assert Counter((who, of) for _, who, of in reported(race)) == Counter(all_there_is(race))


def test_late_positions_come_behind_newer_ones(make_race: MakeRace) -> None:
    """What was kept comes at the first tick behind its episode, in order, after that tick's own positions."""
    race = make_race(competitors=20, late=0.2, late_for=30, interval=5)
    out_of_order = 0
    newest: dict[int, int] = {}
    for tick in range(race.last_tick + 1):
        fixes = race.fixes_at(tick)
        times = fixes.time.tolist()
        assert times[: (k := times.count(tick * 5.0))] == [tick * 5.0] * k
        for who, time in zip(fixes.who.tolist(), times, strict=True):
            assert time > tick * 5.0 - 36
            out_of_order += time < newest.get(who, 0)
            newest[who] = max(newest.get(who, 0), time)
    assert out_of_order > 100


def test_duplicates_are_the_share_and_come_a_tick_later(make_race: MakeRace) -> None:
    """The requested share of positions is repeated at the next tick, identical to the last bit."""
    race = make_race(competitors=50, duplicates=0.1, interval=2)
    seen: dict[str, tuple[int, bytes]] = {}
    again = 0
    for tick in range(race.last_tick + 1):
        for batch in positions_at(race, tick, 5000):
            for value in encode(batch).values:
                event = orjson.loads(value)["eventId"]
                if event in seen:
                    again += 1
                    assert seen[event] == (tick - 1, value)
                else:
                    seen[event] = (tick, value)
    assert again / len(seen) == pytest.approx(0.1, rel=0.1)
    assert len(seen) == len(all_there_is(race))


def test_lost_positions_never_come(make_race: MakeRace) -> None:
    """The share asked for is missing, but for the ends."""
    race = make_race(competitors=100, lost=0.2, interval=2)
    found = {(who, of) for _, who, of in reported(race)}
    ends = {(who, int(np.ceil(end / 2))) for who, end in enumerate(race.finish_times.tolist())}

    assert 1 - len(found) / len(all_there_is(race)) == pytest.approx(0.2, rel=0.1)
    assert ends <= found


def test_frozen_places_stand_still_while_the_distance_goes_on(make_race: MakeRace) -> None:
    """In an episode the place is that of its beginning; the distance is true; the finish is where it is."""
    race = make_race(competitors=100, frozen=0.2, frozen_for=30, interval=5)
    wrong, standing = 0, 0
    before = race.fixes_of_all(0)
    for tick in range(1, race.last_tick + 1):
        now = race.fixes_of_all(tick)
        stuck = (now.reported.lat != now.lat) & (before.reported.lat != before.lat)
        same = stuck & (now.reported.lat == before.reported.lat)
        standing += int((same & (now.reported.distance > before.reported.distance)).sum())
        wrong += int((now.reported.lat != now.lat).sum())
        ended = now.reported.status == Status.FINISHED
        assert (now.reported.lat[ended] == now.lat[ended]).all()
        before = now
    running = sum(int(np.ceil(end / 5)) for end in race.finish_times)

    assert wrong / running == pytest.approx(0.2, rel=0.15)
    assert standing > 0.6 * wrong


def test_clocks_are_wrong_by_a_constant(make_race: MakeRace) -> None:
    """Each clock is off by the same all through the race, at most as asked; all else says the truth."""
    race = make_race(competitors=100, clock_skew=5)
    skews = []
    for tick in (0, 100, 400):
        batch = positions_of_all(race, tick)
        skews.append(batch.timestamp - race.start_ms - batch.raw_time * 1000)
        assert (batch.raw_time == tick).all()
    assert (skews[0] == skews[1]).all()
    assert (skews[0] == skews[2]).all()
    assert np.abs(skews[0]).max() <= 5000
    assert skews[0].std() == pytest.approx(5000 / np.sqrt(3), rel=0.15)


def test_dead_batteries_tell_no_more_but_the_end(make_race: MakeRace) -> None:
    """From some moment on nothing comes of the share asked for, and then the finish."""
    race = make_race(competitors=100, dead_battery=0.3, interval=5)
    found = defaultdict(list)
    for _, who, of in reported(race):
        found[who].append(of)
    dead = [who for who, ticks in found.items() if ticks[-1] - ticks[-2] > 1]

    assert 25 <= len(dead) <= 30
    assert all(np.diff(found[who][:-1]).max(initial=1) == 1 for who in dead)
    assert all(found[who][-1] == np.ceil(race.finish_times[who] / 5) for who in range(100))


def test_the_truth_is_published_on_request(make_race: MakeRace) -> None:
    """With ground truth a position has the true place too, without it no such fields."""
    (batch,) = positions_at(make_race(competitors=3, gps_error=5, ground_truth=True), 50, 100)
    (true,) = positions_at(make_race(competitors=3), 50, 100)
    events = [orjson.loads(value) for value in encode(batch).values]

    assert [(event["trueLat"], event["trueLon"]) for event in events] == [
        *zip(true.lat.tolist(), true.lon.tolist(), strict=True)
    ]
    assert all(event["lat"] != event["trueLat"] for event in events)
    assert b"true" not in encode(true).values[0]


ALL = {
    "gps_error": 2.5,
    "gps_noise": 0.5,
    "lost": 0.1,
    "frozen": 0.1,
    "late": 0.1,
    "duplicates": 0.1,
    "clock_skew": 3.0,
    "dead_battery": 0.1,
    "ground_truth": True,
    "dnf": 0.1,
    "wrong_turn": 0.2,
}


def test_a_tick_does_not_depend_on_the_others(make_race: MakeRace) -> None:
    """A tick's reports are the same in any order and however often they are computed."""
    one, other = make_race(competitors=50, **ALL), make_race(competitors=50, **ALL)
    ticks = [900, 3, 400, 401, 0]
    backwards = {tick: texts(one, tick) for tick in ticks}

    assert backwards == {tick: texts(other, tick) for tick in sorted(ticks)}


def texts(race: Race, tick: int) -> list[bytes]:
    """Return a tick's messages."""
    return [value for batch in positions_at(race, tick, 7) for value in encode(batch).values]


def test_neither_interval_nor_speed_changes_what_a_tracker_says(make_race: MakeRace) -> None:
    """A position of one second is the same for every interval and speed; when it is reported is not."""
    steady = {name: value for name, value in ALL.items() if name != "late"}
    often, seldom = (
        make_race(competitors=50, **steady),
        make_race(competitors=50, interval=10, speed=5, **steady),
    )
    for second in (0, 300, 600):
        published_often = {text for text in texts(often, second) if f'"rawTime":{second},'.encode() in text}
        published_seldom = {
            text for text in texts(seldom, second // 10) if f'"rawTime":{second},'.encode() in text
        }
        assert published_often == published_seldom
