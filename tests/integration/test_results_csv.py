"""The results of a race agree between the API, SQLite and Pinot, and so do positions and passings."""

import gzip
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pytest

from dashboard.race import finish_list
from dashboard.race.snapshots import Snapshots
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Positions, Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.course.library import load_folder
from simulator.export import result_files, results
from simulator.publishers.encode import encode
from simulator.race.events import (
    Streamed,
    entries_of,
    passings_until,
    positions_at,
    positions_of_all,
    record_of,
)
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.results import Rank
from stream.waiting import wait_for
from tests.dashboard.events import KafkaWriter, SqliteWriter, Writer
from tests.simulator.export.test_results import REAL

COURSES = load_folder(Path(__file__).parents[2] / "courses").courses
EVERYTHING: dict[str, Any] = {**REAL, "competitors": 200}
LIMITED: dict[str, Any] = {
    **EVERYTHING,
    "cut_offs": "5 km = 0:38:00; finish = 2:00:00",
    "cut_offs_from": "wave",
}
TIES: dict[str, Any] = {"competitors": 20, "fastest": 317.0, "slowest": 317.0}
CONGESTED: dict[str, Any] = {
    **EVERYTHING,
    "crowding": "flow",
    "start_width": 1.0,
    "width": 0.5,
    "specific_flow": 20.0,
    "jam_density": 0.5,
}
"""So narrow that 200 are a crowd: waves wait for each other, and there are queues on the course."""
INTERVAL = 60


def made(course: str, fields: dict[str, Any], run_id: str = "run") -> Race:
    """Return a race."""
    start = datetime(2027, 5, 1, 9, tzinfo=UTC)
    request = RaceRequest(course=course, interval=INTERVAL, **fields)
    return Race(COURSES[course], request.resolved(run_id=run_id, name="A race", seed=7, start_at=start))


@pytest.mark.parametrize("rank", ["gun", "chip"])
@pytest.mark.parametrize(
    "fields",
    [EVERYTHING, TIES, LIMITED, CONGESTED],
    ids=["everything", "ties", "limited", "congested"],
)
@pytest.mark.parametrize("course", ["track-10000m", "hilly-half"])
def test_page_and_api_produce_the_same_csv(
    course: str, fields: dict[str, Any], rank: Rank, tmp_path: Path
) -> None:
    """Both files are identical, with waves, DNF, DSQ, DNS, ties, laps and queues, by gun and chip time."""
    race = made(course, fields)
    _write(race, SqliteWriter(tmp_path / "races.db"))
    snapshots = Snapshots(SqlStore(SqliteFile(tmp_path / "races.db")))
    outcome = snapshots.results("run", rank)

    api_csv = _csv(race, rank)
    assert finish_list.as_csv(outcome.results, outcome.snapshot.competitors) == api_csv
    assert (b",cut_off\r\n" in api_csv) == (fields is LIMITED)
    if fields is LIMITED:
        assert b",5 km\r\n" in api_csv
    if fields in (EVERYTHING, CONGESTED):
        assert {"finished", "dnf", "dsq", "dns"} <= set(outcome.results.status.tolist())


@pytest.fixture(params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Writer]:
    """Each of the two stores in turn, and a way to write what it reads."""
    if request.param == "sqlite":
        path = tmp_path / "races.db"
        return SqlStore(SqliteFile(path)), SqliteWriter(path)
    stack = request.getfixturevalue("stack")
    return PinotStore(Broker(stack.broker)), KafkaWriter(stack.kafka)


@pytest.mark.parametrize("since", ["gun", "wave"])
def test_all_agree_on_who_is_stopped_where(place: tuple[Store, Writer], since: str) -> None:
    """API, SQLite and Pinot name the same cut-off for each competitor, in files and on the live page."""
    store, writer = place
    start = datetime(2027, 5, 1, 9, tzinfo=UTC)
    fields: dict[str, Any] = {**REAL, "competitors": 60, "dnf": 0.1, "wave_size": 20, "wave_delay": 300}
    limits: dict[str, Any] = {
        "cut_offs": {"5 km": 2300, "8 km": 3400, "finish": 3900},
        "cut_offs_from": since,
    }
    request = RaceRequest(course="track-10000m", interval=60, **fields, **limits)
    run_id = f"run_{uuid.uuid4().hex[:12]}"
    race = Race(
        COURSES["track-10000m"], request.resolved(run_id=run_id, name="A race", seed=7, start_at=start)
    )
    _write(race, writer)
    wait_for(
        "the store", lambda: None if _has_all(store, race) else "it doesn't show all", seconds=60, say=print
    )
    outcome = Snapshots(store).results(run_id)
    found = results.of(race, race.time_of(race.last_tick))

    assert finish_list.as_csv(outcome.results, outcome.snapshot.competitors) == b"".join(
        result_files.as_csv(found)
    )
    api = {
        line.bib: name
        for some in found.lines()
        for line, name in zip(some.lines, some.cut_offs or (), strict=True)
    }
    assert set(api.values()) == {"", "5 km", "8 km", "finish"}
    assert any(line.status == "dnf" and not api[line.bib] for some in found.lines() for line in some.lines)
    live = orjson.loads(gzip.decompress(outcome.snapshot.packed.body))
    names = ["", *(one["name"] for one in live["cut_offs"])]
    columns = live["columns"]
    assert {
        bib: names[nth] for bib, nth in zip(columns["competitor"], columns["cut_off"], strict=True)
    } == api


