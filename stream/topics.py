"""Kafka's topics: how they are partitioned, and how long they keep their events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TOPICS = Path(__file__).with_name("topics.json")


def read_topics() -> dict[str, dict[str, Any]]:
    """Of each topic: `partitioned` (as many partitions as the settings say, else one) and `config`."""
    topics: dict[str, dict[str, Any]] = json.loads(TOPICS.read_text())
    return topics
