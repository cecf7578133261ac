"""Asks Kafka how far its topics reach."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    OffsetSpec,
)

from pinot.health.sample import Failure, Kafka
from stream.kafka import AuthErrorListener
from stream.topics import read_topics

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_S = 2.0
"""For an answer; a Kafka that is well answers in milliseconds."""

_QUIET = {
    "log_level": 0,  # else librdkafka writes every refused connection to standard error
    "reconnect.backoff.max.ms": 1000,  # so soon one that is back is seen
}


class KafkaProbe:
    """Asks the Kafka that `config`, in librdkafka's words, leads to."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._ear = AuthErrorListener(config)
        self._config = {**config, **_QUIET, "error_cb": self._ear}
        self._address = config["bootstrap.servers"]
        self._client: Any = None

    def __call__(self) -> Kafka | Failure:
        """The end offsets of the topics of topics.json."""
        self._ear.refusal = None
        try:
            self._client = self._client or AdminClient(self._config)
            return self._ask()
        except KafkaException as error:
            return self._failure(error.args[0].str())
        except ValueError as error:
            return self._failure(str(error))

    def _failure(self, words: str) -> Failure:
        if self._client is not None:
            self._client.poll(0)  # now the ear hears what there was
        if self._ear.refusal is not None:
            return Failure(f"{self._ear.refusal.rstrip('.')}. Kafka's log says more.")
        return Failure(
            f"Kafka at {self._address} does not answer ({words}). Start it (make stack), or set "
            "RACECAST_KAFKA to where it is."
        )

    def _ask(self) -> Kafka:
        there = self._client.list_topics(timeout=PATIENCE_S).topics
        asked = {
            TopicPartition(name, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for name in read_topics().keys() & there.keys()
            for partition in there[name].partitions
        }
        taken = time.time()
        ends: dict[str, dict[int, int | None]] = {}
        answers = self._client.list_offsets(asked, request_timeout=PATIENCE_S) if asked else {}
        for place, answer in answers.items():
            ends.setdefault(place.topic, {})[place.partition] = _offset(answer)
        return Kafka(ends, taken)


def _offset(answer: Any) -> int | None:
    """The end of one partition; None if that one alone has nobody who answers for it."""
    try:
        offset: int = answer.result(2 * PATIENCE_S).offset
    except (KafkaException, TimeoutError):
        return None
    return offset
