"""The store on the simulator's embedded SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard.store import rows
from dashboard.store.protocol import MAX_COMPETITORS, MAX_PASSINGS, MAX_RACES, is_run_id, is_short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.store.protocol import Competitor, Course, Passings, Positions, Race
    from dashboard.store.sqlite_file import SqliteFile

_RACES = f"""
    SELECT {", ".join("races." + column for column in rows.RACE_COLUMNS)}, courses.longName
    FROM races LEFT JOIN courses ON courses.shortName = races.course
"""  # noqa: S608 (the column names are ours)
_COURSE = f"""
    SELECT {", ".join(rows.COURSE_COLUMNS)} FROM courses WHERE shortName = ?
"""  # noqa: S608 (the column names are ours)
_COMPETITORS = f"""
    SELECT {", ".join(rows.COMPETITOR_COLUMNS)} FROM competitors WHERE runId = ? LIMIT ?
"""  # noqa: S608 (the column names are ours)
_POSITIONS = f"""
    SELECT {", ".join(rows.POSITION_COLUMNS)} FROM parkrun WHERE runId = ? LIMIT ?
"""  # noqa: S608 (the column names are ours)
_POSITIONS_AT = f"""
    SELECT {", ".join(rows.POSITION_COLUMNS)} FROM parkrun_history WHERE runId = ? AND rawTime = ? LIMIT ?
"""  # noqa: S608 (the column names are ours)
# Beside the greatest rawTime SQLite answers the other columns of its row.
_POSITIONS_SINCE = f"""
    SELECT {", ".join(rows.POSITION_COLUMNS)}, MAX(rawTime) FROM parkrun_history
    WHERE runId = ? AND rawTime BETWEEN ? AND ? GROUP BY competitorId LIMIT ?
"""  # noqa: S608 (the column names are ours)
_PASSINGS = f"""
    SELECT {", ".join(rows.PASSING_COLUMNS)} FROM passings WHERE runId = ? AND timestamp > ? LIMIT ?
"""  # noqa: S608 (the column names are ours)


class SqliteStore:
    """Reads races from a file."""

    def __init__(self, file: SqliteFile) -> None:
        self._ask = file.ask

    def races(self) -> list[Race]:
        """The newest races, newest start first."""
        newest = f"{_RACES} ORDER BY races.startTime DESC, races.runId DESC LIMIT ?"
        return rows.races(self._ask(newest, MAX_RACES))

    def race(self, run_id: str) -> Race | None:
        """One race, or None."""
        return next(iter(rows.races(self._ask_of(run_id, f"{_RACES} WHERE races.runId = ?"))), None)

    def course(self, short_name: str) -> Course | None:
        """One course, or None."""
        found = self._ask(_COURSE, short_name) if is_short_name(short_name) else []
        return rows.course(found[0]) if found else None

    def competitors(self, run_id: str) -> dict[int, Competitor]:
        """The competitors of a race by bib number."""
        return rows.competitors(self._ask_of(run_id, _COMPETITORS, MAX_COMPETITORS))

    def positions(self, run_id: str) -> Positions:
        """The newest position of each competitor."""
        return rows.positions(self._ask_of(run_id, _POSITIONS, MAX_COMPETITORS))

    def positions_at(self, run_id: str, raw_time: int, look_back: int = 0) -> Positions:
        """What each competitor told of this second of race time, or else of the newest before."""
        if not look_back:
            return rows.positions(self._ask_of(run_id, _POSITIONS_AT, raw_time, MAX_COMPETITORS))
        since = (raw_time - look_back, raw_time)
        found = self._ask_of(run_id, _POSITIONS_SINCE, *since, MAX_COMPETITORS)
        return rows.positions([row[:-1] for row in found])

    def passings(self, run_id: str, after_ms: int | None = None) -> Passings:
        """The passings of a race, or those after a moment."""
        return rows.passings(self._ask_of(run_id, _PASSINGS, after_ms or 0, MAX_PASSINGS))

    def _ask_of(self, run_id: str, sql: str, *parameters: int) -> Sequence[Sequence[Any]]:
        return self._ask(sql, run_id, *parameters) if is_run_id(run_id) else []
