"""The rules of the survey that need more than one small file."""

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from simulator.course.course import GEOD, Course
from simulator.course.drawing import CourseError, Drawing, Line, Marker, Ring
from simulator.course.survey import limits, survey
from simulator.course.survey.markers import roles
from stream.arrays import Floats

METRE = 1 / 111_000
"""Degrees of latitude, a little less than a metre."""


def make_line(points: Sequence[tuple[float, ...]], where: str = "line") -> Line:
    """Return a line of points (lon, lat) or (lon, lat, alt)."""
    table = np.full((len(points), 3), np.nan)
    for row, point in zip(table, points, strict=True):
        row[: len(point)] = point
    return Line(table[:, 0], table[:, 1], table[:, 2], where)


def make(points: Sequence[tuple[float, ...]], **parts: object) -> Course:
    """Survey a drawing of one line and the parts."""
    return survey(Drawing("Test", [make_line(points)], **parts), "test")  # type: ignore[arg-type]


def box(west: float, south: float, size: float, name: str = "Park") -> Ring:
    """Return a square of a size in degrees."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * size + [west, south]
    return Ring(name, corners, (), name)


STRAIGHT = [(0.0, 51.0), (0.0, 51.01)]


@pytest.mark.parametrize("name", ["a", "A1", "crystal-palace", "x_y", "0" * 64])
def test_short_name(name: str) -> None:
    """Letters, digits, _ and - make a short name."""
    assert survey(Drawing("", [make_line(STRAIGHT)]), name).short_name == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "a b", "ä", "a/b", "a\n", "0" * 65, "..", "a.b"])
def test_bad_short_name(name: str) -> None:
    """Anything else is refused as a short name."""
    with pytest.raises(CourseError, match="short name"):
        survey(Drawing("", [make_line(STRAIGHT)]), name)


@pytest.mark.parametrize(
    ("asked", "drawn", "expected"),
    [
        ("Mine", "Its own", "Mine"),
        (None, " Its  own ", "Its own"),
        ("", "Its own", "Its own"),
        (None, "", "x"),
    ],
)
def test_long_name(asked: str | None, drawn: str, expected: str) -> None:
    """A course is called what is asked for, else what the drawing says, else by its short name."""
    assert expected == survey(Drawing(drawn, [make_line(STRAIGHT)]), "x", asked).long_name


@given(
    st.lists(
        st.tuples(st.floats(-0.01, 0.01), st.floats(50.99, 51.01), st.floats(1, 9) | st.just(float("nan"))),
        min_size=2,
        max_size=20,
    ).filter(lambda points: abs(points[0][1] - points[-1][1]) > 50 * METRE)
)
def test_turned_round(points: list[tuple[float, float, float]]) -> None:
    """A line drawn from the finish marker to the start marker gives the course that the right one gives."""
    markers = (Marker("start", *points[0][:2], "s"), Marker("end", *points[-1][:2], "f"))
    right = make(points, markers=markers)
    turned = make(points[::-1], markers=markers)
    for part in ("lon", "lat", "along"):
        np.testing.assert_array_equal(getattr(turned, part), getattr(right, part))
    if right.alt is None or turned.alt is None:
        assert right.alt is turned.alt
    else:
        np.testing.assert_array_equal(turned.alt, right.alt)
    # Points are numbered as they were drawn.
    assert len(turned.warnings) == len(right.warnings) + 1
    assert any("turned round" in warning for warning in turned.warnings)


@pytest.mark.parametrize(
    ("end", "start", "finish"),
    [
        pytest.param((0.0001, 51.0), (0.0001, 51.0), (0.0, 51.0), id="ends meet within metres"),
        pytest.param((0.0, 51.01), (0.0, 51.01), (0.0, 51.0075), id="finish nearer to the end too"),
        pytest.param((0.0, 51.01), (0.0, 51.0025), (0.0, 51.0), id="start nearer to the start too"),
    ],
)
def test_not_turned(
    end: tuple[float, float], start: tuple[float, float], finish: tuple[float, float]
) -> None:
    """A line isn't turned round unless both markers are nearer to the other end, and by more than 25 m."""
    markers = (Marker("start", *start, "s"), Marker("finish", *finish, "f"))
    course = make([(0.0, 51.0), (0.01, 51.005), end], markers=markers)
    assert (course.lon[-1], course.lat[-1]) == end


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("START", {"start"}),
        ("start line", {"start"}),
        ("Startline", {"start"}),
        ("The End", {"finish"}),
        ("Finish.", {"finish"}),
        ("Start / Finish", {"start", "finish"}),
        ("start & end", {"start", "finish"}),
        ("10k Start", {"start"}),
        ("Start Area", {"start"}),
        ("Ligne de départ du 21,1 km", {"start"}),
        ("ARRIVEE", {"finish"}),
        ("Start \u2013 Ziel", {"start", "finish"}),
        ("Salida/Meta", {"start", "finish"}),
        ("Partenza", {"start"}),
        ("Mål", {"finish"}),
        ("Финиш", {"finish"}),
        ("スタート", {"start"}),
        ("ゴール", {"finish"}),
        ("Departure", {"start"}),
        ("Arrival", {"finish"}),
        ("FINISH (ALL)", {"finish"}),
        ("Początek trasy", {"start"}),
        ("Koniec", {"finish"}),
        ("Inici", {"start"}),
        ("Final", {"finish"}),
        ("Фініш", {"finish"}),
        ("Final climb", set()),
        ("Parking Start", set()),
        ("Start of lap 2", set()),
        ("Restart", set()),
        ("Weekend", set()),
        ("Line", set()),
        ("", set()),
    ],
)
def test_roles(name: str, expected: set[str]) -> None:
    """Only a name whose meaning is certain makes a Point a start or a finish."""
    assert roles(name) == expected


