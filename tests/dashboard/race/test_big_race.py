"""A race that is shown by a sample: what it shows of all is what it would show if all were read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.race import big_race, link, snapshot
from dashboard.race.finder import MOST_BIBS, Finder
from dashboard.race.finishers import Finishers
from dashboard.race.history import History
from dashboard.race.sample import FOUND, MOST_WHOLE, SAMPLED, sample_of
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import PASSINGS_LATE_BY_S, Snapshots
from dashboard.race.standing import end_of
from dashboard.store.protocol import MAX_COMPETITORS, Every, Finishes, Positions, StoreError, Tally
from simulator.race.race import Race
from stream.results import Rank
from tests.dashboard.race.big import EMITTED, body, lines, simulated, store_at, tell
from tests.dashboard.race.test_snapshots import Clock

MOMENTS = (0.0, 300.0, 1200.0, 1800.0, 2400.0, 6000.0)
"""Race seconds: at the gun, before the first finisher, while they come in, and after the end."""
OPTIONS: dict[str, dict[str, Any]] = {
    "one wave": {},
    "waves": {"wave_size": 200, "wave_delay": 60.0, "start_flow": 5.0},
}


@pytest.fixture(params=[False, True], ids=["all listed", "few listed"], autouse=True)
def _listed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lengths of the leaderboard: longer than the race is, and much shorter."""
    if request.param:
        for module in (big_race, snapshot):
            monkeypatch.setattr(module, "LISTED", 40)
        monkeypatch.setattr(big_race, "LEADERS", 10)


@pytest.fixture(params=OPTIONS, name="simulated_race")
def _simulated_race(request: pytest.FixtureRequest) -> Race:
    """Races that differ in their starts."""
    return simulated(**OPTIONS[request.param])


def both(simulated_race: Race, time: float) -> tuple[Snapshot, Snapshot]:
    """The same race at a moment: as all of it is shown, and by a sample."""
    whole, big = (
        Snapshots(store_at(simulated_race, time, is_big=is_big), Clock()) for is_big in (False, True)
    )
    return whole.get("run_1"), big.get("run_1")


@pytest.mark.parametrize("competitors", [MOST_WHOLE + 1, 60_000, 99_999, 100_000, 500_000, MAX_COMPETITORS])
def test_size_of_a_sample(competitors: int) -> None:
    """A sample has about ten thousand members, and none of the usual steps of bibs leaves it empty."""
    sample = sample_of(competitors)
    assert sample is not None
    for step in (1, 2, 3, 5, 10, 100):
        members = sum(bib in sample for bib in range(step, competitors * step + 1, step))
        assert SAMPLED * 0.7 <= members <= SAMPLED, step


def test_races_up_to_the_limit_are_shown_whole() -> None:
    """A race of 50,000 has no sample."""
    assert sample_of(MOST_WHOLE) is None
    assert sample_of(1) is None


@pytest.mark.parametrize("time", MOMENTS)
def test_figures_are_of_all(simulated_race: Race, time: float) -> None:
    """Counts by status and in geofences, and the race's time, are those of all competitors."""
    whole, big = both(simulated_race, time)
    assert big.standing.figures == whole.standing.figures
    assert end_of(big.race, big.standing) == end_of(whole.race, whole.standing)
    for name, count in whole.standing.crowds.items():
        assert big.standing.crowds[name] == count


@pytest.mark.parametrize("time", MOMENTS)
def test_leaderboard_is_of_all(simulated_race: Race, time: float) -> None:
    """The rows of the leaderboard are the first rows of all, with places, times and splits."""
    whole, big = (body(one.packed) for one in both(simulated_race, time))
    listed = big["listed"]
    expected = lines(whole, listed)
    assert time == 0.0 or listed >= 40
    for line, right in zip(lines(big, listed), expected, strict=True):
        assert line.pop("drawn") == int(line["competitor"] % 7 == 0)
        if line["gap"] is not None and whole["status"] == "running":
            # The head of the race is that of those who are known.
            assert line.pop("gap") <= right.pop("gap") + 0.001
        assert {name: right[name] for name in line} == line


