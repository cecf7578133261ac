"""The payloads of the announcer board: what is decided at the finish, and who comes next.

They are small, whatever the size of the race, so that a board runs all day on a small computer.
"""

from collections.abc import Mapping
from typing import Any

from dashboard.race.coming import chosen, coming, labels
from dashboard.race.forecasts import Forecaster
from dashboard.race.honours import Decided
from dashboard.race.payload import Packed, pack
from dashboard.race.snapshots import Snapshots
from dashboard.store.protocol import Competitor
from dashboard.ui.formatting import TIME_DECIMALS
from stream.results import Rank

DECIMALS = 1
"""Decimals of forecast seconds."""


class Announcer:
    """What an announcer says of the races of a store; thread-safe.

    Args:
        snapshots: the races.
        forecaster: their forecasts.
    """

    def __init__(self, snapshots: Snapshots, forecaster: Forecaster) -> None:
        self._snapshots = snapshots
        self._forecaster = forecaster

    def finish(self, run_id: str, rank: Rank) -> Packed:
        """The newest finishers, and the decided podiums, the newest first.

        `time`, `status` and `age` are as in the live payload. `finished` are bib, name, category, club,
        place, category_place (null if it is not known), time (that places go by, in seconds) and at (race
        seconds).
        `podiums` are kind (sex, category, or all), name, of (competitors in it, or null), at (race seconds)
        and steps: place, bib, name, club, time. `undecided` is the number of those that can still change.
        Raises `UnknownRaceError`, and `StoreError` if the store cannot be read.
        """
        snapshot, honours = self._snapshots.honours(run_id, rank)
        who = honours.competitors
        said = {
            "time": round(snapshot.standing.race_time, TIME_DECIMALS),
            "status": snapshot.race.status,
            "rank": rank,
            "finished": [_entry(who, one.bib) | _rounded(one._asdict()) for one in honours.newest],
            "podiums": [_podium(who, one) for one in honours.decided],
            "undecided": honours.undecided,
        }
        positions = snapshot.positions
        age = round(snapshot.taken_at - positions.newest_emitted / 1000, 1) if len(positions) else None
        return pack({}, said, age=age)

    def coming(self, run_id: str, rank: Rank, point: str) -> Packed:
        """Who comes next to the timing point with this label; to the finish if there is none.

        `time` are the race seconds of the forecasts; `again` the seconds until there may be newer ones.
        `points` are label, kind, name, lap and distance, the finish last; `point` is the chosen one's label.
        `next` are bib, name, category, club, place (the expected one, or null), there, low and high (race
        seconds).
        Raises what `finish` does.
        """
        forecasts = self._forecaster.get(run_id)
        honours = self._snapshots.honours(run_id, rank).honours
        newest = self._snapshots.with_passings(run_id)
        names = labels(forecasts.points)
        at = chosen(forecasts.points, point)
        who = newest[0].competitors
        found = coming(forecasts, newest, at, rank, honours.times)
        said = {
            "time": round(forecasts.time, DECIMALS),
            "points": [
                {"label": label, "kind": kind, "name": name, "lap": lap, "distance": round(metres, DECIMALS)}
                for label, (metres, kind, name, lap) in zip(names, forecasts.points, strict=True)
            ],
            "point": names[at] if names else "",
            "next": [
                _entry(who, one.bib)
                | {"place": one.place}
                | dict(
                    zip(("low", "there", "high"), (round(time, DECIMALS) for time in one.there), strict=True)
                )
                for one in found
            ],
        }
        return pack({}, said, again=round(forecasts.period, DECIMALS))


def _entry(competitors: Mapping[int, Competitor], bib: int) -> dict[str, Any]:
    known = competitors.get(bib)
    name, category, club = (known.name, known.category, known.club) if known else ("", "", "")
    return {"bib": bib, "name": name, "category": category, "club": club}


def _podium(competitors: Mapping[int, Competitor], decided: Decided) -> dict[str, Any]:
    steps = [_entry(competitors, step.bib) | _rounded(step._asdict()) for step in decided.steps]
    return _rounded(decided._asdict()) | {"steps": steps}


def _rounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, TIME_DECIMALS) if isinstance(value, float) else value
        for name, value in fields.items()
    }
