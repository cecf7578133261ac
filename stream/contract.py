"""The contract: topics, tables, and the fields of their events.

A file in `events/` describes each table. All tables but `courses` are topics too. Pinot has no tables of
`progress` and `reads`. The files are JSON Schema with some more keywords, which validators ignore:

- `key`: the columns of the primary key.
- `version`: the column that decides which of two rows with one key is newer (Pinot's `comparisonColumn`).
- `pinotOnly`: columns that Pinot computes. They are in no event and not in SQLite.
- `format: epoch-ms`: a column of times, in epoch milliseconds UTC.
- `record`: what an event is called in record headers and in the schemas of other formats than JSON.
- `number`: of a field in Protobuf. A new field has the next one; a number never changes.
- `column`: what the rules below do not give. `false` for a field that is not stored; else an object with
  Pinot's `type`, `role` or `maxLength`, or with `from`, the name under which Pinot receives the value.

The rules: a string is STRING or TEXT, a number DOUBLE or REAL, an integer INT or LONG (by its maximum) or
INTEGER.

An event is complete if each required field has a possible value: one of `enum`, no empty text, within the
bounds. Where a required field is missing, Pinot stores a value that is not possible.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Value = str | int | float

EVENTS = Path(__file__).with_name("events")
Topic = Literal["parkrun", "passings", "races", "competitors", "reads"]
ALL_TOPICS: tuple[Topic, ...] = get_args(Topic)
TOPICS: tuple[Topic, ...] = ("parkrun", "passings", "races", "competitors")
"""The topics of every race, which have a table in Pinot."""
Written = Literal[Topic, "courses"]
"""What `generate` writes: the topics, and the course."""

SQLITE_VERSION = 104
"""The `user_version` of the SQLite file.

Versions of one hundred only add: tables, indexes, and columns with a default. So a program that knows one of
them reads and writes the files of all later ones of its hundred. Any other change begins the next hundred.
"""

MISSING_VERSION = 63_072_000_000
"""1972-01-01 in epoch milliseconds: what Pinot stores for a missing version.

