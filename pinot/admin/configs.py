"""Schemas and table configs of Pinot, from the JSON files in `pinot/schemas` and `pinot/tables`."""

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any

from pinot.settings import RETENTION_DAYS

HERE = Path(__file__).parents[1]


def read_schema(name: str) -> dict[str, Any]:
    """Return the schema of table `name`."""
    schema: dict[str, Any] = json.loads((HERE / "schemas" / f"{name}.json").read_text())
    return schema


def columns_of(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns of a schema by name, each as in the schema: `dataType`, `defaultNullValue`."""
    parts = [specs for part, specs in schema.items() if part.endswith("FieldSpecs")]
    return {spec["name"]: spec for specs in parts for spec in specs}


def with_defaults_of(there: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema whose columns have the defaults of the existing schema `there`, if they are in it."""
    known = columns_of(there)

    def kept(spec: dict[str, Any]) -> dict[str, Any]:
        of_its_own = {key: value for key, value in spec.items() if key != "defaultNullValue"}
        default = known[spec["name"]].get("defaultNullValue")
        return of_its_own if default is None else of_its_own | {"defaultNullValue": default}

    return {
        part: [kept(spec) if spec["name"] in known else spec for spec in value]
        if part.endswith("FieldSpecs")
        else value
        for part, value in schema.items()
    }


def read_table(
    name: str,
    *,
    kafka: str,
    replication: int,
    retention_days: int = RETENTION_DAYS,
    stream: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the config of table `name`.

    Args:
        name: one of TABLES.
        kafka: Kafka's address for Pinot's servers.
        replication: replicas of each segment.
        retention_days: how long it keeps events, by their dates.
        stream: properties of its stream to add or replace, if it has one.

    Raises:
        KeyError: the file has another placeholder.
    """
    template = Template((HERE / "tables" / f"{name}.json").read_text())
    filled = template.substitute(kafka=kafka, replication=replication, retention_days=retention_days)
    config: dict[str, Any] = json.loads(filled)
    for one in config["ingestionConfig"].get("streamIngestionConfig", {}).get("streamConfigMaps", []):
        one.update(stream)
    return config
