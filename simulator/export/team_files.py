"""Teams as JSON and as CSV."""

from collections.abc import Iterator

import orjson

from simulator.export.formats import Format
from simulator.export.teams import Teams
from stream.teams import PIECE, Team
from stream.teams import as_csv as csv_pieces


def as_json(found: Teams) -> Iterator[bytes]:
    """Yield the teams as one JSON object; each team contains its scorers."""
    race, teams = found.race, found.teams
    head = {
        "run_id": race.run_id,
        "name": race.request.name,
        "race_time": found.until,
        "rank": found.rank,
        **found.rules._asdict(),
    }
    yield orjson.dumps(head)[:-1] + b',"teams":['
    between = b""
    for first in range(0, len(teams), PIECE):
        yield between + orjson.dumps(list(map(_team, teams[first : first + PIECE])))[1:-1]
        between = b","
    yield b"]}"


def _team(team: Team) -> dict[str, object]:
    return team._asdict() | {"scorers": [scorer._asdict() for scorer in team.scorers]}


def as_csv(found: Teams) -> Iterator[bytes]:
    """Yield the teams as CSV."""
    return csv_pieces(found.teams, found.rules.scorers)


FORMATS = (
    Format("json", "application/json", as_json),
    Format("csv", "text/csv", as_csv),
)
