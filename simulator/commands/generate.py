"""`python -m simulator generate`: writes all events of a race as lines of JSON, without a server.

The lines are the messages that the engine would publish, in the same order; `emittedAt` is the time of the
tick, so that the same seed gives the same bytes. The course has no topic: its line is the row of the table.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from simulator.commands.race import race_of
from simulator.commands.settings import GenerateSettings, settings_of
from simulator.publishers.encode import encode, encode_rows
from simulator.race.events import (
    CourseRecord,
    Streamed,
    entries_of,
    passings_until,
    positions_on_time,
    reads_until,
    record_of,
)
from simulator.race.race import Race
from simulator.race.reads import Mats
from stream.contract import TABLES, Written

BATCH = 5000


def generate(flags: Sequence[str], out: BinaryIO = sys.stdout.buffer) -> None:
    """Write the lines of the race that the flags describe; exits with a message if they are invalid."""
    settings = settings_of(GenerateSettings, flags)
    for batch in _batches(race_of(settings), settings.topic):
        keys, lines = _encoded(batch)
        if settings.keys:
            lines = [b"%b\t%b" % pair for pair in zip(keys, lines, strict=True)]
        out.write(b"\n".join(lines) + b"\n")
    out.flush()


def _encoded(batch: Streamed | CourseRecord) -> tuple[list[bytes], list[bytes]]:
    """Return the keys and the lines of a batch."""
    if isinstance(batch, CourseRecord):
        return encode_rows(TABLES["courses"], batch)
    return encode(batch)[1:]


def _batches(race: Race, topic: Written) -> Iterator[Streamed | CourseRecord]:
    ticks = range(race.last_tick + 1)
    match topic:
        case "races":
            ended = race.start_ms + round(race.duration * 1000)
            request = race.request.text()
            yield record_of(race, "running", race.start_ms, request)
            yield record_of(race, "finished", ended, request, delivered_until=race.time_of(race.last_tick))
        case "competitors":
            yield from entries_of(race, BATCH)
        case "passings":
            yield from chain.from_iterable(passings_until(race, tick, BATCH) for tick in ticks)
        case "reads":
            mats = Mats(race)
            for tick in range(mats.last_tick + 1):
                yield from reads_until(mats, tick, BATCH)
        case "courses":
            yield CourseRecord(race.course)
        case "parkrun":
            yield from chain.from_iterable(positions_on_time(race, tick, BATCH) for tick in ticks)
