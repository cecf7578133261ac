"""Numbers, times and words as the files have them."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection)."""
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't have in any way."""


def harmless(text: str) -> str:
    """Return a text as a cell: with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as lines of CSV (RFC 4180), each with its CRLF; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def xml(text: str) -> str:
    """Return a text as XML has it between two tags."""
    return html.escape(_NOT_IN_XML.sub("\ufffd", text), quote=False)


def iso(milliseconds: NDArray[np.int64]) -> list[str]:
    """Return epoch milliseconds as ISO 8601 in UTC, to the millisecond."""
    moments = np.datetime_as_string(milliseconds.astype("datetime64[ms]"), unit="ms")
    return [f"{moment}Z" for moment in moments.tolist()]
