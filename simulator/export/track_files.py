"""Tracks as CSV, GeoJSON, GPX and KML.

Numbers are formatted column by column, and one f-string per point combines them, as for the stream's events.
User input goes through `harmless` in CSV, orjson in GeoJSON, and `xml` in the others.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import orjson

from simulator.export.formats import Format
from simulator.export.geojson import MEDIA_TYPE
from simulator.export.texts import iso, xml
from simulator.race.events import STATUS_NAMES
from stream.csv_text import csv_lines, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.export.tracks import Track, Tracks
    from stream.arrays import Floats

COLUMNS = ("bib", "name", "time", "race_time", "lat", "lon", "ele", "distance", "status")
"""Columns of the CSV; `ele` only if the course has altitude."""


def as_csv(tracks: Tracks) -> Iterator[bytes]:
    """Yield the points as CSV (RFC 4180), UTF-8, one per line: ISO 8601 times, race seconds, metres."""
    has_alt = tracks.race.course.alt is not None
    yield csv_lines([[column for column in COLUMNS if has_alt or column != "ele"]]).encode()
    for some in tracks.some():
        yield "".join(line for track in some for line in _csv_lines(track)).encode()


def _csv_lines(track: Track) -> Iterator[str]:
    entrant = track.entrant
    who = csv_lines([[entrant.bib, harmless(entrant.name)]]).removesuffix("\r\n")
    columns = (
        iso(track.timestamp),
        _decimals(track.elapsed, 3),
        _decimals(track.lat, 7),
        _decimals(track.lon, 7),
        repeat("") if track.alt is None else (f"{alt}," for alt in _decimals(track.alt, 1)),
        _decimals(track.distance, 3),
        track.status.tolist(),
    )
    for time, elapsed, lat, lon, alt, distance, status in zip(*columns, strict=False):
        yield f"{who},{time},{elapsed},{lat},{lon},{alt}{distance},{STATUS_NAMES[status]}\r\n"


def as_geojson(tracks: Tracks) -> Iterator[bytes]:
    """Yield a FeatureCollection (RFC 7946) with a LineString per track, or a Point if it has one point.

    `times` has the epoch milliseconds of the coordinates, `coordTimes` the same in ISO 8601, as converters
    from GPX and KML do; `distance` is the metres at the last point.
    """
    yield b'{"type":"FeatureCollection","features":['
    between = ""
    for some in tracks.some():
        yield (between + ",".join(map(_feature, some))).encode()
        between = ","
    yield b"]}"


def _feature(track: Track) -> str:
    bib, name, category, club, _ = track.entrant
    columns = [_decimals(track.lon, 7), _decimals(track.lat, 7)]
    if track.alt is not None:
        columns.append(_decimals(track.alt, 1))
    places = [f"[{','.join(place)}]" for place in zip(*columns, strict=True)]
    geometry = (
        f'"LineString","coordinates":[{",".join(places)}]'
        if len(places) > 1
        else f'"Point","coordinates":{places[0]}'
    )
    properties = {
        "bib": bib,
        "name": name,
        "category": category,
        "club": club,
        "distance": round(float(track.distance[-1]), 3),
        "times": track.timestamp.tolist(),
        "coordTimes": iso(track.timestamp),
    }
    return (
        f'{{"type":"Feature","id":{bib},"geometry":{{"type":{geometry}}},'
        f'"properties":{orjson.dumps(properties).decode()}}}'
    )


def as_gpx(tracks: Tracks) -> Iterator[bytes]:
    """Yield GPX 1.1 with a `trk` per track, named "17 Anna Smith"; its `number` is the bib."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="Racecast" xmlns="http://www.topografix.com/GPX/1/1">\n'
        f"<metadata><name>{_title(tracks)}</name></metadata>\n"
    ).encode()
    for some in tracks.some():
        yield "".join(map(_trk, some)).encode()
    yield b"</gpx>\n"


def _trk(track: Track) -> str:
    alts = repeat("") if track.alt is None else (f"<ele>{alt}</ele>" for alt in _decimals(track.alt, 1))
    columns = (_decimals(track.lat, 7), _decimals(track.lon, 7), alts, iso(track.timestamp))
    points = [
        f'<trkpt lat="{lat}" lon="{lon}">{alt}<time>{time}</time></trkpt>\n'
        for lat, lon, alt, time in zip(*columns, strict=False)
    ]
    return (
        f"<trk><name>{_called(track)}</name><number>{track.entrant.bib}</number><trkseg>\n"
        f"{''.join(points)}</trkseg></trk>\n"
    )


def as_kml(tracks: Tracks) -> Iterator[bytes]:
    """Yield KML 2.2 with a `gx:Track` per track; bib, category and club are its ExtendedData."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>\n'
        f"<name>{_title(tracks)}</name>\n"
    ).encode()
    for some in tracks.some():
        yield "".join(map(_placemark, some)).encode()
    yield b"</Document></kml>\n"


def _placemark(track: Track) -> str:
    bib, _, category, club, _ = track.entrant
    data = "".join(
        f'<Data name="{name}"><value>{xml(value)}</value></Data>'
        for name, value in (("bib", str(bib)), ("category", category), ("club", club))
    )
    # Without altitude the line is clamped to the ground, whatever the value.
    alts = repeat("0") if track.alt is None else _decimals(track.alt, 1)
    places = zip(_decimals(track.lon, 7), _decimals(track.lat, 7), alts, strict=False)
    coords = "".join(f"<gx:coord>{lon} {lat} {alt}</gx:coord>\n" for lon, lat, alt in places)
    whens = "".join(f"<when>{time}</when>\n" for time in iso(track.timestamp))
    return (
        f"<Placemark><name>{_called(track)}</name><ExtendedData>{data}</ExtendedData><gx:Track>\n"
        f"{whens}{coords}</gx:Track></Placemark>\n"
    )


def _title(tracks: Tracks) -> str:
    return xml(tracks.race.request.name or tracks.race.course.long_name)


def _called(track: Track) -> str:
    return xml(f"{track.entrant.bib} {track.entrant.name}")


def _decimals(column: Floats, decimals: int) -> list[str]:
    """Return numbers as plain decimals without exponents, for XML, and without -0."""
    return [f"{number:z.{decimals}f}" for number in column.tolist()]


FORMATS = (
    Format("geojson", MEDIA_TYPE, as_geojson),
    Format("csv", "text/csv", as_csv),
    Format("gpx", "application/gpx+xml", as_gpx),
    Format("kml", "application/vnd.google-earth.kml+xml", as_kml),
)
