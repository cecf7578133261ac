"""The query of an answer: which moment, which windows, which clock."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticKnownError

from simulator.export.results import ResultsQuery
from simulator.export.track_query import written_number
from stream.results import Rank

MAX_WINDOW = 86_400
MAX_LATENESS = 86_400.0
MAX_AT = 1e9

_SECONDS = written_number(PydanticKnownError("float_parsing"))
At = Annotated[float, Field(strict=False, ge=0, le=MAX_AT), _SECONDS]
Lateness = Annotated[float, Field(strict=False, ge=0, le=MAX_LATENESS), _SECONDS]
Whole = Annotated[int, Field(strict=False), written_number(PydanticKnownError("int_parsing"))]
Clock = Literal["race", "tracker"]
Name = Literal[
    "order",
    "leaderboard",
    "positions",
    "windows",
    "passings",
    "dwell",
    "late",
    "duplicates",
    "reads",
    "missed",
]
"""The kinds of answers."""


class AnswerQuery(BaseModel):
    """The choices of `GET /races/{run_id}/answers/{kind}`; each kind uses some of them."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    at: At | None = Field(
        default=None,
        description="Event time, race seconds: events with a higher `rawTime` don't count. Used by "
        "`leaderboard` and `positions`. Default: the end of the stream so far.",
    )
    window: Whole = Field(
        default=60,
        ge=1,
        le=MAX_WINDOW,
        description="Length of the windows, seconds; they begin at its multiples since 1970. Used by "
        "`windows`.",
    )
    lateness: Lateness | None = Field(
        default=None,
        description="Seconds by which the watermark stays behind the highest event time published before. "
        "Used by `windows`, where it closes windows (default: windows never close), and by `late` (default: "
        "0).",
    )
    clock: Clock = Field(
        default="race",
        description="The event time of `windows` and `late`: `race` is the start plus `rawTime`, `tracker` "
        "is `timestamp`, by the tracker's own clock.",
    )
    rank: Rank = Field(default="gun", description=ResultsQuery.model_fields["rank"].description)


class GradeQuery(AnswerQuery):
    """The query of `POST /races/{run_id}/grade`: the choices with which the answer was found."""

    kind: Name = Field(description="What the body answers.")
