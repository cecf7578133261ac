"""Timing points: which markers they are, and where a course passes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.course.course import GEOD, NEAR_MAT, NEAR_MAT_MORE
from simulator.course.drawing import CourseError, Marker
from simulator.course.survey import limits
from simulator.course.survey.mats import called
from stream.courses import AT_AN_END
from tests.simulator.course.test_survey import METRE, STRAIGHT, make


def mark(name: str, lon: float, lat: float, *, is_timing: bool = False) -> Marker:
    """Return a marker."""
    return Marker(name, lon, lat, f"marker {name}", is_timing)


def beside_straight(up: float, aside: float) -> tuple[float, float]:
    """Return the place so many metres up the straight line and aside from it."""
    return GEOD.fwd(*GEOD.fwd(*STRAIGHT[0], 0.0, up)[:2], 90.0, aside)[:2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Timing point: Bridge", "Bridge"),
        ("TIMING - Bridge", "Bridge"),
        ("timing mat \u2013 Bridge", "Bridge"),
        ("Split Bridge", "Bridge"),
        ("Checkpoint:The old mill", "The old mill"),
        ("mat: 5 km", "5 km"),
        ("Timing point", "Timing point"),
        (" split: ", "split:"),
        ("Mat 2", "Mat 2"),
        ("Mat2", "Mat2"),
        ("Checkpoint #3", "Checkpoint #3"),
        ("Timing: Start", "Timing: Start"),
        ("Mats", None),
        ("Matterhorn", None),
        ("Splitter", None),
        ("Old mat", None),
        ("Start", None),
        ("", None),
    ],
)
def test_called(name: str, expected: str | None) -> None:
    """A name makes a Point a timing point by its first word, and what comes behind it is its name."""
    assert called(mark(name, 0, 0)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Bridge", "Bridge"), ("Mat: Bridge", "Mat: Bridge"), ("", "Timing point"), ("Finish line", None)],
)
def test_called_as_the_file_says(name: str, expected: str | None) -> None:
    """Where the file says that it is a timing point, its name is the whole; but the finish is the finish."""
    assert called(mark(name, 0, 0, is_timing=True)) == expected


vertices = st.lists(st.tuples(st.floats(-0.003, 0.003), st.floats(-0.003, 0.003)), min_size=2, max_size=12)


@settings(max_examples=300)
@given(
    vertices,
    st.tuples(st.floats(-180, 180), st.floats(-80, 80)),
    st.floats(0, 1),
    st.floats(0, 360),
    st.floats(0, 95),
    st.integers(1, 3),
)
def test_place_is_the_nearest(  # noqa: PLR0917 - so many things can be at random
    points: list[tuple[float, float]],
    middle: tuple[float, float],
    share: float,
    azimuth: float,
    off: float,
    laps: int,
) -> None:
    """A timing point is where the line gets nearest to its marker, and again where it gets about as near."""
    # Wrapped as a file has them: the line may cross the antimeridian.
    line = [((middle[0] + x + 180) % 360 - 180, middle[1] + y) for x, y in points]
    try:
        plain = make(line, laps=laps)
    except CourseError:
        return
    lon, lat = (part[0] for part in plain.place(np.array([share * plain.distance])))
    lon, lat, _ = GEOD.fwd(lon, lat, azimuth, off)
    course = make(line, laps=laps, markers=(mark("Mat: M", lon, lat),))
    every = np.linspace(0, plain.distance, 20_000)
    line_off = _off(lon, lat, *plain.place(every))
    found = np.array([point.distance for point in course.timing_points if point.name == "M"])

    assert (np.diff(found) > 0).all()
    assert [point.lap for point in course.timing_points if point.name == "M"] == [*range(1, len(found) + 1)]
    place_off = _off(lon, lat, *course.place(found))
    assert (place_off <= max(NEAR_MAT, line_off.min() + NEAR_MAT_MORE) + 0.5).all()
    nearest = every[line_off <= line_off.min() + 1e-6]
    ends = (nearest < AT_AN_END + 1) | (nearest > plain.distance - AT_AN_END - 1)
    if not ends.any():
        assert place_off.min() <= line_off.min() + 0.5
    assert {point for point in course.timing_points if point.name != "M"} == set(plain.timing_points)


def _off(lon: float, lat: float, other_lon: np.ndarray, other_lat: np.ndarray) -> np.ndarray:
    many = np.ones(len(other_lon))
    return np.asarray(GEOD.inv(lon * many, lat * many, other_lon, other_lat)[2])


@pytest.mark.parametrize(("metres", "kept"), [(99.5, True), (100.5, False)])
def test_off_the_line(metres: float, kept: bool) -> None:  # noqa: FBT001 - parameters of the test
    """Up to 100 m off the line a timing point is silently taken to it, and beyond it is left out."""
    course = make(STRAIGHT, markers=(mark("Mat", *beside_straight(300, metres)),))
    assert [mat.passes for mat in course.mats] == [pytest.approx((300,), abs=0.01)] * kept
    assert course.warnings == (
        () if kept else (f"The marker Mat is left out: it is {metres:,.0f} m from the line",)
    )


@pytest.mark.parametrize("end", [0.0, GEOD.line_length([0, 0], [51.0, 51.01])], ids=["start", "finish"])
@pytest.mark.parametrize(("metres", "kept"), [(0, False), (0.9, False), (1.1, True)])
def test_at_an_end(end: float, metres: float, kept: bool) -> None:  # noqa: FBT001 - parameters of the test
    """Less than a metre from the start or the finish a timing point is that, and is left out."""
    up = metres if end == 0 else end - metres
    course = make(STRAIGHT, markers=(mark("Mat", *beside_straight(up, 3)),))
    assert len(course.mats) == kept
    which = "finish" if end else "start"
    assert course.warnings == (() if kept else (f"The marker Mat is left out: it is at the {which}",))


def test_out_and_back() -> None:
    """A course that comes back a road's width aside passes twice; a second road further off isn't a pass."""
    (east, top), (far, _) = (beside_straight(1000, metres) for metres in (8, 30))
    line = [(0, 51), (0, top), (east, top), (east, 51), (far, 51), (far, top)]
    course = make(line, markers=(mark("Mat: Bridge", *beside_straight(400, 0)),))
    (mat,) = course.mats
    assert mat.passes == pytest.approx((400, 1000 + 8 + 600), abs=0.1)


def test_about_as_near() -> None:
    """Beside a line that is far off, 4 m further off still is a pass, and 6 m further isn't."""
    for gap, passes in ((4, 2), (6, 1)):
        east, top = beside_straight(1000, gap)
        line = [(0, 51), (0, top), (east, top), (east, 51)]
        course = make(line, markers=(mark("Mat", *beside_straight(400, -50)),))
        assert [len(mat.passes) for mat in course.mats] == [passes]


