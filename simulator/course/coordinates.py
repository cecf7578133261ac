"""Coordinates in text: "lon,lat[,alt]", tolerating unambiguous typing errors."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from simulator.course.drawing import CourseError
from simulator.course.survey import limits
from stream.arrays import Floats

SHOWN = 60
"""Maximum length, in messages, of a name or an invalid number, characters."""
SHAPES = "lines, rings and markers"
ELEMENTS = "points of tracks and routes"
POINTS = "points"
_MOST = {SHAPES: limits.MAX_SHAPES, ELEMENTS: limits.MAX_ELEMENT_POINTS, POINTS: limits.MAX_FILE_POINTS}

_NUMERALS = b"0123456789+-.eE \t\r\n"
_BLANK = " \t\u00a0"
_MAX_TEXT = 6_000_000
"""Maximum length of a text of points: fifty characters each, more than the significant digits."""
_UNKNOWN = {"", "nan"}
"""What receivers write for an altitude that they don't know."""
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


class Unread:
    """What isn't a number in the points of a line.

    A few such points are left out. Altitudes are dispensable: unreadable ones count as missing.

    Args:
        points: number of points of the line.
        warnings: what is left out is added.
    """

    def __init__(self, points: int, warnings: list[str]) -> None:
        self._most = min(limits.MAX_IMPOSSIBLE, int(limits.MAX_GAPS * points))
        self._warnings = warnings
        self._points: list[CourseError] = []
        self._altitudes = 0
        self._first = ""

    def point(self, error: CourseError) -> None:
        """Leave out a point; raises the first point's error if there are too many."""
        self._points.append(error)
        if len(self._points) > self._most:
            raise self._points[0]

    def altitude(self, error: Callable[[], CourseError]) -> None:
        """Leave out an altitude; only the first one's error is asked for."""
        self._first = self._first or str(error())
        self._altitudes += 1

    def warn(self) -> None:
        """Add the warnings, after the last point."""
        self._warnings += [f"A point is left out: {error}" for error in self._points]
        if self._altitudes:
            many = f"{self._altitudes:,} altitudes count as missing, the first"
            one = "An altitude counts as missing"
            self._warnings.append(f"{many if self._altitudes > 1 else one}: {self._first}")


def points_in(text: str, line: int, source: str, warnings: list[str]) -> Floats:
    """Return the points in a text as lon, lat, alt, shape (n, 3), NaN without altitude.

    Points are separated by white space. Blanks next to commas are tolerated; a line break always ends a
    point.

    Args:
        text: the points, as KML's `coordinates`.
        line: the line of the file at which the text starts.
        source: name of the file in messages.
        warnings: what is left out is added, as `Unread` says.

    Raises:
        CourseError: something in it isn't a point; names the line.
    """
    if _SPACED_COMMA.search(text):
        text = ",".join(part.strip(_BLANK) for part in text.split(","))

    def line_of(index: int) -> int:
        token = next(islice(re.finditer(r"\S+", text), index, None))
        return line + text.count("\n", 0, token.start())

    return _points([tuple(token.split(",")) for token in text.split()], line_of, source, warnings)


def points_of(places: Sequence[Place], source: str, warnings: list[str]) -> Floats:
    """Return places as lon, lat, alt, as `points_in` does; each number may have a decimal comma."""
    return _points([place.numbers for place in places], lambda index: places[index].line, source, warnings)


def _points(
    rows: Sequence[Sequence[str]], line_of: Callable[[int], int], source: str, warnings: list[str]
) -> Floats:
    def error(index: int, reason: object) -> CourseError:
        return CourseError(f"{source}, line {line_of(index)}: {reason}")

    def height_error(index: int) -> CourseError:
        return error(index, f"{shown(heights[index])} is not a number")

    if not (set(map(len, rows)) <= {2, 3} and all(row[-1] for row in rows)):
        rows = _trimmed(rows, error)
    degrees = list(chain.from_iterable(row[:2] for row in rows))
    heights = [row[2] if len(row) > 2 else "" for row in rows]
    if "," in "".join(degrees):
        # Degrees have no thousands: these are decimal commas, and so are those of the altitudes.
        degrees, heights = ([text.replace(",", ".") for text in texts] for texts in (degrees, heights))
    found = np.column_stack([_values(degrees).reshape(-1, 2), _values(heights)])
    unread = Unread(len(rows), warnings)
    wrong = np.isnan(found[:, :2]).any(axis=1)
    for index in np.flatnonzero(wrong).tolist():
        unread.point(error(index, _fault(*rows[index][:2])))
    for index in np.flatnonzero(np.isnan(found[:, 2])).tolist():
        if heights[index].strip().casefold() not in _UNKNOWN:
            unread.altitude(partial(height_error, index))
    unread.warn()
    return found[~wrong]


def _trimmed(
    rows: Sequence[Sequence[str]], error: Callable[[int, object], CourseError]
) -> list[Sequence[str]]:
    """Return rows of two or three numbers, without the commas at their ends."""
    trimmed: list[Sequence[str]] = []
    for index, row in enumerate(rows):
        written = list(row)
        while written and not written[-1]:
            written.pop()
        if not 2 <= len(written) <= 3:
            has = f"{len(written)} numbers" if len(written) > 1 else "one number"
            place = "where a point is longitude,latitude[,altitude]"
            place += ", each with a decimal point" if 3 < len(written) <= 6 else ""
            raise error(index, f"{shown(','.join(row))} is {has}, {place}")
        trimmed.append(written)
    return trimmed


def _values(texts: list[str]) -> Floats:
    """Parse numbers; NaN is for what isn't one."""
    # Valid numbers, the usual case, are checked together, which is several times as fast.
    if not "".join(texts).encode(errors="replace").translate(None, _NUMERALS):
        with suppress(ValueError):
            found = np.fromiter(map(float, texts), np.float64, len(texts))
            return np.where(np.isfinite(found), found, np.nan)
    return np.fromiter(map(value, texts), np.float64, len(texts))


def _fault(lon: str, lat: str) -> str:
    """Return what is wrong with a point's degrees."""
    name, text = ("longitude", lon) if math.isnan(value(lon)) else ("latitude", lat)
    return f"{shown(text)} is not a number" if text.strip() else f"the point has no {name}"


def value(text: str) -> float:
    """Parse a number; NaN if it isn't one."""
    if not text.encode(errors="replace").translate(None, _NUMERALS):
        with suppress(ValueError):
            if math.isfinite(found := float(text)):
                return found
    return math.nan


def number(text: str) -> float:
    """Parse a number; raises ValueError with the reason."""
    if math.isnan(found := value(text)):
        raise ValueError(f"{shown(text)} is not a number")
    return found


def clip(text: str, most: int = SHOWN) -> str:
    """Shorten a text for a message."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shown(text: str) -> str:
    """Quote a text from a file, on one line and shortened."""
    return f'"{clip(" ".join(text.split(None, SHOWN)))}"'


def named(place: str, name: str) -> str:
    """Describe where something is, for messages: "track at line 8 (Course)"."""
    return f"{place} ({clip(name)})" if name else place
