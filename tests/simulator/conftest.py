"""Courses and races that the tests of the simulator share."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from twisted.internet.task import Clock

from simulator.course.course import Course, Fence
from simulator.course.library import load_folder
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from tests.simulator.reactor_thread import ReactorThread

START = datetime(2026, 5, 2, 9, tzinfo=UTC)
COURSES = Path(__file__).parents[2] / "courses"


@pytest.fixture(scope="session")
def library() -> Mapping[str, Course]:
    """The courses that ship with the project."""
    return load_folder(COURSES).courses


@pytest.fixture(scope="session")
def straight() -> Course:
    """A course along a meridian of 2,500 m, with two geofences that overlap."""
    return Course.measured(
        short_name="straight",
        long_name="The Straight",
        lon=np.array([0.0, 0.0, 0.0]),
        lat=np.array([50.0, 50.01, 50.0224777]),
        fences=[
            Fence("Bridge", shapely.box(-0.01, 50.005, 0.01, 50.01)),
            Fence("Park", shapely.box(-0.01, 50.008, 0.01, 50.015)),
        ],
    )


def resolved(**fields: Any) -> RaceRequest:
    """Return a resolved request for a race on the straight."""
    request = RaceRequest(**{"course": "straight", **fields})
    return request.resolved(run_id="race-1", name="A race", seed=7, start_at=START)


@pytest.fixture
def make_race(straight: Course) -> Callable[..., Race]:
    """Return a maker of races on the straight."""
    return lambda **fields: Race(straight, resolved(**fields))


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at the start of the races."""
    clock = Clock()
    clock.advance(START.timestamp())
    return clock


@pytest.fixture(scope="session")
def thread() -> Iterator[ReactorThread]:
    """The reactor in a thread: one for all, since it can't be started twice."""
    thread = ReactorThread()
    yield thread
    thread.stop()
