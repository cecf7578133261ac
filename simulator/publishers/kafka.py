"""The publisher to Kafka.

The producer is idempotent, waits for all in-sync replicas and never drops an event. Its queue holds what an
unavailable broker has not accepted. When `HIGH_WATER` events wait, `publish` does not fire until there is
room again. So an outage of any length costs time and a bounded amount of memory, but no events.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.threads import deferToThread

from simulator.publishers.binary import Encoding, Json
from simulator.publishers.course_loader import CourseLoader
from simulator.publishers.deliveries import Deliveries
from simulator.publishers.encode import HEADERS
from simulator.publishers.publisher import Health, PublishError
from simulator.race.events import Batch, CourseRecord, Progress, Streamed
from simulator.reactor import Reactor, after
from stream.contract import TOPICS
from stream.kafka import AuthErrorListener
from stream.registry import RegistryError

HIGH_WATER = 200_000
"""Events that may wait in the producer before `publish` holds back."""
POLL = 0.02
"""Seconds between two polls of the producer."""
RETRY = 1.0
"""Seconds before events that Kafka did not accept are retried."""
STALL = 5.0
"""Seconds without a delivery, while events wait, after which that is reported: a broker may hang."""
LOOK = 2.0
"""Seconds to wait for a broker's list of topics."""
FLUSH_WITHIN = 2.0
"""Seconds after which `publish` holds back until `flushed` has fired."""
FLUSH = 5.0
"""Seconds that `close` waits for the delivery of waiting events."""

SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    # Java's default partitioner, as used by Kafka Streams and Pinot.
    "partitioner": "murmur2_random",
    # Events never time out; HIGH_WATER bounds the memory.
    "message.timeout.ms": 0,
    "queue.buffering.max.messages": 2 * HIGH_WATER,
    "queue.buffering.max.kbytes": 512 * 1024,
    # A race's record contains its request, which may have a course of 100,000 points.
    "message.max.bytes": 8 * 1024 * 1024,
    "linger.ms": 10,
    "batch.num.messages": 20_000,
    "compression.type": "lz4",
    "delivery.report.only.error": True,
    "statistics.interval.ms": 1000,
    "reconnect.backoff.max.ms": 2000,
    # This module logs an outage once; the library would log it repeatedly.
    "log_level": 2,
}


KeyValue = tuple[bytes | None, bytes | None]
"""A key and a value; a message has the headers of its topic."""
ANY, NOW = -1, 0
"""The producer chooses the partition and the timestamp."""


