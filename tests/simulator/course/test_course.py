import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.course.course import GEOD, Course, Fence, Mat, Width


def course(lon: list[float], lat: list[float], **more: object) -> Course:
    """Measure a course."""
    return Course.measured(
        short_name="c",
        long_name="C",
        lon=np.array(lon),
        lat=np.array(lat),
        **more,  # type: ignore[arg-type]
    )


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-89, 89),
    azimuth=st.floats(0, 360),
    length=st.floats(100, 100_000),
    share=st.floats(0, 1),
)
@settings(max_examples=300)
def test_place_is_on_the_geodesic(
    lon: float, lat: float, azimuth: float, length: float, share: float
) -> None:
    """A place lies within 0.1 m of the exact geodesic, at any latitude, on segments of any length."""
    end_lon, end_lat, _ = GEOD.fwd(lon, lat, azimuth, length)
    if abs(end_lat) > 89:
        return
    measured = course([lon, end_lon], [lat, end_lat])
    (found_lon,), (found_lat,) = measured.place(np.array([share * length]))
    true_lon, true_lat, _ = GEOD.fwd(lon, lat, azimuth, share * length)

    assert GEOD.inv(found_lon, found_lat, true_lon, true_lat)[2] < 0.1
    assert measured.distance == pytest.approx(length, abs=0.01)
    assert -180 <= found_lon <= 180


def test_places_at_the_ends_are_the_ends(straight: Course) -> None:
    """The first and the last metre are the line's own ends, and no place is beyond them."""
    lon, lat = straight.place(np.array([-5.0, 0.0, straight.distance, straight.distance + 5]))

    assert lat.tolist() == [50.0, 50.0, 50.0224777, 50.0224777]
    assert lon.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_laps_run_the_line_again() -> None:
    """With three laps the distance is three times the line's, and each lap is at the same places."""
    square = course([0, 0.001, 0.001, 0, 0], [0, 0, 0.001, 0.001, 0], laps=3)
    once = np.linspace(0, square.lap_length, 50, endpoint=False)
    places = [np.array(square.place(once + lap * square.lap_length)) for lap in range(3)]

    assert square.distance == pytest.approx(3 * square.lap_length)
    assert places[1] == pytest.approx(places[0], abs=1e-9)
    assert places[2] == pytest.approx(places[0], abs=1e-9)


def test_visits_are_where_the_line_is_in_the_fence(straight: Course) -> None:
    """A visit begins and ends exactly where the line crosses the fence's edge."""
    edges = {"Bridge": (50.005, 50.01), "Park": (50.008, 50.015)}
    for name, first, last in straight.visits:
        _, lat = straight.place(np.array([first, last]))
        assert lat == pytest.approx(edges[name], abs=1e-8)
    assert [name for name, _, _ in straight.visits] == ["Bridge", "Park"]


@given(st.integers(0, 10_000))
@settings(max_examples=50)
def test_visits_agree_with_the_polygon(seed: int) -> None:
    """On any crooked line a place is inside the fence if and only if it is on a visit."""
    random = np.random.default_rng(seed)
    polygon = shapely.Polygon(np.array([[-3, -2], [0, 3], [3, -3], [0.5, 0]]) / 1000)
    vertices = random.uniform(-4, 4, (12, 2)) / 1000
    crooked = course(vertices[:, 0].tolist(), vertices[:, 1].tolist(), fences=[Fence("f", polygon)], laps=1)
    metres = random.uniform(0, crooked.distance, 300)
    lon, lat = crooked.place(metres)
    on_a_visit = np.zeros(len(metres), bool)
    near_an_edge = np.zeros(len(metres), bool)
    for _, first, last in crooked.visits:
        on_a_visit |= (metres >= first) & (metres <= last)
        near_an_edge |= (np.abs(metres - first) < 0.01) | (np.abs(metres - last) < 0.01)
    inside = shapely.contains_xy(polygon, lon, lat)

    assert (inside == on_a_visit)[~near_an_edge].all()


def test_a_fence_around_the_lap_line_is_one_visit_per_turn() -> None:
    """Where a lap's end and the next lap's beginning lie in one fence, the competitor doesn't leave it."""
    ring = [0.0, 0.001, 0.001, 0.0, 0.0], [0.0, 0.0, 0.001, 0.001, 0.0]
    around_the_line = Fence("Finish straight", shapely.box(-0.0003, -0.0003, 0.0003, 0.0003))
    laps = course(*ring, fences=[around_the_line], laps=3)
    names = [(point.kind, point.lap) for point in laps.timing_points if point.name == "Finish straight"]

    assert names == [
        ("enter", 1),
        ("exit", 1),
        ("enter", 2),
        ("exit", 2),
        ("enter", 3),
        ("exit", 3),
        ("enter", 4),
    ]


def test_a_mere_touch_is_no_visit() -> None:
    """A line that touches a fence in one point does not enter it."""
    touching = course(
        [0, 0.01], [0, 0], fences=[Fence("f", shapely.Polygon([(0.005, 0), (0, 1), (0.01, 1)]))]
    )

    assert touching.visits == ()


def test_timing_points_are_in_order(straight: Course) -> None:
    """Start, splits, enters and exits come by distance, and the finish last."""
    found = [(point.kind, point.name) for point in straight.timing_points]

    assert found == [
        ("start", "Start"),
        ("enter", "Bridge"),
        ("enter", "Park"),
        ("split", "1 km"),
        ("exit", "Bridge"),
        ("exit", "Park"),
        ("split", "2 km"),
        ("finish", "Finish"),
    ]
    assert straight.timing_points[-1].distance == straight.distance


