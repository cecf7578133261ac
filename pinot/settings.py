"""What the set-up can be told: by environment (RACECAST_…) or by a flag of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, CliSuppress, SettingsConfigDict

from simulator.kafka_access import KafkaAccess
from simulator.pinot_access import PinotAccess, Url

ROOT = Path(__file__).parents[1]


class Settings(KafkaAccess, PinotAccess, BaseSettings):
    """Bring a cluster's topics, schemas, tables and courses up to date. Safe to repeat."""

    model_config = SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_prog_name="python -m pinot setup",
        cli_kebab_case=True,
        cli_hide_none_type=True,
    )

    pinot_kafka: str | None = Field(
        None, description="Kafka, as Pinot's servers reach it; if it isn't given, the same as --kafka"
    )
    pinot_kafka_username: str = Field(
        "",
        description="Kafka's user for Pinot's servers, which need to read only; the password is in "
        "RACECAST_PINOT_KAFKA_PASSWORD; if it isn't given, this process's own",
    )
    # No flag: what stands on a command line every process of the machine can read.
    pinot_kafka_password: CliSuppress[SecretStr] = Field(
        SecretStr(""), description="the password of Kafka's user for Pinot's servers"
    )
    pinot_broker: Url = Field("http://127.0.0.1:8099", description="URL of Pinot's broker")
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
