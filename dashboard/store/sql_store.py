"""The store on a database that answers SQL: SQLite, or Pinot's broker.

Its queries are in .sql files: `-- name: WORD` begins each, and parameters are in the database's notation. A
query of some competitors has the name of that of all with `_every` (bibs that are multiples of a number) or
`_of` (bibs in a list) behind it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashboard.store import rows
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import (
    ANYWHERE,
    MAX_COMPETITORS,
    MAX_PASSINGS,
    MAX_RACES,
    MAX_SPANS,
    Arrived,
    Competitor,
    Course,
    Every,
    Finishes,
    Mark,
    Parameter,
    Passings,
    Positions,
    Race,
    Selection,
    Tally,
    is_run_id,
    is_short_name,
)
from dashboard.store.sqlite_file import SqliteFile
from stream.arrays import Floats, Ints

BIBS_AT_ONCE = 10_000
"""Competitors per query of passings: those of 100,000 over a marathon take longer than `TIMEOUT_S`."""

SIMILAR = 100_000
"""Maximum number of competitors, the first by bib, whose names and clubs are compared with a text: those of a
start list."""

NO_VALUE = "null"
"""What `lookup` returns for a missing course."""
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PART = re.compile(r"\{(\w+)\}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")


def read_queries(path: Path) -> Mapping[str, str]:
    """The queries of a file by name."""
    _, *parts = _NAME.split(path.read_text())
    return dict(zip(parts[::2], parts[1::2], strict=True))


class SqlStore:
    """Reads races from a database, by the queries in the .sql file of its dialect."""

    def __init__(self, database: Broker | SqliteFile) -> None:
        self._database = database
        queries = read_queries(Path(__file__).with_name(f"{database.dialect}.sql"))
        self._queries = {
            name: _PART.sub(lambda part: queries[part[1]].rstrip(), query) for name, query in queries.items()
        }

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

    def competitors(self, run_id: str, some: Selection | None = None) -> dict[int, Competitor]:
        """The competitors of a race by bib number."""
        return rows.competitors(self._ask_of(run_id, "competitors", some, limit=MAX_COMPETITORS))

    def positions(self, run_id: str, some: Selection | None = None) -> Positions:
        """The newest position of each competitor."""
        return rows.positions(self._ask_of(run_id, "positions", some, limit=MAX_COMPETITORS))

    def mark(self, run_id: str, some: Every | None = None) -> Mark:
        """What changes with every position that comes."""
        return rows.mark(self._ask_of(run_id, "mark", some))

    def positions_at(
        self, run_id: str, raw_time: int, look_back: int = 0, some: Every | None = None
    ) -> Positions:
        """Each competitor's position at a second of race time, or the newest of the seconds before."""
        if look_back:
            span = {"since": raw_time - look_back, "time": raw_time}
            return rows.positions(
                self._ask_of(run_id, "positions_since", some, limit=MAX_COMPETITORS, **span)
            )
        found = self._ask_of(run_id, "positions_at", some, limit=2 * MAX_COMPETITORS, time=raw_time)
        return rows.positions(list({row[0]: row for row in found}.values()))  # one of each repeated event

    def passings(
        self, run_id: str, after_ms: int | None = None, some: Selection | None = None
    ) -> list[Passings]:
        """The passings of a race, or those after a moment, by timing point."""
        return rows.passings_by_point(self._ask_of(run_id, "passings", some, after=after_ms or 0))

    def count_passings(self, run_id: str) -> int:
        """The number of a race's passings."""
        return self._count(run_id, "count_passings")

    def count_arrivals(self, run_id: str, offset: float, step: float) -> list[Arrived]:
        """The arrivals at splits, geofences and the finish by spans of time."""
        span = {"offset": float(offset), "step": float(step), "limit": MAX_SPANS}
        return [
            Arrived(kind, point, int(lap), int(number), int(many))
            for kind, point, lap, number, many in self._ask_of(run_id, "count_arrivals", None, **span)
        ]

    def dropped(self, run_id: str) -> tuple[Ints, Floats, Floats]:
        """Bibs, metres and race seconds of those who gave up or were stopped."""
        return rows.dropped(self._ask_of(run_id, "dropped", None, limit=MAX_COMPETITORS))

    def tally(self, run_id: str) -> Tally:
        """The newest positions in numbers."""
        return rows.tally(self._ask_of(run_id, "tally"))

    def front(self, run_id: str, most: int) -> Positions:
        """The newest positions of the first competitors on the course."""
        return rows.positions(self._ask_of(run_id, "front", limit=most))

    def between(self, run_id: str, first: float, last: float = ANYWHERE) -> int:
        """Number of competitors on the course between these metres."""
        return self._count(run_id, "between", first=float(first), last=float(last))

    def finishes(self, run_id: str, bibs: range, after_ms: int = 0) -> Finishes:
        """Finishers with these bibs, emitted after a moment."""
        return rows.finishes(self._ask_within(run_id, "finishes", bibs, after=after_ms))

    def waves(self, run_id: str, bibs: range) -> tuple[Ints, Ints]:
        """Bibs and waves of the competitors with these bibs in later waves."""
        return rows.by_bib("competitors", "wave", self._ask_within(run_id, "waves", bibs))

    def starts(self, run_id: str, bibs: range) -> tuple[Ints, Floats]:
        """Bibs and own starts of the competitors with these bibs."""
        return rows.by_bib("passings", "elapsed", self._ask_within(run_id, "starts", bibs))

    def count_competitors(self, run_id: str) -> int:
        """Length of the start list."""
        return self._count(run_id, "count_competitors")

    def find(self, run_id: str, text: str, most: int) -> dict[int, Competitor]:
        """Competitors with a text in their name or club."""
        # Databases differ in what they take for the same letter, and Pinot gets no text of users: they search
        # for the plain letters, and what they find is compared.
        plain = _NOT_PLAIN.sub("_", text)
        limit = most if plain == text else SIMILAR
        found = rows.competitors(self._ask_of(run_id, "find", text=f"%{plain}%", limit=limit))
        wanted = text.lower()
        bibs = [bib for bib, who in found.items() if wanted in f"{who.name}\n{who.club}".lower()]
        return {bib: found[bib] for bib in bibs[:most]}

    def _count(self, run_id: str, query: str, **parameters: float) -> int:
        return sum(int(count) for (count,) in self._ask_of(run_id, query, None, **parameters))

    def _ask_within(self, run_id: str, query: str, bibs: range, **parameters: int) -> Sequence[Sequence[Any]]:
        """The rows about competitors with these bibs."""
        ends = {"first": bibs.start, "last": bibs.stop - 1, "limit": MAX_COMPETITORS}
        return self._ask_of(run_id, query, None, **ends, **parameters)

    def _ask_of(
        self, run_id: str, query: str, some: Selection | None = None, **parameters: Parameter
    ) -> Sequence[Sequence[Any]]:
        """The rows about a race, or some of its competitors; none if there can't be such a race."""
        if not is_run_id(run_id):
            return []
        match some:
            case None:
                return self._ask(query, run=run_id, **parameters)
            case Every(step):
                return self._ask(f"{query}_every", run=run_id, every=step, **parameters)
            case _:
                parts = [list(some[at : at + BIBS_AT_ONCE]) for at in range(0, len(some), BIBS_AT_ONCE)]
                return [
                    row
                    for part in parts
                    for row in self._ask(f"{query}_of", run=run_id, bibs=part, **parameters)
                ]

    def _ask(self, query: str, **parameters: Parameter) -> Sequence[Sequence[Any]]:
        return self._database.ask(self._queries[query], **parameters)


