"""The teams of a race: scored from its results, as the browsers' payload and as CSV. Pure."""

from collections.abc import Mapping

import numpy as np

from dashboard.race.finish_list import Results
from dashboard.race.payload import Packed, pack
from dashboard.store.protocol import Competitor
from stream import teams as scoring
from stream.arrays import Ints
from stream.teams import Rules, Runners, Team


def teams(found: Results, competitors: Mapping[int, Competitor], rules: Rules) -> list[Team]:
    """Score the teams from the results of all competitors; who is not in the start list has no club."""
    entries = [competitors.get(bib) for bib in found.bib.tolist()]

    def names(who: Ints) -> list[str]:
        return [entry.name if (entry := entries[nth]) else "" for nth in who.tolist()]

    runners = Runners(
        bib=found.bib,
        status=found.status,
        time=np.nan_to_num(found.time),
        club=[entry.club if entry else "" for entry in entries],
        sex=[entry.sex if entry else "" for entry in entries],
        names=names,
    )
    return scoring.score(runners, rules)


def encode(found: Results, competitors: Mapping[int, Competitor], rules: Rules, *, is_over: bool) -> Packed:
    """Encode the teams in order: `teams` has the fields of `Team`; `over` says that the race has ended."""
    rows = [team.as_dict() for team in teams(found, competitors, rules)]
    return pack({}, {"teams": rows, "rank": found.rank, **rules._asdict(), "over": is_over})


def as_csv(found: Results, competitors: Mapping[int, Competitor], rules: Rules) -> bytes:
    """Return the teams as CSV, identical to the API's by the same rules and rank."""
    return b"".join(scoring.as_csv(teams(found, competitors, rules), rules.scorers))
