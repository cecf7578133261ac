"""A second engine continues after the first was killed: together they publish the whole race."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.task import Clock

from simulator.course.course import Course
from simulator.engine.engine import CHECK, Engine
from simulator.engine.run import Run
from simulator.log import kafka
from simulator.log.local import LocalLog
from simulator.publishers.publisher import PublishError
from simulator.race.events import RaceRecord
from simulator.race.request import RaceRequest
from simulator.service.catalogue import Catalogue
from simulator.service.following import RETRY, Following
from simulator.service.races import RaceService
from simulator.service.uploads import UploadFolder
from stream.contract import read_event
from stream.race_states import Action
from tests.simulator.conftest import START
from tests.simulator.fakes import FakePublisher, done, events_of, whole

REQUEST: dict[str, Any] = {
    "course": "straight",
    "run_id": "race-1",
    "competitors": 8,
    "seed": 3,
    "how_many_get_stopped": 0.5,
    "interval": 10,
    "speed": 10,
    "late": 0.2,
    "dnf": 0.2,
}
NO_UPLOADS = UploadFolder(Path("no-such-folder"))
LENIENT = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


class World:
    """A publisher that outlives the engines before it."""

    def __init__(self, course: Course) -> None:
        self.clock = Clock()
        self.clock.advance(START.timestamp())
        self.publisher = FakePublisher()
        self._course = course
        self.start()

    def start(self) -> None:
        """Start an engine that follows the log."""
        self.engine = Engine(
            self.clock, self.publisher, LocalLog(self.publisher, self.publisher.stored), maybeDeferred
        )
        courses = Catalogue({"straight": self._course})
        self.race_service = RaceService(self.clock, self.engine, courses, NO_UPLOADS, lambda most: most - 1)
        _ = ensureDeferred(Following(self.clock, self.race_service).begin())

    def kill(self) -> None:
        """Kill the engine: nothing that it has scheduled happens."""
        self.clock.calls.clear()

    def create(self, **fields: Any) -> Run:
        """Create the race."""
        run, _ = self.ask(**fields)
        return run

    def ask(self, **fields: Any) -> tuple[Run, bool]:
        """The race for a request, and whether it is new."""
        answer: tuple[Run, bool] = done(self.race_service.create(RaceRequest(**{**REQUEST, **fields})))
        return answer

    def change(self, run: Run, action: Action) -> None:
        """Pause, resume or cancel a race."""
        done(self.race_service.change(run.run_id, action))

    def wait(self, seconds: float) -> None:
        """Advance the time in steps of a quarter second."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.turn()

    def turn(self) -> None:
        """Let everything happen that is due."""
        for _ in range(50):
            self.clock.advance(0)

    def published(self) -> set[bytes]:
        """Return the published events, each once."""
        return events_of(self.publisher.batches)


@given(st.lists(st.floats(0.1, 60), max_size=12), st.floats(0, 30))
@LENIENT
def test_no_tick_is_missing_however_often_the_engine_is_killed(
    straight: Course, kills: list[float], away: float
) -> None:
    """Killed at any moments and gone for a while, the engines together tell the undisturbed race."""
    world = World(straight)
    race = world.create().race
    # What the store has never heard of is lost with its engine.
    world.turn()
    for seconds in kills:
        world.wait(seconds)
        world.kill()
        world.clock.advance(away)
        world.start()
        world.turn()
    world.wait(race.duration / 10 + 5)

    assert world.published() == whole(race)
    records = [batch for batch in world.publisher.batches if isinstance(batch, RaceRecord)]
    assert records[-1].status == "finished"
    assert records[-1].delivered_until == race.time_of(race.last_tick)


def test_little_is_published_again(straight: Course) -> None:
    """After a crash only the events since the last delivery record are repeated."""
    world = World(straight)
    world.create(late=0.0)
    world.wait(33)
    before = len(world.publisher.ticks())
    world.kill()
    world.start()
    world.turn()
    again = world.publisher.ticks()[before:]

    assert 0 < len(again) <= (CHECK + 1) * 10 / 10


def test_a_paused_race_stays_paused(straight: Course) -> None:
    """A pause outlives the engine: race time stands still until it is resumed, and no tick is missing."""
    world = World(straight)
    run = world.create()
    world.wait(20)
    world.change(run, "pause")
    world.turn()
    last = max(world.publisher.ticks())
    world.wait(7)
    world.kill()
    world.clock.advance(1000)
    world.start()
    world.wait(10)
    again = world.race_service.race("race-1")
    stood = max(world.publisher.ticks())
    world.change(again, "resume")
    world.wait(again.race.duration / 10 + 5)

    assert stood == last
    assert world.published() == whole(again.race)


