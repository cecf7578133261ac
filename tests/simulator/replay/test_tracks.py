from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from simulator.course.course import Course
from simulator.race.race import BEFORE_THE_START, Race, Status
from simulator.race.request import RaceRequest
from simulator.replay import tracks
from simulator.replay.fixes import Recorded
from simulator.replay.recording import MAX_EVENTS, Recording, RecordingError
from tests.simulator.conftest import START, resolved
from tests.simulator.replay.gpx_files import Place, gpx, of_competitor, tracks_of


def computed(course: Course, **options: Any) -> Race:
    """Return a race of five who start within half a minute."""
    fields: dict[str, Any] = {"competitors": 5, "fastest": 200, "slowest": 350, "start_flow": 0.2, "seed": 4}
    request = RaceRequest(course=course.short_name, **fields | options)
    return Race(course, request.resolved(run_id="r", name="n", seed=4, start_at=START))


def recorded(
    race: Race, files: Mapping[str, bytes], *, together: bool = True, every: float = 5.0
) -> Recording:
    """Return the recording of files."""
    parts = tracks.parts_of(tracks_of(files), race.course, every, [], together=together)
    return Recording(race.course, resolved(competitors=len(parts[0]), interval=every), *parts)


def of_all(race: Race) -> dict[str, bytes]:
    """Return a file for each competitor: `17 Runner 17.gpx`, the track without a name."""
    return {f"{who + 1} Runner {who + 1}.gpx": gpx(("", of_competitor(race, who))) for who in range(5)}


@pytest.mark.parametrize("name", ["crystal-palace", "track-10000m"])
def test_a_folder_of_tracks_is_the_race_that_was_run(library: Mapping[str, Course], name: str) -> None:
    """Finish times are right within 3 s, a sample, and splits within 15; each has its bib and its name."""
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
    assert max(seconds for (_, point), seconds in wrong.items() if point == finish) < 3
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
    """Each competitor's race begins at second 0, even without own starts: no race lasts for days."""
    race = computed(library["crystal-palace"])
    later: list[Place] = [(lon, lat, (when or 0) + 86_400) for lon, lat, when in of_competitor(race, 1)]
    files = {"a.gpx": gpx(("Ann", of_competitor(race, 0))), "b.gpx": gpx(("Bob", later))}
    starts = {
        together: recorded(race, files, together=together).passings(BEFORE_THE_START, 1.0).elapsed.tolist()
        for together in (True, False)
    }

    assert starts == {True: [0.0, 0.0], False: [0.0, 0.0]}


def test_the_longest_track_makes_the_course(library: Mapping[str, Course]) -> None:
    """Without a course, the line of the longest track is the course, within the receiver's error."""
    race = computed(library["crystal-palace"])
    course = tracks.course_of(tracks_of(of_all(race)), "Sunday run!")

    assert course.short_name == "Sunday-run"
    assert course.long_name == "Sunday run!"
    assert course.distance == pytest.approx(race.course.distance, rel=0.1)


def shifted(places: list[Place], seconds: float) -> list[Place]:
    """Return places at other times."""
    return [(lon, lat, (when or 0) + seconds) for lon, lat, when in places]


@pytest.mark.parametrize(
    ("seconds", "elapsed", "words"),
    [
        (7200, 7200, "starts 2:00:00 after the others, as if the clock were in another time zone"),
        (431, 431, "starts 0:07:11 after the others: timed from the others' start; --own-starts"),
        (-3600, 0, "starts 1:00:00 before the others, as if the clock were in another time zone"),
        (7 * 86_400, 0, "starts 7 days after the others: timed from its own start, as with --own-starts"),
        (-7168 * 86_400, 0, "starts 7,168 days before the others: timed from its own start"),
        (100, 100, ""),
    ],
)
def test_another_start_is_reported(
    library: Mapping[str, Course], seconds: float, elapsed: float, words: str
) -> None:
    """Those later on the same day are timed from the others' start, all others from their own."""
    race = computed(library["crystal-palace"], start_flow=None)
    places = [of_competitor(race, who) for who in range(3)]
    warnings: list[str] = []
    files = {f"{who + 1}.gpx": gpx(("", shifted(places[who], seconds * (who == 2)))) for who in range(3)}
    found = tracks.parts_of(tracks_of(files), race.course, 5.0, warnings, together=True)
    starts = {int(who): time for who, point, time in zip(*found[3][:3], strict=True) if point == 0}

    assert starts[2] == pytest.approx(elapsed, abs=1.5)
    assert max(starts[0], starts[1]) < 1.5
    assert [words in warning for warning in warnings] == [True] * bool(words)


