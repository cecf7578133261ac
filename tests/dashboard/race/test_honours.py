"""What an announcer says of the finish of a race, and that it is the same of a race shown by a sample."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.race import big_race, honours
from dashboard.race.honours import Decided, Honours
from dashboard.race.podiums import STEPS
from dashboard.race.snapshots import PASSINGS_LATE_BY_S, Snapshots
from dashboard.store.protocol import Competitor
from simulator.race.race import Race
from stream import results
from stream.results import Rank
from tests.dashboard.fakes import FakeStore, at, race
from tests.dashboard.race.big import CLAIMED, COMPETITORS, simulated, store_at
from tests.dashboard.race.test_snapshots import Clock

MOMENTS = (0.0, 900.0, 1200.0, 1500.0, 1800.0, 2400.0, 6000.0)
"""Race seconds: at the gun, before the first finisher, while they come in, and after the end."""
WAVES = {"wave_size": 200, "wave_delay": 60.0, "start_flow": 5.0}
OPTIONS: dict[str, dict[str, Any]] = {"one wave": {}, "waves": WAVES}


@pytest.fixture(autouse=True)
def _whole_start_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start list of a large race is there: it is as long as the race says, though it is shorter here."""
    monkeypatch.setattr(FakeStore, "count_competitors", lambda *_: CLAIMED)


@pytest.fixture(params=OPTIONS, name="simulated_race", scope="module")
def _simulated_race(request: pytest.FixtureRequest) -> Race:
    """Races that differ in their starts."""
    return simulated(**OPTIONS[request.param])


def of(simulated_race: Race, time: float, rank: Rank = "gun", *, is_big: bool = False) -> Honours:
    """What is said at a moment."""
    return Snapshots(store_at(simulated_race, time, is_big=is_big), Clock()).honours("run_1", rank).honours


def podiums(said: Honours) -> Mapping[tuple[str, str], Decided]:
    """The decided podiums by group."""
    return {(one.kind, one.name): one for one in said.decided}


def final_places(simulated_race: Race, rank: Rank) -> dict[tuple[str, str], list[int]]:
    """The bibs of the first three of each sex and category, by the results' own rules."""
    entrants = list(simulated_race.entrants.some(0, COMPETITORS))
    finish, field = simulated_race.finish_times, simulated_race.field
    zero = results.wave_guns(simulated_race.entrants.wave, simulated_race.request.wave_delay)
    if rank == "chip":
        zero = field.start
    status = np.where(np.isfinite(finish), "finished", "dnf")
    status[np.isfinite(field.disqualified_at)] = "dsq"
    time = results.since(np.where(np.isfinite(finish), finish, 1e9), np.where(np.isfinite(zero), zero, 0.0))
    found = {}
    for kind, names in (
        ("sex", [one.sex for one in entrants]),
        ("category", [one.category for one in entrants]),
    ):
        standings = results.stand(simulated_race.entrants.bib, status, time, time, names)
        for name in set(names):
            members = [nth for nth in standings.order.tolist() if names[nth] == name and standings.place[nth]]
            found[kind, name] = [
                entrants[nth].bib for nth in members if standings.category_place[nth] <= STEPS
            ]
    return found


@pytest.mark.parametrize("rank", ["gun", "chip"])
@pytest.mark.parametrize("time", MOMENTS)
def test_decided_podiums_are_final(simulated_race: Race, time: float, rank: Rank) -> None:
    """What is decided during a race is its final result, unless a verdict has changed that."""
    final = final_places(simulated_race, rank)
    disqualified = set(
        simulated_race.entrants.bib[np.isfinite(simulated_race.field.disqualified_at)].tolist()
    )
    decided = podiums(of(simulated_race, time, rank))
    for group, podium in decided.items():
        bibs = [step.bib for step in podium.steps]
        assert bibs == final[group] or disqualified & set(bibs), group
    if time == MOMENTS[-1]:
        assert decided.keys() == {group for group, bibs in final.items() if bibs}


def test_podiums_are_decided_during_the_race(simulated_race: Race) -> None:
    """The women's and the men's are decided long before the last finisher, the newest decision first."""
    said = of(simulated_race, 1800.0)
    assert {("sex", "F"), ("sex", "M")} <= podiums(said).keys()
    assert 0 < said.undecided < len(podiums(of(simulated_race, 6000.0)))
    moments = [one.at for one in said.decided]
    assert moments == sorted(moments, reverse=True)
    assert moments[0] <= 1800.0


