"""Every figure of the analytics page, compared with a recomputation from the events.

From the topic of the real Kafka, asked of the real Pinot; and from the embedded store's file.
"""

from __future__ import annotations

import math
import sqlite3
import statistics
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from dashboard.analytics import series
from dashboard.analytics.activity import Activity
from dashboard.analytics.page import FIGURES
from dashboard.analytics.recent import SETTLED_S
from dashboard.analytics.stream import PACE_FROM_M
from dashboard.analytics.windows import SIZES_S
from dashboard.api import RaceApi
from dashboard.app import make_store, make_stream
from dashboard.race.snapshots import Snapshots
from dashboard.settings import Settings
from dashboard.ui import formatting
from stream.waiting import wait_for
from tests.dashboard.analytics import recomputed
from tests.dashboard.analytics.pages import installed, page, tiles
from tests.dashboard.at_once import still_sampler
from tests.processes import simulator
from tests.topics import read_since

if TYPE_CHECKING:
    from tests.dashboard.events import Event

RACES: list[dict[str, Any]] = [
    {
        "course": "crystal-palace",
        "competitors": 60,
        "speed": 150,
        "interval": 10,
        "seed": 42,
        "late": 0.3,
        "late_for": 200,
        "duplicates": 0.3,
        "lost": 0.1,
        "clock_skew": 5,
        "how_many_get_stopped": 0.3,
    },
    {"course": "track-10000m", "competitors": 40, "speed": 300, "interval": 20, "seed": 43},
]
ALLOWED_S = 60
ENDED = {"finished", "cancelled"}
pytestmark = pytest.mark.timeout(400)


