"""The courses that ship with the project are what `courses/README.md` says."""

import importlib.util
import re
from collections.abc import Callable

import numpy as np
import pytest
import shapely

from simulator.course import decoding, geojson
from simulator.course.course import GEOD, MAX_DISTANCE
from simulator.course.library import MAX_BYTES, load_folder
from simulator.course.survey import limits
from tests.processes import ROOT

FOLDER = ROOT / "courses"
LIBRARY = load_folder(FOLDER)
NUMBER = re.compile(r"-?\d+\.\d+")


def test_all() -> None:
    """Every file in the folder is a course without an error, and the page describes each."""
    assert list(LIBRARY.courses) == ["city-10k", "crystal-palace", "hilly-half", "track-10000m"]
    assert LIBRARY.errors == {}
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in LIBRARY.courses if f"`{name}.kml`" not in page] == []


def test_limits_are_documented() -> None:
    """The page for organisers has the limits that the survey holds to."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = (
        f"| length of the path | {limits.MIN_DISTANCE:g} m or more |",
        f"| length of the course, all laps | {MAX_DISTANCE / 1000:,.0f} km |",
        f"| points in the path | {limits.MAX_POINTS:,} |",
        f"| points in a GPX or TCX file, or in the gx:Tracks of a KML file | {limits.MAX_ELEMENT_POINTS:,} |",
        f"| points in a file, in all paths, geofences and placemarks | {limits.MAX_FILE_POINTS:,} |",
        f"| paths, geofences and placemarks in a file | {limits.MAX_SHAPES:,} |",
        f"| placemarks of the start and the finish | {limits.MAX_MARKERS} |",
        f"| size of a file, uploaded or in a folder | {MAX_BYTES // 1024**2} MiB |",
        f"| laps | {limits.MAX_LAPS:,} |",
        f"| geofences | {limits.MAX_FENCES}, with {limits.MAX_FENCE_POINTS:,} points in all |",
        f"| timing points | {limits.MAX_MATS}, passed {limits.MAX_MAT_PASSES:,} times in all |",
        f"| placemarks of widths | {limits.MAX_WIDTHS} |",
        f"| width | {limits.WIDTHS[0]} to {limits.WIDTHS[1]:,.0f} m |",
        f"| length of a name | {limits.MAX_NAME} characters |",
    )
    assert geojson.MAX_LENGTH == decoding.MAX_RECODED == MAX_BYTES
    assert [row for row in rows if row not in page] == []


def test_crystal_palace() -> None:
    """Crystal Palace is 4,966 m from the start marker to the finish marker, through one geofence."""
    course = LIBRARY.courses["crystal-palace"]
    assert course.long_name == "Crystal Palace"
    assert course.distance == pytest.approx(4966.4, abs=0.1)
    assert (course.lon[0], course.lat[0]) == (-0.063215, 51.419232)
    assert course.start == (-0.063253, 51.41917)
    assert course.finish == (-0.064283, 51.419324)
    assert course.alt is None
    assert [fence.name for fence in course.fences] == ["Geofence"]
    assert len(course.visits) > 0
    assert course.warnings == (
        "The LineString at line 7 (Course) runs from the finish marker to the start marker: turned round",
    )


def test_track() -> None:
    """The track is 25 laps of 400 m, anticlockwise, with the back straight between the bends."""
    course = LIBRARY.courses["track-10000m"]
    assert course.laps == 25
    assert course.lap_length == pytest.approx(2 * 84.39 + 2 * np.pi * 36.80, abs=0.01)
    assert course.distance == pytest.approx(10_000, abs=1)
    assert shapely.LinearRing(np.column_stack([course.lon, course.lat])).is_ccw
    assert course.start == course.finish == (course.lon[0], course.lat[0])
    assert len(course.visits) == 25
    fence, enter, leave = course.visits[0]
    bend = np.pi * 36.80
    assert fence == "Back straight"
    assert (enter, leave) == pytest.approx((bend, bend + 84.39), abs=0.01)
    assert course.warnings == ()


def test_city() -> None:
    """The city's ten kilometres are ten, through three geofences, and end near where they begin."""
    course = LIBRARY.courses["city-10k"]
    assert course.distance == pytest.approx(10_000, abs=1)
    assert [visit[0] for visit in course.visits] == ["Old bridge", "Drinks station", "Cheering mile"]
    assert GEOD.inv(*course.start, *course.finish)[2] < 200
    widths = [(round(width.since), width.metres) for width in course.widths]
    assert widths == [(0, 8), (2900, 5), (3300, 10), (5600, 6), (8300, 12)]
    assert course.warnings == ()


def test_half_marathon() -> None:
    """The half marathon has its distance, 300 m of climbing no steeper than 8 %, and three geofences."""
    course = LIBRARY.courses["hilly-half"]
    assert course.distance == pytest.approx(21_097.5, abs=1)
    assert course.alt is not None
    rises = np.diff(course.alt)
    assert rises[rises > 0].sum() == pytest.approx(300, abs=2)
    assert (course.alt.min(), course.alt.max()) == (140, 322)
    assert np.abs(rises / np.diff(course.along)).max() < 0.08
    assert [visit[0] for visit in course.visits] == ["First summit", "Drinks station", "Dale Wood"]
    assert course.laps == 1
    assert course.warnings == ()


def _drawn() -> dict[str, Callable[[], str]]:
    spec = importlib.util.spec_from_file_location("draw", FOLDER / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    courses: dict[str, Callable[[], str]] = draw.COURSES
    return courses


@pytest.mark.parametrize(("filename", "draw"), _drawn().items())
def test_drawn(filename: str, draw: Callable[[], str]) -> None:
    """Drawing the invented courses again gives the shipped files, to a few centimetres."""
    here, again = (FOLDER / filename).read_text(encoding="utf-8"), draw()
    assert NUMBER.sub("", again) == NUMBER.sub("", here)
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (here, again)]
    np.testing.assert_allclose(numbers[1], numbers[0], rtol=0, atol=2e-7)
