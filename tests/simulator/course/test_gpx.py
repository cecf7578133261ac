"""What the GPX reader finds, before the survey judges it."""

import time

import gpxpy.gpx as other
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.course import gpx
from simulator.course.drawing import CourseError
from simulator.course.survey import limits, survey

PATIENCE = 10.0
"""Seconds of processor time: what takes a fraction of one where it is linear, and minutes where it isn't."""
POINTS = '<trkpt lat="51" lon="-0.5"><ele>7</ele></trkpt><trkpt lat="51.25" lon="180"/>'

Place = tuple[float, float, float | None]
Shape = tuple[str, list[Place]]
"""A line's name, and its places."""


def track(content: str = POINTS, before: str = "") -> bytes:
    """Return a GPX file with one track, which is on line 2."""
    return f"<gpx>{before}\n<trk><name> The\t course</name><trkseg>{content}</trkseg></trk></gpx>".encode()


def test_line() -> None:
    """A track is a line with its position in the file and NaN for missing altitudes."""
    (found,) = gpx.read(track()).lines
    assert found.where == "track at line 2 (The course)"
    assert found.lon.tolist() == [-0.5, 180.0]
    assert found.lat.tolist() == [51.0, 51.25]
    np.testing.assert_array_equal(found.alt, [7.0, np.nan])


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("<metadata><name>Of the\n file</name></metadata><name>Old</name>", "Of the file"),
        ("<metadata><desc>x</desc></metadata><name>Old</name>", "Old"),
        ("<name>Old</name>", "Old"),
        ("<rte/><rte><name>Way</name></rte>", "Way"),
        ("", "The course"),
    ],
)
def test_name_of_document(before: str, name: str) -> None:
    """The drawing has the name of the metadata, or else the file's of GPX 1.0, or else a track's."""
    assert gpx.read(track(before=before)).name == name


def test_waypoints() -> None:
    """Waypoints with a name are markers; the errors of those without one are ignored."""
    named = '<wpt lat="51" lon="1"><name>Start</name></wpt><wpt lat="here" lon="1"/>'
    drawing = gpx.read(track(before=named))
    assert [(marker.name, marker.lon, marker.lat) for marker in drawing.markers] == [("Start", 1.0, 51.0)]
    assert drawing.markers[0].where == "waypoint at line 1 (Start)"
    assert drawing.warnings == []


@pytest.mark.parametrize("text", ["1_0", "१", "--1", "0x1", "inf", "nan", "1.000,5", "1 2"])
def test_no_number(text: str) -> None:
    """What is no decimal number is refused with its line, even where Python would read it."""
    with pytest.raises(CourseError, match=r"GPX, line 3: \".*\" is not a number"):
        gpx.read(track(f'{POINTS}\n<trkpt lat="51" lon="{text}"/>'))


NAMES = st.text(
    st.characters(categories=("L", "N", "S"), include_characters="&<>'-."), min_size=1, max_size=20
)


def decimals(least: int, most: int, digits: int) -> st.SearchStrategy[float]:
    """Return numbers of so many decimals: the other library cuts very small ones off."""
    return st.integers(least * 10**digits, most * 10**digits).map(lambda number: number / 10**digits)


PLACES = st.tuples(decimals(-90, 90, 7), decimals(-180, 180, 7), st.none() | decimals(-500, 9000, 1))
"""Latitude, longitude, altitude."""


