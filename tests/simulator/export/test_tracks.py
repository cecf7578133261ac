"""The tracks against the race's own positions, and the files that they are given out as."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import gpxpy
import numpy as np
import orjson
import pytest
from lxml import etree

from simulator.course import gpx, kml
from simulator.course.course import Course
from simulator.export import track_files, tracks
from simulator.export.track_query import TrackQuery
from simulator.race.race import Race
from stream.problems import Problem
from tests.simulator.conftest import START, resolved
from tests.simulator.export.test_results import HOSTILE, REAL

GPX = "{http://www.topografix.com/GPX/1/1}"
KML = "{http://www.opengis.net/kml/2.2}"
GX = "{http://www.google.com/kml/ext/2.2}"
EVER = datetime.min.replace(tzinfo=UTC)
"""What a point without a time has."""
UNTIL = 700.0
CENTIMETRE = 1.001e-7
"""Degrees that rounding to seven decimals may cost, and a little."""


class Point(NamedTuple):
    """A point of a file as a reader has it."""

    time: datetime
    lon: float
    lat: float
    ele: float | None


Read = dict[str, list[Point]]
"""Each one's points, by what the track is called."""


@pytest.fixture
def race(make_race: Callable[..., Race]) -> Race:
    """Return a race in which everything happens, with wrong trackers."""
    return make_race(**REAL | {"competitors": 30}, gps_error=8.0, gps_noise=2.0, frozen=0.2)


@pytest.fixture
def hilly() -> Race:
    """Return a race on two laps there and back, up and down, with trackers that are right."""
    course = Course.measured(
        short_name="hilly",
        long_name="Up & <down>",
        lon=np.array([0.0, 0.002, 0.0]),
        lat=np.array([50.0, 50.0, 50.0]),
        alt=np.array([-10.0, 90.0, -10.0]),
        laps=2,
    )
    return Race(course, resolved(competitors=4))


def of(race: Race, until: float = UNTIL, **query: Any) -> tracks.Tracks:
    """Return tracks for a query as it comes by HTTP."""
    return TrackQuery(**query).tracks(race, until)


def written(suffix: str, found: tracks.Tracks) -> bytes:
    """Return a file."""
    (form,) = [form for form in track_files.FORMATS if form.suffix == suffix]
    pieces = list(form.write(found))
    assert all(pieces)
    return b"".join(pieces)


def features(found: tracks.Tracks) -> list[dict[str, Any]]:
    """Return what the GeoJSON has."""
    collection = orjson.loads(written("geojson", found))
    assert collection["type"] == "FeatureCollection"
    part: list[dict[str, Any]] = collection["features"]
    return part


def read_geojson(data: bytes) -> Read:
    """Return the points of GeoJSON."""
    read: Read = {}
    for feature in orjson.loads(data)["features"]:
        properties, geometry = feature["properties"], feature["geometry"]
        places = geometry["coordinates"]
        if geometry["type"] == "Point":
            places = [places]
        read[f"{properties['bib']} {properties['name']}"] = [
            Point(datetime.fromisoformat(time), place[0], place[1], place[2] if len(place) > 2 else None)
            for time, place in zip(properties["coordTimes"], places, strict=True)
        ]
    return read


def read_csv(data: bytes) -> Read:
    """Return the points of CSV."""
    read: Read = {}
    for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True):
        ele = float(row["ele"]) if "ele" in row else None
        point = Point(datetime.fromisoformat(row["time"]), float(row["lon"]), float(row["lat"]), ele)
        read.setdefault(f"{row['bib']} {row['name']}", []).append(point)
    return read


def read_gpx(data: bytes) -> Read:
    """Return the points of GPX, as another library has them."""
    return {
        track.name or "": [
            Point(point.time or EVER, point.longitude, point.latitude, point.elevation)
            for point in track.walk(only_points=True)
        ]
        for track in gpxpy.parse(data).tracks
    }


def read_kml(data: bytes) -> Read:
    """Return the points of KML; it has as many times as places."""
    read: Read = {}
    for mark in etree.fromstring(data).iter(f"{KML}Placemark"):
        whens = [when.text or "" for when in mark.iter(f"{KML}when")]
        coords = [[float(word) for word in (coord.text or "").split()] for coord in mark.iter(f"{GX}coord")]
        read[mark.findtext(f"{KML}name") or ""] = [
            Point(datetime.fromisoformat(when), lon, lat, ele)
            for when, (lon, lat, ele) in zip(whens, coords, strict=True)
        ]
    return read


