from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock

from simulator.course.course import Course
from simulator.engine import engine as engine_module
from simulator.engine.engine import RENEW, RETRY, Engine, EngineFullError, StateError
from simulator.engine.run import Part, Run, drawn
from simulator.log.local import LocalLog
from simulator.log.states import changed
from simulator.publishers.encode import encode
from simulator.race.events import (
    Batch,
    ChipReads,
    Passed,
    Positions,
    RaceRecord,
    positions_at,
    reads_until,
)
from simulator.race.race import Race
from simulator.race.reads import Mats
from stream.race_states import Action, Step
from tests.simulator.conftest import START, resolved
from tests.simulator.fakes import FakePublisher, done
from tests.simulator.histograms import total, up_to


class World:
    """An engine on a clock that the test moves, and what it publishes."""

    def __init__(self, clock: Clock, course: Course) -> None:
        self.clock = clock
        self.publisher = FakePublisher()
        self.engine = Engine(
            clock, self.publisher, LocalLog(self.publisher, self.publisher.stored), maybeDeferred
        )
        self.course = course
        self._made: dict[str, Run] = {}
        _ = ensureDeferred(self.engine.follow(self._run_of))

    async def _run_of(self, record: RaceRecord) -> Run:
        return self._made[record.run_id]

    def add(self, **fields: Any) -> Run:
        """Add a race of three, unless said otherwise."""
        run_id = fields.pop("run_id", "race-1")
        request = resolved(**{"competitors": 3, **fields}).model_copy(update={"run_id": run_id})
        run = drawn(self.course, request)
        self._made[run_id] = run
        done(self.engine.create(run))
        return run

    def change(self, run: Run, action: Action) -> None:
        """Pause, resume or cancel a race."""
        done(self.engine.change(run, action))

    def published(self) -> list[tuple[str, int]]:
        """Return the run id and race time of the published positions, in order."""
        batches = self.publisher.batches
        return [(batch.run_id, int(batch.raw_time[0])) for batch in batches if isinstance(batch, Positions)]

    def turn(self, turns: int = 50) -> None:
        """Let the reactor turn without advancing the time."""
        for _ in range(turns):
            self.clock.advance(0)

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Advance the time."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.turn()


@pytest.fixture
def world(clock: Clock, straight: Course) -> World:
    """Return an engine on the straight."""
    return World(clock, straight)


def test_a_race_is_published_in_order(world: World) -> None:
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


def test_raw_reads_are_published_with_each_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A race with the option publishes all reads, in parts, once each, until the tick after the last one."""
    monkeypatch.setattr("stream.parts.PART", 2)
    run = world.add(chip_reads=True, read_repeats=3, stray_reads=1.0, interval=60, speed=60)
    mats = Mats(run.race)
    expected = [
        value
        for tick in range(run.race.last_tick + 1)
        for batch in reads_until(mats, tick, 1000)
        for value in encode(batch).values
    ]
    world.turn()
    world.wait(run.race.last_tick + 2)
    batches = [batch for batch in world.publisher.batches if isinstance(batch, ChipReads)]

    assert run.status == "finished"
    assert len(run.parts) == 2
    assert sorted(value for batch in batches for value in encode(batch).values) == sorted(expected)
    assert mats.last_tick == run.race.last_tick == run.race.last_position_tick + 1


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
    """However much is due, a turn of the reactor publishes one batch at most, so HTTP stays responsive."""
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
    """Each competitor's last position is the finish with the exact time; then the race is finished."""
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
    """A scheduled race is published at once, and starts at its gun."""
    world.add(start_at=START + timedelta(seconds=5))
    world.turn()
    world.wait(4)
    assert world.publisher.log() == ["scheduled", "entries 1-3"]

    world.wait(2)
    assert world.publisher.log()[2:] == ["running", "passed 3", "tick 0: 3", "tick 1: 3"]


def test_a_race_in_the_past_catches_up(world: World) -> None:
    """A race with a gun time in the past publishes the ticks since then."""
    world.add(start_at=START - timedelta(seconds=5))
    world.turn()

    assert world.publisher.ticks() == [0, 1, 2, 3, 4, 5]


