"""The store on Apache Pinot's broker."""

from collections.abc import Sequence
from typing import Any

from dashboard.store import rows
from dashboard.store.protocol import MAX_COMPETITORS, MAX_PASSINGS, Passings
from dashboard.store.sql_store import SqlStore

BIBS_AT_ONCE = 10_000
"""Competitors per query of passings: those of 100,000 over a marathon take longer than `TIMEOUT_S`."""

NO_VALUE = "null"
"""What `lookup` returns for a missing course, and `fences` in segments that are older than the column."""


class PinotStore(SqlStore):
    """Reads races from a broker."""

    def passings(self, run_id: str, after_ms: int | None = None) -> Passings:
        """The passings of a race, or those after a moment; read in parts."""
        span = {"after": after_ms or 0}
        bibs = sorted(int(row[0]) for row in self._ask_of(run_id, "bibs", limit=MAX_COMPETITORS, **span))
        # Parts of the bibs that are there: a start list may use any numbers.
        parts = [bibs[first : first + BIBS_AT_ONCE] for first in range(0, len(bibs), BIBS_AT_ONCE)]
        answers = [
            self._ask_of(run_id, "passings", limit=MAX_PASSINGS, first=part[0], last=part[-1], **span)
            for part in parts
        ]
        return rows.together([rows.passings(answer) for answer in answers])

    def _ask(self, query: str, **parameters: str | int) -> Sequence[Sequence[Any]]:
        found = super()._ask(query, **parameters)
        if query not in {"races", "race", "course"}:
            return found
        # The last column is a course's long name or its fences.
        return [(*row, None if last == NO_VALUE else last) for *row, last in found]
