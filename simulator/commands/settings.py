"""The settings of each command; `--help` prints these names and descriptions.

`serve` and `replay` read flags and `RACECAST_…` environment variables: a flag overrides the environment, and
the environment the default. A test compares them with docs/settings.md. `generate` and `export` read only
flags, so that the same command always writes the same bytes.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import orjson
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    CliImplicitFlag,
    CliPositionalArg,
    CliSuppress,
    CliToggleFlag,
    SettingsConfigDict,
)

from simulator.answer_key.query import AnswerQuery, Name
from simulator.export import crowding_files, result_files, team_files, track_files
from simulator.export.crowding import Above, CrowdingQuery
from simulator.export.results import ResultsQuery
from simulator.export.teams import Scorers, TeamsQuery
from simulator.export.track_query import Bib, Interval, TrackQuery
from simulator.race.cut_off_times import CutOffTimes
from simulator.race.request import MAX_INTERVAL, MAX_START_LIST, RaceRequest, RunId, Seed, Time
from simulator.race.season import MAX_ATHLETES, MAX_RACES
from stream.contract import Written
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess
from stream.problems import flag_sentences
from stream.registry import FormatAccess
from stream.results import Rank
from stream.settings import Origins, Secret, Url, contradiction, read_settings
from stream.teams import FOUR, By, Who
from stream.text_files import TextError, decode

Settings = TypeVar("Settings", bound=BaseSettings)

EPOCH = datetime(2026, 1, 1, 9, tzinfo=UTC)
"""Default gun time: fixed, so that the same command writes the same bytes."""
YEARS = (1970, 9998)
"""Allowed years of the gun time: earlier, events could have no timestamp; later, a race might not end."""
FORMATS = {
    "results": [form.suffix for form in result_files.FORMATS],
    "teams": [form.suffix for form in team_files.FORMATS],
    "tracks": [form.suffix for form in track_files.FORMATS],
    "crowding": [form.suffix for form in crowding_files.FORMATS],
}
"""File formats of what `export` writes, the default first."""

MAX_BYTES_OF_LIST = 4 * MAX_START_LIST
"""Bytes that are read of a start list's file; no encoding needs more for its characters."""

Port = Annotated[int, Field(ge=0, le=65535)]


def settings_of(kind: type[Settings], flags: Sequence[str]) -> Settings:
    """Read a command's settings; exits with a message if one is invalid."""
    try:
        return read_settings(kind, flags)
    except ValidationError as error:
        raise SystemExit(flag_sentences(error)) from error


class PublisherSettings(KafkaAccess, FormatAccess, PinotAccess, BaseSettings):
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

    @model_validator(mode="after")
    def _only_kafka_has_formats(self) -> Self:
        if self.format != "json" and self.publisher != "kafka":
            raise contradiction("--format {format} needs --publisher kafka", format=self.format)
        return self


def _config(command: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_prog_name=f"python -m simulator {command}",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_parse_none_str="\0",  # "null" may be a name
        extra="ignore",
    )


