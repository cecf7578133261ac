"""Encodes batches as Kafka messages: a topic, and each event's key and JSON. `binary.py` has other formats.

Most events are positions. orjson formats their numbers a column at a time, in the shortest form that reads
back the same, and one f-string per event combines them. benchmarks/README.md compares that with encoding an
object per event.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from simulator.race.events import UNKNOWN_TIME, Positions, Progress, Streamed
from stream.contract import ALL_TOPICS, PROGRESS, Table, Topic, table_of

LEFT_OUT = {"cutOffs": "", "cutOffsFrom": "", "elapsed": UNKNOWN_TIME}
"""Fields that events have only with a value, not with this one: an option that is off changes no byte."""
HEADERS: Mapping[str, dict[str, str | bytes | None]] = MappingProxyType(
    {
        topic: {"type": table_of(topic).record.encode(), "version": b"%d" % table_of(topic).schema_version}
        for topic in ALL_TOPICS
    }
)
"""The record headers of each topic's events: what an event is, and the version of its schema."""


class HasRows(Protocol):
    """A batch with the rows of a table."""

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of the table."""
        ...


class Messages(NamedTuple):
    """A batch's messages: a key and a value for each event."""

    topic: Topic
    keys: list[bytes]
    values: list[bytes]


def encode(batch: Streamed) -> Messages:
    """Return the batch's messages."""
    if isinstance(batch, Positions):
        return _positions(batch)
    return Messages(batch.topic, *encode_rows(table_of(batch.topic), batch))


def encode_rows(table: Table, batch: HasRows) -> tuple[list[bytes], list[bytes]]:
    """Return the keys and values of a batch's rows, which are those of a table."""
    events = list(_events(table, batch))
    parts = [name for name in ("runId", "competitorId") if name in table.fields] or table.key
    keys = [":".join(str(event[part]) for part in parts).encode() for event in events]
    return keys, [orjson.dumps(event) for event in events]


def events_of(batch: Streamed) -> Iterator[dict[str, Any]]:
    """Yield the batch's events, without the true places of positions."""
    return _events(table_of(batch.topic), batch)


def _events(table: Table, batch: HasRows) -> Iterator[dict[str, Any]]:
    left_out = {name: LEFT_OUT.get(name) for name in table.columns}
    for row in batch.rows():
        pairs = zip(table.columns, row, strict=True)
        yield {name: value for name, value in pairs if value != left_out[name]}


def _positions(batch: Positions) -> Messages:
    # Run ids and course names need no escaping: they consist of A-Z, a-z, 0-9, _ and -.
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
    return Messages(batch.topic, position_keys(batch), values)


def position_keys(batch: Positions) -> list[bytes]:
    """Return the keys of positions."""
    return _keys(batch.run_id, batch.bib.tobytes())


@lru_cache(maxsize=200)
def _keys(run_id: str, bibs: bytes) -> list[bytes]:
    """Return the keys of positions; most ticks of a race have the same competitors as the one before.

    `bibs` is the memory of 64-bit integers. For 5,000 competitors the list takes 300 kB.
    """
    return [f"{run_id}:{bib}".encode() for bib in np.frombuffer(bibs, np.int64).tolist()]


def _tails(batch: Positions) -> Iterable[str]:
    """Return the end of each event, after `elapsed`."""
    emitted_at = f',"emittedAt":{batch.emitted_at}}}'
    if batch.true_lon is None or batch.true_lat is None:
        return repeat(emitted_at)
    places = zip(_texts(batch.true_lat), _texts(batch.true_lon), strict=True)
    return [f',"trueLat":{lat},"trueLon":{lon}{emitted_at}' for lat, lon in places]


def position_texts(batch: Positions) -> tuple[Sequence[str], ...]:
    """Return bib, rawTime, timestamp, lon, lat, distance, status and elapsed, formatted as in JSON."""
    return (
        _texts(batch.bib),
        _mostly_one(batch.raw_time),
        _mostly_one(batch.timestamp),
        _texts(batch.lon),
        _texts(batch.lat),
        _texts(batch.distance),
        batch.status_names,
        _texts(batch.elapsed),
    )


def _mostly_one(column: NDArray[np.int64]) -> list[str]:
    """Format numbers as in JSON; faster if all are equal, as the times of a plain race are."""
    if len(column) and (column == column[0]).all():
        return [str(column[0])] * len(column)
    return _texts(column)


def _texts(column: NDArray[np.float64] | NDArray[np.int64]) -> list[str]:
    """Format numbers as in JSON."""
    if not len(column):
        return []
    array = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
    return array[1:-1].decode().split(",")


def encode_progress(progress: Progress) -> bytes:
    """Return the value of a message in the topic `progress`."""
    (values,) = progress.rows()
    return orjson.dumps(dict(zip(PROGRESS.columns, values, strict=True)))


def progress_key(run_id: str, part: int) -> bytes:
    """Return the key of a message in the topic `progress`."""
    return f"{run_id}/{part}".encode()
