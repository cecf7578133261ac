"""Whatever bytes come in, a course or a CourseError comes out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.course.course import MAX_DISTANCE
from simulator.course.drawing import CourseError
from simulator.course.library import SUFFIXES, read_course
from simulator.course.survey import limits
from tests.processes import ROOT

REAL = (ROOT / "courses" / "crystal-palace.kml").read_bytes()
FILES = Path(__file__).parent / "files"
PIECES = (
    b"", b"9", b"-", b",", b" ", b"\n", b"<", b"<!--", b"e", b".", b"180", b"-180", b"90", b"1e300", b"nan",
    b"&lt;", b"&amp", b"\xff", b"\x00", b"<Point>", b"</Placemark>", b"<gx:Track>", b"laps",
    b"<trkpt>", b'lat="', b"PK\x01\x02", b"PK\x05\x06", b"\x01",
    b"[", b"]", b"{", b"}", b'"', b":", b"null", b"true", b"[[", b'"type":', b'"Polygon"', b'"name":"Mat 1",',
    b"Mat: ",
)  # fmt: skip

edit = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES))
edits = st.lists(edit, min_size=1, max_size=8)


def check(data: bytes, suffix: str = ".kml") -> bool:
    """Read the bytes; a course that comes of them has to be sound."""
    try:
        course = read_course(data, f"any{suffix}")
    except CourseError:
        return False
    assert limits.MIN_DISTANCE * 0.99 < course.distance <= MAX_DISTANCE
    assert np.isfinite([course.lon, course.lat, course.along]).all()
    assert (np.diff(course.along) > 0).all()
    assert np.abs(course.lat).max() <= 90
    assert len(course.warnings) <= limits.MAX_WARNINGS
    assert len(course.fences) <= limits.MAX_FENCES
    assert all(fence.polygon.is_valid and not fence.polygon.is_empty for fence in course.fences)
    assert len({fence.name for fence in course.fences}) == len(course.fences)
    assert len(course.mats) <= limits.MAX_MATS
    keys = {(point.kind, point.name, point.lap) for point in course.timing_points}
    assert len(keys) == len(course.timing_points)
    metres = [point.distance for point in course.timing_points]
    assert metres == sorted(metres)
    return True


@given(st.binary(max_size=200))
@example(b"\x00")
@example(b"\xff\xfe<\x00k\x00")
@example(b'<?xml version="1.0" encoding="no-such"?><kml/>')
@example(b"PK\x03\x04 a KMZ by mistake")
@example(b"<kml/>")
@example(b"{}")
@example(b'{"type":{}}')
@example(b'{"type":"Feature","geometry":{"type":[]}}')
@example(b"[" * 200)
def test_any_bytes(data: bytes) -> None:
    """So few bytes never make a course, and fail with a CourseError only."""
    assert not any(check(data, suffix) for suffix in SUFFIXES[:1])


@settings(max_examples=500)
@given(edits)
def test_mutated(edits: list[tuple[float, int, bytes]]) -> None:
    """A real file with pieces cut out and put in gives a sound course or a CourseError."""
    check(edited(REAL, edits))


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Return a file with pieces cut out and put in."""
    for place, cut, piece in edits:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + cut :]
    return data


@settings(max_examples=500)
@given(st.lists(edit, min_size=1, max_size=3))
def test_mutated_in_other_formats(edits: list[tuple[float, int, bytes]]) -> None:
    """So does a KMZ, whose bytes then are no archive or a strange one, a GPX and a GeoJSON, mats and all."""
    for name in ("kmz-doc.kmz", "timing-waypoints.gpx", "geojson-everything.geojson", "timing-laps.kml"):
        path = FILES / name
        check(edited(path.read_bytes(), edits), path.suffix)