class ServeSettings(PublisherSettings):
    """Run the simulator: the HTTP API, the races, and the publisher of their events."""

    model_config = _config("serve")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8080, description="Port to listen on; 0 picks a free one and logs it.")
    cors_origins: Origins = Field(
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
    """Publish a recorded race again, starting now, as if it were run: events or tracks with times."""

    model_config = _config("replay")

    files: CliPositionalArg[list[Path]] = Field(
        description="Files of Racecast events (one JSON object per line) or of tracks (GPX, KML, TCX; also "
        "packed), or folders of either."
    )
    speed: float = Field(default=1.0, ge=0.1, le=1000, description="Race seconds per second.")
    race: str = Field(default="", description="Run id of the race to replay, if the files contain several.")
    course: str = Field(
        default="",
        description="Short name of the course. Default: the course named by the events; for tracks, the "
        "longest track becomes the course.",
    )
    run_id: str = Field(default="", description="Id of the new race; generated if omitted.")
    name: str = Field(
        default="", description="Name of the new race. Default: the recorded name, or the course's."
    )
    interval: int = Field(
        default=1, ge=1, le=MAX_INTERVAL, description="Race seconds between two positions of a track."
    )
    own_starts: CliImplicitFlag[bool] = Field(
        default=False,
        description="Start each track at the gun, not at its recorded time: for runs of several days, and "
        "for clocks in local time.",
    )


def _text_of(file: object) -> object:
    """Return the text of a file; what is assumed about its encoding goes to standard error."""
    path = Path(str(file))
    try:
        with path.open("rb") as opened:
            text, warning = decode(opened.read(MAX_BYTES_OF_LIST + 1))
    except OSError as error:
        why = f"{path} can't be read: {error.strerror}"
    except TextError as error:
        why = f"{path} {error}"
    else:
        if warning:
            sys.stderr.write(f"{path}: {warning}\n")
        return text
    raise PydanticCustomError("file", "must be a text file; {why}", {"why": why})


def _cut_offs_text(text: object) -> object:
    """Return a text with time limits, which has been read once: as JSON, or as the request's own text."""
    limits = TypeAdapter(CutOffTimes).validate_python(text)
    return orjson.dumps(limits).decode()


class RaceSettings(RaceRequest, BaseSettings):
    """The fields of `POST /races` as flags, for commands that compute a race without a server."""

    # Flags are texts: parse numbers, and `true` and `false`.
    model_config = SettingsConfigDict(strict=False)

    # Not flags: nothing waits for the clock, and a course is a file.
    speed: ClassVar[float] = 1.0  # type: ignore[misc]
    points: ClassVar[None] = None  # type: ignore[misc]

    courses: Path = Field(default=Path("courses"), description="Folder with course files.")
    course: str = Field(description="Short name of a course in the folder, or the path of a course file.")
    run_id: RunId | None = Field(
        default=None, description="Id of the race. Default: the course's short name."
    )
    start_list: Annotated[str, Field(max_length=MAX_START_LIST), BeforeValidator(_text_of)] | None = Field(
        default=None, description=f"File. {RaceRequest.model_fields['start_list'].description}"
    )
    cut_offs: Annotated[str, BeforeValidator(_cut_offs_text)] | None = Field(  # type: ignore[assignment]
        default=None, description=RaceRequest.model_fields["cut_offs"].description
    )
    seed: Seed = Field(default=0, description="Random seed.")
    interval: float = Field(
        default=1.0, ge=1, le=MAX_INTERVAL, description="Race seconds between two positions of a competitor."
    )
    start_at: Time = Field(
        default=EPOCH,
        description=f"Gun time: ISO 8601 with a zone, in the years {YEARS[0]} to {YEARS[1]}.",
    )

    @classmethod
    def settings_customise_sources(cls, *_: Any, **__: Any) -> tuple[()]:
        """Read nothing but flags."""
        return ()

    @field_validator("start_at")
    @classmethod
    def _events_have_timestamps(cls, start_at: datetime) -> datetime:
        if not YEARS[0] <= start_at.year <= YEARS[1]:
            raise PydanticCustomError("years", f"must be in the years {YEARS[0]} to {YEARS[1]}")
        return start_at


class GenerateSettings(RaceSettings):
    """Write all events of a race to standard output, one JSON object per line."""

    model_config = _config("generate")

    topic: Written = Field(
        default="parkrun",
        description="Which events; parkrun are the positions, reads the raw reads of chips, and courses is "
        "the course's row.",
    )
    keys: CliToggleFlag[bool] = Field(
        default=False, description="Write each event's key and a tab in front of it, for kcat -K '\\t'."
    )


class BackfillSettings(RaceRequest, PublisherSettings):  # type: ignore[misc] # pydantic's plugin
    """Publish a season of past races at full speed: one course, regular dates, athletes who come back."""

    model_config = _config("backfill") | SettingsConfigDict(strict=False)

    # Each race has its own.
    run_id: CliSuppress[None] = None
    start_list: CliSuppress[None] = None
    start_at: CliSuppress[None] = None
    points: CliSuppress[None] = None
    speed: CliSuppress[Literal[1.0]] = 1.0  # type: ignore[valid-type]

    course: str = Field(description="Short name of a course in the folders.")
    name: str | None = Field(
        default=None, max_length=100, description="Name of the races, before the date. Default: the course's."
    )
    seed: Seed = Field(default=0, description="Random seed of the season.")
    interval: float = Field(
        default=1.0, ge=1, le=MAX_INTERVAL, description="Race seconds between two positions of a competitor."
    )
    races: int = Field(default=10, ge=1, le=MAX_RACES, description="Number of races.")
    first: Time | None = Field(
        default=None,
        description="Gun time of the first race: ISO 8601 with a zone. Default: such that the last race was "
        "on the last Saturday, at 9:00 UTC.",
    )
    every_days: int = Field(default=7, ge=1, le=366, description="Days between two races.")
    athletes: int | None = Field(
        default=None,
        ge=1,
        le=MAX_ATHLETES,
        description="Number of athletes in the season, at least the competitors of a race. Default: twice "
        "as many.",
    )

    @field_validator("athletes")
    @classmethod
    def _enough_for_a_race(cls, athletes: int | None, known: ValidationInfo) -> int | None:
        if athletes is not None and athletes < known.data.get("competitors", 1):
            raise PydanticCustomError("athletes", "must be at least the competitors of a race")
        return athletes


class AnswersSettings(RaceSettings, AnswerQuery):
    """Write what a correct consumer of a race's events would say, one JSON object per line."""

    model_config = _config("answers") | SettingsConfigDict(strict=False)

    kind: CliPositionalArg[Name] = Field(description="The question.")
    json_schema: CliToggleFlag[bool] = Field(
        default=False, description="Write the JSON Schema of a line instead."
    )


class GradeSettings(AnswersSettings):
    """Compare a consumer's answer with the right one. Exit status 0: all rows agree."""

    model_config = _config("grade") | SettingsConfigDict(strict=False)

    json_schema: ClassVar[bool] = False  # type: ignore[misc]
    answers: CliPositionalArg[Path] = Field(
        description="File with the consumer's answer, one JSON object per line; - reads standard input."
    )
    json_report: CliToggleFlag[bool] = Field(default=False, description="Write the grade as JSON.")


class ExportSettings(RaceSettings):
    """Write a race's results, teams or tracks, or how crowded it is, to standard output."""

    model_config = _config("export")

    what: Literal["results", "teams", "tracks", "crowding"] = Field(
        default="results", description="What to write."
    )
    format: str | None = Field(
        default=None,
        description="; ".join(f"{what}: {', '.join(suffixes)}" for what, suffixes in FORMATS.items())
        + ". Default: the first one.",
    )
    rank: Rank = Field(default="gun", description=ResultsQuery.model_fields["rank"].description)
    scorers: Scorers = Field(default=FOUR, description=TeamsQuery.model_fields["scorers"].description)
    by: By = Field(default="place", description=TeamsQuery.model_fields["by"].description)
    who: Who = Field(default="all", description=TeamsQuery.model_fields["who"].description)
    bib: list[Bib] = Field(default=[], description=TrackQuery.model_fields["bib"].description)
    track_interval: Interval | None = Field(
        default=None, description=TrackQuery.model_fields["interval"].description
    )
    truth: CliToggleFlag[bool] = Field(
        default=False, description=TrackQuery.model_fields["truth"].description
    )
    max_density: Above = Field(
        default=CrowdingQuery.model_fields["max_density"].default,
        description=CrowdingQuery.model_fields["max_density"].description,
    )
    max_flow: Above = Field(
        default=CrowdingQuery.model_fields["max_flow"].default,
        description=CrowdingQuery.model_fields["max_flow"].description,
    )
