"""What the GeoJSON reader finds, before the survey judges it; and that it reads what is written here."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely

from simulator.course import geojson
from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import load_folder, read_course
from simulator.course.survey import limits
from simulator.export.geojson import course_features
from tests.processes import ROOT

PATIENCE = 10.0
"""Seconds of processor time: what takes a fraction of one where it is linear, and minutes where it isn't."""
FILES = Path(__file__).parent / "files"
SHIPPED = load_folder(ROOT / "courses").courses
LINE = {"type": "LineString", "coordinates": [[-0.5, 51, 7], [180, 51.25]]}


def feature(geometry: object, **properties: object) -> dict[str, Any]:
    """Return a feature."""
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: object, **members: object) -> bytes:
    """Return a file with a FeatureCollection."""
    return orjson.dumps({"type": "FeatureCollection", "features": features, **members})


def test_line() -> None:
    """A line is read unchanged, with its position in the file and NaN for missing altitudes."""
    (found,) = geojson.read(collection(feature(LINE, name=" The\n course "))).lines
    assert found.where == "LineString of feature 1 (The course)"
    assert found.lon.tolist() == [-0.5, 180.0]
    assert found.lat.tolist() == [51.0, 51.25]
    np.testing.assert_array_equal(found.alt, [7.0, np.nan])


def test_collection_of_geometries() -> None:
    """Geometries in collections come in their order, however they are nested, by the feature's name."""
    points = [{"type": "Point", "coordinates": [nth, 51]} for nth in range(4)]
    inner = {"type": "GeometryCollection", "geometries": points[1:3]}
    outer = {"type": "GeometryCollection", "geometries": [points[0], inner, points[3]]}
    markers = geojson.read(collection(feature(outer, title="A"))).markers
    assert [(marker.name, marker.lon) for marker in markers] == [("A", 0), ("A", 1), ("A", 2), ("A", 3)]
    assert markers[2].where == "Point at geometries[1].geometries[1] of feature 1 (A)"


@pytest.mark.parametrize(
    ("members", "properties", "name"),
    [
        ({"name": "Of the\tfile"}, {"name": "Course"}, "Of the file"),
        ({"properties": {"name": "Of the file"}}, {"name": "Course"}, "Of the file"),
        ({"properties": "none"}, {"title": "Course"}, "Course"),
        ({"name": ""}, {"name": 7}, "7"),
        ({"name": ["x"]}, {"name": None}, ""),
    ],
)
def test_name_of_document(members: dict[str, Any], properties: dict[str, Any], name: str) -> None:
    """The drawing has the name of the collection, or else of its first line that has one."""
    park = feature({"type": "Point", "coordinates": [0, 51]}, name="Park")
    assert geojson.read(collection(park, feature(LINE, **properties), **members)).name == name


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (True, True),
        ("Yes", True),
        (1, True),
        ("1", True),
        (False, False),
        (None, False),
        ([1], False),
        (2, False),
    ],
)
def test_timing(timing: object, expected: bool) -> None:  # noqa: FBT001 - parameters of the test
    """A Point is a timing point if its feature says so in one of the usual ways."""
    (marker,) = geojson.read(
        collection(feature({"type": "Point", "coordinates": [0, 51]}, name="A", timing=timing))
    ).markers
    assert marker.is_timing == expected


def test_unnamed_point() -> None:
    """A Point without a name marks nothing, and its errors are ignored."""
    drawing = geojson.read(collection(feature({"type": "Point", "coordinates": "here"})))
    assert (drawing.markers, drawing.warnings) == ([], [])


@pytest.mark.parametrize(
    ("lon", "read"),
    [
        ([179.5, 180.5], [179.5, -179.5]),
        ([-179.5, -180.5], [-179.5, 179.5]),
        ([0.5, 180.6], [0.5, 180.6]),
        ([360.5, 361.5], [360.5, 361.5]),
    ],
)
def test_beyond_the_antimeridian(lon: list[float], read: list[float]) -> None:
    """Longitudes that go on beyond 180 are brought back; a slip of the pen is left to the survey."""
    line = {"type": "LineString", "coordinates": [[x, 0] for x in lon]}
    assert geojson.read(orjson.dumps(line)).lines[0].lon.tolist() == read


def test_long_text() -> None:
    """A message shows only the beginning of an invalid text."""
    line = {"type": "LineString", "coordinates": ["9" * 10_000]}
    with pytest.raises(
        CourseError, match=r"^GeoJSON, feature 2: coordinates\[0\] is \"9+…\", not a position$"
    ) as caught:
        geojson.read(collection(feature(LINE), feature(line, name="x" * 10_000)))
    assert len(str(caught.value)) < 200


