"""A simulator's membership of the consumer group that distributes the partitions of `progress`.

The group's coordinator in Kafka notices who comes, leaves and dies. Nothing is consumed by way of the group:
every simulator reads all of the log anyway.
"""

import time
from collections.abc import Callable, Coroutine, Mapping
from threading import Thread
from typing import Any

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition
from twisted.internet import defer
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.python.failure import Failure

from simulator.log.log import Listener
from simulator.publishers.publisher import PublishError
from stream.parts import GROUP

STEP = 0.2
"""Seconds between two looks at the group."""
LOOK = 5.0
"""Seconds to wait for the end of a partition."""
RELEASE_WITHIN = 4.0
"""Seconds within which what is published of a part has to be delivered before another simulator gets it."""
LEAVE_WITHIN = 10.0
"""Seconds to wait for a thread at shutdown; it may itself wait for a reactor that is about to end."""
MEMBER = {
    "group.id": GROUP,
    # Only the partitions that change hands stop.
    "partition.assignment.strategy": "cooperative-sticky",
    # After a crash, others continue after this time; brokers accept no shorter one by default.
    "session.timeout.ms": 6000,
    # Members learn of a rebalance by their heartbeats.
    "heartbeat.interval.ms": 500,
    "max.poll.interval.ms": 60_000,
    "enable.auto.commit": False,
    "auto.offset.reset": "latest",
    "log_level": 2,
}

_result_of: Any = blockingCallFromThread  # its types do not allow for a function that returns a Deferred
Reached = Callable[[dict[tuple[str, int], int]], Coroutine[Any, Any, None]]


class Membership:
    """Takes and releases partitions as the group's coordinator says.

    Args:
        reactor: Twisted's; the listener is called in its thread.
        access: librdkafka's connection settings.
        listener: publishes the parts.
        reached: waits until the log has been applied up to given offsets.
    """

    def __init__(self, reactor: Any, access: Mapping[str, Any], listener: Listener, reached: Reached) -> None:
        self._reactor = reactor
        self._access = access
        self._listener = listener
        self._reached = reached
        self._log = structlog.get_logger()
        self._is_leaving = False
        self._is_member = False
        self._is_delivered = True
        self._thread = Thread(target=self._be_member, name="simulators", daemon=True)

    def join(self) -> None:
        """Join the group."""
        self._thread.start()

    async def leave(self) -> bool:
        """Release all partitions and leave; return whether all that was published is delivered."""
        self._is_leaving = True
        await deferToThread(self._thread.join, LEAVE_WITHIN)
        return self._is_delivered and not self._thread.is_alive()

    def trouble(self) -> str | None:
        """Return why no parts are assigned, or None."""
        return None if self._is_member else f"the consumer group {GROUP} has not assigned any parts yet"

    def _be_member(self) -> None:
        while not self._is_leaving:
            consumer = Consumer({**self._access, **MEMBER})
            try:
                self._follow(consumer)
            except Exception:  # noqa: BLE001 - without this thread nothing would be published
                self._log.error("membership failed, joining again", exc_info=True)
                time.sleep(STEP)
            finally:
                consumer.close()

    def _follow(self, consumer: Consumer) -> None:
        consumer.subscribe(
            ["progress"], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        while not self._is_leaving:
            message = consumer.poll(STEP)
            if message is not None and (error := message.error()) is not None:
                self._log.warning("the group of simulators reports an error", why=error.str())

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # What the partitions contain is read elsewhere.
        at_their_ends = [TopicPartition(one.topic, one.partition, OFFSET_END) for one in partitions]
        consumer.incremental_assign(at_their_ends)
        consumer.pause(partitions)
        self._is_member = True
        try:
            ends = {
                (one.topic, one.partition): consumer.get_watermark_offsets(one, timeout=LOOK)[1]
                for one in partitions
            }
        except KafkaException as error:
            self._log.warning("progress may be repeated", why=error.args[0].str())
            ends = {}
        _result_of(self._reactor, self._take, _numbers(partitions), ends)

    def _take(self, numbers: list[int], ends: dict[tuple[str, int], int]) -> Deferred[None]:
        def take(_: object) -> None:
            self._listener.take(numbers)
            self._log.info("parts taken", partitions=numbers)

        # If the log is slow: publishing some events again is better than not publishing others.
        return ensureDeferred(self._reached(ends)).addBoth(take)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = _numbers(partitions)
        is_delivered: bool = _result_of(self._reactor, self._release, numbers)
        self._is_delivered = self._is_delivered and is_delivered
        self._log.info("parts released", partitions=numbers, delivered=is_delivered)
        consumer.incremental_unassign(partitions)

    def _release(self, numbers: list[int]) -> Deferred[bool]:
        released = self._listener.release(numbers)
        return released.addTimeout(RELEASE_WITHIN, self._reactor).addErrback(_not_delivered)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._is_member = False
        numbers = _numbers(partitions)
        _result_of(self._reactor, self._listener.lose, numbers)
        self._log.warning("parts lost to other simulators", partitions=numbers)
        consumer.incremental_unassign(partitions)


def _numbers(partitions: list[TopicPartition]) -> list[int]:
    return sorted(one.partition for one in partitions)


def _not_delivered(failure: Failure) -> bool:
    failure.trap(defer.TimeoutError, PublishError)
    return False
