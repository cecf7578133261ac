"""The probe of the simulators that share a Kafka, with the real one."""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    NewTopic,
)

from pinot.health import group as group_module
from pinot.health.group import GroupProbe, ProgressReader, denied
from pinot.health.judge import judge
from pinot.health.kafka import Admin
from pinot.health.probes import Probes, of_stack
from pinot.health.report import report
from pinot.health.sample import Failure, Group
from pinot.health.simulator import SimulatorProbe
from pinot.local.stack import Stack
from simulator.publishers.encode import encode_progress, progress_key
from simulator.race.events import Progress
from stream.contract import read_topics
from stream.parts import partition_of
from stream.waiting import wait_for
from tests.pinot.samples import simulator as well
from tests.processes import Running
from tests.torture.simulators import Cluster

PARTITIONS: int = read_topics()["progress"]["partitions"]


def name_of(running: Running) -> str:
    """Return the name of a simulator in the group."""
    return f"{socket.gethostname()}-{running.pid}"


def owned(running: Running) -> set[int]:
    """Return the partitions that a simulator says it has."""
    return set(running.get("/readyz").json()["partitions"])


def wait_until_shared(probe: GroupProbe, simulators: list[Running]) -> Group:
    """Wait until exactly these simulators have all partitions, and say so themselves."""
    found: list[Group] = []

    def trouble() -> str | None:
        group = probe()
        assert isinstance(group, Group)
        shares = {member.name: set(member.partitions) for member in group.members}
        if group.unowned or shares != {name_of(one): owned(one) for one in simulators}:
            return f"{group} instead of {simulators}"
        found.append(group)
        return None

    wait_for("the simulators' shares", trouble, seconds=90, say=print)
    return found[-1]


