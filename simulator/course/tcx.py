"""Reads Garmin's TCX, courses and activities, into a `Drawing`."""

import re
from collections.abc import Sequence

from lxml import etree

from simulator.course import coordinates, xml
from simulator.course.coordinates import Place, Tally, points_of
from simulator.course.drawing import Drawing, Path
from stream.arrays import Floats

_BESIDE = re.compile(
    rb"<(Time|DistanceMeters|HeartRateBpm|Cadence|SensorState|Extensions)>[^<]*+(?:<(?!/\1>|!)[^<]*+)*+</\1>"
)
"""Elements that receivers add to every place, irrelevant to a course."""
_DIALECT = xml.Dialect(
    dropped=frozenset({"Notes", "Extensions", "Creator"}),
    names=frozenset(
        {"TrainingCenterDatabase", "Course", "Activity", "Lap", "Track", "Trackpoint", "Position"}
        | {"LatitudeDegrees", "LongitudeDegrees", "AltitudeMeters", "CoursePoint", "Name"}
    ),
)


def read(data: bytes, source: str = "TCX") -> Drawing:
    """Read a TCX file, called `source` in messages.

    Lines are Tracks, each of a course or of a lap of an activity; markers are CoursePoints. The document's
    name is that of its first course.

    Raises:
        CourseError: the file isn't well-formed, or a number is invalid; names the line.
    """
    drawing = Drawing()
    # The other lines keep their numbers.
    data = _BESIDE.sub(lambda found: b"\n" * found[0].count(b"\n"), data)
    root, taken = xml.sift(data, source, lambda: _takers(source), _DIALECT, drawing.warnings)
    for holder in root.iter("{*}Course", "{*}Activity"):
        name = xml.child_text(holder, "Name")
        drawing.name = drawing.name or name
        tracks = list(holder.iter("{*}Track"))
        kind = xml.local(holder).lower()
        path = Path(xml.where(kind, holder, name)) if len(tracks) > 1 else None
        for track in tracks:
            places = [place for place in taken.get(track, []) if place]
            points = points_of(places, source, drawing.warnings)
            drawing.add_line(points, xml.where("track", track, name), path)
    tally = Tally(source)
    for point in root.iter("{*}CoursePoint"):
        tally.add(coordinates.SHAPES)
        _add_marker(drawing, point, source)
    return drawing


def _takers(source: str) -> xml.Takers:
    """Return the function that extracts the points of lines, the only numerous elements of a course."""
    tally = Tally(source)

    def take(point: etree._Element) -> Place | None:
        tally.add(coordinates.ELEMENTS)
        return _place(point)

    return {"Trackpoint": take}


def _place(point: etree._Element) -> Place | None:
    """Return a point as written; None for one of a time without a place."""
    # In one go, which is several times as fast as a search by name for each.
    texts = {xml.local(element): element.text or "" for element in point.iter()}
    if "Position" not in texts:
        return None
    # A blank is a missing number, but an empty text would be ignored.
    degrees = [texts.get(name, "").strip() or " " for name in ("LongitudeDegrees", "LatitudeDegrees")]
    altitude = texts.get("AltitudeMeters", "").strip()
    return Place([*degrees, altitude] if altitude else degrees, xml.lineno(point))


def _add_marker(drawing: Drawing, point: etree._Element, source: str) -> None:
    name = xml.child_text(point, "Name")

    def read() -> Floats:
        places: Sequence[Place] = [place] if (place := _place(point)) else []
        return points_of(places, source, drawing.warnings)

    drawing.add_marker(name, xml.where("course point", point, name), read, is_timing=False)
