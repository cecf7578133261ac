"""What every store promises, held against SQLite and against a real Pinot."""

import uuid
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from stream.waiting import wait_for
from tests.dashboard.events import (
    NOW,
    KafkaWriter,
    SqliteWriter,
    Writer,
    competitor,
    passing,
    position,
    race,
)

VISIBLE_WITHIN_S = 60.0


class Case(NamedTuple):
    """A store, a way to write what it reads, and a run id that no other test uses."""

    store: Store
    writer: Writer
    run: str

    def wait_for(self, seen: Callable[[], bool]) -> None:
        """Wait until the store shows what was written."""
        wait_for(
            "the store",
            lambda: None if seen() else "it doesn't show what was written",
            seconds=VISIBLE_WITHIN_S,
            say=print,
        )


@pytest.fixture(params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """Each of the two stores in turn."""
    run = f"test_{uuid.uuid4().hex[:12]}"
    if request.param == "sqlite":
        path = tmp_path / "races.db"
        return Case(SqlStore(SqliteFile(path)), SqliteWriter(path), run)
    stack = request.getfixturevalue("stack")
    return Case(PinotStore(Broker(stack.broker)), KafkaWriter(stack.kafka), run)


def test_race_as_written(case: Case) -> None:
    """A race comes back with every value as it was written, and the course's long name."""
    name = 'It\'s ${alert(1)} `so` 100 % \\ "quoted" </script> ёж'
    case.writer.write("races", [race(case.run, name=name)])
    case.wait_for(lambda: case.store.race(case.run) is not None)
    found = case.store.race(case.run)
    assert found is not None
    assert (case.run, name, "crystal-palace", "Crystal Palace", NOW) == (
        found.run_id,
        found.name,
        found.course,
        found.course_name,
        found.start_time,
    )
    assert (
        found.status,
        found.competitors,
        found.speed,
        found.seed,
        found.updated_at,
    ) == ("running", 3, 2.5, 9_007_199_254_740_993, NOW)


def test_newest_race_first(case: Case) -> None:
    """Races are in the order of their starts, the newest first, more than the broker's ten."""
    runs = [f"{case.run}_{number:02}" for number in range(15)]
    case.writer.write("races", [race(run, startTime=NOW + number) for number, run in enumerate(runs)])
    case.wait_for(lambda: sum(r.run_id in runs for r in case.store.races()) == len(runs))
    assert runs[::-1] == [r.run_id for r in case.store.races() if r.run_id in runs]


def test_newest_state_of_race(case: Case) -> None:
    """A race that was written again is the newer one."""
    case.writer.write("races", [race(case.run)])
    case.writer.write("races", [race(case.run, status="finished", updatedAt=NOW + 1)])
    case.wait_for(lambda: getattr(case.store.race(case.run), "status", "") == "finished")
    assert sum(r.run_id == case.run for r in case.store.races()) == 1


def test_race_on_unknown_course(case: Case) -> None:
    """A race whose course isn't in the store is called by the course's short name."""
    case.writer.write("races", [race(case.run, course="drawn-by-hand")])
    case.wait_for(lambda: case.store.race(case.run) is not None)
    found = case.store.race(case.run)
    assert found is not None
    assert found.course_name == "drawn-by-hand"
    assert case.store.course("drawn-by-hand") is None


def test_unknown_race(case: Case) -> None:
    """Of a race that isn't there, there is nothing, however it is spelt."""
    for run in (case.run, "", "*", "x' OR '1'='1", "a b", "x" * 65, "\N{SNOWMAN}"):
        assert case.store.race(run) is None
        assert len(case.store.positions(run)) == 0
        assert case.store.competitors(run) == {}
        assert len(case.store.positions_at(run, 60)) == 0
        assert len(case.store.passings(run)) == 0


def test_course(case: Case) -> None:
    """A course has its line, its closed fence and its markers as lon, lat."""
    course = case.store.course("crystal-palace")
    assert course is not None
    assert course.long_name == "Crystal Palace"
    assert pytest.approx(course.distance, abs=0.1) == 4966.4
    assert course.line.shape == (91, 2)
    assert pytest.approx(course.start) == (-0.063253, 51.41917)
    assert pytest.approx(course.finish) == (-0.064283, 51.419324)
    (fence,) = course.fences
    assert fence.name == "Geofence"
    (outer,) = fence.rings
    assert np.array_equal(outer[0], outer[-1])
    assert pytest.approx(tuple(outer[0]), abs=1e-6) == (-0.0651347, 51.4191617)
    assert course.altitudes is None


def test_course_with_altitudes(case: Case) -> None:
    """A course has the altitude of each vertex, and the metres of its geofences and timing points."""
    course = case.store.course("hilly-half")
    assert course is not None
    assert course.altitudes is not None
    assert course.altitudes.shape == (len(course.line),)
    assert 0 < course.altitudes.min() < course.altitudes.max() < 500
    visits = [visit for fence in course.fences for visit in fence.visits]
    assert visits
    assert all(0 <= first < last <= course.distance for first, last in visits)
    metres = [point.distance for point in course.points]
    assert metres == sorted(metres)


def test_unknown_course(case: Case) -> None:
    """A course that isn't there is None, however it is spelt."""
    for name in ("nowhere", "", "*", "x' OR '1'='1", "a\nb"):
        assert case.store.course(name) is None


def test_newest_position_of_each(case: Case) -> None:
    """Each competitor has one position, the newest, in the order of the bibs and with exact numbers."""
    early = [position(case.run, bib) for bib in (3, 1, 2)]
    late = [
        position(
            case.run,
            bib,
            rawTime=61,
            distance=200.0 + bib / 3,
            elapsed=61.125,
            lon=-0.0651234567,
            lat=51.4212345678,
            status=status,
            emittedAt=NOW + 61_000 + bib,
        )
        for bib, status in ((2, "paused"), (3, "dnf"))
    ]
    case.writer.write("parkrun", [*early, *late])
    newest = {"running", "paused", "dnf"}
    case.wait_for(lambda: newest == set(case.store.positions(case.run).status.tolist()))
    found = case.store.positions(case.run)
    assert found.competitor.tolist() == [1, 2, 3]
    assert found.status.tolist() == ["running", "paused", "dnf"]
    assert found.distance.tolist() == [200.0, 200.0 + 2 / 3, 201.0]
    assert found.elapsed.tolist() == [60.0, 61.125, 61.125]
    assert found.lon.tolist() == [-0.065, -0.0651234567, -0.0651234567]
    assert found.lat.tolist() == [51.42, 51.4212345678, 51.4212345678]


def test_many_positions(case: Case) -> None:
    """More competitors than any default limit are all there."""
    case.writer.write("parkrun", [position(case.run, bib) for bib in range(1, 1201)])
    case.wait_for(lambda: len(case.store.positions(case.run)) == 1200)
    assert list(range(1, 1201)) == case.store.positions(case.run).competitor.tolist()


def test_what_the_request_says(case: Case) -> None:
    """How far ticks, places and guns lie apart comes from the race's request, or is the API's default."""
    wrong = '{"interval":7.5,"gps_error":3.5,"gps_noise":1,"wave_delay":90}'
    case.writer.write("races", [race(f"{case.run}_a", request=wrong)])
    case.writer.write("races", [race(f"{case.run}_b", request="{}")])
    case.wait_for(lambda: bool(case.store.race(f"{case.run}_a") and case.store.race(f"{case.run}_b")))
    found = [case.store.race(f"{case.run}_{letter}") for letter in "ab"]
    assert [one and one.interval for one in found] == [7.5, 2.5]
    assert [one and one.gps_error for one in found] == [4.5, 0.0]
    assert [one and one.wave_delay for one in found] == [90.0, 60.0]


def test_newest_emitted(case: Case) -> None:
    """Positions know when the newest of them left the simulator."""
    case.writer.write("parkrun", [position(case.run, bib, emittedAt=NOW + bib) for bib in (2, 3, 1)])
    case.wait_for(lambda: len(case.store.positions(case.run)) == 3)
    assert case.store.positions(case.run).newest_emitted == NOW + 3
    assert case.store.positions("unknown").newest_emitted == 0


def test_mark_changes_with_each_position(case: Case) -> None:
    """The mark belongs to the newest positions: each one that comes changes it."""
    case.writer.write("parkrun", [position(case.run, bib, emittedAt=NOW) for bib in (1, 2)])
    case.wait_for(lambda: case.store.mark(case.run) == (NOW, 120, 2))
    case.writer.write("parkrun", [position(case.run, 2, rawTime=61, emittedAt=NOW + 5)])
    case.wait_for(lambda: case.store.mark(case.run) == (NOW + 5, 121, 2))
    assert case.store.mark("unknown") == (0, 0, 0)


def test_positions_of_the_past(case: Case) -> None:
    """Every position can be queried by the second of race time that it was emitted for."""
    for raw_time in (60, 61):
        emitted = [position(case.run, bib, rawTime=raw_time, distance=raw_time + bib / 7) for bib in (2, 1)]
        case.writer.write("parkrun", emitted)
    case.writer.write("parkrun", [position(case.run, 1, rawTime=62)])
    case.wait_for(lambda: len(case.store.positions_at(case.run, 62)) == 1)
    case.wait_for(lambda: len(case.store.positions_at(case.run, 60)) == 2)
    found = case.store.positions_at(case.run, 60)
    assert found.competitor.tolist() == [1, 2]
    assert found.distance.tolist() == [60 + 1 / 7, 60 + 2 / 7]
    assert len(case.store.positions_at(case.run, 59)) == 0


def test_silent_at_a_tick(case: Case) -> None:
    """A competitor without a position at a second has the newest one of the seconds before."""
    emitted = [(1, 60), (2, 61), (3, 62), (1, 62), (2, 55)]
    events = [position(case.run, bib, rawTime=time, distance=float(bib + time)) for bib, time in emitted]
    case.writer.write("parkrun", events)
    case.wait_for(lambda: len(case.store.positions_at(case.run, 62)) == 2)
    case.wait_for(lambda: len(case.store.positions_at(case.run, 61)) == 1)
    found = case.store.positions_at(case.run, 62, look_back=7)
    assert found.competitor.tolist() == [1, 2, 3]
    assert found.distance.tolist() == [63.0, 63.0, 65.0]
    assert found.status.tolist() == ["running"] * 3
    assert found.newest_emitted == NOW + 60_000
    assert case.store.positions_at(case.run, 61, look_back=1).distance.tolist() == [61.0, 63.0]
    assert len(case.store.positions_at(case.run, 59, look_back=3)) == 0
    assert len(case.store.positions_at("unknown", 62, look_back=7)) == 0


def test_late_positions_by_wrong_clocks(case: Case) -> None:
    """Past positions are those of a second of race time, whenever they arrived."""
    emitted = [
        position(case.run, 1, rawTime=time, distance=float(time), timestamp=NOW + 1000 * time - 500_000)
        for time in (62, 60, 61)
    ]
    case.writer.write("parkrun", emitted)
    case.wait_for(lambda: all(len(case.store.positions_at(case.run, time)) == 1 for time in (60, 61, 62)))
    assert case.store.positions_at(case.run, 61).distance.tolist() == [61.0]
    assert case.store.positions_at(case.run, 64, look_back=5).distance.tolist() == [62.0]


def test_position_delivered_twice(case: Case) -> None:
    """An event that was delivered twice appears once."""
    case.writer.write("parkrun", [position(case.run, 1), position(case.run, 1), position(case.run, 2)])
    case.wait_for(lambda: len(case.store.positions_at(case.run, 60)) == 2)
    assert case.store.positions_at(case.run, 60).competitor.tolist() == [1, 2]


def passed(case: Case, after_ms: int | None = None) -> list[tuple[float, int]]:
    """The race seconds and bibs of the passings, in their order."""
    found = case.store.passings(case.run, after_ms)
    pairs = (zip(some.elapsed.tolist(), some.competitor.tolist(), strict=True) for some in found)
    return sorted(chain.from_iterable(pairs))


def test_passings(case: Case) -> None:
    """Passings come by timing point, with exact numbers and names as typed, and are counted."""
    point = "O'Neil's <b>${1}</b> \N{SNOWMAN}"
    emitted = [
        passing(case.run, 2, kind="enter", point=point, elapsed=70.123, lap=2, distance=1 / 3),
        passing(case.run, 3, kind="split", elapsed=65.5),
        passing(case.run, 1, kind="split", elapsed=65.5),
    ]
    assert case.store.count_passings(case.run) == 0
    case.writer.write("passings", emitted)
    case.wait_for(lambda: case.store.count_passings(case.run) == 3)
    split, enter = sorted(case.store.passings(case.run), key=lambda some: some.newest)
    assert (split.kind, split.point, split.lap, split.distance) == ("split", "1 km", 1, 1000.0)
    assert (enter.kind, enter.point, enter.lap, enter.distance) == ("enter", point, 2, 1 / 3)
    assert sorted(split.competitor.tolist()) == [1, 3]
    assert enter.competitor.tolist() == [2]
    assert split.elapsed.tolist() == [65.5, 65.5]
    assert enter.elapsed.tolist() == [70.123]
    assert (split.newest, enter.newest) == (NOW + 65_500, NOW + 70_123)


def test_passings_after_a_moment(case: Case) -> None:
    """Passings can be asked for from a moment on, that moment left out."""
    case.writer.write("passings", [passing(case.run, bib, elapsed=float(bib)) for bib in range(1, 31)])
    case.wait_for(lambda: case.store.count_passings(case.run) == 30)
    assert [bib for _, bib in passed(case, NOW + 10_000)] == list(range(11, 31))


def test_passings_of_a_big_race(case: Case) -> None:
    """The passings of the highest bibs are there like all others."""
    bibs = [999_999, 1, 10_001, 10_000, 20_000]
    emitted = [passing(case.run, bib, elapsed=float(second)) for second, bib in enumerate(bibs)]
    case.writer.write("passings", emitted)
    case.wait_for(lambda: case.store.count_passings(case.run) == len(bibs))
    assert [bib for _, bib in passed(case)] == bibs
    assert [bib for _, bib in passed(case, NOW + 2000)] == bibs[3:]


def test_competitors(case: Case) -> None:
    """Competitors are there by bib, each with the name as written."""
    name = "O'Neil <b>${1}</b>"
    club = "${alert(1)} <b>Harriers"
    emitted = [competitor(case.run, 999_999, name=name, club=club, sex="F"), competitor(case.run, 7, wave=3)]
    case.writer.write("competitors", emitted)
    case.wait_for(lambda: len(case.store.competitors(case.run)) == 2)
    found = case.store.competitors(case.run)
    assert {999_999: name, 7: "Runner 7"} == {bib: who.name for bib, who in found.items()}
    assert (found[7].category, found[7].wave, found[7].club) == ("W35", 3, "")
    assert (found[999_999].club, found[999_999].sex, found[7].sex) == (club, "F", "")
