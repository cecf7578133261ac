"""Opens the embedded store's file: creates it, or adds missing columns of the contract.

Its tables have the names and columns of Pinot's. Times are in epoch milliseconds UTC, distances in metres,
geometries WKT in degrees, longitude first. `WITHOUT ROWID` keeps a race's rows together.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from simulator.publishers.publisher import PublishError
from stream.contract import PROGRESS, READS, SQLITE_VERSION, TABLES, Field, Table

HISTORY_KEY = ("runId", "rawTime", "competitorId")
"""Key of `parkrun_history`, which keeps every position, like Pinot with `option(skipUpsert=true)`."""
INDEX = "CREATE INDEX IF NOT EXISTS parkrun_history_by_emission ON parkrun_history (emittedAt)"
"""For the newest events of all races."""
BUSY = 10.0
"""Seconds to wait for another process's write."""


def open_file(path: Path, tables: Mapping[str, Table] = TABLES) -> sqlite3.Connection:
    """Open the file for one thread at a time, any thread.

    Raises:
        PublishError: a version of Racecast with different tables wrote it.
        sqlite3.Error: it can't be opened.
    """
    file = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if version and version // 100 != SQLITE_VERSION // 100:  # a new file has none
        file.close()
        raise PublishError(_refusal(path, version))
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = NORMAL")
    file.execute("BEGIN IMMEDIATE")
    with file:
        for name, table in tables.items():
            _set_up(file, name, table, table.key)
        _set_up(file, "parkrun_history", tables["parkrun"], HISTORY_KEY)
        for table in (PROGRESS, READS):
            _set_up(file, table.name, table, table.key)
        file.execute(INDEX)
        if version < SQLITE_VERSION:
            file.execute(f"PRAGMA user_version = {SQLITE_VERSION}")
    return file


def _refusal(path: Path, version: int) -> str:
    older = version < SQLITE_VERSION
    writer, remedy = ("an older", "delete it") if older else ("a newer", "start that version")
    return (
        f"the embedded store {path} was written by {writer} version of Racecast "
        f"(tables {version}, this version writes {SQLITE_VERSION}): {remedy}, or name a new file (--sqlite)"
    )


def _set_up(file: sqlite3.Connection, name: str, table: Table, key: tuple[str, ...]) -> None:
    """Create a table, or add its missing columns."""
    columns = {column: _definition(table.fields[column]) for column in table.columns}
    file.execute(
        f"CREATE TABLE IF NOT EXISTS {name} "
        f"({', '.join(columns.values())}, PRIMARY KEY ({', '.join(key)})) WITHOUT ROWID"
    )
    there = {row[1] for row in file.execute(f"PRAGMA table_info({name})")}
    for column in columns.keys() - there:
        file.execute(f"ALTER TABLE {name} ADD COLUMN {columns[column]}")


def _definition(field: Field) -> str:
    column = f"{field.name} {field.sqlite_type} NOT NULL"
    if field.default is None:
        return column
    literal = str(field.default).replace("'", "''")
    return f"{column} DEFAULT " + (f"'{literal}'" if field.type == "string" else literal)
