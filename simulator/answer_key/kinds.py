"""The questions that have an answer: the form of a row, the computation and the tolerances."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
from pydantic import TypeAdapter

from simulator.answer_key import boards, mats, repeats, rows, timing, windows
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name

Columns = Mapping[str, list[Any]]
Compute = Callable[[Stream, AnswerQuery], Columns]

PIECE = 5_000
"""Rows written together."""
MILLISECOND = 0.0015
"""Tolerance of times, seconds: a rounding of the last digit."""
MILLIMETRE = 0.0015
PACE = 0.01
"""Tolerance of a mean pace, seconds per kilometre."""
READ = 0.055
"""Tolerance of the time of a pass from raw reads, seconds.

The strongest read is within `SPACING` / 2 of the passing; clocks and reference reads are rounded to 1 ms."""
DEGREES = 1.5e-7
"""Tolerance of coordinates: a rounding of the last digit, about a centimetre."""


@dataclass(frozen=True)
class Kind:
    """A question.

    Attributes:
        name: as in the API and on the command line.
        row: the form of a row; its docstring is the title.
        key: the fields that identify a row.
        compute: the right answer.
        tolerances: of fields that are numbers; all others must be equal.
    """

    name: Name
    row: type[rows.Row]
    key: tuple[str, ...]
    compute: Compute
    tolerances: Mapping[str, float]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are not in the key."""
        return tuple(name for name in self.row.model_fields if name not in self.key)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a row."""
        schema = TypeAdapter(self.row).json_schema()
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "key": list(self.key)}


KINDS: Mapping[Name, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(
                "order",
                rows.OrderRow,
                ("competitorId",),
                boards.order,
                {"gunTime": MILLISECOND, "chipTime": MILLISECOND},
            ),
            Kind(
                "leaderboard",
                rows.LeaderboardRow,
                ("competitorId",),
                boards.leaderboard,
                {"distance": MILLIMETRE, "elapsed": MILLISECOND},
            ),
            Kind(
                "positions",
                rows.PositionRow,
                ("competitorId",),
                boards.positions,
                {"lat": DEGREES, "lon": DEGREES, "distance": MILLIMETRE, "elapsed": MILLISECOND},
            ),
            Kind("windows", rows.WindowRow, ("start",), windows.windows, {"pace": PACE}),
            Kind(
                "passings",
                rows.PassingRow,
                ("competitorId", "kind", "point", "lap"),
                timing.passings,
                {"elapsed": MILLISECOND, "distance": MILLIMETRE},
            ),
            Kind(
                "dwell",
                rows.DwellRow,
                ("competitorId", "geofence", "lap"),
                timing.dwell,
                {"enter": MILLISECOND, "exit": MILLISECOND, "seconds": 2 * MILLISECOND},
            ),
            Kind("late", rows.LateRow, ("eventId",), repeats.late, {"behind": MILLISECOND}),
            Kind("duplicates", rows.DuplicateRow, ("eventId",), repeats.duplicates, {}),
            Kind(
                "reads",
                rows.ReadRow,
                ("competitorId", "kind", "point", "sighting"),
                mats.reads,
                {"elapsed": READ},
            ),
            Kind("missed", rows.MissedRow, ("competitorId", "kind", "point"), mats.missed, {}),
        )
    }
)


def ndjson(columns: Columns) -> Iterator[bytes]:
    """Yield an answer's rows as lines of JSON; an empty piece if there are none."""
    names, lists = list(columns), list(columns.values())
    count = len(lists[0])
    for first in range(0, max(count, 1), PIECE):
        some = zip(*(column[first : first + PIECE] for column in lists), strict=True)
        yield b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in some)
