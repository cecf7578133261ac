"""Course files in the formats and encodings in which people send them."""

import gzip
import io
from pathlib import Path

import pytest

from simulator.commands.generate import generate
from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import load_folder, read_course
from tests.processes import ROOT

WILD = ROOT / "tests" / "wild"
METRES = 3005.1
"""Length of the line in each of the files."""


def course_of(name: str) -> Course:
    """Read one of the files."""
    path = WILD / name
    return read_course(path.read_bytes(), "course", messages=path.name)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("02-qgis-kmz-layers/course.kmz", "course"),
        ("09-strava-gpx-gz/1234567890.gpx.gz", "Canal 3k"),
        ("10-zip-with-gpx/canal.gpx.zip", "Canal 3k"),
        ("11-tcx-by-mistake/course.tcx", "Canal 3k"),
        ("14-geojson-text-sequence/lines.geojsonl", "Park 3k"),
        ("14-geojson-text-sequence/rs.geojsons", "Park 3k"),
        ("20-trkpt-without-trkseg/flat.gpx", "Park 3k"),
    ],
)
def test_what_can_mean_only_one_thing_is_read(file: str, name: str) -> None:
    """The whole line is read, with its name, and there is nothing to warn about."""
    course = course_of(file)
    assert course.distance == pytest.approx(METRES, abs=0.1)
    assert (course.long_name, course.warnings) == (name, ())


@pytest.mark.parametrize(
    ("file", "name", "warning"),
    [
        (
            "08-labelled-utf16-is-utf8/plan.kml",
            "Moor 3k",
            'The file says that its encoding is "utf-16", but it is UTF-8: read as UTF-8',
        ),
        (
            "17-one-bad-byte-in-a-description/half-letter.gpx",
            "Park 3k",
            "Line 3: bytes that aren't UTF-8 are read as Windows-1252",
        ),
        (
            "17-one-bad-byte-in-a-description/latin1-says-utf8.gpx",
            "Mühlrunde",
            "Line 3: bytes that aren't UTF-8 are read as Windows-1252",
        ),
    ],
)
def test_an_assumption_is_a_warning(file: str, name: str, warning: str) -> None:
    """The line is read, and the warning says what was assumed and where."""
    course = course_of(file)
    assert course.distance == pytest.approx(METRES, abs=0.1)
    assert (course.long_name, course.warnings) == (name, (warning,))


def test_the_folder_of_courses(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands use the files in a folder, and say on standard error what was assumed about them."""
    folder = WILD / "27-bad-file-in-the-courses-folder"
    for name, warning in (("flat", ""), ("legs", "legs: The course is 3 lines that meet, from the track")):
        out = io.BytesIO()
        generate(["--course", name, "--courses", str(folder), "--competitors", "1", "--topic", "races"], out)
        err = capsys.readouterr().err
        assert out.getvalue().count(b"\n") == 2
        assert err.startswith(warning)
        assert bool(err) == bool(warning)
    assert load_folder(folder).courses["legs"].distance == pytest.approx(5009.5, abs=0.1)


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """The command says why a file can't be used, also if it is packed or in another format."""
    (tmp_path / "flat.gpx").write_bytes(b"<gpx><trk/></gpx>")
    (tmp_path / "ride.fit").write_bytes(b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT")
    (tmp_path / "cut.gpx.gz").write_bytes(gzip.compress(b"<gpx/>")[:-4])
    for name, why in (
        ("flat", "flat.gpx: there is no line to run along"),
        ("ride", "ride.fit is a Garmin FIT file: export the course as GPX"),
        ("cut", "cut.gpx.gz is an incomplete gzip file"),
        (str(tmp_path / "ride.fit"), "ride.fit is a Garmin FIT file: export the course as GPX"),
    ):
        with pytest.raises(SystemExit, match=why):
            generate(["--course", name, "--courses", str(tmp_path), "--competitors", "1"])


PARK = (WILD / "20-trkpt-without-trkseg" / "flat.gpx").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Start &amp; finish &lt;3", "Start & finish <3"),
        ("Start & finish <3", "Start & finish <3"),
        ("Caf&eacute;&nbsp;run &middot; 3k", "Café run · 3k"),
        ("a < b &amp; <= c", "a < b & <= c"),
    ],
)
def test_text_that_is_not_escaped(name: str, read: str) -> None:
    """Signs that begin no tag and no entity, and the entities of HTML, are letters."""
    course = read_course(PARK.replace("Park 3k", name).encode(), "a")
    assert (course.long_name, course.warnings) == (read, ())
    assert course.distance == pytest.approx(METRES, abs=0.1)


@pytest.mark.parametrize("junk", ["-- \nSent from my phone", "--boundary--", "<script>x()</script>", "]]>"])
def test_what_follows_the_end(junk: str) -> None:
    """It is ignored, and the warning gives its line."""
    course = read_course(f"{PARK.strip()}\n\n{junk}\n".encode(), "a")
    line = PARK.strip().count("\n") + 3
    shown = " ".join(junk.split())
    assert course.warnings == (f'What follows the end of the XML, at line {line}, is ignored: "{shown}"',)
    assert course.distance == pytest.approx(METRES, abs=0.1)


def test_two_documents_in_one_file() -> None:
    """They are rejected: only one of them can be the course."""
    for second in (PARK, PARK[PARK.index("<gpx") :]):
        with pytest.raises(CourseError, match="isn't well-formed XML: "):
            read_course(f"{PARK}\n{second}".encode(), "a")


@pytest.mark.parametrize("end", [7, 30, 100, 500])
def test_a_file_that_is_cut_short(end: int) -> None:
    """The message says so, wherever it is cut."""
    with pytest.raises(CourseError, match="the file is cut short: save it again"):
        read_course(PARK.strip()[:-end].encode(), "a")
