from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from twisted.internet.task import Clock

from simulator.engine import engine as engine_module
from simulator.engine.engine import RETRY, Engine, EngineFullError, StateError
from simulator.race.events import Passed, Positions, RaceRecord, positions_at
from tests.simulator.conftest import START, resolved
from tests.simulator.fakes import FakePublisher
from tests.simulator.histograms import total, up_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.defer import Deferred

    from simulator.course.course import Course
    from simulator.engine.run import Run
    from simulator.race.events import Batch
    from simulator.race.race import Race


class World:
    """An engine on a clock that the test moves, and what it publishes."""

    def __init__(self, clock: Clock, course: Course) -> None:
        self.clock = clock
        self.publisher = FakePublisher()
        self.engine = Engine(clock, self.publisher)
        self.course = course

    def add(self, **fields: Any) -> Run:
        """Add a race of three, unless said otherwise."""
        run_id = fields.pop("run_id", "race-1")
        request = resolved(**{"competitors": 3, **fields}).model_copy(update={"run_id": run_id})
        return self.engine.add(self.course, request)

    def told(self) -> list[tuple[str, int]]:
        """Return whose positions of which race time were told, in order."""
        batches = self.publisher.batches
        return [(batch.run_id, int(batch.raw_time[0])) for batch in batches if isinstance(batch, Positions)]

    def turn(self, turns: int = 50) -> None:
        """Let the reactor turn without time going by."""
        for _ in range(turns):
            self.clock.advance(0)

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Let time go by."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.turn()


@pytest.fixture
def world(clock: Clock, straight: Course) -> World:
    """Return an engine on the straight."""
    return World(clock, straight)


def test_a_race_is_told_in_order(world: World) -> None:
    """First the course and the race, then its competitors, then by tick the passings and the positions."""
    world.add()
    world.turn()
    world.wait(2)

    assert world.publisher.courses == [world.course]
    assert world.publisher.log() == [
        "running",
        "entries 1-3",
        "passed 3",
        "tick 0: 3",
        "tick 1: 3",
        "tick 2: 3",
    ]


def test_a_stall_of_ten_seconds_emits_exactly_the_missed_ticks_in_order(world: World) -> None:
    """After the process stood still for ten seconds the ten missed ticks follow, each once, in order."""
    world.add()
    world.turn()
    world.wait(3)
    world.clock.advance(10)
    world.turn()
    world.wait(2)

    assert world.publisher.ticks() == list(range(16))


class TurnClock(Clock):
    """A clock of which one `advance` is one turn, as of a reactor: what a call starts comes in the next."""

    def advance(self, amount: float) -> None:
        """Make the calls that are due now, and not those that they make."""
        self.rightNow += amount
        due = [call for call in self.calls if call.getTime() <= self.seconds()]
        for call in due:
            if call.cancelled:
                continue
            self.calls.remove(call)
            call.called = True
            call.func(*call.args, **call.kw)


