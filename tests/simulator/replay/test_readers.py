import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import gpxpy.gpx as other
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.replay import fixes, readers
from simulator.replay.recording import RecordingError
from tests.simulator.replay.gpx_files import gpx, tracks_of

POINT = '<trkpt lat="50.{nth:05}" lon="-3.2"><ele>12.5</ele><time>{when}</time>{more}</trkpt>\n'
BEGIN = datetime(2025, 5, 4, tzinfo=UTC)


def moments(count: int) -> list[str]:
    """Return times, a second apart."""
    return [f"{BEGIN + timedelta(seconds=nth):%Y-%m-%dT%H:%M:%SZ}" for nth in range(count)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg/>", "f isn't a recording: GPX, KML with gx:Track, TCX are read"),
        (b"not XML", "f isn't a recording"),
        (b"", "f is empty"),
        (b"\0" * 9, "f is empty"),
        (b"<kml><Placemark/></kml>", "f has no track with times (gx:Track): export it as GPX"),
        (b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT", "f is FIT, which isn't read: export the activity as GPX"),
        (b"<gpx><trk>", "f isn't well-formed XML"),
        (b"<TrainingCenterDatabase/>", "f has no track with points"),
        (gpx(), "f has no track with points"),
        (gpx(("Ann", [(0.0, 50.0, None), (0.0, 50.1, None)])), "f, line 2 (Ann): its points have no times"),
        (gpx(("Ann", [(0.0, 50.0, 5.0)])), "f, line 2 (Ann): fewer than two of its 1 fixes"),
        (
            gpx(("Ann", [(0.0, 50.0, 0.0)])).replace(b"1970-01-01T00:00:00+00:00", b"noon"),
            'f, line 2 (Ann): "noon" is not a valid time',
        ),
    ],
)
def test_unusable_files_are_refused(data: bytes, words: str) -> None:
    """The message names the file, the line and the fault, and what is read instead."""
    with pytest.raises(RecordingError) as caught:
        tracks_of({"f": data})

    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("found", "broken", "words"),
    [
        ('lat="50.0050000"', 'lat="91"', "invalid lat: 91"),
        ('lat="50.0050000"', "", 'lat: "" is not a number'),
        ('lat="50.0050000"', 'lat="50,05"', 'lat: "50,05" is not a number'),
        ("1970-01-01T00:00:50+00:00", "1970-01-01T00:00:50", "1 time names no zone: read as UTC"),
        ("1970-01-01T00:00:50+00:00", "0000-00-00T00:00:50Z", '"0000-00-00T00:00:50Z" is not a valid time'),
        ("<time>1970-01-01T00:00:50+00:00</time>", "", "no time or no place"),
        ('lat="50.0050000" lon="0.0100000"', 'lat="0" lon="-0.0"', "latitude and longitude are 0"),
    ],
)
def test_an_invalid_fix_costs_that_fix_only(found: str, broken: str, words: str) -> None:
    """It is reported with its line."""
    data = gpx(("Ann", [(0.01, 50.0 + nth / 10_000, float(nth)) for nth in range(0, 100, 10)]))
    assert found.encode() in data
    warnings: list[str] = []
    (track,) = tracks_of({"f": data.replace(found.encode(), broken.encode())}, warnings)

    assert len(track.time) == (10 if "UTC" in words else 9)
    assert len(warnings) == 1
    assert words in warnings[0]
    assert "f, line 2 (Ann)" in warnings[0]


@given(
    st.lists(
        st.tuples(st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 10**7)),
        min_size=2,
        max_size=20,
    )
)
def test_gpxpy_files_are_read(steps: list[tuple[int, int, int]]) -> None:
    """Places and times are those that gpxpy was given."""
    east, north, later = np.cumsum(steps, axis=0).T.tolist()
    points = [
        other.GPXTrackPoint(50 + y / 1e7, 8 + x / 1e7, time=BEGIN + timedelta(microseconds=when))
        for x, y, when in zip(east, north, later, strict=True)
    ]
    file = other.GPX()
    file.tracks.append(other.GPXTrack("17 Anna Smith"))
    # A receiver that was switched off for a while writes segments.
    file.tracks[0].segments += [other.GPXTrackSegment(points[:1]), other.GPXTrackSegment(points[1:])]
    (track,) = tracks_of({"f.gpx": file.to_xml().encode()})

    assert track.name == "17 Anna Smith"
    assert track.lon.tolist() == [point.longitude for point in points]
    assert track.lat.tolist() == [point.latitude for point in points]
    assert track.time == pytest.approx([point.time.timestamp() for point in points if point.time], abs=1e-6)


def test_a_track_without_a_name_has_the_files() -> None:
    """The only track is named by the metadata, or by the root in GPX 1.0."""
    data = gpx(("", [(0.0, 50.0, 0.0), (0.0, 50.001, 60.0)])).replace(b"<name></name>", b"")
    for about in (b"<metadata><name>17 Ann</name></metadata>", b"<name>17 Ann</name>"):
        (track,) = tracks_of({"f": data.replace(b"<trk>", about + b"<trk>")})
        assert track.name == "17 Ann"


