"""The simulator's embedded SQLite file, read only.

A connection lives for one question: opening takes a fraction of a millisecond, any thread may ask, and a
file that is deleted and made anew (a fresh demo) is seen at once. A file that isn't there yet is a store
without races.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dashboard.store.protocol import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCHEMA_VERSION = 4
"""The oldest `user_version` of the tables that can be read; what follows in its hundred only adds to it."""
HUNDRED = 100

BUSY_TIMEOUT_S = 2.0


class SqliteFile:
    """The file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, sql: str, *parameters: str | int) -> Sequence[Sequence[Any]]:
        """The rows of an answer; none if the file isn't there yet. Raises `StoreError`."""
        if not self._path.exists():
            return []
        try:
            with closing(self._connect()) as connection:
                self._check_version(connection)
                return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            if "no such table" in str(error):  # the simulator is just making the file
                return []
            raise StoreError(
                f"The race file {self._path} can't be read: {error}. "
                "Check that it is the file the simulator writes (RACECAST_SQLITE), and that the dashboard "
                "may write into its folder, where SQLite notes who reads."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)

    def _check_version(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0 or SCHEMA_VERSION <= version < _next_hundred():  # 0: not set up yet
            return
        remedy = (
            "Start the simulator on it: that brings it up to date."
            if version < SCHEMA_VERSION
            else "Use a newer dashboard, or start with a new file."
        )
        raise StoreError(
            f"The race file {self._path} was written by another version of Racecast (tables {version}, "
            f"this dashboard reads {SCHEMA_VERSION} to {_next_hundred() - 1}). {remedy}"
        )


def _next_hundred() -> int:
    return (SCHEMA_VERSION // HUNDRED + 1) * HUNDRED