def test_a_receiver_started_far_too_late_determines_no_gun(library: Mapping[str, Course]) -> None:
    """It is timed from the others' start, whether it began first in the list or not; alone, from there."""
    race = computed(library["crystal-palace"], start_flow=None)
    late = of_competitor(race, 0)[150:]
    warnings: list[str] = []
    files = {"1.gpx": gpx(("", late)), "2.gpx": gpx(("", of_competitor(race, 1)))}
    found = tracks.parts_of(tracks_of(files), race.course, 5.0, warnings, together=True)
    finishes = {
        int(who): time
        for who, point, time in zip(*found[3][:3], strict=True)
        if found[2][point].kind == "finish"
    }

    assert finishes[0] == pytest.approx(float(race.field.end[0]), abs=3.0)
    assert [warning.partition(" m after ")[2] for warning in warnings] == [
        "the start: timed from the others' start"
    ]
    alone, warnings = finish(race.course, late)
    assert alone == pytest.approx(finishes[0] - (late[0][2] or 0) + race.start_ms / 1000, abs=3.0)
    assert "its time counts from there" in warnings[0]


def test_waves_of_a_quarter_are_no_time_zones(library: Mapping[str, Course]) -> None:
    """No two zones that matter differ by less than an hour."""
    race = computed(library["crystal-palace"], start_flow=None)
    warnings: list[str] = []
    files = {f"{who}.gpx": gpx(("", shifted(of_competitor(race, who), who // 2 * 900.0))) for who in range(4)}
    tracks.parts_of(tracks_of(files), race.course, 5.0, warnings, together=True)

    assert len(warnings) == 1
    assert "start 0:15:00 after the others: timed from the others' start; --own-starts" in warnings[0]


def test_waves_and_late_starters_are_no_fault(library: Mapping[str, Course]) -> None:
    """Nothing is reported if many start one after the other."""
    race = computed(library["crystal-palace"], start_flow=None)
    warnings: list[str] = []
    files = {f"{who}.gpx": gpx(("", shifted(of_competitor(race, who), who * 90.0))) for who in range(5)}
    tracks.parts_of(tracks_of(files), race.course, 5.0, warnings, together=True)

    assert warnings == []


def finish(course: Course, places: list[Place]) -> tuple[float | None, list[str]]:
    """Return the time of the finish, from the start on, and the warnings."""
    warnings: list[str] = []
    found = tracks.parts_of(tracks_of({"a.gpx": gpx(("Ann", places))}), course, 5.0, warnings, together=False)
    kinds = {found[2][point].kind: time for point, time in zip(found[3].point, found[3].elapsed, strict=True)}
    return kinds.get("finish"), warnings


def along(course: Course, metres: list[float], begin: float) -> list[Place]:
    """Return places along a course, one a second."""
    lon, lat = course.place(np.array(metres))
    return [(x, y, begin + nth) for nth, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))]


def test_a_warm_up_and_the_way_home_do_not_count(straight: Course) -> None:
    """Who runs 400 m there and back before the gun starts at the gun; walking back changes nothing."""
    there, back = np.arange(0.0, 400.0, 3.0), np.arange(400.0, 0.0, -3.0)
    run = np.append(np.arange(0.0, straight.distance, 4.0), straight.distance)
    home = np.arange(straight.distance, 0.0, -1.5)
    metres = [*np.zeros(60), *there, *back, *np.zeros(60), *run, *np.full(30, straight.distance), *home]
    time, warnings = finish(straight, along(straight, metres, 1e9))

    assert time == pytest.approx(straight.distance / 4, abs=1)
    assert len(warnings) == 1
    assert "a warm-up up to 400 m from the start: the race begins at 2001-09-09 01:53:" in warnings[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [((800, 2.5), (800, 2.0)), ((800, 2.5), None), (None, (800, 2.0)), ((150, 3.0), None)],
)
def test_warm_up_laps_and_cool_down_laps_do_not_count(
    library: Mapping[str, Course], before: tuple[float, float] | None, after: tuple[float, float] | None
) -> None:
    """On a track, too, the race is the fastest part that is as long as the course."""
    course = library["track-10000m"]
    warm, cool = (np.arange(0.0, *laps) if laps else np.zeros(0) for laps in (before, after))
    back = warm[::-1] if before and before[0] < 400 else np.zeros(0)
    run = np.append(np.arange(0.0, course.distance, 4.0), course.distance)
    metres = [*warm, *back, *np.zeros(60), *run, *np.full(60, course.distance), *cool]
    time, _ = finish(course, along(course, metres, 1e9))

    assert time == pytest.approx(course.distance / 4, abs=1)


@pytest.mark.parametrize(
    ("speeds", "words"),
    [
        (
            [4.0, 4.2],
            "9,997 m on the course before the start, as fast as the race, are not counted: it begins",
        ),
        (
            [4.0, 4.0],
            " as fast as the race, are not counted: it begins at 2001-09-09",
        ),
        ([2.0, 4.0], ""),
        ([4.0, 2.0], ""),
        ([4.0], ""),
    ],
)
def test_another_run_in_the_same_track_is_reported(
    library: Mapping[str, Course], speeds: list[float], words: str
) -> None:
    """One of two that are as fast counts; a slower one is a warm-up or a way home."""
    course = library["track-10000m"]
    ways = [np.linspace(0.0, course.distance, round(course.distance / speed)) for speed in speeds]
    time, warnings = finish(course, along(course, np.concatenate(ways).tolist(), 1e9))

    assert time == pytest.approx(course.distance / max(speeds), abs=2)
    assert [words in warning for warning in warnings if " as fast " in warning] == [True] * bool(words)


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "did not finish"), (1.0, "is at the finish all the time")]
)
def test_who_never_moves_has_no_race(straight: Course, share: float, words: str) -> None:
    """A receiver that lies at the start or the finish all day neither fails nor wins."""
    time, warnings = finish(straight, along(straight, [share * straight.distance] * 500, 1e9))

    assert time is None
    assert any(words in warning for warning in warnings)


