"""Results as CSV: the API and the dashboard produce the same file."""

import gzip
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest

from dashboard.race import finish_list
from dashboard.race.snapshots import Snapshots
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.course.library import load_folder
from simulator.export import result_files, results
from simulator.publishers.encode import encode
from simulator.race.events import Streamed, entries_of, passings_until, positions_at, record_of
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


@pytest.mark.parametrize("rank", ["gun", "chip"])
@pytest.mark.parametrize("fields", [EVERYTHING, TIES, LIMITED], ids=["everything", "ties", "limited"])
@pytest.mark.parametrize("course", ["track-10000m", "hilly-half"])
def test_page_and_api_produce_the_same_csv(
    course: str, fields: dict[str, Any], rank: Rank, tmp_path: Path
) -> None:
    """Both files are identical, with waves, finishers, DNF, DSQ, DNS, ties and laps, by gun and chip time."""
    start = datetime(2027, 5, 1, 9, tzinfo=UTC)
    request = RaceRequest(course=course, interval=60, **fields)
    race = Race(COURSES[course], request.resolved(run_id="run", name="A race", seed=7, start_at=start))
    _write(race, tmp_path / "races.db")
    snapshots = Snapshots(SqlStore(SqliteFile(tmp_path / "races.db")))
    outcome = snapshots.results("run", rank)

    api_csv = b"".join(result_files.as_csv(results.of(race, race.time_of(race.last_tick), rank)))
    assert finish_list.as_csv(outcome.results, outcome.snapshot.competitors) == api_csv
    assert (b",cut_off\r\n" in api_csv) == (fields is LIMITED)
    if fields is LIMITED:
        assert b",5 km\r\n" in api_csv
    if fields is EVERYTHING:
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
    _write_to(writer, race)
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


def _write(race: Race, file: Path) -> None:
    """Write all events of a race into a new SQLite file."""
    _write_to(SqliteWriter(file), race)


def _write_to(writer: Writer, race: Race) -> None:
    """Write all events of a race."""
    ticks = range(race.last_tick + 1)
    record = record_of(race, "finished", race.start_ms, race.request.text())
    writer.write("races", _events([record]))
    writer.write("competitors", _events(entries_of(race, 5000)))
    writer.write("passings", _events(chain.from_iterable(passings_until(race, tick, 5000) for tick in ticks)))
    writer.write("parkrun", _events(chain.from_iterable(positions_at(race, tick, 5000) for tick in ticks)))


def _events(batches: Iterable[Streamed]) -> list[dict[str, Any]]:
    return [orjson.loads(value) for batch in batches for value in encode(batch).values]
