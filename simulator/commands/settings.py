"""The simulator's settings, read once from flags and `RACECAST_…` environment variables.

A flag overrides the environment, and the environment the default. `--help` prints these names and
descriptions; a test compares them with docs/settings.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, CliPositionalArg, SettingsConfigDict

from simulator.race.request import MAX_INTERVAL
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess
from stream.settings import Secret, Url

Port = Annotated[int, Field(ge=0, le=65535)]


class PublisherSettings(KafkaAccess, PinotAccess, BaseSettings):
    """Settings of every process that publishes races."""

    publisher: Literal["sqlite", "kafka"] = Field(default="sqlite", description="Destination of the events.")
    sqlite: Path = Field(default=Path("racecast.db"), description="File of the embedded store.")
    courses: Path = Field(default=Path("courses"), description="Folder with course files.")
    uploads: Path = Field(
        default=Path("uploads"), description="Folder for uploaded course files; created if needed."
    )
    pinot_controller: Url = Field(
        default="http://127.0.0.1:9000",
        description="URL of Pinot's controller, which receives new courses; used with --publisher kafka. "
        "Empty: courses are not sent to Pinot.",
    )
    history_days: float = Field(
        default=7.0, gt=0, description="Days for which the embedded store keeps races that have ended."
    )
    history_mb: float = Field(
        default=2048.0,
        gt=0,
        description="Megabytes above which the embedded store deletes the oldest races, histories first.",
    )
    log_format: Literal["console", "json"] = Field(default="console", description="Log format.")


def _config(command: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_prog_name=f"python -m simulator {command}",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        extra="ignore",
    )


class ServeSettings(PublisherSettings):
    """Run the simulator: the HTTP API, the races, and the publisher of their events."""

    model_config = _config("serve")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8080, description="Port to listen on; 0 picks a free one and logs it.")
    cors_origins: str = Field(
        default="",
        description="Origins of web pages that may use the API, https://example.org[,…]. Empty: none.",
    )
    requests_per_second: float = Field(
        default=100.0,
        ge=0,
        description="Requests per second allowed for each client address, with bursts of twice as many; "
        "0: no limit.",
    )
    token: Secret = Field(
        default=SecretStr(""), description="Bearer token required for requests that change state."
    )
    token_file: Path | None = Field(
        default=None,
        description="File with the bearer token required for requests that change state; alternatively set "
        "RACECAST_TOKEN. Required to listen on an address that is not loopback.",
    )


class ReplaySettings(PublisherSettings):
    """Publish a recorded race again, starting now, as if it were run: Racecast events or timed GPX tracks."""

    model_config = _config("replay")

    files: CliPositionalArg[list[Path]] = Field(
        description="Files of Racecast events (one JSON object per line) or GPX files, or folders of either."
    )
    speed: float = Field(default=1.0, ge=0.1, le=1000, description="Race seconds per second.")
    race: str = Field(default="", description="Run id of the race to replay, if the files contain several.")
    course: str = Field(
        default="",
        description="Short name of the course. Default: the course named by the events; for GPX tracks, the "
        "longest track becomes the course.",
    )
    run_id: str = Field(default="", description="Id of the new race; generated if omitted.")
    name: str = Field(
        default="", description="Name of the new race. Default: the recorded name, or the course's."
    )
    interval: int = Field(
        default=1, ge=1, le=MAX_INTERVAL, description="Race seconds between two positions of a GPX track."
    )
    own_starts: bool = Field(
        default=False,
        description="Start each GPX track at the gun, not at its recorded time: for multi-day recordings.",
    )
