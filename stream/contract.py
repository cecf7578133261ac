"""The contract: which topics and tables there are, and what their events consist of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).with_name("events")
TOPICS = ("parkrun", "passings", "races", "competitors")
TABLES = (*TOPICS, "courses")


def read_event(topic: str) -> dict[str, Any]:
    """Return the JSON Schema of a topic's events: the meaning of each field, and which are required."""
    event: dict[str, Any] = json.loads((EVENTS / f"{topic}.json").read_text())
    return event