def test_leaders_who_are_read_after_the_sample(simulated_race: Race) -> None:
    """A tick that comes between two queries leaves no place out of order."""
    store = store_at(simulated_race, 600.0, is_big=True)
    front = store.front

    def later(_run_id: str, most: int) -> Positions:
        tell(store, simulated_race, 610.0)
        return front(_run_id, most)

    store.front = later  # type: ignore[method-assign]
    said = body(Snapshots(store, Clock()).get("run_1").packed)
    places = [line["place"] for line in lines(said, said["listed"])]
    assert places == sorted(places)
    assert places[0] == 1


@pytest.mark.parametrize("time", MOMENTS)
def test_places_are_exact_or_unknown(simulated_race: Race, time: float) -> None:
    """No competitor is shown with a wrong place: all finishers have theirs, others one or none."""
    whole, big = (body(one.packed) for one in both(simulated_race, time))
    places = {line["competitor"]: line["place"] for line in lines(whole)}
    statuses = big["statuses"]
    for line in lines(big):
        is_known = line["place"] == places[line["competitor"]]
        assert is_known if statuses[line["status"]] == "finished" else is_known or line["place"] == 0


def test_sample_is_the_same_at_each_tick(simulated_race: Race) -> None:
    """The competitors on the map are every seventh bib, and stay the same."""
    for time in MOMENTS:
        said = body(both(simulated_race, time)[1].packed)
        drawn = sorted(line["competitor"] for line in lines(said) if line["drawn"])
        assert drawn == list(range(7, 701, 7))


def test_names_of_all_who_are_shown(simulated_race: Race) -> None:
    """Each row has a name: those of the sample in the start list, the others in the payload."""
    _, big = both(simulated_race, 1800.0)
    said = body(big.packed)
    listed = body(big.packed_names)
    known = {*listed["competitor"], *said["people"]["competitor"]}
    assert {line["competitor"] for line in lines(said)} <= known
    assert said["names"] == listed["names"] == 100


def test_nothing_is_asked_of_all(simulated_race: Race) -> None:
    """At no tick are all positions, passings or names read; passings are read once."""
    clock = Clock()
    store = store_at(simulated_race, 600.0, is_big=True)
    watching = Snapshots(store, clock)
    watching.get("run_1")
    tell(store, simulated_race, 610.0)
    clock.now += 10.0
    watching.get("run_1")
    large = ("positions", "passings", "competitors", "mark")
    assert all(" of " in asked for asked in store.asked if asked.startswith(large))
    assert "positions of every 7" in store.asked
    assert any(asked.startswith("passings after") and asked.endswith("of every 7") for asked in store.asked)


def test_a_tick_is_read_twice(simulated_race: Race) -> None:
    """A tick is read again when the rest of it has come; after that the store is asked for little."""
    clock = Clock()
    store = store_at(simulated_race, 600.0, is_big=True)
    watching = Snapshots(store, clock, lambda: EMITTED / 1000 + 600.0 + clock.now)
    for _ in range(6):
        watching.get("run_1")
        clock.now += 1.0
    assert store.asked.count("tally") == 2
    before = watching.get("run_1")
    assert body(before.packed)["age"] == pytest.approx(clock.now, abs=1.5)
    tell(store, simulated_race, 610.0)
    clock.now += 1.0
    assert watching.get("run_1").standing is not before.standing
    assert store.asked.count("tally") == 3


def test_a_tick_that_could_not_be_read_is_read_again(simulated_race: Race) -> None:
    """A store that fails in the middle of a tick is asked for the same tick again."""
    clock = Clock()
    store = store_at(simulated_race, 600.0, is_big=True)
    watching = Snapshots(store, clock)
    for _ in range(3):
        watching.get("run_1")
        clock.now += 1.0
    tell(store, simulated_race, 610.0)
    tally = store.tally

    def failing(_run_id: str) -> Tally:
        raise StoreError("unavailable")

    store.tally = failing  # type: ignore[method-assign]
    for _ in range(4):
        with pytest.raises(StoreError):
            watching.get("run_1")
        clock.now += 1.0
    store.tally = tally  # type: ignore[method-assign]
    assert watching.get("run_1").standing.race_time == pytest.approx(610.0)


def test_change_over_a_minute(simulated_race: Race) -> None:
    """Figures have their change once they have been known for a minute."""
    clock = Clock()
    store = store_at(simulated_race, 1500.0, is_big=True)
    watching = Snapshots(store, clock)
    before = watching.get("run_1").standing
    assert before.change is None
    for seconds in range(10, 70, 10):
        tell(store, simulated_race, 1500.0 + seconds)
        clock.now += 10.0
        watching.get("run_1")
    now = watching.get("run_1").standing
    assert now.change is not None
    assert now.change.finished == now.figures.finished - before.figures.finished > 0


