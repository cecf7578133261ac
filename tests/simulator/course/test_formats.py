"""Files in formats that aren't read: they are named, with what to do."""

import pytest

from simulator.course import formats
from simulator.course.drawing import CourseError
from simulator.course.formats import READ, recognised
from simulator.course.library import read_course
from tests.simulator.course.test_packing import archive

DOCTYPE = b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE %b PUBLIC 'x'><%b/>"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x0e\x10\xd9\x07\0\0\0\0.FIT", "a Garmin FIT file: export the course as GPX"),
        (b"\0\0\x27\x0a" + bytes(96), "a shapefile: convert it to GeoJSON"),
        (b"SQLite format 3\0" + bytes(84), "a GeoPackage or another SQLite file: convert it to GeoJSON"),
        (b"\0\0\0\x0d\x0a\x09OSMHeader", "an OpenStreetMap extract: export the course as GPX"),
        (b"%PDF-1.7\n", "a PDF document: export the course as GPX"),
        (b"\x89PNG\r\n\x1a\n", "a picture: it has no coordinates"),
        (b"\xff\xd8\xff\xe0", "a picture: it has no coordinates"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a picture: it has no coordinates"),
        (b"\0\0\0\x18ftypheic", "a picture or a film: it has no coordinates"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word document: export the course"),
        (b"{\\rtf1\\ansi", "an RTF document: export the course"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
        (bytes(257) + b"ustar", "a tar archive: unpack it"),
        (b"<!DOCTYPE html><html lang='en'>", "a web page (HTML)"),
        (b"\xef\xbb\xbf\n<HTML><body>Log in", "a web page (HTML)"),
        (DOCTYPE % (b"html", b"html"), "a web page (HTML)"),
        (DOCTYPE % (b"svg", b"svg"), "a drawing (SVG)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing (SVG)"),
        (DOCTYPE % (b"qgis", b"qgis"), "a QGIS project"),
        (b"<osm version='0.6'/>", "an OpenStreetMap file: export the course as GPX"),
        (b'{"version": 0.6, "elements": []}', "an OpenStreetMap file: export the course as GPX"),
        (b'{"type": "Topology", "objects": {}, "arcs": []}', "TopoJSON: convert it to GeoJSON"),
        (b'{"geometryType": "esriGeometryPolyline", "features": []}', "Esri JSON: convert it"),
        (b'{"semanticSegments": []}', "Google's location history: export the course"),
        (b'{"message": "Unauthorized"}', "the answer of a server, not a file: download"),
        (b"<Error><Code>AccessDenied</Code></Error>", "the answer of a server, not a file: download"),
        (b"<wfs:FeatureCollection xmlns:wfs='x'/>", "a GML file: convert it to GeoJSON"),
        (b"[InternetShortcut]\r\nURL=https://example.org/r/1", "a link to a file: open it and download"),
        (b"https://example.org/routes/1\n", "a link to a file: open it and download"),
        (b"lat,lon\n51,0\n", "a table of points (CSV): convert it to GPX"),
        (b'"Name";"Longitude";"Latitude"\n', "a table of points (CSV): convert it to GPX"),
        (b"51.1\t-0.1\n51.2\t-0.1\n", "a table of points (CSV): convert it to GPX"),
        ("name,lat,lon\n".encode("utf-16"), "a table of points (CSV): convert it to GPX"),
        (b"$GPGGA,170834,4124.8963,N", "a GPS log (NMEA): convert it to GPX"),
        (b"LINESTRING (0 51, 0 52)", "a geometry in WKT: convert it to GeoJSON"),
    ],
)
def test_other_formats_are_named(data: bytes, what: str) -> None:
    """A file in another format is rejected with its name, what to do, and the formats that are read."""
    with pytest.raises(CourseError) as caught:
        read_course(data, "a", messages="a.kml")
    assert str(caught.value).startswith(f"a.kml is {what}")
    assert str(caught.value).endswith(f"; {READ}")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"nothing", 'it begins with "nothing"'),
        (b"<foo><bar/></foo>", "its outermost element is <foo>"),
        (bytes(range(1, 60)) + b"\0", "it is binary, of an unknown kind"),
        (bytes(range(128, 256)), "it is binary, of an unknown kind"),
    ],
)
def test_unknown_formats(data: bytes, why: str) -> None:
    """A file in no format that is known is rejected with how it begins."""
    with pytest.raises(CourseError) as caught:
        recognised(data, "a")
    assert str(caught.value) == f"a is no course file: {why}; {READ}"


