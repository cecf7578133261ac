"""Faults in mid race, a few of each: nothing is lost, made up or reordered. `make torture` tries more."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from pinot.admin.topics import set_up_topics
from tests.conftest import need_java_and_jars
from tests.stacks import started
from tests.torture import faults
from tests.torture.places import KafkaPlace, Place, SqlitePlace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinot.local.stack import Stack
    from tests.torture.faults import How

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real Kafka that may be taken away: nobody else uses it."""
    need_java_and_jars()
    with started(tmp_path_factory.mktemp("kafka"), "kafka") as stack:
        set_up_topics(stack.kafka_access, partitions=4, replication=1)
        yield stack


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.stack)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each store in turn."""
    if request.param == "kafka":
        return KafkaPlace(request.getfixturevalue("kafka").kafka)
    return SqlitePlace(tmp_path / "race.db")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_simulator_ends_and_comes_again(tmp_path: Path, place: Place, how: signal.Signals) -> None:
    """Whether it is killed or asked to end, the race continues by itself, and is the undisturbed one."""
    found = faults.stopped(tmp_path, place, times=2, between=1.5, how=how)

    assert found.held, found


@pytest.mark.stack
@pytest.mark.parametrize(("how", "away"), [("ends", 3.0), ("is killed", 3.0), ("hangs", 7.0)])
def test_the_broker_is_away(tmp_path: Path, kafka: Stack, how: How, away: float) -> None:
    """While Kafka is away `/readyz` says why; when it is back all that is due gets there, in order."""
    found = faults.broker_away(tmp_path, kafka, how, times=1, away=away)

    assert found.held, found


@pytest.mark.stack
def test_the_broker_comes_after_the_race(tmp_path: Path, kafka: Stack) -> None:
    """A race that was taken before Kafka was there is told from its first tick when it is."""
    found = faults.broker_away_at_start(tmp_path, kafka, away=1.0)

    assert found.held, found


def test_the_disk_is_full(tmp_path: Path) -> None:
    """Without room the process lives and says why; with room again nothing is missing."""
    found = faults.disk_full(tmp_path, times=1, away=1.0)

    assert found.held, found


def test_another_process_holds_the_file(tmp_path: Path) -> None:
    """A store that somebody else has locked is waited for, and said why."""
    found = faults.file_locked(tmp_path, times=1, away=0.0)

    assert found.held, found