def test_simulators_that_come_and_go(stack: Stack, tmp_path: Path, run: str) -> None:
    """The probe returns owners and progress of all parts; a race without a simulator is reported."""
    probe = GroupProbe({"bootstrap.servers": stack.kafka})
    with Cluster(tmp_path, stack) as cluster:
        one = cluster.start()
        assert len(wait_until_shared(probe, [one]).members[0].partitions) == PARTITIONS
        two = cluster.start()
        group = wait_until_shared(probe, [one, two])
        assert {member.host for member in group.members} == {"127.0.0.1"}
        assert {len(member.partitions) for member in group.members} == {PARTITIONS // 2}

        body = {"course": "crystal-palace", "competitors": 5, "interval": 1, "run_id": run}
        httpx.post(f"{one.address}/races", json=body, trust_env=False).raise_for_status()
        wait_for("progress", lambda: None if delivered(probe(), run) else "none yet", seconds=60, say=print)
        race_time = two.get(f"/races/{run}").json()["race_time"]
        assert race_time - 20 < delivered(probe(), run) <= race_time + 1
        owner, other = sorted((one, two), key=lambda running: name_of(running) != owner_of(probe(), run))
        assert owner_of(probe(), run) == name_of(owner)
        row = wait_for_row(stack, owner)
        assert (row["parts"] >= 1, row["competitors"] >= 5, row["lag_seconds"] < 5) == (True, True, True)

        cluster.end(owner)
        group = wait_until_shared(probe, [other])
        assert owner_of(group, run) == name_of(other)
        cluster.end(other)
        found = replace(probes_of(stack, other.address).take(), simulator=well())
        assert isinstance(found.group, Group)
        assert (found.group.members, len(found.group.unowned)) == ((), PARTITIONS)
        assert judge(found, None)["Simulator"].sentence.startswith("No simulator publishes ")

        three = cluster.start()
        wait_until_shared(probe, [three])
        assert httpx.post(f"{three.address}/races/{run}/cancel", trust_env=False).is_success


def delivered(found: Group | Failure, run: str) -> float:
    """Return how far the only part of a race is delivered, 0 if there is no record."""
    assert isinstance(found, Group)
    assert found.delivered is not None
    return found.delivered.get((run, 0), 0.0)


def owner_of(found: Group | Failure, run: str) -> str:
    """Return the name of the simulator that publishes a race."""
    assert isinstance(found, Group)
    owner = found.owner(partition_of(run, 0, found.partitions))
    assert owner is not None
    return owner.name


def probes_of(stack: Stack, api: str) -> Probes:
    """Return the probes of a stack."""
    kafka = {"bootstrap.servers": stack.kafka}
    return of_stack(SimulatorProbe(api), kafka, controller=stack.controller, broker=stack.broker)


def wait_for_row(stack: Stack, running: Running) -> dict[str, Any]:
    """Return the numbers of a simulator in a report, as soon as Pinot has a race of its own."""
    probes = probes_of(stack, running.address)
    found: dict[str, Any] = {}

    def trouble() -> str | None:
        rows = {row.name: row.numbers for row in report([probes.take()]).simulators}
        found.update(rows[name_of(running)])
        return None if found["parts"] else "no part yet"

    wait_for("the race", trouble, seconds=60, say=print)
    return found


@pytest.fixture
def topic(stack: Stack, run: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["Topic"]:
    """A topic of this test alone that stands for `progress`."""
    name = f"progress-{run}"
    monkeypatch.setattr(group_module, "TOPIC", name)
    made = Topic(stack, name)
    made.create()
    yield made
    made.delete()


class Topic:
    """A topic with records of progress, and the reader that is tested."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.name = name
        self._access: dict[str, Any] = {"bootstrap.servers": stack.kafka}
        self._admin = AdminClient(self._access)
        self._producer = Producer({**self._access, "linger.ms": 0})
        self.reader = ProgressReader(self._access)

    def create(self, partitions: int = 3) -> None:
        """Create it."""
        ((_, made),) = self._admin.create_topics([NewTopic(self.name, partitions, 1)]).items()
        made.result(30)
        wait_for("the topic", lambda: None if self.ends() else "not yet", seconds=30, say=print)

    def delete(self) -> None:
        """Delete it."""
        ((_, deleted),) = self._admin.delete_topics([self.name]).items()
        deleted.result(30)
        wait_for("its end", lambda: "still there" if self.ends() else None, seconds=30, say=print)

    def write(self, run_id: str, part: int, delivered_until: float) -> None:
        """Write a record as the simulators do."""
        progress = Progress(run_id, part, delivered_until, 1_800_000_000_000)
        self.send(progress_key(run_id, part), encode_progress(progress), part % 3)

    def send(self, key: bytes | None, value: bytes | None, partition: int = 0) -> None:
        """Write any message."""
        self._producer.produce(self.name, value, key, partition)
        assert self._producer.flush(30) == 0

    def read(self) -> Mapping[tuple[str, int], float] | None:
        """Return what the reader knows now."""
        return self.reader.read(self.ends())

    def ends(self) -> dict[int, int | None]:
        """Return its end offsets; none if it does not exist."""
        admin = Admin(self._access)
        return admin.ends(admin.places([self.name])).get(self.name, {})


def test_progress_is_read_on(topic: Topic) -> None:
    """Each part's furthest record counts; what is read later adds to it, and a deleted part is gone."""
    assert topic.read() == {}
    for part in range(6):
        topic.write("a", part, 10.0 + part)
    topic.write("a", 0, 20.0)
    topic.write("a", 0, 15.0)  # by a former owner
    assert topic.read() == {("a", 0): 20.0, **{("a", part): 10.0 + part for part in range(1, 6)}}
    topic.send(progress_key("a", 1), None, 1)
    topic.write("a", 2, 30.0)
    assert topic.read() == {
        ("a", 0): 20.0,
        ("a", 2): 30.0,
        **{("a", part): 10.0 + part for part in range(3, 6)},
    }


def test_progress_that_is_not_there_in_time(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before all records are read, and without a partition's leader, no progress is known, not too little."""
    monkeypatch.setattr(group_module, "PATIENCE_S", 0.2)
    topic.write("a", 0, 10.0)
    ends = topic.ends()
    assert topic.reader.read({**ends, 0: (ends[0] or 0) + 1}) is None
    assert topic.reader.read({**ends, 1: None}) is None
    wait_for("all records", lambda: None if topic.read() == {("a", 0): 10.0} else "no", seconds=30, say=print)


def test_a_reader_that_stops_fetching_is_replaced(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart of the broker, a consumer may bring nothing any more: progress is read on."""
    monkeypatch.setattr(group_module, "PATIENCE_S", 0.5)
    topic.write("a", 0, 10.0)
    wait_for("the record", lambda: None if topic.read() == {("a", 0): 10.0} else "no", seconds=30, say=print)
    consumer: Any = topic.reader._consumer
    consumer.pause(consumer.assignment())
    topic.write("a", 0, 20.0)
    topic.write("a", 1, 5.0)

    assert topic.read() is None
    wait_for(
        "the others",
        lambda: None if topic.read() == {("a", 0): 20.0, ("a", 1): 5.0} else "no",
        seconds=30,
        say=print,
    )
    assert topic.reader._consumer is not consumer


def test_other_messages_are_skipped(topic: Topic) -> None:
    """Anybody may write to the topic: what is no record of progress changes nothing."""
    topic.write("a", 0, 10.0)
    for key, value in (
        (b"a/0", b"{"),
        (b"a/0", b"7"),
        (b"a/0", b'{"deliveredUntil": "NaN"}'),
        (b"a/0", b'{"deliveredUntil": null}'),
        (b"a/x", b'{"deliveredUntil": 50}'),
        (b"\xff/0", b'{"deliveredUntil": 50}'),
        (None, b'{"deliveredUntil": 50}'),
        (None, None),
    ):
        topic.send(key, value)
    assert topic.read() == {("a", 0): 10.0}


def test_recreated_topic(topic: Topic) -> None:
    """After a reset, the progress of before is forgotten."""
    for seconds in range(5):
        topic.write("a", 0, float(seconds))
    assert topic.read() == {("a", 0): 4.0}
    topic.delete()
    topic.create(partitions=4)
    topic.write("b", 0, 1.0)
    wait_for(
        "the new record", lambda: None if topic.read() == {("b", 0): 1.0} else "no", seconds=30, say=print
    )


def test_missing_topic(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the topic there is the remedy."""
    monkeypatch.setattr(group_module, "TOPIC", "no-such-topic")
    found = GroupProbe({"bootstrap.servers": stack.kafka})()
    assert found == Failure("Kafka has no topic no-such-topic. Run python -m pinot setup.")


@pytest.mark.parametrize(
    ("code", "is_denied"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, True),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, True),
        (KafkaError._TRANSPORT, False),
    ],
)
def test_missing_rights(code: int, *, is_denied: bool) -> None:
    """If Kafka denies access to the group or the topic, the message names what to allow."""
    found = denied(KafkaException(KafkaError(code)))
    assert (found is not None) is is_denied
    assert found is None or "describe the groups racecast-simulators and racecast-status" in found.sentence


def test_only_the_rights_are_missing() -> None:
    """Other errors are not a lack of rights."""
    assert denied(TimeoutError()) is None
    assert denied(ValueError("no address")) is None
