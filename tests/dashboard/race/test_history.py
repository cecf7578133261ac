import gzip
from typing import Any

import numpy as np
import orjson
import pytest

from dashboard.race.history import History
from dashboard.race.payload import Packed
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import end_of, raw_time_at, stand
from dashboard.store import rows
from dashboard.store.protocol import Competitor
from tests.dashboard.fakes import FakeStore, at, race

NOW = at((1, 5000.0, "finished", 90.0), (2, 3000.0, "running", 120.0), (3, 900.0, "dnf", 40.0))
AT_60 = at((1, 3000.0, "running", 60.0), (2, 1500.0, "running", 60.0))
AT_100 = at((2, 2500.0, "running", 100.0))


def body(packed: Packed) -> dict[str, Any]:
    """The decoded payload."""
    said: dict[str, Any] = orjson.loads(gzip.decompress(packed.body))
    return said


def seen(history: History, time: float) -> dict[int, tuple[str, float]]:
    """Each competitor's status and metres at a moment, by bib."""
    said = body(history.payload("run_1", time))
    columns = said["columns"]
    status = [said["statuses"][number] for number in columns["status"]]
    return dict(zip(columns["competitor"], zip(status, columns["distance"], strict=True), strict=True))


@pytest.fixture
def store() -> FakeStore:
    """A store with one race and its past, a tick each 20 race seconds."""
    return FakeStore(known=[race(interval=20.0)], now=NOW, past={60: AT_60, 100: AT_100})


@pytest.fixture
def history(store: FakeStore) -> History:
    """The past of the race in the store."""
    return History(store, Snapshots(store, lambda: 1.0))


@pytest.mark.parametrize(
    ("interval", "time", "raw"),
    [
        (1.0, 59.9, 59),
        (20.0, 79.0, 60),
        (1.15, 115.0, 115),
        (1.15, 1.15, 1),
        (1 / 0.75, 1.333333, 1),
        (5.0, -3.0, 0),
    ],
)
def test_tick_at_or_before(interval: float, time: float, raw: int) -> None:
    """A moment's tick is the last at or before it, and is named by its whole seconds, as in the events."""
    assert raw_time_at(race(interval=interval), time) == raw


def test_end_shows_the_last_finish() -> None:
    """A race is played back up to the tick that shows its newest position or its last finish."""
    finished = stand(at((1, 5000.0, "finished", 121.345)), SplitTimes(), np.zeros(1), None)
    assert end_of(race(interval=20.0), finished) == 140.0
    assert end_of(race(interval=20.0), stand(NOW, SplitTimes(), np.zeros(len(NOW)), None)) == 120.0


def test_who_had_ended_stays(history: History) -> None:
    """A competitor without positions after a finish or an end stays at the last one."""
    assert seen(history, 100.0) == {1: ("finished", 5000.0), 2: ("running", 2500.0), 3: ("dnf", 900.0)}


def test_who_ended_later_runs(history: History) -> None:
    """A competitor who finished after a tick is at that tick's position."""
    assert seen(history, 60.0) == {1: ("running", 3000.0), 2: ("running", 1500.0), 3: ("dnf", 900.0)}


def test_finisher_until_the_verdict(history: History, store: FakeStore) -> None:
    """A competitor disqualified later is a finisher until then, and the replay extends to the verdict."""
    store.now = at((1, 5000.0, "dsq", 90.0), (2, 3000.0, "running", 120.0), (3, 0.0, "dns", 0.0))
    store.passed = [(1, "finish", "Finish", 1, 5000.0, 90.0), (1, "dsq", "DSQ", 1, 5000.0, 130.0)]
    assert seen(history, 100.0) == {1: ("finished", 5000.0), 2: ("running", 2500.0), 3: ("dns", 0.0)}
    assert body(history.payload("run_1", 999.0))["time"] == 140
    assert seen(history, 140.0)[1] == ("dsq", 5000.0)


def test_silent_trackers(history: History, store: FakeStore) -> None:
    """A competitor whose position of a tick is lost is at that of the newest tick before."""
    store.past[80] = at((1, 4000.0, "running", 80.0))
    assert seen(history, 80.0) == {1: ("running", 4000.0), 2: ("running", 1500.0), 3: ("dnf", 900.0)}
    store.past[100] = rows.positions([])
    assert seen(history, 100.0) == {1: ("finished", 5000.0), 2: ("running", 1500.0), 3: ("dnf", 900.0)}