def test_a_pause_stops_the_race_time(world: World) -> None:
    """A paused race publishes no tick; resumed, it continues where it was."""
    run = world.add()
    world.turn()
    world.wait(3)
    world.change(run, "pause")
    world.wait(60)
    assert world.publisher.log()[-1] == "paused"
    assert world.publisher.ticks() == [0, 1, 2, 3]

    world.change(run, "resume")
    world.wait(2)
    assert world.publisher.ticks() == [0, 1, 2, 3, 4, 5]


def test_cancelling_ends_a_race(world: World) -> None:
    """After the cancellation no tick follows."""
    run = world.add()
    world.turn()
    world.wait(3)
    world.change(run, "cancel")
    world.wait(10)

    assert world.publisher.log()[-1] == "cancelled"
    assert world.publisher.ticks() == [0, 1, 2, 3]


@pytest.mark.parametrize("step", ["pause", "cancel"])
def test_a_race_stands_where_it_is_published(world: World, step: Step) -> None:
    """Until the log shows that a race was stopped its ticks go on; the clock then stands at the last one."""
    run = world.add(interval=3, speed=7)
    world.turn()
    world.wait(3)
    stopped = changed(run.record, step, int(1000 * world.clock.seconds()))
    world.wait(2)
    published = world.publisher.ticks()
    done(world.engine.race_log.append(stopped))
    world.wait(60)

    assert world.publisher.ticks() == published == list(range(0, 36, 3))
    assert run.published_until(world.clock.seconds()) == published[-1]
    assert world.publisher.log()[-1] == run.status
    if step == "pause":
        world.change(run, "resume")
        world.wait(1)
        assert world.publisher.ticks() == [*published, 36, 39]


def test_a_race_stopped_before_its_gun_stands_before_it(world: World) -> None:
    """The clock of a race that has not begun is not moved."""
    run = world.add(start_at=START + timedelta(seconds=60))
    world.turn()
    world.change(run, "pause")
    world.wait(10)

    assert run.schedule.race_time(world.clock.seconds()) == pytest.approx(-60, abs=0.1)


@pytest.mark.parametrize(
    ("before", "change"),
    [("running", "resume"), ("paused", "pause"), ("cancelled", "pause"), ("cancelled", "cancel")],
)
def test_changes_that_the_state_forbids_are_rejected(world: World, before: str, change: Action) -> None:
    """A change that the race's state doesn't allow is rejected with a message, and changes nothing."""
    run = world.add()
    if before != "running":
        world.change(run, "pause" if before == "paused" else "cancel")
    with pytest.raises(StateError, match=f"the race is {before}"):
        world.change(run, change)
    assert run.status == before


def test_records_of_a_race_are_newer_each_time(world: World) -> None:
    """`updatedAt` rises with every change, even within one millisecond, for the upsert goes by it."""
    run = world.add()
    world.change(run, "pause")
    world.change(run, "resume")
    world.turn()
    updated = [batch.updated_at for batch in world.publisher.batches if isinstance(batch, RaceRecord)]

    assert updated == sorted(set(updated))
    assert len(updated) == 3


def test_a_full_publisher_stops_the_ticking(world: World) -> None:
    """While the publisher is full there is no tick; then the missed ones follow, none lost."""
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
    """Lateness and duration of each tick are measured, waits for the publisher included."""
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
    """Accepted events are counted by topic, courses are not; a failed batch is counted once accepted."""
    world.add()
    world.turn()
    world.publisher.failing = "the disk is full"
    world.wait(2)
    world.publisher.failing = None
    world.wait(RETRY + 1)

    assert world.engine.counts.events == {
        "parkrun": 15,
        "races": 1,
        "competitors": 3,
        "passings": 3,
        "reads": 0,
    }


def test_a_failed_batch_is_retried(world: World) -> None:
    """A failed batch is retried each second until it is accepted."""
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


def test_a_batch_has_its_time_of_publication(world: World) -> None:
    """`emittedAt` is the wall time of the publication, not the event's own time."""
    world.add(speed=100)
    world.turn()
    world.wait(1)
    handed = [batch.emitted_at for batch in world.publisher.batches if isinstance(batch, Positions)]
    start = START.timestamp() * 1000

    assert handed == [start, start + 1000]


