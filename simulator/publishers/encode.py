"""Encodes batches as Kafka messages: one topic, and for each event its key and its JSON.

Most events are positions. Their numbers are formatted column by column (orjson formats a numpy array at
once, in the shortest form that reads back the same), and one f-string puts a line together.
benchmarks/README.md compares that with an object for each event.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import orjson

from simulator.race.events import Positions, RaceRecord
from stream.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from simulator.race.events import Streamed, Topic


class Messages(NamedTuple):
    """A batch's messages, keys and values in step."""

    topic: Topic
    keys: list[bytes]
    values: list[bytes]


def encode(batch: Streamed) -> Messages:
    """Return the batch's messages."""
    if isinstance(batch, Positions):
        return _positions(batch)
    if isinstance(batch, RaceRecord):
        rows, keys = [batch.row()], [batch.run_id.encode()]
    else:
        rows = list(batch.rows())
        keys = [f"{row[0]}:{row[1]}".encode() for row in rows]
    columns = TABLES[batch.topic].columns
    return Messages(batch.topic, keys, [orjson.dumps(dict(zip(columns, row, strict=True))) for row in rows])


def _positions(batch: Positions) -> Messages:
    # The run id and the course's name are of A-Za-z0-9_- only: they need no escaping.
    head = f'{{"runId":"{batch.run_id}","eventId":"{batch.run_id}-'
    course = f',"course":"{batch.course}","status":"'
    columns = position_texts(batch)
    values = [
        f'{head}{bib}-{raw_time}","competitorId":{bib},"rawTime":{raw_time},"timestamp":{timestamp},"lat":{lat},'
        f'"lon":{lon},"distance":{metres}{course}{status}","elapsed":{seconds}{tail}'.encode()
        for bib, raw_time, timestamp, lon, lat, metres, status, seconds, tail in zip(
            *columns, _tails(batch), strict=False
        )
    ]
    return Messages(batch.topic, [f"{batch.run_id}:{bib}".encode() for bib in columns[0]], values)


def _tails(batch: Positions) -> Iterable[str]:
    """Return what stands behind the time elapsed."""
    emitted_at = f',"emittedAt":{batch.emitted_at}}}'
    if batch.true_lon is None or batch.true_lat is None:
        return repeat(emitted_at)
    places = zip(_texts(batch.true_lat), _texts(batch.true_lon), strict=True)
    return [f',"trueLat":{lat},"trueLon":{lon}{emitted_at}' for lat, lon in places]


def position_texts(batch: Positions) -> tuple[Sequence[str], ...]:
    """Return bib, rawTime, timestamp, lon, lat, distance, status and elapsed, as JSON writes them."""
    return (
        _texts(batch.bib),
        _mostly_one(batch.raw_time),
        _mostly_one(batch.timestamp),
        _texts(batch.lon),
        _texts(batch.lat),
        _texts(batch.distance),
        batch.status_names(),
        _texts(batch.elapsed),
    )


def _mostly_one(column: NDArray[np.int64]) -> list[str]:
    """Return a column's numbers as JSON writes them; of a plain race, they are all the same."""
    if len(column) and (column == column[0]).all():
        return [str(column[0])] * len(column)
    return _texts(column)


def _texts(column: NDArray[np.float64] | NDArray[np.int64]) -> list[str]:
    """Return a column's numbers as JSON writes them."""
    if not len(column):
        return []
    array = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
    return array[1:-1].decode().split(",")