class KafkaPublisher:
    """Publishes to the topics.

    Nothing enters the producer until the broker has confirmed that the topics exist, and the registry that it
    has the schemas. So no event waits for a topic while later ones overtake it, and a missing set-up is
    reported immediately.

    Args:
        reactor: schedules the polls.
        access: librdkafka's connection settings, from `KafkaAccess.client_config`.
        loader: loads courses, which have no topic, into Pinot; without one they are dropped.
        encoding: the format of the events.
    """

    store = None

    def __init__(
        self,
        reactor: Reactor,
        access: Mapping[str, Any],
        loader: CourseLoader | None = None,
        encoding: Encoding | None = None,
    ) -> None:
        self._reactor = reactor
        self._access = access
        self._address = access["bootstrap.servers"]
        self._auth_errors = AuthErrorListener(access)
        self._loader = loader
        self._encoding = encoding or Json()
        self._log = structlog.get_logger()
        self.deliveries = Deliveries(reactor.seconds)
        self._away: str | None = f"no broker at {self._address} has answered yet"
        self._refusal: str | None = None
        self._delivered_at = reactor.seconds()
        self._ready_for: set[str] = set()
        self._unencoded = 0  # events of batches of which a part is in the producer already
        self._again: list[tuple[str, KeyValue]] = []
        self._again_from = 0.0
        self._waiting: Deferred[None] | None = None
        self._flushers: list[Deferred[None]] = []
        self._flush_since = reactor.seconds()  # when the oldest of them began to wait
        callbacks = {"stats_cb": self._statistics, "error_cb": self._hear}
        self._producer = Producer({**access, **SETTINGS, **callbacks})
        self._alarm = reactor.callLater(POLL, self._poll)

    def publish(self, batch: Batch) -> Deferred[None]:
        """Accept a batch; fires when fewer than HIGH_WATER events wait, for a course immediately."""
        if isinstance(batch, Progress):
            return succeed(None)  # of a replay, which no simulator continues
        if isinstance(batch, CourseRecord):
            if self._loader is not None:
                self._loader.load(batch.course)
            return succeed(None)
        return ensureDeferred(self._take(batch))

    def flushed(self) -> Deferred[None]:
        """Fire when the producer is empty."""
        if self._is_empty():
            return succeed(None)
        if not self._flushers:
            self._flush_since = self._reactor.seconds()
        waiting: Deferred[None] = Deferred()
        self._flushers.append(waiting)
        return waiting

    def health(self) -> Health:
        """Return the current state."""
        trouble = self._refusal or self._away or self._stall()
        return Health.of(self.deliveries, trouble, credentials_rejected=self._auth_errors.refusal is not None)

    def close(self) -> Deferred[None]:
        """Deliver the waiting events, for FLUSH seconds at most."""
        if self._alarm.active():
            self._alarm.cancel()
        self._produce_again()
        loading = succeed(None) if self._loader is None else self._loader.close()
        flushing = deferToThread(self._producer.flush, FLUSH).addCallback(self._flushed)
        return flushing.addBoth(lambda flushed: loading.addCallback(lambda _: flushed))

    async def _get_ready(self, topic: str) -> None:
        """Check in a thread that broker and registry have what was set up; raises PublishError otherwise."""
        try:
            metadata = await deferToThread(self._producer.list_topics, timeout=LOOK)
        except KafkaException as error:
            raise PublishError(self._unavailable()) from error
        needed = {*TOPICS, topic}
        if missing := sorted(needed - metadata.topics.keys()):
            names = " and no topic ".join(missing)
            raise PublishError(f"Kafka has no topic {names}: python -m pinot setup creates them")
        try:
            await deferToThread(self._encoding.prepare)
        except RegistryError as error:
            raise PublishError(str(error)) from error
        self._ready_for |= needed

    def _unavailable(self) -> str:
        return self._auth_errors.refusal or f"no broker answers at {self._address}"

    async def _take(self, batch: Streamed) -> None:
        """Put a batch into the producer; returns when there is room for the next one."""
        if batch.topic not in self._ready_for:
            await self._get_ready(batch.topic)
        self.deliveries.take(batch)
        self._unencoded += len(batch)
        for nth, messages in enumerate(self._encoding.pieces(batch)):
            if nth:
                await after(self._reactor, 0)
            self._unencoded -= len(messages.keys)
            self._produce(messages.topic, list(zip(messages.keys, messages.values, strict=True)))
            self._producer.poll(0)
        if not self._has_room():
            self._waiting = Deferred()
            await self._waiting

    def _confirm(self) -> None:
        """Count the events that have left the producer as delivered.

        There are no delivery reports (`delivery.report.only.error`): a callback per event would cost more
        than everything else. Because the counts are compared at each poll, measured deliveries take up to
        POLL seconds longer than real ones.
        """
        # The producer counts its own statistics too, so briefly more events may seem to wait.
        waiting = len(self._producer) + len(self._again) + self._unencoded
        if self.deliveries.confirm_all_but(waiting) or not waiting:
            self._delivered_at = self._reactor.seconds()

    def _stall(self) -> str | None:
        idle = self._reactor.seconds() - self._delivered_at
        return f"Kafka has taken nothing for {idle:.0f} s" if idle > STALL else None

    def _is_empty(self) -> bool:
        return not self._again and not self._unencoded and not len(self._producer)

    def _has_room(self) -> bool:
        # While events come without a pause the producer is never empty by itself.
        is_full = len(self._producer) >= HIGH_WATER
        return not self._again and not is_full and not self._is_overdue()

    def _is_overdue(self) -> bool:
        waited = self._reactor.seconds() - self._flush_since
        return bool(self._flushers) and waited > FLUSH_WITHIN

    def _flushed(self, remaining: int) -> None:
        self.deliveries.confirm_all_but(remaining + len(self._again) + self._unencoded)
        if left := self.deliveries.waiting:
            trouble = self._refusal or self._away or "Kafka is slow"
            raise PublishError(f"{left:,} events were not delivered: {trouble}")

    def _produce(self, topic: str, messages: Sequence[KeyValue]) -> None:
        """Put messages into the producer; rejected ones are retried before any later ones."""
        # One at a time: the client's call for many takes no headers. Arguments by name nearly double the
        # cost of a call; these are partition, callback, the callback's other name, timestamp and headers.
        produce, rejected, headers = self._producer.produce, self._undelivered, HEADERS[topic]
        for nth, (key, value) in enumerate(messages):
            try:
                produce(topic, value, key, ANY, rejected, None, NOW, headers)
            except BufferError:
                # No room: the others wait behind it.
                self._again += [(topic, message) for message in messages[nth:]]
                return
            except KafkaException as error:
                self._again.append((topic, (key, value)))
                self._refused(topic, error.args[0].str())

    def _undelivered(self, error: KafkaError | None, message: "Message[bytes, bytes]") -> None:
        """Keep an undelivered event for a retry (called by `poll`)."""
        topic = message.topic() or ""
        self._again.append((topic, (message.key(), message.value())))
        self._refused(topic, error.str() if error else "no reason given")

    def _refused(self, topic: str, why: str) -> None:
        trouble = f"Kafka rejected an event for {topic}: {why}"
        self.deliveries.errors[topic] += 1
        if trouble != self._refusal:
            self._log.error("delivery failed, will be retried", topic=topic, why=why)
        self._refusal = trouble
        self._again_from = self._reactor.seconds() + RETRY

    def _produce_again(self) -> None:
        again, self._again = self._again, []
        for nth, (topic, message) in enumerate(again):
            self._produce(topic, [message])
            if self._again:
                # No room: the others wait behind it.
                self._again += again[nth + 1 :]
                return

    def _poll(self) -> None:
        self._alarm = self._reactor.callLater(POLL, self._poll)
        self._producer.poll(0)
        if self._again and self._reactor.seconds() >= self._again_from:
            self._produce_again()
        self._confirm()
        if self._is_empty():
            self._refusal = None
            flushers, self._flushers = self._flushers, []
            for flusher in flushers:
                flusher.callback(None)
        if self._waiting is not None and self._has_room():
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)

    def _hear(self, error: KafkaError) -> None:
        """Note authentication and TLS errors (called by `poll`)."""
        before = self._auth_errors.refusal
        self._auth_errors(error)
        if self._auth_errors.refusal not in {None, before}:
            self._away = self._auth_errors.refusal
            self._log.error("Kafka rejects the credentials; will retry", why=self._away)

    def _statistics(self, text: str) -> None:
        """Note from the producer's statistics whether a broker is available (called by `poll`)."""
        brokers = orjson.loads(text)["brokers"].values()
        was_up = self._away is None
        if any(broker["state"] == "UP" for broker in brokers):
            self._auth_errors.refusal = self._away = None
            if not was_up:
                self._log.info("Kafka is available")
        else:
            self._away = self._unavailable()
            if was_up:
                self._log.warning("Kafka is unavailable", why=self._away)