def test_a_file_of_values_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with more values than any course needs is refused before they take memory."""
    monkeypatch.setattr(geojson, "MAX_VALUES", 10)
    with pytest.raises(CourseError, match="more than 10 values"):
        geojson.read(b"[" * 11)


def test_speed() -> None:
    """As many points as a course may have are read in a time that grows with them, all alike or not."""
    points: list[list[float | None]] = [[nth / 1e6, 51, 5.5] for nth in range(limits.MAX_POINTS)]
    points[-1] = [0.2, 51, None]
    before = time.process_time()
    for some in (points[:-1], points):
        (found,) = geojson.read(collection(feature({"type": "LineString", "coordinates": some}))).lines
        assert len(found.lon) == len(some)
    assert time.process_time() - before < PATIENCE


FROM_FILES = (
    "geojson-everything.geojson",
    "timing-laps.kml",
    "timing-antimeridian.kml",
    "timing-at-the-ends.kml",
    "antimeridian.kml",
    "antimeridian-westward.kml",
    "fence-hole.kml",
    "altitude.kml",
)
WRITTEN = {**SHIPPED, **{name: read_course((FILES / name).read_bytes(), name) for name in FROM_FILES}}


@pytest.mark.parametrize("course", WRITTEN.values(), ids=WRITTEN.keys())
def test_what_is_written_here_reads_back(course: Course) -> None:
    """The course that `GET /courses/{name}` shows is, as a file, the same course."""
    data = orjson.dumps(course_features(course))
    again = read_course(data, f"{course.short_name}.geojson")

    assert again.distance == pytest.approx(course.distance, abs=0.1)
    assert (again.long_name, again.laps) == (course.long_name, course.laps)
    assert [fence.name for fence in again.fences] == [fence.name for fence in course.fences]
    for fence, before in zip(again.fences, course.fences, strict=True):
        assert shapely.equals_exact(fence.polygon, before.polygon, 1e-9, normalize=True)
    ends = [(x % 360, y) for x, y in (again.start, again.finish)]
    assert ends == [pytest.approx((x % 360, y)) for x, y in (course.start, course.finish)]
    kinds = [(point.kind, point.name, point.lap) for point in again.timing_points]
    assert kinds == [(point.kind, point.name, point.lap) for point in course.timing_points]
    metres = [point.distance for point in again.timing_points]
    assert metres == pytest.approx([point.distance for point in course.timing_points], abs=0.1)
    assert (again.alt is None) == (course.alt is None)
    assert [width.metres for width in again.widths] == [width.metres for width in course.widths]
    places = [width.since for width in again.widths]
    assert places == pytest.approx([width.since for width in course.widths], abs=0.1)


FEATURES = [
    feature({"type": "Point", "coordinates": [0, 51]}, name="Start"),
    feature({"type": "LineString", "coordinates": [[0, 51], [0, 51.01]]}, name="Way"),
]
TEXTS = [orjson.dumps(one) for one in FEATURES]


@pytest.mark.parametrize(
    "data",
    [
        b"\n".join(TEXTS),
        b"\r\n\r\n".join([b"", *TEXTS, b""]),
        b"".join(b"\x1e" + text + b"\n" for text in TEXTS),
        b"".join(b"\x1e" + text for text in TEXTS),
        b"".join(b"\x1e" + orjson.dumps(one, option=orjson.OPT_INDENT_2) + b"\n" for one in FEATURES),
        b"\xef\xbb\xbf" + b"\n".join(TEXTS),
        "\n".join(text.decode() for text in TEXTS).encode("utf-16"),
        orjson.dumps(FEATURES),
        collection(collection_of := {"type": "FeatureCollection", "features": FEATURES}),
        orjson.dumps(collection_of) + b"\n",
        collection({"type": "FeatureCollection", "features": [collection_of]}),
        b"\n".join([TEXTS[0], orjson.dumps({"type": "FeatureCollection", "features": FEATURES[1:]})]),
    ],
)
def test_sequences_and_nested_collections(data: bytes) -> None:
    """Features are found in a sequence of texts, in a list and in collections of collections."""
    course = read_course(data, "way")
    assert course.distance == pytest.approx(1112.5, abs=0.1)
    assert (course.long_name, course.start, course.warnings) == ("Way", (0.0, 51.0), ())


@pytest.mark.parametrize(
    "data",
    [
        collection({"type": "FeatureCollection", "features": FEATURES, "laps": 3, "name": "Park"}),
        b"\x1e" + collection(*FEATURES, laps=3, name="Park"),
        TEXTS[0] + b"\n" + orjson.dumps(FEATURES[1]["geometry"] | {"laps": 3, "name": "Park"}),
        orjson.dumps([FEATURES[0], feature(FEATURES[1]["geometry"], laps=3, name="Park")]),
    ],
)
def test_laps_and_names_of_inner_parts(data: bytes) -> None:
    """The laps and the name count wherever the line is."""
    drawing = geojson.read(data)
    assert (drawing.name, drawing.laps, len(drawing.lines), len(drawing.markers)) == ("Park", 3, 1, 1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (
            b"\n".join([*TEXTS, b'{"type": }']),
            "a isn't well-formed JSON: unexpected character.*, line 3, column 10$",
        ),
        (b"\x1e" + TEXTS[0] + b"\n\x1e\n[1,]", "a isn't a sequence of GeoJSON texts: line 2 is no object$"),
        (b"\n".join([*TEXTS, b"5"]), "a isn't a sequence of GeoJSON texts: line 3 is no object$"),
        (
            TEXTS[0] + b",\n" + TEXTS[1],
            "unexpected content after document .put several texts .*, line 1, column",
        ),
        (b"\n".join([TEXTS[0], b'{"type": "x"}']), 'a, feature 2: type is "x", not "Feature"$'),
        (b'{"type": "Feature",\n}', "trailing comma is not allowed .remove the comma.*, line 1, column 19$"),
        (b'{"type":\n"LineString", "x": nan}', "expected 'null', line 2, column 20$"),
        (b'{"type": "LineString" /* x */}', "JSON has no comments.*, line 1, column 23$"),
        (b"{'type': 1}", "JSON has double quotes only.*, line 1, column 2$"),
        (b'{"x": "\xc3\xa4", "y": [1', "the file is cut short.*, line 1, column "),
        (b'{"x": "a\nb"}', "a text can't contain a line break.*, line 1, column 9$"),
    ],
)
def test_malformed_json(data: bytes, error: str) -> None:
    """What isn't JSON is rejected with the line and, where it is known, the remedy."""
    with pytest.raises(CourseError, match=error):
        geojson.read(data, "a")


