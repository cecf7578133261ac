"""What the TCX reader finds, before the survey judges it."""

import numpy as np
import pytest

from simulator.course import tcx
from simulator.course.drawing import CourseError

HEART = "<Time>2026-05-01T08:00:00Z</Time><HeartRateBpm><Value>140</Value></HeartRateBpm>"
POINTS = [(51.0, -0.5, "7"), (51.25, 180.0, "")]


def point(lat: float | str, lon: float | str, alt: str = "", extra: str = HEART) -> str:
    """Return a Trackpoint."""
    place = f"<LatitudeDegrees>{lat}</LatitudeDegrees>\n<LongitudeDegrees>{lon}</LongitudeDegrees>"
    altitude = f"<AltitudeMeters>{alt}</AltitudeMeters>" if alt else ""
    return f"<Trackpoint>{extra}<Position>{place}</Position>{altitude}</Trackpoint>"


TRACK = "<Track>" + "".join(point(*each) for each in POINTS) + "</Track>"


def course(content: str = TRACK) -> bytes:
    """Return a TCX file with one course."""
    head = (
        "<TrainingCenterDatabase xmlns='http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2'><Courses>"
    )
    named = f"<Course><Name> The\n course</Name>{content}</Course>"
    return f"{head}\n{named}</Courses></TrainingCenterDatabase>".encode()


def test_course() -> None:
    """A course is a line with its name; a missing altitude is NaN."""
    drawing = tcx.read(course())
    (line,) = drawing.lines
    assert (drawing.name, line.where, line.path) == ("The course", "track at line 3 (The course)", None)
    np.testing.assert_array_equal(
        (line.lat, line.lon, line.alt), ([51.0, 51.25], [-0.5, 180.0], [7.0, np.nan])
    )


def test_activity() -> None:
    """Each lap of an activity is a piece of one path; points without a place are ignored."""
    lap = "<Lap StartTime='x'><DistanceMeters>9</DistanceMeters>" + TRACK + "</Lap>"
    lap = lap.replace("<Track>", f"<Track><Trackpoint>{HEART}</Trackpoint>")
    data = f"<TrainingCenterDatabase><Activities><Activity><Id>x</Id>{lap}{lap}</Activity></Activities>"
    first, second = tcx.read(f"{data}</TrainingCenterDatabase>".encode()).lines
    assert len(first.lon) == len(second.lon) == 2
    assert first.path
    assert first.path is second.path
    assert first.path.where == "activity at line 1"


def test_course_points() -> None:
    """Course points with a name are markers."""
    place = "<Position><LatitudeDegrees>51</LatitudeDegrees><LongitudeDegrees>1</LongitudeDegrees></Position>"
    points = (f"<CoursePoint><Name>{name}</Name>{place}</CoursePoint>" for name in ("Start", "", "Mat 1"))
    nowhere = "<CoursePoint><Name>Left</Name></CoursePoint>"
    drawing = tcx.read(course(TRACK + "".join(points) + nowhere))
    assert [(one.name, one.lon, one.lat) for one in drawing.markers] == [
        ("Start", 1.0, 51.0),
        ("Mat 1", 1.0, 51.0),
    ]
    assert drawing.warnings == [
        "The course point at line 5 (Left) is left out: it has 0 places instead of one"
    ]


@pytest.mark.parametrize("number", ["5.151,5", "x", "NaN"])
def test_no_number(number: str) -> None:
    """What is no decimal number is rejected with its line."""
    with pytest.raises(CourseError, match=r'^TCX, line 3: ".*" is not a number'):
        tcx.read(course(f"<Track>{point(number, 1)}{point(51, 1)}</Track>"))


def test_what_is_skipped_keeps_the_lines() -> None:
    """Times and pulses are skipped, and the lines keep their numbers."""
    many = HEART.replace("><", ">\n<") + "\n<Extensions>\n<TPX><Speed>2</Speed></TPX></Extensions>"
    with pytest.raises(CourseError, match="TCX, line 10:"):
        tcx.read(course(f"<Track>{point(51, 1, '', many)}\n{point('x', 1, '', '')}</Track>"))


def test_no_track() -> None:
    """A file of workouts has no line."""
    assert tcx.read(b"<TrainingCenterDatabase><Workouts/></TrainingCenterDatabase>").lines == []
