"""The teams of a race up to a moment, as a pure function; and the query for them."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from pydantic_core import PydanticKnownError

from simulator.export import results
from simulator.export.results import ResultsQuery
from simulator.export.track_query import written_number
from simulator.race.race import Race
from stream.results import Rank
from stream.teams import FOUR, SCORERS, By, Rules, Runners, Team, Who, score

Scorers = Annotated[
    int,
    Field(strict=False, ge=SCORERS[0], le=SCORERS[1]),
    written_number(PydanticKnownError("int_parsing")),
]


class TeamsQuery(ResultsQuery):
    """The choices of `GET /races/{run_id}/teams`."""

    scorers: Scorers = Field(
        default=FOUR,
        description="Number of finishers of a club that score. Default: as at the World Athletics Cross "
        "Country Championships.",
    )
    by: By = Field(
        default="place", description="What is added up: the scorers' places, or their official times."
    )
    who: Who = Field(
        default="all",
        description="Who scores. Women and men have places among themselves. Of a mixed team at least half "
        "of the scorers, rounded down, are women, and as many are men.",
    )

    @property
    def rules(self) -> Rules:
        """How teams are scored."""
        return Rules(self.scorers, self.by, self.who)


@dataclass(frozen=True, eq=False)
class Teams:
    """The teams of a race; create with `of`.

    Attributes:
        race: the race.
        until: race seconds of the results.
        rank: the time that places go by.
        rules: how teams are scored.
        teams: in order.
    """

    race: Race
    until: float
    rank: Rank
    rules: Rules
    teams: list[Team]


def of(race: Race, until: float, query: TeamsQuery | None = None) -> Teams:
    """Return the teams `until` race seconds after the first gun; negative before the first tick."""
    query = query or TeamsQuery()
    found, entrants = results.of(race, until, query.rank), race.entrants
    club, sex = [], []
    for entrant in entrants.some(0, len(entrants)):
        club.append(entrant.club)
        sex.append(entrant.sex)
    runners = Runners(
        bib=np.asarray(entrants.bib, np.int64),
        status=found.status,
        time=found.standings.time,
        club=club,
        sex=sex,
        names=lambda who: (entrant.name for entrant in entrants.of(who)),
    )
    return Teams(race, until, query.rank, query.rules, score(runners, query.rules))
