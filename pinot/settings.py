"""What the commands can be told: by environment (RACECAST_…) or by a flag of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess, Url
from stream.settings import Secret

ROOT = Path(__file__).parents[1]


def _config(command: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix="RACECAST_",
        env_prefix_target="all",  # `json` too, whose field can't have that name
        cli_prog_name=f"python -m pinot {command}",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
    )


class ClusterSettings(KafkaAccess, PinotAccess, BaseSettings):
    """Where a cluster is, and what it is shown to be let in."""

    pinot_broker: Url = Field("http://127.0.0.1:8099", description="URL of Pinot's broker")


class Settings(ClusterSettings):
    """Bring a cluster's topics, schemas, tables and courses up to date. Safe to repeat."""

    model_config = _config("setup")

    pinot_kafka: str | None = Field(
        None, description="Kafka, as Pinot's servers reach it; if it isn't given, the same as --kafka"
    )
    pinot_kafka_username: str = Field(
        "",
        description="Kafka's user for Pinot's servers, which need to read only; the password is in "
        "RACECAST_PINOT_KAFKA_PASSWORD; if it isn't given, this process's own",
    )
    pinot_kafka_password: Secret = Field(
        SecretStr(""), description="the password of Kafka's user for Pinot's servers"
    )
    courses: Path = Field(ROOT / "courses", description="folder of course files")
    partitions: int = Field(2, ge=1, le=1000, description="of each new topic that is split by competitor")
    replication: int = Field(1, ge=1, le=10, description="copies of each new topic and of each segment")
    wait: float = Field(120.0, gt=0, description="seconds to wait for Kafka, Pinot and the tables")

    @model_validator(mode="after")
    def _pinots_user_agrees(self) -> Self:
        password = self.pinot_kafka_password.get_secret_value()
        if bool(self.pinot_kafka_username) is not bool(password):
            sentence = "--pinot-kafka-username and RACECAST_PINOT_KAFKA_PASSWORD need each other"
            raise PydanticCustomError("contradiction", sentence)
        if password and not self.kafka_sasl:
            sentence = "--pinot-kafka-username needs --kafka-security-protocol SASL_SSL or SASL_PLAINTEXT"
            raise PydanticCustomError("contradiction", sentence)
        return self

    def pinots_user(self) -> tuple[str, str]:
        """Kafka's user for Pinot's servers, and the password."""
        if self.pinot_kafka_username:
            return self.pinot_kafka_username, self.pinot_kafka_password.get_secret_value()
        return self.kafka_username, self.kafka_password.get_secret_value()


class ResetSettings(Settings):
    """Delete Racecast's tables, schemas and topics with ALL EVENTS in them, and set them up anew."""

    model_config = _config("reset")

    yes: bool = Field(False, description="delete without asking")


class StatusSettings(ClusterSettings):
    """Say whether the stream is alive: exit status 0 if all is well, 1 if not."""

    model_config = _config("status")

    api: Url = Field("http://127.0.0.1:8080", description="URL of the simulator's API")
    token: Secret = Field(SecretStr(""), description="the simulator's token")
    seconds: float = Field(3.0, ge=0, le=60, description="seconds over which rates are measured")
    json_: bool = Field(False, alias="json", description="tell programs: JSON instead of text")
