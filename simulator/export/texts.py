"""Texts and times for XML and CSV files."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stream.arrays import Ints

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that are invalid in XML 1.0."""


def xml(text: str) -> str:
    """Escape a text for XML."""
    return html.escape(_NOT_IN_XML.sub("\ufffd", text), quote=False)


def iso(milliseconds: Ints) -> list[str]:
    """Return epoch milliseconds as ISO 8601 in UTC, to the millisecond."""
    moments = np.datetime_as_string(milliseconds.astype("datetime64[ms]"), unit="ms")
    return [f"{moment}Z" for moment in moments.tolist()]