@pytest.mark.parametrize("time", MOMENTS)
@pytest.mark.parametrize("listed", [40, 1000])
def test_large_race(simulated_race: Race, time: float, listed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a race shown by a sample, finishers are those of the whole race, and no podium is another one."""
    monkeypatch.setattr(big_race, "LISTED", listed)
    monkeypatch.setattr(big_race, "UNSEEN_S", 0.0)
    whole, big = of(simulated_race, time), of(simulated_race, time, is_big=True)
    without_category = [one._replace(category_place=None) for one in whole.newest]
    assert [one._replace(category_place=None) for one in big.newest] == without_category
    for one, exact in zip(big.newest, whole.newest, strict=True):
        assert one.category_place == (exact.category_place if one.place <= listed else None)
    assert big.competitors.keys() >= {one.bib for one in big.newest}
    known = podiums(whole)
    for group, podium in podiums(big).items():
        assert podium.steps == known[group].steps
        assert podium.of is None
    if time == 1800.0:
        assert ("sex", "M") in podiums(big)


def test_large_race_decides_when_finishes_cannot_be_on_their_way(simulated_race: Race) -> None:
    """Of a large race, a decision waits until a late finish would have arrived."""
    third = podiums(of(simulated_race, 6000.0))["sex", "M"].steps[-1].time
    last_gun = float(results.wave_guns(simulated_race.entrants.wave, simulated_race.request.wave_delay).max())
    for wait, is_decided in ((-20.0, False), (20.0, True)):
        time = round((third + last_gun + big_race.UNSEEN_S + PASSINGS_LATE_BY_S + wait) / 10) * 10
        assert (("sex", "M") in podiums(of(simulated_race, time, is_big=True))) == is_decided


def test_part_of_a_large_race_that_is_behind(simulated_race: Race) -> None:
    """While one part of a large race is published late, its finishes are unknown, and nothing is decided."""
    store = store_at(simulated_race, 2400.0, is_big=True)
    assert ("sex", "M") in podiums(Snapshots(store, Clock()).honours("run_1").honours)
    now = store.now
    # Of its second half, nothing has come since the tenth minute.
    is_late = (now.competitor > COMPETITORS / 2) & (now.elapsed > 600.0)
    status, elapsed = np.where(is_late, "running", now.status), np.where(is_late, 600.0, now.elapsed)
    store.now = replace(now, status=status, elapsed=elapsed)
    assert ("sex", "M") not in podiums(Snapshots(store, Clock()).honours("run_1").honours)


def test_newest_finishers_have_the_places_of_the_results(simulated_race: Race) -> None:
    """Those who finished last come first, with the places that the results have at that moment."""
    said = of(simulated_race, 1500.0)
    assert len(said.newest) == honours.NEWEST
    moments = [one.at for one in said.newest]
    assert moments == sorted(moments, reverse=True)
    whole = store_at(simulated_race, 1500.0, is_big=False)
    found = Snapshots(whole, Clock()).results("run_1").results
    for one in said.newest:
        assert one.place == found.place[found.bib == one.bib][0]


def test_nothing_is_decided_without_the_whole_start_list() -> None:
    """While part of the start list is missing, anyone may still belong to a group."""
    store = FakeStore(known=[race(competitors=3)], now=at((1, 5000.0, "finished", 900.0)))
    store.names = {1: Competitor("Ann", "W40", 1, sex="F")}
    said = Snapshots(store, Clock()).honours("run_1").honours
    assert (said.decided, [one.bib for one in said.newest]) == ([], [1])
    store.known = [race(competitors=1)]
    assert {one.name for one in Snapshots(store, Clock()).honours("run_1").honours.decided} == {"F", "W40"}


def test_start_list_without_sexes() -> None:
    """Without sexes there is one overall podium; competitors without a category are in no other one."""
    store = FakeStore(known=[race(competitors=2)])
    store.now = at((1, 5000.0, "finished", 900.0), (2, 5000.0, "finished", 800.0))
    store.names = {1: Competitor("Ann", "", 1), 2: Competitor("Bo", "", 1)}
    (one,) = Snapshots(store, Clock()).honours("run_1").honours.decided
    assert (one.kind, [step.bib for step in one.steps], one.of) == ("all", [2, 1], 2)


def test_computed_once_for_all_viewers() -> None:
    """As long as nothing has changed, it is the same answer; another finish makes another one."""
    clock = Clock()
    store = FakeStore(known=[race()], now=at((1, 4000.0, "running", 880.0), (2, 5000.0, "finished", 800.0)))
    store.names = {1: Competitor("Ann", "W40", 1), 2: Competitor("Bo", "M40", 1)}
    snapshots = Snapshots(store, clock)
    first = snapshots.honours("run_1").honours
    assert snapshots.honours("run_1").honours is first
    store.now = at((1, 5000.0, "finished", 900.0), (2, 5000.0, "finished", 800.0))
    clock.now += 1.0
    assert [one.bib for one in snapshots.honours("run_1").honours.newest] == [1, 2]


def test_most_podiums(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest podiums are listed, as many as the limit says; the names are those of all who are listed."""
    monkeypatch.setattr(honours, "MOST_PODIUMS", 3)
    n = 5
    store = FakeStore(known=[race(competitors=n)])
    store.now = at(*((bib, 5000.0, "finished", 900.0 + bib) for bib in range(1, n + 1)))
    store.names = {bib: Competitor(f"Runner {bib}", f"Class {bib}", 1) for bib in range(1, n + 1)}
    said = Snapshots(store, Clock()).honours("run_1").honours
    # The overall podium was decided with the third of them.
    assert [one.name for one in said.decided] == ["Class 5", "Class 4", ""]
    assert set(said.competitors) == set(range(1, n + 1))
