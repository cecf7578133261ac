"""Who comes next: checked against a simulated race, whose next arrivals are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.race import coming as module
from dashboard.race.coming import NEXT, Coming, chosen, coming, labels
from dashboard.race.forecasts import Forecaster
from dashboard.race.snapshots import Snapshots
from dashboard.store import rows
from dashboard.store.protocol import StoreError
from simulator.race.race import BEFORE_THE_START, Race
from stream.courses import TimingPoint
from stream.results import Rank
from tests.dashboard.fakes import FakeStore
from tests.dashboard.race.big import simulated, store_at, tell
from tests.dashboard.race.test_snapshots import Clock

NOW = 1200.0
"""Race seconds while competitors are everywhere."""
SOON = 60.0


@pytest.fixture(scope="module", name="simulated_race")
def _simulated_race() -> Race:
    """A race with two waves."""
    return simulated(wave_size=350, wave_delay=60.0, start_flow=5.0)


class Board:
    """A race at a moment, and who comes next in it."""

    def __init__(self, simulated_race: Race, time: float, **options: Any) -> None:
        self.race = simulated_race
        self.clock = Clock()
        self.store: FakeStore = store_at(simulated_race, time, is_big=options.get("is_big", False))
        self.snapshots = Snapshots(self.store, self.clock)
        self.forecaster = Forecaster(self.snapshots, self.clock)

    def next(self, label: str = "", rank: Rank = "gun") -> list[Coming]:
        """Who comes next at the point with this label."""
        forecasts = self.forecaster.get("run_1")
        times = self.snapshots.honours("run_1", rank).honours.times
        newest = self.snapshots.with_passings("run_1")
        return coming(forecasts, newest, chosen(forecasts.points, label), rank, times)

    def arrivals(self, name: str) -> dict[int, float]:
        """The race seconds of all passings of a point, by bib."""
        found = self.race.passings(BEFORE_THE_START, 1e6)
        named = np.array([point.name == name for point in self.race.points])
        some = named[found.point]
        bibs = self.race.entrants.bib[found.who[some]]
        return dict(zip(bibs.tolist(), found.elapsed[some].tolist(), strict=True))


@pytest.mark.parametrize(("label", "name"), [("", "Finish"), ("3 km", "3 km"), ("4 km", "4 km")])
def test_next_ones_arrive_soon(simulated_race: Race, label: str, name: str) -> None:
    """Those listed have not passed the point, most of them arrive soon, and few who do are missing."""
    board = Board(simulated_race, NOW)
    found, truth = board.next(label), board.arrivals(name)
    assert len(found) == NEXT
    middles = [one.there[1] for one in found]
    assert middles == sorted(middles)
    assert all(one.there[0] <= one.there[1] <= one.there[2] for one in found)
    assert all(truth.get(one.bib, np.inf) > NOW for one in found)
    errors = [abs(truth[one.bib] - one.there[1]) for one in found if one.bib in truth]
    assert np.median(errors) < 0.1 * SOON
    really = sorted((time, bib) for bib, time in truth.items() if time > NOW)[: NEXT // 2]
    assert sum(bib in {one.bib for one in found} for _, bib in really) >= NEXT // 2 - 1


@pytest.mark.parametrize("rank", ["gun", "chip"])
@pytest.mark.parametrize("name", ["Finish", "3 km"])
def test_expected_places(simulated_race: Race, name: str, rank: Rank) -> None:
    """The expected place is about the place that the competitor gets there."""
    board = Board(simulated_race, NOW)
    truth = board.arrivals(name)
    zero = dict(zip(simulated_race.entrants.bib.tolist(), simulated_race.field.start.tolist(), strict=True))
    if rank == "gun":
        waves = simulated_race.entrants.wave
        zero = dict(zip(simulated_race.entrants.bib.tolist(), (60.0 * (waves - 1)).tolist(), strict=True))
    own = {bib: time - zero[bib] for bib, time in truth.items()}
    off = []
    for one in board.next("" if name == "Finish" else name, rank):
        assert one.place is not None
        if one.bib in own:
            off.append(abs(one.place - 1 - sum(time < own[one.bib] for time in own.values())))
    assert np.median(off) <= 0.03 * len(own)


def test_who_has_passed_meanwhile_is_left_out(simulated_race: Race) -> None:
    """One who arrives before the next forecasts is no longer listed, by the mat or by the status."""
    board = Board(simulated_race, NOW)
    first = board.next("3 km")[0].bib
    before = board.forecaster.get("run_1")
    tell(board.store, simulated_race, NOW + SOON)
    board.clock.now += 1.0
    board.snapshots.get("run_1")
    assert board.forecaster.get("run_1") is before
    assert first not in {one.bib for one in board.next("3 km")}
    finisher = board.next()[0].bib
    bib = board.store.now.competitor == finisher
    board.store.now = replace(board.store.now, status=np.where(bib, "dsq", board.store.now.status))
    board.clock.now += 0.9
    board.snapshots.get("run_1")
    assert finisher not in {one.bib for one in board.next()}


def test_large_race(simulated_race: Race) -> None:
    """Of a race shown by a sample, the first on the course are all known: they are the next to finish."""
    whole, big = Board(simulated_race, NOW), Board(simulated_race, NOW, is_big=True)
    seen = {one.bib for one in big.next()}
    assert len(seen & {one.bib for one in whole.next()}) >= NEXT // 2
    # With waves, those who finish later can still be placed before them.
    assert {one.place for one in big.next()} == {None}


def test_nearest(simulated_race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the nearest before a point are forecast there; those are the ones who arrive first."""
    board = Board(simulated_race, NOW)
    everyone = [one.bib for one in board.next("4 km")]
    monkeypatch.setattr(module, "NEAREST", 40)
    assert [one.bib for one in board.next("4 km")][:5] == everyone[:5]


def test_empty_course(simulated_race: Race) -> None:
    """Before the start and after the end, no one comes."""
    board = Board(simulated_race, 6000.0)
    assert board.next() == []
    board.store.now = rows.positions([])
    assert Board(simulated_race, 0.0).next("3 km") == []


def test_store_away(simulated_race: Race) -> None:
    """A store that cannot be read is reported."""
    board = Board(simulated_race, NOW)
    board.store.failure = StoreError("away")
    with pytest.raises(StoreError, match="away"):
        board.next()


def test_labels() -> None:
    """Each point has a label of its own, the finish is chosen by default, and where a label is unknown."""
    points = (
        TimingPoint(1000.0, "split", "1 km", 1),
        TimingPoint(1500.0, "enter", "Bridge", 1),
        TimingPoint(1600.0, "exit", "Bridge", 1),
        TimingPoint(2500.0, "enter", "Bridge", 2),
        TimingPoint(5000.0, "finish", "Finish", 1),
    )
    named = labels(points)
    assert named == ("1 km", "Bridge · entry", "Bridge · exit", "Bridge · entry (2)", "Finish")
    assert [chosen(points, label) for label in (*named, "", "9 km")] == [0, 1, 2, 3, 4, 4, 4]