def test_a_turn_emits_one_batch_at_most(straight: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is due, a turn of the reactor is one batch long, and HTTP gets its turns between."""
    monkeypatch.setattr(engine_module, "BATCH", 10)
    clock = TurnClock()
    clock.advance(START.timestamp())
    world = World(clock, straight)
    world.add(competitors=35)
    world.turn(100)
    clock.advance(20)
    counts = []
    for _ in range(30):
        before = len(world.publisher.batches)
        clock.advance(0)
        counts.append(len(world.publisher.batches) - before)

    assert max(counts) == 1
    assert sum(counts) > 20
    assert max(len(batch) for batch in world.publisher.batches) == 10


def test_a_race_runs_to_its_end(world: World) -> None:
    """Everybody's last position is the finish with the exact time, and then the race is finished."""
    run = world.add(how_many_get_stopped=0.5, speed=10, interval=10)
    race = run.race
    world.turn()
    world.wait(race.duration / 10 + 2)
    positions = [batch for batch in world.publisher.batches if isinstance(batch, Positions)]
    last = {
        bib: elapsed
        for batch in positions
        for bib, elapsed in zip(batch.bib.tolist(), batch.elapsed.tolist(), strict=True)
    }
    passings = [batch for batch in world.publisher.batches if isinstance(batch, Passed)]

    assert last == dict(enumerate(np.round(race.finish_times, 3).tolist(), start=1))
    assert sum(len(batch) for batch in passings) == 3 * len(race.course.timing_points)
    assert world.publisher.log()[-1] == "finished"
    assert run.status == "finished"


def test_speed_and_interval_set_the_ticks(world: World) -> None:
    """At speed 30 and interval 15 there are two ticks a second."""
    world.add(speed=30, interval=15)
    world.turn()
    world.wait(3, step=0.5)

    assert world.publisher.ticks() == [0, 15, 30, 45, 60, 75, 90]


def test_a_race_in_the_future_waits_for_its_gun(world: World) -> None:
    """A scheduled race is told at once, and runs when its time has come."""
    world.add(start_at=START + timedelta(seconds=5))
    world.turn()
    world.wait(4)
    assert world.publisher.log() == ["scheduled", "entries 1-3"]

    world.wait(2)
    assert world.publisher.log()[2:] == ["running", "passed 3", "tick 0: 3", "tick 1: 3"]


def test_a_race_in_the_past_catches_up(world: World) -> None:
    """A race whose gun went a while ago tells what has happened since."""
    world.add(start_at=START - timedelta(seconds=5))
    world.turn()

    assert world.publisher.ticks() == [0, 1, 2, 3, 4, 5]


def test_a_pause_stops_the_race_time(world: World) -> None:
    """While a race is paused no tick comes, and then it goes on where it was."""
    run = world.add()
    world.turn()
    world.wait(3)
    world.engine.pause(run)
    world.wait(60)
    assert world.publisher.log()[-1] == "paused"
    assert world.publisher.ticks() == [0, 1, 2, 3]

    world.engine.resume(run)
    world.wait(2)
    assert world.publisher.ticks() == [0, 1, 2, 3, 4, 5]


def test_cancelling_ends_a_race(world: World) -> None:
    """After the cancellation there is no tick more."""
    run = world.add()
    world.turn()
    world.wait(3)
    world.engine.cancel(run)
    world.wait(10)

    assert world.publisher.log()[-1] == "cancelled"
    assert world.publisher.ticks() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("before", "change"),
    [("running", "resume"), ("paused", "pause"), ("cancelled", "pause"), ("cancelled", "cancel")],
)
def test_impossible_changes_are_refused(world: World, before: str, change: str) -> None:
    """What a race's state doesn't allow is refused with words, and changes nothing."""
    run = world.add()
    if before != "running":
        {"paused": world.engine.pause, "cancelled": world.engine.cancel}[before](run)
    with pytest.raises(StateError, match=f"the race is {before}"):
        getattr(world.engine, change)(run)
    assert run.status == before


def test_records_of_a_race_are_newer_each_time(world: World) -> None:
    """`updatedAt` rises with every change, even within one millisecond, for the upsert goes by it."""
    run = world.add()
    world.engine.pause(run)
    world.engine.resume(run)
    world.turn()
    updated = [batch.updated_at for batch in world.publisher.batches if isinstance(batch, RaceRecord)]

    assert updated == sorted(set(updated))
    assert len(updated) == 3


def test_a_full_publisher_stops_the_ticking(world: World) -> None:
    """While the publisher takes no more there is no tick; then the missed ones come, none lost."""
    world.add()
    world.turn()
    world.wait(2)
    world.publisher.full = True
    world.wait(10)
    assert world.publisher.ticks() == [0, 1, 2, 3]
    assert world.engine.lag() == pytest.approx(9)

    world.publisher.make_room()
    world.turn()
    assert world.publisher.ticks() == list(range(13))
    assert world.engine.lag() == 0


def test_ticks_are_timed(world: World) -> None:
    """Each tick counts with how late it began and how long it took, waits for the publisher included."""
    world.add()
    world.turn()
    world.wait(2)
    world.publisher.full = True
    world.wait(10)
    world.publisher.make_room()
    world.turn()
    counts = world.engine.counts

    # The ticks 0 to 2 and 4 on took no time on this clock; tick 3, due at the third second, nine.
    assert counts.ticks == 13
    assert up_to(counts.tick_duration) == 13
    assert total(counts.tick_duration) == 9
    # Then the ticks 4 to 12 began 8 seconds late, 7, … and in time.
    assert total(counts.tick_lateness) == sum(range(9))
    assert up_to(counts.tick_lateness, 1) == 13 - counts.late_ticks == 13 - 7


def test_events_are_counted_by_topic(world: World) -> None:
    """What was handed over counts by topic, a course not at all, what failed once it is taken."""
    world.add()
    world.turn()
    world.publisher.failing = "the disk is full"
    world.wait(2)
    world.publisher.failing = None
    world.wait(RETRY + 1)

    assert world.engine.counts.events == {"parkrun": 15, "races": 1, "competitors": 3, "passings": 3}


