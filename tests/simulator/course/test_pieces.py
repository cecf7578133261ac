"""Courses in pieces are joined, or what is missing is named; points that can't be right are left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.course.course import GEOD, Course, moved
from simulator.course.drawing import CourseError, Drawing, Line, Marker, Path
from simulator.course.library import read_course
from simulator.course.survey import limits, survey
from stream.arrays import Floats
from tests.processes import ROOT
from tests.simulator.course.untidy import ONE_PATH, SEPARATE, SHIPPED, Untidy, Writer, untidy

NEARLY = 0.001
"""The allowed relative error of a length."""


def read(data: bytes) -> Course:
    """Return the course in a file of whatever format."""
    return read_course(data, "any")


@pytest.mark.parametrize("write", ONE_PATH.values(), ids=ONE_PATH.keys())
@given(untidy())
def test_a_path_in_pieces_has_its_whole_length(write: Writer, file: Untidy) -> None:
    """However its pieces are ordered and directed, and a warning says if that was changed."""
    course = read(write(file.pieces))
    gaps = any("m are added in straight lines" in warning for warning in course.warnings)
    assert course.distance == pytest.approx(file.metres, rel=0.02 if gaps else NEARLY)
    assert file.in_order or len(file.pieces) == 1 or course.warnings


@pytest.mark.parametrize("write", SEPARATE.values(), ids=SEPARATE.keys())
@given(untidy())
def test_separate_lines_that_meet_are_joined_or_named(write: Writer, file: Untidy) -> None:
    """They give the whole course, or a warning names those that are left out; joining them is mentioned."""
    course = read(write(file.pieces))
    joined = course.distance == pytest.approx(file.metres, rel=NEARLY)
    assert joined or any("left out: the " in text or "straight lines" in text for text in course.warnings)
    assert len(file.pieces) == 1 or course.warnings


@given(untidy(shuffled=False), st.sampled_from(sorted(SEPARATE)))
def test_separate_lines_in_order_are_the_course(file: Untidy, kind: str) -> None:
    """Lines of which each begins where the one before ends are the whole course, run as drawn."""
    course = read(SEPARATE[kind](file.pieces))
    if len(file.pieces) > 2:
        assert course.distance == pytest.approx(file.metres, rel=NEARLY)
        assert (course.lon[0], course.lat[0]) == pytest.approx(tuple(file.pieces[0][0]), abs=1e-8)


WILD = {
    "03-kml-multigeometry-chain/loop.kml": 3006,
    "03-kml-multigeometry-chain/loop.geojson": 3006,
    "05-gpx-course-in-several-trk/legs.gpx": 5010,
    "06-trail-segments-out-of-order/trail.gpx": 10016,
    "06-trail-segments-out-of-order/trail.geojson": 10016,
    "07-null-island-fix/cold-start.gpx": 3005,
    "07-null-island-fix/dropout-in-the-middle.gpx": 3005,
    "16-rte-with-trk/planner.gpx": 4006,
    "18-overpass-many-placemarks/ways.kml": 3005,
    "19-altitude-zero-here-and-there/zeros.gpx": 3005,
    "23-two-hundred-short-tracks/pieces.gpx": 10016,
}
"""Metres of files as people have them. They were drawn on a sphere, and are 0.2 % longer on the ellipsoid."""


@pytest.mark.parametrize("file", WILD)
def test_a_file_from_the_wild_has_the_length_that_its_owner_expects(file: str) -> None:
    """However many pieces it is in, and with the points that a receiver without a position wrote."""
    assert read((ROOT / "tests" / "wild" / file).read_bytes()).distance == pytest.approx(WILD[file], abs=1)


def test_a_path_of_which_a_part_is_missing_is_refused() -> None:
    """The message names the gap's length and both of its ends."""
    file = ROOT / "tests" / "wild" / "25-gap-in-the-middle" / "gap.gpx"
    with pytest.raises(
        CourseError, match=r"8,025 m are missing from 50\.10000, -3\.18598 .* to 50\.10000, -3\.07382"
    ):
        read(file.read_bytes())


