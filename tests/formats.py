"""Read events in the Confluent wire format, by other means than the code that writes them."""

import io
import json
import struct
from collections.abc import Callable
from typing import Any

import fastavro
import httpx
import orjson

from stream.contract import Topic, table_of
from stream.formats import protobuf_message
from stream.registry import Schemas

Event = dict[str, Any]


def decoder_of(schemas: Schemas | None, topic: Topic) -> Callable[[bytes], Event]:
    """Return what reads a topic's values: with the registry's schemas, as the events that JSON has."""
    if schemas is None:
        return orjson.loads
    return _Avro(schemas.url) if schemas.schema_type == "AVRO" else _Protobuf(topic)


class _Avro:
    """Reads Avro with the schema that the registry has under a value's id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._schemas: dict[int, Any] = {}

    def __call__(self, value: bytes) -> Event:
        magic, number = struct.unpack_from(">bI", value)
        assert magic == 0
        if number not in self._schemas:
            answer = httpx.get(f"{self._url}/schemas/ids/{number}", trust_env=False).json()
            self._schemas[number] = fastavro.parse_schema(json.loads(answer["schema"]))
        event: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), self._schemas[number], None)
        return {name: content for name, content in event.items() if content is not None}


class _Protobuf:
    """Reads Protobuf with the message of a topic."""

    def __init__(self, topic: Topic) -> None:
        self._message = protobuf_message(table_of(topic))

    def __call__(self, value: bytes) -> Event:
        assert (value[0], value[5]) == (0, 0)
        message: Any = self._message.FromString(value[6:])
        return {field.name: content for field, content in message.ListFields()}
