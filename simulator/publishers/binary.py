"""Encodes batches as Avro or Protobuf in the Confluent wire format, in pieces.

A value begins with a zero byte and the schema's id (4 bytes, big-endian); Protobuf adds the index of the
message in its file, a zero byte for the first.
"""

import io
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

import fastavro

from simulator.publishers.encode import Messages, encode, events_of
from simulator.race.events import Positions, Streamed
from stream.contract import TABLES, Topic
from stream.formats import avro_schema, protobuf_message
from stream.registry import Schemas

PIECE = 400
"""Events that are encoded at once. Encoding them takes no longer than a whole batch does in JSON."""

Event = dict[str, Any]


class Encoding(Protocol):
    """How a publisher's messages are encoded."""

    def prepare(self) -> None:
        """Get what encoding needs; blocks. Raises RegistryError if it is not available."""
        ...

    def pieces(self, batch: Streamed) -> Iterator[Messages]:
        """Yield the batch's messages; between two pieces the reactor may do other work."""
        ...


class Json:
    """JSON, which needs no registry; a batch is one piece."""

    def prepare(self) -> None:
        """Do nothing."""

    def pieces(self, batch: Streamed) -> Iterator[Messages]:
        """Yield the batch's messages."""
        yield encode(batch)


class Binary:
    """Avro or Protobuf for the topics that have a format; the others are JSON.

    Args:
        schemas: the registry with the schemas.
    """

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._encoders: dict[Topic, Callable[[Event], bytes]] = {}

    def prepare(self) -> None:
        """Look up the ids of the schemas."""
        encoder = _avro if self._schemas.schema_type == "AVRO" else _protobuf
        self._encoders = {topic: encoder(topic, number) for topic, number in self._schemas.ids().items()}

    def pieces(self, batch: Streamed) -> Iterator[Messages]:
        """Yield the batch's messages, `PIECE` at a time."""
        encoder = self._encoders.get(batch.topic)
        if encoder is None:
            yield encode(batch)
            return
        events = _positions(batch) if isinstance(batch, Positions) else events_of(batch)
        while some := list(islice(events, PIECE)):
            keys = [f"{event['runId']}:{event['competitorId']}".encode() for event in some]
            yield Messages(batch.topic, keys, [encoder(event) for event in some])


def encoding_of(schemas: Schemas | None) -> Encoding:
    """Return the encoding with these schemas, or JSON."""
    return Json() if schemas is None else Binary(schemas)


def _positions(batch: Positions) -> Iterator[Event]:
    """Yield the events of positions, computed in pieces as well."""
    for first in range(0, len(batch), PIECE):
        piece = batch.take(slice(first, first + PIECE))
        if piece.true_lat is None or piece.true_lon is None:
            yield from events_of(piece)
            continue
        places = zip(piece.true_lat.tolist(), piece.true_lon.tolist(), strict=True)
        for event, (lat, lon) in zip(events_of(piece), places, strict=True):
            yield event | {"trueLat": lat, "trueLon": lon}


def _avro(topic: Topic, number: int) -> Callable[[Event], bytes]:
    schema = fastavro.parse_schema(avro_schema(TABLES[topic]))
    head = struct.pack(">bI", 0, number)

    def encoded(event: Event) -> bytes:
        value = io.BytesIO()
        value.write(head)
        fastavro.schemaless_writer(value, schema, event)
        return value.getvalue()

    return encoded


def _protobuf(topic: Topic, number: int) -> Callable[[Event], bytes]:
    message = protobuf_message(TABLES[topic])
    head = struct.pack(">bIb", 0, number, 0)
    return lambda event: head + message(**event).SerializeToString()
