"""Probe of the simulators that share a Kafka: who publishes what, and how far it is delivered."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from pinot.health.kafka import PATIENCE_S, QUIET, Admin
from pinot.health.sample import Failure, Group, Member
from pinot.health.verdict import SETUP
from stream.contract import PROGRESS
from stream.parts import GROUP

TOPIC = PROGRESS.name
READER = "racecast-status"
"""A consumer has to have a group; this one commits nothing and is assigned nothing."""
MOST = 1000
"""Most messages that are taken at once."""
STEP_S = 0.1
"""Longest wait for the next messages."""
SETTLED = {ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD}
"""In the other states Kafka describes the members without their partitions."""
DENIED = {KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED}


class GroupProbe:
    """Probes the group in the Kafka of a librdkafka configuration."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._admin = Admin(config)
        self._progress = ProgressReader(config)

    def __call__(self) -> Group | Failure:
        """Return the group's members with their partitions, and the progress of the parts of races."""
        taken = time.time()
        try:
            ends = self._admin.ends(self._admin.places([TOPIC])).get(TOPIC)
            if ends is None:
                return Failure(f"Kafka has no topic {TOPIC}. {SETUP}.")
            settled, members = self._describe()
            return Group(members, len(ends), settled, self._progress.read(ends), taken)
        except (KafkaException, TimeoutError, ValueError) as error:
            return denied(error) or self._admin.failure(error)

    def _describe(self) -> tuple[bool, tuple[Member, ...]]:
        """Return whether the group is settled, and its members."""
        groups = self._admin.client().describe_consumer_groups([GROUP], request_timeout=PATIENCE_S)
        try:
            found = groups[GROUP].result(2 * PATIENCE_S)
        except KafkaException as error:
            # Before its first member, newer brokers do not know the group.
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return True, ()
            raise
        members = (member_of(one) for one in found.members)
        return found.state in SETTLED, tuple(sorted(members, key=lambda member: member.name))


def member_of(described: Any) -> Member:
    """Return a member of the group as Kafka describes it."""
    places = described.assignment.topic_partitions
    partitions = frozenset(place.partition for place in places if place.topic == TOPIC)
    return Member(described.client_id, described.host.removeprefix("/"), partitions)


def denied(error: Exception) -> Failure | None:
    """Return the message for an error that is a lack of rights, else None."""
    if not isinstance(error, KafkaException) or error.args[0].code() not in DENIED:
        return None
    return Failure(
        f"Kafka does not show the group of simulators ({error.args[0].str()}). Allow the user in "
        f"RACECAST_KAFKA_USERNAME to describe the groups {GROUP} and {READER}, and to read the topic {TOPIC}."
    )


class ProgressReader:
    """Reads the topic `progress`: all of it at first, later what has come since.

    Args:
        config: librdkafka's.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = {
            **config,
            **QUIET,
            "group.id": READER,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            # Compaction may have removed the last offsets before the end.
            "enable.partition.eof": True,
            # Limits what it fetches ahead between two samples.
            "queued.max.messages.kbytes": 1024,
        }
        self._consumer: Consumer | None = None
        self._following: dict[int, int] = {}  # the offset of the next message, by partition
        self._delivered: dict[tuple[str, int], float] = {}

    def read(self, ends: Mapping[int, int | None]) -> Mapping[tuple[str, int], float] | None:
        """Return how far each part is delivered: race seconds by run id and number of the part.

        None if that is not known after PATIENCE_S: an older record would look like a late race.

        Args:
            ends: the topic's end offsets by partition; None for a partition that cannot be read.

        Raises:
            KafkaException: Kafka does not let this user read it.
        """
        consumer = self._consumer
        if consumer is None or self._is_another(ends):
            consumer = self._begin(ends)
        give_up, has_read = time.monotonic() + PATIENCE_S, False
        while self._is_behind(ends) and time.monotonic() < give_up:
            # `consume` alone would wait for MOST messages.
            first = consumer.poll(STEP_S)
            has_read = has_read or first is not None
            for message in [] if first is None else [first, *consumer.consume(MOST, timeout=0.0)]:
                self._take(message)
        if not self._is_behind(ends):
            return dict(self._delivered)
        if not has_read:
            # After a restart of the broker, librdkafka may never fetch a partition again (its issue 4492).
            self._read_from(self._following)
        return None

    def _begin(self, partitions: Iterable[int]) -> Consumer:
        """Read the topic from its beginning."""
        self._following = dict.fromkeys(partitions, 0)
        self._delivered = {}
        return self._read_from(dict.fromkeys(self._following, OFFSET_BEGINNING))

    def _read_from(self, offsets: Mapping[int, int]) -> Consumer:
        """Read with a new consumer from these offsets, by partition."""
        if self._consumer is not None:
            self._consumer.close()
        self._consumer = Consumer(self._config)
        self._consumer.assign([TopicPartition(TOPIC, *place) for place in offsets.items()])
        return self._consumer

    def _is_another(self, ends: Mapping[int, int | None]) -> bool:
        """Return whether the topic has been recreated, or has other partitions."""
        return ends.keys() != self._following.keys() or any(
            end is not None and end < self._following[partition] for partition, end in ends.items()
        )

    def _is_behind(self, ends: Mapping[int, int | None]) -> bool:
        return any(end is None or self._following[partition] < end for partition, end in ends.items())

    def _take(self, message: "Message[bytes, bytes]") -> None:
        partition, offset, error = message.partition() or 0, message.offset() or 0, message.error()
        if error is None:
            self._following[partition] = offset + 1
            self._note(message.key(), message.value())
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - a public constant, named like this
            self._following[partition] = offset
        else:
            self._consumer = None  # to begin again, because what follows is lost
            raise KafkaException(error)

    def _note(self, key: bytes | None, value: bytes | None) -> None:
        """Note a record. A former owner of a part may write an older one, so the furthest counts."""
        with suppress(ValueError, LookupError, TypeError):  # other programs can write to the topic, too
            run_id, _, number = (key or b"").decode().rpartition("/")
            part = run_id, int(number)
            if value is None:
                self._delivered.pop(part, None)
            else:
                until = 0.0 + orjson.loads(value)["deliveredUntil"]
                self._delivered[part] = max(until, self._delivered.get(part, until))
