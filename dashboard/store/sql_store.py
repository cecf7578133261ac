"""The store on a database that answers SQL: SQLite, or Pinot's broker.

Its queries are in .sql files: `-- name: WORD` begins each, and parameters are in the database's notation.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashboard.store import rows
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import (
    MAX_COMPETITORS,
    MAX_PASSINGS,
    MAX_RACES,
    Competitor,
    Course,
    Mark,
    Passings,
    Positions,
    Race,
    is_run_id,
    is_short_name,
)
from dashboard.store.sqlite_file import SqliteFile

BIBS_AT_ONCE = 10_000
"""Competitors per query of passings: those of 100,000 over a marathon take longer than `TIMEOUT_S`."""

NO_VALUE = "null"
"""What `lookup` returns for a missing course."""
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def read_queries(path: Path) -> Mapping[str, str]:
    """The queries of a file by name."""
    _, *parts = _NAME.split(path.read_text())
    return dict(zip(parts[::2], parts[1::2], strict=True))


class SqlStore:
    """Reads races from a database, by the queries in the .sql file of its dialect."""

    def __init__(self, database: Broker | SqliteFile) -> None:
        self._database = database
        self._queries = read_queries(Path(__file__).with_name(f"{database.dialect}.sql"))

    def races(self) -> list[Race]:
        """The newest races, newest start first."""
        return rows.races(self._ask("races", limit=MAX_RACES))

    def race(self, run_id: str) -> Race | None:
        """One race, or None."""
        return next(iter(rows.races(self._ask_of(run_id, "race"))), None)

    def course(self, short_name: str) -> Course | None:
        """One course, or None."""
        found = self._ask("course", name=short_name) if is_short_name(short_name) else []
        return rows.course(found[0]) if found else None

    def competitors(self, run_id: str) -> dict[int, Competitor]:
        """The competitors of a race by bib number."""
        return rows.competitors(self._ask_of(run_id, "competitors", limit=MAX_COMPETITORS))

    def positions(self, run_id: str) -> Positions:
        """The newest position of each competitor."""
        return rows.positions(self._ask_of(run_id, "positions", limit=MAX_COMPETITORS))

    def mark(self, run_id: str) -> Mark:
        """What changes with every position that comes."""
        return rows.mark(self._ask_of(run_id, "mark"))

    def positions_at(self, run_id: str, raw_time: int, look_back: int = 0) -> Positions:
        """Each competitor's position at a second of race time, or the newest of the seconds before."""
        if look_back:
            span = {"since": raw_time - look_back, "time": raw_time}
            return rows.positions(self._ask_of(run_id, "positions_since", limit=MAX_COMPETITORS, **span))
        found = self._ask_of(run_id, "positions_at", limit=2 * MAX_COMPETITORS, time=raw_time)
        return rows.positions(list({row[0]: row for row in found}.values()))  # one of each repeated event

    def passings(self, run_id: str, after_ms: int | None = None) -> list[Passings]:
        """The passings of a race, or those after a moment, by timing point."""
        return rows.passings_by_point(self._ask_of(run_id, "passings", after=after_ms or 0))

    def count_passings(self, run_id: str) -> int:
        """The number of a race's passings."""
        return sum(int(count) for (count,) in self._ask_of(run_id, "count_passings"))

    def _ask_of(self, run_id: str, query: str, **parameters: int) -> Sequence[Sequence[Any]]:
        """The rows about a race; none if there can't be such a race."""
        return self._ask(query, run=run_id, **parameters) if is_run_id(run_id) else []

    def _ask(self, query: str, **parameters: str | int) -> Sequence[Sequence[Any]]:
        return self._database.ask(self._queries[query], **parameters)


class PinotStore(SqlStore):
    """Reads races from a broker."""

    def passings(self, run_id: str, after_ms: int | None = None) -> list[Passings]:
        """The passings of a race, or those after a moment; read in parts."""
        span = {"after": after_ms or 0}
        bibs = sorted(int(row[0]) for row in self._ask_of(run_id, "bibs", limit=MAX_COMPETITORS, **span))
        # Parts of the bibs that are there: a start list may use any numbers.
        parts = [bibs[first : first + BIBS_AT_ONCE] for first in range(0, len(bibs), BIBS_AT_ONCE)]
        return [
            passings
            for part in parts
            for passings in rows.passings(
                self._ask_of(run_id, "passings", limit=MAX_PASSINGS, first=part[0], last=part[-1], **span)
            )
        ]

    def _ask(self, query: str, **parameters: str | int) -> Sequence[Sequence[Any]]:
        found = super()._ask(query, **parameters)
        if query not in {"races", "race"}:
            return found
        # The last column is a course's long name.
        return [(*row, None if last == NO_VALUE else last) for *row, last in found]
