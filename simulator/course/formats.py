"""Recognises a file's format by its content, and names those that aren't read, with a remedy."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from simulator.course import decoding, xml
from simulator.course.coordinates import clip, shown
from simulator.course.drawing import CourseError

READ = "KML, KMZ, GPX, TCX and GeoJSON are read"

_HEAD = 1024 * 1024
_LEADING = b"\xef\xbb\xbf \t\r\n\x1e"
_XML_ROOTS = {
    "gpx": "gpx",
    "trk": "gpx",
    "rte": "gpx",
    "kml": "kml",
    "document": "kml",
    "folder": "kml",
    "placemark": "kml",
    "trainingcenterdatabase": "tcx",
}
"""The format of each outermost element, in lower case."""
_AS_GPX = "export the course as GPX"
_GPSBABEL = "convert it to GPX with GPSBabel"
_CONVERT = "convert it to GeoJSON (ogr2ogr -f GeoJSON -t_srs EPSG:4326 course.geojson FILE, or QGIS)"
_UNPACK = "unpack it and send the course file in it"
_PICTURE = "it has no coordinates; export the course from the program that drew it"
_OPEN = "open it and download the file itself"
_MAGIC = 300
"""Bytes that show what kind of file it is."""


class _Foreign(NamedTuple):
    """A format that isn't read.

    Attributes:
        what: the format, with its article.
        remedy: what to do.
        magic: its first bytes, or those `at` bytes further on.
        roots: names of the outermost XML element, in lower case.
        members: names of members of the outermost JSON object.
        text: matches the beginning of the text, after an XML declaration.
        files: in lower case, ends of the names of its files in an archive.
    """

    what: str
    remedy: str
    magic: tuple[bytes, ...] = ()
    at: int = 0
    roots: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    text: re.Pattern[bytes] | None = None
    files: tuple[str, ...] = ()


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


def _text(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.IGNORECASE)


_COLUMN = rb"\"?(?:lat|latitude|lon|lng|long|longitude|northing|easting)\b"
_FOREIGN = (
    _Foreign("a Garmin FIT file", f"{_AS_GPX} or TCX, or {_GPSBABEL}", (b".FIT",), 8, files=(".fit",)),
    _Foreign("a shapefile", _CONVERT, (b"\0\0\x27\x0a",), files=(".shp", ".shx", ".dbf")),
    _Foreign("a GeoPackage or another SQLite file", _CONVERT, (b"SQLite format 3\0",), files=(".gpkg",)),
    _Foreign("a FlatGeobuf file", _CONVERT, (b"fgb\x03",), files=(".fgb",)),
    _Foreign("a Parquet file", _CONVERT, (b"PAR1",), files=(".parquet",)),
    _Foreign("an OpenStreetMap extract", _AS_GPX, (b"OSMHeader",), 6, files=(".pbf", ".obf")),
    _Foreign("a Garmin database or map", _AS_GPX, (b"MsRcf", b"MsRcd"), files=(".gdb", ".img")),
    _Foreign("a PDF document", "export the course as GPX or KML", (b"%PDF",), files=(".pdf",)),
    _Foreign("a picture", _PICTURE, (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")),
    _Foreign("a picture", _PICTURE, (b"WEBP",), 8),
    _Foreign("a picture or a film", _PICTURE, (b"ftyp",), 4),
    _Foreign("an old Excel or Word document", _AS_GPX, (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
    _Foreign("an Excel, Word or OpenDocument file", _AS_GPX, files=("[content_types].xml", "mimetype")),
    _Foreign("an RTF document", _AS_GPX, (rb"{\rtf",)),
    _Foreign("a 7z archive", _UNPACK, (b"7z\xbc\xaf\x27\x1c",), files=(".7z",)),
    _Foreign("a RAR archive", _UNPACK, (b"Rar!\x1a\x07",), files=(".rar",)),
    _Foreign("a file packed with xz, bzip2 or zstd", _UNPACK, (b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd")),
    _Foreign("a tar archive", _UNPACK, (b"ustar",), 257, files=(".tar",)),
    _Foreign("a link to a file", _OPEN, (b"bplist00",), files=(".url", ".webloc")),
    _Foreign(
        "a web page (HTML), not the file that it offers",
        "download the course file itself; if the page asks you to log in, do so first",
        roots=_of("html", "head", "body", "script", "meta"),
        text=_text(rb"<!doctype\s+html"),
        files=(".html", ".htm"),
    ),
    _Foreign(
        "an OpenStreetMap file",
        f"{_AS_GPX}, or convert it with osmtogeojson",
        roots=_of("osm", "osmchange"),
        members=_of("elements"),
        files=(".osm",),
    ),
    _Foreign("a drawing (SVG)", _PICTURE, roots=_of("svg"), text=_text(rb"<!doctype\s+svg"), files=(".svg",)),
    _Foreign("a GML file", _CONVERT, roots=_of("featurecollection"), files=(".gml",)),
    _Foreign(
        "a QGIS project or layer definition",
        f"in QGIS, {_AS_GPX}",
        roots=_of("qgis", "qlr"),
        text=_text(rb"<!doctype\s+qgis"),
        files=(".qgz", ".qgs"),
    ),
    _Foreign("a TrainingPeaks or Suunto file", _AS_GPX, roots=_of("pwx", "sml", "fitnessworkbook")),
    _Foreign("an OsmAnd or Apple settings file", _AS_GPX, roots=_of("osmand_settings", "plist")),
    _Foreign(
        "the answer of a server, not a file",
        "download the course file again",
        roots=_of("error", "errors", "serviceexceptionreport", "exceptionreport", "rss", "feed"),
        members=_of("error", "errors", "message", "detail"),
    ),
    _Foreign(
        "TopoJSON",
        "convert it to GeoJSON (mapshaper FILE -o format=geojson course.geojson, or QGIS)",
        members=_of("arcs"),
        files=(".topojson",),
    ),
    _Foreign("Esri JSON", _CONVERT, members=_of("geometryType", "spatialReference")),
    _Foreign("Google's location history", _AS_GPX, members=_of("timelineObjects", "semanticSegments")),
    _Foreign(
        "the answer of a route planner (JSON)", _AS_GPX, members=_of("routes", "trip", "paths", "latlng")
    ),
    _Foreign(
        "a link to a file",
        _OPEN,
        text=_text(rb"\[InternetShortcut|\[Desktop Entry|https?://|geo:|www\.|version https://git-lfs"),
    ),
    _Foreign("a GPS log (NMEA)", _GPSBABEL, text=_text(rb"\$(?:G[A-Z]|P)[A-Z]{3},"), files=(".nmea",)),
    _Foreign("a flight log (IGC)", _GPSBABEL, text=_text(rb"A[A-Z]{3}[^\n]*\n[HIJ]"), files=(".igc",)),
    _Foreign("an OziExplorer file", _GPSBABEL, text=_text(rb"OziExplorer"), files=(".plt",)),
    _Foreign(
        "a geometry in WKT",
        _CONVERT,
        text=_text(rb"(?:SRID=\d+;)?\s*(?:MULTI)?(?:LINESTRING|POINT|POLYGON|GEOMETRYCOLLECTION)\s*[ZM(]"),
        files=(".wkt",),
    ),
    _Foreign(
        "a table of points (CSV)",
        "convert it to GPX with GPSBabel or QGIS",
        text=_text(
            rb"(?:[^\n<{]{0,200}[,;\t ])?%b[^\n<{]{0,200}[,;\t]|[^\n<{]{0,200}[,;\t]%b|"
            rb"\"?-?\d{1,3}[.,]\d+\"?[,;\t ]+\"?-?\d{1,3}[.,]\d" % (_COLUMN, _COLUMN)
        ),
        files=(".csv", ".xls"),
    ),
)


def recognised(data: bytes, source: str) -> str:
    """Return a file's format: "kml", "gpx", "tcx" or "geojson".

    Raises:
        CourseError: it is in another format, which is named with what to do, or in none that is known.
    """
    for foreign in _FOREIGN:
        if data[foreign.at : foreign.at + _MAGIC].startswith(foreign.magic):
            raise _refusal(source, foreign)
    head = decoding.head(data, _HEAD).replace(decoding.BOM, b"")
    body = head.lstrip(_LEADING)
    if not body:
        raise CourseError(f"{source} is empty")
    root = xml.outermost(head)
    if found := _XML_ROOTS.get(root.casefold()):
        return found
    content = xml.content(body)
    for foreign in _FOREIGN:
        if root.casefold() in foreign.roots or (foreign.text and foreign.text.match(content)):
            raise _refusal(source, foreign)
    if body.startswith((b"{", b"[")):
        return "geojson"
    # Within another element, or after a text that does not belong there.
    starts = (start[1] for start in xml.START.finditer(head) if start[1])
    if start := next(starts, None):
        return _XML_ROOTS[start.decode().casefold()]
    raise CourseError(f"{source} is no course file: {_unknown(root, body)}; {READ}")


def refuse_json(members: Iterable[str], source: str) -> None:
    """Raise CourseError if a JSON object with these members is in a format that isn't read."""
    for foreign in _FOREIGN:
        if foreign.members.intersection(members):
            raise _refusal(source, foreign)


def refuse_files(names: Iterable[str], source: str) -> None:
    """Raise CourseError if an archive of files with these names is in a format that isn't read."""
    lower = [name.casefold() for name in names]
    for foreign in _FOREIGN:
        if any(name.endswith(foreign.files) for name in lower):
            raise CourseError(f"{source} contains {foreign.what}: {foreign.remedy}")


def _refusal(source: str, foreign: _Foreign) -> CourseError:
    return CourseError(f"{source} is {foreign.what}: {foreign.remedy}; {READ}")


def _unknown(root: str, body: bytes) -> str:
    if root:
        return f"its outermost element is <{clip(root)}>"
    text = body[:_MAGIC].decode(errors="replace")
    if "\0" in text or 10 * text.count("\N{REPLACEMENT CHARACTER}") > len(text):
        return "it is binary, of an unknown kind"
    return f"it begins with {shown(text)}"
