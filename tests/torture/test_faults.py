"""Short fault tests: no event is lost, unexpected or out of order. `make torture` runs longer ones."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinot.admin.topics import set_up_topics
from pinot.local.stack import Stack
from tests.conftest import need_java_and_jars
from tests.stacks import started
from tests.torture import faults
from tests.torture.event_stores import EventStore, KafkaEventStore, SqliteEventStore
from tests.torture.faults import BrokerFault

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real Kafka for these tests alone, so that they can stop it."""
    need_java_and_jars()
    with started(tmp_path_factory.mktemp("kafka"), "kafka") as stack:
        set_up_topics(stack.kafka_access, partitions=4, replication=1)
        yield stack


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.stack)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> EventStore:
    """Each store in turn."""
    if request.param == "kafka":
        return KafkaEventStore(request.getfixturevalue("kafka").kafka)
    return SqliteEventStore(tmp_path / "race.db")


@pytest.mark.parametrize("stop_signal", [signal.SIGKILL, signal.SIGTERM])
def test_simulator_restarts(tmp_path: Path, store: EventStore, stop_signal: signal.Signals) -> None:
    """After SIGKILL or SIGTERM, a restarted simulator completes the race without losing an event."""
    result = faults.simulator_restarts(tmp_path, store, repetitions=1, uptime=1.5, stop_signal=stop_signal)

    assert result.passed, result


@pytest.mark.stack
@pytest.mark.parametrize(("fault", "outage"), [("killed", 3.0), ("hung", 7.0)])
def test_broker_outages(tmp_path: Path, kafka: Stack, fault: BrokerFault, outage: float) -> None:
    """During a Kafka outage `/readyz` gives the reason; afterwards all due events arrive in order."""
    result = faults.broker_outages(tmp_path, kafka, fault, repetitions=1, outage=outage)

    assert result.passed, result


@pytest.mark.stack
def test_broker_down_at_start(tmp_path: Path, kafka: Stack) -> None:
    """A race created while Kafka is down is published from its first tick once Kafka is up."""
    result = faults.broker_down_at_start(tmp_path, kafka, outage=1.0)

    assert result.passed, result


def test_disk_full(tmp_path: Path) -> None:
    """While the disk is full the simulator reports it and keeps running; afterwards no event is missing."""
    result = faults.disk_full(tmp_path, repetitions=1, outage=1.0)

    assert result.passed, result


def test_file_locked(tmp_path: Path) -> None:
    """While another process locks the SQLite file, `/readyz` gives the reason, and no event is lost."""
    result = faults.file_locked(tmp_path, repetitions=1, outage=0.0)

    assert result.passed, result