It is older than any event, so that the row never replaces another, and within 1971 to 2071, which Pinot
requires of a table's time column.
"""
MISSING_DEGREES = -999

MAX_INT = 2**31 - 1
MAX_LONG = 2**63 - 1
_PINOT_TYPES = {"string": "STRING", "number": "DOUBLE", "integer": "LONG"}
_SQLITE_TYPES = {"string": "TEXT", "number": "REAL", "integer": "INTEGER"}
_OPPOSITE = {"IN": "NOT IN", "<>": "=", ">=": "<", "<=": ">"}


@dataclass(frozen=True)
class Field:
    """A field of an event, and its column.

    Attributes:
        name: of both.
        number: in Protobuf; 0 for a table that is no topic of events.
        type: JSON Schema's.
        required: every event has it.
        default: its value in an event without it; None if it has none.
        missing: what Pinot stores if an event lacks it; None for Pinot's own default.
        stored: it has a column.
        pinot_type: Pinot's data type.
        role: which of Pinot's lists of columns it is in.
        max_length: characters that Pinot stores; None for Pinot's own limit.
        source: the name under which Pinot receives it.
        words: the possible values, if it is an enumeration.
        least, most: the bounds of a number, infinite if there are none.
    """

    name: str
    number: int
    type: Literal["string", "number", "integer"]
    required: bool
    default: Value | None
    missing: Value | None
    stored: bool
    pinot_type: str
    role: Literal["dimension", "metric", "dateTime"]
    max_length: int | None
    source: str
    words: tuple[str, ...]
    least: float
    most: float

    @property
    def sqlite_type(self) -> str:
        """SQLite's data type."""
        return _SQLITE_TYPES[self.type]

    def are_possible(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the mask of the possible values: those that meet `conditions`."""
        if self.words:
            return np.isin(values, self.words)
        if self.type == "string":
            return np.asarray(values != "", np.bool_)
        return np.asarray((values >= self.least) & (values <= self.most), np.bool_)

    def conditions(self) -> Iterator[tuple[str, str]]:
        """Yield the SQL operators and operands that a possible value meets."""
        if self.words:
            yield "IN", f"({', '.join(map(repr, self.words))})"
        elif self.type == "string":
            yield "<>", "''"
        if self.least > -math.inf:
            yield ">=", str(self.least)
        # No column of integers holds more than these, and Pinot cannot parse more.
        if self.most not in {MAX_INT, MAX_LONG, math.inf}:
            yield "<=", str(self.most)


@dataclass(frozen=True)
class Table:
    """A table; if it is a topic too, its fields are those of the topic's events.

    Attributes:
        name: of table and topic.
        record: what one of its events is called; empty for a table that is no topic of events.
        key: the columns of the primary key.
        version: the column that decides which of two rows is newer; None for `courses`.
        fields: by name, in the order in which events have them.
        pinot_only: columns that only Pinot has.
    """

    name: str
    record: str
    key: tuple[str, ...]
    version: str | None
    fields: Mapping[str, Field]
    pinot_only: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the fields that are stored, in their order."""
        return tuple(field.name for field in self.fields.values() if field.stored)

    @property
    def schema_version(self) -> int:
        """The version of the event's schema: it grows with each new field, since none is ever removed."""
        return max(field.number for field in self.fields.values())

    @property
    def complete(self) -> str:
        """The SQL condition for rows of complete events."""
        return " AND ".join(f'"{name}" {operator} {operand}' for name, operator, operand in self._tests())

    @property
    def incomplete(self) -> str:
        """The SQL condition for all other rows."""
        opposites = ((name, _OPPOSITE[operator], operand) for name, operator, operand in self._tests())
        return " OR ".join(f'"{name}" {operator} {operand}' for name, operator, operand in opposites)

    def _tests(self) -> Iterator[tuple[str, str, str]]:
        required = (field for field in self.fields.values() if field.required)
        return ((field.name, *condition) for field in required for condition in field.conditions())

    def are_complete(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Return the mask of the rows that are complete in these columns.

        All arrays have shape (k,), or none if all rows have one value.
        """
        known = ((self.fields[name], values) for name, values in columns.items())
        masks = [field.are_possible(values) for field, values in known if field.required]
        return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*masks)), np.bool_)


def read_event(topic: str, events: Path = EVENTS) -> dict[str, Any]:
    """Return the JSON Schema of a topic's events, or of the rows of `courses`."""
    event: dict[str, Any] = json.loads((events / f"{topic}.json").read_text())
    return event


def read_topics() -> dict[str, dict[str, Any]]:
    """Return each topic's `config` and number of `partitions`; null stands for that in the settings."""
    topics: dict[str, dict[str, Any]] = json.loads(EVENTS.with_name("topics.json").read_text())
    return topics


def read_table(name: str, events: Path = EVENTS) -> Table:
    """Return a table as its file in the folder `events` describes it."""
    event = read_event(name, events)
    version, required = event.get("version"), event["required"]
    fields = [
        _field(
            field,
            schema,
            required=field in required,
            # Only a stream can lack something.
            missing=_missing(schema, is_version=field == version) if version else None,
        )
        for field, schema in event["properties"].items()
    ]
    pinot_only = [
        _field(field, schema, required=False, missing=schema.get("default"))
        for field, schema in event.get("pinotOnly", {}).items()
    ]
    by_name = MappingProxyType({field.name: field for field in fields})
    return Table(name, event.get("record", ""), tuple(event["key"]), version, by_name, tuple(pinot_only))


def _field(name: str, schema: Mapping[str, Any], *, required: bool, missing: Value | None) -> Field:
    column = schema.get("column") or {}
    is_int = schema["type"] == "integer" and schema.get("maximum", MAX_LONG) <= MAX_INT
    return Field(
        name=name,
        number=schema.get("number", 0),
        type=schema["type"],
        required=required,
        default=schema.get("default"),
        missing=missing,
        stored=schema.get("column") is not False,
        pinot_type=column.get("type", "INT" if is_int else _PINOT_TYPES[schema["type"]]),
        role=column.get("role", "dateTime" if schema.get("format") == "epoch-ms" else "dimension"),
        max_length=column.get("maxLength"),
        source=column.get("from", name),
        words=tuple(schema.get("enum", ())),
        least=schema.get("minimum", -math.inf),
        most=schema.get("maximum", math.inf),
    )


def _missing(schema: Mapping[str, Any], *, is_version: bool) -> Value:
    """Return the field's default, or else a value of its type that is not possible."""
    if "default" in schema:
        default: Value = schema["default"]
        return default
    if is_version:
        return MISSING_VERSION
    if schema["type"] == "string":
        return ""
    if schema["minimum"] < 0:
        return MISSING_DEGREES
    return 0 if schema["minimum"] > 0 else -1


PROGRESS = read_table("progress")
"""The topic by which simulators know each other's progress, and a table of the embedded store."""
READS = read_table("reads")
"""The topic of the raw reads of chips, which only some races have, and a table of the embedded store."""
TABLES: Mapping[str, Table] = MappingProxyType({name: read_table(name) for name in (*TOPICS, "courses")})


def table_of(name: str) -> Table:
    """Return the table with the fields of a topic's records, or of the rows of `courses`."""
    return {PROGRESS.name: PROGRESS, READS.name: READS}.get(name) or TABLES[name]