def test_turning_point() -> None:
    """A timing point at the far end, where the course turns, is passed once."""
    east, top = beside_straight(1000, 8)
    course = make(
        [(0, 51), (0, top), (east, top), (east, 51)], markers=(mark("Mat", *beside_straight(998, 4)),)
    )
    assert [len(mat.passes) for mat in course.mats] == [1]


@pytest.mark.parametrize("before", [0.0, 3.0, -3.0])
def test_beside_the_lap_line(before: float) -> None:
    """A timing point at the lap line, or on either side of it, is passed once a lap."""
    square = [(0.0, 51.0), (0.0, 51.001), (0.001, 51.001), (0.001, 51.0), (0.0, 51.0)]
    lon, lat = GEOD.fwd(0.0, 51.0, 90.0 if before > 0 else 0.0, abs(before))[:2]
    course = make(square, laps=4, markers=(mark("Mat", lon, lat),))
    found = [point.distance for point in course.timing_points if point.name == "Mat"]
    lines = np.arange(5) * course.lap_length - before
    assert found == pytest.approx([metres for metres in lines if 1 < metres < course.distance - 1], abs=0.01)


def test_line_that_winds_for_ever() -> None:
    """A course that passes its timing points too often is refused, with both numbers."""
    zigzag = [(west * 80 * METRE, 51 + nth * METRE / 1000) for nth in range(401) for west in (0, 1)]
    markers = tuple(mark(f"Mat {nth}", 40 * METRE, 51.000001) for nth in range(26))
    assert sum(len(mat.passes) for mat in make(zigzag, markers=markers[:2]).mats) > 1000
    with pytest.raises(CourseError, match=r"passes its timing points [\d,]+ times, and 10,000 are allowed"):
        make(zigzag, markers=markers)


def test_limit() -> None:
    """A hundred timing points are taken, wherever they are, and one more is refused."""
    markers = tuple(mark(f"Mat {nth}", *beside_straight(5 + nth, 0)) for nth in range(limits.MAX_MATS))
    assert len(make(STRAIGHT, markers=markers).mats) == limits.MAX_MATS
    with pytest.raises(CourseError, match="101 timing points, and 100 are allowed"):
        make(STRAIGHT, markers=(*markers, mark("Mat", 9, 9)))


def test_names_are_keys() -> None:
    """Timing points of one name, and one called as a kilometre is, are numbered."""
    names = ["Mat: A", "Split: A", "Mat: A 2", "Mat: 1 km", "Mat: 2 km"]
    markers = [mark(name, *beside_straight(100 + 50 * nth, 0)) for nth, name in enumerate(names)]
    course = make(STRAIGHT, markers=tuple(markers))
    assert [mat.name for mat in course.mats] == ["A", "A 2", "A 2 2", "1 km 2", "2 km"]
    assert course.warnings[0] == 'The marker Split: A is called "A 2": there is another "A"'
    keys = {(point.kind, point.name, point.lap) for point in course.timing_points}
    assert len(keys) == len(course.timing_points)
