"""Encodes batches as Avro or Protobuf in the Confluent wire format, in pieces.

A value begins with a zero byte and the schema's id (4 bytes, big-endian); Protobuf adds the index of the
message in its file, a zero byte for the first. `packed.py` encodes positions, which most events are, and the
formats' libraries the other events.
"""

import io
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple, Protocol

import fastavro

from simulator.publishers.encode import Messages, encode, events_of, position_keys
from simulator.publishers.packed import Avro, Layout, Protobuf, pack
from simulator.race.events import Positions, Streamed
from stream.contract import Topic, table_of
from stream.formats import avro_schema, protobuf_message
from stream.registry import Schemas

POSITIONS = 1000
EVENTS = 300
"""Positions, and other events, encoded at once, in no more time than a batch of positions as JSON."""

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


class _Format(NamedTuple):
    """A format: how values begin after the id, how positions are packed, and how other events are encoded."""

    head: bytes
    layout: Layout
    encoder: Callable[[Topic], Callable[[Event], bytes]]


def _avro(topic: Topic) -> Callable[[Event], bytes]:
    schema = fastavro.parse_schema(avro_schema(table_of(topic)))

    def encoded(event: Event) -> bytes:
        value = io.BytesIO()
        fastavro.schemaless_writer(value, schema, event)
        return value.getvalue()

    return encoded


def _protobuf(topic: Topic) -> Callable[[Event], bytes]:
    message = protobuf_message(table_of(topic))
    return lambda event: message(**event).SerializeToString()


FORMATS = {"AVRO": _Format(b"", Avro(), _avro), "PROTOBUF": _Format(b"\0", Protobuf(), _protobuf)}


class Binary:
    """Avro or Protobuf for the topics that have a format; the others are JSON.

    Args:
        schemas: the registry with the schemas.
    """

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._format = FORMATS[schemas.schema_type]
        self._heads: dict[Topic, bytes] = {}
        self._encoders: dict[Topic, Callable[[Event], bytes]] = {}

    def prepare(self) -> None:
        """Look up the ids of the schemas."""
        for topic, number in self._schemas.ids().items():
            self._heads[topic] = struct.pack(">bI", 0, number) + self._format.head
            self._encoders[topic] = self._format.encoder(topic)

    def pieces(self, batch: Streamed) -> Iterator[Messages]:
        """Yield the batch's messages, `POSITIONS` or `EVENTS` at a time."""
        topic = batch.topic
        if topic not in self._heads:
            yield encode(batch)
        elif isinstance(batch, Positions):
            for first in range(0, len(batch), POSITIONS):
                piece = batch.take(slice(first, first + POSITIONS))
                values = pack(piece, self._format.layout, self._heads[topic])
                yield Messages(topic, position_keys(piece), values)
        else:
            head, encoder, events = self._heads[topic], self._encoders[topic], events_of(batch)
            while some := list(islice(events, EVENTS)):
                keys = [f"{event['runId']}:{event['competitorId']}".encode() for event in some]
                yield Messages(topic, keys, [head + encoder(event) for event in some])


def encoding_of(schemas: Schemas | None) -> Encoding:
    """Return the encoding with these schemas, or JSON."""
    return Json() if schemas is None else Binary(schemas)
