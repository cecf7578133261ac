"""Probe of the embedded store, the SQLite file that replaces Kafka and Pinot."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from pinot.health.sample import Embedded, Failure, RaceNews, Races

PATIENCE_S = 2.0
NEWEST = Path(__file__).with_name("embedded_newest.sql").read_text()
RUNNING = Path(__file__).with_name("embedded_running.sql").read_text()


class EmbeddedProbe:
    """Probes the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> Embedded | Failure:
        """Return its size and the age of its newest position."""
        taken = time.time()
        log = Path(f"{self._path}-wal")
        try:
            ((newest,),) = self._ask(NEWEST)
            log_size = log.stat().st_size if log.exists() else 0
            return Embedded(self._path.stat().st_size, log_size, newest and newest / 1000, taken)
        except (sqlite3.Error, OSError) as error:
            return self._failure(error)

    def races(self) -> Races | Failure:
        """Return the races with the status `running`."""
        taken = time.time()
        try:
            return Races(tuple(RaceNews.of_row(row, newest) for *row, newest in self._ask(RUNNING)), taken)
        except (sqlite3.Error, OSError) as error:
            return self._failure(error)

    def _ask(self, sql: str) -> list[Any]:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE_S)) as connection:
            return connection.execute(sql).fetchall()

    def _failure(self, error: Exception) -> Failure:
        if not self._path.exists():
            return Failure(
                f"There is no race file {self._path}. Start the simulator (python -m simulator serve), or "
                "set RACECAST_SQLITE to the file that it writes."
            )
        return Failure(
            f"The race file {self._path} cannot be read ({error}). Set RACECAST_SQLITE to the file that the "
            "simulator writes, and make sure that its folder is writable."
        )
