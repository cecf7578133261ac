"""How a start list would be read: its columns, its first rows, and what is assumed and wrong.

A column that was taken for another field, or for none, gets the name of its field: then everything that reads
start lists reads it as meant.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from simulator.race import start_list
from simulator.race.start_list import StartList, columns, table
from simulator.race.start_list.columns import FIELDS, Known
from simulator.race.start_list.limits import StartListError
from simulator.race.start_list.table import Beginning

ROWS = 5
"""Number of rows that a preview has."""
NOT_USED = "unused"
"""The beginning of the name of a column that is not to be used."""


@dataclass(frozen=True)
class Preview:
    """A start list as it would be read.

    Attributes:
        text: the list, with the names of its columns as chosen.
        heads: the names of the columns as they were written, in their order.
        fields: what each of them is read as, "" for nothing.
        rows: the first rows below.
        people: the competitors; None if the list can't be read.
        errors: why it can't; each continues "the start list".
    """

    text: str
    heads: Sequence[str] = ()
    fields: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    people: StartList | None = None
    errors: Sequence[str] = ()


def preview(text: str, chosen: Mapping[str, int]) -> Preview:
    """Read a start list, with the columns chosen for some fields: their numbers from 1, or 0 for none."""
    try:
        begins = table.beginning(text, ROWS)
        names = _names(begins.head.cells, chosen)
    except StartListError as error:
        return Preview(text, errors=error.reasons)
    heads, rows = begins.head.cells, begins.rows
    if chosen:
        text = _renamed(text, begins, names)
    try:
        people = start_list.read(text)
    except StartListError as error:
        return Preview(text, heads, _fields(heads, _by_name(names)), rows, errors=error.reasons)
    return Preview(text, heads, _fields(heads, people.columns), rows, people)


def _fields(heads: Sequence[str], places: Mapping[str, int]) -> list[str]:
    fields = {nth: field for field, nth in places.items()}
    return [fields.get(nth, "") for nth in range(len(heads))]


def _names(heads: Sequence[str], chosen: Mapping[str, int]) -> list[str]:
    """Return the names of the columns: the chosen ones called after their fields, and no others so."""
    names = list(heads)
    wanted = {number - 1: field for field, number in chosen.items() if number}
    if (most := max(wanted, default=-1) + 1) > len(names):
        raise StartListError(f"has {len(names):,} columns, and no column {most:,}")
    for nth, head in enumerate(heads):
        known = columns.of(head)
        field = wanted.get(nth)
        if field is not None:
            # A name that is known may have the unit of the column's numbers.
            names[nth] = head if isinstance(known, Known) and known.field == field else FIELDS[field]
        elif known is not None and known.field in chosen:
            names[nth] = f"{NOT_USED} {head}"
    return names


def _renamed(text: str, begins: Beginning, names: Sequence[str]) -> str:
    """Return the list with these names of its columns."""
    line = StringIO(newline="")
    csv.writer(line, delimiter=begins.head.delimiter, lineterminator="\n").writerow(names)
    return text[: begins.begin] + line.getvalue() + text[begins.end :]


def _by_name(heads: Sequence[str]) -> dict[str, int]:
    """Return the columns by field, by their names alone."""
    found = [(nth, columns.of(head)) for nth, head in enumerate(heads)]
    known = [(one, nth) for nth, one in found if isinstance(one, Known)]
    # Of several for one field, the one with the lowest rank comes last.
    return {one.field: nth for one, nth in sorted(known, key=lambda pair: -pair[0].rank)}
