"""Counts events that are incomplete: rows with missing values, and messages without a row.

Pinot's ingestion never stops at an event. For a missing field it stores the default of the table's schema,
which no event can have, so a query finds those rows. A message that it cannot make a row of (no JSON, a text
where a number belongs, a tombstone) it skips, which shows in its offsets: a segment knows the first and last
message that it was filled from, and how many rows it has.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from threading import Lock, Thread

import httpx

from pinot.admin.cluster import Cluster
from pinot.health.pinot import ERRORS
from pinot.health.sample import Defects
from stream.contract import TABLES, TOPICS, read_topics
from stream.pinot import OPEN, REQUEST_SECONDS, PinotAuth, PinotError, query, trouble, unreachable

EVERY_S = 30.0
"""A count scans every table and makes some requests."""
PATIENCE_S = 1.0
"""Maximum wait for a count that was just started; a slower one is returned by a later call."""
TRIES = 5
"""Attempts to count a table that is being filled, until it is idle for a few milliseconds."""


def defects(*, broker: str, controller: str, pinot_auth: PinotAuth = OPEN) -> Mapping[str, Defects]:
    """Return the defects of every table that a stream fills; `broker` and `controller` are URLs.

    Raises:
        PinotError: Pinot rejects a request, is unreachable, or does not have one of the tables.
    """
    counter, topics = RowCounter(broker, Cluster(controller, pinot_auth), pinot_auth), read_topics()
    compacted = {table: "compact" in topics[table]["config"]["cleanup.policy"] for table in TOPICS}
    return {
        table: Defects(
            incomplete=counter.rows(table, TABLES[table].incomplete),
            rowless=None if compacted[table] else counter.rowless(table),
        )
        for table in TOPICS
    }


@dataclass(frozen=True)
class RowCounter:
    """Counts rows through the broker (a URL), and messages through the controller. Raises PinotError."""

    broker: str
    cluster: Cluster
    pinot_auth: PinotAuth = OPEN

    def rows(self, table: str, condition: str = "") -> int:
        """Count a table's rows, superseded ones too; with an SQL condition only those that meet it."""
        where = f"WHERE {condition} " if condition else ""
        sql = f"SELECT count(*) FROM {table} {where}option(skipUpsert=true)"  # noqa: S608 - the names are ours
        try:
            found = query(self.broker, sql, self.pinot_auth, patience=REQUEST_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise PinotError(unreachable(self.broker, error)) from error
        if wrong := trouble(found):
            raise PinotError(f"Pinot cannot count the rows of {table}: {wrong}")
        rows: int = found["resultTable"]["rows"][0][0]
        return rows

    def rowless(self, table: str) -> int | None:
        """Count the messages without a row in a topic without gaps; None if the table is never idle."""
        before = self._filled(table)
        for _ in range(TRIES):
            rows = self.rows(table)
            after = self._filled(table)
            if before is not None and before == after:
                messages, _offsets = before
                return max(0, messages - rows)
            before = after
        return None

    def _filled(self, table: str) -> tuple[int, Mapping[str, int]] | None:
        """Return the messages that the segments stand for, and the offsets of the consuming segments.

        None while segments change, or if the servers have different offsets.
        """
        full = [segment for segment in self.cluster.contents(table).values() if segment.get("endOffset")]
        messages = sum(int(segment["endOffset"]) - int(segment["startOffset"]) for segment in full)
        offsets = {}
        for segment, servers in self.cluster.consumers(table).items():
            copies = {int(offset) for one in servers for offset in one["partitionToOffsetMap"].values()}
            state = self.cluster.segment(table, segment)
            if len(copies) != 1 or state["segment.realtime.status"] != "IN_PROGRESS":
                return None
            (offsets[segment],) = copies
            messages += offsets[segment] - int(state["segment.realtime.startOffset"])
        return messages, offsets


class DefectsProbe:
    """Runs `count` in its own thread. `clock` returns monotonic seconds."""

    def __init__(
        self, count: Callable[[], Mapping[str, Defects]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._clock = clock
        self._lock = Lock()
        self._counting = Thread()  # not started
        self._begun = -inf
        self._found: Mapping[str, Defects] | None = None

    def __call__(self) -> Mapping[str, Defects] | None:
        """Return the last count by table; None if there is none or it failed."""
        with self._lock:
            if not self._counting.is_alive() and self._clock() - self._begun >= EVERY_S:
                self._begun = self._clock()
                # A daemon, so that exiting does not wait for a Pinot that hangs.
                self._counting = Thread(target=self._run, name="defects", daemon=True)
                self._counting.start()
                self._counting.join(PATIENCE_S)
            return self._found

    def _run(self) -> None:
        try:
            self._found = self._count()
        except ERRORS:
            self._found = None  # Pinot's own probe reports why