def test_tracker_silent_for_long(store: FakeStore) -> None:
    """A competitor silent for long stays visible, and is searched for only once in a replay."""
    store.now = at((1, 4000.0, "running", 4000.0), (2, 100.0, "running", 20.0))
    store.past = {tick: at((1, float(tick), "running", float(tick))) for tick in range(0, 4001, 20)}
    store.past[20] = at((1, 20.0, "running", 20.0), (2, 100.0, "running", 20.0))
    history = History(store, Snapshots(store, lambda: 1.0))
    for time in (2000.0, 2020.0, 2100.0):
        assert seen(history, time) == {1: ("running", time), 2: ("running", 100.0)}
    far = [asked for asked in store.asked if asked == "positions_at 2000"]
    assert len(far) == 1


def test_no_silent_tracker(history: History, store: FakeStore) -> None:
    """Without silent trackers a payload takes one query."""
    seen(history, 60.0)
    before = len(store.asked)
    seen(history, 100.0)
    assert store.asked[before:] == ["positions_at"]


def test_no_position_yet(history: History, store: FakeStore) -> None:
    """A competitor whose tracker has emitted nothing yet is missing, and that is no error."""
    store.past = {20: at((2, 500.0, "running", 20.0))}
    assert seen(history, 0.0) == {}
    assert seen(history, 20.0) == {2: ("running", 500.0)}


def test_own_start_in_the_past(history: History, store: FakeStore) -> None:
    """A past payload has the times since every competitor's own gun and start, whatever the bibs."""
    store.now = at((7, 100.0, "running", 120.0), (31_337, 50.0, "running", 120.0), (999_999, 0.0, "dns", 0.0))
    store.past[100] = at((31_337, 20.0, "running", 100.0))
    store.passed = [(31_337, "start", "Start", 1, 0.0, 90.5), (7, "start", "Start", 1, 0.0, 30.0)]
    store.names = {31_337: Competitor("Bo", "M", 2)}
    columns = body(history.payload("run_1", 100.0))["columns"]
    assert columns["competitor"] == [31_337, 999_999]
    assert (columns["gun"], columns["chip"]) == ([40.0, 0.0], [9.5, 0.0])


def test_payload_of_the_past(history: History) -> None:
    """A payload has all competitors at its tick in the order of then, and the race's current end."""
    said = body(history.payload("run_1", 75.0))
    assert (said["time"], said["end"]) == (60, 120.0)
    assert said["columns"]["competitor"] == [1, 2, 3]
    assert said["columns"]["place"] == [1, 2, 0]
    assert said["columns"]["distance"] == [3000.0, 1500.0, 900.0]


def test_beyond_the_newest_tick(history: History, store: FakeStore) -> None:
    """Nothing beyond the newest tick is queried."""
    store.past[120] = at((2, 3000.0, "running", 120.0))
    assert body(history.payload("run_1", 9999.0))["time"] == 120


def test_asked_for_once(history: History, store: FakeStore) -> None:
    """However many viewers replay a race, the store is queried once per payload."""
    first = history.payload("run_1", 61.0)
    asked = len(store.asked)
    assert {history.payload("run_1", 62.0 + nth) for nth in range(5)} == {first}
    assert len(store.asked) == asked


def test_newest_tick_may_still_grow(history: History, store: FakeStore) -> None:
    """The newest tick of a running race may be in the store in part: it isn't cached."""
    store.past[120] = rows.positions([])
    assert seen(history, 120.0)[2] == ("running", 2500.0)
    store.past[120] = at((2, 3000.0, "running", 120.0))
    assert seen(history, 120.0)[2] == ("running", 3000.0)


def test_another_race_with_the_run_id(store: FakeStore) -> None:
    """When a run id is reused, no payload of the previous race is returned."""
    seconds = iter(range(1000))
    history = History(store, Snapshots(store, lambda: float(next(seconds))))
    before = history.payload("run_1", 60.0)
    store.known, store.past[60] = [race(interval=20.0, seed=2)], at((1, 2.0, "running", 60.0))
    assert history.payload("run_1", 60.0) != before


def test_unknown_race(history: History) -> None:
    """A race that isn't there has no past."""
    with pytest.raises(UnknownRaceError):
        history.payload("other", 1.0)


def test_what_is_kept_is_bounded(history: History, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Payloads are cached up to a number of bytes; the least recently requested go first."""
    monkeypatch.setattr("dashboard.race.history.MAX_BYTES", 2 * len(history.payload("run_1", 60.0).body) + 50)
    history.payload("run_1", 100.0)
    history.payload("run_1", 60.0)
    store.past[80] = rows.positions([])
    history.payload("run_1", 80.0)
    asked = len(store.asked)
    history.payload("run_1", 60.0)
    assert len(store.asked) == asked
    history.payload("run_1", 100.0)
    assert len(store.asked) == asked + 1
