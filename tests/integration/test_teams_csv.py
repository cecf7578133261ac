"""Teams as CSV: the API, SQLite and Pinot give the same file."""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest

from dashboard.race import team_table
from dashboard.race.snapshots import Snapshots
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.course.library import load_folder
from simulator.export import team_files, teams
from simulator.export.teams import TeamsQuery
from simulator.publishers.encode import encode
from simulator.race.events import Streamed, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.results import Rank
from stream.waiting import wait_for
from tests.dashboard.events import KafkaWriter, SqliteWriter, Writer
from tests.simulator.export.test_results import REAL

COURSE = load_folder(Path(__file__).parents[2] / "courses").courses["track-10000m"]
LIST = """bib,name,sex,club,pace
1,Ann,F,Hares,4:00
2,Bea,F,hares,4:00
3,Cid,M,Foxes,4:00
4,Dot,F,Foxes,4:00
5,Eve,,Unattached,4:00
6,Fay,X,HARES,4:10
7,=Gus,M,+Owls,4:20
"""
REQUESTS: dict[str, dict[str, Any]] = {
    "everything": {**REAL, "competitors": 200},
    "ties and spellings": {"start_list": LIST},
}
QUERIES = (
    TeamsQuery(),
    TeamsQuery(scorers=2, by="time"),
    TeamsQuery(scorers=3, who="women"),
    TeamsQuery(scorers=2, by="time", who="men"),
    TeamsQuery(scorers=2, who="mixed"),
    TeamsQuery(scorers=5, by="time", who="mixed"),
    TeamsQuery(scorers=20),
)
Written = Callable[[Race], Store]


@pytest.fixture(params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Written:
    """Write all events of a race; return a store that has them."""
    if request.param == "sqlite":
        path = tmp_path / "races.db"
        return lambda race: _written(race, SqliteWriter(path), SqlStore(SqliteFile(path)))
    stack = request.getfixturevalue("stack")
    return lambda race: _written(race, KafkaWriter(stack.kafka), PinotStore(Broker(stack.broker)))


@pytest.mark.parametrize("what", REQUESTS)
def test_page_and_api_produce_the_same_teams(written: Written, what: str) -> None:
    """Both files are identical by all rules, with incomplete teams, ties and clubs in several spellings."""
    request = RaceRequest(course="track-10000m", interval=60, **REQUESTS[what])
    start = datetime(2027, 5, 1, 9, tzinfo=UTC)
    run_id = f"teams_{uuid.uuid4().hex[:12]}"
    race = Race(COURSE, request.resolved(run_id=run_id, name="A race", seed=7, start_at=start))
    snapshots = Snapshots(written(race))
    ranks: tuple[Rank, ...] = ("gun", "chip")

    for query in (one.model_copy(update={"rank": rank}) for rank in ranks for one in QUERIES):
        found = teams.of(race, race.time_of(race.last_tick), query)
        outcome = snapshots.results(run_id, query.rank)
        api_csv = b"".join(team_files.as_csv(found))
        assert team_table.as_csv(outcome.results, outcome.competitors, query.rules) == api_csv
        assert found.teams
    by_two = teams.of(race, race.time_of(race.last_tick), QUERIES[1]).teams
    if what == "everything":
        assert sum(team.place is not None for team in by_two) > 10
    else:
        assert [(team.place, team.club) for team in by_two] == [(1, "Hares"), (1, "Foxes"), (None, "+Owls")]


def _written(race: Race, writer: Writer, store: Store) -> Store:
    ticks = range(race.last_tick + 1)
    passings = _events(chain.from_iterable(passings_until(race, tick, 5000) for tick in ticks))
    writer.write("races", _events([record_of(race, "finished", race.start_ms, race.request.text())]))
    writer.write("competitors", _events(entries_of(race, 5000)))
    writer.write("passings", passings)
    writer.write("parkrun", _events(chain.from_iterable(positions_at(race, tick, 5000) for tick in ticks)))

    def missing() -> str | None:
        run_id, n = race.run_id, len(race.field)
        if store.race(run_id) is None or store.count_competitors(run_id) < n:
            return "the race is missing"
        if store.count_passings(run_id) < len(passings):
            return "passings are missing"
        done = store.positions(run_id).status
        return None if len(done) == n and not {"running", "waiting"} & set(done.tolist()) else "it goes on"

    wait_for("the store", missing, seconds=90, say=print)
    return store


def _events(batches: Iterable[Streamed]) -> list[dict[str, Any]]:
    return [orjson.loads(value) for batch in batches for value in encode(batch).values]
