"""The embedded store's file: opened, made if it isn't there, and brought up to date if it is an older one.

Versions of the tables (`user_version`) of one hundred only add to each other: tables, indexes, and columns
with a default. So who knows one of them reads and writes the files of all later ones of its hundred, and a
dashboard or a simulator that is a little older goes on. What takes something away, or gives it another
meaning, begins the next hundred.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

from simulator.publishers.publisher import PublishError

if TYPE_CHECKING:
    from pathlib import Path

MIGRATIONS = {
    2: "ALTER TABLE courses ADD COLUMN fences TEXT NOT NULL DEFAULT '[]'",
    3: "ALTER TABLE competitors ADD COLUMN club TEXT NOT NULL DEFAULT ''",
    4: "ALTER TABLE races ADD COLUMN clockStart INTEGER NOT NULL DEFAULT 0; "
    "ALTER TABLE races ADD COLUMN deliveredUntil REAL NOT NULL DEFAULT -1; "
    "UPDATE races SET clockStart = startTime",
}
"""What brings a file to each version, by the version; the last one is that of `schema.sql`."""
BUSY = 10.0
"""Seconds to wait for another process that writes."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file for one thread at a time, whichever that is.

    Raises:
        PublishError: a newer version of Racecast has written it that says other things in its tables.
        sqlite3.Error: it can't be opened.
    """
    file = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    (version,) = file.execute("PRAGMA user_version").fetchone()
    newest = max(MIGRATIONS)
    if version // 100 > newest // 100:
        file.close()
        raise PublishError(
            f"the embedded store {path} was written by a newer version of Racecast (tables {version}, this "
            f"one writes {newest}): start that one, or name a new file (--sqlite)"
        )
    if version:  # a file that is new has none
        _migrate(file, version)
    file.executescript(files("simulator.publishers").joinpath("schema.sql").read_text())
    if version < newest:
        file.execute(f"PRAGMA user_version = {newest}")
    return file


def _migrate(file: sqlite3.Connection, version: int) -> None:
    for following, step in MIGRATIONS.items():
        if following > version:
            file.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {following}; COMMIT;")
