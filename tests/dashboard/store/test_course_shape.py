import math

import numpy as np
import pytest

from dashboard.store import course_shape, rows
from dashboard.store.protocol import PointOnCourse
from tests.dashboard.fakes import COURSE

FENCE = (
    '[{"name": "Line", "wkt": "POLYGON ((179.9995 -17.002, -179.9995 -17.002, -179.9995 -17, '
    '179.9995 -17, 179.9995 -17.002))"}]'
)
ACROSS = rows.course(
    (
        "date-line",
        "Date line",
        640.0,
        "LINESTRING (179.998 -17, 179.999 -17.001, 180.001 -17.001, 180.002 -17)",
        "POINT (179.998 -17)",
        "POINT (-179.998 -17)",
        FENCE,
        "[1.5,2,2.5,3]",
        "[]",
        "[]",
    )
)
"""The course of tests/simulator/course/files/antimeridian.kml."""
NO_LISTS = ("[]", "[]", "[]", "[]")
SHORT = ("LINESTRING (0 0, 1 0)", "POINT (0 0)", "POINT (1 0)")


def run_at(*places: tuple[float, float], distance: float = 100.0, gps_error: float = 0.0) -> bool:
    """Whether competitors at these places, lon and lat, are on the course across the antimeridian."""
    found = rows.positions(
        [(bib, lon, lat, distance, "running", 60.0, 0) for bib, (lon, lat) in enumerate(places, start=1)]
    )
    return course_shape.is_run_on(ACROSS, found, gps_error)


def test_gps_error_leads_off_the_course() -> None:
    """What a race's own GPS error explains is on the course."""
    assert not run_at((180.0, -16.994))
    assert run_at((180.0, -16.994), gps_error=250.0)


def test_course_across_the_antimeridian_is_in_one_piece() -> None:
    """Markers and fences of a course that crosses the antimeridian are where its line is."""
    (fence,) = ACROSS.fences[0].rings
    for lon in (*ACROSS.line[:, 0], ACROSS.start[0], ACROSS.finish[0], *fence[:, 0]):
        assert 179.9 < lon < 180.1


def test_line_that_jumps_at_the_antimeridian() -> None:
    """A line whose longitudes stay within 180 degrees is the same line."""
    line = "LINESTRING (-179.9 0, 179.9 0)"
    jumps = rows.course(("x", "X", 1.0, line, "POINT (0 0)", "POINT (0 0)", *NO_LISTS))
    assert jumps.line[:, 0] == pytest.approx([-179.9, -180.1])


def test_lists_of_a_course() -> None:
    """Each vertex has its altitude, and each passing of a timing point is a point, in the race's order."""
    points = '[{"name": "Mat", "distances": [100.5, 500]}, {"name": "Bridge", "distances": [300]}]'
    visited = '[{"name": "N", "wkt": "POLYGON ((0 0, 1 0, 1 1, 0 0))", "visits": [[10, 20.5], [30, 40]]}]'
    found = rows.course(("x", "X", 600.0, *SHORT, visited, "[12.5,-3]", points, "[[0,8],[250.5,null]]"))
    assert found.altitudes is not None
    assert found.altitudes.tolist() == [12.5, -3.0]
    passes = [("Mat", 100.5), ("Bridge", 300.0), ("Mat", 500.0)]
    assert found.points == tuple(PointOnCourse(*one) for one in passes)
    assert found.fences[0].visits == ((10.0, 20.5), (30.0, 40.0))
    assert found.widths == ((0.0, 8.0), (250.5, math.inf))


@pytest.mark.parametrize("missing", ["[]", "", "null", None])
def test_rows_that_are_older_than_the_lists(missing: str | None) -> None:
    """A course whose row is older than a column has none of what the column holds."""
    found = rows.course(("x", "X", 600.0, *SHORT, missing, missing, missing, missing))
    assert (found.fences, found.altitudes, found.points, found.widths) == ((), None, (), ())
    old = '[{"name": "N", "wkt": "POLYGON ((0 0, 1 0, 1 1, 0 0))"}]'
    assert rows.course(("x", "X", 600.0, *SHORT, old, missing, missing, missing)).fences[0].visits == ()


def test_altitudes_of_another_line() -> None:
    """Altitudes that don't fit the line are unknown, and the course is drawn."""
    assert rows.course(("x", "X", 600.0, *SHORT, "[]", "[1,2,3]", "[]", "[]")).altitudes is None


def test_positions_on_either_side_are_on_the_course() -> None:
    """Positions are on the course whichever way their longitude is written."""
    assert run_at((179.9985, -17.0005), (-179.9985, -17.0005), (180.0015, -17.0005))


def test_far_off_the_line() -> None:
    """200 m off the line is another course; a single competitor off it has a bad watch."""
    assert run_at((180.0, -17.0027))
    assert not run_at((180.0, -17.003))
    assert run_at((180.0, -17.001), (179.998, -17.0), (0.0, 51.0))


def test_further_than_the_course_is_long() -> None:
    """No competitor covers more than the course."""
    assert run_at((180.0, -17.001), distance=640.0005)
    assert not run_at((180.0, -17.001), distance=642.0)


def test_before_the_first_tick() -> None:
    """Without positions, the course is the one that the race names."""
    assert run_at()


def test_places_beside_the_reference_stay() -> None:
    """Places that are beside the reference already stay as they are, to the last digit."""
    assert np.array_equal(course_shape.beside(COURSE.line, 0.02), COURSE.line)
