"""The rows and columns of a start list, as spreadsheets, registration and timing systems export them."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from simulator.race.start_list import columns
from simulator.race.start_list.columns import Ambiguous, Known
from simulator.race.start_list.limits import (
    MAX_COLUMNS,
    MAX_LINES,
    MAX_ROWS,
    MAX_USED,
    Report,
    StartListError,
    counted,
    listed,
    quoted,
)

DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=([^\r\n"])"?[,;\t]*(?:\r\n|\n|\r)', re.IGNORECASE)
"""The line that names the delimiter for Excel."""
_NO_CSV = (
    (re.compile(r"\s*<(?:!doctype|html|table|head|body|meta|div)\b", re.IGNORECASE), "is an HTML page"),
    (re.compile(r"\s*<\?xml|\s*<\w[^>]*\sxmlns"), "is an XML file"),
    (re.compile(r"\s*[{\[]\s*[\"\[{]"), "is JSON"),
    (re.compile(r"%PDF-"), "is a PDF file"),
    (re.compile(r"PK\x03\x04"), "is a spreadsheet file or a ZIP archive"),
)
"""How text begins that is not CSV."""
_FOOTER = re.compile(
    r"\s*(?:</?[a-z]|&copy;|©|copyright\b|powered by\b|(?:generated|exported|printed|created) (?:by|on)\b|"
    r"(?:page|seite|página) \d|"
    r"(?:(?:grand |sub)?totals?|gesamt|anzahl|totale|totaal|totalt|summe)(?:\s\w+)?\s*(?:[:=(\d]|$)|"
    # These are also names of people.
    r"(?:count|sum|summa|antal|nombre)(?:\s\w+)?\s*[:=(\d])",
    re.IGNORECASE,
)
"""How a line below the competitors begins that is none of them."""
_TITLES = 10
"""Maximum number of lines above the column names."""
_TITLE_CELLS = 2
"""Maximum number of filled cells of a title; a line with more has the column names."""
_LOOK = 65_536
"""Characters in which the column names are looked for."""
_MAX_FOOTERS = 20
_EMPTY = f"is empty; the first line must contain column names: {columns.OWN_NAMES}"


@dataclass(frozen=True)
class Column:
    """A column: its name as written, a cell for each competitor, and its number in the file, 0…."""

    head: str
    cells: list[str]
    nth: int = 0


@dataclass(frozen=True)
class Table:
    """The columns by field, and the number of each competitor's line."""

    lines: list[int]
    columns: dict[str, Column]


class Head(NamedTuple):
    """The column names.

    Attributes:
        delimiter: between the cells.
        above: number of rows above, without blank ones.
        cells: the names as written.
        known: how many of them are known, as far as that isn't a coincidence.
    """

    delimiter: str
    above: int
    cells: list[str]
    known: int


class Beginning(NamedTuple):
    """The beginning of a start list.

    Attributes:
        head: the line of column names, or what is likeliest to be it.
        rows: the first rows below it.
        begin, end: where in the text that line begins and ends, characters.
    """

    head: Head
    rows: list[list[str]]
    begin: int
    end: int


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read(text: str, report: Report) -> Table:
    """Return the table of a start list; raises StartListError if there is none."""
    _check_is_table(text)
    text, skipped, delimiter = _without_separator_line(_without_padding(text))
    head = _head(text, delimiter)
    rows = _rows(text, head.delimiter, skipped)
    # Blank rows are skipped here, too, so titles and names are the same rows as in `_head`.
    for title in islice(rows, head.above):
        report.warnings.append(
            f"Line {title.line:,} is above the column names and was skipped: {_shown(title)}"
        )
    named = next(rows, None)
    if named is None:
        raise StartListError(_EMPTY)
    wanted = [nth for nth, cell in enumerate(head.cells) if columns.of(cell) is not None]
    if len(wanted) > MAX_USED:
        raise StartListError(f"has more than {MAX_USED} columns with known names")
    lines, picked, unnamed = _pick(rows, named, wanted, report)
    report.check()
    if not lines:
        raise StartListError("has no competitors: after the line of column names, each line is a competitor")
    found = [Column(head.cells[nth], cells, nth) for nth, cells in zip(wanted, picked, strict=True)]
    others = [cell.strip() for nth, cell in enumerate(head.cells) if nth not in wanted and cell.strip()]
    chosen = _by_field(found, named.line, others, report)
    _note_unused(others, unnamed, chosen, report)
    return Table(lines, chosen)


