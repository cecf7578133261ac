"""Kafka's side of the set-up: creates or updates the topics in topics.json."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from stream.contract import read_topics
from stream.kafka import AuthErrorListener

REQUEST_SECONDS = 30.0


class TopicError(RuntimeError):
    """Kafka rejects a topic or the credentials."""


def kafka_trouble(access: Mapping[str, Any]) -> str | None:
    """Return why Kafka does not respond (`access`: a librdkafka configuration), or None if it does.

    Raises:
        TopicError: it rejects the credentials; a retry would not help.
    """
    listener = AuthErrorListener(access)
    client = _client({**access, "error_cb": listener})
    try:
        client.list_topics(timeout=2)
    except KafkaException as error:
        client.poll(0)  # calls `error_cb` for pending errors
        if listener.refusal is not None:
            raise TopicError(listener.refusal) from error
        protocol = access.get("security.protocol", "PLAINTEXT")
        return f"Kafka at {access['bootstrap.servers']} ({protocol}): {error.args[0].str()}"
    return None


def set_up_topics(
    access: Mapping[str, Any],
    *,
    partitions: int,
    replication: int,
    say: Callable[[str], None] = print,
    topics: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Create missing topics and update the configuration of all; by default those of `read_topics`.

    An existing topic keeps its number of partitions: keys would move to other partitions, and Pinot's upsert
    would see two competitors instead of one.

    Raises:
        TopicError: Kafka rejects a topic.
    """
    client = _client(access)
    there = client.list_topics(timeout=REQUEST_SECONDS).topics
    for name, topic in (topics or read_topics()).items():
        wanted = topic["partitions"] or partitions
        if name not in there:
            new = NewTopic(name, wanted, replication, config=topic["config"])
            _finish(name, client.create_topics([new], operation_timeout=REQUEST_SECONDS))
            say(f"topic {name}: created, partitions: {wanted}")
            continue
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in topic["config"].items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        _finish(name, client.incremental_alter_configs([resource]))
        has = len(there[name].partitions)
        stays = "" if has == wanted else f"; it keeps its {has} partitions, because {wanted} would move keys"
        say(f"topic {name}: up to date{stays}")


def topic_remains(access: Mapping[str, Any], name: str) -> str | None:
    """Return a message if Kafka still lists a topic, which some brokers do after its deletion, else None."""
    there = _client(access).list_topics(timeout=REQUEST_SECONDS).topics
    return "Kafka still lists it" if name in there else None


def delete_topic(access: Mapping[str, Any], name: str) -> bool:
    """Delete a topic with all its messages; return whether it existed.

    Raises:
        TopicError: Kafka rejects it.
    """
    if topic_remains(access, name) is None:
        return False
    client = _client(access)  # it has to live until Kafka has answered
    _finish(name, client.delete_topics([name], operation_timeout=REQUEST_SECONDS))
    return True


def _client(access: Mapping[str, Any]) -> AdminClient:
    # Without log_level librdkafka writes every refused connection to standard error.
    return AdminClient({**access, "log_level": 0})


def _finish(name: str, futures: dict[Any, Any]) -> None:
    """Wait for Kafka's response; a topic created concurrently is fine."""
    for future in futures.values():
        try:
            future.result(REQUEST_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicError(f"Kafka rejects topic {name}: {error.args[0].str()}") from error
