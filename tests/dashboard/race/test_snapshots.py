import threading
from dataclasses import replace

import pytest

from dashboard.race.snapshots import (
    FORGOTTEN_AFTER_S,
    LOADING_FOR_S,
    MISSING_FRESH_FOR_S,
    PASSINGS_LATE_BY_S,
    WATCHED_FOR_S,
    Snapshots,
    UnknownRaceError,
)
from dashboard.race.split_times import Stay
from dashboard.store import rows
from dashboard.store.protocol import Competitor, Positions, StoreError
from tests.dashboard.fakes import COURSE, EMITTED, FakeStore, at, positions, race


class Clock:
    """A clock that is advanced by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return seconds."""
        return self.now


@pytest.fixture
def store() -> FakeStore:
    """A store with one race."""
    return FakeStore(known=[race()])


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def snapshots(store: FakeStore, clock: Clock) -> Snapshots:
    """Snapshots of the store by the clock."""
    return Snapshots(store, clock, lambda: 1_000_000.0 + clock.now)


def test_store_is_asked_once_for_all(snapshots: Snapshots, store: FakeStore) -> None:
    """However many requests in a second, the store is queried once and all get the same snapshot."""
    payloads = {id(snapshots.get("run_1")) for _ in range(20)}
    assert len(payloads) == 1
    assert store.asked.count("positions") == 1