def test_every_timing_point_has_a_key_of_its_own(library: Mapping[str, Course]) -> None:
    """Kind, point and lap distinguish any two timing points of a course."""
    for known in library.values():
        keys = [(point.kind, point.name, point.lap) for point in known.timing_points]
        assert len(set(keys)) == len(keys)


def test_a_split_at_the_finish_is_the_finish(library: Mapping[str, Course]) -> None:
    """The 10,000 m on the track has nine splits: at ten kilometres is the finish."""
    splits = [point.name for point in library["track-10000m"].timing_points if point.kind == "split"]

    assert splits == [f"{kilometre} km" for kilometre in range(1, 10)]


def test_a_course_over_the_antimeridian_stays_in_range() -> None:
    """In Fiji the line crosses from 180 to -180 and is short all the same."""
    fiji = course(
        [179.99, -179.99], [-16.8, -16.8], fences=[Fence("f", shapely.box(179.995, -17, 180.005, -16))]
    )
    lon, _ = fiji.place(np.linspace(0, fiji.distance, 11))

    assert fiji.distance == pytest.approx(2131, abs=5)
    assert (np.abs(lon) > 179.98).all()
    assert len(fiji.visits) == 1


def test_wkt_is_read_back_as_it_was(straight: Course) -> None:
    """The texts for the courses table are WKT of the line, the fences and the markers."""
    assert shapely.from_wkt(straight.line_wkt()).length == pytest.approx(0.0224777)
    assert shapely.from_wkt(straight.start_wkt()).coords[0] == (0.0, 50.0)
    assert shapely.from_wkt(straight.finish_wkt()).coords[0] == (0.0, 50.0224777)


@pytest.mark.parametrize(
    ("boxes", "kind", "area"),
    [
        ([(0, 0, 1, 1)], "Polygon", 1.0),
        ([(0, 0, 1, 1), (2, 0, 3, 1)], "MultiPolygon", 2.0),
        ([(0, 0, 1, 1), (1, 0, 2, 1)], "Polygon", 2.0),
        ([(0, 0, 2, 2), (1, 1, 3, 3), (5, 5, 6, 6)], "MultiPolygon", 8.0),
    ],
)
def test_fences_are_one_valid_geometry(
    boxes: list[tuple[float, float, float, float]], kind: str, area: float
) -> None:
    """The fences' text is a geometry that a database can compute with, even if they overlap."""
    fences = [Fence(f"f{nth}", shapely.box(*box)) for nth, box in enumerate(boxes)]
    geometry = shapely.from_wkt(course([0, 0.1], [0, 0], fences=fences).fences_wkt())

    assert geometry.is_valid
    assert (geometry.geom_type, geometry.area) == (kind, area)


def test_without_fences_the_text_is_empty() -> None:
    """A course without a geofence has an empty text for them."""
    assert course([0, 0.1], [0, 0]).fences_wkt() == ""


def test_each_fence_is_written_with_its_name() -> None:
    """The JSON of the fences has each by its own name and polygon, in order, also those that overlap."""
    fences = [Fence("North ”1”", shapely.box(0, 0, 2, 2)), Fence("South", shapely.box(1, 1, 3, 3))]
    listed = json.loads(course([0, 0.1], [0, 0], fences=fences).fences_json())

    assert [fence["name"] for fence in listed] == ["North ”1”", "South"]
    assert [shapely.from_wkt(fence["wkt"]) for fence in listed] == [fence.polygon for fence in fences]
    assert course([0, 0.1], [0, 0]).fences_json() == "[]"
    assert listed[0]["visits"] == [[0.0, pytest.approx(11131.949)]]


def test_climb() -> None:
    """What goes up counts, in each lap, unless it is as short as an altimeter's noise."""
    up_and_down = course([0, 0.01, 0.02], [0, 0, 0], alt=np.array([100.0, 130.0, 110.0]), laps=2)
    assert up_and_down.climb == pytest.approx(60, abs=1)
    lon = np.linspace(0, 0.02, 1000)
    noisy = course(lon.tolist(), [0] * 1000, alt=100 + np.tile([0.0, 2.0], 500))
    assert noisy.climb is not None
    assert noisy.climb < 30
    assert course([0, 0.1], [0, 0]).climb is None


def test_lists_of_altitudes_and_timing_points() -> None:
    """The JSON has an altitude for each vertex, and each timing point with its passes in all laps."""
    mats = [Mat("Bridge", (0.001, 0.0), (50.0, 150.0)), Mat("Start", (0.0, 0.0), (0.0,))]
    hill = course([0, 0.001, 0.002], [0, 0, 0], alt=np.array([1.26, 2.0, 3.0]), laps=2, mats=mats)
    assert hill.altitudes_json() == "[1.3,2.0,3.0]"
    assert json.loads(hill.timing_points_json()) == [
        {"name": "Bridge", "distances": [50.0, 150.0, 272.639, 372.639]},
        {"name": "Start", "distances": [222.639]},
    ]
    assert course([0, 0.1], [0, 0]).altitudes_json() == "[]"
    narrows = replace(hill, widths=(Width(0.0, 8.0), Width(250.04, np.inf), Width(300.0, 2.5)))
    assert narrows.widths_json() == "[[0.0,8.0],[250.0,null],[300.0,2.5]]"
    assert hill.widths_json() == "[]"
    assert course([0, 0.1], [0, 0]).timing_points_json() == "[]"
