"""Kafka clients: their settings, and the authentication and TLS errors that only `error_cb` reports.

This module connects to nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, LiteralString, Self

from confluent_kafka import KafkaError
from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from stream.certificates import Certificates
from stream.settings import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = {
    KafkaError._AUTHENTICATION: "refuses the user in RACECAST_KAFKA_USERNAME, the password in "  # noqa: SLF001
    "RACECAST_KAFKA_PASSWORD, or how it is shown (RACECAST_KAFKA_SASL_MECHANISM)",
    KafkaError._SSL: "has a certificate that isn't trusted, or speaks no TLS; RACECAST_KAFKA_CA names the "  # noqa: SLF001
    "file of those to trust",
}


class KafkaAccess(BaseModel):
    """The settings of every process that talks to Kafka; mixed into its own."""

    kafka: str = Field(default="127.0.0.1:9092", description="Kafka's bootstrap servers, host:port[,…].")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Whether Kafka speaks TLS (SSL), and asks who is there (SASL)."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="How Kafka is shown the password, with SASL."
    )
    kafka_username: str = Field(
        default="", description="Kafka's user, with SASL; the password is in RACECAST_KAFKA_PASSWORD."
    )
    kafka_password: Secret = Field(default=SecretStr(""), description="Kafka's password.")
    kafka_ca: Certificates = Field(
        default=None,
        description="PEM file of the certificates to trust in Kafka; if it isn't given, those that the "
        "machine trusts.",
    )

    @property
    def kafka_sasl(self) -> bool:
        """Whether Kafka asks who is there."""
        return self.kafka_security_protocol.startswith("SASL")

    @model_validator(mode="after")
    def _kafka_agrees(self) -> Self:
        protocol, password = self.kafka_security_protocol, self.kafka_password.get_secret_value()
        if self.kafka_sasl and not (self.kafka_username and password):
            raise _wrong("{protocol} needs --kafka-username and RACECAST_KAFKA_PASSWORD", protocol)
        if not self.kafka_sasl and (self.kafka_username or password):
            sentence = (
                "a user or a password for Kafka needs --kafka-security-protocol SASL_SSL, not {protocol}"
            )
            raise _wrong(sentence, protocol)
        if self.kafka_ca is not None and not protocol.endswith("SSL"):
            raise _wrong(
                "--kafka-ca needs --kafka-security-protocol SSL or SASL_SSL, not {protocol}", protocol
            )
        return self

    def client_config(self) -> dict[str, Any]:
        """Return what librdkafka's clients are configured with, where Kafka is included."""
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


def _wrong(sentence: LiteralString, protocol: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", sentence, {"protocol": protocol})