def test_a_failed_batch_comes_again(world: World) -> None:
    """A batch that the publisher could not take comes again each second until it is taken."""
    world.add()
    world.turn()
    world.publisher.failing = "the disk is full"
    world.wait(5)
    assert world.publisher.ticks() == [0]
    assert world.engine.trouble == "the disk is full"
    assert world.engine.counts.retries == 5

    world.publisher.failing = None
    world.wait(RETRY + 1)
    assert world.publisher.ticks() == list(range(8))
    assert world.engine.trouble is None


def test_a_batch_says_when_it_was_handed_over(world: World) -> None:
    """`emittedAt` is the wall clock at the handing over, not the event's own time."""
    world.add(speed=100)
    world.turn()
    world.wait(1)
    handed = [batch.emitted_at for batch in world.publisher.batches if isinstance(batch, Positions)]
    start = START.timestamp() * 1000

    assert handed == [start, start + 1000]


def test_two_races_take_turns(world: World) -> None:
    """Races that both have something due tell a tick each, in turn."""
    world.add(run_id="slow", interval=4)
    world.add(run_id="quick", interval=2)
    world.clock.advance(4)
    world.turn()

    assert world.told() == [("slow", 0), ("quick", 0), ("slow", 4), ("quick", 2), ("quick", 4)]


def test_stopping_tells_the_tick_in_hand_to_its_end(world: World) -> None:
    """Stopping waits for the tick that is being told, and starts no other."""
    world.add()
    world.turn()
    world.publisher.full = True
    world.wait(3)
    stopped = world.engine.stop(5)
    assert not stopped.called

    world.publisher.make_room()
    world.turn()
    assert stopped.result is True
    world.wait(5)
    assert world.publisher.ticks() == [0, 1]


def test_stopping_tells_all_that_was_accepted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the API has accepted is told before the end: new races, their start lists, changes of state."""
    monkeypatch.setattr(engine_module, "BATCH", 2)
    run = world.add(run_id="a", competitors=5)
    world.add(run_id="b", competitors=4)
    world.engine.cancel(run)
    stopped = world.engine.stop(5)
    world.turn()

    assert stopped.result is True
    lines = zip(world.publisher.batches, world.publisher.log(), strict=True)
    told = [f"{batch.run_id} {line}" for batch, line in lines]
    assert [line for line in told if line.startswith("a ")] == [
        "a running",
        "a entries 1-2",
        "a entries 3-4",
        "a entries 5-5",
        "a cancelled",
    ]
    assert [line for line in told if line.startswith("b ")] == ["b running", "b entries 1-2", "b entries 3-4"]


def test_nothing_is_accepted_after_the_stopping(world: World) -> None:
    """Once the end has begun new races and changes are refused: they could not be told any more."""
    run = world.add(run_id="a")
    _ = world.engine.stop(5)
    with pytest.raises(EngineFullError, match="shutting down"):
        world.add(run_id="b")
    with pytest.raises(StateError, match="shutting down"):
        world.engine.cancel(run)


def test_stopping_has_an_end(world: World) -> None:
    """If the publisher takes no more, stopping gives up after its time, says so, and tells nothing later."""
    world.add()
    world.turn()
    world.publisher.full = True
    world.wait(3)
    stopped = world.engine.stop(5)
    world.wait(4)
    assert not stopped.called
    world.wait(2)
    assert stopped.result is False

    world.publisher.make_room()
    world.turn()
    assert world.publisher.log()[-1] == "tick 1: 3"


def test_stopping_an_idle_engine_is_done_at_once(world: World) -> None:
    """An engine that waits for the next tick stops at once."""
    world.add()
    world.turn()

    assert world.engine.stop(5).result is True
    world.wait(5)
    assert world.publisher.ticks() == [0]


def test_a_race_that_catches_up_does_not_hold_the_others_up(straight: Course) -> None:
    """While a race tells hours that have gone by, a race that has just begun is on time."""
    clock = TurnClock()
    clock.advance(START.timestamp())
    world = World(clock, straight)
    world.add(run_id="old", start_at=START - timedelta(hours=10), interval=2)
    world.add(run_id="new")
    world.turn(20)
    for _ in range(5):
        clock.advance(1)
        world.turn(12)
    told = world.told()

    assert [time for run_id, time in told if run_id == "new"] == [0, 1, 2, 3, 4, 5]
    assert 20 < max(time for run_id, time in told if run_id == "old") < 200


def test_one_race_failing_does_not_hold_the_others_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in one race's tick is logged and tried again a second later; the other races go on."""
    world.add(run_id="bad")
    world.add(run_id="good")
    world.turn()

    def failing(race: Race, tick: int, size: int) -> Iterator[Positions]:
        if race.run_id == "bad":
            raise ZeroDivisionError
        return positions_at(race, tick, size)

    monkeypatch.setattr(engine_module, "positions_at", failing)
    world.wait(3)
    told = world.told()
    assert told == [("bad", 0), ("good", 0), ("good", 1), ("good", 2), ("good", 3)]

    monkeypatch.undo()
    world.wait(3)
    told = world.told()
    assert [time for run_id, time in told if run_id == "bad"] == [0, 1, 2, 3, 4, 5, 6]


