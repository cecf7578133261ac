"""The analytics page's queries on the events, over all races.

Wall time is when the simulator emitted an event (`emittedAt`), event time is the tracker's clock
(`timestamp`); both are in whole epoch seconds here. Duplicates count twice where the store keeps them (SQLite
doesn't), except in `panes`. Events that lack a field are left out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import is_run_id
from dashboard.store.sql_store import read_queries
from dashboard.store.sqlite_file import SqliteFile
from stream.contract import TABLES

PACE_STEP_S = 10
"""Step of the pace counts, in seconds of wall time."""

PACE_FROM_M = 100
"""Minimum distance in metres for a pace: below it, the walk to the line dominates."""

FAR_S = 10**12
"""Upper bound of epoch seconds, later than any event."""

MAX_ROWS = 1_000_000
"""Maximum rows of one answer; Pinot requires a number."""

ARRIVALS = {"run": "str", "course": "str", "second": "int64", "event_second": "int64", "events": "int64"}
PACES = {
    "run": "str",
    "course": "str",
    "second": "int64",
    "pace": "int64",
    "events": "int64",
    "seconds": "float64",
}
SEEN = {
    "run": "str",
    "course": "str",
    "competitor": "int64",
    "events": "int64",
    "first": "float64",
    "last": "float64",
    "finished": "bool",
}
PANES = {"event_second": "int64", "events": "int64"}
NEWEST = {
    "run": "str",
    "competitor": "int64",
    "course": "str",
    "status": "str",
    "elapsed": "float64",
    "distance": "float64",
    "timestamp": "int64",
    "emitted_at": "int64",
}


class Stream:
    """The events in a database; every method raises `StoreError` if it cannot be read."""

    def __init__(self, database: Broker | SqliteFile) -> None:
        self._database = database
        self._queries = read_queries(Path(__file__).with_name(f"{database.dialect}.sql"))

    def arrivals(self, since: int, until: int | None) -> pd.DataFrame:
        """Count the arrivals of the wall seconds from `since` up to `until`, or up to now.

        The columns are those of `ARRIVALS`: one row per race, `second` of wall time and `event_second`.
        """
        return self._ask("arrivals", ARRIVALS, _span(since, until))

    def paces(self, since: int, until: int | None) -> pd.DataFrame:
        """The paces so far of competitors running in these wall seconds, counted; the columns are `PACES`.

        One row per race, step of `PACE_STEP_S` (`second` is its first) and `pace` in whole seconds per
        kilometre; `seconds` is the sum of the exact paces.
        """
        steps = {"step": PACE_STEP_S, "min_distance": PACE_FROM_M}
        return self._ask("paces", PACES, _span(since, until) | steps)

    def seen(self, since: int, until: int) -> pd.DataFrame:
        """Competitors with events in these wall seconds; the columns are `SEEN`.

        One row per competitor of each race: number of events, minimum and maximum distance in metres, and
        whether the finish was among them.
        """
        return self._ask("seen", SEEN, _span(since, until))

    def panes(self, run_id: str, since: int, until: int, emitted_since: int) -> pd.DataFrame:
        """The events of one race in the event seconds from `since` up to `until`, without duplicates.

        Only events emitted at `emitted_since` (wall seconds) or later are counted. The columns are `PANES`.
        """
        if not is_run_id(run_id):
            return table([], PANES)
        span = {"first": 1000 * since, "until": 1000 * until, "since": 1000 * emitted_since}
        return self._ask("panes", PANES, {"run": run_id, **span})

    def newest(
        self, count: int, since: int, *, run_id: str | None, bib: int | None, course: str | None
    ) -> pd.DataFrame:
        """The newest `count` events since a wall second, newest first; of one race, bib or course if given.

        The columns are `NEWEST`: distance in metres, elapsed in seconds, times in epoch milliseconds.
        """
        if run_id is not None and not is_run_id(run_id):
            return table([], NEWEST)
        wanted = {"run": run_id, "bib": bib, "course": course}
        only = {name: value for name, value in wanted.items() if value is not None}
        filters = " ".join(self._queries[f"of_{name}"] for name in only)
        return self._ask("newest", NEWEST, {"since": 1000 * since, "limit": count, **only}, filters)

    def _ask(
        self, query: str, columns: Mapping[str, str], parameters: Mapping[str, str | int], filters: str = ""
    ) -> pd.DataFrame:
        sql = self._queries[query].format(complete=TABLES["parkrun"].complete, filters=filters)
        return table(self._database.ask(sql, **{"limit": MAX_ROWS, **parameters}), columns)


def _span(since: int, until: int | None) -> dict[str, int]:
    """The epoch milliseconds of a span of wall seconds."""
    return {"since": 1000 * since, "until": 1000 * (FAR_S if until is None else until)}


def table(rows: Sequence[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """A database's rows as columns of the contract's types."""
    # Pinot computes with doubles, which hold seconds and milliseconds exactly.
    return pd.DataFrame(list(rows), columns=list(columns)).astype(dict(columns))
