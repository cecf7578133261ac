"""The analytics page as a consumer of the stream: what it shows is graded by the answer key.

A race that a simulator published on time during the last hour, on the embedded store and on the real Pinot:
`backfill` dates it so, and the answer key knows in which second each event was published.
"""

import json
import math
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from dashboard.analytics import recent
from dashboard.analytics.activity import Activity
from dashboard.app import make_stream
from dashboard.settings import Settings
from pinot.local.stack import Stack
from simulator.answer_key import grade
from simulator.answer_key.grade import Grade
from simulator.answer_key.kinds import KINDS
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.course.course import Course
from simulator.course.library import load_folder
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.processes import ROOT
from tests.topics import read_topic
from tests.torture.event_stores import query_pinot

pytestmark = pytest.mark.timeout(400)
ALLOWED_S = 30
AGO_S = 55 * 60
RACE = [
    *("--course", "crystal-palace", "--competitors", "40", "--races", "1", "--seed", "3", "--fastest", "200"),
    *("--slowest", "480", "--interval", "2", "--lost", "0.1", "--late", "0.2", "--late-for", "90"),
]
DUPLICATES = ("--duplicates", "0.3")
SKEW = ("--clock-skew", "3")


class Page(NamedTuple):
    """What the page reads, and the stream as the answer key has it."""

    activity: Activity
    stream: Stream

    @property
    def run_id(self) -> str:
        """The race's id."""
        return self.stream.race.run_id


@pytest.fixture(autouse=True)
def _whole_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the whole hour at once, however slow the store is."""
    monkeypatch.setattr(recent, "PATIENCE_S", math.inf)


@pytest.fixture(scope="module")
def library() -> Mapping[str, Course]:
    """The shipped courses."""
    return load_folder(ROOT / "courses").courses


@pytest.fixture(scope="module", params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def pages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, library: Mapping[str, Course]
) -> Mapping[tuple[str, ...], Page]:
    """The page for a race with repeated events, and for one whose trackers' clocks are wrong besides."""
    file = tmp_path_factory.mktemp("season") / "races.db"
    stack: Stack | None = request.getfixturevalue("stack") if request.param == "pinot" else None
    found = {}
    for minutes, faults in enumerate((DUPLICATES, DUPLICATES + SKEW)):
        # Each race has an id of its own, by the minute of its gun.
        gun = datetime.fromtimestamp((time.time() - AGO_S) // 60 * 60 + 60 * minutes, UTC)
        run_id = f"crystal-palace-{gun:%Y%m%d-%H%M}"
        where = ["--sqlite", str(file)] if stack is None else ["--publisher", "kafka", "--kafka", stack.kafka]
        flags = [*RACE, *faults, "--first", gun.isoformat(), *where]
        subprocess.run([sys.executable, "-m", "simulator", "backfill", *flags], cwd=ROOT, check=True)
        record = (
            _of_file(file, run_id) if stack is None else read_topic(stack.kafka, "races", run_id)[-1].event
        )
        asked = RaceRequest.model_validate_json(record["request"])
        race = Race(library["crystal-palace"], asked)
        settings = Settings(store="sqlite", sqlite=file)
        stream = Stream(race, race.time_of(race.last_tick))
        if stack is not None:
            settings = Settings(store="pinot", pinot_broker=stack.broker)
            wait_for(run_id, partial(_incomplete, stack, stream), seconds=60, say=print)
        found[faults] = Page(Activity(make_stream(settings), ALLOWED_S), stream)
    return found


def _of_file(file: Path, run_id: str) -> dict[str, Any]:
    with closing(sqlite3.connect(file)) as store:
        store.row_factory = sqlite3.Row
        return dict(store.execute("SELECT * FROM races WHERE runId = ?", (run_id,)).fetchone())


def _incomplete(stack: Stack, stream: Stream) -> str | None:
    sql = f"SELECT COUNT(*) FROM parkrun WHERE runId = '{stream.race.run_id}' option(skipUpsert=true)"
    ((there,),) = query_pinot(f"{stack.broker}/query/sql", sql)
    expected = sum(int(part.times.sum()) for part in stream)
    return None if there == expected else f"{there} of {expected} events"


def _graded(page: Page, kind: Name, query: AnswerQuery, rows: pd.DataFrame) -> Grade:
    lines = [json.dumps(row).encode() for row in rows.to_dict("records")]
    return grade.grade(KINDS[kind], grade.read(KINDS[kind], lines), page.stream, query)


@pytest.mark.parametrize("faults", [DUPLICATES, DUPLICATES + SKEW], ids=" ".join)
def test_windows(pages: Mapping[tuple[str, ...], Page], faults: tuple[str, ...]) -> None:
    """Each window has the events of its minute by the trackers' clocks, repeats once, also late ones."""
    page = pages[faults]
    shown = page.activity.windows(page.run_id, 60)
    assert shown is not None

    rows = pd.DataFrame({"start": shown["start"] * 1000, "events": shown["events"]})
    found = _graded(page, "windows", AnswerQuery(window=60, clock="tracker"), rows)

    assert found.passed, "\n".join(grade.report(found))


def test_late_events(pages: Mapping[tuple[str, ...], Page]) -> None:
    """Among the newest events those are marked as late that are behind the watermark."""
    page = pages[DUPLICATES]
    events = page.activity.newest(1_000_000, page.run_id)
    first = events.sort_values("emitted_at").drop_duplicates(["competitor", "timestamp"])
    late = first[first["late"]]
    seconds = (late["timestamp"] - page.stream.race.start_ms) // 1000

    rows = pd.DataFrame(
        {
            "eventId": [
                f"{page.run_id}-{bib}-{second}"
                for bib, second in zip(late["competitor"], seconds, strict=True)
            ],
            "competitorId": late["competitor"],
            "rawTime": seconds,
        }
    )
    found = _graded(page, "late", AnswerQuery(lateness=ALLOWED_S), rows)

    assert len(rows) > 100
    assert found.passed, "\n".join(grade.report(found))


def test_the_page_is_graded_and_not_only_compared(pages: Mapping[tuple[str, ...], Page]) -> None:
    """The same windows do not pass as those of a page that closed them: the grade is not lenient."""
    page = pages[DUPLICATES]
    shown = page.activity.windows(page.run_id, 60)
    assert shown is not None

    rows = pd.DataFrame({"start": shown["start"] * 1000, "events": shown["events"]})
    found = _graded(page, "windows", AnswerQuery(window=60, clock="tracker", lateness=ALLOWED_S), rows)

    assert not found.passed
