"""Schemas and table configs: the JSON files beside this one, with the addresses filled in."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
TABLES = ("parkrun", "passings", "races", "competitors", "courses")


def read_schema(name: str) -> dict[str, Any]:
    """The schema of table `name`."""
    schema: dict[str, Any] = json.loads((HERE / "schemas" / f"{name}.json").read_text())
    return schema


def read_table(
    name: str, *, kafka: str, replication: int, consumer: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """The config of table `name`.

    Args:
        name: one of TABLES.
        kafka: Kafka's address as Pinot's servers reach it.
        replication: how many servers keep each segment.
        consumer: further properties of the consumers of its stream, if it has one.

    Raises:
        KeyError: the file has a placeholder that isn't one of these.
    """
    template = Template((HERE / "tables" / f"{name}.json").read_text())
    filled = template.substitute(kafka=kafka, replication=replication)
    config: dict[str, Any] = json.loads(filled)
    for stream in config["ingestionConfig"].get("streamIngestionConfig", {}).get("streamConfigMaps", []):
        stream.update(consumer)
    return config
