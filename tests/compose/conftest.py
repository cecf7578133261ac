"""The composed system, shared by all tests of this folder."""

import os
from collections.abc import Iterator

import pytest

from tests.compose.engine import Engine, NoEngineError, docker_engine
from tests.compose.project import Project
from tests.compose.race_day import RaceDay
from tests.compose.stand_ins import provide_images


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """A Docker engine with the images or stand-ins for them; without one, skip the tests (in CI: fail)."""
    try:
        with docker_engine() as engine:
            images = provide_images(engine)
            reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
            assert reporter is not None
            reporter.write_line(f"\nrunning on {engine.versions()}, {images}")
            yield engine
    except NoEngineError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has to run docker-compose.yml, but {error}", pytrace=False)
        pytest.skip(f"needs a Docker engine, but {error}")


@pytest.fixture(scope="session")
def project(engine: Engine) -> Iterator[Project]:
    """All services of `docker compose up`, healthy; nothing of them is left behind."""
    project = Project(engine)
    try:
        project.up()
        yield project
    finally:
        project.remove()
    assert not any(project.left_behind().values()), project.left_behind()


@pytest.fixture(scope="session")
def race_day(project: Project) -> RaceDay:
    """Races and faults on it."""
    return RaceDay(project, speed=120)