@given(
    tracks=st.lists(st.tuples(NAMES, st.lists(PLACES, min_size=2, max_size=20)), max_size=3),
    routes=st.lists(st.tuples(NAMES, st.lists(PLACES, min_size=2, max_size=20)), max_size=2),
    waypoints=st.lists(st.tuples(NAMES, PLACES), max_size=5),
    version=st.sampled_from(["1.0", "1.1"]),
)
def test_what_another_library_writes_is_read(
    tracks: list[Shape], routes: list[Shape], waypoints: list[tuple[str, Place]], version: str
) -> None:
    """Lines, places, altitudes, waypoints and names are those that gpxpy was given."""
    file = other.GPX()
    for name, places in tracks:
        points = [other.GPXTrackPoint(*place) for place in places]
        track = other.GPXTrack(name)
        track.segments.append(other.GPXTrackSegment(points))
        file.tracks.append(track)
    for name, places in routes:
        route = other.GPXRoute(name)
        route.points += [other.GPXRoutePoint(*place) for place in places]
        file.routes.append(route)
    file.waypoints += [other.GPXWaypoint(*place, name=name) for name, place in waypoints]

    drawing = gpx.read(file.to_xml(version).encode())

    assert drawing.warnings == []
    for line, (name, places) in zip([*drawing.lines, *drawing.routes], [*tracks, *routes], strict=True):
        lat, lon, alt = np.array(places, float).T
        assert line.where.endswith(f"({name})")
        np.testing.assert_array_equal((line.lon, line.lat, line.alt), (lon, lat, alt))
    marks = [(marker.name, marker.lat, marker.lon) for marker in drawing.markers]
    assert marks == [(name, lat, lon) for name, (lat, lon, _) in waypoints]


def test_points_outside_of_segments() -> None:
    """An invalid point that belongs to no line doesn't matter."""
    assert len(gpx.read(track(before="<extensions><trkpt/></extensions>")).lines) == 1


def test_empty() -> None:
    """A file with nothing in it has no line, no marker and no name."""
    drawing = gpx.read(b"<gpx/>")
    assert (drawing.name, drawing.lines, drawing.markers) == ("", [], [])


def test_speed() -> None:
    """As many points as a course may have are read in a time that grows with them."""
    points = "".join(
        f'<trkpt lat="51" lon="{nth / 1e6:.13f}"><ele>5</ele></trkpt>'
        for nth in range(limits.MAX_ELEMENT_POINTS)
    )
    before = time.process_time()
    (found,) = gpx.read(track(points)).lines
    assert len(found.lon) == limits.MAX_ELEMENT_POINTS
    assert time.process_time() - before < PATIENCE


NEARBY = '<trkpt lat="51" lon="0"/><trkpt lat="51.001" lon="0"/><trkpt lat="51.002" lon="0"/>'


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (f"<gpx>\n<trk><name>A</name>\n{NEARBY}</trk></gpx>", "track at line 2 (A)"),
        (f"<gpx>\n<trkseg>\n{NEARBY}</trkseg></gpx>", "track at line 1"),
        (f"<gpx>\n{NEARBY}</gpx>", "track at line 1"),
        (f"<gpx>{NEARBY.replace('trkpt', 'rtept')}</gpx>", "track at line 1"),
        (f"<gpx><trk>{NEARBY.replace('trkpt', 'rtept')}</trk></gpx>", "track at line 1"),
        (f"<gpx><trk><trkseg>{NEARBY.replace('trkpt', 'rtept')}</trkseg></trk></gpx>", "track at line 1"),
        (f"<gpx><rte>{NEARBY}</rte></gpx>", "route at line 1"),
        (f"<trk>{NEARBY}</trk>", "track at line 1"),
        (f"<x><gpx>\n<trk><trkseg>{NEARBY}</trkseg></trk></gpx></x>", "track at line 2"),
    ],
)
def test_points_in_unusual_places(data: str, where: str) -> None:
    """Points outside of a segment, a track or a route are a track."""
    drawing = gpx.read(data.encode())
    (line,) = [*drawing.lines, *drawing.routes]
    assert (line.where, line.lat.tolist()) == (where, [51.0, 51.001, 51.002])
    assert drawing.warnings == []