READERS: dict[str, Callable[[bytes], Read]] = {
    "geojson": read_geojson,
    "csv": read_csv,
    "gpx": read_gpx,
    "kml": read_kml,
}


def race_times(points: Sequence[Point]) -> list[float]:
    """Return seconds since the gun."""
    return [(point.time - START).total_seconds() for point in points]


@pytest.mark.parametrize("interval", [None, "7", "45.5"])
def test_true_places_are_those_of_the_race(race: Race, interval: str | None) -> None:
    """With `truth` each point is where its competitor is at its time, in the race that was asked for."""
    query: dict[str, Any] = {"truth": "true"} if interval is None else {"truth": "true", "interval": interval}
    found = features(of(race, **query))

    assert len(found) > 20
    for feature in found:
        times = (np.array(feature["properties"]["times"]) - race.start_ms) / 1000.0
        who = np.full(len(times), feature["properties"]["bib"] - 1)
        seen = race.snapshot(times, who)
        lon, lat = np.array(feature["geometry"]["coordinates"]).T
        # A millisecond at the fastest pace is 7 mm.
        assert lon == pytest.approx(seen.lon, abs=2 * CENTIMETRE)
        assert lat == pytest.approx(seen.lat, abs=2 * CENTIMETRE)
        assert feature["properties"]["distance"] == pytest.approx(seen.distance[-1], abs=0.01)


@pytest.mark.parametrize("step", [1.0, 1.15, 1.3, 7.7, 100 / 3, 3600.0])
def test_rounding_makes_no_other_tick(step: float) -> None:
    """The moment of a tick is that tick's, and what lies between two is between these two."""
    ticks = np.arange(20_000, dtype=np.float64)

    assert tracks._tick_until(ticks * step, step).tolist() == ticks.tolist()
    assert tracks._tick_from(ticks * step, step).tolist() == ticks.tolist()
    assert tracks._tick_until((ticks + 0.5) * step, step).tolist() == ticks.tolist()
    assert tracks._tick_from((ticks + 0.5) * step, step).tolist() == (ticks + 1).tolist()


def test_places_are_those_that_the_trackers_have(race: Race) -> None:
    """Without `truth` each point at a tick is what `fixes_of_all` says of the tick; and that isn't true."""
    reported = [race.fixes_of_all(tick) for tick in range(int(UNTIL) + 1)]
    off = 0.0
    for name, points in read_gpx(written("gpx", of(race))).items():
        who = int(name.split()[0]) - 1
        for time, point in zip(race_times(points), points, strict=True):
            if time == int(time):
                fixes = reported[int(time)]
                assert point.lon == pytest.approx(fixes.reported.lon[who], abs=CENTIMETRE)
                assert point.lat == pytest.approx(fixes.reported.lat[who], abs=CENTIMETRE)
                off = max(off, abs(point.lat - fixes.lat[who]))

    assert off > 1e-4


@pytest.mark.parametrize("interval", [1.0, 1.15, 60.0, 3600.0])
def test_a_track_goes_from_start_to_end(race: Race, interval: float) -> None:
    """Points are at the own start, at the end if reached, and otherwise at multiples of the interval."""
    until = 500 * interval if interval < 60 else 800.0
    found = read_geojson(written("geojson", of(race, until, interval=str(interval))))
    started = race.field.start <= until

    assert sorted(int(name.split()[0]) for name in found) == (np.flatnonzero(started) + 1).tolist()
    for name, points in found.items():
        who = int(name.split()[0]) - 1
        start, end = race.field.start[who], race.field.end[who]
        first, last = np.floor(start / interval) + 1, np.floor(min(end, until) / interval + 1e-9)
        expected = [start, *(np.arange(first, last + 1) * interval), *([end] if end <= until else [])]
        # The last multiple may be the end itself.
        expected = [time for nth, time in enumerate(expected) if nth == 0 or time > expected[nth - 1]]
        assert race_times(points) == pytest.approx(expected, abs=0.0006)


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("fixture", ["race", "hilly"])
def test_all_formats_say_the_same(request: pytest.FixtureRequest, fixture: str, suffix: str) -> None:
    """Every format has the same competitors, places, times and altitudes, as a strict reader has them."""
    race: Race = request.getfixturevalue(fixture)
    found = of(race, interval="20")
    read, expected = (READERS[kind](written(kind, found)) for kind in (suffix, "geojson"))
    if suffix == "kml" and fixture == "race":
        read = {
            name: [point._replace(ele=None) for point in points if point.ele == 0]
            for name, points in read.items()
        }

    assert read == expected
    assert sum(map(len, read.values())) == len(found)


