"""All figures of the analytics page, compared with a recomputation from the events.

The events come from the Kafka topic or the SQLite file, the figures from Pinot or SQLite.
"""

import math
import sqlite3
import statistics
import time
from collections import Counter, defaultdict
from contextlib import closing
from typing import Any, NamedTuple

import httpx
import pytest

from dashboard.analytics import recent, series
from dashboard.analytics.activity import Activity
from dashboard.analytics.page import labelled
from dashboard.analytics.recent import SETTLED_S
from dashboard.analytics.stream import PACE_FROM_M
from dashboard.analytics.windows import SIZES_S
from dashboard.api import RaceApi
from dashboard.app import make_store, make_stream
from dashboard.race.snapshots import Snapshots
from dashboard.settings import Settings
from dashboard.ui import formatting
from dashboard.ui.viewer import KM
from stream.waiting import wait_for
from tests.dashboard.analytics import recomputed
from tests.dashboard.analytics.pages import installed, page, tiles
from tests.dashboard.at_once import still_sampler
from tests.dashboard.events import Event
from tests.processes import simulator
from tests.topics import read_since

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


class Recorded(NamedTuple):
    """Two finished races and the events in their store.

    Attributes:
        settings: settings of a dashboard that reads the store.
        events: all positions emitted in the last hour, including those of other races.
        runs: run ids of the two races.
        moments: wall-clock times (epoch seconds) during the races and after them.
    """

    settings: Settings
    events: list[Event]
    runs: list[str]
    moments: list[int]

    def activity(self, moment: int) -> Activity:
        """Return the data that the page shows at a moment."""
        return Activity(make_stream(self.settings), ALLOWED_S, lambda: float(moment))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Run the races with each publisher, and read the events without the code under test."""
    folder = tmp_path_factory.mktemp("simulator")
    if request.param == "sqlite":
        file = folder / "races.db"
        runs, began = _run(folder, "--publisher", "sqlite", "--sqlite", str(file))
        settings = Settings(store="sqlite", sqlite=file, api="http://127.0.0.1:9")
        return _recorded(settings, _rows(file), runs, began)
    stack = request.getfixturevalue("stack")
    runs, began = _run(folder, "--publisher", "kafka", "--kafka", stack.kafka)
    now = math.floor(time.time()) + 1
    newest = read_since(stack.kafka, "parkrun", 1000 * (now - 3600))
    events = [event for event in newest if event["emittedAt"] < 1000 * now]
    settings = Settings(store="pinot", pinot_broker=stack.broker, api="http://127.0.0.1:9")
    stream = make_stream(settings)

    def incomplete() -> str | None:
        found = int(stream.arrivals(now - 3600, now)["events"].sum())
        return None if found == len(events) else f"it has {found} of {len(events)} events"

    wait_for("Pinot", incomplete, seconds=60, say=print)
    return _recorded(settings, events, runs, began)


def _recorded(settings: Settings, events: list[Event], runs: list[str], began: int) -> Recorded:
    ended = max(event["emittedAt"] for event in events) // 1000
    return Recorded(settings, events, runs, [began + 8, (began + ended) // 2, ended + SETTLED_S + 1])


def _run(folder: Any, *publisher: str) -> tuple[list[str], int]:
    """Run the races; return their run ids and the time of their start (epoch seconds)."""
    with simulator(folder, *publisher) as running:
        began = math.floor(time.time())
        responses = [httpx.post(f"{running.address}/races", json=body, trust_env=False) for body in RACES]
        runs = [response.json()["run_id"] for response in responses]

        def unfinished() -> str | None:
            statuses = {run: running.get(f"/races/{run}").json()["status"] for run in runs}
            return None if set(statuses.values()) <= ENDED else str(statuses)

        wait_for("the races", unfinished, seconds=120, say=print)
    return runs, began


def _rows(file: Any) -> list[Event]:
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM parkrun_history")]


@pytest.fixture(autouse=True)
def _whole_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the whole hour at once, however slow the store is."""
    monkeypatch.setattr(recent, "PATIENCE_S", math.inf)


@pytest.mark.parametrize("span_s", [60, 10])
@pytest.mark.parametrize("course", [None, "crystal-palace"])
def test_figures(recorded: Recorded, span_s: int, course: str | None) -> None:
    """The figures of a window and of the one before match the events, for all races and for one course."""
    for moment in recorded.moments:
        found = recorded.activity(moment).figures(span_s, moment, course)
        assert found == (
            recomputed.figures(recorded.events, moment, span_s, course),
            recomputed.figures(recorded.events, moment - span_s, span_s, course),
        )
        assert found[0].events


