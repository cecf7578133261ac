"""The stream in Pinot: the table `parkrun`, with the rows that its upsert hides.

Incomplete rows (see `stream.contract`) are left out. `python -m pinot status` and the pipeline page count
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.analytics.stream import (
    ARRIVALS,
    FAR_S,
    MAX_ROWS,
    NEWEST,
    PACE_FROM_M,
    PACE_STEP_S,
    PACES,
    PANES,
    SEEN,
    table,
)
from dashboard.store.protocol import is_run_id
from stream.contract import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.store.pinot_broker import Broker

_ALL: Final = f"option(skipUpsert=true, numGroupsLimit={MAX_ROWS})"
_WHOLE: Final = TABLES["parkrun"].complete
_CAME: Final = f"emittedAt >= %(since)s AND emittedAt < %(until)s AND {_WHOLE}"
_SECOND: Final = "FLOOR(emittedAt / 1000)"
_EVENT_SECOND: Final = 'FLOOR(CAST("timestamp" AS LONG) / 1000)'
_STEP: Final = f"FLOOR(emittedAt / {PACE_STEP_S * 1000})"
_PACE: Final = "1000 * elapsed / distance"

_ARRIVALS: Final = f"""
    SELECT runId, course, {_SECOND}, {_EVENT_SECOND}, COUNT(*) FROM parkrun WHERE {_CAME}
    GROUP BY runId, course, {_SECOND}, {_EVENT_SECOND} LIMIT {MAX_ROWS} {_ALL}
"""  # noqa: S608 (nothing but words and numbers of ours)
_PACES: Final = f"""
    SELECT runId, course, {_STEP} * {PACE_STEP_S}, FLOOR({_PACE}), COUNT(*), SUM({_PACE}) FROM parkrun
    WHERE {_CAME} AND status = 'running' AND distance >= {PACE_FROM_M}
    GROUP BY runId, course, {_STEP} * {PACE_STEP_S}, FLOOR({_PACE}) LIMIT {MAX_ROWS} {_ALL}
"""  # noqa: S608 (likewise)
_SEEN: Final = f"""
    SELECT runId, course, competitorId, COUNT(*), MIN(distance), MAX(distance),
           MAX(CASE WHEN status = 'finished' THEN 1 ELSE 0 END)
    FROM parkrun WHERE {_CAME} GROUP BY runId, course, competitorId LIMIT {MAX_ROWS} {_ALL}
"""  # noqa: S608 (likewise)
_PANES: Final = f"""
    SELECT {_EVENT_SECOND}, DISTINCTCOUNT(competitorId) FROM parkrun
    WHERE runId = %(run)s AND "timestamp" >= %(from)s AND "timestamp" < %(to)s AND emittedAt >= %(since)s
          AND {_WHOLE}
    GROUP BY {_EVENT_SECOND} LIMIT {MAX_ROWS} {_ALL}
"""  # noqa: S608 (likewise)
_NEWEST: Final = f"""
    SELECT runId, competitorId, course, status, elapsed, distance, CAST("timestamp" AS LONG), emittedAt
    FROM parkrun WHERE emittedAt >= %(since)s AND {_WHOLE}{{only}}
    ORDER BY emittedAt DESC, runId, competitorId, rawTime DESC LIMIT %(count)s option(skipUpsert=true)
"""  # noqa: S608 (likewise)


class PinotStream:
    """Asks a broker."""

    def __init__(self, broker: Broker) -> None:
        self._ask = broker.ask

    def arrivals(self, since: int, until: int | None) -> pd.DataFrame:
        """Count what came, by race, second and event second."""
        return table(self._ask(_ARRIVALS, **_span(since, until)), ARRIVALS)

    def paces(self, since: int, until: int | None) -> pd.DataFrame:
        """Count paces, by race and step."""
        return table(self._ask(_PACES, **_span(since, until)), PACES)

    def seen(self, since: int, until: int) -> pd.DataFrame:
        """Who told something."""
        return table(self._ask(_SEEN, **_span(since, until)), SEEN)

    def panes(self, run_id: str, since: int, until: int, emitted_since: int) -> pd.DataFrame:
        """Count a race's events by event second, each once."""
        if not is_run_id(run_id):
            return table([], PANES)
        span = {"from": 1000 * since, "to": 1000 * until, "since": 1000 * emitted_since}
        return table(self._ask(_PANES, run=run_id, **span), PANES)

    def newest(
        self, count: int, since: int, *, run_id: str | None, bib: int | None, course: str | None
    ) -> pd.DataFrame:
        """The newest events."""
        if run_id is not None and not is_run_id(run_id):
            return table([], NEWEST)
        only, these = "", dict[str, str | int](count=count, since=1000 * since)
        if run_id is not None:
            only, these["run"] = f"{only} AND runId = %(run)s", run_id
        if bib is not None:
            only, these["bib"] = f"{only} AND competitorId = %(bib)s", bib
        if course is not None:
            only, these["course"] = f"{only} AND course = %(course)s", course
        return table(self._ask(_NEWEST.format(only=only), **these), NEWEST)


def _span(since: int, until: int | None) -> dict[str, int]:
    return {"since": 1000 * since, "until": 1000 * (FAR_S if until is None else until)}