def test_altitude_is_that_of_the_course(hilly: Race) -> None:
    """Altitude goes up and down with the metres of each lap."""
    lap, turn = hilly.course.lap_length, hilly.course.lap_length / 2
    rows = list(csv.DictReader(io.StringIO(written("csv", of(hilly, 1e4)).decode("utf-8-sig"), newline="")))

    assert {row["status"] for row in rows} == {"running", "finished"}
    for row in rows:
        within = float(row["distance"]) % lap
        expected = -10.0 + 100.0 * (1.0 - abs(within - turn) / turn)
        assert float(row["ele"]) == pytest.approx(expected, abs=0.06)
    assert max(float(row["ele"]) for row in rows) > 85.0


def test_the_altitude_of_the_finish_is_not_that_of_the_start() -> None:
    """On a course from one place to another the last point has the altitude of the finish."""
    course = Course.measured(
        short_name="up",
        long_name="Up",
        lon=np.array([0.0, 0.01]),
        lat=np.array([50.0, 50.0]),
        alt=np.array([0.0, 50.0]),
    )
    points = read_gpx(written("gpx", of(Race(course, resolved(competitors=1)), 1e4)))["1 Runner 1"]

    assert (points[0].ele, points[-1].ele) == (0.0, 50.0)


def test_csv_has_times_metres_and_statuses(race: Race) -> None:
    """A line of the CSV has race time, metres and status as the race has them."""
    text = written("csv", of(race, truth="true", interval="60")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert list(rows[0]) == ["bib", "name", "time", "race_time", "lat", "lon", "distance", "status"]
    for row in rows:
        seen = race.snapshot(np.array([float(row["race_time"])]), np.array([int(row["bib"]) - 1]))
        seconds = (datetime.fromisoformat(row["time"]) - START) / timedelta(seconds=1)
        assert seconds == pytest.approx(float(row["race_time"]), abs=1e-6)
        assert float(row["distance"]) == pytest.approx(seen.distance[0], abs=0.01)
    assert {row["status"] for row in rows} == {"running", "paused", "finished", "dnf"}


@pytest.mark.parametrize("suffix", READERS)
def test_hostile_words_are_only_words(make_race: Callable[..., Race], suffix: str) -> None:
    """Names come back as they were typed, in CSV with an apostrophe before what would be a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([["name", "club"], *([name, name] for name in HOSTILE)])
    race = make_race(start_list=out.getvalue())
    data = written(suffix, of(race, 10.0))
    names = [f"'{name}" if suffix == "csv" and name[0] in "=@+-" else name for name in HOSTILE]

    assert list(READERS[suffix](data)) == [f"{nth} {name}" for nth, name in enumerate(names, start=1)]
    assert suffix in {"csv", "geojson"} or b"<script" not in data
    if suffix == "kml":
        clubs = etree.fromstring(data).findall(f".//{KML}Data[@name='club']/{KML}value")
        assert [club.text for club in clubs] == HOSTILE


@pytest.mark.parametrize("suffix", ["gpx", "kml"])
def test_a_name_with_characters_that_xml_lacks_makes_a_file_all_the_same(suffix: str) -> None:
    """What can't stand in XML is replaced, wherever a course's name may come from."""
    line = np.array([0.0, 0.01])
    course = Course.measured(short_name="c", long_name="a\x00b\x1b\ufffe<", lon=line, lat=line + 50.0)
    race = Race(course, resolved(competitors=1, name=None).model_copy(update={"name": None}))
    names = [node.text for node in etree.fromstring(written(suffix, of(race, 10.0))).iter("{*}name")]

    assert names[0] == "a\ufffdb\ufffd\ufffd<"


@pytest.mark.parametrize(("suffix", "reader"), [("gpx", gpx.read), ("kml", kml.read)])
def test_a_track_can_be_taken_as_a_course(hilly: Race, suffix: str, reader: Callable[..., Any]) -> None:
    """Our own readers of course files find the line in what is given out, altitudes included."""
    drawing = reader(written(suffix, of(hilly, 1e4, bib="2")), "the file")

    (line,) = drawing.lines
    (points,) = read_gpx(written("gpx", of(hilly, 1e4, bib="2"))).values()
    assert line.lon.tolist() == [point.lon for point in points]
    assert line.alt.tolist() == [point.ele for point in points]


def test_gpx_is_written_as_its_schema_has_it(hilly: Race) -> None:
    """The elements come in the order of the GPX 1.1 schema, and numbers have no exponent."""
    data = written("gpx", of(hilly, 30.0, interval="10"))
    root = etree.fromstring(data)
    (track, *_) = root.iter(f"{GPX}trk")
    (point, *_) = track.iter(f"{GPX}trkpt")

    assert [child.tag for child in root] == [f"{GPX}metadata", *[f"{GPX}trk"] * 4]
    assert [child.tag for child in track] == [f"{GPX}{name}" for name in ("name", "number", "trkseg")]
    assert [child.tag for child in point] == [f"{GPX}ele", f"{GPX}time"]
    assert track.findtext(f"{GPX}number") == "1"
    assert root.findtext(f"{GPX}metadata/{GPX}name") == "A race"
    assert (point.get("lon"), point.get("lat")) == ("0.0000000", "50.0000000")


def test_numbers_are_plain_decimals() -> None:
    """A few metres off Greenwich and the equator there is neither an exponent nor a minus before nothing."""
    assert track_files._decimals(np.array([1e-7, -1e-7, -1e-9, -0.0]), 7) == [
        "0.0000001",
        "-0.0000001",
        "0.0000000",
        "0.0000000",
    ]


def test_one_place_is_a_point(race: Race) -> None:
    """At the gun each competitor has one place only, a Point and not a line."""
    found = features(of(race, 0.0))

    assert found
    assert {feature["geometry"]["type"] for feature in found} == {"Point"}
    assert {feature["geometry"]["type"] for feature in features(of(race, 5.0))} == {"Point", "LineString"}


def test_before_the_start_there_are_no_tracks(race: Race) -> None:
    """Every format can contain no tracks."""
    for suffix, read in READERS.items():
        assert read(written(suffix, of(race, -1.0))) == {}


def test_who_does_not_start_has_no_track(race: Race) -> None:
    """The bib of a competitor who never started is valid; there is no track."""
    (who, *_) = np.flatnonzero(np.isinf(race.field.start)).tolist()

    assert features(of(race, bib=str(who + 1))) == []


def test_bibs_choose(make_race: Callable[..., Race]) -> None:
    """The selected competitors appear once each, in the order of the start list."""
    race = make_race(start_list="bib,name\n30,A\n7,B\n1000,C\n8,D\n")
    bibs = [feature["properties"]["bib"] for feature in features(of(race, bib=["8", "30", "8", "1000"]))]

    assert bibs == [30, 1000, 8]
    assert features(of(race, bib="7")) == [features(of(race))[1]]


@pytest.mark.parametrize("bib", ["9", "1", "31", "999999"])
def test_an_unknown_bib_is_named(make_race: Callable[..., Race], bib: str) -> None:
    """An unknown bib is rejected, and the error names it."""
    race = make_race(start_list="bib,name\n30,A\n7,B\n")
    with pytest.raises(Problem) as caught:
        of(race, bib=["7", bib])

    assert caught.value.errors == [("bib", f"must be in the race: no competitor has the bib {bib}")]


def test_the_limit_is_what_may_be(race: Race) -> None:
    """As many points as the limit are given; with one more the answer says what to do."""
    count = len(of(race))

    assert len(TrackQuery().tracks(race, UNTIL, most=count)) == count
    with pytest.raises(Problem) as caught:
        TrackQuery().tracks(race, UNTIL, most=count - 1)
    assert caught.value.status == 422
    assert caught.value.errors == [
        (
            "interval",
            f"gives {count:,} points; the limit is {count - 1:,}: choose bibs or a longer interval",
        )
    ]


def test_the_limit_is_200_000(make_race: Callable[..., Race]) -> None:
    """A race with exactly 200,000 points is returned; a tick later it is rejected."""
    race = make_race(competitors=500, fastest=200.0)

    assert len(of(race, 399.0)) == 200_000
    with pytest.raises(Problem, match="200,500 points; the limit is 200,000"):
        of(race, 400.0)


def test_however_they_are_divided_the_files_are_the_same(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks that are worked out a few at a time are those that are worked out at once."""
    whole = [written(suffix, of(race)) for suffix in READERS]
    monkeypatch.setattr(tracks, "BATCH", 1000)

    assert len(list(of(race).some())) > 5
    assert [written(suffix, of(race)) for suffix in READERS] == whole
