"""KML in, a `Drawing` out.

Read with lxml rather than fastkml, for three reasons: an error must name the line of the file, the file
comes from strangers (so no entities, no network and no huge nodes), and many a real file has a namespace
prefix that it never declares, or no namespace at all. Elements are therefore known by their local names.

It knows how KML is written and which slips of the pen have one meaning only; what makes a good course is
`survey`'s business.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from lxml import etree

from simulator.drawing import CourseError, Drawing, Line, Marker, Ring

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHOWN = 60
"""Characters of a name or of a broken number that a message shows."""

_ROOTS = frozenset({"kml", "Document", "Folder", "Placemark"})
_NUMERALS = b"0123456789+-.eE, \t\r\n"
_BLANK = " \t\u00a0"
_SPACED_COMMA = re.compile(f",[{_BLANK}]|[{_BLANK}],")
_WHOLE = re.compile(r"\s*\+?([0-9]{1,9})(\.0*)?\s*", re.ASCII)


def read(data: bytes, source: str = "KML") -> Drawing:
    """Read a KML file.

    Lines are LineStrings, gx:Tracks and LinearRings that stand alone; markers are Points with the name of
    their Placemark; `laps` comes from ExtendedData (Data or SimpleData). Altitudes above the ground
    (altitudeMode relativeToGround) aren't altitudes and are left out.

    Args:
        data: the file.
        source: what to call it in messages.

    Raises:
        CourseError: the file isn't KML, or what it says has no certain meaning; with the line.
    """
    root = _parse(data, source)
    if _local(root) not in _ROOTS:
        raise CourseError(f"{source} isn't KML: its outermost element is <{_local(root)[:SHOWN]}>")
    return _Reading(source).drawing(root)


def _parse(data: bytes, source: str) -> etree._Element:
    """Parse XML; a namespace prefix that was never declared is the only error let through."""
    data = _declaration_first(data)
    if not data.strip():
        raise CourseError(f"{source} is empty")
    try:
        root = etree.fromstring(data, _parser(recover=False))
    except etree.XMLSyntaxError as error:
        undeclared = _parse_undeclared(data)
        if undeclared is None:
            raise CourseError(f"{source} isn't well-formed XML: {error.msg}") from None
        root = undeclared
    doctype = root.getroottree().docinfo
    if doctype.internalDTD is not None or doctype.doctype:
        raise CourseError(f"{source} has a document type (<!DOCTYPE …>), which isn't allowed: remove it")
    return root


def _declaration_first(data: bytes) -> bytes:
    """Move blank lines before the XML declaration behind it: allowed there, and the lines stay the same."""
    body = data.lstrip(b" \t\r\n")
    blank = data[: len(data) - len(body)]
    declaration, end, rest = body.partition(b"?>")
    if blank and declaration.startswith(b"<?xml"):
        return declaration + end + blank + rest
    return data


def _parser(*, recover: bool) -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _parse_undeclared(data: bytes) -> etree._Element | None:
    """Parse XML whose only errors are undeclared prefixes; None if there are others."""
    parser = _parser(recover=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
    only = all(error.type == etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE for error in parser.error_log)
    return root if only else None


@lru_cache(maxsize=256)
def _unprefixed(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2]


def _local(element: etree._Element) -> str:
    """Return an element's name without namespace or prefix, declared or not."""
    return _unprefixed(str(element.tag))


def _text(element: etree._Element) -> str:
    return "".join(element.itertext()) if len(element) else element.text or ""


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in element if _local(child) == name), None)


def _name(element: etree._Element) -> str:
    """Return the element's own name on one line, or an empty text."""
    child = _child(element, "name")
    return "" if child is None else " ".join(_text(child).split())


def _lineno(element: etree._Element) -> int:
    return int(element.sourceline or 0)