def test_altitudes_of_zero_among_others_are_filled_in() -> None:
    """A receiver that doesn't know the altitude yet writes 0, which would be a hole in the ground."""
    folder = ROOT / "tests" / "wild" / "19-altitude-zero-here-and-there"
    clean, zeros = (read((folder / f"{name}.gpx").read_bytes()) for name in ("clean", "zeros"))
    assert clean.alt is not None
    assert zeros.alt is not None
    assert np.abs(zeros.alt - clean.alt).max() < 10
    (warning,) = zeros.warnings
    assert warning.startswith(
        "5 of the 61 points have the altitude 0, unlike their neighbours, the first at 0 m"
    )


# --- Drawn by hand: metres east and north of a place ---


def line(*points: tuple[float, float], where: str = "line", path: Path | None = None) -> Line:
    """Return a line through points, metres east and north, with a point every ten metres."""
    corners = np.array(points, float)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    along = np.append(0.0, np.cumsum(lengths))
    metres = np.append(np.arange(0.0, along[-1], 10.0), along[-1])
    east, north = (np.interp(metres, along, axis) for axis in corners.T)
    lon, lat = place(east, north)
    return Line(lon, lat, np.full(len(lon), np.nan), where, path)


def place(east: Floats, north: Floats) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes of metres east and north."""
    return moved(np.zeros_like(east), np.full_like(east, 51.0), east, north)


def course_of(*lines: Line, markers: tuple[Marker, ...] = ()) -> Course:
    """Survey a drawing of these lines."""
    return survey(Drawing("Test", list(lines), list(markers)), "test")


SQUARE = ((0.0, 0.0), (500.0, 0.0), (500.0, 500.0), (0.0, 500.0), (0.0, 0.0))
FIELD = ((0.0, 0.0), (-700.0, 0.0), (-700.0, -700.0), (0.0, -700.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("lines", "metres", "reason"),
    [
        ([SQUARE, FIELD], 2800, "each is closed"),
        ([((0, 0), (0, 3000)), ((5, 0), (2000, 0))], 3000, "all begin at one place"),
        ([((0, 3000), (0, 0)), ((2000, 0), (5, 0))], 3000, "all end at one place"),
        ([FIELD, ((400, 0), (0, 0)), ((0, 0), (0, 400))], 2800, "it is closed and longer"),
        ([((0, 0), (0, 3000)), ((0, 3100), (0, 4000))], 3000, "100 m are missing from 51.02697, 0.00000"),
    ],
    ids=["two loops", "one start", "one finish", "a loop and the way to it", "a gap"],
)
def test_lines_that_are_courses_of_their_own_are_not_joined(
    lines: list[tuple[tuple[float, float], ...]], metres: float, reason: str
) -> None:
    """The longest is the course; the warning names the other and the reason."""
    course = course_of(*(line(*points, where=f"line {nth}") for nth, points in enumerate(lines, start=1)))
    assert course.distance == pytest.approx(metres, rel=NEARLY)
    (warning,) = course.warnings
    assert "left out: the line" in warning
    assert reason in warning


def test_legs_of_a_course_that_is_drawn_as_a_whole_too_are_left_out() -> None:
    """They would double its length."""
    legs = [line((0, 3), (0, 1000)), line((0, 1000), (1000, 997), where="second leg")]
    course = course_of(line((0, 0), (0, 1000), (1000, 1000), where="whole"), *legs)
    assert course.distance == pytest.approx(2000, rel=NEARLY)
    assert "left out: the line, the second leg" in course.warnings[0]


def test_loops_in_one_path_are_all_run_with_a_warning() -> None:
    """They may be laps, a figure eight or two courses."""
    path = Path("track")
    course = course_of(line(*SQUARE, where="one", path=path), line(*FIELD, where="two", path=path))
    assert course.distance == pytest.approx(4800, rel=NEARLY)
    assert course.warnings == ("Pieces of the track are closed loops: all are run, one after the other",)


def test_two_versions_of_a_piece_count_once() -> None:
    """The longer one is run."""
    versions = [line((0, 1000), (0, 2000)), line((0, 1000), (100, 1500), (0, 2000))]
    course = course_of(line((0, 0), (0, 1000)), *versions, line((0, 2000), (0, 3000)))
    assert course.distance == pytest.approx(2000 + 2 * np.hypot(100, 500), rel=NEARLY)


def test_lines_that_stand_still_do_not_hide_others() -> None:
    """They make the others' ends too far apart to meet, though these look like versions of one line."""
    still = [
        Line(*place(np.full(2, nth * 500.0), np.full(2, 900.0)), np.full(2, np.nan), "still")
        for nth in range(4)
    ]
    course = course_of(line((0, 10), (0, 55)), line((0, 0), (0, 40)), line((0, 0), (0, 40)), *still)
    assert course.distance == pytest.approx(45, rel=NEARLY)