@pytest.mark.parametrize(("by", "field"), [("run", "runId"), ("course", "course")])
def test_rates(recorded: Recorded, by: str, field: str) -> None:
    """The numbers of events per step match, for each race and for each course."""
    found = recorded.activity(recorded.moments[-1]).rates(by, 300, 5).events
    shown = dict(zip(zip(found["who"], found["second"], strict=True), found["events"], strict=True))
    begin, end = found["second"].min(), found["second"].max() + 5
    counted = Counter(
        (event[field], event["emittedAt"] // 5000 * 5)
        for event in recorded.events
        if begin <= event["emittedAt"] // 1000 < end
    )
    # If there are too many series, those with the fewest events are combined.
    others = Counter({key: n for key, n in counted.items() if key[0] not in set(found["who"])})
    named = +Counter({key: n for key, n in shown.items() if key[0] != series.OTHERS})
    assert named == counted - others
    assert sum(shown.values()) == counted.total()


def test_averages(recorded: Recorded) -> None:
    """A moving average covers the seconds before the end of the step."""
    found = recorded.activity(recorded.moments[-1]).rates("run", 300, 5).averages
    seconds = Counter(event["emittedAt"] // 1000 for event in recorded.events)
    for what, span in series.AVERAGED_OVER_S.items():
        rows = found[found["what"] == what]
        for end, rate in zip(rows["second"].tolist(), rows["rate"].tolist(), strict=True):
            expected = sum(seconds[at] for at in range(end - span, end))
            assert rate == pytest.approx(expected / span)
        assert len(rows)


def test_late_events(recorded: Recorded) -> None:
    """Each race's watermark and its number of late events match the events."""
    moment = recorded.moments[-1]
    progress = recorded.activity(moment).progress().set_index("run")
    late = Counter(event["runId"] for event in recomputed.late(recorded.events, ALLOWED_S))
    for run in recorded.runs:
        own = [event for event in recorded.events if event["runId"] == run]
        assert progress.loc[run, "events"] == len(own)
        assert progress.loc[run, "late"] == late[run]
        newest = max(event["timestamp"] // 1000 for event in own)
        assert progress.loc[run, "watermark"] == newest - ALLOWED_S
    assert late[recorded.runs[0]] > 0
    assert late[recorded.runs[1]] == 0


@pytest.mark.parametrize("size_s", SIZES_S)
def test_windows(recorded: Recorded, size_s: int) -> None:
    """Each window counts its events, and the late ones among them, once."""
    activity = recorded.activity(recorded.moments[-1])
    for run in recorded.runs:
        found = activity.windows(run, size_s)
        assert found is not None
        own = [event for event in recorded.events if event["runId"] == run]
        assert recomputed.as_rows(found) == recomputed.windows(own, size_s, ALLOWED_S)


def test_paces(recorded: Recorded) -> None:
    """Mean and median pace in each ten seconds match the positions of running competitors."""
    found = recorded.activity(recorded.moments[-1]).paces()
    published = defaultdict[int, list[float]](list)
    for event in recorded.events:
        if event["status"] == "running" and event["distance"] >= PACE_FROM_M:
            published[event["emittedAt"] // 10_000 * 10].append(1000 * event["elapsed"] / event["distance"])
    for second, what, pace in found.itertuples(index=False, name=None):
        paces = published[second]
        median = statistics.median_low(int(one) for one in paces)
        assert pace == (median if what == "Median" else pytest.approx(statistics.fmean(paces)))
    assert len(found)


def test_newest(recorded: Recorded) -> None:
    """The newest events of a race are those emitted last, with late ones marked."""
    run = recorded.runs[0]
    found = recorded.activity(recorded.moments[-1]).newest(100, run)
    emitted = sorted((event["emittedAt"] for event in recorded.events if event["runId"] == run), reverse=True)
    assert found["emitted_at"].tolist() == emitted[:100]
    late = {
        (event["competitorId"], event["timestamp"], event["emittedAt"])
        for event in recomputed.late(recorded.events, ALLOWED_S)
        if event["runId"] == run
    }
    for row in found.itertuples():
        assert row.late == ((row.competitor, row.timestamp, row.emitted_at) in late)


def test_page(recorded: Recorded) -> None:
    """The page shows the figures during the races, with their changes and previous values."""
    moment = recorded.moments[1]
    snapshots = Snapshots(make_store(recorded.settings))
    activity = recorded.activity(moment)
    api = RaceApi("http://127.0.0.1:9")
    with installed(recorded.settings, snapshots, api, activity, still_sampler()):
        shown = tiles(page())
    # `test_figures` compares these figures with the events.
    now, before = (labelled(found, KM) for found in activity.figures(60, moment))
    for (label, value), previous in zip(now.items(), before.values(), strict=True):
        form = ",d" if isinstance(value, int) else ",.1f"
        if not previous:
            change = "none before"
        elif value == previous:
            change = "no change"
        else:
            change = f"{formatting.change(value / previous - 1)}, was {previous:{form}}"
        assert shown[label] == (f"{value:{form}}", change)