def test_final_results_are_read_once(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """The results of a finished race are computed once, unless its run id is reused."""
    store.known = [race(status="finished")]
    store.names = {bib: Competitor("A", "M", 1) for bib in (1, 2)}
    snapshots.results("run_1")
    clock.now += PASSINGS_LATE_BY_S
    final = snapshots.results("run_1")
    assert final.snapshot.is_final
    asked = store.asked.count("positions")
    clock.now += 3600.0
    assert snapshots.results("run_1") is final
    assert store.asked.count("positions") == asked
    store.known = [race(status="finished", updated_at=2000)]
    clock.now += 3600.0
    assert snapshots.results("run_1").snapshot.race.updated_at == 2000


def test_names_that_come_after_the_end(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """Names that come late get into the results of a race that is over."""
    store.known = [race(status="finished")]
    snapshots.results("run_1")
    clock.now += PASSINGS_LATE_BY_S
    assert snapshots.results("run_1").snapshot.is_final
    store.names = {bib: Competitor("A", "M", 1) for bib in (1, 2)}
    clock.now += MISSING_FRESH_FOR_S
    assert snapshots.results("run_1").snapshot.competitors == store.names


def test_new_payload_every_second(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A request after a second gets a new snapshot; the course isn't queried again."""
    snapshots.get("run_1")
    store.now = positions(distance=200.0)
    clock.now += 1.0
    assert snapshots.get("run_1").positions.distance.tolist() == [200.0, 200.0]
    assert store.asked.count("course") == 1


def test_fresh_asks_nothing(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """`fresh` returns only what needs no query."""
    assert snapshots.fresh("run_1") is None
    taken = snapshots.get("run_1")
    assert snapshots.fresh("run_1") is taken
    clock.now += 1.0
    assert snapshots.fresh("run_1") is None
    assert store.asked.count("race") == 1


def test_a_slow_query_delays_no_other_viewer(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """While one thread takes a new snapshot, the others use the last one."""
    last = snapshots.get("run_1")
    clock.now += 1.0
    asking, answer = threading.Event(), threading.Event()

    def slow(*_asked: object) -> object:
        asking.set()
        assert answer.wait(10)
        return positions(distance=300.0)

    store.positions = slow  # type: ignore[method-assign, assignment]
    first = threading.Thread(target=snapshots.get, args=("run_1",))
    first.start()
    assert asking.wait(10)
    assert snapshots.get("run_1") is last
    answer.set()
    first.join()
    assert snapshots.get("run_1").positions.distance[0] == 300.0


def test_unknown_race(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A race that isn't there is an error until it is there."""
    with pytest.raises(UnknownRaceError):
        snapshots.get("later")
    store.known.append(race("later"))
    clock.now += 1.0
    assert snapshots.get("later").race.run_id == "later"


def test_store_unavailable_and_back(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A failing store is also queried once a second, and a new snapshot follows its recovery."""
    last = snapshots.get("run_1")
    clock.now += 1.0
    store.failure = StoreError("unavailable")
    asked = len(store.asked)
    for _ in range(5):
        with pytest.raises(StoreError, match="unavailable"):
            snapshots.get("run_1")
        assert snapshots.fresh("run_1") is None
    assert len(store.asked) == asked + 1
    store.failure = None
    clock.now += 1.0
    assert snapshots.get("run_1") is not last


def test_last_payload(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """While the store is unavailable there is the last snapshot, and the last list of races."""
    assert snapshots.last("run_1") is None
    last = snapshots.get("run_1")
    races = snapshots.races()
    store.failure = StoreError("unavailable")
    clock.now += 3600.0
    with pytest.raises(StoreError):
        snapshots.get("run_1")
    assert snapshots.last("run_1") is last
    assert snapshots.races() == races


@pytest.mark.parametrize("found", ["no race", "empty", "less"])
def test_store_that_is_loading(snapshots: Snapshots, store: FakeStore, clock: Clock, found: str) -> None:
    """A store that has less of a race than before is loading; if this lasts, the data is taken to be lost."""
    last = snapshots.get("run_1")
    known, full = store.known, store.now
    less = rows.positions([]) if found == "empty" else replace(full, newest_emitted=EMITTED - 1)

    def restart() -> None:
        store.known, store.now = [] if found == "no race" else known, less

    restart()
    for _ in range(3):
        clock.now += LOADING_FOR_S / 4
        with pytest.raises(StoreError, match="still loading"):
            snapshots.get("run_1")
        assert snapshots.last("run_1") is last
    store.known, store.now = known, full
    clock.now += 1.0
    assert snapshots.get("run_1").positions is full
    restart()
    clock.now += 1.0
    with pytest.raises(StoreError, match="still loading"):
        snapshots.get("run_1")
    clock.now += LOADING_FOR_S
    if found == "no race":
        with pytest.raises(UnknownRaceError):
            snapshots.get("run_1")
    else:
        assert snapshots.get("run_1").positions is less


def test_course_of_a_store_that_is_loading(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A course that has been seen stays, although the store has none just now."""
    snapshots.get("run_1")
    store.courses = []
    clock.now += 60.0
    assert snapshots.get("run_1").course is COURSE


def test_names_that_come_late(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """Names are queried until all competitors have one, but not every second."""
    assert snapshots.get("run_1").competitors == {}
    store.names = {bib: Competitor(f"Runner {bib}", "", 1) for bib in (1, 2)}
    clock.now += 1.0
    assert snapshots.get("run_1").competitors == {}
    clock.now += 10.0
    assert snapshots.get("run_1").competitors == store.names
    clock.now += 10.0
    snapshots.get("run_1")
    assert store.asked.count("competitors") == 2


def test_version_follows_what_is_seen(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """The feed's version changes with the positions, and only then."""
    versions = [snapshots.get("run_1").packed.version]
    clock.now += 1.0
    versions.append(snapshots.get("run_1").packed.version)
    store.now = positions(distance=101.0)
    clock.now += 1.0
    versions.append(snapshots.get("run_1").packed.version)
    assert versions[0] == versions[1] != versions[2]


def test_races_are_shared(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """The list of races is queried once for all viewers within two seconds."""
    for _ in range(5):
        assert [known.run_id for known in snapshots.races()] == ["run_1"]
    clock.now += 2.0
    snapshots.races()
    assert store.asked.count("races") == 2


def test_races_of_an_unavailable_store(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A store that fails to list the races isn't queried by every viewer, and is retried later."""
    store.failure = StoreError("unavailable")
    for _ in range(5):
        with pytest.raises(StoreError, match="unavailable"):
            snapshots.races()
    assert store.asked == ["races"]
    store.failure = None
    clock.now += 2.0
    assert [known.run_id for known in snapshots.races()] == ["run_1"]


def test_course_is_read_again(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A missing course is queried periodically, and a replaced one is seen."""
    store.courses = []
    assert snapshots.get("run_1").course is None
    store.courses = [COURSE]
    clock.now += 10.0
    assert snapshots.get("run_1").course is COURSE
    replaced = replace(COURSE, distance=5100.0)
    store.courses = [replaced]
    clock.now += 60.0
    assert snapshots.get("run_1").course is replaced
    assert store.asked.count("course") == 3


@pytest.mark.parametrize(
    "elsewhere", [positions(at=(1.0, 51.0)), positions(distance=5200.0)], ids=["off the line", "too far"]
)
def test_race_on_another_line(
    snapshots: Snapshots, store: FakeStore, clock: Clock, elsewhere: Positions
) -> None:
    """A race that turns out to be run on another line than the store's course is measured by none."""
    assert snapshots.get("run_1").course is COURSE
    store.now = elsewhere
    clock.now += 1.0
    seen = snapshots.get("run_1")
    assert seen.course is None
    store.now = positions()
    clock.now += 1.0
    assert snapshots.get("run_1").course is None


def test_few_races_are_kept(snapshots: Snapshots, store: FakeStore) -> None:
    """Snapshots of many races don't accumulate: the least recently requested are dropped."""
    store.known = [race(f"run_{number}") for number in range(100)]
    for known in store.known:
        snapshots.get(known.run_id)
    assert snapshots.fresh("run_0") is None
    assert snapshots.fresh("run_99") is not None


def test_forget_races_without_viewers(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """A wall goes from race to race: those without viewers for a while are dropped at the next one."""
    store.known = [race(f"run_{number}") for number in range(4)]
    snapshots.get("run_0")
    snapshots.get("run_1")
    clock.now += WATCHED_FOR_S
    snapshots.get("run_1")
    snapshots.get("run_2")
    assert [snapshots.last(one.run_id) is not None for one in store.known] == [False, True, True, False]


def test_passings_are_read_once(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """All passings are read at first, then those that are new, with a margin for those that come late."""
    store.passed = [(1, "enter", "The climb", 1, 90.0, 50.0)]
    assert snapshots.get("run_1").standing.inside == {"The climb": [Stay(1, 50.0)]}
    store.passed += [(1, "exit", "The climb", 1, 99.0, 60.0), (2, "enter", "The climb", 1, 90.0, 45.0)]
    clock.now += 1.0
    assert snapshots.get("run_1").standing.inside == {"The climb": [Stay(2, 45.0)]}
    assert [asked for asked in store.asked if "passings" in asked] == ["passings", "passings after 40000"]


def test_passings_at_the_end(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """When a race is over its passings are counted when all have come, and never read again."""
    store.passed = [(1, "start", "Start", 1, 0.0, 0.0)]
    snapshots.get("run_1")
    store.known = [race(status="finished")]
    for _ in range(30):
        clock.now += 1.0
        snapshots.get("run_1")
    asked = [asked for asked in store.asked if "passings" in asked]
    assert (asked.count("passings"), asked.count("count_passings"), len(asked)) == (1, 1, 12)


def test_late_passings_at_the_end(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """Passings that came too late for the margin are there at the end: if some are missing all are read."""
    store.passed = [(1, "finish", "Finish", 1, 5000.0, 900.0)]
    snapshots.get("run_1")
    store.passed += [(1, "start", "Start", 1, 0.0, 12.0)]
    store.known = [race(status="finished")]
    clock.now += 1.0
    assert snapshots.get("run_1").standing.starts.tolist() == [0.0, 0.0]
    clock.now += PASSINGS_LATE_BY_S
    assert snapshots.get("run_1").standing.starts.tolist() == [12.0, 0.0]
    assert store.asked.count("passings") == 2


def test_change_over_a_minute(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """Figures are compared with those of a minute ago, however long the race has been watched."""
    # One finishes each second.
    store.passed = [(second, "finish", "Finish", 1, 5000.0, float(second)) for second in range(1, 601)]
    change = None
    for second in range(100):
        store.now = at((1, 1000.0 + second, "running", 500.0 + second))
        change = snapshots.get("run_1").standing.change
        clock.now += 1.0
    assert change is not None
    assert change.finished == pytest.approx(60, abs=FORGOTTEN_AFTER_S)


def test_change_before_the_first_viewer(snapshots: Snapshots, store: FakeStore) -> None:
    """A late first viewer sees the change over the last minute all the same."""
    store.known = [race(speed=2.0)]
    store.now = at((1, 1000.0, "running", 500.0))
    store.passed = [(bib, "finish", "Finish", 1, 5000.0, 379.0 + bib) for bib in (1, 2, 3)]
    change = snapshots.get("run_1").standing.change
    assert change is not None
    assert change.finished == 2


def test_no_viewer_for_long(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """An old snapshot isn't taken for one of a minute ago."""
    store.now = at((1, 100.0, "running", 50.0))
    snapshots.get("run_1")
    store.now = at((1, 1000.0, "running", 500.0))
    store.passed = [(bib, "finish", "Finish", 1, 5000.0, 439.0 + bib) for bib in (1, 2, 3)]
    clock.now += 450.0
    change = snapshots.get("run_1").standing.change
    assert change is not None
    assert change.finished == 2


def test_change_is_none_when_it_is_over(snapshots: Snapshots, store: FakeStore) -> None:
    """A race that is over changes no more."""
    store.known = [race(status="finished")]
    assert snapshots.get("run_1").standing.change is None


def test_another_race_with_the_run_id(snapshots: Snapshots, store: FakeStore, clock: Clock) -> None:
    """When a run id is reused, nothing of the previous race is in the new one's snapshot."""
    store.passed = [(1, "enter", "The climb", 1, 90.0, 50.0)]
    store.names = {1: Competitor("Ann", "W", 1), 2: Competitor("Bo", "M", 1)}
    store.known = [race(status="finished")]
    for _ in range(15):
        snapshots.get("run_1")
        clock.now += 1.0
    store.known, store.passed, store.names = [race(start_time=999_000)], [(2, "enter", "N", 1, 9.0, 5.0)], {}
    store.now = at((2, 10.0, "running", 6.0))
    found = snapshots.get("run_1")
    assert found.standing.inside == {"N": [Stay(2, 5.0)]}
    assert found.competitors == {}
    assert not found.is_final
    assert snapshots.results("run_1").results.bib.tolist() == [2]
