"""`python -m simulator generate`: writes all events of a race as lines of JSON, without a server.

The lines are the messages that the engine would publish, in the same order; `emittedAt` is the time of the
tick, so that the same seed gives the same bytes.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

from simulator.commands.race import race_of
from simulator.commands.settings import GenerateSettings, settings_of
from simulator.publishers.encode import encode
from simulator.race.events import Streamed, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from stream.contract import Topic

BATCH = 5000


def generate(flags: Sequence[str], out: BinaryIO = sys.stdout.buffer) -> None:
    """Write the lines of the race that the flags describe; exits with a message if they are invalid."""
    settings = settings_of(GenerateSettings, flags)
    for batch in _batches(race_of(settings), settings.topic):
        messages = encode(batch)
        lines = messages.values
        if settings.keys:
            lines = [b"%b\t%b" % pair for pair in zip(messages.keys, lines, strict=True)]
        out.write(b"\n".join(lines) + b"\n")
    out.flush()


def _batches(race: Race, topic: Topic) -> Iterator[Streamed]:
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
        case "parkrun":
            for tick in ticks:
                emitted_at = race.start_ms + int(round(race.time_of(tick), 6)) * 1000
                for batch in positions_at(race, tick, BATCH):
                    yield replace(batch, emitted_at=emitted_at)
