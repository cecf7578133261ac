"""Reads GPX 1.0 and 1.1 into a `Drawing`.

It uses `xml` rather than gpxpy, because errors must name the line of the file and files are untrusted.
`survey` decides what a valid course is.
"""

from lxml import etree

from simulator.course import coordinates, xml
from simulator.course.coordinates import Place, Tally, points_of
from simulator.course.drawing import CourseError, Drawing
from stream.arrays import Floats

_DROPPED = frozenset({"desc", "cmt", "link"})
"""Elements that may be numerous or long and are irrelevant to a course."""


def read(data: bytes, source: str = "GPX") -> Drawing:
    """Read a GPX file, called `source` in messages.

    Lines are tracks, with their segments joined, and routes; markers are waypoints with a name or the type
    "timing". The document's name is that of its metadata, or of the first named track or route.

    Raises:
        CourseError: the file isn't GPX or is ambiguous; names the line.
    """
    root, taken = xml.sift(data, source, lambda: _takers(source), _DROPPED)
    if (outer := xml.local(root)) != "gpx":
        raise CourseError(f"{source} isn't GPX: its outermost element is <{coordinates.clip(outer)}>")
    drawing = Drawing(_document_name(root))
    for path in root.iterchildren("{*}trk", "{*}rte"):
        _add_line(drawing, path, taken, source)
    tally = Tally(source)
    for waypoint in root.iterchildren("{*}wpt"):
        tally.add(coordinates.SHAPES)
        _add_marker(drawing, waypoint, source)
    return drawing


def _takers(source: str) -> xml.Takers:
    """Return the functions that extract the points of lines, the only numerous elements of a course."""
    tally = Tally(source)

    def take(point: etree._Element) -> Place | CourseError:
        tally.add(coordinates.ELEMENTS)
        try:
            return _place(point, source)
        except CourseError as error:
            return error

    return {"trkpt": take, "rtept": take}


def _place(point: etree._Element, source: str) -> Place:
    """Return a point as written; raises CourseError if it has no longitude or latitude."""
    line, lon, lat = xml.lineno(point), point.get("lon"), point.get("lat")
    if lon is None or lat is None:
        missing = "lon" if lon is None else "lat"
        raise CourseError(f"{source}, line {line}: the {xml.local(point)} has no {missing}")
    # It is nearly always the first child, and this is several times as fast as a search by name.
    ele = point[0] if len(point) and xml.local(point[0]) == "ele" else xml.child(point, "ele")
    alt = "" if ele is None else xml.text(ele).strip()
    # A blank is an invalid number, but an empty text would be ignored.
    degrees = lon or " ", lat or " "
    # Receivers write an empty <ele> or NaN for unknown altitudes.
    return Place(degrees if alt.casefold() in {"", "nan"} else (*degrees, alt), line)


def _document_name(root: etree._Element) -> str:
    metadata = xml.child(root, "metadata")
    holders = [root if metadata is None else metadata, root, *root.iterchildren("{*}trk", "{*}rte")]
    return next((name for holder in holders if (name := xml.name(holder))), "")


def _add_line(drawing: Drawing, path: etree._Element, taken: xml.Taken, source: str) -> None:
    """Add a route, or a track as one line, however many segments it has."""
    is_track = xml.local(path) == "trk"
    where = xml.where("track" if is_track else "route", path, xml.name(path))
    holders = path.iterchildren("{*}trkseg") if is_track else [path]
    segments = [places for holder in holders if (places := xml.taken_in(taken, holder))]
    points = points_of([place for segment in segments for place in segment], source)
    drawing.add_line(points, where, len(segments))


def _add_marker(drawing: Drawing, waypoint: etree._Element, source: str) -> None:
    name, kind = xml.name(waypoint), xml.child(waypoint, "type")
    is_timing = kind is not None and xml.text(kind).strip().casefold() == "timing"

    def read() -> Floats:
        return points_of([_place(waypoint, source)], source)

    drawing.add_marker(name, xml.where("waypoint", waypoint, name), read, is_timing=is_timing)