@pytest.mark.parametrize("gap", [24, 26, 99, 101])
def test_separate_lines_in_order_may_be_100_m_apart(gap: float) -> None:
    """The gap counts as part of the course, and beyond 25 m the warning mentions it."""
    course = course_of(line((0, 0), (0, 2000)), line((0, 2000 + gap), (0, 3900)))
    assert course.distance == pytest.approx(3900 if gap < limits.NEAR else 2000, rel=NEARLY)
    assert (f"{gap} m between them are run in straight lines" in course.warnings[0]) == (25 < gap < 100)


@pytest.mark.parametrize("gap", [49, 51])
def test_a_path_may_have_gaps_of_five_per_cent(gap: float) -> None:
    """They are run in straight lines, which the warning mentions; more is refused."""
    path = Path("track")
    pieces = [
        line((0, 0), (0, 500), where="one", path=path),
        line((0, 500 + gap), (0, 1000 + gap), where="two", path=path),
    ]
    if gap > limits.MAX_GAPS * 1000:
        with pytest.raises(CourseError, match=f"{gap} m are missing from 51.00449, 0.00000 \\(one\\) to"):
            course_of(*pieces)
        return
    course = course_of(*pieces)
    assert course.distance == pytest.approx(1000 + gap, rel=NEARLY)
    assert f"{gap} m are added in straight lines" in course.warnings[0]


def test_a_short_branch_of_a_path_is_left_out() -> None:
    """A line can't run along it and come back."""
    path = Path("trail")
    course = course_of(
        line((0, 0), (0, 1000), where="one", path=path),
        line((0, 1000), (0, 2000), where="two", path=path),
        line((0, 1000), (60, 1000), where="spur", path=path),
    )
    assert course.distance == pytest.approx(2000, rel=NEARLY)
    assert course.warnings[0].endswith(": the spur")


def test_a_loop_in_pieces_begins_at_the_joint_nearest_to_the_start() -> None:
    """Its direction is that of most of its metres."""
    corner, first = place(np.array([500.0]), np.array([490.0])), line(*SQUARE[2:], where="one")
    start = Marker("Départ", float(corner[0][0]), float(corner[1][0]), "waypoint")
    second = line((500, 500), (500, 0), where="two"), line((500, 0), (0, 0), where="three")
    course = course_of(second[1], second[0], first, markers=(start,))
    assert course.distance == pytest.approx(2000, rel=NEARLY)
    assert (course.lon[0], course.lat[0]) == pytest.approx((first.lon[0], first.lat[0]), abs=1e-6)


