"""The query of `GET /races/{run_id}/tracks` and its limits."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticKnownError

from simulator.export import tracks
from simulator.export.tracks import Tracks, UnknownBibError
from simulator.race.options import MAX_COMPETITORS
from simulator.race.race import Race
from simulator.race.start_list import MAX_BIB
from stream.problems import Wrong, invalid

MAX_TRACK_POINTS = 200_000
"""Maximum number of points in a response."""

NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
"""A number in JSON syntax; Python would also accept `1_000` and ` +1 `."""


def written_number(error: PydanticKnownError) -> BeforeValidator:
    """Return a validator that accepts numeric texts and raises `error` for others."""

    def check(text: object) -> object:
        if isinstance(text, str) and not NUMBER.fullmatch(text):
            raise error
        return text

    return BeforeValidator(check)


# Query values are strings, so parse the numbers here.
Bib = Annotated[
    int,
    Field(strict=False, ge=1, le=max(MAX_BIB, MAX_COMPETITORS)),
    written_number(PydanticKnownError("int_parsing")),
]
Interval = Annotated[
    float, Field(strict=False, ge=1, le=3600), written_number(PydanticKnownError("float_parsing"))
]


class TrackQuery(BaseModel):
    """Selection of tracks."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    bib: list[Bib] = Field(
        default=[], description="Bib of a competitor; may be repeated. Default: all competitors."
    )
    interval: Interval | None = Field(
        default=None, description="Race seconds between two points of a track. Default: the race's interval."
    )
    truth: bool = Field(default=False, description="Return the true places, not those of the trackers.")

    @field_validator("bib", mode="before")
    @classmethod
    def _one_is_a_list(cls, bib: object) -> object:
        return [bib] if isinstance(bib, str) else bib

    @field_validator("truth", mode="before")
    @classmethod
    def _words_are_truths(cls, truth: object) -> object:
        return {"true": True, "false": False}.get(truth, truth) if isinstance(truth, str) else truth

    def tracks(self, race: Race, until: float, most: float = MAX_TRACK_POINTS) -> Tracks:
        """Return the selected tracks, up to `until` race seconds.

        Raises Problem 422 if they have more than `most` points, or if a bib is unknown.
        """
        try:
            found = tracks.of(race, until, self.bib, interval=self.interval, truth=self.truth)
        except UnknownBibError as error:
            raise invalid([Wrong("bib", f"must be in the race: {error}")]) from None
        if len(found) > most:
            detail = f"gives {len(found):,} points; the limit is {most:,}: choose bibs or a longer interval"
            raise invalid([Wrong("interval", detail)])
        return found