@dataclass
class _Reading:
    """One reading of one file: what has been found so far."""

    source: str
    name: str = ""
    lines: list[Line] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    polygons: list[Ring] = field(default_factory=list)
    laps: int | None = None
    warnings: list[str] = field(default_factory=list)
    names: dict[etree._Element, str] = field(default_factory=dict)

    def drawing(self, root: etree._Element) -> Drawing:
        """Take in every element, in the file's order."""
        for element in root.iter(etree.Element):
            if take := _TAKERS.get(_local(element)):
                take(self, element)
        return Drawing(
            name=self.name,
            lines=tuple(self.lines),
            markers=tuple(self.markers),
            polygons=tuple(self.polygons),
            laps=1 if self.laps is None else self.laps,
            warnings=tuple(self.warnings),
        )

    def take_name(self, document: etree._Element) -> None:
        self.name = self.name or _name(document)

    def take_line(self, element: etree._Element) -> None:
        parent = element.getparent()
        if parent is not None and _local(parent) in {"Polygon", "outerBoundaryIs", "innerBoundaryIs"}:
            return
        self._add_line(element, self._coordinates(element))

    def take_track(self, element: etree._Element) -> None:
        coords = [child for child in element if _local(child) == "coord"]
        # An empty gx:coord is KML's way of saying that the place wasn't known at that time.
        pairs = [(",".join(_text(coord).replace(",", " ").split()), coord) for coord in coords]
        pairs = [(token, coord) for token, coord in pairs if token]
        points = self._points([token for token, _ in pairs], lambda index: _lineno(pairs[index][1]))
        self._add_line(element, points)

    def take_point(self, element: etree._Element) -> None:
        name = self._placemark_name(element)
        if not name:
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
        self.markers.append(Marker(name, float(points[0, 0]), float(points[0, 1]), where))

    def take_polygon(self, element: etree._Element) -> None:
        rings = [ring for ring in element.iter(etree.Element) if _local(ring) == "LinearRing"]
        holes: list[Floats] = []
        outer: list[Floats] = []
        for ring in rings:
            parent = ring.getparent()
            inner = parent is not None and _local(parent) == "innerBoundaryIs"
            (holes if inner else outer).append(self._coordinates(ring)[:, :2])
        where = self._where(element)
        if len(outer) != 1:
            raise CourseError(
                f"{self.source}, line {_lineno(element)}: the {where} has {len(outer)} outer boundaries "
                "instead of one"
            )
        self.polygons.append(Ring(self._placemark_name(element), outer[0], tuple(holes), where))

    def take_laps(self, element: etree._Element) -> None:
        if str(element.get("name", "")).strip().casefold() != "laps":
            return
        value = _child(element, "value") if _local(element) == "Data" else element
        text = "" if value is None else _text(value)
        whole = _WHOLE.fullmatch(text)
        where = f"{self.source}, line {_lineno(element)}"
        if not whole:
            raise CourseError(f"{where}: laps is {_shown(text)}, not a whole number")
        laps = int(whole[1])
        if self.laps not in {None, laps}:
            raise CourseError(f"{where}: laps is {laps} here but {self.laps} further up")
        self.laps = laps

    def take_link(self, element: etree._Element) -> None:
        self.warnings.append(
            f"The NetworkLink at line {_lineno(element)} isn't followed: save what it links to as a file"
        )

    def _add_line(self, element: etree._Element, points: Floats) -> None:
        where = self._where(element)
        if len(points) < 2:
            has = "one point" if len(points) else "no points"
            self.warnings.append(f"The {where} is left out: it has {has}")
            return
        lon, lat, alt = points.T
        mode = _child(element, "altitudeMode")
        if mode is not None and _text(mode).strip() == "relativeToGround":
            alt = np.full(len(alt), np.nan)
        self.lines.append(Line(lon, lat, alt, where))

    def _placemark_name(self, element: etree._Element) -> str:
        """Return the name of the Placemark around a geometry."""
        for around in element.iterancestors():
            if _local(around) == "Placemark":
                # Remembered: a Placemark may hold any number of geometries before its name.
                if around not in self.names:
                    self.names[around] = _name(around)
                return self.names[around]
        return ""

    def _where(self, element: etree._Element) -> str:
        name = self._placemark_name(element)
        where = f"{_local(element)} at line {_lineno(element)}"
        return f"{where} ({_clip(name)})" if name else where

    def _coordinates(self, element: etree._Element) -> Floats:
        """Return the element's coordinates as lon, lat, alt, shape (n, 3), NaN where there is no altitude."""
        children = list(islice((child for child in element if _local(child) == "coordinates"), 2))
        if not children:
            return np.empty((0, 3))
        if len(children) > 1:
            raise CourseError(
                f"{self.source}, line {_lineno(children[1])}: a second list of coordinates in one "
                f"{_local(element)}"
            )
        first, text = _lineno(children[0]), _text(children[0])
        if _SPACED_COMMA.search(text):
            # A blank beside a comma is a slip; a new line ends the point, whatever stands before it.
            text = ",".join(part.strip(_BLANK) for part in text.split(","))

        def line_of(index: int) -> int:
            token = next(islice(re.finditer(r"\S+", text), index, None))
            return first + text.count("\n", 0, token.start())

        return self._points(text.split(), line_of)

    def _points(self, tokens: list[str], line_of: Callable[[int], int]) -> Floats:
        """Return points written as "lon,lat[,alt]", shape (n, 3); `line_of` gives a token's line."""
        if not tokens:
            return np.empty((0, 3))
        points = _regular(tokens)
        if points is None:
            points = np.empty((len(tokens), 3))
            for index, token in enumerate(tokens):
                try:
                    points[index] = _point(token)
                except ValueError as error:
                    raise CourseError(f"{self.source}, line {line_of(index)}: {error}") from None
        return points


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


def _regular(tokens: list[str]) -> Floats | None:
    """Return points that are all written alike, the usual case and three times as fast; or None."""
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
    """Return one point's lon, lat and alt; ValueError says what is wrong with it."""
    parts = token.rstrip(",").split(",")
    if not 2 <= len(parts) <= 3:
        found = "one number" if len(parts) == 1 else f"{len(parts)} numbers"
        raise ValueError(f"{_shown(token)} is {found}, where a point is longitude,latitude[,altitude]")
    lon, lat, *alt = map(_number, parts)
    return lon, lat, alt[0] if alt else math.nan


def _number(text: str) -> float:
    if not text.encode(errors="replace").translate(None, _NUMERALS):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError(f"{_shown(text)} is not a number")


def _clip(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _shown(text: str) -> str:
    return f'"{_clip(" ".join(text.split()))}"'
