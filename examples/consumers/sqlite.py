"""A correct consumer in SQL: loads the topics into SQLite, and asks the queries of `sqlite.sql`."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from examples.consumers.plain import Row, mats_of, read, wave_delay_of
from examples.consumers.queries import queries_beside

QUERIES = queries_beside(__file__)
NAMES = "eventId competitorId rawTime timestamp lat lon distance status elapsed emittedAt"
MESSAGE = tuple(NAMES.split())
CHIP = ("eventId", "competitorId", "reader", "kind", "point", "antenna", "timestamp", "rssi", "elapsed")
PASSING = ("competitorId", "kind", "point", "lap", "elapsed", "distance")


class SqlConsumer:
    """The same as `plain.Consumer`, with tables instead of lists."""

    def __init__(
        self, folder: Path, at: float | None = None, window: int = 60, lateness: float | None = None
    ) -> None:
        self._asked = {"at": at, "window": window, "lateness": lateness}
        self._database = sqlite3.connect(":memory:")
        self._database.row_factory = sqlite3.Row
        self._database.executescript(QUERIES["tables"])
        race = read(folder / "races.ndjson")[-1]
        self._load("race", ("gun", "waveDelay"), [(race["startTime"], wave_delay_of(race))])
        self._load("messages", MESSAGE, values(MESSAGE, folder / "parkrun.ndjson"))
        self._load("passed", PASSING, values(PASSING, folder / "passings.ndjson"))
        entry = ("competitorId", "wave")
        self._load("entries", entry, values(entry, folder / "competitors.ndjson"))
        self._database.executescript(QUERIES["derived"])
        if (folder / "reads.ndjson").exists():
            self._load_reads(folder)

    def _load(self, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        into = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - ours
        self._database.executemany(into, rows)

    def _load_reads(self, folder: Path) -> None:
        """Load the raw reads and the mats of the course, and find the passes."""
        self._load("chips", CHIP, values(CHIP, folder / "reads.ndjson"))
        mats = mats_of(read(folder / "courses.ndjson")[0]).items()
        rows = ((*mat, nth, metres) for mat, places in mats for nth, metres in enumerate(places, start=1))
        self._load("mats", ("kind", "point", "nth", "distance"), rows)
        self._database.executescript(QUERIES["sightings"])

    def answer(self, kind: str) -> list[Row]:
        """Return the rows of an answer."""
        return [dict(row) for row in self._database.execute(QUERIES[kind], self._asked)]


def values(columns: tuple[str, ...], file: Path) -> Iterable[tuple[Any, ...]]:
    """Return some fields of the events in a file."""
    return (tuple(event.get(column) for column in columns) for event in read(file))
