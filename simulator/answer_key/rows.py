"""The forms of the answers: a line of JSON for each row, with the stream's names and units.

Times are race seconds since the first gun, unless the name says otherwise; distances are metres.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["waiting", "running", "paused", "finished", "dnf", "dns", "dsq"]
Kind = Literal["start", "split", "enter", "exit", "finish", "dnf", "dsq"]
Bib = Annotated[int, Field(ge=1, description="The bib number.")]
Place = Annotated[
    int | None,
    Field(description="Competitors with equal times or distances share a place. Null without a place."),
]
Metres = Annotated[float, Field(description="Metres of the course covered, as in the events.")]
Elapsed = Annotated[float, Field(description="Race seconds since the first gun, as in the events.")]
EventId = Annotated[str, Field(description="`runId-competitorId-rawTime`.")]
RawTime = Annotated[int, Field(description="Whole race seconds since the first gun.")]
MatKind = Literal["start", "split", "finish"]
Lap = Annotated[int, Field(ge=1, description="How many times this competitor has passed this point.")]


class Row(BaseModel):
    """A line of an answer. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, strict=True)


def columns_of(form: type[Row], rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Return rows as columns: the fields of their form, in its order."""
    lists = [list(column) for column in zip(*rows, strict=True)]
    return dict(zip(form.model_fields, lists or [[] for _ in form.model_fields], strict=True))


class OrderRow(Row):
    """A competitor in the results."""

    competitorId: Bib
    place: Place
    status: Status
    gunTime: float | None = Field(
        description="Seconds since the gun of the own wave; null before the finish."
    )
    chipTime: float | None = Field(description="Seconds since the own start; null before the finish.")


class LeaderboardRow(Row):
    """A competitor at an event time: the newest event up to it counts."""

    competitorId: Bib
    place: Place
    status: Status
    distance: Metres
    elapsed: Elapsed


class PositionRow(Row):
    """The newest position of a competitor up to an event time."""

    competitorId: Bib
    rawTime: RawTime
    lat: float = Field(description="Degrees, as published.")
    lon: float = Field(description="Degrees, as published.")
    distance: Metres
    status: Status
    elapsed: Elapsed


class WindowRow(Row):
    """A tumbling window of event time with events."""

    start: int = Field(description="Its first moment, epoch ms: a multiple of its length.")
    events: int = Field(ge=0, description="Distinct events (`eventId`), without dropped ones.")
    competitors: int = Field(ge=0, description="Distinct competitors with such an event.")
    dropped: int = Field(
        ge=0, description="Distinct events published after the watermark had passed the window's end."
    )
    pace: float | None = Field(
        description="Mean of 1000 * `elapsed` / `distance`, seconds per kilometre, of the events with the "
        "status `running` and at least 100 m; null without one."
    )


class PassingRow(Row):
    """A passing of a timing point."""

    competitorId: Bib
    kind: Kind
    point: str
    lap: Lap
    elapsed: Elapsed
    distance: float | None = Field(description="Metres of the course covered at the point.")


class DwellRow(Row):
    """A visit of a geofence."""

    competitorId: Bib
    geofence: str
    lap: Lap
    enter: float = Field(description="Race seconds since the first gun.")
    exit: float | None = Field(description="Race seconds since the first gun; null without an exit.")
    seconds: float | None = Field(description="Time inside; null without an exit.")


class LateRow(Row):
    """An event that was behind the watermark when it was published first."""

    eventId: EventId
    competitorId: Bib
    rawTime: RawTime
    behind: float = Field(gt=0, description="Seconds behind the watermark.")


class DuplicateRow(Row):
    """An event that was published more than once."""

    eventId: EventId
    competitorId: Bib
    rawTime: RawTime
    times: int = Field(ge=1, description="How often it was published.")


class ReadRow(Row):
    """A pass of a timing point that the raw reads show."""

    competitorId: Bib
    kind: MatKind
    point: str
    sighting: int = Field(
        ge=1,
        description="How many times the reads show this competitor at this point: the `lap` of the passing, "
        "unless an earlier one was missed.",
    )
    elapsed: float = Field(description="Race seconds since the first gun of the read that counts.")
    reads: int = Field(ge=1, description="Reads of the pass, of both lines, that are not too weak.")


class MissedRow(Row):
    """A timing point that a competitor has passed, as reads further on prove, without a read."""

    competitorId: Bib
    kind: MatKind
    point: str
    times: int = Field(ge=1, description="Passes without a read.")
