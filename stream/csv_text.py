"""CSV (RFC 4180) as the API, the commands and the page write it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection)."""


def harmless(text: str) -> str:
    """Return a text as a cell: with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as lines of CSV, each with its CRLF; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
