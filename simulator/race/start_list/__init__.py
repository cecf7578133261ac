"""Start lists: CSV as spreadsheets, registration and timing systems write it.

The line of column names decides: `columns.toml` has the names of each field, all of which are optional.
Defaults for empty cells: the lowest free bib, the name `Runner` and the bib, a category from sex and age or
`Open`, wave 1, and a pace from the expected time or the race's pace model. Whatever is corrected, assumed or
left out is a warning; all faulty lines are reported together.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from itertools import count
from typing import TypeVar

import numpy as np

from simulator.race.start_list import durations, people, table, words
from simulator.race.start_list.columns import normal
from simulator.race.start_list.durations import Expected
from simulator.race.start_list.limits import (
    FASTEST,
    MAX_BIB,
    MAX_FAULTS,
    MAX_LINES,
    MAX_ROWS,
    MAX_WAVE,
    MAX_WORDS,
    SLOWEST,
    Report,
    StartListError,
    counted,
    quoted,
)
from simulator.race.start_list.table import Column, Table
from stream.arrays import Floats, Ints, Mask

__all__ = [
    "FASTEST",
    "MAX_BIB",
    "MAX_FAULTS",
    "MAX_LINES",
    "MAX_ROWS",
    "MAX_WAVE",
    "MAX_WORDS",
    "OPEN",
    "SLOWEST",
    "StartList",
    "StartListError",
    "read",
]

Value = TypeVar("Value")

OPEN = "Open"
"""Default category."""
_WITH_SUFFIX = re.compile(
    r",\s*(?:jr|sr|[ivx]{1,4}|ph\.?\s?d|m\.?d|esq|mba|mbe|obe|dr|ing)\.?$", re.IGNORECASE
)
"""A comma behind which no first name follows."""
_UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class StartList:
    """n competitors in the order of the list.

    Attributes:
        bib: unique, shape (n,).
        name, category, club: texts; a club may be empty.
        wave: 1…, shape (n,); None if the list has no waves.
        pace: seconds per kilometre, shape (n,); nan where the list has none.
        sex: F, M, X or "" for each competitor; empty if the list has no sexes.
        born: dates of birth of those whose category follows from it, as yyyymmdd, else 0; shape (n,) or None.
        expected: expected seconds from start to finish, nan where the list has none; shape (n,) or None.
        is_loose: whether that time may also be 60 or 3600 times as long, as the distance requires.
        warnings: what was corrected, assumed or left out.
        columns: the number of the column with each field, 0…
    """

    bib: Ints
    name: tuple[str, ...]
    category: tuple[str, ...]
    club: tuple[str, ...]
    wave: Ints | None
    pace: Floats
    sex: tuple[str, ...] = ()
    born: Ints | None = None
    expected: Floats | None = None
    is_loose: Mask | None = None
    warnings: tuple[str, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.name)

    def women(self, lots: Floats, share: float) -> Mask:
        """Return who is a woman, shape (n,).

        By sex or category (W…, F…, M…), else at `share` by lots in [0, 1).
        """
        letters = np.array([category[:1].upper() for category in self.category])
        if self.sex:
            sex = np.array(self.sex)
            letters = np.where(sex == "", letters, sex)
        return np.where(np.isin(letters, ("W", "F", "M")), letters != "M", lots < share)

    def sexes(self) -> tuple[str, ...]:
        """Return F, M, X or "" for each competitor, by sex or category."""
        own = self.sex or ("",) * len(self)
        named = {category: people.sex_of(category) for category in set(self.category)}
        return tuple(letter or named[category] for letter, category in zip(own, self.category, strict=True))

    def on(self, day: date) -> "StartList":
        """Return the list for a race on that day: dates of birth become categories."""
        if self.born is None:
            return self
        today = 10_000 * day.year + 100 * day.month + day.day
        sexes = self.sex or ("",) * len(self)
        category = tuple(
            people.category(sex, (today - born) // 10_000) if born else category
            for category, sex, born in zip(self.category, sexes, self.born.tolist(), strict=True)
        )
        return replace(self, category=category)

    def paces(self, metres: float) -> Floats:
        """Return seconds per kilometre on so many metres, shape (n,); nan where the list has none."""
        own = self._from_times(metres)
        return (
            self.pace if own is None else np.where(np.isnan(self.pace), own.clip(FASTEST, SLOWEST), self.pace)
        )

    def check(self, metres: float) -> None:
        """Raise StartListError if an expected time is impossible on a course of that length."""
        own = self._from_times(metres)
        if own is None or self.expected is None:
            return
        wrong = np.flatnonzero((own < FASTEST) | (own > SLOWEST))
        reasons = [
            f"is invalid for bib {self.bib[nth]}: the expected time of {self.expected[nth]:,.0f} s on "
            f"{metres / 1000:.1f} km is {own[nth]:,.0f} seconds per kilometre; "
            f"the limits are {FASTEST:.0f} and {SLOWEST:,.0f}"
            + (": did a spreadsheet make hours of minutes?" if own[nth] > SLOWEST else "")
            for nth in wrong[:MAX_FAULTS].tolist()
        ]
        if more := len(wrong[MAX_FAULTS:]):
            reasons.append(f"has {counted(more, 'more impossible expected time')}")
        if reasons:
            raise StartListError(*reasons)

    def _from_times(self, metres: float) -> Floats | None:
        if self.expected is None or self.is_loose is None:
            return None
        pace = self.expected * 1000 / metres
        for _ in range(2):
            pace = np.where(self.is_loose & (pace < FASTEST), pace * 60, pace)
        return pace


@lru_cache(maxsize=1)
def read(text: str) -> StartList:
    """Read a start list; raises StartListError with all faulty lines.

    The last one is cached: validating a request reads it several times.
    """
    report = Report()
    found = table.read(text, report)
    reader = _Reader(found, report)
    bibs, names, clubs = reader.bibs(), reader.names(), reader.texts("club")
    categories, sex, born = reader.categories()
    waves, paces, expected = reader.waves(), reader.paces(), reader.times()
    report.check()
    taken = set(bibs)
    free = (bib for bib in count(1) if bib not in taken)
    numbers = [next(free) if bib is None else bib for bib in bibs]
    return StartList(
        bib=np.array(numbers, np.int64),
        name=tuple(name or f"Runner {bib}" for bib, name in zip(numbers, names, strict=True)),
        category=tuple(category or OPEN for category in categories),
        club=tuple(clubs),
        wave=None if waves is None else np.array(waves, np.int64),
        pace=np.array(paces),
        sex=tuple(sex),
        born=np.array(born, np.int64) if any(born) else None,
        expected=None if expected is None else np.array([one.seconds for one in expected]),
        is_loose=None if expected is None else np.array([one.is_loose for one in expected]),
        warnings=tuple(report.warnings),
        columns={name: column.nth for name, column in found.columns.items()},
    )


class _Reader:
    """Reads the columns of a table; faults and assumptions go to the report."""

    def __init__(self, found: Table, report: Report) -> None:
        self._lines = found.lines
        self._columns = found.columns
        self._report = report

    def bibs(self) -> list[int | None]:
        """Return the bibs; None where there is none."""
        column = self._columns.get("bib")
        if column is None:
            return [None] * len(self._lines)
        bibs = self._read(column, people.bib, None)
        taken: dict[int, int] = {}
        for line, bib in zip(self._lines, bibs, strict=True):
            if bib is not None and (before := taken.setdefault(bib, line)) != line:
                self._report.fault(line, f"the bib {bib} is already used in line {before:,}")
        return bibs

    def names(self) -> list[str]:
        """Return the names, empty where there is none: first and last name, or the name."""
        whole, first, last = self._columns.get("name"), self._columns.get("first"), self._columns.get("last")
        if (reversed_ := self._columns.get("last_first")) is not None and not (first and last):
            return self._turned(self._read(reversed_, words.text, ""), reversed_.head, is_certain=True)
        if first and last:
            return self._joined(first, last)
        # "Name" beside "Vorname" is the last name, "Nome" beside "Cognome" the first.
        if whole and (first or last):
            return self._joined(first or whole, last or whole)
        column = whole or first or last
        if column is None:
            return [""] * len(self._lines)
        return self._turned(self._read(column, words.text, ""), column.head, is_certain=False)

    def _joined(self, first: Column, last: Column) -> list[str]:
        """Return first and last names; a last name that begins with the first is the whole name."""
        names = []
        both = zip(self._read(first, words.text, ""), self._read(last, words.text, ""), strict=True)
        for line, (one, other) in zip(self._lines, both, strict=True):
            is_whole = not one or f"{other} ".casefold().startswith(f"{one} ".casefold())
            name = other if is_whole and other else f"{one} {other}".strip()
            if len(name) > MAX_WORDS:
                self._report.fault(line, f"the name has more than {MAX_WORDS} characters")
            names.append(name)
        return names

    def _turned(self, names: list[str], head: str, *, is_certain: bool) -> list[str]:
        """Return `Smith, Ann` as Ann Smith, if the column says so or all names are written that way."""
        given = [name for name in names if name]
        is_reversed = [name.count(",") == 1 and not _WITH_SUFFIX.search(name) for name in given]
        if not given or not (any(is_reversed) if is_certain else all(is_reversed)):
            return names
        turned = [
            " ".join(part.strip() for part in reversed(name.split(","))).strip()
            if name.count(",") == 1
            else name
            for name in names
        ]
        if not is_certain:
            self._report.warnings.append(
                f"All names in the column {quoted(head.strip())} were read as last name, first name: "
                f"{quoted(given[0])} is {quoted(next(name for name in turned if name))}"
            )
        return turned

    def texts(self, field: str) -> list[str]:
        """Return clubs or categories, empty where there is none."""
        column = self._columns.get(field)
        return [""] * len(self._lines) if column is None else self._read(column, words.club, "")

    def categories(self) -> tuple[list[str], list[str], list[int]]:
        """Return categories, sexes, and the dates of birth of those whose category follows from it.

        An empty category follows from sex and age. The sexes are empty if the list has none.
        """
        categories = self.texts("category")
        sex = self._values("sex", people.sex, "") or []
        ages = self._values("age", people.age, _UNKNOWN) or [_UNKNOWN] * len(self._lines)
        birth = self._columns.get("birth")
        born = [0] * len(self._lines)
        if birth is not None:
            born = self._read(birth, people.births(set(birth.cells)), 0)
        for nth, category in enumerate(categories):
            if category or ages[nth] != _UNKNOWN:
                born[nth] = 0
            categories[nth] = category or people.category(sex[nth] if sex else "", ages[nth])
        return categories, sex, born

    def waves(self) -> list[int] | None:
        """Return the waves; None if the list has none."""
        column = self._columns.get("wave")
        if column is None or not any(map(words.plain, column.cells)):
            return None
        wave, warning = people.waves(column.cells)
        if warning:
            self._report.warnings.append(warning)
        return self._read(
            column, lambda cell: (wave(cell), "" if words.plain(cell) else "was read as wave 1"), 1
        )

    def paces(self) -> list[float]:
        """Return seconds per kilometre, nan where there is none."""
        column = self._columns.get("mile_pace") or self._columns.get("pace")
        if column is None:
            return [math.nan] * len(self._lines)
        head, unit = normal(column.head), durations.pace_unit(column.head)
        pace = partial(
            durations.pace,
            unit=unit,
            # People in the United States mean miles; "pace" by itself is the API's own column.
            is_vague=not unit and "pace" in head and head != "pace",
            is_pointed=durations.are_pointed(set(column.cells)),
        )
        return self._read(column, _if_any(pace, math.nan), math.nan)

    def times(self) -> list[Expected] | None:
        """Return the expected times; None if the list has none."""
        nothing = Expected(math.nan, is_loose=False)
        column = self._columns.get("time")
        if column is None:
            return None
        time = partial(durations.time, unit=durations.time_unit(column.head))
        return self._read(column, _if_any(time, nothing), nothing)

    def _values(
        self, field: str, read_one: Callable[[str], tuple[Value, str]], nothing: Value
    ) -> list[Value] | None:
        column = self._columns.get(field)
        return None if column is None else self._read(column, read_one, nothing)

    def _read(
        self, column: Column, read_one: Callable[[str], tuple[Value, str]], nothing: Value
    ) -> list[Value]:
        """Return a column's values, reading each distinct cell once; `nothing` stands for invalid ones."""
        values: dict[str, Value] = {}
        faults: dict[str, str] = {}
        assumed: dict[str, str] = {}
        for cell in set(column.cells):
            try:
                values[cell], assumption = read_one(cell)
            except ValueError as error:
                values[cell], faults[cell] = nothing, str(error)
            else:
                if assumption:
                    assumed[cell] = assumption
        name = column.head.strip()
        if faults:
            for line, cell in zip(self._lines, column.cells, strict=True):
                if cell in faults:
                    self._report.fault(line, f"the {name.lower()} {faults[cell]}")
        if assumed:
            self._warn(name, column.cells, assumed)
        return [values[cell] for cell in column.cells]

    def _warn(self, name: str, cells: Sequence[str], assumed: dict[str, str]) -> None:
        """Add one warning for each kind of assumption, with its first line."""
        places: dict[str, list[tuple[int, str]]] = {}
        for line, cell in zip(self._lines, cells, strict=True):
            if cell in assumed:
                places.setdefault(assumed[cell], []).append((line, cell))
        for assumption, found in places.items():
            line, cell = found[0]
            more = f", and in {counted(len(found) - 1, 'more line')}" if len(found) > 1 else ""
            self._report.warnings.append(
                f"The {name} {quoted(cell.strip())} in line {line:,} {assumption}{more}"
            )


def _if_any(
    read_one: Callable[[str], tuple[Value, str]], nothing: Value
) -> Callable[[str], tuple[Value, str]]:
    """Return a reader that takes empty cells for nothing."""
    return lambda cell: read_one(cell) if words.plain(cell) else (nothing, "")