class TickingClock(Clock):
    """A clock that goes on by a microsecond whenever it is looked at, and takes no alarm in the past."""

    def seconds(self) -> float:
        """Return the time; a moment later it is another one."""
        now: float = super().seconds()
        self.rightNow = now + 1e-6
        return now

    def callLater(self, delay: float, *rest: Any, **more: Any) -> Any:  # noqa: N802 - Twisted's name
        """Call something later, as the real reactor does it."""
        assert delay >= 0
        return super().callLater(delay, *rest, **more)


@pytest.mark.parametrize("before", range(4))
def test_a_tick_that_comes_due_between_two_looks_at_the_clock_is_told(straight: Course, before: int) -> None:
    """Whichever look is the first at which a tick is due, the race continues."""
    clock = TickingClock()
    clock.rightNow = START.timestamp()
    world = World(clock, straight)
    run = world.add()
    world.turn()
    told = run.next_tick
    due = run.next_due()
    assert due is not None
    clock.rightNow = due - (before + 0.5) * 1e-6
    world.engine._enqueue(run)
    world.wait(2)

    assert run.next_tick >= told + 2
    assert world.engine.lag() < 1


def test_an_alarm_that_fails_does_not_end_the_ticking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a race can't be put in the queue again, that is told, and tried again; all races go on."""
    run, other = world.add(), world.add(run_id="race-2")
    world.turn()
    failures = 1
    due = type(run).next_due

    def fails_once(self: Run) -> float | None:
        nonlocal failures
        if failures and self is run and self.next_tick == 2:
            failures -= 1
            raise AssertionError("no alarm in the past")
        return due(self)

    monkeypatch.setattr(type(run), "next_due", fails_once)
    world.wait(RETRY + 4)

    assert failures == 0
    assert run.next_tick == other.next_tick > 4


def test_a_start_list_that_failed_half_way_is_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told before the ticks is told whole, from its start, however often it fails on the way."""
    monkeypatch.setattr(engine_module, "BATCH", 2)
    world.add(competitors=6)
    publish, calls = world.publisher.publish, []

    def failing(batch: Batch) -> Deferred[None]:
        calls.append(batch)
        if len(calls) == 4:
            raise ZeroDivisionError
        return publish(batch)

    monkeypatch.setattr(world.publisher, "publish", failing)
    world.turn()
    world.wait(2)

    assert world.publisher.log()[:5] == [
        "running",
        "entries 1-2",
        "entries 1-2",
        "entries 3-4",
        "entries 5-6",
    ]


def test_a_run_id_can_be_taken_once(world: World) -> None:
    """A second race of the same id does not silently take the first one's place."""
    first = world.add(run_id="a")
    with pytest.raises(ValueError, match="race a already exists"):
        world.add(run_id="a")
    assert world.engine.runs == {"a": first}


def test_the_limit_of_live_competitors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Races are taken up to the limit of competitors, and room comes back when one has ended."""
    monkeypatch.setattr(engine_module, "MAX_LIVE_COMPETITORS", 10)
    run = world.add(run_id="a", competitors=7)
    with pytest.raises(EngineFullError, match="exceed the limit of 10"):
        world.add(run_id="b", competitors=4)
    world.add(run_id="c", competitors=3)
    world.engine.cancel(run)
    world.add(run_id="d", competitors=7)

    assert list(world.engine.runs) == ["a", "c", "d"]


def test_the_limit_of_races(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more races than are kept, one that has ended is forgotten; if none has, there is no room."""
    monkeypatch.setattr(engine_module, "MAX_RUNS", 2)
    first = world.add(run_id="a")
    world.add(run_id="b")
    with pytest.raises(EngineFullError, match="2 races"):
        world.add(run_id="c")
    world.engine.cancel(first)
    world.turn()
    world.add(run_id="c")

    assert list(world.engine.runs) == ["b", "c"]
