"""Widths: which the file has, and where they hold."""

import math

import numpy as np
import orjson
import pytest

from simulator.course import geojson, gpx, kml, tcx
from simulator.course.course import Course, Width
from simulator.course.drawing import CourseError, Drawing, Marker
from simulator.course.survey import limits, survey
from simulator.course.survey.widths import called
from tests.simulator.course.test_mats import beside_straight, mark
from tests.simulator.course.test_survey import STRAIGHT, make, make_line


def wide(*markers: Marker, widths: tuple[float, ...] = (), laps: int | None = None) -> Course:
    """Return the straight line as a course with the widths of markers and of its path."""
    drawing = Drawing("Test", [make_line(STRAIGHT)], list(markers), laps=laps, widths=list(widths))
    return survey(drawing, "test")


@pytest.mark.parametrize(
    ("name", "metres"),
    [
        ("Width 4 m", 4.0),
        ("width: 4.5", 4.5),
        ("Width = 4,5 metres", 4.5),
        ("WIDTH \u2013 12m", 12.0),
        ("Width unlimited", math.inf),
        ("Width", None),
        ("Width of the bridge 4 m", None),
        ("Width -4 m", 4.0),
        ("Old bridge", None),
        ("4 m", None),
    ],
)
def test_names_of_widths(name: str, metres: float | None) -> None:
    """A marker sets the width if its name is "Width" and a number of metres."""
    assert called(mark(name, 0.0, 51.0)) == metres


def test_a_width_holds_from_its_marker_on() -> None:
    """The path's width holds up to the first marker, and each marker's up to the next."""
    course = wide(
        mark("Width 3 m", *beside_straight(400, 5)),
        mark("Width unlimited", *beside_straight(600, -5)),
        widths=(8.0,),
    )

    assert [width.metres for width in course.widths] == [8.0, 3.0, math.inf]
    assert [width.since for width in course.widths] == pytest.approx([0, 400, 600], abs=0.1)
    assert course.warnings == ()


def test_a_marker_at_the_start_replaces_the_width_of_the_path() -> None:
    """Of two widths at the start the marker's counts."""
    assert wide(mark("Width 3 m", *STRAIGHT[0]), widths=(8.0,)).widths == (Width(0.0, 3.0),)


def test_a_width_that_changes_nothing_is_left_out() -> None:
    """Two markers with the same width are one."""
    course = wide(mark("Width 3 m", *beside_straight(400, 0)), mark("Width 3 m", *beside_straight(600, 0)))

    assert len(course.widths) == 1


def test_on_the_way_back_a_width_holds_from_the_nearest_place() -> None:
    """A course that passes a marker twice has its width from the nearest place on, with a warning."""
    out, there, back = (0.0, 51.0), (0.0, 51.01), (0.00005, 51.0)
    course = make([out, there, back], markers=[mark("Width 3 m", 0.00003, 51.005)])

    assert course.widths[0].since == pytest.approx(3 * course.distance / 4, abs=1)
    assert "the course passes it 2 times" in course.warnings[-1]


def test_each_lap_has_the_same_widths() -> None:
    """In each lap the widths hold from the same places on."""
    square = [(0.0, 51.0), (0.0, 51.001), (0.001, 51.001), (0.0, 51.0)]
    course = make(square, laps=2, markers=[mark("Width 3 m", 0.0, 51.0005)], widths=[8.0])
    places, metres = course.width_steps()

    assert metres.tolist() == [8, 3, 8, 3]
    lap = course.lap_length
    assert places.tolist() == pytest.approx([0, 55.6, lap, lap + 55.6], abs=0.2)


def test_a_course_without_widths_is_unlimited() -> None:
    """Without widths the course has one step, and it is unlimited."""
    places, metres = make(STRAIGHT).width_steps()

    assert (places.tolist(), metres.tolist()) == ([0.0], [np.inf])


@pytest.mark.parametrize(
    ("marker", "fault"),
    [
        (mark("Width 0.4 m", *beside_straight(400, 0)), "0.4 m is no width of a course"),
        (mark("Width 1001 m", *beside_straight(400, 0)), "1001 m is no width of a course"),
        (mark("Width 4 m", *beside_straight(400, 101)), "101 m from the line"),
        (mark("Width 4 m", 400.0, 0.0), "no place on the globe"),
    ],
)
def test_an_impossible_width_is_left_out(marker: Marker, fault: str) -> None:
    """A width that can't be meant gets a warning, and the course is accepted."""
    course = wide(marker)

    assert course.widths == ()
    assert fault in course.warnings[-1]


