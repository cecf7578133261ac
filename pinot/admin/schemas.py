"""Writes `pinot/schemas/*.json` from the contract: `python -m pinot.admin.schemas`, or `make schemas`."""

import json
from typing import Any

from pinot.admin.configs import HERE
from stream.contract import TABLES, Field, Table

ROLES = ("dimension", "metric", "dateTime")
EPOCH_MS = {"format": "1:MILLISECONDS:EPOCH", "granularity": "1:MILLISECONDS"}


def schema_of(table: Table) -> dict[str, Any]:
    """Return Pinot's schema of a table."""
    columns = [*(table.fields[name] for name in table.columns), *table.pinot_only]
    schema: dict[str, Any] = {"schemaName": table.name, "primaryKeyColumns": list(table.key)}
    for role in ROLES:
        if specs := [_spec(column) for column in columns if column.role == role]:
            schema[f"{role}FieldSpecs"] = specs
    return schema


def _spec(column: Field) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": column.name, "dataType": column.pinot_type}
    if column.missing is not None:
        spec["defaultNullValue"] = column.missing
    if column.max_length is not None:
        spec["maxLength"] = column.max_length
    return spec | (EPOCH_MS if column.role == "dateTime" else {})


def text_of(schema: dict[str, Any]) -> str:
    """Return a schema as JSON with one column a line."""
    lines = ",\n  ".join(f"{json.dumps(part)}: {_list(value)}" for part, value in schema.items())
    return f"{{\n  {lines}\n}}\n"


def _list(value: Any) -> str:
    if not isinstance(value[0], dict):
        return json.dumps(value)
    columns = ",\n    ".join(map(json.dumps, value))
    return f"[\n    {columns}\n  ]"


def main() -> None:
    """Write the files."""
    for name, table in TABLES.items():
        (HERE / "schemas" / f"{name}.json").write_text(text_of(schema_of(table)))


if __name__ == "__main__":
    main()