def test_finisher_whose_event_was_late(simulated_race: Race) -> None:
    """A finish that was emitted long before others and comes after them counts at once."""
    store = store_at(simulated_race, 1800.0, is_big=True)
    record, everyone = store.known[0], store.now
    late = int(everyone.competitor[everyone.status == "finished"][3])
    finishers = Finishers(store, "run_1", Clock())
    store.now = everyone.take(everyone.competitor != late)
    finishers.read(record, store.tally("run_1"))
    finishes = store.finishes

    def of_new_ones(run_id: str, bibs: range, after_ms: int = 0) -> Finishes:
        return finishes(run_id, range(0) if after_ms else bibs, after_ms)

    store.finishes = of_new_ones  # type: ignore[method-assign, assignment]
    store.now = everyone
    for _ in range(2):
        finishers.read(record, store.tally("run_1"))
    assert len(finishers) == store.tally("run_1").count("finished")
    assert finishers.places(np.array([late]))[0] > 0


def test_finishers_that_come_in_one_after_the_other(simulated_race: Race) -> None:
    """A race that is watched from the gun has the same finishers as one that is opened at its end."""
    clock = Clock()
    store = store_at(simulated_race, 0.0, is_big=True)
    watching = Snapshots(store, clock)
    for time in range(0, 6001, 200):
        tell(store, simulated_race, float(time))
        clock.now += 20.0
        watching.get("run_1")
    opened = Snapshots(store_at(simulated_race, 6000.0, is_big=True), Clock())
    ranks: tuple[Rank, ...] = ("gun", "chip")
    for rank in ranks:
        watched, late = (one.results("run_1", rank) for one in (watching, opened))
        assert watched.results.bib.tolist() == late.results.bib.tolist()
        assert watched.times.tolist() == late.times.tolist()


@pytest.mark.parametrize("rank", ["gun", "chip"])
@pytest.mark.parametrize("time", [1800.0, 6000.0])
def test_results_of_the_finishers(simulated_race: Race, time: float, rank: Any) -> None:
    """The finish list has the finishers with places, times, gaps and splits, and the counts are of all."""
    whole, big = (
        Snapshots(store_at(simulated_race, time, is_big=is_big), Clock()).results("run_1", rank)
        for is_big in (False, True)
    )
    right, found = whole.results, big.results
    n = int(right.finished.sum())
    assert found.bib.tolist() == right.bib[:n].tolist()
    assert found.place.tolist() == right.place[:n].tolist()
    for name in ("gun", "chip", "gap", "distance", "splits"):
        np.testing.assert_allclose(getattr(found, name), getattr(right, name)[:n], atol=1e-6)
    assert found.split_names == right.split_names
    assert big.times.tolist() == whole.times.tolist() == sorted(whole.times.tolist())
    for status in ("finished", "dnf", "dns", "dsq", "running"):
        assert big.count(status) == whole.count(status)
    said = body(big.packed)
    assert said["of"] == n
    assert set(said["people"]["competitor"]) == set(found.bib.tolist())
    assert len(big.field) == 100