def test_different_widths_of_the_parts_are_left_out() -> None:
    """If the parts of a path have different widths, none is used, and a warning says how to set them."""
    course = wide(widths=(3.0, 5.0))

    assert course.widths == ()
    assert "different widths (3, 5 m)" in course.warnings[-1]


def test_too_many_widths() -> None:
    """A file with more widths than allowed is rejected."""
    with pytest.raises(CourseError, match="101 widths, and 100 are allowed"):
        wide(*[mark("Width 4 m", 0.0, 51.001)] * (limits.MAX_WIDTHS + 1))


POINTS = "0,51 0,51.005 0,51.01"
KML = f"""<kml><Document><Placemark><name>Path</name>
<ExtendedData><Data name="width"><value>8 m</value></Data></ExtendedData>
<LineString><coordinates>{POINTS}</coordinates></LineString></Placemark>
<Placemark><name>Gate</name><ExtendedData><Data name="width"><value>99</value></Data></ExtendedData>
<Point><coordinates>0,51.001</coordinates></Point></Placemark>
<Placemark><name>Width 4 m</name><Point><coordinates>0,51.005</coordinates></Point></Placemark>
</Document></kml>"""
GPX = """<gpx><wpt lat="51" lon="0"><name>Width 8 m</name></wpt>
<wpt lat="51.005" lon="0"><name>Width 4 m</name></wpt>
<trk><trkseg><trkpt lat="51" lon="0"/><trkpt lat="51.005" lon="0"/><trkpt lat="51.01" lon="0"/></trkseg></trk>
</gpx>"""
TCX = """<TrainingCenterDatabase><Courses><Course><Name>c</Name><Track>
<Trackpoint><Position><LatitudeDegrees>51</LatitudeDegrees><LongitudeDegrees>0</LongitudeDegrees></Position>
</Trackpoint><Trackpoint><Position><LatitudeDegrees>51.01</LatitudeDegrees>
<LongitudeDegrees>0</LongitudeDegrees></Position></Trackpoint></Track>
<CoursePoint><Name>Width 8 m</Name><Position><LatitudeDegrees>51</LatitudeDegrees>
<LongitudeDegrees>0</LongitudeDegrees></Position></CoursePoint>
<CoursePoint><Name>Width 4 m</Name><Position><LatitudeDegrees>51.005</LatitudeDegrees>
<LongitudeDegrees>0</LongitudeDegrees></Position></CoursePoint>
</Course></Courses></TrainingCenterDatabase>"""
LINE = {"type": "LineString", "coordinates": [[0, 51], [0, 51.005], [0, 51.01]]}
GATE = {"type": "Point", "coordinates": [0, 51.005]}
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"name": "Path", "width": 8}, "geometry": LINE},
        {"type": "Feature", "properties": {"name": "Width 4 m"}, "geometry": GATE},
    ],
}


@pytest.mark.parametrize(
    "drawing",
    [
        kml.read(KML.encode()),
        gpx.read(GPX.encode()),
        tcx.read(TCX.encode()),
        geojson.read(orjson.dumps(GEOJSON)),
    ],
    ids=["KML", "GPX", "TCX", "GeoJSON"],
)
def test_every_format_has_widths(drawing: Drawing) -> None:
    """The same course with the same widths is read from each format."""
    course = survey(drawing, "test")

    assert [width.metres for width in course.widths] == [8, 4]
    assert course.widths[1].since == pytest.approx(course.distance / 2, abs=0.1)


@pytest.mark.parametrize("width", ["wide", "4 feet", True, [4], ""])
def test_an_unreadable_width_of_the_path_is_left_out(width: object) -> None:
    """The course is accepted without it, and a warning shows what the file has."""
    line = {"type": "Feature", "properties": {"width": width}, "geometry": LINE}
    course = survey(geojson.read(orjson.dumps(line)), "test")

    assert course.widths == ()
    assert "The path's width is left out" in course.warnings[0]
