from collections.abc import Mapping

import pytest

from simulator.course.course import Course
from simulator.replay import pieces, tracks
from simulator.replay.fixes import Recorded
from tests.simulator.replay.gpx_files import Place, gpx, of_competitor, tracks_of
from tests.simulator.replay.test_tracks import computed


def joined(course: Course, files: Mapping[str, bytes]) -> tuple[list[Recorded], list[str]]:
    """Return the tracks of files, their pieces joined, and the warnings."""
    warnings: list[str] = []
    return pieces.joined(tracks_of(files), course.distance, warnings), warnings


def parts(places: list[Place], count: int) -> list[list[Place]]:
    """Return places in parts of the same size."""
    size = -(-len(places) // count)
    return [places[first : first + size] for first in range(0, len(places), size)]


@pytest.mark.parametrize("name", ["crystal-palace", "track-10000m", "city-10k"])
@pytest.mark.parametrize("titles", [("17 Ann",) * 4, ("", "", "", ""), ("Lap 1", "Lap 2", "Lap 3", "Lap 4")])
def test_a_run_in_several_tracks_is_one(
    library: Mapping[str, Course], name: str, titles: tuple[str, ...]
) -> None:
    """Start and finish are those of the run in one track; each piece is reported."""
    course = library[name]
    places = of_competitor(computed(course), 0)
    (whole,) = tracks_of({"a.gpx": gpx(("", places))})
    found, warnings = joined(course, {"a.gpx": gpx(*zip(titles, parts(places, 4), strict=True))})

    assert len(found) == 1
    assert [warning.partition(": ")[2][:9] for warning in warnings] == ["continues"] * 3
    run, expected = tracks._run(found[0], course, []), tracks._run(whole, course, [])
    assert (run.start, run.end) == (expected.start, expected.end)


def test_files_with_one_bib_are_pieces_and_others_are_not(library: Mapping[str, Course]) -> None:
    """Two names in a file, other files, and pieces in other places or at other times remain apart."""
    course = library["crystal-palace"]
    first, last = parts(of_competitor(computed(course), 0), 2)
    later: list[Place] = [(lon, lat, (when or 0) + pieces.MAX_BREAK) for lon, lat, when in last]
    away: list[Place] = [(lon + 0.1, lat, when) for lon, lat, when in last]

    assert (
        len(joined(course, {"17 Ann.gpx": gpx(("Run", first)), "17 Ann 2.gpx": gpx(("Run", last))})[0]) == 1
    )
    for files in (
        {"17 Ann.gpx": gpx(("", first)), "18 Ben.gpx": gpx(("", last))},
        {"a.gpx": gpx(("Ann", first), ("Ben", last))},
        {"a.gpx": gpx(("", first), ("", later))},
        {"a.gpx": gpx(("", first), ("", away))},
    ):
        assert len(joined(course, files)[0]) == 2
        assert joined(course, files)[1] == []


def test_whole_runs_one_after_the_other_remain_apart(library: Mapping[str, Course]) -> None:
    """A second race that begins where the first one ended is another one."""
    course = library["track-10000m"]
    places = of_competitor(computed(course), 0)
    seconds = (places[-1][2] or 0) - (places[0][2] or 0) + 60
    again: list[Place] = [(lon, lat, (when or 0) + seconds) for lon, lat, when in places]
    found, warnings = joined(course, {"a.gpx": gpx(("", places), ("", again))})

    assert len(found) == 2
    assert warnings == []


def test_copies_are_left_out(library: Mapping[str, Course]) -> None:
    """They have the same times, bib and name; the same times under another name are another competitor."""
    places = of_competitor(computed(library["crystal-palace"]), 0)
    run = gpx(("", places))
    warnings: list[str] = []
    found = pieces.without_copies(
        tracks_of({"17 Ann.gpx": run, "17 Ann (1).gpx": run, "Ben.gpx": run, "Cleo.gpx": run}), warnings
    )

    assert [track.source for track in found] == ["17 Ann.gpx", "Ben.gpx", "Cleo.gpx"]
    assert warnings == [
        "17 Ann (1).gpx, line 2: left out: the same recording as 17 Ann.gpx, line 2",
    ]
