"""The Avro and Protobuf schemas of the events follow from the contract."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for

from stream.contract import ALL_TOPICS, TABLES, read_event, table_of
from stream.formats import FORMATTED, avro_schema, protobuf_message, protobuf_schema
from tests.stream.new_field import with_heart_rate

AVRO = {"string": "string", "number": "double", "integer": "long"}
PROTOBUF = {"string": "string", "number": "double", "integer": "int64"}


@pytest.mark.parametrize("topic", ALL_TOPICS)
def test_every_field_has_a_number_of_its_own(topic: str) -> None:
    """The fields of a topic are numbered from 1 without gaps, so that the version counts them."""
    numbers = sorted(field.number for field in table_of(topic).fields.values())

    assert numbers == list(range(1, len(numbers) + 1))
    assert table_of(topic).schema_version == len(numbers)


@pytest.mark.parametrize("topic", FORMATTED)
def test_avro_has_the_fields_of_the_contract(topic: str) -> None:
    """The Avro schema has each field in its order and type; what JSON may leave out may be null."""
    event = read_event(topic)
    expected = [
        {"name": name, "type": AVRO[schema["type"]]}
        if name in event["required"]
        else {"name": name, "type": ["null", AVRO[schema["type"]]], "default": None}
        for name, schema in event["properties"].items()
    ]

    assert avro_schema(table_of(topic))["fields"] == expected


@pytest.mark.parametrize("topic", FORMATTED)
def test_protobuf_has_the_fields_of_the_contract(topic: str) -> None:
    """The text for the registry and the messages have each field with its type and number."""
    expected = {
        name: (PROTOBUF[schema["type"]], schema["number"])
        for name, schema in read_event(topic)["properties"].items()
    }
    text = re.findall(r"optional (\w+) (\w+) = (\d+);", protobuf_schema(table_of(topic)))
    message: Any = protobuf_message(table_of(topic))
    kinds = {9: "string", 1: "double", 3: "int64"}

    assert {name: (kind, int(number)) for kind, name, number in text} == expected
    assert {field.name: (kinds[field.type], field.number) for field in message.DESCRIPTOR.fields} == expected
    assert all(field.has_presence for field in message.DESCRIPTOR.fields)


def test_a_new_field_leaves_the_numbers_of_the_others(tmp_path: Path) -> None:
    """A field that a later version adds has the next number, and the schema the next version."""
    now, later = TABLES["parkrun"], with_heart_rate(tmp_path, "parkrun")["parkrun"]
    added = set(protobuf_schema(later).splitlines()) - set(protobuf_schema(now).splitlines())

    assert added == {"  optional int64 heartRate = 15;"}
    assert (now.schema_version, later.schema_version) == (14, 15)


@pytest.mark.parametrize("topic", FORMATTED)
def test_the_numbers_are_no_part_of_the_event(topic: str) -> None:
    """The schema with numbers is still a JSON Schema that its example meets."""
    event = read_event(topic)

    validator_for(json.dumps(event)).validate(event["examples"][0])
