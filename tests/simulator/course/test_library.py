"""A folder of course files."""

from pathlib import Path

import pytest

from simulator.course import library, xml
from simulator.course.drawing import CourseError
from simulator.course.library import READERS, format_of, load_folder, read_course

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
    names = ("plain.kml", "kmz-doc.kmz", "gpx-track.gpx", "geojson-plain.geojson", "geojson-suffix.json")
    assert {Path(name).suffix for name in names} == set(READERS)
    for name in names:
        (tmp_path / name).write_bytes((FILES / name).read_bytes())
    library = load_folder(tmp_path)
    assert {name: round(course.distance, 1) for name, course in library.courses.items()} == {
        "geojson-plain": 412.4,
        "geojson-suffix": 412.4,
        "gpx-track": 412.4,
        "kmz-doc": 412.4,
        "plain": 412.4,
    }
    assert library.files["kmz-doc"] == tmp_path / "kmz-doc.kmz"


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (GOOD.encode(), ".kml"),
        ((FILES / "utf-16.kml").read_bytes(), ".kml"),
        ((FILES / "kmz-doc.kmz").read_bytes(), ".kmz"),
        ((FILES / "kmz-cut-short.kmz").read_bytes(), ".kmz"),
        ((FILES / "gpx-track.gpx").read_bytes(), ".gpx"),
        ((FILES / "gpx-track.gpx").read_text().replace("UTF-8", "UTF-16").encode("utf-16"), ".gpx"),
        (b"\n\n<?xml version='1.0'?><!-- <kml> --><g:gpx>", ".gpx"),
        (b"<!--" + b"x" * 200_000 + b"--><gpx><", ".gpx"),
        (b"<html><gpx/></html>", ".kml"),
        (b'{"type": "Feature"}', ".geojson"),
        (b"\xef\xbb\xbf \r\n\t{", ".geojson"),
        (b"[1, 2]", ".kml"),
        (b"", ".kml"),
    ],
)
def test_format_follows_from_content(data: bytes, suffix: str) -> None:
    """A file's content determines its format, in any encoding and despite errors further down."""
    assert format_of(data) == suffix


def test_a_file_of_tags_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with more tags and attributes than any course needs is refused before they take memory."""
    monkeypatch.setattr(xml, "MAX_MARKS", 10)
    with pytest.raises(CourseError, match="more than 10 tags and attributes"):
        read_course(b"<kml>" + b"<a/>" * 10, "a.kml")


def test_other_format() -> None:
    """A suffix that no reader knows is refused with those that are known."""
    with pytest.raises(CourseError, match=r"course\.doc isn't a course file: its name ends in none of \.kml"):
        read_course(b"", "course.doc")


def test_long_name() -> None:
    """A name that is asked for goes before the file's own."""
    assert read_course(GOOD.encode(), "a.kml", "Along the canal").long_name == "Along the canal"


LINE = b"<LineString><coordinates>0,51 0,51.01</coordinates></LineString>"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"<?xml version='1.0' encoding='utf-7'?><kml/>", 'an unsupported encoding, "utf-7"'),
        (b"<?xml version='1.0' encoding='ascii'?><kml>\xff</kml>", "isn't in ascii, as declared"),
        (b"\xff\xfe" + b"<\0" * 9_000_000, "bigger than 16 MiB and not in UTF-8"),
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
        (b"<kml><Track>" + b"<coord>1 2</coord>" * 60_001 + b"</Track></kml>", "60,000 points of tracks"),
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
    entities = b"&nbsp;" * times
    with pytest.raises(CourseError, match=r"isn't well-formed XML: Entity 'nbsp' not defined, line 2$"):
        read_course(b"<gpx>\n<trk version='" + entities + b"'><name>A</name></trk></gpx>", "a.gpx")
    with pytest.raises(CourseError, match=r"isn't well-formed XML: Entity 'nbsp' not defined, line 1$"):
        read_course(b"<gpx version='" + entities + b"'><trk><name>A</name></trk></gpx>", "a.gpx")