def beginning(text: str, count: int) -> Beginning:
    """Return the column names of a start list, known or not, and the first `count` rows below them.

    Raises StartListError if it is no table.
    """
    _check_is_table(text)
    text = _without_padding(text)
    table, _, delimiter = _without_separator_line(text)
    heads = _heads(table, delimiter)
    head = _best(heads)
    if not head.known:
        # A title has few cells.
        head = max(heads, key=lambda one: (len(one.cells) > _TITLE_CELLS, -one.above, len(one.cells)))
    rows = _rows(table, head.delimiter, 0)
    named = next(islice(rows, head.above, None), None)
    if named is None:
        raise StartListError(_EMPTY)
    first = list(islice(rows, count))
    lines = list(islice(StringIO(table, newline=""), MAX_LINES))
    above, below = lines[: named.line - 1], lines[named.line - 1 :]
    reader = csv.reader(below, delimiter=head.delimiter, skipinitialspace=True)
    next(reader)
    begin = len(text) - len(table) + sum(map(len, above))
    end = begin + sum(map(len, below[: reader.line_num]))
    return Beginning(head, [row.cells for row in first], begin, end)


def _without_padding(text: str) -> str:
    """Return a text without what some programs mark or pad its end with."""
    return text.rstrip("\0\x1a")


def _check_is_table(text: str) -> None:
    head = text[:4096].removeprefix("\ufeff")
    for begins, what in _NO_CSV:
        if begins.match(head):
            raise StartListError(f"{what}, not CSV: open it in a spreadsheet and save it as CSV UTF-8")
    if head.count("\0") > len(head) // 4:
        raise StartListError("is UTF-16 text that was read as another encoding: save it as CSV UTF-8")


def _without_separator_line(text: str) -> tuple[str, int, str]:
    """Return the text after a line `sep=;`, the number of lines before it, and the delimiter or ""."""
    if (found := _SEPARATOR_LINE.match(text)) is not None:
        return text[found.end() :], 1, found[1]
    return text.removeprefix("\ufeff"), 0, ""


def _head(text: str, delimiter: str) -> Head:
    """Find the line of column names, and the delimiter with which most of them are known."""
    heads = _heads(text, delimiter)
    best = _best(heads)
    if not best.known:
        first = max(
            (head for head in heads if head.above == 0), key=lambda head: len(head.cells), default=best
        )
        found = listed([quoted(cell.strip()) for cell in first.cells if cell.strip()])
        raise StartListError(
            f"has no known column names: the first line has {found}; known: {columns.OWN_NAMES}"
        )
    return best


def _heads(text: str, delimiter: str) -> list[Head]:
    """Return the lines that may have the column names, for each delimiter; there is at least one."""
    delimiters = dict.fromkeys(delimiter + DELIMITERS)
    heads = [head for one in delimiters for head in _candidates(text[:_LOOK], one)]
    if not heads:
        raise StartListError(_EMPTY)
    return heads


def _best(heads: Sequence[Head]) -> Head:
    # Of equally good ones the earliest, then the one with the most cells, then that of the line `sep=`.
    best = max(heads, key=lambda head: (head.known, -head.above, len(head.cells)))
    if len(best.cells) > MAX_COLUMNS:
        raise StartListError(f"has more than {MAX_COLUMNS:,} columns")
    return best


def _candidates(text: str, delimiter: str) -> Iterator[Head]:
    """Yield the lines that may have the column names, up to the first with more cells than a title.

    Below such a line without any known name, one known name may be a coincidence.
    """
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    above, least = 0, 1
    try:
        for cells in rows:
            filled = sum(1 for cell in cells if cell.strip())
            if not filled:
                continue
            known = sum(1 for cell in cells if columns.of(cell) is not None)
            yield Head(delimiter, above, cells, known if known >= least else 0)
            above += 1
            if filled > _TITLE_CELLS:
                if known >= least:
                    return
                least = 2
            if above > _TITLES:
                return
    except csv.Error:
        # The reader of the whole text reports it, with its line.
        return


def _rows(text: str, delimiter: str, skipped: int) -> Iterator[_Row]:
    """Yield the rows that aren't blank, each with the number of its first line."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            if reader.line_num + skipped > MAX_LINES:
                raise StartListError(f"has more than {MAX_LINES:,} lines")
            if "".join(cells).strip().strip(DELIMITERS):
                yield _Row(line + skipped, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise StartListError(f"is invalid in line {line + skipped:,}: {_of_csv(error)}") from error


def _of_csv(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "is not valid CSV: a quote in this line is never closed"
    if "expected after" in str(error):
        return 'is not valid CSV: text follows a closing quote; a quote in a quoted cell is written ""'
    return f"is not valid CSV: {error}"


def _pick(
    rows: Iterator[_Row], named: _Row, wanted: Sequence[int], report: Report
) -> tuple[list[int], list[list[str]], list[int]]:
    """Return the competitors' lines, the cells of the wanted columns, and the unnamed columns with values."""
    unnamed = {nth for nth, cell in enumerate(named.cells) if not cell.strip()}
    filled: set[int] = set()
    lines: list[int] = []
    picked: list[tuple[str, ...]] = []
    # With two more indices it returns a tuple for any number of columns.
    pick = itemgetter(0, 0, *wanted)
    width = max(wanted, default=0) + 1
    for line, cells in _competitors(rows, named.cells, report):
        if len(lines) == MAX_ROWS:
            raise StartListError(f"has more than {MAX_ROWS:,} competitors")
        # Some programs leave out empty cells at the end.
        picked.append(pick(cells if len(cells) >= width else cells + [""] * (width - len(cells))))
        lines.append(line)
        if unnamed:
            filled.update(nth for nth, cell in enumerate(cells) if nth in unnamed and cell.strip())
    return lines, [list(column) for column in zip(*picked, strict=True)][2:], sorted(filled)


