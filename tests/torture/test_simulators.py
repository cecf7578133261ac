"""Short tests of several simulators on one Kafka. `make torture` runs longer ones."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pinot.admin.topics import set_up_topics
from pinot.local.stack import Stack
from tests.conftest import need_java_and_jars
from tests.stacks import started
from tests.torture import simulators
from tests.torture.simulators import Cluster, Size

pytestmark = [pytest.mark.timeout(400), pytest.mark.stack]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real Kafka for these tests alone: simulators of other tests would take part."""
    need_java_and_jars()
    with started(tmp_path_factory.mktemp("kafka"), "kafka") as stack:
        set_up_topics(stack.kafka_access, partitions=4, replication=1)
        yield stack


def test_no_event_is_lost_whatever_happens_to_the_simulators(tmp_path: Path, kafka: Stack) -> None:
    """Killed, stopped, suspended: others continue, and the events are those of an undisturbed race."""
    sizes = [Size(50_100, 100), *(Size(100, 10) for _ in range(4))]
    faults = {
        "killed": (simulators.kill, 1),
        "stopped": (simulators.stop, 1),
        "suspended": (simulators.suspended(8.0), 1),
    }
    results = list(simulators.under_faults(tmp_path, kafka, sizes, 40.0, faults))

    assert [one for one in results if not one.passed] == []


def test_a_run_id_makes_one_race_however_many_are_asked(tmp_path: Path, kafka: Stack) -> None:
    """Two simulators that are asked at once make one race: of equal requests one gets 200, of others 409."""
    assert simulators.same_run_id(tmp_path, kafka, 20) == 20


def test_each_simulator_serves_all_races(tmp_path: Path, kafka: Stack) -> None:
    """A race can be shown and changed at any simulator, whichever publishes it, and a course used at any."""
    with Cluster(tmp_path, kafka) as cluster:
        one, other = cluster.start(), cluster.start()
        body = {"course": "crystal-palace", "competitors": 5, "run_id": "anywhere"}
        assert httpx.post(f"{one.address}/races", json=body, trust_env=False).status_code == 201
        assert httpx.post(f"{other.address}/races", json=body, trust_env=False).status_code == 200
        assert httpx.post(f"{other.address}/races/anywhere/pause", trust_env=False).status_code == 200
        assert httpx.post(f"{one.address}/races/anywhere/pause", trust_env=False).status_code == 409
        assert one.get("/races/anywhere").json()["status"] == "paused"
        assert httpx.post(f"{one.address}/races/anywhere/cancel", trust_env=False).status_code == 200
        assert other.get("/races/anywhere").json()["status"] == "cancelled"
        for running in (one, other):
            assert len(running.get("/races/anywhere/positions").json()["features"]) == 5
        cluster.end(one, signal.SIGTERM)
        assert other.get("/races/anywhere").json()["status"] == "cancelled"
