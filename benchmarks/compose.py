"""What `docker compose up` costs: starts, a race and its queries, and recoveries of each service."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from tests.compose.engine import docker_engine
from tests.compose.project import RUNNING, Project
from tests.compose.race_day import QUERIES, RaceDay
from tests.compose.stand_ins import provide_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPEED = 60
ROUNDS = 20


class Composed:
    """A composed system that is measured.

    Attributes:
        description: the versions of the engine and of Compose, and whether the images are real.
        first_start: seconds of the first `up`, which builds the project's image.
    """

    def __init__(self, description: str, project: Project, first_start: float) -> None:
        self.description = description
        self.first_start = first_start
        self._project = project
        self._day = RaceDay(project, SPEED)

    def race(self) -> tuple[int, int]:
        """Run a race; return its finishers, and how many of them have the same finish time in Pinot."""
        race = self._day.start_race()
        self._day.wait_until_finished(race)
        of_the_api, in_pinot = self._day.finish_times(race)
        return len(of_the_api), len(of_the_api.items() & in_pinot.items())

    def queries(self) -> Iterator[tuple[str, int, float]]:
        """Yield each query's name, its number of rows, and the median of its seconds."""
        race = self._day.races[0]
        for name in QUERIES:
            ask = partial(self._day.ask, name, race)
            yield name, len(ask()), median(_seconds(ask) for _ in range(ROUNDS))

    def recoveries(self) -> Iterator[tuple[str, float, float]]:
        """Yield each service with the seconds to recover from its restart and from its crash."""
        for service in RUNNING:
            faults = partial(self._project.run, "restart", service), partial(self._project.kill, service)
            restarted, crashed = (self._recovery(service, fault) for fault in faults)
            yield service, restarted, crashed
        self._day.wait_until_finished(self._day.races[-1])

    def stops(self) -> dict[str, float]:
        """Stop the services one by one, the last started first; return the seconds of each."""
        return {service: _seconds(partial(self._project.run, "stop", service)) for service in RUNNING[::-1]}

    def start_again(self) -> tuple[float, int, int]:
        """Remove the containers and start again; return the seconds, all races and complete races."""
        self._project.down()
        seconds = _seconds(self._project.up)
        complete = [self._day.judge("down and up", race, []).held for race in self._day.races]
        return seconds, len(complete), sum(complete)

    def _recovery(self, service: str, fault: Callable[[], object]) -> float:
        seconds = self._day.recovery(fault)
        self._project.wait_until_well(service)
        return seconds


@contextmanager
def composed() -> Iterator[Composed]:
    """Start everything of docker-compose.yml, and remove it afterwards; raises NoEngineError."""
    with docker_engine() as engine:
        description = f"{engine.versions()}, {provide_images(engine)}"
        project = Project(engine)
        try:
            yield Composed(description, project, _seconds(project.up))
        finally:
            project.remove()


def _seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began
