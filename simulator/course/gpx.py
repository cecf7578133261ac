"""Reads GPX 1.0 and 1.1 into a `Drawing`.

It uses `xml` rather than gpxpy, because errors must name the line of the file and files are untrusted.
`survey` decides what a valid course is.
"""

import re
from itertools import chain
from typing import Any

from lxml import etree

from simulator.course import coordinates, xml
from simulator.course.coordinates import Place, Tally, points_of
from simulator.course.drawing import Drawing, Path
from simulator.course.survey import limits
from stream.arrays import Floats

_NUMBER = rb"[-+0-9.,eE]{1,30}+"
_PLACE = rb'(?:lat="(%b)"[ \t]++lon="(%b)"|lon="(%b)"[ \t]++lat="(%b)")[ \t]*+' % (4 * (_NUMBER,))
_END = rb"(?:/>|>(\s*+)(?:<ele>(%b)</ele>(\s*+))?</(?:trk|rte)pt>)" % _NUMBER
_POINT = rb"<(?:trk|rte)pt[ \t]++" + _PLACE + _END
"""A point that has nothing but numbers."""
_ROW = re.compile(_POINT)
_RUN = re.compile(rb"(?:%b\s*+){1,1000}+" % re.sub(rb"\((?!\?)", b"(?:", _POINT))
_RUN_NAME = "_places"
"""Element, which no other program writes, for points that follow each other: lon;lat[;alt] and blanks."""


def _compacted(data: bytes) -> bytes:
    """Return GPX with one element for all points that follow each other and have nothing but numbers."""
    name = _RUN_NAME.encode()
    return _RUN.sub(lambda run: b"<%b>%b</%b>" % (name, _ROW.sub(_numbers, run[0]), name), data)


def _numbers(point: re.Match[bytes]) -> bytes:
    """Return a point's numbers, and its line breaks."""
    lat, lon, other_lon, other_lat, before, ele, after = point.groups(b"")
    place = lon + other_lon + b";" + lat + other_lat
    return b"%b;%b %b%b" % (place, ele, before, after) if ele else b"%b %b" % (place, before)


_DIALECT = xml.Dialect(
    compacted=_compacted,
    # They may be numerous or long and are irrelevant to a course.
    dropped=frozenset({"desc", "cmt", "link"}),
    names=frozenset(
        {"gpx", "metadata", "trk", "trkseg", "trkpt", "rte", "rtept", "wpt", "ele", "name", "type"}
    ),
)
_SHAPE = re.compile(rb"<(?:[\w.-]++:)?rpt\s")
"""Marks a point in Garmin's extension of a route point: the way to the next one."""
_EXTENSIONS = re.compile(rb"(</?(?:[\w.-]++:)?)extensions(?=[\s>])")


def read(data: bytes, source: str = "GPX") -> Drawing:
    """Read a GPX file, called `source` in messages.

    Lines are the segments of tracks, and routes; markers are waypoints with a name or
    the type "timing". The document's name is that of its metadata, or of the first named track or route.

    Raises:
        CourseError: the file isn't well-formed or is ambiguous; names the line.
    """
    drawing = Drawing()
    if b"rpt" in data and _SHAPE.search(data):
        # Extensions are skipped, but not these.
        data = _EXTENSIONS.sub(rb"\1extended", data)
    root, found = xml.sift(data, source, lambda: _takers(source), _DIALECT, drawing.warnings)
    taken = _in_segments(found)
    drawing.name = _document_name(next(root.iter("{*}gpx"), root))
    tally = Tally(source)
    tally.add(coordinates.SHAPES, len(taken))
    for track in root.iter("{*}trk"):
        _add_track(drawing, track, taken, source)
    for route in root.iter("{*}rte"):
        where = xml.where("route", route, xml.name(route))
        points = points_of(taken.get(route, []), source, drawing.warnings)
        drawing.add_line(points, where, is_route=True)
    for waypoint in root.iter("{*}wpt"):
        tally.add(coordinates.SHAPES)
        _add_marker(drawing, waypoint, source)
    return drawing


