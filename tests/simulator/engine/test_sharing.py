"""Several engines with one log: together they publish the race, however its parts change hands."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from simulator.course.course import Course
from simulator.engine.engine import RETRY, Engine
from simulator.engine.run import Run, drawn
from simulator.log.log import Listener
from simulator.log.states import changed
from simulator.publishers.publisher import PublishError
from simulator.race.events import Progress, RaceRecord
from simulator.race.race import Race
from stream import parts
from stream.parts import partition_of
from tests.simulator.conftest import START, resolved
from tests.simulator.fakes import FakePublisher, done, events_of, whole

PARTITIONS = 3
LENIENT = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class SharedLog:
    """What all simulators write, in one order."""

    records: list[RaceRecord] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    members: list["MemberLog"] = field(default_factory=list)


class MemberLog:
    """One simulator's view of it: records are applied at once.

    Attributes:
        failing: it takes no records.
    """

    partitions = PARTITIONS

    def __init__(self, shared: SharedLog) -> None:
        self._shared = shared
        self.listener: Listener | None = None
        self.failing = False

    async def open(self, listener: Listener) -> None:
        """Read it and follow it."""
        self.listener = listener
        for progress in self._shared.progress:
            listener.apply_progress(progress)
        for record in self._shared.records:
            await listener.apply(record)
        self._shared.members.append(self)

    async def append(self, record: RaceRecord) -> bool:
        """Pass a record on to all members."""
        self._check()
        self._shared.records.append(record)
        counted = {id(member): await member.engine().apply(record) for member in list(self._shared.members)}
        return counted.get(id(self), False)

    async def record(self, progress: Progress) -> None:
        """Pass progress on to all members."""
        self._check()
        self._shared.progress.append(progress)
        for member in list(self._shared.members):
            member.engine().apply_progress(progress)

    async def forget(self, run_id: str, part: int) -> None:
        """Keep it, to be looked at."""

    async def caught_up(self) -> None:
        """Nothing is ever outstanding."""

    def trouble(self) -> None:
        """There is none."""

    async def close(self) -> bool:
        """Release everything."""
        return await self.engine().release(range(PARTITIONS))

    def engine(self) -> Listener:
        """The engine."""
        assert self.listener is not None
        return self.listener

    def _check(self) -> None:
        if self.failing:
            raise PublishError("no broker answers")


class Simulator:
    """An engine, its log and what it publishes."""

    def __init__(self, clock: Clock, course: Course, shared: SharedLog, publisher: FakePublisher) -> None:
        self.log = MemberLog(shared)
        self.publisher = publisher
        self.engine = Engine(clock, publisher, self.log, maybeDeferred)
        self._course = course
        done(self.engine.follow(self._run_of))

    async def _run_of(self, record: RaceRecord) -> Run:
        return drawn(self._course, REQUESTS[record.request])

    def create(self, **fields: Any) -> bool:
        """Ask for the race; return whether it is a new one."""
        request = resolved(**fields)
        run = drawn(self._course, request)
        REQUESTS[run.record.request] = request
        is_new: bool = done(self.engine.create(run))
        return is_new


REQUESTS: dict[str, Any] = {}


class World:
    """Some simulators on one clock; each partition has one owner, or none."""

    def __init__(self, course: Course, simulators: int = 2) -> None:
        self.clock = Clock()
        self.clock.advance(START.timestamp())
        self.shared = SharedLog()
        self.publisher = FakePublisher()
        self.course = course
        self.simulators = [self.started() for _ in range(simulators)]

    def started(self) -> Simulator:
        """Return one more simulator."""
        return Simulator(self.clock, self.course, self.shared, self.publisher)

    def give(self, partition: int, to: int | None, *, at_once: bool = False) -> None:
        """Give a partition to a simulator, or to none; the former owner releases it, or loses it."""
        for one in self.simulators:
            if partition in one.engine.partitions:
                if at_once:
                    one.engine.lose([partition])
                else:
                    _ = one.engine.release([partition])
                    self.turn()
        if to is not None:
            self.simulators[to].engine.take([partition])

    def kill(self, which: int) -> None:
        """Kill a simulator and start another one in its place, without partitions."""
        gone = self.simulators[which]
        self.shared.members.remove(gone.log)
        for part in gone.engine.ours():
            part.end()
        gone.log.failing = True
        self.simulators[which] = self.started()

    def wait(self, seconds: float) -> None:
        """Advance the time in steps of a quarter second."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.turn()

    def turn(self) -> None:
        """Let everything happen that is due."""
        for _ in range(40):
            self.clock.advance(0)

    def published(self) -> set[bytes]:
        """Return the published events, each once."""
        return events_of(self.publisher.batches)


