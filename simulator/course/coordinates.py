"""Coordinates in text: "lon,lat[,alt]", tolerating unambiguous typing errors."""

from __future__ import annotations

import contextlib
import math
import re
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from simulator.course.drawing import CourseError
from simulator.course.survey import limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.arrays import Floats


SHOWN = 60
"""Maximum length, in messages, of a name or an invalid number, characters."""

_NUMERALS = b"0123456789+-.eE, \t\r\n"
_BLANK = " \t\u00a0"
_MAX_TEXT = 6_000_000
"""Maximum length of a text of points: fifty characters each, more than the significant digits."""
_SPACED_COMMA = re.compile(f",[{_BLANK}]|[{_BLANK}],")


class Tally:
    """Counts a file's shapes and points, so that a file with too many is rejected before they are parsed.

    Args:
        source: name of the file in messages.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._shapes = 0
        self._points = 0
        self._elements = 0

    def shape(self) -> None:
        """Count a line, a ring or a marker; raises CourseError if the file has too many."""
        self._shapes += 1
        if self._shapes > limits.MAX_SHAPES:
            raise CourseError(f"{self._source} has more than {limits.MAX_SHAPES:,} lines, rings and markers")

    def element(self) -> None:
        """Count a point with an element of its own; raises CourseError if the file has too many."""
        self._elements += 1
        if self._elements > limits.MAX_ELEMENT_POINTS:
            raise CourseError(
                f"{self._source} has more than {limits.MAX_ELEMENT_POINTS:,} points of tracks and routes"
            )

    def points(self, count: int) -> None:
        """Count points; raises CourseError if the file has too many."""
        self._points += count
        if self._points > limits.MAX_FILE_POINTS:
            raise CourseError(f"{self._source} has more than {limits.MAX_FILE_POINTS:,} points")


def points_in(text: str, line: int, source: str) -> Floats:
    """Return the points in a text as lon, lat, alt, shape (n, 3), NaN without altitude.

    Points are separated by white space. Blanks next to commas are tolerated; a line break always ends a
    point.

    Args:
        text: the points, as KML's `coordinates`.
        line: the line of the file at which the text starts.
        source: name of the file in messages.

    Raises:
        CourseError: something in it isn't a point; names the line.
    """
    if _SPACED_COMMA.search(text):
        text = ",".join(part.strip(_BLANK) for part in text.split(","))

    def line_of(index: int) -> int:
        token = next(islice(re.finditer(r"\S+", text), index, None))
        return line + text.count("\n", 0, token.start())

    return points(text.split(), line_of, source)


def count_in(text: str, tally: Tally) -> None:
    """Count the points in a text; raises CourseError if the file has too many."""
    # No notation has more than three commas per point.
    if len(text) > _MAX_TEXT or text.count(",") > 3 * limits.MAX_FILE_POINTS:
        tally.points(limits.MAX_FILE_POINTS + 1)
    tally.points(len(text.split(None, limits.MAX_FILE_POINTS)))


def points(tokens: list[str], line_of: Callable[[int], int], source: str) -> Floats:
    """Parse points written as "lon,lat[,alt]", shape (n, 3); `line_of` gives a token's line.

    Raises:
        CourseError: a token isn't a point.
    """
    if not tokens:
        return np.empty((0, 3))
    found = _regular(tokens)
    if found is None:
        found = np.empty((len(tokens), 3))
        for index, token in enumerate(tokens):
            try:
                found[index] = _point(token)
            except ValueError as error:
                raise CourseError(f"{source}, line {line_of(index)}: {error}") from None
    return found


def clip(text: str) -> str:
    """Shorten a text for a message."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def shown(text: str) -> str:
    """Quote a text from a file, on one line and shortened."""
    return f'"{clip(" ".join(text.split(None, SHOWN)))}"'


def _regular(tokens: list[str]) -> Floats | None:
    """Parse uniformly written points, the usual case, three times as fast; None if they are not."""
    widths = {token.count(",") + 1 for token in tokens}
    joined = ",".join(tokens)
    if len(widths) != 1 or not widths <= {2, 3} or joined.encode().translate(None, _NUMERALS):
        return None
    numbers = joined.split(",")
    try:
        values = np.fromiter(map(float, numbers), np.float64, len(numbers)).reshape(len(tokens), -1)
    except ValueError:
        return None
    if not np.isfinite(values).all():
        return None
    return values if values.shape[1] == 3 else np.column_stack([values, np.full(len(values), np.nan)])


def _point(token: str) -> tuple[float, float, float]:
    """Return one point's lon, lat and alt; raises ValueError with the reason."""
    parts = token.rstrip(",").split(",")
    if not 2 <= len(parts) <= 3:
        found = "one number" if len(parts) == 1 else f"{len(parts)} numbers"
        raise ValueError(f"{shown(token)} is {found}, where a point is longitude,latitude[,altitude]")
    lon, lat, *alt = map(number, parts)
    return lon, lat, alt[0] if alt else math.nan


def number(text: str) -> float:
    """Parse a number; raises ValueError with the reason."""
    if not text.encode(errors="replace").translate(None, _NUMERALS):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError(f"{shown(text)} is not a number")


def numbers(texts: list[str]) -> Floats:
    """Parse many numbers at once; raises ValueError with the invalid one."""
    if not "".join(texts).encode(errors="replace").translate(None, _NUMERALS):
        with contextlib.suppress(ValueError):
            found = np.fromiter(map(float, texts), np.float64, len(texts))
            if np.isfinite(found).all():
                return found
    return np.array(list(map(number, texts)))
