"""`python -m simulator replay` as a process."""

import gzip
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog.testing
from pydantic_settings import CliApp
from structlog.testing import capture_logs

from simulator.commands.replay import read
from simulator.commands.settings import ReplaySettings
from simulator.course.course import Course
from simulator.race.events import record_of
from simulator.replay.recording import RecordingError
from stream.waiting import wait_for
from tests.processes import ROOT
from tests.simulator.conftest import START
from tests.simulator.replay.gpx_files import gpx, of_competitor
from tests.simulator.replay.test_lines import PASSING, POSITION
from tests.simulator.replay.test_tracks import computed

COMMAND = [sys.executable, "-m", "simulator"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds in the embedded store."""
    with sqlite3.connect(file) as store:
        return store.execute(query).fetchall()


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Return a file with a race of ten, its positions, passings and competitors."""
    file = tmp_path / "race.ndjson"
    flags = ["--course", "crystal-palace", "--competitors", "10", "--interval", "30", "--entrants", "drawn"]
    flags += ["--dnf", "0.2", "--late", "0.2", "--duplicates", "0.1", "--lost", "0.1"]
    with file.open("w") as out:
        for topic in ("competitors", "passings", "parkrun"):
            out.write(run("generate", *flags, "--topic", topic).stdout)
    return file


def test_events_are_replayed_from_now_on(events: Path, tmp_path: Path) -> None:
    """All that was recorded is in the store, under a new id, shifted to now, and the race has ended."""
    store = tmp_path / "race.db"
    before = time.time() * 1000
    done = run("replay", events, "--speed", "1000", "--sqlite", store, "--run-id", "again")
    recorded = [orjson.loads(line) for line in events.read_text().splitlines()]
    positions = {event["eventId"]: event for event in recorded if "eventId" in event}
    passings = [event for event in recorded if "kind" in event]
    ((start, status, name, request),) = rows(store, "SELECT startTime, status, name, request FROM races")

    assert (done.returncode, status, name) == (0, "finished", "Crystal Palace")
    assert before < start < time.time() * 1000
    assert orjson.loads(request)["replay"] == "crystal-palace"
    found = rows(store, "SELECT competitorId, rawTime, lat, distance, status, timestamp FROM parkrun_history")
    assert sorted(found) == sorted(
        (
            one["competitorId"],
            one["rawTime"],
            one["lat"],
            one["distance"],
            one["status"],
            start + one["rawTime"] * 1000,
        )
        for one in positions.values()
    )
    found = rows(store, "SELECT competitorId, kind, point, lap, elapsed FROM passings")
    assert sorted(found) == sorted(
        (one["competitorId"], one["kind"], one["point"], one["lap"], one["elapsed"]) for one in passings
    )
    assert rows(store, "SELECT count(*) FROM competitors WHERE name LIKE '% %'") == [(10,)]


def test_cut_offs_are_those_of_the_recorded_race(library: Mapping[str, Course], tmp_path: Path) -> None:
    """A replay has the recorded race's cut-offs; those without a place on its course are left out."""
    flags = ["--course", "crystal-palace", "--competitors", "4", "--interval", "60"]
    flags += ["--cut-offs", "2 km = 0:13:00; finish = 0:40:00", "--cut-offs-from", "wave"]
    text = "".join(run("generate", *flags, "--topic", topic).stdout for topic in ("races", "parkrun"))
    file = tmp_path / "limited.ndjson"

    file.write_text(text)
    record = record_of(read(CliApp.run(ReplaySettings, [str(file)]), library, START), "running", 0, "{}")
    assert [one["name"] for one in orjson.loads(record.cut_offs)] == ["2 km", "finish"]
    assert record.cut_offs_from == "wave"
    file.write_text(text.replace("2 km", "Bridge"))
    with capture_logs() as logs:
        other = read(CliApp.run(ReplaySettings, [str(file)]), library, START)
    assert record_of(other, "running", 0, "{}").cut_offs == ""
    assert "not 'Bridge'" in next(entry["why"] for entry in logs if "cut-offs" in entry["event"])


@pytest.mark.parametrize(("topics", "delay"), [(("races",), 90.0), ((), 0.0)])
def test_waves_keep_their_guns(
    topics: Sequence[str], delay: float, library: Mapping[str, Course], tmp_path: Path
) -> None:
    """A replay has the delay between waves of the recorded race; if that is unknown, it has one gun."""
    file, flags = tmp_path / "race.ndjson", ["--course", "crystal-palace", "--competitors", "4"]
    flags += ["--interval", "60", "--wave-size", "2", "--wave-delay", "90"]
    texts = (
        run("generate", *flags, "--topic", topic).stdout for topic in (*topics, "competitors", "parkrun")
    )
    file.write_text("".join(texts))
    with capture_logs() as logged:
        recording = read(ReplaySettings(files=[file]), library, START)

    assert orjson.loads(recording.request.text())["wave_delay"] == delay
    assert sorted(recording.entrants.wave.tolist()) == [1, 1, 2, 2]
    assert any("all times count from the first gun" in line["event"] for line in logged) == (not topics)


def test_tracks_are_replayed_as_a_race(library: Mapping[str, Course], tmp_path: Path) -> None:
    """A folder of GPX files becomes a race on the given course."""
    race = computed(library["crystal-palace"])
    folder, store = tmp_path / "sunday", tmp_path / "race.db"
    folder.mkdir()
    for who in range(3):
        (folder / f"{who + 1}.gpx").write_bytes(gpx((f"{who + 7} Runner", of_competitor(race, who))))
    flags = ["--course", "crystal-palace", "--interval", "20", "--speed", "1000", "--name", "Sunday"]
    done = run("replay", folder, *flags, "--sqlite", store)

    assert done.returncode == 0, done.stderr
    assert rows(store, "SELECT status, name, competitors FROM races") == [("finished", "Sunday", 3)]
    assert rows(store, "SELECT competitorId, status FROM parkrun ORDER BY 1") == [
        (bib, "finished") for bib in (7, 8, 9)
    ]
    assert rows(store, "SELECT count(*) FROM passings WHERE kind = 'finish'") == [(3,)]


def test_an_interrupted_replay_is_cancelled(events: Path, tmp_path: Path) -> None:
    """SIGTERM ends it with status 0, and the race is cancelled for its viewers."""
    store = tmp_path / "race.db"
    flags = ["--speed", "1", "--sqlite", str(store)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*COMMAND, "replay", str(events), *flags], cwd=ROOT, stdout=log, stderr=log
        )

        def begun() -> str | None:
            if process.poll() is not None:
                return f"it ended: {(tmp_path / 'log').read_text()}"
            found = store.exists() and rows(store, "SELECT 1 FROM sqlite_master WHERE name = 'parkrun'")
            return None if found and rows(store, "SELECT 1 FROM parkrun") else "nothing is published yet"

        wait_for("the first position", begun, seconds=60, say=print)
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)

    assert status == 0, (tmp_path / "log").read_text()
    assert rows(store, "SELECT status FROM races") == [("cancelled",)]