def test_a_marker_whose_name_says_more_than_start_is_mentioned() -> None:
    """It may be the start, and the direction of the course would depend on it."""
    away = Marker("Start (parking)", *STRAIGHT[1], "waypoint 1")
    course = make(STRAIGHT, markers=(away,))
    assert course.warnings == (
        "The waypoint 1 isn't taken for the start: its name says more; rename it if it is",
    )
    assert not make(STRAIGHT, markers=(away, Marker("Start", *STRAIGHT[0], "waypoint 2"))).warnings


@pytest.mark.parametrize("end", ["start", "finish"])
def test_a_line_whose_only_marker_is_at_its_other_end_is_turned_round(end: str) -> None:
    """That is where the marker says that the course begins, or ends."""
    course = make(STRAIGHT, markers=(Marker(end, *STRAIGHT[1 if end == "start" else 0], "marker"),))
    assert (course.lon[0], course.lat[0]) == STRAIGHT[1]
    assert course.warnings == ("The line has the marker at its other end: turned round",)


@pytest.mark.parametrize(
    ("metres", "kept", "warned"),
    [(20, True, False), (30, True, True), (990, True, True), (1010, False, True)],
)
def test_marker_off(metres: float, kept: bool, warned: bool) -> None:  # noqa: FBT001 - parameters of the test
    """Up to 25 m off the line's end a marker is silent, to 1 km it is kept, and beyond it is left out."""
    lon, lat, _ = GEOD.fwd(*STRAIGHT[0], 180.0, metres)
    course = make(STRAIGHT, markers=(Marker("Start", lon, lat, "start marker"),))
    assert course.start == pytest.approx((lon, lat) if kept else STRAIGHT[0])
    assert len(course.warnings) == warned
    assert not warned or f"{metres:,.0f} m" in course.warnings[0]


def test_marker_beside_long_segment() -> None:
    """A marker's distance is that to the line, not to its points."""
    course = make(STRAIGHT, markers=(Marker("Finish", 0.0001, 51.005, "finish marker"),))
    assert course.finish == (0.0001, 51.005)


def test_swarm() -> None:
    """Points less than a millimetre apart are one, but a swarm of them that gets somewhere is a line."""
    points = [(0.0, 51.0 + index * METRE / 2000) for index in range(100_000)]
    course = make(points)
    assert course.distance == pytest.approx(GEOD.line_length([0, 0], [51.0, points[-1][1]]), abs=0.01)
    assert np.diff(course.along).min() > limits.MIN_STEP * 0.99


def test_closed() -> None:
    """A course of several laps whose end is off its start is closed, and the warning has the metres."""
    course = make([*STRAIGHT, (0.01, 51.0)], laps=2)
    assert (course.lon[-1], course.lat[-1]) == (course.lon[0], course.lat[0])
    assert course.distance == pytest.approx(2 * course.along[-1])
    assert "adds 702.0 m" in course.warnings[-1]


