from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import gpxpy.gpx as other
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.course.course import Course
from simulator.race.race import BEFORE_THE_START, Race, Status
from simulator.race.request import RaceRequest
from simulator.replay import tracks
from simulator.replay.recording import Recording, RecordingError
from tests.simulator.conftest import START, resolved
from tests.simulator.replay.gpx_files import Place, gpx, of_competitor

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - hypothesis takes the limits without a zone


def computed(course: Course, **options: Any) -> Race:
    """Return a race of five who start within half a minute."""
    fields: dict[str, Any] = {"competitors": 5, "fastest": 200, "slowest": 350, "start_flow": 0.2, "seed": 4}
    request = RaceRequest(course=course.short_name, **fields | options)
    return Race(course, request.resolved(run_id="r", name="n", seed=4, start_at=START))


def recorded(
    race: Race, files: Mapping[str, bytes], *, together: bool = True, every: float = 5.0
) -> Recording:
    """Return the recording of files."""
    found = tracks.all_of(iter(files.items()))
    parts = tracks.parts_of(found, race.course, every, together=together)
    return Recording(race.course, resolved(competitors=len(parts[0]), interval=every), *parts)


def of_all(race: Race) -> dict[str, bytes]:
    """Return a file for each competitor: `17 Runner 17.gpx`, the track without a name."""
    return {f"{who + 1} Runner {who + 1}.gpx": gpx(("", of_competitor(race, who))) for who in range(5)}


@pytest.mark.parametrize("name", ["crystal-palace", "track-10000m"])
def test_a_folder_of_tracks_is_the_race_that_was_run(library: Mapping[str, Course], name: str) -> None:
    """Finish times are right within 8 s, splits within 15; each has its bib and its name."""
    race = computed(library[name])
    again = recorded(race, of_all(race))
    true = race.passings(BEFORE_THE_START, 1e9)
    found = again.passings(BEFORE_THE_START, 1e9)
    by_true = {
        (who, point): time for who, point, time in zip(true.who, true.point, true.elapsed, strict=True)
    }
    by_found = {
        (who, point): time for who, point, time in zip(found.who, found.point, found.elapsed, strict=True)
    }
    gun = race.field.start.min()
    wrong = {key: abs(by_found[key] - (time - gun)) for key, time in by_true.items()}

    assert by_found.keys() == by_true.keys()
    assert max(wrong.values()) < 15
    finish = len(race.course.timing_points) - 1
    assert max(seconds for (_, point), seconds in wrong.items() if point == finish) < 8
    assert [(one.bib, one.name) for one in again.entrants.some(0, 5)] == [
        (bib, f"Runner {bib}") for bib in range(1, 6)
    ]


def test_positions_come_tick_by_tick(library: Mapping[str, Course]) -> None:
    """Each competitor has one at each tick, waiting until the start, up to the one that shows the finish."""
    race = computed(library["crystal-palace"])
    again = recorded(race, of_all(race))
    ticks = [again.fixes_at(tick) for tick in range(again.last_tick + 1)]

    for who in range(5):
        states = [
            Status(int(fixes.reported.status[fixes.who == who][0])) for fixes in ticks if who in fixes.who
        ]
        assert states[-1] == Status.FINISHED
        assert states.count(Status.FINISHED) == 1
        assert Status.RUNNING in states
    last = int(np.argmax(race.field.start))
    assert ticks[2].reported.status[ticks[2].who == last] == Status.WAITING
    assert all((fixes.time == tick * 5.0).all() for tick, fixes in enumerate(ticks))
    assert not len(again.fixes_at(again.last_tick + 1).who)


