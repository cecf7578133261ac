"""Reads KML into a `Drawing`.

It uses lxml rather than fastkml, because errors must name the line of the file, files are untrusted, and many
real files use undeclared namespace prefixes or no namespace (see `xml`).

It corrects unambiguous typing errors; `survey` decides what a valid course is.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from lxml import etree

from simulator.course import coordinates, xml
from simulator.course.coordinates import Place, Tally
from simulator.course.drawing import YES, CourseError, Drawing, Path, Ring
from stream.arrays import Floats

_DROPPED = frozenset({"when", "angles", "description", "Style", "StyleMap", "Schema", "LookAt", "Camera"})
"""Elements that may be numerous or long and are irrelevant to a course."""
_LONGEST = 100
"""Maximum length of a number in a gx:Track, characters."""


class Link(NamedTuple):
    """A NetworkLink: what it links to, and its line."""

    href: str
    line: int

    def not_followed(self) -> str:
        """Return the warning about a link to another file."""
        return f"The NetworkLink at line {self.line} isn't followed: save what it links to"


def read(data: bytes, source: str = "KML") -> Drawing:
    """Read a KML file, called `source` in messages.

    Lines are LineStrings, gx:Tracks and standalone LinearRings; markers are Points named after their
    Placemark; `laps`, `width` of a path, and a Placemark's `timing`, come from ExtendedData (Data or
    SimpleData). Altitudes relative to the ground are ignored.

    Raises:
        CourseError: the file isn't well-formed or is ambiguous; names the line.
    """
    drawing = Drawing()
    links = add(drawing, data, source)
    drawing.warnings += [link.not_followed() for link in links]
    return drawing


def add(drawing: Drawing, data: bytes, source: str) -> list[Link]:
    """Add what is in a KML file to a drawing, as `read` does, and return its links to other files."""
    root, taken = xml.sift(data, source, lambda: _takers(source), _DIALECT, drawing.warnings)
    reading = _Reading(source, taken, drawing)
    for element in root.iter(*(f"{{*}}{name}" for name in _TAKERS)):
        _TAKERS[xml.local(element)](reading, element)
    return reading.links


class _List(NamedTuple):
    """A list of coordinates, or the error in it; its line, and what is left out."""

    points: Floats | CourseError
    line: int
    warnings: list[str]


def _takers(source: str) -> xml.Takers:
    """Return the functions that extract coordinates, the only numerous elements of a course."""
    tally = Tally(source)

    def coordinates_of(element: etree._Element) -> _List:
        text, line = xml.text(element), xml.lineno(element)
        tally.add(coordinates.SHAPES)
        tally.add_text(text)
        warnings: list[str] = []
        try:
            return _List(coordinates.points_in(text, line, source, warnings), line, warnings)
        except CourseError as error:
            # An error for a line, but irrelevant for an unnamed point.
            return _List(error, line, warnings)

    def coord_of(element: etree._Element) -> Place:
        tally.add(coordinates.ELEMENTS)
        text = element.text or ""
        numbers = text.split(None, 4)
        if not 2 <= len(numbers) <= 3 or "." in text:
            # Commas separate numbers; otherwise they are decimal commas.
            numbers = text.replace(",", " ").split(None, 4)
        return Place([coordinates.clip(number, _LONGEST) for number in numbers], xml.lineno(element))

    return {"coordinates": coordinates_of, "coord": coord_of}


class _Reading:
    """State while reading a file."""

    def __init__(self, source: str, taken: xml.Taken, drawing: Drawing) -> None:
        self.drawing = drawing
        self.links: list[Link] = []
        self._source = source
        self._taken = taken
        self._placemarks: dict[etree._Element, tuple[str, bool]] = {}
        self._paths: dict[etree._Element, Path] = {}

    def take_name(self, document: etree._Element) -> None:
        self.drawing.name = self.drawing.name or xml.name(document)

    def take_line(self, element: etree._Element) -> None:
        parent = element.getparent()
        if parent is None or xml.local(parent) not in {"Polygon", "outerBoundaryIs", "innerBoundaryIs"}:
            points = self._coordinates(element)
            if xml.local(element) == "LinearRing" and not np.array_equal(points[:1, :2], points[-1:, :2]):
                # It is closed by definition.
                points = np.concatenate([points, points[:1]])
            self._add_line(element, points)

    def take_track(self, element: etree._Element) -> None:
        found = self._taken.get(element, [])
        # An empty gx:coord means an unknown position at that time.
        places = [place for place in found if isinstance(place, Place) and place.numbers]
        points = coordinates.points_of(places, self._source, self.drawing.warnings)
        self._add_line(element, points)

    def take_point(self, element: etree._Element) -> None:
        name, is_timing = self._placemark(element)
        where = self._where(element)
        self.drawing.add_marker(name, where, lambda: self._coordinates(element), is_timing=is_timing)

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
            raise self._error(element, f"the {where} has {len(outer)} outer boundaries instead of one")
        self.drawing.polygons.append(Ring(self._placemark(element)[0], outer[0], tuple(holes), where))

    def take_data(self, element: etree._Element) -> None:
        text = _data_text(element)
        if _data_name(element) == "width" and text.strip() and _is_of_path(element):
            self.drawing.add_width(text, coordinates.shown(text))
        if _data_name(element) != "laps":
            return
        try:
            self.drawing.set_laps(text, coordinates.shown(text))
        except CourseError as error:
            raise self._error(element, error) from None

    def take_link(self, element: etree._Element) -> None:
        href = next(element.iter("{*}href"), None)
        self.links.append(Link("" if href is None else xml.text(href).strip(), xml.lineno(element)))

    def _add_line(self, element: etree._Element, points: Floats) -> None:
        mode = xml.child(element, "altitudeMode")
        if mode is not None and xml.text(mode).strip() == "relativeToGround":
            points = np.column_stack([points[:, :2], np.full(len(points), np.nan)])
        self.drawing.add_line(points, self._where(element), self._path(element))

    def _path(self, element: etree._Element) -> Path | None:
        """Return the outermost group of geometries that holds the line."""
        groups = list(element.iterancestors("{*}MultiGeometry", "{*}MultiTrack"))
        if not groups:
            return None
        return self._paths.setdefault(groups[-1], Path(self._where(groups[-1])))

    def _placemark(self, element: etree._Element) -> tuple[str, bool]:
        """Return the name of a geometry's Placemark, and whether it is marked as a timing point."""
        placemark = next(element.iterancestors("{*}Placemark"), None)
        if placemark is None:
            return "", False
        # Cached: a Placemark may hold any number of geometries before its name.
        if placemark not in self._placemarks:
            is_timing = any(
                _data_name(data) == "timing" and _data_text(data).strip().casefold() in YES
                for data in placemark.iter("{*}Data", "{*}SimpleData")
            )
            self._placemarks[placemark] = xml.name(placemark), is_timing
        return self._placemarks[placemark]

    def _where(self, element: etree._Element) -> str:
        return xml.where(xml.local(element), element, self._placemark(element)[0])

    def _coordinates(self, element: etree._Element) -> Floats:
        """Return the element's coordinates as lon, lat, alt, shape (n, 3), NaN without altitude."""
        lists = [found for found in self._taken.get(element, []) if isinstance(found, _List)]
        if not lists:
            return np.empty((0, 3))
        if len(lists) > 1:
            kind, line = xml.local(element), lists[1].line
            raise CourseError(f"{self._source}, line {line}: a second list of coordinates in one {kind}")
        points = lists[0].points
        self.drawing.warnings += lists[0].warnings
        if isinstance(points, CourseError):
            raise points
        return points

    def _error(self, element: etree._Element, reason: object) -> CourseError:
        return CourseError(f"{self._source}, line {xml.lineno(element)}: {reason}")


def _data_name(element: etree._Element) -> str:
    return str(element.get("name", "")).strip().casefold()


def _is_of_path(data: etree._Element) -> bool:
    """Return whether data belongs to a path or to the document, and not to another Placemark."""
    placemark = next(data.iterancestors("{*}Placemark"), None)
    return placemark is None or next(placemark.iter("{*}LineString", "{*}Track"), None) is not None


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
    "Data": _Reading.take_data,
    "SimpleData": _Reading.take_data,
    "NetworkLink": _Reading.take_link,
}
_DIALECT = xml.Dialect(
    dropped=_DROPPED,
    names=_DROPPED.union(
        _TAKERS,
        {"kml", "Placemark", "MultiGeometry", "coordinates", "coord", "outerBoundaryIs", "innerBoundaryIs"},
        {"name", "ExtendedData", "value", "altitudeMode", "Link", "href"},
    ),
)
