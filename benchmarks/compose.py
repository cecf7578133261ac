"""Benchmark of `docker compose up`: start time, a race and its queries, and recovery of each service."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median

from tests.compose.engine import docker_engine
from tests.compose.project import RUNNING, Project
from tests.compose.race_day import QUERIES, RaceDay
from tests.compose.stand_ins import provide_images

SPEED = 60
ROUNDS = 20


class Composed:
    """A running Compose project.

    Attributes:
        description: versions of the engine and Compose, and whether the images are real.
        first_start: seconds of the first `up`, which builds the project's image.
    """

    def __init__(self, description: str, project: Project, first_start: float) -> None:
        self.description = description
        self.first_start = first_start
        self._project = project
        self._day = RaceDay(project, SPEED)

    def race(self) -> tuple[int, int]:
        """Run a race; return the number of finishers, and of those with the same finish time in Pinot."""
        race = self._day.start_race()
        self._day.wait_until_finished(race)
        from_api, from_pinot = self._day.finish_times(race)
        return len(from_api), len(from_api.items() & from_pinot.items())

    def queries(self) -> Iterator[tuple[str, int, float]]:
        """Yield each query's name, number of rows, and median time in seconds."""
        race = self._day.races[0]
        for name in QUERIES:
            query = partial(self._day.ask, name, race)
            yield name, len(query()), median(_seconds(query) for _ in range(ROUNDS))

    def recoveries(self) -> Iterator[tuple[str, float, float]]:
        """Yield each service with its recovery times in seconds, after a restart and after a crash."""
        for service in RUNNING:
            faults = partial(self._project.run, "restart", service), partial(self._project.kill, service)
            restarted, crashed = (self._recovery(service, fault) for fault in faults)
            yield service, restarted, crashed
        self._day.wait_until_finished(self._day.races[-1])

    def stops(self) -> dict[str, float]:
        """Stop the services in reverse order; return the stop time of each in seconds."""
        return {service: _seconds(partial(self._project.run, "stop", service)) for service in RUNNING[::-1]}

    def recreate(self) -> tuple[float, int, int]:
        """Recreate the containers; return the seconds, the number of races, and how many are complete."""
        self._project.down()
        seconds = _seconds(self._project.up)
        complete = [self._day.judge("down and up", race, []).passed for race in self._day.races]
        return seconds, len(complete), sum(complete)

    def _recovery(self, service: str, fault: Callable[[], object]) -> float:
        seconds = self._day.recovery(fault)
        self._project.wait_until_well(service)
        return seconds


@contextmanager
def composed() -> Iterator[Composed]:
    """Start the services of docker-compose.yml, and remove them afterwards; raise NoEngineError."""
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