def test_collections_that_are_too_deep() -> None:
    """Collections of features may be nested as deep as those of geometries."""
    data: Any = {"type": "FeatureCollection", "features": FEATURES}
    for _ in range(geojson.MAX_DEPTH - 1):
        data = {"type": "FeatureCollection", "features": [data]}
    assert len(geojson.read(orjson.dumps(data)).lines) == 1
    with pytest.raises(CourseError, match="nested more than 8 deep"):
        geojson.read(collection(data))


@pytest.mark.parametrize(
    "crs",
    [
        None,
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "EPSG:4326",
        "urn:ogc:def:crs:EPSG::4326",
        "WGS 84",
        4326,
    ],
)
def test_coordinate_systems_in_degrees(crs: object) -> None:
    """A file may say that its coordinates are longitude and latitude in degrees of WGS84."""
    named = {"type": "name", "properties": {"code" if crs == 4326 else "name": crs}} if crs else None
    assert len(geojson.read(collection(*FEATURES, crs=named)).lines) == 1


@pytest.mark.parametrize(
    ("crs", "system"),
    [
        ({"type": "name", "properties": {"name": "EPSG:3857"}}, '"EPSG:3857"'),
        (
            {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32630"}},
            '"urn:ogc:def:crs:EPSG::32630"',
        ),
        ({"type": "name", "properties": {"name": "WGS 84 / UTM zone 30N"}}, '"WGS 84 / UTM zone 30N"'),
        ({"type": "EPSG", "properties": {"code": 27700}}, '"27700"'),
        ({"type": "link", "properties": {"href": "http://x"}}, "that crs links to"),
        ("EPSG:25832", '"EPSG:25832"'),
    ],
)
def test_other_coordinate_systems(crs: object, system: str) -> None:
    """A file in another coordinate system is rejected by its name, wherever it is, with the remedy."""
    line = FEATURES[1]
    for data, place in (
        (collection(*FEATURES, crs=crs), "a"),
        (orjson.dumps(line | {"crs": crs}), "a"),
        (collection(*FEATURES, line | {"crs": crs}), "a, feature 3"),
        (collection(line | {"geometry": LINE | {"crs": crs}}), "a, feature 1"),
        (orjson.dumps(LINE | {"crs": crs}), "a"),
    ):
        with pytest.raises(CourseError) as caught:
            geojson.read(data, "a")
        assert str(caught.value).startswith(
            f"{place}: the coordinates are in the system {system}: export it in"
        )


@pytest.mark.parametrize("metres", [1001.0, -356_222.0])
def test_metres_instead_of_degrees(metres: float) -> None:
    """Coordinates that are too large for degrees are called metres, in every format."""
    points = [(metres, 5_500_000 + nth) for nth in range(3)]
    texts = [f"{lon},{lat}" for lon, lat in points]
    fixes = [f"<trkpt lon='{lon}' lat='{lat}'/>" for lon, lat in points]
    for data in (
        orjson.dumps({"type": "LineString", "coordinates": points}),
        f"<kml><LineString><coordinates>{' '.join(texts)}</coordinates></LineString></kml>".encode(),
        f"<gpx><trk><trkseg>{''.join(fixes)}</trkseg></trk></gpx>".encode(),
    ):
        with pytest.raises(
            CourseError, match="these look like metres of a map projection: export the file in EPSG:4326"
        ):
            read_course(data, "a")
