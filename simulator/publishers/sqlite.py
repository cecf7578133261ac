"""The publisher to the embedded store: one SQLite file with Pinot's tables.

One thread of its own writes; the reactor never waits for the disk. A batch is a transaction, and `publish`
fires when it is committed.
"""

from __future__ import annotations

import sqlite3
from itertools import repeat
from typing import TYPE_CHECKING, Any

import structlog
from twisted.internet.defer import ensureDeferred, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from simulator.publishers.deliveries import Deliveries
from simulator.publishers.publisher import MAX_KNOWN, Health, PublishError
from simulator.publishers.sqlite_file import open_file
from simulator.race.events import CourseRecord, Entries, Passed, Positions, RaceRecord
from stream.contract import TABLES
from stream.race_states import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from simulator.course.course import Course
    from simulator.race.events import Batch

PRUNED = 20_000
"""Rows of a history that are deleted at once: some 30 ms, for which what is published waits."""


def _insert(table: str, how: str = "INSERT OR REPLACE", *, into: str = "") -> str:
    # Tables and columns are ours; the values are bound. A newer version's file may have more columns.
    columns = TABLES[table].columns
    return f"{how} INTO {into or table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _insert_newer(table: str) -> str:
    # As in Pinot, an older event never replaces a newer one.
    columns, key, version = TABLES[table].columns, TABLES[table].key, TABLES[table].version
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return (
        f"{_insert(table, 'INSERT')} ON CONFLICT DO UPDATE SET {updates} "
        f"WHERE excluded.{version} >= {table}.{version}"
    )


# Of duplicates the first stays: its emittedAt is when the event was published.
HISTORY = f"{_insert('parkrun', 'INSERT', into='parkrun_history')} ON CONFLICT DO NOTHING"
NEWEST = _insert_newer("parkrun")
RACES = _insert("races")
COMPETITORS = _insert("competitors")
PASSINGS = _insert("passings")
COURSES = _insert("courses")

ENDED_RACES = """
SELECT runId, updatedAt FROM races WHERE status IN ('finished', 'cancelled') ORDER BY updatedAt, runId
"""
KNOWN_RACES = f"""
SELECT {", ".join(TABLES["races"].columns)} FROM races
ORDER BY status IN ('finished', 'cancelled'), updatedAt DESC LIMIT ?
"""  # noqa: S608 - the names are ours
HISTORY_TABLES = ("parkrun_history",)
DELETE_SOME = """
DELETE FROM parkrun_history WHERE runId = :run AND (rawTime, competitorId) < (
    SELECT rawTime, competitorId FROM parkrun_history WHERE runId = :run
    ORDER BY rawTime, competitorId LIMIT 1 OFFSET :rows
)
"""
RACE_TABLES = ("parkrun_history", "parkrun", "passings", "competitors", "races")


