"""The questions that have an answer: the form, the computation, tolerances, and the usual mistakes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import orjson
from pydantic import TypeAdapter

from simulator.answer_key import boards, repeats, rows, timing, windows
from simulator.answer_key.boards import Reading
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.answer_key.windows import Counting

Columns = Mapping[str, list[Any]]
Compute = Callable[[Stream, AnswerQuery], Columns]

NDJSON = "application/x-ndjson"
"""Media type of lines of JSON."""
PIECE = 5_000
"""Rows written together."""
MILLISECOND = 0.0015
"""Tolerance of times, seconds: a rounding of the last digit."""
MILLIMETRE = 0.0015
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
        mistakes: what a consumer may do instead, as an end of "The differing rows are as if …", with the
            answer that it then gives.
    """

    name: Name
    row: type[rows.Row]
    key: tuple[str, ...]
    compute: Compute
    tolerances: Mapping[str, float]
    mistakes: Mapping[str, Compute]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are not in the key."""
        return tuple(name for name in self.row.model_fields if name not in self.key)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a row."""
        schema = TypeAdapter(self.row).json_schema()
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "key": list(self.key)}


def _asked(compute: Compute, **changed: Any) -> Compute:
    """Return an answer to another question."""
    return lambda stream, query: compute(stream, query.model_copy(update=changed))


def _other_clock(compute: Compute) -> Compute:
    def answer(stream: Stream, query: AnswerQuery) -> Columns:
        other = "tracker" if query.clock == "race" else "race"
        return compute(stream, query.model_copy(update={"clock": other}))

    return answer


NEWEST = {
    "the last event to arrive counted, not the one with the highest event time": Reading(newest="arrival"),
    "`timestamp` was compared with the event time: that is the tracker's clock, not the race's": Reading(
        until="tracker"
    ),
    "distances were summed from the places: use `distance`": Reading(distance="places"),
}
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
                {
                    "the tick of the first position with `finished` were the finish: it is in `elapsed`": (
                        boards.order_of_positions
                    ),
                    "gun time counted from the first gun for all: each wave has its own": (
                        boards.order_of_one_gun
                    ),
                    "disqualified competitors kept their places": boards.order_without_verdicts,
                    "places went by the other time (gun, chip)": boards.order_by_other_time,
                },
            ),
            Kind(
                "leaderboard",
                rows.LeaderboardRow,
                ("competitorId",),
                boards.leaderboard,
                {"distance": MILLIMETRE, "elapsed": MILLISECOND},
                {text: partial(boards.leaderboard, reading=how) for text, how in NEWEST.items()},
            ),
            Kind(
                "positions",
                rows.PositionRow,
                ("competitorId",),
                boards.positions,
                {"lat": DEGREES, "lon": DEGREES, "distance": MILLIMETRE, "elapsed": MILLISECOND},
                {text: partial(boards.positions, reading=how) for text, how in NEWEST.items()},
            ),
            Kind(
                "windows",
                rows.WindowRow,
                ("start",),
                windows.windows,
                {"pace": 0.01},
                {
                    "repeats of an event were counted: count each `eventId` once": partial(
                        windows.windows, counting=Counting(repeats=True)
                    ),
                    "windows were closed too early: as if no lateness were allowed": _asked(
                        windows.windows, lateness=0.0
                    ),
                    "windows were never closed": _asked(windows.windows, lateness=None),
                    "events were put into windows by the other clock (`rawTime`, `timestamp`)": _other_clock(
                        windows.windows
                    ),
                    "events were put into the window in which they arrived": partial(
                        windows.windows, counting=Counting(by_arrival=True)
                    ),
                },
            ),
            Kind(
                "passings",
                rows.PassingRow,
                ("competitorId", "kind", "point", "lap"),
                timing.passings,
                {"elapsed": MILLISECOND, "distance": MILLIMETRE},
                {
                    "passings were taken from positions: they are at ticks, up to an interval too late": (
                        timing.passings_of_positions
                    ),
                    "the key lacked `lap`: later laps replaced or lost": timing.passings_of_first_laps,
                },
            ),
            Kind(
                "dwell",
                rows.DwellRow,
                ("competitorId", "geofence", "lap"),
                timing.dwell,
                {"enter": MILLISECOND, "exit": MILLISECOND, "seconds": 2 * MILLISECOND},
                {
                    "visits were taken from positions: from the first to the last tick inside": (
                        timing.dwell_of_positions
                    ),
                    "the key lacked `lap`: later visits replaced or lost": timing.dwell_of_first_laps,
                },
            ),
            Kind(
                "late",
                rows.LateRow,
                ("eventId",),
                repeats.late,
                {"behind": MILLISECOND},
                {
                    "no lateness were allowed": repeats.late_of_any_delay,
                    "event time were the other clock (`rawTime`, `timestamp`)": _other_clock(repeats.late),
                },
            ),
            Kind(
                "duplicates",
                rows.DuplicateRow,
                ("eventId",),
                repeats.duplicates,
                {},
                {
                    "the first of each repeated event were not counted": repeats.duplicates_without_the_first,
                    "an unchanged place were a repeat: compare `eventId`": repeats.duplicates_by_place,
                },
            ),
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
