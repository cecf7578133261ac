"""The store on Apache Pinot's broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard.store import rows
from dashboard.store.pinot_broker import NO_VALUE
from dashboard.store.protocol import MAX_COMPETITORS, MAX_PASSINGS, MAX_RACES, is_run_id, is_short_name
from stream.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.store.pinot_broker import Broker
    from dashboard.store.protocol import Competitor, Course, Passings, Positions, Race

BIBS_AT_ONCE = 10_000
"""Passings of so many competitors are one answer: those of 100,000 over a marathon would take the broker
longer than we wait."""

# Pinot returns a TIMESTAMP as text, in the time zone of its machine, unless it is cast (to LONG: Pinot 0.11
# has no BIGINT), and geometries as BYTES.
_AS = {"TIMESTAMP": 'CAST("{}" AS LONG)', "BYTES": "ST_AsText({})"}


def _select(table: str, names: Sequence[str]) -> str:
    fields = TABLES[table].fields
    return ", ".join(_AS.get(fields[name].pinot_type, "{}").format(name) for name in names)


_RACES = f"""
    SELECT {_select("races", rows.RACE_COLUMNS)}, lookup('courses', 'longName', 'shortName', course)
    FROM races
"""  # noqa: S608 (the column names are ours)
_NEWEST_RACES = f"{_RACES} ORDER BY startTime DESC, runId DESC LIMIT %(limit)s"
_RACE = f"{_RACES} WHERE runId = %(run)s LIMIT 1"
_COURSE = f"""
    SELECT {_select("courses", rows.COURSE_COLUMNS)} FROM courses WHERE shortName = %(name)s LIMIT 1
"""  # noqa: S608 (the column names are ours)
_COMPETITORS = f"""
    SELECT {_select("competitors", rows.COMPETITOR_COLUMNS)} FROM competitors
    WHERE runId = %(run)s LIMIT %(limit)s
"""  # noqa: S608 (the column names are ours)
_POSITIONS = f"""
    SELECT {_select("parkrun", rows.POSITION_COLUMNS)} FROM parkrun WHERE runId = %(run)s LIMIT %(limit)s
"""  # noqa: S608 (the column names are ours)
_POSITIONS_AT = f"""
    SELECT {_select("parkrun", rows.POSITION_COLUMNS)} FROM parkrun
    WHERE runId = %(run)s AND rawTime = %(time)s LIMIT %(limit)s option(skipUpsert=true)
"""  # noqa: S608 (the column names are ours)
_NEWEST = ", ".join(
    f"LASTWITHTIME({column}, rawTime, '{TABLES['parkrun'].fields[column].pinot_type}')"
    for column in rows.POSITION_COLUMNS[1:]
)
_POSITIONS_SINCE = f"""
    SELECT competitorId, {_NEWEST} FROM parkrun
    WHERE runId = %(run)s AND rawTime BETWEEN %(since)s AND %(time)s
    GROUP BY competitorId LIMIT %(limit)s option(skipUpsert=true)
"""  # noqa: S608 (the column names are ours)
_BIBS = """
    SELECT DISTINCT competitorId FROM passings
    WHERE runId = %(run)s AND "timestamp" > %(after)s LIMIT %(limit)s
"""
_PASSINGS = f"""
    SELECT {_select("passings", rows.PASSING_COLUMNS)} FROM passings
    WHERE runId = %(run)s AND "timestamp" > %(after)s AND competitorId BETWEEN %(first)s AND %(last)s
    LIMIT %(limit)s
"""  # noqa: S608 (the column names are ours)


class PinotStore:
    """Reads races from a broker."""

    def __init__(self, broker: Broker) -> None:
        self._ask = broker.ask

    def races(self) -> list[Race]:
        """The newest races, newest start first."""
        return _races(self._ask(_NEWEST_RACES, limit=MAX_RACES))

    def race(self, run_id: str) -> Race | None:
        """One race, or None."""
        if not is_run_id(run_id):
            return None
        return next(iter(_races(self._ask(_RACE, run=run_id))), None)

    def course(self, short_name: str) -> Course | None:
        """One course, or None."""
        if not is_short_name(short_name):
            return None
        found = self._ask(_COURSE, name=short_name)
        if not found:
            return None
        *before, fences = found[0]
        # A segment that was loaded before there was such a column has Pinot's default in it.
        return rows.course((*before, "" if fences == NO_VALUE else fences))

    def competitors(self, run_id: str) -> dict[int, Competitor]:
        """The competitors of a race by bib number."""
        if not is_run_id(run_id):
            return {}
        return rows.competitors(self._ask(_COMPETITORS, run=run_id, limit=MAX_COMPETITORS))

    def positions(self, run_id: str) -> Positions:
        """The newest position of each competitor."""
        found = self._ask(_POSITIONS, run=run_id, limit=MAX_COMPETITORS) if is_run_id(run_id) else []
        return rows.positions(found)

    def positions_at(self, run_id: str, raw_time: int, look_back: int = 0) -> Positions:
        """What each competitor told of this second of race time, or else of the newest before."""
        if not is_run_id(run_id):
            return rows.positions([])
        if look_back:
            since = raw_time - look_back
            return rows.positions(
                self._ask(_POSITIONS_SINCE, run=run_id, since=since, time=raw_time, limit=MAX_COMPETITORS)
            )
        # Kafka delivers at least once: of what came twice, skipUpsert shows both.
        found = self._ask(_POSITIONS_AT, run=run_id, time=raw_time, limit=2 * MAX_COMPETITORS)
        return rows.positions(list({row[0]: row for row in found}.values()))

    def passings(self, run_id: str, after_ms: int | None = None) -> Passings:
        """The passings of a race, or those after a moment."""
        if not is_run_id(run_id):
            return rows.passings([])
        these: dict[str, str | int] = {"run": run_id, "after": after_ms or 0}
        bibs = sorted(int(row[0]) for row in self._ask(_BIBS, limit=MAX_COMPETITORS, **these))
        # A start list gives any bibs: so many that there are, and not so many numbers.
        parts = [bibs[first : first + BIBS_AT_ONCE] for first in range(0, len(bibs), BIBS_AT_ONCE)]
        return rows.together([self._passings_of(part[0], part[-1], these) for part in parts])

    def _passings_of(self, first: int, last: int, these: dict[str, str | int]) -> Passings:
        return rows.passings(self._ask(_PASSINGS, first=first, last=last, limit=MAX_PASSINGS, **these))


def _races(found: list[list[Any]]) -> list[Race]:
    return rows.races([(*row, None if name == NO_VALUE else name) for *row, name in found])
