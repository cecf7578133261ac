"""Numbers that can't be read, in each format: what they cost."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import read_course

Row = tuple[str, str, str]
"""A point's latitude, longitude and altitude, as written."""


def gpx(rows: Sequence[Row]) -> str:
    """Return a track with a point on each line, from line 2 on."""
    points = "".join(f'\n<trkpt lat="{lat}" lon="{lon}"><ele>{alt}</ele></trkpt>' for lat, lon, alt in rows)
    return f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>"


def tcx(rows: Sequence[Row]) -> str:
    """Return a course with a point on each line, from line 2 on."""
    points = "".join(
        f"\n<Trackpoint><Position><LatitudeDegrees>{lat}</LatitudeDegrees><LongitudeDegrees>{lon}"
        f"</LongitudeDegrees></Position><AltitudeMeters>{alt}</AltitudeMeters></Trackpoint>"
        for lat, lon, alt in rows
    )
    return f"<TrainingCenterDatabase><Course><Track>{points}</Track></Course></TrainingCenterDatabase>"


def kml(rows: Sequence[Row]) -> str:
    """Return a LineString with a point on each line, from line 2 on."""
    points = "".join(f"\n{lon},{lat},{alt}" for lat, lon, alt in rows)
    return f"<kml><LineString><coordinates>{points}</coordinates></LineString></kml>"


def gx_track(rows: Sequence[Row]) -> str:
    """Return a gx:Track with a point on each line, from line 2 on."""
    points = "".join(f"\n<gx:coord>{lon} {lat} {alt}</gx:coord>" for lat, lon, alt in rows)
    return f"<kml><gx:Track>{points}</gx:Track></kml>"


def geojson(rows: Sequence[Row]) -> str:
    """Return a LineString; its numbers are texts."""
    return json.dumps({"type": "LineString", "coordinates": [[lon, lat, alt] for lat, lon, alt in rows]})


XML = [gpx, tcx, kml, gx_track]
Writer = Callable[[Sequence[Row]], str]


def rows(count: int) -> list[Row]:
    """Return a straight line northwards, rising by a metre per point."""
    return [(f"{51 + nth / 1000:.3f}", "0.5", str(nth)) for nth in range(count)]


def read(text: str) -> Course:
    """Read a file."""
    return read_course(text.encode(), "a")


WHOLE = read(gpx(rows(40)))


@pytest.mark.parametrize("write", XML)
@pytest.mark.parametrize("altitude", ["--", "400m", "N/A", "1e999", "1_0"])
def test_an_unreadable_altitude(write: Writer, altitude: str) -> None:
    """It is filled in from its neighbours; the warning names its line."""
    lines = rows(40)
    lines[10] = (*lines[10][:2], altitude)
    course = read(write(lines))
    assert course.distance == WHOLE.distance
    assert course.alt == pytest.approx(WHOLE.alt, abs=0.01)
    assert course.warnings[0] == f'An altitude counts as missing: a, line 12: "{altitude}" is not a number'
    assert "filled in from their neighbours" in course.warnings[1]


@pytest.mark.parametrize("write", [*XML, geojson])
@pytest.mark.parametrize("altitude", ["nan", "NaN"])
def test_unknown_altitudes(write: Writer, altitude: str) -> None:
    """A course whose altitudes are all unknown has none, and only GeoJSON has null for that."""
    course = read(write([(lat, lon, altitude) for lat, lon, _ in rows(40)]))
    assert course.alt is None
    assert course.distance == WHOLE.distance
    assert bool(course.warnings) == (write is geojson)


@pytest.mark.parametrize("write", XML)
def test_many_unreadable_altitudes(write: Writer) -> None:
    """They are one warning with their number and the first one's line."""
    course = read(write([(lat, lon, "--") for lat, lon, _ in rows(40)]))
    assert course.alt is None
    assert course.warnings == ('40 altitudes count as missing, the first: a, line 2: "--" is not a number',)


