"""Coordinates in text: "lon,lat[,alt]", tolerating unambiguous typing errors."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from simulator.course.drawing import CourseError
from simulator.course.survey import limits
from stream.arrays import Floats

SHOWN = 60
"""Maximum length, in messages, of a name or an invalid number, characters."""
FEW = 20
"""Points that are parsed one by one in no more time than together."""
SHAPES = "lines, rings and markers"
ELEMENTS = "points of tracks and routes"
POINTS = "points"
_MOST = {SHAPES: limits.MAX_SHAPES, ELEMENTS: limits.MAX_ELEMENT_POINTS, POINTS: limits.MAX_FILE_POINTS}

_NUMERALS = b"0123456789+-.eE \t\r\n"
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
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Count `SHAPES`, `ELEMENTS` (points with an element of their own) or `POINTS`.

        Raises:
            CourseError: the file has too many.
        """
        self._counts[what] += count
        if self._counts[what] > _MOST[what]:
            raise CourseError(f"{self._source} has more than {_MOST[what]:,} {what}")

    def add_text(self, text: str) -> None:
        """Count the points in a text; raises CourseError if the file has too many."""
        # No notation has more than three commas per point.
        is_long = len(text) > _MAX_TEXT or text.count(",") > 3 * limits.MAX_FILE_POINTS
        self.add(POINTS, _MOST[POINTS] + 1 if is_long else len(text.split(None, limits.MAX_FILE_POINTS)))


class Place(NamedTuple):
    """A point as written: longitude, latitude and perhaps altitude; and its line in the file."""

    numbers: Sequence[str]
    line: int


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

    return _points([tuple(token.split(",")) for token in text.split()], line_of, source)


def points_of(places: Sequence[Place], source: str) -> Floats:
    """Return places as lon, lat, alt, as `points_in` does."""
    return _points([place.numbers for place in places], lambda index: places[index].line, source)


def _points(rows: Sequence[Sequence[str]], line_of: Callable[[int], int], source: str) -> Floats:
    if len(rows) > FEW and set(map(len, rows)) <= {2, 3}:
        # Valid points, the usual case, are parsed together, which is several times as fast.
        with suppress(ValueError):
            found = np.full((len(rows), 3), np.nan)
            widths = np.fromiter(map(len, rows), np.int64, len(rows))
            found[np.arange(3) < widths[:, None]] = _floats(list(chain.from_iterable(rows)))
            return found
    points = []
    for index, row in enumerate(rows):
        try:
            points.append(_point(row))
        except ValueError as error:
            raise CourseError(f"{source}, line {line_of(index)}: {error}") from None
    return np.array(points, float).reshape(-1, 3)


def _floats(texts: list[str]) -> Floats:
    """Parse numbers; raises ValueError if one is invalid."""
    if "".join(texts).encode(errors="replace").translate(None, _NUMERALS):
        raise ValueError
    values = np.fromiter(map(float, texts), np.float64, len(texts))
    if not np.isfinite(values).all():
        raise ValueError
    return values


def _point(row: Sequence[str]) -> tuple[float, float, float]:
    """Return one point's lon, lat and alt; raises ValueError with the reason."""
    # Commas at the end of a point are ignored.
    written = list(row)
    while written and not written[-1]:
        written.pop()
    if not 2 <= len(written) <= 3:
        has = f"{len(written)} numbers" if len(written) > 1 else "one number"
        raise ValueError(f"{shown(','.join(row))} is {has}, where a point is longitude,latitude[,altitude]")
    lon, lat, *alt = map(number, written)
    return lon, lat, alt[0] if alt else np.nan


def number(text: str) -> float:
    """Parse a number; raises ValueError with the reason."""
    if not text.encode(errors="replace").translate(None, _NUMERALS):
        with suppress(ValueError):
            if math.isfinite(value := float(text)):
                return value
    raise ValueError(f"{shown(text)} is not a number")


def clip(text: str, most: int = SHOWN) -> str:
    """Shorten a text for a message."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shown(text: str) -> str:
    """Quote a text from a file, on one line and shortened."""
    return f'"{clip(" ".join(text.split(None, SHOWN)))}"'


def named(place: str, name: str) -> str:
    """Describe where something is, for messages: "track at line 8 (Course)"."""
    return f"{place} ({clip(name)})" if name else place
