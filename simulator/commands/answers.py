"""`python -m simulator answers`: writes what a correct consumer would say of a race, without a server."""

import json
import sys
from collections.abc import Sequence
from typing import BinaryIO

from simulator.answer_key.kinds import KINDS, ndjson
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery
from simulator.commands.race import race_of
from simulator.commands.settings import AnswersSettings, settings_of


def answers(flags: Sequence[str], out: BinaryIO = sys.stdout.buffer) -> None:
    """Write the rows, or the JSON Schema of a row; exits with a message if the flags are invalid."""
    settings = settings_of(AnswersSettings, flags)
    kind = KINDS[settings.kind]
    if settings.json_schema:
        out.write(json.dumps(kind.schema(), indent=2).encode() + b"\n")
    else:
        out.writelines(ndjson(kind.compute(stream_of(settings), query_of(settings))))
    out.flush()


def stream_of(settings: AnswersSettings) -> Stream:
    """Return the whole stream of the race that the flags describe."""
    race = race_of(settings)
    return Stream(race, race.time_of(race.last_tick))


def query_of(settings: AnswersSettings) -> AnswerQuery:
    """Return the query that the flags describe."""
    return AnswerQuery(**settings.model_dump(include=set(AnswerQuery.model_fields)))
