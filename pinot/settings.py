"""Settings of the commands, from the environment (RACECAST_…) or flags of the same name."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess
from stream.registry import FormatAccess, Schemas
from stream.settings import Secret, Url, contradiction

ROOT = Path(__file__).parents[1]
RETENTION_DAYS = 7
"""Days for which Pinot's tables keep events, by default."""
MAX_RETENTION_DAYS = 36_500
"""A hundred years."""


def _config(command: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix="RACECAST_",
        env_prefix_target="all",  # includes `json`, whose field has another name
        cli_prog_name=f"python -m pinot {command}",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
    )


class ClusterSettings(KafkaAccess, PinotAccess, BaseSettings):
    """Addresses of a cluster, and the credentials for it."""

    pinot_broker: Url = Field("http://127.0.0.1:8099", description="URL of Pinot's broker")


class Settings(FormatAccess, ClusterSettings):
    """Create or update a cluster's topics, schemas, tables and courses. Safe to repeat."""

    model_config = _config("setup")

    pinot_kafka: str | None = Field(
        None, description="Kafka's address for Pinot's servers; if unset, --kafka"
    )
    pinot_kafka_username: str = Field(
        "",
        description="Kafka user for Pinot's servers, which only need to read; the password is in "
        "RACECAST_PINOT_KAFKA_PASSWORD; if unset, this process's user",
    )
    pinot_kafka_password: Secret = Field(
        SecretStr(""), description="password of the Kafka user for Pinot's servers"
    )
    pinot_schema_registry: Url = Field(
        "", description="URL of the schema registry for Pinot's servers; if unset, --schema-registry"
    )
    courses: Path = Field(ROOT / "courses", description="folder of course files")
    partitions: int = Field(2, ge=1, le=1000, description="partitions of each new topic keyed by competitor")
    replication: int = Field(1, ge=1, le=10, description="replicas of each new topic and each segment")
    retention_days: int = Field(
        RETENTION_DAYS, ge=1, le=MAX_RETENTION_DAYS, description="days for which Pinot's tables keep events"
    )
    wait: float = Field(
        120.0, gt=0, description="seconds to wait for Kafka, Pinot, the registry and the tables"
    )

    @model_validator(mode="after")
    def _pinots_user_agrees(self) -> Self:
        password = self.pinot_kafka_password.get_secret_value()
        if bool(self.pinot_kafka_username) is not bool(password):
            raise contradiction("--pinot-kafka-username and RACECAST_PINOT_KAFKA_PASSWORD need each other")
        if password and not self.kafka_sasl:
            raise contradiction(
                "--pinot-kafka-username needs --kafka-security-protocol SASL_SSL or SASL_PLAINTEXT"
            )
        return self

    def pinots_schemas(self) -> Schemas | None:
        """Return the schemas with the registry's URL for Pinot's servers; None for JSON."""
        schemas = self.schemas()
        if schemas is not None and self.pinot_schema_registry:
            return Schemas(self.pinot_schema_registry, schemas.schema_type)
        return schemas

    def pinots_user(self) -> tuple[str, str]:
        """Return the Kafka user for Pinot's servers and its password."""
        if self.pinot_kafka_username:
            return self.pinot_kafka_username, self.pinot_kafka_password.get_secret_value()
        return self.kafka_username, self.kafka_password.get_secret_value()


class ResetSettings(Settings):
    """Delete Racecast's tables, schemas and topics with ALL EVENTS in them, and create them again."""

    model_config = _config("reset")

    yes: bool = Field(False, description="do not ask for confirmation")


class StatusSettings(ClusterSettings):
    """Report the health of the stream: exit status 0 if all parts are healthy, else 1."""

    model_config = _config("status")

    api: Url = Field("http://127.0.0.1:8080", description="URL of the simulator's API")
    token: Secret = Field(SecretStr(""), description="the simulator's token")
    seconds: float = Field(3.0, ge=0, le=60, description="seconds over which rates are measured")
    json_: bool = Field(False, alias="json", description="print JSON instead of text")
