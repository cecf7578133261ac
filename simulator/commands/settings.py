"""The simulator's settings: read once, from flags and from `RACECAST_…` in the environment, and passed down.

A flag wins over the environment, the environment over the default. The names and the help here are what
`--help` prints and what the README's table has to agree with (a test compares them).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, CliPositionalArg, SettingsConfigDict

from simulator.race.request import MAX_INTERVAL
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess, Url
from stream.settings import Secret

Port = Annotated[int, Field(ge=0, le=65535)]


class PublisherSettings(KafkaAccess, PinotAccess, BaseSettings):
    """What every process that tells races needs: the publisher of their events, and the courses."""

    publisher: Literal["sqlite", "kafka"] = Field(default="sqlite", description="Where events go.")
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
    port: Port = Field(default=8080, description="Port to listen on; 0 takes a free one and says which.")
    cors_origins: str = Field(
        default="",
        description="Origins of web pages that may use the API, https://example.org[,…]; "
        "none if it is empty.",
    )
    requests_per_second: float = Field(
        default=100.0,
        ge=0,
        description="Requests that each client (by its address) may send a second, twice as many at once; "
        "0 is any number.",
    )
    token: Secret = Field(default=SecretStr(""), description="What who changes something has to show.")
    token_file: Path | None = Field(
        default=None,
        description="File with the token that who changes something has to show; or it is in RACECAST_TOKEN. "
        "Needed to listen on an address that is not this machine's own.",
    )


class ReplaySettings(PublisherSettings):
    """Tell a recorded race again, from now on, as if it were run: our events, or GPX tracks with times."""

    model_config = _config("replay")

    files: CliPositionalArg[list[Path]] = Field(
        description="Files of our events as lines of JSON, or GPX files, or folders of either."
    )
    speed: float = Field(default=1.0, ge=0.1, le=1000, description="Race seconds per second.")
    race: str = Field(default="", description="Run id of the race to tell, if the files have several.")
    course: str = Field(
        default="",
        description="Short name of the course. Default: the one that the events name; of GPX tracks, the "
        "longest of them is the course.",
    )
    run_id: str = Field(default="", description="The id it gets; made if left out.")
    name: str = Field(default="", description="The name it gets. Default: the recorded one, or the course's.")
    interval: int = Field(
        default=1, ge=1, le=MAX_INTERVAL, description="Race seconds between two positions, of GPX tracks."
    )
    own_starts: bool = Field(
        default=False,
        description="Whether each GPX track starts at the gun, not when it did: for runs of several days.",
    )
