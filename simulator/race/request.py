"""The race request: the fields of `POST /races`, their defaults and limits.

Together with `options` it is their only definition: the API validates with it, `/openapi.json` and the
command-line flags are generated from it, and the `races` topic carries it, so that a race can be run again.
The query of a course upload and the request for a preview of a start list are defined here too.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from simulator.race import start_list as start_lists
from simulator.race.chance import Stream, uniform
from simulator.race.options import (
    MAX_COMPETITORS,
    WHOLE,
    CrowdingOptions,
    CutOffOptions,
    EntrantOptions,
    FateOptions,
    MatOptions,
    Options,
    PaceOptions,
    StartOptions,
    TrackerOptions,
)
from simulator.race.start_list import StartListError
from simulator.race.start_list.columns import FIELDS
from simulator.race.start_list.limits import MAX_COLUMNS
from stream.arrays import Floats
from stream.problems import several

MAX_SEED = 2**63 - 1
MAX_POINTS = 100_000
MAX_START_LIST = 6 * 1024 * 1024
"""Maximum length of a start list, characters."""
DEFAULT_COMPETITORS = 100
MAX_INTERVAL = 3600
"""Maximum race seconds between two positions of a competitor."""
MAX_RATE = 200_000.0
"""Maximum positions per second of one race; see benchmarks/README.md for what a machine can handle."""
OLDEST_START = timedelta(hours=24)
FURTHEST_START = timedelta(days=366)

WRITTEN_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
"""RFC 3339; a missing zone is checked later, so that it gets a message of its own."""


def _is_written_time(value: object) -> object:
    """Accept only the documented text format: no numbers of seconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and WRITTEN_TIME.fullmatch(value)):
        return value
    raise PydanticCustomError("datetime_type", "must be a date and time")


Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_is_written_time)]
Competitors = Annotated[int, Field(ge=1, le=MAX_COMPETITORS), WHOLE]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED), WHOLE]
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ShortName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Pace = Annotated[float, Field(ge=start_lists.FASTEST, le=start_lists.SLOWEST)]
Pause = Annotated[float, Field(ge=0, le=3600)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


def _competitors(known: dict[str, object]) -> int:
    listed = known.get("start_list")
    return len(start_lists.read(listed)) if isinstance(listed, str) else DEFAULT_COMPETITORS


class PlainRequest(Options):
    """The fields of every race."""

    course: ShortName = Field(
        description="Short name of a known course. With `points`, the name for the new course.",
        examples=["crystal-palace"],
    )
    run_id: RunId | None = Field(
        default=None,
        description="Id of the race; generated if omitted. Sending it again with the same body returns the "
        "same race, with a different body 409.",
    )
    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Name of the race. Default: the course's long name.",
    )
    start_list: str | None = Field(
        default=None,
        max_length=MAX_START_LIST,
        description="Competitors as CSV. A line names the columns, such as bib, name, gender, age, category, "
        "club, wave, pace (per km) or expected time; see docs/start-lists.md.",
    )
    competitors: Competitors = Field(
        default_factory=_competitors,
        description="Number of competitors. Default: the length of the start list, or 100.",
    )
    fastest: Pace = Field(default=144.0, description="Fastest pace, seconds per kilometre.")
    slowest: Pace = Field(
        default=500.0, validate_default=True, description="Slowest pace, seconds per kilometre."
    )
    how_many_get_stopped: float = Field(
        default=0.0, ge=0, le=1, description="Share of competitors who pause in a geofence."
    )
    min_pause: Pause = Field(default=5.0, description="Shortest pause, seconds.")
    max_pause: Pause = Field(default=30.0, validate_default=True, description="Longest pause, seconds.")
    seed: Seed | None = Field(
        default=None, description="The same seed gives the same race. Generated and returned if omitted."
    )
    speed: float = Field(default=1.0, ge=0.1, le=1000, description="Race seconds per second.")
    interval: float | None = Field(
        default=None,
        validate_default=True,
        ge=1,
        le=MAX_INTERVAL,
        description="Race seconds between two positions of one competitor. Default: max(1, speed).",
    )
    start_at: Time | None = Field(
        default=None,
        description="Gun time: ISO 8601 with a zone, from a day ago to a year ahead. Default: now.",
    )
    points: list[tuple[Longitude, Latitude]] | None = Field(
        default=None,
        min_length=2,
        max_length=MAX_POINTS,
        description="Line of the course as [lon, lat] pairs in degrees. The geofences of the course named by "
        "`course`, if it is known, apply to it.",
    )

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str | None) -> str | None:
        if name is not None and not (name.isprintable() and name.strip()):
            raise PydanticCustomError("name", "must be one line of printable characters, not only spaces")
        return name

    @field_validator("start_list")
    @classmethod
    def _can_be_read(cls, start_list: str | None) -> str | None:
        try:
            _ = None if start_list is None else start_lists.read(start_list)
        except StartListError as error:
            raise PydanticCustomError("start_list", "{why}", several(error.reasons)) from error
        return start_list

    @field_validator("competitors")
    @classmethod
    def _as_many_as_listed(cls, competitors: int, info: ValidationInfo) -> int:
        listed = info.data.get("start_list")
        if listed is not None and competitors != (count := len(start_lists.read(listed))):
            raise PydanticCustomError(
                "listed",
                "must be omitted or be {count}, the length of the start list",
                {"count": f"{count:,}"},
            )
        return competitors

    @field_validator("slowest", "max_pause")
    @classmethod
    def _is_at_least_the_other(cls, most: float, info: ValidationInfo) -> float:
        name, words = {
            "slowest": ("fastest", "the fastest pace, {least} seconds per kilometre"),
            "max_pause": ("min_pause", "min_pause, {least} seconds"),
        }[info.field_name or ""]
        least = info.data.get(name)
        if least is not None and least > most:
            raise PydanticCustomError("order", "must be at least " + words, {"least": f"{least:g}"})
        return most

    @field_validator("interval")
    @classmethod
    def _rate_can_be_served(cls, interval: float | None, info: ValidationInfo) -> float | None:
        competitors, speed = info.data.get("competitors"), info.data.get("speed")
        if competitors is None or speed is None:
            return interval
        rate = competitors * speed / (interval or max(1.0, speed))
        if rate > MAX_RATE:
            raise PydanticCustomError(
                "rate",
                "would produce {rate} positions a second with {competitors} competitors at this speed; "
                "the limit is {limit}: raise the interval or lower the speed",
                {"competitors": f"{competitors:,}", "rate": f"{rate:,.0f}", "limit": f"{MAX_RATE:,.0f}"},
            )
        return interval

    @property
    def tick(self) -> float:
        """Race seconds between two positions of a competitor, the default applied."""
        return max(1.0, self.speed) if self.interval is None else self.interval

    def draw(self, stream: Stream) -> Floats:
        """Return a uniform double in [0, 1) for each competitor, shape (n,)."""
        return uniform(self.seed or 0, stream, self.competitors)

    @property
    def listed(self) -> start_lists.StartList | None:
        """The parsed start list, or None."""
        return None if self.start_list is None else start_lists.read(self.start_list)

    def identity(self) -> tuple[str, int]:
        """Return the run id and the gun time in epoch milliseconds; raises ValueError unless resolved."""
        if self.seed is None or self.run_id is None or self.start_at is None:
            raise ValueError("a race needs a run id, a seed and a start: resolve the request first")
        return self.run_id, round(self.start_at.timestamp() * 1000)

    def resolved(self, *, run_id: str, name: str, seed: int, start_at: datetime) -> Self:
        """Fill in the fields that the request leaves open."""
        given = self.model_dump(include={"run_id", "name", "seed", "start_at"}, exclude_none=True)
        defaults = {"run_id": run_id, "name": name, "seed": seed, "start_at": start_at}
        return self.model_copy(update={**defaults, **given, "interval": self.tick})