def test_who_walks_back_does_not_finish(library: Mapping[str, Course]) -> None:
    """A return on the same way, from 8 km, is neither a warm-up nor a finish."""
    course = library["hilly-half"]
    metres = [*np.arange(0.0, 8000.0, 4.0), *np.arange(8000.0, 0.0, -1.4)]
    time, warnings = finish(course, along(course, metres, 1e9))

    assert time is None
    assert "ends 13,1" in warnings[0]


def test_a_pause_is_not_a_finish(straight: Course) -> None:
    """An hour without a fix within the run counts, and is reported."""
    run = np.arange(0.0, straight.distance + 40, 4.0).clip(max=straight.distance)
    places = along(straight, run.tolist(), 1e9)
    time, warnings = finish(straight, places[:300] + shifted(places[300:], 3600))

    assert time == pytest.approx(straight.distance / 4 + 3600, abs=1)
    span = "from 2001-09-09 01:51:39 on, 1:00:01 without a fix and only 4 m further"
    assert warnings == [f"a.gpx, line 2 (Ann): {span}: counted as a pause; or the clock was wrong"]


@pytest.mark.parametrize(("first", "last"), [(0, 5), (20, 30), (45, 60)])
def test_a_gap_in_which_one_runs_on_is_no_pause(straight: Course, first: int, last: int) -> None:
    """A tunnel costs neither time nor a warning, at the start and the finish neither."""
    run = np.arange(0.0, straight.distance + 40, 4.0).clip(max=straight.distance)
    places = along(straight, run.tolist(), 1e9)
    time, warnings = finish(straight, places[: first * 10 + 1] + places[last * 10 :])

    assert time == pytest.approx(straight.distance / 4, abs=1)
    assert warnings == []


