"""Reads GPX 1.0 and 1.1 into a `Drawing`.

It uses `xml` rather than gpxpy, because errors must name the line of the file and files are untrusted.
`survey` decides what a valid course is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.course import coordinates, xml
from simulator.course.drawing import CourseError, Drawing, Line, Marker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from stream.arrays import Floats


_DROPPED = frozenset({"desc", "cmt", "link"})
"""Elements that may be numerous or long and are irrelevant to a course."""


class _Place(NamedTuple):
    """A point as written: name, degrees, metres or "", and line."""

    what: str
    lon: str | None
    lat: str | None
    alt: str
    line: int


def read(data: bytes, source: str = "GPX") -> Drawing:
    """Read a GPX file.

    Lines are tracks, with their segments joined, and routes; markers are waypoints with a name or the type
    "timing". The document's name is that of its metadata, or of the first named track or route.

    Args:
        data: the file.
        source: name of the file in messages.

    Raises:
        CourseError: the file isn't GPX or is ambiguous; names the line.
    """
    root, taken = xml.sift(data, source, lambda: _takers(source), _DROPPED)
    if (outer := xml.local(root)) != "gpx":
        raise CourseError(f"{source} isn't GPX: its outermost element is <{coordinates.clip(outer)}>")
    lines: list[Line] = []
    warnings: list[str] = []
    for track in root.iterchildren("{*}trk", "{*}rte"):
        line = _line(track, taken, source, warnings)
        if len(line.lon) < 2:
            has = "one point" if len(line.lon) else "no points"
            warnings.append(f"The {line.where} is left out: it has {has}")
        else:
            lines.append(line)
    markers = _markers(root, source, warnings)
    return Drawing(_document_name(root), tuple(lines), markers, warnings=tuple(warnings))


def _document_name(root: etree._Element) -> str:
    metadata = xml.child(root, "metadata")
    holders = [root if metadata is None else metadata, root, *root.iterchildren("{*}trk", "{*}rte")]
    return next((name for holder in holders if (name := xml.name(holder))), "")


def _takers(source: str) -> Mapping[str, Callable[[etree._Element], _Place]]:
    """Return the functions that extract the points of lines, the only numerous elements of a course."""
    tally = coordinates.Tally(source)

    def take(point: etree._Element) -> _Place:
        tally.element()
        return _place(point)

    return {"trkpt": take, "rtept": take}


def _line(
    path: etree._Element,
    taken: Mapping[etree._Element, list[_Place]],
    source: str,
    warnings: list[str],
) -> Line:
    """Return a route, or a track as one line, however many segments it has."""
    is_track = xml.local(path) == "trk"
    where = xml.where("track" if is_track else "route", path, xml.name(path))
    holders = path.iterchildren("{*}trkseg") if is_track else [path]
    pieces = [points for holder in holders if (points := taken.get(holder))]
    if len(pieces) > 1:
        warnings.append(f"The {where} is in {len(pieces):,} segments: joined")
    lon, lat, alt = _columns([point for piece in pieces for point in piece], source)
    return Line(lon, lat, alt, where)


def _markers(root: etree._Element, source: str, warnings: list[str]) -> tuple[Marker, ...]:
    """Return the waypoints that are markers; one without a position doesn't invalidate the course."""
    markers: list[Marker] = []
    tally = coordinates.Tally(source)
    for waypoint in root.iterchildren("{*}wpt"):
        tally.shape()
        name, kind = xml.name(waypoint), xml.child(waypoint, "type")
        is_timing = kind is not None and xml.text(kind).strip().casefold() == "timing"
        if not name and not is_timing:
            continue
        where = xml.where("waypoint", waypoint, name)
        try:
            lon, lat, _ = _columns([_place(waypoint)], source)
        except CourseError as error:
            warnings.append(f"The {where} is left out: {error}")
            continue
        markers.append(Marker(name, float(lon[0]), float(lat[0]), where, is_timing))
    return tuple(markers)


def _place(point: etree._Element) -> _Place:
    # It is nearly always the first child, and this is several times as fast as a search by name.
    ele = point[0] if len(point) and xml.local(point[0]) == "ele" else xml.child(point, "ele")
    alt = "" if ele is None else xml.text(ele).strip()
    return _Place(xml.local(point), point.get("lon"), point.get("lat"), alt, xml.lineno(point))


def _columns(places: list[_Place], source: str) -> tuple[Floats, Floats, Floats]:
    """Return places as lon, lat, alt, NaN without altitude; raises CourseError with the line."""
    try:
        return _numbers(places)
    except ValueError as error:
        # Check them one by one to find the first invalid one.
        if len(places) == 1:
            raise CourseError(f"{source}, line {places[0].line}: {error}") from None
        for place in places:
            _columns([place], source)
        raise


def _numbers(places: list[_Place]) -> tuple[Floats, Floats, Floats]:
    columns: list[list[str]] = []
    for name, column in (("lon", [place.lon for place in places]), ("lat", [place.lat for place in places])):
        written = [text for text in column if text is not None]
        if len(written) < len(column):
            raise ValueError(f"the {places[column.index(None)].what} has no {name}")
        columns.append(written)
    # Receivers write an empty <ele> or NaN for unknown altitudes.
    known = np.array([place.alt.casefold() not in {"", "nan"} for place in places], bool)
    alt = np.full(len(places), np.nan)
    alt[known] = coordinates.numbers([places[at].alt for at in np.flatnonzero(known)])
    return coordinates.numbers(columns[0]), coordinates.numbers(columns[1]), alt
