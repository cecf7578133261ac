"""The simulator's embedded SQLite file, read only.

Each query opens its own connection: that takes a fraction of a millisecond, works in any thread, and sees a
deleted and recreated file (a fresh demo) at once. A missing file is a store without races.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from dashboard.store.protocol import Parameter, StoreError
from stream.contract import SQLITE_VERSION

NEXT_VERSION = SQLITE_VERSION // 100 * 100 + 100
"""From here on the tables may be different."""
BUSY_TIMEOUT_S = 2.0


class SqliteFile:
    """The file at `path`."""

    dialect: Final = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, query: str, **parameters: Parameter) -> Sequence[Sequence[Any]]:
        """The rows of a query; none if the file doesn't exist yet. Raises `StoreError`.

        A list is passed as JSON, for `json_each`.
        """
        if not self._path.exists():
            return []
        try:
            with closing(self._connect()) as connection:
                self._check_version(connection)
                values = {
                    name: json.dumps(value) if isinstance(value, list) else value
                    for name, value in parameters.items()
                }
                return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            if "no such table" in str(error):  # the simulator is just creating the file
                return []
            raise StoreError(
                f"Cannot read the race file {self._path}: {error}. "
                "Check that it is the file the simulator writes (RACECAST_SQLITE), and that the dashboard "
                "may write to its folder, where SQLite registers readers."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)

    def _check_version(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0 or SQLITE_VERSION <= version < NEXT_VERSION:  # 0: not set up yet
            return
        remedy = "Start with a new file (RACECAST_SQLITE)"
        if version // 100 == SQLITE_VERSION // 100:
            remedy = "Start the simulator of this version, which adds what is missing"
        if version >= NEXT_VERSION:
            remedy = "Use a newer dashboard, or start with a new file"
        raise StoreError(
            f"The race file {self._path} was written by another version of Racecast "
            f"(schema version {version}; this dashboard reads {SQLITE_VERSION} to "
            f"{NEXT_VERSION - 1}). {remedy}."
        )
