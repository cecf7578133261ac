"""What the GPX reader finds, before the survey judges it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from simulator import gpx
from simulator.drawing import CourseError
from simulator.survey import limits

PATIENCE = 10.0
"""Seconds of processor time: what takes a fraction of one where it is linear, and minutes where it isn't."""
POINTS = '<trkpt lat="51" lon="-0.5"><ele>7</ele></trkpt><trkpt lat="51.25" lon="180"/>'


def track(content: str = POINTS, before: str = "") -> bytes:
    """Return a GPX file with one track, which is on line 2."""
    return f"<gpx>{before}\n<trk><name> The\t course</name><trkseg>{content}</trkseg></trk></gpx>".encode()


def test_line() -> None:
    """A track is a line that tells where it is, with NaN for an altitude that is missing."""
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
    """Waypoints that have a name are markers; what is wrong with one without is nobody's business."""
    named = '<wpt lat="51" lon="1"><name>Start</name></wpt><wpt lat="here" lon="1"/>'
    drawing = gpx.read(track(before=named))
    assert [(marker.name, marker.lon, marker.lat) for marker in drawing.markers] == [("Start", 1.0, 51.0)]
    assert drawing.markers[0].where == "waypoint at line 1 (Start)"
    assert drawing.warnings == ()


@pytest.mark.parametrize("text", ["1_0", "१", "--1", "0x1", "inf", "nan", "", "1,5", "1 2"])
def test_no_number(text: str) -> None:
    """What is no decimal number is refused with its line, even where Python would read it."""
    with pytest.raises(CourseError, match=r"GPX, line 3: \".*\" is not a number"):
        gpx.read(track(f'{POINTS}\n<trkpt lat="51" lon="{text}"/>'))


def test_empty() -> None:
    """A file with nothing in it has no line, no marker and no name."""
    drawing = gpx.read(b"<gpx/>")
    assert (drawing.name, drawing.lines, drawing.markers) == ("", (), ())


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