@pytest.mark.parametrize("data", [b"", b" \r\n", b"\xef\xbb\xbf", "\n".encode("utf-16")])
def test_empty(data: bytes) -> None:
    """A file without anything in it is empty."""
    with pytest.raises(CourseError, match=r"^a is empty$"):
        recognised(data, "a")


@pytest.mark.parametrize(
    ("files", "what"),
    [
        (("[Content_Types].xml", "xl/workbook.xml"), "contains an Excel, Word or OpenDocument file: export"),
        (("mimetype", "content.xml"), "contains an Excel, Word or OpenDocument file: export the course"),
        (("a/walk.shp", "a/walk.dbf", "a/walk.prj"), "contains a shapefile: convert it to GeoJSON"),
        (("files/a.png", "files/b.jpg"), "has no file in it whose name ends in .geojson"),
    ],
)
def test_archives_of_other_files(files: tuple[str, ...], what: str) -> None:
    """A zip archive of files in another format is rejected with the format, or with what is in it."""
    with pytest.raises(CourseError, match=f"^a.zip {what.replace('(', '.')}"):
        read_course(archive(*((name, b"x") for name in files)), "a", messages="a.zip")


GPX = b"<gpx><trk><trkseg><trkpt lat='51' lon='0'/><trkpt lat='51.01' lon='0'/></trkseg></trk></gpx>"


@pytest.mark.parametrize(
    ("before", "warning"),
    [
        (b"\n \r\n", None),
        (b"\xef\xbb\xbf\xef\xbb\xbf\n", None),
        (b"<!-- a route -->\n", None),
        (b"Warning: slow\n", "Warning: slow"),
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<?xml version='1.0'?>", "HTTP/1.1 200 OK Server: x"),
        (b"<br />\n<b>Notice</b>: x\n<?xml version='1.0'?>", "<br /> <b>Notice</b>: x"),
    ],
)
def test_what_stands_before_the_beginning(before: bytes, warning: str | None) -> None:
    """What does not belong to the file is ignored with a warning; the lines keep their numbers."""
    course = read_course(before + GPX, "a")
    shown = f'What stands before the beginning of the XML is ignored: "{warning}"'
    assert course.warnings == ((shown,) if warning else ())
    with pytest.raises(CourseError, match=rf"^a, line {before.count(10) + 1}: "):
        read_course(before + GPX.replace(b"'0'", b"'x'"), "a")


@pytest.mark.parametrize(
    "data",
    [
        b"<response><status>ok</status>" + GPX + b"</response>",
        b"<g:gpx xmlns:g='http://example.org/other'>" + GPX.replace(b"gpx>", b"g:gpx>")[7:],
        GPX.replace(b"gpx", b"GPX"),
        GPX.upper(),
        GPX.replace(b"trkpt lat", b"TrkPt Lat"),
        b"<?xml version='1.1' encoding='utf-8'?>" + GPX,
        GPX.replace(b"<trk>", b"<TRK>").replace(b"</trk>", b"</TRK>"),
    ],
)
def test_unusual_gpx(data: bytes) -> None:
    """GPX is read in another element or namespace, and whatever the case of its letters."""
    course = read_course(data, "a")
    assert course.distance == pytest.approx(1112.5, abs=0.1)
    assert course.warnings == ()


def test_too_many_spellings() -> None:
    """A file whose tags are spelled in ever other ways is rejected."""
    tags = b"".join(b"<a%d:TRK/>" % nth for nth in range(101))
    with pytest.raises(CourseError, match="its tags in too many spellings"):
        read_course(b"<gpx>" + tags + b"</gpx>", "a")


def test_the_table() -> None:
    """No format that is read is in the table of those that aren't."""
    for one in formats._FOREIGN:
        assert one.magic or one.roots or one.members or one.text or one.files
        assert not one.roots & set(formats._XML_ROOTS)
