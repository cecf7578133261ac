"""A folder of course files."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import courses, markup
from simulator.courses import READERS, format_of, load_folder, read_course
from simulator.drawing import CourseError

FILES = Path(__file__).parent / "files"
GOOD = "<kml><LineString><coordinates>0,51 0,51.01</coordinates></LineString></kml>"


def test_folder(tmp_path: Path) -> None:
    """Courses come by short name in order; a bad file is told with its error and hides no other."""
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
    """Of two files for one short name the first is taken and the other told."""
    (tmp_path / "a.KML").write_text(GOOD)
    (tmp_path / "a.kml").write_text(GOOD)
    library = load_folder(tmp_path)
    assert list(library.courses) == ["a"]
    assert library.errors == {"a.kml": "a.kml: there is another file for a"}


def test_too_big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file bigger than any course needs isn't even read."""
    monkeypatch.setattr(courses, "MAX_BYTES", 10)
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
def test_format_is_told_by_content(data: bytes, suffix: str) -> None:
    """A file's content tells its format, whatever encoding it has and whatever is wrong further down."""
    assert format_of(data) == suffix


def test_a_file_of_tags_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with more tags and attributes than any course needs is refused before they take memory."""
    monkeypatch.setattr(markup, "MAX_MARKS", 10)
    with pytest.raises(CourseError, match="more than 10 tags and attributes"):
        read_course(b"<kml>" + b"<a/>" * 10, "a.kml")


def test_other_format() -> None:
    """A suffix that no reader knows is refused with those that are known."""
    with pytest.raises(CourseError, match=r"course\.doc isn't a course file: its name ends in none of \.kml"):
        read_course(b"", "course.doc")


def test_long_name() -> None:
    """A name that is asked for goes before the file's own."""
    assert read_course(GOOD.encode(), "a.kml", "Along the canal").long_name == "Along the canal"
