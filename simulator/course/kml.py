"""Reads KML into a `Drawing`.

It uses lxml rather than fastkml, because errors must name the line of the file, files are untrusted, and many
real files use undeclared namespace prefixes or no namespace (see `xml`).

It corrects unambiguous typing errors; `survey` decides what a valid course is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.course import coordinates, xml
from simulator.course.drawing import YES, CourseError, Drawing, Line, Marker, Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from stream.arrays import Floats


_ROOTS = frozenset({"kml", "Document", "Folder", "Placemark"})
_DROPPED = frozenset({"when", "angles", "description", "Style", "StyleMap", "Schema", "LookAt", "Camera"})
"""Elements that may be numerous or long and are irrelevant to a course."""
_LONGEST = 100
"""Maximum length of a place in a gx:Track, characters."""
_WHOLE = re.compile(r"\s*\+?([0-9]{1,9})(\.0*)?\s*", re.ASCII)


def read(data: bytes, source: str = "KML") -> Drawing:
    """Read a KML file.

    Lines are LineStrings, gx:Tracks and standalone LinearRings; markers are Points named after their
    Placemark; `laps`, and a Placemark's `timing`, come from ExtendedData (Data or SimpleData). Altitudes
    relative to the ground are ignored.

    Args:
        data: the file.
        source: name of the file in messages.

    Raises:
        CourseError: the file isn't KML or is ambiguous; names the line.
    """
    root, taken = xml.sift(data, source, lambda: _takers(source), _DROPPED)
    if xml.local(root) not in _ROOTS:
        raise CourseError(
            f"{source} isn't KML: its outermost element is <{coordinates.clip(xml.local(root))}>"
        )
    return _Reading(source, taken).drawing(root)


class _List(NamedTuple):
    """A list of coordinates, or the error in it; and its line."""

    points: Floats | CourseError
    line: int


class _Coord(NamedTuple):
    """A place of a gx:Track, written like an item of a coordinate list; and its line."""

    token: str
    line: int


def _takers(source: str) -> Mapping[str, Callable[[etree._Element], _List | _Coord]]:
    """Return the functions that extract coordinates, the only numerous elements of a course."""
    tally = coordinates.Tally(source)

    def coordinates_of(element: etree._Element) -> _List:
        text, line = xml.text(element), xml.lineno(element)
        tally.shape()
        coordinates.count_in(text, tally)
        try:
            return _List(coordinates.points_in(text, line, source), line)
        except CourseError as error:
            # An error for a line, but irrelevant for an unnamed point.
            return _List(error, line)

    def coord_of(element: etree._Element) -> _Coord:
        tally.element()
        token = ",".join((element.text or "").replace(",", " ").split(None, 4))
        # An empty gx:coord means an unknown position at that time.
        return _Coord(token if len(token) <= _LONGEST else f"{token[:_LONGEST]}…", xml.lineno(element))

    return {"coordinates": coordinates_of, "coord": coord_of}


@dataclass
class _Reading:
    """State while reading a file."""

    source: str
    taken: Mapping[etree._Element, list[_List | _Coord]]
    name: str = ""
    lines: list[Line] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    polygons: list[Ring] = field(default_factory=list)
    laps: int | None = None
    warnings: list[str] = field(default_factory=list)
    names: dict[etree._Element, str] = field(default_factory=dict)
    timing: dict[etree._Element, bool] = field(default_factory=dict)

    def drawing(self, root: etree._Element) -> Drawing:
        """Read every element, in the file's order."""
        for element in root.iter(*(f"{{*}}{name}" for name in _TAKERS)):
            _TAKERS[xml.local(element)](self, element)
        return Drawing(
            name=self.name,
            lines=tuple(self.lines),
            markers=tuple(self.markers),
            polygons=tuple(self.polygons),
            laps=1 if self.laps is None else self.laps,
            warnings=tuple(self.warnings),
        )

    def take_name(self, document: etree._Element) -> None:
        self.name = self.name or xml.name(document)

    def take_line(self, element: etree._Element) -> None:
        parent = element.getparent()
        if parent is not None and xml.local(parent) in {"Polygon", "outerBoundaryIs", "innerBoundaryIs"}:
            return
        self._add_line(element, self._coordinates(element))

    def take_track(self, element: etree._Element) -> None:
        found = self.taken.get(element, [])
        coords = [coord for coord in found if isinstance(coord, _Coord) and coord.token]
        tokens = [coord.token for coord in coords]
        points = coordinates.points(tokens, lambda index: coords[index].line, self.source)
        self._add_line(element, points)

    def take_point(self, element: etree._Element) -> None:
        name, is_timing = self._placemark_name(element), self._is_timing(element)
        if not name and not is_timing:
            return
        where = self._where(element)
        try:
            points = self._coordinates(element)
        except CourseError as error:
            self.warnings.append(f"The {where} is left out: {error}")
            return
        if len(points) != 1:
            self.warnings.append(f"The {where} is left out: it has {len(points)} places instead of one")
            return
        self.markers.append(Marker(name, float(points[0, 0]), float(points[0, 1]), where, is_timing))

    def take_polygon(self, element: etree._Element) -> None:
        # A nested one would add the same rings again.
        if next(element.iterancestors("{*}Polygon"), None) is not None:
            return
        holes: list[Floats] = []
        outer: list[Floats] = []
        for ring in element.iter("{*}LinearRing"):
            parent = ring.getparent()
            inner = parent is not None and xml.local(parent) == "innerBoundaryIs"
            (holes if inner else outer).append(self._coordinates(ring)[:, :2])
        where = self._where(element)
        if len(outer) != 1:
            raise CourseError(
                f"{self._at(element)}: the {where} has {len(outer)} outer boundaries instead of one"
            )
        self.polygons.append(Ring(self._placemark_name(element), outer[0], tuple(holes), where))

    def take_laps(self, element: etree._Element) -> None:
        if _data_name(element) != "laps":
            return
        text = _data_text(element)
        whole = _WHOLE.fullmatch(text)
        if not whole:
            raise CourseError(f"{self._at(element)}: laps is {coordinates.shown(text)}, not a whole number")
        laps = int(whole[1])
        if self.laps not in {None, laps}:
            raise CourseError(f"{self._at(element)}: laps is {laps} here but {self.laps} further up")
        self.laps = laps

    def take_link(self, element: etree._Element) -> None:
        self.warnings.append(
            f"The NetworkLink at line {xml.lineno(element)} isn't followed: save what it links to"
        )

    def _add_line(self, element: etree._Element, points: Floats) -> None:
        where = self._where(element)
        if len(points) < 2:
            has = "one point" if len(points) else "no points"
            self.warnings.append(f"The {where} is left out: it has {has}")
            return
        lon, lat, alt = points.T
        mode = xml.child(element, "altitudeMode")
        if mode is not None and xml.text(mode).strip() == "relativeToGround":
            alt = np.full(len(alt), np.nan)
        self.lines.append(Line(lon, lat, alt, where))

    def _placemark_name(self, element: etree._Element) -> str:
        """Return the name of a geometry's Placemark."""
        placemark = _placemark(element)
        if placemark is None:
            return ""
        # Cached: a Placemark may hold any number of geometries before its name.
        if placemark not in self.names:
            self.names[placemark] = xml.name(placemark)
        return self.names[placemark]

    def _is_timing(self, element: etree._Element) -> bool:
        """Return whether a geometry's Placemark is marked as a timing point."""
        placemark = _placemark(element)
        if placemark is None:
            return False
        if placemark not in self.timing:
            self.timing[placemark] = any(
                _data_name(data) == "timing" and _data_text(data).strip().casefold() in YES
                for data in placemark.iter("{*}Data", "{*}SimpleData")
            )
        return self.timing[placemark]

    def _where(self, element: etree._Element) -> str:
        return xml.where(xml.local(element), element, self._placemark_name(element))

    def _coordinates(self, element: etree._Element) -> Floats:
        """Return the element's coordinates as lon, lat, alt, shape (n, 3), NaN without altitude."""
        lists = [found for found in self.taken.get(element, []) if isinstance(found, _List)]
        if not lists:
            return np.empty((0, 3))
        if len(lists) > 1:
            raise CourseError(
                f"{self.source}, line {lists[1].line}: a second list of coordinates in one "
                f"{xml.local(element)}"
            )
        points = lists[0].points
        if isinstance(points, CourseError):
            raise points
        return points

    def _at(self, element: etree._Element) -> str:
        return f"{self.source}, line {xml.lineno(element)}"


def _placemark(element: etree._Element) -> etree._Element | None:
    return next(element.iterancestors("{*}Placemark"), None)


def _data_name(element: etree._Element) -> str:
    return str(element.get("name", "")).strip().casefold()


def _data_text(element: etree._Element) -> str:
    """Return the value of a Data or a SimpleData."""
    value = xml.child(element, "value") if xml.local(element) == "Data" else element
    return "" if value is None else xml.text(value)


_TAKERS: dict[str, Callable[[_Reading, etree._Element], None]] = {
    "Document": _Reading.take_name,
    "Folder": _Reading.take_name,
    "LineString": _Reading.take_line,
    "LinearRing": _Reading.take_line,
    "Track": _Reading.take_track,
    "Point": _Reading.take_point,
    "Polygon": _Reading.take_polygon,
    "Data": _Reading.take_laps,
    "SimpleData": _Reading.take_laps,
    "NetworkLink": _Reading.take_link,
}