def test_an_impossible_replay_is_reported(tmp_path: Path) -> None:
    """The log has one line with the reason, and the exit status is 1."""
    done = run("replay", "nowhere.ndjson", "--sqlite", tmp_path / "race.db")

    assert done.returncode == 1
    assert "no such file or folder: nowhere.ndjson" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["README.md"], "README.md isn't a recording: GPX, KML with gx:Track, TCX are read"),
        (["simulator"], "file in simulator"),
        (["nowhere"], "no such file or folder: nowhere"),
        (["{passings}"], "there are no positions in passings.ndjson"),
        (["{events}", "{tracks}"], "event files and tracks can't be mixed"),
        (["{events}", "--race", "a", "--course", "moon"], "unknown course moon; available: straight"),
        (
            ["{events}", "--race", "moon"],
            "choose a race with --race; those with positions: a",
        ),
        (["{events}"], "choose a race with --race; those with positions: a"),
        (["{events}", "--race", "a", "--run-id", "a b"], "run_id must be 1 to 64 of the characters"),
        (["{tracks}"], "run.gpx has no track with points"),
    ],
)
def test_an_invalid_recording_is_rejected(
    straight: Course, tmp_path: Path, flags: list[str], words: str
) -> None:
    """Each thing that can be wrong has its sentence."""
    events, tracks = tmp_path / "race.ndjson", tmp_path / "run.gpx"
    events.write_bytes(b"\n".join(orjson.dumps({**POSITION, "runId": run_id}) for run_id in "ab"))
    tracks.write_bytes(gpx())
    passings = tmp_path / "passings.ndjson"
    passings.write_bytes(orjson.dumps({**PASSING, "runId": "a", "elapsed": 0.0}))
    given = [flag.format(events=events, tracks=tracks, passings=passings) for flag in flags]
    with pytest.raises(RecordingError) as rejected:
        read(CliApp.run(ReplaySettings, cli_args=given), {"straight": straight}, START)

    assert words in str(rejected.value)


def test_compressed_events_are_read(straight: Course, tmp_path: Path) -> None:
    """A folder's `.ndjson.gz` files are event files; what is skipped in them is a warning in the log."""
    (tmp_path / "race.ndjson.gz").write_bytes(gzip.compress(b"% begun\n" + orjson.dumps(POSITION)))
    with structlog.testing.capture_logs() as logged:
        recording = read(CliApp.run(ReplaySettings, cli_args=[str(tmp_path)]), {"straight": straight}, START)

    assert len(recording.fixes_at(0).time) == 1
    assert [entry["why"] for entry in logged] == [
        'lines that are not events, skipped: 1 (race.ndjson.gz line 1 "% begun")'
    ]


@pytest.mark.parametrize(("times", "interval"), [((7200,), 3600.0), ((0, 7200), 3600.0), ((0, 7201), 379.0)])
def test_few_positions_are_enough(
    straight: Course, tmp_path: Path, times: tuple[int, ...], interval: float
) -> None:
    """A recording whose positions lie further apart than those of a race may has ticks in between."""
    file = tmp_path / "race.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps({**POSITION, "rawTime": time}) for time in times))
    recording = read(CliApp.run(ReplaySettings, cli_args=[str(file)]), {"straight": straight}, START)

    published = [recording.fixes_at(tick).time.tolist() for tick in range(recording.last_tick + 1)]
    assert recording.request.interval == interval
    assert [time for tick in published for time in tick] == list(times)


def test_the_course_of_a_race_with_points_is_rebuilt(tmp_path: Path) -> None:
    """If the course is unknown, the points in the race's request become the course."""
    points = [[0.0, 50.0], [0.0, 50.01], [0.01, 50.02]]
    record = {"runId": "a", "startTime": 5, "course": "mine-1a2b", "name": "Mine"}
    record["request"] = orjson.dumps({"course": "mine", "points": points}).decode()
    file = tmp_path / "race.ndjson"
    file.write_bytes(orjson.dumps(record) + b"\n" + orjson.dumps({**POSITION, "runId": "a"}))
    recording = read(CliApp.run(ReplaySettings, cli_args=[str(file)]), {}, START)

    assert recording.course.short_name == "straight"
    assert recording.course.distance == pytest.approx(2438, abs=5)
    assert recording.request.name == "Mine"
    assert recording.fixes_at(0).skew.tolist() == [995]
