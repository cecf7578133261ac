"""Reads GeoJSON (RFC 7946) into a `Drawing`.

Files are untrusted: `orjson` limits the nesting depth, and nested values are
processed with a work list, never by recursion. `survey` decides what a valid course is.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import orjson

from simulator.course import coordinates, decoding, formats, xml
from simulator.course.coordinates import Tally, Unread
from simulator.course.decoding import BOM
from simulator.course.drawing import YES, CourseError, Drawing, Path, Ring
from stream.arrays import Floats

Object: TypeAlias = dict[str, Any]

MAX_LENGTH = 16 * 1024 * 1024
"""Maximum bytes: 100,000 points, one number per line, take 11 MB, and memory may be four times the size."""
MAX_VALUES = 500_000
"""Approximate maximum of values and names, 100 bytes each; 100,000 points with altitudes have 400,000."""
MAX_DEPTH = 8
"""Maximum depth of nested geometry collections; the standard advises against two."""

_SEPARATOR = b"\x1e"
"""Stands before each text of a sequence (RFC 8142)."""
_TEXT = re.compile(rb"[^\x1e]+")
_LINE = re.compile(rb"[^\r\n]+")
_HINTS = {
    b"//": "JSON has no comments: remove it",
    b"/*": "JSON has no comments: remove it",
    b"'": "JSON has double quotes only",
    b"trailing comma": "remove the comma before the bracket",
    b"unexpected end": "the file is cut short",
    b"unexpected content": "put several texts on a line each, or in one FeatureCollection",
    b"unexpected control": "a text can't contain a line break or a tab",
}
"""What to do about an error, by its message or by what stands at its place."""
_NO_NUMBER = re.compile(rb"(?<=[\[,:\s])-?(?:NaN|Infinity)(?=\s*+[,\]}])")
"""Matches what programs write that JSON lacks, for an unknown number."""
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1d\x1f]")
_DEGREES = re.compile(
    r"\s*(?:CRS8[34]H?|(?:GCS_)?WGS[ _]?(?:19)?84|(?:EPSG)?[ _]?(?:4326|4979|4258|4269))"
    r"(?:\s*- WGS ?84|\s*\(CRS84\))?\s*",
    re.IGNORECASE | re.ASCII,
)
"""Coordinate systems in degrees of WGS84, or within two metres of it."""
_REPROJECT = "export it in EPSG:4326 (WGS 84), for example with ogr2ogr -t_srs EPSG:4326 or QGIS"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTAINERS = frozenset({"Feature", "FeatureCollection"})
COLLECTION = "GeometryCollection"


def read(data: bytes, source: str = "GeoJSON") -> Drawing:
    """Read a GeoJSON file, called `source` in messages: a FeatureCollection, a Feature or a geometry.

    It may also be a sequence of these, each on a line or after a record separator, or a list.

    Lines are LineStrings and those of MultiLineStrings; geofences are Polygons and those of
    MultiPolygons; markers are Points with a name or the property `timing`. A feature's name is its property
    `name` or `title`. `laps`, `width` and the document's name are members or properties of the outermost
    object, or else properties of a line's feature.

    Raises:
        CourseError: the file isn't GeoJSON or is ambiguous; names the feature (from 1) and the path in
            its coordinates, in JavaScript notation.
    """
    reading = _Reading(source)
    reading.take_root(_parse(data, source, reading.drawing.warnings))
    return reading.drawing


def _parse(data: bytes, source: str, warnings: list[str]) -> Object:
    """Return the outermost object; a sequence or a list becomes a FeatureCollection."""
    data = decoding.in_utf8(data, source, warnings).removeprefix(BOM).rstrip(b"\0\x1a")
    if not data.strip():
        raise CourseError(f"{source} is empty")
    if len(data) > MAX_LENGTH:
        raise CourseError(f"{source} is bigger than {MAX_LENGTH // 1024**2} MiB")
    if sum(map(data.count, (b",", b":", b"[", b"{"))) > MAX_VALUES:
        raise CourseError(f"{source} has more than {MAX_VALUES:,} values")
    data = decoding.replaced(data, (_FORBIDDEN,), source, warnings)
    root = _loaded(_with_null(data), source)
    if isinstance(root, list) and root and all(isinstance(one, dict) for one in root):
        root = {"type": "FeatureCollection", "features": root} if len(root) > 1 else root[0]
    if not isinstance(root, dict):
        raise CourseError(f"{source} isn't GeoJSON: it is {_shown(root)}, not an object")
    kind = root.get("type")
    if not _is_geometry(kind) and not (isinstance(kind, str) and kind in _CONTAINERS):
        formats.refuse_json(root, source)
        fault = "has no type" if kind is None else f"has the type {_shown(kind)}"
        raise CourseError(f"{source} isn't GeoJSON: its outermost object {fault}")
    return root


def _with_null(data: bytes) -> bytes:
    """Return the text with null for NaN and infinity; `re.sub` would hold all the pieces."""
    kept, end = bytearray(), 0
    for found in _NO_NUMBER.finditer(data):
        kept += data[end : found.start()] + b"null"
        end = found.end()
    return bytes(kept + data[end:]) if end else data


def _loaded(data: bytes, source: str) -> Any:
    """Return the value in a JSON text, or the list of those in a sequence of texts."""
    pattern = _TEXT if _SEPARATOR in data else _LINE
    texts = (found for found in pattern.finditer(data) if not found[0].isspace())
    first, second = next(texts, None), next(texts, None)
    is_object = first is not None and second is not None and second[0].lstrip().startswith(b"{")
    if pattern is _TEXT or (first and is_object and _is_json(first[0])):
        texts = (found for found in pattern.finditer(data) if not found[0].isspace())
        return [_value(text[0], data, text.start(), source) for text in texts]
    return _value(data, data, 0, source)


def _is_json(text: bytes) -> bool:
    with suppress(orjson.JSONDecodeError):
        orjson.loads(text)
        return True
    return False


def _value(text: bytes, data: bytes, start: int, source: str) -> Any:
    """Parse a text that begins at `start` in the file; errors name the line in the file."""
    if text is not data and not text.lstrip().startswith(b"{"):
        line = 1 + data.count(b"\n", 0, start)
        raise CourseError(f"{source} isn't a sequence of GeoJSON texts: line {line} is no object")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        at = start + len(error.doc[: error.pos].encode())
        line, column = 1 + data.count(b"\n", 0, at), at - data.rfind(b"\n", 0, at)
        there = (error.msg.encode(), data[at : at + 20].lstrip())
        hints = (f" ({hint})" for sign, hint in _HINTS.items() if any(one.startswith(sign) for one in there))
        fault = f"{error.msg}{next(hints, '')}, line {line}, column {column}"
        raise CourseError(f"{source} isn't well-formed JSON: {fault}") from None


@dataclass(frozen=True)
class _Place:
    """Position of a geometry in the file.

    Attributes:
        source: the file.
        feature: "feature 3", or "" if there is only one.
        path: path to the geometry within it, as "geometries[1]", or "".
        name: name of the feature.
        is_timing: whether the feature is marked as a timing point.
    """

    source: str
    feature: str = ""
    path: str = ""
    name: str = ""
    is_timing: bool = False

    def wrong(self, what: str, value: Any, wanted: str) -> CourseError:
        """Return the error for an unexpected value at a path in the geometry."""
        return self.error(f"{_joined(self.path, what)} is {_shown(value)}, not {wanted}")

    def error(self, reason: object) -> CourseError:
        """Return an error at this place."""
        return CourseError(f"{', '.join(filter(None, (self.source, self.feature)))}: {reason}")

    def where(self, kind: str) -> str:
        """Describe where a geometry is, for messages: "LineString of feature 3 (Course)"."""
        inner = f"{kind} at {self.path}" if self.path else kind
        return coordinates.named(f"{inner} of {self.feature}" if self.feature else inner, self.name)


class _Reading:
    """State while reading a file."""

    def __init__(self, source: str) -> None:
        self.drawing = Drawing()
        self._source = source
        self._tally = Tally(source)

    def take_root(self, root: Object) -> None:
        """Read every feature, in the file's order."""
        top = _Place(self._source)
        if root["type"] == "FeatureCollection":
            for nth, feature in enumerate(self._features(root, top), start=1):
                self._take_feature(feature, replace(top, feature=f"feature {nth}"))
        else:
            self._take_members(root, top)
            self._take_feature(root, top)

    def _features(self, root: Object, place: _Place) -> Iterator[Any]:
        """Yield the features of a collection and of those within it."""
        todo: deque[tuple[Any, int]] = deque([(root, 0)])
        while todo:
            one, depth = todo.popleft()
            if not isinstance(one, dict) or one.get("type") != "FeatureCollection":
                yield one
                continue
            if depth == MAX_DEPTH:
                raise place.error(f"feature collections are nested more than {MAX_DEPTH} deep")
            _check_crs(one, place)
            self._take_members(one, place)
            if isinstance(properties := one.get("properties"), dict):
                self._take_members(properties, place)
            inner = [(each, depth + 1) for _, each in _items(one.get("features"), "features", place)]
            todo.extendleft(reversed(inner))

    def _take_members(self, members: Object, place: _Place) -> None:
        """Read the document's name, its laps and its width."""
        self.drawing.name = self.drawing.name or _name(members)
        if (laps := members.get("laps")) is not None:
            try:
                self.drawing.set_laps(_text(laps), _shown(laps))
            except CourseError as error:
                raise place.error(error) from None
        if (width := members.get("width")) is not None:
            self.drawing.add_width(_text(width), _shown(width))

    def _take_feature(self, feature: Any, place: _Place) -> None:
        if not isinstance(feature, dict):
            raise place.error(f"it is {_shown(feature)}, not a Feature")
        _check_crs(feature, place)
        # A geometry may stand for a feature, and has its properties beside its coordinates.
        is_bare = _is_geometry(feature.get("type"))
        if not is_bare and feature.get("type") != "Feature":
            raise place.wrong("type", feature.get("type"), '"Feature"')
        properties = feature if is_bare else feature.get("properties")
        geometry = feature if is_bare else feature.get("geometry")
        if properties is None:
            properties = {}
        if not isinstance(properties, dict):
            raise place.wrong("properties", properties, "an object")
        timing = properties.get("timing")
        is_timing = timing is True or _text(timing).casefold() in YES
        place = replace(place, name=_name(properties), is_timing=is_timing)
        if geometry is None:
            self._tally.add(coordinates.SHAPES)
            return
        if not isinstance(geometry, dict):
            raise place.wrong("geometry", geometry, "an object")
        _check_crs(geometry, place)
        before = len(self.drawing.lines)
        self._take_geometries(geometry, place)
        if len(self.drawing.lines) > before:
            self._take_members(properties, place)

    def _take_geometries(self, geometry: Object, place: _Place) -> None:
        """Read a geometry, or those of a collection in order."""
        todo: deque[tuple[Any, _Place, int]] = deque([(geometry, place, 0)])
        while todo:
            one, at, depth = todo.popleft()
            self._tally.add(coordinates.SHAPES)
            if not isinstance(one, dict):
                raise at.error(f"{at.path} is {_shown(one)}, not a geometry")
            kind = one.get("type")
            if not _is_geometry(kind):
                raise at.wrong("type", kind, "that of a geometry")
            if kind != COLLECTION:
                _TAKERS[kind](self, one.get("coordinates"), at)
                continue
            if depth == MAX_DEPTH:
                raise at.error(f"geometry collections are nested more than {MAX_DEPTH} deep")
            inner = [
                (each, replace(at, path=_joined(at.path, path)), depth + 1)
                for path, each in _items(one.get("geometries"), "geometries", at)
            ]
            todo.extendleft(reversed(inner))

    def take_point(self, position: Any, place: _Place) -> None:
        def read() -> Floats:
            self._tally.add(coordinates.POINTS)
            unread = Unread(1, self.drawing.warnings)
            return _beside_zero(np.array([_position(position, "coordinates", place, unread)]))

        self.drawing.add_marker(place.name, place.where("Point"), read, is_timing=place.is_timing)

    def take_points(self, _: Any, place: _Place) -> None:
        if place.name or place.is_timing:
            self.drawing.leave_out(place.where("MultiPoint"), "a marker is one Point")

    def take_line(self, positions: Any, place: _Place) -> None:
        points = self._positions(positions, "coordinates", place)
        self.drawing.add_line(_beside_zero(points), place.where("LineString"))

    def take_multi_line(self, lines: Any, place: _Place) -> None:
        whole = Path(place.where("MultiLineString"))
        if not lines:
            self.drawing.leave_out(whole.where, "it has no points")
        for path, line in _items(lines, "coordinates", place):
            where = replace(place, path=_joined(place.path, path)).where("LineString")
            self.drawing.add_line(_beside_zero(self._positions(line, path, place)), where, whole)

    def take_polygon(self, rings: Any, place: _Place) -> None:
        self._add_polygon(rings, "coordinates", place, place.where("Polygon"))

    def take_multi_polygon(self, polygons: Any, place: _Place) -> None:
        for path, rings in _items(polygons, "coordinates", place):
            self._add_polygon(rings, path, place, place.where("MultiPolygon"))

    def _positions(self, value: Any, path: str, place: _Place) -> Floats:
        self._tally.add(coordinates.SHAPES)
        self._tally.add(coordinates.POINTS, len(value) if isinstance(value, list) else 0)
        unread = Unread(len(value) if isinstance(value, list) else 0, self.drawing.warnings)
        found = [_position(position, at, place, unread) for at, position in _items(value, path, place)]
        unread.warn()
        return np.array([point for point in found if point], float).reshape(-1, 3)

    def _add_polygon(self, rings: Any, path: str, place: _Place, where: str) -> None:
        found = [
            _beside_zero(self._positions(ring, at, place)[:, :2]) for at, ring in _items(rings, path, place)
        ]
        if not found or not len(found[0]):
            self.drawing.leave_out(where, "it has no points")
            return
        holes = tuple(ring for ring in found[1:] if len(ring))
        self.drawing.polygons.append(Ring(place.name, found[0], holes, where))


