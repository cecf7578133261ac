"""The records of progress that the engine writes, as the pipeline's health judges them."""

from datetime import timedelta
from typing import Any

import pytest
from twisted.internet.task import Clock

from pinot.health.parts import lag
from pinot.health.sample import RaceNews
from pinot.health.thresholds import PART_AMBER_S
from simulator.course.course import Course
from simulator.engine.run import Run
from tests.simulator.conftest import START
from tests.simulator.engine.test_engine import World

STEP_S = 0.1


class Watched:
    """Races on an engine, and how late their parts seem to be.

    Each of `races` has the fields of its request; `gun` is in seconds.
    """

    def __init__(self, clock: Clock, course: Course, races: list[dict[str, Any]]) -> None:
        self.world = World(clock, course)
        self.runs = [self._add(nth, **fields) for nth, fields in enumerate(races)]

    def _add(self, nth: int, gun: float = 0.0, **fields: Any) -> Run:
        start = START + timedelta(seconds=gun)
        return self.world.add(run_id=f"race-{nth}", start_at=start, **fields)

    def latest(self, seconds: float) -> float:
        """Let time pass, and return the longest lag on the way."""
        longest = 0.0
        for _ in range(round(seconds / STEP_S)):
            self.world.wait(STEP_S, STEP_S)
            longest = max([longest, *map(self._lag, self.runs)])
        return longest

    def _lag(self, run: Run) -> float:
        known = [one.delivered_until for one in self.world.publisher.progress if one.run_id == run.run_id]
        record, request = run.record, run.request
        news = RaceNews(
            run_id=run.run_id,
            period=request.tick / request.speed,
            newest=None,
            noted=record.updated_at / 1000,
            competitors=record.competitors,
            speed=record.speed,
            clock_start=record.clock_start / 1000,
            is_replay=False,
        )
        return lag(news, max(known, default=None), self.world.clock.seconds())


@pytest.mark.parametrize(
    "races",
    [
        [{}],
        [{"speed": 4.0, "interval": 1}],
        [{"interval": 6}, {"interval": 5, "gun": 0.9}],
        [{"interval": 4, "gun": 0.3 * nth} for nth in range(4)],
        [{"interval": 60, "gun": 0.6 * nth} for nth in range(3)],
        [{"interval": 17, "gun": 0.4}, {"interval": 11, "speed": 0.5}, {"gun": 5.5, "interval": 2}],
    ],
    ids=str,
)
def test_healthy_races_are_never_late(clock: Clock, straight: Course, races: list[dict[str, Any]]) -> None:
    """Whatever the intervals of races and their guns: while the engine is on time, no part seems late."""
    watched = Watched(clock, straight, races)
    assert watched.latest(200.0) < 2 * STEP_S
    assert len(watched.world.publisher.progress) > 0


def test_stalled_races_are_late(clock: Clock, straight: Course) -> None:
    """While nothing can be published, the lag grows, and it is 0 again soon after the stall."""
    watched = Watched(clock, straight, [{}, {"interval": 5}])
    assert watched.latest(30.0) < 2 * STEP_S
    watched.world.publisher.failing = "no broker answers"
    assert PART_AMBER_S < watched.latest(25.0) < 25.0
    watched.world.publisher.failing = None
    watched.latest(15.0)
    assert watched.latest(30.0) < 2 * STEP_S