class SqlitePublisher:
    """Publishes to a SQLite file, which is made if it isn't there.

    Args:
        reactor: the one that threads answer to; its clock times the commits.
        path: the file.
        courses: put into the table `courses`.
        history_days: a race that ended longer ago is deleted.
        history_mb: while the file holds more than this, the histories of ended races are deleted, the
            oldest first, and if that isn't enough the races themselves. Races under way keep theirs.

    Raises PublishError if the file can't be opened.
    """

    def __init__(
        self,
        reactor: Any,
        path: Path,
        courses: Iterable[Course] = (),
        *,
        history_days: float = 7.0,
        history_mb: float = 2048.0,
    ) -> None:
        self._reactor = reactor
        self.store = path
        self._history_ms = history_days * 86_400_000
        self._history_bytes = history_mb * 1_000_000
        self._log = structlog.get_logger()
        self._trouble: str | None = None
        self._is_pruning = False
        self._is_closing = False
        try:
            # The one thread below is the only one that uses it from here on.
            self._file = open_file(path)
            self._file.executemany(COURSES, [CourseRecord(course).row() for course in courses])
        except sqlite3.Error as error:
            raise PublishError(f"the embedded store {path} can't be opened: {error}") from error
        self.deliveries = Deliveries(reactor.seconds)
        self._thread = ThreadPool(1, 1, "sqlite")
        self._thread.start()

    def publish(self, batch: Batch) -> Deferred[None]:
        """Write a batch; fires when it is committed."""
        if not isinstance(batch, CourseRecord):
            self.deliveries.take(batch)
        writing = deferToThreadPool(self._reactor, self._thread, self._write, batch)
        return writing.addBoth(self._wrote, batch)

    def flushed(self) -> Deferred[None]:
        """Fire at once: what was taken is committed."""
        return succeed(None)

    def recover(self) -> Deferred[list[RaceRecord]]:
        """Return the races in the file, the most recently changed first."""
        return deferToThreadPool(self._reactor, self._thread, self._races)

    def _races(self) -> list[RaceRecord]:
        try:
            rows = self._file.execute(KNOWN_RACES, (MAX_KNOWN,)).fetchall()
        except sqlite3.Error as error:
            raise PublishError(f"the races in {self.store.name} can't be read: {error}") from error
        return [RaceRecord(*row) for row in rows]

    def health(self) -> Health:
        """Tell how things stand."""
        return Health.of(self.deliveries, self._trouble)

    def close(self) -> Deferred[None]:
        """Finish what is being written, and close the file."""
        self._is_closing = True
        closing = deferToThreadPool(self._reactor, self._thread, self._file.close)
        return closing.addBoth(self._closed)

    def _closed(self, _: object) -> None:
        self._thread.stop()

    def _wrote(self, result: Failure | None, batch: Batch) -> Failure | None:
        if not isinstance(batch, CourseRecord):
            # The one thread writes in order: it is the oldest.
            self.deliveries.confirm(len(batch)) if result is None else self.deliveries.give_back()
        if result is None and isinstance(batch, RaceRecord) and batch.status in ENDED:
            _ = ensureDeferred(self._prune())
        return result

    def _write(self, batch: Batch) -> None:
        """Write a batch in one transaction (in the thread)."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._insert(batch)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._trouble = f"the embedded store {self.store.name} takes no writes: {error}"
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise PublishError(self._trouble) from error
        self._trouble = None

    def _insert(self, batch: Batch) -> None:
        match batch:
            case Positions():
                rows = list(_position_rows(batch))
                self._file.executemany(NEWEST, rows)
                self._file.executemany(HISTORY, rows)
            case Passed():
                self._file.executemany(PASSINGS, batch.rows())
            case Entries():
                self._file.executemany(COMPETITORS, batch.rows())
            case RaceRecord():
                self._file.execute(RACES, batch.row())
            case CourseRecord():
                self._file.execute(COURSES, batch.row())

    async def _prune(self) -> None:
        """Delete what is too old or too much, in steps: what is published meanwhile comes in between."""
        if self._is_pruning:
            return
        self._is_pruning = True
        try:
            while not self._is_closing and await deferToThreadPool(
                self._reactor, self._thread, self._prune_step
            ):
                pass
        except sqlite3.Error as error:
            # It is tried again when the next race ends.
            self._log.warning("history can't be pruned", why=str(error))
        finally:
            self._is_pruning = False

    def _prune_step(self) -> bool:
        """Delete some of an ended race that is too old, or of the oldest while the file holds too much.

        Returns whether there may be more (in the thread).
        """
        ended = self._file.execute(ENDED_RACES).fetchall()
        for run_id, updated in ended:
            # As old as it was when the newest ended.
            if updated < ended[-1][1] - self._history_ms:
                return self._delete_some(run_id, RACE_TABLES)
        for tables in (HISTORY_TABLES, RACE_TABLES):
            for run_id, _ in ended:
                if self._used() <= self._history_bytes:
                    return False
                if self._delete_some(run_id, tables):
                    return True
        return False

    def _delete_some(self, run_id: str, tables: tuple[str, ...]) -> bool:
        """Delete PRUNED rows of a race's history, or its last ones and all of the other tables."""
        if self._file.execute(DELETE_SOME, {"run": run_id, "rows": PRUNED}).rowcount:
            return True
        deleted = sum(
            self._file.execute(f"DELETE FROM {table} WHERE runId = ?", (run_id,)).rowcount  # noqa: S608 - ours
            for table in tables
        )
        if deleted:
            self._log.info("history pruned", run_id=run_id)
        return deleted > 0

    def _used(self) -> int:
        """Return the bytes of the file that hold something."""
        pages, free, size = (
            self._file.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        used: int = (pages - free) * size
        return used


def _position_rows(batch: Positions) -> Iterator[tuple[object, ...]]:
    bibs, raw_times = batch.bib.tolist(), batch.raw_time.tolist()
    event_ids = [f"{batch.run_id}-{bib}-{time}" for bib, time in zip(bibs, raw_times, strict=True)]
    return zip(
        repeat(batch.run_id, len(bibs)),
        event_ids,
        bibs,
        raw_times,
        batch.timestamp.tolist(),
        batch.lat.tolist(),
        batch.lon.tolist(),
        batch.distance.tolist(),
        repeat(batch.course),
        batch.status_names(),
        batch.elapsed.tolist(),
        repeat(batch.emitted_at),
        strict=False,
    )