numbers = st.sampled_from(
    ["0", "0.001", "-0.001", "51", "51.001", "180", "-180", "179.999", "90", "-90", "1e-9"]
)
tuples = st.lists(
    st.tuples(numbers, numbers).map(",".join) | st.tuples(numbers, numbers, numbers).map(",".join),
    max_size=8,
).map(" ".join)
names = st.sampled_from(["Start", "finish", "Start/End", "Park", "", "Mat", "Split: 1 km"])
geometries = st.sampled_from(["LineString", "Point", "LinearRing"]).flatmap(
    lambda kind: tuples.map(lambda text: f"<{kind}><coordinates>{text}</coordinates></{kind}>")
) | st.lists(tuples, min_size=1, max_size=3).map(
    lambda rings: (
        "<Polygon>"
        + "".join(
            f"<{where}><LinearRing><coordinates>{ring}</coordinates></LinearRing></{where}>"
            for where, ring in zip(["outerBoundaryIs", *["innerBoundaryIs"] * 2], rings, strict=False)
        )
        + "</Polygon>"
    )
)
placemarks = st.lists(st.tuples(names, geometries), min_size=1, max_size=6)


@settings(max_examples=500)
@given(placemarks, st.sampled_from(["", "1", "2", "1000"]))
def test_degenerate(placemarks: list[tuple[str, str]], laps: str) -> None:
    """Well-formed files of degenerate shapes (poles, antimeridian, repeated points) do as well."""
    data = f'<ExtendedData><Data name="laps"><value>{laps}</value></Data></ExtendedData>' if laps else ""
    body = "".join(f"<Placemark><name>{name}</name>{shape}</Placemark>" for name, shape in placemarks)
    check(f"<kml>{data}{body}</kml>".encode())


scalars = st.sampled_from(
    [None, True, False, 0, -1, 51, 51.001, 180.5, -361, 2**70, 1e300, "", "51", "Mat 1"]
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "name"]), inner, max_size=2)
    ),
    max_leaves=5,
)
degrees = st.sampled_from([0, 0.001, -0.001, 51, 51.001, 180, -180, 179.999, 180.001, 90, -90, 1e-9])
positions = st.lists(degrees, min_size=2, max_size=3)
lists = st.lists(positions, max_size=6)
nearby = st.lists(
    st.tuples(st.sampled_from([0, 0.001, -0.001]), st.sampled_from([51, 51.001, 50.999])), max_size=6
)
shapes = {
    "Point": positions,
    "MultiPoint": lists,
    "LineString": lists,
    "MultiLineString": st.lists(lists, max_size=3),
    "Polygon": st.lists(nearby, max_size=3),
    "MultiPolygon": st.lists(st.lists(nearby, max_size=2), max_size=2),
    "GeometryCollection": junk,
    "Topology": junk,
}
usual = st.fixed_dictionaries(
    {}, optional={"name": names, "title": names, "laps": st.sampled_from([2, "2", 2.0]), "timing": scalars}
)
strange = st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "title", "laps", "timing"), junk))
properties = usual | usual | usual | strange


@st.composite
def geojson(draw: st.DrawFn) -> object:
    """Make a FeatureCollection with a line in it, and here and there what doesn't belong where it is."""

    def mostly(usual: st.SearchStrategy[Any]) -> Any:
        return draw(usual if draw(st.integers(0, 19)) else junk)

    def geometry(depth: int) -> object:
        kind = draw(st.sampled_from(sorted(shapes)))
        return {
            "type": kind,
            "coordinates": mostly(shapes[kind]),
            "geometries": [geometry(depth - 1) for _ in range(2 if depth else 0)],
        }

    line = {"type": "LineString", "coordinates": mostly(nearby.map(lambda places: [[0, 51], *places]))}
    mat = {"type": "Point", "coordinates": mostly(nearby.map(lambda places: [*places, [0, 51.001]][0]))}
    more = [geometry(draw(st.integers(0, 2))) for _ in range(draw(st.integers(0, 2)))]
    features: list[object] = [
        {"type": "Feature", "geometry": one, "properties": draw(properties)} for one in (line, mat, *more)
    ]
    return {
        "type": "FeatureCollection",
        "features": features + draw(st.just([]) | st.lists(junk, max_size=1)),
        **draw(properties),
    }


@settings(max_examples=500)
@given(geojson())
def test_wrong_types(root: Any) -> None:
    """GeoJSON with anything anywhere gives a sound course or a CourseError, and any part of it does."""
    for part in (root, *root["features"]):
        check(json.dumps(part).encode(), ".geojson")
