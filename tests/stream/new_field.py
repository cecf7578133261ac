"""A field that a later version of the contract adds to an event."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from stream.contract import EVENTS, TABLES, Table, read_event, read_table

HEART_RATE = {"description": "Beats a minute.", "type": "integer", "minimum": 0, "maximum": 300, "default": 0}


def with_heart_rate(folder: Path, *names: str) -> Mapping[str, Table]:
    """Return the tables of a copy of the contract in which some have the new field."""
    events = folder / "events"
    shutil.copytree(EVENTS, events)
    for name in names:
        event = read_event(name)
        event["properties"]["heartRate"] = HEART_RATE | {"number": len(event["properties"]) + 1}
        (events / f"{name}.json").write_text(json.dumps(event))
    return {name: read_table(name, events) for name in TABLES}
