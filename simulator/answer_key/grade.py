"""Compares a consumer's answer with the right one."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import from_json

from simulator.answer_key.kinds import Columns, Kind
from simulator.answer_key.mistakes import MISTAKES
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery
from simulator.answer_key.rows import Row
from stream.problems import from_validation

SHOWN = 10
"""Differences that a report names."""
EXPLAINS = 0.9
"""Share of the differing rows that a mistake has to explain to be named."""
MAX_ROWS = 2_000_000
"""Maximum number of rows of an answer."""

Key = tuple[Any, ...]
Values = tuple[Any, ...]
Table = Mapping[Key, Values]


class AnswerError(Exception):
    """An answer that can't be read; the text says which line and why."""


class Difference(BaseModel):
    """A row that differs."""

    model_config = ConfigDict(frozen=True)

    key: dict[str, Any]
    field: str | None = Field(description="The field that differs; null if the row is missing or extra.")
    expected: Any = Field(description="The right value; null if the row is extra.")
    given: Any = Field(description="The consumer's value; null if the row is missing.")


class Grade(BaseModel):
    """A consumer's answer, compared with the right one."""

    model_config = ConfigDict(frozen=True)

    kind: str
    expected: int = Field(description="Rows of the right answer.")
    given: int = Field(description="Rows of the consumer's answer.")
    right: int = Field(description="Rows that agree.")
    missing: int = Field(description="Rows that the consumer lacks.")
    extra: int = Field(description="Rows that only the consumer has.")
    wrong: int = Field(description="Rows with a wrong value.")
    repeated: int = Field(description="Rows whose key occurred before; the last one counts.")
    percent: float = Field(description="Share of the right rows among all rows of either, rounded down.")
    not_graded: list[str] = Field(description="Fields that no row of the consumer has.")
    differences: list[Difference] = Field(description=f"The first {SHOWN}.")
    hints: list[str] = Field(description="The mistakes that the differing rows look like.")

    @property
    def passed(self) -> bool:
        """Whether all rows agree."""
        return self.right == self.expected and not (self.extra or self.repeated)


@dataclass(frozen=True, eq=False)
class Given:
    """A consumer's answer.

    Attributes:
        fields: those that its rows have, without the key.
        table: the rows by key.
        repeated: number of rows whose key occurred before.
    """

    fields: tuple[str, ...]
    table: Table
    repeated: int