def test_a_scheduled_race_starts_at_its_time(straight: Course) -> None:
    """A scheduled race is started at its gun by the engine that then runs."""
    world = World(straight)
    world.create(start_at=START.replace(minute=5))
    world.wait(10)
    world.kill()
    world.start()
    world.wait(280)
    assert world.publisher.ticks() == []
    world.wait(20)

    assert world.publisher.ticks()[0] == 0


def test_an_ended_race_is_known_and_stays_ended(straight: Course) -> None:
    """An ended race isn't published again, its id stays taken, and its results are available."""
    world = World(straight)
    run = world.create()
    world.wait(run.race.duration / 10 + 5)
    count = len(world.publisher.batches)
    world.kill()
    world.start()
    world.wait(10)
    again = world.race_service.race("race-1")

    assert len(world.publisher.batches) == count
    assert again.status == "finished"
    assert world.race_service.published_until(again) == run.race.time_of(run.race.last_tick)
    assert world.ask() == (again, False)
    with pytest.raises(Exception, match="already exists with different parameters"):
        world.create(seed=4)


def test_a_race_that_cannot_be_restored_affects_no_other(straight: Course) -> None:
    """A replay, or a race on a course that is gone, is left out with a line in the log."""
    world = World(straight)
    world.create()
    world.create(run_id="race-2")
    world.wait(5)
    world.kill()
    (first,) = [batch for batch in world.publisher.batches if isinstance(batch, RaceRecord)][:1]
    gone = first.request.replace("straight", "moon").replace("race-1", "race-3")
    for run_id, request in (("race-3", gone), ("race-4", '{"replay":"x"}'), ("race-5", "no JSON")):
        record = RaceRecord(run_id, "n", "c", 0, "running", 1, 1.0, 1, 1, request, 0, -1.0)
        world.publisher.batches.append(record)
    world.start()

    assert sorted(world.engine.runs) == ["race-1", "race-2"]


def test_reading_races_is_retried(straight: Course) -> None:
    """While the broker is unavailable the service reports why, and then continues by itself."""
    world = World(straight)
    world.create()
    world.wait(5)
    world.kill()
    world.publisher.failing = "no broker answers"
    world.start()
    world.wait(3 * RETRY)
    assert world.race_service.unread == "no broker answers"
    assert not world.engine.runs
    world.publisher.failing = None
    world.wait(2 * RETRY)

    assert world.race_service.unread is None
    assert list(world.engine.runs) == ["race-1"]


@pytest.mark.parametrize("old", ["toldUntil", "runsFrom"])
def test_records_with_the_names_of_older_versions_are_refused(old: str) -> None:
    """A record with a field that was renamed is rejected with the command that helps."""
    (event, *_) = read_event("races")["examples"]

    assert kafka.record_of_event(event).delivered_until == -1
    with pytest.raises(PublishError, match=rf"older version of Racecast \({old}\): python -m pinot reset"):
        kafka.record_of_event(event | {old: 1_767_258_000_000})


def test_a_record_without_the_optional_fields_is_read() -> None:
    """Without `clockStart` the clock started at the gun; without `deliveredUntil` nothing is delivered."""
    (event, *_) = read_event("races")["examples"]
    record = kafka.record_of_event({name: event[name] for name in read_event("races")["required"]})

    assert (record.clock_start, record.delivered_until) == (event["startTime"], -1)


def test_a_finish_is_not_published_before_all_is_delivered(
    straight: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A race is not finished while events wait: after a crash they would not be published again."""
    world = World(straight)
    run = world.create()
    waiting: list[Deferred[None]] = []

    def not_yet() -> Deferred[None]:
        waiting.append(Deferred())
        return waiting[-1]

    world.wait(run.race.duration / 10 - 3)
    monkeypatch.setattr(world.publisher, "flushed", not_yet)
    world.wait(20)
    assert run.status == "running"
    monkeypatch.setattr(world.publisher, "flushed", lambda: succeed(None))
    for one in waiting:
        one.callback(None)
    world.wait(10)

    assert world.race_service.race("race-1").status == "finished"
