"""Kafka clients: their settings, and the authentication and TLS errors that only `error_cb` reports.

This module connects to nothing.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from confluent_kafka import KafkaError
from pydantic import BaseModel, Field, SecretStr, model_validator

from stream.settings import Certificates, Secret, contradiction

WORDS = {
    KafkaError._AUTHENTICATION: "rejects the credentials in RACECAST_KAFKA_USERNAME and "  # noqa: SLF001
    "RACECAST_KAFKA_PASSWORD, or the mechanism in RACECAST_KAFKA_SASL_MECHANISM",
    KafkaError._SSL: "has an untrusted certificate or does not speak TLS; set RACECAST_KAFKA_CA to the "  # noqa: SLF001
    "CA certificates to trust",
}


class KafkaAccess(BaseModel):
    """Mixin: the Kafka settings of every process that connects to Kafka."""

    kafka: str = Field(default="127.0.0.1:9092", description="Kafka's bootstrap servers, host:port[,…].")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Whether Kafka uses TLS (SSL) and authentication (SASL)."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="SASL mechanism for Kafka."
    )
    kafka_username: str = Field(
        default="", description="SASL user for Kafka. The password is in RACECAST_KAFKA_PASSWORD."
    )
    kafka_password: Secret = Field(default=SecretStr(""), description="Kafka's password.")
    kafka_ca: Certificates = Field(
        default=None,
        description="PEM file of CA certificates to trust for Kafka. If unset, the system's.",
    )

    @property
    def kafka_sasl(self) -> bool:
        """Whether Kafka requires authentication."""
        return self.kafka_security_protocol.startswith("SASL")

    @model_validator(mode="after")
    def _kafka_agrees(self) -> Self:
        protocol, password = self.kafka_security_protocol, self.kafka_password.get_secret_value()
        if self.kafka_sasl and not (self.kafka_username and password):
            raise contradiction(
                "{protocol} needs --kafka-username and RACECAST_KAFKA_PASSWORD", protocol=protocol
            )
        if not self.kafka_sasl and (self.kafka_username or password):
            raise contradiction(
                "a user or a password for Kafka needs --kafka-security-protocol SASL_SSL, not {protocol}",
                protocol=protocol,
            )
        if self.kafka_ca is not None and not protocol.endswith("SSL"):
            raise contradiction(
                "--kafka-ca needs --kafka-security-protocol SSL or SASL_SSL, not {protocol}",
                protocol=protocol,
            )
        return self

    def client_config(self) -> dict[str, Any]:
        """Return the configuration of a librdkafka client, with the bootstrap servers."""
        config: dict[str, Any] = {
            "bootstrap.servers": self.kafka,
            "security.protocol": self.kafka_security_protocol,
        }
        if self.kafka_sasl:
            config |= {
                "sasl.mechanism": self.kafka_sasl_mechanism,
                "sasl.username": self.kafka_username,
                "sasl.password": self.kafka_password.get_secret_value(),
            }
        if self.kafka_ca is not None:
            config["ssl.ca.location"] = str(self.kafka_ca)
        return config


class AuthErrorListener:
    """An `error_cb` that keeps the last authentication or TLS error. The client calls it in `poll`.

    Attributes:
        refusal: a sentence about that error, or None.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.refusal: str | None = None
        self._address = config["bootstrap.servers"]

    def __call__(self, error: KafkaError) -> None:
        """Record an authentication or TLS error; ignore others."""
        words = WORDS.get(error.code())
        if words is not None:
            # librdkafka's message without the broker's address and the duration.
            bare = re.sub(r"^\w+://\S+: | \(after .*\)$", "", error.str())
            self.refusal = f"Kafka at {self._address} {words}: {bare}"