ROUTE = """<gpx xmlns:gpxx="http://www.garmin.com/xmlschemas/GpxExtensions/v3"><rte><name>A</name>
<rtept lat="51" lon="0"><name>B</name><extensions><gpxx:RoutePointExtension><gpxx:Subclass>0</gpxx:Subclass>
<gpxx:rpt lat="51.001" lon="0"><gpxx:Subclass>0</gpxx:Subclass></gpxx:rpt>
<gpxx:rpt lat="51.002" lon="0"/></gpxx:RoutePointExtension></extensions></rtept>
<rtept lat="51.01" lon="0"><ele>5</ele></rtept><rtept lat="51.011" lon="0"/></rte></gpx>"""


@pytest.mark.parametrize(
    "data",
    [
        ROUTE,
        ROUTE.replace("gpxx", "n3"),
        ROUTE.replace("gpxx:", ""),
        ROUTE.replace("xmlns:gpxx", "id"),
        ROUTE.replace("<extensions>", "<extensions xmlns:a='b'>"),
        ROUTE.replace("extensions>", "g:extensions>").replace("<rte>", "<rte xmlns:g='x'>"),
    ],
)
def test_the_shape_of_a_route(data: str) -> None:
    """The way between two points of a route, which Garmin writes into an extension, is part of the line."""
    drawing = gpx.read(data.encode())
    (line,) = drawing.routes
    assert line.lat.tolist() == [51.0, 51.001, 51.002, 51.01, 51.011]
    assert line.alt[3] == 5.0
    assert drawing.warnings[1:] == []


def test_a_bad_point_in_a_shape() -> None:
    """An invalid point in the way between two others is rejected with its line."""
    with pytest.raises(CourseError, match=r"^GPX, line 4: the point has no longitude"):
        gpx.read(ROUTE.replace('lat="51.002" lon="0"', 'lat="51.002"').encode())


def test_a_route_without_shape() -> None:
    """A route whose points are far apart gets a warning that it hardly follows the road."""
    far = '<rtept lat="51" lon="0"/><rtept lat="51.0026" lon="0"/><rtept lat="51.0054" lon="0"/>'
    (warning,) = survey(gpx.read(f"<gpx><rte>{far}</rte></gpx>".encode()), "x").warnings
    assert warning.startswith("The route at line 1 has points up to 311 m apart, with straight lines between")
    near = far.replace("51.0054", "51.0052")
    assert not survey(gpx.read(f"<gpx><rte>{near}</rte></gpx>".encode()), "x").warnings


def test_a_route_off_the_globe_is_rejected() -> None:
    """As a track is."""
    route = '<rte><rtept lat="51" lon="0"/><rtept lat="95" lon="0"/></rte>'
    with pytest.raises(CourseError, match="latitude 95, outside -90"):
        survey(gpx.read(f"<gpx>{route}</gpx>".encode()), "x")


def test_points_keep_their_order_and_lines_however_they_are_written() -> None:
    """Points with numbers only are read together; others stand between them."""
    points = [
        '<trkpt lat="51.0" lon="0"><ele>1</ele></trkpt>',
        '<trkpt lon="0" lat="51.1"/>',
        "<trkpt lat='51.2' lon='0'/>",
        '<trkpt lat="51.3" lon="0"><name>A</name></trkpt>',
        '<trkpt lat="51.4" lon="0">\n<ele>5</ele>\n</trkpt>',
        '<trkpt lat="51,5" lon="0,0"></trkpt>',
        '<trkpt lat="here" lon="0"/>',
    ]
    data = f"<gpx><trk><trkseg>\n{chr(10).join(points)}\n</trkseg></trk></gpx>"
    with pytest.raises(CourseError, match='line 10: "here" is not a number'):
        gpx.read(data.encode())
    (line,) = gpx.read(data.replace("here", "51.6").encode()).lines
    assert line.lat.tolist() == [51.0, 51.1, 51.2, 51.3, 51.4, 51.5, 51.6]
    assert line.alt[[0, 4]].tolist() == [1.0, 5.0]