@pytest.mark.parametrize("write", XML)
@pytest.mark.parametrize("bad", [("51.o1", "0.5", "1"), ("NaN", "NaN", "1"), ("51.01", "x", "1")])
def test_an_unreadable_point(write: Writer, bad: Row) -> None:
    """One of many is left out; the warning names its line."""
    lines = rows(40)
    lines[10] = bad
    course = read(write(lines))
    assert course.distance == pytest.approx(WHOLE.distance, abs=0.01)
    (warning,) = course.warnings
    assert warning.startswith("A point is left out: a, line 12: ")
    assert warning.endswith(" is not a number")


@pytest.mark.parametrize("write", [*XML, geojson])
@pytest.mark.parametrize(("bad", "points"), [(1, 20), (10, 200), (10, 1000)])
def test_how_many_points_may_be_unreadable(write: Writer, bad: int, points: int) -> None:
    """Ten may be, and one in twenty; if it is one more, the file is rejected with the first one."""
    lines = rows(points)
    for nth in range(bad):
        lines[1 + 2 * nth] = ("x", "0.5", "1")
    assert len(read(write(lines)).warnings) == bad
    lines[-2] = ("x", "0.5", "1")
    with pytest.raises(CourseError, match=r'^a(, line 3|: coordinates\[1\]\[1\]).* "x"(,| is) not a number$'):
        read(write(lines))


@pytest.mark.parametrize("write", [gpx, tcx, gx_track])
def test_decimal_commas(write: Writer) -> None:
    """Degrees with a decimal comma can mean only one thing, and so do the altitudes beside them."""
    comma = [(lat.replace(".", ","), lon.replace(".", ","), f"{alt},5") for lat, lon, alt in rows(40)]
    course = read(write(comma))
    assert course.distance == WHOLE.distance
    assert WHOLE.alt is not None
    assert course.alt == pytest.approx(WHOLE.alt + 0.5, abs=0.01)
    assert course.warnings == ()


@pytest.mark.parametrize("write", [gpx, tcx])
def test_a_comma_in_an_altitude_only(write: Writer) -> None:
    """It may separate thousands: the altitude counts as missing."""
    course = read(write([(lat, lon, "1,234") for lat, lon, _ in rows(40)]))
    assert course.alt is None
    assert course.warnings[0].endswith('the first: a, line 2: "1,234" is not a number')


def test_decimal_commas_in_a_list() -> None:
    """Between commas they are ambiguous: the message says what a point is."""
    with pytest.raises(CourseError, match=r'line 2: "0,5,51,000,0" is 5 numbers, where .*decimal point'):
        read(kml([(lat.replace(".", ","), lon.replace(".", ","), alt) for lat, lon, alt in rows(40)]))


def test_numbers_in_quotes() -> None:
    """Numbers in quotes in GeoJSON are numbers; a text that isn't one is left out with its path."""
    assert read(geojson(rows(40))).distance == WHOLE.distance
    lines = rows(40)
    lines[10] = (*lines[10][:2], "--")
    lines[20] = ("", *lines[20][1:])
    assert read(geojson(lines)).warnings[:2] == (
        'A point is left out: a: coordinates[20][1] is "", not a number',
        'An altitude counts as missing: a: coordinates[10][2] is "--", not a number',
    )


def test_what_json_lacks_for_an_unknown_number() -> None:
    """NaN and infinity, as Python and others write them, are null; in names they stay."""
    text = geojson(rows(40)).replace('"10"', "NaN").replace('"11"', "-Infinity").replace('"51.020"', "NaN")
    course = read(text.replace("{", '{"name": "NaN, so what?", ', 1))
    assert course.long_name == "NaN, so what?"
    assert course.distance == pytest.approx(WHOLE.distance, abs=0.01)
    assert course.alt == pytest.approx(np.delete(np.asarray(WHOLE.alt), 20), abs=0.01)
    assert course.warnings[0] == "A point is left out: a: coordinates[20][1] is null, not a number"