def read(kind: Kind, lines: Iterable[bytes]) -> Given:
    """Read an answer, one JSON object per line.

    Its first row decides which fields are graded. Raises AnswerError.
    """
    form: type[Row] | None = None
    table: dict[Key, Values] = {}
    repeated = 0
    for number, line in enumerate(lines, start=1):
        if number > MAX_ROWS:
            raise AnswerError(f"The answer has more than {MAX_ROWS:,} lines")
        if not line.strip():
            continue
        row = _object(number, line)
        form = form or _form_of(kind, row)
        try:
            checked = form.model_validate(row)
        except ValidationError as error:
            raise AnswerError(f"Line {number}: {from_validation(error).detail}") from error
        values = vars(checked)
        key = tuple(values[name] for name in kind.key)
        repeated += key in table
        table[key] = tuple(value for name, value in values.items() if name not in kind.key)
    known = kind.fields if form is None else tuple(name for name in form.model_fields if name not in kind.key)
    return Given(known, table, repeated)


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        row = from_json(line)
    except ValueError as error:
        raise AnswerError(f"Line {number} is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise AnswerError(f"Line {number} must be a JSON object")
    return row


def _form_of(kind: Kind, row: Mapping[str, Any]) -> type[Row]:
    """Return the form of rows with the fields of this one: those of the kind that it has, and the key."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in kind.row.model_fields.items()
        if name in row or name in kind.key
    }
    return create_model(kind.row.__name__, __base__=Row, **fields)


def grade(kind: Kind, given: Given, stream: Stream, query: AnswerQuery) -> Grade:
    """Compare an answer with the right one, and name the mistakes that it looks like."""
    expected = _table(kind, kind.compute(stream, query), given.fields)
    close = _Closeness(given.fields, kind.tolerances)
    wrong = [
        key for key, row in given.table.items() if key in expected and not close.same(row, expected[key])
    ]
    missing = [key for key in expected if key not in given.table]
    extra = [key for key in given.table if key not in expected]
    right = len(given.table) - len(wrong) - len(extra)
    differing = [*missing, *wrong, *extra]
    return Grade(
        kind=kind.name,
        expected=len(expected),
        given=len(given.table) + given.repeated,
        right=right,
        missing=len(missing),
        extra=len(extra),
        wrong=len(wrong),
        repeated=given.repeated,
        percent=_percent(right, len(expected) + len(extra)),
        not_graded=[name for name in kind.fields if name not in given.fields],
        differences=list(islice(_differences(kind, close, given, expected, differing), SHOWN)),
        hints=list(_hints(kind, given, stream, query, differing)) if differing else [],
    )


def _table(kind: Kind, columns: Columns, fields: tuple[str, ...]) -> Table:
    keys = zip(*(columns[name] for name in kind.key), strict=True)
    values = zip(*(columns[name] for name in fields), strict=True) if fields else repeat(())
    return dict(zip(keys, values, strict=False))


def _percent(right: int, of: int) -> float:
    """Return a share in percent, rounded down: only all is 100."""
    return math.floor(10_000 * right / of) / 100 if of else 100.0


@dataclass(frozen=True)
class _Closeness:
    """Compares rows of some of a kind's fields."""

    fields: tuple[str, ...]
    tolerances: Mapping[str, float]

    def same(self, one: Values, other: Values) -> bool:
        """Return whether two rows agree."""
        return one == other or next(self.differing(one, other), None) is None

    def differing(self, one: Values, other: Values) -> Iterator[int]:
        """Yield the indices of the fields that differ by more than their tolerance."""
        for nth, (name, left, right) in enumerate(zip(self.fields, one, other, strict=True)):
            if left == right:
                continue
            tolerance = self.tolerances.get(name)
            if tolerance is None or left is None or right is None or abs(left - right) > tolerance:
                yield nth


def _differences(
    kind: Kind, close: _Closeness, given: Given, expected: Table, differing: Iterable[Key]
) -> Iterator[Difference]:
    for key in differing:
        named = dict(zip(kind.key, key, strict=True))
        mine, right = given.table.get(key), expected.get(key)
        if mine is None or right is None:
            values = (
                None if row is None else dict(zip(given.fields, row, strict=True)) for row in (right, mine)
            )
            yield Difference(key=named, field=None, expected=next(values), given=next(values))
            continue
        for nth in close.differing(mine, right):
            yield Difference(key=named, field=given.fields[nth], expected=right[nth], given=mine[nth])


def _hints(
    kind: Kind, given: Given, stream: Stream, query: AnswerQuery, differing: Sequence[Key]
) -> Iterator[str]:
    """Yield the mistakes whose answer has most of the differing rows as the consumer has them."""
    for mistake in MISTAKES[kind.name]:
        theirs = _table(kind, mistake.compute(stream, query), given.fields)
        close = _Closeness(given.fields, {**kind.tolerances, **mistake.tolerances})
        explained = 0
        for key in differing:
            mine, same = given.table.get(key), theirs.get(key)
            explained += mine == same or (mine is not None and same is not None and close.same(mine, same))
        if explained >= EXPLAINS * len(differing):
            yield mistake.text


def report(found: Grade) -> Iterator[str]:
    """Yield the lines of a report for people."""
    yield f"{found.kind}: {found.percent:g} % right"
    counts = ("expected", "given", "right", "missing", "extra", "wrong", "repeated")
    yield "  " + ", ".join(f"{getattr(found, name):,} {name}" for name in counts)
    if found.not_graded:
        yield f"  not graded, because the first row lacks them: {', '.join(found.not_graded)}"
    for one in found.differences:
        name = ", ".join(f"{field} {value}" for field, value in one.key.items())
        if one.field is not None:
            yield f"  {name}: {one.field} is {one.given}, expected {one.expected}"
        elif one.given is None:
            yield f"  {name}: missing, expected {_values(one.expected)}"
        else:
            yield f"  {name}: extra, {_values(one.given)}"
    for hint in found.hints:
        yield f"  The differing rows are as if {hint}."


def _values(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items()) or "the row"