def test_closed_already() -> None:
    """A lap that ends where it starts is left as it is."""
    assert make([*STRAIGHT, (0.01, 51.0), STRAIGHT[0]], laps=2).warnings == ()


@pytest.mark.parametrize("way", [1, -1], ids=["eastward", "westward"])
def test_antimeridian(way: int) -> None:
    """A course across the antimeridian is as long as elsewhere, and meets its fence and its markers."""
    points = [(179.99, -17.0), (-179.99, -17.0)][::way]
    fence = Ring("Date line", np.array([[179.995, -17.1], [-179.995, -17.1], [-179.995, -16.9]]), (), "fence")
    markers = (Marker("start", *points[0], "s"), Marker("finish", *points[-1], "f"))
    course = make(points, markers=markers, polygons=(fence,))
    assert course.distance == pytest.approx(GEOD.line_length([0, 0.02], [-17, -17]))
    assert [visit[0] for visit in course.visits] == ["Date line"]
    west, _, east, _ = course.fences[0].polygon.bounds
    assert east - west == pytest.approx(0.01)
    assert (course.start, course.finish) == (points[0], points[-1])
    assert course.warnings == ("The fence isn't closed: closed",)


def test_fence_with_hole_across_antimeridian() -> None:
    """A geofence's hole lies in it wherever its longitudes change sign."""
    outer = box(179.99, -17.01, 0.02).outer
    hole = box(-179.999, -17.005, 0.005).outer
    outer[outer > 180] -= 360
    course = make([(179.98, -17.0), (-179.98, -17.0)], polygons=(Ring("Ring", outer, (hole,), "ring"),))
    assert course.warnings == ()
    assert course.fences[0].polygon.area == pytest.approx(0.02**2 - 0.005**2)


@pytest.mark.parametrize(("metres", "kept"), [(1.1, True), (0.9, False)])
def test_fence_area(metres: float, kept: bool) -> None:  # noqa: FBT001 - parameters of the test
    """A geofence of less than a square metre is left out, in the north as well."""
    east, _, _ = GEOD.fwd(0.0, 60.0, 90.0, metres)
    _, north, _ = GEOD.fwd(0.0, 60.0, 0.0, metres)
    outer = np.array([[0, 60], [east, 60], [east, north], [0, north], [0, 60]])
    course = make([(0.0, 59.99), (0.0, 60.01)], polygons=(Ring("Spot", outer, (), "spot"),))
    assert len(course.fences) == kept


def test_fence_star() -> None:
    """A star drawn in one go is full, though its lines wind twice round its middle."""
    turn = np.radians(np.arange(6) * 144)
    star = np.column_stack([np.sin(turn), np.cos(turn)]) * 0.001 + [0, 51]
    (fence,) = make(STRAIGHT, polygons=(Ring("Star", star, (), "star"),)).fences
    assert fence.polygon.contains(shapely.Point(0, 51))


def test_biggest_part_first() -> None:
    """Of a geofence that comes apart, the biggest part keeps the name."""
    scribble = np.array([[27, 4], [2, 81], [91, 61], [73, 54], [94, 82], [0, 86], [3, 73], [18, 86]])
    ring = Ring("Park", scribble * 0.0001 + [-0.005, 51], (), "park")
    fences = make(STRAIGHT, polygons=(ring,)).fences
    areas = [fence.polygon.area for fence in fences]
    assert [fence.name for fence in fences] == ["Park", "Park 2", "Park 3", "Park 4"]
    assert areas == sorted(areas, reverse=True)


def test_fence_parts() -> None:
    """A geofence that crosses itself keeps all it encloses; splinters under 1 % are dropped."""
    eight = [[0, 0], [2, 2], [2, 0], [0, 2]]
    splinter = [[0, 0], [1, 0], [1, 1], [-0.001, 1], [0.05, 1.05], [0, 1.0]]
    rings = (
        Ring("Eight", np.array(eight) * 0.001 + [0, 51], (), "eight"),
        Ring("Box", np.array(splinter) * 0.001 + [-0.0005, 51], (), "box"),
    )
    fences = make(STRAIGHT, polygons=rings).fences
    assert [fence.name for fence in fences] == ["Eight", "Eight 2", "Box"]
    assert fences[0].polygon.area == pytest.approx(1e-6)
    assert fences[2].polygon.area == pytest.approx(1e-6, rel=0.01)
    assert all(fence.polygon.is_valid for fence in fences)


