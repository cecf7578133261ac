"""What a course file says, before anything is put right.

Every format's reader (`kml`, `gpx`, …) makes a `Drawing`; `survey` makes a `Course` of it, or
refuses it. So the readers know nothing of geodesics, and the rules for untidy files are written once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.arrays import Floats


YES = frozenset({"yes", "true", "1"})
"""How a file says that something is so, in any case."""


class CourseError(ValueError):
    """A course file, or the course in it, can't be used; the text says what is wrong and where."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a drawing.

    Attributes:
        lon, lat: degrees WGS84, shape (n,), as they stand in the file.
        alt: metres, shape (n,), NaN where the file gives none.
        where: where in the file the line is, for messages: "LineString at line 8 (Course)".
    """

    lon: Floats
    lat: Floats
    alt: Floats
    where: str


@dataclass(frozen=True)
class Marker:
    """A named point: `lon`, `lat` in degrees.

    Attributes:
        is_timing: whether the file says, other than by the name, that it is a timing point; then the name
            may be missing.
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
    """All that a course file holds.

    Attributes:
        name: the document's own name, or "" if it has none.
        lines: every line of two points or more, in the file's order.
        markers: every named point, and every timing point.
        polygons: every polygon.
        laps: how many times the line is run.
        warnings: what the reader left out, in plain words.
    """

    name: str
    lines: tuple[Line, ...]
    markers: tuple[Marker, ...] = ()
    polygons: tuple[Ring, ...] = ()
    laps: int = 1
    warnings: tuple[str, ...] = field(default=())
