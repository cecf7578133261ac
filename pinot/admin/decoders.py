"""Pinot's decoders for each format of the events: properties of a table's stream config."""

from stream.contract import Topic
from stream.formats import FORMATTED
from stream.registry import Schemas

PREFIX = "stream.kafka.decoder"
PACKAGE = "org.apache.pinot.plugin.inputformat"
CLASSES = {
    "AVRO": f"{PACKAGE}.avro.confluent.KafkaConfluentSchemaRegistryAvroMessageDecoder",
    "PROTOBUF": f"{PACKAGE}.protobuf.KafkaConfluentSchemaRegistryProtoBufMessageDecoder",
}
"""Both decode the Confluent wire format with a schema registry."""


def decoder_properties(schemas: Schemas | None, name: Topic | str) -> dict[str, str]:
    """Return the properties for table `name`; none for JSON, whose decoder is in the table's file.

    `schemas` has the registry's URL for Pinot's servers.
    """
    if schemas is None or name not in FORMATTED:
        return {}
    return {
        f"{PREFIX}.class.name": CLASSES[schemas.schema_type],
        f"{PREFIX}.prop.schema.registry.rest.url": schemas.url,
    }
