"""What the KML reader finds, before the survey judges it."""

import contextlib
import time

import numpy as np
import pytest

from simulator.course import kml
from simulator.course.drawing import CourseError
from simulator.course.survey import limits

PATIENCE = 10.0
"""Seconds of processor time: what takes a fraction of one where it is linear, and minutes where it isn't."""


def placemark(content: str, name: str = "") -> bytes:
    """Return a KML file with one Placemark, which is on line 2."""
    return f"<kml>\n<Placemark><name>{name}</name>{content}</Placemark></kml>".encode()


def line(coordinates: str) -> bytes:
    """Return a KML file with one LineString, which is on line 2."""
    return placemark(f"<LineString><coordinates>{coordinates}</coordinates></LineString>")


def test_where() -> None:
    """A line has its element's name, its line in the file and its Placemark's name."""
    track = "<Track><coord>0 51 1</coord><coord>0 52 1</coord></Track>"
    (found,) = kml.read(placemark(track, name=" The\n course ")).lines
    assert found.where == "Track at line 3 (The course)"


def test_line() -> None:
    """Coordinates are taken as they stand, with NaN for an altitude that is missing."""
    (found,) = kml.read(line("-0.5,51.25,7 180,-90")).lines
    assert found.lon.tolist() == [-0.5, 180.0]
    assert found.lat.tolist() == [51.25, -90.0]
    np.testing.assert_array_equal(found.alt, [7.0, np.nan])


def test_name_after_geometries() -> None:
    """A Placemark's name counts for its Points even if it stands behind them."""
    points = "<Point><coordinates>1,2</coordinates></Point>" * 2
    data = f"<kml><Placemark>{points}<name>Start</name></Placemark></kml>".encode()
    assert [marker.name for marker in kml.read(data).markers] == ["Start", "Start"]


def test_unnamed_point() -> None:
    """A Point without a name marks nothing, and its errors are ignored."""
    drawing = kml.read(placemark("<Point><coordinates>here</coordinates></Point>"))
    assert (drawing.markers, drawing.warnings) == ([], [])


def test_polygon_with_hole() -> None:
    """A polygon's inner boundaries are its holes, and none of its rings is a line."""
    outer, hole = "0,0 9,0 9,9 0,0", "5,2 6,2 6,3 5,2"
    rings = (
        f"<outerBoundaryIs><LinearRing><coordinates>{outer}</coordinates></LinearRing></outerBoundaryIs>"
        f"<innerBoundaryIs><LinearRing><coordinates>{hole}</coordinates></LinearRing></innerBoundaryIs>"
    )
    drawing = kml.read(placemark(f"<Polygon>{rings}</Polygon>", name="Park"))
    (ring,) = drawing.polygons
    assert ring.name == "Park"
    assert ring.outer.tolist() == [[0, 0], [9, 0], [9, 9], [0, 0]]
    assert [points.tolist() for points in ring.holes] == [[[5, 2], [6, 2], [6, 3], [5, 2]]]
    assert drawing.lines == []


@pytest.mark.parametrize("text", ["1_0,2", "१,2", "--1,2", "1-2,2", ",1,2", "1,,2", "0x1,2", "inf,2", "1;2"])
def test_no_number(text: str) -> None:
    """What is no decimal number is refused, even where Python would read it."""
    with pytest.raises(CourseError, match="KML, line 2: "):
        kml.read(line(f"0,0 {text}"))


def test_line_number_far_down() -> None:
    """A broken point's line is right far beyond the 65,535 lines that libxml2 used to count."""
    text = "0,51\n" * 100_000 + "0;51"
    with pytest.raises(CourseError, match="KML, line 100002: "):
        kml.read(line(text))


def test_long_token() -> None:
    """A message shows only the beginning of an invalid text."""
    with pytest.raises(CourseError) as caught:
        kml.read(line("9" * 10_000))
    assert len(str(caught.value)) < 200


def test_name_of_document() -> None:
    """The drawing has the name of the outermost Document or Folder that has one."""
    data = b"<kml><Document><Folder><name>A</name></Folder><Folder><name>B</name></Folder></Document></kml>"
    assert kml.read(data).name == "A"


def test_undeclared_prefix_in_attribute() -> None:
    """An attribute's prefix may be missing as well as an element's."""
    data = b"<kml xsi:schemaLocation='x y'><Document gx:id='1'><gx:name>A</gx:name></Document></kml>"
    assert kml.read(data).name == "A"


def test_too_many_undeclared_prefixes() -> None:
    """A file with hundreds of prefixes that it doesn't declare is given up."""
    elements = "".join(f"<p{index}:a/>" for index in range(1000))
    with pytest.raises(CourseError, match="too many namespace prefixes"):
        kml.read(f"<kml>{elements}</kml>".encode())


def test_other_data() -> None:
    """Data of another name says nothing of laps."""
    data = '<ExtendedData><Data name="surface"><value>grass</value></Data></ExtendedData>'
    assert kml.read(placemark(data)).laps is None


@pytest.mark.parametrize("alike", [True, False])
def test_speed(alike: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """As many points as a course may have are read in a time that grows with them, all alike or not."""
    points = [f"{index / 1e6:.13f},51.4193860000000,{index % 100}.5" for index in range(limits.MAX_POINTS)]
    data = line(" ".join(points if alike else ["0,51", *points]))
    before = time.process_time()
    (found,) = kml.read(data).lines
    assert len(found.lon) >= limits.MAX_POINTS
    assert time.process_time() - before < PATIENCE


@pytest.mark.parametrize(
    "text", [" " * 5_000_000, ", " * 2_000_000, "1 , " * 1_000_000], ids=["blanks", "commas", "ones"]
)
def test_hostile_blanks(text: str) -> None:
    """Millions of blanks and commas take a time that grows with them, not with their square."""
    before = time.process_time()
    with contextlib.suppress(CourseError):
        kml.read(line(text))
    assert time.process_time() - before < PATIENCE


def test_a_ring_that_is_not_closed_is_closed() -> None:
    """A LinearRing ends where it begins, whether or not the point is written again."""
    ring = "<LinearRing><coordinates>0,51 0,51.001 0.001,51{}</coordinates></LinearRing>"
    for last in ("", " 0,51"):
        (line,) = kml.read(f"<kml><Placemark>{ring.format(last)}</Placemark></kml>".encode()).lines
        assert line.lon.tolist() == [0.0, 0.0, 0.001, 0.0]
