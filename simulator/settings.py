"""The simulator's settings: read once, from flags and from `RACECAST_…` in the environment, and passed down.

A flag wins over the environment, the environment over the default. The names and the help here are what
`--help` prints and what the README's table has to agree with (a test compares them).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


def _without_slash(url: str) -> str:
    return url.rstrip("/")  # paths are put behind it


Url = Annotated[str, AfterValidator(_without_slash)]


class ServeSettings(BaseSettings):
    """Run the simulator: the HTTP API, the races, and the publisher of their events."""

    model_config = SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_prog_name="python -m simulator serve",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        extra="ignore",
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8080, description="Port to listen on; 0 takes a free one and says which.")
    publisher: Literal["sqlite", "kafka"] = Field(default="sqlite", description="Where events go.")
    kafka: str = Field(default="127.0.0.1:9092", description="Kafka's bootstrap servers, host:port[,…].")
    sqlite: Path = Field(default=Path("racecast.db"), description="File of the embedded store.")
    courses: Path = Field(default=Path("courses"), description="Folder with course files.")
    uploads: Path = Field(
        default=Path("uploads"), description="Folder that keeps uploaded course files; made if need be."
    )
    pinot_controller: Url = Field(
        default="http://127.0.0.1:9000",
        description="Pinot's controller, which is told of new courses; used with --publisher kafka. "
        "If it is empty, nobody is told.",
    )
    history_days: float = Field(
        default=7.0, gt=0, description="Days that the embedded store keeps a race that has ended."
    )
    history_mb: float = Field(
        default=2048.0,
        gt=0,
        description="Megabytes above which the embedded store deletes the oldest races, histories first.",
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How log lines look.")