def test_finish_list_has_a_limit(simulated_race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finish list has the first finishers only; the times of all are known."""
    monkeypatch.setattr(big_race, "MOST_WHOLE", 25)
    found = Snapshots(store_at(simulated_race, 6000.0, is_big=True), Clock()).results("run_1", "chip")
    right = Snapshots(store_at(simulated_race, 6000.0, is_big=False), Clock()).results("run_1", "chip")
    assert found.results.bib.tolist() == right.results.bib[:25].tolist()
    assert len(found.times) == len(right.times) > 25


def test_splits_that_come_after_the_finish(simulated_race: Race) -> None:
    """Passings are read again until a finisher's finish is among them."""
    clock = Clock()
    store = store_at(simulated_race, 1800.0, is_big=True)
    passed, store.passed = store.passed, []
    watching = Snapshots(store, clock)
    assert watching.results("run_1").results.splits.size == 0
    store.passed = passed
    tell(store, simulated_race, 1810.0)
    clock.now += 10.0
    found = watching.results("run_1").results
    right = Snapshots(store_at(simulated_race, 1810.0, is_big=False), Clock()).results("run_1").results
    np.testing.assert_allclose(found.splits, right.splits[: len(found)], atol=1e-6)


def test_final_results_are_read_once_more(simulated_race: Race) -> None:
    """Finishes and passings that came late are there when the race is over."""
    clock = Clock()
    store = store_at(simulated_race, 6000.0, is_big=True)
    passed, store.passed = store.passed, [one for one in store.passed if one[1] != "split"]
    watching = Snapshots(store, clock)
    assert watching.results("run_1").results.splits.size == 0
    store.passed = passed
    for seconds in (1.0, PASSINGS_LATE_BY_S):
        clock.now += seconds
        (record,) = store.known
        store.known = [type(record)(**{**vars(record), "status": "finished"})]
        watching.results("run_1")
    found = watching.results("run_1")
    assert found.snapshot.is_final
    right = Snapshots(store_at(simulated_race, 6000.0, is_big=False), Clock()).results("run_1")
    np.testing.assert_allclose(found.results.splits, right.results.splits[: len(found.results)], atol=1e-6)


@pytest.mark.parametrize("time", [600.0, 1800.0, 6000.0])
def test_search_in_the_whole_race(simulated_race: Race, time: float) -> None:
    """A bib or a name that is not in the sample is found with its exact place, times and gap."""
    store = store_at(simulated_race, time, is_big=True)
    watching = Snapshots(store, Clock())
    finder = Finder(store, watching)
    whole, _ = both(simulated_race, time)
    right = {line["competitor"]: line for line in lines(body(whole.packed))}
    name = store.names[500].name
    for asked, bibs in ((("500",), [500]), ((name,), [500]), (("", [3, 500, 9999]), [3, 500])):
        found = finder.payload("run_1", *asked)
        assert found is not None
        said = body(found)
        by_bib = {line["competitor"]: line for line in lines(said)}
        assert set(bibs) <= by_bib.keys()
        for line in by_bib.values():
            expected = right[line["competitor"]]
            gap, exact_gap = line.pop("gap"), expected["gap"]
            assert (gap is None) == (exact_gap is None)
            assert gap is None or gap <= exact_gap + 0.001
            assert {column: expected[column] for column in line} == line
        assert name in said["people"]["name"] or bibs != [500]


def test_search_that_finds_many(simulated_race: Race) -> None:
    """The first ten by bib are found, and that there are more is said; twenty bibs are looked up at once."""
    store = store_at(simulated_race, 600.0, is_big=True)
    finder = Finder(store, Snapshots(store, Clock()))
    store.names = {bib: replace(who, name="Ann", club="") for bib, who in store.names.items()}

    def found(text: str, bibs: Sequence[int] = ()) -> tuple[list[int], bool]:
        packed = finder.payload("run_1", text, bibs)
        assert packed is not None
        said = body(packed)
        return sorted(said["columns"]["competitor"]), said["more"]

    assert found("ann") == (list(range(1, FOUND + 1)), True)
    assert found("", range(1, 30)) == (list(range(1, MOST_BIBS + 1)), False)
    assert MOST_BIBS == link.MAX_FAVOURITES


def test_search_without_a_match(simulated_race: Race) -> None:
    """A search without a match has no rows, and a race that is shown whole has nothing to look up."""
    store = store_at(simulated_race, 600.0, is_big=True)
    found = Finder(store, Snapshots(store, Clock())).payload("run_1", "no such name")
    assert found is not None
    assert lines(body(found)) == []
    whole = store_at(simulated_race, 600.0, is_big=False)
    assert Finder(whole, Snapshots(whole, Clock())).payload("run_1", "500") is None


def test_past_moments_show_the_sample(simulated_race: Race) -> None:
    """A moment of the past has the sample's members and no places."""
    store = store_at(simulated_race, 1800.0, is_big=True)
    earlier = store_at(simulated_race, 600.0, is_big=True)
    store.past = {600: earlier.now}
    said = body(History(store, Snapshots(store, Clock())).payload("run_1", 600.0))
    right = earlier.now.take(Every(7).mask(earlier.now.competitor))
    by_bib = {line["competitor"]: line for line in lines(said)}
    assert sorted(by_bib) == right.competitor.tolist()
    for bib, distance in zip(right.competitor.tolist(), right.distance.tolist(), strict=True):
        assert by_bib[bib]["distance"] == pytest.approx(distance, abs=0.051)
        assert by_bib[bib]["place"] == 0
