"""What a course has by its distance: timing points and altitudes over all laps."""

import numpy as np
import pytest

from stream.courses import AT_AN_END, TimingPoint, lap_profile, profile, timing_points


def test_timing_points_by_distance() -> None:
    """Start, kilometres, geofences and mats are in the order of their distances, then the finish."""
    visits = [("Park", 0.0, 400.0), ("Park", 2100.0, 2500.0)]
    points = timing_points(2500.0, visits, [("Bridge", [900.0, 2150.0])])
    assert points == (
        TimingPoint(0.0, "start", "Start", 1),
        TimingPoint(0.0, "enter", "Park", 1),
        TimingPoint(400.0, "exit", "Park", 1),
        TimingPoint(900.0, "split", "Bridge", 1),
        TimingPoint(1000.0, "split", "1 km", 1),
        TimingPoint(2000.0, "split", "2 km", 1),
        TimingPoint(2100.0, "enter", "Park", 2),
        TimingPoint(2150.0, "split", "Bridge", 2),
        TimingPoint(2500.0, "finish", "Finish", 1),
    )


@pytest.mark.parametrize(("distance", "splits"), [(3000.9, 2), (3001.0, 3)])
def test_no_split_at_the_finish(distance: float, splits: int) -> None:
    """A split, or a mat, within a metre of an end is that end."""
    mats = [("Mat", [AT_AN_END - 0.01, AT_AN_END, distance - AT_AN_END + 0.01])]
    points = timing_points(distance, [], mats)
    assert [point.distance for point in points if point.name == "Mat"] == [AT_AN_END]
    assert sum(point.name.endswith("km") for point in points) == splits


def test_profile_over_laps() -> None:
    """Pieces are 50 m long at most, and a lap that ends higher than it began goes on from there."""
    along, altitudes = np.array([0.0, 60.0, 120.0]), np.array([10.0, 16.0, 13.0])
    metres, heights = lap_profile(along, altitudes)
    assert metres == pytest.approx([0.0, 40.0, 80.0, 120.0])
    assert heights == pytest.approx([10.0, 14.0, 15.0, 13.0])
    metres, heights = profile(along, altitudes, 2)
    assert metres == pytest.approx([0.0, 40.0, 80.0, 120.0, 160.0, 200.0, 240.0])
    assert heights == pytest.approx([10.0, 14.0, 15.0, 13.0, 17.0, 18.0, 16.0])