class Came(NamedTuple):
    """Two finished races.

    Attributes:
        settings: of a dashboard that reads them.
        events: all positions that came in the last hour, of whatever race.
        runs: the two races.
        moments: wall seconds while they were under way, and after.
    """

    settings: Settings
    events: list[Event]
    runs: list[str]
    moments: list[int]

    def activity(self, moment: int) -> Activity:
        """Return what the page shows at a moment."""
        return Activity(make_stream(self.settings), ALLOWED_S, lambda: float(moment))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def came(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Came:
    """Run the races with each publisher, and read the events independently of the store."""
    folder = tmp_path_factory.mktemp("simulator")
    if request.param == "sqlite":
        file = folder / "races.db"
        runs, began = _run(folder, "--publisher", "sqlite", "--sqlite", str(file))
        return _came(
            Settings(store="sqlite", sqlite=file, api="http://127.0.0.1:9"), _rows(file), runs, began
        )
    stack = request.getfixturevalue("stack")
    runs, began = _run(folder, "--publisher", "kafka", "--kafka", stack.kafka)
    now = math.floor(time.time()) + 1
    came = read_since(stack.kafka, "parkrun", 1000 * (now - 3600))
    events = [event for event in came if event["emittedAt"] < 1000 * now]
    settings = Settings(store="pinot", pinot_broker=stack.broker, api="http://127.0.0.1:9")
    stream = make_stream(settings)

    def lacking() -> str | None:
        there = int(stream.arrivals(now - 3600, now)["events"].sum())
        return None if there == len(events) else f"it has {there} of {len(events)} events"

    wait_for("Pinot", lacking, seconds=60, say=print)
    return _came(settings, events, runs, began)


def _came(settings: Settings, events: list[Event], runs: list[str], began: int) -> Came:
    ended = max(event["emittedAt"] for event in events) // 1000
    return Came(settings, events, runs, [began + 8, (began + ended) // 2, ended + SETTLED_S + 1])


def _run(folder: Any, *publisher: str) -> tuple[list[str], int]:
    """Run the races; return their run ids and the wall-clock second of their start."""
    with simulator(folder, *publisher) as running:
        began = math.floor(time.time())
        answers = [httpx.post(f"{running.address}/races", json=body, trust_env=False) for body in RACES]
        runs = [answer.json()["run_id"] for answer in answers]

        def unfinished() -> str | None:
            statuses = {run: running.get(f"/races/{run}").json()["status"] for run in runs}
            return None if set(statuses.values()) <= ENDED else str(statuses)

        wait_for("the races", unfinished, seconds=120, say=print)
    return runs, began


def _rows(file: Any) -> list[Event]:
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM parkrun_history")]


@pytest.mark.parametrize("span_s", [60, 10])
@pytest.mark.parametrize("course", [None, "crystal-palace"])
def test_figures(came: Came, span_s: int, course: str | None) -> None:
    """The figures of a window and the previous one match the events, for all races and for one course."""
    for moment in came.moments:
        found = came.activity(moment).figures(span_s, moment, course)
        assert found == (
            recomputed.figures(came.events, moment, span_s, course),
            recomputed.figures(came.events, moment - span_s, span_s, course),
        )
        assert found[0].events


@pytest.mark.parametrize(("by", "field"), [("run", "runId"), ("course", "course")])
def test_rates(came: Came, by: str, field: str) -> None:
    """The events in each step match, for each race and course."""
    found = came.activity(came.moments[-1]).rates(by, 300, 5).events
    shown = dict(zip(zip(found["who"], found["second"], strict=True), found["events"], strict=True))
    begin, end = found["second"].min(), found["second"].max() + 5
    counted = Counter(
        (event[field], event["emittedAt"] // 5000 * 5)
        for event in came.events
        if begin <= event["emittedAt"] // 1000 < end
    )
    # If there are too many, the least busy share a series.
    others = Counter({key: n for key, n in counted.items() if key[0] not in set(found["who"])})
    named = +Counter({key: n for key, n in shown.items() if key[0] != series.OTHERS})
    assert named == counted - others
    assert sum(shown.values()) == counted.total()


def test_averages(came: Came) -> None:
    """A moving average covers the seconds before the end of its step."""
    found = came.activity(came.moments[-1]).rates("run", 300, 5).averages
    seconds = Counter(event["emittedAt"] // 1000 for event in came.events)
    for what, span in series.AVERAGED_OVER_S.items():
        rows = found[found["what"] == what]
        for end, rate in zip(rows["second"].tolist(), rows["rate"].tolist(), strict=True):
            came_then = sum(seconds[at] for at in range(end - span, end))
            assert rate == pytest.approx(came_then / span)
        assert len(rows)


def test_late_events(came: Came) -> None:
    """Each race's watermark and its late events match the events."""
    moment = came.moments[-1]
    progress = came.activity(moment).progress().set_index("run")
    late = Counter(event["runId"] for event in recomputed.late(came.events, ALLOWED_S))
    for run in came.runs:
        these = [event for event in came.events if event["runId"] == run]
        assert progress.loc[run, "events"] == len(these)
        assert progress.loc[run, "late"] == late[run]
        newest = max(event["timestamp"] // 1000 for event in these)
        assert progress.loc[run, "watermark"] == newest - ALLOWED_S
    assert late[came.runs[0]] > 0
    assert late[came.runs[1]] == 0


@pytest.mark.parametrize("size_s", SIZES_S)
def test_windows(came: Came, size_s: int) -> None:
    """Each window counts its events once, and the late ones among them."""
    activity = came.activity(came.moments[-1])
    for run in came.runs:
        found = activity.windows(run, size_s)
        assert found is not None
        these = [event for event in came.events if event["runId"] == run]
        assert recomputed.as_rows(found) == recomputed.windows(these, size_s, ALLOWED_S)


def test_paces(came: Came) -> None:
    """Mean and median pace per ten seconds match the positions of running competitors."""
    found = came.activity(came.moments[-1]).paces()
    published = defaultdict[int, list[float]](list)
    for event in came.events:
        if event["status"] == "running" and event["distance"] >= PACE_FROM_M:
            published[event["emittedAt"] // 10_000 * 10].append(1000 * event["elapsed"] / event["distance"])
    for second, what, pace in found.itertuples(index=False, name=None):
        paces = published[second]
        median = statistics.median_low(int(one) for one in paces)
        assert pace == (median if what == "Median" else pytest.approx(statistics.fmean(paces)))
    assert len(found)


def test_newest(came: Came) -> None:
    """A race's newest events are the last that arrived, each marked if it was late."""
    run = came.runs[0]
    found = came.activity(came.moments[-1]).newest(100, run)
    these = sorted((event["emittedAt"] for event in came.events if event["runId"] == run), reverse=True)
    assert found["emitted_at"].tolist() == these[:100]
    late = {
        (event["competitorId"], event["timestamp"], event["emittedAt"])
        for event in recomputed.late(came.events, ALLOWED_S)
        if event["runId"] == run
    }
    for row in found.itertuples():
        assert row.late == ((row.competitor, row.timestamp, row.emitted_at) in late)


def test_page(came: Came) -> None:
    """The page, rendered during the races, shows these figures with their previous values."""
    moment = came.moments[1]
    snapshots = Snapshots(make_store(came.settings))
    activity = came.activity(moment)
    api = RaceApi("http://127.0.0.1:9")
    with installed(came.settings, snapshots, api, activity, still_sampler()):
        shown = tiles(page())
    now, before = (recomputed.figures(came.events, until, 60) for until in (moment, moment - 60))
    for word, value, was in zip(FIGURES, astuple(now), astuple(before), strict=True):
        if isinstance(value, int):
            change = f"{formatting.change(value / was - 1)}, was {was:,}" if was else "none before"
            assert shown[word] == (f"{value:,}", "no change" if value == was else change)