@given(
    st.sampled_from(["crystal-palace", "city-10k", "hilly-half"]),
    st.floats(0.02, 0.98),
    st.integers(1, limits.JUMP_POINTS),
    st.booleans(),
)
def test_a_jump_there_and_back_is_left_out_or_named(
    name: str,
    at: float,
    some: int,
    zero: bool,  # noqa: FBT001
) -> None:
    """Points at 0, 0, or kilometres aside, don't make a recorded course longer without a warning."""
    course = SHIPPED[name]
    metres = np.arange(0.0, course.lap_length, 4.0)
    lon, lat = course.place(metres)
    whole = course_of(Line(lon, lat, np.full(len(lon), np.nan), "line")).distance
    first = int(at * (len(lon) - some))
    aside = (
        (np.zeros(some), np.zeros(some))
        if zero
        else moved(
            lon[first : first + some], lat[first : first + some], np.full(some, 3000.0), np.full(some, 2000.0)
        )
    )
    lon[first : first + some], lat[first : first + some] = aside
    broken = course_of(Line(lon, lat, np.full(len(lon), np.nan), "line"))
    if "left out" in broken.warnings[0]:
        assert broken.distance == pytest.approx(whole, rel=NEARLY, abs=4.0 * (some + limits.JUMP_POINTS))
    else:
        # It could be a part of so short a line.
        assert whole < 2 * 3600
        assert "3,6" in broken.warnings[0]


def test_a_jump_that_could_be_drawn_is_kept_with_a_warning() -> None:
    """A straight way there and back of 200 m may be part of a course."""
    drawn = line((0, 0), (0, 1000))
    lon, lat = (
        np.insert(axis, 50, value)
        for axis, value in zip(
            (drawn.lon, drawn.lat), place(np.array([200.0]), np.array([495.0])), strict=True
        )
    )
    course = course_of(Line(lon, lat, np.full(len(lon), np.nan), "line"))
    assert course.distance > 1350
    assert course.warnings == (
        "At point 51 of the line, the line jumps 200 m away and back: kept; delete what is wrong",
    )


def test_a_leftover_at_the_beginning_is_left_out() -> None:
    """A receiver may begin with the place where it was switched off."""
    drawn = line((0, 0), (0, 3000))
    far = place(np.array([9000.0]), np.array([0.0]))
    lon, lat = (np.append(axis[0], rest) for axis, rest in zip(far, (drawn.lon, drawn.lat), strict=True))
    course = course_of(Line(lon, lat, np.full(len(lon), np.nan), "line"))
    assert course.distance == pytest.approx(3000, rel=NEARLY)
    assert course.warnings == (
        "Point 1 of the line is left out: the line jumps 9,000 m between it and the others",
    )


# --- The kinds that a hostile reader found ---


def wave(
    first: float, last: float, where: str = "line", path: Path | None = None, step: float = 10.0
) -> Line:
    """Return a part of a wavy course, from and to metres east, with a point every few metres."""
    east = np.append(np.arange(first, last, step), last)
    lon, lat = place(east, 30.0 * np.sin(east / 150.0))
    return Line(lon, lat, np.full(len(lon), np.nan), where, path)


def against(one: Line) -> Line:
    """Return a line drawn the other way round."""
    return one.take(slice(None, None, -1))


WAVE = course_of(wave(0, 6000)).distance


def test_short_pieces_that_are_reversed_are_run_forward() -> None:
    """Their wrong ends are within 25 m too."""
    path = Path("route")
    ways = [wave(at, at + 20, f"way {at}", path) for at in range(0, 6000, 20)]
    course = course_of(*(against(way) if nth % 2 else way for nth, way in enumerate(ways)))
    assert course.distance == pytest.approx(WAVE, rel=NEARLY)
    assert "150 of them turned round" in course.warnings[0]


