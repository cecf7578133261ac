"""GPX in, a `Drawing` out.

Read with `markup` rather than gpxpy: an error must name the line of the file, and the file comes from
strangers. It knows how GPX 1.0 and 1.1 are written; what makes a good course is `survey`'s business.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator import coordinates, markup
from simulator.drawing import CourseError, Drawing, Line, Marker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree


class _Place(NamedTuple):
    """A point: degrees, and metres or NaN."""

    lon: float
    lat: float
    alt: float


def read(data: bytes, source: str = "GPX") -> Drawing:
    """Read a GPX file.

    Lines are tracks, their segments joined, and routes; markers are the waypoints that have a name, or the
    type "timing". The document's name is that of its metadata, or else of its first track or route that has
    one.

    Args:
        data: the file.
        source: what to call it in messages.

    Raises:
        CourseError: the file isn't GPX, or what it says has no certain meaning; with the line.
    """
    root = markup.parse(data, source)
    if (outer := markup.local(root)) != "gpx":
        raise CourseError(f"{source} isn't GPX: its outermost element is <{coordinates.clip(outer)}>")
    lines: list[Line] = []
    warnings: list[str] = []
    for track in root.iterchildren("{*}trk", "{*}rte"):
        line = _track(track, source, warnings) if markup.local(track) == "trk" else _route(track, source)
        if len(line.lon) < 2:
            has = "one point" if len(line.lon) else "no points"
            warnings.append(f"The {line.where} is left out: it has {has}")
        else:
            lines.append(line)
    markers = _markers(root, source, warnings)
    return Drawing(_document_name(root), tuple(lines), markers, warnings=tuple(warnings))


def _document_name(root: etree._Element) -> str:
    metadata = markup.child(root, "metadata")
    holders = [root if metadata is None else metadata, root, *root.iterchildren("{*}trk", "{*}rte")]
    return next((name for holder in holders if (name := markup.name(holder))), "")


def _track(track: etree._Element, source: str, warnings: list[str]) -> Line:
    """Return a track as one line, whatever pieces the receiver has cut it into."""
    segments = [list(segment.iterchildren("{*}trkpt")) for segment in track.iterchildren("{*}trkseg")]
    where = markup.where("track", track, markup.name(track))
    pieces = sum(1 for segment in segments if segment)
    if pieces > 1:
        warnings.append(f"The {where} is in {pieces:,} segments: joined")
    return _line((point for segment in segments for point in segment), where, source)


def _route(route: etree._Element, source: str) -> Line:
    return _line(route.iterchildren("{*}rtept"), markup.where("route", route, markup.name(route)), source)


def _line(points: Iterable[etree._Element], where: str, source: str) -> Line:
    places = np.array([_place(point, source) for point in points], float).reshape(-1, 3)
    return Line(places[:, 0], places[:, 1], places[:, 2], where)


def _markers(root: etree._Element, source: str, warnings: list[str]) -> tuple[Marker, ...]:
    """Return the waypoints that mark something; one without a place is no reason to refuse a course."""
    markers: list[Marker] = []
    for waypoint in root.iterchildren("{*}wpt"):
        name, kind = markup.name(waypoint), markup.child(waypoint, "type")
        is_timing = kind is not None and markup.text(kind).strip().casefold() == "timing"
        if not name and not is_timing:
            continue
        where = markup.where("waypoint", waypoint, name)
        try:
            place = _place(waypoint, source)
        except CourseError as error:
            warnings.append(f"The {where} is left out: {error}")
            continue
        markers.append(Marker(name, place.lon, place.lat, where, is_timing))
    return tuple(markers)


def _place(point: etree._Element, source: str) -> _Place:
    """Return a point's place; raises CourseError with its line."""
    try:
        return _Place(_degrees(point, "lon"), _degrees(point, "lat"), _altitude(point))
    except ValueError as error:
        raise CourseError(f"{source}, line {markup.lineno(point)}: {error}") from None


def _degrees(point: etree._Element, name: str) -> float:
    text = point.get(name)
    if text is None:
        raise ValueError(f"the {markup.local(point)} has no {name}")
    return coordinates.number(str(text))


def _altitude(point: etree._Element) -> float:
    # An empty <ele> and NaN are how receivers say that they didn't know.
    ele = markup.child(point, "ele")
    text = "" if ele is None else markup.text(ele).strip()
    return math.nan if text.casefold() in {"", "nan"} else coordinates.number(text)