def test_a_receiver_that_is_started_late_and_stopped_early(straight: Course) -> None:
    """The start and the finish follow from the pace, with a warning from 50 m on."""
    run = np.arange(0.0, straight.distance + 40, 4.0).clip(max=straight.distance)
    places = along(straight, run.tolist(), 1e9)
    time, warnings = finish(straight, places[10:-15])
    assert time == pytest.approx(straight.distance / 4, abs=1)
    assert warnings == []

    time, warnings = finish(straight, places[30:])
    assert time == pytest.approx(straight.distance / 4, abs=1)
    assert warnings == ["a.gpx, line 2 (Ann): begins 120 m after the start: started 30 s before, by its pace"]

    time, warnings = finish(straight, places[200:])
    assert time == pytest.approx(straight.distance / 4 - 200, abs=1)
    assert warnings == ["a.gpx, line 2 (Ann): begins 800 m after the start: its time counts from there"]


def test_who_leaves_the_course_does_not_finish(straight: Course) -> None:
    """Beyond the last place on the course nothing is assumed; times away from it are doubtful."""
    places = along(straight, np.arange(0.0, 1200.0, 4.0).tolist(), 1e9)
    lon, lat, when = places[-1]
    places += [(lon + nth * 4e-5, lat, (when or 0) + nth) for nth in range(1, 500)]
    time, warnings = finish(straight, places)

    assert time is None
    assert "ends 1,3" in warnings[0]
    assert "m before the finish: did not finish" in warnings[0]
    assert "of its fixes are more than 100 m from the course: its times are doubtful" in warnings[1]


def test_tracks_of_another_course_are_left_out(library: Mapping[str, Course], straight: Course) -> None:
    """A track that never comes near the course is reported, and refused if there is no other."""
    race = computed(library["crystal-palace"])
    far = gpx(("Far", along(straight, [0.0, 4.0, 8.0], 1e9)))
    warnings: list[str] = []
    found = tracks_of({"a.gpx": gpx(("Ann", of_competitor(race, 0))), "b.gpx": far})
    assert [track.name for track in tracks.on_course(found, race.course, warnings)] == ["Ann"]
    assert "b.gpx, line 2 (Far): left out: it is 15" in warnings[0]
    assert "km from Crystal Palace" in warnings[0]

    with pytest.raises(
        RecordingError, match=r"no track is on the course: b\.gpx.*choose another with --course"
    ):
        tracks.on_course(found[1:], race.course, [])


@pytest.mark.parametrize(("seconds", "interval"), [(4_999_000, 1), (6_000_000, 2), (20_000_000, 4)])
def test_positions_are_limited(straight: Course, seconds: int, interval: int) -> None:
    """Before anything is allocated, the recording is refused with the interval that is enough."""
    times = np.arange(0.0, seconds + 1, 30_000.0)
    metres = np.linspace(0.0, straight.distance, len(times))
    lon, lat = straight.place(metres)
    track = Recorded("Ann", "a.gpx", 1, times, lon, lat)
    if interval > 1:
        with pytest.raises(RecordingError, match=f"{MAX_EVENTS:,} positions: use --interval {interval}, or"):
            tracks.parts_of([track], straight, 1.0, [], together=True)
    found = tracks.parts_of([track], straight, float(interval), [], together=True)

    assert len(found[1].who) <= MAX_EVENTS


def test_the_summary_counts(straight: Course) -> None:
    """It gives runners, those who finished, fixes, and gaps of a minute or more."""
    run = np.arange(0.0, straight.distance + 40, 4.0).clip(max=straight.distance)
    places = along(straight, run.tolist(), 1e9)
    found = tracks_of({"a.gpx": gpx(("Ann", places[:300] + places[390:]), ("Bob", places[:100]))})
    parts = tracks.parts_of(found, straight, 5.0, [], together=True)

    assert tracks.summary(found, *parts[2:]) == {
        "runners": 2,
        "finished": 1,
        "fixes": len(places) - 90 + 100,
        "gaps": 1,
        "longest_gap": "0:01:31",
    }
