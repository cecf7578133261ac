"""The publisher to the embedded store: one SQLite file with Pinot's tables.

It writes in its own thread, so the reactor never waits for the disk. A batch is a transaction; `publish`
fires when it is committed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import structlog
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from simulator.course.course import Course
from simulator.publishers.deliveries import Deliveries
from simulator.publishers.publisher import Health, PublishError, Stored, known
from simulator.publishers.sqlite_file import open_file
from simulator.race.events import (
    Batch,
    ChipReads,
    CourseRecord,
    Entries,
    Passed,
    Positions,
    Progress,
    RaceRecord,
)
from stream.contract import PROGRESS, TABLES, table_of
from stream.race_states import ENDED

PRUNED = 20_000
"""Maximum number of history rows deleted at once: some 30 ms, for which batches wait."""


def _values(name: str) -> str:
    # The columns are named, because a newer version's file may have more.
    columns = table_of(name).columns
    return f"({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _update_if_newer(table: str) -> str:
    key, version = TABLES[table].key, TABLES[table].version
    updates = ", ".join(f"{name} = excluded.{name}" for name in TABLES[table].columns if name not in key)
    return f"ON CONFLICT DO UPDATE SET {updates} WHERE excluded.{version} >= {table}.{version}"


INSERTS: dict[type[Batch], tuple[str, ...]] = {
    Positions: (
        # As in Pinot, an older event never replaces a newer one.
        f"INSERT INTO parkrun {_values('parkrun')} {_update_if_newer('parkrun')}",
        # The first of duplicates stays: its emittedAt is when the event was published.
        f"INSERT INTO parkrun_history {_values('parkrun')} ON CONFLICT DO NOTHING",
    ),
    Passed: (f"INSERT OR REPLACE INTO passings {_values('passings')}",),
    ChipReads: (f"INSERT OR REPLACE INTO reads {_values('reads')}",),
    Entries: (f"INSERT OR REPLACE INTO competitors {_values('competitors')}",),
    RaceRecord: (f"INSERT OR REPLACE INTO races {_values('races')}",),
    CourseRecord: (f"INSERT OR REPLACE INTO courses {_values('courses')}",),
    Progress: (f"INSERT OR REPLACE INTO progress {_values('progress')}",),
}
"""The statements that write a batch's rows."""

