"""Reads GeoJSON (RFC 7946) into a `Drawing`.

Files are untrusted: `orjson` limits the nesting depth and rejects NaN and infinity, and nested values are
processed with a work list, never by recursion. `survey` decides what a valid course is.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import orjson

from simulator.course import coordinates, xml
from simulator.course.coordinates import Tally
from simulator.course.drawing import YES, CourseError, Drawing, Ring
from stream.arrays import Floats

Object: TypeAlias = dict[str, Any]

MAX_LENGTH = 16 * 1024 * 1024
"""Maximum bytes: 100,000 points, one number per line, take 11 MB, and memory may be four times the size."""
MAX_VALUES = 500_000
"""Approximate maximum of values and names, 100 bytes each; 100,000 points with altitudes have 400,000."""
MAX_DEPTH = 8
"""Maximum depth of nested geometry collections; the standard advises against two."""
BOM = b"\xef\xbb\xbf"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTAINERS = frozenset({"Feature", "FeatureCollection"})
COLLECTION = "GeometryCollection"


def read(data: bytes, source: str = "GeoJSON") -> Drawing:
    """Read a GeoJSON file, called `source` in messages: a FeatureCollection, a Feature or a geometry.

    Lines are LineStrings and MultiLineStrings, whose parts are joined; geofences are Polygons and those of
    MultiPolygons; markers are Points with a name or the property `timing`. A feature's name is its property
    `name` or `title`. `laps` and the document's name are members or properties of the outermost object, or
    else properties of a line's feature.

    Raises:
        CourseError: the file isn't GeoJSON or is ambiguous; names the feature (from 1) and the path in
            its coordinates, in JavaScript notation.
    """
    reading = _Reading(source)
    reading.take_root(_parse(data, source))
    return reading.drawing


def _parse(data: bytes, source: str) -> Object:
    data = data.removeprefix(BOM)
    if not data.strip():
        raise CourseError(f"{source} is empty")
    if len(data) > MAX_LENGTH:
        raise CourseError(f"{source} is bigger than {MAX_LENGTH // 1024**2} MiB")
    if sum(map(data.count, (b",", b":", b"[", b"{"))) > MAX_VALUES:
        raise CourseError(f"{source} has more than {MAX_VALUES:,} values")
    try:
        root = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise CourseError(f"{source} isn't well-formed JSON: {error}") from None
    if not isinstance(root, dict):
        raise CourseError(f"{source} isn't GeoJSON: it is {_shown(root)}, not an object")
    kind = root.get("type")
    if not _is_geometry(kind) and not (isinstance(kind, str) and kind in _CONTAINERS):
        fault = "has no type" if kind is None else f"has the type {_shown(kind)}"
        raise CourseError(f"{source} isn't GeoJSON: its outermost object {fault}")
    return root


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
        self._take_members(root, top)
        if root["type"] == "FeatureCollection":
            if isinstance(properties := root.get("properties"), dict):
                self._take_members(properties, top)
            for nth, (_, feature) in enumerate(_items(root.get("features"), "features", top), start=1):
                self._take_feature(feature, replace(top, feature=f"feature {nth}"))
        elif root["type"] == "Feature":
            self._take_feature(root, top)
        else:
            self._take_geometries(root, top)

    def _take_members(self, members: Object, place: _Place) -> None:
        """Read the document's name and its laps."""
        self.drawing.name = self.drawing.name or _name(members)
        if (laps := members.get("laps")) is not None:
            try:
                self.drawing.set_laps(_text(laps), _shown(laps))
            except CourseError as error:
                raise place.error(error) from None

    def _take_feature(self, feature: Any, place: _Place) -> None:
        if not isinstance(feature, dict):
            raise place.error(f"it is {_shown(feature)}, not a Feature")
        if feature.get("type") != "Feature":
            raise place.wrong("type", feature.get("type"), '"Feature"')
        properties, geometry = feature.get("properties"), feature.get("geometry")
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
            return _beside_zero(np.array([_position(position, "coordinates", place)]))

        self.drawing.add_marker(place.name, place.where("Point"), read, is_timing=place.is_timing)

    def take_points(self, _: Any, place: _Place) -> None:
        if place.name or place.is_timing:
            self.drawing.leave_out(place.where("MultiPoint"), "a marker is one Point")

    def take_line(self, positions: Any, place: _Place) -> None:
        points = self._positions(positions, "coordinates", place)
        self.drawing.add_line(_beside_zero(points), place.where("LineString"))

    def take_multi_line(self, lines: Any, place: _Place) -> None:
        pieces = [self._positions(line, path, place) for path, line in _items(lines, "coordinates", place)]
        points = _beside_zero(np.concatenate([np.empty((0, 3)), *pieces]))
        segments = sum(1 for piece in pieces if len(piece))
        self.drawing.add_line(points, place.where("MultiLineString"), segments)

    def take_polygon(self, rings: Any, place: _Place) -> None:
        self._add_polygon(rings, "coordinates", place, place.where("Polygon"))

    def take_multi_polygon(self, polygons: Any, place: _Place) -> None:
        for path, rings in _items(polygons, "coordinates", place):
            self._add_polygon(rings, path, place, place.where("MultiPolygon"))

    def _positions(self, value: Any, path: str, place: _Place) -> Floats:
        self._tally.add(coordinates.SHAPES)
        self._tally.add(coordinates.POINTS, len(value) if isinstance(value, list) else 0)
        points = [_position(position, at, place) for at, position in _items(value, path, place)]
        return np.array(points, float).reshape(-1, 3)

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


def _joined(path: str, more: str) -> str:
    return f"{path}.{more}" if path else more


def _items(value: Any, path: str, place: _Place) -> Iterator[tuple[str, Any]]:
    """Yield a list's items, each with its path."""
    if not isinstance(value, list):
        raise place.wrong(path, value, "a list")
    for nth, item in enumerate(value):
        yield f"{path}[{nth}]", item


def _position(value: Any, path: str, place: _Place) -> tuple[float, float, float]:
    """Return one position's lon, lat and alt; further numbers are ignored."""
    if not isinstance(value, list):
        raise place.wrong(path, value, "a position")
    if len(value) < 2:
        has = "one number" if value else "no numbers"
        raise place.error(f"{_joined(place.path, path)} has {has}, where a position is longitude, latitude")
    for nth, number in enumerate(value[:3]):
        # Some writers use null for an unknown altitude.
        if type(number) not in {int, float} and not (nth == 2 and number is None):
            raise place.wrong(f"{path}[{nth}]", number, "a number")
    lon, lat, alt = (*value, None)[:3]
    return float(lon), float(lat), np.nan if alt is None else float(alt)


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