def test_two_races_take_turns(world: World) -> None:
    """Races with ticks due publish one each, in turn."""
    world.add(run_id="slow", interval=4)
    world.add(run_id="quick", interval=2)
    world.clock.advance(4)
    world.turn()

    assert world.published() == [("slow", 0), ("quick", 0), ("slow", 4), ("quick", 2), ("quick", 4)]


def test_stopping_finishes_the_current_tick(world: World) -> None:
    """Stopping waits for the current tick, and starts no other."""
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


def test_stopping_records_how_far_all_is_delivered(world: World) -> None:
    """The next simulator continues where this one stopped: nothing is published again."""
    run = world.add(run_id="a")
    world.add(run_id="b", interval=2)
    world.turn()
    world.wait(3)
    stopped = world.engine.stop(5)
    world.turn()

    assert stopped.result is True
    newest = {one.run_id: one.delivered_until for one in world.publisher.progress}
    assert newest == {"a": 3.0, "b": 2.0}
    assert not run.has_ended


def test_nothing_is_accepted_after_the_stopping(world: World) -> None:
    """During shutdown new races and changes are rejected: they could not be published."""
    run = world.add(run_id="a")
    _ = world.engine.stop(5)
    with pytest.raises(EngineFullError, match="shutting down"):
        world.add(run_id="b")
    with pytest.raises(StateError, match="shutting down"):
        world.change(run, "cancel")


def test_stopping_gives_up(world: World) -> None:
    """If the publisher stays full, stopping gives up in time, says so, and publishes nothing later."""
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


def fails_in_bad(race: Race, tick: int, size: int) -> Iterator[Positions]:
    """Stand in for `positions_at`, and fail in the race `bad`."""
    if race.run_id == "bad":
        raise ZeroDivisionError
    return positions_at(race, tick, size)


def test_stopping_with_a_race_that_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in one race during shutdown does not hide that the others are delivered."""
    world.add(run_id="bad")
    world.add(run_id="good")
    world.turn()

    monkeypatch.setattr(engine_module, "positions_at", fails_in_bad)
    world.wait(3)
    stopped = world.engine.stop(5)
    world.turn()
    assert stopped.result is True
    assert {one.run_id: one.delivered_until for one in world.publisher.progress} == {"bad": 0.0, "good": 3.0}


def test_stopping_an_idle_engine_is_done_at_once(world: World) -> None:
    """An engine that waits for the next tick stops at once."""
    world.add()
    world.turn()

    assert world.engine.stop(5).result is True
    world.wait(5)
    assert world.publisher.ticks() == [0]


def test_a_race_that_catches_up_does_not_delay_others(straight: Course) -> None:
    """While one race catches up on hours, a new race is on time."""
    clock = TurnClock()
    clock.advance(START.timestamp())
    world = World(clock, straight)
    world.add(run_id="old", start_at=START - timedelta(hours=10), interval=2)
    world.add(run_id="new")
    world.turn(20)
    for _ in range(5):
        clock.advance(1)
        world.turn(12)
    published = world.published()

    assert [time for run_id, time in published if run_id == "new"] == [0, 1, 2, 3, 4, 5]
    assert 20 < max(time for run_id, time in published if run_id == "old") < 200


def test_a_failing_race_does_not_delay_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed tick is logged and retried after a second; the other races continue."""
    world.add(run_id="bad")
    world.add(run_id="good")
    world.turn()

    monkeypatch.setattr(engine_module, "positions_at", fails_in_bad)
    world.wait(3)
    published = world.published()
    assert published == [("bad", 0), ("good", 0), ("good", 1), ("good", 2), ("good", 3)]

    monkeypatch.undo()
    world.wait(3)
    published = world.published()
    assert [time for run_id, time in published if run_id == "bad"] == [0, 1, 2, 3, 4, 5, 6]


class TickingClock(Clock):
    """A clock that advances by a microsecond at each reading, and rejects calls in the past."""

    def seconds(self) -> float:
        """Return the time, and advance it."""
        now: float = super().seconds()
        self.rightNow = now + 1e-6
        return now

    def callLater(self, delay: float, *rest: Any, **more: Any) -> Any:  # noqa: N802 - Twisted's name
        """Schedule a call, as the real reactor does."""
        assert delay >= 0
        return super().callLater(delay, *rest, **more)