class RaceRequest(
    MatOptions,
    TrackerOptions,
    CutOffOptions,
    FateOptions,
    EntrantOptions,
    CrowdingOptions,
    StartOptions,
    PaceOptions,
    PlainRequest,
):
    """Request for a race. The same request with the same seed gives the same race."""

    @property
    def options(self) -> dict[str, bool | int | float | str | dict[str, float]]:
        """The options that differ from their defaults."""
        return self.model_dump(exclude=set(PlainRequest.model_fields), exclude_defaults=True)

    def text(self) -> str:
        """Return the request as JSON, without unset fields and without options at their defaults.

        The options' defaults describe a plain race and never change; those of the other fields may.
        """
        wanted = {*PlainRequest.model_fields, *self.options}
        return self.model_dump_json(exclude_none=True, include=wanted)


class CourseQuery(BaseModel):
    """Query of `POST /courses`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: ShortName | None = Field(
        default=None,
        description="Short name of the course. Default: derived from the name in the file.",
        examples=["my-park"],
    )


class ListRequest(BaseModel):
    """Request for a preview of a start list: how it would be read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    start_list: str = Field(max_length=MAX_START_LIST, description="Competitors as CSV.")
    columns: dict[str, Annotated[int, Field(ge=0, le=MAX_COLUMNS), WHOLE]] = Field(
        default={},
        description="The number of a field's column, from 1, where its name says otherwise or nothing; 0: no "
        f"column has it. The fields are {', '.join(FIELDS)}.",
        examples=[{"bib": 2, "club": 0}],
        json_schema_extra={"propertyNames": {"enum": list(FIELDS)}},
    )

    @field_validator("columns")
    @classmethod
    def _are_fields_of_different_columns(cls, columns: dict[str, int]) -> dict[str, int]:
        if unknown := columns.keys() - FIELDS.keys():
            raise PydanticCustomError(
                "field",
                "has no field {field}; the fields are {fields}",
                {"field": min(unknown), "fields": ", ".join(FIELDS)},
            )
        numbers = [number for number in columns.values() if number]
        if twice := [number for number in numbers if numbers.count(number) > 1]:
            raise PydanticCustomError(
                "twice", "must not have column {number} for two fields", {"number": twice[0]}
            )
        return columns