@pytest.mark.parametrize("path", [Path("trail"), None], ids=["one path", "separate lines"])
@pytest.mark.parametrize("metres", [10, 14, 20])
def test_short_ways_between_long_ones_are_all_run(metres: float, path: Path | None) -> None:
    """A map has a way for each bridge and crossing; none is a copy of the next one."""
    ways = [wave(at, at + metres, f"way {at}", path, 5.0) for at in np.arange(3000, 3300 - metres, metres)]
    rest = wave(3000 + len(ways) * metres, 6000, "rest", path)
    drawn = [wave(0, 3000, "first", path), *(against(way) for way in ways[::2]), *ways[1::2], rest]
    course = course_of(*drawn)
    assert course.distance == pytest.approx(WAVE, rel=NEARLY)
    assert not any("left out" in warning.lower() for warning in course.warnings)


@pytest.mark.parametrize("at_gap", [True, False])
def test_a_marker_decides_where_an_open_loop_begins(at_gap: bool) -> None:  # noqa: FBT001
    """The finish may be a street away from the start, or a recording of a loop was interrupted."""
    path = Path("track")
    second, first = (
        line((500, 500), (0, 500), (0, 60), path=path),
        line((0, 0), (500, 0), (500, 500), path=path),
    )
    at = first if at_gap else second
    start = Marker("Start", float(at.lon[0]), float(at.lat[0]), "waypoint")
    course = course_of(second, first, markers=(start,))
    assert course.distance == pytest.approx(1940 if at_gap else 2000, rel=NEARLY)
    assert (course.lon[0], course.lat[0]) == (at.lon[0], at.lat[0])
    assert any("60 m are added" in warning for warning in course.warnings) == (not at_gap)


@pytest.mark.parametrize("path", [Path("trail"), None], ids=["one path", "separate lines"])
@pytest.mark.parametrize("radius", [8, 15, 35])
@pytest.mark.parametrize("first", [0, 5, 16])
def test_only_a_part_of_a_roundabout_is_run(radius: float, first: int, path: Path | None) -> None:
    """Maps have it as a ring that the ways before and after it end on."""
    angle = (np.arange(25) % 24 + first) * np.pi / 12
    ring = place(radius * np.cos(angle), radius * np.sin(angle))
    ways = [line((-900, 0), (-radius, 0), path=path), line((radius, 0), (900, 0), path=path)]
    roundabout = Line(*ring, np.full(25, np.nan), "roundabout", path)
    course = course_of(ways[0], roundabout, ways[1])
    assert course.distance == pytest.approx(1800 + (np.pi - 2) * radius, rel=NEARLY)
    assert course.warnings[0] == "Roundabouts are run on their shorter side only: the roundabout"


@pytest.mark.parametrize("first", range(4))
def test_a_small_loop_that_begins_and_ends_at_one_joint_is_run(first: int) -> None:
    """It is no roundabout: a course may run around a pond, whose ring may be drawn from elsewhere."""
    path = Path("track")
    corners = [(0, 0), (50, 0), (50, 50), (0, 50)]
    pond = tuple(corners[(first + nth) % 4] for nth in range(5))
    pieces = [((-900, 0), (0, 0)), pond, ((0, 0), (0, -900))]
    course = course_of(*(line(*points, path=path) for points in pieces))
    assert course.distance == pytest.approx(2000, rel=NEARLY)


@pytest.mark.parametrize("path", [Path("trail"), None], ids=["one path", "separate lines"])
def test_a_piece_that_is_run_twice_is_no_copy(path: Path | None) -> None:
    """Without the second run the others don't meet: the way in, a loop with it, and the way out."""
    twice = ((0, 0), (0, 300))
    drawn = [
        ((0, 300), (-900, 300)),
        twice,
        ((0, 300), (500, 300), (500, 0), (0, 0)),
        twice,
        ((0, -900), (0, 0)),
    ]
    course = course_of(*(line(*points, where=f"line {nth}", path=path) for nth, points in enumerate(drawn)))
    assert course.distance == pytest.approx(900 + 300 + 1300 + 300 + 900, rel=NEARLY)


