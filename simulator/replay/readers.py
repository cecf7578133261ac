"""Reads the tracks of recordings, GPX, KML (gx:Track) and TCX, as they are written.

`fixes` decides what of it can be used.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lxml import etree

from simulator.course import coordinates, xml
from simulator.course.drawing import CourseError
from simulator.replay import times
from simulator.replay.recording import RecordingError

FORMATS = "GPX, KML with gx:Track, TCX"
MAX_FIXES = 1_000_000
"""Maximum number of fixes in a track."""
_FIT = b".FIT"
_CONVERT_FIT = (
    "is FIT, which isn't read: export the activity as GPX, "
    "or convert it with gpsbabel -i garmin_fit -f IN.fit -o gpx -F OUT.gpx"
)
_DIALECT = xml.Dialect(
    dropped=frozenset({"desc", "cmt", "link", "description", "Style", "StyleMap", "Schema"}), with_times=True
)


class Fix(NamedTuple):
    """A place as written.

    Attributes:
        line: its line in the file.
        time: epoch seconds, NaN if it has none.
        lon, lat: degrees, NaN if it has none.
        fault: why its time or place is invalid, or "".
        has_zone: whether the time names its zone.
    """

    line: int
    time: float
    lon: float
    lat: float
    fault: str
    has_zone: bool


class Written(NamedTuple):
    """A track as written: its own name, its file's and its line in it; and its fixes in the file's order."""

    name: str
    source: str
    line: int
    fixes: list[Fix]


def read(data: bytes, source: str, warnings: list[str]) -> list[Written]:
    """Return the tracks of a file.

    Args:
        data: the file.
        source: its name in messages.
        warnings: assumptions about its encoding are added.

    Raises:
        RecordingError: it isn't a recording in one of the formats, or isn't well-formed; names the line.
    """
    if data[8:12] == _FIT:
        raise RecordingError(f"{source} {_CONVERT_FIT}")
    if not data.strip(b"\0 \t\r\n"):
        raise RecordingError(f"{source} is empty")
    if xml.outermost(data) not in _ROOTS:
        raise RecordingError(f"{source} isn't a recording: {FORMATS} are read")
    try:
        assumed: list[str] = []
        root, taken = xml.sift(data, source, lambda: _TAKERS, _DIALECT, assumed)
        warnings += [f"{source}: {text}" for text in assumed]
    except CourseError as error:
        raise RecordingError(str(error)) from error
    tracks = [track for track in _ROOTS[xml.local(root)](root, taken, source) if track.fixes]
    if not tracks:
        lack = "times (gx:Track): export it as GPX" if _ROOTS[xml.local(root)] is _kml else "points"
        raise RecordingError(f"{source} has no track with {lack}")
    if any(len(track.fixes) > MAX_FIXES for track in tracks):
        raise RecordingError(f"{source} has a track of more than {MAX_FIXES:,} fixes")
    return tracks


def _gpx(root: etree._Element, taken: xml.Taken, source: str) -> Iterator[Written]:
    paths = list(root.iterchildren("{*}trk", "{*}rte"))
    about = xml.child(root, "metadata")
    title = xml.name(root if about is None else about) if len(paths) == 1 else ""
    for path in paths:
        holders = [path, *path.iterchildren("{*}trkseg")]
        fixes = [fix for holder in holders for fix in taken.get(holder, [])]
        yield Written(xml.name(path) or title, source, xml.lineno(path), fixes)


def _tcx(root: etree._Element, taken: xml.Taken, source: str) -> Iterator[Written]:
    for activity in root.iter("{*}Activity", "{*}Course"):
        fixes = [fix for track in activity.iter("{*}Track") for fix in taken.get(track, [])]
        yield Written(xml.child_text(activity, "Name"), source, xml.lineno(activity), fixes)


def _kml(root: etree._Element, taken: xml.Taken, source: str) -> Iterator[Written]:
    """Yield the gx:Tracks of each Placemark as one track."""
    for placemark in root.iter("{*}Placemark"):
        fixes: list[Fix] = []
        for track in placemark.iter("{*}Track"):
            written = taken.get(track, [])
            times = [fix for fix in written if isinstance(fix, Fix)]
            places = [place for place in written if not isinstance(place, Fix)]
            if len(times) != len(places):
                where = f"{source}, line {xml.lineno(track)}"
                raise RecordingError(f"{where}: {len(times):,} times for {len(places):,} places")
            fixes += [
                fix._replace(lon=lon, lat=lat, fault=fix.fault or fault)
                for fix, (lon, lat, fault) in zip(times, places, strict=True)
            ]
        yield Written(xml.name(placemark), source, xml.lineno(placemark), fixes)


_ROOTS: dict[str, Callable[[etree._Element, xml.Taken, str], Iterator[Written]]] = {
    "gpx": _gpx,
    "TrainingCenterDatabase": _tcx,
    **dict.fromkeys(("kml", "Document", "Folder", "Placemark"), _kml),
}


def _trkpt(point: etree._Element) -> Fix:
    return _fix(point, xml.child_text(point, "time"), *_degrees(point.get("lon", ""), point.get("lat", "")))


def _trackpoint(point: etree._Element) -> Fix:
    position = xml.child(point, "Position")
    if position is None:
        return _fix(point, "", math.nan, math.nan, "")
    place = _degrees(
        xml.child_text(position, "LongitudeDegrees"), xml.child_text(position, "LatitudeDegrees")
    )
    return _fix(point, xml.child_text(point, "Time"), *place)


def _when(when: etree._Element) -> Fix:
    return _fix(when, xml.text(when), math.nan, math.nan, "")


def _coord(coord: etree._Element) -> tuple[float, float, str]:
    """Return a gx:coord, "lon lat alt": an empty one is an unknown place."""
    numbers = xml.text(coord).replace(",", " ").split(None, 3)
    return _degrees(*numbers[:2]) if len(numbers) > 1 else (math.nan, math.nan, "")


def _fix(element: etree._Element, time: str, lon: float, lat: float, fault: str) -> Fix:
    seconds, has_zone = math.nan, True
    if time.strip():
        try:
            seconds, has_zone = times.epoch(time)
        except ValueError:
            fault = f"{coordinates.shown(time)} is not a valid time, such as 2025-05-04T09:00:00Z"
    return Fix(xml.lineno(element), seconds, lon, lat, fault, has_zone)


def _degrees(lon: str, lat: str) -> tuple[float, float, str]:
    """Return longitude, latitude and "", or NaN, NaN and what is wrong with them."""
    found = []
    for name, text, most in (("lon", lon, 180.0), ("lat", lat, 90.0)):
        try:
            found.append(coordinates.number(text.strip()))
        except ValueError as error:
            return math.nan, math.nan, f"{name}: {error}"
        if abs(found[-1]) > most:
            return math.nan, math.nan, f"invalid {name}: {found[-1]:g}"
    if not any(found):
        return math.nan, math.nan, "latitude and longitude are 0, which receivers write without a signal"
    return found[0], found[1], ""


_TAKERS: xml.Takers = {
    **dict.fromkeys(("trkpt", "rtept", "wpt"), _trkpt),
    "Trackpoint": _trackpoint,
    "when": _when,
    "coord": _coord,
}
