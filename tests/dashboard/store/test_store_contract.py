"""What every store promises, held against SQLite and against a real Pinot."""

import math
import uuid
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Arrived, Every, Selection, Store, Tally
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from stream.cut_offs import CutOff, CutOffs
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
        found.cut_offs,
    ) == ("running", 3, 2.5, 9_007_199_254_740_993, NOW, None)


def test_cut_offs_as_written(case: Case) -> None:
    """A race comes back with its cut-offs, in both queries, with names exactly as they are."""
    name = 'It\'s "5" ёж % \\'
    limits = (CutOff(name, name, 2, 4999.5, 2400.5), CutOff("finish", "Finish", 1, 10000.0, 5400.0))
    written = CutOffs(limits, "wave")
    case.writer.write("races", [race(case.run, cutOffs=written.text(), cutOffsFrom="wave")])
    case.wait_for(lambda: case.store.race(case.run) is not None)
    assert getattr(case.store.race(case.run), "cut_offs", None) == written
    assert [one.cut_offs for one in case.store.races() if one.run_id == case.run] == [written]


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


def test_course_with_widths(case: Case) -> None:
    """A course whose width is known has it from each place on; another course has none."""
    course = case.store.course("city-10k")
    assert course is not None
    assert course.widths[0] == (0.0, 8.0)
    assert min(wide for _, wide in course.widths) == 5.0
    crystal_palace = case.store.course("crystal-palace")
    assert crystal_palace is not None
    assert crystal_palace.widths == ()


def test_race_with_crowding(case: Case) -> None:
    """A race says whether competitors hold each other up, and how wide its course is at most."""
    request = '{"crowding": "flow", "width": 4.5}'
    case.writer.write("races", [race(case.run, request=request), race(f"{case.run}_free")])
    case.wait_for(lambda: None not in {case.store.race(case.run), case.store.race(f"{case.run}_free")})
    crowded, free = case.store.race(case.run), case.store.race(f"{case.run}_free")
    assert crowded is not None
    assert free is not None
    assert (crowded.is_crowded, crowded.width) == (True, 4.5)
    assert (free.is_crowded, free.width) == (False, math.inf)


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


FIELD = ("waiting", "running", "paused", "finished", "dnf", "dsq", "dns")
"""A status for each bib from 1 on."""


def field(case: Case, **other: Any) -> None:
    """Write a competitor of each status, the bibs from 1 on; each has covered 100 m more than the last."""
    case.writer.write(
        "parkrun",
        [
            position(
                case.run,
                bib,
                status=status,
                distance=100.0 * bib,
                elapsed=60.0 + bib,
                emittedAt=NOW + bib,
                **other,
            )
            for bib, status in enumerate(FIELD, start=1)
        ],
    )
    case.wait_for(lambda: len(case.store.positions(case.run)) == len(FIELD))


def test_some_positions(case: Case) -> None:
    """Positions can be asked for of every so many bibs, or of those in a list; and so can their mark."""
    case.writer.write("parkrun", [position(case.run, bib) for bib in (7, 14, 15, 999_999)])
    case.wait_for(lambda: len(case.store.positions(case.run)) == 4)
    assert case.store.positions(case.run, Every(7)).competitor.tolist() == [7, 14, 999_999]
    assert case.store.positions(case.run, Every(3)).competitor.tolist() == [15, 999_999]
    assert case.store.positions(case.run, [15, 8, 7]).competitor.tolist() == [7, 15]
    assert case.store.mark(case.run, Every(7)) == (NOW + 60_000, 180, 3)
    assert len(case.store.positions(case.run, Every(17))) == 0
    assert len(case.store.positions(case.run, [])) == 0
    assert case.store.mark(case.run, Every(17)) == (0, 0, 0)


def test_many_bibs(case: Case) -> None:
    """A list of bibs may be longer than what a query takes at once."""
    case.writer.write("parkrun", [position(case.run, bib) for bib in (3, 25_000)])
    case.wait_for(lambda: len(case.store.positions(case.run)) == 2)
    assert case.store.positions(case.run, range(1, 30_001)).competitor.tolist() == [3, 25_000]


