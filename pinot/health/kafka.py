"""Probe of Kafka: the end offsets of its topics."""

import time
from collections.abc import Collection, Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    OffsetSpec,
)

from pinot.health.sample import ALL_TOPICS, Failure, Kafka
from pinot.health.words import reason
from stream.kafka import AuthErrorListener

PATIENCE_S = 2.0
"""Timeout of a request; a healthy Kafka responds in milliseconds."""

QUIET = {
    "log_level": 0,  # else librdkafka writes every refused connection to standard error
    "reconnect.backoff.max.ms": 1000,  # to notice soon when Kafka is back
}


class Admin:
    """An admin client of a librdkafka configuration, and why it has no answer; then the next is another one.

    Its methods raise KafkaException, and ValueError for an address that is none.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.address: str = config["bootstrap.servers"]
        self._auth_errors = AuthErrorListener(config)
        self._config = {**config, **QUIET, "error_cb": self._auth_errors}
        self._client: Any = None

    def client(self) -> Any:
        """Return the client; it is created when it is first needed."""
        if self._client is None:  # a client has a length of 0, which is false
            self._client = AdminClient(self._config)
        return self._client

    def places(self, topics: Collection[str]) -> list[TopicPartition]:
        """Return the partitions of those topics that exist. A probe begins with this."""
        self._auth_errors.refusal = None
        there = self.client().list_topics(timeout=PATIENCE_S).topics
        names = (name for name in topics if name in there)
        return [TopicPartition(name, partition) for name in names for partition in there[name].partitions]

    def ends(self, places: Collection[TopicPartition]) -> dict[str, dict[int, int | None]]:
        """Return the end offsets of partitions by topic; None for a partition without a leader."""
        asked = {place: OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]
        found: dict[str, dict[int, int | None]] = {}
        answers = self.client().list_offsets(asked, request_timeout=PATIENCE_S) if asked else {}
        for place, answer in answers.items():
            found.setdefault(place.topic, {})[place.partition] = _offset(answer)
        return found

    def failure(self, error: Exception) -> Failure:
        """Return the message for an error of a request, or of creating the client."""
        words = error.args[0].str() if isinstance(error, KafkaException) else reason(error)
        if self._client is not None:
            self._client.poll(0)  # calls `error_cb` for pending errors
        self._client = None  # one that was connected may never find a group's coordinator again
        if self._auth_errors.refusal is not None:
            return Failure(f"{self._auth_errors.refusal.rstrip('.')}. See Kafka's log for details.")
        return Failure(
            f"Kafka at {self.address} does not answer ({words}). Start it (make stack), or set "
            "RACECAST_KAFKA to its address."
        )


class KafkaProbe:
    """Probes the Kafka of a librdkafka configuration."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._admin = Admin(config)

    def __call__(self) -> Kafka | Failure:
        """Return the end offsets of the topics in topics.json."""
        try:
            places = self._admin.places(ALL_TOPICS)
            taken = time.time()
            return Kafka(self._admin.ends(places), taken)
        except (KafkaException, ValueError) as error:
            return self._admin.failure(error)


def _offset(answer: Any) -> int | None:
    """Return a partition's end offset; None if the partition has no leader."""
    try:
        offset: int = answer.result(2 * PATIENCE_S).offset
    except (KafkaException, TimeoutError):
        return None
    return offset
