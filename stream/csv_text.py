"""CSV (RFC 4180), as written by the API, the commands and the dashboard."""

import csv
import io
from collections.abc import Iterable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets run a cell that begins with one of these as a formula (OWASP, CSV injection)."""


def harmless(text: str) -> str:
    """Return a cell's text, with a leading apostrophe if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_head(columns: Iterable[str]) -> str:
    """Return the first line of a file, after a byte order mark.

    Without the mark, Excel reads UTF-8 in the encoding of the system, and names are wrong.
    """
    return f"\N{ZERO WIDTH NO-BREAK SPACE}{csv_lines([columns])}"


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV lines ending in CRLF; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