FIELDS = {"competitors": 8, "interval": 20, "speed": 20, "how_many_get_stopped": 0.5, "dnf": 0.2}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut races into parts of three competitors."""
    monkeypatch.setattr(parts, "PART", 3)


MOVES = st.lists(
    st.tuples(
        st.floats(0.3, 12),
        st.sampled_from(["give", "take away", "kill"]),
        st.integers(0, PARTITIONS - 1),
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=10,
)


@given(MOVES)
@LENIENT
@pytest.mark.usefixtures("small_parts")
def test_parts_can_change_hands_at_any_moment(
    straight: Course, moves: list[tuple[float, str, int, int, bool]]
) -> None:
    """Given, taken away, lost and killed at random, the simulators publish each event of the race."""
    world = World(straight)
    for partition in range(PARTITIONS):
        world.give(partition, partition % 2)
    assert world.simulators[0].create(**FIELDS)
    for seconds, what, partition, which, at_once in moves:
        world.wait(seconds)
        if what == "kill":
            world.kill(which)
        else:
            world.give(partition, which if what == "give" else None, at_once=at_once)
    for partition in range(PARTITIONS):
        if not any(partition in one.engine.partitions for one in world.simulators):
            world.give(partition, 0)
    race = Race(straight, resolved(**FIELDS))
    world.wait(race.duration / 20 + 10)

    assert world.published() == whole(race)
    assert {run.status for one in world.simulators for run in one.engine.runs.values()} == {"finished"}
    assert world.shared.records[-1].delivered_until == race.time_of(race.last_tick)


@pytest.mark.usefixtures("small_parts")
def test_a_race_is_finished_when_all_its_parts_are(straight: Course) -> None:
    """The simulator with the first part waits for the others."""
    world = World(straight)
    world.simulators[0].create(**FIELDS)
    first = partition_of("race-1", 0, PARTITIONS)
    world.give(first, 0)
    race = Race(straight, resolved(**FIELDS))
    world.wait(race.duration / 20 + 5)
    assert world.simulators[0].engine.runs["race-1"].status == "running"
    for partition in set(range(PARTITIONS)) - {first}:
        world.give(partition, 1)
    world.wait(race.duration / 20 + 5)

    assert world.published() == whole(race)
    assert {one.engine.runs["race-1"].status for one in world.simulators} == {"finished"}


def test_what_is_late_moves_nothing_back(straight: Course) -> None:
    """Progress and states of a simulator that has slept are corrected by the one that has the race."""
    world = World(straight)
    for partition in range(PARTITIONS):
        world.give(partition, 0)
    world.simulators[0].create(**FIELDS)
    world.wait(30)
    (newest,) = [one.delivered_until for one in world.shared.progress[-1:]]
    sleeper = world.simulators[1].log
    done(sleeper.record(Progress("race-1", 0, newest - 100, 0)))
    world.turn()
    assert world.shared.progress[-1].delivered_until == newest
    created = world.shared.records[0]
    done(world.simulators[0].engine.change(world.simulators[0].engine.runs["race-1"], "cancel"))
    cancelled = world.shared.records[-1]
    assert done(sleeper.append(changed(created, "pause", cancelled.updated_at + 5))) is False
    world.turn()

    corrected = world.shared.records[-1]
    assert corrected.status == "cancelled"
    assert corrected.updated_at > cancelled.updated_at + 5
    assert {one.engine.runs["race-1"].status for one in world.simulators} == {"cancelled"}


def test_a_step_is_written_when_the_log_takes_records_again(straight: Course) -> None:
    """While the log is unavailable the race goes on, and its end is recorded afterwards."""
    world = World(straight, 1)
    (one,) = world.simulators
    for partition in range(PARTITIONS):
        world.give(partition, 0)
    one.create(**FIELDS)
    race = Race(straight, resolved(**FIELDS))
    world.wait(3)
    one.log.failing = True
    world.wait(race.duration / 20 + 5)
    run = one.engine.runs["race-1"]
    assert not run.has_ended
    assert one.engine.trouble == "no broker answers"
    one.log.failing = False
    world.wait(2 * RETRY + 1)

    assert one.engine.runs["race-1"].status == "finished"
    assert world.published() == whole(race)


def test_two_requests_with_one_run_id_make_one_race(straight: Course) -> None:
    """The first in the log is the race; the other is refused, and the store keeps the first."""
    world = World(straight)
    for partition in range(PARTITIONS):
        world.give(partition, 0)
    assert world.simulators[0].create(**FIELDS) is True
    assert world.simulators[1].create(**{**FIELDS, "competitors": 5}) is False
    world.turn()

    assert [one.engine.runs["race-1"].request.competitors for one in world.simulators] == [8, 8]
    assert world.shared.records[-1].competitors == 8


def test_a_simulator_limits_what_it_publishes_itself(
    straight: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A race whose parts are another's is accepted, however many competitors this one has."""
    monkeypatch.setattr("simulator.engine.engine.MAX_LIVE_COMPETITORS", 4)
    world = World(straight)
    for partition in range(PARTITIONS):
        world.give(partition, 1)

    assert world.simulators[0].create(**FIELDS) is True
