"""Why Kafka lets nobody in: its clients hear of it beside their calls, which say that nobody answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

WORDS = {
    KafkaError._AUTHENTICATION: "refuses the user in RACECAST_KAFKA_USERNAME, the password in "  # noqa: SLF001
    "RACECAST_KAFKA_PASSWORD, or how it is shown (RACECAST_KAFKA_SASL_MECHANISM)",
    KafkaError._SSL: "has a certificate that isn't trusted, or speaks no TLS; RACECAST_KAFKA_CA names the "  # noqa: SLF001
    "file of those to trust",
}


class Ear:
    """An `error_cb` that hears whether Kafka lets us in; its client calls it in `poll`.

    Attributes:
        refusal: a sentence about the newest refusal, or None.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.refusal: str | None = None
        self._address = config["bootstrap.servers"]

    def __call__(self, error: KafkaError) -> None:
        """Hear of an error."""
        words = WORDS.get(error.code())
        if words is not None:
            self.refusal = f"Kafka at {self._address} {words}: {_bare(error.str())}"


def _bare(words: str) -> str:
    """Return librdkafka's words without where they come from, and how long it took."""
    return re.sub(r"^\w+://\S+: | \(after .*\)$", "", words)
