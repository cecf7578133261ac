"""Recordings as people really have them, modelled on public reports: `tests/wild/`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic_settings import CliApp
from structlog.testing import capture_logs

from simulator.commands.replay import read
from simulator.commands.settings import ReplaySettings
from simulator.course.course import Course
from simulator.replay.recording import Recording, RecordingError
from tests.simulator.conftest import START

WILD = Path(__file__).parents[2] / "wild"


@pytest.fixture(scope="module")
def canal() -> Course:
    """The course of 3,005 m on which all of them ran."""
    lon, lat = np.array([-3.2, -3.1789698, -3.1789698]), np.array([50.1, 50.1, 50.1134898])
    return Course.measured(short_name="canal", long_name="Canal 3k", lon=lon, lat=lat)


def replayed(canal: Course, path: str, *flags: str) -> tuple[Recording, list[str], dict[str, Any]]:
    """Return the recording, the warnings and the summary."""
    settings = CliApp.run(ReplaySettings, cli_args=[str(WILD / path), "--course", "canal", *flags])
    with capture_logs() as logs:
        recording = read(settings, {"canal": canal}, START)
    warnings = [entry["why"] for entry in logs if entry["log_level"] == "warning"]
    (summary,) = (entry for entry in logs if entry["log_level"] == "info")
    return recording, warnings, dict(summary)


def finishes(recording: Recording) -> dict[tuple[int, str], float]:
    """Return the time of each finish, in whole seconds, by bib and name."""
    who = [(one.bib, one.name) for one in recording.entrants.some(0, len(recording.entrants))]
    passed = zip(recording.passed.who, recording.passed.point, recording.passed.elapsed, strict=True)
    return {who[nth]: round(time) for nth, point, time in passed if recording.points[point].kind == "finish"}


SEVEN, EIGHT = {(7, "Runner Seven"): 900}, {(8, "Runner Eight"): 990}


@pytest.mark.parametrize(
    ("path", "expected", "words"),
    [
        (
            "31-first-fix-from-the-future",
            SEVEN | EIGHT,
            [
                "7 Runner Seven.gpx, line 5: left out: times, such as 2025-05-04 09:10:00",
                "left out, not recordings: mid/",
            ],
        ),
        (
            "31-first-fix-from-the-future/mid",
            SEVEN | EIGHT,
            ["7 Runner Seven.gpx, line 105: left out: times, such as 2025-05-04 10:00:00"],
        ),
        (
            "32-first-fix-from-1970/a-epoch.gpx",
            SEVEN,
            ["line 5 (7 Runner Seven): left out: they are from 1970"],
        ),
        (
            "32-first-fix-from-1970/b-rollover.gpx",
            SEVEN,
            ["line 5 (7 Runner Seven): left out: they are from 2005"],
        ),
        ("32-first-fix-from-1970/c-epoch-runs-at-once.gpx", SEVEN, ["line 5 (7 Runner Seven): left out"]),
        ("32-first-fix-from-1970/d-rollover-runs-at-once.gpx", SEVEN, ["line 5 (7 Runner Seven): left out"]),
        ("32-first-fix-from-1970/e-yesterday-runs-at-once.gpx", SEVEN, ["line 5 (7 Runner Seven): left out"]),
        (
            "34-local-time-written-as-utc",
            SEVEN | {(8, "Runner Eight"): 7200 + 990},
            ["8 Runner Eight.gpx, line 3: starts 2:00:00 after the others, as if the clock were"],
        ),
        (
            "36-strava-names-beside-named-files",
            {(17, "Anna Smith"): 900, (23, "Ben Okoro"): 990, (31, "Cleo Dupont"): 1035},
            [],
        ),
        (
            "37-null-island-in-a-recording",
            SEVEN | EIGHT,
            [
                "7 Runner Seven.gpx, 2 fixes from line 104 to 105",
                "8 Runner Eight.gpx, 3 fixes from line 4 to 6",
            ],
        ),
        ("39-other-ways-to-write-a-time/a-plus0000.gpx", SEVEN, []),
        ("39-other-ways-to-write-a-time/b-hundredths.gpx", SEVEN, ["191 times name no zone: read as UTC"]),
        ("39-other-ways-to-write-a-time/c-blanks.gpx", SEVEN, []),
        ("39-other-ways-to-write-a-time/d-no-zeros.gpx", SEVEN, []),
        ("39-other-ways-to-write-a-time/e-midnight-24.gpx", SEVEN, []),
        ("39-other-ways-to-write-a-time/f-nanoseconds.gpx", SEVEN, []),
        ("39-other-ways-to-write-a-time/g-leap-second.gpx", SEVEN, []),
        (
            "40-several-runs-in-one-file",
            {(1, "Parkrun 2025-04-27"): 990, (2, "Parkrun 2025-05-04"): 900},
            ["watch.gpx, line 216 (Parkrun): starts 7 days after the others: timed from its own start"],
        ),
        ("42-kml-recording-for-replay", {(7, "Runner 7"): 900}, []),
        (
            "43-folder-of-mixed-files",
            SEVEN | EIGHT,
            [
                "left out: 10 Runner Ten.tcx has no track with points",
                "left out: 11 Runner Eleven.gpx, line 3: its points have no times",
                "left out: 9 Runner Nine.fit is FIT, which isn't read: export the activity as GPX",
            ],
        ),
        ("43-folder-of-mixed-files/8 Runner Eight.gpx.gz", EIGHT, []),
    ],
)
def test_wild_recordings_are_replayed(
    canal: Course, path: str, expected: dict[tuple[int, str], int], words: list[str]
) -> None:
    """All finish in the right time, under the right names; each correction is reported, and nothing else."""
    recording, warnings, summary = replayed(canal, path)

    assert finishes(recording) == expected
    assert len(warnings) == len(words)
    assert all(any(part in warning for warning in warnings) for part in words)
    assert summary["runners"] == summary["finished"] == len(expected)
    assert float(recording.track.lat.min()) == pytest.approx(50.1)
    assert len(recording.track.who) < 4000


def test_without_a_course_the_longest_track_is_one(canal: Course) -> None:
    """The course has the folder's name and the track's length; the times stay the same."""
    recording, _, summary = replayed(canal, "36-strava-names-beside-named-files", "--course", "")

    assert recording.course.short_name == "36-strava-names-beside-named-files"
    assert recording.course.distance == pytest.approx(canal.distance, abs=1)
    assert sorted(finishes(recording).values()) == [900, 990, 1035]
    assert summary["fixes"] == 618


def test_local_time_written_as_utc_is_corrected_by_own_starts(canal: Course) -> None:
    """The remedy that the warning names gives the right times, without a warning."""
    recording, warnings, _ = replayed(canal, "34-local-time-written-as-utc", "--own-starts")

    assert finishes(recording) == SEVEN | EIGHT
    assert warnings == []


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("9 Runner Nine.fit", "9 Runner Nine.fit is FIT, which isn't read"),
        ("10 Runner Ten.tcx", "10 Runner Ten.tcx has no track with points"),
        ("11 Runner Eleven.gpx", "11 Runner Eleven.gpx, line 3: its points have no times"),
    ],
)
def test_a_single_unusable_file_is_refused(canal: Course, file: str, words: str) -> None:
    """The reason is that for which a folder leaves it out."""
    with pytest.raises(RecordingError, match=words):
        replayed(canal, f"43-folder-of-mixed-files/{file}")
