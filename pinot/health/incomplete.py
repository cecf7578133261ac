"""Counts what Pinot read and is no complete event: incomplete rows, and messages without a row.

Pinot's ingestion never stops at an event. For a missing field it stores the default of the table's schema,
which no event can have, so a query finds those rows. A message that it can't make a row of (no JSON, a text
where a number belongs, a tombstone) it skips, which shows in its offsets: a segment knows the first and last
message that it was filled from, and how many rows it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from pinot.admin.cluster import Cluster
from stream.contract import TABLES, TOPICS
from stream.pinot import OPEN, REQUEST_SECONDS, PinotAuth, PinotError, query, trouble, unreachable
from stream.topics import read_topics

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIES = 5
"""Looks at a table that is just being filled, until it stands still for a few milliseconds."""


@dataclass(frozen=True)
class Defects:
    """What is wrong with the events of one table.

    Attributes:
        incomplete: rows, superseded ones too, that lack a field which every event has, or have something in
            it that can't be.
        rowless: messages that Pinot has read and that are in no row, of the segments that the table still
            has; those that Kafka let go of before Pinot had read them are among them. None if that can't be
            said: of a compacted topic, whose offsets have gaps, and while the table never stands still.
    """

    incomplete: int
    rowless: int | None


@dataclass(frozen=True)
class Filled:
    """How far a table is filled.

    Attributes:
        messages: how many of its topic its segments stand for.
        marks: the offsets at which the segments that are being filled stand; the same twice, it stood still.
    """

    messages: int
    marks: tuple[tuple[str, int], ...]


def defects(*, broker: str, controller: str, pinot_auth: PinotAuth = OPEN) -> Mapping[str, Defects]:
    """The defects of every table that a stream fills, by table.

    It costs a scan of each table and some requests: a matter of every half a minute, not of every second.

    Args:
        broker: Pinot's, as a URL.
        controller: likewise.
        pinot_auth: what both are shown.

    Raises:
        PinotError: Pinot refuses, can't be reached, or doesn't have one of the tables.
    """
    look, topics = Look(broker, Cluster(controller, pinot_auth), pinot_auth), read_topics()
    compacted = {table: "compact" in topics[table]["config"]["cleanup.policy"] for table in TOPICS}
    return {
        table: Defects(
            incomplete=look.rows(table, TABLES[table].incomplete),
            rowless=None if compacted[table] else look.rowless(table),
        )
        for table in TOPICS
    }


@dataclass(frozen=True)
class Look:
    """A look at tables, through the broker (a URL) and the controller. Raises PinotError."""

    broker: str
    cluster: Cluster
    pinot_auth: PinotAuth = OPEN

    def rows(self, table: str, condition: str = "") -> int:
        """How many rows of a table, superseded ones too, meet an SQL condition; all if there is none."""
        where = f"WHERE {condition} " if condition else ""
        sql = f"SELECT count(*) FROM {table} {where}option(skipUpsert=true)"  # noqa: S608 - the names are ours
        try:
            found = query(self.broker, sql, self.pinot_auth, patience=REQUEST_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise PinotError(unreachable(self.broker, error)) from error
        if wrong := trouble(found):
            raise PinotError(f"Pinot can't count the rows of {table}: {wrong}")
        rows: int = found["resultTable"]["rows"][0][0]
        return rows

    def rowless(self, table: str) -> int | None:
        """How many messages of a topic without gaps are in no row; None if the table never stands still."""
        before = self.filled(table)
        for _ in range(TRIES):
            rows = self.rows(table)
            after = self.filled(table)
            if before is not None and before == after:
                return max(0, before.messages - rows)
            before = after
        return None

    def filled(self, table: str) -> Filled | None:
        """How far a table is filled; None while its segments change, or its servers are not equally far."""
        full = [segment for segment in self.cluster.contents(table).values() if segment.get("endOffset")]
        messages = sum(int(segment["endOffset"]) - int(segment["startOffset"]) for segment in full)
        marks = []
        for segment, servers in self.cluster.consumers(table).items():
            offsets = {int(offset) for one in servers for offset in one["partitionToOffsetMap"].values()}
            state = self.cluster.segment(table, segment)
            if len(offsets) != 1 or state["segment.realtime.status"] != "IN_PROGRESS":
                return None
            mark = offsets.pop()
            marks.append((segment, mark))
            messages += mark - int(state["segment.realtime.startOffset"])
        return Filled(messages, tuple(sorted(marks)))