def test_fence_names_never_clash() -> None:
    """A number that is taken already is passed over."""
    rings = tuple(box(-0.001, 51.0, 0.002, name) for name in ("Park 2", "Park", "Park"))
    assert [fence.name for fence in make(STRAIGHT, polygons=rings).fences] == ["Park 2", "Park", "Park 3"]


def test_limits() -> None:
    """As much as a limit allows is taken, and one more is refused with both numbers."""
    some = tuple(box(-0.001, 51.0, 0.002) for _ in range(limits.MAX_FENCES))
    assert len(make(STRAIGHT, polygons=some).fences) == limits.MAX_FENCES
    with pytest.raises(CourseError, match="101 geofences, and 100 are allowed"):
        make(STRAIGHT, polygons=(*some, some[0]))


def test_limit_after_repair() -> None:
    """Geofences that come apart count for as many as they become."""
    eight = Ring("", np.array([[0, 0], [2, 2], [2, 0], [0, 2]]) * 0.001 + [0, 51], (), "eight")
    with pytest.raises(CourseError, match="102 geofences, and 100 are allowed"):
        make(STRAIGHT, polygons=(eight,) * 51)


def test_limit_of_points() -> None:
    """A line of 100,000 points is taken, and one of 100,001 is refused."""
    lat = np.linspace(51, 52, limits.MAX_POINTS + 1)
    line = Line(np.zeros(len(lat)), lat, np.full(len(lat), np.nan), "line")
    with pytest.raises(CourseError, match="100,001 points, and 100,000 are allowed"):
        survey(Drawing("", [line]), "x")
    shorter = Line(line.lon[1:], line.lat[1:], line.alt[1:], "line")
    assert len(survey(Drawing("", [shorter]), "x").lon) == limits.MAX_POINTS


def test_limit_of_fence_points() -> None:
    """Geofences of 10,000 points in all are taken, and of more refused."""
    turn = np.linspace(0, 2 * np.pi, limits.MAX_FENCE_POINTS)
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * 0.001 + [0, 51]
    ring[-1] = ring[0]
    assert len(make(STRAIGHT, polygons=(Ring("", ring, (), "circle"),)).fences) == 1
    with pytest.raises(CourseError, match="10,005 points together, and 10,000 are allowed"):
        make(STRAIGHT, polygons=(Ring("", ring, (), "circle"), box(0, 51, 0.001)))


def test_huge_crossing_fence() -> None:
    """A geofence with many points that crosses itself is refused rather than repaired for minutes."""
    turn = np.linspace(0, 2 * np.pi, limits.MAX_REPAIR_POINTS + 2)[:-1]
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * 0.001 + [0, 51]
    ring[[7, 8]] = ring[[8, 7]]
    with pytest.raises(CourseError, match="can't be repaired"):
        make(STRAIGHT, polygons=(Ring("", ring, (), "circle"),))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e300, -180.5])
def test_out_of_range(wrong: float) -> None:
    """A coordinate that is no place on the globe is refused, with the point's number."""
    with pytest.raises(CourseError, match="point 3 of the line has"):
        make([*STRAIGHT, (wrong, 51.0)])


def test_too_many_starts() -> None:
    """Each marker of the start is looked for along the whole line, so there may not be many."""
    markers = (Marker("start", 0.0, 51.0, "marker"),) * (limits.MAX_MARKERS + 1)
    with pytest.raises(CourseError, match="51 markers of the start and the finish, and 50 are allowed"):
        make(STRAIGHT, markers=markers)


def test_warnings_are_few() -> None:
    """However much is wrong, a course has 50 warnings at most, and the last says how many more there are."""
    names = ["start"] * limits.MAX_MARKERS + ["mat"] * limits.MAX_MATS
    markers = tuple(Marker(name, 9.0, 51.0, f"marker {index}") for index, name in enumerate(names))
    warnings = make(STRAIGHT, markers=markers).warnings
    assert len(warnings) == limits.MAX_WARNINGS
    assert warnings[-1] == "And 101 more warnings"