@pytest.mark.parametrize("metres", [10, 20, 200, 1000])
@pytest.mark.parametrize("path", [Path("track"), None], ids=["one path", "separate lines"])
def test_an_overlap_counts_once(metres: float, path: Path | None) -> None:
    """A recording that was switched on before the last one ended repeats a part of it."""
    course = course_of(wave(0, 3000, "one", path), wave(3000 - metres, 6000, "two", path))
    assert course.distance == pytest.approx(WAVE, rel=NEARLY, abs=10)
    assert "1 of 2 lines repeat the end of the one before" in course.warnings[0]


def test_a_piece_that_is_in_a_path_twice_is_run_once() -> None:
    """Programs that merge files write the same piece again."""
    path = Path("trail")
    course = course_of(
        *(wave(0, 3000, f"copy {nth}", path) for nth in (1, 2)), wave(3000, 6000, "rest", path)
    )
    assert course.distance == pytest.approx(WAVE, rel=NEARLY)
    assert course.warnings[0].endswith(": the copy 2")


@pytest.mark.parametrize("path", [Path("trail"), None], ids=["one path", "separate lines"])
def test_the_longest_way_is_taken_where_three_lines_meet(path: Path | None) -> None:
    """A branch that stands between the course's parts in the file doesn't break it."""
    junction = (float(wave(0, 3000).lon[-1]), float(wave(0, 3000).lat[-1]))
    lon, lat = moved(
        np.full(3, junction[0]), np.full(3, junction[1]), np.zeros(3), np.array([0.0, 100.0, 200.0])
    )
    spur = Line(lon, lat, np.full(3, np.nan), "spur", path)
    course = course_of(wave(0, 3000, "one", path), spur, wave(3000, 6000, "two", path))
    assert course.distance == pytest.approx(WAVE, rel=NEARLY)
    assert any("the spur" in warning for warning in course.warnings)


@pytest.mark.parametrize(
    ("lines", "metres"),
    [
        ([(0, 3000), (0, 5000), (9000, 9800)], 5000),
        ([(3000, 0), (5000, 0), (9000, 9800)], 5000),
    ],
    ids=["one start", "one finish"],
)
def test_several_courses_are_not_joined_for_a_line_elsewhere(
    lines: list[tuple[float, float]], metres: float
) -> None:
    """Lines that all begin, or end, at one place are courses of their own, whatever else is in the file."""
    drawn = [wave(min(ends), max(ends)) for ends in lines]
    turned = [
        line if first < last else against(line) for line, (first, last) in zip(drawn, lines, strict=True)
    ]
    assert course_of(*turned).distance == pytest.approx(course_of(wave(0, metres)).distance, rel=NEARLY)


def test_the_lines_between_the_markers_are_the_course() -> None:
    """A loop that is longer than the way to it would otherwise be the course alone."""
    way, loop = line((-800, 0), (0, 0), where="way"), line(*SQUARE, where="loop")
    begin, end = (
        Marker(name, float(at.lon[0]), float(at.lat[0]), name)
        for name, at in (("Start", way), ("Finish", loop))
    )
    assert course_of(way, loop).distance == pytest.approx(2000, rel=NEARLY)
    course = course_of(way, loop, markers=(begin, end))
    assert course.distance == pytest.approx(2800, rel=NEARLY)
    assert not any("m from the line's" in warning for warning in course.warnings)


def test_of_several_starts_and_finishes_those_at_the_ends_of_the_line_count() -> None:
    """A file may have the markers of other distances too."""
    drawn = wave(0, 6000)
    names = [("Half Marathon Start", -1), ("Half Marathon Finish", 0), ("10k Start", 0), ("10k Finish", -1)]
    markers = tuple(Marker(name, float(drawn.lon[end]), float(drawn.lat[end]), name) for name, end in names)
    course = course_of(drawn, markers=markers)
    assert (course.lon[0], course.lat[0]) == (drawn.lon[0], drawn.lat[0])
    assert course.warnings == (
        "The Half Marathon Start is left out: the 10k Start is the start",
        "The Half Marathon Finish is left out: the 10k Finish is the finish",
    )


