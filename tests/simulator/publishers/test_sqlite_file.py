"""The embedded store's file and the versions of its tables: older, newer, changed while it is read."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.store.sql_store import SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.course.course import Course
from simulator.publishers.publisher import PublishError
from simulator.publishers.sqlite import SqlitePublisher
from simulator.publishers.sqlite_file import open_file
from simulator.race.events import Batch, CourseRecord, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from stream.contract import SQLITE_VERSION
from tests.simulator.conftest import resolved
from tests.simulator.reactor_thread import ReactorThread
from tests.stream.new_field import with_heart_rate

NEXT = SQLITE_VERSION + 1
TOPICS = ("races", "competitors", "parkrun", "passings", "courses")
TABLES = ("races", "competitors", "parkrun", "parkrun_history", "passings", "courses")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file of today's version."""
    path = tmp_path / "race.db"
    open_file(path).close()
    return path


@pytest.fixture
def race(straight: Course) -> Race:
    """Return a race of three."""
    return Race(straight, resolved(competitors=3, interval=60))


def batches_of(race: Race) -> list[Batch]:
    """Return batches of each kind."""
    record = record_of(race, "running", race.start_ms, race.request.text())
    return [
        CourseRecord(race.course),
        record,
        *entries_of(race, 9),
        *passings_until(race, 0, 9),
        *positions_at(race, 0, 9),
    ]


def publish(thread: ReactorThread, path: Path, batches: list[Batch]) -> None:
    """Write batches as a simulator does from its start to its end."""
    publisher = thread.call(SqlitePublisher, thread.reactor, path)
    for batch in batches:
        thread.call(publisher.publish, batch)
    thread.call(publisher.close)


def version_of(path: Path) -> int:
    """Return the version of a file's tables."""
    with closing(sqlite3.connect(path)) as file:
        version: int = file.execute("PRAGMA user_version").fetchone()[0]
    return version


def by_name(path: Path, table: str) -> list[dict[str, object]]:
    """Return a table's rows by the names of the columns, in whatever order they are."""
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        return [dict(row) for row in file.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]


def test_a_new_file_has_the_contracts_version(path: Path) -> None:
    """A new file has the contract's version, which the dashboard reads."""
    assert version_of(path) == SQLITE_VERSION
    assert list(SqlStore(SqliteFile(path)).races()) == []


@pytest.mark.parametrize("exists", [False, True])
def test_an_older_simulator_writes_a_newer_file(
    thread: ReactorThread, tmp_path: Path, race: Race, *, exists: bool
) -> None:
    """A contract with a new field creates or adds its column; programs without it write the default."""
    plain, newer = tmp_path / "plain.db", tmp_path / "newer.db"
    publish(thread, plain, batches_of(race))
    if exists:
        publish(thread, newer, batches_of(race))
    open_file(newer, with_heart_rate(tmp_path, *TOPICS)).close()
    with closing(sqlite3.connect(newer)) as file:
        file.execute(f"PRAGMA user_version = {NEXT}")
    publish(thread, newer, batches_of(race))

    assert version_of(newer) == NEXT
    for table in TABLES:
        assert by_name(newer, table) == [row | {"heartRate": 0} for row in by_name(plain, table)]
        assert by_name(newer, table)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (4, r"an older version of Racecast \(tables 4, this version writes 104\): delete it, or name a new"),
        (201, r"a newer version of Racecast \(tables 201, this version writes 104\): start that version, or"),
    ],
)
def test_a_file_of_another_hundred_is_refused(path: Path, version: int, words: str) -> None:
    """A file with other tables is left alone, and the error says what to do."""
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(PublishError, match=words):
        open_file(path)
    assert version_of(path) == version


def test_a_column_is_added_while_a_dashboard_reads(
    thread: ReactorThread, tmp_path: Path, path: Path, race: Race
) -> None:
    """Adding a column blocks no reader, not even one in the middle of an answer, nor do they block it."""
    publish(thread, path, batches_of(race))
    store = SqlStore(SqliteFile(path))
    before = store.positions(race.run_id).distance.tolist()
    with closing(sqlite3.connect(path)) as reader:
        answer = reader.execute("SELECT competitorId FROM parkrun")
        first = answer.fetchone()
        open_file(path, with_heart_rate(tmp_path, "parkrun")).close()
        rest = answer.fetchall()

    assert [first, *rest] == [(1,), (2,), (3,)]
    assert store.positions(race.run_id).distance.tolist() == before
    assert [row["heartRate"] for row in by_name(path, "parkrun")] == [0, 0, 0]


def test_an_upgrade_that_fails_changes_nothing(
    thread: ReactorThread, tmp_path: Path, path: Path, race: Race
) -> None:
    """Columns are added all or none."""
    publish(thread, path, batches_of(race))
    tables = dict(with_heart_rate(tmp_path, "parkrun", "courses"))
    heart_rate = replace(tables["courses"].fields["heartRate"], default=None)
    tables["courses"] = replace(
        tables["courses"], fields={**tables["courses"].fields, "heartRate": heart_rate}
    )
    with pytest.raises(sqlite3.OperationalError, match="Cannot add a NOT NULL column"):
        open_file(path, tables)

    with closing(sqlite3.connect(path)) as file:
        assert "heartRate" not in {row[1] for row in file.execute("PRAGMA table_info(parkrun)")}


def test_what_lacks_a_value_is_refused_whole(thread: ReactorThread, path: Path, race: Race) -> None:
    """A batch with an incomplete event is reported and not written at all."""
    publisher = thread.call(SqlitePublisher, thread.reactor, path)
    (batch,) = positions_at(race, 0, 9)
    object.__setattr__(batch, "emitted_at", None)
    with pytest.raises(
        PublishError, match=r"takes no writes: NOT NULL constraint failed: parkrun\.emittedAt"
    ):
        thread.call(publisher.publish, batch)
    assert by_name(path, "parkrun") == []
    object.__setattr__(batch, "emitted_at", 1)
    thread.call(publisher.publish, batch)
    thread.call(publisher.close)

    assert len(by_name(path, "parkrun")) == len(by_name(path, "parkrun_history")) == 3