def hills(count: int = 60) -> Floats:
    """Return points 10 m apart, shape (count, 3), that climb from 100 m by 1 %."""
    north = np.arange(count) * 10.0
    return np.column_stack([np.zeros(count), 51.0 + north * METRE, 100.0 + north / 100])


@pytest.mark.parametrize(("first", "some"), [(0, 3), (20, 7), (57, 3)])
@pytest.mark.parametrize("wrong", [1000.0, -400.0, 0.0])
def test_altitudes_too_steep_to_run_are_filled_in(first: int, some: int, wrong: float) -> None:
    """A faulty receiver's altitudes would be cliffs."""
    points = hills()
    points[first : first + some, 2] = wrong
    course = make([tuple(point) for point in points.tolist()])
    assert course.alt is not None
    assert np.abs(course.alt - hills()[:, 2]).max() < 0.5
    assert f"{some} of the 60 points have" in course.warnings[0]


@pytest.mark.parametrize("every", [2, 3])
def test_altitudes_that_are_mostly_zero_are_filled_in(every: int) -> None:
    """A program that knows the altitude of each second or third point writes 0 for the others."""
    points = hills()
    points[np.arange(60) % every > 0, 2] = 0.0
    course = make([tuple(point) for point in points.tolist()])
    assert course.alt is not None
    assert np.abs(course.alt - hills()[:, 2]).max() < 0.5
    assert "have the altitude 0, unlike their neighbours" in course.warnings[0]


def test_altitudes_that_are_half_wrong_are_kept_with_a_warning() -> None:
    """Which half is wrong can't be known."""
    points = hills()
    points[::2, 2] += 300
    course = make([tuple(point) for point in points.tolist()])
    assert course.alt is not None
    assert course.alt.tolist() == points[:, 2].tolist()
    assert course.warnings[0].startswith("The altitude of the line changes by 300 m")


def test_a_beach_at_sea_level_keeps_its_zeros() -> None:
    """Zero is an altitude where the neighbours are as low."""
    points = hills()
    points[:, 2] = np.maximum(0.0, np.rint(np.arange(60) / 10 - 3))
    course = make([tuple(point) for point in points.tolist()])
    assert course.alt is not None
    assert course.alt.tolist() == points[:, 2].tolist()
    assert not course.warnings


@pytest.mark.parametrize("metres", [500, 21])
def test_a_jump_of_the_altitude_is_mentioned(metres: int) -> None:
    """A barometer that was set while running looks like a cliff."""
    points = hills()
    points[30:, 2] += metres
    (warning,) = make([tuple(point) for point in points.tolist()]).warnings
    assert warning == f"The altitude of the line changes by {metres} m within 10 m, at 291 m: check it"


def test_altitude_between() -> None:
    """A missing altitude is filled in by distance along the line, and held at the line's ends."""
    course = make([(0, 51.0), (0, 51.001, 10.0), (0, 51.002), (0, 51.005, 50.0), (0, 51.006)])
    assert course.alt == pytest.approx([10, 10, 20, 50, 50], abs=0.01)


@pytest.mark.parametrize(("teeth", "laps", "too_many"), [(100, 100, False), (100, 101, True)])
def test_limit_of_touches_of_geofences(teeth: int, laps: int, too_many: bool) -> None:  # noqa: FBT001
    """A line in zigzag over a geofence's edge may touch it 10,000 times, all laps, and no more."""
    zigzag = [(nth * 1e-4, 51 + (1e-4 if nth % 2 else -1e-4)) for nth in range(teeth)]
    # The way back is outside; the lap begins and ends inside.
    back = [((teeth - 1) * 1e-4, 51.001), (-1e-4, 51.001), (-1e-4, 50.9999)]
    lon, lat = np.array([*zigzag, *back, zigzag[0]]).T
    line = Line(lon, lat, np.full(len(lon), np.nan), "line")
    ring = np.array([(-1e-5, 50.99), (1, 50.99), (1, 51.0), (-1e-5, 51.0), (-1e-5, 50.99)])
    drawing = Drawing("Zigzag", [line], polygons=[Ring("Edge", ring, (), "fence")], laps=laps)
    if too_many:
        with pytest.raises(CourseError, match="touches its geofences' edges more than 10,000 times"):
            survey(drawing, "zigzag")
    else:
        course = survey(drawing, "zigzag")
        assert sum(len(edge) for edge in course.edges()) == teeth
        assert len(course.visits) == laps * teeth / 2 + 1
