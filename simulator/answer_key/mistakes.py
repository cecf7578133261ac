"""The usual mistakes of consumers, and the answers that they lead to."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from simulator.answer_key import boards, mats, repeats, timing, windows
from simulator.answer_key.boards import Reading
from simulator.answer_key.kinds import Columns, Compute
from simulator.answer_key.mats import Sifting
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.answer_key.windows import Counting

SUMMED = 25.0
"""Tolerance of distances summed from places, metres: formulas and roundings differ."""


class Mistake(NamedTuple):
    """What a consumer may do instead of the right thing.

    Attributes:
        text: an end of "The differing rows are as if …".
        compute: the answer that the consumer then gives.
        tolerances: of fields that depend on how exactly it does that; else those of the kind.
    """

    text: str
    compute: Compute
    tolerances: Mapping[str, float] = MappingProxyType({})


def _sifted(text: str, compute: Any, **changed: Any) -> Mistake:
    """Return a mistake in how raw reads become passes."""
    return Mistake(text, partial(compute, sifting=Sifting(**changed)))


def _asked(compute: Compute, **changed: Any) -> Compute:
    """Return the answer to another question."""
    return lambda stream, query: compute(stream, query.model_copy(update=changed))


def _other_clock(compute: Compute) -> Compute:
    def answer(stream: Stream, query: AnswerQuery) -> Columns:
        other = "tracker" if query.clock == "race" else "race"
        return compute(stream, query.model_copy(update={"clock": other}))

    return answer


def _of_newest(board: Any) -> tuple[Mistake, ...]:
    """Return the mistakes in which event of a competitor is the newest."""
    return (
        Mistake(
            "the last event to arrive counted, not the one with the highest event time",
            partial(board, reading=Reading(newest="arrival")),
        ),
        Mistake(
            "`timestamp` was compared with the event time: that is the tracker's clock, not the race's",
            partial(board, reading=Reading(until="tracker")),
        ),
        Mistake(
            "distances were summed from the places: use `distance`",
            partial(board, reading=Reading(distance="places")),
            {"distance": SUMMED},
        ),
    )


MISTAKES: Mapping[Name, tuple[Mistake, ...]] = MappingProxyType(
    {
        "order": (
            Mistake(
                "the tick of the first position with `finished` were the finish: it is in `elapsed`",
                boards.order_of_positions,
            ),
            Mistake(
                "gun time counted from the first gun for all: each wave has its own", boards.order_of_one_gun
            ),
            Mistake("disqualified competitors kept their places", boards.order_without_verdicts),
            Mistake("places went by the other time (gun, chip)", boards.order_by_other_time),
        ),
        "leaderboard": _of_newest(boards.leaderboard),
        "positions": _of_newest(boards.positions),
        "windows": (
            Mistake(
                "repeats of an event were counted: count each `eventId` once",
                partial(windows.windows, counting=Counting(repeats=True)),
            ),
            Mistake(
                "windows were closed too early: as if no lateness were allowed",
                _asked(windows.windows, lateness=0.0),
            ),
            Mistake("windows were never closed", _asked(windows.windows, lateness=None)),
            Mistake(
                "events were put into windows by the other clock (`rawTime`, `timestamp`)",
                _other_clock(windows.windows),
            ),
            Mistake(
                "events were put into the window in which they arrived",
                partial(windows.windows, counting=Counting(by_arrival=True)),
            ),
        ),
        "passings": (
            Mistake(
                "passings were taken from positions: they are at ticks, up to an interval too late",
                timing.passings_of_positions,
            ),
            Mistake("the key lacked `lap`: later laps replaced or lost", timing.passings_of_first_laps),
        ),
        "dwell": (
            Mistake(
                "visits were taken from positions: from the first to the last tick inside",
                timing.dwell_of_positions,
            ),
            Mistake("the key lacked `lap`: later visits replaced or lost", timing.dwell_of_first_laps),
        ),
        "late": (
            Mistake("no lateness were allowed", _asked(repeats.late, lateness=0.0)),
            Mistake("event time were the other clock (`rawTime`, `timestamp`)", _other_clock(repeats.late)),
        ),
        "duplicates": (
            Mistake(
                "the first of each repeated event were not counted", repeats.duplicates_without_the_first
            ),
            Mistake("an unchanged place were a repeat: compare `eventId`", repeats.duplicates_by_place),
        ),
        "reads": (
            _sifted(
                "each read were a pass: reads of a competitor at a point within 5 s of the last are one pass",
                mats.reads,
                together=0.0,
            ),
            _sifted("the first read of a pass counted, not the strongest", mats.reads, counts="first"),
            _sifted(
                "the readers' clocks were not corrected: reads of the reference chips show their error",
                mats.reads,
                clocks="uncorrected",
            ),
            _sifted(
                "the readers' clocks did not drift: correct them by the first and the last reference read",
                mats.reads,
                clocks="first",
            ),
            _sifted("strays were passes: reads below -70 dBm don't count", mats.reads, weak=True),
            _sifted("the backup line were ignored: passes are missing", mats.reads, backup=False),
            _sifted(
                "the backup line were at the main line: it is crossed a second later",
                mats.reads,
                apart=False,
            ),
        ),
        "missed": (
            _sifted("strays were passes: reads below -70 dBm don't count", mats.missed, weak=True),
            _sifted("the backup line were ignored", mats.missed, backup=False),
            Mistake(
                "everyone had to pass the whole course: only reads further on prove a pass",
                partial(mats.missed, whole=True),
            ),
        ),
    }
)
