"""The embedded store's file and the versions of its tables: older, newer, changed while it is read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dashboard.store.sqlite import SqliteStore
from dashboard.store.sqlite_file import SCHEMA_VERSION, SqliteFile
from simulator.publishers import sqlite_file
from simulator.publishers.publisher import PublishError
from simulator.publishers.sqlite import SqlitePublisher
from simulator.publishers.sqlite_file import MIGRATIONS, open_file
from simulator.race.events import CourseRecord, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from tests.simulator.conftest import resolved

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.course.course import Course
    from simulator.race.events import Batch
    from tests.simulator.reactor_thread import ReactorThread

NEXT = max(MIGRATIONS) + 1
ADDED = "ALTER TABLE {} ADD COLUMN heartRate INTEGER NOT NULL DEFAULT 0"
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


def told(race: Race) -> list[Batch]:
    """Return some of each kind of what is told of a race."""
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


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    """Return a table's rows."""
    with closing(sqlite3.connect(path)) as file:
        return file.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()


def test_a_new_file_has_the_newest_version(path: Path) -> None:
    """A file that is made has the version of the last step, which is one that the dashboard reads."""
    assert version_of(path) == max(MIGRATIONS)
    assert list(MIGRATIONS) == sorted(MIGRATIONS)
    assert max(MIGRATIONS) >= SCHEMA_VERSION
    assert list(SqliteStore(SqliteFile(path)).races()) == []


def test_an_older_simulator_writes_a_newer_file(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """Into a file to which a newer version has added columns all is written, with their defaults."""
    plain, newer = tmp_path / "plain.db", tmp_path / "newer.db"
    open_file(newer).close()
    with closing(sqlite3.connect(newer)) as file:
        file.executescript("; ".join([ADDED.format(table) for table in TABLES]))
        file.execute(f"PRAGMA user_version = {NEXT}")
    publish(thread, plain, told(race))
    publish(thread, newer, told(race))

    assert version_of(newer) == NEXT
    for table in TABLES:
        assert rows(newer, table) == [(*row, 0) for row in rows(plain, table)]
        assert rows(newer, table)


def test_a_file_of_another_hundred_is_refused(path: Path) -> None:
    """A file whose tables say other things is left alone, with a sentence that says what to do."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 101")
    with pytest.raises(
        PublishError, match=r"newer version of Racecast \(tables 101, this one writes 4\): start"
    ):
        open_file(path)
    assert version_of(path) == 101


def test_a_column_is_added_while_a_dashboard_reads(
    thread: ReactorThread, path: Path, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that adds a column hinders no reader, not in the middle of an answer either, nor do they it."""
    publish(thread, path, told(race))
    store = SqliteStore(SqliteFile(path))
    before = store.positions(race.run_id).distance.tolist()
    monkeypatch.setitem(sqlite_file.MIGRATIONS, NEXT, ADDED.format("parkrun"))
    with closing(sqlite3.connect(path)) as reader:
        answer = reader.execute("SELECT competitorId FROM parkrun")
        first = answer.fetchone()
        open_file(path).close()
        rest = answer.fetchall()

    assert [first, *rest] == [(1,), (2,), (3,)]
    assert version_of(path) == NEXT
    assert store.positions(race.run_id).distance.tolist() == before
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT DISTINCT heartRate FROM parkrun").fetchall() == [(0,)]


def test_a_step_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is done whole or not at all: the file stays of the version before it."""
    broken = f"{ADDED.format('parkrun')}; ALTER TABLE nowhere ADD COLUMN heartRate INTEGER"
    monkeypatch.setitem(sqlite_file.MIGRATIONS, NEXT, broken)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        open_file(path)

    assert version_of(path) == NEXT - 1
    with closing(sqlite3.connect(path)) as file:
        assert "heartRate" not in {row[1] for row in file.execute("PRAGMA table_info(parkrun)")}


def test_what_lacks_a_value_is_refused_whole(thread: ReactorThread, path: Path, race: Race) -> None:
    """A batch one of whose events lacks something is told as trouble, and nothing of it is written."""
    publisher = thread.call(SqlitePublisher, thread.reactor, path)
    (batch,) = positions_at(race, 0, 9)
    object.__setattr__(batch, "emitted_at", None)
    with pytest.raises(
        PublishError, match=r"takes no writes: NOT NULL constraint failed: parkrun\.emittedAt"
    ):
        thread.call(publisher.publish, batch)
    assert rows(path, "parkrun") == []
    object.__setattr__(batch, "emitted_at", 1)
    thread.call(publisher.publish, batch)
    thread.call(publisher.close)

    assert len(rows(path, "parkrun")) == len(rows(path, "parkrun_history")) == 3
