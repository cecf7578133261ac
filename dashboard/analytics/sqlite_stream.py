"""The stream in the simulator's embedded SQLite file: the table `parkrun_history`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.analytics.stream import (
    ARRIVALS,
    FAR_S,
    NEWEST,
    PACE_FROM_M,
    PACE_STEP_S,
    PACES,
    PANES,
    SEEN,
    table,
)
from dashboard.store.protocol import is_run_id

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.store.sqlite_file import SqliteFile

_CAME: Final = "emittedAt >= ? AND emittedAt < ?"
_PACE: Final = "1000 * elapsed / distance"

_ARRIVALS: Final = f"""
    SELECT runId, course, emittedAt / 1000, timestamp / 1000, COUNT(*) FROM parkrun_history WHERE {_CAME}
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608 (nothing but words and numbers of ours)
_PACES: Final = f"""
    SELECT runId, course, emittedAt / {PACE_STEP_S * 1000} * {PACE_STEP_S}, CAST({_PACE} AS INTEGER),
           COUNT(*), SUM({_PACE})
    FROM parkrun_history WHERE {_CAME} AND status = 'running' AND distance >= {PACE_FROM_M}
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608 (likewise)
_SEEN: Final = f"""
    SELECT runId, course, competitorId, COUNT(*), MIN(distance), MAX(distance), MAX(status = 'finished')
    FROM parkrun_history WHERE {_CAME} GROUP BY 1, 2, 3
"""  # noqa: S608 (likewise)
# The plus signs keep SQLite from looking through a whole race, or sorting it: what came lately is less.
_PANES: Final = """
    SELECT timestamp / 1000, COUNT(DISTINCT competitorId) FROM parkrun_history
    WHERE +runId = ? AND timestamp >= ? AND timestamp < ? AND emittedAt >= ? GROUP BY 1
"""
_NEWEST: Final = """
    SELECT runId, competitorId, course, status, elapsed, distance, timestamp, emittedAt FROM parkrun_history
    WHERE emittedAt >= ?{only} ORDER BY emittedAt DESC, runId, competitorId, rawTime DESC LIMIT ?
"""


class SqliteStream:
    """Asks a file."""

    def __init__(self, file: SqliteFile) -> None:
        self._ask = file.ask

    def arrivals(self, since: int, until: int | None) -> pd.DataFrame:
        """Count what came, by race, second and event second."""
        return table(self._ask(_ARRIVALS, *_span(since, until)), ARRIVALS)

    def paces(self, since: int, until: int | None) -> pd.DataFrame:
        """Count paces, by race and step."""
        return table(self._ask(_PACES, *_span(since, until)), PACES)

    def seen(self, since: int, until: int) -> pd.DataFrame:
        """Who told something."""
        return table(self._ask(_SEEN, *_span(since, until)), SEEN)

    def panes(self, run_id: str, since: int, until: int, emitted_since: int) -> pd.DataFrame:
        """Count a race's events by event second, each once."""
        if not is_run_id(run_id):
            return table([], PANES)
        return table(self._ask(_PANES, run_id, 1000 * since, 1000 * until, 1000 * emitted_since), PANES)

    def newest(
        self, count: int, since: int, *, run_id: str | None, bib: int | None, course: str | None
    ) -> pd.DataFrame:
        """The newest events."""
        if run_id is not None and not is_run_id(run_id):
            return table([], NEWEST)
        only, these = "", list[str | int]([1000 * since])
        if run_id is not None:
            only += " AND +runId = ?"
            these.append(run_id)
        if bib is not None:
            only += " AND competitorId = ?"
            these.append(bib)
        if course is not None:
            only += " AND course = ?"
            these.append(course)
        return table(self._ask(_NEWEST.format(only=only), *these, count), NEWEST)


def _span(since: int, until: int | None) -> tuple[int, int]:
    return 1000 * since, 1000 * (FAR_S if until is None else until)