def test_some_positions_of_the_past(case: Case) -> None:
    """Positions of every so many bibs can be asked for at a second, and in the seconds before."""
    events = [
        position(case.run, bib, rawTime=time, distance=float(bib + time))
        for bib, time in ((5, 60), (6, 60), (10, 60), (5, 70), (6, 70), (5, 80), (10, 40))
    ]
    case.writer.write("parkrun", events)
    case.wait_for(lambda: len(case.store.positions_at(case.run, 80)) == 1)
    case.wait_for(lambda: len(case.store.positions_at(case.run, 60)) == 3)
    case.wait_for(lambda: len(case.store.positions_at(case.run, 40)) == 1)
    assert case.store.positions_at(case.run, 60, some=Every(5)).competitor.tolist() == [5, 10]
    found = case.store.positions_at(case.run, 70, look_back=10, some=Every(5))
    assert found.competitor.tolist() == [5, 10]
    assert found.distance.tolist() == [75.0, 70.0]
    assert case.store.positions_at(case.run, 59, look_back=19, some=Every(5)).distance.tolist() == [50.0]
    assert len(case.store.positions_at(case.run, 30, look_back=20, some=Every(5))) == 0


def test_some_passings(case: Case) -> None:
    """Passings can be asked for of every so many bibs, or of those in a list, from a moment on."""
    emitted = [passing(case.run, bib, elapsed=float(bib)) for bib in range(1, 31)]
    case.writer.write("passings", emitted)
    case.writer.write("competitors", [competitor(case.run, 30)])
    case.wait_for(lambda: case.store.count_passings(case.run) == 30)
    case.wait_for(lambda: len(case.store.competitors(case.run)) == 1)

    def bibs(after_ms: int | None, some: Selection) -> list[int]:
        found = case.store.passings(case.run, after_ms, some)
        return sorted(chain.from_iterable(one.competitor.tolist() for one in found))

    assert bibs(None, Every(7)) == [7, 14, 21, 28]
    assert bibs(NOW + 14_000, Every(7)) == [21, 28]
    assert bibs(None, [2, 3, 99]) == [2, 3]
    assert bibs(NOW + 2000, [2, 3, 99]) == [3]
    assert bibs(None, []) == []


def test_some_competitors(case: Case) -> None:
    """Entries of the start list can be asked for of every so many bibs, or of those in a list."""
    case.writer.write("competitors", [competitor(case.run, bib) for bib in (6, 7, 12, 999_999)])
    case.wait_for(lambda: case.store.count_competitors(case.run) == 4)
    assert sorted(case.store.competitors(case.run, Every(6))) == [6, 12]
    assert sorted(case.store.competitors(case.run, [7, 8, 999_999])) == [7, 999_999]


def test_tally(case: Case) -> None:
    """The tally counts all competitors by status, and has the newest time, the last bib and the finish."""
    assert case.store.tally(case.run) == Tally({}, 0.0, 0, 0, 0.0)
    field(case)
    found = case.store.tally(case.run)
    assert found.counts == dict.fromkeys(FIELD, 1)
    assert (found.race_time, found.newest_emitted, found.last_bib, found.finish) == (67.0, NOW + 7, 7, 400.0)
    case.writer.write("parkrun", [position(case.run, 6, status="dsq", elapsed=66.0, rawTime=90)])
    case.wait_for(lambda: case.store.tally(case.run).race_time == 90.0)
    assert (found.count("running", "paused"), found.count("nothing")) == (2, 0)


def test_front(case: Case) -> None:
    """The first on the course are those who have covered most, and of those at one place the lowest bibs."""
    field(case)
    distances = {11: 900.0, 12: 950.0, 13: 900.0, 10: 900.0}
    case.writer.write("parkrun", [position(case.run, bib, distance=far) for bib, far in distances.items()])
    case.wait_for(lambda: len(case.store.positions(case.run)) == len(FIELD) + 4)
    assert case.store.front(case.run, 3).competitor.tolist() == [10, 11, 12]
    assert case.store.front(case.run, 100).competitor.tolist() == [2, 3, 10, 11, 12, 13]


def test_number_of_competitors_between_two_places(case: Case) -> None:
    """Only competitors on the course are counted, from the first distance on, without those at the last."""
    field(case)
    assert case.store.between(case.run, 0.0) == 2
    assert case.store.between(case.run, 200.0, 300.0) == 1
    assert case.store.between(case.run, 200.001, 300.0) == 0
    assert case.store.between("unknown", 0.0) == 0


def test_finishes(case: Case) -> None:
    """Finishers come with their exact times, disqualified ones marked; by bibs, and from a moment on."""
    field(case)
    found = case.store.finishes(case.run, range(1, 8))
    assert found.competitor.tolist() == [4, 6]
    assert found.elapsed.tolist() == [64.0, 66.0]
    assert found.counts.tolist() == [True, False]
    assert found.newest_emitted == NOW + 6
    assert case.store.finishes(case.run, range(5, 7)).competitor.tolist() == [6]
    assert case.store.finishes(case.run, range(1, 6)).competitor.tolist() == [4]
    assert case.store.finishes(case.run, range(1, 8), NOW + 4).competitor.tolist() == [6]
    assert len(case.store.finishes("unknown", range(1, 8)).competitor) == 0


