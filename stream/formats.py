"""Formats of the events in Kafka, and their Avro and Protobuf schemas, which follow from the contract.

Integers are Avro's `long` and Protobuf's `int64`, numbers `double` in both. A field that the contract does
not require is null in Avro and unset in Protobuf where JSON leaves it out. In Protobuf all fields are
`optional`: a reader can tell a missing field from a zero.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from stream.contract import Field, Table, Topic

Format = Literal["json", "avro", "protobuf"]
SchemaType = Literal["AVRO", "PROTOBUF"]

FORMATTED: tuple[Topic, ...] = ("parkrun", "passings", "competitors", "reads")
"""Topics whose events have the chosen format.

`races` is JSON in any case: it is the simulators' log, which each must be able to read whatever its settings
are, and without a registry.
"""
NAMESPACE = "racecast"
_AVRO_TYPES = {"string": "string", "number": "double", "integer": "long"}
_PROTOBUF_TYPES = {"string": "string", "number": "double", "integer": "int64"}


def avro_schema(table: Table) -> dict[str, Any]:
    """Return the Avro schema of a topic's events."""
    fields = [_avro_field(field) for field in table.fields.values()]
    return {"type": "record", "name": table.record, "namespace": NAMESPACE, "fields": fields}


def _avro_field(field: Field) -> dict[str, Any]:
    kind = _AVRO_TYPES[field.type]
    if field.required:
        return {"name": field.name, "type": kind}
    return {"name": field.name, "type": ["null", kind], "default": None}


def protobuf_schema(table: Table) -> str:
    """Return the Protobuf schema of a topic's events, as the text of a .proto file."""
    fields = [
        f"  optional {_PROTOBUF_TYPES[field.type]} {field.name} = {field.number};\n"
        for field in table.fields.values()
    ]
    return f'syntax = "proto3";\npackage {NAMESPACE};\n\nmessage {table.record} {{\n{"".join(fields)}}}\n'


def protobuf_message(table: Table) -> type[Message]:
    """Return the class of a topic's Protobuf messages; its arguments are the fields."""
    file = FileDescriptorProto(name=f"{table.record}.proto", package=NAMESPACE, syntax="proto3")
    message = file.message_type.add(name=table.record)
    for index, field in enumerate(table.fields.values()):
        kind = FieldDescriptorProto.Type.Value(f"TYPE_{_PROTOBUF_TYPES[field.type].upper()}")
        message.field.add(
            name=field.name,
            number=field.number,
            type=kind,
            label=FieldDescriptorProto.LABEL_OPTIONAL,
            # This is how a compiler writes `optional`: a group of alternatives with one member.
            proto3_optional=True,
            oneof_index=index,
        )
        message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{NAMESPACE}.{table.record}"))


def _avro_text(table: Table) -> str:
    return json.dumps(avro_schema(table))


SCHEMA_TEXTS: Mapping[SchemaType, Callable[[Table], str]] = MappingProxyType(
    {"AVRO": _avro_text, "PROTOBUF": protobuf_schema}
)
"""What the registry gets for a table, by the registry's name of the format."""