def _takers(source: str) -> xml.Takers:
    """Return the functions that extract the points of lines, the only numerous elements of a course."""
    tally = Tally(source)
    shape: list[Place] = []

    def take(point: etree._Element) -> Place:
        tally.add(coordinates.ELEMENTS)
        return _place(point)

    def take_shape(point: etree._Element) -> None:
        shape.append(take(point))

    def take_route_point(point: etree._Element) -> list[Place]:
        places = [take(point), *shape]
        shape.clear()
        return places

    def take_run(run: etree._Element) -> list[Place]:
        text, first = xml.text(run), xml.lineno(run)
        tally.add(coordinates.ELEMENTS, len(text.split(None, limits.MAX_ELEMENT_POINTS + 1)))
        rows = enumerate(text.split("\n"), start=first)
        return [Place(tuple(token.split(";")), line) for line, row in rows for token in row.split()]

    return {"trkpt": take, "rpt": take_shape, "rtept": take_route_point, _RUN_NAME: take_run}


def _in_segments(taken: xml.Taken) -> xml.Taken:
    """Return the points by segment or route; those outside of a track get a segment and a track."""
    found: dict[etree._Element, list[Any]] = {}
    for holder, places in taken.items():
        kind = xml.local(holder)
        if kind not in {"trkseg", "rte", "trk", "gpx"}:
            continue
        # A route point comes with its shape.
        flat = list(chain.from_iterable(each if isinstance(each, list) else [each] for each in places))
        segment = holder if kind in {"trkseg", "rte"} else etree.SubElement(holder, "trkseg")
        parent = segment.getparent()
        if kind in {"trkseg", "gpx"} and parent is not None and xml.local(parent) != "trk":
            track = etree.SubElement(parent, "trk")
            track.append(segment)
        found[segment] = flat
    return found


def _place(point: etree._Element) -> Place:
    """Return a point as written."""
    # A blank is a missing number, but an empty text would be ignored.
    degrees = point.get("lon") or " ", point.get("lat") or " "
    # It is nearly always the first child, and this is several times as fast as a search by name.
    ele = point[0] if len(point) and xml.local(point[0]) == "ele" else xml.child(point, "ele")
    alt = "" if ele is None else xml.text(ele).strip()
    return Place((*degrees, alt) if alt else degrees, xml.lineno(point))


def _document_name(root: etree._Element) -> str:
    metadata = xml.child(root, "metadata")
    holders = [root if metadata is None else metadata, root, *root.iterchildren("{*}trk", "{*}rte")]
    return next((name for holder in holders if (name := xml.name(holder))), "")


def _add_track(drawing: Drawing, track: etree._Element, taken: xml.Taken, source: str) -> None:
    name = xml.name(track)
    where = xml.where("track", track, name)
    segments = [(one, places) for one in track.iterchildren("{*}trkseg") if (places := taken.get(one))]
    # Some programs write each point in a segment of its own.
    if len(segments) <= 1 or max(len(places) for _, places in segments) == 1:
        together = [place for _, places in segments for place in places]
        drawing.add_line(points_of(together, source, drawing.warnings), where)
        return
    path = Path(where)
    for segment, places in segments:
        points = points_of(places, source, drawing.warnings)
        drawing.add_line(points, xml.where("segment", segment, name), path)


def _add_marker(drawing: Drawing, waypoint: etree._Element, source: str) -> None:
    name, kind = xml.name(waypoint), xml.child(waypoint, "type")
    is_timing = kind is not None and xml.text(kind).strip().casefold() == "timing"

    def read() -> Floats:
        return points_of([_place(waypoint)], source, drawing.warnings)

    drawing.add_marker(name, xml.where("waypoint", waypoint, name), read, is_timing=is_timing)
