"""How crowded a race is, as a pure function; and the query for it."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticKnownError

from simulator.course.course import Course
from simulator.export.track_query import written_number
from simulator.race.crowd_figures import DENSE, FAST
from simulator.race.crowding import density
from simulator.race.crowding.density import Density, Level, Warned
from simulator.race.field import Lost
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.steps import Steps, done, within

Above = Annotated[
    float, Field(strict=False, gt=0, le=1000), written_number(PydanticKnownError("float_parsing"))
]

DENSE_SOURCE = "the densest start with controls (Peckover, Raineri and Scanlan 2022, Sports 10(9), 132)"
FAST_SOURCE = "the least flow without controls (Peckover, Raineri and Scanlan 2022, Sports 10(9), 132)"
"""Sources of the default levels."""
AS_ASKED = "the level of the request"


class CrowdingQuery(BaseModel):
    """The levels above which `GET /races/{run_id}/crowding` warns."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    max_density: Above = Field(
        default=DENSE,
        description="Competitors per square metre above which a section has a warning. Default: "
        f"{DENSE_SOURCE}.",
    )
    max_flow: Above = Field(
        default=FAST,
        description="Competitors per minute and metre of width above which a section has a warning. Default: "
        f"{FAST_SOURCE}.",
    )


@dataclass(frozen=True, eq=False)
class Crowding:
    """How crowded a race is; create with `of`.

    Attributes:
        race: the race.
        density: for each section and minute.
        lost: the seconds that each competitor loses, shape (n,).
        levels: those above which there are warnings.
        warnings: by distance.
    """

    race: Race
    density: Density
    lost: Lost
    levels: tuple[Level, ...]
    warnings: list[Warned]


def of(race: Race, query: CrowdingQuery | None = None) -> Crowding:
    """Return how crowded a whole race is; without crowding, how full it would be if nobody were held up."""
    return done(_of(race, query or CrowdingQuery()))


def planned(course: Course, request: RaceRequest, query: CrowdingQuery) -> Steps[Crowding]:
    """Draw a race and find how crowded it is, in steps; the request is resolved."""
    race = yield from within(0.0, 0.5, Race.in_steps(course, request))
    return (yield from within(0.5, 1.0, _of(race, query)))


def _of(race: Race, query: CrowdingQuery) -> Steps[Crowding]:
    free, nothing = race.field, np.zeros(len(race.field))
    if race.field.lost is not None:
        free = race.without_crowding()
    found = yield from density.measuring(free, race.field, race.cells)
    levels = (
        Level("density", query.max_density, DENSE_SOURCE if query.max_density == DENSE else AS_ASKED),
        Level("flow", query.max_flow, FAST_SOURCE if query.max_flow == FAST else AS_ASKED),
    )
    return Crowding(
        race=race,
        density=found,
        lost=race.field.lost or Lost(nothing, nothing),
        levels=levels,
        warnings=density.warnings(found, levels),
    )