def _competitors(rows: Iterator[_Row], heads: list[str], report: Report) -> Iterator[_Row]:
    """Yield the rows without footers and repeated column names, for which there are warnings."""
    known = [columns.of(head) for head in heads]
    bib = next((nth for nth, one in enumerate(known) if isinstance(one, Known) and one.field == "bib"), None)
    skipped = 0
    for row in rows:
        if row.cells == heads or _is_footer(row.cells, len(heads), bib):
            skipped += 1
            if skipped <= _MAX_FOOTERS:
                report.warnings.append(
                    f"Line {row.line:,} is not a competitor and was skipped: {_shown(row)}"
                )
            continue
        if len(row.cells) > len(heads) and "".join(row.cells[len(heads) :]).strip():
            report.fault(row.line, _too_many(row.cells, len(heads)))
        yield row
    if skipped > _MAX_FOOTERS:
        more = counted(skipped - _MAX_FOOTERS, "more line")
        report.warnings.append(f"Below, {more} without a competitor were skipped")


def _is_footer(cells: list[str], width: int, bib: int | None) -> bool:
    """Return whether a row is a total or a remark.

    It has few filled cells, of which the first says so, or only words in place of a bib.
    """
    filled = len(cells) - cells.count("")
    if filled > min(2, width - 1):
        return False
    first = next(cell for cell in cells if cell and not cell.isspace())
    is_remark = filled == 1 and bib is not None and first in cells[bib : bib + 1] and len(first.split()) > 1
    return is_remark or _FOOTER.match(first) is not None


def _too_many(cells: list[str], width: int) -> str:
    return (
        f"has {len(cells):,} cells for {width:,} columns: quote a cell that contains the delimiter, "
        f"here near {quoted(cells[width - 1])}"
    )


def _shown(row: _Row) -> str:
    return quoted(" ".join(cell.strip() for cell in row.cells if cell.strip()))


def _by_field(found: Sequence[Column], line: int, others: list[str], report: Report) -> dict[str, Column]:
    """Return a column for each field; the names of those that are not used are added to `others`."""
    ranked: dict[str, list[tuple[bool, int, int]]] = {}
    unclear: list[tuple[Column, Ambiguous]] = []
    for nth, column in enumerate(found):
        is_blank = not any(cell.strip() for cell in column.cells)
        match columns.of(column.head):
            case Known(field, rank):
                ranked.setdefault(field, []).append((is_blank, rank, nth))
            case Ambiguous() as ambiguous if not is_blank:
                unclear.append((column, ambiguous))
    chosen = {}
    for field, candidates in ranked.items():
        best, *rest = sorted(candidates)
        chosen[field] = found[best[2]]
        rest = [one for one in rest if not one[0] and found[one[2]].cells != found[best[2]].cells]
        if any(rank == best[1] for _, rank, _ in rest):
            report.fault(
                line, f"the column {quoted(found[best[2]].head.strip())} occurs twice, with different values"
            )
        others += [found[nth].head.strip() for _, _, nth in rest]
    for column, (field, other) in unclear:
        if field in chosen and other.replace("expected ", "") in chosen:
            others.append(column.head.strip())
            continue
        report.fault(
            line,
            f'the column {quoted(column.head.strip())} could be "{field}" or "{other}": '
            "rename it to one of them, or delete it",
        )
    report.check()
    return chosen


def _note_unused(
    others: Sequence[str], unnamed: Sequence[int], chosen: dict[str, Column], report: Report
) -> None:
    """Warn about columns that are not used; raise StartListError if they may be the important ones."""
    names = [quoted(name) for name in dict.fromkeys(others)]
    names += [f"column {nth + 1} (without a name)" for nth in unnamed]
    if not names:
        return
    if chosen.keys().isdisjoint({"bib", "name", "last_first", "first", "last"}):
        raise StartListError(
            f"has no column with bibs or names; found: {listed(names)}; known: {columns.OWN_NAMES}"
        )
    report.warnings.append(f"Unused columns: {listed(names)}; known: {columns.OWN_NAMES}")
