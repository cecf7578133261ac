"""A folder of course files."""

import gzip
from pathlib import Path

import pytest

from simulator.course import library, xml
from simulator.course.drawing import CourseError
from simulator.course.library import SUFFIXES, load_folder, read_course, read_drawing
from tests.simulator.course.test_packing import archive

FILES = Path(__file__).parent / "files"
GOOD = "<kml><LineString><coordinates>0,51 0,51.01</coordinates></LineString></kml>"


def test_folder(tmp_path: Path) -> None:
    """Courses are sorted by short name; an invalid file has its error and hides no other."""
    for name in ("b.kml", "a.KML", "c 1.kml"):
        (tmp_path / name).write_text(GOOD)
    (tmp_path / "bad.kml").write_text("<kml>")
    (tmp_path / "README.md").write_text("not a course")
    (tmp_path / "folder.kml").mkdir()
    library = load_folder(tmp_path)
    assert list(library.courses) == ["a", "b"]
    assert {name: course.short_name for name, course in library.courses.items()} == {"a": "a", "b": "b"}
    assert list(library.errors) == ["bad.kml", "c 1.kml", "folder.kml"]
    assert library.errors["bad.kml"].startswith("bad.kml isn't well-formed XML: ")
    assert library.errors["c 1.kml"].startswith("c 1.kml: 'c 1' can't be a course's short name")
    assert library.errors["folder.kml"].startswith("folder.kml can't be read: ")


def test_same_short_name(tmp_path: Path) -> None:
    """Of two files for one short name, the first is used and the other is an error."""
    (tmp_path / "a.KML").write_text(GOOD)
    (tmp_path / "a.kml").write_text(GOOD)
    library = load_folder(tmp_path)
    assert list(library.courses) == ["a"]
    assert library.errors == {"a.kml": "a.kml: there is another file for a"}


def test_too_big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file bigger than any course needs isn't even read."""
    monkeypatch.setattr(library, "MAX_BYTES", 10)
    (tmp_path / "a.kml").write_text(GOOD)
    assert list(load_folder(tmp_path).errors) == ["a.kml"]


def test_every_format(tmp_path: Path) -> None:
    """Files of every format in a folder are courses alike, and of each its file is known."""
    data = (FILES / "plain.kml").read_bytes()
    for suffix in SUFFIXES:
        (tmp_path / f"walk-{suffix[1:]}{suffix}").write_bytes(data)
    (tmp_path / "kmz-doc.KMZ").write_bytes((FILES / "kmz-doc.kmz").read_bytes())
    (tmp_path / "walk.gpx.gz").write_bytes(gzip.compress((FILES / "gpx-track.gpx").read_bytes()))
    library = load_folder(tmp_path)
    assert not library.errors
    assert {round(course.distance, 1) for course in library.courses.values()} == {412.4}
    assert set(library.courses) == {*(f"walk-{suffix[1:]}" for suffix in SUFFIXES), "kmz-doc", "walk"}
    assert library.files["walk"] == tmp_path / "walk.gpx.gz"


def test_metadata_of_macos_is_ignored(tmp_path: Path) -> None:
    """The files that macOS writes beside others are no courses."""
    (tmp_path / "a.kml").write_text(GOOD)
    (tmp_path / "._a.kml").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    library = load_folder(tmp_path)
    assert (list(library.courses), library.errors) == (["a"], {})


def test_other_formats_are_reported(tmp_path: Path) -> None:
    """A file that was meant to be a course is an error with the remedy, not ignored."""
    (tmp_path / "ride.fit").write_bytes(b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT")
    library = load_folder(tmp_path)
    assert list(library.errors) == ["ride.fit"]
    assert library.errors["ride.fit"].startswith("ride.fit is a Garmin FIT file: export the course as GPX")


LINE = b"<LineString><coordinates>0,51 0,51.01</coordinates></LineString>"
GPX = b"<gpx><rte><rtept lat='51' lon='0'/><rtept lat='51.01' lon='0'/></rte></gpx>"


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (GOOD.encode(), ".kml"),
        ((FILES / "utf-16.kml").read_bytes(), ".kml"),
        ((FILES / "kmz-doc.kmz").read_bytes(), ".kmz"),
        ((FILES / "gpx-track.gpx").read_bytes(), ".gpx"),
        ((FILES / "gpx-track.gpx").read_text().replace("UTF-8", "UTF-16").encode("utf-16"), ".gpx"),
        (gzip.compress(GPX), ".gz"),
        (archive(("walk.gpx", GPX)), ".zip"),
        (b"\n\n<?xml version='1.0'?><!-- <kml> -->" + GPX.replace(b"gpx>", b"g:gpx>"), ".gpx"),
        (b"<!--" + b"x" * 200_000 + b"-->" + GPX, ".gpx"),
        (b'{"type": "FeatureCollection", "features": []}', ".geojson"),
        (b'\xef\xbb\xbf \r\n\t{"type": "FeatureCollection", "features": []}', ".geojson"),
    ],
)
def test_format_follows_from_content(data: bytes, suffix: str) -> None:
    """A file's content determines its format and its suffix, in any encoding."""
    assert read_drawing(data, "the file")[1] == suffix


