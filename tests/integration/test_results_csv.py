"""Results as CSV: the API and the dashboard produce the same file."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest

from dashboard.race import finish_list
from dashboard.race.snapshots import Snapshots
from dashboard.store.sql_store import SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.course.library import load_folder
from simulator.export import result_files, results
from simulator.publishers.encode import encode
from simulator.race.events import Streamed, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.results import Rank
from tests.dashboard.events import SqliteWriter
from tests.simulator.export.test_results import REAL

COURSES = load_folder(Path(__file__).parents[2] / "courses").courses
EVERYTHING: dict[str, Any] = {**REAL, "competitors": 200}
TIES: dict[str, Any] = {"competitors": 20, "fastest": 317.0, "slowest": 317.0}


@pytest.mark.parametrize("rank", ["gun", "chip"])
@pytest.mark.parametrize("fields", [EVERYTHING, TIES], ids=["everything", "ties"])
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
    if fields is EVERYTHING:
        assert {"finished", "dnf", "dsq", "dns"} <= set(outcome.results.status.tolist())


def _write(race: Race, file: Path) -> None:
    """Write all events of a race into a new SQLite file."""
    writer, ticks = SqliteWriter(file), range(race.last_tick + 1)
    record = record_of(race, "finished", race.start_ms, race.request.text())
    writer.write("races", _events([record]))
    writer.write("competitors", _events(entries_of(race, 5000)))
    writer.write("passings", _events(chain.from_iterable(passings_until(race, tick, 5000) for tick in ticks)))
    writer.write("parkrun", _events(chain.from_iterable(positions_at(race, tick, 5000) for tick in ticks)))


def _events(batches: Iterable[Streamed]) -> list[dict[str, Any]]:
    return [orjson.loads(value) for batch in batches for value in encode(batch).values]
