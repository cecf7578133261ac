"""Read messages from Kafka topics."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import orjson
from confluent_kafka import Consumer, Message, TopicPartition

from stream.contract import read_event


class TopicMessage(NamedTuple):
    """A message of a topic."""

    partition: int
    key: str
    event: dict[str, Any]
    headers: dict[str, bytes]


def read_since(bootstrap: str, topic: str, emitted_at: int) -> list[dict[str, Any]]:
    """Return the events of all races emitted at `emitted_at` (epoch milliseconds) or later.

    Malformed events, which some tests publish, are skipped.
    """
    found, required = [], set(read_event(topic)["required"])
    for message in _messages(bootstrap, topic):
        with suppress(orjson.JSONDecodeError):
            event = orjson.loads(message.value() or b"")
            if isinstance(event, dict) and required <= event.keys() and event["emittedAt"] >= emitted_at:
                found.append(event)
    return found


def read_topic(
    bootstrap: str, topic: str, run_id: str, decode: Callable[[bytes], dict[str, Any]] = orjson.loads
) -> list[TopicMessage]:
    """Return the messages of a race that a topic contains now, in order within each partition."""
    return list(iter_topic(bootstrap, topic, run_id, decode))


def iter_topic(
    bootstrap: str, topic: str, run_id: str, decode: Callable[[bytes], dict[str, Any]] = orjson.loads
) -> Iterator[TopicMessage]:
    """Yield the messages of a race that a topic contains now, in order within each partition."""
    for message in _messages(bootstrap, topic):
        key = (message.key() or b"").decode()
        if race_of(key) == run_id:
            headers: Any = dict(message.headers() or ())
            yield TopicMessage(message.partition() or 0, key, decode(message.value() or b""), headers)


def iter_values(bootstrap: str, topic: str) -> Iterator[tuple[str, bytes]]:
    """Yield key and value of all messages that a topic contains now, in order within each partition."""
    for message in _messages(bootstrap, topic):
        yield (message.key() or b"").decode(), message.value() or b""


def race_of(key: str) -> str:
    """Return the run id of a race that a message's key is about."""
    return key.split(":", maxsplit=1)[0]


def _messages(bootstrap: str, topic: str) -> Iterator["Message[bytes, bytes]"]:
    """Yield the messages that a topic contains now."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex})
    for partition in partitions_of(consumer, topic):
        next_offset, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        consumer.assign([TopicPartition(topic, partition, next_offset)])
        while next_offset < end:
            # Returns after 10,000 messages or the timeout.
            for message in consumer.consume(10_000, timeout=0.1):
                assert message.error() is None
                next_offset = (message.offset() or 0) + 1
                yield message
    consumer.close()


@contextmanager
def reader(bootstrap: str) -> Iterator[Consumer]:
    """Provide a consumer in its own group."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex})
    try:
        yield consumer
    finally:
        consumer.close()


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """Return a topic's partitions."""
    return sorted(consumer.list_topics(topic, timeout=10).topics[topic].partitions)


def count_partitions(bootstrap: str, topic: str) -> int:
    """Return the number of partitions of a topic."""
    with reader(bootstrap) as consumer:
        return len(partitions_of(consumer, topic))
