from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from dashboard import rows
from dashboard.history import History, at_tick, end_of, raw_time_at
from dashboard.snapshots import Snapshots, UnknownRaceError
from dashboard.split_times import SplitTimes
from dashboard.standing import stand
from tests.dashboard.fakes import FakeStore, at, race

if TYPE_CHECKING:
    from dashboard.picture import Packed

NOW = at((1, 5000.0, "finished", 90.0), (2, 3000.0, "running", 120.0), (3, 900.0, "dnf", 40.0))
AT_60 = at((1, 3000.0, "running", 60.0), (2, 1500.0, "running", 60.0))
AT_100 = at((2, 2500.0, "running", 100.0))


def body(packed: Packed) -> dict[str, Any]:
    """What is said in it."""
    said: dict[str, Any] = orjson.loads(gzip.decompress(packed.body))
    return said


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
    """A moment's tick is the last at or before it, and is called by its whole seconds as the events are."""
    assert raw_time_at(race(interval=interval), time) == raw


def test_end_shows_the_last_finish() -> None:
    """A race is played back up to the tick that shows its newest position or its last finish."""
    finished = stand(at((1, 5000.0, "finished", 121.345)), SplitTimes(), None)
    assert end_of(race(interval=20.0), finished) == 140.0
    assert end_of(race(interval=20.0), stand(NOW, SplitTimes(), None)) == 120.0


def test_who_had_ended_stays() -> None:
    """Who tells nothing at a tick any more, because of a finish or an end before it, is where that was."""
    then = at_tick(AT_100, NOW, 100)
    assert then.competitor.tolist() == [1, 2, 3]
    assert then.distance.tolist() == [5000.0, 2500.0, 900.0]
    assert then.status.tolist() == ["finished", "running", "dnf"]


def test_who_ended_later_runs() -> None:
    """Who finished after a tick is where the tick says."""
    then = at_tick(AT_60, NOW, 60)
    assert list(zip(then.competitor.tolist(), then.status.tolist(), strict=True)) == [
        (1, "running"),
        (2, "running"),
        (3, "dnf"),
    ]


def test_picture_out_of_the_past(history: History) -> None:
    """A picture has everybody at its tick in the order of then, and says where the race is by now."""
    said = body(history.picture("run_1", 75.0))
    assert (said["time"], said["end"]) == (60, 120.0)
    assert said["columns"]["competitor"] == [1, 2, 3]
    assert said["columns"]["place"] == [1, 2, 0]
    assert said["columns"]["distance"] == [3000.0, 1500.0, 900.0]


def test_beyond_the_newest_tick(history: History, store: FakeStore) -> None:
    """Nothing beyond the newest tick is asked for."""
    store.past[120] = at((2, 3000.0, "running", 120.0))
    assert body(history.picture("run_1", 9999.0))["time"] == 120


def test_asked_for_once(history: History, store: FakeStore) -> None:
    """However many play a race back, the store is asked once for each picture."""
    first = history.picture("run_1", 61.0)
    asked = len(store.asked)
    assert {history.picture("run_1", 62.0 + nth) for nth in range(5)} == {first}
    assert len(store.asked) == asked


def test_newest_tick_may_still_grow(history: History, store: FakeStore) -> None:
    """The newest tick of a race that goes on may be in the store in part: it isn't kept so."""
    store.past[120] = rows.positions([])
    assert body(history.picture("run_1", 120.0))["columns"]["competitor"] == [1, 3]
    store.past[120] = at((2, 3000.0, "running", 120.0))
    assert body(history.picture("run_1", 120.0))["columns"]["competitor"] == [1, 2, 3]


def test_another_race_with_the_run_id(store: FakeStore) -> None:
    """Of a race whose run id another one has got no picture is shown."""
    seconds = iter(range(1000))
    history = History(store, Snapshots(store, lambda: float(next(seconds))))
    before = history.picture("run_1", 60.0)
    store.known, store.past[60] = [race(interval=20.0, seed=2)], at((1, 2.0, "running", 60.0))
    assert history.picture("run_1", 60.0) != before


def test_unknown_race(history: History) -> None:
    """A race that isn't there has no past."""
    with pytest.raises(UnknownRaceError):
        history.picture("other", 1.0)


def test_what_is_kept_is_bounded(history: History, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are kept up to so many bytes; those asked for longest ago go first."""
    monkeypatch.setattr("dashboard.history.MAX_BYTES", 2 * len(history.picture("run_1", 60.0).body) + 50)
    history.picture("run_1", 100.0)
    history.picture("run_1", 60.0)
    store.past[80] = rows.positions([])
    history.picture("run_1", 80.0)
    asked = len(store.asked)
    history.picture("run_1", 60.0)
    assert len(store.asked) == asked
    history.picture("run_1", 100.0)
    assert len(store.asked) == asked + 1
