"""What the set-up can be told: by environment (RACECAST_…) or by a flag of the same name."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulator.settings import Url

ROOT = Path(__file__).parents[1]


class Settings(BaseSettings):
    """Bring a cluster's topics, schemas, tables and courses up to date. Safe to repeat."""

    model_config = SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_prog_name="python -m pinot setup",
        cli_kebab_case=True,
        cli_hide_none_type=True,
    )

    kafka: str = Field("127.0.0.1:9092", description="Kafka, as this process reaches it")
    pinot_kafka: str | None = Field(
        None, description="Kafka, as Pinot's servers reach it; if it isn't given, the same as --kafka"
    )
    pinot_controller: Url = Field("http://127.0.0.1:9000", description="URL of Pinot's controller")
    pinot_broker: Url = Field("http://127.0.0.1:8099", description="URL of Pinot's broker")
    courses: Path = Field(ROOT / "courses", description="folder of course files")
    partitions: int = Field(2, ge=1, le=1000, description="of each new topic that is split by competitor")
    replication: int = Field(1, ge=1, le=10, description="copies of each new topic and of each segment")
    wait: float = Field(120.0, gt=0, description="seconds to wait for Kafka, Pinot and the tables")
