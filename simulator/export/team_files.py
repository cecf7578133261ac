"""Teams as JSON and as CSV."""

from collections.abc import Iterator

from simulator.export.formats import Format, json_with_list
from simulator.export.teams import Teams
from stream.teams import PIECE
from stream.teams import as_csv as csv_pieces


def as_json(found: Teams) -> Iterator[bytes]:
    """Return the teams as one JSON object; each team contains its scorers."""
    race, teams = found.race, found.teams
    head = {
        "run_id": race.run_id,
        "name": race.request.name,
        "race_time": found.until,
        "rank": found.rank,
        **found.rules._asdict(),
    }
    pieces = (
        [team.as_dict() for team in teams[first : first + PIECE]] for first in range(0, len(teams), PIECE)
    )
    return json_with_list(head, "teams", pieces)


def as_csv(found: Teams) -> Iterator[bytes]:
    """Yield the teams as CSV."""
    return csv_pieces(found.teams, found.rules.scorers)


FORMATS = (
    Format("json", "application/json", as_json),
    Format("csv", "text/csv", as_csv),
)
