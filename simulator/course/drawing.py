"""The content of a course file before any correction.

Each format's reader (`kml`, `gpx`, …) returns a `Drawing`; `survey` makes a `Course` of it or rejects it. So
readers need no geodesy, and the correction rules exist once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.arrays import Floats


YES = frozenset({"yes", "true", "1"})
"""Texts that mean true, in lower case."""


class CourseError(ValueError):
    """An unusable course file or course; the text gives the reason and the place."""


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a drawing.

    Attributes:
        lon, lat: degrees WGS84, shape (n,), as in the file.
        alt: metres, shape (n,), NaN where the file has none.
        where: position in the file, for messages: "LineString at line 8 (Course)".
    """

    lon: Floats
    lat: Floats
    alt: Floats
    where: str


@dataclass(frozen=True)
class Marker:
    """A named point: `lon`, `lat` in degrees.

    Attributes:
        is_timing: whether the file marks it as a timing point other than by its name; then the name may be
            missing.
    """

    name: str
    lon: float
    lat: float
    where: str
    is_timing: bool = False


@dataclass(frozen=True, eq=False)
class Ring:
    """A polygon's outer ring and its holes, each of shape (n, 2) as lon, lat; closed or not."""

    name: str
    outer: Floats
    holes: tuple[Floats, ...]
    where: str


@dataclass(frozen=True)
class Drawing:
    """The content of a course file.

    Attributes:
        name: the document's own name, or "" if it has none.
        lines: every line of two points or more, in the file's order.
        markers: every named point, and every timing point.
        polygons: every polygon.
        laps: number of laps.
        warnings: what the reader left out.
    """

    name: str
    lines: tuple[Line, ...]
    markers: tuple[Marker, ...] = ()
    polygons: tuple[Ring, ...] = ()
    laps: int = 1
    warnings: tuple[str, ...] = field(default=())