def test_waves_and_starts(case: Case) -> None:
    """Later waves and own starts come by bib, in parts."""
    case.writer.write("competitors", [competitor(case.run, bib, wave=bib % 3 + 1) for bib in (6, 4, 5, 7)])
    starts = [passing(case.run, bib, kind="start", point="Start", elapsed=bib / 8) for bib in (9, 8)]
    case.writer.write("passings", [*starts, passing(case.run, 9)])
    case.wait_for(lambda: case.store.count_competitors(case.run) == 4)
    case.wait_for(lambda: case.store.count_passings(case.run) == 3)
    assert [column.tolist() for column in case.store.waves(case.run, range(10))] == [[4, 5, 7], [2, 3, 2]]
    assert [column.tolist() for column in case.store.waves(case.run, range(5, 7))] == [[5], [3]]
    assert [column.tolist() for column in case.store.starts(case.run, range(10))] == [[8, 9], [1.0, 1.125]]
    assert [column.tolist() for column in case.store.starts(case.run, range(9, 10))] == [[9], [1.125]]


@pytest.mark.parametrize(
    ("text", "bibs"),
    [
        ("SMITH", [2, 7]),
        ("åsa", [3]),
        ("o'n", [5]),
        ("100 %", [5]),
        ("milers", [2]),
        ("' OR '1'='1", []),
        ("_", []),
        ("*", []),
    ],
)
def test_find(case: Case, text: str, bibs: list[int]) -> None:
    """A text is found in names and clubs, in any case and letter by letter, and nothing else is."""
    people = {
        2: ("Ann Smith", "City Milers"),
        3: ("ÅSA Ek", ""),
        5: ("Pat O'Neil", "100 % Fit"),
        7: ("bo smithers", ""),
    }
    events = [competitor(case.run, bib, name=name, club=club) for bib, (name, club) in people.items()]
    case.writer.write("competitors", events)
    case.wait_for(lambda: case.store.count_competitors(case.run) == len(people))
    assert list(case.store.find(case.run, text, 10)) == bibs
    assert list(case.store.find(case.run, text, 1)) == bibs[:1]


def test_arrivals_are_counted_by_spans(case: Case) -> None:
    """Passings of splits, geofence entries and the finish count in spans that begin before the gun."""
    passed = [
        passing(case.run, 1, kind="start", point="Start", elapsed=1.0),
        passing(case.run, 1, kind="split", point="1 km", elapsed=239.999),
        passing(case.run, 2, kind="split", point="1 km", elapsed=240.0),
        passing(case.run, 3, kind="split", point="1 km", elapsed=539.9),
        passing(case.run, 3, kind="split", point="1 km", lap=2, elapsed=900.0),
        passing(case.run, 1, kind="enter", point="It's North", elapsed=600.0),
        passing(case.run, 1, kind="exit", point="It's North", elapsed=700.0),
        passing(case.run, 1, kind="finish", point="Finish", elapsed=1800.0),
        passing(case.run, 2, kind="dnf", point="DNF", elapsed=1000.0),
    ]
    case.writer.write("passings", passed)
    case.wait_for(lambda: case.store.count_passings(case.run) == len(passed))
    assert sorted(case.store.count_arrivals(case.run, 60.0, 300)) == [
        Arrived("enter", "It's North", 1, 2, 1),
        Arrived("finish", "Finish", 1, 6, 1),
        Arrived("split", "1 km", 1, 0, 1),
        Arrived("split", "1 km", 1, 1, 2),
        Arrived("split", "1 km", 2, 3, 1),
    ]


def test_those_who_dropped_out(case: Case) -> None:
    """Bibs, metres and exact times of those who gave up or were stopped, and of no one else, by bib."""
    found = {1: "running", 5: "dnf", 3: "dnf", 4: "dns", 6: "dsq", 7: "finished"}
    rows = [
        position(case.run, bib, status=status, distance=1000.125 + bib, elapsed=300.5 + bib)
        for bib, status in found.items()
    ]
    case.writer.write("parkrun", rows)
    case.wait_for(lambda: len(case.store.positions(case.run)) == len(found))
    bibs, distance, elapsed = case.store.dropped(case.run)
    assert bibs.tolist() == [3, 5]
    assert distance.tolist() == [1003.125, 1005.125]
    assert elapsed.tolist() == [303.5, 305.5]
    assert [len(column) for column in case.store.dropped("no_such_run")] == [0, 0, 0]
