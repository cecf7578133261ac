"""Start lists as CSV; the first line contains the column names.

Columns, all optional and in any order: `bib`, `name`, `category`, `club`, `wave`, `pace` (seconds per
kilometre, or minutes:seconds). Delimiters are commas, semicolons or tabs. Defaults for empty cells: the
lowest free bib, the name `Runner` and the bib, the category `Open`, wave 1, and a pace from the race's pace
model.
"""

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from itertools import count
from typing import NamedTuple

import numpy as np

from stream.arrays import Floats, Ints, Mask

COLUMNS = ("bib", "name", "category", "club", "wave", "pace")
MAX_ROWS = 100_000
MAX_LINES = 2 * MAX_ROWS
"""Maximum number of lines, including empty ones."""
MAX_BIB = 999_999
MAX_WORDS = 120
"""Maximum length of a name, a category or a club, characters."""
MAX_WAVE = 1000
FASTEST, SLOWEST = 60.0, 3600.0
"""Seconds per kilometre."""
OPEN = "Open"
"""Default category."""


class StartListError(ValueError):
    """An invalid start list; the text continues "the start list"."""


@dataclass(frozen=True, eq=False)
class StartList:
    """n competitors in the order of the list.

    Attributes:
        bib: unique, shape (n,).
        name, category, club: texts; a club may be empty.
        wave: 1…, shape (n,); None if the list has no waves.
        pace: seconds per kilometre, shape (n,); nan where the list has none.
    """

    bib: Ints
    name: tuple[str, ...]
    category: tuple[str, ...]
    club: tuple[str, ...]
    wave: Ints | None
    pace: Floats

    def __len__(self) -> int:
        return len(self.name)

    def women(self, lots: Floats, share: float) -> Mask:
        """Return who is a woman, shape (n,): by category (W…, F…, M…), else at `share` by lots in [0, 1)."""
        letters = np.array([category[:1].upper() for category in self.category])
        return np.where(np.isin(letters, ("W", "F", "M")), letters != "M", lots < share)


class _Row(NamedTuple):
    bib: int | None
    name: str
    category: str
    club: str
    wave: int
    pace: float


@lru_cache(maxsize=1)
def read(text: str) -> StartList:
    """Read a start list; raises StartListError with the line number.

    The last one is cached: validating a request reads it several times.
    """
    text = text.removeprefix("\ufeff")
    lines = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[_Row] = []
    taken: dict[int, int] = {}
    try:
        columns = _columns(next(lines, []))
        for cells in lines:
            if lines.line_num > MAX_LINES:
                raise StartListError(f"has more than {MAX_LINES:,} lines")
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MAX_ROWS:
                raise StartListError(f"has more than {MAX_ROWS:,} competitors")
            row = _row(columns, cells, lines.line_num)
            if (
                row.bib is not None
                and (before := taken.setdefault(row.bib, lines.line_num)) != lines.line_num
            ):
                raise _wrong(lines.line_num, f"the bib {row.bib} is already used in line {before:,}")
            rows.append(row)
    except csv.Error as error:
        raise _wrong(lines.line_num, f"is not valid CSV: {error}") from error
    if not rows:
        raise StartListError("has no competitors: after the line of column names, each line is a competitor")
    free = (bib for bib in count(1) if bib not in taken)
    return _made(rows, free, has_waves="wave" in columns)


def _made(rows: Sequence[_Row], free: Iterator[int], *, has_waves: bool) -> StartList:
    bibs = [next(free) if row.bib is None else row.bib for row in rows]
    return StartList(
        bib=np.array(bibs, np.int64),
        name=tuple(row.name or f"Runner {bib}" for bib, row in zip(bibs, rows, strict=True)),
        category=tuple(row.category or OPEN for row in rows),
        club=tuple(row.club for row in rows),
        wave=np.array([row.wave for row in rows], np.int64) if has_waves else None,
        pace=np.array([row.pace for row in rows]),
    )


def _delimiter(text: str) -> str:
    """Detect the delimiter of the columns."""
    first = text.lstrip().partition("\n")[0]
    return max(",;\t", key=first.count)


def _columns(heads: list[str]) -> list[str]:
    columns = [head.strip().lower() for head in heads]
    known = ", ".join(COLUMNS)
    for column in columns:
        if column not in COLUMNS:
            raise _wrong(1, f"unknown column {column[:MAX_WORDS]!r}; available: {known}")
        if columns.count(column) > 1:
            raise _wrong(1, f"the column {column} occurs twice")
    if not columns:
        raise StartListError(f"is empty; the first line must contain column names: {known}")
    return columns


def _row(columns: list[str], cells: list[str], line: int) -> _Row:
    if len(cells) != len(columns):
        raise _wrong(line, f"has {len(cells):,} cells for {len(columns)} columns")
    given = dict.fromkeys(COLUMNS, "") | {
        column: cell.strip() for column, cell in zip(columns, cells, strict=True)
    }
    texts = {column: given[column] for column in ("name", "category", "club")}
    for column, words in texts.items():
        if len(words) > MAX_WORDS:
            raise _wrong(line, f"the {column} has more than {MAX_WORDS} characters")
        if not words.isprintable():
            raise _wrong(line, f"the {column} has unprintable characters")
    bib = _whole(given["bib"], "bib", MAX_BIB, line)
    wave = _whole(given["wave"], "wave", MAX_WAVE, line) or 1
    return _Row(bib=bib, wave=wave, pace=_pace(given["pace"], line), **texts)


def _whole(cell: str, column: str, most: int, line: int) -> int | None:
    if not cell:
        return None
    # Longer numbers exceed any limit; `int` would also accept other scripts' digits, and is slow on many.
    if not re.fullmatch("[0-9]{1,9}", cell) or not 1 <= int(cell) <= most:
        raise _wrong(line, f"the {column} must be a whole number from 1 to {most:,}")
    return int(cell)


def _pace(cell: str, line: int) -> float:
    if not cell:
        return math.nan
    found = re.fullmatch(r"(?:([0-9]{1,2}):(?=[0-5][0-9](?:\.|$)))?([0-9]{1,4}(?:\.[0-9]{1,9})?)", cell)
    seconds = math.nan if found is None else 60 * int(found[1] or 0) + float(found[2])
    if not FASTEST <= seconds <= SLOWEST:
        raise _wrong(
            line,
            "the pace must be seconds per kilometre or minutes:seconds, "
            f"from {FASTEST:.0f} to {SLOWEST:.0f} seconds",
        )
    return seconds


def _wrong(line: int, what: str) -> StartListError:
    return StartListError(f"is invalid in line {line:,}: {what}")