@pytest.mark.parametrize(("tracked", "metres"), [(20, 6000), (4000, 4000)])
def test_a_route_is_the_course_if_the_tracks_are_much_shorter(tracked: float, metres: float) -> None:
    """A stub of a track is a slip of the finger."""
    drawing = Drawing("Test", [wave(0, tracked, "track")], routes=[wave(0, 6000, "route")])
    course = survey(drawing, "test")
    assert course.distance == pytest.approx(course_of(wave(0, metres)).distance, rel=NEARLY)
    assert course.warnings[0].startswith("Left out, because the ")


def test_lines_that_make_a_small_part_of_a_course_are_refused() -> None:
    """Each of a hundred lines would be a course of a hundredth."""
    with pytest.raises(
        CourseError, match=r"there are 30 lines of 2,7.. m, which make a course of 9. m: 310 m are missing"
    ):
        course_of(*(wave(at, at + 90) for at in range(0, 6000, 200)))


def test_a_few_points_off_the_globe_are_left_out() -> None:
    """Receivers write 180 or 999 while they have no position."""
    drawn = wave(0, 6000)
    drawn.lat[100:105], drawn.lon[100:105] = 999.0, 180.0
    course = course_of(drawn)
    assert course.distance == pytest.approx(WAVE, rel=NEARLY)
    assert course.warnings[0].startswith("Points 101 to 105 of the line are left out: latitude 999")


def test_a_line_with_points_in_another_country_is_refused() -> None:
    """The message names the jump: which part is wrong can't be known."""
    drawn = wave(0, 6000)
    drawn.lon[300:320] = 9.0
    with pytest.raises(
        CourseError, match=r"jumps 628,146 m, from 51\.00024, 0\.04259 .* \(points 300 and 301\)"
    ):
        course_of(drawn)


def test_long_straights_between_bends_are_kept() -> None:
    """They are drawn with two points each, and the bends with many."""
    bend = np.linspace(-np.pi / 2, np.pi / 2, 20)
    east = np.concatenate([[0.0], 600 + 15 * np.cos(bend), [0.0], -15 * np.cos(bend), [0.0]])
    north = np.concatenate([[-15.0], 15 * np.sin(bend), [15.0], -15 * np.sin(bend), [-15.0]])
    lon, lat = place(east, north)
    course = course_of(Line(lon, lat, np.full(len(lon), np.nan), "line"))
    assert course.distance == pytest.approx(1200 + 30 * np.pi, rel=0.01)


def test_each_point_in_a_segment_of_its_own_is_one_line() -> None:
    """Some programs write a track like that."""
    drawn = wave(0, 1000)
    points = zip(drawn.lon.tolist(), drawn.lat.tolist(), strict=True)
    segments = "".join(f'<trkseg><trkpt lat="{lat}" lon="{lon}"/></trkseg>' for lon, lat in points)
    course = read(f"<gpx><trk>{segments}</trk></gpx>".encode())
    assert course.distance == pytest.approx(course_of(drawn).distance, rel=NEARLY)
    assert not course.warnings


def test_a_jump_to_another_country_is_refused_however_many_straights_precede_it() -> None:
    """A warning would not be shown behind so many others."""
    steps = [*([*[1.0] * 10, 600.0] * 60), 30_000.0, *[1.0] * 20]
    east = np.append(0.0, np.cumsum(steps))
    lon, lat = GEOD.fwd(np.zeros(len(east)), np.full(len(east), 51.0), np.full(len(east), 90.0), east)[:2]
    with pytest.raises(CourseError, match=r"jumps 30,0\d\d m"):
        course_of(Line(lon, lat, np.full(len(lon), np.nan), "line"))