class PinotStore(SqlStore):
    """Reads races from a broker."""

    def passings(
        self, run_id: str, after_ms: int | None = None, some: Selection | None = None
    ) -> list[Passings]:
        """The passings of a race, or those after a moment; read in parts."""
        span = {"after": after_ms or 0}
        if some is None or isinstance(some, Every):
            found = self._ask_of(run_id, "bibs", some, limit=MAX_COMPETITORS, **span)
            bibs = sorted(int(row[0]) for row in found)
        else:
            bibs = sorted(some)
        # Parts of the bibs that are there: a start list may use any numbers.
        parts = [bibs[first : first + BIBS_AT_ONCE] for first in range(0, len(bibs), BIBS_AT_ONCE)]
        return [
            passings
            for part in parts
            for passings in rows.passings(self._passings_of_part(run_id, part, some, span))
        ]

    def _passings_of_part(
        self, run_id: str, part: list[int], some: Selection | None, span: dict[str, int]
    ) -> Sequence[Sequence[Any]]:
        if some is None or isinstance(some, Every):
            ends = {"first": part[0], "last": part[-1]}
            return self._ask_of(run_id, "passings", some, limit=MAX_PASSINGS, **ends, **span)
        return self._ask_of(run_id, "passings", part, limit=MAX_PASSINGS, **span)

    def _ask(self, query: str, **parameters: Parameter) -> Sequence[Sequence[Any]]:
        found = super()._ask(query, **parameters)
        if query not in {"races", "race"}:
            return found
        # The last column is a course's long name.
        return [(*row, None if last == NO_VALUE else last) for *row, last in found]
