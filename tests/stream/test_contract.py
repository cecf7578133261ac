import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream.contract import MISSING_VERSION, TABLES, TOPICS, read_event, read_table

COLUMNS = ("sqlite_type", "pinot_type", "role", "missing")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, ("TEXT", "STRING", "dimension", "")),
        ({"type": "string", "enum": ["a", "b"]}, ("TEXT", "STRING", "dimension", "")),
        ({"type": "string", "default": "x"}, ("TEXT", "STRING", "dimension", "x")),
        ({"type": "string", "column": {"type": "BYTES"}}, ("TEXT", "BYTES", "dimension", "")),
        ({"type": "number", "minimum": 0.1}, ("REAL", "DOUBLE", "dimension", 0)),
        ({"type": "number", "minimum": 0, "column": {"role": "metric"}}, ("REAL", "DOUBLE", "metric", -1)),
        ({"type": "number", "minimum": -90}, ("REAL", "DOUBLE", "dimension", -999)),
        ({"type": "number", "minimum": -1, "default": -1}, ("REAL", "DOUBLE", "dimension", -1)),
        ({"type": "integer", "minimum": 1, "maximum": 2**31 - 1}, ("INTEGER", "INT", "dimension", 0)),
        ({"type": "integer", "minimum": 0, "maximum": 2**31}, ("INTEGER", "LONG", "dimension", -1)),
        ({"type": "integer", "minimum": 0}, ("INTEGER", "LONG", "dimension", -1)),
        ({"type": "integer", "minimum": 1, "format": "epoch-ms"}, ("INTEGER", "LONG", "dateTime", 0)),
    ],
)
def test_columns_follow_from_the_schema(
    tmp_path: Path, schema: dict[str, Any], expected: tuple[object, ...]
) -> None:
    """A column's types, its role and the value for a missing field follow from the field's JSON Schema."""
    version = {"type": "integer", "minimum": 1, "format": "epoch-ms"}
    properties = {"field": schema, "at": version, "hidden": {"type": "string", "column": False}}
    event = {"key": ["at"], "version": "at", "properties": properties, "required": ["at"]}
    (tmp_path / "made-up.json").write_text(json.dumps(event))
    table = read_table("made-up", tmp_path)

    assert tuple(getattr(table.fields["field"], name) for name in COLUMNS) == expected
    assert table.fields["at"].missing == MISSING_VERSION
    assert table.columns == ("field", "at")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_keys_and_versions_are_columns(table: Any) -> None:
    """Every event has the columns of the key; a field that is not required has a default."""
    columns = [*table.columns, *(field.name for field in table.pinot_only)]

    assert all(table.fields[name].required for name in table.key)
    assert table.version in {*columns, None}
    for name in table.columns:
        assert table.fields[name].required == (table.fields[name].default is None)


@pytest.mark.parametrize("topic", TOPICS)
def test_an_event_without_a_field_is_incomplete(topic: str) -> None:
    """Both SQL conditions and the mask agree: the example is complete, and without any field it is not."""
    table = TABLES[topic]
    (whole, *_) = read_event(topic)["examples"]
    rows = [whole, *(whole | {name: field.missing} for name, field in table.fields.items() if field.required)]
    expected = [True] + [False] * (len(rows) - 1)
    columns = {name: np.array([row[name] for row in rows]) for name in table.columns}

    assert [meets(row, table.complete) for row in rows] == expected
    assert [meets(row, table.incomplete) for row in rows] == [not is_complete for is_complete in expected]
    assert table.are_complete(columns).tolist() == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lat": 91.0}, False),
        ({"status": "flying"}, False),
        ({"lat": -90.0}, True),
        ({"elapsed": np.nan}, False),
    ],
)
def test_impossible_values_are_incomplete(change: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    """A value out of its bounds, or not one of the words, counts as missing."""
    (whole, *_) = read_event("parkrun")["examples"]
    columns = {name: np.array([value]) for name, value in (whole | change).items()}

    assert TABLES["parkrun"].are_complete(columns).tolist() == [expected]


def meets(row: Mapping[str, Any], condition: str) -> bool:
    """Return whether a row meets an SQL condition."""
    named = ", ".join(f':{name} AS "{name}"' for name in row)
    with closing(sqlite3.connect(":memory:")) as database:
        found = database.execute(f"SELECT count(*) FROM (SELECT {named}) WHERE {condition}", row).fetchone()
    return bool(found[0])