_TAKERS: dict[str, Callable[[_Reading, Any, _Place], None]] = {
    "Point": _Reading.take_point,
    "MultiPoint": _Reading.take_points,
    "LineString": _Reading.take_line,
    "MultiLineString": _Reading.take_multi_line,
    "Polygon": _Reading.take_polygon,
    "MultiPolygon": _Reading.take_multi_polygon,
}


def _is_geometry(kind: Any) -> TypeGuard[str]:
    return isinstance(kind, str) and (kind in _TAKERS or kind == COLLECTION)


def _check_crs(members: Object, place: _Place) -> None:
    """Raise CourseError if coordinates are in another system than longitude and latitude of WGS84.

    RFC 7946 has no `crs`; before it, a file could name one. The axes are in the same order in all.
    """
    crs = members.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    named = properties if isinstance(properties, dict) else {}
    name = named.get("name", named.get("code", crs))
    text = str(name) if isinstance(name, str | int) else ""
    if not crs or _DEGREES.fullmatch(re.split("[/:#]", text)[-1]):
        return
    system = coordinates.shown(text) if text else "that crs links to"
    raise place.error(f"the coordinates are in the system {system}: {_REPROJECT}")


def _joined(path: str, more: str) -> str:
    return f"{path}.{more}" if path else more


