"""The publisher to Kafka.

The producer is idempotent, waits for all in-sync replicas and never gives an event up: its queue holds
what a broker that is away has not taken, and when `HIGH_WATER` events wait, `publish` fires no sooner than
there is room again. So an outage of any length costs time and a bounded amount of memory, not events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.threads import deferToThread

from simulator.encode import encode
from simulator.publisher import Health, PublishError

if TYPE_CHECKING:
    from confluent_kafka import Message

    from simulator.events import Batch
    from simulator.reactor import DelayedCall, Reactor

HIGH_WATER = 200_000
"""Events that may wait in the producer before `publish` holds back."""
POLL = 0.02
"""Seconds between two looks at the producer."""
RETRY = 1.0
"""Seconds before events that Kafka did not take come again."""
FLUSH = 10.0
"""Seconds that `close` gives the broker to take what waits."""

UNKNOWN_TOPIC = {KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}  # noqa: SLF001 - librdkafka's name
SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    # Java's default partitioner: Pinot, kcat -X partitioner and Kafka Streams put a key where we put it.
    "partitioner": "murmur2_random",
    # An event is never given up; what bounds the memory is HIGH_WATER.
    "message.timeout.ms": 0,
    "queue.buffering.max.messages": 2 * HIGH_WATER,
    "queue.buffering.max.kbytes": 512 * 1024,
    # A race's record carries its request, and that may hold a course of 100,000 points.
    "message.max.bytes": 8 * 1024 * 1024,
    "linger.ms": 10,
    "batch.num.messages": 20_000,
    "compression.type": "lz4",
    "delivery.report.only.error": True,
    "statistics.interval.ms": 1000,
    "reconnect.backoff.max.ms": 2000,
    # Outages are told once, by us, and not line by line by the library.
    "log_level": 2,
}


class KafkaPublisher:
    """Publishes to the four topics.

    Args:
        reactor: gives the turns.
        bootstrap: `host:port`, several with commas between.
        extra: more settings of librdkafka, for SASL and TLS say.
    """

    def __init__(self, reactor: Reactor, bootstrap: str, extra: dict[str, Any] | None = None) -> None:
        self._reactor = reactor
        self._log = structlog.get_logger()
        self._errors = 0
        self._taken = 0
        self._refusal: str | None = None
        self._again_from = 0.0
        self._trouble: str | None = f"no broker at {bootstrap} has answered yet"
        self._bootstrap = bootstrap
        self._again: list[tuple[str, dict[str, Any]]] = []
        self._waiting: Deferred[None] | None = None
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, **SETTINGS, **(extra or {}), "stats_cb": self._statistics}
        )
        self._alarm: DelayedCall = reactor.callLater(POLL, self._poll)

    def publish(self, batch: Batch) -> Deferred[None]:
        """Take a batch; fires when fewer than HIGH_WATER events wait."""
        topic, keys, values = encode(batch)
        messages = [{"key": key, "value": value} for key, value in zip(keys, values, strict=True)]
        try:
            self._produce(topic, messages)
        except (BufferError, KafkaException) as error:
            return fail(PublishError(f"Kafka's producer takes no more: {error}"))
        self._producer.poll(0)
        if len(self._producer) < HIGH_WATER:
            return succeed(None)
        self._waiting = Deferred()
        return self._waiting

    def health(self) -> Health:
        """Tell how things stand."""
        waiting = len(self._producer) + len(self._again)
        return Health(waiting, self._taken - waiting, self._errors, self._refusal or self._trouble)

    def close(self) -> Deferred[None]:
        """Deliver what waits, for FLUSH seconds at most."""
        if self._alarm.active():
            self._alarm.cancel()
        self._produce_again()
        return deferToThread(self._producer.flush, FLUSH).addCallback(self._flushed)

    def _flushed(self, _: object) -> None:
        if left := len(self._producer) + len(self._again):
            raise PublishError(f"{left:,} events were not delivered: {self._trouble or 'the broker is slow'}")

    def _produce(self, topic: str, messages: list[dict[str, Any]]) -> None:
        """Put messages into the producer; those that it has no room for come again, before any later ones."""
        taken = self._producer.produce_batch(topic, messages, on_delivery=self._undelivered)
        self._taken += len(messages)
        if taken < len(messages):
            self._again += [(topic, message) for message in messages if message.pop("_error", None)]

    def _undelivered(self, error: KafkaError | None, message: Message[bytes, bytes]) -> None:
        topic = message.topic() or ""
        why = error.str() if error else "no reason given"
        if error and error.code() in UNKNOWN_TOPIC:
            why = "there is no such topic: python -m pinot setup makes it"
        trouble = f"Kafka took no event for {topic}: {why}"
        self._errors += 1
        if trouble != self._refusal:
            self._log.error("delivery failed, will be tried again", topic=topic, why=why)
        self._refusal = trouble
        self._again_from = self._reactor.seconds() + RETRY
        self._again.append((topic, {"key": message.key(), "value": message.value()}))

    def _produce_again(self) -> None:
        again, self._again = self._again, []
        for topic, message in again:
            self._taken -= 1
            self._produce(topic, [message])

    def _poll(self) -> None:
        self._producer.poll(0)
        if len(self._producer) < HIGH_WATER and self._reactor.seconds() >= self._again_from:
            self._produce_again()
        if not len(self._producer) and not self._again:
            self._refusal = None
        if self._waiting is not None and len(self._producer) + len(self._again) < HIGH_WATER:
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)
        self._alarm = self._reactor.callLater(POLL, self._poll)

    def _statistics(self, text: str) -> None:
        """See by the producer's own statistics whether a broker is there (called by `poll`)."""
        brokers = orjson.loads(text)["brokers"].values()
        up = any(broker["state"] == "UP" for broker in brokers)
        trouble = None if up else f"no broker answers at {self._bootstrap}"
        if (trouble is None) != (self._trouble is None):
            self._log.info("Kafka is there") if up else self._log.warning("Kafka is away", why=trouble)
        self._trouble = trouble
