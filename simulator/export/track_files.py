"""Tracks as CSV, GeoJSON, GPX and KML.

Numbers are formatted column by column, and one f-string per point combines them, as for the stream's events.
User input goes through `harmless` in CSV, orjson in GeoJSON, and `_xml` in the others.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

import numpy as np
import orjson

from simulator.export.formats import Format
from simulator.export.geojson import MEDIA_TYPE
from simulator.export.tracks import Track, Tracks
from simulator.race.events import STATUS_NAMES
from stream.arrays import Floats, Ints
from stream.csv_text import csv_head, csv_lines, harmless

COLUMNS = ("bib", "name", "time", "race_time", "lat", "lon", "ele", "distance", "status")
"""Columns of the CSV; `ele` only if the course has altitude."""
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that are invalid in XML 1.0."""


def _file(
    tracks: Tracks, head: str, track_text: Callable[[Track], str], tail: str = "", *, between: str = ""
) -> Iterator[bytes]:
    """Yield a file in pieces: its head, the text of each track, and its tail."""
    yield head.encode()
    before = ""
    for some in tracks.some():
        yield (before + between.join(map(track_text, some))).encode()
        before = between
    if tail:
        yield tail.encode()


def as_csv(tracks: Tracks) -> Iterator[bytes]:
    """Return the points as CSV (RFC 4180), one per line: ISO 8601 times, race seconds, metres.

    The file is UTF-8 with a byte order mark.
    """
    has_alt = tracks.race.course.alt is not None
    columns = [column for column in COLUMNS if has_alt or column != "ele"]
    return _file(tracks, csv_head(columns), _csv_lines)


def _csv_lines(track: Track) -> str:
    who = csv_lines([[track.entrant.bib, harmless(track.entrant.name)]]).removesuffix("\r\n")
    columns = (
        _iso(track.timestamp),
        _decimals(track.elapsed, 3),
        _decimals(track.lat, 7),
        _decimals(track.lon, 7),
        _altitudes(track, after=","),
        _decimals(track.distance, 3),
        track.status.tolist(),
    )
    return "".join(
        f"{who},{time},{elapsed},{lat},{lon},{alt}{distance},{STATUS_NAMES[status]}\r\n"
        for time, elapsed, lat, lon, alt, distance, status in zip(*columns, strict=False)
    )


def as_geojson(tracks: Tracks) -> Iterator[bytes]:
    """Return a FeatureCollection (RFC 7946) with a LineString per track, or a Point if it has one point.

    `times` has the epoch milliseconds of the coordinates, `coordTimes` the same in ISO 8601, as converters
    from GPX and KML do; `distance` is the metres at the last point.
    """
    return _file(tracks, '{"type":"FeatureCollection","features":[', _feature, "]}", between=",")


def _feature(track: Track) -> str:
    bib = track.entrant.bib
    places = [f"[{lon},{lat}{alt}]" for lon, lat, alt in _places(track, _altitudes(track, before=","))]
    geometry = (
        f'"LineString","coordinates":[{",".join(places)}]'
        if len(places) > 1
        else f'"Point","coordinates":{places[0]}'
    )
    properties = {
        "bib": bib,
        "name": track.entrant.name,
        "category": track.entrant.category,
        "sex": track.entrant.sex,
        "club": track.entrant.club,
        "distance": round(float(track.distance[-1]), 3),
        "times": track.timestamp.tolist(),
        "coordTimes": _iso(track.timestamp),
    }
    return (
        f'{{"type":"Feature","id":{bib},"geometry":{{"type":{geometry}}},'
        f'"properties":{orjson.dumps(properties).decode()}}}'
    )


def as_gpx(tracks: Tracks) -> Iterator[bytes]:
    """Return GPX 1.1 with a `trk` per track, named "17 Anna Smith"; its `number` is the bib."""
    head = (
        f'{XML}<gpx version="1.1" creator="Racecast" xmlns="http://www.topografix.com/GPX/1/1">\n'
        f"<metadata><name>{_title(tracks)}</name></metadata>\n"
    )
    return _file(tracks, head, _trk, "</gpx>\n")


def _trk(track: Track) -> str:
    places = _places(track, _altitudes(track, before="<ele>", after="</ele>"))
    points = "".join(
        f'<trkpt lat="{lat}" lon="{lon}">{alt}<time>{time}</time></trkpt>\n'
        for (lon, lat, alt), time in zip(places, _iso(track.timestamp), strict=True)
    )
    return (
        f"<trk><name>{_called(track)}</name><number>{track.entrant.bib}</number><trkseg>\n"
        f"{points}</trkseg></trk>\n"
    )


def as_kml(tracks: Tracks) -> Iterator[bytes]:
    """Return KML 2.2 with a `gx:Track` per track; bib, category, sex and club are its ExtendedData."""
    namespaces = 'xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"'
    head = f"{XML}<kml {namespaces}><Document>\n<name>{_title(tracks)}</name>\n"
    return _file(tracks, head, _placemark, "</Document></kml>\n")


def _placemark(track: Track) -> str:
    data = "".join(
        f'<Data name="{name}"><value>{_xml(str(value))}</value></Data>'
        for name, value in track.entrant._asdict().items()
        if name in {"bib", "category", "sex", "club"}
    )
    # Without altitude the line is clamped to the ground, whatever the value.
    places = _places(track, _altitudes(track, without="0"))
    coords = "".join(f"<gx:coord>{lon} {lat} {alt}</gx:coord>\n" for lon, lat, alt in places)
    whens = "".join(f"<when>{time}</when>\n" for time in _iso(track.timestamp))
    return (
        f"<Placemark><name>{_called(track)}</name><ExtendedData>{data}</ExtendedData><gx:Track>\n"
        f"{whens}{coords}</gx:Track></Placemark>\n"
    )


def _title(tracks: Tracks) -> str:
    return _xml(tracks.race.request.name or tracks.race.course.long_name)


def _called(track: Track) -> str:
    return _xml(f"{track.entrant.bib} {track.entrant.name}")


def _xml(text: str) -> str:
    """Escape a text for XML."""
    return html.escape(NOT_IN_XML.sub("\ufffd", text), quote=False)


def _iso(milliseconds: Ints) -> list[str]:
    """Return epoch milliseconds as ISO 8601 in UTC, to the millisecond."""
    moments = np.datetime_as_string(milliseconds.astype("datetime64[ms]"), unit="ms")
    return [f"{moment}Z" for moment in moments.tolist()]


def _places(track: Track, altitudes: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Return longitude, latitude and altitude of each point."""
    return zip(_decimals(track.lon, 7), _decimals(track.lat, 7), altitudes, strict=False)


def _altitudes(track: Track, *, before: str = "", after: str = "", without: str = "") -> Iterable[str]:
    """Return altitudes with texts around them; if the course has none, `without` indefinitely."""
    if track.alt is None:
        return repeat(without)
    return (f"{before}{alt}{after}" for alt in _decimals(track.alt, 1))


def _decimals(column: Floats, decimals: int) -> list[str]:
    """Return numbers as plain decimals without exponents, for XML, and without -0."""
    return [f"{number:z.{decimals}f}" for number in column.tolist()]


FORMATS = (
    Format("geojson", MEDIA_TYPE, as_geojson),
    Format("csv", "text/csv", as_csv),
    Format("gpx", "application/gpx+xml", as_gpx),
    Format("kml", "application/vnd.google-earth.kml+xml", as_kml),
)