def _items(value: Any, path: str, place: _Place) -> Iterator[tuple[str, Any]]:
    """Yield a list's items, each with its path."""
    if not isinstance(value, list):
        raise place.wrong(path, value, "a list")
    for nth, item in enumerate(value):
        yield f"{path}[{nth}]", item


def _position(value: Any, path: str, place: _Place, unread: Unread) -> tuple[float, float, float] | None:
    """Return one position's lon, lat and alt, or None if it is left out; further numbers are ignored."""
    if not isinstance(value, list):
        raise place.wrong(path, value, "a position")
    if len(value) < 2:
        has = "one number" if value else "no numbers"
        raise place.error(f"{_joined(place.path, path)} has {has}, where a position is longitude, latitude")
    lon, lat, alt = map(_number, (*value, None)[:3])
    if lon is None or lat is None:
        nth = 0 if lon is None else 1
        unread.point(place.wrong(f"{path}[{nth}]", value[nth], "a number"))
        return None
    # Some writers use null for an unknown altitude.
    if alt is None and len(value) > 2 and value[2] is not None:
        unread.altitude(lambda: place.wrong(f"{path}[2]", value[2], "a number"))
    return lon, lat, np.nan if alt is None else alt


def _number(value: Any) -> float | None:
    """Return a number, which some writers put in quotes; None if it isn't one."""
    if isinstance(value, str):
        return None if np.isnan(number := coordinates.value(value)) else number
    return float(value) if type(value) in {int, float} else None


def _beside_zero(points: Floats) -> Floats:
    """Bring longitudes that continue beyond the antimeridian within ±180.

    Web maps, and `simulator.export.geojson`, write lines that cross it this way. Accepted if consecutive
    points are close together.
    """
    lon = points[:, 0]
    beyond = np.abs(lon) > 180.0
    if not beyond.any() or np.abs(lon).max() > 360.0 or (np.abs(np.diff(lon)) > 180.0).any():
        return points
    turned = points.copy()
    turned[beyond, 0] -= 360.0 * np.sign(lon[beyond])
    return turned


def _name(members: Object) -> str:
    return _text(members.get("name")) or _text(members.get("title"))


def _text(value: Any) -> str:
    """Return a text or a number as text on one line, without characters invalid in XML; else ""."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(_CONTROL.sub(" ", str(value)[: xml.LONGEST_NAME]).split())


def _shown(value: Any) -> str:
    """Describe a value for messages; lists and objects only by their kind."""
    if isinstance(value, str):
        return coordinates.shown(value)
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return orjson.dumps(value).decode()
