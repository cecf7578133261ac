"""`python -m simulator backfill`: a season of past races, as if each had been published on time."""

import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pinot.local.stack import Stack
from simulator.commands.backfill import season_of
from simulator.commands.settings import BackfillSettings, settings_of
from simulator.course.course import Course
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT, simulator
from tests.topics import read_topic
from tests.torture.event_stores import KafkaEventStore, SqliteEventStore, expected_events, query_pinot

COMMAND = [sys.executable, "-m", "simulator", "backfill"]
SEASON = [
    *("--course", "crystal-palace", "--competitors", "12", "--athletes", "20", "--races", "3", "--seed", "4"),
    *("--first", "2026-03-07T09:00:00Z", "--interval", "10", "--pace-model", "parkrun", "--late", "0.2"),
    *("--duplicates", "0.1", "--clock-skew", "2"),
]
RUNS = ["crystal-palace-20260307-0900", "crystal-palace-20260314-0900", "crystal-palace-20260321-0900"]


def backfill(*flags: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [*COMMAND, *map(str, flags)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def rows(file: Path, query: str) -> list[dict[str, Any]]:
    """Return what a query finds in the embedded store."""
    with sqlite3.connect(file) as store:
        store.row_factory = sqlite3.Row
        return [dict(row) for row in store.execute(query)]


def race_of(record: dict[str, Any], library: dict[str, Course]) -> Race:
    """Return the race that a record's request describes."""
    return Race(library[record["course"]], RaceRequest.model_validate_json(record["request"]))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an embedded store with the season."""
    file = tmp_path_factory.mktemp("season") / "races.db"
    done = backfill(*SEASON, "--publisher", "sqlite", "--sqlite", file)
    assert done.returncode == 0, done.stderr
    assert "season published" in done.stdout + done.stderr
    return file


def test_the_races_are_over_and_complete(store: Path, library: dict[str, Course]) -> None:
    """Each race has ended, with all events that its request says, and nothing else is stored."""
    records = rows(store, "SELECT * FROM races ORDER BY startTime")

    assert [record["runId"] for record in records] == RUNS
    for record in records:
        race = race_of(record, library)
        assert record["status"] == "finished"
        assert record["deliveredUntil"] == race.time_of(race.last_tick)
        for topic in ("passings", "competitors", "parkrun"):
            kept = {_key(topic, event) for event in SqliteEventStore(store).events(topic, race)}
            assert kept == {_key(topic, event) for event in expected_events(race, topic)}


def _key(topic: str, event: dict[str, Any]) -> tuple[Any, ...]:
    names = {
        "parkrun": ("eventId", "timestamp", "distance", "status"),
        "passings": ("competitorId", "kind", "point", "lap", "elapsed"),
        "competitors": ("competitorId", "name", "category"),
    }
    return tuple(event[name] for name in names[topic])


def test_events_are_dated_as_if_published_on_time(store: Path, library: dict[str, Course]) -> None:
    """The wall time of each event is that of its tick; a position that came late was late then, too."""
    for record in rows(store, "SELECT * FROM races"):
        race = race_of(record, library)
        sql = f"SELECT emittedAt, rawTime FROM parkrun_history WHERE runId = '{race.run_id}'"
        seconds = [((row["emittedAt"] - race.start_ms) / 1000, row["rawTime"]) for row in rows(store, sql)]
        assert {emitted for emitted, _ in seconds} <= {10.0 * tick for tick in range(race.last_tick + 1)}
        assert min(emitted - of for emitted, of in seconds) == 0
        assert max(emitted - of for emitted, of in seconds) > 10


def test_publishing_the_season_again_changes_nothing(store: Path) -> None:
    """As after an interruption: the same command adds no row and changes none but the races' own times."""

    def contents() -> list[list[dict[str, Any]]]:
        tables = ("parkrun", "parkrun_history", "passings", "competitors")
        return [rows(store, f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5") for table in tables]

    before = contents()
    assert backfill(*SEASON, "--publisher", "sqlite", "--sqlite", store).returncode == 0
    assert contents() == before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped_and_run_again(tmp_path: Path, how: signal.Signals) -> None:
    """Stopped on the way, it ends with status 1 and says what to do; run again, the season is complete."""
    file = tmp_path / "races.db"
    flags = [*SEASON[:-4], "--competitors", "400", "--athletes", "400", "--sqlite", str(file)]
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen([*COMMAND, *flags], cwd=ROOT, stdout=log, stderr=log)
        wait_for("a race", partial(_not_begun, file), seconds=60, say=print, every=0.05)
        running.send_signal(how)
        status = running.wait(30)

    assert status == 1
    assert "it was stopped; the same command publishes the season again" in (tmp_path / "log").read_text()
    assert backfill(*flags).returncode == 0
    assert [one["status"] for one in rows(file, "SELECT status FROM races")] == ["finished"] * 3


def _not_begun(file: Path) -> str | None:
    try:
        return None if rows(file, "SELECT 1 FROM parkrun LIMIT 1") else "there is no position yet"
    except sqlite3.OperationalError as error:
        return str(error)


def test_no_simulator_continues_them(store: Path, tmp_path: Path) -> None:
    """A simulator on the same store has the races as ended ones, and answers for their results."""
    before = rows(store, "SELECT COUNT(*) FROM parkrun_history")
    with simulator(tmp_path, "--publisher", "sqlite", "--sqlite", str(store)) as api:
        races = api.get("/races").json()["races"]
        results = api.get(f"/races/{RUNS[1]}/results").json()["results"]
        ready = api.get("/readyz").json()

    assert [(race["run_id"], race["status"]) for race in races] == [(run, "finished") for run in RUNS[::-1]]
    assert [one["place"] for one in results] == list(range(1, 13))
    assert ready["parts"] == 0
    assert rows(store, "SELECT COUNT(*) FROM parkrun_history") == before


def test_a_store_in_use_is_left_alone(tmp_path: Path) -> None:
    """While a simulator has the store, the command says so and publishes nothing."""
    file = tmp_path / "races.db"
    with simulator(tmp_path, "--publisher", "sqlite", "--sqlite", str(file)):
        done = backfill(*SEASON, "--publisher", "sqlite", "--sqlite", file)

    assert done.returncode == 1
    assert "another simulator uses it" in done.stdout + done.stderr


def test_an_unknown_course_is_an_error_with_the_known_ones(tmp_path: Path) -> None:
    """The message lists what could have been meant."""
    done = backfill("--course", "crystal-place", "--publisher", "sqlite", "--sqlite", tmp_path / "races.db")

    assert done.returncode == 1
    assert "no course crystal-place; available: city-10k, crystal-palace" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "now", ["2026-11-28T08:00Z", "2026-11-28T23:00Z", "2026-11-29T00:00Z", "2026-12-04T12:00Z"]
)
def test_by_default_the_last_race_was_on_the_last_saturday(now: str) -> None:
    """On a Saturday itself it was a week ago: no race is in the future."""
    then = datetime.fromisoformat(now)
    season = season_of(settings_of(BackfillSettings, ["--course", "crystal-palace", "--races", "4"]), then)

    last = season.first + 3 * season.every

    assert (last.strftime("%A"), last.hour) == ("Saturday", 9)
    assert (then - last).days in range(8)
    assert last < then


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--races", "0"), "must be at least 1"),
        (("--races", "521"), "must be at most 520"),
        (("--every-days", "0"), "must be at least 1"),
        (("--every-days", "367"), "must be at most 366"),
        (("--competitors", "10", "--athletes", "9"), "must be at least the competitors of a race"),
        (("--interval", "0.5"), "must be at least 1"),
    ],
)
def test_what_is_out_of_range_is_refused(
    flags: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the flag and its limit."""
    with pytest.raises((SystemExit, ValidationError)) as refused:
        settings_of(BackfillSettings, ["--course", "crystal-palace", *flags])
    assert why in str(refused.value) + capsys.readouterr().err


def test_at_the_limits_it_is_accepted() -> None:
    """The largest season, and one without a reserve of athletes."""
    largest = settings_of(BackfillSettings, ["--course", "x", "--races", "520", "--every-days", "366"])
    smallest = settings_of(BackfillSettings, ["--course", "x", "--competitors", "9", "--athletes", "9"])

    assert season_of(largest, datetime(2026, 1, 1, tzinfo=UTC)).races == 520
    assert season_of(smallest, datetime(2026, 1, 1, tzinfo=UTC)).athletes == 9


@pytest.mark.stack
def test_kafka_and_pinot_get_the_season(stack: Stack, library: dict[str, Course]) -> None:
    """The topics have the same events, each race's record comes after them, and Pinot has all rows."""
    done = backfill(*SEASON, "--publisher", "kafka", "--kafka", stack.kafka)
    assert done.returncode == 0, done.stderr

    for run in RUNS:
        (message,) = read_topic(stack.kafka, "races", run)
        race = race_of(message.event, library)
        kept = KafkaEventStore(stack.kafka).events("parkrun", race)
        sent = expected_events(race, "parkrun")
        assert sorted(_key("parkrun", one) for one in kept) == sorted(_key("parkrun", one) for one in sent)
        wait_for(run, partial(_not_there, stack, run), seconds=60, say=print)


def _not_there(stack: Stack, run_id: str) -> str | None:
    sql = f"SELECT COUNT(*) FROM parkrun WHERE runId = '{run_id}' AND status = 'finished'"
    ((found,),) = query_pinot(f"{stack.broker}/query/sql", sql)
    return None if found == 12 else f"{found} of 12 finishers"