def test_a_file_of_tags_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with more tags and attributes than any course needs is refused before they take memory."""
    monkeypatch.setattr(xml, "MAX_MARKS", 10)
    with pytest.raises(CourseError, match="more than 10 tags and attributes"):
        read_course(b"<kml>" + b"<a/>" * 10, "a.kml")


def test_long_name() -> None:
    """A name that is asked for goes before the file's own."""
    assert read_course(GOOD.encode(), "a.kml", "Along the canal").long_name == "Along the canal"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"<?xml version='1.0' encoding='utf-7'?><kml/>", 'an unsupported encoding, "utf-7"'),
        (("<kml>" + "<" * 9_000_000).encode("utf-16"), "bigger than 16 MiB"),
        (b" " * 2_000_000 + b"<kml/>", "is empty"),
        (b"<kml><!-- -->" + b"<a/>" * 600_000 + b"</kml>", "more than 100,000 tags, attributes and texts"),
        (b"<kml><Style/>" + b"<a/>" * 600_000 + b"</kml>", "more than 100,000 tags, attributes and texts"),
        (b"<kml>" + b"<Style/>" * 200_000 + b"</kml>", "more than 100,000 tags, attributes and texts"),
        (b"<kml " + b" ".join(b'a%d=">"' % nth for nth in range(201)) + b"/>", "more than 200 attributes"),
        (b"<kml a='" + b"b" * 1_000_000 + b"'/>", "an attribute of more than 1,000,000 bytes"),
        (b"<kml><" + b"a" * 60_000 + b"></kml>", r"^a\.kml isn't well-formed XML: .{1,200}$"),
        (b"<kml>" + LINE * 10_001 + b"</kml>", "more than 10,000 lines, rings and markers"),
        (LINE.replace(b"0,51.01", b"1,2 " * 120_000), "more than 110,000 points"),
        (LINE.replace(b"0,51.01", b"1,2," * 180_000), "more than 110,000 points"),
        (b"<kml><Track>" + b"<coord>1 2</coord>" * 90_001 + b"</Track></kml>", "90,000 points of tracks"),
    ],
)
def test_hostile(data: bytes, error: str) -> None:
    """A file that would cost much is refused with what it has too much of."""
    with pytest.raises(CourseError, match=error):
        read_course(data if data[:1] != b"<" or b"<kml" in data else b"<kml>" + data + b"</kml>", "a.kml")


def test_what_is_taken_leaves_the_rest() -> None:
    """What stands between places, and the lines on which they stand, are as they were."""
    data = (
        b"<gpx><trk><trkseg>\n<trkpt lat='51' lon='0'><time>\n</time><extensions>\n<a/></extensions></trkpt>"
        b"<trkpt lat='51.01' lon='0'/>\n<trkpt lat='51.02' lon='x'/></trkseg></trk></gpx>"
    )
    with pytest.raises(CourseError, match=r'line 5: "x" is not a number'):
        read_course(data, "a.gpx")
    assert read_course(data.replace(b"x'", b"0'"), "a.gpx").distance > 2000


@pytest.mark.parametrize("times", [1, 100])
def test_undefined_entity(times: int) -> None:
    """An undefined entity is reported with its name and its line, also where the parser ends silently."""
    entities = b"&mine;" * times
    with pytest.raises(CourseError, match=r"isn't well-formed XML: Entity 'mine' not defined, line 2$"):
        read_course(b"<gpx>\n<trk version='" + entities + b"'><name>A</name></trk></gpx>", "a.gpx")
    with pytest.raises(CourseError, match=r"isn't well-formed XML: Entity 'mine' not defined, line 1$"):
        read_course(b"<gpx version='" + entities + b"'><trk><name>A</name></trk></gpx>", "a.gpx")