def test_points_outside_of_tracks_are_ignored() -> None:
    """Waypoints don't matter; points without a segment belong to their track."""
    stray = b'<gpx><wpt lat="91"/><extensions><trkpt/></extensions>'
    data = gpx(("Ann", [(0.1, 50.0, 0.0), (0.1, 50.001, 9.0)])).replace(b"<gpx>", stray, 1)
    for file in (data, data.replace(b"<trkseg>", b"").replace(b"</trkseg>", b"")):
        (track,) = tracks_of({"f": file})
        assert track.time.tolist() == [0.0, 9.0]


def test_kml_is_read() -> None:
    """The gx:Tracks of a Placemark are a track; an unknown place costs that fix only."""
    whens = "".join(f"<when>{when}</when>" for when in moments(4))
    coords = [f"<gx:coord>-3.2 {50 + nth / 1e5} 0</gx:coord>" for nth in range(4)]
    coords[1] = "<gx:coord/>"
    data = (
        '<kml xmlns:gx="g"><Folder><Placemark><name>7 Ann</name><gx:MultiTrack>'
        f"<gx:Track>{whens}{''.join(coords)}<ExtendedData><SchemaData>"
        '<gx:SimpleArrayData name="hr"><gx:value>1</gx:value></gx:SimpleArrayData></SchemaData>'
        "</ExtendedData></gx:Track></gx:MultiTrack></Placemark><Placemark><Point/></Placemark></Folder></kml>"
    )
    warnings: list[str] = []
    (track,) = tracks_of({"f.kml": data.encode()}, warnings)

    assert (track.name, len(track.time)) == ("7 Ann", 3)
    assert track.lat.tolist() == [50.0, 50 + 2e-5, 50 + 3e-5]
    assert warnings == ["f.kml, line 1 (7 Ann): left out: no time or no place"]
    with pytest.raises(RecordingError, match=r"f\.kml, line 1: 4 times for 3 places"):
        readers.read(data.replace("<gx:coord/>", "").encode(), "f.kml", [])


def test_tcx_is_read() -> None:
    """Each activity is a track, however many laps and tracks it has."""
    points = [
        f"<Trackpoint><Time>{when}</Time><Position><LatitudeDegrees>{50 + nth / 1e5}</LatitudeDegrees>"
        "<LongitudeDegrees>-3.2</LongitudeDegrees></Position></Trackpoint>"
        for nth, when in enumerate(moments(4))
    ]
    points[2] = f"<Trackpoint><Time>{moments(3)[2]}</Time></Trackpoint>"
    laps = "".join(f"<Lap><Track>{points[nth]}{points[nth + 1]}</Track></Lap>" for nth in (0, 2))
    data = f"<Activities><Activity>{laps}</Activity></Activities>"
    data = f"<TrainingCenterDatabase>{data}</TrainingCenterDatabase>"
    (track,) = tracks_of({"f.tcx": data.encode()})

    assert track.time.tolist() == [BEGIN.timestamp() + second for second in (0, 1, 3)]
    assert track.lon.tolist() == [-3.2] * 3


HEART = "<gpxtpx:TrackPointExtension><gpxtpx:hr>140</gpxtpx:hr><gpxtpx:cad>80</gpxtpx:cad>"
HEART += "<gpxtpx:atemp>20</gpxtpx:atemp><gpxtpx:speed>3.1</gpxtpx:speed><gpxtpx:power>250</gpxtpx:power>"
HEART += "</gpxtpx:TrackPointExtension>"


def day(more: str = "", before: str = "") -> bytes:
    """Return a day's recording, with more elements in each point and before the track."""
    points = (POINT.format(nth=nth, when=when, more=more) for nth, when in enumerate(moments(86_400)))
    return f"<gpx>{before}<trk><name>Day</name>\n<trkseg>{''.join(points)}</trkseg></trk></gpx>".encode()


@pytest.mark.parametrize(
    ("more", "before"),
    [
        ("", ""),
        (f"<extensions>{HEART}</extensions>", ""),
        (f'<ns3:extensions xmlns="http://a/b">{HEART}</ns3:extensions>', ""),
        ("", "<metadata><extensions>" + "<a:b>1</a:b>" * 200_000 + "</extensions></metadata>"),
        ("<speed>3.1</speed><course>1.5</course><sat>9</sat>", "<extensions><x/></extensions>"),
    ],
)
def test_a_day_at_one_hertz_is_read(more: str, before: str) -> None:
    """86,400 points take a few seconds, whatever their extensions."""
    data = day(more, before)
    begin = time.process_time()
    (written,) = readers.read(data, "day.gpx", [])
    track = fixes.usable(written, [])

    assert time.process_time() - begin < 10
    assert len(track.time) == 86_400
    assert written.fixes[-1].line == 86_401


def test_a_day_needs_little_memory() -> None:
    """Beside copies of the file, it is less than 60 MiB."""
    data = day()
    tracemalloc.start()
    readers.read(data, "day.gpx", [])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < len(data) + 60 * 1024**2