def test_track_that_ends_early_did_not_finish(library: Mapping[str, Course]) -> None:
    """A track that ends far from the finish is a DNF, where and when it ends."""
    race = computed(library["crystal-palace"])
    places = of_competitor(race, 0)
    again = recorded(
        race, {"a.gpx": gpx(("Ann", places[: len(places) // 2]), ("Bob", of_competitor(race, 1)))}
    )
    ends = again.fixes_at(again.last_tick)
    passings = again.passings(BEFORE_THE_START, 1e9)
    kinds = [again.points[point].kind for point in passings.point[passings.who == 0]]

    assert kinds[-1] == "dnf"
    assert "finish" not in kinds
    assert ends.reported.status.tolist() == [Status.FINISHED]
    assert [who.name for who in again.entrants.some(0, 2)] == ["Ann", "Bob"]


def test_runs_of_several_days_start_at_one_gun(library: Mapping[str, Course]) -> None:
    """With own starts, each competitor's race begins at second 0, whenever it was."""
    race = computed(library["crystal-palace"])
    later: list[Place] = [(lon, lat, (when or 0) + 86_400) for lon, lat, when in of_competitor(race, 1)]
    files = {"a.gpx": gpx(("Ann", of_competitor(race, 0))), "b.gpx": gpx(("Bob", later))}
    starts = {
        together: recorded(race, files, together=together).passings(BEFORE_THE_START, 1.0).elapsed.tolist()
        for together in (True, False)
    }

    assert starts == {True: [0.0], False: [0.0, 0.0]}


def test_the_longest_track_makes_the_course(library: Mapping[str, Course]) -> None:
    """Without a course, the line of the longest track is the course, within the receiver's error."""
    race = computed(library["crystal-palace"])
    found = tracks.all_of(iter(of_all(race).items()))
    course = tracks.course_of(found, "Sunday run!")

    assert course.short_name == "Sunday-run"
    assert course.long_name == "Sunday run!"
    assert course.distance == pytest.approx(race.course.distance, rel=0.1)


def test_bibs_and_names_come_from_the_tracks() -> None:
    """Leading numbers are bibs unless they are taken; tracks without one get the lowest free bib."""
    places: list[Place] = [(0.0, 50.0, 0.0), (0.0, 50.01, 300.0)]
    names = ["17 Anna Smith", "Ben", "17 Cleo", "5", "2\u202eX\x07"]
    found = tracks.read(gpx(*((name.replace("\x07", ""), places) for name in names)), "f.gpx")
    order, listed = tracks._entries(found)

    assert listed.bib.tolist() == [1, 2, 3, 5, 17]
    assert listed.name == ("Ben", "X", "Cleo", "Runner 5", "Anna Smith")
    assert order.tolist() == [1, 4, 2, 3, 0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<kml/>", "f.gpx isn't GPX"),
        (b"not XML", "f.gpx"),
        (gpx(("Ann", [(0.0, 91.0, 0.0)])), "line 2: invalid lat: 91"),
        (
            gpx(("Ann", [(0.0, 50.0, 0.0)])).replace(b"1970-01-01T00:00:00+00:00", b"noon"),
            "'noon' is not a valid time",
        ),
        (gpx(("Ann", [(0.0, 50.0, 0.0)])).replace(b' lat="50.0000000"', b""), "line 2"),
        (gpx(("Ann", [(0.0, 50.0, None), (0.0, 50.1, None)])), "no track has times"),
        (gpx(("Ann", [(0.0, 50.0, 5.0), (0.0, 50.1, 5.0)])), "no track has times"),
        (gpx(), "no track has times"),
    ],
)
def test_invalid_files_are_rejected(data: bytes, words: str) -> None:
    """Files other than GPX, and invalid places and times, are reported, with the line."""
    with pytest.raises(RecordingError) as caught:
        tracks.all_of(iter([("f.gpx", data)]))

    assert words in str(caught.value)


def test_notations_of_times() -> None:
    """Times may have a Z, an offset, fractions of a second, or no zone, which is UTC."""
    times = ["2026-05-02T09:00:00Z", "2026-05-02T11:00:01.5+02:00", "2026-05-02T09:00:02"]
    data = gpx(("Ann", [(0.0, 50.0 + nth / 100, float(nth)) for nth in range(3)]))
    for nth, time in enumerate(times):
        data = data.replace(f"1970-01-01T00:00:0{nth}+00:00".encode(), time.encode())
    (track,) = tracks.read(data, "f.gpx")

    assert (track.time - track.time[0]).tolist() == [0.0, 1.5, 2.0]


@given(
    st.lists(
        st.tuples(
            st.integers(-1_800_000_000, 1_800_000_000),
            st.integers(-900_000_000, 900_000_000),
            st.datetimes(timezones=st.just(UTC), min_value=EPOCH),
        ),
        min_size=2,
        max_size=20,
        unique_by=lambda fix: fix[2],
    )
)
def test_gpxpy_files_are_read(numbers: list[tuple[int, int, datetime]]) -> None:
    """Places and times are those that gpxpy was given."""
    # gpxpy truncates very small numbers.
    fixes = sorted(((lon / 1e7, lat / 1e7, when) for lon, lat, when in numbers), key=lambda fix: fix[2])
    points = [other.GPXTrackPoint(lat, lon, time=when) for lon, lat, when in fixes]
    file = other.GPX()
    file.tracks.append(other.GPXTrack("17 Anna Smith"))
    # A receiver that was switched off for a while writes segments.
    file.tracks[0].segments += [other.GPXTrackSegment(points[:1]), other.GPXTrackSegment(points[1:])]

    (track,) = tracks.read(file.to_xml().encode(), "f.gpx")

    assert track.name == "17 Anna Smith"
    assert list(zip(track.lon, track.lat, track.time, strict=True)) == [
        (lon, lat, when.timestamp()) for lon, lat, when in fixes
    ]


def test_places_that_go_back_in_time_are_dropped() -> None:
    """Repeated places, and those out of order, are dropped."""
    (track,) = tracks.read(
        gpx(("Ann", [(0.0, 50.0 + nth / 100, when) for nth, when in enumerate((0.0, 5.0, 3.0, 5.0, 9.0))])),
        "f",
    )

    assert track.time.tolist() == [0.0, 5.0, 9.0]


def test_points_outside_of_segments_are_ignored() -> None:
    """An invalid point that belongs to no segment doesn't matter."""
    stray = b"<gpx><extensions><trkpt/></extensions>"
    data = gpx(("Ann", [(0.0, 50.0, 0.0), (0.0, 50.1, 9.0)])).replace(b"<gpx>", stray, 1)

    assert len(tracks.read(data, "f")) == 1