def _has_all(store: Store, race: Race) -> bool:
    ended = store.positions(race.run_id).status
    has_ended = len(ended) == 60 and set(ended.tolist()) <= {"finished", "dnf", "dns", "dsq"}
    count = len(race.passings(BEFORE_THE_START, race.duration + race.request.tick).who)
    return has_ended and store.race(race.run_id) is not None and store.count_passings(race.run_id) == count


class Stored(NamedTuple):
    """A congested race and a store that has all its events."""

    race: Race
    store: Store


@pytest.fixture(
    name="stored", scope="module", params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)]
)
def _stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """The same race in each of the two stores."""
    race = made("city-10k", CONGESTED, f"test_{uuid.uuid4().hex[:12]}")
    writer: Writer
    store: Store
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("races") / "races.db"
        writer, store = SqliteWriter(file), SqlStore(SqliteFile(file))
    else:
        stack = request.getfixturevalue("stack")
        writer, store = KafkaWriter(stack.kafka), PinotStore(Broker(stack.broker))
    _write(race, writer)
    stored = Stored(race, store)
    wait_for("the store", lambda: _missing(stored), seconds=60, say=print)
    return stored


def _missing(stored: Stored) -> str | None:
    race, store = stored
    positions, passings = store.positions(race.run_id), store.count_passings(race.run_id)
    if store.race(race.run_id) is None or len(store.competitors(race.run_id)) < len(race.field):
        return "the race or its start list is missing"
    if passings < len(race.passings(BEFORE_THE_START, race.duration)):
        return f"it has {passings} passings"
    expected = _positions(positions_of_all(race, race.last_tick))
    return None if _positions(positions) == expected else f"it has {len(positions)} positions"


def test_the_race_is_congested(stored: Stored) -> None:
    """Most competitors lose time, at the start and on the course."""
    lost = stored.race.field.lost
    assert lost is not None
    assert np.median(lost.at_start) > 30
    assert np.median(lost.on_course) > 30


@pytest.mark.parametrize("rank", ["gun", "chip"])
def test_results_of_a_congested_race_agree(stored: Stored, rank: Rank) -> None:
    """The stores and the API give the same file, to the last byte."""
    outcome = Snapshots(stored.store).results(stored.race.run_id, rank)

    assert finish_list.as_csv(outcome.results, outcome.snapshot.competitors) == _csv(stored.race, rank)


def test_positions_of_a_congested_race_agree(stored: Stored) -> None:
    """From the start to the last tick everyone has covered the same metres, with the same status."""
    race, last = stored.race, stored.race.last_tick
    for tick in (0, 1, last // 4, last // 2, last):
        found = stored.store.positions_at(race.run_id, tick * INTERVAL)
        assert 0 < len(found) <= len(race.field)
        expected = _positions(positions_of_all(race, tick))
        assert _positions(found) == {bib: expected[bib] for bib in found.competitor.tolist()}
        assert len(found) == len(race.reporting(tick))


def test_passings_of_a_congested_race_agree(stored: Stored) -> None:
    """Everyone passes the same timing points at the same millisecond."""
    race = stored.race
    found = {
        (bib, some.kind, some.point, some.lap): seconds
        for some in stored.store.passings(race.run_id)
        for bib, seconds in zip(some.competitor.tolist(), some.elapsed.tolist(), strict=True)
    }
    passed = race.passings(BEFORE_THE_START, race.duration)
    columns = (race.entrants.bib[passed.who].tolist(), passed.point.tolist(), passed.elapsed.tolist())
    points = [(point.kind, point.name, point.lap) for point in race.points]

    assert found == {
        (bib, *points[nth]): round(seconds, 3) for bib, nth, seconds in zip(*columns, strict=True)
    }


def _positions(some: Any) -> dict[int, tuple[float, float, str]]:
    """Metres, seconds and status by bib, of a batch of events or of what a store has."""
    bibs, status = (
        (some.competitor, some.status.tolist())
        if isinstance(some, Positions)
        else (some.bib, some.status_names)
    )
    columns = (bibs.tolist(), np.round(some.distance, 3).tolist(), np.round(some.elapsed, 3).tolist(), status)
    return {bib: tuple(rest) for bib, *rest in zip(*columns, strict=True)}


def _csv(race: Race, rank: Rank) -> bytes:
    return b"".join(result_files.as_csv(results.of(race, race.time_of(race.last_tick), rank)))


def _write(race: Race, writer: Writer) -> None:
    """Write all events of a race."""
    ticks = range(race.last_tick + 1)
    record = record_of(race, "finished", race.start_ms, race.request.text())
    writer.write("races", _events([record]))
    writer.write("competitors", _events(entries_of(race, 5000)))
    writer.write("passings", _events(chain.from_iterable(passings_until(race, tick, 5000) for tick in ticks)))
    writer.write("parkrun", _events(chain.from_iterable(positions_at(race, tick, 5000) for tick in ticks)))


def _events(batches: Iterable[Streamed]) -> list[dict[str, Any]]:
    return [orjson.loads(value) for batch in batches for value in encode(batch).values]