@pytest.mark.parametrize("before", range(4))
def test_a_tick_that_becomes_due_between_two_readings_is_published(straight: Course, before: int) -> None:
    """Whichever reading is the first at which a tick is due, the race continues."""
    clock = TickingClock()
    clock.rightNow = START.timestamp()
    world = World(clock, straight)
    run = world.add()
    world.turn()
    (part,) = run.parts
    next_tick = part.next_tick
    due = part.next_due()
    assert due is not None
    clock.rightNow = due - (before + 0.5) * 1e-6
    world.engine._enqueue(part)
    world.wait(2)

    assert part.next_tick >= next_tick + 2
    assert world.engine.lag() < 1


def test_an_alarm_that_fails_does_not_end_the_ticking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a race can't be queued again, that is logged and retried; all races continue."""
    (part,), (other,) = world.add().parts, world.add(run_id="race-2").parts
    world.turn()
    failures = 1
    due = Part.next_due

    def fails_once(self: Part) -> float | None:
        nonlocal failures
        if failures and self is part and self.next_tick == 2:
            failures -= 1
            raise AssertionError("no alarm in the past")
        return due(self)

    monkeypatch.setattr(Part, "next_due", fails_once)
    world.wait(RETRY + 4)

    assert failures == 0
    assert part.next_tick == other.next_tick > 4


def test_a_start_list_that_failed_half_way_is_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches before the ticks are repeated from the start, however often one fails."""
    monkeypatch.setattr(engine_module, "BATCH", 2)
    world.add(competitors=6)
    publish, calls = world.publisher.publish, []

    def failing(batch: Batch) -> Deferred[None]:
        calls.append(batch)
        if len(calls) == 3:
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
    """A second race with the same id does not replace the first."""
    first = world.add(run_id="a")
    again = drawn(world.course, first.request.model_copy(update={"seed": 9}))
    assert done(world.engine.create(again)) is False
    assert world.engine.runs == {"a": first}


def test_the_limit_of_live_competitors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Races are accepted up to the limit of competitors; an ended race frees its share."""
    monkeypatch.setattr(engine_module, "MAX_LIVE_COMPETITORS", 10)
    run = world.add(run_id="a", competitors=7)
    with pytest.raises(EngineFullError, match="exceed the limit of 10"):
        world.add(run_id="b", competitors=4)
    world.add(run_id="c", competitors=3)
    world.change(run, "cancel")
    world.add(run_id="d", competitors=7)

    assert list(world.engine.runs) == ["a", "c", "d"]


def test_the_limit_of_races(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit the oldest ended race is dropped; if none has ended, a new race is rejected."""
    monkeypatch.setattr(engine_module, "MAX_RUNS", 2)
    first = world.add(run_id="a")
    world.add(run_id="b")
    with pytest.raises(EngineFullError, match="2 races"):
        world.add(run_id="c")
    world.change(first, "cancel")
    world.turn()
    world.add(run_id="c")

    assert list(world.engine.runs) == ["b", "c"]


def test_the_record_of_a_running_race_is_renewed(world: World) -> None:
    """Viewers see by it that a simulator still publishes the race."""
    world.add(course="straight", interval=10, slowest=3600, fastest=3000)
    world.turn()
    world.wait(300)
    updated = [batch.updated_at for batch in world.publisher.batches if isinstance(batch, RaceRecord)]

    assert len(updated) == 3
    assert max(np.diff(updated)) < 1000 * (RENEW + 15)
    assert set(world.publisher.log()) >= {"running"}


def test_cancelling_during_the_last_tick(world: World) -> None:
    """The tick in hand is finished, nothing follows it, and the race stays cancelled."""
    run = world.add(speed=10, interval=10)
    world.turn()
    world.wait(run.race.last_tick - 1)
    world.publisher.full = True
    world.wait(1)
    _ = ensureDeferred(world.engine.change(run, "cancel"))
    world.publisher.make_room()
    world.wait(10)

    assert world.publisher.ticks()[-1] == run.race.last_tick * 10
    assert run.status == "cancelled"
    assert run.published(world.clock.seconds()) == run.race.last_tick