HAS_ENDED = f"status IN {tuple(sorted(ENDED))}"
ENDED_RACES = f"""
SELECT runId, updatedAt, EXISTS (SELECT 1 FROM parkrun_history AS history WHERE history.runId = races.runId)
FROM races WHERE {HAS_ENDED} ORDER BY updatedAt, runId
"""  # noqa: S608 - ours
KNOWN_RACES = f"""
SELECT {", ".join(TABLES["races"].columns)} FROM races ORDER BY {HAS_ENDED}, updatedAt DESC
"""  # noqa: S608 - the names are ours
KNOWN_PROGRESS = f"""
SELECT {", ".join(PROGRESS.columns)} FROM progress
WHERE runId IN (SELECT runId FROM races WHERE NOT {HAS_ENDED})
"""  # noqa: S608 - the names are ours
HISTORY_TABLES = ("reads", "parkrun_history")
"""The large tables of an ended race, which are deleted first; the last one shows if there is a history."""
DELETE_SOME = tuple(
    f"""
DELETE FROM {table} WHERE runId = :run AND {key} < (
    SELECT {names} FROM {table} WHERE runId = :run ORDER BY {names} LIMIT 1 OFFSET :rows
)
"""  # noqa: S608 - the names are ours
    for table, key, names in (
        ("reads", "eventId", "eventId"),
        ("parkrun_history", "(rawTime, competitorId)", "rawTime, competitorId"),
    )
)
USED_BYTES = """
SELECT (page_count - freelist_count) * page_size
FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""
RACE_TABLES = (*HISTORY_TABLES, "parkrun", "passings", "competitors", "progress", "races")


class SqlitePublisher:
    """Publishes to a SQLite file.

    Args:
        reactor: receives the thread's results; its clock times the commits.
        path: the file; created if it doesn't exist.
        courses: rows for the table `courses`.
        history_days: days after which an ended race is deleted.
        history_mb: size of the data, in megabytes, above which the histories of ended races are deleted,
            oldest first, and then the races themselves. Active races are kept.

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
        self._has_to_prune = False  # a race has ended since pruning began
        self._is_closing = False
        try:
            # From here on, only the thread below uses it.
            self._file = open_file(path)
            for course in courses:
                self._insert(CourseRecord(course))
        except sqlite3.Error as error:
            raise PublishError(f"the embedded store {path} can't be opened: {error}") from error
        self.deliveries = Deliveries(reactor.seconds)
        self._thread = ThreadPool(1, 1, "sqlite")
        self._thread.start()

    def publish(self, batch: Batch) -> Deferred[None]:
        """Write a batch; fires when it is committed."""
        if not isinstance(batch, CourseRecord | Progress):
            self.deliveries.take(batch)
        writing = deferToThreadPool(self._reactor, self._thread, self._write, batch)
        return writing.addBoth(self._wrote, batch)

    def flushed(self) -> Deferred[None]:
        """Fire immediately: accepted batches are committed."""
        return succeed(None)

    def stored(self) -> Deferred[Stored]:
        """Return what the file has of the race log.

        Fails with PublishError if it can't be read.
        """
        return deferToThreadPool(self._reactor, self._thread, self._stored)

    def _stored(self) -> Stored:
        try:
            races = known(RaceRecord(*row) for row in self._file.execute(KNOWN_RACES))
            progress = self._file.execute(KNOWN_PROGRESS).fetchall()
        except sqlite3.Error as error:
            raise PublishError(f"the races in {self.store.name} can't be read: {error}") from error
        return Stored(races, [Progress(*row) for row in progress])

    def health(self) -> Health:
        """Return the current state."""
        return Health.of(self.deliveries, self._trouble)

    def close(self) -> Deferred[None]:
        """Finish the current write and close the file."""
        self._is_closing = True
        closing = deferToThreadPool(self._reactor, self._thread, self._file.close)
        return closing.addBoth(lambda _: self._thread.stop())

    def _wrote(self, result: Failure | None, batch: Batch) -> Failure | None:
        if not isinstance(batch, CourseRecord | Progress):
            # The thread writes in order, so it is the oldest batch.
            self.deliveries.confirm(len(batch)) if result is None else self.deliveries.give_back()
        if result is None and isinstance(batch, RaceRecord) and batch.status in ENDED:
            _ = ensureDeferred(self._prune())
        return result

    def _write(self, batch: Batch) -> None:
        """Write a batch in one transaction (in the thread)."""
        if self._is_closing:
            # A locked file would make each of them wait in turn.
            raise PublishError(self._trouble or f"the embedded store {self.store.name} is being closed")
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
        rows = list(batch.rows())
        for statement in INSERTS[type(batch)]:
            self._file.executemany(statement, rows)

    async def _prune(self) -> None:
        """Delete old or excess data in steps, so that batches are written in between."""
        self._has_to_prune = True
        if self._is_pruning:
            return
        self._is_pruning = True
        try:
            while self._has_to_prune:
                self._has_to_prune = False
                steps = self._prune_steps()
                while not self._is_closing and await deferToThreadPool(
                    self._reactor, self._thread, next, steps, False
                ):
                    pass
        except sqlite3.Error as error:
            # Retried when the next race ends.
            self._log.warning("history can't be pruned", why=str(error))
        finally:
            self._is_pruning = False

    def _prune_steps(self) -> Iterator[bool]:
        """Delete ended races that are too old; then, while there is too much data, histories, at last races.

        Each step (in the thread) deletes some rows of one race and yields True.
        """
        ended = self._file.execute(ENDED_RACES).fetchall()
        # Their age at the end of the newest race.
        oldest = max((updated for _, updated, _ in ended), default=0) - self._history_ms
        for run_id, updated, _ in ended:
            if updated < oldest:
                yield from self._delete(run_id, RACE_TABLES)
        with_history = [run_id for run_id, _, has_history in ended if has_history]
        every = [run_id for run_id, *_ in ended]
        for tables, run_ids in ((HISTORY_TABLES, with_history), (RACE_TABLES, every)):
            for run_id in run_ids:
                steps = self._delete(run_id, tables)
                while (is_full := self._used() > self._history_bytes) and next(steps, False):
                    yield True
                if not is_full:
                    return

    def _delete(self, run_id: str, tables: tuple[str, ...]) -> Iterator[bool]:
        """Delete a race's history, PRUNED rows a step, then its rows in the other tables; yield each time."""
        some = {"run": run_id, "rows": PRUNED}
        while any(self._file.execute(delete, some).rowcount for delete in DELETE_SOME):
            yield True
        deleted = sum(
            self._file.execute(f"DELETE FROM {table} WHERE runId = ?", (run_id,)).rowcount  # noqa: S608 - ours
            for table in tables
        )
        if deleted:
            self._log.info("history pruned", run_id=run_id)
            yield True

    def _used(self) -> int:
        """Return the bytes of the file's used pages."""
        used: int = self._file.execute(USED_BYTES).fetchone()[0]
        return used
