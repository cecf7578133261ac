"""The content of a course file before any correction.

Each format's reader (`kml`, `gpx`, …) fills a `Drawing`; `survey` makes a `Course` of it or rejects it. So
readers need no geodesy, and the correction rules exist once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from stream.arrays import Floats, Ints, Mask

YES = frozenset({"yes", "true", "1"})
"""Texts that mean true, in lower case."""
_WHOLE = re.compile(r"\s*\+?([0-9]{1,9})(\.0*)?\s*", re.ASCII)
_METRES = re.compile(
    r"\s*([0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*(?:m|metres?|meters?)?\s*", re.IGNORECASE | re.ASCII
)


class CourseError(ValueError):
    """An unusable course file or course; the text gives the reason and the place."""


@dataclass(frozen=True, eq=False)
class Path:
    """A track or the like with lines that belong together; `where` is its position in the file."""

    where: str


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a drawing.

    Attributes:
        lon, lat: degrees WGS84, shape (n,), as in the file.
        alt: metres, shape (n,), NaN where the file has none.
        where: position in the file, for messages: "LineString at line 8 (Course)".
        path: the path of which the line is a piece, or None if it stands alone.
    """

    lon: Floats
    lat: Floats
    alt: Floats
    where: str
    path: Path | None = None

    def take(self, which: Ints | Mask | slice) -> "Line":
        """Return the line with some of its points, or in another order."""
        return replace(self, lon=self.lon[which], lat=self.lat[which], alt=self.alt[which])


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


@dataclass
class Drawing:
    """The content of a course file; readers add to it.

    Attributes:
        name: the document's own name, or "" if it has none.
        lines: every line of two points or more, in the file's order.
        markers: every named point, and every timing point.
        polygons: every polygon.
        laps: number of laps, or None if the file has none.
        warnings: what the reader left out.
        routes: lines that are planned rather than recorded or drawn.
        widths: the widths of the path, metres, each once: more than one if its parts have different ones.
    """

    name: str = ""
    lines: list[Line] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    polygons: list[Ring] = field(default_factory=list)
    laps: int | None = None
    warnings: list[str] = field(default_factory=list)
    routes: list[Line] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    def leave_out(self, where: str, reason: object) -> None:
        """Warn about something that is left out."""
        self.warnings.append(f"The {where} is left out: {reason}")

    def add_line(
        self, points: Floats, where: str, path: Path | None = None, *, is_route: bool = False
    ) -> None:
        """Add a line of points (lon, lat, alt), shape (n, 3), unless it is too short."""
        if len(points) < 2:
            self.leave_out(where, f"it has {'one point' if len(points) else 'no points'}")
            return
        lon, lat, alt = points.T
        (self.routes if is_route else self.lines).append(Line(lon, lat, alt, where, path))

    def add_marker(self, name: str, where: str, read: Callable[[], Floats], *, is_timing: bool) -> None:
        """Add a marker if it means something; one without a valid place doesn't invalidate the course.

        Args:
            name: its name, or "".
            where: its position in the file.
            read: returns its place, shape (1, 2 or more), or raises CourseError.
            is_timing: whether it is marked as a timing point.
        """
        if not name and not is_timing:
            return
        try:
            points = read()
        except CourseError as error:
            self.leave_out(where, error)
            return
        if len(points) != 1:
            self.leave_out(where, f"it has {len(points)} places instead of one")
            return
        self.markers.append(Marker(name, float(points[0, 0]), float(points[0, 1]), where, is_timing))

    def set_laps(self, text: str, shown: str) -> None:
        """Set the number of laps; raises CourseError, without the place, if it is invalid or a second one."""
        whole = _WHOLE.fullmatch(text)
        if not whole:
            raise CourseError(f"laps is {shown}, not a whole number")
        laps = int(whole[1])
        if self.laps not in {None, laps}:
            raise CourseError(f"laps is {laps} here but {self.laps} further up")
        self.laps = laps

    def add_width(self, text: str, shown: str) -> None:
        """Add a width of the path; one that can't be read doesn't invalidate the course."""
        metres = metres_in(text)
        if metres is None:
            self.warnings.append(f"The path's width is left out: {shown} is no number of metres")
        elif metres not in self.widths:
            self.widths.append(metres)


def metres_in(text: str) -> float | None:
    """Return the metres in a text such as "4", "4.5 m" or "4,5 metres"; None if it is anything else."""
    found = _METRES.fullmatch(text)
    return float(found[1].replace(",", ".")) if found else None
