"""The decoders that the set-up gives Pinot's tables."""

from typing import Any

import pytest

from pinot.admin.configs import read_table
from pinot.admin.decoders import decoder_properties
from pinot.settings import Settings
from stream.contract import TABLES, TOPICS
from stream.formats import FORMATTED

REGISTRY = "http://registry:8081"
CLASS = "stream.kafka.decoder.class.name"
URL = "stream.kafka.decoder.prop.schema.registry.rest.url"
INPUT = "org.apache.pinot.plugin.inputformat"


def streams_of(table: str, settings: Settings) -> list[dict[str, Any]]:
    """Return the stream configs of a table that these settings set up."""
    stream = decoder_properties(settings.pinots_schemas(), table)
    config = read_table(table, kafka="kafka:1", replication=1, stream=stream)
    found: list[dict[str, Any]] = (
        config["ingestionConfig"].get("streamIngestionConfig", {}).get("streamConfigMaps", [])
    )
    return found


@pytest.mark.parametrize("table", TABLES)
def test_json_needs_no_registry(table: str) -> None:
    """With JSON, a table's stream is the one in its file."""
    assert decoder_properties(Settings().pinots_schemas(), table) == {}


@pytest.mark.parametrize(
    ("name", "decoder"),
    [
        ("avro", f"{INPUT}.avro.confluent.KafkaConfluentSchemaRegistryAvroMessageDecoder"),
        ("protobuf", f"{INPUT}.protobuf.KafkaConfluentSchemaRegistryProtoBufMessageDecoder"),
    ],
)
def test_a_format_has_its_decoder(name: Any, decoder: str) -> None:
    """With another format, the tables of its topics have its decoder and the registry's URL."""
    settings = Settings(format=name, schema_registry=REGISTRY)
    for table in set(FORMATTED) & set(TOPICS):
        (stream,) = streams_of(table, settings)

        assert (stream[CLASS], stream[URL]) == (decoder, REGISTRY)


def test_races_are_decoded_as_json() -> None:
    """The table of the simulators' log reads JSON in every format."""
    (stream,) = streams_of("races", Settings(format="avro", schema_registry=REGISTRY))

    assert stream[CLASS] == f"{INPUT}.json.JSONMessageDecoder"
    assert URL not in stream


def test_pinots_servers_may_have_another_url() -> None:
    """Where Pinot's servers see the registry under another URL, their tables have that one."""
    settings = Settings(format="avro", schema_registry=REGISTRY, pinot_schema_registry="http://inside:8081/")
    (stream,) = streams_of("parkrun", settings)

    assert stream[URL] == "http://inside:8081"
