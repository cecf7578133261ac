import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dashboard.store.protocol import StoreError
from dashboard.store.sql_store import SqlStore
from dashboard.store.sqlite_file import SqliteFile
from tests.dashboard.events import SqliteWriter, competitor, race


def test_no_file_yet(tmp_path: Path) -> None:
    """Before the simulator has created its file there are no races, and the dashboard doesn't create it."""
    path = tmp_path / "none.db"
    store = SqlStore(SqliteFile(path))
    assert list(store.races()) == []
    assert store.race("run") is None
    assert len(store.positions("run")) == 0
    assert not path.exists()


def test_file_without_tables(tmp_path: Path) -> None:
    """A file whose tables are just being created has no races."""
    path = tmp_path / "new.db"
    path.touch()
    assert list(SqlStore(SqliteFile(path)).races()) == []


def test_recreated_file(tmp_path: Path) -> None:
    """A file that is deleted and created again is read as it is now."""
    path = tmp_path / "races.db"
    SqliteWriter(path).write("races", [race("old")])
    store = SqlStore(SqliteFile(path))
    assert [known.run_id for known in store.races()] == ["old"]
    path.unlink()
    SqliteWriter(path).write("races", [race("new")])
    assert [known.run_id for known in store.races()] == ["new"]


def test_while_another_writes(tmp_path: Path) -> None:
    """A writer in the middle of a transaction doesn't hinder reading."""
    path = tmp_path / "races.db"
    SqliteWriter(path).write("races", [race("done")])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM races")
        assert [known.run_id for known in SqlStore(SqliteFile(path)).races()] == ["done"]


def test_not_a_database(tmp_path: Path) -> None:
    """A file that is no database is an error that names it and the setting."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"Cannot read the race file .*notes\.txt.*RACECAST_SQLITE"):
        SqlStore(SqliteFile(path)).races()


def test_tables_that_a_newer_version_adds_to(tmp_path: Path) -> None:
    """A file with more columns, tables and indexes than this version knows is read like any other."""
    path = tmp_path / "newer.db"
    SqliteWriter(path).write("races", [race("known")])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            ALTER TABLE races ADD COLUMN weather TEXT NOT NULL DEFAULT 'dry';
            CREATE TABLE sponsors (name TEXT NOT NULL);
            CREATE INDEX byWeather ON races(weather);
            PRAGMA user_version = 199
        """)
    assert [known.run_id for known in SqlStore(SqliteFile(path)).races()] == ["known"]


def test_tables_of_a_later_version(tmp_path: Path) -> None:
    """A file of an incompatible later version is refused with what to do."""
    path = tmp_path / "later.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 201")
    with pytest.raises(
        StoreError, match=r"schema version 201; this dashboard reads 104 to 199\).*Use a newer dashboard"
    ):
        SqlStore(SqliteFile(path)).races()


def test_tables_of_an_earlier_version(tmp_path: Path) -> None:
    """An older file is refused with what to do."""
    path = tmp_path / "earlier.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 4")
    with pytest.raises(
        StoreError, match=r"schema version 4; this dashboard reads 104 to 199\). Start with a new file"
    ):
        SqlStore(SqliteFile(path)).races()


def test_tables_without_the_newest_columns(tmp_path: Path) -> None:
    """A file that the previous version's simulator wrote is read once this version's has opened it."""
    path = tmp_path / "previous.db"
    SqliteWriter(path).write("races", [race("known")])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("ALTER TABLE competitors DROP COLUMN sex; PRAGMA user_version = 100")
    with pytest.raises(StoreError, match="Start the simulator of this version, which adds what is missing"):
        SqlStore(SqliteFile(path)).races()
    SqliteWriter(path).write("competitors", [competitor("known", 1)])
    assert SqlStore(SqliteFile(path)).competitors("known")[1].sex == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"courseMap": "ROUND (1 2)"},
        {"startLocation": "ROUND (1 2)"},
        {"fences": "[{]"},
        {"fences": '[{"name": "N"}]'},
        {"fences": '[{"name": "N", "wkt": "POINT (0 1)"}]'},
    ],
)
def test_course_that_cannot_be_drawn(tmp_path: Path, wrong: dict[str, str]) -> None:
    """A geometry that isn't one is an error that names the course."""
    path = tmp_path / "races.db"
    writer = SqliteWriter(path)
    names = {"shortName": "odd", "longName": "Odd", "distance": 1.0}
    right = {
        "courseMap": "LINESTRING (0 1, 1 1)",
        "startLocation": "POINT (0 1)",
        "endLocation": "POINT (1 1)",
    }
    writer.write("courses", [{**names, "geoFenceLocation": "", **right, **wrong}])
    with pytest.raises(StoreError, match="The course odd in the store can't be drawn"):
        SqlStore(SqliteFile(path)).course("odd")


@pytest.mark.parametrize("fences", ["[]", ""])
def test_course_without_fence(tmp_path: Path, fences: str) -> None:
    """A course without a geofence has none."""
    path = tmp_path / "races.db"
    writer = SqliteWriter(path)
    course = {
        "shortName": "open",
        "longName": "Open",
        "distance": 1.0,
        "courseMap": "LINESTRING Z (0 51 10, 1 51 20)",
        "geoFenceLocation": "",
        "startLocation": "POINT (0 51)",
        "endLocation": "POINT (1 51)",
        "fences": fences,
    }
    writer.write("courses", [course])
    found = SqlStore(SqliteFile(path)).course("open")
    assert found is not None
    assert found.fences == ()
    assert found.line.tolist() == [[0.0, 51.0], [1.0, 51.0]]
