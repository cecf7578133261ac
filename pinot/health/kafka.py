"""Probe of Kafka: the end offsets of its topics."""

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    OffsetSpec,
)

from pinot.health.sample import Failure, Kafka
from stream.contract import TOPICS
from stream.kafka import AuthErrorListener

PATIENCE_S = 2.0
"""Timeout of a request; a healthy Kafka responds in milliseconds."""

_QUIET = {
    "log_level": 0,  # else librdkafka writes every refused connection to standard error
    "reconnect.backoff.max.ms": 1000,  # to notice soon when Kafka is back
}


class KafkaProbe:
    """Probes the Kafka of a librdkafka configuration."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._auth_errors = AuthErrorListener(config)
        self._config = {**config, **_QUIET, "error_cb": self._auth_errors}
        self._address = config["bootstrap.servers"]
        self._client: Any = None

    def __call__(self) -> Kafka | Failure:
        """Return the end offsets of the topics in topics.json."""
        self._auth_errors.refusal = None
        try:
            self._client = self._client or AdminClient(self._config)
            return self._ask()
        except (KafkaException, ValueError) as error:
            words = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            if self._client is not None:
                self._client.poll(0)  # calls `error_cb` for pending errors
        if self._auth_errors.refusal is not None:
            return Failure(f"{self._auth_errors.refusal.rstrip('.')}. See Kafka's log for details.")
        return Failure(
            f"Kafka at {self._address} does not answer ({words}). Start it (make stack), or set "
            "RACECAST_KAFKA to its address."
        )

    def _ask(self) -> Kafka:
        there = self._client.list_topics(timeout=PATIENCE_S).topics
        asked = {
            TopicPartition(name, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for name in there.keys() & TOPICS
            for partition in there[name].partitions
        }
        taken = time.time()
        ends: dict[str, dict[int, int | None]] = {}
        answers = self._client.list_offsets(asked, request_timeout=PATIENCE_S) if asked else {}
        for place, answer in answers.items():
            ends.setdefault(place.topic, {})[place.partition] = _offset(answer)
        return Kafka(ends, taken)


def _offset(answer: Any) -> int | None:
    """Return a partition's end offset; None if the partition has no leader."""
    try:
        offset: int = answer.result(2 * PATIENCE_S).offset
    except (KafkaException, TimeoutError):
        return None
    return offset
