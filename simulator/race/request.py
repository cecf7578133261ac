"""What one asks for when one asks for a race: the fields of `POST /races`, their defaults and limits.

This is the one place for them, with `options` for what makes a race like a real one: the API validates with
it, `/openapi.json` is made from it, the command line builds it from flags, and the `races` topic carries it,
so that a race can be run again. What can be said with a course that is sent stands here too.
"""

from __future__ import annotations

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
from simulator.race.options import (
    WHOLE,
    EntrantOptions,
    FateOptions,
    Options,
    PaceOptions,
    StartOptions,
    TrackerOptions,
)
from simulator.race.start_list import StartListError

MAX_COMPETITORS = start_lists.MAX_ROWS
MAX_SEED = 2**63 - 1
MAX_POINTS = 100_000
MAX_START_LIST = 6 * 1024 * 1024
"""Characters of a start list."""
DEFAULT_COMPETITORS = 100
MAX_INTERVAL = 3600
"""Race seconds between two positions of one competitor at most."""
MAX_RATE = 200_000.0
"""Positions a second that one race may ask for; see benchmarks/README.md for what a machine can take."""
OLDEST_START = timedelta(hours=24)
FURTHEST_START = timedelta(days=366)

WRITTEN_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
"""RFC 3339; whether there is a zone is looked at later, so that its lack is told as such."""


def _is_written_time(value: object) -> object:
    """Let no number of seconds be a time, nor what is written otherwise than the description says."""
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
    """What there is to say of any race."""

    course: ShortName = Field(
        description="Short name of a known course. With `points`, the name that their course gets.",
        examples=["crystal-palace"],
    )
    run_id: RunId | None = Field(
        default=None,
        description="The race's id; made if left out. Sent again with the same body it is answered with "
        "the same race, with another body 409.",
    )
    name: str | None = Field(
        default=None, min_length=1, max_length=120, description="Default: the course's long name."
    )
    start_list: str | None = Field(
        default=None,
        max_length=MAX_START_LIST,
        description="Who runs, as CSV; the first line names the columns: bib, name, category, club, wave, "
        "pace.",
    )
    competitors: Competitors = Field(
        default_factory=_competitors,
        description="How many run. Default: as many as the start list has, or 100.",
    )
    fastest: Pace = Field(default=144.0, description="The fastest pace, seconds per kilometre.")
    slowest: Pace = Field(
        default=500.0, validate_default=True, description="The slowest pace, seconds per kilometre."
    )
    how_many_get_stopped: float = Field(
        default=0.0, ge=0, le=1, description="The share of the competitors who pause in a geofence."
    )
    min_pause: Pause = Field(default=5.0, description="The shortest pause, seconds.")
    max_pause: Pause = Field(default=30.0, validate_default=True, description="The longest pause, seconds.")
    seed: Seed | None = Field(default=None, description="Made if left out, and answered.")
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
        description="When the gun goes: ISO 8601 with a zone, from a day ago to a year ahead. Default: now.",
    )
    points: list[tuple[Longitude, Latitude]] | None = Field(
        default=None,
        min_length=2,
        max_length=MAX_POINTS,
        description="A course given here, as [lon, lat] pairs in degrees; the geofences are those of the "
        "course named by `course`, if it is known.",
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
        if start_list is not None:
            try:
                start_lists.read(start_list)
            except StartListError as error:
                raise PydanticCustomError("start_list", "{why}", {"why": str(error)}) from error
        return start_list

    @field_validator("competitors")
    @classmethod
    def _as_many_as_listed(cls, competitors: int, info: ValidationInfo) -> int:
        listed = info.data.get("start_list")
        if listed is not None and competitors != (count := len(start_lists.read(listed))):
            raise PydanticCustomError(
                "listed",
                "must be left out or be {count}: the start list has as many",
                {"count": f"{count:,}"},
            )
        return competitors

    @field_validator("slowest")
    @classmethod
    def _slowest_is_slower(cls, slowest: float, info: ValidationInfo) -> float:
        fastest = info.data.get("fastest")
        if fastest is not None and fastest > slowest:
            raise PydanticCustomError(
                "pace_order",
                "must be at least the fastest pace, {fastest} seconds per kilometre",
                {"fastest": f"{fastest:g}"},
            )
        return slowest

    @field_validator("max_pause")
    @classmethod
    def _max_pause_is_longer(cls, max_pause: float, info: ValidationInfo) -> float:
        min_pause = info.data.get("min_pause")
        if min_pause is not None and min_pause > max_pause:
            raise PydanticCustomError(
                "pause_order", "must be at least min_pause, {least} seconds", {"least": f"{min_pause:g}"}
            )
        return max_pause

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
                "makes {rate} positions a second with {competitors} competitors at this speed; "
                "the limit is {limit}: raise the interval or lower the speed",
                {
                    "competitors": f"{competitors:,}",
                    "rate": f"{rate:,.0f}",
                    "limit": f"{MAX_RATE:,.0f}",
                },
            )
        return interval

    @property
    def tick(self) -> float:
        """Race seconds between two positions of one competitor, the default applied."""
        return max(1.0, self.speed) if self.interval is None else self.interval

    @property
    def listed(self) -> start_lists.StartList | None:
        """The start list, read; None if there is none."""
        return None if self.start_list is None else start_lists.read(self.start_list)

    def identity(self) -> tuple[str, int]:
        """Return the run id and the gun's epoch milliseconds; raises ValueError unless it is resolved."""
        if self.seed is None or self.run_id is None or self.start_at is None:
            raise ValueError("a race needs a run id, a seed and a start: resolve the request first")
        return self.run_id, round(self.start_at.timestamp() * 1000)

    def resolved(self, *, run_id: str, name: str, seed: int, start_at: datetime) -> Self:
        """Return the request with what was left open filled in; what it sets itself stays."""
        return self.model_copy(
            update={
                "run_id": self.run_id or run_id,
                "name": self.name or name,
                "seed": self.seed if self.seed is not None else seed,
                "start_at": self.start_at or start_at,
                "interval": self.tick,
            }
        )


class RaceRequest(TrackerOptions, FateOptions, EntrantOptions, StartOptions, PaceOptions, PlainRequest):
    """A race to be run. The same request with the same seed is the same race."""

    @property
    def options(self) -> dict[str, bool | int | float | str]:
        """The options that are not at their defaults."""
        names = type(self).model_fields.keys() - PlainRequest.model_fields.keys()
        given = {name: getattr(self, name) for name in type(self).model_fields if name in names}
        return {name: value for name, value in given.items() if value != _default(name)}

    def text(self) -> str:
        """Return the request as JSON, without what is not set and without options that are at their defaults.

        Those defaults are a plain race's and never change; the defaults of a plain race's own fields may.
        """
        wanted = {*PlainRequest.model_fields, *self.options}
        return self.model_dump_json(exclude_none=True, include=wanted)


def _default(name: str) -> object:
    return RaceRequest.model_fields[name].default


class CourseQuery(BaseModel):
    """What can be said of a course file that is sent, in the query of `POST /courses`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: ShortName | None = Field(
        default=None,
        description="The course's short name. Default: made of the name that stands in the file.",
        examples=["my-park"],
    )
